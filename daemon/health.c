#include "daemon/health.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

struct watched {
    const char *name;
    atomic_llong began_ms; /* 0: no round is running */
    atomic_bool was_fetched;
};

struct health {
    const struct clock *clock;
    atomic_llong beat_ms;
    size_t len;
    struct watched repositories[];
};

static long long now_ms(const struct health *health)
{
    return clock_monotonic_ms(health->clock);
}

struct health *health_new(const char *const *names, size_t len, const struct clock *clock)
{
    struct health *health = xcalloc(1, sizeof(*health) + len * sizeof(struct watched));
    health->clock = clock;
    health->len = len;
    for (size_t i = 0; i < len; i++)
        health->repositories[i].name = names[i];
    health_scanner_beats(health);
    return health;
}

void health_free(struct health *health)
{
    free(health);
}

void health_round_begins(struct health *health, size_t repository)
{
    atomic_store(&health->repositories[repository].began_ms, now_ms(health));
}

void health_round_ends(struct health *health, size_t repository, bool was_fetched)
{
    struct watched *watched = &health->repositories[repository];
    atomic_store(&watched->began_ms, 0);
    if (was_fetched)
        atomic_store(&watched->was_fetched, true);
}

void health_scanner_beats(struct health *health)
{
    atomic_store(&health->beat_ms, now_ms(health));
}

bool health_is_alive(struct health *health, struct strbuf *out)
{
    long long now = now_ms(health), silent = now - atomic_load(&health->beat_ms);
    if (silent > HEALTH_SCANNER_MS) {
        strbuf_addf(out, "the scanner's thread has been stuck for %lld s\n", silent / 1000);
        return false;
    }
    for (size_t i = 0; i < health->len; i++) {
        long long began = atomic_load(&health->repositories[i].began_ms);
        if (began && now - began > HEALTH_ROUND_MS) {
            strbuf_addf(out, "the round of %s has been running for %lld s\n", health->repositories[i].name,
                        (now - began) / 1000);
            return false;
        }
    }
    strbuf_addstr(out, "ok\n");
    return true;
}

bool health_is_ready(struct health *health, struct strbuf *out)
{
    for (size_t i = 0; i < health->len; i++) {
        if (!atomic_load(&health->repositories[i].was_fetched)) {
            strbuf_addf(out, "%s has not been fetched yet\n", health->repositories[i].name);
            return false;
        }
    }
    strbuf_addstr(out, "ok\n");
    return true;
}
