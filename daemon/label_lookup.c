#include "daemon/label_lookup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/strmap.h"

struct tag_labels {
    struct label_lookup *lookup;
    size_t item;
    char *tag, *digest; /* the digest NULL: any */
    struct repository_info *known;
    char *labels; /* JSON; NULL: not known */
};

struct label_lookup {
    int references; /* atomic */
    struct demand_set *demands;
    struct strmap places; /* "ITEM TAG DIGEST" -> 1 + index */
    struct tag_labels **tags;
    size_t len, capacity;

    pthread_mutex_t lock; /* for what follows, and the labels */
    pthread_cond_t changed;
    size_t open; /* not answered; `len` until it is started */
};

struct label_lookup *label_lookup_new(struct demand_set *demands)
{
    struct label_lookup *lookup = xcalloc(1, sizeof(*lookup));
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    lookup->references = 1;
    lookup->demands = demand_set_ref(demands);
    strmap_init(&lookup->places, free);
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_cond_init(&lookup->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return lookup;
}

struct label_lookup *label_lookup_ref(struct label_lookup *lookup)
{
    __atomic_add_fetch(&lookup->references, 1, __ATOMIC_RELAXED);
    return lookup;
}

void label_lookup_unref(struct label_lookup *lookup)
{
    if (!lookup || __atomic_sub_fetch(&lookup->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < lookup->len; i++) {
        struct tag_labels *each = lookup->tags[i];
        free(each->tag);
        free(each->digest);
        free(each->labels);
        repository_info_unref(each->known);
        free(each);
    }
    free(lookup->tags);
    strmap_release(&lookup->places);
    demand_set_unref(lookup->demands);
    pthread_cond_destroy(&lookup->changed);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

void label_lookup_release(struct label_lookup **lookup)
{
    label_lookup_unref(*lookup);
    *lookup = NULL;
}

/* A snapshot of that tag alone, which is no list of its repository. */
static struct repository_info *snapshot_of(const struct repository_demand *demand,
                                           const struct image_info *known, const char *tag)
{
    struct repository_info *info = repository_info_new(demand->repository);
    size_t index = repository_info_add(info, tag);
    if (known && known->details->digest)
        repository_info_copy_details(info, index, known->details);
    info->is_label_dated = demand->dates_by_labels;
    repository_info_finish(info);
    return info;
}

size_t label_lookup_add(struct label_lookup *lookup, size_t item, const struct image_info *known,
                        const char *tag, const char *digest)
{
    AUTO_FREE char *key = xasprintf("%zu %s %s", item, tag, digest ? digest : "");
    const size_t *place = strmap_get(&lookup->places, key);
    if (place)
        return *place;
    size_t *index = xmalloc(sizeof(*index));
    *index = lookup->len;
    strmap_set(&lookup->places, key, index);
    struct tag_labels *new = xcalloc(1, sizeof(*new));
    *new = (struct tag_labels){.lookup = lookup,
                               .item = item,
                               .tag = xstrdup(tag),
                               .digest = xstrdup(digest),
                               .known = snapshot_of(&lookup->demands->items[item], known, tag)};
    vec_grow(lookup->tags, lookup->len, lookup->capacity);
    lookup->tags[lookup->len++] = new;
    lookup->open++;
    return *index;
}

/* -- on the scanner's thread --------------------------------------------------------------------------------------- */

static unsigned want_labels(const char *tag UNUSED, void *context UNUSED)
{
    return DEMAND_LABELS;
}

static const char *labels_of(const struct tag_labels *tag, const struct scan_result *result)
{
    size_t at = result->info ? repository_info_find(result->info, tag->tag) : SIZE_MAX;
    if (at == SIZE_MAX)
        return NULL;
    const struct image_details *details = repository_info_details(result->info, at);
    bool is_other = tag->digest && details->digest && strcmp(tag->digest, details->digest) != 0;
    return is_other ? NULL : details->labels;
}

static void take(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    struct tag_labels *tag = context;
    struct label_lookup *lookup = tag->lookup;
    pthread_mutex_lock(&lookup->lock);
    tag->labels = xstrdup(labels_of(tag, result));
    lookup->open--;
    pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    label_lookup_unref(lookup);
}

void label_lookup_start(struct label_lookup *lookup, struct scanner *scanner)
{
    for (size_t i = 0; i < lookup->len; i++) {
        struct tag_labels *each = lookup->tags[i];
        CLEANUP(strvec_release) struct strvec tags = STRVEC_INIT;
        strvec_push(&tags, each->tag);
        struct demand demand = demand_of(&lookup->demands->items[each->item]);
        demand.wants = want_labels;
        demand.context = NULL;
        label_lookup_ref(lookup);
        scanner_submit_pushed(scanner, &demand, each->known, &tags, take, each);
    }
}

/* -- on the asker's ------------------------------------------------------------------------------------------------ */

bool label_lookup_is_done(struct label_lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    bool is_done = !lookup->open;
    pthread_mutex_unlock(&lookup->lock);
    return is_done;
}

void label_lookup_wait(struct label_lookup *lookup)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LABEL_LOOKUP_WAIT_MS / 1000;
    pthread_mutex_lock(&lookup->lock);
    while (lookup->open && pthread_cond_timedwait(&lookup->changed, &lookup->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&lookup->lock);
}

json_t *label_lookup_get(struct label_lookup *lookup, size_t index)
{
    pthread_mutex_lock(&lookup->lock);
    AUTO_FREE char *text = xstrdup(lookup->tags[index]->labels);
    pthread_mutex_unlock(&lookup->lock);
    json_t *labels = text ? json_read(text, strlen(text), NULL) : NULL;
    if (json_is_object(labels))
        return labels;
    json_decref(labels);
    return NULL;
}
