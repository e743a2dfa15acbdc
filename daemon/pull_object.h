/*
 * One Secret or service account of the cluster, as it was last read: what daemon/pull_secrets.c keeps. State and its
 * reading alone: no network, no time.
 *
 * A Secret counts with type kubernetes.io/dockerconfigjson (key .dockerconfigjson) or kubernetes.io/dockercfg (key
 * .dockercfg): the two that the kubelet takes. One of type Opaque or kubernetes.io/basic-auth with username and password, as
 * Flux 2 takes for Helm repositories, counts for whoever asks with pull_object_basic. What is in one is wiped when it is dropped.
 */
#ifndef DAEMON_PULL_OBJECT_H
#define DAEMON_PULL_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deploy/kube_client.h"
#include "model/manifest.h"
#include "scanner/credentials.h"

enum pull_object_kind { PULL_SECRET, PULL_ACCOUNT };

struct pull_object {
    enum pull_object_kind kind;
    char *name;  /* "namespace/name" */
    char *space; /* the namespace */
    char *path;  /* to GET it */
    /* As last read; of a Secret the credentials, of an account the names of its Secrets. */
    char *version, *uid;
    struct credentials *credentials; /* NULL: none that count */
    char *username, *password;       /* of a Secret with those keys; NULL: it has none */
    struct strvec secrets;
    char *problem;       /* why it cannot be used, in words that hold nothing of it; NULL: it can */
    char *entry_problem; /* why one of its entries cannot; NULL: none was tried that cannot */
    /* The keeper's: monotonic milliseconds, 0: never. */
    int64_t asked_ms, good_ms;
    bool is_refused;             /* a registry refused what it gave */
    bool is_used;                /* in this round */
    const struct resource *user; /* the first of this round; borrowed from it */
};

struct pull_object *pull_object_new(enum pull_object_kind kind, const char *space, const char *name)
    MUST_CHECK;
void pull_object_free(void *pointer); /* a struct pull_object, for a map */

/* Takes in what the API server answered, at `now_ms`. An answer that says no (it is not there, it is forbidden, it is
 * no pull secret) replaces what was known; one that says nothing leaves that in its place. The reply's body is
 * wiped. */
void pull_object_take(struct pull_object *object, struct kube_reply *reply, int64_t now_ms);
/* Forgets what was read. */
void pull_object_drop(struct pull_object *object);

/* How much of a repository's name the Secret covers, with *out borrowed from it; 0: it says nothing of it, or nothing
 * that can be used (then entry_problem says why). */
size_t pull_object_covers(struct pull_object *object, const char *repository, struct credential *out);

/* The user name and password of a Secret that says nothing of where they are good: 1 with *out borrowed from it, or 0. */
size_t pull_object_basic(const struct pull_object *object, struct credential *out);

#endif
