/*
 * Any text as the URL of a repository: what is taken must be safe to hand to ssh and git, and must not show its
 * password.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/remote_url.h"
#include "git/ssh_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_ssh(const struct remote_url *url)
{
    const struct ssh_choice choice = {NULL, NULL};
    CLEANUP(strvec_release) struct strvec argv = STRVEC_INIT;
    ssh_command_build(url, "git-upload-pack", &choice, &argv);
    /* The host and the command for it come last, behind the options. */
    require(argv.len > 3);
    require(argv.items[argv.len - 2][0] != '-');
    require(str_starts_with(argv.items[argv.len - 1], "git-upload-pack '"));
    require(url->path[0] != '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdupz(data, size);
    CLEANUP(remote_url_release) struct remote_url url = REMOTE_URL_INIT;
    struct error err = ERROR_INIT;
    if (remote_url_parse(text, &url, &err) < 0) {
        require(err.code != ERROR_NONE && err.text[0]);
        return 0;
    }
    require(url.shown && *url.shown);
    if (url.kind == REMOTE_SSH)
        check_ssh(&url);
    if (url.kind == REMOTE_LOCAL)
        require(*url.path && url.path[0] != '-');
    if (url.kind == REMOTE_HTTP) {
        require(!strcmp(url.shown, url.base));
        /* The base is a URL of itself, with nobody's name in it. */
        CLEANUP(remote_url_release) struct remote_url again = REMOTE_URL_INIT;
        require(remote_url_parse(url.base, &again, &err) == 0);
        require(!again.user && !again.password && !strcmp(again.base, url.base));
    }
    return 0;
}
