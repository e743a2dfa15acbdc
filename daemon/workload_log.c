#include "daemon/workload_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/commit_note.h"
#include "daemon/image_history.h"
#include "daemon/job_repository.h"
#include "model/workload_lookup.h"

struct reading {
    struct repository *repository;
    struct workload_log *log;
    size_t most;
};

static void release_entry(struct log_entry *entry)
{
    for (size_t i = 0; i < entry->changes_len; i++) {
        free(entry->changes[i].container);
        free(entry->changes[i].from);
        free(entry->changes[i].to);
        free(entry->changes[i].reason);
    }
    free(entry->changes);
    free(entry->user);
    commit_info_release(&entry->info);
}

void workload_log_release(struct workload_log *log)
{
    for (size_t i = 0; i < log->len; i++)
        release_entry(&log->entries[i]);
    free(log->entries);
    free(log->workload);
    *log = (struct workload_log){.entries = NULL};
}

static void add_change(struct log_entry *entry, const char *container, const char *from, const char *to)
{
    if (from && to && !strcmp(from, to))
        return;
    vec_grow(entry->changes, entry->changes_len, entry->changes_capacity);
    entry->changes[entry->changes_len++] =
        (struct log_change){.container = xstrdup(container), .from = xstrdup(from), .to = xstrdup(to)};
}

/* Of all containers that there were before or after. */
static void add_changes(struct log_entry *entry, const struct workload_step *step)
{
    for (size_t i = 0; step->after && i < step->after->containers_len; i++) {
        const struct container *each = &step->after->containers[i];
        const struct container *before = resource_container(step->before, each->name);
        add_change(entry, each->name, container_image_text(before), container_image_text(each));
    }
    for (size_t i = 0; step->before && i < step->before->containers_len; i++) {
        const struct container *each = &step->before->containers[i];
        if (!resource_container(step->after, each->name))
            add_change(entry, each->name, container_image_text(each), NULL);
    }
}

static void add_note(struct log_entry *entry, const struct reading *reading)
{
    AUTO_JSON json_t *note = commit_note_read(reading->repository->mirror, entry->commit);
    entry->is_automatic = commit_maker(reading->repository->config, &entry->info, note) != MADE_BY_PERSON;
    entry->user = xstrdup(commit_note_user(note));
    for (size_t i = 0; i < entry->changes_len; i++)
        entry->changes[i].reason =
            xstrdup(commit_note_reason(note, reading->log->workload, entry->changes[i].container));
}

static int visit(const struct workload_step *step, void *context, struct error *err)
{
    struct reading *reading = context;
    struct workload_log *log = reading->log;
    struct log_entry entry = {.changes = NULL};
    add_changes(&entry, step);
    if (!entry.changes_len)
        return 0;
    if (reading->most && log->len == reading->most) {
        log->is_complete = false;
        release_entry(&entry);
        return 1;
    }
    memcpy(entry.commit, step->commit, sizeof(entry.commit));
    if (mirror_commit_info(reading->repository->mirror, step->commit, &entry.info, err) < 0) {
        release_entry(&entry);
        return -1;
    }
    add_note(&entry, reading);
    vec_grow(log->entries, log->len, log->capacity);
    log->entries[log->len++] = entry;
    return 0;
}

static int read_log(struct repository *r, const struct manifest_set *manifests, const struct resource_id *id,
                    struct reading *reading, struct error *err)
{
    const struct resource *workload = workload_find(manifests, id, err);
    if (!workload)
        return -1;
    const struct history_question question = {.head = mirror_head(r->mirror), .workload = workload};
    reading->log->is_complete = true;
    int result = workload_history(r, &question, visit, reading, err);
    if (result < 0)
        return -1;
    if (result > 0 || !history_is_complete(r->history))
        reading->log->is_complete = false;
    return 0;
}

int workload_log_read(struct repository *r, const char *workload, const char *space, size_t most,
                      struct workload_log *log, struct error *err)
{
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    struct reading reading = {.repository = r, .log = log, .most = most};
    if (resource_id_parse(workload, space ? space : r->default_space, &id, err) < 0)
        return error_set(err, ERROR_USAGE, "%s", err->text);
    *log = (struct workload_log){.workload = resource_id_text(&id)};
    CLEANUP(manifest_set_release) struct manifest_set *manifests = repository_load_head(r, err);
    if (manifests && read_log(r, manifests, &id, &reading, err) == 0)
        return 0;
    workload_log_release(log);
    return error_wrap(err, "%s", workload);
}

static json_t *changes_json(const struct log_entry *entry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < entry->changes_len; i++) {
        const struct log_change *change = &entry->changes[i];
        json_t *item = json_object();
        json_object_set_new(item, "container", json_text(change->container));
        json_object_set_new(item, "from", json_text(change->from));
        json_object_set_new(item, "to", json_text(change->to));
        json_object_set_new(item, "reason", json_text(change->reason));
        json_array_append_new(list, item);
    }
    return list;
}

json_t *workload_log_json(const struct workload_log *log)
{
    json_t *object = json_object(), *list = json_array();
    for (size_t i = 0; i < log->len; i++) {
        const struct log_entry *entry = &log->entries[i];
        char time[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(entry->info.when_ms, time);
        json_t *item = json_object();
        json_object_set_new(item, "commit", json_text(entry->commit));
        json_object_set_new(item, "time", json_text(time));
        json_object_set_new(item, "author", json_text(entry->info.author));
        json_object_set_new(item, "email", json_text(entry->info.email));
        json_object_set_new(item, "automatic", json_boolean(entry->is_automatic));
        json_object_set_new(item, "user", json_text(entry->user));
        json_object_set_new(item, "message", json_text(entry->info.message));
        json_object_set_new(item, "changes", changes_json(entry));
        json_array_append_new(list, item);
    }
    json_object_set_new(object, "workload", json_text(log->workload));
    json_object_set_new(object, "complete", json_boolean(log->is_complete));
    json_object_set_new(object, "commits", list);
    return object;
}
