#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option_row.h"

static void *field_of(struct option_set *set, const struct option_row *row)
{
    return (char *)set->values + row->offset;
}

/* Frees what a field holds and makes it unset. */
static void clear_field(void *field, enum option_type type)
{
    switch (type) {
    case OPTION_BOOL:
        *(bool *)field = false;
        break;
    case OPTION_STRING:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case OPTION_INT:
    case OPTION_COUNT:
    case OPTION_DURATION:
        *(int64_t *)field = 0;
        break;
    case OPTION_LIST:
    case OPTION_TEXTS:
        strvec_release(field);
        break;
    case OPTION_NONE:
        break;
    }
}

static void zero_field(void *field, enum option_type type)
{
    if (type == OPTION_STRING)
        *(char **)field = NULL;
    else if (type == OPTION_LIST || type == OPTION_TEXTS)
        *(struct strvec *)field = (struct strvec)STRVEC_INIT;
    else
        clear_field(field, type);
}

void option_set_init(struct option_set *set, const struct option_row *const *tables, void *values)
{
    *set = (struct option_set){.tables = tables, .values = values, .source = NULL};
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at))
        zero_field(field_of(set, at.row), at.row->type);
    set->source = xcalloc(at.index + 1, 1);
    at = (struct option_cursor)OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        if (at.row->fallback && !at.row->refusal &&
            option_assign_text(set, &at, OPTION_DEFAULT, at.row->fallback, NULL) < 0)
            abort();
    }
}

void option_set_release(struct option_set *set)
{
    if (!set->source)
        return;
    struct option_cursor at = OPTION_CURSOR_INIT(set->tables);
    while (option_next(&at))
        clear_field(field_of(set, at.row), at.row->type);
    free(set->source);
    set->source = NULL;
}

const char *option_nearest(const struct option_row *const *tables, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 1;
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        size_t distance = str_distance(name, at.row->name);
        if (!at.row->refusal && distance <= least && (!nearest || distance < least)) {
            nearest = at.row->name;
            least = distance;
        }
    }
    return nearest;
}

/* -- the command line ------------------------------------------------------------------------------------ */

struct arguments {
    int count, next;
    char *const *texts;
};

static const char *take_argument(struct arguments *arguments)
{
    return arguments->next < arguments->count ? arguments->texts[arguments->next++] : NULL;
}

/* `attached` is the value written in the same word, or NULL; without one the next word is it. */
static int assign_flag(struct option_set *set, const struct option_cursor *at, const char *attached,
                       struct arguments *arguments, struct error *err)
{
    const char *value = attached;
    if (!value && option_is_switch(at->row))
        value = at->row->type == OPTION_COUNT ? OPTION_STEP : "true";
    if (!value)
        value = take_argument(arguments);
    if (!value && !at->row->refusal)
        return error_set(err, ERROR_USAGE, "--%s needs a value: %s", at->row->name,
                         at->row->metavar ? at->row->metavar : option_type_text(at->row->type));
    if (option_assign_text(set, at, OPTION_COMMAND_LINE, value ? value : "", err) < 0)
        return error_wrap(err, "--%s", at->row->name);
    return 0;
}

static int unknown_flag(const struct option_set *set, const char *name, struct error *err)
{
    const char *nearest = option_nearest(set->tables, name);
    if (nearest)
        return error_set(err, ERROR_USAGE, "unknown flag --%s, did you mean --%s?", name, nearest);
    return error_set(err, ERROR_USAGE, "unknown flag --%s", name);
}

static int read_long_flag(struct option_set *set, const char *text, struct arguments *arguments,
                          struct error *err)
{
    size_t len = strcspn(text, "=");
    struct option_cursor at = OPTION_CURSOR_INIT(set->tables);
    if (!option_find(&at, text, len)) {
        AUTO_FREE char *name = xmemdupz(text, len);
        return unknown_flag(set, name, err);
    }
    return assign_flag(set, &at, text[len] ? text + len + 1 : NULL, arguments, err);
}

/* "-vo json", "-ojson", "-o=json": switches may share one dash, the first flag with a value takes the rest.
 */
static int read_short_flags(struct option_set *set, const char *text, struct arguments *arguments,
                            struct error *err)
{
    for (const char *c = text; *c; c++) {
        struct option_cursor at = OPTION_CURSOR_INIT(set->tables);
        if (!option_find_letter(&at, *c))
            return error_set(err, ERROR_USAGE, "unknown flag -%c in -%s", *c, text);
        const char *attached = c[1] == '=' ? c + 2 : c + 1;
        bool takes_rest = c[1] == '=' || !option_is_switch(at.row);
        if (assign_flag(set, &at, takes_rest && c[1] ? attached : NULL, arguments, err) < 0)
            return -1;
        if (takes_rest)
            return 0;
    }
    return 0;
}

int option_read_arguments(struct option_set *set, int argc, char *const *argv, struct strvec *operands,
                          struct error *err)
{
    struct arguments arguments = {.count = argc, .next = 0, .texts = argv};
    bool flags_ended = false;
    for (const char *text; (text = take_argument(&arguments)) != NULL;) {
        int result = 0;
        if (flags_ended || text[0] != '-' || !text[1])
            strvec_push(operands, text);
        else if (!strcmp(text, "--"))
            flags_ended = true;
        else if (text[1] == '-')
            result = read_long_flag(set, text + 2, &arguments, err);
        else
            result = read_short_flags(set, text + 1, &arguments, err);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* -- the environment ------------------------------------------------------------------------------------- */

/* "GIT_URL" is the variable of "git-url"; lower case and dashes are no variable names of ours. */
static char *option_name_of(const char *variable, size_t len)
{
    char *name = xmemdupz(variable, len);
    for (char *c = name; *c; c++) {
        if (*c == '_')
            *c = '-';
        else if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        else if (*c < '0' || *c > '9')
            *c = '?';
    }
    return name;
}

static char *variable_of(const char *prefix, const char *name)
{
    char *variable = xasprintf("%s%s", prefix, name);
    for (char *c = variable + strlen(prefix); *c; c++) {
        if (*c == '-')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return variable;
}

static bool is_foreign(const char *const *foreign, const char *name, size_t len)
{
    for (; foreign && *foreign; foreign++) {
        size_t span = strcspn(*foreign, "*");
        bool same_length = (*foreign)[span] ? len >= span : len == span;
        if (same_length && !memcmp(*foreign, name, span))
            return true;
    }
    return false;
}

static int read_variable(struct option_set *set, const char *prefix, const char *variable, size_t len,
                         struct error *err)
{
    const char *value = variable + len + 1;
    AUTO_FREE char *name = option_name_of(variable + strlen(prefix), len - strlen(prefix));
    struct option_cursor at = OPTION_CURSOR_INIT(set->tables);
    if (option_find(&at, name, strlen(name))) {
        if (*value && option_assign_text(set, &at, OPTION_ENVIRONMENT, value, err) < 0)
            return error_wrap(err, "environment variable %.*s", (int)len, variable);
        return 0;
    }
    const char *nearest = option_nearest(set->tables, name);
    AUTO_FREE char *right = nearest ? variable_of(prefix, nearest) : NULL;
    if (right)
        return error_set(err, ERROR_USAGE, "unknown environment variable %.*s, did you mean %s?", (int)len,
                         variable, right);
    return error_set(err, ERROR_USAGE, "unknown environment variable %.*s", (int)len, variable);
}

int option_read_environment(struct option_set *set, const char *prefix, char *const *environment,
                            const char *const *foreign, struct error *err)
{
    size_t prefix_len = strlen(prefix);
    for (char *const *entry = environment; *entry; entry++) {
        size_t len = strcspn(*entry, "=");
        bool is_ours = (*entry)[len] && len > prefix_len && str_starts_with(*entry, prefix);
        if (!is_ours || is_foreign(foreign, *entry, len))
            continue;
        if (read_variable(set, prefix, *entry, len, err) < 0)
            return -1;
    }
    return 0;
}
