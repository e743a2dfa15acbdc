#include "daemon/scan_pace.h"

#include <stdlib.h>

int64_t scan_pace_jitter(struct scan_pace *pace, int64_t ms)
{
    return ms * (900 + rand_r(&pace->random) % 201) / 1000;
}

/* A list is due when it is an interval old, whoever read it. A pawl that found another's answer in a shared cache lets
 * the other be first the next time too, so that they do not both ask. */
static int64_t until_due(struct scan_pace *pace, const struct scan_entry *entry, bool is_our_own)
{
    int64_t interval_ms = pace->interval_ms;
    if (is_our_own || !entry->info)
        return scan_pace_jitter(pace, interval_ms);
    int64_t age = clock_wall_ms(pace->clock) - entry->info->scanned_ms;
    int64_t due = scan_pace_jitter(pace, interval_ms) + interval_ms / 5;
    int64_t least = interval_ms / 10;
    int64_t pause = age > 0 ? due - age : due;
    return pause > least ? pause : least;
}

int64_t scan_pace_next(struct scan_pace *pace, const struct scan_entry *entry, bool is_our_own)
{
    int64_t interval_ms = pace->interval_ms;
    if (!entry->failures)
        return until_due(pace, entry, is_our_own);
    if (entry->error.retry_after_s)
        return scan_pace_jitter(pace, (int64_t)entry->error.retry_after_s * 1100);
    int64_t pause = (int64_t)SCAN_PACE_FIRST_PAUSE_MS << (entry->failures > 16 ? 16 : entry->failures - 1);
    return scan_pace_jitter(pace, pause < interval_ms ? pause : interval_ms);
}

/* The oldest answer in the cache that will do: one that another pawl has read since ours, and of late. Our own is due
 * again at nine tenths of the interval at the earliest, and never answers itself. A list that is forced, because of a
 * push or a new demand, may have changed since anybody's. What another log-in of the same pull secret was told is not
 * taken for an answer to this one. */
int64_t scan_pace_longest_age(const struct scan_pace *pace, const struct scan_entry *entry)
{
    int64_t limit = pace->interval_ms / 10 * 9;
    if (entry->is_flooded)
        return 0;
    if (!entry->info)
        return entry->credential ? 0 : limit;
    if (!entry->next_ms)
        return 0;
    int64_t known = clock_wall_ms(pace->clock) - entry->info->scanned_ms;
    return known < limit ? known : limit;
}
