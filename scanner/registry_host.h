/*
 * One registry host: how to reach it, how much of it we may use, and who waits for it. Internal to the
 * scanner; registry.h is the door.
 *
 * https always, but for hosts that the user called insecure (certificate not checked, plain http if they do
 * not speak TLS: --registry-insecure-host, as in Flux v1) and for loopback addresses, which as with
 * Docker may speak either. There plain http is tried first: nothing leaves the machine, no credential is in a
 * first request, and the certificates of the world need not be loaded. Which of the two such a host speaks is
 * found out by its first request, while the others wait, and remembered.
 */
#ifndef SCANNER_REGISTRY_HOST_H
#define SCANNER_REGISTRY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/http.h"
#include "base/strbuf.h"
#include "scanner/auth_challenge.h"
#include "scanner/rate_limit.h"

/* Requests in flight to one host. Browsers use six connections to a host; over HTTP/2 ours share one. */
#define REGISTRY_IN_FLIGHT 8

/* Something that wants to send one request. `start` is called when it may; it then holds one of the host's
 * places until registry_host_leave. `refuse` is called instead when nothing may be sent for now. */
struct registry_job {
    struct registry_job *next;
    void (*start)(struct registry_job *job);
    void (*refuse)(struct registry_job *job, const struct error *err);
};

enum registry_scheme { REGISTRY_SCHEME_UNKNOWN, REGISTRY_HTTPS, REGISTRY_HTTP };

struct registry_host {
    char *name;    /* as in repository names: "index.docker.io", "reg:5000" */
    char *address; /* where its API is: "registry-1.docker.io", "reg:5000" */
    enum registry_scheme scheme;
    bool is_insecure; /* the user said so */
    bool is_loopback;
    struct http_tls tls; /* for requests to it */

    struct auth_challenge challenge; /* its last one: the next request need not wait to be asked */

    struct rate_limit budget;
    size_t in_flight;
    int64_t blocked_until_ms; /* it told us to stay away; monotonic */
    struct registry_job *first, *last;

    /* Called from registry_host_resume: its owner's way to look at it again. */
    void (*resume)(struct registry_host *host, void *context);
    void *context;
};

struct registry_host *registry_host_new(const char *name, const struct strvec *insecure_hosts, double rps,
                                        double burst, int64_t now_ms);
void registry_host_free(void *value);

/* Whether an http_origin is on the same machine by name, on whatever port and scheme. */
bool registry_host_is_at(const struct registry_host *host, const char *origin);

/* Whether the first request to a host of unknown scheme goes out over plain http. */
bool registry_host_begins_plain(const struct registry_host *host);

/* Whether a first request that failed with `code` in one scheme may be tried in the other. */
bool registry_host_may_speak_other(const struct registry_host *host, enum error_code code);

/* Queues a job, behind all others, or before them when it goes on with what has begun. */
void registry_host_enter(struct registry_host *host, struct registry_job *job, bool is_first);
void registry_host_leave(struct registry_host *host);

/* Starts what may start now. The milliseconds until more may, or -1 where that waits for an answer. */
int64_t registry_host_dispatch(struct registry_host *host, int64_t now_ms);

/* After an answer: there may be room for more. */
void registry_host_resume(struct registry_host *host);

/* Refuses everything that waits. */
void registry_host_refuse_all(struct registry_host *host, const struct error *err);

/* Nothing is sent for so long. */
void registry_host_block(struct registry_host *host, int64_t now_ms, int retry_after_s);

#endif
