#include "base/process_spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* Our environment without the names that are in `added`, and what that sets. Only the array is allocated. */
static char **merge_environment(const char *const *added)
{
    size_t ours = 0, extra = 0, len = 0;
    while (environ[ours])
        ours++;
    while (added && added[extra])
        extra++;
    char **merged = xcalloc(ours + extra + 1, sizeof(*merged));
    for (size_t i = 0; i < extra; i++) {
        if (strchr(added[i], '='))
            memcpy(&merged[len++], &added[i], sizeof(added[i]));
    }
    for (size_t i = 0; i < ours; i++) {
        bool replaced = false;
        size_t name = strcspn(environ[i], "=");
        for (size_t k = 0; k < extra && !replaced; k++)
            replaced = !strncmp(added[k], environ[i], name) && strchr("=", added[k][name]);
        if (!replaced)
            merged[len++] = environ[i];
    }
    return merged;
}

/* The child's descriptors 0, 1, 2; default signal dispositions and an empty mask whatever ours are. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const int ends[3])
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int problem = 0;
    for (int fd = 0; fd < 3 && !problem; fd++)
        problem = posix_spawn_file_actions_adddup2(actions, ends[fd], fd);
    problem = problem ? problem : posix_spawnattr_setsigmask(attributes, &none);
    problem = problem ? problem : posix_spawnattr_setsigdefault(attributes, &defaults);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
    return problem ? problem : posix_spawnattr_setflags(attributes, flags);
}

int process_spawn(pid_t *pid, const struct process_options *options, const int ends[3])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    AUTO_FREE char **environment = merge_environment(options->environment);
    char *const *argv;
    memcpy(&argv, &options->argv, sizeof(argv));
    if (posix_spawn_file_actions_init(&actions))
        return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int problem = prepare(&actions, &attributes, ends);
    if (!problem)
        problem = posix_spawnp(pid, options->argv[0], &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}
