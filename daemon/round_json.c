#include "daemon/round_json.h"

#include "base/alloc.h"

static json_t *text_or_null(const char *text)
{
    return json_text(text && *text ? text : NULL);
}

static json_t *id_json(const struct resource *resource)
{
    AUTO_FREE char *text = resource_id_text(&resource->id);
    return json_text(text);
}

static json_t *changes_json(const struct release *release)
{
    json_t *list = json_array();
    for (size_t i = 0; release && i < release->changes_len; i++) {
        const struct release_change *change = &release->changes[i];
        json_t *item = json_object();
        json_object_set_new(item, "workload", id_json(change->resource));
        json_object_set_new(item, "container", json_text(change->container->name));
        json_object_set_new(item, "file", json_text(change->resource->file->path));
        json_object_set_new(item, "line", json_integer(change->line));
        json_object_set_new(item, "from", json_text(change->from));
        json_object_set_new(item, "to", json_text(change->to));
        json_object_set_new(item, "reason", json_text(change->reason));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *held_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        if (decision->kind != DECISION_HELD && decision->kind != DECISION_BLOCKED)
            continue;
        json_t *item = json_object();
        json_object_set_new(item, "workload", id_json(decision->resource));
        json_object_set_new(item, "container", json_text(decision->container->name));
        json_object_set_new(item, "current", text_or_null(decision->container->image.text));
        json_object_set_new(item, "candidate", text_or_null(decision->candidate));
        json_object_set_new(item, "decision", json_text(decision_kind_name(decision->kind)));
        json_object_set_new(item, "cause", json_text(decision_cause_name(decision->cause)));
        json_object_set_new(item, "reason", json_text(decision->reason));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *error_json(const char *file, int line, const char *workload, const char *message)
{
    json_t *item = json_object();
    json_object_set_new(item, "file", text_or_null(file));
    json_object_set_new(item, "line", line ? json_integer(line) : json_null());
    json_object_set_new(item, "workload", text_or_null(workload));
    json_object_set_new(item, "message", json_text(message));
    return item;
}

static json_t *errors_json(const struct round_report *report, const struct error *failure)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->plan.problems_len; i++) {
        const struct manifest_problem *each = &report->plan.problems[i];
        json_array_append_new(list, error_json(each->file, each->line, each->workload, each->message));
    }
    for (size_t i = 0; i < report->applied.len; i++) {
        const struct apply_outcome *each = &report->applied.outcomes[i];
        if (each->result != APPLY_FAILED)
            continue;
        AUTO_FREE char *workload = each->resource ? resource_id_text(&each->resource->id) : NULL;
        json_array_append_new(list, error_json(each->file ? each->file->path : NULL,
                                               each->resource ? each->resource->line : 0, workload,
                                               each->message ? each->message : "could not be applied"));
    }
    if (failure->code)
        json_array_append_new(list, error_json(NULL, 0, NULL, failure->text));
    return list;
}

static json_t *applied_json(const struct apply_report *applied)
{
    json_t *item = json_object();
    json_object_set_new(item, "created", json_integer((json_int_t)applied->created));
    json_object_set_new(item, "configured", json_integer((json_int_t)applied->configured));
    json_object_set_new(item, "unchanged", json_integer((json_int_t)applied->unchanged));
    json_object_set_new(item, "deleted", json_integer((json_int_t)applied->deleted));
    json_object_set_new(item, "skipped", json_integer((json_int_t)applied->skipped));
    json_object_set_new(item, "failed", json_integer((json_int_t)applied->failed));
    return item;
}

/* What would change; once it is pushed, git has it. */
static json_t *diff_json(const struct round_report *report)
{
    const struct release *release = report->plan.release;
    if (report->commit[0] || !release || !release->files_len)
        return json_null();
    CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
    for (size_t i = 0; i < release->files_len; i++)
        release_add_diff(&release->files[i], &diff);
    return json_text(diff.buf);
}

json_t *round_to_json(const char *name, const struct round_report *report, const struct error *failure)
{
    json_t *item = json_object();
    json_object_set_new(item, "name", json_text(name));
    json_object_set_new(item, "head", text_or_null(report->head));
    json_object_set_new(item, "commit", text_or_null(report->commit));
    json_object_set_new(item, "changes", changes_json(report->plan.release));
    json_object_set_new(item, "diff", diff_json(report));
    json_object_set_new(item, "held", held_json(&report->plan));
    json_object_set_new(item, "errors", errors_json(report, failure));
    json_object_set_new(item, "applied", applied_json(&report->applied));
    return item;
}
