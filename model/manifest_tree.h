/*
 * The tree of a file, read again. Between rounds a file keeps its text and what decisions need of it, and no tree: so
 * whoever edits, applies or prints an object reads that file again, which gives the same nodes with the same numbers.
 */
#ifndef MODEL_MANIFEST_TREE_H
#define MODEL_MANIFEST_TREE_H

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"
#include "model/manifest.h"

/* NULL, with the error, for a file that could not be read as YAML before. Free with yaml_close; not after the file. */
struct yaml_stream *manifest_tree_read(const struct manifest_file *file, struct error *err) MUST_CHECK;

/* The tree of the file last asked about, for walks over resources in the order of their files. Zero is empty. */
struct manifest_tree {
    const struct manifest_file *file; /* borrowed; must outlive the tree */
    struct yaml_stream *yaml;
};
void manifest_tree_release(struct manifest_tree *tree);

/* The object's mapping with all that is in it, until another file is asked about; NULL if its file has none. */
const struct yaml_node *manifest_tree_object(struct manifest_tree *tree, const struct resource *resource);

#endif
