#include "model/manifest_tree.h"

#include "base/alloc.h"

struct yaml_stream *manifest_tree_read(const struct manifest_file *file, struct error *err)
{
    return yaml_read(file->text, file->len, err);
}

void manifest_tree_release(struct manifest_tree *tree)
{
    yaml_close(tree->yaml);
    *tree = (struct manifest_tree){.file = NULL};
}

const struct yaml_node *manifest_tree_object(struct manifest_tree *tree, const struct resource *resource)
{
    if (tree->file != resource->file) {
        manifest_tree_release(tree);
        tree->file = resource->file;
        tree->yaml = manifest_tree_read(resource->file, NULL);
    }
    return tree->yaml && resource->node ? yaml_find(tree->yaml, resource->node->number) : NULL;
}
