/*
 * The edit: other bytes for one scalar, and not one byte more.
 *
 * A splice names the bytes of the old text that go and those that come. Splices of one file are made against
 * the same old text, must not overlap, and are applied together; then the new text is parsed again and must
 * equal the old one in everything but the scalars meant (updater/edit_verify.h). Comments, quotes, line ends,
 * indentation and everything else a parser does not report stay because they are never written.
 *
 * Where the image is an alias the anchored scalar changes, and with it every alias of it.
 */
#ifndef UPDATER_EDIT_H
#define UPDATER_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "model/manifest.h"

/* A pair that a mapping gets. */
struct added_pair {
    const char *key; /* a constant */
    char *value;     /* owned */
};
#define MOST_ADDED_PAIRS 2

struct splice {
    size_t start, end; /* bytes [start, end) of the old text, within the node's */
    char *text;        /* what takes their place; owned */
    const struct yaml_node
        *node;        /* the scalar that changes, as the container has it; borrowed, may be alone */
    char *value;      /* what it must read as afterwards; owned */
    bool adds_quotes; /* the node is plain, and `text` brings the quotes that `value` needs */
    /* The node is a mapping that gets these at its end; `value` is then only for people. */
    struct added_pair added[MOST_ADDED_PAIRS];
    size_t added_len;
};
#define SPLICE_INIT                                                                                          \
    {                                                                                                        \
        .start = 0, .end = 0, .text = NULL, .node = NULL, .value = NULL, .adds_quotes = false,               \
        .added_len = 0                                                                                       \
    }
void splice_release(struct splice *splice);

/* Splices in the order in which they were added. Zero is empty. */
struct splice_list {
    struct splice *items;
    size_t len, capacity;
};
void splice_list_add(struct splice_list *list, struct splice splice); /* takes over the splice */
void splice_list_release(struct splice_list *list);

/*
 * The splice that gives a container another tag: the name stays as written, only the bytes of the tag differ
 * (":tag" is added where there was none). ERROR_UNSUPPORTED with the reason where that cannot be done by
 * changing the tag's bytes alone (pinned by digest, or written with escapes that hide it).
 */
int edit_set_tag(const struct manifest_file *file, const struct container *container, const char *tag,
                 struct splice *out, struct error *err) MUST_CHECK;

/*
 * The splice that makes a scalar read as `value`, a string of an image or one of its parts: in the quotes that were
 * there, or in `quotes` ('"' or '\'') if the scalar is plain and the value would not be a string then ("1.10", "1e3",
 * "on", a date). A key without a value gets it behind its colon. ERROR_UNSUPPORTED, with the line, where there is no
 * scalar to replace, or its YAML tag (!!int) would make something else of the value.
 */
int edit_set_scalar(const struct manifest_file *file, const struct yaml_node *node, const char *value,
                    char quotes, struct splice *out, struct error *err) MUST_CHECK;

/*
 * The splice that puts `text`, an image or one of its parts, behind the first `prefix_len` bytes of the scalar's value,
 * which end with a "=": no byte before them changes. ERROR_UNSUPPORTED, with the line, where what stands there now is
 * written with escapes or broken lines, or the scalar has a YAML tag that makes it something else than a string.
 */
int edit_set_behind(const struct manifest_file *file, const struct yaml_node *node, size_t prefix_len,
                    const char *text, struct splice *out, struct error *err) MUST_CHECK;

/*
 * The splice that gives a container whose image is one scalar another reference, as edit_set_scalar does; the old one
 * need not be readable. If only the tag differs it is edit_set_tag's splice. ERROR_INVALID if `image` is no reference;
 * ERROR_UNSUPPORTED where it cannot be written.
 */
int edit_set_image(const struct manifest_file *file, const struct container *container, const char *image,
                   struct splice *out, struct error *err) MUST_CHECK;

/*
 * Applies splices (in any order; equal ones count once) to the file's text and verifies the result.
 * ERROR_CONFLICT if two want different bytes for the same scalar; ERROR_INTERNAL if the result does not
 * verify: then nothing may be written.
 */
int edit_apply(const struct manifest_file *file, const struct splice *splices, size_t len, struct strbuf *out,
               struct error *err) MUST_CHECK;

#endif
