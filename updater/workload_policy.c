#include "updater/workload_policy.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/time_zone.h"
#include "updater/policy_key.h"
#include "updater/policy_settings.h"

struct reading {
    struct workload_policy *policy;
    struct policy_settings settings;
    struct strbuf warning;
};

static void warn(struct reading *r, int line, const char *format, ...) PRINTF_LIKE(3, 4);

static void warn(struct reading *r, int line, const char *format, ...)
{
    if (r->warning.len > 0)
        strbuf_addstr(&r->warning, "; ");
    else
        r->policy->warning_line = line;
    va_list args;
    va_start(args, format);
    strbuf_vaddf(&r->warning, format, args);
    va_end(args);
}

static void check_own_key(struct reading *r, const struct annotation *annotation)
{
    struct error err = ERROR_INIT;
    if (r->policy->blocked || policy_key_check(annotation->key, &err) == 0)
        return;
    r->policy->blocked = xstrdup(err.text);
    r->policy->blocked_line = annotation->line;
}

static void warn_of_conflict(const struct annotation *winner, const struct annotation *loser, void *context)
{
    struct reading *r = context;
    warn(r, loser->line, "%s and %s disagree, and %s counts", winner->key, loser->key, winner->key);
}

static const struct annotation *find_setting(const struct reading *r, const char *policy)
{
    return policy_settings_find(&r->settings, policy);
}

/* True only for "true". Anything else that is not plainly false was meant to be something, and is not. */
static bool read_flag(struct reading *r, const char *policy)
{
    static const char *const quiet[] = {"", "false", "sync_only"};
    const struct annotation *annotation = find_setting(r, policy);
    if (!annotation)
        return false;
    if (strcmp(annotation->value, "true") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++) {
        if (strcmp(annotation->value, quiet[i]) == 0)
            return false;
    }
    warn(r, annotation->line, "%s is \"%s\", and counts only if it is \"true\"", annotation->key,
         annotation->value);
    return false;
}

/* NULL if it is not given or empty. */
static const char *read_text(const struct reading *r, const char *policy)
{
    const struct annotation *annotation = find_setting(r, policy);
    return annotation && *annotation->value ? annotation->value : NULL;
}

static const struct annotation *find_own_setting(const struct reading *r, const char *policy,
                                                 const struct container *container)
{
    AUTO_FREE char *key = xasprintf("%s.%s", policy, container->name);
    return find_setting(r, key);
}

/* The container's own, else that of all containers. */
static const struct annotation *find_container_setting(const struct reading *r, const char *policy,
                                                       const struct container *container)
{
    const struct annotation *annotation = find_own_setting(r, policy, container);
    return annotation ? annotation : find_setting(r, policy);
}

/* By time, tags are compared as wholes. */
static void warn_of_idle_extract(struct reading *r, const struct container_policy *policy)
{
    const struct annotation *annotation = find_container_setting(r, "extract", policy->container);
    if (annotation && policy->policy && tag_policy_needs_created(policy->policy))
        warn(r, annotation->line,
             "%s does not order anything while the order is %s; there are semver, numeric and alpha",
             annotation->key, tag_policy_order(policy->policy));
}

/* The policy of a container and its line: the marker's, else the annotation's; NULL if there is none. */
static const char *find_tag_policy(struct reading *r, const struct container *container, int *line)
{
    AUTO_FREE char *key = xasprintf("tag.%s", container->name);
    const struct annotation *annotation = find_setting(r, key);
    if (annotation && container->policy_text && strcmp(annotation->value, container->policy_text) != 0)
        warn(r, annotation->line, "%s and the marker in line %d disagree, and the marker counts",
             annotation->key, container->line);
    *line = container->policy_text ? container->line : r->policy->resource->line;
    if (annotation && !container->policy_text)
        *line = annotation->line;
    if (container->policy_text)
        return container->policy_text;
    return annotation ? annotation->value : NULL;
}

static void read_tag_policy(struct reading *r, const struct container *container,
                            struct container_policy *out)
{
    out->container = container;
    const char *text = find_tag_policy(r, container, &out->line);
    struct error err = ERROR_INIT;
    out->has_tag_policy = text != NULL;
    out->policy = tag_policy_new(text ? text : "glob:*", &err);
    if (!out->policy)
        out->problem = xasprintf("policy %s", err.text);
    else if (container->image.is_chart)
        tag_policy_set_charts(out->policy);
}

static int read_order(const char *value, struct container_policy *out, struct error *err)
{
    return tag_policy_set_order(out->policy, value, err);
}

static int read_extract(const char *value, struct container_policy *out, struct error *err)
{
    return tag_policy_set_extract(out->policy, value, err);
}

static int read_downgrade(const char *value, struct container_policy *out, struct error *err)
{
    return policy_value_bool(value, &out->allows_downgrade, err);
}

static int read_digest(const char *value, struct container_policy *out, struct error *err)
{
    return policy_value_digest(value, &out->digest, err);
}

static int read_platforms(const char *value, struct container_policy *out, struct error *err)
{
    return policy_value_platforms(value, &out->platforms, err);
}

static int read_min_age(const char *value, struct container_policy *out, struct error *err)
{
    return policy_value_duration(value, &out->min_age_ms, err);
}

/* What one container may have of its own. */
static const struct {
    const char *name;
    int (*read)(const char *value, struct container_policy *out, struct error *err);
    bool is_of_images; /* passes charts by where it is for all, and is a mistake where it is for one */
} container_settings[] = {
    {"order", read_order, false},
    {"extract", read_extract, false},
    {"allow-downgrade", read_downgrade, false},
    {"digest", read_digest, true},
    {"platforms", read_platforms, true},
    {"min-age", read_min_age, false},
};

static int refuse_for_charts(struct error *err)
{
    return error_set(err, ERROR_UNSUPPORTED,
                     "this is for images, and the version of a chart has no such thing");
}

static void block_container(struct container_policy *out, const struct annotation *annotation,
                            const struct error *problem)
{
    tag_policy_free(steal(&out->policy));
    out->line = annotation->line;
    free(out->problem);
    out->problem = xasprintf("%s: %s", annotation->key, problem->text);
}

static void read_container_settings(const struct reading *r, const struct container *container,
                                    struct container_policy *out)
{
    for (size_t i = 0; r->settings.has_own && out->policy && i < ARRAY_LEN(container_settings); i++) {
        struct error err = ERROR_INIT;
        const char *name = container_settings[i].name;
        bool is_foreign = container_settings[i].is_of_images && container->image.is_chart;
        const struct annotation *annotation =
            is_foreign ? find_own_setting(r, name, container) : find_container_setting(r, name, container);
        if (annotation && (is_foreign ? refuse_for_charts(&err)
                                      : container_settings[i].read(annotation->value, out, &err)) < 0)
            block_container(out, annotation, &err);
    }
}

static int read_locked_until(const char *value, struct workload_policy *out, struct error *err)
{
    return policy_value_time(value, &out->locked_until_ms, err);
}

static int read_window(const char *value, struct workload_policy *out, struct error *err)
{
    out->window_text = value;
    out->window = update_window_new(value, TIME_ZONE_DIRECTORY, err);
    return out->window ? 0 : -1;
}

/* What is for the workload as a whole. */
static const struct {
    const char *name;
    int (*read)(const char *value, struct workload_policy *out, struct error *err);
} workload_settings[] = {
    {"locked-until", read_locked_until},
    {"window", read_window},
};

static void read_workload_settings(struct reading *r)
{
    struct workload_policy *policy = r->policy;
    for (size_t i = 0; r->settings.has_own && i < ARRAY_LEN(workload_settings); i++) {
        struct error err = ERROR_INIT;
        const struct annotation *annotation = find_setting(r, workload_settings[i].name);
        if (!annotation || workload_settings[i].read(annotation->value, policy, &err) == 0 || policy->blocked)
            continue;
        policy->blocked = xasprintf("%s: %s", annotation->key, err.text);
        policy->blocked_line = annotation->line;
        policy->has_bad_value = true;
    }
}

static void add_container_names(const struct resource *resource, struct strbuf *out)
{
    const size_t most = 8;
    for (size_t i = 0; i < resource->containers_len && i < most; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", resource->containers[i].name);
    if (resource->containers_len > most)
        strbuf_addf(out, " and %zu more", resource->containers_len - most);
}

/* A policy for a container that is not there would go unseen, and the one that was meant takes any tag. */
static void warn_of_strays(struct reading *r)
{
    const struct resource *resource = r->policy->resource;
    CLEANUP(strmap_release) struct strmap names = STRMAP_INIT;
    CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;
    for (size_t i = 0; i < resource->containers_len; i++)
        strmap_set(&names, resource->containers[i].name, &resource->containers[i]);
    add_container_names(resource, &list);
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *policy;
    void *setting;
    while (strmap_next(&r->settings.by_policy, &cursor, &policy, &setting)) {
        const char *dot = strchr(policy, '.');
        if (!dot || strmap_has(&names, dot + 1))
            continue;
        const struct annotation *annotation = ((const struct policy_setting *)setting)->annotation;
        warn(r, annotation->line, "%s is for a container that is not there; there are: %s", annotation->key,
             list.buf);
    }
}

static void read_policies(struct reading *r)
{
    struct workload_policy *policy = r->policy;
    const struct resource *resource = policy->resource;
    for (size_t i = 0; i < resource->annotations_len; i++)
        check_own_key(r, &resource->annotations[i]);
    policy_settings_read(&r->settings, resource, warn_of_conflict, r);
    policy->automated = read_flag(r, "automated");
    policy->locked = read_flag(r, "locked");
    policy->ignored = read_flag(r, "ignore");
    policy->locked_user = read_text(r, "locked_user");
    policy->locked_message = read_text(r, "locked_msg");
    policy->containers_len = resource->containers_len;
    policy->containers = xcalloc(resource->containers_len, sizeof(*policy->containers));
    read_workload_settings(r);
    if (policy->locked_until_ms && !find_setting(r, "locked"))
        policy->locked = true;
    for (size_t i = 0; i < resource->containers_len; i++) {
        read_tag_policy(r, &resource->containers[i], &policy->containers[i]);
        read_container_settings(r, &resource->containers[i], &policy->containers[i]);
        warn_of_idle_extract(r, &policy->containers[i]);
    }
    if (resource->containers_len > 0)
        warn_of_strays(r);
}

struct workload_policy *workload_policy_new(const struct resource *resource)
{
    struct workload_policy *policy = xcalloc(1, sizeof(*policy));
    policy->resource = policy->origin = resource;
    struct reading r = {.policy = policy, .warning = STRBUF_INIT};
    read_policies(&r);
    if (r.warning.len > 0)
        policy->warning = strbuf_detach(&r.warning, NULL);
    strbuf_release(&r.warning);
    policy_settings_release(&r.settings);
    return policy;
}

bool workload_policy_automates(const struct workload_policy *policy, size_t index)
{
    return policy->automated || policy->containers[index].container->policy_text;
}

bool workload_policy_is_active(const struct workload_policy *policy)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        if (workload_policy_automates(policy, i))
            return true;
    }
    return policy->automated;
}

static void release_container(struct container_policy *container)
{
    tag_policy_free(container->policy);
    free(container->problem);
    free(container->overridden);
    strvec_release(&container->platforms);
}

struct container_policy *workload_policy_keep(struct workload_policy *policy, size_t index)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        if (i != index)
            release_container(&policy->containers[i]);
    }
    policy->containers[0] = policy->containers[index];
    policy->containers_len = 1;
    return policy->containers;
}

void workload_policy_drop(struct workload_policy *policy, const struct container *container)
{
    size_t kept = 0;
    for (size_t i = 0; i < policy->containers_len; i++) {
        if (policy->containers[i].container == container)
            release_container(&policy->containers[i]);
        else
            policy->containers[kept++] = policy->containers[i];
    }
    policy->containers_len = kept;
}

void workload_policy_free(struct workload_policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->containers_len; i++)
        release_container(&policy->containers[i]);
    update_window_free(policy->window);
    free(policy->containers);
    free(policy->blocked);
    free(policy->warning);
    free(policy);
}

bool workload_policy_is_locked(const struct workload_policy *policy, int64_t now_ms)
{
    return policy->locked && (!policy->locked_until_ms || now_ms < policy->locked_until_ms);
}

bool resource_is_ignored(const struct resource *resource)
{
    const struct annotation *best = NULL;
    size_t rank = SIZE_MAX;
    for (size_t i = 0; i < resource->annotations_len; i++) {
        CLEANUP(policy_key_release) struct policy_key key = {.policy = NULL};
        if (!policy_key_parse(resource->annotations[i].key, &key) || strcmp(key.policy, "ignore") != 0)
            continue;
        if (key.rank < rank) {
            rank = key.rank;
            best = &resource->annotations[i];
        }
    }
    return best && strcmp(best->value, "true") == 0;
}
