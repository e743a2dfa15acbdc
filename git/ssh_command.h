/*
 * The command line that reaches a repository over ssh: the user's own ssh, so that keys, agents, jump hosts,
 * hardware tokens and ~/.ssh/config work as they do for git.
 */
#ifndef GIT_SSH_COMMAND_H
#define GIT_SSH_COMMAND_H

#include "base/strbuf.h"
#include "git/remote_url.h"

/* What the user chose in the environment, as git reads it; NULL or "": not set. */
struct ssh_choice {
    const char
        *command; /* GIT_SSH_COMMAND: a line for the shell, by the user's own wish; wins over program */
    const char *program; /* GIT_SSH: one program, no arguments */
};

/*
 * Appends the arguments, the program first. `service` is "git-upload-pack" or "git-receive-pack". Where the
 * choice of ssh is ours it is told never to ask questions (BatchMode), as nobody is there to answer.
 */
void ssh_command_build(const struct remote_url *url, const char *service, const struct ssh_choice *choice,
                       struct strvec *argv);

/* Appends `text` quoted for a POSIX shell, in the way that git quotes (csh's "!" is taken care of). */
void ssh_command_quote(struct strbuf *out, const char *text);

#endif
