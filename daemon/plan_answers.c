#include "daemon/plan_answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void plan_drop_answers(struct plan *plan)
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
    struct image_filter filter = image_filter_of(r->config);
    filter.also_unautomated = scope != NULL;
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
    plan_drop_answers(&before);
    images->unchanged = unchanged;
    images->answer(images, plan->demands, plan->answers);
    images->unchanged = NULL;
}

bool plan_answer_is_refusal(const struct scan_result *answer)
{
    return answer->error.code == ERROR_UNAUTHORIZED || answer->error.code == ERROR_FORBIDDEN;
}

bool plan_has_old_secret(const struct plan *plan, struct repository *r)
{
    bool is_old = false;
    for (size_t i = 0; i < plan->demands->len; i++) {
        const struct pull_credential *pull = plan->demands->items[i].credential;
        if (pull && plan_answer_is_refusal(&plan->answers[i]) &&
            pull_secrets_refused(r->pull_secrets, pull->grant.secret))
            is_old = true;
    }
    return is_old;
}

void plan_ask(struct plan *plan, struct repository *r, struct image_source *images,
              const struct plan_scope *scope)
{
    ask_once(plan, r, images, scope);
    if (!images->max_age_ms && plan_has_old_secret(plan, r))
        ask_once(plan, r, images, scope);
}

ptrdiff_t plan_demand_about(const struct plan *plan, const struct container *container)
{
    return demand_set_find(plan->demands, container);
}

bool plan_is_being_asked(const struct plan *plan, const struct container *container)
{
    ptrdiff_t at = plan_demand_about(plan, container);
    return at >= 0 && !plan->answers[at].info && !plan->answers[at].error.code;
}

/* A snapshot that is the same is the same object: snapshots never change. */
static bool is_same_answer(const struct scan_result *a, const struct scan_result *b)
{
    return a->info == b->info && a->is_behind == b->is_behind && a->error.code == b->error.code &&
           !strcmp(a->error.text, b->error.text);
}

size_t plan_compare_answers(const struct plan *plan, const struct scan_result *answers, bool *is_stale)
{
    size_t len = 0;
    for (size_t i = 0; i < plan->demands->len; i++) {
        is_stale[i] = !is_same_answer(&plan->answers[i], &answers[i]);
        len += is_stale[i];
    }
    return len;
}

bool plan_asks_the_same(struct plan *plan, struct repository *r)
{
    if (!r->pull_secrets)
        return true;
    CLEANUP(demand_set_release) struct demand_set *now = find_demands(plan, r, NULL);
    return demand_set_equal(now, plan->demands);
}
