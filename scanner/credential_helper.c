#include "scanner/credential_helper.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/strbuf.h"

#define NAME_LENGTH   64
#define SHOWN_LENGTH  200 /* of a helper's complaint */
#define NOT_FOUND     "credentials not found"
#define TOKEN_AS_USER "<token>"

bool credential_helper_is_name(const char *name)
{
    size_t len = strlen(name);
    if (!len || len > NAME_LENGTH)
        return false;
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return false;
    }
    return true;
}

int credential_helper_parse(const char *text, size_t len, struct credential_grant *grant, struct error *err)
{
    AUTO_JSON json_t *answer = json_read(text, len, NULL);
    const char *username = json_string_at(answer, "Username");
    const char *secret = json_string_at(answer, "Secret");
    if (!username || !secret)
        return error_set(err, ERROR_INVALID, "its answer is no JSON object with Username and Secret");
    bool is_token = !strcmp(username, TOKEN_AS_USER);
    /* A password may have several lines, as the key of a Google service account has: it is sent as base64. */
    if (!credential_is_clean(username) || (is_token && !credential_is_clean(secret)))
        return error_set(err, ERROR_INVALID, "its answer holds control characters");
    *grant = (struct credential_grant)CREDENTIAL_GRANT_INIT;
    if (!*secret)
        return 0;
    if (is_token) {
        grant->identity_token = xstrdup(secret);
    } else {
        grant->username = xstrdup(username);
        grant->password = xstrdup(secret);
    }
    return 0;
}

/* Its whole output, within the time. */
static int converse(struct process *process, const char *server, int64_t timeout_ms, struct strbuf *output,
                    struct error *err)
{
    int64_t end_ms = clock_monotonic_ms(&system_clock) + timeout_ms;
    char bytes[4096];
    ssize_t got;
    if (process_write(process, server, strlen(server), err) < 0 && err->code == ERROR_TIMEOUT)
        return -1; /* one that does not read its input may have its reasons, and says them */
    process_close_input(process);
    while ((got = process_read(process, bytes, sizeof(bytes), err)) > 0) {
        strbuf_add(output, bytes, (size_t)got);
        if (output->overflowed)
            return error_set(err, ERROR_TOO_LARGE, "its answer is over %u bytes", LIMIT_PROCESS_STDOUT_BYTES);
        if (clock_monotonic_ms(&system_clock) > end_ms)
            return error_set(err, ERROR_TIMEOUT, "it did not end within %lld s",
                             (long long)timeout_ms / 1000);
    }
    explicit_bzero(bytes, sizeof(bytes));
    return got < 0 ? -1 : 0;
}

/* Helpers complain on their standard output, some of them on the other one. */
static int explain_failure(struct process *process, int status, const struct strbuf *output,
                           struct error *err)
{
    const char *words = output->buf + strspn(output->buf, " \t\r\n");
    if (!*words)
        words = process_stderr(process);
    AUTO_FREE char *line = xmemdupz(words, strnlen(words, SHOWN_LENGTH));
    for (char *c = line; *c; c++)
        *c = iscntrl((unsigned char)*c) ? ' ' : *c;
    for (size_t len = strlen(line); len && line[len - 1] == ' '; len--)
        line[len - 1] = '\0';
    return error_set(err, ERROR_UNAUTHORIZED, "it failed with %d: %s; try it by hand", status,
                     *line ? line : "and said nothing");
}

static void close_process(struct process **process)
{
    process_close(*process);
}

static int run(const char *program, const char *server, int64_t timeout_ms, struct credential_grant *grant,
               struct error *err)
{
    const char *const argv[] = {program, "get", NULL};
    CLEANUP(strbuf_release) struct strbuf output = STRBUF_INIT_MAX(LIMIT_PROCESS_STDOUT_BYTES);
    CLEANUP(close_process)
    struct process *process =
        process_start(&(struct process_options){.argv = argv, .timeout_ms = timeout_ms}, err);
    if (!process)
        return -1;
    if (converse(process, server, timeout_ms, &output, err) < 0)
        return -1;
    int status = process_end(process);
    int result = 0;
    if (status == 0)
        result = credential_helper_parse(output.buf, output.len, grant, err);
    else if (strstr(output.buf, NOT_FOUND))
        *grant = (struct credential_grant)CREDENTIAL_GRANT_INIT;
    else
        result = explain_failure(process, status, &output, err);
    explicit_bzero(output.buf, output.len);
    return result;
}

int credential_helper_get(const char *name, const char *server, int64_t timeout_ms,
                          struct credential_grant *grant, struct error *err)
{
    if (!credential_helper_is_name(name))
        return error_set(err, ERROR_INVALID, "the helper's name (%.40s) is not a plain file name", name);
    AUTO_FREE char *program = xasprintf("docker-credential-%s", name);
    struct error problem = ERROR_INIT;
    if (run(program, server, timeout_ms, grant, &problem) == 0)
        return 0;
    return error_set(err, problem.code, "the credential helper %s: %s", program, problem.text);
}
