#include "daemon/image_listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "daemon/demand_set.h"
#include "daemon/job_repository.h"
#include "daemon/repository.h"
#include "daemon/session.h"
#include "updater/choose.h"
#include "updater/tag_order.h"

/* -- which workloads --------------------------------------------------------------------------------------- */

static int compare_workloads(const void *a, const void *b)
{
    const struct image_listing_workload *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static void add_workload(struct image_listing *listing, const struct resource *resource)
{
    struct image_listing_workload *workload = &listing->workloads[listing->len++];
    *workload = (struct image_listing_workload){.policy = workload_policy_new(resource),
                                                .id = resource_id_text(&resource->id),
                                                .containers_len = resource->containers_len};
    workload->containers = xcalloc(resource->containers_len + 1, sizeof(*workload->containers));
    for (size_t i = 0; i < resource->containers_len; i++)
        workload->containers[i] = (struct image_listing_container){
            .container = &resource->containers[i], .current = -1, .latest = -1};
}

/* A workload that is defined twice is there twice: this is for looking. */
static int pick_workloads(struct image_listing *listing, const struct image_listing_options *options,
                          const char *default_space, struct error *err)
{
    const struct manifest_set *set = listing->manifests;
    const char *space = options->space ? options->space : default_space;
    const struct resource_id *wanted = &listing->wanted;
    if (options->workload && resource_id_parse(options->workload, space, &listing->wanted, err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    listing->workloads = xcalloc(set->resources_len + 1, sizeof(*listing->workloads));
    for (size_t i = 0; i < set->resources_len; i++) {
        const struct resource *resource = set->resources[i];
        bool is_wanted = options->workload ? resource_id_equal(&resource->id, wanted)
                                           : options->all_spaces || !strcmp(resource->id.space, space);
        if (resource->is_workload && is_wanted)
            add_workload(listing, resource);
    }
    qsort(listing->workloads, listing->len, sizeof(*listing->workloads), compare_workloads);
    return 0;
}

/* -- what registries have ---------------------------------------------------------------------------------- */

static unsigned wants_all(const char *tag UNUSED, void *context)
{
    return *(const unsigned *)context;
}

/* The highest number first, which is the newest wherever builds are numbered or dated. */
static int highest_first(const char *a, const char *b)
{
    return tag_compare_natural(b, a);
}

/* 1 + the index of the repository among those that are asked about; 0 if it may not be, with the reason. */
static size_t repository_for(struct image_listing *listing, struct strmap *index,
                             const struct image_filter *filter, const struct container *container,
                             const char **refusal)
{
    AUTO_FREE char *name = image_ref_repository(&container->image);
    *refusal = image_filter_refusal(filter, name);
    if (*refusal)
        return 0;
    const size_t *at = strmap_get(index, name);
    if (at)
        return *at;
    size_t *new_at = xmalloc(sizeof(*new_at));
    *new_at = listing->repositories_len + 1;
    strmap_set(index, name, new_at);
    listing->repositories =
        xreallocarray(listing->repositories, listing->repositories_len + 1, sizeof(*listing->repositories));
    listing->repositories[listing->repositories_len++] = steal(&name);
    return *new_at;
}

static void ask(struct image_listing *listing, const struct image_filter *filter, struct session *session,
                const struct image_listing_options *options)
{
    unsigned wants = options->wants;
    AUTO_FREE struct demand *demands = xcalloc(listing->repositories_len, sizeof(*demands));
    listing->answers = xcalloc(listing->repositories_len, sizeof(*listing->answers));
    for (size_t i = 0; i < listing->repositories_len; i++)
        demands[i] =
            (struct demand){.repository = listing->repositories[i],
                            .wants = wants_all,
                            .context = &wants,
                            .dates_by_labels = image_filter_dates_by_labels(filter, listing->repositories[i]),
                            .before = highest_first};
    scanner_scan(session->scanner, demands, listing->repositories_len, 0, options->progress, options->context,
                 listing->answers);
}

/* -- rows --------------------------------------------------------------------------------------------------- */

/* Without a tag or digest it is "latest"; with a digest alone no tag is the container's. */
static const char *current_tag(const struct image_ref *image)
{
    if (image->tag)
        return image->tag;
    return image->digest ? NULL : "latest";
}

static void mark_rows(struct image_listing_container *c, const struct tag_policy *policy)
{
    const char *tag = current_tag(&c->container->image);
    const struct image_info unlisted = {.tag = tag ? tag : "", .details = &image_details_unknown};
    for (size_t i = 0; i < c->rows_len; i++) {
        struct image_listing_row *row = &c->rows[i];
        row->is_current = tag && !strcmp(row->image.tag, tag);
        if (row->is_current)
            c->current = (ptrdiff_t)i;
        bool is_dated = row->image.details->created_ms || !tag_policy_needs_created(policy);
        row->matches = is_dated && tag_policy_match(policy, row->image.tag) == TAG_MATCHES;
        if (row->matches && c->latest < 0)
            c->latest = (ptrdiff_t)i;
    }
    for (size_t i = 0; i < c->rows_len; i++)
        c->rows[i].is_newer = c->current >= 0 ? (ptrdiff_t)i < c->current
                                              : tag_policy_compare(policy, &c->rows[i].image, &unlisted) > 0;
}

/* A policy that cannot be read orders by time. */
static void make_rows(struct image_listing_container *c, const struct tag_policy *own)
{
    CLEANUP(tag_policy_release) struct tag_policy *any = own ? NULL : tag_policy_new("glob:*", NULL);
    const struct tag_policy *policy = own ? own : any;
    AUTO_FREE struct image_info *images = sort_images(c->info, policy);
    c->rows_len = c->info->images_len;
    c->rows = xcalloc(c->rows_len, sizeof(*c->rows));
    for (size_t i = 0; i < c->rows_len; i++)
        c->rows[i].image = images[i];
    mark_rows(c, policy);
}

static void take_answer(struct image_listing *listing, struct image_listing_container *c,
                        const struct tag_policy *policy, const struct scan_result *answer)
{
    c->info = answer->info;
    if (answer->error.code)
        c->problem = xstrdup(answer->error.text);
    else if (c->info->is_truncated)
        c->problem = xstrdup("the repository has more tags than --registry-tag-limit");
    else if (c->info->is_shrunken)
        c->problem =
            xasprintf("the registry now lists %zu tags, which is not believed yet", c->info->shrunken_len);
    if (c->info)
        make_rows(c, policy);
    listing->is_complete = listing->is_complete && !c->problem;
}

/* -- all of it ---------------------------------------------------------------------------------------------- */

/* Which repository each container needs, in the order of the workloads and their containers; 0: none. */
static size_t *name_repositories(struct image_listing *listing, const struct image_filter *filter)
{
    CLEANUP(strmap_release) struct strmap index = {.free_value = free};
    size_t *wanted = NULL, len = 0;
    for (size_t i = 0; i < listing->len; i++) {
        struct image_listing_workload *workload = &listing->workloads[i];
        wanted = xreallocarray(wanted, len + workload->containers_len + 1, sizeof(*wanted));
        for (size_t k = 0; k < workload->containers_len; k++) {
            struct image_listing_container *c = &workload->containers[k];
            const char *problem = c->container->problem.text;
            wanted[len] = c->container->image.text
                              ? repository_for(listing, &index, filter, c->container, &problem)
                              : 0;
            if (!wanted[len++])
                c->problem = xstrdup(problem);
        }
    }
    return wanted;
}

static void take_answers(struct image_listing *listing, const size_t *wanted)
{
    for (size_t i = 0; i < listing->len; i++) {
        struct image_listing_workload *workload = &listing->workloads[i];
        for (size_t k = 0; k < workload->containers_len; k++, wanted++) {
            if (*wanted)
                take_answer(listing, &workload->containers[k], workload->policy->containers[k].policy,
                            &listing->answers[*wanted - 1]);
        }
    }
}

int image_listing_make(const struct config *config, const struct repository_config *settings,
                       struct session *session, const struct image_listing_options *options,
                       struct image_listing *listing, struct error *err)
{
    *listing = (struct image_listing){.is_complete = true};
    CLEANUP(repository_release)
    struct repository *r = repository_open(config, settings, &system_clock, err);
    if (!r)
        return -1;
    listing->manifests = repository_load_head(r, err);
    if (!listing->manifests || pick_workloads(listing, options, r->default_space, err) < 0)
        return -1;
    const struct image_filter filter = image_filter_of(config);
    AUTO_FREE size_t *wanted = name_repositories(listing, &filter);
    ask(listing, &filter, session, options);
    take_answers(listing, wanted);
    return 0;
}

static void release_workload(struct image_listing_workload *workload)
{
    for (size_t i = 0; i < workload->containers_len; i++) {
        free(workload->containers[i].rows);
        free(workload->containers[i].problem);
    }
    free(workload->containers);
    free(workload->id);
    workload_policy_free(workload->policy);
}

void image_listing_release(struct image_listing *listing)
{
    for (size_t i = 0; i < listing->len; i++)
        release_workload(&listing->workloads[i]);
    free(listing->workloads);
    if (listing->answers)
        scan_results_release(listing->answers, listing->repositories_len);
    free(listing->answers);
    for (size_t i = 0; i < listing->repositories_len; i++)
        free(listing->repositories[i]);
    free(listing->repositories);
    resource_id_release(&listing->wanted);
    manifest_set_free(listing->manifests);
    *listing = (struct image_listing)IMAGE_LISTING_INIT;
}
