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
#include "base/strmap.h"
#include "scanner/auth_challenge.h"
#include "scanner/rate_limit.h"
#include "scanner/rate_quota.h"
#include "scanner/registry_stats.h"

/* Requests in flight to one host. Browsers use six connections to a host; over HTTP/2 ours share one. */
#define REGISTRY_IN_FLIGHT 8

/* What may be sent within this time waits for it; what may not is refused, and its owner knows better what to do
 * meanwhile than to hold on to it. */
#define REGISTRY_LONGEST_WAIT_MS 5000

/* Something that wants to send one request. `start` is called when it may; it then holds one of the host's
 * places until registry_host_answered or registry_host_leave. `refuse` is called instead when nothing may be sent for now. */
struct registry_job {
    struct registry_job *next;
    enum registry_kind kind;
    bool is_head;
    struct rate_quota *quota; /* of its log-in; registry_host_quota */
    int64_t sent_ms;          /* set by registry_job_send */
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
    struct strmap quotas; /* by log-in -> struct rate_quota */
    size_t in_flight;
    int64_t blocked_until_ms; /* it told us to stay away, or refused; monotonic */
    unsigned refusals;        /* bursts of 429 without a success between them */
    struct registry_job *first, *last;
    struct registry_host_stats stats; /* the counters; the rest is filled in for a visit */

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
/* Gives back a place, and its part of the budget, without having sent anything. */
void registry_host_leave(struct registry_host *host);

/* Starts what may start now. The milliseconds until more may, or -1 where that waits for an answer. */
int64_t registry_host_dispatch(struct registry_host *host, int64_t now_ms);

/* After an answer: there may be room for more. */
void registry_host_resume(struct registry_host *host);

/* Refuses everything that waits. */
void registry_host_refuse_all(struct registry_host *host, const struct error *err);

/* What a log-in (credential_identity) may still have; lives as long as the host. */
struct rate_quota *registry_host_quota(struct registry_host *host, const char *identity, int64_t now_ms);

/* The job's request goes out. */
void registry_job_send(struct registry_job *job, int64_t now_ms);

/*
 * The job's request ended: with a response, or NULL. Gives its place back, counts it, and learns what the host can
 * bear: a 429 halves the rate and keeps everything back for as long as Retry-After says, or for a second that
 * doubles with each further burst of them, whichever is longer; any other answer with a Retry-After but a success
 * (503) keeps back, too.
 */
void registry_host_answered(struct registry_host *host, struct registry_job *job,
                            struct http_response *response, int64_t now_ms, int64_t wall_ms);

/* The numbers as they are now, in stats that borrow from the host. */
struct registry_host_stats registry_host_stats_now(const struct registry_host *host, int64_t now_ms,
                                                   int64_t wall_ms);

#endif
