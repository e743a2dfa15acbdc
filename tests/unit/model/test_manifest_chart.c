#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/manifest_chart.h"

#define OBJECT(api, kind, annotations)                                                                       \
    "apiVersion: " api "\nkind: " kind "\nmetadata: {name: a, namespace: n, annotations: {" annotations      \
    "}}\nspec:\n"
#define ASKED  "pawl.dev/tag.chart: 'semver:1'"
#define FLUX2  "helm.toolkit.fluxcd.io/v2"
#define SOURCE "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: "

static struct manifest_set *set_of(const char *const *texts, size_t len)
{
    struct manifest_set *set = manifest_set_new();
    for (size_t i = 0; i < len; i++) {
        AUTO_FREE char *path = xasprintf("%zu.yaml", i);
        manifest_set_add(set, manifest_file_new(path, xstrdup(texts[i]), strlen(texts[i]), "default"));
    }
    manifest_set_finish(set);
    return set;
}

/* The first resource's "LINE:NAME=IMAGE" and the problems. */
static char *describe(const struct manifest_set *set)
{
    struct strbuf out = STRBUF_INIT;
    const struct resource *r = set->resources[0];
    for (size_t k = 0; k < r->containers_len; k++) {
        const struct container *c = &r->containers[k];
        strbuf_addf(&out, "%s%d:%s=%s", k ? " " : "", c->line, c->name, c->image.text ? c->image.text : "?");
    }
    for (size_t i = 0; i < set->problems_len; i++)
        strbuf_addf(&out, "\nproblem %d: %s", set->problems[i].line, set->problems[i].message);
    return strbuf_detach(&out, NULL);
}

static void assert_read(const char *text, const char *expected)
{
    CLEANUP(manifest_set_release) struct manifest_set *set = set_of(&text, 1);
    AUTO_FREE char *got = describe(set);
    if (strncmp(expected, "*", 1) == 0)
        assert_non_null(strstr(got, expected + 1));
    else
        assert_string_equal(got, expected);
}

static void test_chart_is_read_in_all_its_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease",
                ASKED) "  chart: {repository: 'https://c.io/', name: app, version: 1.2.3}\n",
         "5:chart=https://c.io#app:1.2.3"},
        {OBJECT("flux.weave.works/v1beta1", "HelmRelease",
                "fluxcd.io/tag.chart: 'semver:1'") "  chart:\n    repository: oci://c.io/x\n    name: app\n  "
                                                   "  version: 1.2.3\n",
         "8:chart=oci://c.io/x/app:1.2.3"},
        {OBJECT(FLUX2, "HelmRelease",
                "filter.fluxcd.io/chart: 'semver:1'") "  chart: {spec: {chart: app, version: 1.2.3, "
                                                      "sourceRef: {kind: HelmRepository, name: c}}}\n" SOURCE
                                                      "c, namespace: n}\nspec: {url: 'https://c.io/x'}\n",
         "5:chart=https://c.io/x#app:1.2.3"},
        {OBJECT(FLUX2, "HelmRelease", ASKED) "  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: "
                                             "HelmRepository, name: c, namespace: f}}}\n" SOURCE
                                             "c, namespace: f}\nspec: {type: oci, url: 'oci://c.io/x'}\n",
         "5:chart=oci://c.io/x/app:1.2.3"},
        {OBJECT("argoproj.io/v1alpha1", "Application",
                ASKED) "  source: {repoURL: c.io/x, chart: app, targetRevision: 1.2.3}\n",
         "5:chart=oci://c.io/x/app:1.2.3"},
        {OBJECT(
             "argoproj.io/v1alpha1", "Application",
             "pawl.dev/tag.chart.b: 'semver:1'") "  sources:\n  - {repoURL: c.io/x, chart: a, "
                                                 "targetRevision: 1.2.3}\n"
                                                 "  - {repoURL: c.io/x, chart: b, targetRevision: 1.2.3}\n",
         "7:chart.b=oci://c.io/x/b:1.2.3"},
        {OBJECT("source.toolkit.fluxcd.io/v1", "HelmChart",
                ASKED) "  {chart: app, version: 1.2.3, sourceRef: {kind: HelmRepository, name: c}}\n" SOURCE
                       "c, namespace: n}\nspec: {url: 'https://c.io'}\n",
         "5:chart=https://c.io#app:1.2.3"},
        {OBJECT("helm.cattle.io/v1", "HelmChart",
                ASKED) "  {repo: 'https://c.io', chart: app, version: 1.2.3}\n",
         "5:chart=https://c.io#app:1.2.3"},
        {OBJECT("helm.cattle.io/v1", "HelmChart", ASKED) "  {chart: 'oci://c.io/app', version: 1.2.3}\n",
         "5:chart=oci://c.io/app:1.2.3"},
        {OBJECT("source.toolkit.fluxcd.io/v1", "OCIRepository",
                ASKED) "  url: oci://c.io/app\n  ref: {tag: latest-build}\n",
         "6:chart=oci://c.io/app:latest-build"},
        /* nobody asked, and a name that is taken */
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease",
                "fluxcd.io/automated: 'true'") "  chart: {repository: 'https://c.io/', name: app, version: "
                                               "1.2.3}\n",
         ""},
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease",
                ASKED) "  values: {chart: {image: q/c:1}}\n  chart: {repository: 'https://c.io/', name: app, "
                       "version: 1.2.3}\n",
         "5:chart=q/c:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(cases[i].text, cases[i].expected);
}

static void test_chart_that_cannot_be_followed_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease", ASKED) "  chart: {git: 'git@x:y', ref: main, path: c}\n",
         "*from git"},
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease", ASKED) "  values: {a: 1}\n", "*no chart"},
        {OBJECT(FLUX2, "HelmRelease", ASKED) "  chartRef: {kind: OCIRepository, name: c}\n", "*chartRef"},
        {OBJECT(FLUX2, "HelmRelease", ASKED) "  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: "
                                             "GitRepository, name: c}}}\n",
         "*from a GitRepository"},
        {OBJECT(FLUX2, "HelmRelease", ASKED) "  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: "
                                             "HelmRepository, name: c}}}\n",
         "*n/c is not among"},
        {OBJECT(FLUX2, "HelmRelease", ASKED) "  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: "
                                             "HelmRepository, name: c}}}\n" SOURCE
                                             "c, namespace: n}\nspec: {}\n",
         "*no spec.url"},
        {OBJECT(FLUX2, "HelmRelease",
                ASKED) "  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: c}}}\n",
         "*no version is written"},
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease",
                ASKED) "  chart: {repository: 'https://c.io/', name: app, version: 1.2.x}\n",
         "*problem 5: container chart: the version is a range (1.2.x)"},
        {OBJECT("helm.fluxcd.io/v1", "HelmRelease",
                ASKED) "  chart: {repository: 's3://c.io/', name: app, version: 1.2.3}\n",
         "*no Helm repository"},
        {OBJECT("argoproj.io/v1alpha1", "Application",
                ASKED) "  source: {repoURL: 'https://git.io/x', path: y, targetRevision: main}\n",
         "*no chart"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(cases[i].text, cases[i].expected);
}

/* Files are shared by commits: what one set finds out is its own. */
static void test_chart_is_resolved_in_each_set_anew(void **state)
{
    (void)state;
    static const char release[] = OBJECT(
        FLUX2, "HelmRelease",
        ASKED) "  values: {web: {image: q/w:1}}\n"
               "  chart: {spec: {chart: app, version: 1.2.3, sourceRef: {kind: HelmRepository, name: c}}}\n";
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(release), strlen(release), "default");
    static const char *const urls[] = {"https://one.io", "oci://two.io/x"};
    static const char *const expected[] = {"5:web=q/w:1 6:chart=https://one.io#app:1.2.3",
                                           "5:web=q/w:1 6:chart=oci://two.io/x/app:1.2.3"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
        AUTO_FREE char *source = xasprintf(SOURCE "c, namespace: n}\nspec: {url: '%s'}\n", urls[i]);
        manifest_set_add(set, manifest_file_ref(file));
        manifest_set_add(set, manifest_file_new("b.yaml", xstrdup(source), strlen(source), "default"));
        manifest_set_finish(set);
        AUTO_FREE char *got = describe(set);
        assert_string_equal(got, expected[i]);
        assert_null(file->resources[0].containers[1].image.text);
        struct container *then = &file->resources[0].containers[1];
        if (i == 1) { /* an older version of the file learns it from the set */
            manifest_chart_adopt(then, &set->resources[0]->containers[1]);
            assert_string_equal(then->image.text, "oci://two.io/x/app:1.2.3");
        }
    }
    manifest_file_unref(file);
}

static void test_chart_can_be_asked_for(void **state)
{
    (void)state;
    static const char *const texts[] = {
        OBJECT(FLUX2, "HelmRelease",
               "") "  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: c}}}\n",
        OBJECT("apps/v1", "Deployment", "") "  replicas: 1\n"};
    static const bool expected[] = {true, false};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(manifest_set_release) struct manifest_set *set = set_of(&texts[i], 1);
        assert_int_equal(resource_has_chart(set->resources[0], "chart"), expected[i]);
        assert_false(resource_has_chart(set->resources[0], "other"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chart_is_read_in_all_its_forms),
        cmocka_unit_test(test_chart_that_cannot_be_followed_says_why),
        cmocka_unit_test(test_chart_is_resolved_in_each_set_anew),
        cmocka_unit_test(test_chart_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
