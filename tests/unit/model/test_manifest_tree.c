#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/manifest_tree.h"

static struct manifest_file *file_of(const char *path, const char *text)
{
    return manifest_file_new(path, xstrdup(text), strlen(text), "default");
}

#define POD(name, image)                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: {containers: [{name: c, image: " image     \
    "}]}\n"

static void test_manifest_tree_gives_the_object_of_each_resource(void **state)
{
    (void)state;
    struct manifest_file *files[] = {
        file_of("a.yaml", POD("a", "&i a:1") "---\n# nothing\n---\n" POD("b", "b:1")),
        file_of("b.yaml", "apiVersion: v1\nkind: List\nitems:\n- &o {apiVersion: v1, kind: Pod, metadata: "
                          "{name: x}}\n- {apiVersion: v1, kind: Pod, metadata: {name: y}}\n"),
    };
    CLEANUP(manifest_tree_release) struct manifest_tree tree = {.file = NULL};
    for (size_t i = 0; i < 2 * ARRAY_LEN(files); i++) {
        const struct manifest_file *file = files[i % 2];
        assert_int_equal(file->resources_len, 2);
        for (size_t k = 0; k < file->resources_len; k++) {
            const struct yaml_node *object = manifest_tree_object(&tree, &file->resources[k]);
            const char *name = yaml_text(yaml_path(object, "metadata", "name", NULL));
            assert_non_null(name);
            assert_string_equal(name, file->resources[k].id.name);
        }
    }
    manifest_tree_release(&tree);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        manifest_file_unref(files[i]);
}

static void test_manifest_file_keeps_nodes_without_what_is_in_them(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", POD("a", "!!str &i 'a:1'"));
    struct error err = ERROR_INIT;
    CLEANUP(yaml_release) struct yaml_stream *yaml = manifest_tree_read(file, &err);
    const struct resource *resource = &file->resources[0];
    const struct yaml_node *kept = resource->containers[0].image_node;
    const struct yaml_node *read = yaml_find(yaml, kept->number);
    assert_null(file->yaml);
    assert_null(resource->node->items);
    assert_int_equal(resource->node->len, 0);
    assert_true(kept != read);
    assert_int_equal(kept->start, read->start);
    assert_int_equal(kept->end, read->end);
    assert_int_equal(kept->style, read->style);
    assert_string_equal(kept->value, "a:1");
    assert_string_equal(kept->anchor, "i");
    assert_string_equal(kept->tag, read->tag);
    manifest_file_unref(file);
}

/* Or a file of eight MiB could keep a hundred thousand times half of itself. */
static void test_manifest_file_keeps_what_is_shared_once(void **state)
{
    (void)state;
    struct manifest_file *file = file_of(
        "a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {k: &x a:1, l: *x}\n"
                  "spec: {containers: [{name: c, image: *x}, {name: d, image: *x}]}\n");
    const struct resource *resource = &file->resources[0];
    assert_string_equal(resource->annotations[0].value, "a:1");
    assert_ptr_equal(resource->annotations[0].value, resource->annotations[1].value);
    assert_ptr_equal(resource->containers[0].image_node, resource->containers[1].image_node);
    assert_ptr_equal(resource->containers[0].image_node->value, resource->annotations[0].value);
    manifest_file_unref(file);
}

static void test_manifest_file_that_is_unreadable_has_no_tree(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", "\xff\xfe");
    struct error err = ERROR_INIT;
    assert_int_equal(file->documents_len, 0);
    assert_null(manifest_tree_read(file, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    manifest_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_tree_gives_the_object_of_each_resource),
        cmocka_unit_test(test_manifest_file_keeps_nodes_without_what_is_in_them),
        cmocka_unit_test(test_manifest_file_keeps_what_is_shared_once),
        cmocka_unit_test(test_manifest_file_that_is_unreadable_has_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
