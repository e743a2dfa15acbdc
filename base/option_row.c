#include "base/option_row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"

bool option_next(struct option_cursor *cursor)
{
    if (cursor->row) {
        cursor->row++;
        cursor->index++;
    } else if (*cursor->table) {
        cursor->row = *cursor->table;
    }
    while (cursor->row && !cursor->row->name)
        cursor->row = *++cursor->table;
    return cursor->row != NULL;
}

bool option_find(struct option_cursor *cursor, const char *name, size_t len)
{
    while (option_next(cursor)) {
        if (strlen(cursor->row->name) == len && !memcmp(cursor->row->name, name, len))
            return true;
    }
    return false;
}

bool option_find_letter(struct option_cursor *cursor, char letter)
{
    while (option_next(cursor)) {
        if (letter && cursor->row->letter == letter)
            return true;
    }
    return false;
}

bool option_is_switch(const struct option_row *row)
{
    return row->type == OPTION_BOOL || row->type == OPTION_COUNT ||
           (row->type == OPTION_NONE && !row->metavar);
}

const char *option_type_text(enum option_type type)
{
    static const char *const texts[] = {
        [OPTION_BOOL] = "true or false",
        [OPTION_STRING] = "one text",
        [OPTION_INT] = "a whole number that is not negative",
        [OPTION_DURATION] = "a duration (such as 30s, 5m or 1h30m)",
        [OPTION_COUNT] = "a whole number that is not negative",
        [OPTION_TEXTS] = "one text",
        [OPTION_LIST] = "a list",
        [OPTION_NONE] = "one text",
    };
    return texts[type];
}

void option_value_release(struct option_value *value)
{
    free(value->text);
    strvec_release(&value->list);
    *value = (struct option_value)OPTION_VALUE_INIT;
}

/* What Go's strconv.ParseBool takes, and the words that YAML 1.1 adds. */
static int parse_bool(const char *text, bool *value)
{
    static const char *const words[][5] = {{"0", "f", "false", "no", "off"}, {"1", "t", "true", "yes", "on"}};
    for (size_t truth = 0; truth < ARRAY_LEN(words); truth++) {
        for (size_t i = 0; i < ARRAY_LEN(words[truth]); i++) {
            if (!strcasecmp(text, words[truth][i])) {
                *value = truth == 1;
                return 0;
            }
        }
    }
    return -1;
}

/* Decimal only: Go reads "010" as eight, so a leading zero is refused and not guessed at. */
static int parse_int(const char *text, int64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || text[digits] || (text[0] == '0' && digits > 1))
        return -1;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno)
        return -1;
    *value = number;
    return 0;
}

/* Reads a field that opens with a quote, "" inside standing for one quote; `*at` ends behind the last quote.
 */
static int parse_quoted_field(const char **at, struct strbuf *field)
{
    const char *c = *at + 1;
    for (; *c && (*c != '"' || c[1] == '"'); c++) {
        strbuf_addch(field, *c);
        if (*c == '"')
            c++;
    }
    if (*c != '"')
        return -1;
    *at = c + 1;
    return 0;
}

/* One record as Go's encoding/csv reads it, which is what pflag's StringSlice does; empty text is no item. */
static int parse_list(const char *text, struct strvec *list, struct error *err)
{
    size_t len = strlen(text);
    if (len && text[len - 1] == '\n')
        len--;
    if (len && text[len - 1] == '\r')
        len--;
    AUTO_FREE char *record = xmemdupz(text, len);
    for (const char *at = record; len; at++) {
        CLEANUP(strbuf_release) struct strbuf field = STRBUF_INIT;
        if (*at == '"') {
            if (parse_quoted_field(&at, &field) < 0)
                return error_set(err, ERROR_USAGE, "\"%s\" has a quote that is not closed", record);
        } else {
            size_t span = strcspn(at, ",\"\r\n");
            strbuf_add(&field, at, span);
            at += span;
        }
        if (*at && *at != ',')
            return error_set(err, ERROR_USAGE,
                             "\"%s\" is not a comma-separated list: an item with a quote or a line break is "
                             "put in double quotes, with its quotes doubled",
                             record);
        strvec_push_owned(list, strbuf_detach(&field, NULL));
        if (!*at)
            break;
    }
    return 0;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices;; at++) {
        size_t span = strcspn(at, "|");
        if (span == len && !memcmp(at, text, len))
            return true;
        at += span;
        if (!*at)
            return false;
    }
}

int option_value_check(const struct option_row *row, const char *text, struct error *err)
{
    if (!row->choices || is_choice(row->choices, text))
        return 0;
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    for (const char *c = row->choices; *c; c++) {
        if (*c == '|')
            strbuf_addstr(&words, ", ");
        else
            strbuf_addch(&words, *c);
    }
    return error_set(err, ERROR_USAGE, "\"%s\" is none of: %s", text, words.buf);
}

static int parse_checked_list(const struct option_row *row, const char *text, struct strvec *list,
                              struct error *err)
{
    if (parse_list(text, list, err) < 0)
        return -1;
    for (size_t i = 0; i < list->len; i++) {
        if (option_value_check(row, list->items[i], err) < 0)
            return -1;
    }
    return 0;
}

int option_value_parse(const struct option_row *row, const char *text, struct option_value *value,
                       struct error *err)
{
    int result = 0;
    switch (row->type) {
    case OPTION_BOOL:
        result = parse_bool(text, &value->boolean);
        break;
    case OPTION_COUNT:
        value->is_step = !strcmp(text, OPTION_STEP);
        if (value->is_step)
            break;
        __attribute__((fallthrough));
    case OPTION_INT:
        result = parse_int(text, &value->number);
        break;
    case OPTION_DURATION:
        result = clock_parse_duration(text, &value->number);
        break;
    case OPTION_LIST:
        return parse_checked_list(row, text, &value->list, err);
    case OPTION_TEXTS:
        strvec_push(&value->list, text);
        return option_value_check(row, text, err);
    case OPTION_STRING:
        value->text = xstrdup(text);
        return option_value_check(row, text, err);
    case OPTION_NONE:
        break;
    }
    if (result < 0)
        return error_set(err, ERROR_USAGE, "\"%s\" is not %s", text, option_type_text(row->type));
    return 0;
}

/* Two rows at one offset are two names of one value, so its source is the higher of theirs. */
static enum option_source source_at(const struct option_set *set, const struct option_row *row, size_t index)
{
    unsigned char highest = set->source[index];
    if (row->type == OPTION_NONE)
        return (enum option_source)highest;
    struct option_cursor other = OPTION_CURSOR_INIT(set->tables);
    while (option_next(&other)) {
        if (other.row->type != OPTION_NONE && other.row->offset == row->offset &&
            set->source[other.index] > highest)
            highest = set->source[other.index];
    }
    return (enum option_source)highest;
}

static void store_list(struct strvec *list, struct strvec *items, bool add)
{
    if (!add)
        strvec_release(list);
    for (size_t i = 0; i < items->len; i++)
        strvec_push_owned(list, steal(&items->items[i]));
}

static void store(void *field, enum option_type type, struct option_value *value, bool add)
{
    switch (type) {
    case OPTION_BOOL:
        *(bool *)field = value->boolean;
        break;
    case OPTION_STRING:
        free(*(char **)field);
        *(char **)field = steal(&value->text);
        break;
    case OPTION_INT:
    case OPTION_DURATION:
        *(int64_t *)field = value->number;
        break;
    case OPTION_COUNT:
        if (value->is_step)
            value->number = 1 + (add ? *(int64_t *)field : 0);
        *(int64_t *)field = value->number;
        break;
    case OPTION_LIST:
    case OPTION_TEXTS:
        store_list(field, &value->list, add);
        break;
    case OPTION_NONE:
        break;
    }
}

int option_assign(struct option_set *set, const struct option_cursor *at, enum option_source source,
                  struct option_value *value, struct error *err)
{
    const struct option_row *row = at->row;
    if (row->refusal)
        return error_set(err, ERROR_UNSUPPORTED, "%s", row->refusal);
    enum option_source current = source_at(set, row, at->index);
    if (source < current)
        return 0;
    store((char *)set->values + row->offset, row->type, value, source == current);
    set->source[at->index] = (unsigned char)source;
    return 0;
}

int option_assign_text(struct option_set *set, const struct option_cursor *at, enum option_source source,
                       const char *text, struct error *err)
{
    CLEANUP(option_value_release) struct option_value value = OPTION_VALUE_INIT;
    if (!at->row->refusal && option_value_parse(at->row, text, &value, err) < 0)
        return -1;
    return option_assign(set, at, source, &value, err);
}

enum option_source option_source_of(const struct option_set *set, const char *name)
{
    struct option_cursor at = OPTION_CURSOR_INIT(set->tables);
    if (!option_find(&at, name, strlen(name)))
        abort();
    return source_at(set, at.row, at.index);
}
