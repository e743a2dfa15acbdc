#include "daemon/commit_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/explanation.h"
#include "daemon/result_json.h"

static json_t *spec_json(const char *type, const char *user, const char *message, json_t *spec)
{
    json_t *object = json_object(), *cause = json_object();
    json_object_set_new(cause, "Message", json_text(message ? message : ""));
    json_object_set_new(cause, "User", json_text(user ? user : ""));
    json_object_set_new(object, "type", json_string(type));
    json_object_set_new(object, "cause", cause);
    json_object_set_new(object, "spec", spec);
    return object;
}

/* Takes over both. */
static char *note_text(json_t *spec, json_t *result)
{
    json_t *note = json_object();
    json_object_set_new(note, "spec", spec);
    json_object_set_new(note, "result", result);
    struct strbuf text = STRBUF_INIT;
    json_write(&text, note, 0);
    json_decref(note);
    return strbuf_detach(&text, NULL);
}

/* -- rounds ---------------------------------------------------------------------------------------------------- */

static json_t *change_json(const struct release_change *change, const char *workload)
{
    json_t *object = json_object(), *container = json_object();
    json_object_set_new(container, "Name", json_text(change->container->name));
    json_object_set_new(container, "Image", json_text(change->from));
    json_object_set_new(object, "WorkloadID", json_text(workload));
    json_object_set_new(object, "Container", container);
    json_object_set_new(object, "ImageID", json_text(change->to));
    return object;
}

/* A note of a thousand images is long enough without what there is not. */
static void drop_nulls(json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_null(value))
            json_object_del(object, key);
    }
}

/* The reason is the change's, which also says where a shared image is written. */
static void add_decision(const struct plan *plan, const struct release_change *change, int64_t now_ms,
                         struct strbuf *out)
{
    struct explanation explanation;
    explanation_init(&explanation, plan, change->decision, &(struct explanation_context){.now_ms = now_ms});
    AUTO_JSON json_t *object = explanation_json(&explanation);
    explanation_release(&explanation);
    drop_nulls(object); /* the budget and the next scan, too, of which it was told nothing */
    json_object_set_new(object, "from", json_text(change->from));
    json_object_set_new(object, "to", json_text(change->to));
    json_object_set_new(object, "reason", json_text(change->reason));
    if (out->len)
        strbuf_addstr(out, ", ");
    json_write(out, object, 0);
}

static void add_result(struct result_list *results, const struct release_change *change, const char *workload)
{
    /* Those of a workload are side by side. */
    struct workload_result *last = results->len ? &results->items[results->len - 1] : NULL;
    if (!last || strcmp(last->workload, workload) != 0)
        last = result_add(results, workload, RESULT_SUCCESS, NULL);
    result_add_update(last, change->container->name, change->from, change->to);
}

char *commit_note_of_round(const struct plan *plan, const struct release_change *changes, size_t len,
                           int64_t now_ms)
{
    json_t *list = json_array(), *spec = json_object();
    CLEANUP(result_list_release) struct result_list results = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf decisions = STRBUF_INIT;
    for (size_t i = 0; i < len; i++) {
        AUTO_FREE char *workload = resource_id_text(&changes[i].resource->id);
        json_array_append_new(list, change_json(&changes[i], workload));
        add_decision(plan, &changes[i], now_ms, &decisions);
        add_result(&results, &changes[i], workload);
    }
    json_object_set_new(spec, "Changes", list);
    AUTO_FREE char *flux = note_text(spec_json("auto", NULL, NULL, spec), result_list_json(&results));
    flux[strlen(flux) - 1] = '\0'; /* its "}" */
    return xasprintf("%s, \"pawl\": {\"decisions\": [%s]}}", flux, decisions.buf);
}

/* -- jobs ------------------------------------------------------------------------------------------------------- */

static json_t *containers_json(json_t *results)
{
    json_t *spec = json_object(), *containers = json_object(), *result = NULL;
    const char *workload = NULL;
    json_object_foreach(results, workload, result)
    {
        json_t *updates = json_object_get(result, "PerContainer");
        if (json_is_array(updates))
            json_object_set(containers, workload, updates);
    }
    json_object_set_new(spec, "Kind", json_string("execute"));
    json_object_set_new(spec, "ContainerSpecs", containers);
    json_object_set_new(spec, "SkipMismatches", json_false());
    json_object_set_new(spec, "Force", json_false());
    return spec;
}

char *commit_note_of_job(const struct result_list *results, const char *user, const char *message)
{
    bool has_images = false;
    for (size_t i = 0; i < results->len; i++)
        has_images = has_images || results->items[i].updates_len;
    if (!has_images)
        return note_text(spec_json("policy", user, message, json_object()), json_null());
    json_t *result = result_list_json(results);
    return note_text(spec_json("containers", user, message, containers_json(result)), result);
}

char *commit_note_text(const char *note, const char *commit)
{
    return xasprintf("{\"jobID\": \"%.8s-%.4s-%.4s-%.4s-%.12s\", %s\n", commit, commit + 8, commit + 12,
                     commit + 16, commit + 20, note + strlen("{"));
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

json_t *commit_note_read(struct mirror *mirror, const char *commit)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error ignored = ERROR_INIT; /* anybody may write notes, and anything into them */
    if (mirror_read_note(mirror, commit, &text, &ignored) < 0)
        return NULL;
    return json_read(text.buf, text.len, &ignored);
}

const char *commit_note_type(const json_t *note)
{
    const json_t *spec = json_object_get(note, "spec");
    return spec ? json_string_at(spec, "type") : NULL;
}

const char *commit_note_user(const json_t *note)
{
    const json_t *cause = json_object_get(json_object_get(note, "spec"), "cause");
    const char *user = cause ? json_string_at(cause, "User") : NULL;
    return user && *user ? user : NULL;
}

static bool is_equal(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_at(object, key);
    return value && !strcmp(value, text);
}

const char *commit_note_reason(const json_t *note, const char *workload, const char *container)
{
    const json_t *decisions = json_object_get(json_object_get(note, "pawl"), "decisions");
    for (size_t i = 0; i < json_array_size(decisions); i++) {
        const json_t *each = json_array_get(decisions, i);
        if (is_equal(each, "workload", workload) && is_equal(each, "container", container))
            return json_string_at(each, "reason");
    }
    return NULL;
}
