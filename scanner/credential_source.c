/*
 * A lookup is what must be got for one host. While its thread runs, `work` belongs to the thread, and all else of it
 * to the source's owner; that it ended is told by the list of the ended, under the lock.
 */
#include "scanner/credential_source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "scanner/credential_grant.h"
#include "scanner/credential_helper.h"
#include "scanner/provider.h"

/* What `docker login` calls Docker Hub, and so what its helpers know it by. */
#define HUB_HOST   "index.docker.io"
#define HUB_SERVER "https://index.docker.io/v1/"

struct waiter {
    struct waiter *next;
    credential_done done;
    void *context;
};

struct work {
    char *helper, *server;           /* who is asked first, for what; NULL: nobody */
    const struct provider *provider; /* who is asked if that gives nothing; NULL: nobody */
    char *host;
    struct credential_grant grant;
    struct error error;
};

struct lookup {
    struct lookup *next; /* in one of the source's lists */
    struct credential_source *source;
    pthread_t thread;
    struct work work;
    bool is_under_way;
    struct credential_grant grant; /* what came of it */
    struct error error;            /* or why nothing did */
    int64_t good_until_ms;         /* monotonic: then it is asked for again; 0: never got */
    int64_t got_ms, ends_ms;       /* of the grant, which is of no use after its end */
    struct waiter *waiters;
};

struct credential_source {
    struct credential_source_options options;
    struct strmap lookups; /* who is asked for what -> struct lookup */
    struct lookup *queue;
    size_t running;
    pthread_mutex_t lock;
    struct lookup *ended; /* under the lock */
};

static void free_lookup(void *pointer)
{
    struct lookup *lookup = pointer;
    free(lookup->work.helper);
    free(lookup->work.server);
    free(lookup->work.host);
    credential_grant_release(&lookup->work.grant);
    credential_grant_release(&lookup->grant);
    free(lookup);
}

struct credential_source *credential_source_new(const struct credential_source_options *options)
{
    struct credential_source *source = xcalloc(1, sizeof(*source));
    source->options = *options;
    strmap_init(&source->lookups, free_lookup);
    pthread_mutex_init(&source->lock, NULL);
    return source;
}

void credential_source_replace(struct credential_source *source, const struct credentials *credentials)
{
    source->options.credentials = credentials;
}

/* -- the lookup's thread --------------------------------------------------------------------------------- */

static int get(struct work *work, struct error *err)
{
    if (work->helper && credential_helper_get(work->helper, work->server, CREDENTIAL_HELPER_TIMEOUT_MS,
                                              &work->grant, err) < 0)
        return -1;
    if (work->provider && credential_grant_is_empty(&work->grant))
        return provider_get(work->provider, work->host, &work->grant, err);
    return 0;
}

static void *run(void *argument)
{
    struct lookup *lookup = argument;
    struct credential_source *source = lookup->source;
    error_clear(&lookup->work.error);
    if (get(&lookup->work, &lookup->work.error) == 0)
        error_clear(&lookup->work.error);
    pthread_mutex_lock(&source->lock);
    lookup->next = source->ended;
    source->ended = lookup;
    pthread_mutex_unlock(&source->lock);
    source->options.wake(source->options.context);
    return NULL;
}

/* -- the owner's side ------------------------------------------------------------------------------------ */

static void start_queued(struct credential_source *source)
{
    while (source->queue && source->running < CREDENTIAL_THREADS) {
        struct lookup *lookup = source->queue;
        source->queue = lookup->next;
        source->running++;
        if (pthread_create(&lookup->thread, NULL, run, lookup) != 0)
            abort(); /* as for memory: there is nothing to go on with */
    }
}

static void keep_failure(struct lookup *lookup, int64_t now_ms)
{
    bool is_usable = !credential_grant_is_empty(&lookup->grant) && now_ms < lookup->ends_ms;
    int64_t pause_ms = lookup->work.provider ? CREDENTIAL_PROVIDER_EMBARGO_MS : CREDENTIAL_EMBARGO_MS;
    credential_grant_release(&lookup->work.grant);
    lookup->good_until_ms = now_ms + pause_ms;
    if (is_usable && lookup->ends_ms < lookup->good_until_ms)
        lookup->good_until_ms = lookup->ends_ms;
    if (is_usable)
        return;
    credential_grant_release(&lookup->grant);
    lookup->error = lookup->work.error;
}

static void keep(struct lookup *lookup)
{
    int64_t now_ms = clock_monotonic_ms(lookup->source->options.clock);
    if (lookup->work.error.code != ERROR_NONE) {
        keep_failure(lookup, now_ms);
        return;
    }
    credential_grant_release(&lookup->grant);
    lookup->grant = lookup->work.grant;
    lookup->work.grant = (struct credential_grant)CREDENTIAL_GRANT_INIT;
    error_clear(&lookup->error);
    bool has_end = lookup->grant.lifetime_ms && !credential_grant_is_empty(&lookup->grant);
    lookup->got_ms = now_ms;
    lookup->ends_ms = now_ms + (has_end ? lookup->grant.lifetime_ms : CREDENTIAL_KEEP_MS);
    lookup->good_until_ms = has_end ? lookup->ends_ms - lookup->grant.lifetime_ms / 4 : lookup->ends_ms;
}

static void tell(const struct lookup *lookup, credential_done done, void *context)
{
    const struct credential credential = credential_grant_view(&lookup->grant);
    if (lookup->error.code != ERROR_NONE)
        done(NULL, &lookup->error, context);
    else
        done(&credential, NULL, context);
}

static void tell_waiters(struct lookup *lookup)
{
    struct waiter *waiter = steal(&lookup->waiters);
    while (waiter) {
        struct waiter *next = waiter->next;
        tell(lookup, waiter->done, waiter->context);
        free(waiter);
        waiter = next;
    }
}

static struct lookup *take_ended(struct credential_source *source)
{
    pthread_mutex_lock(&source->lock);
    struct lookup *ended = steal(&source->ended);
    pthread_mutex_unlock(&source->lock);
    return ended;
}

void credential_source_collect(struct credential_source *source)
{
    struct lookup *lookup = take_ended(source);
    while (lookup) {
        struct lookup *next = lookup->next;
        pthread_join(lookup->thread, NULL);
        source->running--;
        lookup->is_under_way = false;
        keep(lookup);
        tell_waiters(lookup);
        lookup = next;
    }
    start_queued(source);
}

static struct lookup *find_lookup(struct credential_source *source, const char *host,
                                  const struct credential_choice *choice, const struct provider *provider)
{
    const char *server = choice->server ? choice->server : strcmp(host, HUB_HOST) != 0 ? host : HUB_SERVER;
    AUTO_FREE char *key =
        xasprintf("%s %s %s", choice->helper ? choice->helper : "", server, provider ? host : "");
    struct lookup *lookup = strmap_get(&source->lookups, key);
    if (lookup)
        return lookup;
    lookup = xcalloc(1, sizeof(*lookup));
    lookup->source = source;
    lookup->work.helper = xstrdup(choice->helper);
    lookup->work.server = xstrdup(server);
    lookup->work.host = xstrdup(host);
    lookup->work.provider = provider;
    strmap_set(&source->lookups, key, lookup);
    return lookup;
}

/* 0 with what must be got for the repository, or with NULL and what is written; -1: the file's entry is of no use. */
static int find_for(struct credential_source *source, const char *repository, struct lookup **lookup,
                    struct credential *written, struct error *err)
{
    struct credential_choice choice;
    if (credentials_for(source->options.credentials, repository, &choice, err) < 0)
        return -1;
    AUTO_FREE char *host = xmemdupz(repository, strcspn(repository, "/"));
    bool is_written = choice.is_listed && !choice.helper;
    const struct provider *provider = is_written ? NULL : provider_of(host);
    *written = choice.credential;
    *lookup = choice.helper || provider ? find_lookup(source, host, &choice, provider) : NULL;
    return 0;
}

static void wait_for(struct lookup *lookup, credential_done done, void *context)
{
    struct waiter *waiter = xcalloc(1, sizeof(*waiter));
    *waiter = (struct waiter){.next = lookup->waiters, .done = done, .context = context};
    lookup->waiters = waiter;
    if (lookup->is_under_way)
        return;
    struct credential_source *source = lookup->source;
    struct lookup **last = &source->queue;
    while (*last)
        last = &(*last)->next;
    lookup->next = NULL;
    lookup->is_under_way = true;
    *last = lookup;
    start_queued(source);
}

void credential_source_want(struct credential_source *source, const char *repository, credential_done done,
                            void *context)
{
    struct lookup *lookup;
    struct credential written;
    struct error err = ERROR_INIT;
    if (find_for(source, repository, &lookup, &written, &err) < 0)
        done(NULL, &err, context);
    else if (!lookup)
        done(&written, NULL, context);
    else if (!lookup->is_under_way && clock_monotonic_ms(source->options.clock) < lookup->good_until_ms)
        tell(lookup, done, context);
    else
        wait_for(lookup, done, context);
}

void credential_source_refused(struct credential_source *source, const char *repository)
{
    struct lookup *lookup;
    struct credential written;
    if (find_for(source, repository, &lookup, &written, NULL) < 0 || !lookup)
        return;
    bool is_new = clock_monotonic_ms(source->options.clock) - lookup->got_ms < CREDENTIAL_EMBARGO_MS;
    if (!is_new && lookup->error.code == ERROR_NONE)
        lookup->good_until_ms = 0;
}

void credential_source_cancel(struct credential_source *source)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_CANCELLED, "the scan was ended early");
    const char *key;
    void *value;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    while (strmap_next(&source->lookups, &cursor, &key, &value)) {
        struct lookup *lookup = value;
        struct waiter *waiter = steal(&lookup->waiters);
        while (waiter) {
            struct waiter *next = waiter->next;
            waiter->done(NULL, &err, waiter->context);
            free(waiter);
            waiter = next;
        }
    }
}

void credential_source_free(struct credential_source *source)
{
    if (!source)
        return;
    const char *key;
    void *value;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    for (struct lookup *queued = source->queue; queued; queued = queued->next)
        queued->is_under_way = false;
    while (strmap_next(&source->lookups, &cursor, &key, &value)) {
        if (((struct lookup *)value)->is_under_way)
            pthread_join(((struct lookup *)value)->thread, NULL);
    }
    strmap_release(&source->lookups);
    pthread_mutex_destroy(&source->lock);
    free(source);
}
