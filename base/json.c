#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

void json_release(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

/* The deepest nesting of brackets outside strings: what jansson's recursion will be. */
static size_t nesting(const char *text, size_t len)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > deepest)
                deepest = depth;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return deepest;
}

static json_t *read_value(const char *text, size_t len, size_t flags, struct error *err)
{
    if (nesting(text, len) > LIMIT_JSON_DEPTH) {
        error_set(err, ERROR_TOO_LARGE, "JSON is nested deeper than %u levels", LIMIT_JSON_DEPTH);
        return NULL;
    }
    json_error_t problem;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | flags, &problem);
    if (!value)
        error_set(err, ERROR_INVALID, "not valid JSON: line %d column %d: %s", problem.line, problem.column,
                  problem.text);
    return value;
}

json_t *json_read(const char *text, size_t len, struct error *err)
{
    return read_value(text, len, 0, err);
}

json_t *json_read_with_nul(const char *text, size_t len, struct error *err)
{
    return read_value(text, len, JSON_ALLOW_NUL, err);
}

void json_wipe(json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(value)) {
        union {
            const char *in;
            char *out;
        } text = {.in = json_string_value(value)};
        explicit_bzero(text.out, json_string_length(value));
    }
    json_array_foreach(value, i, item) json_wipe(item);
    json_object_foreach(value, key, item) json_wipe(item);
}

const char *json_string_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void json_add_string(struct strbuf *out, const char *text)
{
    static const char escapes[] = "\"\"\\\\\nn\rr\tt\bb\ff";
    strbuf_addch(out, '"');
    const char *end = text + strlen(text);
    for (const char *c = text; c < end;) {
        size_t len = utf8_char_length(c, (size_t)(end - c));
        unsigned char byte = (unsigned char)*c;
        const char *escape = NULL;
        for (size_t i = 0; i + 1 < sizeof(escapes) && !escape; i += 2)
            escape = escapes[i] == *c ? escapes + i + 1 : NULL;
        if (escape)
            strbuf_addf(out, "\\%c", *escape);
        else if (!len)
            strbuf_addstr(out, "\xef\xbf\xbd");
        else if (byte < 0x20 || byte == 0x7f)
            strbuf_addf(out, "\\u%04x", byte);
        else
            strbuf_add(out, c, len);
        c += len ? len : 1;
    }
    strbuf_addch(out, '"');
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    CLEANUP(strbuf_release) struct strbuf quoted = STRBUF_INIT;
    json_add_string(&quoted, text);
    return json_loadb(quoted.buf, quoted.len, JSON_DECODE_ANY, NULL);
}

static int append(const char *bytes, size_t len, void *out)
{
    strbuf_add(out, bytes, len);
    return 0;
}

void json_write(struct strbuf *out, const json_t *value, int indent)
{
    size_t flags = JSON_ENCODE_ANY | (indent ? JSON_INDENT((size_t)indent) : JSON_COMPACT);
    json_dump_callback(value, append, out, flags);
}
