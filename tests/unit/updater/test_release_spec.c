#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release_fixture.h"
#include "updater/release_spec.h"

#define LOCKED  NOTE("fluxcd.io/locked", "true")
#define IGNORED NOTE("fluxcd.io/ignore", "true")

static void push_words(struct strvec *list, const char *words)
{
    AUTO_FREE char *copy = xstrdup(words);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) && *word)
        strvec_push(list, word);
}

/* Selects and gives "SELECTED ID…\n" and then the results of the others. */
static char *select_text(const char *manifests, const struct release_spec *spec)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = set_of(manifests);
    CLEANUP(workload_selection_release) struct workload_selection selection = {.items = NULL};
    CLEANUP(result_list_release) struct result_list results = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf selected = STRBUF_INIT;
    release_select(spec, set, &selection, &results);
    for (size_t i = 0; i < selection.len; i++) {
        AUTO_FREE char *id = resource_id_text(&selection.items[i]->resource->id);
        strbuf_addf(&selected, " %s", id);
    }
    AUTO_FREE char *rest = results_text(&results);
    return xasprintf("SELECTED%s\n%s", selected.buf, rest);
}

static void test_release_select_takes_the_first_filter_that_fails(void **state UNUSED)
{
    static const struct {
        const char *annotations, *workloads, *excludes, *image;
        bool force;
        const char *expected;
    } cases[] = {
        {"", "", "", NULL, false, "SELECTED d:pod/p\n"},
        {"", "d:pod/p", "", NULL, false, "SELECTED d:pod/p\n"},
        {"", "d:pod/q", "", NULL, false,
         "SELECTED\nd:pod/p ignored: not included\n"
         "d:pod/q skipped: not found in repository; did you mean d:pod/p?\n"},
        {"", "", "d:pod/p", NULL, false, "SELECTED\nd:pod/p ignored: excluded\n"},
        {"", "d:pod/p", "d:pod/p", NULL, false, "SELECTED\nd:pod/p ignored: excluded\n"},
        {"", "", "", "r.test/app:9", false, "SELECTED d:pod/p\n"},
        {"", "", "", "r.test/other:1", false, "SELECTED\nd:pod/p ignored: a different image\n"},
        {LOCKED, "", "", "r.test/other:1", false, "SELECTED\nd:pod/p ignored: a different image\n"},
        {LOCKED, "", "", NULL, false, "SELECTED\nd:pod/p skipped: locked\n"},
        {IGNORED, "", "", NULL, false, "SELECTED\nd:pod/p skipped: ignore\n"},
        {LOCKED IGNORED, "", "", NULL, false, "SELECTED\nd:pod/p skipped: locked\n"},
        {LOCKED, "d:pod/q", "", NULL, false,
         "SELECTED\nd:pod/p ignored: not included\n"
         "d:pod/q skipped: not found in repository; did you mean d:pod/p?\n"},
        /* force breaks the locks of those that are named, and nothing else */
        {LOCKED, "", "", NULL, true, "SELECTED\nd:pod/p skipped: locked\n"},
        {IGNORED, "", "", NULL, true, "SELECTED\nd:pod/p skipped: ignore\n"},
        {LOCKED, "d:pod/p", "", NULL, true, "SELECTED d:pod/p\n"},
        {IGNORED, "d:pod/p", "", NULL, true, "SELECTED d:pod/p\n"},
        {LOCKED, "d:pod/p", "d:pod/p", NULL, true, "SELECTED\nd:pod/p ignored: excluded\n"},
        {LOCKED, "d:pod/p", "", "r.test/other:1", true, "SELECTED\nd:pod/p ignored: a different image\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
        push_words(&spec.workloads, cases[i].workloads);
        push_words(&spec.excludes, cases[i].excludes);
        spec.force = cases[i].force;
        if (cases[i].image)
            assert_int_equal(release_spec_set_image(&spec, cases[i].image, NULL), 0);
        AUTO_FREE char *manifests = xasprintf(POD("d", "p", "r.test/app:1", "%s"), cases[i].annotations);
        AUTO_FREE char *text = select_text(manifests, &spec);
        assert_string_equal(text, cases[i].expected);
    }
}

static void test_release_select_leaves_alone_what_has_a_problem(void **state UNUSED)
{
    CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
    push_words(&spec.workloads, "d:pod/twice d:pod/odd d:service/s d:pod/broken");
    spec.force = true;
    AUTO_FREE char *text = select_text(
        POD("d", "twice", "a:1", "") "---\n" POD("d", "twice", "a:2", "") "---\n" POD(
            "d", "odd", "a:1", NOTE("pawl.dev/frobnicate", "1")) "---\napiVersion: v1\nkind: Service\n"
                                                                 "metadata: {name: s, namespace: d}\n",
        &spec);
    assert_true(str_starts_with(text, "SELECTED\n"));
    assert_non_null(strstr(text, "\nd:pod/twice skipped: a.yaml:1: it is defined more than once\n"));
    assert_non_null(strstr(text, "\nd:pod/odd skipped: a.yaml:"));
    assert_non_null(strstr(text, "pawl.dev/frobnicate"));
    assert_non_null(strstr(text, ": a Service does not have containers\n"));
    assert_non_null(strstr(text, "\nd:pod/broken skipped: not found in repository\n"));
}

static void test_release_spec_refuses_images_that_are_none(void **state UNUSED)
{
    static const struct {
        const char *image, *words;
    } cases[] = {
        {"r.test/app", "blank tag (if you want latest, explicitly state the tag :latest)"},
        {"r.test:5000/app", "blank tag"},
        {"", "image"},
        {"BAD", "image"},
        {"app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
         "leave the digest out"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(release_spec_set_image(&spec, cases[i].image, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].image, err.text);
        assert_int_equal(spec.kind, RELEASE_LATEST);
    }
}

static void test_release_message_is_that_of_flux(void **state UNUSED)
{
    static const struct {
        const char *image, *workloads, *expected;
    } cases[] = {
        {NULL, "", "Release all latest to all"},
        {"r.test/app:2", "", "Release r.test/app:2 to all"},
        {"r.test/app:2", "d:pod/p", "Release r.test/app:2 to d:pod/p"},
        {NULL, "d:pod/p e:pod/q", "Release all latest to d:pod/p, e:pod/q"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
        const struct result_list none = {.items = NULL};
        push_words(&spec.workloads, cases[i].workloads);
        if (cases[i].image)
            assert_int_equal(release_spec_set_image(&spec, cases[i].image, NULL), 0);
        AUTO_FREE char *message = release_spec_message(&spec, &none);
        assert_string_equal(message, cases[i].expected);
    }
}

static void test_release_message_of_containers_lists_what_changed_and_failed(void **state UNUSED)
{
    static const struct {
        size_t failures;
        const char *end;
    } cases[] = {
        {0, ""},
        {1, "\nd:pod/x failed: container(s) not found: x"},
        {2, "\nMultiple workloads failed: d:pod/x, d:pod/y"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
        CLEANUP(result_list_release) struct result_list results = {.items = NULL};
        assert_int_equal(release_spec_add_container(&spec, "d:pod/p", "app", NULL, "a:2", NULL), 0);
        struct workload_result *p = result_add(&results, "d:pod/p", RESULT_SUCCESS, NULL);
        result_add_update(p, "app", "a:1", "a:2");
        result_add_update(p, "side", "b:1", "b:2");
        result_add_update(result_add(&results, "d:pod/q", RESULT_SUCCESS, NULL), "app", "a:1", "a:2");
        result_add(&results, "d:pod/s", RESULT_SKIPPED, xstrdup("locked"));
        for (size_t k = 0; k < cases[i].failures; k++)
            result_add(&results, k ? "d:pod/y" : "d:pod/x", RESULT_FAILED,
                       xstrdup("container(s) not found: x"));
        AUTO_FREE char *message = release_spec_message(&spec, &results);
        AUTO_FREE char *expected =
            xasprintf("Update image refs in d:pod/p, d:pod/q\n\nd:pod/p\n- a:2\n- b:2\n\n"
                      "d:pod/q\n- a:2\n%s",
                      cases[i].end);
        assert_string_equal(message, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release_select_takes_the_first_filter_that_fails),
        cmocka_unit_test(test_release_select_leaves_alone_what_has_a_problem),
        cmocka_unit_test(test_release_spec_refuses_images_that_are_none),
        cmocka_unit_test(test_release_message_is_that_of_flux),
        cmocka_unit_test(test_release_message_of_containers_lists_what_changed_and_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
