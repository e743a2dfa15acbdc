/*
 * Who asks for a change, as --user and git's configuration write it, as the author of a commit.
 */
#ifndef DAEMON_COMMIT_USER_H
#define DAEMON_COMMIT_USER_H

#include <stdbool.h>

#include "base/attr.h"

struct commit_user {
    char *name, *email; /* owned */
};
#define COMMIT_USER_INIT                                                                                     \
    {                                                                                                        \
        .name = NULL, .email = NULL                                                                          \
    }
void commit_user_release(struct commit_user *user);

/* "name <email>", an e-mail address alone, which is then the name too, or a name alone, whose address is then
 * `default_email`. False, and nothing to release, if there is nobody (NULL or blank). */
bool commit_user_parse(const char *text, const char *default_email, struct commit_user *out) MUST_CHECK;

#endif
