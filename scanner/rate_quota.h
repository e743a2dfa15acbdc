/*
 * What a host says is left of a quota, and how long to wait so that it lasts.
 *
 * Read from an answer: RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset, with or without "X-" before them.
 * Docker Hub sends the first two as "100;w=21600" (the quota and the seconds of its window) with every manifest;
 * others follow the IETF's draft of the RateLimit fields up to its version 07 (a list whose first number counts;
 * Reset in seconds) or send Reset as a Unix time, which is taken against the answer's own Date. Without any of
 * these the window is taken for an hour. The later form of the draft (one field RateLimit) is not read.
 *
 * The first half of a quota is there to be used: first answers come soon. The other half is spread evenly over
 * what is left of the window, and the last tenth is left alone, for it is what the cluster's nodes behind the same
 * address need to pull. Only the kinds of request whose answers had these headers are held back, as Docker Hub
 * counts GETs of manifests alone. A HEAD costs nothing (Docker: "using HEAD will not" count), and waits only when
 * nothing at all is left.
 *
 * A quota is that of one log-in at one host. Times are monotonic milliseconds.
 */
#ifndef SCANNER_RATE_QUOTA_H
#define SCANNER_RATE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/http.h"
#include "scanner/registry_stats.h"

struct rate_quota {
    int64_t limit, remaining; /* limit 0: the host said nothing yet */
    int64_t window_ms, window_end_ms;
    int64_t spent_ms; /* when the last request that counts was sent; INT64_MIN: none yet */
    double stretch;   /* jitter of the wait after it, 1 to 1.1 */
    unsigned counted; /* bit of each kind that counts */
    unsigned random;
};

void rate_quota_init(struct rate_quota *quota, int64_t now_ms);

/* Takes what an answer to a request of that kind says, if it says anything. `wall_ms` is our own clock. */
void rate_quota_read(struct rate_quota *quota, struct http_response *response, enum registry_kind kind,
                     bool is_head, int64_t now_ms, int64_t wall_ms);

/* Whether GETs of that kind are known to cost anything. */
bool rate_quota_counts(const struct rate_quota *quota, enum registry_kind kind);

/* Milliseconds until one may be sent; 0: now. A window that ended begins anew, full. */
int64_t rate_quota_wait(struct rate_quota *quota, enum registry_kind kind, bool is_head, int64_t now_ms);
/* One is sent. */
void rate_quota_spend(struct rate_quota *quota, enum registry_kind kind, bool is_head, int64_t now_ms);

#endif
