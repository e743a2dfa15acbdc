#include "daemon/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/kustomize_policies.h"
#include "updater/shared_surveys.h"

/* Rounds of asking for what candidates turn out to need. The first asks for one, the others for some more each. */
#define MAX_PASSES 5
/* What was asked in this plan counts as asked now; the rest is for clocks that do not run as one. */
#define PASS_SLACK_MS 10

/* Adds a problem to the plan; the texts are copied. */
static void add_problem(struct plan *plan, const char *file, int line, const char *workload,
                        const char *message)
{
    vec_grow(plan->problems, plan->problems_len, plan->problems_capacity);
    plan->problems[plan->problems_len++] = (struct manifest_problem){
        .file = xstrdup(file), .line = line, .workload = xstrdup(workload), .message = xstrdup(message)};
}

static void add_workload_problem(struct plan *plan, const struct resource *resource, int line,
                                 const char *message)
{
    AUTO_FREE char *workload = resource_id_text(&resource->id);
    add_problem(plan, resource->file->path, line, workload, message);
}

static void copy_problems(struct plan *plan, const struct manifest_problem *problems, size_t len)
{
    for (size_t i = 0; i < len; i++)
        add_problem(plan, problems[i].file, problems[i].line, problems[i].workload, problems[i].message);
}

static void report_policy(struct plan *plan, const struct workload_policy *policy)
{
    if (policy->blocked)
        add_workload_problem(plan, policy->resource, policy->blocked_line, policy->blocked);
    if (policy->warning)
        add_workload_problem(plan, policy->resource, policy->warning_line, policy->warning);
    for (size_t i = 0; i < policy->containers_len; i++) {
        const struct container_policy *each = &policy->containers[i];
        if (!each->policy)
            add_workload_problem(plan, policy->resource, each->line, each->problem);
    }
}

static void add_kustomize_policies(struct plan *plan)
{
    CLEANUP(kustomize_links_release) struct kustomize_links links;
    kustomize_links_find(plan->manifests, &links);
    if (links.is_cut)
        add_problem(plan, "", 0, NULL,
                    "the kustomizations lead to too much; none of their entries takes a workload's policy");
    size_t len = 0;
    AUTO_FREE struct workload_policy **more =
        kustomize_policies_from(&links, plan->policies, plan->policies_len, &len);
    if (!len)
        return;
    plan->policies =
        xreallocarray(plan->policies, plan->policies_len + len, sizeof(struct workload_policy *));
    for (size_t i = 0; i < len; i++) {
        plan->policies[plan->policies_len++] = more[i];
        if (more[i]->is_blocked_here)
            add_workload_problem(plan, more[i]->resource, more[i]->blocked_line, more[i]->blocked);
    }
}

static bool is_in_scope(const struct plan_scope *scope, const struct resource *resource)
{
    return resource->is_workload && (!scope || scope->includes(resource, scope->context));
}

static void read_policies(struct plan *plan, const struct plan_scope *scope)
{
    const struct manifest_set *set = plan->manifests;
    plan->policies = xcalloc(set->resources_len, sizeof(struct workload_policy *));
    for (size_t i = 0; i < set->resources_len; i++) {
        if (!is_in_scope(scope, set->resources[i]))
            continue;
        struct workload_policy *policy = workload_policy_new(set->resources[i]);
        plan->policies[plan->policies_len++] = policy;
        report_policy(plan, policy);
    }
    add_kustomize_policies(plan);
}

static void drop_answers(struct plan *plan)
{
    for (size_t i = 0; plan->ages && i < plan->demands->len; i++)
        tag_ages_free(plan->ages[i]);
    free(steal(&plan->ages));
    if (plan->answers)
        scan_results_release(plan->answers, plan->demands->len);
    free(steal(&plan->answers));
    demand_set_unref(steal(&plan->demands));
}

static char *question_of(const struct repository_demand *item)
{
    struct strbuf text = STRBUF_INIT;
    AUTO_FREE char *key = repository_demand_key(item);
    strbuf_addf(&text, "%s\n", key);
    demand_add_text(item, &text);
    return strbuf_detach(&text, NULL);
}

/* Takes over the answers to what is asked now as it was before. */
static void keep_answers(struct plan *plan, struct plan *before, bool *unchanged)
{
    CLEANUP(strmap_release) struct strmap answers = STRMAP_INIT;
    for (size_t i = 0; before->demands && i < before->demands->len; i++) {
        AUTO_FREE char *question = question_of(&before->demands->items[i]);
        strmap_set(&answers, question, &before->answers[i]);
    }
    for (size_t i = 0; i < plan->demands->len; i++) {
        AUTO_FREE char *question = question_of(&plan->demands->items[i]);
        struct scan_result *answer = strmap_get(&answers, question);
        if (!answer)
            continue;
        plan->answers[i] = *answer;
        answer->info = NULL; /* the plan's now */
        unchanged[i] = true;
    }
}

/* With the pull secrets of the cluster, as they were last read or are read now. One reference. */
static struct demand_set *find_demands(struct plan *plan, struct repository *r,
                                       const struct plan_scope *scope)
{
    const struct image_filter filter = {.exclude = &r->config->exclude_images,
                                        .include = &r->config->include_images,
                                        .use_labels = &r->config->use_labels,
                                        .also_unautomated = scope != NULL};
    AUTO_FREE const struct resource **workloads = xcalloc(plan->policies_len, sizeof(*workloads));
    size_t len = 0;
    for (size_t i = 0; i < plan->policies_len; i++) {
        if (workload_has_demands(plan->policies[i], &filter))
            workloads[len++] = plan->policies[i]->origin;
    }
    pull_secrets_refresh(r->pull_secrets, workloads, len);
    struct demand_set *demands =
        demand_set_from(plan->policies, plan->policies_len, &filter, r->pull_secrets);
    tag_wants_put(&r->wants, demands);
    return demands;
}

static void ask_once(struct plan *plan, struct repository *r, struct image_source *images,
                     const struct plan_scope *scope)
{
    struct plan before = {
        .demands = steal(&plan->demands), .answers = steal(&plan->answers), .ages = steal(&plan->ages)};
    plan->demands = find_demands(plan, r, scope);
    plan->answers = xcalloc(plan->demands->len, sizeof(struct scan_result));
    plan->ages = xcalloc(plan->demands->len, sizeof(struct tag_ages *));
    AUTO_FREE bool *unchanged = xcalloc(plan->demands->len, sizeof(*unchanged));
    if (images->max_age_ms)
        keep_answers(plan, &before, unchanged);
    drop_answers(&before);
    images->unchanged = unchanged;
    images->answer(images, plan->demands, plan->answers);
    images->unchanged = NULL;
}

static bool is_refusal(const struct scan_result *answer)
{
    return answer->error.code == ERROR_UNAUTHORIZED || answer->error.code == ERROR_FORBIDDEN;
}

/* True if a pull secret that was refused may have changed since it was read, which the next refresh finds out. */
static bool has_old_secret(const struct plan *plan, struct repository *r)
{
    bool is_old = false;
    for (size_t i = 0; i < plan->demands->len; i++) {
        const struct pull_credential *pull = plan->demands->items[i].credential;
        if (pull && is_refusal(&plan->answers[i]) &&
            pull_secrets_refused(r->pull_secrets, pull->grant.secret))
            is_old = true;
    }
    return is_old;
}

static void ask(struct plan *plan, struct repository *r, struct image_source *images,
                const struct plan_scope *scope)
{
    ask_once(plan, r, images, scope);
    if (!images->max_age_ms && has_old_secret(plan, r))
        ask_once(plan, r, images, scope);
}

/* The index of the demand that asks about a container's image, or -1: nothing can be asked, or it is filtered out. */
static ptrdiff_t demand_about(const struct plan *plan, const struct container *container)
{
    return demand_set_find(plan->demands, container);
}

/* When the tags of an answer were first seen; NULL: nobody asks, or it is not known. */
static struct tag_ages *ages_of(struct plan *plan, struct repository *r, const struct workload_policy *policy,
                                size_t index, size_t demand)
{
    struct error err = ERROR_INIT;
    bool is_asked = policy->containers[index].min_age_ms > 0 && plan->answers[demand].info && r->first_seen;
    if (is_asked && !plan->ages[demand])
        plan->ages[demand] = first_seen_update(r->first_seen, plan->answers[demand].info, &err);
    if (err.code && !plan->has_age_problem)
        add_workload_problem(plan, policy->resource, policy->resource->line, err.text);
    plan->has_age_problem = plan->has_age_problem || err.code;
    return plan->ages[demand];
}

/* Decides for one container. An image that the filter leaves out has no demand and so no answer. */
static void decide_container(struct plan *plan, struct repository *r, const struct workload_policy *policy,
                             size_t index, struct shared_surveys *shared, struct decision *out)
{
    static const struct error excluded = {.code = ERROR_UNSUPPORTED,
                                          .text = "left out by --registry-exclude-image or "
                                                  "--registry-include-image"};
    ptrdiff_t at = demand_about(plan, policy->containers[index].container);
    int64_t now_ms = clock_wall_ms(r->clock);
    if (at < 0) {
        choose(policy, index, &(struct choose_facts){.scan_error = &excluded, .now_ms = now_ms}, out);
        if (out->cause == CAUSE_NO_ANSWER)
            out->cause = CAUSE_EXCLUDED;
        return;
    }
    const struct scan_result *answer = &plan->answers[at];
    const struct choose_facts facts = {.info = answer->info,
                                       .scan_error = &answer->error,
                                       .now_ms = now_ms,
                                       .first_seen_ms = tag_ages_first_seen_ms,
                                       .context = ages_of(plan, r, policy, index, (size_t)at),
                                       .shared = shared};
    choose(policy, index, &facts, out);
}

/* The first of the decisions that needed an answer; every demand has one. */
static const struct decision *first_user(const struct plan *plan, size_t demand)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        if (demand_about(plan, plan->decisions[i].container) == (ptrdiff_t)demand)
            return &plan->decisions[i];
    }
    return NULL;
}

/* Both were asked with what one Secret gave, or both with what pawl has of its own. */
static bool has_same_secret(const struct plan *plan, size_t a, size_t b)
{
    const struct pull_credential *x = plan->demands->items[a].credential;
    const struct pull_credential *y = plan->demands->items[b].credential;
    return x && y ? !strcmp(x->grant.secret, y->grant.secret) : !x && !y;
}

static bool same_trouble(const struct plan *plan, size_t a, size_t b)
{
    const char *x = plan->demands->items[a].repository, *y = plan->demands->items[b].repository;
    size_t host = strcspn(x, "/");
    return has_same_secret(plan, a, b) && plan->answers[a].error.code == plan->answers[b].error.code &&
           !strncmp(x, y, host + 1);
}

/* One line for a host in trouble, however many of its repositories that concerns. */
static void report_failed_answer(struct plan *plan, size_t at)
{
    size_t others = 0;
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (i == at || !same_trouble(plan, at, i))
            continue;
        if (i < at)
            return; /* said with the first */
        others++;
    }
    const char *repository = plan->demands->items[at].repository;
    const struct decision *user = first_user(plan, at);
    if (!user)
        return;
    AUTO_FREE char *more = others ? xasprintf("; and so with %zu more of %.*s", others,
                                              (int)strcspn(repository, "/"), repository)
                                  : xstrdup("");
    AUTO_FREE char *message = xasprintf("%s%s", plan->answers[at].error.text, more);
    add_workload_problem(plan, user->resource, user->container->line, message);
}

static void report_answers(struct plan *plan)
{
    plan->has_unreachable = false;
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (!plan->answers[i].error.code)
            continue;
        plan->has_unreachable = true;
        report_failed_answer(plan, i);
    }
}

/* A pattern that explodes is found out by the tags that there are, and is a defect of the manifest all the same. */
static void report_slow_policies(struct plan *plan)
{
    static const char blocked[] = "blocked: ";
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        if (decision->cause != CAUSE_SLOW_POLICY)
            continue;
        const char *reason = decision->reason;
        reason += str_starts_with(reason, blocked) ? strlen(blocked) : 0;
        add_workload_problem(plan, decision->workload->origin, decision->settings->line, reason);
    }
}

static void add_secret_problem(const struct resource *workload, const char *message, void *context)
{
    add_workload_problem(context, workload, workload->line, message);
}

/* An API server that cannot be asked is said by the apply, too; here only where a registry wanted more than it got. */
static void report_unread_secrets(struct plan *plan, const struct error *failure)
{
    for (size_t i = 0; failure && i < plan->demands->len; i++) {
        const struct decision *user = is_refusal(&plan->answers[i]) ? first_user(plan, i) : NULL;
        if (!user || plan->demands->items[i].credential)
            continue;
        AUTO_FREE char *message = xasprintf("its pull secrets could not be read: %s", failure->text);
        add_workload_problem(plan, user->resource, user->container->line, message);
        return;
    }
}

static void report_pull_secrets(struct plan *plan, const struct pull_secrets *secrets)
{
    pull_secrets_problems(secrets, add_secret_problem, plan);
    report_unread_secrets(plan, pull_secrets_failure(secrets));
}

/* No answer yet, and no failure either: decided when there is one. */
static bool is_being_asked(const struct plan *plan, const struct container *container)
{
    ptrdiff_t at = demand_about(plan, container);
    return at >= 0 && !plan->answers[at].info && !plan->answers[at].error.code;
}

static void hold(struct decision *decision, enum decision_cause cause, const char *reason)
{
    free(decision->reason);
    decision->kind = DECISION_HELD;
    decision->cause = cause;
    decision->reason = xstrdup(reason);
}

static bool is_decided(const struct workload_policy *policy, const struct plan_scope *scope)
{
    return scope || (!policy->ignored && !policy->resource->is_duplicate);
}

static void note_time(struct plan *plan, const struct decision *decision)
{
    bool has_time = decision->until_ms && decision->until_ms != INT64_MAX;
    if (has_time && (!plan->next_ms || decision->until_ms < plan->next_ms))
        plan->next_ms = decision->until_ms;
}

/* What an earlier round decided on the same commit, in the same order. */
struct earlier {
    struct decision *decisions;
    size_t len, at;       /* those before `at` are taken or of no use */
    const bool *is_stale; /* by demand: the answer is another one now */
};

/* True if the container's decision stands, and is in *out. */
static bool take_earlier(struct earlier *earlier, const struct plan *plan, const struct container *container,
                         struct decision *out)
{
    bool is_there =
        earlier && earlier->at < earlier->len && earlier->decisions[earlier->at].container == container;
    if (!is_there)
        return false;
    struct decision *mine = &earlier->decisions[earlier->at++];
    ptrdiff_t demand = demand_about(plan, container);
    if (demand >= 0 && earlier->is_stale[demand]) {
        decision_release(mine);
        return false;
    }
    *out = *mine;
    return true;
}

static void decide(struct plan *plan, struct repository *r, const struct plan_scope *scope,
                   struct earlier *earlier)
{
    CLEANUP(shared_surveys_release) struct shared_surveys shared;
    shared_surveys_init(&shared);
    for (size_t i = 0; i < plan->policies_len; i++) {
        const struct workload_policy *policy = plan->policies[i];
        if (!is_decided(policy, scope))
            continue;
        for (size_t k = 0; k < policy->containers_len; k++) {
            if (!(scope || workload_policy_automates(policy, k)) ||
                is_being_asked(plan, policy->containers[k].container))
                continue;
            vec_grow(plan->decisions, plan->decisions_len, plan->decisions_capacity);
            struct decision *decision = &plan->decisions[plan->decisions_len++];
            if (take_earlier(earlier, plan, policy->containers[k].container, decision)) {
                note_time(plan, decision);
                continue;
            }
            decide_container(plan, r, policy, k, &shared, decision);
            note_time(plan, decision);
            if (r->settings->readonly && decision->kind == DECISION_UPDATE)
                hold(decision, CAUSE_READ_ONLY, "held: the repository is read-only (--git-readonly)");
        }
    }
}

static void drop_decisions(struct plan *plan)
{
    for (size_t i = 0; i < plan->decisions_len; i++)
        decision_release(&plan->decisions[i]);
    plan->decisions_len = 0;
    plan->next_ms = 0;
}

/* Adds what the decisions need; true if any of it was not asked for yet. */
static bool add_needs(const struct plan *plan, struct tag_wants *wants)
{
    bool is_new = false;
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        for (size_t k = 0; k < decision->needs_len; k++) {
            const struct repository_demand *item =
                &plan->demands->items[demand_about(plan, decision->container)];
            const struct detail_need *need = &decision->needs[k];
            is_new = tag_wants_add(wants, item, need->tag, need->wants) || is_new;
        }
    }
    return is_new;
}

/* Decisions on what is still being asked for wait until it is there. */
static void drop_early_decisions(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->decisions_len; i++) {
        struct decision *decision = &plan->decisions[i];
        if (decision->needs_len && plan->answers[demand_about(plan, decision->container)].is_behind)
            decision_release(decision);
        else
            plan->decisions[kept++] = *decision;
    }
    plan->decisions_len = kept;
}

static void ask_and_decide(struct plan *plan, struct repository *r, struct image_source *images,
                           const struct plan_scope *scope)
{
    int64_t since_ms = clock_monotonic_ms(r->clock);
    for (int pass = 0; pass < MAX_PASSES; pass++) {
        images->max_age_ms = pass ? clock_monotonic_ms(r->clock) - since_ms + PASS_SLACK_MS : 0;
        ask(plan, r, images, scope);
        drop_decisions(plan);
        decide(plan, r, scope, NULL);
        if (!add_needs(plan, &r->wants))
            break;
    }
    images->max_age_ms = 0;
    tag_wants_release(&r->wants);
    (void)add_needs(plan, &r->wants);
    drop_early_decisions(plan);
}

/* The time since *since_ms, which becomes now. */
static int64_t lap(const struct clock *clock, int64_t *since_ms)
{
    int64_t before_ms = *since_ms;
    *since_ms = clock_monotonic_ms(clock);
    return *since_ms - before_ms;
}

static void edit(struct plan *plan)
{
    release_free(plan->release);
    plan->release = release_of_decisions(plan->decisions, plan->decisions_len);
    copy_problems(plan, plan->release->problems, plan->release->problems_len);
}

int plan_make(struct repository *repository, const char *commit, struct image_source *images,
              const struct plan_scope *scope, struct plan *plan, struct error *err)
{
    *plan = (struct plan)PLAN_INIT;
    snprintf(plan->commit, sizeof(plan->commit), "%s", commit);
    int64_t since_ms = clock_monotonic_ms(repository->clock);
    plan->manifests = manifest_loader_load(repository->loader, repository->mirror, commit,
                                           &repository->settings->paths, err);
    if (!plan->manifests)
        return -1;
    copy_problems(plan, plan->manifests->problems, plan->manifests->problems_len);
    read_policies(plan, scope);
    plan->lasting_len = plan->problems_len;
    plan->stage_ms[PLAN_SELECT] = lap(repository->clock, &since_ms);
    ask_and_decide(plan, repository, images, scope);
    if (revert_hold_apply(repository, commit, plan->decisions, plan->decisions_len, err) < 0) {
        plan_release(plan);
        return -1;
    }
    report_pull_secrets(plan, repository->pull_secrets);
    report_answers(plan);
    report_slow_policies(plan);
    plan->stage_ms[PLAN_LOOKUP] = lap(repository->clock, &since_ms);
    edit(plan);
    plan->stage_ms[PLAN_EDIT] = lap(repository->clock, &since_ms);
    return 0;
}

/* Without a cluster nothing but the commit says what is asked. */
static bool asks_the_same(struct plan *plan, struct repository *r)
{
    if (!r->pull_secrets)
        return true;
    CLEANUP(demand_set_release) struct demand_set *now = find_demands(plan, r, NULL);
    return demand_set_equal(now, plan->demands);
}

/* A snapshot that is the same is the same object: snapshots never change. */
static bool is_same_answer(const struct scan_result *a, const struct scan_result *b)
{
    return a->info == b->info && a->is_behind == b->is_behind && a->error.code == b->error.code &&
           !strcmp(a->error.text, b->error.text);
}

/* Which answers differ from those before, and how many. */
static size_t compare_answers(const struct plan *plan, const struct scan_result *answers, bool *is_stale)
{
    size_t len = 0;
    for (size_t i = 0; i < plan->demands->len; i++) {
        is_stale[i] = !is_same_answer(&plan->answers[i], &answers[i]);
        len += is_stale[i];
    }
    return len;
}

static void forget_passing_problems(struct plan *plan)
{
    while (plan->problems_len > plan->lasting_len)
        manifest_problem_release(&plan->problems[--plan->problems_len]);
}

/* -1 if the history could not be read. */
static int decide_again(struct plan *plan, struct repository *r, const bool *is_stale)
{
    struct earlier earlier = {.decisions = plan->decisions, .len = plan->decisions_len, .is_stale = is_stale};
    plan->decisions = NULL;
    plan->decisions_len = plan->decisions_capacity = 0;
    plan->next_ms = 0;
    forget_passing_problems(plan);
    decide(plan, r, NULL, &earlier);
    for (; earlier.at < earlier.len; earlier.at++)
        decision_release(&earlier.decisions[earlier.at]);
    free(earlier.decisions);
    report_pull_secrets(plan, r->pull_secrets);
    report_answers(plan);
    report_slow_policies(plan);
    struct error err = ERROR_INIT;
    return revert_hold_apply(r, plan->commit, plan->decisions, plan->decisions_len, &err);
}

/* Decisions that time alone changes, and one of them does by now. */
static bool has_expired(const struct plan *plan, const struct repository *r)
{
    return plan->next_ms && plan->next_ms <= clock_wall_ms(r->clock);
}

/* What was asked of single tags, and when tags were first seen, goes with the answers: it is found out anew with them. */
static bool depends_on_candidates(const struct plan *plan, const struct repository *r)
{
    for (size_t i = 0; i < plan->demands->len; i++) {
        if (plan->ages[i])
            return true;
    }
    return strmap_size(&r->wants.lists) > 0;
}

/* True if a new candidate's details have to be asked for, which only a plan that is made does. */
static bool needs_more(const struct plan *plan)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        if (plan->decisions[i].needs_len)
            return true;
    }
    return false;
}

bool plan_renew(struct plan *plan, struct repository *r, const char *commit, struct image_source *images)
{
    int64_t since_ms = clock_monotonic_ms(r->clock);
    if (!plan->release || strcmp(plan->commit, commit) != 0 || has_expired(plan, r) ||
        !asks_the_same(plan, r))
        return false;
    size_t len = plan->demands->len;
    AUTO_FREE bool *is_stale = xcalloc(len + 1, sizeof(*is_stale));
    struct scan_result *answers = xcalloc(len + 1, sizeof(*answers));
    images->answer(images, plan->demands, answers);
    plan->is_unchanged = !compare_answers(plan, answers, is_stale);
    scan_results_release(plan->answers, len);
    free(plan->answers);
    plan->answers = answers;
    if (has_old_secret(plan, r) || (!plan->is_unchanged && depends_on_candidates(plan, r)))
        return false;
    plan->stage_ms[PLAN_SELECT] = plan->stage_ms[PLAN_EDIT] = 0;
    if (!plan->is_unchanged && (decide_again(plan, r, is_stale) < 0 || needs_more(plan)))
        return false; /* the plan that is made anew says why, or asks for what is needed */
    plan->stage_ms[PLAN_LOOKUP] = lap(r->clock, &since_ms);
    if (!plan->is_unchanged)
        edit(plan);
    plan->stage_ms[PLAN_EDIT] = lap(r->clock, &since_ms);
    return true;
}

void plan_release(struct plan *plan)
{
    release_free(plan->release);
    drop_decisions(plan);
    free(plan->decisions);
    drop_answers(plan);
    for (size_t i = 0; i < plan->policies_len; i++)
        workload_policy_free(plan->policies[i]);
    free(plan->policies);
    for (size_t i = 0; i < plan->problems_len; i++)
        manifest_problem_release(&plan->problems[i]);
    free(plan->problems);
    manifest_set_free(plan->manifests);
    *plan = (struct plan)PLAN_INIT;
}
