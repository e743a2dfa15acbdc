/*
 * The tables as text for people: --help and the manual. A row without help or with a refusal is not shown.
 * Headings come in the order in which their first row stands; rows of one heading are shown together even
 * when they stand in several tables.
 */
#include <string.h>

#include "base/option.h"
#include "base/option_row.h"

#define HELP_WIDTH      80
#define HELP_FLAG_WIDTH 34 /* longer flags have their text on the next line */

static bool is_shown(const struct option_row *row)
{
    return row->help && !row->refusal;
}

static const char *heading_of(const struct option_row *row)
{
    return row->group ? row->group : "Options";
}

/* True if no shown row before this one has its heading. */
static bool opens_heading(const struct option_row *const *tables, const struct option_cursor *at)
{
    struct option_cursor before = OPTION_CURSOR_INIT(tables);
    while (option_next(&before) && before.index < at->index) {
        if (is_shown(before.row) && !strcmp(heading_of(before.row), heading_of(at->row)))
            return false;
    }
    return true;
}

typedef void (*write_row)(const struct option_row *row, void *context);

static void for_each_in_heading(const struct option_row *const *tables, const char *heading, write_row write,
                                void *context)
{
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        if (is_shown(at.row) && !strcmp(heading_of(at.row), heading))
            write(at.row, context);
    }
}

/* "true" is worth saying of a switch, "false" is not. */
static const char *shown_default(const struct option_row *row)
{
    if (!row->fallback || !*row->fallback || (row->type == OPTION_BOOL && !strcmp(row->fallback, "false")))
        return NULL;
    return row->fallback;
}

/* "a, b or c"; an empty choice is a way to write "unset" and is left out. */
static void add_choices(struct strbuf *out, const char *choices)
{
    const char *from = choices;
    for (size_t shown = 0;; shown++) {
        from += strspn(from, "|");
        size_t span = strcspn(from, "|");
        if (!span)
            return;
        bool is_last = !from[span + strspn(from + span, "|")];
        if (shown)
            strbuf_addstr(out, is_last ? " or " : ", ");
        strbuf_add(out, from, span);
        from += span;
    }
}

/* -- --help ---------------------------------------------------------------------------------------------- */

static void add_flag(struct strbuf *out, const struct option_row *row)
{
    if (row->letter)
        strbuf_addf(out, "  -%c, --%s", row->letter, row->name);
    else
        strbuf_addf(out, "      --%s", row->name);
    if (row->metavar)
        strbuf_addf(out, " %s", row->metavar);
}

static void add_description(struct strbuf *out, const struct option_row *row)
{
    strbuf_addstr(out, row->help);
    const char *fallback = shown_default(row);
    if (!row->choices && !fallback)
        return;
    strbuf_addstr(out, " (");
    if (row->choices)
        add_choices(out, row->choices);
    if (fallback)
        strbuf_addf(out, "%sdefault %s", row->choices ? "; " : "", fallback);
    strbuf_addch(out, ')');
}

static void add_spaces(struct strbuf *out, size_t count)
{
    while (count--)
        strbuf_addch(out, ' ');
}

/* Adds words from column `indent` on, broken at spaces before column 80; a longer word stands alone. */
static void add_wrapped(struct strbuf *out, const char *text, size_t indent)
{
    size_t column = indent;
    for (const char *word = text; *word; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        if (column > indent && column + 1 + len > HELP_WIDTH) {
            strbuf_addch(out, '\n');
            add_spaces(out, indent);
            column = indent;
        }
        if (column > indent) {
            strbuf_addch(out, ' ');
            column++;
        }
        strbuf_add(out, word, len);
        column += len;
        word += len;
    }
    strbuf_addch(out, '\n');
}

struct help {
    struct strbuf *out;
    size_t indent;
};

static void write_help_row(const struct option_row *row, void *context)
{
    struct help *help = context;
    CLEANUP(strbuf_release) struct strbuf flag = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    add_flag(&flag, row);
    add_description(&text, row);
    strbuf_add(help->out, flag.buf, flag.len);
    if (flag.len + 2 <= help->indent) {
        add_spaces(help->out, help->indent - flag.len);
    } else {
        strbuf_addch(help->out, '\n');
        add_spaces(help->out, help->indent);
    }
    add_wrapped(help->out, text.buf, help->indent);
}

/* The column where descriptions begin: behind the longest flag that is not over the limit. */
static size_t description_column(const struct option_row *const *tables)
{
    size_t widest = 0;
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        CLEANUP(strbuf_release) struct strbuf flag = STRBUF_INIT;
        add_flag(&flag, at.row);
        if (is_shown(at.row) && flag.len > widest && flag.len <= HELP_FLAG_WIDTH)
            widest = flag.len;
    }
    return widest + 2;
}

void option_add_help(const struct option_row *const *tables, struct strbuf *out)
{
    struct help help = {.out = out, .indent = description_column(tables)};
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    bool is_first = true;
    while (option_next(&at)) {
        if (!is_shown(at.row) || !opens_heading(tables, &at))
            continue;
        strbuf_addf(out, "%s%s:\n", is_first ? "" : "\n", heading_of(at.row));
        is_first = false;
        for_each_in_heading(tables, heading_of(at.row), write_help_row, &help);
    }
}

/* -- the manual ------------------------------------------------------------------------------------------ */

/* Text that man(7) shows as it is: a dash stays a dash when copied, nothing opens a request. */
static void add_roff(struct strbuf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '-':
            strbuf_addstr(out, "\\-");
            break;
        case '\\':
            strbuf_addstr(out, "\\e");
            break;
        case '\'':
            strbuf_addstr(out, "\\(aq");
            break;
        case '.':
            strbuf_addstr(out, c == text ? "\\&." : ".");
            break;
        default:
            strbuf_addch(out, *c);
        }
    }
}

static void write_manual_row(const struct option_row *row, void *context)
{
    struct strbuf *out = context;
    strbuf_addstr(out, ".TP\n");
    if (row->letter)
        strbuf_addf(out, "\\fB\\-%c\\fR, ", row->letter);
    strbuf_addstr(out, "\\fB\\-\\-");
    add_roff(out, row->name);
    strbuf_addstr(out, "\\fR");
    if (row->metavar) {
        strbuf_addstr(out, " \\fI");
        add_roff(out, row->metavar);
        strbuf_addstr(out, "\\fR");
    }
    strbuf_addch(out, '\n');
    add_roff(out, row->help);
    strbuf_addstr(out, ".\n");
    if (row->choices) {
        CLEANUP(strbuf_release) struct strbuf choices = STRBUF_INIT;
        add_choices(&choices, row->choices);
        strbuf_addstr(out, "One of ");
        add_roff(out, choices.buf);
        strbuf_addstr(out, ".\n");
    }
    if (shown_default(row)) {
        strbuf_addstr(out, "Default: \\fB");
        add_roff(out, shown_default(row));
        strbuf_addstr(out, "\\fR.\n");
    }
}

void option_add_manual(const struct option_row *const *tables, struct strbuf *out)
{
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        if (!is_shown(at.row) || !opens_heading(tables, &at))
            continue;
        strbuf_addstr(out, ".SS \"");
        add_roff(out, heading_of(at.row));
        strbuf_addstr(out, "\"\n");
        for_each_in_heading(tables, heading_of(at.row), write_manual_row, out);
    }
}

void option_add_manual_rows(const struct option_row *const *tables, struct strbuf *out)
{
    struct option_cursor at = OPTION_CURSOR_INIT(tables);
    while (option_next(&at)) {
        if (is_shown(at.row))
            write_manual_row(at.row, out);
    }
}
