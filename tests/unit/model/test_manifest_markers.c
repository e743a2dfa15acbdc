#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/manifest.h"

typedef struct manifest_file *reader(const char *path, char *text, size_t len, const char *default_space);

/* "ID(applied) CONTAINER=IMAGE[POLICY] …" and "problem LINE WORKLOAD: MESSAGE" lines: all that was found. */
static char *describe(reader *read, const char *text)
{
    struct manifest_file *file = read("charts/web/values.yaml", xstrdup(text), strlen(text), "default");
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < file->resources_len; i++) {
        const struct resource *r = &file->resources[i];
        AUTO_FREE char *id = resource_id_text(&r->id);
        strbuf_addf(&out, "%s%s%s", id, r->is_applied ? "" : "(file)", r->is_workload ? "" : "(none)");
        for (size_t k = 0; k < r->containers_len; k++) {
            const struct container *c = &r->containers[k];
            strbuf_addf(&out, " %d:%s=%s%s[%s]", c->line, c->name, c->image.text ? c->image.text : "?",
                        c->tag_node ? "(tag)" : "", c->policy_text ? c->policy_text : "");
        }
        strbuf_addch(&out, '\n');
    }
    for (size_t i = 0; i < file->problems_len; i++) {
        const struct manifest_problem *p = &file->problems[i];
        strbuf_addf(&out, "problem %d %s: %s\n", p->line, p->workload ? p->workload : "-", p->message);
    }
    manifest_file_unref(file);
    return strbuf_detach(&out, NULL);
}

static void assert_read(reader *read, const char *text, const char *expected)
{
    AUTO_FREE char *got = describe(read, text);
    assert_string_equal(got, expected);
}

#define VALUES "default:file/charts.web.values.yaml(file)"
#define POD                                                                                                  \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n    - name: c\n      image: a:1"

static void test_markers_are_read_in_any_style(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"image: ghcr.io/org/app:1.2.3 # pawl: semver:~1.2\n",
         VALUES " 1:image=ghcr.io/org/app:1.2.3[semver:~1.2]\n"},
        {"a:\n  tag: 1.10 # pawl: ghcr.io/org/app semver:>=1 <2\n",
         VALUES " 2:a.tag=ghcr.io/org/app:1.10(tag)[semver:>=1 <2]\n"},
        {"tag: '1.2' \t# pawl:   app\tregexp:^1 \r\nb: 1\r\n", VALUES " 1:tag=app:1.2(tag)[regexp:^1]\n"},
        {"a: {name: x, tag: \"1\"} # pawl: localhost:5000/x glob:*\n",
         VALUES " 1:a.tag=localhost:5000/x:1(tag)[glob:*]\n"},
        {"a:\n  - b\n  - x/y:1 # pawl: glob:*\n  - [c, x/y:2] # pawl: glob:2*\n",
         VALUES " 3:a.1=x/y:1[glob:*] 4:a.2.1=x/y:2[glob:2*]\n"},
        {"a: &t 1 # pawl: x glob:*\n", VALUES " 1:a=x:1(tag)[glob:*]\n"},
        {"x/y:1 # pawl: glob:*\n", VALUES " 1:value=x/y:1[glob:*]\n"},
        {"a: b\n---\na: x/y:1 # pawl: glob:*\n", VALUES " 3:1.a=x/y:1[glob:*]\n"},
        {"\xef\xbb\xbfgr\xc3\xbc\xc3\x9f"
         "e: \xc3\xa4\na: x/y:1 # pawl: glob:*\n",
         VALUES " 2:a=x/y:1[glob:*]\n"},
        {"image: nginx # pawl: glob:1.*\n", VALUES " 1:image=nginx[glob:1.*]\n"},
        {"image: ghcr.io/x # pawl:glob:1.*\n", VALUES " 1:image=ghcr.io/x[glob:1.*]\n"},
        /* however it is spaced */
        {"a: x/y:1 #pawl: glob:*\nb: x/y:2\t#\t pawl:glob:2*\n",
         VALUES " 1:a=x/y:1[glob:*] 2:b=x/y:2[glob:2*]\n"},
        /* behind a name */
        {"a:\n- --image=x/y:1 # pawl: glob:*\n- A=b=1 # pawl: x/y glob:*\n",
         VALUES " 2:a.0=x/y:1[glob:*] 3:a.1=x/y:1(tag)[glob:*]\n"},
        {"a: 1\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_read(manifest_file_new, cases[i].text, cases[i].expected);
        assert_read(manifest_file_new_values, cases[i].text, cases[i].expected);
    }
}

static void test_markers_in_objects_are_containers_of_the_object(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {POD " # pawl: glob:*\n", "default:pod/p 8:c=a:1[glob:*]\n"},
        {POD " # pawl: docker.io/library/a glob:*\n", "default:pod/p 8:c=a:1[glob:*]\n"},
        {POD " # pawl: other glob:*\n",
         "default:pod/p 8:c=a:1[glob:*]\n"
         "problem 8 default:pod/p: the marker is for other, and the image here is of a\n"},
        {"apiVersion: x/v1\nkind: Foo\nmetadata: {name: f}\nspec:\n  foo:\n    image: x/y:1 # pawl: glob:*\n",
         "default:foo/f 6:spec.foo.image=x/y:1[glob:*]\n"},
        {"kind: List\napiVersion: v1\nitems:\n"
         "  - {apiVersion: v1, kind: Foo, metadata: {name: a}, image: x/y:1} # pawl: glob:*\n"
         "  - apiVersion: v1\n    kind: Foo\n    metadata: {name: b}\n    image: x/y:2 # pawl: glob:*\n",
         "default:foo/a 4:image=x/y:1[glob:*]\ndefault:foo/b 8:image=x/y:2[glob:*]\n"},
        {POD "\n---\nimage: x/y:1 # pawl: glob:*\n---\n"
             "apiVersion: v1\nkind: Foo\nmetadata: {name: f}\n"
             "image: x/y:2 # pawl: glob:*\n",
         "default:pod/p 8:c=a:1[]\ndefault:foo/f 15:image=x/y:2[glob:*]\n" VALUES
         " 10:1.image=x/y:1[glob:*]\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(manifest_file_new, cases[i].text, cases[i].expected);
}

static void test_markers_that_mean_nothing_are_problems(void **state)
{
    (void)state;
    static const char forgotten[] =
        ": the marker has no policy; write \"# pawl: semver:~1.2\" behind a whole image, or \"# pawl: "
        "REPOSITORY semver:~1.2\" behind a tag alone (glob: and regexp: are there too)\n";
    static const char lonely[] =
        ": the marker has no value before it on its line; it belongs behind the image "
        "or tag, which must be in one piece\n";
    static const struct {
        const char *text, *before, *problem;
    } cases[] = {
        {"a: x/y:1 # pawl: main-*\n", "problem 1 -", forgotten},
        {"a: x/y:1 # pawl:\n", "problem 1 -", forgotten},
        {"a: 1 # pawl: x/y\n", "problem 1 -", forgotten},
        {"b: 1\n# pawl: glob:*\na: x/y:1\n", "problem 2 -", lonely},
        {"a: | # pawl: glob:*\n  x/y:1\n", "problem 1 -", lonely},
        {"a: |\n  x/y:1\n# pawl: glob:*\n", "problem 3 -", lonely},
        {"a: x/y:1\nb: # pawl: glob:*\n  c: 1\n", "problem 2 -", lonely},
        {"a: &x x/y:1\nb: *x # pawl: glob:*\n", "problem 2 -",
         ": the marked value is an alias; mark where its text is written\n"},
        {"a: 1.2.3 # pawl: glob:*\n", VALUES " 1:a=?[glob:*]\nproblem 1 default:file/charts.web.values.yaml",
         ": the marked value 1.2.3 looks like a tag alone; write its repository before the policy: \"# pawl: "
         "REPOSITORY POLICY\"\n"},
        {"a: # pawl: glob:*\n", VALUES " 1:a=?[glob:*]\nproblem 1 default:file/charts.web.values.yaml",
         ": the marked value is empty\n"},
        {"a: 1 # pawl: x:2 glob:*\n",
         VALUES " 1:a=?(tag)[glob:*]\nproblem 1 default:file/charts.web.values.yaml",
         ": the marker names a repository with a tag or digest; \"x\" is enough\n"},
        {"a: x/y:1 # {\"$imagepolicy\": \"flux-system:app\"}\nb: x/y:1 # {\"$imagepolicy\": \"a:b:tag\"}\n",
         "problem 1 -",
         ": this file has markers of Flux 2 ($imagepolicy), and pawl reads no ImagePolicy; write \"# pawl: "
         "semver:~1.2\" behind a whole image, or \"# pawl: REPOSITORY semver:~1.2\" behind a tag, with the "
         "policy that the ImagePolicy has\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *expected = xasprintf("%s%s", cases[i].before, cases[i].problem);
        assert_read(manifest_file_new, cases[i].text, expected);
    }
}

static void test_text_that_looks_like_a_marker_is_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "a: \"x # pawl: glob:*\"\n",    "a: |\n  image: x/y:1 # pawl: glob:*\n",
        "a: 'x\n  # pawl: glob:*'\n",   "\"x # pawl: y\": 1\n",
        "a: x/y:1# pawl:glob\n",        "a: x/y:1 ## pawl: glob:*\n",
        "a: x/y:1 # of pawl: glob:*\n", "a: '{\"$imagepolicy\": 1}'\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(manifest_file_new, cases[i], "");
}

static void test_values_of_a_chart_are_no_manifests(void **state)
{
    (void)state;
    assert_read(manifest_file_new_values, POD "\n", "");
    assert_read(manifest_file_new_values, "{broken\n", "");
    assert_read(manifest_file_new_values, "kind: Pod\nimage: x/y:1 # pawl: glob:*\n",
                VALUES " 2:image=x/y:1[glob:*]\n");
}

static void test_markers_have_a_limit(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (unsigned i = 0; i <= LIMIT_MARKERS + 1; i++)
        strbuf_addf(&text, "a%u: x/y:1 # pawl: glob:*\n", i);
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(text.buf), text.len, "default");
    assert_int_equal(file->resources[0].containers_len, LIMIT_MARKERS);
    assert_int_equal(file->problems_len, 1);
    assert_int_equal(file->problems[0].line, LIMIT_MARKERS + 1);
    manifest_file_unref(file);
}

/* A file's own resource that is called as an object gives way to it. */
static void test_what_is_not_applied_makes_no_duplicate_of_what_is(void **state)
{
    (void)state;
    static const char object[] = "apiVersion: x/v1\nkind: File\nmetadata: {name: a.yaml}\n";
    static const char marked[] = "image: x/y:1 # pawl: glob:*\n";
    struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, manifest_file_new("a.yaml", xstrdup(marked), strlen(marked), "default"));
    manifest_set_add(set, manifest_file_new("b.yaml", xstrdup(object), strlen(object), "default"));
    manifest_set_finish(set);
    assert_int_equal(set->resources_len, 2);
    assert_true(set->resources[0]->is_duplicate);
    assert_false(set->resources[1]->is_duplicate);
    assert_ptr_equal(manifest_set_find(set, &set->resources[0]->id), set->resources[1]);
    assert_int_equal(set->problems_len, 1);
    assert_string_equal(set->problems[0].file, "a.yaml");
    manifest_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markers_are_read_in_any_style),
        cmocka_unit_test(test_markers_in_objects_are_containers_of_the_object),
        cmocka_unit_test(test_markers_that_mean_nothing_are_problems),
        cmocka_unit_test(test_text_that_looks_like_a_marker_is_none),
        cmocka_unit_test(test_values_of_a_chart_are_no_manifests),
        cmocka_unit_test(test_markers_have_a_limit),
        cmocka_unit_test(test_what_is_not_applied_makes_no_duplicate_of_what_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
