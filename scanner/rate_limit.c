#include "scanner/rate_limit.h"

void rate_limit_init(struct rate_limit *limit, double rate, double burst, int64_t now_ms)
{
    limit->rate = rate > 0 ? rate : 0;
    limit->burst = burst > 1 ? burst : 1;
    limit->tokens = limit->burst;
    limit->filled_ms = now_ms;
}

int64_t rate_limit_take(struct rate_limit *limit, int64_t now_ms)
{
    if (limit->rate <= 0)
        return 0;
    if (now_ms > limit->filled_ms)
        limit->tokens += (double)(now_ms - limit->filled_ms) / 1000 * limit->rate;
    if (limit->tokens > limit->burst)
        limit->tokens = limit->burst;
    limit->filled_ms = now_ms;
    if (limit->tokens >= 1) {
        limit->tokens -= 1;
        return 0;
    }
    double wait_ms = (1 - limit->tokens) / limit->rate * 1000;
    return wait_ms > 3600000 ? 3600000 : (int64_t)wait_ms + 1;
}
