#include "base/clock.h"
#include "daemon/explanation.h"

static json_t *time_json(int64_t time_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    if (!time_ms)
        return json_null();
    clock_format_rfc3339(time_ms, text);
    return json_string(text);
}

static json_t *count_json(int64_t count)
{
    return count < 0 ? json_null() : json_integer((json_int_t)count);
}

static json_t *duration_json(int64_t duration_ms)
{
    char text[CLOCK_DURATION_SIZE];
    if (!duration_ms)
        return json_null();
    clock_format_duration(duration_ms, text);
    return json_string(text);
}

static json_t *rejected_json(const struct explanation *e)
{
    struct rejection rejections[EXPLANATION_REJECTIONS];
    size_t len = explanation_rejections(e, rejections);
    json_t *object = json_object();
    for (size_t i = 0; i < len; i++)
        json_object_set_new(object, rejections[i].name, json_integer((json_int_t)rejections[i].count));
    return object;
}

static json_t *platforms_json(const struct strvec *platforms)
{
    json_t *list = json_array();
    for (size_t i = 0; i < platforms->len; i++)
        json_array_append_new(list, json_text(platforms->items[i]));
    return list;
}

static json_t *holds_json(const struct explanation *e)
{
    const char *names[EXPLANATION_HOLDS];
    size_t len = explanation_holds(e, names);
    json_t *list = json_array();
    for (size_t i = 0; i < len; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *budget_json(const struct host_budget *budget)
{
    if (!budget)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "host", json_text(budget->host));
    json_object_set_new(object, "requests_per_second", json_real(budget->rps));
    json_object_set_new(object, "ceiling", json_real(budget->rps_ceiling));
    json_object_set_new(object, "blocked_until", time_json(budget->blocked_until_ms));
    json_object_set_new(object, "quota_limit", count_json(budget->quota_limit));
    json_object_set_new(object, "quota_remaining", count_json(budget->quota_remaining));
    return object;
}

static json_t *problems_json(const struct explanation *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->problems_len; i++)
        json_array_append_new(list, json_text(e->problems[i]));
    return list;
}

/* The image as it is written, even where it cannot be read. */
static const char *image_of(const struct container *container)
{
    if (container->image.text)
        return container->image.text;
    return container->image_node ? container->image_node->value : NULL;
}

static void set_place(json_t *object, const struct explanation *e)
{
    const struct resource *resource = e->decision->resource;
    json_object_set_new(object, "workload", json_text(e->id));
    json_object_set_new(object, "container", json_text(e->decision->container->name));
    json_object_set_new(object, "file", json_text(resource->file->path));
    json_object_set_new(object, "line", json_integer(e->decision->container->line));
    json_object_set_new(object, "image", json_text(image_of(e->decision->container)));
}

static void set_policy(json_t *object, const struct explanation *e)
{
    const struct tag_policy *policy = e->container->policy;
    json_object_set_new(object, "policy", json_text(policy ? tag_policy_text(policy) : NULL));
    json_object_set_new(object, "policy_line", json_integer(e->container->line));
    json_object_set_new(object, "order", json_text(policy ? tag_policy_order(policy) : NULL));
    json_object_set_new(object, "extract", json_text(policy ? tag_policy_extract(policy) : NULL));
}

/* What else is asked of the container's image. */
static void set_settings(json_t *object, const struct explanation *e)
{
    const struct container_policy *container = e->container;
    json_object_set_new(object, "digest_mode", json_string(digest_mode_name(container->digest)));
    json_object_set_new(object, "platforms", platforms_json(&container->platforms));
    json_object_set_new(object, "min_age", duration_json(container->min_age_ms));
    json_object_set_new(object, "allow_downgrade", json_boolean(container->allows_downgrade));
}

static void set_workload(json_t *object, const struct explanation *e)
{
    const struct workload_policy *workload = e->workload;
    json_object_set_new(object, "automated", json_boolean(e->is_automated));
    json_object_set_new(object, "ignored", json_boolean(workload->ignored));
    json_object_set_new(object, "locked", json_boolean(e->is_locked));
    json_object_set_new(object, "locked_user", json_text(workload->locked_user));
    json_object_set_new(object, "locked_message", json_text(workload->locked_message));
    json_object_set_new(object, "locked_until", time_json(workload->locked_until_ms));
    json_object_set_new(object, "window", json_text(workload->window_text));
}

static void set_registry(json_t *object, const struct explanation *e)
{
    const struct repository_info *info = e->answer ? e->answer->info : NULL;
    const struct error *error = e->answer && e->answer->error.code ? &e->answer->error : NULL;
    json_object_set_new(object, "repository", json_text(e->repository));
    json_object_set_new(object, "tags_seen", json_integer((json_int_t)e->decision->tags_seen));
    json_object_set_new(object, "tags_matching", json_integer((json_int_t)e->matching));
    json_object_set_new(object, "rejected", rejected_json(e));
    json_object_set_new(object, "scanned_at", time_json(info ? info->scanned_ms : 0));
    json_object_set_new(object, "next_scan", time_json(e->next_scan_ms));
    json_object_set_new(object, "scan_error", json_text(error ? error->text : NULL));
    json_object_set_new(object, "budget", budget_json(e->budget));
}

json_t *explanation_json(const struct explanation *e)
{
    const struct decision *decision = e->decision;
    json_t *object = json_object();
    set_place(object, e);
    set_policy(object, e);
    set_settings(object, e);
    set_workload(object, e);
    set_registry(object, e);
    json_object_set_new(object, "candidate", json_text(decision->candidate));
    json_object_set_new(object, "digest", json_text(explanation_digest(e)));
    json_object_set_new(object, "target", json_text(e->target));
    json_object_set_new(object, "decision", json_text(decision_kind_name(decision->kind)));
    json_object_set_new(object, "cause", json_text(decision_cause_name(decision->cause)));
    json_object_set_new(object, "held_by", holds_json(e));
    json_object_set_new(object, "held_until",
                        time_json(decision->until_ms == INT64_MAX ? 0 : decision->until_ms));
    json_object_set_new(object, "reason", json_text(decision->reason));
    json_object_set_new(object, "problems", problems_json(e));
    return object;
}
