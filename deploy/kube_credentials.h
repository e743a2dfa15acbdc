/*
 * Who we are to an API server, at this moment: the headers and the TLS settings that go with each request.
 *
 * Files are read anew at each refresh (kubelet replaces a pod's token about every hour, its authority now and
 * then), a plugin is run when what it gave has expired or was rejected. An unreadable token file keeps the
 * last token: a file that is being replaced is no reason to stop.
 */
#ifndef DEPLOY_KUBE_CREDENTIALS_H
#define DEPLOY_KUBE_CREDENTIALS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http.h"
#include "deploy/kube_access.h"

struct kube_credentials;

/* `access` and `clock` are borrowed and must outlive it. */
struct kube_credentials *kube_credentials_new(const struct kube_access *access, const struct clock *clock);
void kube_credentials_free(struct kube_credentials *credentials); /* NULL does nothing */

/*
 * Brings everything up to date; to be called before the first request, and while none is in flight, since it
 * changes what the two functions below gave out. `was_rejected`: the server said 401 to what we have. -1 with
 * the reason where a file that must be there cannot be read or the plugin fails.
 */
int kube_credentials_refresh(struct kube_credentials *credentials, bool was_rejected, struct error *err)
    MUST_CHECK;

/* The Authorization header's value; NULL: none (a certificate, or a server without TLS, to which no secret is
 * sent). Valid until the next refresh. */
const char *kube_credentials_authorization(const struct kube_credentials *credentials);
const struct http_tls *kube_credentials_tls(const struct kube_credentials *credentials);

#endif
