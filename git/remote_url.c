#include "git/remote_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const struct {
    const char *name;
    enum remote_kind kind;
} schemes[] = {
    {"file", REMOTE_LOCAL},  {"ssh", REMOTE_SSH},   {"git+ssh", REMOTE_SSH},
    {"ssh+git", REMOTE_SSH}, {"http", REMOTE_HTTP}, {"https", REMOTE_HTTP},
};

/* The length of "scheme" in "scheme://" (RFC 3986 section 3.1), or 0. */
static size_t scheme_length(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || (len && text[len] && strchr("+-.", text[len])))
        len++;
    return isalpha((unsigned char)text[0]) && str_starts_with(text + len, "://") ? len : 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; NULL for a malformed or a NUL escape. */
static char *decode(const char *text, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        strbuf_addch(&out, c);
    }
    return strbuf_detach(&out, NULL);
}

static bool has_control(const char *text)
{
    for (; text && *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

static int bad(struct error *err, const char *why)
{
    return error_set(err, ERROR_USAGE, "not the URL of a git repository: %s", why);
}

/* "22" and nothing else. */
static int parse_port(const char *text, size_t len, int *port)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)text[i]) || value > 65535)
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    *port = value;
    return len && value > 0 && value <= 65535 ? 0 : -1;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static int parse_host(const char *text, size_t len, struct remote_url *out, struct error *err)
{
    const char *end = text + len, *rest = NULL;
    if (len && *text == '[') {
        const char *close = memchr(text, ']', len);
        if (!close)
            return bad(err, "a bracket is not closed");
        out->host = xmemdupz(text + 1, (size_t)(close - text) - 1);
        if (!strchr(out->host, ':'))
            return bad(err, "brackets are for IPv6 addresses");
        rest = close + 1;
    } else {
        const char *colon = memchr(text, ':', len);
        rest = colon ? colon : end;
        out->host = decode(text, (size_t)(rest - text));
    }
    if (rest == end)
        return 0;
    if (*rest != ':' || (rest + 1 < end && parse_port(rest + 1, (size_t)(end - rest) - 1, &out->port) < 0))
        return bad(err, "the port is not a number from 1 to 65535");
    return 0;
}

/* "user[:password]" before the last "@" of an authority. */
static int parse_user(const char *text, size_t len, struct remote_url *out, struct error *err)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    out->user = decode(text, user_len);
    if (colon && out->kind == REMOTE_HTTP)
        out->password = decode(colon + 1, len - user_len - 1);
    if (!out->user || (colon && out->kind == REMOTE_HTTP && !out->password))
        return bad(err, "a % in the user or password is not followed by two hexadecimal digits (write %25)");
    if (colon && out->kind == REMOTE_SSH)
        return bad(err, "ssh takes no password in the URL; use a key");
    return 0;
}

static const char *last_at(const char *text, size_t len)
{
    return len ? memrchr(text, '@', len) : NULL;
}

/* The "[user@]host[:port]" part. */
static int parse_authority(const char *text, size_t len, struct remote_url *out, struct error *err)
{
    const char *at = last_at(text, len);
    if (len && memchr(text, '\\', len)) /* programs disagree on what it ends */
        return bad(err, "its host is malformed");
    if (at && parse_user(text, (size_t)(at - text), out, err) < 0)
        return -1;
    const char *host = at ? at + 1 : text;
    return parse_host(host, len - (size_t)(host - text), out, err);
}

static size_t without_slashes(const char *text, size_t len)
{
    while (len && text[len - 1] == '/')
        len--;
    return len;
}

static int finish_http(const char *scheme, const char *path, struct remote_url *out, struct error *err)
{
    if (strpbrk(path, "?#"))
        return bad(err, "a query or fragment in it has no meaning to git");
    if (!out->host)
        return bad(err, "its host is malformed");
    bool is_v6 = strchr(out->host, ':') != NULL;
    CLEANUP(strbuf_release) struct strbuf base = STRBUF_INIT;
    strbuf_addf(&base, is_v6 ? "%s://[%s]" : "%s://%s", scheme, out->host);
    if (out->port)
        strbuf_addf(&base, ":%d", out->port);
    strbuf_add(&base, path, without_slashes(path, strlen(path)));
    out->base = strbuf_detach(&base, NULL);
    out->shown = xstrdup(out->base);
    return 0;
}

static void show_ssh(struct remote_url *out, const char *path)
{
    bool is_v6 = strchr(out->host, ':') != NULL;
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    strbuf_addf(&shown, "ssh://%s%s", out->user ? out->user : "", out->user ? "@" : "");
    strbuf_addf(&shown, is_v6 ? "[%s]" : "%s", out->host);
    if (out->port)
        strbuf_addf(&shown, ":%d", out->port);
    strbuf_addf(&shown, "%s%s", *path == '/' ? "" : "/", path);
    out->shown = strbuf_detach(&shown, NULL);
}

/* "/~user/x" means the home of that user: the other side's git wants to see "~user/x". */
static char *without_slash_before_tilde(char *path)
{
    if (path && path[0] == '/' && path[1] == '~')
        memmove(path, path + 1, strlen(path));
    return path;
}

static int parse_with_scheme(const char *text, size_t scheme_len, struct remote_url *out, struct error *err)
{
    AUTO_FREE char *scheme = xmemdupz(text, scheme_len);
    bool known = false;
    for (char *c = scheme; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < ARRAY_LEN(schemes) && !known; i++) {
        known = !strcmp(scheme, schemes[i].name);
        out->kind = schemes[i].kind;
    }
    if (!known)
        return error_set(err, ERROR_UNSUPPORTED, "git over %s:// is not supported: use ssh:// or https://",
                         scheme);
    const char *authority = text + scheme_len + 3;
    size_t authority_len = strcspn(authority, out->kind == REMOTE_HTTP ? "/?#" : "/");
    const char *path = authority + authority_len;
    if (out->kind == REMOTE_LOCAL) {
        if (authority_len && !(authority_len == 9 && str_starts_with(authority, "localhost")))
            return bad(err, "file:// takes an absolute path: file:///srv/repository.git");
        out->path = decode(path, strlen(path));
        out->shown = out->path ? xasprintf("file://%s", out->path) : NULL;
        return out->path ? 0 : bad(err, "a % is not followed by two hexadecimal digits (write %25)");
    }
    if (parse_authority(authority, authority_len, out, err) < 0)
        return -1;
    if (out->kind == REMOTE_HTTP)
        return finish_http(scheme, path, out, err);
    out->path = without_slash_before_tilde(decode(path, strlen(path)));
    if (!out->path || !out->host)
        return bad(err, "a % is not followed by two hexadecimal digits (write %25)");
    show_ssh(out, out->path);
    return 0;
}

/* The colon that ends the host of "[user@]host:path"; NULL for a plain path: git's rule is that a slash comes
 * before any colon there. */
static const char *scp_colon(const char *text)
{
    const char *host = text;
    for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
        if (at[1] == '[' && !memchr(text, '/', (size_t)(at - text)))
            host = at + 1;
    }
    if (*host == '[') {
        const char *close = strchr(host, ']');
        return close && close[1] == ':' ? close + 1 : NULL;
    }
    const char *colon = strchr(text, ':');
    const char *slash = strchr(text, '/');
    return colon && (!slash || colon < slash) ? colon : NULL;
}

/* "[host:port]" is git's way to give a port without a scheme; more than one colon is an IPv6 address. */
static int parse_scp(const char *text, const char *colon, struct remote_url *out, struct error *err)
{
    out->kind = REMOTE_SSH;
    size_t len = (size_t)(colon - text);
    const char *at = last_at(text, len);
    const char *host = at ? at + 1 : text;
    size_t host_len = (size_t)(colon - host);
    if (at)
        out->user = xmemdupz(text, (size_t)(at - text));
    if (host_len >= 2 && *host == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    const char *inner = memchr(host, ':', host_len);
    if (inner && !memchr(inner + 1, ':', host_len - (size_t)(inner - host) - 1)) {
        if (parse_port(inner + 1, host_len - (size_t)(inner - host) - 1, &out->port) < 0)
            return bad(err, "the port is not a number from 1 to 65535");
        host_len = (size_t)(inner - host);
    }
    out->host = xmemdupz(host, host_len);
    out->path = without_slash_before_tilde(xstrdup(colon + 1));
    out->shown = xstrdup(text);
    return 0;
}

/* The form "helper::address" runs a program named git-remote-<helper>. */
static bool is_remote_helper(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || (text[len] && strchr("+-._", text[len])))
        len++;
    return len && str_starts_with(text + len, "::");
}

static int parse(const char *text, struct remote_url *out, struct error *err)
{
    size_t scheme_len = scheme_length(text);
    if (is_remote_helper(text))
        return error_set(err, ERROR_UNSUPPORTED,
                         "git's remote helpers (\"name::address\") are not supported: "
                         "use a path, ssh:// or https://");
    if (scheme_len)
        return parse_with_scheme(text, scheme_len, out, err);
    const char *colon = scp_colon(text);
    if (colon)
        return parse_scp(text, colon, out, err);
    out->kind = REMOTE_LOCAL;
    out->path = xstrdup(text);
    out->shown = xstrdup(text);
    return 0;
}

/* A name, an IPv4 address, or (with colons) an IPv6 address, with a zone where ssh takes one. */
static bool is_host(const struct remote_url *url)
{
    const char *host = url->host;
    if (!strchr(host, ':'))
        return !strpbrk(host, " /@[]\\?#%");
    size_t address = strspn(host, "0123456789abcdefABCDEF:.");
    return !host[address] || (url->kind == REMOTE_SSH && host[address] == '%' && !strpbrk(host, " /@[]\\?#"));
}

/* What holds for all of them, whatever way they were written. */
static int judge(const struct remote_url *url, struct error *err)
{
    if (has_control(url->user) || has_control(url->password) || has_control(url->host) ||
        has_control(url->path) || has_control(url->base))
        return bad(err, "it holds a control character");
    if (url->kind != REMOTE_LOCAL && (!url->host || !*url->host))
        return bad(err, "it names no host");
    if (url->host && !is_host(url))
        return bad(err, "its host is malformed");
    if (url->kind != REMOTE_HTTP && !*url->path)
        return bad(err, "it names no path");
    const char *parts[] = {url->host, url->kind == REMOTE_SSH ? url->user : NULL, url->path};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i] && parts[i][0] == '-')
            return bad(err, "a host, user or path must not begin with \"-\" (write ./-name for a path)");
    }
    if (url->kind == REMOTE_SSH && url->user && strchr(url->user, '@'))
        return bad(err, "its user is malformed");
    return 0;
}

int remote_url_parse(const char *text, struct remote_url *out, struct error *err)
{
    *out = (struct remote_url)REMOTE_URL_INIT;
    if (!*text)
        return bad(err, "it is empty");
    if (has_control(text))
        return bad(err, "it holds a control character");
    return parse(text, out, err) < 0 ? -1 : judge(out, err);
}

void remote_url_release(struct remote_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->user);
    free(url->password);
    free(url->host);
    free(url->path);
    free(url->base);
    free(url->shown);
    *url = (struct remote_url)REMOTE_URL_INIT;
}
