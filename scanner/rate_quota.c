#include "scanner/rate_quota.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW_MS 3600000
#define LONGEST_WINDOW_S  86400
/* The share of a quota that is left for others. */
#define RESERVE_PART 10
/* A number of seconds over this is a Unix time (of 2001 and later). */
#define UNIX_TIME_FROM 1000000000

/* A field's name without and with the old prefix. Looked for in each answer, so they are not put together anew. */
struct field_names {
    const char *names[2];
};
static const struct field_names remaining_field = {{"RateLimit-Remaining", "X-RateLimit-Remaining"}},
                                limit_field = {{"RateLimit-Limit", "X-RateLimit-Limit"}},
                                reset_field = {{"RateLimit-Reset", "X-RateLimit-Reset"}};

void rate_quota_init(struct rate_quota *quota, int64_t now_ms)
{
    *quota = (struct rate_quota){.spent_ms = INT64_MIN, .stretch = 1, .random = (unsigned)now_ms};
}

/* The number that a text begins with, or -1; at most 12 digits. */
static int64_t number_at(const char *text)
{
    size_t digits = text ? strspn(text, "0123456789") : 0;
    return digits > 0 && digits <= 12 ? strtoll(text, NULL, 10) : -1;
}

struct reading {
    int64_t limit, remaining, window_s, reset_s; /* -1: not said */
};

static int64_t read_field(struct http_response *response, const struct field_names *field, int64_t *window_s)
{
    for (size_t i = 0; i < ARRAY_LEN(field->names); i++) {
        const char *value = http_header(response, field->names[i]);
        const char *window = value ? strcasestr(value, ";w=") : NULL;
        if (window && *window_s < 0)
            *window_s = number_at(window + strlen(";w="));
        if (number_at(value) >= 0)
            return number_at(value);
    }
    return -1;
}

static struct reading read_headers(struct http_response *response, int64_t wall_ms)
{
    struct reading r = {-1, -1, -1, -1};
    int64_t none = 0;
    r.remaining = read_field(response, &remaining_field, &r.window_s);
    if (r.remaining < 0)
        return r;
    r.limit = read_field(response, &limit_field, &r.window_s);
    r.reset_s = read_field(response, &reset_field, &none);
    if (r.reset_s >= UNIX_TIME_FROM) {
        int64_t date_s = http_date_ms(response, wall_ms) / 1000;
        r.reset_s = r.reset_s > date_s ? r.reset_s - date_s : 0;
    }
    return r;
}

static int64_t bounded_ms(int64_t seconds)
{
    return (seconds < LONGEST_WINDOW_S ? seconds : LONGEST_WINDOW_S) * 1000;
}

void rate_quota_read(struct rate_quota *quota, struct http_response *response, enum registry_kind kind,
                     bool is_head, int64_t now_ms, int64_t wall_ms)
{
    struct reading r = read_headers(response, wall_ms);
    if (r.remaining < 0)
        return;
    if (r.limit <= 0)
        r.limit = r.remaining > quota->limit ? r.remaining : quota->limit;
    if (r.limit <= 0 || r.remaining > r.limit)
        return;
    bool is_new = !quota->limit || now_ms >= quota->window_end_ms;
    if (r.window_s > 0)
        quota->window_ms = bounded_ms(r.window_s);
    else if (is_new)
        quota->window_ms = r.reset_s > 0 ? bounded_ms(r.reset_s) : DEFAULT_WINDOW_MS;
    if (r.reset_s >= 0)
        quota->window_end_ms = now_ms + bounded_ms(r.reset_s);
    else if (is_new)
        quota->window_end_ms = now_ms + quota->window_ms;
    quota->limit = r.limit;
    quota->remaining = r.remaining;
    if (!is_head)
        quota->counted |= 1u << kind;
}

bool rate_quota_counts(const struct rate_quota *quota, enum registry_kind kind)
{
    return quota->counted & 1u << kind;
}

static void renew(struct rate_quota *quota, int64_t now_ms)
{
    if (!quota->limit || now_ms < quota->window_end_ms)
        return;
    quota->remaining = quota->limit;
    quota->window_end_ms = now_ms + quota->window_ms;
}

int64_t rate_quota_wait(struct rate_quota *quota, enum registry_kind kind, bool is_head, int64_t now_ms)
{
    renew(quota, now_ms);
    if (!rate_quota_counts(quota, kind) || quota->remaining * 2 > quota->limit)
        return 0;
    int64_t left_ms = quota->window_end_ms - now_ms;
    int64_t usable = quota->remaining - quota->limit / RESERVE_PART;
    if (is_head)
        return quota->remaining > 0 ? 0 : left_ms;
    if (usable <= 0)
        return left_ms;
    if (quota->spent_ms == INT64_MIN)
        return 0;
    int64_t passed_ms = now_ms - quota->spent_ms;
    /* the gaps are as long as if they were dealt out when the last one was sent */
    int64_t gap_ms = (int64_t)((double)(left_ms + passed_ms) / (double)(usable + 1) * quota->stretch);
    return passed_ms < gap_ms ? gap_ms - passed_ms : 0;
}

void rate_quota_spend(struct rate_quota *quota, enum registry_kind kind, bool is_head, int64_t now_ms)
{
    if (is_head || !rate_quota_counts(quota, kind))
        return;
    if (quota->remaining > 0)
        quota->remaining--;
    quota->spent_ms = now_ms;
    quota->stretch = 1 + (double)(rand_r(&quota->random) % 100) / 1000;
}
