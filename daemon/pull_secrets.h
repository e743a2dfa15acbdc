/*
 * The pull secrets of one git repository's workloads, read from the cluster that its commits are applied to.
 *
 * Whose they are is read from the manifests: the imagePullSecrets of the pod, then those of its service account
 * (`default` if it names none). Service accounts and Secrets are got by name, never listed, so that a role with the
 * verb get is enough. Of those that cover an image the one whose key covers the most of its name is used, the first
 * among equals, as the kubelet does.
 *
 * Charts are asked for with the secretRef of their HelmRepository instead, in whose namespace it is; that Secret may hold a
 * user name and a password alone (keys username and password), which are then for this repository.
 *
 * Each is read when it is first needed and again when `max_age_ms` has passed, or after PULL_SECRETS_REREAD_MS once a
 * registry refused what it gave. All that is due goes out together, in two steps (a service account names Secrets), and
 * the caller waits: no longer than the client's deadlines. An API server that does not answer is left alone for
 * PULL_SECRETS_PAUSE_MS, and what was read last is used for PULL_SECRETS_KEEP_MS; a Secret that was deleted or is
 * forbidden is dropped at once. One that cannot be used spoils only itself: the next in order counts, and then what
 * pawl has of its own (scanner/credential_source.h).
 *
 * Belongs to the thread of the repository's rounds. Nothing of a Secret is logged or written anywhere.
 */
#ifndef DAEMON_PULL_SECRETS_H
#define DAEMON_PULL_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/pull_credential.h"
#include "deploy/kube_client.h"
#include "model/manifest.h"

/* The first two are no longer than max_age_ms. */
#define PULL_SECRETS_REREAD_MS 60000
#define PULL_SECRETS_PAUSE_MS  30000
#define PULL_SECRETS_KEEP_MS   3600000

struct pull_secrets;

/* The client and the clock are borrowed. */
struct pull_secrets *pull_secrets_new(struct kube_client *client, const struct clock *clock,
                                      int64_t max_age_ms) MUST_CHECK;
void pull_secrets_free(struct pull_secrets *secrets); /* NULL does nothing */

/* In all that follows NULL stands for a target that has no Secrets: nothing is asked, nothing is found. */

/* Reads what is due of what these workloads, and the sources of their charts, name, and forgets what none names. They must live until the next
 * call. */
void pull_secrets_refresh(struct pull_secrets *secrets, const struct resource *const *workloads, size_t len);

/* What to ask for a repository ("host/path", normalised) with, for a workload of the last refresh: one reference, or
 * NULL, if none of its pull secrets covers it. */
struct pull_credential *pull_secrets_for(struct pull_secrets *secrets, const struct resource *workload,
                                         const char *repository) MUST_CHECK;

/* A registry refused what the Secret ("namespace/name") gave. True if the next refresh reads it again. */
bool pull_secrets_refused(struct pull_secrets *secrets, const char *name);

/* Shows what of the last refresh cannot be used: the first workload that names it, and why. */
typedef void (*pull_secrets_visit)(const struct resource *workload, const char *message, void *context);
void pull_secrets_problems(const struct pull_secrets *secrets, pull_secrets_visit visit, void *context);
/* Why the API server could not be asked, the last time; NULL: it could. */
const struct error *pull_secrets_failure(const struct pull_secrets *secrets);

#endif
