#include "cli/command.h"
#include "daemon/serve.h"

static int command_serve(struct invocation *invocation, struct error *err)
{
    if (serve(&invocation->config, err) == 0)
        return EXIT_DONE;
    return command_exit_code(err);
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row *const serve_tables[] = {
    config_git_options,    config_registry_options, config_cache_options, config_cluster_options,
    config_listen_options, config_general_options,  config_flux_options,  NULL};

const struct command serve_command = {
    .name = "serve",
    .summary = "the daemon: rounds for every repository, until stopped",
    .description = "Runs a round for each repository when its branch moves, when a registry's answer "
                   "changes, and at the\n"
                   "intervals given. Logs to stderr. SIGTERM and SIGINT end it.\n",
    .examples = "pawl serve --git-url git@github.com:org/gitops --git-path releases/staging\n"
                "pawl serve --config /etc/pawl.yaml\n",
    .tables = serve_tables,
    .needs_repository = true,
    .run = command_serve,
};
