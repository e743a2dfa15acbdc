#include "scanner/rate_limit.h"

#include <stdlib.h>

#define LONGEST_WAIT_MS 3600000

void rate_limit_init(struct rate_limit *limit, double ceiling, double burst, int64_t now_ms)
{
    *limit = (struct rate_limit){.ceiling = ceiling > 0 ? ceiling : 0,
                                 .burst = burst > 1 ? burst : 1,
                                 .halved_ms = INT64_MIN,
                                 .filled_ms = now_ms,
                                 .random = (unsigned)now_ms};
    limit->tokens = limit->burst;
}

double rate_limit_rps(const struct rate_limit *limit, int64_t now_ms)
{
    if (limit->halved_ms == INT64_MIN || now_ms - limit->halved_ms >= RATE_LIMIT_RECOVERY_MS)
        return limit->ceiling;
    double passed_ms = now_ms > limit->halved_ms ? (double)(now_ms - limit->halved_ms) : 0;
    double rps = limit->base + limit->ceiling * passed_ms / (double)RATE_LIMIT_RECOVERY_MS;
    return rps < limit->ceiling ? rps : limit->ceiling;
}

int64_t rate_limit_take(struct rate_limit *limit, int64_t now_ms)
{
    if (limit->ceiling <= 0)
        return 0;
    double rps = rate_limit_rps(limit, now_ms);
    double burst = limit->burst * rps / limit->ceiling;
    if (burst < 1)
        burst = 1;
    if (now_ms > limit->filled_ms)
        limit->tokens += (double)(now_ms - limit->filled_ms) / 1000 * rps;
    if (limit->tokens > burst)
        limit->tokens = burst;
    limit->filled_ms = now_ms;
    if (limit->tokens >= 1) {
        limit->tokens -= 1;
        return 0;
    }
    double stretch = 1 + (double)(rand_r(&limit->random) % 100) / 1000;
    double wait_ms = (1 - limit->tokens) / rps * 1000 * stretch;
    return wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int64_t)wait_ms + 1;
}

void rate_limit_give_back(struct rate_limit *limit)
{
    limit->tokens += 1;
}

bool rate_limit_refused(struct rate_limit *limit, int64_t sent_ms, int64_t now_ms)
{
    if (sent_ms <= limit->halved_ms)
        return false;
    double floor = limit->ceiling < RATE_LIMIT_FLOOR_RPS ? limit->ceiling : RATE_LIMIT_FLOOR_RPS;
    double half = rate_limit_rps(limit, now_ms) / 2;
    limit->base = half > floor ? half : floor;
    limit->halved_ms = now_ms;
    limit->tokens = 0;
    limit->filled_ms = now_ms;
    return true;
}
