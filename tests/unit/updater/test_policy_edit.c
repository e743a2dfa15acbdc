#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/policy_edit.h"

#define HEAD "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n"

static void release_file(struct manifest_file **file)
{
    manifest_file_unref(*file);
}

/* `annotations` after the change to one policy. */
static void check(const char *annotations, const char *policy, const char *value, const char *after)
{
    AUTO_FREE char *text = xasprintf(HEAD "%s", annotations);
    CLEANUP(release_file)
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default");
    CLEANUP(policy_changes_release) struct policy_changes changes = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    policy_changes_set(&changes, policy, value);
    assert_int_equal(policy_edit(&file->resources[0], &changes, &out, &err), 0);
    AUTO_FREE char *expected = xasprintf(HEAD "%s", after);
    assert_string_equal(out.buf, expected);
}

static void test_policy_new_keys_are_fluxs_or_ours(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *key;
    } cases[] = {{"automated", "fluxcd.io/automated"},
                 {"locked", "fluxcd.io/locked"},
                 {"locked_user", "fluxcd.io/locked_user"},
                 {"locked_msg", "fluxcd.io/locked_msg"},
                 {"ignore", "fluxcd.io/ignore"},
                 {"tag.app", "fluxcd.io/tag.app"},
                 {"locked-until", "pawl.dev/locked-until"},
                 {"min-age.app", "pawl.dev/min-age.app"},
                 {"order", "pawl.dev/order"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *after = xasprintf("    x: y\n    %s: v\n", cases[i].key);
        check("    x: y\n", cases[i].policy, "v", after);
    }
}

static void test_policy_is_changed_where_it_counts(void **state)
{
    (void)state;
    check("    flux.weave.works/tag.app: a\n    filter.fluxcd.io/app: a\n", "tag.app", "b",
          "    flux.weave.works/tag.app: a\n    filter.fluxcd.io/app: b\n");
    check("    fluxcd.io/locked: a\n    pawl.dev/locked: a\n", "locked", "b",
          "    fluxcd.io/locked: a\n    pawl.dev/locked: b\n");
    check("    flux.weave.works/automated: \"false\"\n", "automated", "true",
          "    flux.weave.works/automated: \"true\"\n");
    check("    pawl.dev/min-age: 1h\n", "min-age", "2h", "    pawl.dev/min-age: \"2h\"\n");
    /* a container that is called as a policy is not one */
    check("    filter.fluxcd.io/automated: a\n", "automated", "true",
          "    filter.fluxcd.io/automated: a\n    fluxcd.io/automated: \"true\"\n");
}

static void test_policy_removed_is_removed_under_every_prefix(void **state)
{
    (void)state;
    check("    fluxcd.io/locked: a\n    x: y\n    pawl.dev/locked: a\n    flux.weave.works/locked: a\n",
          "locked", NULL, "    x: y\n");
    check("    filter.fluxcd.io/app: a\n    fluxcd.io/tag.app: a\n    fluxcd.io/tag.web: a\n", "tag.app",
          NULL, "    fluxcd.io/tag.web: a\n");
    check("    x: y\n", "locked", NULL, "    x: y\n");
}

static void test_policy_changes_know_the_last_word(void **state)
{
    (void)state;
    CLEANUP(policy_changes_release) struct policy_changes changes = {.items = NULL};
    policy_changes_set(&changes, "locked-until", NULL);
    policy_changes_set(&changes, "locked", "true");
    policy_changes_set(&changes, "locked-until", "later");
    assert_int_equal(changes.len, 2);
    assert_string_equal(policy_changes_find(&changes, "locked-until")->value, "later");
    assert_null(policy_changes_find(&changes, "ignore"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_new_keys_are_fluxs_or_ours),
        cmocka_unit_test(test_policy_is_changed_where_it_counts),
        cmocka_unit_test(test_policy_removed_is_removed_under_every_prefix),
        cmocka_unit_test(test_policy_changes_know_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
