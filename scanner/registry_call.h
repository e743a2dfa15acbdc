/*
 * Questions on their way to a registry, from the queue of its host to the answer, with all that may lie between: https or
 * http, log-in, a token. Internal to the scanner; registry.h is the door.
 */
#ifndef SCANNER_REGISTRY_CALL_H
#define SCANNER_REGISTRY_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/http.h"
#include "scanner/registry.h"
#include "scanner/registry_host.h"
#include "scanner/token_source.h"

/* What they have in common. */
struct registry_calls {
    const struct clock *clock; /* borrowed */
    int64_t timeout_ms;        /* of one request */
    struct http_client *client;
    struct token_source tokens;
    size_t open; /* not answered */
};

struct registry_call_options {
    struct registry_host *host; /* must outlive the call */
    struct rate_quota *quota;   /* of the log-in there; as long */
    const char *identity;       /* credential_identity of the question's credential */
};

/* As registry_ask: the answer comes later, while the host's jobs are started or the client runs. */
void registry_call_start(struct registry_calls *calls, const struct registry_call_options *options,
                         const struct registry_question *question, registry_answer answer, void *context);

#endif
