/*
 * Requests to one API server: several in flight, repeated where the server asks for patience, with
 * credentials that are renewed when it no longer takes them.
 *
 * - At most KUBE_WINDOW requests run at once (measured: twice the throughput of one at a time, and little
 *   more beyond). There is no rate limit of ours; the server has its own, and 429 halves the window.
 * - An answer that means "not now" (kube_status.h: KUBE_RETRY) is tried KUBE_ATTEMPTS times in all, after
 *   0.5, 1 and 2 seconds or what Retry-After says, at most KUBE_MAX_DELAY_MS each. A request that waits holds
 *   no place in the window, so many that wait take no longer than one. All requests must therefore be
 *   idempotent; GET and server-side apply are.
 * - A 401 stops new requests, lets those in flight end, renews the credentials once and goes on.
 * - What spoils more than one request (no connection, TLS, a second 401) ends the run with one error.
 *
 * A client belongs to one thread. Replies are given to `done` from within kube_client_run, which may send
 * more.
 */
#ifndef DEPLOY_KUBE_CLIENT_H
#define DEPLOY_KUBE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "deploy/kube_access.h"
#include "deploy/kube_status.h"

#define KUBE_WINDOW       8u
#define KUBE_ATTEMPTS     4u
#define KUBE_MAX_DELAY_MS 10000

struct kube_client;

struct kube_client_options {
    const struct kube_access *access; /* borrowed; must outlive the client */
    const struct clock *clock;        /* borrowed likewise */
    int64_t timeout_ms;               /* of one request; 0: that of base/http.h */
    int64_t retry_delay_ms;           /* before the second attempt, doubled each time; 0: 500 */
};
struct kube_client *kube_client_new(const struct kube_client_options *options);
void kube_client_free(struct kube_client *client); /* NULL does nothing; nothing may be in flight */

/* To be called before a series of requests: reads credentials that live in files anew, and forgets what
 * earlier failures taught about the server. */
int kube_client_begin(struct kube_client *client, struct error *err) MUST_CHECK;

#define KUBE_JSON          "application/json"
#define KUBE_METADATA      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define KUBE_METADATA_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
/* Despite its name it takes JSON, which is YAML, and which servers parse faster. */
#define KUBE_APPLY_PATCH "application/apply-patch+yaml"

struct kube_request {
    const char *method; /* NULL: GET */
    bool is_secret;     /* the answer's bytes are wiped once they are read; the tree is for `done` to wipe */
    const char *path;   /* with its query, percent-encoded; copied */
    const char *accept; /* NULL: KUBE_JSON; must be a literal */
    const char *content_type; /* with a body; must be a literal */
    json_t *body; /* a reference is kept until the reply; not to be changed meanwhile; NULL: none */
};

struct kube_reply {
    struct kube_status status; /* code and verdict of any answer, text of a refusal */
    json_t *body;              /* of a 2xx answer, never NULL then; `done` may steal it */
    char *warnings;            /* NULL: none; likewise */
    struct error error; /* not ERROR_NONE: the answer was no JSON or too large; then the rest is empty */
};
void kube_reply_release(struct kube_reply *reply);
/* Why it is no success, in one line for people; free() it. */
char *kube_reply_text(const struct kube_reply *reply, bool is_secret) MUST_CHECK;

typedef void (*kube_done)(struct kube_reply *reply, void *context);

/* Queues a request. `done` is called once, unless the run fails. */
void kube_client_send(struct kube_client *client, const struct kube_request *request, kube_done done,
                      void *context);
/* Runs until all that was sent has been answered. -1: the server cannot be worked with; requests without
 * an answer are dropped (of some it is not known whether they were done). */
int kube_client_run(struct kube_client *client, struct error *err) MUST_CHECK;

/* One request, waited for, when no others are queued. -1 as kube_client_run; else release the reply. */
int kube_client_perform(struct kube_client *client, const struct kube_request *request,
                        struct kube_reply *reply, struct error *err) MUST_CHECK;

/* Waits, while nothing is in flight. */
void kube_client_sleep(int64_t delay_ms);

#endif
