#include "git/transport.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/limits.h"

struct transport *transport_new(const struct remote_url *url, int64_t timeout_ms)
{
    struct transport *t = xcalloc(1, sizeof(*t));
    t->url = url;
    t->timeout_ms = timeout_ms;
    strbuf_init(&t->words, LIMIT_PROCESS_STDERR_BYTES);
    strbuf_init(&t->program_text, LIMIT_PROCESS_STDERR_BYTES);
    return t;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    http_client_free(t->http);
    if (t->authorization)
        explicit_bzero(t->authorization, strlen(t->authorization));
    free(t->authorization);
    free(t->http_base);
    strbuf_release(&t->words);
    strbuf_release(&t->program_text);
    free(t);
}

static int create(git_transport **out, git_remote *owner, void *payload)
{
    struct transport *t = payload;
    bool is_http = t->url->kind == REMOTE_HTTP;
    git_smart_subtransport_definition definition = {
        .callback = is_http ? transport_http_new : transport_process_new, .rpc = is_http, .param = t};
    return git_transport_smart(out, owner, &definition);
}

/* More than the limit is dropped: what matters of a refusal comes first. */
static int gather_words(const char *text, int len, void *payload)
{
    struct transport *t = payload;
    size_t room = LIMIT_PROCESS_STDERR_BYTES - t->words.len;
    strbuf_add(&t->words, text, (size_t)len < room ? (size_t)len : room);
    return 0;
}

void transport_begin(struct transport *t, git_remote_callbacks *callbacks)
{
    error_clear(&t->error);
    git_error_clear(); /* what is left of an earlier failure explains nothing now */
    strbuf_reset(&t->words);
    strbuf_reset(&t->program_text);
    t->program_status = 0;
    callbacks->transport = create;
    callbacks->sideband_progress = gather_words;
    callbacks->payload = t;
}

int transport_failed(struct transport *t, const struct error *err)
{
    if (t->error.code == ERROR_NONE)
        t->error = *err;
    git_error_set_str(GIT_ERROR_NET, err->text);
    return -1;
}

/* -- the words of the other side ------------------------------------------------------------------------ */

/* What git's server side says of its work; it is no answer to anything. */
static bool is_progress(const char *line)
{
    static const char *const meters[] = {"Enumerating objects",
                                         "Counting objects",
                                         "Compressing objects",
                                         "Resolving deltas",
                                         "Unpacking objects",
                                         "Receiving objects",
                                         "Total "};
    for (size_t i = 0; i < ARRAY_LEN(meters); i++) {
        if (str_starts_with(line, meters[i]))
            return true;
    }
    return false;
}

/* Appends the lines, trimmed and joined by "; ", with control characters (a terminal would obey them) as "?".
 */
static void join_lines(const char *text, struct strbuf *out)
{
    size_t before = out->len;
    AUTO_FREE char *copy = xstrdup(text);
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        line += strspn(line, " \t");
        size_t len = strlen(line);
        while (len && strchr(" \t", line[len - 1]))
            line[--len] = '\0';
        if (!len || is_progress(line))
            continue;
        if (out->len > before)
            strbuf_addstr(out, "; ");
        for (char *c = line; *c; c++) {
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                *c = '?';
        }
        strbuf_addstr(out, line);
    }
}

void transport_words(const struct transport *t, struct strbuf *out)
{
    join_lines(t->words.buf, out);
}

/* What programs and servers say, what it means, and what to try. The first that is found counts, so the more
 * particular ones come first. */
static const struct {
    const char *says;
    enum error_code code;
    const char *hint;
} meanings[] = {
    {"Host key verification failed", ERROR_TLS,
     "the host's key is not in known_hosts, or is another one: connect once by hand with ssh, or add the key "
     "with "
     "ssh-keyscan after checking its fingerprint"},
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", ERROR_TLS,
     "the host's key is another one than known_hosts says: find out why before removing the old key"},
    {"Permission denied (", ERROR_UNAUTHORIZED,
     "the host accepted none of the keys: look at `ssh-add -l`, ~/.ssh/config, and the deploy keys of the "
     "repository"},
    {"Too many authentication failures", ERROR_UNAUTHORIZED,
     "name the key for this host in ~/.ssh/config, with IdentitiesOnly yes"},
    {"Could not resolve hostname", ERROR_NETWORK, "is the host's name right, and does DNS work here?"},
    {"Connection refused", ERROR_NETWORK, "is the port right, and does the server run?"},
    {"Connection timed out", ERROR_NETWORK, "is there a route or a firewall between here and the host?"},
    {"No route to host", ERROR_NETWORK, "is there a route or a firewall between here and the host?"},
    {"dubious ownership", ERROR_FORBIDDEN,
     "the repository belongs to another user: run as that user, or add it to safe.directory"},
    {"does not appear to be a git repository", ERROR_NOT_FOUND, "is the path right?"},
    {"epository not found", ERROR_NOT_FOUND, "is the path right, and may this key read it?"},
    {"could not be found", ERROR_NOT_FOUND, "is the path right, and may this key read it?"},
    {"does not exist", ERROR_NOT_FOUND, "is the path right?"},
    {"command not found", ERROR_NOT_FOUND, "git has to be installed on the host"},
    {"is not a git command", ERROR_NOT_FOUND, "git has to be installed whole on this machine"},
    {"Permission denied", ERROR_FORBIDDEN, "may this user read and write there?"},
    {"denied", ERROR_FORBIDDEN, "may this key or user read and write there?"},
};

/* The line of `text` that holds `words`, or its last one. */
static const char *pick_line(const char *text, const char *words, struct strbuf *out)
{
    const char *at = words ? strstr(text, words) : NULL;
    const char *end = text + strlen(text);
    const char *start = at;
    if (!at) {
        while (end > text && strchr("\r\n", end[-1]))
            end--;
        start = end;
    } else {
        end = at + strcspn(at, "\r\n");
    }
    while (start > text && !strchr("\r\n", start[-1]))
        start--;
    AUTO_FREE char *line = xmemdupz(start, (size_t)(end - start));
    join_lines(line, out);
    return out->buf;
}

/* The program wrote why: in its own words, with what they mean. */
static int explain_text(const struct transport *t, const char *text, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        if (strstr(text, meanings[i].says))
            return error_set(err, meanings[i].code, "%s: %s (%s)", t->url->shown,
                             pick_line(text, meanings[i].says, &line), meanings[i].hint);
    }
    return error_set(err, ERROR_NETWORK, "%s: %s", t->url->shown, pick_line(text, NULL, &line));
}

int transport_explain(struct transport *t, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    bool gone = t->error.code == ERROR_NONE || t->error.code == ERROR_IO;
    const git_error *last = git_error_last();
    /* Its list of refs ends with lines that libgit2 does not know; the program then says that we hung up. */
    if (last && last->message && strstr(last->message, "parsing REF pkt-line"))
        return error_set(
            err, ERROR_UNSUPPORTED,
            "%s: cannot read its list of branches; if it is a shallow clone, make it whole with `git "
            "fetch --unshallow`, or with fetch-depth: 0 where actions/checkout made it",
            t->url->shown);
    if (t->program_text.len && (gone || t->error.code == ERROR_NETWORK))
        return explain_text(t, t->program_text.buf, err);
    if (t->error.code == ERROR_TIMEOUT && t->url->kind == REMOTE_SSH)
        return error_set(err, ERROR_TIMEOUT, "%s: %s: is the host up, or the timeout too short?",
                         t->url->shown, t->error.text);
    if (t->error.code != ERROR_NONE) {
        if (err)
            *err = t->error;
        return strstr(t->error.text, t->url->shown) ? -1 : error_wrap(err, "%s", t->url->shown);
    }
    if (t->program_status)
        return error_set(err, ERROR_NETWORK,
                         "%s: the program that connects ended with status %d and said nothing", t->url->shown,
                         t->program_status);
    if (last && last->message && strstr(last->message, "remote error: "))
        return explain_text(t, last->message, err);
    library_error(err, "%s", t->url->shown);
    transport_words(t, &words);
    if (words.len && err) {
        struct error told = *err;
        error_set(err, told.code, "%s (the remote says: %s)", told.text, words.buf);
    }
    return -1;
}
