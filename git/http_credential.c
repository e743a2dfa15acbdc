#include "git/http_credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/strbuf.h"

/* As strbuf_release, for a buffer that held a secret. */
static void release_secret(struct strbuf *secret)
{
    if (secret->size)
        explicit_bzero(secret->buf, secret->size);
    strbuf_release(secret);
}

static char *basic(const char *user, size_t user_len, const char *password, size_t password_len)
{
    CLEANUP(release_secret) struct strbuf pair = STRBUF_INIT;
    CLEANUP(release_secret) struct strbuf value = STRBUF_INIT;
    strbuf_add(&pair, user, user_len);
    strbuf_addch(&pair, ':');
    strbuf_add(&pair, password, password_len);
    strbuf_addstr(&value, "Basic ");
    strbuf_add_base64(&value, pair.buf, pair.len);
    return strbuf_detach(&value, NULL);
}

char *http_credential_of_url(const struct remote_url *url)
{
    if (!url->password)
        return NULL;
    return basic(url->user, strlen(url->user), url->password, strlen(url->password));
}

/* The question, in the lines of git-credential(1). URLs hold no control characters, so no line can be added.
 */
static void describe(const struct remote_url *url, struct strbuf *out)
{
    const char *authority = strstr(url->base, "://") + 3;
    size_t host_len = strcspn(authority, "/");
    strbuf_addf(out, "protocol=%.*s\n", (int)(authority - 3 - url->base), url->base);
    strbuf_addf(out, "host=%.*s\n", (int)host_len, authority);
    if (authority[host_len] && authority[host_len + 1])
        strbuf_addf(out, "path=%s\n", authority + host_len + 1);
    if (url->user)
        strbuf_addf(out, "username=%s\n", url->user);
    strbuf_addch(out, '\n');
}

/* The value of "name=" in the answer; NULL if it is not there. */
static const char *answer_of(const char *answer, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    for (const char *line = answer; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, name, name_len) != 0 || line[name_len] != '=')
            continue;
        *len = strcspn(line + name_len + 1, "\n");
        return line + name_len + 1;
    }
    return NULL;
}

char *http_credential_of_helpers(const struct remote_url *url, int64_t timeout_ms, struct error *err)
{
    static const char *const argv[] = {"git", "credential", "fill", NULL};
    const char *askpass = getenv("GIT_ASKPASS");
    const char *const environment[] = {"GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never",
                                       askpass && *askpass ? NULL : "GIT_ASKPASS=", NULL};
    const struct process_options options = {
        .argv = argv, .environment = environment, .timeout_ms = timeout_ms};
    CLEANUP(strbuf_release) struct strbuf question = STRBUF_INIT;
    CLEANUP(release_secret) struct strbuf answer = STRBUF_INIT;
    struct error why = ERROR_INIT;
    describe(url, &question);
    int result = process_run(&options, question.buf, question.len, &answer, &why);
    size_t user_len = 0, password_len = 0;
    const char *user = answer_of(answer.buf, "username", &user_len);
    const char *password = answer_of(answer.buf, "password", &password_len);
    if (result == 0 && user && password)
        return basic(user, user_len, password, password_len);
    error_set(
        err, why.code == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_UNAUTHORIZED,
        "%s asks for a user and password, and git's credential helpers know none%s%s: put them into the URL "
        "or a helper (git help credentials)",
        url->shown, why.code == ERROR_TIMEOUT ? ", " : "", why.code == ERROR_TIMEOUT ? why.text : "");
    return NULL;
}
