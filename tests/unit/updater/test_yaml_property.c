/*
 * The promise of all edits, over generated trees that are written in every way that YAML has (yaml_writer.h): the reader finds
 * the tree; an edit of an image, by its tag or as a whole, or of an annotation, leaves every byte but its own, and what the
 * reader finds then is the tree with that one change and no other. The tree is the oracle, not the edit's own proof. An edit
 * may be refused, where the way it is written leaves no place for it, but never because its result did not read as meant. A
 * failure prints the seed and the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/manifest_tree.h"
#include "updater/annotation_edit.h"
#include "updater/image_edit.h"
#include "yaml_writer.h"

#define FILES     1500
#define DOCUMENTS 3
#define OBJECTS   3 /* in a List */
#define IMAGES    32

/* What a file is to read as. */
struct world {
    struct writer w;
    struct tree *documents[DOCUMENTS];
    size_t documents_len;
    struct tree *objects[DOCUMENTS * OBJECTS];
    size_t objects_len;
    struct tree *images[IMAGES]; /* in the order of the containers */
    size_t images_len;
    size_t images_of[DOCUMENTS * OBJECTS]; /* how many each object has */
};

/* What was changed: the text of one scalar; or an annotation of one object was set (value NULL: removed). */
struct change {
    const struct tree *scalar;
    const char *text;
    const struct tree *object;
    const char *key, *value;
};

/* -- trees of manifests ---------------------------------------------------------------------------------------- */

static const char *const texts[] = {"plain",
                                    "two words here",
                                    "é ü 日本語",
                                    "it's \"quoted\"",
                                    "a: b # c",
                                    "true",
                                    "1e3",
                                    "0x1f",
                                    "~",
                                    "",
                                    "-",
                                    "back\\slash",
                                    "one\ntwo\nthree",
                                    "with\ttab",
                                    "ends\n",
                                    "{not: a map}",
                                    "*no & !tags",
                                    "key:",
                                    "🚢 ships"};

static struct tree *random_text(struct world *f)
{
    return tree_text(ONE_OF(&f->w, texts));
}

static struct tree *new_image(struct world *f)
{
    static const char *const names[] = {"alpine", "host:5000/app", "ghcr.io/org/app_x-y", "quay.io/a/b/c.d"};
    static const char *const tags[] = {":1", ":v1.2.3-rc.1", "", ":1_0", ":2024.1", ":007"};
    AUTO_FREE char *text = xasprintf("%s%s", ONE_OF(&f->w, names), ONE_OF(&f->w, tags));
    struct tree *image = tree_text(text);
    image->is_plain_text = true;
    return image;
}

static struct tree *new_container(struct world *f, struct tree *defaults, const char *name)
{
    struct tree *container = tree_new(TREE_MAP), *args;
    bool image_first = chance(&f->w, 2), is_merged = defaults && chance(&f->w, 2);
    container->merged = is_merged ? defaults : NULL;
    bool has_own = !is_merged || !tree_get(defaults, "image");
    struct tree *image = has_own ? new_image(f) : tree_get(defaults, "image");
    if (has_own && image_first)
        tree_set(container, "image", image);
    tree_set(container, "name", tree_text(name));
    if (chance(&f->w, 2)) {
        args = tree_set(container, "args", tree_new(TREE_LIST));
        for (unsigned i = pick(&f->w, 4); i; i--)
            tree_add(args, chance(&f->w, 4) ? tree_text(image->text) : random_text(f));
    }
    if (has_own && !image_first)
        tree_set(container, "image", image);
    if (chance(&f->w, 3))
        tree_set(container, "tty", tree_typed("true"));
    f->images[f->images_len++] = image;
    return container;
}

static void add_containers(struct world *f, struct tree *pod, const char *key, char letter,
                           struct tree *defaults)
{
    struct tree *list = tree_set(pod, key, tree_new(TREE_LIST));
    for (unsigned i = 0, count = 1 + pick(&f->w, 2); i < count; i++) {
        char name[] = {letter, (char)('0' + i), '\0'};
        tree_add(list, new_container(f, defaults, name));
    }
}

static struct tree *new_metadata(struct world *f, const char *name)
{
    struct tree *metadata = tree_new(TREE_MAP), *annotations = NULL;
    unsigned how = pick(&f->w, 5);
    if (how == 0)
        annotations = tree_set(metadata, "annotations", tree_new(TREE_MAP));
    tree_set(metadata, "name", tree_text(name));
    if (how == 1)
        tree_set(metadata, "annotations", tree_typed(chance(&f->w, 2) ? "null" : "~"));
    if (how > 2)
        annotations = tree_set(metadata, "annotations", tree_new(TREE_MAP));
    for (unsigned i = how > 2 ? 1 + pick(&f->w, 3) : 0; i; i--) {
        char key[] = {(char)('a' + i), '.', 'b', '/', 'c', '\0'};
        tree_set(annotations, key, random_text(f));
    }
    if (chance(&f->w, 3))
        tree_set(tree_set(metadata, "labels", tree_new(TREE_MAP)), "app", tree_text(name));
    return metadata;
}

static struct tree *new_object(struct world *f)
{
    AUTO_FREE char *name = xasprintf("w%zu", f->objects_len);
    struct tree *object = tree_new(TREE_MAP), *defaults = NULL;
    f->objects[f->objects_len] = object;
    size_t images = f->images_len;
    bool is_pod = chance(&f->w, 3);
    tree_set(object, "apiVersion", tree_text(is_pod ? "v1" : "apps/v1"));
    tree_set(object, "kind", tree_text(is_pod ? "Pod" : "Deployment"));
    if (chance(&f->w, 3)) {
        defaults = tree_set(object, "x-defaults", tree_new(TREE_MAP));
        snprintf(defaults->anchor, sizeof(defaults->anchor), "base%zu", f->objects_len);
        tree_set(defaults, "imagePullPolicy", tree_text("Always"));
        if (chance(&f->w, 2))
            tree_set(defaults, "image", new_image(f));
    }
    tree_set(object, "metadata", new_metadata(f, name));
    struct tree *pod = tree_set(object, "spec", tree_new(TREE_MAP));
    if (!is_pod) {
        tree_set(pod, "replicas", tree_typed("3"));
        pod = tree_set(tree_set(pod, "template", tree_new(TREE_MAP)), "spec", tree_new(TREE_MAP));
    }
    add_containers(f, pod, "containers", 'c', defaults);
    if (chance(&f->w, 4))
        add_containers(f, pod, "initContainers", 'i', NULL);
    f->images_of[f->objects_len++] = f->images_len - images;
    return object;
}

static struct tree *new_document(struct world *f)
{
    if (!chance(&f->w, 4))
        return new_object(f);
    struct tree *document = tree_new(TREE_MAP), *items;
    tree_set(document, "apiVersion", tree_text("v1"));
    tree_set(document, "kind", tree_text("List"));
    items = tree_set(document, "items", tree_new(TREE_LIST));
    for (unsigned i = 0, count = 1 + pick(&f->w, OBJECTS); i < count; i++)
        tree_add(items, new_object(f));
    return document;
}

static void generate(struct world *f, uint64_t seed)
{
    static const char *const eols[] = {"\n", "\n", "\r\n", "\r"};
    *f = (struct world){.w = {.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .out = STRBUF_INIT}};
    struct writer *w = &f->w;
    w->eol = ONE_OF(w, eols);
    w->step = 1 + pick(w, 4);
    w->is_wild = chance(w, 4);
    strbuf_addstr(&w->out, chance(w, 8) ? "\xef\xbb\xbf" : "");
    for (unsigned i = 0, count = 1 + pick(w, DOCUMENTS); i < count; i++) {
        struct tree *document = new_document(f);
        f->documents[f->documents_len++] = document;
        write_document(w, document, i == 0);
    }
    if (chance(w, 4) && !w->needs_break) {
        w->out.len -= strlen(w->eol);
        w->out.buf[w->out.len] = '\0';
    }
}

static void world_release(struct world *f)
{
    for (size_t i = 0; i < f->documents_len; i++)
        tree_free(f->documents[i]);
    strbuf_release(&f->w.out);
}

/* -- the oracle ------------------------------------------------------------------------------------------------ */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "seed %llu\n%s\n", (unsigned long long)seed, f->w.out.buf);                      \
            fail_msg("%s", #condition);                                                                      \
        }                                                                                                    \
    } while (0)

static bool reads_as(const struct yaml_node *node, const struct tree *tree, const struct change *change);

static int count_pair(const struct yaml_node *key, const struct yaml_node *value, bool is_merged,
                      void *context)
{
    (void)key;
    (void)value;
    size_t *count = context;
    *count += !is_merged;
    return 0;
}

/* The annotations of the object that gets one, or loses it. */
static bool annotations_read_as(const struct yaml_node *node, const struct tree *tree,
                                const struct change *change)
{
    size_t count = 0, expected = tree ? tree->len / 2 : 0;
    bool was_there = tree && tree->kind == TREE_MAP && tree_get(tree, change->key);
    yaml_each_pair(node, count_pair, &count);
    for (size_t i = 0; tree && i < tree->len; i += 2) {
        const char *key = tree->items[i]->text;
        if (strcmp(key, change->key) != 0 && !reads_as(yaml_get(node, key), tree->items[i + 1], change))
            return false;
    }
    const char *text = node ? yaml_text(yaml_get(node, change->key)) : NULL;
    bool is_right = change->value ? text && !strcmp(text, change->value) : !text;
    return is_right && count == expected + (change->value && !was_there) - (!change->value && was_there);
}

/* Metadata of that object: as it was, but for its annotations, which may come and go. */
static bool metadata_reads_as(const struct yaml_node *node, const struct tree *tree,
                              const struct change *change)
{
    for (size_t i = 0; i < tree->len; i += 2) {
        const char *key = tree->items[i]->text;
        if (strcmp(key, "annotations") != 0 && !reads_as(yaml_get(node, key), tree->items[i + 1], change))
            return false;
    }
    return annotations_read_as(yaml_get(node, "annotations"), tree_get(tree, "annotations"), change);
}

static bool map_reads_as(const struct yaml_node *node, const struct tree *tree, const struct change *change)
{
    size_t count = 0;
    yaml_each_pair(node, count_pair, &count);
    if (count != tree->len / 2)
        return false;
    for (size_t i = 0; i < tree->len; i += 2) {
        const struct yaml_node *value = yaml_get(node, tree->items[i]->text);
        bool is_changed = change->object == tree && !strcmp(tree->items[i]->text, "metadata");
        if (!value || !(is_changed ? metadata_reads_as(yaml_resolve(value), tree->items[i + 1], change)
                                   : reads_as(value, tree->items[i + 1], change)))
            return false;
    }
    for (size_t i = 0; tree->merged && i < tree->merged->len; i += 2) {
        const char *key = tree->merged->items[i]->text;
        if (!reads_as(yaml_get(node, key), tree_get(tree, key), change))
            return false;
    }
    return true;
}

static bool reads_as(const struct yaml_node *node, const struct tree *tree, const struct change *change)
{
    static const enum yaml_kind kinds[] = {
        [TREE_TEXT] = YAML_SCALAR, [TREE_MAP] = YAML_MAPPING, [TREE_LIST] = YAML_SEQUENCE};
    node = yaml_resolve(node);
    if (!node || node->kind != kinds[tree->kind])
        return false;
    if (tree->kind == TREE_MAP)
        return map_reads_as(node, tree, change);
    if (tree->kind == TREE_TEXT) {
        const char *text = change->scalar && tree->source == change->scalar ? change->text : tree->text;
        bool is_string = node->style != YAML_PLAIN || node->tag || !yaml_plain_is_typed(node->value);
        return node->value_len == strlen(text) && !strcmp(node->value, text) && is_string != tree->is_typed;
    }
    if (node->len != tree->len)
        return false;
    for (size_t i = 0; i < node->len; i++) {
        if (!reads_as(node->items[i], tree->items[i], change))
            return false;
    }
    return true;
}

static bool stream_reads_as(const struct yaml_stream *yaml, const struct world *f,
                            const struct change *change)
{
    for (size_t i = 0; i < f->documents_len; i++) {
        if (i >= yaml->len || !reads_as(yaml->documents[i].root, f->documents[i], change))
            return false;
    }
    return yaml->len == f->documents_len;
}

static bool text_reads_as(const struct strbuf *text, const struct world *f, const struct change *change)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text->buf, text->len, NULL);
    return yaml && stream_reads_as(yaml, f, change);
}

/* -- the edits -------------------------------------------------------------------------------------------------- */

/* How many edits were made, and how many of those that were tried. */
struct tally {
    size_t made, tried;
};

static void check_image(const struct world *f, uint64_t seed, const struct manifest_file *file,
                        const struct container *container, const struct tree *image, const char *to,
                        struct tally *tally)
{
    struct error err = ERROR_INIT;
    CLEANUP(splice_list_release) struct splice_list splices = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    tally->tried++;
    CHECK(container->image.text && !strcmp(container->image.text, image->text));
    if (image_edit(file, container, to, &splices, &err) < 0) {
        CHECK(err.code == ERROR_UNSUPPORTED);
        return;
    }
    CHECK(edit_apply(file, splices.items, splices.len, &after, &err) == 0);
    CHECK(splices.len == 1);
    const struct splice *splice = &splices.items[0];
    size_t new_len = strlen(splice->text), tail = file->len - splice->end;
    CHECK(after.len == splice->start + new_len + tail);
    CHECK(!memcmp(after.buf, file->text, splice->start));
    CHECK(!memcmp(after.buf + after.len - tail, file->text + splice->end, tail));
    CHECK(text_reads_as(&after, f, &(struct change){.scalar = image->source, .text = to}));
    tally->made++;
}

static void check_images(struct world *f, uint64_t seed, const struct manifest_file *file,
                         struct tally *tally)
{
    size_t at = 0;
    for (size_t i = 0; i < file->resources_len; i++) {
        CHECK(file->resources[i].containers_len == f->images_of[i]);
        for (size_t k = 0; k < f->images_of[i]; k++, at++) {
            const struct container *container = &file->resources[i].containers[k];
            AUTO_FREE char *tag = image_ref_with_tag(&container->image, "v10.20.30-longer_than.before");
            check_image(f, seed, file, container, f->images[at], tag, tally);
            check_image(f, seed, file, container, f->images[at],
                        "x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", tally);
        }
    }
}

/* Makes the change, if it is not refused. */
static bool change_annotation(const struct world *f, uint64_t seed, const struct strbuf *text, size_t object,
                              const struct annotation_change *change, struct strbuf *out)
{
    struct error err = ERROR_INIT;
    struct manifest_file *file =
        manifest_file_new("f.yaml", xmemdupz(text->buf, text->len), text->len, "default");
    CHECK(file->resources_len == f->objects_len);
    int result = annotation_edit(&file->resources[object], change, 1, out, &err);
    manifest_file_unref(file);
    CHECK(result == 0 || err.code == ERROR_UNSUPPORTED);
    return result == 0;
}

static bool is_same_text(const struct strbuf *a, const struct strbuf *b)
{
    return a->len == b->len && !memcmp(a->buf, b->buf, a->len);
}

/* Sets an annotation, and takes it away again. */
static void check_annotation(const struct world *f, uint64_t seed, size_t object, const char *key,
                             const char *value, struct tally *tally)
{
    CLEANUP(strbuf_release) struct strbuf set = STRBUF_INIT, removed = STRBUF_INIT;
    const struct tree *annotations = tree_get(tree_get(f->objects[object], "metadata"), "annotations");
    struct change change = {.object = f->objects[object], .key = key, .value = value};
    tally->tried++;
    if (!change_annotation(f, seed, &f->w.out, object, &(struct annotation_change){key, value}, &set))
        return;
    CHECK(text_reads_as(&set, f, &change));
    tally->made++;
    if (!change_annotation(f, seed, &set, object, &(struct annotation_change){key, NULL}, &removed))
        return;
    change.value = NULL;
    CHECK(text_reads_as(&removed, f, &change));
    bool has_others = annotations && annotations->kind == TREE_MAP && annotations->len;
    if (has_others && !tree_get(annotations, key))
        CHECK(is_same_text(&removed, &f->w.out));
}

static void test_edits_leave_the_rest_of_generated_yaml(void **state)
{
    (void)state;
    struct tally images = {0}, annotations = {0};
    for (uint64_t seed = 1; seed <= FILES; seed++) {
        struct world world, *f = &world;
        generate(f, seed);
        struct manifest_file *file =
            manifest_file_new("f.yaml", xmemdupz(f->w.out.buf, f->w.out.len), f->w.out.len, "default");
        CHECK(text_reads_as(&f->w.out, f, &(struct change){.scalar = NULL}));
        CHECK(file->problems_len == 0 && file->resources_len == f->objects_len);
        check_images(f, seed, file, &images);
        manifest_file_unref(file);
        size_t object = pick(&f->w, (unsigned)f->objects_len);
        check_annotation(f, seed, object, "fluxcd.io/locked", "true", &annotations);
        check_annotation(f, seed, object, "b.b/c", ONE_OF(&f->w, texts), &annotations);
        world_release(f);
    }
    /* what is refused is the exception */
    assert_true(images.made > images.tried / 10 * 9);
    assert_true(annotations.made > annotations.tried / 10 * 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits_leave_the_rest_of_generated_yaml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
