/*
 * The tree was limited in depth and nodes, aliases followed, when it was read (base/yaml_reader.h), so plain
 * recursion is safe here and the result no larger than the limit.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"

#define TAG(name) "tag:yaml.org,2002:" name

/* Whole numbers up to this (2^53) are exact in a double. */
#define LARGEST_WHOLE 9007199254740992.0

struct pairs {
    json_t *object;
    struct error *err;
};

static json_t *refuse(struct error *err, const struct yaml_node *node, const char *what)
{
    error_set(err, ERROR_INVALID, "line %d column %d: %s", node->line, node->column, what);
    return NULL;
}

static int fail(struct error *err, const struct yaml_node *node, const char *what)
{
    refuse(err, node, what);
    return -1;
}

static json_t *string_value(const struct yaml_node *node, const char *text, size_t len, struct error *err)
{
    json_t *value = json_stringn(text, len);
    return value ? value : refuse(err, node, "not UTF-8");
}

static json_t *binary_value(const struct yaml_node *node, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (strbuf_add_base64_decoded(&bytes, node->value, node->value_len) < 0)
        return refuse(err, node, "tagged !!binary and not base64");
    if (utf8_valid_length(bytes.buf, bytes.len) < bytes.len)
        return refuse(err, node, "!!binary of bytes that are not UTF-8 cannot be JSON; use a Secret's data");
    return string_value(node, bytes.buf, bytes.len, err);
}

static json_t *real_value(const struct yaml_node *node, double real, struct error *err)
{
    if (!isfinite(real))
        return refuse(err, node, "infinity and NaN cannot be JSON; put it in quotes if it is text");
    if (fabs(real) <= LARGEST_WHOLE && real == (double)(int64_t)real)
        return json_integer((json_int_t)real);
    return json_real(real);
}

/* What a tag asks for. Of those that YAML defines, a value of another type is an error, as in Go; any other
 * tag leaves text, as in Go. */
static int check_tag(const struct yaml_node *node, struct yaml_scalar *scalar, struct error *err)
{
    static const struct {
        const char *tag;
        enum yaml_type type;
    } typed[] = {{TAG("null"), YAML_NULL},
                 {TAG("bool"), YAML_BOOL},
                 {TAG("int"), YAML_INT},
                 {TAG("float"), YAML_FLOAT}};
    for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
        if (strcmp(node->tag, typed[i].tag) != 0)
            continue;
        if (typed[i].type == YAML_FLOAT && scalar->type == YAML_INT) {
            scalar->type = YAML_FLOAT;
            scalar->real = (double)scalar->integer;
        }
        if (scalar->type == typed[i].type)
            return 0;
        return fail(err, node, "the value is not what its tag says");
    }
    scalar->type = YAML_STRING;
    return 0;
}

static int resolve_scalar(const struct yaml_node *node, struct yaml_scalar *out, struct error *err)
{
    *out = (struct yaml_scalar){.type = YAML_STRING};
    if (node->tag || node->style == YAML_PLAIN)
        *out = yaml_scalar_resolve(node->value, node->value_len);
    return node->tag ? check_tag(node, out, err) : 0;
}

static json_t *scalar_value(const struct yaml_node *node, struct error *err)
{
    struct yaml_scalar scalar;
    if (node->tag && !strcmp(node->tag, TAG("binary")))
        return binary_value(node, err);
    if (resolve_scalar(node, &scalar, err) < 0)
        return NULL;
    switch (scalar.type) {
    case YAML_NULL:
        return json_null();
    case YAML_BOOL:
        return json_boolean(scalar.boolean);
    case YAML_INT:
        return json_integer(scalar.integer);
    case YAML_FLOAT:
        return real_value(node, scalar.real, err);
    case YAML_STRING:
        break;
    }
    return string_value(node, node->value, node->value_len, err);
}

/* The shortest text that reads back as the same 32-bit float, as sigs.k8s.io/yaml writes such a key. */
static void add_real_key(struct strbuf *out, double real)
{
    float narrow = (float)real;
    if (!isfinite(narrow)) {
        strbuf_addstr(out, isnan(narrow) ? ".nan" : narrow > 0 ? ".inf" : "-.inf");
        return;
    }
    char text[32];
    int digits = 0;
    do
        snprintf(text, sizeof(text), "%.*e", digits++, (double)narrow);
    while (digits < 9 && strtof(text, NULL) != narrow);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        snprintf(text, sizeof(text), "%.*f", digits > exponent ? digits - 1 - exponent : 0, (double)narrow);
    strbuf_addstr(out, text);
}

/* Keys are strings in JSON; sigs.k8s.io/yaml writes booleans and numbers as text, and refuses the rest. */
static int key_text(const struct yaml_node *written, struct strbuf *out, struct error *err)
{
    const struct yaml_node *key = yaml_resolve(written);
    struct yaml_scalar scalar;
    if (key->kind != YAML_SCALAR)
        return fail(err, key, "a sequence or mapping cannot be a key in JSON");
    if (strlen(key->value) != key->value_len)
        return fail(err, key, "a key that holds a NUL character");
    if (resolve_scalar(key, &scalar, err) < 0)
        return -1;
    switch (scalar.type) {
    case YAML_NULL:
        return fail(err, key, "null cannot be a key in JSON; put it in quotes");
    case YAML_BOOL:
        strbuf_addstr(out, scalar.boolean ? "true" : "false");
        break;
    case YAML_INT:
        strbuf_addf(out, "%" PRId64, scalar.integer);
        break;
    case YAML_FLOAT:
        add_real_key(out, scalar.real);
        break;
    case YAML_STRING:
        strbuf_add(out, key->value, key->value_len);
        break;
    }
    return 0;
}

static int add_pair(const struct yaml_node *key, const struct yaml_node *value, bool is_merged, void *context)
{
    struct pairs *pairs = context;
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    if (key_text(key, &name, pairs->err) < 0)
        return -1;
    if (json_object_get(pairs->object, name.buf)) {
        if (is_merged)
            return 0;
        refuse(pairs->err, key,
               "another key of this mapping becomes the same text in JSON; put it in quotes");
        return -1;
    }
    json_t *json = yaml_to_json(value, pairs->err);
    if (!json)
        return -1;
    json_object_set_new_nocheck(pairs->object, name.buf, json);
    return 0;
}

/* A merge key must name a mapping, or a sequence of them. */
static bool can_merge(const struct yaml_node *value)
{
    value = yaml_resolve(value);
    if (value->kind == YAML_MAPPING)
        return true;
    bool fits = value->kind == YAML_SEQUENCE;
    for (size_t i = 0; fits && i < value->len; i++)
        fits = yaml_resolve(value->items[i])->kind == YAML_MAPPING;
    return fits;
}

static json_t *mapping_value(const struct yaml_node *node, struct error *err)
{
    for (size_t i = 0; i < node->len; i += 2) {
        if (yaml_is_merge(node->items[i]) && !can_merge(node->items[i + 1]))
            return refuse(err, node->items[i], "\"<<\" needs a mapping or a sequence of mappings");
    }
    AUTO_JSON json_t *object = json_object();
    struct pairs pairs = {.object = object, .err = err};
    if (yaml_each_pair(node, add_pair, &pairs) < 0)
        return NULL;
    return steal(&object);
}

static json_t *sequence_value(const struct yaml_node *node, struct error *err)
{
    AUTO_JSON json_t *array = json_array();
    for (size_t i = 0; i < node->len; i++) {
        json_t *item = yaml_to_json(node->items[i], err);
        if (!item)
            return NULL;
        json_array_append_new(array, item);
    }
    return steal(&array);
}

json_t *yaml_to_json(const struct yaml_node *node, struct error *err)
{
    node = yaml_resolve(node);
    if (!node)
        return json_null();
    switch (node->kind) {
    case YAML_SEQUENCE:
        return sequence_value(node, err);
    case YAML_MAPPING:
        return mapping_value(node, err);
    case YAML_SCALAR:
    case YAML_ALIAS:
        break;
    }
    return scalar_value(node, err);
}
