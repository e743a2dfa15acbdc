#include "cli/command.h"

#include <string.h>

#define REFUSED(verb, why)                                                                                   \
    &(const struct command)                                                                                  \
    {                                                                                                        \
        .name = (verb), .refusal = "is not in this version of pawl" why                                      \
    }

const struct command *const commands[] = {
    &once_command,
    &serve_command,
    &tags_command,
    &explain_command,
    &list_workloads_command,
    &list_images_command,
    &automate_command,
    &deautomate_command,
    &lock_command,
    &unlock_command,
    &policy_command,
    &set_image_command,
    &release_command,
    &promote_command,
    &history_command,
    &rollback_command,
    &cache_command,
    &version_command,
    &manual_command,
    REFUSED("check", "; try `pawl once --dry-run`, which changes nothing"),
    REFUSED("save", ""),
    REFUSED("identity", "; pawl uses your own ssh and its keys"),
    REFUSED("sync", "; `pawl once` syncs once"),
    REFUSED("install", ""),
    REFUSED("completion", ""),
    REFUSED("wait", "; `pawl once` returns when the commit is applied"),
    REFUSED("notify", ""),
    NULL,
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *each = commands; *each; each++) {
        const struct command *c = *each;
        if (!strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name)))
            return c;
    }
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *best = NULL;
    size_t best_distance = 3; /* further away it is another word */
    for (const struct command *const *each = commands; *each; each++) {
        size_t distance = str_distance((*each)->name, name);
        if ((*each)->summary && distance < best_distance) {
            best = (*each)->name;
            best_distance = distance;
        }
    }
    return best;
}

int command_exit_code(const struct error *err)
{
    return err->code == ERROR_USAGE || err->code == ERROR_UNSUPPORTED ? EXIT_USAGE : EXIT_FAILED;
}
