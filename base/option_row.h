/*
 * One option row at a time, for the readers of base/option.h: walking the tables, finding a row by its name,
 * reading text as its value, and putting the value into the program's struct by the order of precedence.
 * Messages name neither source nor row: the reader that knows where the text stood wraps them.
 */
#ifndef BASE_OPTION_ROW_H
#define BASE_OPTION_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/option.h"
#include "base/strbuf.h"

/* Walks all rows of all tables; `index` counts them over all tables, as option_set.source does. */
struct option_cursor {
    const struct option_row *const *table;
    const struct option_row *row; /* NULL before the first */
    size_t index;
};
#define OPTION_CURSOR_INIT(first_table)                                                                      \
    {                                                                                                        \
        .table = (first_table), .row = NULL, .index = 0                                                      \
    }
bool option_next(struct option_cursor *cursor);

/* Leaves the cursor on the row of that name (its first `len` bytes) or letter; false if there is none. */
bool option_find(struct option_cursor *cursor, const char *name, size_t len);
bool option_find_letter(struct option_cursor *cursor, char letter);

/* What a flag that counts has as its value where it stands without one. */
#define OPTION_STEP "+1"

/* True if the row stands without a value on the command line. */
bool option_is_switch(const struct option_row *row);

/* What a row takes, for messages: "a duration (such as 30s, 5m or 1h30m)". */
const char *option_type_text(enum option_type type);

/* A value on its way from text into the struct; which member counts is the row's type. */
struct option_value {
    bool boolean;
    bool is_step; /* of a count: one more */
    int64_t number;
    char *text;
    struct strvec list;
};
#define OPTION_VALUE_INIT                                                                                    \
    {                                                                                                        \
        .boolean = false, .is_step = false, .number = 0, .text = NULL, .list = STRVEC_INIT                   \
    }
void option_value_release(struct option_value *value);

/* Reads the text as the row's type and checks it against the choices. ERROR_USAGE. */
int option_value_parse(const struct option_row *row, const char *text, struct option_value *value,
                       struct error *err) MUST_CHECK;

/* Checks one text against the row's choices; fine if there are none. ERROR_USAGE. */
int option_value_check(const struct option_row *row, const char *text, struct error *err) MUST_CHECK;

/*
 * Puts the value into the struct if nothing of higher precedence is there, and takes what it keeps out of
 * `value`. A list is added to one of the same source and replaces one of a lower. ERROR_UNSUPPORTED with the
 * row's text if it has a refusal.
 */
int option_assign(struct option_set *set, const struct option_cursor *at, enum option_source source,
                  struct option_value *value, struct error *err) MUST_CHECK;

/* Both steps for one text. */
int option_assign_text(struct option_set *set, const struct option_cursor *at, enum option_source source,
                       const char *text, struct error *err) MUST_CHECK;

#endif
