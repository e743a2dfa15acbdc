#include "cli/round_text.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/say.h"

static void print_changes(const struct release *release)
{
    for (size_t i = 0; i < release->changes_len; i++) {
        const struct release_change *change = &release->changes[i];
        AUTO_FREE char *workload = resource_id_text(&change->resource->id);
        say(stdout, "  update  %s  %s: %s -> %s\n          %s:%d: %s\n", workload, change->container->name,
            change->from, change->to, change->resource->file->path, change->line, change->reason);
    }
}

static void print_others(const struct plan *plan)
{
    size_t current = 0;
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *decision = &plan->decisions[i];
        current += decision->kind == DECISION_CURRENT;
        if (decision->kind != DECISION_HELD && decision->kind != DECISION_BLOCKED)
            continue;
        AUTO_FREE char *workload = resource_id_text(&decision->resource->id);
        say(stdout, "  %-7s %s  %s: %s%s%s\n          %s\n", decision_kind_name(decision->kind), workload,
            decision->container->name,
            decision->container->image.text ? decision->container->image.text : "(unreadable image)",
            decision->candidate ? ", there is " : "", decision->candidate ? decision->candidate : "",
            decision->reason);
    }
    if (current)
        say(stdout, "  current %zu of %zu automated container%s\n", current, plan->decisions_len,
            plan->decisions_len == 1 ? "" : "s");
    if (!plan->decisions_len)
        say(stdout, "  no workload is automated; annotate one with fluxcd.io/automated: \"true\"\n");
}

static void print_diff(const struct release *release)
{
    CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
    for (size_t i = 0; i < release->files_len; i++)
        release_add_diff(&release->files[i], &diff);
    fwrite(diff.buf, 1, diff.len, stdout);
}

static void print_applied(const struct repository *repository, const struct apply_report *applied)
{
    say(stdout, "  applied to %s: %zu created, %zu configured, %zu unchanged",
        repository->target->description, applied->created, applied->configured, applied->unchanged);
    if (applied->skipped)
        say(stdout, ", %zu skipped", applied->skipped);
    if (applied->failed)
        say(stdout, ", %zu failed", applied->failed);
    say(stdout, "\n");
}

void round_print(const struct repository *repository, const struct round_report *report, bool dry_run)
{
    const struct plan *plan = &report->plan;
    if (!plan->release)
        return; /* git could not be read */
    say(stdout, "%s: %s at %.7s of %s\n", repository->settings->name, mirror_branch(repository->mirror),
        report->head, mirror_url(repository->mirror));
    print_changes(plan->release);
    print_others(plan);
    if (dry_run)
        print_diff(plan->release);
    if (report->commit[0]) {
        AUTO_FREE char *message = release_message(plan->release);
        say(stdout, "  pushed  %.7s %.*s\n", report->commit, (int)strcspn(message, "\n"), message);
    }
    if (report->was_applied)
        print_applied(repository, &report->applied);
}

void round_print_problems(const struct round_report *report)
{
    for (size_t i = 0; i < report->plan.problems_len; i++) {
        const struct manifest_problem *each = &report->plan.problems[i];
        say(stderr, "pawl: %s", each->file ? each->file : "");
        if (each->line)
            say(stderr, ":%d", each->line);
        say(stderr, ": %s%s%s\n", each->workload ? each->workload : "", each->workload ? ": " : "",
            each->message);
    }
    for (size_t i = 0; i < report->applied.len; i++) {
        const struct apply_outcome *each = &report->applied.outcomes[i];
        if (each->result != APPLY_FAILED && !each->message)
            continue;
        AUTO_FREE char *id = each->resource ? resource_id_text(&each->resource->id) : NULL;
        say(stderr, "pawl: %s: %s: %s\n",
            id           ? id
            : each->file ? each->file->path
                         : "target",
            apply_result_name(each->result), each->message ? each->message : "");
    }
}
