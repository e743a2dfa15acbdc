#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release_fixture.h"
#include "updater/promotion.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char *promote(const char *from_text, const char *to_text, bool with_names)
{
    CLEANUP(manifest_set_release) struct manifest_set *from = set_of(from_text);
    CLEANUP(manifest_set_release) struct manifest_set *to = set_of(to_text);
    CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
    CLEANUP(workload_selection_release) struct workload_selection selection = {.items = NULL};
    CLEANUP(target_list_release) struct target_list targets = {.items = NULL};
    CLEANUP(result_list_release) struct result_list results = {.items = NULL};
    release_select(&spec, to, &selection, &results);
    const struct promotion promotion = {
        .from = from, .from_path = "", .to_path = "", .with_names = with_names};
    promotion_targets(&promotion, &selection, &targets, &results);
    release_free(target_list_make(&targets, &results));
    return results_text(&results);
}

static void test_promotion_takes_tag_and_digest(void **state UNUSED)
{
    static const struct {
        const char *from, *to;
        bool with_names;
        const char *expected;
    } cases[] = {
        {"r.test/a:2", "r.test/a:1", false, "success app r.test/a:1 -> r.test/a:2"},
        {"r.test/a:1", "r.test/a:2", false, "success app r.test/a:2 -> r.test/a:1"},
        {"r.test/a:2@" DIGEST, "r.test/a:2", false, "success app r.test/a:2 -> r.test/a:2@" DIGEST},
        {"r.test/a:2", "r.test/a:1@" DIGEST, false, "success app r.test/a:1@" DIGEST " -> r.test/a:2"},
        {"r.test/a@" DIGEST, "r.test/a:1", false, "success app r.test/a:1 -> r.test/a@" DIGEST},
        {"docker.io/library/a:2", "a:1", false, "success app a:1 -> a:2"},
        {"a", "a:1", false, "success app a:1 -> a"},
        {"r.test/a:1", "r.test/a:1", false, "skipped: image(s) up to date"},
        {"docker.io/library/a:1", "a:1", false, "skipped: image(s) up to date"},
        {"a", "a:latest", false, "skipped: image(s) up to date"},
        {"s.test/a:2", "r.test/a:1", false,
         "skipped: app: another repository: s.test/a:2; --with-name takes it over"},
        {"s.test/a:2", "r.test/a:1", true, "success app r.test/a:1 -> s.test/a:2"},
        {"docker.io/library/a:2", "a:1", true, "success app a:1 -> a:2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *from = xasprintf(POD("test", "p", "%s", ""), cases[i].from);
        AUTO_FREE char *to = xasprintf(POD("live", "p", "%s", ""), cases[i].to);
        AUTO_FREE char *got = promote(from, to, cases[i].with_names);
        AUTO_FREE char *expected = xasprintf("live:pod/p %s\n", cases[i].expected);
        assert_string_equal(got, expected);
    }
}

static void test_promotion_pairs_workloads_and_containers_by_name(void **state UNUSED)
{
    static const struct {
        const char *from, *to, *expected;
    } cases[] = {
        /* containers, in whatever order; one that is only here stays */
        {POD_WITH_SIDE("test", "p", "a:2", "b:2", ""), POD("live", "p", "a:1", ""),
         "live:pod/p success app a:1 -> a:2\n"},
        {POD("test", "p", "a:2", ""), POD_WITH_SIDE("live", "p", "a:1", "b:1", ""),
         "live:pod/p success app a:1 -> a:2\n"},
        {POD_WITH_SIDE("test", "p", "a:2", "x.test/b:2", ""), POD_WITH_SIDE("live", "p", "a:1", "b:1", ""),
         "live:pod/p success: side: another repository: x.test/b:2; --with-name takes it over app a:1 -> "
         "a:2\n"},
        {POD_WITH_SIDE("test", "p", "a:1", "x.test/b:2", ""), POD_WITH_SIDE("live", "p", "a:1", "b:1", ""),
         "live:pod/p skipped: side: another repository: x.test/b:2; --with-name takes it over\n"},
        /* workloads */
        {POD("test", "q", "a:2", ""), POD("live", "p", "a:1", ""),
         "live:pod/p ignored: there is none of its kind and name to promote\n"},
        {POD("test", "p", "a:2", "") "---\n" POD("live", "p", "a:3", ""), POD("live", "p", "a:1", ""),
         "live:pod/p success app a:1 -> a:3\n"},
        {POD("test", "p", "a:2", "") "---\n" POD("next", "p", "a:3", ""), POD("live", "p", "a:1", ""),
         "live:pod/p failed: there are 2 of its kind and name to promote, in the namespaces test, next\n"},
        {POD("test", "p", "a:2", ""), POD("live", "p", "a:1", "") "---\n" POD("next", "p", "a:1", ""),
         "live:pod/p success app a:1 -> a:2\nnext:pod/p success app a:1 -> a:2\n"},
        {POD("live", "p", "a:2", "") "---\n" POD("live", "p", "a:3", ""), POD("live", "p", "a:1", ""),
         "live:pod/p failed: a.yaml:13: it is defined more than once\n"},
        {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}\nspec: {template: {spec: {containers: "
         "[{name: app, image: 'a:2'}]}}}\n",
         POD("live", "p", "a:1", ""), "live:pod/p ignored: there is none of its kind and name to promote\n"},
        /* images that cannot be read */
        {POD("test", "p", "BAD", ""), POD("live", "p", "a:1", ""), "live:pod/p skipped: app: "},
        {POD("test", "p", "a:2", ""), POD("live", "p", "a:1", NOTE("fluxcd.io/locked", "true")),
         "live:pod/p skipped: locked\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = promote(cases[i].from, cases[i].to, false);
        if (!str_starts_with(got, cases[i].expected))
            fail_msg("%zu: %s\nexpected %s", i, got, cases[i].expected);
    }
}

static void test_promotion_message_lists_what_changed(void **state UNUSED)
{
    CLEANUP(result_list_release) struct result_list results = {.items = NULL};
    result_add_update(result_add(&results, "live:pod/p", RESULT_SUCCESS, NULL), "app", "a:1", "a:2");
    result_add(&results, "live:pod/q", RESULT_SKIPPED, xstrdup("locked"));
    AUTO_FREE char *message = promotion_message("staging", "production", &results);
    assert_string_equal(message, "Promote staging to production\n\nlive:pod/p\n- a:2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promotion_takes_tag_and_digest),
        cmocka_unit_test(test_promotion_pairs_workloads_and_containers_by_name),
        cmocka_unit_test(test_promotion_message_lists_what_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
