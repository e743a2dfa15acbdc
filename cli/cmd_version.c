#include <stdio.h>

#include "cli/command.h"

static int command_version(struct invocation *invocation UNUSED, struct error *err UNUSED)
{
    puts(PAWL_VERSION);
    return EXIT_DONE;
}

static int command_manual(struct invocation *invocation UNUSED, struct error *err UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    command_add_manual(&out);
    fputs(out.buf, stdout);
    return EXIT_DONE;
}

const struct command version_command = {
    .name = "version",
    .summary = "print the version",
    .run = command_version,
};

/* for the build of docs/pawl.1; not listed */
const struct command manual_command = {
    .name = "manual",
    .run = command_manual,
};
