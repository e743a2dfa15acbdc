#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/kustomize_links.h"
#include "model/manifest.h"

#define HEAD "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"

static void assert_read(const char *path, const char *text, const char *expected)
{
    struct manifest_file *file = manifest_file_new(path, xstrdup(text), strlen(text), "default");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < file->resources_len; i++) {
        const struct resource *r = &file->resources[i];
        AUTO_FREE char *id = resource_id_text(&r->id);
        assert_false(r->is_applied);
        strbuf_addstr(&out, id);
        for (size_t k = 0; k < r->containers_len; k++)
            strbuf_addf(&out, " %d:%s=%s", r->containers[k].line, r->containers[k].name,
                        r->containers[k].image.text ? r->containers[k].image.text : "?");
        strbuf_addch(&out, '\n');
    }
    for (size_t i = 0; i < file->problems_len; i++)
        strbuf_addf(&out, "problem %d: %s\n", file->problems[i].line, file->problems[i].message);
    assert_string_equal(out.buf, expected);
    manifest_file_unref(file);
}

static void test_kustomization_entries_are_containers(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *expected;
    } cases[] = {
        {"overlays/prod/kustomization.yaml",
         HEAD
         "images:\n- name: ghcr.io/org/app\n  newTag: 1.10\n- name: web\n  newName: quay.io/x/web\n"
         "- name: db\n  digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
         "default:kustomization/overlays.prod 5:app=ghcr.io/org/app:1.10 7:web=quay.io/x/web "
         "9:db=db@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"},
        {"kustomization.yml", "images: [{name: app, newTag: '1'}]\n",
         "default:kustomization/root 1:app=app:1\n"},
        {"a b/Kustomization", "images: [{name: app, newTag: '1'}]\n",
         "default:kustomization/a-b 1:app=app:1\n"},
        {"x/k.yaml", HEAD "metadata: {name: mine, namespace: team}\nimages: [{name: app, newTag: '1'}]\n",
         "team:kustomization/mine 4:app=app:1\n"},
        {"x/k.yaml",
         "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: app, newTag: "
         "'1'}]\n",
         "default:component/x 3:app=app:1\n"},
        {"x/kustomization.yaml", HEAD "resources: [a.yaml]\n", ""},
        {"x/kustomization.yaml", HEAD "images: []\n", ""},
        {"x/other.yaml", "images: [{name: app, newTag: '1'}]\n", ""},
        {"x/k.yaml", HEAD "images:\n- newTag: '1'\n- name: [a]\n- name: a\n  newTag:\n- name: UPPER/\n",
         "default:kustomization/x 4:=? 5:=? 7:a=a 8:UPPER/=?\n"
         "problem 4: container 1: the entry has no name\n"
         "problem 5: container 2: name must be a string\n"
         "problem 8: container UPPER/: \"UPPER/\" is no image reference: the path must be of lower-case "
         "letters and "
         "digits, joined by single \".\", \"_\", \"__\", \"-\" and \"/\"\n"},
        {"x/k.yaml", HEAD "images:\n- {name: a, tagSuffix: -b}\n- {name: c, newTag: '1', tagSuffix: -b}\n",
         "default:kustomization/x 4:a=? 5:c=c:1\n"
         "problem 4: container a: a tagSuffix without a newTag is not followed; write the whole tag as "
         "newTag\n"},
        {"x/k.yaml", HEAD "images:\n- name: a:d\n- name: b\n  newName: h:5000/b:1\n- name: h:5000/c\n",
         "default:kustomization/x 4:a:d=? 6:b=? 7:c=h:5000/c\n"
         "problem 4: container a:d: the name a:d has a tag or digest; write it as newTag or digest\n"
         "problem 6: container b: newName h:5000/b:1 has a tag or digest; write it as newTag or digest\n"},
        {"x/k.yaml", HEAD "images:\n- {name: a/app, newTag: '1'}\n- {name: b/app, newTag: '2'}\n",
         "default:kustomization/x 4:app=a/app:1 5:app=b/app:2\n"
         "problem 4: container app: more than one entry is called app; say which policy is whose with a "
         "marker "
         "behind each newTag: \"# pawl: REPOSITORY POLICY\"\n"
         "problem 5: container app: more than one entry is called app; say which policy is whose with a "
         "marker "
         "behind each newTag: \"# pawl: REPOSITORY POLICY\"\n"},
        {"x/k.yaml",
         HEAD
         "images:\n- name: a/app\n  newTag: '1' # pawl: a/app glob:*\n- name: b/app\n  newTag: '2' # pawl: "
         "b/app glob:*\n",
         "default:kustomization/x 5:app=a/app:1 7:app=b/app:2\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(cases[i].path, cases[i].text, cases[i].expected);
}

/* -- links -------------------------------------------------------------------------------------------------- */

#define POD(name, image)                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: {containers: [{name: c, image: '" image    \
    "'}]}\n"

struct named_text {
    const char *path, *text;
};

static struct manifest_set *set_of(const struct named_text *files)
{
    struct manifest_set *set = manifest_set_new();
    for (; files->path; files++)
        manifest_set_add(
            set, manifest_file_new(files->path, xstrdup(files->text), strlen(files->text), "default"));
    manifest_set_finish(set);
    return set;
}

/* "KUSTOMIZATION.ENTRY>WORKLOAD …", with "?" for one that another further up overrides and "+" for a partial one */
static void assert_linked(const struct named_text *files, const char *expected)
{
    struct manifest_set *set = set_of(files);
    CLEANUP(kustomize_links_release) struct kustomize_links links;
    kustomize_links_find(set, &links);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < links.len; i++) {
        const struct kustomize_link *link = &links.items[i];
        strbuf_addf(&out, "%s%s.%s>%s%s%s", i ? " " : "", link->kustomization->id.name,
                    link->kustomization->containers[link->entry].name, link->workload->id.name,
                    link->over ? "?" : "", link->is_partial ? "+" : "");
    }
    assert_string_equal(out.buf, expected);
    manifest_set_free(set);
}

static void test_links_follow_resources_to_workloads(void **state)
{
    (void)state;
    static const struct {
        struct named_text files[6];
        const char *expected;
    } cases[] = {
        {{{"a/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"a/x.yaml", POD("x", "app:1")},
          {"a/y.yaml", POD("y", "app:1")}},
         "a.app>x"},
        {{{"base/kustomization.yaml", "resources: [./x.yaml]\n"},
          {"base/x.yaml", POD("x", "ghcr.io/o/app:1")},
          {"o/p/kustomization.yaml", "bases: [../../base/]\nimages: [{name: ghcr.io/o/app, newTag: '2'}]\n"},
          {"o/q/kustomization.yaml",
           "resources: ['../../base']\nimages: [{name: ghcr.io/o/app, newTag: '3'}]\n"}},
         "o.p.app>x o.q.app>x"},
        /* the base renames, and the overlay speaks of the new name */
        {{{"base/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newName: q/app}]\n"},
          {"base/x.yaml", POD("x", "app:1")},
          {"o/kustomization.yaml", "resources: [../base]\nimages: [{name: q/app, newTag: '2'}]\n"},
          {"p/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newTag: '2'}]\n"}},
         "base.app>x o.app>x"},
        /* a cycle, remote bases, and paths that lead out */
        {{{"a/kustomization.yaml", "resources: [../b, 'https://x.org/a/x.yaml', ../../../x.yaml, "
                                   "x.yaml]\nimages: [{name: app, newTag: "
                                   "'2'}]\n"},
          {"b/kustomization.yaml", "resources: [../a, ../b, y.yaml]\n"},
          {"a/x.yaml", POD("x", "app:1")},
          {"b/y.yaml", POD("y", "app")}},
         "a.app>x a.app>y"},
        {{{"a/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"a/x.yaml", POD("x", "app2:1")}},
         ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_linked(cases[i].files, cases[i].expected);
}

#define BASE                                                                                                 \
    {"base/kustomization.yaml", "resources: [x.yaml]\n"},                                                    \
    {                                                                                                        \
        "base/x.yaml", POD("x", "app:1")                                                                     \
    }

static void test_links_are_what_kustomize_renders(void **state)
{
    (void)state;
    static const struct {
        struct named_text files[6];
        const char *expected;
    } cases[] = {
        /* another kustomization has the base as it is written */
        {{BASE,
          {"o/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newTag: '2'}]\n"},
          {"p/kustomization.yaml", "resources: [../base]\n"}},
         "o.app>x+"},
        /* a component's images are for what its user has; the one that names a tag last counts */
        {{BASE,
          {"c/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
                                   "images: [{name: app, newTag: '2'}]\n"},
          {"o/kustomization.yaml", "components: [../c]\nresources: [../base]\n"}},
         "c.app>x"},
        {{BASE,
          {"c/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
                                   "images: [{name: app, newName: q/app}]\n"},
          {"o/kustomization.yaml",
           "components: [../c]\nresources: [../base]\nimages: [{name: q/app, newTag: '2'}]\n"}},
         "c.app>x? o.app>x"},
        /* entries apply one after the other */
        {{BASE,
          {"o/kustomization.yaml",
           "resources: [../base]\nimages: [{name: app, newName: q/web}, {name: q/web, newTag: '2'}]\n"}},
         "o.web>x"},
        {{BASE,
          {"o/kustomization.yaml",
           "resources: [../base]\nimages: [{name: q/web, newTag: '2'}, {name: app, newName: q/web}]\n"}},
         "o.app>x"},
        /* a tag further up counts, and none further up does not */
        {{{"base/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"base/x.yaml", POD("x", "app:1")},
          {"o/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newTag: '3'}]\n"}},
         "base.app>x? o.app>x"},
        {{{"base/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"base/x.yaml", POD("x", "app:1")},
          {"o/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newTag: '3'}]\n"},
          {"p/kustomization.yaml", "resources: [../base]\n"}},
         "base.app>x o.app>x"},
        {{{"base/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"base/x.yaml", POD("x", "app:1")},
          {"o/kustomization.yaml", "resources: [../base]\nimages: [{name: app, newName: q/app}]\n"}},
         "base.app>x o.app>x"},
        /* the same base on two ways, one of which renames */
        {{BASE,
          {"o/kustomization.yaml", "resources: [../p, ../base]\nimages: [{name: app, newTag: '2'}]\n"},
          {"p/kustomization.yaml",
           "resources: [../base]\nimages: [{name: app, newName: web, newTag: '2'}]\n"}},
         "o.app>x p.app>x"},
        /* where kustomize finds no image */
        {{{"o/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"o/x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {ephemeralContainers: "
                       "[{name: c, image: 'app:1'}]}\n---\n"
                       "apiVersion: helm.fluxcd.io/v1\nkind: HelmRelease\nmetadata: {name: x}\n"
                       "spec: {values: {image: 'app:1'}}\n---\n"
                       "apiVersion: x.org/v1\nkind: Engine\nmetadata: {name: x}\nspec:\n"
                       "  image: app:1 # pawl: semver:1\n"}},
         ""},
        {{{"o/kustomization.yaml", "resources: [x.yaml]\nimages: [{name: app, newTag: '2'}]\n"},
          {"o/x.yaml", "apiVersion: x.org/v1\nkind: Engine\nmetadata: {name: x}\nspec:\n"
                       "  containers:\n  - image: app:1 # pawl: semver:1\n"}},
         "o.app>x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_linked(cases[i].files, cases[i].expected);
}

static void test_patches_are_no_objects(void **state)
{
    (void)state;
    static const struct named_text files[] = {
        BASE,
        {"o/kustomization.yaml",
         "resources: [../base]\npatches: [{path: ./p.yaml}, r.yaml]\npatchesStrategicMerge: [q.yaml]\n"},
        {"o/r.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c}]}\n"},
        {"o/p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c}]}\n"},
        {"o/q.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
                     "  - name: c\n    image: app:1 # pawl: semver:1\n"},
        {NULL, NULL}};
    struct manifest_set *set = set_of(files);
    assert_int_equal(set->problems_len, 0);
    assert_int_equal(set->resources_len, 2);
    assert_true(set->resources[0]->is_applied && !set->resources[0]->is_duplicate);
    assert_string_equal(set->resources[1]->file->path, "o/q.yaml");
    assert_true(set->resources[1]->is_patch && !set->resources[1]->is_applied);
    assert_ptr_equal(manifest_set_find(set, &set->resources[1]->id), set->resources[0]);
    assert_false(resource_is_kustomization(set->resources[1]));
    manifest_set_free(set);
}

static void test_links_end_where_kustomizations_grow_without_end(void **state)
{
    (void)state;
    enum { levels = 40 };
    struct manifest_set *set = manifest_set_new();
    for (int i = 0; i < levels; i++) {
        AUTO_FREE char *path = xasprintf("d%d/kustomization.yaml", i);
        char *text = xasprintf("resources: [../d%d]\nimages: [{name: app, newTag: '1'}]\n", i + 1);
        manifest_set_add(set, manifest_file_new(path, text, strlen(text), "default"));
    }
    manifest_set_finish(set);
    struct kustomize_links links;
    kustomize_links_find(set, &links);
    assert_true(links.is_cut);
    assert_int_equal(links.len, 0);
    manifest_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kustomization_entries_are_containers),
        cmocka_unit_test(test_links_follow_resources_to_workloads),
        cmocka_unit_test(test_links_are_what_kustomize_renders),
        cmocka_unit_test(test_patches_are_no_objects),
        cmocka_unit_test(test_links_end_where_kustomizations_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
