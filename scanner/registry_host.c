#include "scanner/registry_host.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* A host cannot keep us away for longer than this by one answer. */
#define LONGEST_BLOCK_S 3600
/* After the first 429 that names no time; it doubles up to the second value. */
#define FIRST_PAUSE_MS   1000
#define LONGEST_PAUSE_MS 64000
/* Where a quota is used up, those who were refused are not to come back for every single request that it lets
 * through, as each then begins with its list of tags; nor only when it is full again, for lists cost nothing of it. */
#define QUOTA_PAUSE_S 300

/* "reg:5000" -> "reg", "[::1]:5000" -> "::1" */
static char *without_port(const char *name)
{
    if (*name == '[')
        return xmemdupz(name + 1, strcspn(name + 1, "]"));
    return xmemdupz(name, strcspn(name, ":"));
}

static bool is_loopback_name(const char *name)
{
    AUTO_FREE char *host = without_port(name);
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return !strcasecmp(host, "localhost");
}

/* The user's list names hosts with or without their port. */
static bool is_listed(const char *name, const struct strvec *hosts)
{
    AUTO_FREE char *bare = without_port(name);
    for (size_t i = 0; hosts && i < hosts->len; i++) {
        if (!strcasecmp(hosts->items[i], name) || !strcasecmp(hosts->items[i], bare))
            return true;
    }
    return false;
}

struct registry_host *registry_host_new(const char *name, const struct strvec *insecure_hosts, double rps,
                                        double burst, int64_t now_ms)
{
    struct registry_host *host = xcalloc(1, sizeof(*host));
    host->name = xstrdup(name);
    host->address = xstrdup(strcmp(name, "index.docker.io") != 0 ? name : "registry-1.docker.io");
    host->is_insecure = is_listed(name, insecure_hosts) || is_listed(host->address, insecure_hosts);
    host->is_loopback = is_loopback_name(name);
    host->scheme = host->is_insecure || host->is_loopback ? REGISTRY_SCHEME_UNKNOWN : REGISTRY_HTTPS;
    host->tls.insecure = host->is_insecure;
    rate_limit_init(&host->budget, rps, burst, now_ms);
    strmap_init(&host->quotas, free);
    return host;
}

void registry_host_free(void *value)
{
    struct registry_host *host = value;
    auth_challenge_release(&host->challenge);
    strmap_release(&host->quotas);
    free(host->name);
    free(host->address);
    free(host);
}

bool registry_host_is_at(const struct registry_host *host, const char *origin)
{
    AUTO_FREE char *own = without_port(host->address);
    AUTO_FREE char *other = without_port(strstr(origin, "//") + 2);
    return !strcasecmp(own, other);
}

bool registry_host_begins_plain(const struct registry_host *host)
{
    return host->is_loopback && !host->is_insecure;
}

bool registry_host_may_speak_other(const struct registry_host *host, enum error_code code)
{
    return host->scheme == REGISTRY_SCHEME_UNKNOWN &&
           (code == ERROR_TLS || code == ERROR_NETWORK || code == ERROR_TIMEOUT);
}

void registry_host_enter(struct registry_host *host, struct registry_job *job, bool is_first)
{
    job->next = is_first ? host->first : NULL;
    if (!host->first)
        host->last = job;
    else if (!is_first)
        host->last->next = job;
    if (is_first || !host->first)
        host->first = job;
    if (!is_first)
        host->last = job;
}

void registry_host_leave(struct registry_host *host)
{
    host->in_flight--;
    rate_limit_give_back(&host->budget);
}

/* Takes the job that `link` points at out of the queue; `before` is the one before it, or NULL. */
static struct registry_job *take(struct registry_host *host, struct registry_job **link,
                                 struct registry_job *before)
{
    struct registry_job *job = *link;
    *link = job->next;
    if (host->last == job)
        host->last = before;
    job->next = NULL;
    return job;
}

void registry_host_refuse_all(struct registry_host *host, const struct error *err)
{
    while (host->first) {
        struct registry_job *job = take(host, &host->first, NULL);
        job->refuse(job, err);
    }
}

/* -- what may be sent -------------------------------------------------------------------------------------- */

static void refuse_blocked(struct registry_host *host, int64_t wait_ms)
{
    struct error err = ERROR_INIT;
    int seconds = (int)((wait_ms + 999) / 1000);
    error_set(&err, ERROR_RATE_LIMITED,
              "%s has had too many requests: nothing is sent to it for another %d s", host->name, seconds);
    err.retry_after_s = seconds;
    registry_host_refuse_all(host, &err);
}

static void refuse_for_quota(const struct registry_host *host, struct registry_job *job, int64_t wait_ms)
{
    struct error err = ERROR_INIT;
    int seconds = (int)((wait_ms + 999) / 1000);
    error_set(&err, ERROR_RATE_LIMITED,
              "%s: %" PRId64 " of %" PRId64
              " requests are left of the quota, the next may go in %d s; log in, or "
              "as someone with a larger one",
              host->name, job->quota->remaining, job->quota->limit, seconds);
    err.retry_after_s = QUOTA_PAUSE_S;
    job->refuse(job, &err);
}

/* The first job that its quota lets through now, taken out of the queue, or NULL; those that would have to wait long
 * are refused on the way, and *wait_ms (-1: none) is the time to the first of those that wait. */
static struct registry_job *take_ready(struct registry_host *host, int64_t now_ms, int64_t *wait_ms)
{
    struct registry_job **link = &host->first, *before = NULL;
    *wait_ms = -1;
    while (*link) {
        struct registry_job *job = *link;
        int64_t job_wait_ms = job->quota ? rate_quota_wait(job->quota, job->kind, job->is_head, now_ms) : 0;
        if (!job_wait_ms)
            return take(host, link, before);
        if (job_wait_ms > REGISTRY_LONGEST_WAIT_MS) {
            refuse_for_quota(host, take(host, link, before), job_wait_ms);
            link = &host->first; /* what it did to the queue is not known */
            before = NULL;
            continue;
        }
        if (*wait_ms < 0 || job_wait_ms < *wait_ms)
            *wait_ms = job_wait_ms;
        before = job;
        link = &job->next;
    }
    return NULL;
}

int64_t registry_host_dispatch(struct registry_host *host, int64_t now_ms)
{
    size_t places = host->scheme == REGISTRY_SCHEME_UNKNOWN ? 1 : REGISTRY_IN_FLIGHT;
    while (host->first && host->in_flight < places) {
        int64_t wait_ms = host->blocked_until_ms - now_ms;
        if (wait_ms > REGISTRY_LONGEST_WAIT_MS) {
            refuse_blocked(host, wait_ms);
            return -1;
        }
        if (wait_ms > 0)
            return wait_ms;
        struct registry_job *job = take_ready(host, now_ms, &wait_ms);
        if (!job)
            return wait_ms;
        int64_t rate_wait_ms = rate_limit_take(&host->budget, now_ms);
        if (rate_wait_ms) {
            registry_host_enter(host, job, true);
            return rate_wait_ms;
        }
        host->in_flight++;
        job->start(job);
    }
    return -1;
}

void registry_host_resume(struct registry_host *host)
{
    host->resume(host, host->context);
}

/* -- what an answer teaches -------------------------------------------------------------------------------- */

struct rate_quota *registry_host_quota(struct registry_host *host, const char *identity, int64_t now_ms)
{
    struct rate_quota *quota = strmap_get(&host->quotas, identity);
    if (quota)
        return quota;
    quota = xcalloc(1, sizeof(*quota));
    rate_quota_init(quota, now_ms);
    strmap_set(&host->quotas, identity, quota);
    return quota;
}

void registry_job_send(struct registry_job *job, int64_t now_ms)
{
    job->sent_ms = now_ms;
    if (job->quota)
        rate_quota_spend(job->quota, job->kind, job->is_head, now_ms);
}

static void block(struct registry_host *host, int64_t now_ms, int64_t wait_ms)
{
    if (now_ms + wait_ms > host->blocked_until_ms)
        host->blocked_until_ms = now_ms + wait_ms;
}

static int64_t own_pause_ms(const struct registry_host *host)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (unsigned i = 1; i < host->refusals && pause_ms < LONGEST_PAUSE_MS; i++)
        pause_ms *= 2;
    return pause_ms;
}

static void learn(struct registry_host *host, const struct registry_job *job, struct http_response *response,
                  int64_t now_ms, int64_t wall_ms)
{
    if (job->quota)
        rate_quota_read(job->quota, response, job->kind, job->is_head, now_ms, wall_ms);
    if (response->status < 400) {
        host->refusals = 0;
        return;
    }
    int asked_s = http_retry_after_s(response, wall_ms);
    block(host, now_ms, (int64_t)(asked_s < LONGEST_BLOCK_S ? asked_s : LONGEST_BLOCK_S) * 1000);
    if (response->status != 429)
        return;
    if (rate_limit_refused(&host->budget, job->sent_ms, now_ms))
        host->refusals++;
    block(host, now_ms, own_pause_ms(host));
}

void registry_host_answered(struct registry_host *host, struct registry_job *job,
                            struct http_response *response, int64_t now_ms, int64_t wall_ms)
{
    host->in_flight--;
    registry_stats_count(&host->stats, job->kind, response ? response->status : 0,
                         response ? response->body.len : 0, now_ms - job->sent_ms);
    if (response)
        learn(host, job, response, now_ms, wall_ms);
}

/* The quota that is closest to its end. */
static const struct rate_quota *scarcest_quota(const struct registry_host *host)
{
    const struct rate_quota *scarcest = NULL;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *identity;
    void *value;
    while (strmap_next(&host->quotas, &cursor, &identity, &value)) {
        const struct rate_quota *quota = value;
        if (quota->limit && (!scarcest || quota->remaining < scarcest->remaining))
            scarcest = quota;
    }
    return scarcest;
}

struct registry_host_stats registry_host_stats_now(const struct registry_host *host, int64_t now_ms,
                                                   int64_t wall_ms)
{
    struct registry_host_stats stats = host->stats;
    const struct rate_quota *quota = scarcest_quota(host);
    stats.host = host->name;
    stats.rps = rate_limit_rps(&host->budget, now_ms);
    stats.rps_ceiling = host->budget.ceiling;
    stats.in_flight = host->in_flight;
    for (const struct registry_job *job = host->first; job; job = job->next)
        stats.waiting++;
    if (host->blocked_until_ms > now_ms)
        stats.blocked_until_ms = wall_ms + host->blocked_until_ms - now_ms;
    stats.quota_limit = quota ? quota->limit : -1;
    stats.quota_remaining = quota ? quota->remaining : -1;
    return stats;
}
