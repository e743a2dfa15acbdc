#include "daemon/workload_listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/job_repository.h"

/* -- problems -------------------------------------------------------------------------------------------------- */

static void add_problem(struct workload_listing *listing, const char *file, int line, const char *workload,
                        const char *message)
{
    vec_grow(listing->problems, listing->problems_len, listing->problems_capacity);
    listing->problems[listing->problems_len++] = (struct manifest_problem){
        .file = xstrdup(file), .line = line, .workload = xstrdup(workload), .message = xstrdup(message)};
}

static void add_policy_problems(struct workload_listing *listing, const struct listed_workload *workload)
{
    const struct workload_policy *policy = workload->policy;
    const char *file = policy->resource->file->path;
    if (policy->blocked)
        add_problem(listing, file, policy->blocked_line, workload->id, policy->blocked);
    if (policy->warning)
        add_problem(listing, file, policy->warning_line, workload->id, policy->warning);
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (!each->policy)
            add_problem(listing, file, each->line, workload->id, each->problem);
    }
}

static bool is_listed(const struct workload_listing *listing, const char *id)
{
    for (size_t i = 0; i < listing->len; i++) {
        if (!strcmp(listing->workloads[i].id, id))
            return true;
    }
    return false;
}

/* True if the problem is about a workload that was left out by choice. */
static bool is_of_another(const struct workload_listing *listing, const struct manifest_problem *problem,
                          const char *space)
{
    size_t len = problem->workload ? strcspn(problem->workload, ":") : 0;
    return problem->workload && !is_listed(listing, problem->workload) && space &&
           (strlen(space) != len || strncmp(problem->workload, space, len) != 0);
}

static void collect_problems(struct workload_listing *listing, const char *space)
{
    for (size_t i = 0; i < listing->manifests->problems_len; i++) {
        const struct manifest_problem *each = &listing->manifests->problems[i];
        if (!is_of_another(listing, each, space))
            add_problem(listing, each->file, each->line, each->workload, each->message);
    }
    for (size_t i = 0; i < listing->len; i++)
        add_policy_problems(listing, &listing->workloads[i]);
}

/* -- workloads --------------------------------------------------------------------------------------------------- */

static char *flags_text(const struct workload_policy *policy, bool is_locked)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {{policy->automated, "automated"}, {policy->ignored, "ignore"}, {is_locked, "locked"}};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (flags[i].is_set)
            strbuf_addf(&text, "%s%s", text.len ? "," : "", flags[i].name);
    }
    return strbuf_detach(&text, NULL);
}

static char *problem_text(const struct workload_policy *policy)
{
    if (policy->resource->is_duplicate)
        return xstrdup("it is defined more than once");
    return xstrdup(policy->blocked ? policy->blocked : policy->warning);
}

static void add_workload(struct workload_listing *listing, const struct resource *resource,
                         const char *container)
{
    struct listed_workload *workload = &listing->workloads[listing->len];
    *workload = (struct listed_workload){
        .containers = xcalloc(resource->containers_len + 1, sizeof(*workload->containers)),
        .indices = xcalloc(resource->containers_len + 1, sizeof(*workload->indices))};
    for (size_t i = 0; i < resource->containers_len; i++) {
        if (container && strcmp(container, resource->containers[i].name) != 0)
            continue;
        workload->indices[workload->containers_len] = i;
        workload->containers[workload->containers_len++] = &resource->containers[i];
    }
    if (container && !workload->containers_len) {
        free(workload->containers);
        free(workload->indices);
        return;
    }
    workload->id = resource_id_text(&resource->id);
    workload->policy = workload_policy_new(resource);
    workload->is_locked = workload_policy_is_locked(workload->policy, clock_wall_ms(&system_clock));
    workload->flags = flags_text(workload->policy, workload->is_locked);
    workload->problem = problem_text(workload->policy);
    listing->len++;
}

static int compare_workloads(const void *a, const void *b)
{
    const struct listed_workload *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : strcmp(x->policy->resource->file->path, y->policy->resource->file->path);
}

int workload_listing_make(const struct config *config, const struct repository_config *settings,
                          const struct workload_listing_options *options, struct workload_listing *listing,
                          struct error *err)
{
    *listing = (struct workload_listing){.is_readonly = settings->readonly};
    CLEANUP(repository_release)
    struct repository *r = repository_open(config, settings, &system_clock, err);
    if (!r)
        return -1;
    listing->manifests = repository_load_head(r, err);
    if (!listing->manifests)
        return -1;
    const char *space = options->space ? options->space : r->default_space;
    const struct manifest_set *set = listing->manifests;
    listing->workloads = xcalloc(set->resources_len + 1, sizeof(*listing->workloads));
    for (size_t i = 0; i < set->resources_len; i++) {
        const struct resource *resource = set->resources[i];
        if (resource->is_workload && (options->all_spaces || !strcmp(resource->id.space, space)))
            add_workload(listing, resource, options->container);
    }
    if (listing->len)
        qsort(listing->workloads, listing->len, sizeof(*listing->workloads), compare_workloads);
    collect_problems(listing, options->all_spaces ? NULL : space);
    return 0;
}

void workload_listing_release(struct workload_listing *listing)
{
    for (size_t i = 0; i < listing->len; i++) {
        struct listed_workload *workload = &listing->workloads[i];
        workload_policy_free(workload->policy);
        free(workload->containers);
        free(workload->indices);
        free(workload->id);
        free(workload->flags);
        free(workload->problem);
    }
    free(listing->workloads);
    for (size_t i = 0; i < listing->problems_len; i++)
        manifest_problem_release(&listing->problems[i]);
    free(listing->problems);
    manifest_set_free(listing->manifests);
    *listing = (struct workload_listing)WORKLOAD_LISTING_INIT;
}

const char *listed_image(const struct container *container)
{
    if (container->image.text)
        return container->image.text;
    return container->image_node && container->image_node->value ? container->image_node->value : "";
}

static const struct container_policy *policy_of(const struct listed_workload *workload, size_t i)
{
    return &workload->policy->containers[workload->indices[i]];
}

const char *listed_policy(const struct listed_workload *workload, size_t i)
{
    const struct tag_policy *policy = policy_of(workload, i)->policy;
    const char *text = policy ? tag_policy_text(policy) : "";
    return strcmp(text, "glob:*") != 0 ? text : "";
}

const char *listed_problem(const struct listed_workload *workload, size_t i)
{
    const struct error *image = &workload->containers[i]->problem;
    if (image->code)
        return image->text;
    return policy_of(workload, i)->problem;
}
