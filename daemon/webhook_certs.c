#include "daemon/webhook_certs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/limits.h"
#include "base/log.h"

#define LIFE_MS    3600000
#define LEAST_MS   60000
#define RETRY_MS   10000
#define TIMEOUT_MS 4000 /* the program's end waits for it */

struct webhook_certs {
    pthread_t thread;
    pthread_mutex_t lock; /* all below but the client, which is the thread's (waking it apart) */
    struct http_client *client;
    const char *url;
    const struct clock *clock;
    char *keys;
    int64_t next_ms, fetched_ms;
    bool stopping, is_failing;
};

static void release_response(struct http_response *response)
{
    http_response_release(response);
}

static char *fetch(struct webhook_certs *certs, struct error *err)
{
    CLEANUP(release_response) struct http_response response = HTTP_RESPONSE_INIT;
    const struct http_request request = {
        .url = certs->url, .max_body = LIMIT_TOKEN_BYTES, .timeout_ms = TIMEOUT_MS};
    if (http_perform(certs->client, &request, &response, err) < 0)
        return NULL;
    if (response.status != 200) {
        error_set(err, ERROR_NETWORK, "%s answers with status %d", certs->url, response.status);
        return NULL;
    }
    return strbuf_detach(&response.body, NULL);
}

static void take(struct webhook_certs *certs, char *keys, const struct error *err)
{
    pthread_mutex_lock(&certs->lock);
    int64_t now = clock_monotonic_ms(certs->clock);
    bool is_news = !keys && !certs->is_failing;
    certs->is_failing = !keys;
    certs->next_ms = now + (keys ? LIFE_MS : RETRY_MS);
    if (keys) {
        free(certs->keys);
        certs->keys = keys;
        certs->fetched_ms = now;
    }
    pthread_mutex_unlock(&certs->lock);
    if (is_news)
        log_event(LOG_WARN, "hook", "event", "no-keys", "err", err->text, NULL);
}

static void *run(void *argument)
{
    struct webhook_certs *certs = argument;
    for (;;) {
        pthread_mutex_lock(&certs->lock);
        bool stopping = certs->stopping;
        int64_t wait_ms = certs->next_ms - clock_monotonic_ms(certs->clock);
        pthread_mutex_unlock(&certs->lock);
        if (stopping)
            return NULL;
        if (wait_ms > 0) {
            http_client_sleep(certs->client, wait_ms);
            continue;
        }
        struct error err = ERROR_INIT;
        char *keys = fetch(certs, &err);
        take(certs, keys, &err);
    }
}

struct webhook_certs *webhook_certs_new(const char *url, const struct clock *clock)
{
    struct webhook_certs *certs = xcalloc(1, sizeof(*certs));
    pthread_mutex_init(&certs->lock, NULL);
    certs->client = http_client_new(&(struct http_client_options){0});
    certs->url = url;
    certs->clock = clock;
    if (pthread_create(&certs->thread, NULL, run, certs) != 0)
        abort(); /* as for memory: there is nothing to go on with */
    return certs;
}

void webhook_certs_free(struct webhook_certs *certs)
{
    if (!certs)
        return;
    pthread_mutex_lock(&certs->lock);
    certs->stopping = true;
    pthread_mutex_unlock(&certs->lock);
    http_client_wake(certs->client);
    pthread_join(certs->thread, NULL);
    http_client_free(certs->client);
    pthread_mutex_destroy(&certs->lock);
    free(certs->keys);
    free(certs);
}

char *webhook_certs_get(struct webhook_certs *certs)
{
    pthread_mutex_lock(&certs->lock);
    char *keys = xstrdup(certs->keys);
    pthread_mutex_unlock(&certs->lock);
    return keys;
}

void webhook_certs_refresh(struct webhook_certs *certs)
{
    pthread_mutex_lock(&certs->lock);
    int64_t soonest = certs->fetched_ms + LEAST_MS;
    bool is_sooner = certs->keys && soonest < certs->next_ms;
    if (is_sooner)
        certs->next_ms = soonest;
    pthread_mutex_unlock(&certs->lock);
    if (is_sooner)
        http_client_wake(certs->client);
}
