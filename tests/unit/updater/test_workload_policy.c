#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/workload_policy.h"

/* A Deployment with the containers app and sidecar and an init container setup; `annotations` are lines. The
 * first of them is line 6. */
static struct manifest_file *deployment(const char *annotations)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n  annotations:\n");
    strbuf_addstr(&text, *annotations ? annotations : "    a: b\n");
    strbuf_addstr(&text, "spec:\n  template:\n    spec:\n      containers:\n"
                         "        - {name: app, image: 'app:1'}\n"
                         "        - {name: sidecar, image: 'sidecar:1'}\n"
                         "      initContainers:\n"
                         "        - {name: setup, image: 'setup:1'}\n");
    size_t len;
    char *owned = strbuf_detach(&text, &len);
    struct manifest_file *file = manifest_file_new("app.yaml", owned, len, "default");
    assert_int_equal(file->problems_len, 0);
    assert_int_equal(file->resources_len, 1);
    return file;
}

struct expected {
    bool automated, locked, ignored;
    const char *user, *message;
    const char *policies[3]; /* of app, sidecar, setup; NULL: glob:* */
    const char *blocked, *warning;
    int warning_line;
};

static void assert_text(const char *is, const char *should_be, const char *annotations)
{
    if (strcmp(is ? is : "(none)", should_be ? should_be : "(none)") != 0)
        fail_msg("%sis %s\ninstead of %s", annotations, is ? is : "(none)", should_be ? should_be : "(none)");
}

static void assert_policy(const char *annotations, const struct expected *e)
{
    struct manifest_file *file = deployment(annotations);
    struct workload_policy *p = workload_policy_new(&file->resources[0]);
    assert_ptr_equal(p->resource, &file->resources[0]);
    if (p->automated != e->automated || p->locked != e->locked || p->ignored != e->ignored)
        fail_msg("%sis automated %d, locked %d, ignored %d", annotations, p->automated, p->locked,
                 p->ignored);
    assert_int_equal(resource_is_ignored(&file->resources[0]), e->ignored);
    assert_text(p->locked_user, e->user, annotations);
    assert_text(p->locked_message, e->message, annotations);
    assert_text(p->blocked, e->blocked, annotations);
    assert_text(p->warning, e->warning, annotations);
    assert_int_equal(p->warning_line, e->warning_line);
    assert_int_equal(p->containers_len, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct container_policy *c = &p->containers[i];
        assert_ptr_equal(c->container, &file->resources[0].containers[i]);
        assert_text(c->policy ? tag_policy_text(c->policy) : c->problem,
                    e->policies[i] ? e->policies[i] : "glob:*", annotations);
    }
    workload_policy_free(p);
    manifest_file_unref(file);
}

static void test_workload_policy_reads_annotations(void **state)
{
    (void)state;
    static const struct {
        const char *annotations;
        struct expected expected;
    } cases[] = {
        {"", {.automated = false}},
        {"    fluxcd.io/automated: 'true'\n", {.automated = true}},
        {"    fluxcd.io/automated: true\n", {.automated = true}},
        {"    flux.weave.works/automated: \"true\"\n", {.automated = true}},
        {"    pawl.dev/automated: \"true\"\n", {.automated = true}},
        {"    fluxcd.io/automated: 'false'\n", {.automated = false}},
        {"    fluxcd.io/automated: ''\n", {.automated = false}},
        {"    fluxcd.io/locked: 'true'\n    fluxcd.io/locked_user: jane <j@example.org>\n"
         "    fluxcd.io/locked_msg: 'release: freeze'\n",
         {.locked = true, .user = "jane <j@example.org>", .message = "release: freeze"}},
        {"    flux.weave.works/locked: 'true'\n    fluxcd.io/locked_msg: ''\n", {.locked = true}},
        {"    fluxcd.io/ignore: 'true'\n", {.ignored = true}},
        {"    fluxcd.io/ignore: sync_only\n", {.ignored = false}},
        {"    pawl.dev/ignore: 'true'\n", {.ignored = true}},
        {"    fluxcd.io/tag.app: semver:~1\n    filter.fluxcd.io/sidecar: glob:v*\n"
         "    flux.weave.works/tag.setup: regex:^x\n",
         {.policies = {"semver:~1", "glob:v*", "regexp:^x"}}},
        {"    pawl.dev/tag.app: '1.*'\n", {.policies = {"glob:1.*"}}},
        {"    filter.fluxcd.io/app: semver:foo\n",
         {.policies = {"policy semver:foo: expected a version such as 1.2.3, 1.2 or 1.x at \"foo\""}}},
        /* what Flux writes for itself, and others */
        {"    fluxcd.io/sync-checksum: abc\n    fluxcd.io/helmrelease: x\n    example.org/locked: 'true'\n"
         "    automated: 'true'\n    notpawl.dev/order: x\n",
         {.automated = false}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_policy(cases[i].annotations, &cases[i].expected);
}

static void test_workload_policy_knows_which_prefix_counts(void **state)
{
    (void)state;
    static const struct {
        const char *annotations;
        struct expected expected;
    } cases[] = {
        {"    flux.weave.works/locked: 'true'\n    fluxcd.io/locked: 'false'\n",
         {.warning = "fluxcd.io/locked and flux.weave.works/locked disagree, and fluxcd.io/locked counts",
          .warning_line = 6}},
        {"    fluxcd.io/automated: 'false'\n    pawl.dev/automated: 'true'\n",
         {.automated = true,
          .warning = "pawl.dev/automated and fluxcd.io/automated disagree, and pawl.dev/automated counts",
          .warning_line = 6}},
        {"    fluxcd.io/automated: 'true'\n    pawl.dev/automated: 'true'\n", {.automated = true}},
        {"    fluxcd.io/ignore: 'true'\n    pawl.dev/ignore: 'false'\n",
         {.warning = "pawl.dev/ignore and fluxcd.io/ignore disagree, and pawl.dev/ignore counts",
          .warning_line = 6}},
        {"    flux.weave.works/tag.app: d\n    filter.fluxcd.io/app: c\n    fluxcd.io/tag.app: b\n"
         "    pawl.dev/tag.app: a\n",
         {.policies = {"glob:a"},
          .warning =
              "filter.fluxcd.io/app and flux.weave.works/tag.app disagree, and filter.fluxcd.io/app counts; "
              "fluxcd.io/tag.app and filter.fluxcd.io/app disagree, and fluxcd.io/tag.app counts; "
              "pawl.dev/tag.app and fluxcd.io/tag.app disagree, and pawl.dev/tag.app counts",
          .warning_line = 6}},
        /* the filter prefix names containers, even one that is called as a policy is */
        {"    filter.fluxcd.io/automated: 'true'\n",
         {.automated = false,
          .warning =
              "filter.fluxcd.io/automated is for a container that is not there; there are: app, sidecar, "
              "setup",
          .warning_line = 6}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_policy(cases[i].annotations, &cases[i].expected);
}

static void test_workload_policy_warns_of_slips(void **state)
{
    (void)state;
    static const struct {
        const char *annotations;
        struct expected expected;
    } cases[] = {
        {"    a: b\n    fluxcd.io/tag.ap: semver:~1\n",
         {.warning = "fluxcd.io/tag.ap is for a container that is not there; there are: app, sidecar, setup",
          .warning_line = 7}},
        {"    fluxcd.io/locked: 'True'\n",
         {.warning = "fluxcd.io/locked is \"True\", and counts only if it is \"true\"", .warning_line = 6}},
        {"    fluxcd.io/automated: yes\n",
         {.warning = "fluxcd.io/automated is \"yes\", and counts only if it is \"true\"", .warning_line = 6}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_policy(cases[i].annotations, &cases[i].expected);
}

static void test_workload_policy_blocks_on_keys_it_cannot_honour(void **state)
{
    (void)state;
    static const struct {
        const char *key, *blocked;
    } cases[] = {
        {"pawl.dev/ordre.app", "there is no pawl.dev/ordre.app; did you mean pawl.dev/order.app?"},
        {"pawl.dev/extracts", "there is no pawl.dev/extracts; did you mean pawl.dev/extract?"},
        {"pawl.dev/lokced", "there is no pawl.dev/lokced; did you mean pawl.dev/locked?"},
        {"pawl.dev/tags.app", "there is no pawl.dev/tags.app; did you mean pawl.dev/tag.app?"},
        {"pawl.dev/automated.app", "there is no pawl.dev/automated.app; did you mean pawl.dev/automated?"},
        {"pawl.dev/min-agee.app", "there is no pawl.dev/min-agee.app; did you mean pawl.dev/min-age.app?"},
        {"pawl.dev/window.app", "there is no pawl.dev/window.app; did you mean pawl.dev/window?"},
        {"pawl.dev/locked-until.app",
         "there is no pawl.dev/locked-until.app; did you mean pawl.dev/locked-until?"},
        {"pawl.dev/something", "there is no pawl.dev/something"},
        {"pawl.dev/", "there is no pawl.dev/"},
        {"pawl.dev/tag", "pawl.dev/tag needs the name of a container: pawl.dev/tag.CONTAINER"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *annotations =
            xasprintf("    fluxcd.io/automated: 'true'\n    %s: 'x'\n", cases[i].key);
        assert_policy(annotations, &(struct expected){.automated = true, .blocked = cases[i].blocked});
    }
}

static void test_workload_policy_says_where(void **state)
{
    (void)state;
    struct manifest_file *file =
        deployment("    a: b\n    fluxcd.io/tag.sidecar: semver:~1\n    pawl.dev/lokced: alpha\n");
    struct workload_policy *p = workload_policy_new(&file->resources[0]);
    assert_int_equal(p->containers[0].line, 1);
    assert_int_equal(p->containers[1].line, 7);
    assert_int_equal(p->blocked_line, 8);
    workload_policy_free(p);
    manifest_file_unref(file);
}

static void test_workload_policy_reads_order_and_extract(void **state)
{
    (void)state;
    static const struct {
        const char *annotations;
        const char *order, *extract; /* of app; order NULL: blocked */
        const char *problem, *warning;
        int line;
    } cases[] = {
        {"    pawl.dev/order: alpha\n", "alpha", "", NULL, NULL, 1},
        {"    pawl.dev/order.app: semver:desc\n    pawl.dev/order: alpha\n", "semver:desc", "", NULL, NULL,
         1},
        {"    pawl.dev/order.sidecar: semver\n", "newest", "", NULL, NULL, 1},
        {"    pawl.dev/tag.app: regexp:^b-(\\d+)$\n    pawl.dev/order.app: numeric\n"
         "    pawl.dev/extract.app: $1\n",
         "numeric", "$1", NULL, NULL, 6},
        {"    fluxcd.io/tag.app: regexp:^b-(\\d+)$\n    pawl.dev/extract.app: $1\n", "newest", "$1", NULL,
         "pawl.dev/extract.app does not order anything while the order is newest; there are semver, numeric "
         "and alpha",
         6},
        /* these are pawl's alone */
        {"    fluxcd.io/order: alpha\n    flux.weave.works/extract.app: $1\n", "newest", "", NULL, NULL, 1},

        {"    a: b\n    pawl.dev/order.app: numerc\n", NULL, NULL,
         "pawl.dev/order.app: there is no order \"numerc\"; did you mean numeric?", NULL, 7},
        {"    a: b\n    pawl.dev/order: numeric:up\n", NULL, NULL,
         "pawl.dev/order: there is no order \"numeric:up\"; only \":desc\" can follow numeric", NULL, 7},
        {"    fluxcd.io/tag.app: glob:*\n    pawl.dev/extract.app: $1\n", NULL, NULL,
         "pawl.dev/extract.app: there is nothing to extract with glob:*: only the groups of a regexp: can be "
         "extracted",
         NULL, 7},
        {"    fluxcd.io/tag.app: regexp:a\n    pawl.dev/extract.app: $1\n", NULL, NULL,
         "pawl.dev/extract.app: $1: the pattern has no group \"1\"", NULL, 7},
        /* the policy is what is wrong, and its line is told */
        {"    fluxcd.io/tag.app: regexp:(\n    pawl.dev/order.app: x\n", NULL, NULL,
         "policy regexp:(: missing closing parenthesis at offset 1", NULL, 6},
        {"    pawl.dev/order.ap: alpha\n", "newest", "", NULL,
         "pawl.dev/order.ap is for a container that is not there; there are: app, sidecar, setup", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest_file *file = deployment(cases[i].annotations);
        struct workload_policy *p = workload_policy_new(&file->resources[0]);
        const struct container_policy *app = &p->containers[0];
        assert_null(p->blocked);
        assert_text(p->warning, cases[i].warning, cases[i].annotations);
        assert_text(app->policy ? tag_policy_order(app->policy) : NULL, cases[i].order, cases[i].annotations);
        const char *extract = app->policy ? tag_policy_extract(app->policy) : NULL;
        assert_text(extract ? extract : "", cases[i].extract ? cases[i].extract : "", cases[i].annotations);
        assert_text(app->problem, cases[i].problem, cases[i].annotations);
        assert_int_equal(app->line, cases[i].line);
        workload_policy_free(p);
        manifest_file_unref(file);
    }
}

static struct workload_policy *policy_of(struct manifest_file *file)
{
    return workload_policy_new(&file->resources[0]);
}

static void test_workload_policy_reads_our_own_settings(void **state)
{
    (void)state;
    struct manifest_file *file = deployment(
        "    pawl.dev/min-age: 2d\n    pawl.dev/min-age.sidecar: 30m\n"
        "    pawl.dev/digest.app: pin\n    pawl.dev/digest.sidecar: follow\n"
        "    pawl.dev/platforms: linux/amd64, linux/arm64/v8\n"
        "    pawl.dev/allow-downgrade.setup: 'true'\n    fluxcd.io/tag.setup: semver:1\n"
        "    pawl.dev/window: Mon-Fri 09:00-16:00\n    pawl.dev/locked-until: 2026-01-31T17:00:00Z\n");
    struct workload_policy *p = policy_of(file);
    assert_null(p->blocked);
    assert_null(p->warning);
    const struct container_policy *app = &p->containers[0], *sidecar = &p->containers[1],
                                  *setup = &p->containers[2];
    assert_int_equal(app->min_age_ms, INT64_C(2) * 86400000);
    assert_int_equal(sidecar->min_age_ms, 1800000);
    assert_int_equal(app->digest, DIGEST_PIN);
    assert_int_equal(sidecar->digest, DIGEST_FOLLOW);
    assert_int_equal(setup->digest, DIGEST_NEVER);
    assert_int_equal(app->platforms.len, 2);
    assert_string_equal(app->platforms.items[1], "linux/arm64/v8");
    assert_true(!app->allows_downgrade && setup->allows_downgrade);
    assert_true(!app->has_tag_policy && setup->has_tag_policy);
    assert_string_equal(p->window_text, "Mon-Fri 09:00-16:00");
    assert_non_null(p->window);
    workload_policy_free(p);
    manifest_file_unref(file);
}

static void test_workload_policy_ends_a_lock(void **state)
{
    (void)state;
    const int64_t end_ms = 1769878800000;
    static const struct {
        const char *annotations;
        bool before, after; /* whether it is locked */
    } cases[] = {
        {"    fluxcd.io/locked: 'true'\n    pawl.dev/locked-until: 2026-01-31T17:00:00Z\n", true, false},
        {"    pawl.dev/locked-until: 2026-01-31T18:00:00+01:00\n", true, false},
        {"    fluxcd.io/locked: 'false'\n    pawl.dev/locked-until: 2026-01-31T17:00:00Z\n", false, false},
        {"    fluxcd.io/locked: 'true'\n", true, true},
        {"    fluxcd.io/locked_msg: x\n", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest_file *file = deployment(cases[i].annotations);
        struct workload_policy *p = policy_of(file);
        if (workload_policy_is_locked(p, end_ms - 1) != cases[i].before ||
            workload_policy_is_locked(p, end_ms) != cases[i].after)
            fail_msg("%s", cases[i].annotations);
        workload_policy_free(p);
        manifest_file_unref(file);
    }
}

/* What is for one container blocks that one, on its line; what is for all, all; what is for the workload, the workload. */
static void test_workload_policy_blocks_on_values_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *annotation, *reason;
        bool is_of_workload, is_of_all;
    } cases[] = {
        {"pawl.dev/min-age.app: 'soon'",
         "pawl.dev/min-age.app: \"soon\" is no span of time such as 30m, 12h or 2d", false, false},
        {"pawl.dev/min-age: ''", "pawl.dev/min-age: \"\" is no span of time such as 30m, 12h or 2d", false,
         true},
        {"pawl.dev/min-age: '-1h'", "pawl.dev/min-age: \"-1h\" is no span of time such as 30m, 12h or 2d",
         false, true},
        {"pawl.dev/digest.app: Pin", "pawl.dev/digest.app: \"Pin\" is none of never, pin and follow", false,
         false},
        {"pawl.dev/platforms: amd64", "pawl.dev/platforms: \"amd64\" is no platform such as linux/amd64",
         false, true},
        {"pawl.dev/platforms: ','", "pawl.dev/platforms: no platform is named, such as linux/amd64", false,
         true},
        {"pawl.dev/allow-downgrade.app: 'yes'",
         "pawl.dev/allow-downgrade.app: \"yes\" is neither \"true\" nor \"false\"", false, false},
        {"pawl.dev/locked-until: tomorrow",
         "pawl.dev/locked-until: \"tomorrow\" is no time such as 2026-01-31T17:00:00Z", true, false},
        {"pawl.dev/window: Mon",
         "pawl.dev/window: days without times; a whole day is written Sat 00:00-24:00", true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *annotations = xasprintf("    a: b\n    %s\n", cases[i].annotation);
        struct manifest_file *file = deployment(annotations);
        struct workload_policy *p = policy_of(file);
        assert_text(p->blocked, cases[i].is_of_workload ? cases[i].reason : NULL, annotations);
        assert_int_equal(p->has_bad_value, cases[i].is_of_workload);
        assert_int_equal(p->blocked_line, cases[i].is_of_workload ? 7 : 0);
        for (size_t k = 0; k < 3; k++) {
            bool is_blocked = cases[i].is_of_all || (k == 0 && !cases[i].is_of_workload);
            assert_int_equal(p->containers[k].policy == NULL, is_blocked);
            assert_int_equal(p->containers[k].line, is_blocked ? 7 : 1);
            assert_text(p->containers[k].problem, is_blocked ? cases[i].reason : NULL, annotations);
        }
        workload_policy_free(p);
        manifest_file_unref(file);
    }
}

static void test_workload_policy_warns_of_a_setting_for_nobody(void **state)
{
    (void)state;
    assert_policy("    pawl.dev/min-age.ap: 2d\n",
                  &(struct expected){.warning =
                                         "pawl.dev/min-age.ap is for a container that is not there; there "
                                         "are: app, sidecar, setup",
                                     .warning_line = 6});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workload_policy_reads_annotations),
        cmocka_unit_test(test_workload_policy_knows_which_prefix_counts),
        cmocka_unit_test(test_workload_policy_warns_of_slips),
        cmocka_unit_test(test_workload_policy_blocks_on_keys_it_cannot_honour),
        cmocka_unit_test(test_workload_policy_says_where),
        cmocka_unit_test(test_workload_policy_reads_order_and_extract),
        cmocka_unit_test(test_workload_policy_reads_our_own_settings),
        cmocka_unit_test(test_workload_policy_ends_a_lock),
        cmocka_unit_test(test_workload_policy_blocks_on_values_it_cannot_read),
        cmocka_unit_test(test_workload_policy_warns_of_a_setting_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
