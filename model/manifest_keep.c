#include "model/manifest_keep.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Places that point at the same text or node lie side by side once they are sorted, and get the same copy. */
struct text_place {
    const char **at;
    size_t size; /* with its NUL */
};

struct keeping {
    struct text_place *texts;
    size_t texts_len, texts_capacity;
    const struct yaml_node ***nodes; /* places, too */
    size_t nodes_len, nodes_capacity;
};

static void add_bytes(struct keeping *k, const char **at, size_t size)
{
    if (!*at)
        return;
    vec_grow(k->texts, k->texts_len, k->texts_capacity);
    k->texts[k->texts_len++] = (struct text_place){at, size};
}

static void add_text(struct keeping *k, const char **at)
{
    add_bytes(k, at, *at ? strlen(*at) + 1 : 0);
}

static void add_node(struct keeping *k, const struct yaml_node **at)
{
    if (!*at)
        return;
    vec_grow(k->nodes, k->nodes_len, k->nodes_capacity);
    k->nodes[k->nodes_len++] = at;
}

/* -- what there is to keep --------------------------------------------------------------------------------- */

static void add_pairs(struct keeping *k, struct annotation *pairs, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add_text(k, &pairs[i].key);
        add_text(k, &pairs[i].value);
    }
}

static void add_container(struct keeping *k, struct container *container)
{
    add_text(k, &container->name);
    add_text(k, &container->policy_text);
    add_text(k, &container->entry_name);
    add_node(k, &container->image_node);
    add_node(k, &container->registry_node);
    add_node(k, &container->tag_node);
    add_node(k, &container->digest_node);
    add_node(k, &container->entry_node);
    add_text(k, &container->chart.space);
    add_text(k, &container->chart.repository);
    add_text(k, &container->chart.name);
}

static void add_resource(struct keeping *k, struct resource *resource)
{
    add_text(k, &resource->api_version);
    add_text(k, &resource->kind);
    add_text(k, &resource->service_account);
    add_text(k, &resource->url);
    add_node(k, &resource->node);
    add_pairs(k, resource->annotations, resource->annotations_len);
    add_pairs(k, resource->labels, resource->labels_len);
    for (size_t i = 0; i < resource->pull_secrets_len; i++)
        add_text(k, &resource->pull_secrets[i]);
    for (size_t i = 0; i < resource->containers_len; i++)
        add_container(k, &resource->containers[i]);
}

static void add_file(struct keeping *k, struct manifest_file *file)
{
    for (size_t i = 0; i < file->resources_len; i++)
        add_resource(k, &file->resources[i]);
    for (size_t i = 0; i < file->documents_len; i++)
        add_text(k, &file->documents[i].error);
    for (size_t i = 0; i < file->below_len; i++)
        add_text(k, &file->below[i]);
    for (size_t i = 0; i < file->patches_len; i++)
        add_text(k, &file->patches[i]);
}

/* -- keeping it ---------------------------------------------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * *(const struct yaml_node **const *)a;
    uintptr_t right = (uintptr_t) * *(const struct yaml_node **const *)b;
    return (left > right) - (left < right);
}

static int compare_texts(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * ((const struct text_place *)a)->at;
    uintptr_t right = (uintptr_t) * ((const struct text_place *)b)->at;
    return (left > right) - (left < right);
}

/* How many different ones, once they are sorted. */
static size_t count_nodes(const struct keeping *k)
{
    size_t len = 0;
    for (size_t i = 0; i < k->nodes_len; i++)
        len += !i || *k->nodes[i] != *k->nodes[i - 1];
    return len;
}

/* The nodes alone, without what is in them or what they stand for. */
static void keep_nodes(struct keeping *k, struct manifest_file *file)
{
    if (k->nodes_len)
        qsort(k->nodes, k->nodes_len, sizeof(*k->nodes), compare_nodes);
    file->nodes = xcalloc(count_nodes(k), sizeof(*file->nodes));
    const struct yaml_node *last = NULL;
    size_t len = 0;
    for (size_t i = 0; i < k->nodes_len; i++) {
        const struct yaml_node *node = *k->nodes[i];
        if (node != last) {
            last = node;
            struct yaml_node *copy = &file->nodes[len++];
            *copy = *node;
            copy->items = NULL;
            copy->target = NULL;
            copy->len = 0;
        }
        *k->nodes[i] = &file->nodes[len - 1];
    }
    for (size_t i = 0; i < len; i++) {
        struct yaml_node *copy = &file->nodes[i];
        add_bytes(k, &copy->value, copy->value_len + 1);
        add_text(k, &copy->anchor);
        add_text(k, &copy->tag);
    }
}

static size_t texts_size(const struct keeping *k)
{
    size_t size = 0;
    for (size_t i = 0; i < k->texts_len; i++) {
        if (!i || *k->texts[i].at != *k->texts[i - 1].at)
            size += k->texts[i].size;
    }
    return size;
}

static void keep_texts(struct keeping *k, struct manifest_file *file)
{
    if (k->texts_len)
        qsort(k->texts, k->texts_len, sizeof(*k->texts), compare_texts);
    file->texts = xmalloc(texts_size(k) + 1);
    char *next = file->texts, *copy = NULL;
    const char *last = NULL;
    for (size_t i = 0; i < k->texts_len; i++) {
        const struct text_place *text = &k->texts[i];
        if (*text->at != last) {
            last = *text->at;
            copy = next;
            memcpy(copy, last, text->size);
            next += text->size;
        }
        *text->at = copy;
    }
}

void manifest_keep(struct manifest_file *file)
{
    struct keeping k = {.texts = NULL};
    add_file(&k, file);
    keep_nodes(&k, file);
    keep_texts(&k, file);
    free(k.texts);
    free(k.nodes);
    yaml_close(steal(&file->yaml));
}
