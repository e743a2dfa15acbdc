/*
 * Who tells of pushes, and how each says it: one row per sender in daemon/webhook.c, one function per body.
 *
 *     /hook/SOURCE/KEY      SOURCE is a row's name; KEY is from --hook-key-file (daemon/webhook_keys.h)
 *
 * The key in the URL is always asked for. Senders that sign what they send, or that send a token, must do that
 * too: then a URL that was seen in some log is not enough to be believed.
 *
 * A body is a hint and no more: what it names is looked up in the registry before anything is decided.
 */
#ifndef DAEMON_WEBHOOK_H
#define DAEMON_WEBHOOK_H

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/* One tag that was pushed. The repository is normalised: "host/path", or "/path" where the sender does not name its
 * host. */
struct pushed_image {
    char *repository, *tag;
};

struct push_list {
    struct pushed_image *items;
    size_t len, capacity;
};
#define PUSH_LIST_INIT                                                                                       \
    {                                                                                                        \
        .items = NULL, .len = 0, .capacity = 0                                                               \
    }
void push_list_release(struct push_list *list);
/* Adds copies, as long as there are not more than LIMIT_HOOK_IMAGES. */
void push_list_add_all(struct push_list *list, const struct push_list *more);

enum webhook_proof {
    WEBHOOK_KEY,       /* the key in the URL */
    WEBHOOK_SIGNATURE, /* `header` is "sha256=" and the HMAC of the body in hexadecimal */
    WEBHOOK_NEXUS, /* `header` is the HMAC-SHA1 of the body in hexadecimal; it may be missing where the key has no
                          secret beside it, as Nexus signs only when it was given one */
    WEBHOOK_SECRET, /* `header` is the secret */
    WEBHOOK_GOOGLE, /* Authorization is an OpenID token of Google's (daemon/webhook_token.h) */
};

struct webhook_sender {
    const char *name; /* in the URL */
    enum webhook_proof proof;
    const char *header; /* NULL: none */
    /* Adds what was pushed. Whatever it does not understand tells of no push. */
    void (*read)(const json_t *body, struct push_list *out);
};
/* Ended by a row without a name. */
extern const struct webhook_sender webhook_senders[];
const struct webhook_sender *webhook_sender_find(const char *name); /* NULL if there is none */

/* ERROR_INVALID for what is no JSON, ERROR_TOO_LARGE for more depth or images than the limits. A body of another
 * kind (a ping, a deletion) is none: it gives an empty list. */
int webhook_read(const struct webhook_sender *sender, const char *body, size_t len, struct push_list *out,
                 struct error *err) MUST_CHECK;

/* -- for the rows ------------------------------------------------------------------------------------------ */

/* "host/path:tag"; names without a host are Docker Hub's. What is no such name, or has no tag, is left out, and so
 * are the tags of signing tools (scanner/tag_list.h). */
void push_list_add(struct push_list *list, const char *image);
/* The parts of it; NULL parts: left out. `host` NULL: any host. */
void push_list_add_parts(struct push_list *list, const char *host, const char *path, const char *tag);

#endif
