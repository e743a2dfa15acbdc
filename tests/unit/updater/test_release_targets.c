#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release_fixture.h"
#include "updater/release_targets.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What is under test, with all that it needs. */
struct fixture {
    struct manifest_set *set;
    struct release_spec spec;
    struct workload_selection selection;
    struct target_list targets;
    struct result_list results;
    struct release *release;
};

static void fixture_release(struct fixture *f)
{
    release_free(f->release);
    target_list_release(&f->targets);
    workload_selection_release(&f->selection);
    result_list_release(&f->results);
    release_spec_release(&f->spec);
    manifest_set_free(f->set);
}

static void fixture_select(struct fixture *f, const char *manifests)
{
    f->set = set_of(manifests);
    release_select(&f->spec, f->set, &f->selection, &f->results);
    release_unlock(&f->selection);
}

static char *fixture_finish(struct fixture *f)
{
    f->release = target_list_make(&f->targets, &f->results);
    return results_text(&f->results);
}

/* -- all latest -------------------------------------------------------------------------------------------- */

/* What the registry has of every repository; created in the order of the tags. */
struct registry {
    struct repository_info *info; /* NULL: nothing */
    struct error error;
};

static void take_latest(struct fixture *f, const struct registry *registry)
{
    const struct choose_facts facts = {.info = registry->info, .scan_error = &registry->error};
    struct decision decisions[8] = {{.reason = NULL}};
    size_t len = 0;
    for (size_t i = 0; i < f->selection.len; i++) {
        for (size_t k = 0; k < f->selection.items[i]->containers_len; k++) {
            assert_true(len < ARRAY_LEN(decisions));
            choose(f->selection.items[i], k, &facts, &decisions[len++]);
        }
    }
    release_latest(&f->selection, decisions, &f->targets, &f->results);
    while (len > 0)
        decision_release(&decisions[--len]);
}

static struct repository_info *info_of(const char *tags)
{
    struct repository_info *info = repository_info_new("r.test/app");
    info->scanned_ms = 1767323045000;
    AUTO_FREE char *copy = xstrdup(tags);
    char *rest = copy, *word;
    int64_t created_ms = 1000;
    while ((word = strsep(&rest, " ")) && *word) {
        size_t index = repository_info_add(info, word);
        repository_info_edit_details(info, index)->created_ms = created_ms++;
    }
    repository_info_finish(info);
    return info;
}

static void test_release_latest_takes_what_the_policy_takes(void **state UNUSED)
{
    static const struct {
        const char *image, *policy, *tags, *error, *expected; /* "!": starts with */
    } cases[] = {
        {"r.test/app:1.0", "semver:*", "1.0 1.1 2.0", NULL, "success app r.test/app:1.0 -> r.test/app:2.0"},
        {"r.test/app:1.0", "semver:~1", "1.0 1.1 2.0", NULL, "success app r.test/app:1.0 -> r.test/app:1.1"},
        {"r.test/app:1.0", "glob:*", "1.0 z a", NULL, "success app r.test/app:1.0 -> r.test/app:a"},
        {"r.test/app:2.0", "semver:*", "1.0 1.1 2.0", NULL, "skipped: image(s) up to date"},
        /* back by version, and back because the current tag is gone: a round would hold both */
        {"r.test/app:2.0", "glob:*", "2.0 1.0", NULL, "success app r.test/app:2.0 -> r.test/app:1.0"},
        {"r.test/app:2.0", "semver:*", "1.0 1.1", NULL, "success app r.test/app:2.0 -> r.test/app:1.1"},
        {"r.test/app:1.0", "glob:v*", "1.0 1.1", NULL,
         "!ignored: does not use image(s): app: none of the 2 tags"},
        {"r.test/app:1.0", "semver:oops", "1.0 1.1", NULL,
         "!skipped: cannot find one or more images: app: blocked: policy semver:oops"},
        {"r.test/app:1.0", "semver:*", NULL, "it is down",
         "skipped: cannot find one or more images: app: blocked: no tags are known: it is down"},
        {"r.test/app:1.0", "semver:*", "1.0 1.1", "it is down",
         "!skipped: cannot find one or more images: app: held: the registry's last answer"},
        {"r.test/app:1.0@" DIGEST_A, "semver:*", "1.0 1.1", NULL, "skipped: app: held: pinned to " DIGEST_A},
        /* what forbids a step forward forbids one back */
        {"r.test/app:2.0", "semver:*", "1.0 1.1", "it is down",
         "!skipped: cannot find one or more images: app: held: the registry's last answer"},
        {"r.test/app:2.0@" DIGEST_A, "semver:*", "1.0 1.1", NULL, "skipped: app: held: pinned to " DIGEST_A},
        {"BAD", "semver:*", "1.0 1.1", NULL, "!skipped: cannot find one or more images: app: blocked: "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f = {.spec = RELEASE_SPEC_INIT};
        AUTO_FREE char *text =
            xasprintf(POD("d", "p", "%s", NOTE("fluxcd.io/tag.app", "%s")), cases[i].policy, cases[i].image);
        fixture_select(&f, text);
        struct registry registry = {.info = cases[i].tags ? info_of(cases[i].tags) : NULL};
        if (cases[i].error)
            error_set(&registry.error, ERROR_NETWORK, "%s", cases[i].error);
        take_latest(&f, &registry);
        AUTO_FREE char *got = fixture_finish(&f);
        bool is_start = cases[i].expected[0] == '!';
        AUTO_FREE char *expected =
            xasprintf("d:pod/p %s%s", cases[i].expected + is_start, is_start ? "" : "\n");
        if (is_start ? !str_starts_with(got, expected) : strcmp(got, expected) != 0)
            fail_msg("%zu: %s\nexpected %s", i, got, expected);
        repository_info_unref(registry.info);
    }
}

static void test_release_latest_gives_the_reason_that_tells_most(void **state UNUSED)
{
    static const struct {
        const char *app, *side, *expected;
    } cases[] = {
        {"r.test/app:1.0", "r.test/app:1.1", "success app r.test/app:1.0 -> r.test/app:1.1"},
        {"r.test/app:1.1", "r.test/app:1.1", "skipped: image(s) up to date"},
        {"BAD", "r.test/app:1.1", "skipped: cannot find one or more images: app: "},
        {"r.test/app:1.1", "BAD", "skipped: cannot find one or more images: side: "},
        {"BAD", "r.test/app:1.0", "success side r.test/app:1.0 -> r.test/app:1.1"},
        {"r.test/app:1.1", "r.test/app:1.1@" DIGEST_A, "skipped: image(s) up to date"},
        {"r.test/app:1.0@" DIGEST_A, "BAD", "skipped: app: held: pinned"},
    };
    struct registry registry = {.info = info_of("1.0 1.1")};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f = {.spec = RELEASE_SPEC_INIT};
        AUTO_FREE char *text =
            xasprintf(POD_WITH_SIDE("d", "p", "%s", "%s", ""), cases[i].app, cases[i].side);
        fixture_select(&f, text);
        take_latest(&f, &registry);
        AUTO_FREE char *got = fixture_finish(&f);
        AUTO_FREE char *expected = xasprintf("d:pod/p %s", cases[i].expected);
        if (!str_starts_with(got, expected))
            fail_msg("%s\nexpected %s", got, expected);
    }
    repository_info_unref(registry.info);
}

/* -- one image --------------------------------------------------------------------------------------------- */

static void test_release_image_goes_where_the_policy_lets_it(void **state UNUSED)
{
    static const struct {
        const char *image, *policy, *wanted;
        bool force;
        const char *expected;
    } cases[] = {
        {"r.test/app:1.0", "glob:*", "r.test/app:0.9", false, "success app r.test/app:1.0 -> r.test/app:0.9"},
        {"r.test/app", "glob:*", "r.test/app:0.9", false, "success app r.test/app -> r.test/app:0.9"},
        {"app:1", "glob:*", "docker.io/library/app:2", false, "success app app:1 -> app:2"},
        {"r.test/app:1.0", "glob:*", "r.test/app:1.0", false, "skipped: image(s) up to date"},
        {"r.test/app", "glob:latest", "r.test/app:latest", false, "skipped: image(s) up to date"},
        {"r.test/app:1.0", "glob:1.*", "r.test/app:2.0", false,
         "skipped: cannot find one or more images: app: 2.0 does not match glob:1.*; --force takes it all "
         "the "
         "same"},
        {"r.test/app:1.0", "glob:1.*", "r.test/app:2.0", true,
         "success app r.test/app:1.0 -> r.test/app:2.0"},
        {"r.test/app:1.0", "semver:oops", "r.test/app:2.0", true,
         "success app r.test/app:1.0 -> r.test/app:2.0"},
        {"r.test/app:1.0@" DIGEST_A, "glob:*", "r.test/app:2.0", false,
         "success app r.test/app:1.0@" DIGEST_A " -> r.test/app:2.0@" DIGEST_B},
        {"r.test/app:1.0@" DIGEST_B, "glob:*", "r.test/app:1.0", false, "skipped: image(s) up to date"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f = {.spec = RELEASE_SPEC_INIT};
        f.spec.force = cases[i].force;
        assert_int_equal(release_spec_set_image(&f.spec, cases[i].wanted, NULL), 0);
        AUTO_FREE char *text =
            xasprintf(POD_WITH_SIDE("d", "p", "%s", "else.test/x:1", NOTE("fluxcd.io/tag.app", "%s")),
                      cases[i].policy, cases[i].image);
        fixture_select(&f, text);
        release_image(&f.spec, &f.selection, DIGEST_B, &f.targets, &f.results);
        AUTO_FREE char *got = fixture_finish(&f);
        AUTO_FREE char *expected = xasprintf("d:pod/p %s\n", cases[i].expected);
        assert_string_equal(got, expected);
    }
}

/* -- containers -------------------------------------------------------------------------------------------- */

static void test_release_containers_fails_as_a_whole(void **state UNUSED)
{
    static const struct {
        const char *specs; /* "CONTAINER CURRENT TARGET", "-": any; with ";" between */
        const char *expected;
    } cases[] = {
        {"app - a:2", "success app a:1 -> a:2"},
        {"app a:1 a:2;side - z.test/b:7", "success app a:1 -> a:2 side b:1 -> z.test/b:7"},
        {"app - a:1", "skipped: image(s) up to date"},
        {"app - a:1;side - b:2", "success side b:1 -> b:2"},
        {"x - a:2;app - a:2;y - a:2", "failed: container(s) not found: x, y"},
        {"app a:0 a:2;side b:0 b:2", "failed: container(s) tag mismatch: app, side"},
        {"app a:0 a:2;x - b:2", "failed: container(s) not found: x"},
        {"app - a:2;side b:0 b:2", "failed: container(s) tag mismatch: side"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(fixture_release) struct fixture f = {.spec = RELEASE_SPEC_INIT};
        AUTO_FREE char *copy = xstrdup(cases[i].specs);
        char *rest = copy, *each;
        strvec_push(&f.spec.workloads, "d:pod/p");
        while ((each = strsep(&rest, ";"))) {
            const char *name = strsep(&each, " "), *current = strsep(&each, " ");
            assert_int_equal(release_spec_add_container(&f.spec, "d:pod/p", name,
                                                        strcmp(current, "-") != 0 ? current : NULL, each,
                                                        NULL),
                             0);
        }
        fixture_select(&f, POD_WITH_SIDE("d", "p", "a:1", "b:1", ""));
        release_containers(&f.spec, &f.selection, &f.targets, &f.results);
        AUTO_FREE char *got = fixture_finish(&f);
        AUTO_FREE char *expected = xasprintf("d:pod/p %s\n", cases[i].expected);
        assert_string_equal(got, expected);
        assert_int_equal(f.release->files_len > 0, str_starts_with(cases[i].expected, "success"));
    }
}

static void test_release_spec_takes_a_container_once(void **state UNUSED)
{
    CLEANUP(release_spec_release) struct release_spec spec = RELEASE_SPEC_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(release_spec_add_container(&spec, "d:pod/p", "app", NULL, "a:2", NULL), 0);
    assert_int_equal(release_spec_add_container(&spec, "d:pod/q", "app", NULL, "a:2", NULL), 0);
    assert_int_equal(release_spec_add_container(&spec, "d:pod/p", "app", NULL, "a:3", &err), -1);
    assert_string_equal(err.text, "two images are given for the container app of d:pod/p");
    assert_int_equal(release_spec_add_container(&spec, "d:pod/p", "side", NULL, "a", &err), -1);
    assert_non_null(strstr(err.text, "blank tag"));
}

/* -- what cannot be written -------------------------------------------------------------------------------- */

static void test_a_workload_that_cannot_be_written_fails_and_the_rest_goes_on(void **state UNUSED)
{
    /* "bad" shares its image with "other", which is not to change; its sidecar alone could be. */
    static const char manifests[] =
        POD("d", "good", "r.test/app:1.0",
            "") "---\n"
                "apiVersion: v1\nkind: List\nitems:\n"
                "  - {apiVersion: v1, kind: Pod, metadata: {name: bad, namespace: d}, spec: {containers: "
                "[{name: side, image: 'r.test/app:1.0'}, {name: app, image: &i 'r.test/app:1.0'}]}}\n"
                "  - {apiVersion: v1, kind: Pod, metadata: {name: other, namespace: d}, spec: {containers: "
                "[{name: app, image: *i}]}}\n";
    CLEANUP(fixture_release) struct fixture f = {.spec = RELEASE_SPEC_INIT};
    strvec_push(&f.spec.excludes, "d:pod/other");
    assert_int_equal(release_spec_set_image(&f.spec, "r.test/app:2.0", NULL), 0);
    fixture_select(&f, manifests);
    release_image(&f.spec, &f.selection, NULL, &f.targets, &f.results);
    AUTO_FREE char *got = fixture_finish(&f);
    assert_true(str_starts_with(got, "d:pod/bad failed: a.yaml:"));
    assert_non_null(strstr(got, "is shared with other containers"));
    assert_non_null(strstr(got, "\nd:pod/good success app r.test/app:1.0 -> r.test/app:2.0\n"));
    assert_non_null(strstr(got, "\nd:pod/other ignored: excluded\n"));
    assert_int_equal(f.release->changes_len, 1);
    assert_non_null(strstr(f.release->files[0].text.buf, "{name: side, image: 'r.test/app:1.0'}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release_latest_takes_what_the_policy_takes),
        cmocka_unit_test(test_release_latest_gives_the_reason_that_tells_most),
        cmocka_unit_test(test_release_image_goes_where_the_policy_lets_it),
        cmocka_unit_test(test_release_containers_fails_as_a_whole),
        cmocka_unit_test(test_release_spec_takes_a_container_once),
        cmocka_unit_test(test_a_workload_that_cannot_be_written_fails_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
