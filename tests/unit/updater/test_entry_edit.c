#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/image_edit.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define OTHER "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* The file after the image of its first container became `image`; or "error: …". */
static char *edit(const char *path, const char *text, const char *image)
{
    struct manifest_file *file = manifest_file_new(path, xstrdup(text), strlen(text), "default");
    assert_int_equal(file->resources_len, 1);
    CLEANUP(splice_list_release) struct splice_list splices = {.items = NULL};
    struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (image_edit(file, &file->resources[0].containers[0], image, &splices, &err) < 0 ||
        edit_apply(file, splices.items, splices.len, &out, &err) < 0)
        strbuf_addf(&out, "error: %s", err.text);
    manifest_file_unref(file);
    return strbuf_detach(&out, NULL);
}

struct edit_case {
    const char *before, *image, *after;
};

static void assert_edited(const char *path, const struct edit_case *cases, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        AUTO_FREE char *got = edit(path, cases[i].before, cases[i].image);
        assert_string_equal(got, cases[i].after);
    }
}

static void test_entry_of_a_kustomization_changes_its_own_fields(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"images:\n- name: app\n  newTag: '1' # x\n", "app:2", "images:\n- name: app\n  newTag: '2' # x\n"},
        {"images:\n- name: app\n  newTag: 1.2.3\n", "app:1.10", "images:\n- name: app\n  newTag: \"1.10\"\n"},
        {"images:\n- newTag: v1\n  name: a\n  newName: q/app\n", "q/app:v2",
         "images:\n- newTag: v2\n  name: a\n  newName: q/app\n"},
        {"images:\n- name: a\n  newName: q/app\n  newTag: v1\n", "r/app:v2",
         "images:\n- name: a\n  newName: r/app\n  newTag: v2\n"},
        {"images:\n- name: app\n  digest: " DIGEST "\n", "app@" DIGEST,
         "images:\n- name: app\n  digest: " DIGEST "\n"},
        /* what is empty is not there */
        {"images:\n- name: app\n  newTag: \"\"\n", "app:1.10", "images:\n- name: app\n  newTag: \"1.10\"\n"},
        {"images:\n- name: app\n  newTag:\n  newName:\n", "app:v2",
         "images:\n- name: app\n  newTag: v2\n  newName:\n"},
        {"images:\n- name: app\n  newTag: null\n  digest: ''\n", "app:v2",
         "images:\n- name: app\n  newTag: v2\n  digest: ''\n"},
        {"images:\n- name: app\n  digest: ~\n", "app@" DIGEST,
         "images:\n- name: app\n  digest: " DIGEST "\n"},
        {"images:\n- name: app\n  newTag:\n- name: b\n", "app:v2@" DIGEST,
         "images:\n- name: app\n  newTag: v2\n  digest: " DIGEST "\n- name: b\n"},
        {"images:\n- name: app\n  newTag: ", "app:v2@" DIGEST,
         "images:\n- name: app\n  newTag: v2\n  digest: " DIGEST},
        {"images: [{name: app, newTag: }]\n", "app:v2@" DIGEST,
         "images: [{name: app, newTag: v2, digest: " DIGEST "}]\n"},
        {"images:\n- {\n  name: app, # c\n\n  newTag: , # d\n }\n", "app:v2@" DIGEST,
         "images:\n- {\n  name: app, # c\n\n  newTag: v2, # d\n  digest: " DIGEST ",\n }\n"},
        {"images:\n- name: app\n  newTag: '1'\n", "other:2",
         "error: line 3, container app: only its tag can be changed here; the name is written elsewhere"},
        {"images:\n- name: app\n  digest: " DIGEST "\n", "app:2",
         "error: line 3, container app: a tag or digest that is written would have to go; remove it by hand"},
    };
    assert_edited("kustomization.yaml", cases, ARRAY_LEN(cases));
}

static void test_entry_gets_a_tag_in_the_style_of_the_file(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"images:\n- name: app\n", "app:v2", "images:\n- name: app\n  newTag: v2\n"},
        {"images:\n  -   name: app   # why\n\n# more\nresources: [a]\n", "app:1.10",
         "images:\n  -   name: app   # why\n      newTag: \"1.10\"\n\n# more\nresources: [a]\n"},
        {"images:\r\n- name: app\r\n- name: b\r\n", "app:v2",
         "images:\r\n- name: app\r\n  newTag: v2\r\n- name: b\r\n"},
        {"images:\n- name: 'app'", "app:v2", "images:\n- name: 'app'\n  newTag: v2"},
        {"images:\n- name: 'app'\n", "app:1.10", "images:\n- name: 'app'\n  newTag: '1.10'\n"},
        {"images: [{name: app}, {name: b}]\n", "app:v2", "images: [{name: app, newTag: v2}, {name: b}]\n"},
        {"images:\n- {\n  name: app # c\n  }\n", "app:v2",
         "images:\n- {\n  name: app, # c\n  newTag: v2\n  }\n"},
        {"images: [{\"name\": \"app\"}]\n", "app:v2", "images: [{\"name\": \"app\", \"newTag\": \"v2\"}]\n"},
        {"images: [\n    {\n        \"name\": \"app\"\n    }\n]\n", "app:v2@" DIGEST,
         "images: [\n    {\n        \"name\": \"app\",\n        \"newTag\": \"v2\",\n        \"digest\": "
         "\"" DIGEST "\"\n    }\n]\n"},
        {"images:\n- name: app # c\n- name: b\n", "app:1.10@" DIGEST,
         "images:\n- name: app # c\n  newTag: \"1.10\"\n  digest: " DIGEST "\n- name: b\n"},
        {"images: [{name: app}]\n", "app:v2@" DIGEST,
         "images: [{name: app, newTag: v2, digest: " DIGEST "}]\n"},
        {"images:\n- name: app\n  newName: |-\n    q/app\n\n- name: b\n", "q/app:v2",
         "images:\n- name: app\n  newName: |-\n    q/app\n\n  newTag: v2\n- name: b\n"},
        {"images:\n- name: app\n  newName: |-\n    q/app", "q/app:v2",
         "error: line 3, container app: newTag has no place here; write one by hand first"},
        {"images:\n- ! name: app\n", "app:v2",
         "error: line 2, container app: newTag has no place here; write one by hand first"},
        {"---\na: 1\n---\nimages:\n- name: app\n---\nb: 2\n", "app:v2",
         "---\na: 1\n---\nimages:\n- name: app\n  newTag: v2\n---\nb: 2\n"},
        {"\xef\xbb\xbfimages:\n- name: app # \xc3\xa4\n", "app:v2",
         "\xef\xbb\xbfimages:\n- name: app # \xc3\xa4\n  newTag: v2\n"},
    };
    assert_edited("kustomization.yaml", cases, ARRAY_LEN(cases));
}

static void test_entry_of_a_marker_is_a_tag_alone(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"t: 1.2.3 # pawl: q/app glob:*\n", "q/app:1.2.4", "t: 1.2.4 # pawl: q/app glob:*\n"},
        {"t: 1.2.3 # pawl: q/app glob:*\n", "q/app:1e3", "t: \"1e3\" # pawl: q/app glob:*\n"},
        {"t: 'a' # pawl: q/app glob:*\n", "q/app:yes", "t: 'yes' # pawl: q/app glob:*\n"},
        {"t: a # pawl: q/app glob:*\n", "q/other:b",
         "error: line 1, container t: only its tag can be changed here; the name is written elsewhere"},
        {"t: a # pawl: q/app glob:*\n", "q/app:b@" DIGEST,
         "error: line 1, container t: there is no place for the tag or digest; write one by hand first"},
        {"t: q/app:1 # pawl: glob:*\n", "q/app:2", "t: q/app:2 # pawl: glob:*\n"},
        {"t: a@" DIGEST " # pawl: q/app glob:*\n", "q/app:b@" OTHER, "t: b@" OTHER " # pawl: q/app glob:*\n"},
        {"t: a@" DIGEST " # pawl: q/app glob:*\n", "q/app:b", "t: b # pawl: q/app glob:*\n"},
        {"t:\n- --image=q/app:1 # pawl: glob:*\n", "r/app:1.10", "t:\n- --image=r/app:1.10 # pawl: glob:*\n"},
        {"t:\n- 'A=1.9' # pawl: q/app glob:*\n", "q/app:1.10", "t:\n- 'A=1.10' # pawl: q/app glob:*\n"},
        {"t:\n- 'it''s=1.9' # pawl: q/app glob:*\n", "q/app:1.10",
         "t:\n- 'it''s=1.10' # pawl: q/app glob:*\n"},
        {"t:\n- \"\\x61=1.9\" # pawl: q/app glob:*\n", "q/app:1.10",
         "t:\n- \"\\x61=1.10\" # pawl: q/app glob:*\n"},
        {"t:\n- a\n\n  b=1.9 # pawl: q/app glob:*\n", "q/app:1.10",
         "t:\n- a\n\n  b=1.10 # pawl: q/app glob:*\n"},
        {"t:\n- \"a=1.\\x39\" # pawl: q/app glob:*\n", "q/app:1.10",
         "error: container t.0: line 2: what is behind the \"=\" is written with escapes or broken lines; "
         "write it in one piece"},
        {"t: --image a:1 # pawl: glob:*\n", "q/app:2",
         "error: line 1, container t: \"--image a:1\" is no image reference: the path must be of lower-case "
         "letters "
         "and digits, joined by single \".\", \"_\", \"__\", \"-\" and \"/\""},
    };
    assert_edited("values.yaml", cases, ARRAY_LEN(cases));
}

static void test_reference_behind_a_name_keeps_the_name(void **state)
{
    (void)state;
#define APPLICATION                                                                                          \
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n"
    static const struct edit_case cases[] = {
        {APPLICATION "    kustomize: {images: [x/web=q/web:1]}\n", "q/web:2",
         APPLICATION "    kustomize: {images: [x/web=q/web:2]}\n"},
        {APPLICATION "    kustomize:\n      images:\n      - 'web=q/web:1' # c\n", "r.io/web@" DIGEST,
         APPLICATION "    kustomize:\n      images:\n      - 'web=r.io/web@" DIGEST "' # c\n"},
        {APPLICATION "    kustomize:\n      images:\n      - >-\n        web=q/web:1\n", "q/web:2",
         APPLICATION "    kustomize:\n      images:\n      - >-\n        web=q/web:2\n"},
        {APPLICATION "    kustomize: {images: [q/web:1]}\n", "q/web:2",
         APPLICATION "    kustomize: {images: [q/web:2]}\n"},
    };
    assert_edited("a.yaml", cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_of_a_kustomization_changes_its_own_fields),
        cmocka_unit_test(test_entry_gets_a_tag_in_the_style_of_the_file),
        cmocka_unit_test(test_entry_of_a_marker_is_a_tag_alone),
        cmocka_unit_test(test_reference_behind_a_name_keeps_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
