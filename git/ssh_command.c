#include "git/ssh_command.h"

#include "base/alloc.h"

void ssh_command_quote(struct strbuf *out, const char *text)
{
    strbuf_addch(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '!')
            strbuf_addf(out, "'\\%c'", *text);
        else
            strbuf_addch(out, *text);
    }
    strbuf_addch(out, '\'');
}

static void push_program(const struct ssh_choice *choice, struct strvec *argv)
{
    if (choice->command && *choice->command) {
        strvec_push(argv, "sh");
        strvec_push(argv, "-c");
        strvec_push_owned(argv, xasprintf("%s \"$@\"", choice->command));
        strvec_push(argv, choice->command); /* $0, for the shell's messages */
    } else if (choice->program && *choice->program) {
        strvec_push(argv, choice->program);
    } else {
        strvec_push(argv, "ssh");
        strvec_push(argv, "-o");
        strvec_push(argv, "BatchMode=yes");
        strvec_push(argv, "-o"); /* it may outlive us, and then should not wait for ever */
        strvec_push(argv, "ConnectTimeout=30");
    }
}

void ssh_command_build(const struct remote_url *url, const char *service, const struct ssh_choice *choice,
                       struct strvec *argv)
{
    push_program(choice, argv);
    if (url->port) {
        strvec_push(argv, "-p");
        strvec_push_owned(argv, xasprintf("%d", url->port));
    }
    strvec_push_owned(argv, url->user ? xasprintf("%s@%s", url->user, url->host) : xstrdup(url->host));
    CLEANUP(strbuf_release) struct strbuf command = STRBUF_INIT;
    strbuf_addf(&command, "%s ", service);
    ssh_command_quote(&command, url->path);
    strvec_push(argv, command.buf);
}
