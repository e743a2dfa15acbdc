#include "updater/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define CONTEXT ((size_t)3)

struct line {
    const char *text; /* with its newline, if it has one */
    size_t len;
};

struct lines {
    struct line *items;
    size_t len, capacity;
};

/* Lines [old_start, old_end) became lines [new_start, new_end). */
struct change {
    size_t old_start, old_end, new_start, new_end;
};

struct diff {
    struct lines old_lines, new_lines;
    struct change *changes;
    size_t len, capacity;
};

static void split(struct lines *lines, const char *text, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t line_len = newline ? (size_t)(newline - text) + 1 : len;
        vec_grow(lines->items, lines->len, lines->capacity);
        lines->items[lines->len++] = (struct line){.text = text, .len = line_len};
        text += line_len;
        len -= line_len;
    }
}

static bool are_equal(const struct diff *d, size_t old_at, size_t new_at)
{
    const struct line *a = &d->old_lines.items[old_at], *b = &d->new_lines.items[new_at];
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void add_change(struct diff *d, struct change change)
{
    vec_grow(d->changes, d->len, d->capacity);
    d->changes[d->len++] = change;
}

static void compare_in_place(struct diff *d)
{
    size_t len = d->old_lines.len;
    for (size_t at = 0; at < len; at++) {
        size_t start = at;
        while (at < len && !are_equal(d, at, at))
            at++;
        if (at > start)
            add_change(d, (struct change){start, at, start, at});
    }
}

static void compare_ends(struct diff *d)
{
    size_t start = 0, old_end = d->old_lines.len, new_end = d->new_lines.len;
    while (start < old_end && start < new_end && are_equal(d, start, start))
        start++;
    while (old_end > start && new_end > start && are_equal(d, old_end - 1, new_end - 1)) {
        old_end--;
        new_end--;
    }
    add_change(d, (struct change){start, old_end, start, new_end});
}

/* A range of a hunk's header: "from,count", ",1" left out, and the line before where there is none. */
static void add_range(struct strbuf *out, char sign, size_t start, size_t end)
{
    size_t count = end - start;
    strbuf_addf(out, "%c%zu", sign, count ? start + 1 : start);
    if (count != 1)
        strbuf_addf(out, ",%zu", count);
}

static void add_lines(struct strbuf *out, char sign, const struct lines *lines, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        const struct line *line = &lines->items[i];
        strbuf_addch(out, sign);
        strbuf_add(out, line->text, line->len);
        if (line->text[line->len - 1] != '\n')
            strbuf_addstr(out, "\n\\ No newline at end of file\n");
    }
}

/* Changes [first, last] as one hunk. */
static void add_hunk(struct strbuf *out, const struct diff *d, size_t first, size_t last)
{
    const struct change *a = &d->changes[first], *b = &d->changes[last];
    size_t before = a->old_start < CONTEXT ? a->old_start : CONTEXT;
    size_t left = d->old_lines.len - b->old_end, after = left < CONTEXT ? left : CONTEXT;
    strbuf_addstr(out, "@@ ");
    add_range(out, '-', a->old_start - before, b->old_end + after);
    strbuf_addch(out, ' ');
    add_range(out, '+', a->new_start - before, b->new_end + after);
    strbuf_addstr(out, " @@\n");
    size_t at = a->old_start - before;
    for (size_t i = first; i <= last; i++) {
        const struct change *c = &d->changes[i];
        add_lines(out, ' ', &d->old_lines, at, c->old_start);
        add_lines(out, '-', &d->old_lines, c->old_start, c->old_end);
        add_lines(out, '+', &d->new_lines, c->new_start, c->new_end);
        at = c->old_end;
    }
    add_lines(out, ' ', &d->old_lines, at, at + after);
}

static void add_hunks(struct strbuf *out, const struct diff *d)
{
    for (size_t first = 0, last; first < d->len; first = last + 1) {
        last = first;
        while (last + 1 < d->len && d->changes[last + 1].old_start - d->changes[last].old_end <= 2 * CONTEXT)
            last++;
        add_hunk(out, d, first, last);
    }
}

static bool needs_quotes(const char *path)
{
    for (; *path; path++) {
        if ((unsigned char)*path < ' ' || *path == '"' || *path == '\\' || *path == 0x7f)
            return true;
    }
    return false;
}

static void add_quoted(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_addf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            strbuf_addf(out, "\\%03o", (unsigned)*text);
        else
            strbuf_addch(out, *text);
    }
}

static void add_name(struct strbuf *out, const char *mark, const char *side, const char *path)
{
    strbuf_addf(out, "%s ", mark);
    if (needs_quotes(path)) {
        strbuf_addf(out, "\"%s", side);
        add_quoted(out, path);
        strbuf_addstr(out, "\"\n");
        return;
    }
    /* patch(1) takes what follows a blank for a date, unless a tab ends the name */
    strbuf_addf(out, "%s%s%s\n", side, path, strchr(path, ' ') ? "\t" : "");
}

void diff_add_unified(struct strbuf *out, const char *path, const char *old_text, size_t old_len,
                      const char *new_text, size_t new_len)
{
    if (old_len == new_len && memcmp(old_text, new_text, old_len) == 0)
        return;
    struct diff d = {.changes = NULL};
    split(&d.old_lines, old_text, old_len);
    split(&d.new_lines, new_text, new_len);
    if (d.old_lines.len == d.new_lines.len)
        compare_in_place(&d);
    else
        compare_ends(&d);
    add_name(out, "---", "a/", path);
    add_name(out, "+++", "b/", path);
    add_hunks(out, &d);
    free(d.old_lines.items);
    free(d.new_lines.items);
    free(d.changes);
}
