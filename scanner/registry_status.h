/*
 * An HTTP status of a registry as an error, with the registry's own words where it has any: the OCI
 * distribution specification's {"errors": [{"code", "message"}]}, or a token server's {"details"} or
 * {"error_description"}. What is quoted is cut short and stripped of control characters, as it goes to
 * terminals and logs. Where access is refused it says what to do about that.
 */
#ifndef SCANNER_REGISTRY_STATUS_H
#define SCANNER_REGISTRY_STATUS_H

#include <stdint.h>

#include "base/error.h"
#include "base/http.h"
#include "scanner/credentials.h"

/* Always -1. `repository` is what was asked for, with `credential` (an empty one: anonymously); `wall_ms` is what a
 * Retry-After date is taken against. */
int registry_status_error(struct http_response *response, const char *repository,
                          const struct credential *credential, int64_t wall_ms, struct error *err);

#endif
