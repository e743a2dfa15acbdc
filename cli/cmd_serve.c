#include "cli/command.h"
#include "daemon/serve.h"

int command_serve(struct invocation *invocation, struct error *err)
{
    if (serve(&invocation->config, err) == 0)
        return EXIT_DONE;
    return err->code == ERROR_USAGE || err->code == ERROR_UNSUPPORTED ? EXIT_USAGE : EXIT_FAILED;
}
