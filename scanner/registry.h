/*
 * Registries as the scanner asks them: one question, one answer, with all that lies between taken care of:
 * the host's rate and places, http or https, the log-in that the registry asks for, and errors in words.
 *
 * Log-in: a challenge is answered with basic credentials, or with a token from the realm that it names.
 * Tokens are kept and used again until shortly before they expire; one that is refused is replaced once.
 * Credentials go to the registry itself and to its realm, and to that only if it is https, or on the
 * registry's own host if that is spoken to over http or without a checked certificate: an answer that could
 * be forged sends no secret anywhere else.
 *
 * One thread. Questions and answers run inside registry_run.
 */
#ifndef SCANNER_REGISTRY_H
#define SCANNER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http.h"
#include "base/strbuf.h"
#include "scanner/credential.h"
#include "scanner/registry_stats.h"

struct registry;

struct registry_options {
    const struct clock *clock;           /* borrowed, as the next */
    const struct strvec *insecure_hosts; /* NULL: none */
    double rps, burst;                   /* per host */
    int64_t timeout_ms;                  /* of one request */
    http_observer observer;              /* told of each request and its end; NULL: nobody is */
};

struct registry *registry_new(const struct registry_options *options);
/* No question may be open: registry_cancel first. */
void registry_free(struct registry *registry);

struct registry_question {
    const char *repository;              /* "host/path"; borrowed until the answer */
    const struct credential *credential; /* borrowed until the answer */
    enum registry_kind kind;             /* what is asked for */
    const char *method;                  /* NULL: GET */
    const char *target;                  /* "/v2/path/tags/list?n=1000"; copied */
    const char *accept;                  /* NULL: anything; borrowed until the answer */
    const char *if_none_match;           /* an ETag; NULL: none; borrowed until the answer */
    const char *if_modified_since;       /* a date of HTTP's, where there is no ETag; the same */
    size_t max_body;
    unsigned *requests; /* counts what was sent for it; borrowed until the answer */
};

/* Called once: with a response of status 2xx (or 304, to a question with one of the two), or with an error:
 *   ERROR_UNAUTHORIZED, ERROR_FORBIDDEN, ERROR_NOT_FOUND, ERROR_RATE_LIMITED (the host refused, or is left alone for
 * longer than a question is kept waiting, or a quota that it told of has no room for this one), ERROR_CANCELLED, those of
 * base/http.h, ERROR_UNSUPPORTED for 501, ERROR_NETWORK for another status of 500 and up, ERROR_INVALID for any other. It may
 * ask further questions. */
typedef void (*registry_answer)(struct http_response *response, const struct error *err, void *context);
void registry_ask(struct registry *registry, const struct registry_question *question, registry_answer answer,
                  void *context);

/* Whether GETs of manifests are known to use up a quota of the host (rate_quota.h) with this log-in. Then a HEAD,
 * which does not, is worth its round trip. */
bool registry_counts_manifests(struct registry *registry, const char *repository,
                               const struct credential *credential);

/* Shows the numbers of each host that was asked something. On the scanner's thread. */
void registry_visit_stats(struct registry *registry, registry_stats_visit visit, void *context);

/* Works on the questions for at most `timeout_ms` (-1: no limit), or waits as long if there are none; returns early when some
 * were answered, or after registry_wake. */
void registry_run(struct registry *registry, int64_t timeout_ms);

/* Makes registry_run return soon; the one function that another thread may call. */
void registry_wake(struct registry *registry);

/* Answers all open questions, and those that their answers ask, with ERROR_CANCELLED. */
void registry_cancel(struct registry *registry);

#endif
