/*
 * `pawl set-image`: the byte-exact edit on files of a checkout. All that was asked for, or nothing.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/option_rows.h"
#include "cli/say.h"
#include "daemon/set_image.h"

/* The diff is for git and patch, so its bytes are as they are; the summary is for people. */
static void print(const struct invocation *invocation, const struct set_image_result *result)
{
    if (invocation->dry_run)
        fwrite(result->diff.buf, 1, result->diff.len, stdout);
    else
        say(stdout, "%s", result->summary.buf);
}

static int command_set_image(struct invocation *invocation, struct error *err)
{
    const struct set_image_request request = {.path = invocation->directory,
                                              .default_space = invocation->config.default_space,
                                              .workload = invocation->operands.items[0],
                                              .assignments = &invocation->operands,
                                              .first = 1,
                                              .dry_run = invocation->dry_run};
    CLEANUP(set_image_result_release) struct set_image_result result = SET_IMAGE_RESULT_INIT;
    if (set_image(&request, &result, err) < 0)
        return err->code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    if (!result.is_changed)
        fputs("nothing to change\n", stderr);
    else
        print(invocation, &result);
    return invocation->dry_run && result.is_changed ? EXIT_FOUND : EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row set_image_options[] = {
    {.name = "filename",
     .letter = 'f',
     .type = OPTION_STRING,
     .offset = AT(directory),
     .fallback = ".",
     .metavar = "PATH",
     .group = COMMAND_GROUP,
     .help = "File, or directory whose *.yaml and *.yml are edited"},
    DRY_RUN_ROW("Print the diff and write nothing"),
    {.name = "k8s-default-namespace",
     .type = OPTION_STRING,
     .offset = offsetof(struct invocation, config.default_space),
     .fallback = "default",
     .metavar = "NAME",
     .group = COMMAND_GROUP,
     .help = "Namespace of objects that name none"},
    {.name = NULL},
};

static const struct option_row *const set_image_tables[] = {set_image_options, NULL};

const struct command set_image_command = {
    .name = "set-image",
    .operands = "WORKLOAD CONTAINER=IMAGE...",
    .summary = "set images in manifest files, in place, byte for byte",
    .description = "Edits the files below PATH (--filename) that define WORKLOAD (namespace:kind/name or "
                   "kind/name): only the\n"
                   "bytes of the image change. No git, no registry, no cluster: for CI. All containers "
                   "named are set, or\n"
                   "nothing is written.\n",
    .examples = "pawl set-image -f deploy/ default:deployment/app app=ghcr.io/org/app:1.2.4\n",
    .tables = set_image_tables,
    .operands_least = 2,
    .operands_most = 1000,
    .run = command_set_image,
};
