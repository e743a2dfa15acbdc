/*
 * A YAML reader for editing: every document as a tree of nodes that know where in the file their bytes are.
 *
 * It is built on libyaml's events, with limits (base/limits.h) on bytes, documents, nodes, depth and what
 * aliases expand to, so that no input makes it slow. Positions are byte offsets into the file (libyaml counts
 * characters; the reader converts), so `text[start..end)` is exactly what the author wrote, quotes included.
 *
 * A document that is broken spoils only itself: it is kept with its error and no root, and reading goes on at
 * the next "---" line (a marker at the start of a line ends a document wherever it stands, even in a quoted
 * or block scalar: YAML 1.2.2, 9.1.2). Duplicate keys in one mapping are such an error (but for merge keys, of which the
 * last wins, as in Go), and an alias inside the node that it names. An alias is a node of its own that points at the anchored one. UTF-8 only, with or
 * without a byte order mark, which may also stand before a later document; CRLF, LF and CR line ends.
 *
 * The text is not copied and must outlive the stream. A stream is not changed after reading, so it can be
 * shared between threads.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING, YAML_ALIAS };

enum yaml_style { YAML_PLAIN, YAML_SINGLE_QUOTED, YAML_DOUBLE_QUOTED, YAML_LITERAL, YAML_FOLDED };

/* There are a hundred of them in an ordinary manifest: so numbers are as small as LIMIT_YAML_BYTES lets them be. */
struct yaml_node {
    enum yaml_kind kind : 8;
    enum yaml_style style : 8; /* of a scalar */
    bool flow;                 /* of a collection: [a, b] or {a: 1} */
    uint32_t
        number; /* from 1, in the order of the text, over all documents; the same whenever the text is read */
    uint32_t start, end; /* bytes in the file: of a scalar with its quotes, without anchor and tag (a block
                                  scalar from its "|" to the end of its blank lines); of a block collection from
                                  its first node (or "-") to the end of its last */
    int line, column;    /* of `start`, both from 1; column in characters */
    uint32_t value_len;  /* of value, which may hold NULs ("\0" in double quotes) */
    uint32_t len;        /* of items */
    const char *value;   /* of a scalar: decoded, NUL-terminated; else NULL */
    const char *anchor, *tag;       /* as written, without & and resolved; NULL if there is none */
    struct yaml_node **items;       /* of a sequence: the items; of a mapping: key, value, key, value, … */
    const struct yaml_node *target; /* of an alias: the anchored node */
};

/* Why a document cannot be read. */
struct yaml_error {
    enum error_code code; /* ERROR_NONE: it can */
    const char *text;     /* "" if it can; else of the arena */
};

struct yaml_document {
    struct yaml_node *root; /* NULL if it is empty or broken */
    size_t start, end;      /* bytes of the file: from its "---" (or the directives before that, or the first
                               byte) to the next one's, or to the end of its "..." line */
    int line;               /* where it starts, from 1 */
    struct yaml_error error;
    int error_line, error_column; /* where, from 1 */
};

struct yaml_stream {
    struct yaml_document *documents;
    size_t len, capacity;
    struct yaml_embedding *embeddings; /* of base/yaml_embedded.h */
    struct arena arena;                /* of all nodes and their strings */
};

/* Reads all documents. NULL only where nothing can be read at all: ERROR_TOO_LARGE, or ERROR_INVALID for
 * UTF-16 or bytes that are not UTF-8 (the text says the offset). Free with yaml_close. (Not "yaml_free":
 * libyaml has a function of that name and would call ours.) */
struct yaml_stream *yaml_read(const char *text, size_t len, struct error *err) MUST_CHECK;
void yaml_close(struct yaml_stream *stream);    /* NULL does nothing */
void yaml_release(struct yaml_stream **stream); /* for CLEANUP */

/* The node itself, or what an alias (of an alias …) stands for. NULL stays NULL. */
const struct yaml_node *yaml_resolve(const struct yaml_node *node);

/* The value at a key of a mapping (aliases and `<<` merge keys followed; the mapping's own keys win); NULL if
 * it is missing or `node` is no mapping. The result is not resolved: it may be an alias, which tells an
 * editor that the bytes are elsewhere. */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);

/* True if the key is in a mapping before a merge key that has it, too. The mapping's own counts then in YAML 1.1 and here,
 * and what is merged for kubectl (go-yaml v2: the later one wins). */
bool yaml_is_contested(const struct yaml_node *node, const char *key);

/* As yaml_get along keys: yaml_path(root, "spec", "template", NULL). */
const struct yaml_node *yaml_path(const struct yaml_node *node, ...) __attribute__((sentinel));

/* True for a plain `<<` or one tagged !!merge. */
bool yaml_is_merge(const struct yaml_node *key);

/*
 * Calls `visit` for the pairs of a mapping (aliases followed): its own, in order, then those that merge keys
 * bring (`is_merged`). Of pairs with the same key the first counts; the visitor must pass over later ones.
 * Stops where `visit` returns non-zero and returns that. Nothing is called if `node` is no mapping.
 */
typedef int yaml_pair_visitor(const struct yaml_node *key, const struct yaml_node *value, bool is_merged,
                              void *context);
int yaml_each_pair(const struct yaml_node *node, yaml_pair_visitor *visit, void *context);

/* True of two readings or copies of one node. Both count: YAML in a string has numbers of its own. */
static inline bool yaml_is_same(const struct yaml_node *a, const struct yaml_node *b)
{
    return a->number == b->number && a->start == b->start;
}

/* The node that has this number (never one that an alias stands for), or NULL. By binary search. */
const struct yaml_node *yaml_find(const struct yaml_stream *stream, uint32_t number);

/* The text of a scalar (aliases followed), or NULL if it is no scalar, a plain null, or holds a NUL. */
const char *yaml_text(const struct yaml_node *node);

/* True for what Go's YAML reader (v2, YAML 1.1, which Kubernetes tools use) takes for null, true or a number
 * when written plain: "yes", "1e3", "012", "~", … Such text must be quoted to stay a string. */
bool yaml_plain_is_typed(const char *text);

/*
 * The tree as JSON, typed as Kubernetes' Go readers type it (base/yaml_scalar.h; only plain scalars are, and
 * those with a tag of YAML's own; other tags leave text). Merge keys are expanded as YAML defines them (where an
 * own key stands before "<<", Go's reader let the merged one win; here an own key always wins). Keys are strings
 * ("on:" is the key "true"), and two that become the same string are an error. Whole numbers are integers, as Go writes
 * them ("1e3" is 1000); integers from 2^63 on become reals. A new reference; NULL with ERROR_INVALID where JSON
 * has no such thing (a mapping as key, NaN), the text then says line and column. NULL for `node` is null.
 */
json_t *yaml_to_json(const struct yaml_node *node, struct error *err) MUST_CHECK;

#endif
