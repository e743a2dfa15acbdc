#include "deploy/kube_apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "deploy/kube_before.h"
#include "deploy/kube_object.h"

#define SETTLE_POLL_MS 250

static bool is_unresolved(const struct plan_item *item)
{
    return !item->is_decided && !item->collection;
}

/* -- kinds ----------------------------------------------------------------------------------------------- */

int kube_apply_resolve(struct kube_apply *apply, struct error *err)
{
    struct apply_plan *plan = apply->plan;
    for (size_t i = 0; i < plan->len; i++) {
        if (is_unresolved(&plan->items[i]))
            discovery_want(apply->discovery, plan->items[i].api_version);
    }
    if (discovery_fetch(apply->discovery, apply->client, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->len; i++) {
        struct plan_item *item = &plan->items[i];
        struct error why = ERROR_INIT;
        if (!is_unresolved(item) ||
            plan_item_resolve(item, apply->discovery, apply->default_space, &why) == 0)
            continue;
        if (why.code != ERROR_NOT_FOUND || !apply_plan_definition(plan, item))
            plan_item_decide(item, APPLY_FAILED, xstrdup(why.text));
    }
    return 0;
}

/* Decides what an unresolved item's definition leaves no hope for, or need not be waited for. */
static void decide_by_definition(const struct kube_apply *apply, struct plan_item *item)
{
    const struct plan_item *definition = apply_plan_definition(apply->plan, item);
    if (plan_item_has_failed(definition) || (definition->is_decided && definition->result == APPLY_SKIPPED))
        plan_item_decide(item, APPLY_SKIPPED,
                         xasprintf("its CustomResourceDefinition %s was not applied", definition->name));
    else if (apply->dry_run)
        plan_item_decide(item, APPLY_CREATED, xstrdup("not checked: this commit brings its kind"));
}

/* Why the server will not serve a definition; NULL if it may yet. free() it. */
static char *definition_refusal(const json_t *definition)
{
    size_t i;
    json_t *condition;
    json_array_foreach(json_object_get(json_object_get(definition, "status"), "conditions"), i, condition)
    {
        const char *type = json_string_at(condition, "type"), *status = json_string_at(condition, "status");
        const char *message = json_string_at(condition, "message");
        if (type && status && strcmp(type, "NamesAccepted") == 0 && strcmp(status, "False") == 0)
            return xasprintf(
                "the API server does not accept the names of its CustomResourceDefinition: %.300s",
                message ? message : "no reason given");
    }
    return NULL;
}

/* Asks for each definition that is waited for whether it was refused; then all its items are decided. */
static int check_definitions(struct kube_apply *apply, struct error *err)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *key;
    void *definition;
    while (strmap_next(&apply->plan->definitions, &cursor, &key, &definition)) {
        AUTO_FREE char *refusal = NULL;
        bool was_asked = false;
        for (size_t i = 0; i < apply->plan->len; i++) {
            struct plan_item *item = &apply->plan->items[i];
            if (!is_unresolved(item) || apply_plan_definition(apply->plan, item) != definition)
                continue;
            if (!was_asked) {
                CLEANUP(kube_reply_release) struct kube_reply reply;
                AUTO_FREE char *path = plan_item_path(definition);
                if (kube_client_perform(apply->client, &(struct kube_request){.path = path}, &reply, err) < 0)
                    return -1;
                refusal = definition_refusal(reply.body);
                was_asked = true;
            }
            if (refusal)
                plan_item_decide(item, APPLY_FAILED, xstrdup(refusal));
        }
    }
    return 0;
}

/* Unresolved items, after deciding those that need not wait. */
static size_t count_waiting(struct kube_apply *apply)
{
    size_t waiting = 0;
    for (size_t i = 0; i < apply->plan->len; i++) {
        struct plan_item *item = &apply->plan->items[i];
        if (is_unresolved(item))
            decide_by_definition(apply, item);
        if (!is_unresolved(item))
            continue;
        discovery_refresh(apply->discovery, item->api_version);
        waiting++;
    }
    return waiting;
}

int kube_apply_await_kinds(struct kube_apply *apply, struct error *err)
{
    int64_t deadline = clock_monotonic_ms(apply->clock) + KUBE_SETTLE_MS;
    while (count_waiting(apply)) {
        if (check_definitions(apply, err) < 0 || kube_apply_resolve(apply, err) < 0)
            return -1;
        if (!count_waiting(apply))
            break;
        if (clock_monotonic_ms(apply->clock) >= deadline) {
            for (size_t i = 0; i < apply->plan->len; i++) {
                if (is_unresolved(&apply->plan->items[i]))
                    plan_item_decide(&apply->plan->items[i], APPLY_FAILED,
                                     xstrdup("its CustomResourceDefinition was applied, but the API server "
                                             "does not serve the kind and version yet"));
            }
            break;
        }
        kube_client_sleep(SETTLE_POLL_MS);
    }
    return kube_read_before(apply->plan, apply->client, apply->dry_run, err);
}

/* -- writing --------------------------------------------------------------------------------------------- */

/* One item on its way. */
struct patch {
    struct kube_apply *apply;
    struct plan_item *item;
    int64_t started_ms;
    char *last_text; /* why it is tried again */
};

static void patch_release(struct patch *patch)
{
    free(patch->last_text);
}

static char *success_message(const struct kube_reply *reply)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    if (json_string_at(json_object_get(reply->body, "metadata"), "deletionTimestamp"))
        strbuf_addstr(&out,
                      "terminating: the object is being deleted; the next apply after that makes it anew");
    if (reply->warnings)
        strbuf_addf(&out, "%swarning: %s", out.len ? "; " : "", reply->warnings);
    return out.len ? strbuf_detach(&out, NULL) : NULL;
}

static void decide_done(const struct kube_apply *apply, struct plan_item *item,
                        const struct kube_reply *reply)
{
    bool same = item->before == BEFORE_PRESENT &&
                (apply->dry_run ? kube_object_same_content(item->before_object, reply->body)
                                : kube_is_unchanged(item->before_object, reply->body));
    enum apply_result result = reply->status.code == 201 ? APPLY_CREATED
                               : same                    ? APPLY_UNCHANGED
                                                         : APPLY_CONFIGURED;
    plan_item_decide(item, result, success_message(reply));
}

static bool was_written(const struct plan_item *item)
{
    return item && item->is_decided && (item->result == APPLY_CREATED || item->result == APPLY_CONFIGURED);
}

/* How long a refusal of this item may be the cluster's catching up with this very commit. */
static int64_t settle_ms(const struct kube_apply *apply, const struct plan_item *item,
                         enum kube_verdict verdict)
{
    if (apply->dry_run || !was_written(apply_plan_definition(apply->plan, item)))
        return 0;
    return verdict == KUBE_UNKNOWN_KIND ? KUBE_SETTLE_MS
           : verdict == KUBE_BAD_FIELDS ? KUBE_SCHEMA_SETTLE_MS
                                        : 0;
}

/* A dry run cannot be refused for the want of what the real run would make first. */
static bool is_excused(const struct kube_apply *apply, const struct plan_item *item,
                       enum kube_verdict verdict)
{
    const struct plan_item *needed = verdict == KUBE_NO_NAMESPACE   ? apply_plan_namespace(apply->plan, item)
                                     : verdict == KUBE_UNKNOWN_KIND ? apply_plan_definition(apply->plan, item)
                                                                    : NULL;
    return apply->dry_run && was_written(needed);
}

static char *failure_message(const struct plan_item *item, const struct kube_reply *reply)
{
    char *text = kube_reply_text(reply, plan_item_is_secret(item));
    AUTO_FREE char *words = text;
    switch (reply->status.verdict) {
    case KUBE_NO_NAMESPACE:
        return xasprintf("namespace %s does not exist: add a Namespace to the repository or create it",
                         item->space ? item->space : "");
    case KUBE_NO_APPLY:
        return xasprintf("its API server does not know server-side apply: %s", words);
    case KUBE_RETRY:
        return xasprintf("still refused after %u attempts: %s", KUBE_ATTEMPTS, words);
    case KUBE_DONE:
    case KUBE_UNAUTHORIZED:
    case KUBE_FORBIDDEN:
    case KUBE_UNKNOWN_KIND:
    case KUBE_NOT_FOUND:
    case KUBE_BAD_FIELDS:
    case KUBE_REFUSED:
        break;
    }
    return steal(&words);
}

static void patched(struct kube_reply *reply, void *context)
{
    struct patch *patch = context;
    struct kube_apply *apply = patch->apply;
    struct plan_item *item = patch->item;
    enum kube_verdict verdict = reply->status.verdict;
    if (reply->body) {
        decide_done(apply, item, reply);
    } else if (!reply->error.code && is_excused(apply, item, verdict)) {
        plan_item_decide(item, APPLY_CREATED, xstrdup("not checked: this commit brings what it needs"));
    } else {
        free(patch->last_text);
        patch->last_text = failure_message(item, reply);
        int64_t waited = clock_monotonic_ms(apply->clock) - patch->started_ms;
        if (reply->error.code || waited >= settle_ms(apply, item, verdict))
            plan_item_decide(item, APPLY_FAILED, steal(&patch->last_text));
    }
}

static void send_patch(struct patch *patch)
{
    const struct kube_apply *apply = patch->apply;
    AUTO_FREE char *object = plan_item_path(patch->item);
    AUTO_FREE char *path = xasprintf("%s?fieldManager=%s&force=true%s", object, KUBE_FIELD_MANAGER,
                                     apply->dry_run ? "&dryRun=All" : "");
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .accept = apply->dry_run ? KUBE_JSON : KUBE_METADATA,
        .content_type = KUBE_APPLY_PATCH,
        .body = patch->item->object,
    };
    kube_client_send(apply->client, &request, patched, patch);
}

/* True if it failed and is not in the cluster from before, as far as we may look. */
static bool is_missing(const struct plan_item *needed)
{
    return needed && plan_item_has_failed(needed) &&
           (needed->before == BEFORE_ABSENT || !needed->was_looked_up);
}

/* True if it must not be sent, since what it needs is known to be missing. */
static bool skip_for_need(const struct kube_apply *apply, struct plan_item *item)
{
    const struct plan_item *space = apply_plan_namespace(apply->plan, item);
    const struct plan_item *definition = apply_plan_definition(apply->plan, item);
    const struct plan_item *missing = is_missing(space) ? space : is_missing(definition) ? definition : NULL;
    if (!missing)
        return false;
    plan_item_decide(item, APPLY_SKIPPED,
                     xasprintf("its %s %s was not applied", missing->kind, missing->name));
    return true;
}

/* Sends what is undecided; the number of items that are undecided still. -1: the run failed. */
static int send_undecided(struct kube_apply *apply, struct patch *patches, size_t len, size_t *left,
                          struct error *err)
{
    for (size_t i = 0; i < len; i++) {
        if (!patches[i].item->is_decided)
            send_patch(&patches[i]);
    }
    if (kube_client_run(apply->client, err) < 0)
        return -1;
    *left = 0;
    for (size_t i = 0; i < len; i++)
        *left += !patches[i].item->is_decided;
    return 0;
}

int kube_apply_rank(struct kube_apply *apply, enum apply_rank rank, struct error *err)
{
    struct apply_plan *plan = apply->plan;
    AUTO_FREE struct patch *patches = xcalloc(plan->len + 1, sizeof(*patches));
    int64_t now = clock_monotonic_ms(apply->clock);
    size_t len = 0, left = 0;
    for (size_t i = 0; i < plan->len; i++) {
        struct plan_item *item = &plan->items[i];
        if (item->rank == rank && !item->is_decided && item->collection && !skip_for_need(apply, item))
            patches[len++] = (struct patch){apply, item, now, NULL};
    }
    int result = send_undecided(apply, patches, len, &left, err);
    while (result == 0 && left) {
        kube_client_sleep(SETTLE_POLL_MS);
        result = send_undecided(apply, patches, len, &left, err);
    }
    for (size_t i = 0; i < len; i++)
        patch_release(&patches[i]);
    return result;
}
