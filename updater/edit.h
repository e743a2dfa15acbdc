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

struct splice {
    size_t start, end;            /* bytes [start, end) of the old text, within the node's */
    char *text;                   /* what takes their place; owned */
    const struct yaml_node *node; /* the scalar that changes; borrowed */
    char *value;                  /* what it must read as afterwards; owned */
    bool is_quoted;               /* a plain scalar that is in double quotes afterwards */
    const char
        *added_key; /* `node` is a mapping, and gets a pair more at its end: this key with `value`; else
                                     NULL. Not owned: a constant. */
};
#define SPLICE_INIT                                                                                          \
    {                                                                                                        \
        .start = 0, .end = 0, .text = NULL, .node = NULL, .value = NULL, .is_quoted = false,                 \
        .added_key = NULL                                                                                    \
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
 * The splice that gives a container another image reference, in the quotes that were there; the old one need
 * not be readable. If only the tag differs it is edit_set_tag's splice. ERROR_INVALID if `image` is no
 * reference; ERROR_UNSUPPORTED where there is no scalar to replace, or where the new text would need quotes
 * and there are none ("image: on" is a boolean).
 */
int edit_set_image(const struct manifest_file *file, const struct container *container, const char *image,
                   struct splice *out, struct error *err) MUST_CHECK;

/*
 * The splice that gives a scalar another text, in the quotes that were there; a plain one is put in double quotes
 * where the text would not stay a string ("1.10", "yes"). `value` holds only what references are made of (letters,
 * digits and "._-:/@=+"). ERROR_UNSUPPORTED, without a place, where there is no text to replace.
 */
int edit_set_scalar(const struct manifest_file *file, const struct yaml_node *node, const char *value,
                    struct splice *out, struct error *err) MUST_CHECK;

/*
 * Applies splices (in any order; equal ones count once) to the file's text and verifies the result.
 * ERROR_CONFLICT if two want different bytes for the same scalar; ERROR_INTERNAL if the result does not
 * verify: then nothing may be written.
 */
int edit_apply(const struct manifest_file *file, const struct splice *splices, size_t len, struct strbuf *out,
               struct error *err) MUST_CHECK;

#endif
