/*
 * `pawl explain`: the whole decision for each container of a workload, for people and as JSON.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/option_rows.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "daemon/explain.h"
#include "daemon/session.h"

#define EVERYTHING "*"

static void line(const char *name, const char *text)
{
    say(stdout, "    %-12s%s\n", name, text);
}

/* "12s ago", "in 4m", whole seconds. */
static char *describe_time(int64_t time_ms, int64_t now_ms)
{
    char stamp[CLOCK_RFC3339_SIZE], distance[CLOCK_DURATION_SIZE];
    int64_t apart_ms = time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms;
    clock_format_rfc3339(time_ms - time_ms % 1000, stamp);
    clock_format_duration(apart_ms - apart_ms % 1000, distance);
    return xasprintf("%s (%s%s%s)", stamp, time_ms > now_ms ? "in " : "", distance,
                     time_ms > now_ms ? "" : " ago");
}

/* -- a container --------------------------------------------------------------------------------------------- */

static void print_policy(const struct explanation *e)
{
    const struct tag_policy *policy = e->container->policy;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (!policy)
        strbuf_addf(&text, "cannot be read (line %d): %s", e->container->line, e->container->problem);
    else
        strbuf_addf(&text, "%s, the %s", tag_policy_text(policy), tag_policy_superlative(policy));
    if (policy && tag_policy_extract(policy))
        strbuf_addf(&text, " of \"%s\"", tag_policy_extract(policy));
    line("policy", text.buf);
}

static void add_setting(struct strbuf *out, const char *name, const char *value)
{
    if (value)
        strbuf_addf(out, "%s%s%s%s", out->len ? "; " : "", name, *value ? " " : "", value);
}

/* What else is asked of the image, and when. */
static void print_settings(const struct explanation *e)
{
    const struct container_policy *container = e->container;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf platforms = STRBUF_INIT;
    char min_age[CLOCK_DURATION_SIZE];
    clock_format_duration(container->min_age_ms, min_age);
    for (size_t i = 0; i < container->platforms.len; i++)
        strbuf_addf(&platforms, "%s%s", i ? "," : "", container->platforms.items[i]);
    add_setting(&text, "digest",
                container->digest == DIGEST_NEVER ? NULL : digest_mode_name(container->digest));
    add_setting(&text, "platforms", platforms.len ? platforms.buf : NULL);
    add_setting(&text, "min-age", container->min_age_ms ? min_age : NULL);
    add_setting(&text, "allow-downgrade", container->allows_downgrade ? "" : NULL);
    add_setting(&text, "window", e->workload->window_text);
    if (text.len)
        line("settings", text.buf);
}

static void print_answer(const struct explanation *e, int64_t now_ms)
{
    const struct repository_info *info = e->answer ? e->answer->info : NULL;
    if (!e->repository)
        return;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "%s", e->repository);
    if (!e->answer)
        strbuf_addf(&text, ": not asked");
    else if (!info)
        strbuf_addf(&text, ": no answer");
    else
        strbuf_addf(&text, ", %zu tag%s", info->images_len, info->images_len == 1 ? "" : "s");
    line("repository", text.buf);
    if (info) {
        AUTO_FREE char *when = describe_time(info->scanned_ms, now_ms);
        line("scanned", when);
    }
    if (info && e->answer->error.code) /* without an answer it is the decision's reason */
        line("failing", e->answer->error.text);
}

static void print_rejected(const struct explanation *e)
{
    struct rejection rejections[EXPLANATION_REJECTIONS];
    size_t len = explanation_rejections(e, rejections);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < len; i++)
        strbuf_addf(&text, "%s%zu %s", i ? ", " : "", rejections[i].count, rejections[i].name);
    if (len)
        line("rejected", text.buf);
}

static void print_holds(const struct explanation *e)
{
    const char *names[EXPLANATION_HOLDS];
    size_t len = explanation_holds(e, names);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < len; i++)
        strbuf_addf(&text, "%s%s", i ? ", " : "", names[i]);
    if (len)
        line("held by", text.buf);
}

static void print_decision(const struct explanation *e)
{
    const struct decision *d = e->decision;
    AUTO_FREE char *candidate = d->candidate ? xasprintf("%s, of %zu that match%s", d->candidate, e->matching,
                                                         e->matching == 1 ? "es" : "")
                                             : NULL;
    if (candidate)
        line("candidate", candidate);
    line("decision", decision_kind_name(d->kind));
    line("because", d->reason);
    print_holds(e);
    if (e->target) {
        AUTO_FREE char *target =
            xasprintf("%s%s", e->target, d->kind == DECISION_UPDATE ? "" : ", if nothing held it");
        line("to write", target);
    }
}

static void print_budget(const struct explanation *e, int64_t now_ms)
{
    if (e->next_scan_ms) {
        AUTO_FREE char *when = describe_time(e->next_scan_ms, now_ms);
        AUTO_FREE char *text = xasprintf("%s, by `pawl serve`", when);
        line("next scan", text);
    }
    const struct host_budget *budget = e->budget;
    if (!budget)
        return;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (budget->rps_ceiling > 0)
        strbuf_addf(&text, "%.3g of %.3g requests a second to %s", budget->rps, budget->rps_ceiling,
                    budget->host);
    else
        strbuf_addf(&text, "no limit for %s", budget->host);
    if (budget->quota_limit >= 0)
        strbuf_addf(&text, ", %lld of a quota of %lld left", (long long)budget->quota_remaining,
                    (long long)budget->quota_limit);
    if (budget->blocked_until_ms > now_ms) {
        AUTO_FREE char *until = describe_time(budget->blocked_until_ms, now_ms);
        strbuf_addf(&text, ", blocked until %s", until);
    }
    line("budget", text.buf);
}

static void print_container(const struct explanation *e, int64_t now_ms)
{
    const struct container *container = e->decision->container;
    const char *written = container->image_node ? container->image_node->value : NULL;
    const char *image = container->image.text ? container->image.text : written;
    say(stdout, "  %s %s: %s (line %d)\n", container->is_init ? "init container" : "container",
        container->name, image ? image : "no image", container->line);
    print_policy(e);
    print_settings(e);
    print_answer(e, now_ms);
    print_rejected(e);
    print_decision(e);
    print_budget(e, now_ms);
}

/* -- workloads ----------------------------------------------------------------------------------------------- */

static char *describe_lock(const struct workload_policy *workload)
{
    const char *user = workload->locked_user, *message = workload->locked_message;
    char until[CLOCK_RFC3339_SIZE] = "";
    if (workload->locked_until_ms)
        clock_format_rfc3339(workload->locked_until_ms, until);
    return xasprintf(", locked%s%s%s%s%s%s", user ? " by " : "", user ? user : "", *until ? " until " : "",
                     until, message ? ": " : "", message ? message : "");
}

static void print_workload(const struct explained *from, const struct explanation *e)
{
    const struct workload_policy *workload = e->workload;
    const struct resource *resource = workload->resource;
    say(stdout, "%s  %s:%d of %s at %.7s\n", e->id, resource->file->path, resource->line,
        from->settings->name, from->head);
    const char *automated = workload->automated                   ? "automated"
                            : workload_policy_is_active(workload) ? "automated where a marker says so"
                                                                  : "not automated";
    AUTO_FREE char *lock = e->is_locked ? describe_lock(workload) : xstrdup("");
    say(stdout, "  %s%s%s\n", automated, lock, workload->ignored ? ", to be ignored" : "");
    for (size_t i = 0; i < e->problems_len; i++)
        say(stdout, "  problem: %s\n", e->problems[i]);
}

static void print_text(const struct explanations *all)
{
    int64_t now_ms = clock_wall_ms(&system_clock);
    const struct explanation *last = NULL;
    for (size_t i = 0; i < all->len; i++) {
        for (size_t k = 0; k < all->repositories[i].len; k++) {
            const struct explanation *e = &all->repositories[i].items[k];
            if (!last || e->workload != last->workload) { /* a kustomization's entries may have one each */
                say(stdout, "%s", last ? "\n" : "");
                print_workload(&all->repositories[i], e);
            }
            last = e;
            print_container(e, now_ms);
        }
    }
    if (!last)
        say(stderr, "there is nothing to explain: no workload has a container\n");
}

static void print_json(const struct explanations *all)
{
    AUTO_JSON json_t *list = explanations_json(all);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, list, 2);
    puts(text.buf);
}

/* NULL: all workloads. */
static int find_workload(const struct invocation *invocation, const char **workload, struct error *err)
{
    const char *operand = invocation->operands.len ? invocation->operands.items[0] : NULL;
    bool is_everything = operand && !strcmp(operand, EVERYTHING);
    if (!operand && !invocation->all)
        return error_set(err, ERROR_USAGE, "`pawl explain` needs WORKLOAD, or --all");
    if (operand && !is_everything && invocation->all)
        return error_set(err, ERROR_USAGE, "`pawl explain` takes either WORKLOAD or --all");
    *workload = is_everything ? NULL : operand;
    return 0;
}

static int command_explain(struct invocation *invocation, struct error *err)
{
    CLEANUP(session_close) struct session session = SESSION_INIT;
    CLEANUP(explanations_release) struct explanations all = EXPLANATIONS_INIT;
    CLEANUP(progress_end) struct progress progress;
    progress_begin(&progress, "asking registries");
    struct explain_options options = {
        .space = invocation->space, .progress = progress_step, .context = &progress};
    if (find_workload(invocation, &options.workload, err) < 0 ||
        session_open(&session, &invocation->config, &system_clock, err) < 0 ||
        explain(&invocation->config, &session, &options, &all, err) < 0)
        return command_exit_code(err);
    progress_end(&progress);
    if (!strcmp(invocation->output, "json"))
        print_json(&all);
    else
        print_text(&all);
    return EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row explain_options[] = {
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = COMMAND_GROUP,
     .help = "Explain all workloads"},
    SPACE_ROW("Namespace of a WORKLOAD that names none"),
    OUTPUT_ROW(COMMAND_GROUP, "table|tab|json", "Form of the output: text for people, or JSON"),
    {.name = NULL},
};

static const struct option_row *const explain_tables[] = {
    explain_options,        config_git_options,     config_registry_options, config_cache_options,
    config_cluster_options, config_general_options, config_flux_options,     NULL};

const struct command explain_command = {
    .name = "explain",
    .operands = "WORKLOAD",
    .summary = "the whole decision for each container of a workload, and what led to it",
    .description =
        "Reads the manifests at the head of the branch, asks the registries of WORKLOAD "
        "(namespace:kind/name "
        "or\n"
        "kind/name), and says of each container: its policy, how many tags there are and how many of them "
        "are "
        "left out\n"
        "by which rule, the candidate, what would be written, and all that holds it back; when its registry "
        "is asked next,\n"
        "and within what budget. For workloads that are not automated, it says what would happen if they "
        "were. Changes\n"
        "nothing. WORKLOAD may be '*'.\n"
        "\n"
        "Exit status: 0 explained, whatever the decision is, 1 there is no such workload or git cannot be "
        "read, 2 wrong\n"
        "usage.\n",
    .examples = "pawl explain default:deployment/app --git-url git@github.com:org/gitops\n"
                "pawl explain --all -o json --config /etc/pawl.yaml\n",
    .tables = explain_tables,
    .operands_least = 0,
    .operands_most = 1,
    .needs_repository = true,
    .run = command_explain,
};
