#include "daemon/round_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

void round_log_init(struct round_log *log)
{
    log->head[0] = '\0';
    strmap_init(&log->said, NULL);
}

void round_log_release(struct round_log *log)
{
    strmap_release(&log->said);
}

/* True the first time in a row of rounds that a line is said; keeps it in `now`. */
static bool is_news(struct round_log *log, struct strmap *now, const char *line)
{
    strmap_set(now, line, log);
    return !strmap_has(&log->said, line);
}

static void log_head(struct round_log *log, const struct repository *r, const struct round_report *report)
{
    if (!report->head[0] || !strcmp(report->head, log->head))
        return;
    memcpy(log->head, report->head, sizeof(log->head));
    log_event(LOG_INFO, "sync-loop", "event", "refreshed", "url", mirror_url(r->mirror), "branch",
              mirror_branch(r->mirror), "HEAD", report->head, NULL);
}

/* What makes a decision news. An age grows from round to round; which image it is of, and until when it holds, do not. Why
 * a registry does not answer is a problem, and said as one. */
static char *decision_line(const char *kind, const char *workload, const struct decision *decision)
{
    if (decision->cause == CAUSE_NO_ANSWER || decision->cause == CAUSE_STALE)
        return xasprintf("%s %s %s %s", kind, workload, decision->container->name,
                         decision_cause_name(decision->cause));
    if (decision->cause != CAUSE_TOO_YOUNG)
        return xasprintf("%s %s %s %s", kind, workload, decision->container->name, decision->reason);
    return xasprintf("%s %s %s too young: %s %" PRId64, kind, workload, decision->container->name,
                     decision->candidate, decision->until_ms);
}

static void log_decisions(struct round_log *log, struct strmap *now, const struct repository *r,
                          const struct plan *plan)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        if (decision->kind == DECISION_CURRENT)
            continue;
        AUTO_FREE char *workload = resource_id_text(&decision->resource->id);
        const char *kind = decision_kind_name(decision->kind);
        AUTO_FREE char *line = decision_line(kind, workload, decision);
        if (is_news(log, now, line))
            log_event(LOG_INFO, "automation", "repository", r->settings->name, "decision", kind, "workload",
                      workload, "container", decision->container->name, "current",
                      decision->container->image.text, "candidate", decision->candidate, "reason",
                      decision->reason, NULL);
    }
}

static void log_problems(struct round_log *log, struct strmap *now, const struct repository *r,
                         const struct plan *plan)
{
    for (size_t i = 0; i < plan->problems_len; i++) {
        const struct manifest_problem *each = &plan->problems[i];
        AUTO_FREE char *place = xasprintf("%s:%d", each->file ? each->file : "", each->line);
        AUTO_FREE char *line = each->topic ? xstrdup(each->topic) : xasprintf("%s %s", place, each->message);
        if (is_news(log, now, line))
            log_event(LOG_WARN, "automation", "repository", r->settings->name, "file", place, "workload",
                      each->workload, "err", each->message, NULL);
    }
}

static void log_commit(const struct repository *r, const struct round_report *report)
{
    if (!report->commit[0])
        return;
    AUTO_FREE char *message = release_message(report->plan.release);
    log_event(LOG_INFO, "automation", "event", "pushed", "url", mirror_url(r->mirror), "branch",
              mirror_branch(r->mirror), "revision", report->commit, "message", message, NULL);
}

static void log_applied(struct round_log *log, struct strmap *now, const struct repository *r,
                        const struct round_report *report)
{
    const struct apply_report *applied = &report->applied;
    for (size_t i = 0; i < applied->len; i++) {
        const struct apply_outcome *each = &applied->outcomes[i];
        if (each->result != APPLY_FAILED && !each->message)
            continue;
        AUTO_FREE char *id = each->resource ? resource_id_text(&each->resource->id) : NULL;
        AUTO_FREE char *line = xasprintf("%s %s %s", apply_result_name(each->result),
                                         id           ? id
                                         : each->file ? each->file->path
                                                      : "",
                                         each->message);
        if (is_news(log, now, line))
            log_event(each->result == APPLY_FAILED ? LOG_ERROR : LOG_WARN, "sync", "result",
                      apply_result_name(each->result), "resource", id, "file",
                      each->file ? each->file->path : NULL, "err", each->message, NULL);
    }
    if (!report->was_applied)
        return;
    char counts[160];
    snprintf(counts, sizeof(counts), "created=%zu configured=%zu unchanged=%zu failed=%zu", applied->created,
             applied->configured, applied->unchanged, applied->failed);
    const char *revision = report->commit[0] ? report->commit : report->head;
    AUTO_FREE char *line = xasprintf("applied %s %s", revision, counts);
    bool is_worth_it =
        applied->created || applied->configured || (is_news(log, now, line) && applied->failed);
    log_event(is_worth_it ? LOG_INFO : LOG_DEBUG, "sync", "event", "applied", "target",
              r->target->description, "revision", revision, "objects", counts, NULL);
}

void round_log_write(struct round_log *log, const struct repository *r, const struct round_report *report,
                     const struct error *failure)
{
    if (report->plan.is_unchanged && !report->was_applied && !failure->code)
        return; /* all of it was said */
    struct strmap now = STRMAP_INIT;
    log_head(log, r, report);
    log_decisions(log, &now, r, &report->plan);
    log_problems(log, &now, r, &report->plan);
    log_commit(r, report);
    log_applied(log, &now, r, report);
    if (failure->code && is_news(log, &now, failure->text))
        log_event(LOG_ERROR, "sync-loop", "repository", r->settings->name, "err", failure->text, NULL);
    strmap_release(&log->said);
    log->said = now;
}
