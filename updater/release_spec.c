#include "updater/release_spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/workload_lookup.h"
#include "updater/release_policies.h"

void release_spec_release(struct release_spec *spec)
{
    strvec_release(&spec->workloads);
    strvec_release(&spec->excludes);
    image_ref_release(&spec->image);
    for (size_t i = 0; i < spec->containers_len; i++) {
        free(spec->containers[i].workload);
        free(spec->containers[i].container);
        free(spec->containers[i].current);
        free(spec->containers[i].target);
    }
    free(spec->containers);
    *spec = (struct release_spec)RELEASE_SPEC_INIT;
}

int release_spec_add_ids(const struct strvec *texts, const char *space, struct strvec *out, struct error *err)
{
    for (size_t i = 0; i < texts->len; i++) {
        CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
        if (resource_id_parse(texts->items[i], space, &id, err) < 0) {
            err->code = ERROR_USAGE;
            return -1;
        }
        AUTO_FREE char *text = resource_id_text(&id);
        if (!strvec_contains(out, text))
            strvec_push(out, text);
    }
    return 0;
}

int release_spec_set_image(struct release_spec *spec, const char *image, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    if (image_ref_parse_any(image, &ref, err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    if (ref.digest)
        return error_set(
            err, ERROR_USAGE,
            "%s: a release is by tag; leave the digest out (pawl.dev/digest: pin has it written)", image);
    if (!ref.tag)
        return error_set(err, ERROR_USAGE,
                         "%s: blank tag (if you want latest, explicitly state the tag :latest)", image);
    spec->kind = RELEASE_IMAGE;
    spec->image = ref;
    ref = (struct image_ref)IMAGE_REF_INIT;
    return 0;
}

int release_spec_add_container(struct release_spec *spec, const char *workload, const char *container,
                               const char *current, const char *target, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    if (image_ref_parse_any(target, &ref, err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    if (!ref.tag && !ref.digest)
        return error_set(err, ERROR_USAGE,
                         "%s: blank tag (if you want latest, explicitly state the tag :latest)", target);
    for (size_t i = 0; i < spec->containers_len; i++) {
        const struct container_spec *other = &spec->containers[i];
        if (!strcmp(other->workload, workload) && !strcmp(other->container, container))
            return error_set(err, ERROR_USAGE, "two images are given for the container %s of %s", container,
                             workload);
    }
    spec->kind = RELEASE_CONTAINERS;
    vec_grow(spec->containers, spec->containers_len, spec->containers_capacity);
    spec->containers[spec->containers_len++] = (struct container_spec){.workload = xstrdup(workload),
                                                                       .container = xstrdup(container),
                                                                       .current = xstrdup(current),
                                                                       .target = xstrdup(target)};
    return 0;
}

/* -- the filters ------------------------------------------------------------------------------------------- */

void workload_selection_release(struct workload_selection *selection)
{
    for (size_t i = 0; i < selection->len; i++)
        workload_policy_free(selection->items[i]);
    free(selection->items);
    *selection = (struct workload_selection){.items = NULL};
}

/* A workload before the filters. */
struct candidate {
    const struct release_spec *spec;
    const struct resource *resource;
    const struct workload_policy *policy;
    const char *id;
};

static bool is_not_included(const struct candidate *c)
{
    return c->spec->workloads.len && !strvec_contains(&c->spec->workloads, c->id);
}

static bool is_excluded(const struct candidate *c)
{
    return strvec_contains(&c->spec->excludes, c->id);
}

static bool has_other_images(const struct candidate *c)
{
    const struct image_ref *wanted = &c->spec->image;
    if (c->spec->kind != RELEASE_IMAGE)
        return false;
    for (size_t i = 0; i < c->policy->containers_len; i++) {
        const struct image_ref *image = &c->policy->containers[i].container->image;
        if (image->text && !strcmp(image->host, wanted->host) && !strcmp(image->path, wanted->path))
            return false;
    }
    return true;
}

/* Only for workloads that were named: nobody means to break every lock there is. */
static bool is_forced(const struct candidate *c)
{
    return c->spec->force && c->spec->workloads.len;
}

static bool is_locked(const struct candidate *c)
{
    return workload_policy_is_locked(c->policy, c->spec->now_ms) && !is_forced(c);
}

static bool is_ignored(const struct candidate *c)
{
    return c->policy->ignored && !is_forced(c);
}

static const struct filter {
    bool (*fails)(const struct candidate *candidate);
    enum result_status status;
    const char *reason;
} filters[] = {
    {is_not_included, RESULT_IGNORED, "not included"},
    {is_excluded, RESULT_IGNORED, "excluded"},
    {has_other_images, RESULT_IGNORED, "a different image"},
    {is_locked, RESULT_SKIPPED, "locked"},
    {is_ignored, RESULT_SKIPPED, "ignore"},
};

/* What stands against any change of the workload; NULL: nothing. */
static char *find_defect(const struct candidate *c)
{
    const struct manifest_file *file = c->resource->file;
    if (c->resource->is_duplicate)
        return xasprintf("%s:%d: it is defined more than once", file->path, c->resource->line);
    if (c->policy->blocked)
        return xasprintf("%s:%d: %s", file->path, c->policy->blocked_line, c->policy->blocked);
    return NULL;
}

/* Why it does not pass, and with which status; NULL: it does. free() it. */
static char *find_obstacle(const struct candidate *c, enum result_status *status)
{
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        *status = filters[i].status;
        if (filters[i].fails(c))
            return xstrdup(filters[i].reason);
    }
    *status = RESULT_SKIPPED;
    return find_defect(c);
}

/* Whether a release of containers names one of the policy's. */
static bool is_concerned(const struct release_spec *spec, const struct workload_policy *policy)
{
    for (size_t i = 0; i < spec->containers_len; i++) {
        for (size_t k = 0; k < policy->containers_len; k++) {
            if (!strcmp(spec->containers[i].container, policy->containers[k].container->name))
                return true;
        }
    }
    return spec->kind != RELEASE_CONTAINERS;
}

/* The policies of one resource, which are several only of a kustomization. */
struct group {
    struct workload_policy **items;
    size_t len;
    const char *id;
};

static bool has_concerned(const struct release_spec *spec, const struct group *group)
{
    for (size_t i = 0; i < group->len; i++) {
        if (is_concerned(spec, group->items[i]))
            return true;
    }
    return false;
}

/*
 * Selects those that pass. Where none does the reason is the result, of several the first that is no mere "not meant"; of
 * a release of containers one that does not is enough, since a workload is then released as a whole or not. True if any was
 * selected.
 */
static bool select_group(const struct release_spec *spec, struct group *group,
                         struct workload_selection *selection, struct result_list *results)
{
    AUTO_FREE char *reason = NULL;
    enum result_status status = RESULT_SKIPPED;
    size_t before = selection->len;
    bool any = has_concerned(spec, group);
    for (size_t i = 0; i < group->len; i++) {
        struct workload_policy *policy = group->items[i];
        const struct candidate c = {
            .spec = spec, .resource = policy->resource, .policy = policy, .id = group->id};
        enum result_status mine = RESULT_SKIPPED;
        bool counts = !any || is_concerned(spec, policy);
        AUTO_FREE char *obstacle = counts ? find_obstacle(&c, &mine) : NULL;
        vec_grow(selection->items, selection->len, selection->capacity);
        if (!obstacle)
            selection->items[selection->len++] = policy;
        else
            workload_policy_free(policy);
        if (obstacle && (!reason || (status == RESULT_IGNORED && mine != status))) {
            free(reason);
            reason = steal(&obstacle);
            status = mine;
        }
    }
    if (reason && spec->kind == RELEASE_CONTAINERS) {
        while (selection->len > before)
            workload_policy_free(selection->items[--selection->len]);
    }
    if (selection->len == before)
        result_add(results, group->id, status, steal(&reason));
    return selection->len > before;
}

/* Why a workload that was named is not there; free() it. */
static char *describe_missing(const struct manifest_set *manifests, const char *text)
{
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    struct error why = ERROR_INIT;
    if (resource_id_parse(text, NULL, &id, &why) == 0 && workload_find(manifests, &id, &why))
        return NULL;
    return xstrdup(why.text);
}

static void add_missing(const struct release_spec *spec, const struct manifest_set *manifests,
                        const struct strvec *found, struct result_list *results)
{
    for (size_t i = 0; i < spec->workloads.len; i++) {
        const char *id = spec->workloads.items[i];
        if (!strvec_contains(found, id) && !result_find(results, id))
            result_add(results, id, RESULT_SKIPPED, describe_missing(manifests, id))->is_missing = true;
    }
}

/* An exclude that excludes nothing may be a slip, and what was to stay is released. */
static void add_missing_excludes(const struct release_spec *spec, const struct manifest_set *manifests,
                                 struct result_list *results)
{
    for (size_t i = 0; i < spec->excludes.len; i++) {
        const char *id = spec->excludes.items[i];
        AUTO_FREE char *why = result_find(results, id) ? NULL : describe_missing(manifests, id);
        if (why)
            result_add(results, id, RESULT_IGNORED, xasprintf("excluded; %s", why))->is_named = true;
    }
}

void release_select(const struct release_spec *spec, const struct manifest_set *manifests,
                    struct workload_selection *selection, struct result_list *results)
{
    CLEANUP(strvec_release) struct strvec found = STRVEC_INIT;
    CLEANUP(release_policies_release) struct release_policies policies;
    release_policies_read(manifests, &policies);
    for (size_t first = 0, end; first < policies.len; first = end) {
        const struct resource *resource = policies.items[first]->resource;
        AUTO_FREE char *id = resource_id_text(&resource->id);
        for (end = first + 1; end < policies.len && policies.items[end]->resource == resource;)
            end++;
        struct group group = {.items = policies.items + first, .len = end - first, .id = id};
        if (resource->is_duplicate && result_find(results, id)) {
            while (group.len)
                workload_policy_free(group.items[--group.len]); /* one that is defined twice has one result */
        } else if (select_group(spec, &group, selection, results) && spec->workloads.len) {
            strvec_push(&found, id);
        }
    }
    add_missing(spec, manifests, &found, results);
    add_missing_excludes(spec, manifests, results);
}

/* -- the commit message ------------------------------------------------------------------------------------ */

static char *image_release_message(const struct release_spec *spec)
{
    CLEANUP(strbuf_release) struct strbuf to = STRBUF_INIT;
    for (size_t i = 0; i < spec->workloads.len; i++)
        strbuf_addf(&to, "%s%s", i ? ", " : "", spec->workloads.items[i]);
    return xasprintf("Release %s to %s", spec->kind == RELEASE_IMAGE ? spec->image.text : "all latest",
                     to.len ? to.buf : "all");
}

/* What failed, in a line; nothing is added where nothing did. */
static void add_failures(const struct result_list *results, struct strbuf *out)
{
    const struct workload_result *first = NULL;
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    size_t len = 0;
    for (size_t i = 0; i < results->len; i++) {
        if (results->items[i].status != RESULT_FAILED)
            continue;
        first = first ? first : &results->items[i];
        strbuf_addf(&names, "%s%s", len++ ? ", " : "", results->items[i].workload);
    }
    if (len == 1)
        strbuf_addf(out, "\n%s failed: %s", first->workload, first->message);
    else if (len)
        strbuf_addf(out, "\nMultiple workloads failed: %s", names.buf);
}

static char *containers_release_message(const struct result_list *results)
{
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    for (size_t i = 0; i < results->len; i++) {
        const struct workload_result *result = &results->items[i];
        if (result->status != RESULT_SUCCESS)
            continue;
        strbuf_addf(&names, "%s%s", names.len ? ", " : "", result->workload);
        strbuf_addf(&body, "\n%s", result->workload);
        for (size_t k = 0; k < result->updates_len; k++)
            strbuf_addf(&body, "\n- %s", result->updates[k].target);
        strbuf_addch(&body, '\n');
    }
    add_failures(results, &body);
    return xasprintf("Update image refs in %s\n%s", names.buf, body.buf);
}

char *release_spec_message(const struct release_spec *spec, const struct result_list *results)
{
    return spec->kind == RELEASE_CONTAINERS ? containers_release_message(results)
                                            : image_release_message(spec);
}
