#include "daemon/release_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/demand_set.h"
#include "daemon/image_source.h"
#include "daemon/release_proposal.h"
#include "daemon/tag_lookup.h"
#include "updater/release_targets.h"

/* -- what was asked for ------------------------------------------------------------------------------------ */

int release_request_check(const struct release_request *request, struct error *err)
{
    static const char ways[] = "--update-image=<image>, --update-all-images or --set=<container>=<image>";
    int given = (request->image != NULL) + request->all_images + (request->assignments->len > 0);
    if (given > 1)
        return error_set(err, ERROR_USAGE, "please supply only one of %s", ways);
    if (!given)
        return error_set(err, ERROR_USAGE, "please supply exactly one of %s", ways);
    if (!request->workloads->len && !request->all)
        return error_set(err, ERROR_USAGE,
                         "please supply either --all, or at least one --workload=<workload>");
    if (request->workloads->len && request->all)
        return error_set(err, ERROR_USAGE, "please supply only one of --all and --workload=<workload>");
    if (request->assignments->len && request->workloads->len != 1)
        return error_set(err, ERROR_USAGE,
                         "--set needs one --workload=<workload>, whose containers it names");
    if (request->force && request->all && request->all_images)
        return error_set(err, ERROR_USAGE,
                         "--force has no effect with --all and --update-all-images: locks are broken of "
                         "workloads that are named, and a tag is forced that is named");
    CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
    return request->image ? release_spec_set_image(&spec, request->image, err) : 0;
}

static int add_assignment(struct release_spec *spec, const char *assignment, struct error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment || !equals[1])
        return error_set(err, ERROR_USAGE, "--set: \"%s\" is not of the form CONTAINER=IMAGE", assignment);
    AUTO_FREE char *name = xmemdupz(assignment, (size_t)(equals - assignment));
    return release_spec_add_container(spec, spec->workloads.items[0], name, NULL, equals + 1, err);
}

/* Of the workloads, whose names are whole, those that anything was picked of. */
static int add_choices(struct release_spec *spec, const struct release_request *request, struct error *err)
{
    for (size_t i = 0; i < request->choices_len; i++) {
        const struct release_choice *choice = &request->choices[i];
        if (!strvec_contains(&spec->workloads, choice->workload))
            strvec_push(&spec->workloads, choice->workload);
        if (release_spec_add_container(spec, choice->workload, choice->container, choice->current,
                                       choice->target, err) < 0)
            return -1;
    }
    return 0;
}

static int make_spec(struct release_job *job, const char *default_space, int64_t now_ms, struct error *err)
{
    const struct release_request *request = &job->request;
    const char *space = request->space ? request->space : default_space;
    struct release_spec *spec = &job->spec;
    spec->force = request->force;
    spec->now_ms = now_ms;
    if (request->choices)
        return add_choices(spec, request, err);
    if (release_spec_add_ids(request->workloads, space, &spec->workloads, err) < 0 ||
        release_spec_add_ids(request->excludes, space, &spec->excludes, err) < 0 ||
        (request->image && release_spec_set_image(spec, request->image, err) < 0))
        return -1;
    for (size_t i = 0; i < request->assignments->len; i++) {
        if (add_assignment(spec, request->assignments->items[i], err) < 0)
            return -1;
    }
    return 0;
}

/* -- what the registries have ------------------------------------------------------------------------------ */

static struct demand_set *demands_of(const struct release_job *job, struct repository *r,
                                     const struct image_filter *filter)
{
    const struct workload_selection *selection = &job->selection;
    AUTO_FREE const struct resource **workloads = xcalloc(selection->len + 1, sizeof(*workloads));
    for (size_t i = 0; i < selection->len; i++)
        workloads[i] = selection->items[i]->origin;
    pull_secrets_refresh(r->pull_secrets, workloads, selection->len);
    return demand_set_from(selection->items, selection->len, filter, r->pull_secrets);
}

struct answers {
    struct repository *repository;
    struct first_seen *first_seen; /* NULL: not known */
    struct demand_set *demands;
    struct scan_result *results;
    struct tag_ages **ages;     /* by demand, once they are asked for */
    struct decision *decisions; /* of all containers of the selection, in its order */
    size_t decisions_len;
};

static void release_answers(struct answers *answers)
{
    size_t len = answers->demands ? answers->demands->len : 0;
    for (size_t i = 0; answers->ages && i < len; i++)
        tag_ages_free(answers->ages[i]);
    for (size_t i = 0; i < answers->decisions_len; i++)
        decision_release(&answers->decisions[i]);
    free(answers->decisions);
    if (answers->results)
        scan_results_release(answers->results, len);
    free(answers->ages);
    free(answers->results);
    demand_set_unref(answers->demands);
}

static void decide_container(struct answers *answers, const struct workload_policy *policy, size_t index,
                             struct decision *out)
{
    ptrdiff_t at = demand_set_find(answers->demands, policy->containers[index].container);
    const struct scan_result *answer = at < 0 ? NULL : &answers->results[at];
    const struct image_filter filter = image_filter_of(answers->repository->config);
    const struct error problem =
        answer ? answer->error : image_filter_error(&filter, &policy->containers[index].container->image);
    struct error unkept = ERROR_INIT; /* the times are then those of this process */
    struct tag_ages *ages = answer ? tag_ages_for(&answers->ages[at], answers->first_seen, answer->info,
                                                  policy->containers[index].min_age_ms, &unkept)
                                   : NULL;
    const struct choose_facts facts = {.info = answer ? answer->info : NULL,
                                       .scan_error = &problem,
                                       .now_ms = clock_wall_ms(answers->repository->clock),
                                       .since_ms = tag_ages_since_ms,
                                       .context = ages};
    choose(policy, index, &facts, out);
}

static void ask(struct release_job *job, struct answers *answers, struct image_source *images)
{
    const struct image_filter filter = image_filter_of(answers->repository->config);
    answers->demands = demands_of(job, answers->repository, &filter);
    tag_wants_put(&answers->repository->wants, answers->demands);
    answers->results = xcalloc(answers->demands->len + 1, sizeof(*answers->results));
    answers->ages = xcalloc(answers->demands->len + 1, sizeof(*answers->ages));
    images->answer(images, answers->demands, answers->results);
}

static size_t count_containers(const struct workload_selection *selection)
{
    size_t len = 0;
    for (size_t i = 0; i < selection->len; i++)
        len += selection->items[i]->containers_len;
    return len;
}

/* True if they need to know more of their candidates than was asked for. */
static bool decide_all(const struct release_job *job, struct answers *answers)
{
    bool needs_more = false;
    answers->decisions = xcalloc(count_containers(&job->selection) + 1, sizeof(*answers->decisions));
    for (size_t i = 0; i < job->selection.len; i++) {
        const struct workload_policy *policy = job->selection.items[i];
        for (size_t k = 0; k < policy->containers_len; k++) {
            struct decision *decision = &answers->decisions[answers->decisions_len++];
            decide_container(answers, policy, k, decision);
            needs_more |= tag_wants_add_needs(&answers->repository->wants, answers->demands, decision);
        }
    }
    return needs_more;
}

static void choose_latest(struct release_job *job, struct repository *r, struct result_list *results)
{
    AUTO_FREE struct image_source *images =
        image_source_direct(job->scanner, job->progress, job->progress_context);
    release_unlock(&job->selection);
    CLEANUP(release_answers) struct answers answers = {.repository = r, .first_seen = job->first_seen};
    int64_t since_ms = clock_monotonic_ms(r->clock);
    ask(job, &answers, images);
    for (int pass = 1; decide_all(job, &answers) && pass < TAG_WANTS_PASSES; pass++) {
        release_answers(&answers);
        answers = (struct answers){.repository = r, .first_seen = job->first_seen};
        images->max_age_ms = clock_monotonic_ms(r->clock) - since_ms + TAG_WANTS_SLACK_MS;
        ask(job, &answers, images);
    }
    tag_wants_release(&r->wants);
    release_latest(&job->selection, answers.decisions, &job->targets, results);
    for (size_t i = 0; i < answers.demands->len; i++) {
        if (answers.results[i].error.code)
            strvec_push(&results->failures, answers.results[i].error.text);
    }
}

/* With the log-in of each workload that has the image, until one sees it; where there is none (their policies cannot be
 * read) with what pawl has for the repository. */
static int find_image(struct release_job *job, struct repository *r, char **digest, struct error *err)
{
    const struct image_filter anything = {.exclude = NULL};
    CLEANUP(release_answers)
    struct answers asked = {.repository = r, .demands = demands_of(job, r, &anything)};
    AUTO_FREE char *repository = image_ref_repository(&job->spec.image);
    const char *tag = job->spec.image.tag;
    bool was_asked = false;
    for (size_t i = 0; i < asked.demands->len; i++) {
        if (strcmp(asked.demands->items[i].repository, repository) != 0)
            continue;
        struct demand demand = demand_of(&asked.demands->items[i]);
        demand.wants = NULL;
        was_asked = true;
        error_clear(err);
        if (tag_lookup(job->scanner, &demand, tag, digest, err) == 0)
            return 0;
    }
    const struct demand plain = {.repository = repository};
    return was_asked ? -1 : tag_lookup(job->scanner, &plain, tag, digest, err);
}

/* An image that no workload has is looked for all the same: its name may be a slip. */
static int choose_image(struct release_job *job, struct repository *r, struct result_list *results,
                        struct error *err)
{
    AUTO_FREE char *digest = NULL;
    bool is_for_nobody = !job->selection.len;
    if (is_for_nobody && result_list_has(results, RESULT_SKIPPED))
        return 0;
    release_unlock(&job->selection);
    if (find_image(job, r, &digest, err) < 0) {
        if (err->code == ERROR_NOT_FOUND)
            return error_set(err, ERROR_NOT_FOUND, "image \"%s\" does not exist", job->spec.image.text);
        if (is_for_nobody) { /* nor does anybody's log-in show more */
            error_clear(err);
            return 0;
        }
        return error_wrap(err, "cannot see whether the image \"%s\" exists", job->spec.image.text);
    }
    release_image(&job->spec, &job->selection, digest, &job->targets, results);
    return 0;
}

/* -- the job ----------------------------------------------------------------------------------------------- */

static void clear(struct release_job *job)
{
    release_free(steal(&job->release));
    target_list_release(&job->targets);
    workload_selection_release(&job->selection);
    release_spec_release(&job->spec);
}

void release_job_release(struct release_job *job)
{
    clear(job);
}

static int find_targets(struct release_job *job, struct repository *r, struct result_list *results,
                        struct error *err)
{
    switch (job->spec.kind) {
    case RELEASE_LATEST:
        choose_latest(job, r, results);
        return 0;
    case RELEASE_IMAGE:
        return choose_image(job, r, results, err);
    case RELEASE_CONTAINERS:
        break;
    }
    release_containers(&job->spec, &job->selection, &job->targets, results);
    return 0;
}

static int decide(struct repository *r, const char *head UNUSED, const struct manifest_set *manifests,
                  struct proposal *proposal, struct result_list *results, void *context, struct error *err)
{
    struct release_job *job = context;
    clear(job);
    if (make_spec(job, r->default_space, clock_wall_ms(r->clock), err) < 0)
        return -1;
    release_select(&job->spec, manifests, &job->selection, results);
    if (find_targets(job, r, results, err) < 0)
        return -1;
    job->release = target_list_make(&job->targets, results);
    result_list_mark_named(results, &job->spec.workloads);
    if (!job->release->files_len)
        return 0;
    const char *message = job->request.message;
    proposal_add_release(proposal, job->release,
                         message && *message ? xstrdup(message) : release_spec_message(&job->spec, results));
    return 0;
}

struct job release_job(struct release_job *release)
{
    return (struct job){.decide = decide, .context = release};
}
