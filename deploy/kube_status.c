#include "deploy/kube_status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/utf8.h"

/* What the answer must be for a row to fit. */
enum form {
    ANY_FORM,
    STATUS,     /* a Status object */
    REASONLESS, /* a Status without a reason: an error that the server did not foresee */
};

/* The first row that fits decides. A NULL fits all. */
static const struct rule {
    int code;
    enum form form;
    const char *message_prefix;
    const char *details; /* details.kind */
    const char *cause;   /* the reason of some cause */
    enum kube_verdict verdict;
} rules[] = {
    {401, ANY_FORM, NULL, NULL, NULL, KUBE_UNAUTHORIZED},
    {403, ANY_FORM, NULL, NULL, NULL, KUBE_FORBIDDEN},
    {404, STATUS, NULL, "namespaces", NULL, KUBE_NO_NAMESPACE},
    {404, STATUS, NULL, NULL, NULL, KUBE_NOT_FOUND},
    {404, ANY_FORM, NULL, NULL, NULL, KUBE_UNKNOWN_KIND},
    {405, ANY_FORM, NULL, NULL, NULL, KUBE_NO_APPLY},
    {409, STATUS, NULL, NULL, "FieldManagerConflict", KUBE_REFUSED},
    {409, STATUS, NULL, NULL, NULL, KUBE_RETRY}, /* someone else wrote at the same moment */
    {415, ANY_FORM, NULL, NULL, NULL, KUBE_NO_APPLY},
    {429, ANY_FORM, NULL, NULL, NULL, KUBE_RETRY},
    {500, STATUS, "failed to create typed patch object", NULL, NULL, KUBE_BAD_FIELDS},
    {500, STATUS, "etcdserver:", NULL, NULL, KUBE_RETRY}, /* it elects a leader, or is overloaded */
    {500, STATUS, "rpc error:", NULL, NULL, KUBE_RETRY},
    {500, STATUS, "context deadline exceeded", NULL, NULL, KUBE_RETRY},
    {500, REASONLESS, NULL, NULL, NULL, KUBE_REFUSED}, /* it could not read the object */
    {500, ANY_FORM, NULL, NULL, NULL, KUBE_RETRY},     /* a webhook that does not answer */
    {502, ANY_FORM, NULL, NULL, NULL, KUBE_RETRY},     /* a load balancer before the server */
    {503, ANY_FORM, NULL, NULL, NULL, KUBE_RETRY},
    {504, ANY_FORM, NULL, NULL, NULL, KUBE_RETRY},
};

void kube_status_release(struct kube_status *status)
{
    json_release(&status->body);
    free(status->text);
    *status = (struct kube_status)KUBE_STATUS_INIT;
}

static bool has_cause(const json_t *body, const char *reason)
{
    size_t i;
    json_t *cause;
    json_array_foreach(json_object_get(json_object_get(body, "details"), "causes"), i, cause)
    {
        const char *is = json_string_at(cause, "reason");
        if (is && strcmp(is, reason) == 0)
            return true;
    }
    return false;
}

static bool rule_fits(const struct rule *rule, int code, const json_t *body)
{
    const char *reason = json_string_at(body, "reason");
    if (rule->code != code || (rule->form != ANY_FORM && !body) ||
        (rule->form == REASONLESS && reason && *reason))
        return false;
    const char *message = json_string_at(body, "message");
    const char *kind = json_string_at(json_object_get(body, "details"), "kind");
    return (!rule->message_prefix || (message && str_starts_with(message, rule->message_prefix))) &&
           (!rule->details || (kind && strcmp(kind, rule->details) == 0)) &&
           (!rule->cause || has_cause(body, rule->cause));
}

static enum kube_verdict judge(int code, const json_t *body)
{
    if (code >= 200 && code < 300)
        return KUBE_DONE;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rule_fits(&rules[i], code, body))
            return rules[i].verdict;
    }
    return KUBE_REFUSED;
}

/* One line of printable text, cut where a character begins. */
static char *shown(const char *text, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < len && out.len < LIMIT_KUBE_MESSAGE_BYTES; i++) {
        bool is_control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;
        strbuf_add(&out, is_control ? " " : text + i, 1);
    }
    size_t end = out.len;
    if (len > end) {
        while (end && utf8_is_continuation(out.buf[end - 1]))
            end--;
        if (end && (unsigned char)out.buf[end - 1] >= 0xc0)
            end--;
    }
    while (end && out.buf[end - 1] == ' ')
        end--;
    return xasprintf("%.*s%s", (int)end, out.buf, len > out.len ? "…" : "");
}

void kube_status_read(int http_code, const char *body, size_t len, struct kube_status *out)
{
    kube_status_release(out);
    out->code = http_code;
    json_t *root = http_code >= 200 && http_code < 300 ? NULL : json_read(body, len, NULL);
    const char *kind = json_string_at(root, "kind");
    if (kind && strcmp(kind, "Status") == 0)
        out->body = root;
    else
        json_decref(root);
    out->verdict = judge(http_code, out->body);
    const char *message = json_string_at(out->body, "message");
    if (out->verdict == KUBE_DONE)
        out->text = xstrdup("");
    else if (message && *message)
        out->text = shown(message, strlen(message));
    else if (out->body || !len)
        out->text = xasprintf("HTTP status %d", http_code);
    else
        out->text = shown(body, strnlen(body, len));
}

/* Of one word of a Status. */
#define SHOWN_LENGTH 200

/* "Invalid: metadata.name, data[key]": what a Status says without quoting any value. */
static char *text_without_values(const struct kube_status *status)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const char *reason = json_string_at(status->body, "reason");
    if (reason && *reason)
        strbuf_addf(&out, "%.*s", SHOWN_LENGTH, reason);
    else
        strbuf_addf(&out, "HTTP status %d", status->code);
    size_t i;
    json_t *cause;
    json_array_foreach(json_object_get(json_object_get(status->body, "details"), "causes"), i, cause)
    {
        const char *field = json_string_at(cause, "field");
        if (field && out.len < LIMIT_KUBE_MESSAGE_BYTES / 2)
            strbuf_addf(&out, "%s%.*s", i ? ", " : ": ", SHOWN_LENGTH, field);
    }
    if (status->verdict == KUBE_BAD_FIELDS)
        strbuf_addstr(&out, ": a field that a Secret does not have, or of the wrong type");
    strbuf_addstr(&out, " (the server's words are left out, as they may hold values of the Secret)");
    return shown(out.buf, out.len);
}

/* Verdicts whose messages speak of names, roles and the server only. */
static bool is_free_of_values(const struct kube_status *status)
{
    switch (status->verdict) {
    case KUBE_FORBIDDEN:
        return !strstr(status->text, "admission webhook");
    case KUBE_UNAUTHORIZED:
    case KUBE_UNKNOWN_KIND:
    case KUBE_NO_NAMESPACE:
    case KUBE_NOT_FOUND:
    case KUBE_NO_APPLY:
        return true;
    case KUBE_DONE:
    case KUBE_RETRY:
    case KUBE_BAD_FIELDS:
    case KUBE_REFUSED:
        break;
    }
    return status->code == 429 || status->code == 503;
}

char *kube_status_text(const struct kube_status *status, bool is_secret)
{
    return is_secret && !is_free_of_values(status) ? text_without_values(status) : xstrdup(status->text);
}

/* The quoted part of `299 - "text" ["date"]`, with its backslashes undone. */
static void add_warning(struct strbuf *out, const char *value, size_t len)
{
    const char *open = memchr(value, '"', len);
    if (!open)
        return;
    if (out->len)
        strbuf_addstr(out, "; ");
    const char *end = value + len;
    for (const char *c = open + 1; c < end && *c != '"'; c++) {
        if (*c == '\\' && c + 1 < end)
            c++;
        strbuf_addch(out, *c);
    }
}

char *kube_warnings(const char *headers)
{
    static const char name[] = "warning:";
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (const char *line = headers; *line; line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        if (strncasecmp(line, name, sizeof(name) - 1) == 0)
            add_warning(&out, line, len);
        line += len;
    }
    return out.len ? shown(out.buf, out.len) : NULL;
}
