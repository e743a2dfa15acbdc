/*
 * A writer that puts a tree into YAML in any of the ways that the language has: block and flow style in each other, all five
 * styles of scalars over one line or several, escapes, explicit keys and indentation, anchors, aliases, merge keys, tags,
 * comments and blank lines wherever they may be, line ends, lists at the column of their key.
 */
#ifndef TESTS_YAML_WRITER_H
#define TESTS_YAML_WRITER_H

#include <stdio.h>

#include "base/strbuf.h"
#include "base/yaml.h"
#include "yaml_tree.h"

struct writer {
    uint64_t random;
    struct strbuf out;
    const char *eol;
    unsigned step;     /* of indentation */
    bool bars_tabs;    /* libyaml takes none behind "-" and the ":" of a "?" */
    bool keeps_blanks; /* blank lines now would belong to the scalar before */
    bool needs_break;  /* the last line break is part of a scalar */
    struct tree *anchored[64];
    size_t anchored_len, anchors;
    bool is_wild; /* uses what people and tools never write, too */
};

/* xorshift64* */
static unsigned pick(struct writer *w, unsigned below)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return (unsigned)((w->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static bool chance(struct writer *w, unsigned one_in)
{
    return pick(w, one_in) == 0;
}

#define ONE_OF(w, list) ((list)[pick((w), (unsigned)ARRAY_LEN(list))])

/* -- lines ------------------------------------------------------------------------------------------------------ */

static const char *const writer_comments[] = {"# plain", "# é 日本語", "# 🚢 image: decoy:1",
                                              "#",       "#\ttab",     "# - a: {b",
                                              "# \"'",   "# &a *b !c", "#x: |"};

static void spaces(struct writer *w, int count)
{
    strbuf_addf(&w->out, "%*s", count, "");
}

static void end_line(struct writer *w)
{
    static const char *const blanks[] = {"", "", "", " ", "\t", "  \t "};
    const char *blank = ONE_OF(w, blanks);
    strbuf_addstr(&w->out, w->bars_tabs ? "" : blank);
    w->bars_tabs = w->needs_break = false;
    if (chance(w, 6))
        strbuf_addf(&w->out, " %s", ONE_OF(w, writer_comments));
    strbuf_addstr(&w->out, w->eol);
}

/* Comments and blank lines, no deeper than the column: deeper they could belong to a block scalar above. */
static void add_noise(struct writer *w, int column)
{
    for (unsigned i = chance(w, 8) ? 1 + pick(w, 2) : 0; i && !w->keeps_blanks; i--) {
        if (chance(w, 2)) {
            spaces(w, (int)pick(w, (unsigned)column + 1));
            strbuf_addstr(&w->out, ONE_OF(w, writer_comments));
        }
        strbuf_addstr(&w->out, w->eol);
    }
    w->keeps_blanks = false;
}

/* A break inside a scalar or between braces, and the next line's indentation. */
static void break_line(struct writer *w, int column)
{
    strbuf_addstr(&w->out, w->eol);
    spaces(w, column + 1 + (int)pick(w, 4));
}

/* -- scalars ---------------------------------------------------------------------------------------------------- */

static bool can_be_plain(const char *text)
{
    size_t len = strlen(text);
    if (!len || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/", text[0]) ||
        yaml_plain_is_typed(text) || text[len - 1] == ':' || strstr(text, ": ") || strstr(text, " #"))
        return false;
    return text[strcspn(text, "\"'\\\n\t,[]{}|>%")] == '\0' && !strstr(text, "  ") && text[len - 1] != ' ';
}

/* A single space between words, where a line may be broken. */
static bool can_fold_at(const char *text, const char *at)
{
    return at > text && *at == ' ' && at[1] && at[1] != ' ' && at[-1] != ' ' && at[1] != '#' &&
           at[1] != '\t' && at[-1] != '\t' && at[1] != '-' && at[1] != '\n' && at[-1] != '\n';
}

/* column < 0: it must stay on its line. */
static bool folds(struct writer *w, const struct tree *node, const char *at, int column)
{
    return column >= 0 && can_fold_at(node->text, at) && chance(w, 3);
}

static void write_plain(struct writer *w, const struct tree *node, int column)
{
    for (const char *c = node->text; *c; c++) {
        if (folds(w, node, c, column))
            break_line(w, column);
        else
            strbuf_addch(&w->out, *c);
    }
}

static void write_single_quoted(struct writer *w, const struct tree *node, int column)
{
    strbuf_addch(&w->out, '\'');
    for (const char *c = node->text; *c; c++) {
        if (folds(w, node, c, column))
            break_line(w, column);
        else
            strbuf_addf(&w->out, "%s%c", *c == '\'' ? "'" : "", *c);
    }
    strbuf_addch(&w->out, '\'');
}

static void write_double_quoted(struct writer *w, const struct tree *node, int column)
{
    bool has_escapes = !node->is_plain_text && chance(w, 3);
    strbuf_addch(&w->out, '"');
    for (const char *c = node->text; *c; c++) {
        if (has_escapes && column >= 0 && *c > ' ' && *c < 0x7f && chance(w, 12)) {
            strbuf_addch(&w->out, '\\');
            break_line(w, column);
        }
        if (*c == '\n')
            strbuf_addstr(&w->out, "\\n");
        else if (*c == '"' || *c == '\\')
            strbuf_addf(&w->out, "\\%c", *c);
        else if (*c == '\t')
            strbuf_addstr(&w->out, "\\t");
        else if (has_escapes && *c > ' ' && *c < 0x7f && chance(w, 8))
            strbuf_addf(&w->out, chance(w, 2) ? "\\x%02x" : "\\u%04X", (unsigned)*c);
        else if (folds(w, node, c, column))
            break_line(w, column);
        else
            strbuf_addch(&w->out, *c);
    }
    strbuf_addch(&w->out, '"');
}

/* In one line or several. */
static void write_scalar(struct writer *w, const struct tree *node, int column)
{
    bool is_one_line = !strpbrk(node->text, "\n\t");
    unsigned style = pick(w, 4);
    if (node->is_typed || (style < 2 && can_be_plain(node->text)))
        write_plain(w, node, column);
    else if (style == 2 && is_one_line)
        write_single_quoted(w, node, column);
    else
        write_double_quoted(w, node, column);
}

/* A block scalar that begins on this line. */
static void write_block_scalar(struct writer *w, const struct tree *node, int column)
{
    static const char *const after[] = {"", "", " ", "  # header"};
    size_t len = strlen(node->text);
    bool has_break = len && node->text[len - 1] == '\n',
         is_folded = !strchr(node->text, '\n') && chance(w, 2);
    int inside = 1 + (int)pick(w, 4), base = column < 0 ? 0 : column;
    strbuf_addf(&w->out, " %c", is_folded ? '>' : '|');
    if (chance(w, 6))
        strbuf_addf(&w->out, "%d", inside);
    w->needs_break = has_break;
    w->keeps_blanks = has_break && chance(w, 2);
    strbuf_addstr(&w->out, !has_break ? "-" : w->keeps_blanks ? "+" : "");
    strbuf_addf(&w->out, "%s%s", ONE_OF(w, after), w->eol);
    const char *rest = node->text;
    while (*rest) {
        size_t line = strcspn(rest, "\n");
        if (line)
            spaces(w, base + inside);
        strbuf_add(&w->out, rest, line);
        strbuf_addstr(&w->out, w->eol);
        rest += line + (rest[line] == '\n');
    }
}

static bool can_be_block_scalar(const struct tree *node)
{
    const char *text = node->text;
    size_t len = strlen(text);
    return !node->is_typed && len && text[0] != ' ' && text[0] != '\n' && text[len - 1] != ' ' &&
           text[strcspn(text, "\t")] == '\0' && !str_ends_with(text, "\n\n");
}

/* -- anchors ---------------------------------------------------------------------------------------------------- */

static void set_source(struct tree *node, const struct tree *source)
{
    node->source = source;
    for (size_t i = 0; i < node->len; i++)
        set_source(node->items[i], source->items[i]->source);
}

/* The earlier node that this one may be written as an alias of, or NULL. */
static struct tree *find_anchored(struct writer *w, const struct tree *node)
{
    for (size_t i = 0; i < w->anchored_len && !*node->anchor; i++) {
        if (tree_equals(w->anchored[i], node) && chance(w, 2))
            return w->anchored[i];
    }
    return NULL;
}

/* True if an alias stands for the node now. */
static bool write_alias(struct writer *w, struct tree *node)
{
    struct tree *anchored = find_anchored(w, node);
    if (!anchored)
        return false;
    strbuf_addf(&w->out, "*%s", anchored->anchor);
    set_source(node, anchored);
    return true;
}

/* " &a1 !!str", in any order, or nothing. */
static void write_properties(struct writer *w, struct tree *node)
{
    static const char *const tags[] = {"!!str", "!!map", "!!seq"};
    bool has_tag = !node->is_typed && chance(w, 12), tag_first = chance(w, 2);
    if (has_tag && tag_first)
        strbuf_addf(&w->out, " %s", tags[node->kind]);
    if (*node->anchor || (chance(w, 8) && w->anchored_len < ARRAY_LEN(w->anchored))) {
        if (!*node->anchor)
            snprintf(node->anchor, sizeof(node->anchor), "a%zu", w->anchors++);
        strbuf_addf(&w->out, " &%s", node->anchor);
    }
    if (has_tag && !tag_first)
        strbuf_addf(&w->out, " %s", tags[node->kind]);
}

/* Once it is written whole: nothing is an alias of what it is in. */
static void remember(struct writer *w, struct tree *node)
{
    if (*node->anchor && w->anchored_len < ARRAY_LEN(w->anchored))
        w->anchored[w->anchored_len++] = node;
}

/* -- flow style ------------------------------------------------------------------------------------------------- */

/* Between tokens of {…} and […]: nothing, blanks, or a new line, with a comment before it. */
static void separate(struct writer *w, int column)
{
    unsigned how = pick(w, 8);
    if (how > 5)
        strbuf_addstr(&w->out, how == 6 ? " " : "  ");
    if (how)
        return;
    if (chance(w, 3))
        strbuf_addf(&w->out, " %s", ONE_OF(w, writer_comments));
    break_line(w, column);
}

static void write_flow(struct writer *w, struct tree *node, int column);

static void write_flow_value(struct writer *w, struct tree *node, int column)
{
    node->source = node;
    if (write_alias(w, node)) {
        strbuf_addch(&w->out, ' ');
        return;
    }
    size_t before = w->out.len;
    write_properties(w, node);
    if (w->out.len > before)
        strbuf_addch(&w->out, ' ');
    if (node->kind == TREE_TEXT)
        write_scalar(w, node, column);
    else
        write_flow(w, node, column);
    remember(w, node);
}

static void write_flow_pair(struct writer *w, struct tree *key, struct tree *value, int column)
{
    key->source = key;
    write_scalar(w, key, -1);
    bool is_json_like = strchr("\"'", w->out.buf[w->out.len - 1]) != NULL;
    strbuf_addstr(&w->out, is_json_like && chance(w, 2) ? ":" : ": ");
    write_flow_value(w, value, column);
}

static void write_flow(struct writer *w, struct tree *node, int column)
{
    bool is_map = node->kind == TREE_MAP;
    bool is_first = true;
    strbuf_addch(&w->out, is_map ? '{' : '[');
    separate(w, column);
    if (node->merged) {
        strbuf_addf(&w->out, "<<: *%s ", node->merged->anchor);
        is_first = false;
    }
    for (size_t i = 0; i < node->len; i += is_map ? 2 : 1) {
        if (!is_first) {
            strbuf_addch(&w->out, ',');
            separate(w, column);
        }
        is_first = false;
        if (is_map)
            write_flow_pair(w, node->items[i], node->items[i + 1], column);
        else
            write_flow_value(w, node->items[i], column);
        separate(w, column);
    }
    if (!is_first && chance(w, 6))
        strbuf_addstr(&w->out, ", ");
    strbuf_addch(&w->out, is_map ? '}' : ']');
}

/* -- block style ------------------------------------------------------------------------------------------------ */

static void write_value(struct writer *w, struct tree *node, int column, bool is_item);

/* A pair whose first line is indented already. */
static void write_pair(struct writer *w, struct tree *key, struct tree *value, int column)
{
    static const char *const colons[] = {":", ":", ":", ":", " :", "  :"};
    key->source = key;
    if (w->is_wild && chance(w, 20)) {
        strbuf_addstr(&w->out, "? ");
        write_scalar(w, key, -1);
        end_line(w);
        spaces(w, column);
        strbuf_addch(&w->out, ':');
        w->bars_tabs = true;
    } else {
        write_scalar(w, key, -1);
        strbuf_addstr(&w->out, ONE_OF(w, colons));
    }
    write_value(w, value, column, false);
}

static void write_pairs(struct writer *w, struct tree *node, int column, bool is_indented)
{
    size_t merge_at = node->merged ? 2 * (size_t)pick(w, (unsigned)node->len / 2 + 1) : SIZE_MAX;
    for (size_t i = 0; i <= node->len; i += 2) {
        if (i == merge_at) {
            if (!is_indented)
                spaces(w, column);
            is_indented = false;
            strbuf_addf(&w->out, "<<: *%s", node->merged->anchor);
            end_line(w);
        }
        if (i == node->len)
            break;
        if (!is_indented) {
            add_noise(w, column);
            spaces(w, column);
        }
        is_indented = false;
        write_pair(w, node->items[i], node->items[i + 1], column);
    }
}

static void write_items(struct writer *w, struct tree *node, int column)
{
    for (size_t i = 0; i < node->len; i++) {
        add_noise(w, column);
        spaces(w, column);
        strbuf_addch(&w->out, '-');
        w->bars_tabs = true;
        write_value(w, node->items[i], column, true);
    }
}

/* What follows the properties of a value, to the end of its last line. */
static void write_collection(struct writer *w, struct tree *node, int column, bool is_item, bool is_bare)
{
    bool is_map = node->kind == TREE_MAP;
    if (!node->len || chance(w, 5)) {
        strbuf_addch(&w->out, ' ');
        write_flow(w, node, column);
        end_line(w);
        return;
    }
    if (is_item && is_bare && is_map && !chance(w, 6)) { /* "- key: value" */
        int gap = 1 + (int)pick(w, 3);
        spaces(w, gap);
        write_pairs(w, node, column + 1 + gap, true);
        return;
    }
    bool is_level = !is_map && !is_item && column >= 0 && chance(w, 2); /* at the column of its key */
    int inside = column < 0 ? 0 : column + (is_level ? 0 : (int)w->step);
    end_line(w);
    if (is_map)
        write_pairs(w, node, inside, false);
    else
        write_items(w, node, inside);
}

/* A value behind "key:" or "-", to the end of its last line. */
static void write_value(struct writer *w, struct tree *node, int column, bool is_item)
{
    node->source = node;
    size_t before = w->out.len;
    strbuf_addch(&w->out, ' ');
    if (write_alias(w, node)) {
        end_line(w);
        return;
    }
    w->out.buf[w->out.len = before] = '\0';
    write_properties(w, node);
    if (node->kind != TREE_TEXT) {
        write_collection(w, node, column, is_item, w->out.len == before);
    } else if (can_be_block_scalar(node) && chance(w, 6)) {
        write_block_scalar(w, node, column);
    } else {
        if (chance(w, 12)) {
            if (chance(w, 3))
                strbuf_addf(&w->out, " %s", ONE_OF(w, writer_comments));
            break_line(w, column);
        } else {
            strbuf_addstr(&w->out, chance(w, 6) ? "   " : " ");
        }
        write_scalar(w, node, column);
        end_line(w);
    }
    remember(w, node);
}

/* One document, with its "---" unless it is the first. */
static void write_document(struct writer *w, struct tree *root, bool is_first)
{
    w->anchored_len = 0;
    if (chance(w, 8))
        strbuf_addf(&w->out, "%s%s%%YAML 1.1%s", is_first ? "" : "...", is_first ? "" : w->eol, w->eol);
    else if (is_first && chance(w, 2)) {
        add_noise(w, 0);
        root->source = root;
        write_pairs(w, root, 0, false);
        return;
    }
    strbuf_addstr(&w->out, "---");
    write_value(w, root, -1, false);
}

#endif
