#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/release.h"

#define POD(name, image)                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec:\n  containers:\n    - name: main\n"        \
    "      image: " image "\n"

static struct manifest_file *file_of(const char *path, const char *text)
{
    struct manifest_file *file = manifest_file_new(path, xstrdup(text), strlen(text), "default");
    assert_int_equal(file->problems_len, 0);
    return file;
}

/* The decision to give a container another tag, or to hold it (`tag` NULL). */
static struct decision decide(const struct manifest_file *file, size_t resource, size_t container,
                              const char *tag)
{
    const struct container *changed = &file->resources[resource].containers[container];
    return (struct decision){.resource = &file->resources[resource],
                             .container = changed,
                             .kind = tag ? DECISION_UPDATE : DECISION_HELD,
                             .candidate = xstrdup(tag),
                             .target = tag ? image_ref_with_tag(&changed->image, tag) : NULL,
                             .reason = xstrdup(tag ? "it is newer" : "held: locked")};
}

static void release_all(struct decision *decisions, size_t len)
{
    for (size_t i = 0; i < len; i++)
        decision_release(&decisions[i]);
}

static void test_release_edits_files_in_order_of_path_and_text(void **state)
{
    (void)state;
    struct manifest_file *b = file_of("b.yaml", POD("one", "app:1") "---\n" POD("two", "'app:1' # here"));
    struct manifest_file *a = file_of("a.yaml", POD("three", "quay.io/x/web:2"));
    struct decision decisions[] = {decide(b, 1, 0, "1.1"), decide(b, 0, 0, "1.1"), decide(a, 0, 0, "3")};
    struct release *r = release_of_decisions(decisions, ARRAY_LEN(decisions));

    assert_int_equal(r->problems_len, 0);
    assert_int_equal(r->files_len, 2);
    assert_ptr_equal(r->files[0].file, a);
    assert_string_equal(r->files[0].text.buf, POD("three", "quay.io/x/web:3"));
    assert_ptr_equal(r->files[1].file, b);
    assert_string_equal(r->files[1].text.buf, POD("one", "app:1.1") "---\n" POD("two", "'app:1.1' # here"));

    static const struct {
        const char *name, *from, *to;
        int line;
    } changes[] = {{"three", "quay.io/x/web:2", "quay.io/x/web:3", 7},
                   {"one", "app:1", "app:1.1", 7},
                   {"two", "app:1", "app:1.1", 15}};
    assert_int_equal(r->changes_len, ARRAY_LEN(changes));
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_string_equal(r->changes[i].resource->id.name, changes[i].name);
        assert_string_equal(r->changes[i].container->name, "main");
        assert_string_equal(r->changes[i].from, changes[i].from);
        assert_string_equal(r->changes[i].to, changes[i].to);
        assert_string_equal(r->changes[i].reason, "it is newer");
        assert_int_equal(r->changes[i].line, changes[i].line);
    }

    CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
    release_add_diff(&r->files[0], &diff);
    assert_string_equal(diff.buf, "--- a/a.yaml\n+++ b/a.yaml\n@@ -4,4 +4,4 @@\n spec:\n   containers:\n"
                                  "     - name: main\n-      image: quay.io/x/web:2\n+      image: "
                                  "quay.io/x/web:3\n");
    release_free(r);
    release_all(decisions, ARRAY_LEN(decisions));
    manifest_file_unref(a);
    manifest_file_unref(b);
}

static void test_release_without_updates_is_empty(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", POD("one", "app:1"));
    struct decision decisions[] = {decide(file, 0, 0, NULL)};
    struct release *r = release_of_decisions(decisions, 1);
    assert_int_equal(r->changes_len, 0);
    assert_int_equal(r->files_len, 0);
    assert_int_equal(r->problems_len, 0);
    release_free(r);
    release_free(release_of_decisions(NULL, 0));
    release_all(decisions, 1);
    manifest_file_unref(file);
}

static void test_release_passes_over_what_cannot_be_edited(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", POD("one", "\"app\\x3a1\"") "---\n" POD("two", "app:1"));
    struct decision decisions[] = {decide(file, 0, 0, "2"), decide(file, 1, 0, "2")};
    struct release *r = release_of_decisions(decisions, ARRAY_LEN(decisions));
    assert_int_equal(r->changes_len, 1);
    assert_string_equal(r->changes[0].resource->id.name, "two");
    assert_string_equal(r->files[0].text.buf, POD("one", "\"app\\x3a1\"") "---\n" POD("two", "app:2"));
    assert_int_equal(r->problems_len, 1);
    assert_string_equal(r->problems[0].file, "a.yaml");
    assert_string_equal(r->problems[0].workload, "default:pod/one");
    assert_int_equal(r->problems[0].line, 7);
    assert_non_null(strstr(r->problems[0].message, "escapes"));
    release_free(r);
    release_all(decisions, ARRAY_LEN(decisions));
    manifest_file_unref(file);
}

#define SHARED(image)                                                                                        \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec:\n  containers:\n"                               \
    "    - {name: main, image: &image " image "}\n    - {name: side, image: *image}\n"                       \
    "    - {name: other, image: 'other:1'}\n"

static void test_release_changes_a_shared_image_once(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", SHARED("app:1"));
    struct decision decisions[] = {decide(file, 0, 0, "2"), decide(file, 0, 1, "2")};
    struct release *r = release_of_decisions(decisions, ARRAY_LEN(decisions));
    assert_int_equal(r->problems_len, 0);
    assert_int_equal(r->changes_len, 2);
    assert_string_equal(r->files[0].text.buf, SHARED("app:2"));
    AUTO_FREE char *message = release_message(r);
    assert_string_equal(message, "Auto-release app:2");
    release_free(r);
    release_all(decisions, ARRAY_LEN(decisions));
    manifest_file_unref(file);
}

/* The third container, which shares nothing, changes in each case. */
static void test_release_leaves_a_shared_image_that_not_all_agree_on(void **state)
{
    (void)state;
    static const struct {
        const char *main, *side;
        size_t problems;
    } cases[] = {{"2", "3", 2}, {"2", NULL, 1}, {NULL, "2", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest_file *file = file_of("a.yaml", SHARED("app:1"));
        struct decision decisions[] = {decide(file, 0, 0, cases[i].main), decide(file, 0, 1, cases[i].side),
                                       decide(file, 0, 2, "2")};
        struct release *r = release_of_decisions(decisions, ARRAY_LEN(decisions));
        assert_int_equal(r->problems_len, cases[i].problems);
        assert_non_null(strstr(r->problems[0].message, "shared with other containers by an anchor"));
        assert_int_equal(r->changes_len, 1);
        assert_string_equal(r->changes[0].container->name, "other");
        release_free(r);
        release_all(decisions, ARRAY_LEN(decisions));
        manifest_file_unref(file);
    }
}

/* Where an anchor hands the text on to other places, they change with it; the reason says which. */
static void test_release_says_what_an_anchor_changes_too(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *reason; /* from line 5 on; of the first container */
        size_t changes;            /* containers that go to 2, from the first on */
    } cases[] = {
        {"  containers:\n    - name: main\n      image: &i app:1\n      command: [x, *i]\n",
         "it is newer; what is written as *i changes with it: line 8", 1},
        {"  x: &i app:1\n  containers:\n    - name: main\n      image: *i\n",
         "it is newer; the image is shared by an anchor, and changed where it is written: line 5", 1},
        {"  x: &i app:1\n  y: *i\n  containers:\n    - name: main\n      image: *i\n  z: [*i, *i]\n  k: *i\n",
         "it is newer; the image is shared by an anchor, and changed where it is written: line 5; what "
         "is "
         "written as *i changes with it: lines 6, 9 and 3 more",
         1},
        {"  containers:\n    - &base\n      name: main\n      image: app:1\n    - <<: *base\n      name: "
         "side\n",
         "it is newer; what is written as *base changes with it: line 9", 2},
        {"  containers:\n    - name: main\n      image: &i app:1\n---\n"
         "apiVersion: v1\nkind: Pod\nmetadata: {name: &i two}\nspec: {x: *i}\n",
         "it is newer", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text =
            xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec:\n%s", cases[i].spec);
        struct manifest_file *file = file_of("a.yaml", text);
        struct decision decisions[2];
        for (size_t k = 0; k < cases[i].changes; k++)
            decisions[k] = decide(file, 0, k, "2");
        struct release *r = release_of_decisions(decisions, cases[i].changes);
        assert_int_equal(r->problems_len, 0);
        assert_int_equal(r->changes_len, cases[i].changes);
        assert_string_equal(r->changes[0].reason, cases[i].reason);
        release_free(r);
        release_all(decisions, cases[i].changes);
        manifest_file_unref(file);
    }
}

static void test_release_message_is_that_of_flux(void **state)
{
    (void)state;
    static const struct {
        const char *images[4]; /* the new tags of app, web and app again */
        const char *message;
    } cases[] = {
        {{NULL, NULL, NULL}, "Auto-release (no images)\n"},
        {{"2", NULL, NULL}, "Auto-release app:2"},
        {{"2", NULL, "2"}, "Auto-release app:2"},
        {{"2", "5", "2"}, "Auto-release multiple (2) images\n\n - a.b/web:5\n - app:2\n"},
        {{"3", "5", "2"}, "Auto-release multiple (3) images\n\n - a.b/web:5\n - app:2\n - app:3\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest_file *file = file_of(
            "a.yaml", POD("one", "app:1") "---\n" POD("two", "a.b/web") "---\n" POD("three", "app:1"));
        struct decision decisions[3];
        for (size_t k = 0; k < 3; k++)
            decisions[k] = decide(file, k, 0, cases[i].images[k]);
        struct release *r = release_of_decisions(decisions, 3);
        AUTO_FREE char *message = release_message(r);
        assert_string_equal(message, cases[i].message);
        release_free(r);
        release_all(decisions, 3);
        manifest_file_unref(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release_edits_files_in_order_of_path_and_text),
        cmocka_unit_test(test_release_without_updates_is_empty),
        cmocka_unit_test(test_release_passes_over_what_cannot_be_edited),
        cmocka_unit_test(test_release_changes_a_shared_image_once),
        cmocka_unit_test(test_release_leaves_a_shared_image_that_not_all_agree_on),
        cmocka_unit_test(test_release_says_what_an_anchor_changes_too),
        cmocka_unit_test(test_release_message_is_that_of_flux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
