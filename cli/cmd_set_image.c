/*
 * `pawl set-image`: the byte-exact edit on files of a checkout. All that was asked for, or nothing.
 */
#include <stdio.h>

#include "cli/command.h"
#include "daemon/set_image.h"

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
        fputs(invocation->dry_run ? result.diff.buf : result.summary.buf, stdout);
    return invocation->dry_run && result.is_changed ? EXIT_FOUND : EXIT_DONE;
}
