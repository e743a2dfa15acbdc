#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release_fixture.h"
#include "updater/release_policies.h"

static void add_file(struct manifest_set *set, const char *path, const char *text)
{
    manifest_set_add(set, manifest_file_new(path, xstrdup(text), strlen(text), "default"));
}

/* "NAME: CONTAINER POLICY, …[ locked]", a line for each policy in its order. */
static char *describe(const char *pod, const char *kustomization)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
    CLEANUP(release_policies_release) struct release_policies policies;
    struct strbuf out = STRBUF_INIT;
    add_file(set, "base/kustomization.yaml", "resources: [pod.yaml]\n");
    add_file(set, "base/pod.yaml", pod);
    add_file(set, "prod/kustomization.yaml", kustomization);
    manifest_set_finish(set);
    release_policies_read(set, &policies);
    for (size_t i = 0; i < policies.len; i++) {
        const struct workload_policy *policy = policies.items[i];
        strbuf_addf(&out, "%s:", policy->resource->id.name);
        for (size_t k = 0; k < policy->containers_len; k++)
            strbuf_addf(&out, " %s %s%s", policy->containers[k].container->name,
                        tag_policy_text(policy->containers[k].policy),
                        policy->containers[k].overridden ? " overridden" : "");
        strbuf_addstr(&out, policy->locked ? " locked\n" : "\n");
        workload_policy_free(policies.items[i]);
    }
    return strbuf_detach(&out, NULL);
}

#define ENTRIES                                                                                              \
    "resources: [../base]\nimages:\n- {name: r.test/app, newTag: '1'}\n- {name: r.test/x, newTag: '1'}\n"

static void test_release_policies_of_entries_are_those_of_the_workloads_behind(void **state)
{
    (void)state;
    static const struct {
        const char *annotations, *kustomization, *expected;
    } cases[] = {
        {NOTE("fluxcd.io/automated", "true") NOTE("fluxcd.io/tag.app", "semver:1"), ENTRIES,
         "pod: app semver:1 overridden\nprod: x glob:*\nprod: app semver:1\n"},
        /* not automated: a tag policy or a lock is enough */
        {NOTE("fluxcd.io/tag.app", "semver:1"), ENTRIES,
         "pod: app semver:1 overridden\nprod: x glob:*\nprod: app semver:1\n"},
        {NOTE("fluxcd.io/locked", "true"), ENTRIES,
         "pod: app glob:* overridden locked\nprod: x glob:*\nprod: app glob:* locked\n"},
        {"", ENTRIES, "pod: app glob:*\nprod: app glob:* x glob:*\n"},
        /* of the kustomization: a tag policy counts before the workload's, a lock beside it */
        {NOTE("fluxcd.io/tag.app", "semver:1"),
         "metadata: {annotations: {pawl.dev/tag.app: 'semver:2'}}\n" ENTRIES,
         "pod: app semver:1 overridden\nprod: app semver:2 x glob:*\n"},
        {NOTE("fluxcd.io/tag.app", "semver:1"),
         "metadata: {annotations: {fluxcd.io/locked: 'true'}}\n" ENTRIES,
         "pod: app semver:1 overridden\nprod: x glob:* locked\nprod: app semver:1 locked\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *pod = xasprintf(POD("demo", "pod", "r.test/app:1", "%s"), cases[i].annotations);
        AUTO_FREE char *text = describe(pod, cases[i].kustomization);
        assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release_policies_of_entries_are_those_of_the_workloads_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
