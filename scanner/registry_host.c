#include "scanner/registry_host.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* A host cannot keep us away for longer than this by one answer. */
#define LONGEST_BLOCK_S 3600

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
    return host;
}

void registry_host_free(void *value)
{
    struct registry_host *host = value;
    auth_challenge_release(&host->challenge);
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
}

static struct registry_job *take_first(struct registry_host *host)
{
    struct registry_job *job = host->first;
    host->first = job->next;
    if (!host->first)
        host->last = NULL;
    job->next = NULL;
    return job;
}

void registry_host_refuse_all(struct registry_host *host, const struct error *err)
{
    while (host->first) {
        struct registry_job *job = take_first(host);
        job->refuse(job, err);
    }
}

int64_t registry_host_dispatch(struct registry_host *host, int64_t now_ms)
{
    size_t places = host->scheme == REGISTRY_SCHEME_UNKNOWN ? 1 : REGISTRY_IN_FLIGHT;
    while (host->first && host->in_flight < places) {
        if (now_ms < host->blocked_until_ms) {
            struct error err = ERROR_INIT;
            int seconds = (int)((host->blocked_until_ms - now_ms + 999) / 1000);
            error_set(&err, ERROR_RATE_LIMITED, "%s told us to stay away for another %d s", host->name,
                      seconds);
            err.retry_after_s = seconds;
            registry_host_refuse_all(host, &err);
            return -1;
        }
        int64_t wait_ms = rate_limit_take(&host->budget, now_ms);
        if (wait_ms)
            return wait_ms;
        struct registry_job *job = take_first(host);
        host->in_flight++;
        job->start(job);
    }
    return -1;
}

void registry_host_resume(struct registry_host *host)
{
    host->resume(host, host->context);
}

void registry_host_block(struct registry_host *host, int64_t now_ms, int retry_after_s)
{
    int seconds = retry_after_s < LONGEST_BLOCK_S ? retry_after_s : LONGEST_BLOCK_S;
    int64_t until_ms = now_ms + (int64_t)seconds * 1000;
    if (until_ms > host->blocked_until_ms)
        host->blocked_until_ms = until_ms;
}
