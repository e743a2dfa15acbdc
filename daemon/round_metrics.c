#include "daemon/round_metrics.h"

static void record_decisions(struct metrics *metrics, const char *repository, const struct plan *plan)
{
    static const enum decision_kind kinds[] = {DECISION_UPDATE, DECISION_CURRENT, DECISION_HELD,
                                               DECISION_BLOCKED};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t count = 0;
        for (size_t i = 0; i < plan->decisions_len; i++)
            count += plan->decisions[i].kind == kinds[k];
        metrics_set(metrics, METRIC_CONTAINERS, METRIC_LABELS(repository, decision_kind_name(kinds[k])),
                    (double)count);
    }
}

static void record_causes(struct metrics *metrics, const char *repository, const struct plan *plan)
{
    size_t counts[CAUSES_LEN] = {0};
    for (size_t i = 0; i < plan->decisions_len; i++)
        counts[plan->decisions[i].cause]++;
    for (int cause = CAUSE_NONE + 1; cause < CAUSES_LEN; cause++)
        metrics_set(metrics, METRIC_CONTAINERS_HELD,
                    METRIC_LABELS(repository, decision_cause_name((enum decision_cause)cause)),
                    (double)counts[cause]);
}

static void record_apply(struct round_metrics *last, struct metrics *metrics,
                         const struct apply_report *applied)
{
    struct round_metrics now = {.applied =
                                    (double)(applied->created + applied->configured + applied->unchanged),
                                .failed = (double)applied->failed};
    metrics_add(metrics, METRIC_SYNC_MANIFESTS, METRIC_LABELS("true"), now.applied - last->applied);
    metrics_add(metrics, METRIC_SYNC_MANIFESTS, METRIC_LABELS("false"), now.failed - last->failed);
    *last = now;
}

/* As in Flux v1, rounds that find nothing to change do not count. An edit that cannot be made is left out of the
 * release and is a problem of its workload; the release itself does not fail. */
static void record_update(struct metrics *metrics, const struct round_report *report)
{
    static const char *const stages[PLAN_STAGES] = {
        [PLAN_SELECT] = "select_workloads", [PLAN_LOOKUP] = "lookup_images", [PLAN_EDIT] = "write_changes"};
    int64_t total_ms = 0;
    for (size_t i = 0; i < PLAN_STAGES; i++) {
        int64_t stage_ms = report->plan.stage_ms[i];
        total_ms += stage_ms;
        metrics_observe(metrics, METRIC_RELEASE_STAGE_DURATION, METRIC_LABELS(stages[i]),
                        (double)stage_ms / 1000);
    }
    metrics_observe(metrics, METRIC_RELEASE_DURATION, METRIC_LABELS("automated", "execute", "true"),
                    (double)total_ms / 1000);
    metrics_observe(metrics, METRIC_JOB_DURATION, METRIC_LABELS(report->commit[0] ? "true" : "false"),
                    (double)report->update_ms / 1000);
}

void round_metrics_record(struct round_metrics *last, struct metrics *metrics, const char *repository,
                          const struct round_report *report, int status, int64_t duration_ms)
{
    bool failed = status < 0 || report->applied.failed;
    double seconds = (double)duration_ms / 1000;
    metrics_add(metrics, METRIC_ROUNDS, METRIC_LABELS(repository, failed ? "failed" : "done"), 1);
    metrics_observe(metrics, METRIC_ROUND_DURATION, METRIC_LABELS(repository), seconds);
    if (report->plan.manifests) {
        record_decisions(metrics, repository, &report->plan);
        record_causes(metrics, repository, &report->plan);
    }
    if (report->plan.release && report->plan.release->files_len)
        record_update(metrics, report);
    if (report->commit[0] && report->plan.release)
        metrics_add(metrics, METRIC_UPDATES, METRIC_LABELS(repository),
                    (double)report->plan.release->changes_len);
    if (!report->was_applied)
        return;
    metrics_observe(metrics, METRIC_SYNC_DURATION, METRIC_LABELS(failed ? "false" : "true"), seconds);
    record_apply(last, metrics, &report->applied);
}
