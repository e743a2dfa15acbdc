/*
 * A scalar is edited only if its decoded text stands in the file byte by byte, so that a place in the one is
 * a place in the other. Image references have no spaces, so even a folded block keeps one in one piece; only
 * escapes in double quotes (and broken lines there) can hide it.
 */
#include "updater/edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"
#include "updater/edit_verify.h"
#include "updater/yaml_place.h"
#include "updater/yaml_quote.h"

struct span {
    size_t start, end;
};

void splice_release(struct splice *splice)
{
    free(splice->text);
    free(splice->value);
    for (size_t i = 0; i < splice->added_len; i++)
        free(splice->added[i].value);
    *splice = (struct splice)SPLICE_INIT;
}

void splice_list_add(struct splice_list *list, struct splice splice)
{
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] = splice;
}

void splice_list_release(struct splice_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        splice_release(&list->items[i]);
    free(list->items);
    *list = (struct splice_list){.items = NULL};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_all_space(const char *text, size_t start, size_t end)
{
    while (start < end && is_space(text[start]))
        start++;
    return start == end;
}

/* Where the text of a block scalar can begin: behind its "|" or ">" line. */
static size_t skip_block_header(const char *text, size_t start, size_t end)
{
    while (start < end && text[start] != '\n' && text[start] != '\r')
        start++;
    return start;
}

/* The bytes between the quotes, or of the whole plain scalar, or of the lines below a block's first. */
static struct span inside_of(const char *text, const struct yaml_node *node)
{
    struct span span = {node->start, node->end};
    switch (node->style) {
    case YAML_PLAIN:
        break;
    case YAML_SINGLE_QUOTED:
    case YAML_DOUBLE_QUOTED:
        span.start++;
        span.end--;
        break;
    case YAML_LITERAL:
    case YAML_FOLDED:
        span.start = skip_block_header(text, node->start, node->end);
        break;
    }
    return span;
}

/* The bytes that are the decoded text; false if it does not stand there as it reads. */
static bool locate(const char *text, const struct yaml_node *node, struct span *out)
{
    struct span inside = inside_of(text, node);
    const char *found = memmem(text + inside.start, inside.end - inside.start, node->value, node->value_len);
    if (!found)
        return false;
    *out = (struct span){.start = (size_t)(found - text)};
    out->end = out->start + node->value_len;
    if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
        return node->value_len && is_all_space(text, inside.start, out->start) &&
               is_all_space(text, out->end, inside.end);
    return out->start == inside.start && out->end == inside.end;
}

/* The bytes of the image's tag, or where one can be put. Escapes may stand before it, but not in it. */
static bool locate_tag(const char *text, const struct container *container, struct span *out)
{
    const struct yaml_node *node = container->image_node;
    const char *tag = container->image.tag ? container->image.tag : "";
    size_t len = strlen(tag);
    struct span whole, inside = inside_of(text, node);
    bool is_plainly_there = locate(text, node, &whole);
    bool is_at_end = node->style == YAML_DOUBLE_QUOTED && len && inside.end - inside.start > len &&
                     text[inside.end - len - 1] == ':' && !memcmp(text + inside.end - len, tag, len);
    if (!is_plainly_there && !is_at_end)
        return false;
    out->end = is_plainly_there ? whole.end : inside.end;
    out->start = out->end - len;
    return true;
}

static int unsupported(const struct container *container, struct error *err, const char *what)
{
    return error_set(err, ERROR_UNSUPPORTED, "line %d, container %s: %s", container->line, container->name,
                     what);
}

int edit_set_tag(const struct manifest_file *file, const struct container *container, const char *tag,
                 struct splice *out, struct error *err)
{
    const struct image_ref *image = &container->image;
    if (!image_tag_is_valid(tag))
        return error_set(err, ERROR_INVALID, "\"%.200s\" is no image tag", tag);
    if (!image->text)
        return error_set(err, ERROR_INVALID, "line %d, container %s: %s", container->line, container->name,
                         container->problem.text);
    if (!container->image_node || container->registry_node || container->tag_node || container->digest_node ||
        container->prefix_len)
        return unsupported(container, err, "the image has no text of its own that ends with the tag");
    if (image->digest)
        return unsupported(container, err,
                           "the image is pinned by digest; a new tag alone would not change it");
    struct span text;
    if (!locate_tag(file->text, container, &text))
        return unsupported(container, err,
                           "the tag is written with escapes or broken lines; write it in one piece");
    *out = (struct splice){.start = text.start,
                           .end = text.end,
                           .text = xasprintf("%s%s", image->tag ? "" : ":", tag),
                           .node = container->image_node,
                           .value = image_ref_with_tag(image, tag)};
    return 0;
}

static bool differs_in_tag_only(const struct image_ref *from, const struct image_ref *to)
{
    return from->text && !from->digest && !to->digest && to->tag && from->name_len == to->name_len &&
           !strncmp(from->text, to->text, to->name_len);
}

/* A reference has nothing that plain style minds, but for the bracket of an IPv6 host and the words that are not
 * strings to some reader of YAML. */
static bool needs_quotes(const struct yaml_node *node, const char *value)
{
    return node->style == YAML_PLAIN &&
           (!*value || *value == '[' || (yaml_needs_quotes(value) && !node->tag));
}

static size_t skip_space_back(const char *text, size_t at)
{
    while (at && is_space(text[at - 1]))
        at--;
    return at;
}

/* A number, boolean or null behind a key in double quotes, as in JSON, where a string needs them too. */
static bool is_json_literal(const char *text, const struct yaml_node *node)
{
    size_t at = skip_space_back(text, node->start);
    if (node->style != YAML_PLAIN || !node->value_len || !yaml_plain_is_typed(node->value) || !at ||
        text[at - 1] != ':')
        return false;
    at = skip_space_back(text, at - 1);
    return at && text[at - 1] == '"';
}

/* "!!str" and "!": whatever is written there is a string. */
static bool is_tagged_string(const char *tag)
{
    return strcmp(tag, "!") == 0 || strcmp(tag, "tag:yaml.org,2002:str") == 0;
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static int cannot(const struct yaml_node *node, struct error *err, const char *what)
{
    return error_set(err, ERROR_UNSUPPORTED, "line %d: %s", node->line, what);
}

static int refuse_typed(const struct yaml_node *node, struct error *err)
{
    if (!node->tag || is_tagged_string(node->tag))
        return 0;
    return cannot(node, err, "the value has a YAML tag that makes it something else than a string");
}

/* What a new text replaces: all that is inside quotes, however written; in a block only the text itself, which
 * must be one line that its block does not end with a line break. */
static bool locate_all(const char *text, const struct yaml_node *node, struct span *out)
{
    if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
        return !strchr(node->value, '\n') && locate(text, node, out);
    *out = inside_of(text, node);
    bool is_glued = out->start && is_word_char(text[out->start - 1]); /* "&a:1" is &a and ":1" */
    return node->style != YAML_PLAIN || (out->start < out->end && !is_glued);
}

/* "key:" with nothing behind it, where a value can be put. "{key }" has no colon for it to be put behind. */
static bool is_empty_value(const char *text, const struct yaml_node *node)
{
    return place_is_nothing(node) && place_before(text, node->start) == ':';
}

static const char *why_not_located(const struct yaml_node *node)
{
    bool has_break = node->value_len && node->value[node->value_len - 1] == '\n';
    return has_break ? "the line break at the end of the block is part of the text; write it on one line"
                     : "there is no image text to replace; write one by hand first";
}

int edit_set_scalar(const struct manifest_file *file, const struct yaml_node *node, const char *value,
                    char quotes, struct splice *out, struct error *err)
{
    struct span text;
    bool is_fillable = is_empty_value(file->text, node);
    if (node->kind != YAML_SCALAR)
        return cannot(node, err, "a list or mapping is there instead of a text; write one by hand");
    if (!is_fillable && !locate_all(file->text, node, &text))
        return cannot(node, err, why_not_located(node));
    if (is_fillable)
        text.start = text.end = place_to_fill(file->text, file->len, node);
    if (refuse_typed(node, err) < 0)
        return -1;
    bool adds_quotes = needs_quotes(node, value) || (!node->tag && is_json_literal(file->text, node));
    const char *blank = is_fillable && file->text[text.start - 1] == ':' ? " " : "";
    const char quote[] = {quotes, '\0'};
    *out = (struct splice){.start = text.start,
                           .end = text.end,
                           .text = adds_quotes ? xasprintf("%s%s%s%s", blank, quote, value, quote)
                                               : xasprintf("%s%s", blank, value),
                           .node = node,
                           .value = xstrdup(value),
                           .adds_quotes = adds_quotes};
    return 0;
}

int edit_set_behind(const struct manifest_file *file, const struct yaml_node *node, size_t prefix_len,
                    const char *text, struct splice *out, struct error *err)
{
    struct span inside = inside_of(file->text, node);
    size_t old_len = node->value_len - prefix_len;
    bool is_block = node->style == YAML_LITERAL || node->style == YAML_FOLDED;
    bool is_there = is_block ? locate(file->text, node, &inside) : inside.end - inside.start > old_len;
    size_t start = inside.end - old_len;
    if (refuse_typed(node, err) < 0)
        return -1;
    if (!is_there || file->text[start - 1] != '=' ||
        memcmp(file->text + start, node->value + prefix_len, old_len) != 0)
        return cannot(
            node, err,
            "what is behind the \"=\" is written with escapes or broken lines; write it in one piece");
    *out = (struct splice){.start = start,
                           .end = inside.end,
                           .text = xstrdup(text),
                           .node = node,
                           .value = xasprintf("%.*s%s", (int)prefix_len, node->value, text)};
    return 0;
}

int edit_set_image(const struct manifest_file *file, const struct container *container, const char *image,
                   struct splice *out, struct error *err)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    if (!container->image_node)
        return unsupported(container, err,
                           container->problem.code ? container->problem.text
                                                   : "there is no image text to replace");
    if (image_ref_parse(image, &ref, err) < 0)
        return -1;
    if (differs_in_tag_only(&container->image, &ref))
        return edit_set_tag(file, container, ref.tag, out, err);
    if (edit_set_scalar(file, container->image_node, image, '"', out, err) < 0)
        return error_wrap(err, "container %s", container->name);
    return 0;
}

static int compare_splices(const void *a, const void *b)
{
    const struct splice *left = *(const struct splice *const *)a, *right = *(const struct splice *const *)b;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    return (left->added_len > right->added_len) - (left->added_len < right->added_len); /* it comes behind */
}

/* Sorts, and leaves one of equal ones; `*len` is then how many are left. */
static int settle(const struct splice **splices, size_t *len, struct error *err)
{
    if (*len)
        qsort(splices, *len, sizeof(const struct splice *), compare_splices);
    size_t kept = 0;
    for (size_t i = 0; i < *len; i++) {
        const struct splice *last = kept ? splices[kept - 1] : NULL, *next = splices[i];
        bool is_same_node = last && (yaml_is_same(last->node, next->node) || next->start < last->end);
        if (is_same_node && !strcmp(last->value, next->value))
            continue;
        if (is_same_node)
            return error_set(err, ERROR_CONFLICT,
                             "line %d: one image would have to become both \"%.200s\" and \"%.200s\"; it is "
                             "shared by an alias",
                             next->node->line, last->value, next->value);
        splices[kept++] = next;
    }
    *len = kept;
    return 0;
}

int edit_apply(const struct manifest_file *file, const struct splice *splices, size_t len, struct strbuf *out,
               struct error *err)
{
    AUTO_FREE const struct splice **sorted = xcalloc(len, sizeof(const struct splice *));
    for (size_t i = 0; i < len; i++)
        sorted[i] = &splices[i];
    if (settle(sorted, &len, err) < 0)
        return -1;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        strbuf_add(&text, file->text + at, sorted[i]->start - at);
        strbuf_addstr(&text, sorted[i]->text);
        at = sorted[i]->end;
    }
    strbuf_add(&text, file->text + at, file->len - at);
    CLEANUP(yaml_release) struct yaml_stream *old = manifest_tree_read(file, err);
    if (!old || edit_verify(old, file->text, &text, sorted, len, err) < 0)
        return error_wrap(err, "editing %s", file->path);
    strbuf_add(out, text.buf, text.len);
    return 0;
}
