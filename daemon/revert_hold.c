#include "daemon/revert_hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "daemon/commit_note.h"
#include "daemon/image_history.h"
#include "daemon/repository.h"
#include "updater/workload_policy.h"

struct revert_hold {
    char head[GIT_ID_SIZE];
    struct strmap reasons; /* "WORKLOAD CONTAINER IMAGE" -> why it is held; "" it is not */
};

struct revert_hold *revert_hold_new(void)
{
    struct revert_hold *holds = xcalloc(1, sizeof(*holds));
    strmap_init(&holds->reasons, free);
    return holds;
}

void revert_hold_free(struct revert_hold *holds)
{
    if (!holds)
        return;
    strmap_release(&holds->reasons);
    free(holds);
}

/* One decision, and what the history says of it. */
struct inquiry {
    const struct decision *decision;
    struct image_ref target;
    char commit[GIT_ID_SIZE]; /* the newest that moved the container off the target; "" none */
    bool is_lifted;           /* by a newer one */
};

static bool is_target(const struct inquiry *inquiry, const struct container *container)
{
    return container && container->image.text && image_ref_equal(&container->image, &inquiry->target);
}

static int find_move_off(const struct workload_step *step, void *context, struct error *err UNUSED)
{
    struct inquiry *inquiry = context;
    const char *name = inquiry->decision->container->name;
    /* Also by taking it away, or making its file one that cannot be read: it is back since, and not on the target, or
     * something newer would have been found. */
    if (is_target(inquiry, resource_container(step->after, name)) ||
        !is_target(inquiry, resource_container(step->before, name)))
        return 0;
    memcpy(inquiry->commit, step->commit, sizeof(inquiry->commit));
    return 1;
}

/* The container's policy as text, "" if it has none that compiles. free() it. */
static char *policy_text(const struct workload_policy *policy, const char *container)
{
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (!strcmp(each->container->name, container))
            return xstrdup(each->policy ? tag_policy_text(each->policy) : each->problem);
    }
    return xstrdup("");
}

static void release_policy(struct workload_policy **policy)
{
    workload_policy_free(*policy);
}

static bool lifts(const struct workload_step *step, const char *container)
{
    if (!step->before || !step->after)
        return false;
    CLEANUP(release_policy) struct workload_policy *before = workload_policy_new(step->before);
    CLEANUP(release_policy) struct workload_policy *after = workload_policy_new(step->after);
    AUTO_FREE char *old_text = policy_text(before, container);
    AUTO_FREE char *new_text = policy_text(after, container);
    return (before->locked && !after->locked) || strcmp(old_text, new_text) != 0;
}

/* Looks at what is newer than the move. */
static int find_lift(const struct workload_step *step, void *context, struct error *err UNUSED)
{
    struct inquiry *inquiry = context;
    if (!strcmp(step->commit, inquiry->commit))
        return 1;
    inquiry->is_lifted = lifts(step, inquiry->decision->container->name);
    return inquiry->is_lifted;
}

/* Who asked for it: the author of what `pawl rollback` and the like commit is most often pawl. */
static char *describe(const struct inquiry *inquiry, const struct commit_info *info, const json_t *note)
{
    const char *user = note ? commit_note_user(note) : NULL;
    return xasprintf(
        "held: %s was taken back by %s with commit %.7s; a newer one will be taken, or this one after "
        "a release of it",
        inquiry->decision->candidate, user ? user : info->author, inquiry->commit);
}

/* Where that cannot be told: yes, unless automation would have words of its own. An update that waits is better than one
 * that somebody took back. */
static bool is_by_person(const struct config *config, const struct commit_info *info, const json_t *note)
{
    enum commit_maker maker = commit_maker(config, info, note);
    return maker == MADE_BY_PERSON || (maker == MADE_BY_EITHER && !config->commit_template);
}

/* Sets *reason, "" if it is not held. */
static int inquire(struct repository *r, const char *head, struct inquiry *inquiry, char **reason,
                   struct error *err)
{
    const struct image_ref *target = &inquiry->target;
    struct history_question question = {.head = head, .workload = inquiry->decision->resource};
    question.word = target->digest ? target->digest : image_ref_written_tag(target);
    if (workload_history(r, &question, find_move_off, inquiry, err) < 0)
        return -1;
    CLEANUP(commit_info_release) struct commit_info info = {.author = NULL};
    *reason = NULL;
    if (inquiry->commit[0] && mirror_commit_info(r->mirror, inquiry->commit, &info, err) < 0)
        return -1;
    AUTO_JSON json_t *note = inquiry->commit[0] ? commit_note_read(r->mirror, inquiry->commit) : NULL;
    if (inquiry->commit[0] && is_by_person(r->config, &info, note)) {
        question.word = NULL;
        if (workload_history(r, &question, find_lift, inquiry, err) < 0)
            return -1;
        if (!inquiry->is_lifted)
            *reason = describe(inquiry, &info, note);
    }
    *reason = *reason ? *reason : xstrdup("");
    return 0;
}

static void release_inquiry(struct inquiry *inquiry)
{
    image_ref_release(&inquiry->target);
}

/* The reason, "" if it is not held; NULL: err is set. Borrowed. */
static const char *ask(struct repository *r, const char *head, const struct decision *decision,
                       struct error *err)
{
    AUTO_FREE char *id = resource_id_text(&decision->resource->id);
    AUTO_FREE char *key = xasprintf("%s %s %s", id, decision->container->name, decision->target);
    const char *known = strmap_get(&r->reverts->reasons, key);
    if (known)
        return known;
    CLEANUP(release_inquiry) struct inquiry inquiry = {.decision = decision, .target = IMAGE_REF_INIT};
    char *reason = NULL;
    if (image_ref_parse_any(decision->target, &inquiry.target, err) < 0 ||
        inquire(r, head, &inquiry, &reason, err) < 0)
        return NULL;
    strmap_set(&r->reverts->reasons, key, reason);
    return reason;
}

static void hold(struct decision *decision, const char *reason)
{
    decision->kind = DECISION_HELD;
    decision->cause = CAUSE_REVERTED;
    free(steal(&decision->target));
    free(decision->reason);
    decision->reason = xstrdup(reason);
}

static void forget_other_heads(struct revert_hold *holds, const char *head)
{
    if (!strcmp(holds->head, head))
        return;
    snprintf(holds->head, sizeof(holds->head), "%s", head);
    strmap_release(&holds->reasons);
    strmap_init(&holds->reasons, free);
}

int revert_hold_apply(struct repository *r, const char *head, struct decision *decisions, size_t len,
                      struct error *err)
{
    forget_other_heads(r->reverts, head);
    for (size_t i = 0; i < len; i++) {
        if (decisions[i].kind != DECISION_UPDATE)
            continue;
        const char *reason = ask(r, head, &decisions[i], err);
        if (!reason)
            return error_wrap(err, "reading the history of %s", decisions[i].resource->file->path);
        if (*reason)
            hold(&decisions[i], reason);
    }
    return 0;
}
