#include "updater/release_spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/workload_lookup.h"

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
    for (size_t i = 0; i < c->resource->containers_len; i++) {
        const struct image_ref *image = &c->resource->containers[i].image;
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

/* True if it passes; else its result was added. One that is defined twice has one result. */
static bool passes(const struct candidate *c, struct result_list *results)
{
    if (c->resource->is_duplicate && result_find(results, c->id))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        if (filters[i].fails(c)) {
            result_add(results, c->id, filters[i].status, xstrdup(filters[i].reason));
            return false;
        }
    }
    char *defect = find_defect(c);
    if (defect)
        result_add(results, c->id, RESULT_SKIPPED, defect);
    return !defect;
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
    for (size_t i = 0; i < manifests->resources_len; i++) {
        const struct resource *resource = manifests->resources[i];
        if (!resource->is_workload)
            continue;
        AUTO_FREE char *id = resource_id_text(&resource->id);
        struct workload_policy *policy = workload_policy_new(resource);
        const struct candidate c = {.spec = spec, .resource = resource, .policy = policy, .id = id};
        if (!passes(&c, results)) {
            workload_policy_free(policy);
            continue;
        }
        vec_grow(selection->items, selection->len, selection->capacity);
        selection->items[selection->len++] = policy;
        if (spec->workloads.len)
            strvec_push(&found, id);
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
