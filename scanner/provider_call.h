/*
 * What providers have in common: settings of the environment, secrets in files, and calls that answer in JSON.
 * Internal to the scanner's providers.
 */
#ifndef SCANNER_PROVIDER_CALL_H
#define SCANNER_PROVIDER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/http.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "scanner/provider.h"

/* A metadata server is on the same link, or there is none: nothing answers there outside of the cloud. */
#define PROVIDER_METADATA_TIMEOUT_MS 2000
#define PROVIDER_TIMEOUT_MS          8000

/* A variable of the environment; NULL if it is not set or empty. */
const char *provider_setting(const struct provider_request *request, const char *name);

/*
 * Where a service is: what the variable says, for private endpoints and tests, else `usual`. Without a slash at the
 * end; free() it. ERROR_INVALID for what is neither https nor http to a loopback address: it would get secrets.
 */
char *provider_endpoint(const struct provider_request *request, const char *variable, const char *usual,
                        struct error *err) MUST_CHECK;
/* The same rule for a URL of another source, which `what` names. */
int provider_check_url(const char *url, const char *what, struct error *err) MUST_CHECK;

/* A token that is kept in a file, trimmed; wiped and freed by the caller. */
char *provider_read_secret(const char *path, struct error *err) MUST_CHECK;

/* Sends the request and takes the answer. -1 only if there was none; the body is the response's own. */
int provider_send(const struct provider_request *request, const struct http_request *http,
                  struct http_response *response, struct error *err) MUST_CHECK;
/* Puts a status other than 2xx into words, the service's own among them. Returns -1. */
int provider_refused(struct http_response *response, struct error *err);
/* provider_send, for an answer of 2xx that is a JSON object: a new reference. */
json_t *provider_ask(const struct provider_request *request, const struct http_request *http,
                     struct error *err) MUST_CHECK;

/* POSTs a form to `url`. The form is wiped. A new reference. */
json_t *provider_post_form(const struct provider_request *request, const char *url, struct strbuf *form,
                           struct error *err) MUST_CHECK;
/* Adds a field to a form; NULL adds none. */
void provider_add_field(struct strbuf *form, const char *name, const char *value);

/* True if the error says that there is no such server on this machine's network. */
bool provider_is_absent(const struct error *err);

/* Seconds out of an answer, a number or (Azure) its text, as milliseconds; `usual_s` if it makes no sense. */
int64_t provider_lifetime_ms(const json_t *seconds, int64_t usual_s);

#endif
