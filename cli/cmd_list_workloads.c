/*
 * `pawl list-workloads`: the workloads in git, as fluxctl printed them, and what is wrong with them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/fluxctl_options.h"
#include "cli/option_rows.h"
#include "cli/output_options.h"
#include "cli/say.h"
#include "cli/table.h"
#include "daemon/workload_listing.h"

struct all_listings {
    struct workload_listing *items;
    size_t len;
};

static void release_all(struct all_listings *all)
{
    for (size_t i = 0; i < all->len; i++)
        workload_listing_release(&all->items[i]);
    free(all->items);
}

static int make_all(const struct invocation *invocation, struct all_listings *all, struct error *err)
{
    const struct config *config = &invocation->config;
    const struct workload_listing_options options = {
        .space = invocation->space, .all_spaces = invocation->all_spaces, .container = invocation->container};
    all->items = xcalloc(config->repositories_len, sizeof(*all->items));
    while (all->len < config->repositories_len) {
        const struct repository_config *settings = &config->repositories[all->len];
        if (workload_listing_make(config, settings, &options, &all->items[all->len++], err) < 0)
            return error_wrap(err, "repository %s", settings->name);
    }
    return 0;
}

/* -- the table --------------------------------------------------------------------------------------------------- */

/* A container that is left out says why; else its workload says it once. */
static const char *problem_of(const struct listed_workload *workload, size_t i)
{
    const char *problem = i < workload->containers_len ? listed_problem(workload, i) : NULL;
    return problem || i ? problem : workload->problem;
}

static void add_workload(struct table *table, const struct listed_workload *workload)
{
    AUTO_FREE char *place =
        xasprintf("%s:%d", workload->policy->resource->file->path, workload->policy->resource->line);
    for (size_t i = 0; i == 0 || i < workload->containers_len; i++) {
        const struct container *container = workload->containers_len ? workload->containers[i] : NULL;
        const char *cells[] = {i ? "" : workload->id,
                               container ? container->name : "",
                               container ? listed_image(container) : "",
                               i ? "" : WORKLOAD_STATUS_UNKNOWN,
                               i ? "" : workload->flags,
                               container ? listed_policy(workload, i) : "",
                               i ? "" : place,
                               problem_of(workload, i)};
        table_add(table, cells);
    }
}

/* "FILE:LINE", or "FILE" for a file as a whole. free() it. */
static char *place_of(const struct manifest_problem *problem)
{
    return problem->line ? xasprintf("%s:%d", problem->file, problem->line) : xstrdup(problem->file);
}

/* What never became a workload, by its place. */
static void add_spoiled(struct table *table, const struct workload_listing *listing)
{
    for (size_t i = 0; i < listing->problems_len; i++) {
        const struct manifest_problem *problem = &listing->problems[i];
        if (problem->workload)
            continue;
        AUTO_FREE char *place = place_of(problem);
        const char *cells[] = {"", "", "", "", "", "", place, problem->message};
        table_add(table, cells);
    }
}

static void print_table(const struct invocation *invocation, const struct all_listings *all)
{
    bool is_wide = !strcmp(invocation->output, "wide");
    const char *headings[] = {"WORKLOAD", "CONTAINER", "IMAGE", "RELEASE", "POLICY", is_wide ? "TAGS" : NULL,
                              "FILE",     "PROBLEM",   NULL};
    struct table *table = table_new(headings, invocation->no_headers);
    for (size_t i = 0; i < all->len; i++) {
        for (size_t k = 0; k < all->items[i].len; k++)
            add_workload(table, &all->items[i].workloads[k]);
        if (is_wide)
            add_spoiled(table, &all->items[i]);
    }
    table_print(table);
}

/* -- other forms ---------------------------------------------------------------------------------------------------- */

static void print_json(const struct all_listings *all)
{
    AUTO_JSON json_t *list = json_array();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < all->len; i++)
        workload_listing_add_json(&all->items[i], list);
    json_write(&text, list, 2);
    puts(text.buf);
}

static void print_names(const struct all_listings *all)
{
    for (size_t i = 0; i < all->len; i++) {
        for (size_t k = 0; k < all->items[i].len; k++)
            say(stdout, "%s\n", all->items[i].workloads[k].id);
    }
}

static void say_problems(const struct workload_listing *listing)
{
    for (size_t i = 0; i < listing->problems_len; i++) {
        const struct manifest_problem *each = &listing->problems[i];
        AUTO_FREE char *place = place_of(each);
        say(stderr, "pawl: %s: %s%s%s\n", place, each->workload ? each->workload : "",
            each->workload ? ": " : "", each->message);
    }
}

static int command_list_workloads(struct invocation *invocation, struct error *err)
{
    CLEANUP(release_all) struct all_listings all = {.len = 0};
    if (make_all(invocation, &all, err) < 0)
        return command_exit_code(err);
    if (!strcmp(invocation->output, "json"))
        print_json(&all);
    else if (!strcmp(invocation->output, "name"))
        print_names(&all);
    else
        print_table(invocation, &all);
    fflush(stdout);
    size_t listed = 0;
    for (size_t i = 0; i < all.len; i++) {
        say_problems(&all.items[i]);
        listed += all.items[i].len;
    }
    if (!listed)
        output_say_none(invocation);
    return EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row list_workloads_options[] = {
    SPACE_ROW("Namespace of the workloads; the one of objects that name none if not given"),
    ALL_SPACES_ROW,
    {.name = "container",
     .letter = 'c',
     .type = OPTION_STRING,
     .offset = AT(container),
     .metavar = "NAME",
     .group = COMMAND_GROUP,
     .help = "Only containers of this name"},
    {.name = NULL},
};

static const struct option_row *const list_workloads_tables[] = {
    list_workloads_options, output_options,      config_git_options, config_cluster_options,
    config_general_options, config_flux_options, fluxctl_options,    NULL};

const struct command list_workloads_command = {
    .name = "list-workloads",
    .alias = "list-controllers",
    .summary = "the workloads in git, their images and policies, and what is wrong with them",
    .description =
        "Reads the manifests at the head of the branch and lists what has images, automated or not. "
        "RELEASE is what a\n"
        "cluster would say of the rollout; without one it is \"unknown\". POLICY is automated, ignore "
        "and locked; with\n"
        "-o wide the tag policies come with it, the file of each workload, and the reason why one is "
        "left out. Files and\n"
        "documents that cannot be read are listed there too, and on stderr in any form. Changes "
        "nothing.\n"
        "\n"
        "Without -n or -a: the workloads of the default namespace.\n"
        "\n"
        "Exit status: 0 done, 1 git could not be read, 2 wrong usage.\n",
    .examples = "pawl list-workloads --git-url git@github.com:org/gitops -a\n"
                "pawl list-workloads --git-url /srv/gitops.git -n demo -o wide\n",
    .tables = list_workloads_tables,
    .needs_repository = true,
    .run = command_list_workloads,
};
