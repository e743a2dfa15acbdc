#include "daemon/job_user.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/process.h"

#define TIMEOUT_MS 5000

/* NULL if it is not set. */
static char *git_setting(const char *name)
{
    const char *const argv[] = {"git", "config", "--get", name, NULL};
    const struct process_options options = {.argv = argv, .timeout_ms = TIMEOUT_MS};
    CLEANUP(strbuf_release) struct strbuf output = STRBUF_INIT;
    if (process_run(&options, NULL, 0, &output, NULL) < 0)
        return NULL;
    size_t len = strcspn(output.buf, "\r\n");
    return len ? xmemdupz(output.buf, len) : NULL;
}

char *job_user_default(void)
{
    AUTO_FREE char *name = git_setting("user.name");
    AUTO_FREE char *email = git_setting("user.email");
    if (name && email)
        return xasprintf("%s <%s>", name, email);
    return email ? steal(&email) : steal(&name);
}
