#include <stdio.h>

#include "cli/command.h"

int command_version(struct invocation *invocation UNUSED, struct error *err UNUSED)
{
    puts(PAWL_VERSION);
    return EXIT_DONE;
}

int command_manual(struct invocation *invocation UNUSED, struct error *err UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    command_add_manual(&out);
    fputs(out.buf, stdout);
    return EXIT_DONE;
}
