/*
 * What an API server's answer means: done, worth another try, or not.
 *
 * Most refusals come as a Status object, and the HTTP code says what sort it is; the traps are those that do
 * not. An unknown kind is a 404 in plain text. A field that the schema does not know is a *500* without a
 * reason, "failed to create typed patch object": a client that retries server errors would send such a typo
 * for ever. The table in kube_status.c decides; each row there is a case seen on a real server.
 */
#ifndef DEPLOY_KUBE_STATUS_H
#define DEPLOY_KUBE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"

enum kube_verdict {
    KUBE_DONE,         /* any 2xx */
    KUBE_RETRY,        /* the server's trouble of the moment: the same request may succeed soon */
    KUBE_UNAUTHORIZED, /* 401: it does not know us */
    KUBE_FORBIDDEN,    /* 403: it knows us and says no (a role, a quota, an admission plugin) */
    KUBE_UNKNOWN_KIND, /* 404 of no API object: the group, version or resource is not served */
    KUBE_NO_NAMESPACE, /* 404 of the namespace the object is in */
    KUBE_NOT_FOUND,    /* 404 of the object itself */
    KUBE_BAD_FIELDS,   /* the object does not fit its schema */
    KUBE_NO_APPLY,     /* an aggregated API server without server-side apply */
    KUBE_REFUSED,      /* all else: the same object will be refused again */
};

struct kube_status {
    int code; /* HTTP */
    enum kube_verdict verdict;
    json_t *body; /* the Status object; NULL if the answer is none */
    char *text;   /* the message for people, whatever form the answer had; at most
                                LIMIT_KUBE_MESSAGE_BYTES; never NULL */
};
#define KUBE_STATUS_INIT                                                                                     \
    {                                                                                                        \
        .code = 0, .verdict = KUBE_DONE, .body = NULL, .text = NULL                                          \
    }
void kube_status_release(struct kube_status *status);

/* Reads an answer that is not 2xx (or is: then only the verdict is set, and the text empty). `out` is
 * replaced. Any bytes are allowed. */
void kube_status_read(int http_code, const char *body, size_t len, struct kube_status *out);

/* The message as it may be shown for an object of this kind: servers quote values in messages, so for a
 * Secret only what cannot hold one is kept (the reason, and the fields it is about). free() it. */
char *kube_status_text(const struct kube_status *status, bool is_secret) MUST_CHECK;

/* All Warning headers of an answer (RFC 7234: `299 - "text"`), joined with "; ". `headers` are the raw
 * lines. NULL if there are none; free() it. */
char *kube_warnings(const char *headers) MUST_CHECK;

#endif
