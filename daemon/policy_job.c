#include "daemon/policy_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/workload_lookup.h"
#include "updater/policy_edit.h"
#include "updater/policy_key.h"
#include "updater/workload_policy.h"

struct policy_job {
    const struct policy_request *request;
    struct policy_changes changes; /* all but those of tag_all */
    char *tag_all;                 /* normalised; NULL: not asked for */
    bool removes_all_tags;
    struct strbuf text; /* what is proposed */
};

/* -- what was asked for ------------------------------------------------------------------------------------------ */

/* The pattern with its prefix; NULL without error for one that matches everything, which is the same as none. */
static char *read_pattern(const char *text, struct error *err)
{
    if (!*text || !strcmp(text, "*") || !strcmp(text, "glob:*"))
        return NULL;
    struct tag_policy *policy = tag_policy_new(text, err);
    char *pattern = policy ? xstrdup(tag_policy_text(policy)) : NULL;
    tag_policy_free(policy);
    return pattern;
}

static int usage(struct error *err, const char *flag)
{
    err->code = err->code == ERROR_UNSUPPORTED ? ERROR_UNSUPPORTED : ERROR_USAGE;
    return error_wrap(err, "%s", flag);
}

static int read_tag(struct policy_job *job, const char *text, struct error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return error_set(err, ERROR_USAGE, "--tag: \"%s\" is not of the form CONTAINER=PATTERN", text);
    AUTO_FREE char *pattern = read_pattern(equals + 1, err);
    if (err->code)
        return usage(err, "--tag: invalid tag pattern");
    AUTO_FREE char *policy = xasprintf("tag.%.*s", (int)(equals - text), text);
    policy_changes_set(&job->changes, policy, pattern);
    return 0;
}

static int check_key(const char *flag, const char *key, struct error *err)
{
    AUTO_FREE char *annotation = xasprintf("pawl.dev/%s", key);
    return policy_key_check(annotation, err) < 0 ? usage(err, flag) : 0;
}

/* Flux v1 takes these exactly; anything else would be in git, and mean nothing. */
static int check_switch(const char *key, const char *value, struct error *err)
{
    bool is_ignore = !strcmp(key, "ignore");
    if (strcmp(key, "automated") != 0 && strcmp(key, "locked") != 0 && !is_ignore)
        return 0;
    if (!strcmp(value, "true") || !strcmp(value, "false") || (is_ignore && !strcmp(value, "sync_only")))
        return 0;
    return error_set(err, ERROR_USAGE, "--set: %s is %s\"true\" or \"false\", not \"%s\"", key,
                     is_ignore ? "\"sync_only\", " : "", value);
}

static int read_setting(struct policy_job *job, const char *text, struct error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return error_set(err, ERROR_USAGE, "--set: \"%s\" is not of the form KEY=VALUE", text);
    AUTO_FREE char *key = xmemdupz(text, (size_t)(equals - text));
    if (check_key("--set", key, err) < 0 || check_switch(key, equals + 1, err) < 0)
        return -1;
    policy_changes_set(&job->changes, key, equals + 1);
    return 0;
}

static int read_until(struct policy_job *job, int64_t now_ms, struct error *err)
{
    const char *text = job->request->until;
    char time[CLOCK_RFC3339_SIZE];
    int64_t until_ms = 0, duration_ms = 0;
    if (clock_parse_duration(text, &duration_ms) == 0)
        until_ms = now_ms + duration_ms;
    else if (clock_parse_rfc3339(text, &until_ms) < 0)
        return error_set(err, ERROR_USAGE,
                         "--until: \"%s\" is neither a time (2026-01-02T15:04:05Z) nor a duration (8h, 3d)",
                         text);
    if (until_ms <= now_ms)
        return error_set(err, ERROR_USAGE, "--until: %s is over already", text);
    clock_format_rfc3339(until_ms - until_ms % 1000, time);
    policy_changes_set(&job->changes, "locked-until", time);
    return 0;
}

/* An earlier lock's words do not stay beside the new one's. */
static int read_lock(struct policy_job *job, int64_t now_ms, struct error *err)
{
    const struct policy_request *request = job->request;
    bool has_message = request->message && *request->message;
    policy_changes_set(&job->changes, "locked", "true");
    policy_changes_set(&job->changes, "locked_user", request->user && *request->user ? request->user : NULL);
    policy_changes_set(&job->changes, "locked_msg", has_message ? request->message : NULL);
    policy_changes_set(&job->changes, "locked-until", NULL);
    return request->until ? read_until(job, now_ms, err) : 0;
}

static void read_unlock(struct policy_job *job)
{
    static const char *const policies[] = {"locked", "locked_user", "locked_msg", "locked-until"};
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        policy_changes_set(&job->changes, policies[i], NULL);
}

static int check_request(const struct policy_request *request, struct error *err)
{
    if (!request->workload || !*request->workload)
        return error_set(err, ERROR_USAGE, "-w, --workload is needed: namespace:kind/name or kind/name");
    if (request->automate && request->deautomate)
        return error_set(err, ERROR_USAGE, "automate and deautomate cannot both be meant");
    if (request->lock && request->unlock)
        return error_set(err, ERROR_USAGE, "lock and unlock cannot both be meant");
    if (request->until && !request->lock)
        return error_set(err, ERROR_USAGE, "--until says when a lock ends, and nothing is locked here");
    return 0;
}

static int read_lists(struct policy_job *job, struct error *err)
{
    const struct policy_request *request = job->request;
    for (size_t i = 0; request->tags && i < request->tags->len; i++) {
        if (read_tag(job, request->tags->items[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; request->set && i < request->set->len; i++) {
        if (read_setting(job, request->set->items[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; request->unset && i < request->unset->len; i++) {
        if (check_key("--unset", request->unset->items[i], err) < 0)
            return -1;
        policy_changes_set(&job->changes, request->unset->items[i], NULL);
    }
    return 0;
}

static int read_request(struct policy_job *job, int64_t now_ms, struct error *err)
{
    const struct policy_request *request = job->request;
    if (check_request(request, err) < 0)
        return -1;
    if (request->automate || request->deautomate)
        policy_changes_set(&job->changes, "automated", request->automate ? "true" : NULL);
    if (request->lock && read_lock(job, now_ms, err) < 0)
        return -1;
    if (request->unlock)
        read_unlock(job);
    if (request->tag_all) {
        job->tag_all = read_pattern(request->tag_all, err);
        if (err->code)
            return usage(err, "--tag-all: invalid tag pattern");
        job->removes_all_tags = !job->tag_all;
    }
    if (read_lists(job, err) < 0)
        return -1;
    if (!job->changes.len && !request->tag_all)
        return error_set(err, ERROR_USAGE,
                         "nothing is asked for; say what to change, as with --tag or --automate");
    return 0;
}

struct policy_job *policy_job_new(const struct policy_request *request, int64_t now_ms, struct error *err)
{
    CLEANUP(policy_job_release) struct policy_job *job = xcalloc(1, sizeof(*job));
    *job = (struct policy_job){.request = request, .text = STRBUF_INIT};
    return read_request(job, now_ms, err) < 0 ? NULL : steal(&job);
}

void policy_job_free(struct policy_job *job)
{
    if (!job)
        return;
    policy_changes_release(&job->changes);
    free(job->tag_all);
    strbuf_release(&job->text);
    free(job);
}

void policy_job_release(struct policy_job **job)
{
    policy_job_free(*job);
    *job = NULL;
}

/* -- on the manifests of a head ------------------------------------------------------------------------------------ */

/* A policy for a container that is not there would be in git, and mean nothing. */
static int check_containers(const struct resource *workload, const struct policy_changes *changes,
                            struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf missing = STRBUF_INIT;
    for (size_t i = 0; i < changes->len; i++) {
        const char *dot = strchr(changes->items[i].policy, '.');
        if (!dot || !changes->items[i].value)
            continue;
        const struct container *container = resource_container(workload, dot + 1);
        if (!container && resource_has_chart(workload, dot + 1))
            continue;
        if (!container)
            strbuf_addf(&missing, "%s%s", missing.len ? ", " : "", dot + 1);
        else if (container->policy_text && str_starts_with(changes->items[i].policy, "tag."))
            return error_set(err, ERROR_UNSUPPORTED,
                             "%s:%d: the comment on this line says the policy of %s; change it there",
                             workload->file->path, container->line, container->name);
    }
    if (!missing.len)
        return 0;
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    for (size_t i = 0; i < workload->containers_len; i++)
        strbuf_addf(&known, "%s%s", i ? ", " : "", workload->containers[i].name);
    return error_set(err, ERROR_NOT_FOUND, "container(s) not found: %s; there are: %s", missing.buf,
                     known.buf);
}

/* The changes for this workload: those asked for, and tag_all for each container that they do not name. */
static void collect_changes(const struct policy_job *job, const struct resource *workload,
                            struct policy_changes *out)
{
    for (size_t i = 0; i < workload->containers_len && (job->tag_all || job->removes_all_tags); i++) {
        AUTO_FREE char *policy = xasprintf("tag.%s", workload->containers[i].name);
        policy_changes_set(out, policy, job->tag_all);
    }
    for (size_t i = 0; i < job->changes.len; i++)
        policy_changes_set(out, job->changes.items[i].policy, job->changes.items[i].value);
}

static void release_file(struct manifest_file **file)
{
    manifest_file_unref(*file);
}

static void release_policy(struct workload_policy **policy)
{
    workload_policy_free(*policy);
}

/* What the policies now say and did not say before; NULL: nothing is wrong. Borrowed from `new`. */
static const char *new_problem(const struct workload_policy *old, const struct workload_policy *new)
{
    if (new->blocked && (!old->blocked || strcmp(old->blocked, new->blocked) != 0))
        return new->blocked;
    for (size_t i = 0; i < new->containers_len &&i < old->containers_len; i++) {
        const char *now = new->containers[i].problem, *before = old->containers[i].problem;
        if (now && (!before || strcmp(now, before) != 0))
            return now;
    }
    return NULL;
}

/* Reads the edited manifest as a round would. */
static int check_meaning(const struct repository *r, const struct resource *workload,
                         const struct strbuf *text, struct error *err)
{
    CLEANUP(release_file)
    struct manifest_file *file =
        manifest_file_new(workload->file->path, xmemdupz(text->buf, text->len), text->len, r->default_space);
    for (size_t i = 0; i < file->resources_len; i++) {
        if (!resource_id_equal(&file->resources[i].id, &workload->id))
            continue;
        CLEANUP(release_policy) struct workload_policy *old = workload_policy_new(workload);
        CLEANUP(release_policy) struct workload_policy *new = workload_policy_new(&file->resources[i]);
        const char *problem = new_problem(old, new);
        if (problem)
            return error_set(err, ERROR_USAGE, "%s; nothing was written", problem);
    }
    return 0;
}

/* -- the commit ------------------------------------------------------------------------------------------------------ */

/* What happened, in Flux v1's words: a line each. Who locked and why belongs to the lock. */
static void add_events(const struct policy_changes *changes, const char *workload, struct strvec *out)
{
    static const struct {
        const char *policy, *set, *removed;
    } events[] = {{"automated", "Automated", "Deautomated"}, {"locked", "Locked", "Unlocked"}};
    static const char *const details[] = {"locked_user", "locked_msg", "locked-until"};
    size_t told = 0;
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        const struct policy_change *change = policy_changes_find(changes, events[i].policy);
        if (!change)
            continue;
        told++;
        bool is_set = change->value && !strcmp(change->value, "true");
        strvec_push_owned(out, xasprintf("%s: %s", is_set ? events[i].set : events[i].removed, workload));
    }
    for (size_t i = 0; policy_changes_find(changes, "locked") && i < ARRAY_LEN(details); i++)
        told += policy_changes_find(changes, details[i]) != NULL;
    if (told < changes->len)
        strvec_push_owned(out, xasprintf("Updated policies: %s", workload));
}

static char *message_of(const struct policy_request *request, const struct policy_changes *changes,
                        const char *workload)
{
    CLEANUP(strvec_release) struct strvec events = STRVEC_INIT;
    CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;
    add_events(changes, workload, &events);
    bool is_titled = (request->message && *request->message) || events.len > 1;
    if (is_titled)
        strbuf_addf(&message, "%s\n\n",
                    request->message && *request->message ? request->message : "Updated workload policies");
    for (size_t i = 0; i < events.len; i++)
        strbuf_addf(&message, "%s%s\n", is_titled ? "- " : "", events.items[i]);
    return strbuf_detach(&message, NULL);
}

static void propose(struct policy_job *job, const struct resource *workload,
                    const struct policy_changes *changes, const char *name, struct proposal *proposal)
{
    struct proposed_commit *commit = proposal_add(proposal, message_of(job->request, changes, name), 1);
    commit->files[0] =
        (struct commit_file){.path = workload->file->path, .bytes = job->text.buf, .len = job->text.len};
}

static bool is_unchanged(const struct manifest_file *file, const struct strbuf *text)
{
    return file->len == text->len && !memcmp(file->text, text->buf, text->len);
}

/* -1: the workload's result is a failure. */
static int edit(struct policy_job *job, const struct resource *workload, const struct policy_changes *changes,
                struct error *err)
{
    strbuf_reset(&job->text);
    if (check_containers(workload, changes, err) < 0)
        return -1;
    if (policy_edit(workload, changes, &job->text, err) < 0)
        return error_wrap(err, "%s", workload->file->path);
    return 0;
}

static int decide(struct repository *r, UNUSED const char *head, const struct manifest_set *manifests,
                  struct proposal *proposal, struct result_list *results, void *context, struct error *err)
{
    struct policy_job *job = context;
    const struct policy_request *request = job->request;
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    if (resource_id_parse(request->workload, request->space ? request->space : r->default_space, &id, err) <
        0)
        return usage(err, "--workload");
    AUTO_FREE char *name = resource_id_text(&id);
    struct error problem = ERROR_INIT;
    CLEANUP(policy_changes_release) struct policy_changes changes = {.items = NULL};
    const struct resource *workload = workload_find(manifests, &id, &problem);
    if (workload)
        collect_changes(job, workload, &changes);
    if (!workload || edit(job, workload, &changes, &problem) < 0) {
        result_add(results, name, RESULT_FAILED, xstrdup(problem.text));
        return 0;
    }
    if (is_unchanged(workload->file, &job->text)) {
        result_add(results, name, RESULT_SKIPPED, xstrdup("it is so already"));
        return 0;
    }
    if (check_meaning(r, workload, &job->text, err) < 0)
        return error_wrap(err, "%s", name);
    propose(job, workload, &changes, name, proposal);
    result_add(results, name, RESULT_SUCCESS, NULL);
    return 0;
}

struct job policy_job_of(struct policy_job *job)
{
    return (struct job){.decide = decide, .context = job};
}
