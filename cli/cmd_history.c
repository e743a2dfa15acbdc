/*
 * `pawl history` and `pawl rollback`: what a workload ran, and back to it.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/job_options.h"
#include "cli/say.h"
#include "cli/table.h"
#include "daemon/job_repository.h"
#include "daemon/rollback_job.h"
#include "daemon/workload_log.h"

#define SHORT_ID 7

int command_rollback(struct invocation *invocation, struct error *err)
{
    CLEANUP(rollback_job_release)
    struct rollback_job rollback = {.request = {.space = invocation->space,
                                                .workload = invocation->operands.items[0],
                                                .to = invocation->rollback_to,
                                                .containers = &invocation->containers,
                                                .force = invocation->force,
                                                .message = invocation->message}};
    const struct job job = rollback_job(&rollback);
    return job_command(invocation, &job, &invocation->operands, err);
}

static char *first_line(const char *text)
{
    return xmemdupz(text, strcspn(text, "\r\n"));
}

static void add_entry(struct table *table, const struct log_entry *entry)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(entry->info.when_ms, time);
    AUTO_FREE char *commit = xmemdupz(entry->commit, SHORT_ID);
    AUTO_FREE char *subject = first_line(entry->info.message);
    const char *who = entry->user ? entry->user : entry->info.author;
    for (size_t i = 0; i < entry->changes_len; i++) {
        const struct log_change *change = &entry->changes[i];
        AUTO_FREE char *images =
            xasprintf("%s: %s -> %s", change->container, change->from ? change->from : "(none)",
                      change->to ? change->to : "(none)");
        const char *cells[] = {i ? "" : commit, i ? "" : time,
                               i ? "" : (entry->is_automatic ? "automation" : who), images,
                               change->reason ? change->reason : (i ? "" : subject)};
        table_add(table, cells);
    }
}

static void print_table(const struct workload_log *log, bool no_headers)
{
    static const char *const headings[] = {"COMMIT", "TIME", "BY", "IMAGES", "REASON", NULL};
    struct table *table = table_new(headings, no_headers);
    for (size_t i = 0; i < log->len; i++)
        add_entry(table, &log->entries[i]);
    table_print(table);
}

static void print_json(const struct workload_log *log)
{
    AUTO_JSON json_t *json = workload_log_json(log);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, json, 2);
    puts(text.buf);
}

int command_history(struct invocation *invocation, struct error *err)
{
    const struct job_place place = {
        .repository = invocation->repository, .space = invocation->space, .workloads = &invocation->operands};
    CLEANUP(repository_release)
    struct repository *r = job_repository_open(&invocation->config, &place, &system_clock, err);
    CLEANUP(workload_log_release) struct workload_log log = {.entries = NULL};
    if (!r || workload_log_read(r, invocation->operands.items[0], invocation->space,
                                (size_t)invocation->limit, &log, err) < 0)
        return err->code == ERROR_USAGE || err->code == ERROR_UNSUPPORTED ? EXIT_USAGE : EXIT_FAILED;
    if (!strcmp(invocation->output, "json"))
        print_json(&log);
    else
        print_table(&log, invocation->no_headers);
    fflush(stdout);
    if (!log.len)
        say(stderr, "No commit that is looked at has changed an image of %s\n", log.workload);
    return EXIT_DONE;
}
