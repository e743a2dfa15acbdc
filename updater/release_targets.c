#include "updater/release_targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Why a container gets no other image; the later, the more it tells. */
enum outcome {
    OUTCOME_NONE,
    OUTCOME_NOT_USED,
    OUTCOME_UP_TO_DATE,
    OUTCOME_NOT_FOUND,
    OUTCOME_HELD,
};

static const struct {
    enum result_status status;
    const char *text; /* NULL: the detail says it all */
} outcomes[] = {
    [OUTCOME_NONE] = {RESULT_IGNORED, "does not use image(s)"},
    [OUTCOME_NOT_USED] = {RESULT_IGNORED, "does not use image(s)"},
    [OUTCOME_UP_TO_DATE] = {RESULT_SKIPPED, "image(s) up to date"},
    [OUTCOME_NOT_FOUND] = {RESULT_SKIPPED, "cannot find one or more images"},
    [OUTCOME_HELD] = {RESULT_SKIPPED, NULL},
};

/* One workload on its way to a result. */
struct tally {
    const struct resource *resource;
    struct target_list *targets;
    size_t targets_before;
    enum outcome worst;
    char *detail; /* of the worst; NULL: none */
};

/* Takes over `detail`. */
static void note(struct tally *tally, enum outcome outcome, char *detail)
{
    if (outcome <= tally->worst) {
        free(detail);
        return;
    }
    free(tally->detail);
    tally->detail = detail;
    tally->worst = outcome;
}

static void note_container(struct tally *tally, enum outcome outcome, const struct container *container,
                           const char *why)
{
    note(tally, outcome, xasprintf("%s: %s", container->name, why));
}

static void finish(struct tally *tally, struct result_list *results)
{
    AUTO_FREE char *detail = steal(&tally->detail);
    if (tally->targets->len > tally->targets_before)
        return; /* its result is that of the edit */
    AUTO_FREE char *id = resource_id_text(&tally->resource->id);
    const char *text = outcomes[tally->worst].text;
    char *message = text && detail ? xasprintf("%s: %s", text, detail) : xstrdup(text ? text : detail);
    result_add(results, id, outcomes[tally->worst].status, message);
}

static struct tally tally_of(const struct workload_policy *policy, struct target_list *targets)
{
    return (struct tally){.resource = policy->resource, .targets = targets, .targets_before = targets->len};
}

/* Past the last of the policies from `first` on that are of the same resource. */
static size_t group_end(const struct workload_selection *selection, size_t first)
{
    size_t end = first + 1;
    while (end < selection->len && selection->items[end]->resource == selection->items[first]->resource)
        end++;
    return end;
}

/* -- all latest -------------------------------------------------------------------------------------------- */

void release_unlock(struct workload_selection *selection)
{
    for (size_t i = 0; i < selection->len; i++) {
        struct workload_policy *policy = selection->items[i];
        policy->automated = true;
        policy->locked = policy->ignored = false;
        for (size_t k = 0; k < policy->containers_len; k++)
            policy->containers[k].allows_downgrade = true;
    }
}

static void take_decision(struct tally *tally, const struct decision *decision)
{
    const struct container *container = decision->container;
    if (decision->kind == DECISION_UPDATE)
        target_list_add(tally->targets, tally->resource, container, xstrdup(decision->target),
                        xstrdup(decision->reason));
    else if (decision->kind == DECISION_CURRENT && decision->candidate)
        note(tally, OUTCOME_UP_TO_DATE, NULL);
    else if (decision->kind == DECISION_CURRENT)
        note_container(tally, OUTCOME_NOT_USED, container, decision->reason);
    else if (decision->kind == DECISION_HELD && decision->cause != CAUSE_STALE)
        note_container(tally, OUTCOME_HELD, container, decision->reason);
    else
        note_container(tally, OUTCOME_NOT_FOUND, container, decision->reason);
}

void release_latest(const struct workload_selection *selection, const struct decision *decisions,
                    struct target_list *targets, struct result_list *results)
{
    for (size_t first = 0, end; first < selection->len; first = end) {
        struct tally tally = tally_of(selection->items[first], targets);
        end = group_end(selection, first);
        for (size_t i = first; i < end; i++) {
            for (size_t k = 0; k < selection->items[i]->containers_len; k++)
                take_decision(&tally, decisions++);
        }
        finish(&tally, results);
    }
}

/* -- one image --------------------------------------------------------------------------------------------- */

/* The name as it is written, the tag asked for; with the tag's digest where there is one now. */
static char *with_image(const struct container *container, const char *tag, const char *digest)
{
    char *text = image_ref_with_tag(&container->image, tag);
    if (!container->image.digest || !digest)
        return text;
    AUTO_FREE char *owned = text;
    return xasprintf("%s@%s", owned, digest);
}

static void take_image(struct tally *tally, const struct container_policy *mine,
                       const struct release_spec *spec, const char *digest)
{
    const struct container *container = mine->container;
    const char *tag = spec->image.tag;
    if (!spec->force && mine->overridden) {
        AUTO_FREE char *why =
            xasprintf("held: overridden by the kustomization's entry in %s", mine->overridden);
        note_container(tally, OUTCOME_HELD, container, why);
        return;
    }
    if (!spec->force && !mine->policy) {
        note_container(tally, OUTCOME_NOT_FOUND, container, mine->problem);
        return;
    }
    if (!spec->force && tag_policy_match(mine->policy, tag) != TAG_MATCHES) {
        AUTO_FREE char *why = xasprintf("%s does not match %s; --force takes it all the same", tag,
                                        tag_policy_text(mine->policy));
        note_container(tally, OUTCOME_NOT_FOUND, container, why);
        return;
    }
    AUTO_FREE char *image = with_image(container, tag, digest);
    CLEANUP(image_ref_release) struct image_ref wanted = IMAGE_REF_INIT;
    if (image_ref_parse_any(image, &wanted, NULL) == 0 && image_ref_equal(&wanted, &container->image))
        note(tally, OUTCOME_UP_TO_DATE, NULL);
    else
        target_list_add(tally->targets, tally->resource, container, steal(&image),
                        xasprintf("%s, asked for by hand", tag));
}

static bool is_of_repository(const struct image_ref *image, const struct image_ref *wanted)
{
    return image->text && !strcmp(image->host, wanted->host) && !strcmp(image->path, wanted->path);
}

static void take_images(struct tally *tally, const struct workload_policy *policy,
                        const struct release_spec *spec, const char *digest)
{
    for (size_t k = 0; k < policy->containers_len; k++) {
        if (is_of_repository(&policy->containers[k].container->image, &spec->image))
            take_image(tally, &policy->containers[k], spec, digest);
    }
}

void release_image(const struct release_spec *spec, const struct workload_selection *selection,
                   const char *digest, struct target_list *targets, struct result_list *results)
{
    for (size_t first = 0, end; first < selection->len; first = end) {
        struct tally tally = tally_of(selection->items[first], targets);
        end = group_end(selection, first);
        for (size_t i = first; i < end; i++)
            take_images(&tally, selection->items[i], spec, digest);
        finish(&tally, results);
    }
}

/* -- containers, one by one -------------------------------------------------------------------------------- */

/* What is wrong with the specs of a workload. */
struct misfits {
    struct strbuf not_found, mismatched;
};

static void release_misfits(struct misfits *misfits)
{
    strbuf_release(&misfits->not_found);
    strbuf_release(&misfits->mismatched);
}

static void add_name(struct strbuf *list, const char *name)
{
    strbuf_addf(list, "%s%s", list->len ? ", " : "", name);
}

static void take_container(struct tally *tally, const struct container_spec *spec, struct misfits *misfits)
{
    const struct container *container = resource_container(tally->resource, spec->container);
    if (!container) {
        add_name(&misfits->not_found, spec->container);
        return;
    }
    const char *text = container->image.text ? container->image.text : "";
    if (spec->current && strcmp(spec->current, text) != 0)
        add_name(&misfits->mismatched, spec->container);
    else if (!strcmp(spec->target, text))
        note(tally, OUTCOME_UP_TO_DATE, NULL);
    else
        target_list_add(tally->targets, tally->resource, container, xstrdup(spec->target),
                        xstrdup("asked for by hand"));
}

static char *describe_misfits(const struct misfits *misfits)
{
    if (!misfits->not_found.len && !misfits->mismatched.len)
        return NULL;
    return misfits->not_found.len ? xasprintf("container(s) not found: %s", misfits->not_found.buf)
                                  : xasprintf("container(s) tag mismatch: %s", misfits->mismatched.buf);
}

static void release_workload(const struct release_spec *spec, const struct workload_policy *policy,
                             struct target_list *targets, struct result_list *results)
{
    AUTO_FREE char *id = resource_id_text(&policy->resource->id);
    struct tally tally = tally_of(policy, targets);
    CLEANUP(release_misfits) struct misfits misfits = {STRBUF_INIT, STRBUF_INIT};
    for (size_t i = 0; i < spec->containers_len; i++) {
        if (!strcmp(spec->containers[i].workload, id))
            take_container(&tally, &spec->containers[i], &misfits);
    }
    char *problem = describe_misfits(&misfits);
    if (!problem) {
        finish(&tally, results);
        return;
    }
    targets->len = tally.targets_before;
    result_add(results, id, RESULT_FAILED, problem);
    free(tally.detail);
}

void release_containers(const struct release_spec *spec, const struct workload_selection *selection,
                        struct target_list *targets, struct result_list *results)
{
    for (size_t i = 0; i < selection->len; i = group_end(selection, i))
        release_workload(spec, selection->items[i], targets, results);
}
