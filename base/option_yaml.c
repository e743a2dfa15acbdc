/*
 * Options from a YAML mapping. Nesting is only a way to write names: "git: {url: x}" is "git-url: x", so the
 * reader carries the name so far and looks at the table only when the value is no mapping, or when no
 * option's name goes on from there.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "base/option_row.h"
#include "base/strmap.h"

/* No option's name has more dashes than this; it also ends an alias that contains itself. */
#define NESTING_MAX 8

struct reading {
    struct option_set *set;
    const char *file;
    const char *const *foreign;
    struct strmap seen; /* option name -> the key's node, to find an option given in both forms */
};

static void reading_release(struct reading *reading)
{
    strmap_release(&reading->seen);
}

static int wrap_at(struct error *err, const struct reading *reading, const struct yaml_node *node)
{
    return error_wrap(err, "%s:%d:%d", reading->file, node->line, node->column);
}

static int unknown_key(const struct reading *reading, const struct yaml_node *key, const char *name,
                       struct error *err)
{
    const char *nearest = option_nearest(reading->set->tables, name);
    if (nearest)
        error_set(err, ERROR_USAGE, "unknown key \"%s\", did you mean \"%s\"?", name, nearest);
    else
        error_set(err, ERROR_USAGE, "unknown key \"%s\"", name);
    return wrap_at(err, reading, key);
}

static int wrong_kind(const struct reading *reading, const struct option_row *row,
                      const struct yaml_node *value, struct error *err)
{
    static const char *const kinds[] = {[YAML_SCALAR] = "empty",
                                        [YAML_SEQUENCE] = "a list",
                                        [YAML_MAPPING] = "a mapping",
                                        [YAML_ALIAS] = "an alias"};
    error_set(err, ERROR_USAGE, "%s takes %s and is %s here", row->name, option_type_text(row->type),
              kinds[value->kind]);
    return wrap_at(err, reading, value);
}

/* True if some option's name goes on from `name` with a dash. */
static bool is_prefix(const struct reading *reading, const char *name)
{
    size_t len = strlen(name);
    struct option_cursor at = OPTION_CURSOR_INIT(reading->set->tables);
    while (option_next(&at)) {
        if (!strncmp(at.row->name, name, len) && at.row->name[len] == '-')
            return true;
    }
    return false;
}

static bool is_foreign(const struct reading *reading, const char *name)
{
    for (const char *const *other = reading->foreign; other && *other; other++) {
        if (!strcmp(*other, name))
            return true;
    }
    return false;
}

static int read_items(const struct reading *reading, const struct option_cursor *at,
                      const struct yaml_node *sequence, struct error *err)
{
    CLEANUP(option_value_release) struct option_value value = OPTION_VALUE_INIT;
    for (size_t i = 0; i < sequence->len; i++) {
        const struct yaml_node *item = yaml_resolve(sequence->items[i]);
        const char *text = yaml_text(item);
        if (!text || strlen(text) != item->value_len) {
            error_set(err, ERROR_USAGE, "%s takes a list of texts, and this item is none", at->row->name);
            return wrap_at(err, reading, sequence->items[i]);
        }
        if (option_value_check(at->row, text, err) < 0) {
            error_wrap(err, "%s", at->row->name);
            return wrap_at(err, reading, sequence->items[i]);
        }
        strvec_push(&value.list, text);
    }
    return option_assign(reading->set, at, OPTION_FILE, &value, err);
}

static int read_value(const struct reading *reading, const struct option_cursor *at,
                      const struct yaml_node *written, struct error *err)
{
    const struct yaml_node *value = yaml_resolve(written);
    if (value->kind == YAML_SEQUENCE && at->row->type == OPTION_LIST && !at->row->refusal)
        return read_items(reading, at, value, err);
    const char *text = yaml_text(value);
    if (!at->row->refusal && (!text || strlen(text) != value->value_len))
        return wrong_kind(reading, at->row, value, err);
    if (option_assign_text(reading->set, at, OPTION_FILE, text ? text : "", err) < 0) {
        error_wrap(err, "%s", at->row->name);
        return wrap_at(err, reading, written);
    }
    return 0;
}

/* Notes where an option stands; an error if it stood somewhere else before. */
static int note_once(struct reading *reading, const char *name, struct yaml_node *key, struct error *err)
{
    const struct yaml_node *first = strmap_get(&reading->seen, name);
    if (first) {
        error_set(err, ERROR_USAGE, "%s is given twice, first in line %d", name, first->line);
        return wrap_at(err, reading, key);
    }
    strmap_set(&reading->seen, name, key);
    return 0;
}

static int read_mapping(struct reading *reading, const struct yaml_node *mapping, const char *prefix,
                        unsigned depth, struct error *err);

static int read_pair(struct reading *reading, struct yaml_node *key, const struct yaml_node *value,
                     const char *prefix, unsigned depth, struct error *err)
{
    const char *word = yaml_text(key);
    if (!word || !strcmp(word, "<<")) {
        error_set(err, ERROR_USAGE, "%s",
                  word ? "merge keys (<<) are not read here; write the keys themselves"
                       : "a key must be the name of an option");
        return wrap_at(err, reading, key);
    }
    AUTO_FREE char *name = *prefix ? xasprintf("%s-%s", prefix, word) : xstrdup(word);
    if (!*prefix && is_foreign(reading, name))
        return 0;
    struct option_cursor at = OPTION_CURSOR_INIT(reading->set->tables);
    bool is_option = option_find(&at, name, strlen(name));
    const struct yaml_node *target = yaml_resolve(value);
    if (target->kind == YAML_MAPPING && (is_prefix(reading, name) || (!is_option && target->len)))
        return read_mapping(reading, target, name, depth + 1, err);
    if (!is_option)
        return unknown_key(reading, key, name, err);
    if (note_once(reading, name, key, err) < 0)
        return -1;
    return read_value(reading, &at, value, err);
}

static int read_mapping(struct reading *reading, const struct yaml_node *mapping, const char *prefix,
                        unsigned depth, struct error *err)
{
    if (depth > NESTING_MAX) {
        error_set(err, ERROR_USAGE, "unknown key \"%s\"", prefix);
        return wrap_at(err, reading, mapping);
    }
    for (size_t i = 0; i + 1 < mapping->len; i += 2) {
        if (read_pair(reading, mapping->items[i], mapping->items[i + 1], prefix, depth, err) < 0)
            return -1;
    }
    return 0;
}

int option_read_yaml(struct option_set *set, const struct yaml_node *mapping, const char *file,
                     const char *const *foreign, struct error *err)
{
    CLEANUP(reading_release)
    struct reading reading = {.set = set, .file = file, .foreign = foreign, .seen = STRMAP_INIT};
    const struct yaml_node *root = yaml_resolve(mapping);
    if (!root)
        return 0;
    if (root->kind == YAML_SCALAR && !yaml_text(root))
        return 0;
    if (root->kind != YAML_MAPPING) {
        error_set(err, ERROR_USAGE, "options are a mapping, such as \"git-url: URL\"");
        return wrap_at(err, &reading, root);
    }
    return read_mapping(&reading, root, "", 0, err);
}
