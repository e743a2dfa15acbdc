/*
 * `pawl set-image`: the byte-exact edit on files of a checkout. All that was asked for, or nothing.
 */
#include <stdio.h>

#include "cli/command.h"
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

int command_set_image(struct invocation *invocation, struct error *err)
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
