#include "updater/policy_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/policy_key.h"

#define OWN  "pawl.dev/"
#define FLUX "fluxcd.io/"

/* Flux v1's own; "tag." stands for all that begin so. */
static const char *const flux_policies[] = {"automated",   "locked",     "ignore",
                                            "locked_user", "locked_msg", "tag."};

void policy_changes_set(struct policy_changes *changes, const char *policy, const char *value)
{
    for (size_t i = 0; i < changes->len; i++) {
        if (strcmp(changes->items[i].policy, policy) != 0)
            continue;
        free(changes->items[i].value);
        changes->items[i].value = xstrdup(value);
        return;
    }
    vec_grow(changes->items, changes->len, changes->capacity);
    changes->items[changes->len++] =
        (struct policy_change){.policy = xstrdup(policy), .value = xstrdup(value)};
}

const struct policy_change *policy_changes_find(const struct policy_changes *changes, const char *policy)
{
    for (size_t i = 0; i < changes->len; i++) {
        if (!strcmp(changes->items[i].policy, policy))
            return &changes->items[i];
    }
    return NULL;
}

void policy_changes_release(struct policy_changes *changes)
{
    for (size_t i = 0; i < changes->len; i++) {
        free(changes->items[i].policy);
        free(changes->items[i].value);
    }
    free(changes->items);
    *changes = (struct policy_changes){.items = NULL};
}

/* Whether the annotation is that policy, and with which rank. */
static bool is_policy(const char *annotation, const char *policy, size_t *rank)
{
    CLEANUP(policy_key_release) struct policy_key key = {.policy = NULL};
    *rank = 0;
    if (policy_key_parse(annotation, &key)) {
        *rank = key.rank;
        return !strcmp(key.policy, policy);
    }
    return str_starts_with(annotation, OWN) && !strcmp(annotation + strlen(OWN), policy);
}

/* The key that counts, or NULL. */
static const char *find_key(const struct resource *resource, const char *policy)
{
    const char *best = NULL;
    size_t best_rank = 0;
    for (size_t i = 0; i < resource->annotations_len; i++) {
        const char *key = resource->annotations[i].key;
        size_t rank = 0;
        if (!is_policy(key, policy, &rank) || (best && rank >= best_rank))
            continue;
        best = key;
        best_rank = rank;
    }
    return best;
}

static char *new_key(const char *policy)
{
    for (size_t i = 0; i < ARRAY_LEN(flux_policies); i++) {
        const char *name = flux_policies[i];
        if (str_ends_with(name, ".") ? str_starts_with(policy, name) : !strcmp(policy, name))
            return xasprintf(FLUX "%s", policy);
    }
    return xasprintf(OWN "%s", policy);
}

struct annotation_changes {
    struct annotation_change *items;
    size_t len, capacity;
    struct strvec made; /* keys that the changes borrow */
};

static void release_changes(struct annotation_changes *changes)
{
    free(changes->items);
    strvec_release(&changes->made);
}

static void add(struct annotation_changes *changes, const char *key, const char *value)
{
    vec_grow(changes->items, changes->len, changes->capacity);
    changes->items[changes->len++] = (struct annotation_change){.key = key, .value = value};
}

static void add_policy(struct annotation_changes *changes, const struct resource *resource,
                       const struct policy_change *change)
{
    if (change->value) {
        const char *key = find_key(resource, change->policy);
        if (!key) {
            strvec_push_owned(&changes->made, new_key(change->policy));
            key = changes->made.items[changes->made.len - 1];
        }
        add(changes, key, change->value);
        return;
    }
    for (size_t i = 0; i < resource->annotations_len; i++) {
        size_t rank = 0;
        if (is_policy(resource->annotations[i].key, change->policy, &rank))
            add(changes, resource->annotations[i].key, NULL);
    }
}

int policy_edit(const struct resource *resource, const struct policy_changes *changes, struct strbuf *out,
                struct error *err)
{
    CLEANUP(release_changes) struct annotation_changes all = {.made = STRVEC_INIT};
    for (size_t i = 0; i < changes->len; i++)
        add_policy(&all, resource, &changes->items[i]);
    return annotation_edit(resource, all.items, all.len, out, err);
}
