#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/manifest.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *text_of(const struct yaml_node *node)
{
    return node ? node->value : "-";
}

/* "NAME=IMAGE(registry|image|tag|digest) …", the parts as they stand in the file, then the problems. */
static char *describe(const char *text)
{
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default");
    struct strbuf out = STRBUF_INIT;
    if (file->resources_len != 1 || !file->resources[0].is_workload)
        fail_msg("no workload in %s", text);
    const struct resource *resource = &file->resources[0];
    for (size_t i = 0; i < resource->containers_len; i++) {
        const struct container *c = &resource->containers[i];
        strbuf_addf(&out, "%s%s=%s%s(%s|%s|%s|%s)", i ? " " : "", c->name, c->is_alias ? "*" : "",
                    c->image.text ? c->image.text : "?", text_of(c->registry_node), text_of(c->image_node),
                    text_of(c->tag_node), text_of(c->digest_node));
    }
    for (size_t i = 0; i < file->problems_len; i++)
        strbuf_addf(&out, "|%d: %s", file->problems[i].line, file->problems[i].message);
    manifest_file_unref(file);
    return strbuf_detach(&out, NULL);
}

static void assert_values(const char *annotations, const char *values, const char *expected)
{
    AUTO_FREE char *text =
        xasprintf("apiVersion: helm.fluxcd.io/v1\nkind: HelmRelease\nmetadata: {name: x, annotations: {%s}}\n"
                  "spec:\n  values: %s\n",
                  annotations, values);
    AUTO_FREE char *got = describe(text);
    if (strcmp(got, expected) != 0)
        fail_msg("%s with {%s}: %s, not %s", values, annotations, got, expected);
}

static void test_values_are_read_of_every_helm_release(void **state)
{
    (void)state;
    static const struct {
        const char *version, *kind;
    } cases[] = {
        {"helm.fluxcd.io/v1", "HelmRelease"},
        {"flux.weave.works/v1beta1", "HelmRelease"},
        {"helm.toolkit.fluxcd.io/v2beta1", "HelmRelease"},
        {"helm.toolkit.fluxcd.io/v2", "HelmRelease"},
        {"helm.integrations.flux.weave.works/v1alpha2", "FluxHelmRelease"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = xasprintf("apiVersion: %s\nkind: %s\nmetadata: {name: x}\n"
                                         "spec: {values: {app: {image: a:1}}}\n",
                                         cases[i].version, cases[i].kind);
        AUTO_FREE char *got = describe(text);
        assert_string_equal(got, "app=a:1(-|a:1|-|-)");
    }
}

/* flux1-contract 1.4, the table of shapes: at the top level, below a key, and in an image mapping. */
static void test_values_hold_images_in_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *side_by_side, *in_mapping, *expected;
    } cases[] = {
        {"image: a/b:1", "repository: a/b:1", "a/b:1(-|a/b:1|-|-)"},
        {"image: a/b", "repository: a/b", "a/b(-|a/b|-|-)"},
        {"image: a/b, tag: v1", "repository: a/b, tag: v1", "a/b:v1(-|a/b|v1|-)"},
        {"registry: quay.io, image: a/b:1", "registry: quay.io, repository: a/b:1",
         "quay.io/a/b:1(quay.io|a/b:1|-|-)"},
        {"registry: quay.io, image: a/b", "registry: quay.io, repository: a/b",
         "quay.io/a/b(quay.io|a/b|-|-)"},
        {"registry: quay.io, image: a/b, tag: v1", "registry: quay.io, repository: a/b, tag: v1",
         "quay.io/a/b:v1(quay.io|a/b|v1|-)"},
        {"image: a, tag: 1@" DIGEST, "repository: a, tag: 1@" DIGEST, "a:1@" DIGEST "(-|a|1@" DIGEST "|-)"},
        {"image: a, tag: v1, digest: " DIGEST, "repository: a, tag: v1, digest: " DIGEST,
         "a:v1@" DIGEST "(-|a|v1|" DIGEST ")"},
        {"image: a, tag: v1, digest: ''", "repository: a, tag: v1, digest: ''", "a:v1(-|a|v1|)"},
        {"image: a, tag: v1, digest: other", "repository: a, tag: v1, digest: [x]", "a:v1(-|a|v1|-)"},
        {"image: a, registry: '', tag: v1", "repository: a, registry: , tag: v1", "a:v1(-|a|v1|-)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *top = xasprintf("{%s}", cases[i].side_by_side);
        AUTO_FREE char *child = xasprintf("{app: {%s}}", cases[i].side_by_side);
        AUTO_FREE char *top_mapping = xasprintf("{image: {%s}}", cases[i].in_mapping);
        AUTO_FREE char *child_mapping = xasprintf("{app: {image: {%s}}}", cases[i].in_mapping);
        AUTO_FREE char *at_top = xasprintf("chart-image=%s", cases[i].expected);
        AUTO_FREE char *in_child = xasprintf("app=%s", cases[i].expected);
        assert_values("", top, at_top);
        assert_values("", top_mapping, at_top);
        assert_values("", child, in_child);
        assert_values("", child_mapping, in_child);
    }
}

static void test_values_tags_read_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *tag, *expected;
    } cases[] = {
        {"1.10", "a:1.10(-|a|1.10|-)"},
        {"1e3", "a:1e3(-|a|1e3|-)"},
        {"0755", "a:0755(-|a|0755|-)"},
        {"yes", "a:yes(-|a|yes|-)"},
        {"1_0", "a:1_0(-|a|1_0|-)"},
        {"2024-01-02", "a:2024-01-02(-|a|2024-01-02|-)"},
        {"''", "a(-|a||-)"},
        {"null", "a(-|a|null|-)"},
        {"", "a(-|a||-)"},
        {"'null'", "a:null(-|a|null|-)"},
        {"[x]", "a(-|a|-|-)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *values = xasprintf("{image: a, tag: %s}", cases[i].tag);
        AUTO_FREE char *expected = xasprintf("chart-image=%s", cases[i].expected);
        assert_values("", values, expected);
    }
}

static void test_values_images_are_ordered_by_name(void **state)
{
    (void)state;
    assert_values("", "{b: {image: b:1}, a: {image: {repository: a, tag: 1}}, image: top:1, B: {image: c:1}}",
                  "chart-image=top:1(-|top:1|-|-) B=c:1(-|c:1|-|-) a=a:1(-|a|1|-) b=b:1(-|b:1|-|-)");
    assert_values("", "{chart-image: {image: b:1}, image: top:1}", "chart-image=top:1(-|top:1|-|-)");
}

static void test_values_pass_over_what_is_no_image(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{}",
        "[{image: a:1}]",
        "",
        "{app: {deep: {image: a:1}}}",
        "{list: [{image: a:1}]}",
        "{app: {image: 1.5}}",
        "{app: {image: [a]}}",
        "{app: {image: ''}}",
        "{app: {image: {tag: 1}}}",
        "{app: {image: {repository: ''}}}",
        "{app: {image: 'https://a.example/logo.png'}}",
        "{app: {image: '{{ .Values.x }}'}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_values("", cases[i], "");
}

static void test_values_parts_that_make_no_image_are_a_problem(void **state)
{
    (void)state;
    assert_values(
        "", "{app: {image: a, tag: 'x y'}, b: {image: b:1}}",
        "app=?(-|a|x y|-) b=b:1(-|b:1|-|-)|5: container app: \"a:x y\" is no image reference: a tag "
        "has 1 to 128 letters, digits, \"_\", \".\" and \"-\", and does not begin with \".\" or \"-\"");
}

static void test_values_are_found_by_annotations(void **state)
{
    (void)state;
#define NAMED(part, path) part ".fluxcd.io/app: " path
    static const struct {
        const char *annotations, *values, *expected;
    } cases[] = {
        {NAMED("repository", "deep.img"), "{deep: {img: a:1}}", "app=a:1(-|a:1|-|-)"},
        {NAMED("repository", "i") ", " NAMED("tag", "t.v"), "{i: a, t: {v: 1.10}}", "app=a:1.10(-|a|1.10|-)"},
        {NAMED("repository", "i") ", " NAMED("registry", "r"), "{i: 'a:1', r: quay.io}",
         "app=quay.io/a:1(quay.io|a:1|-|-)"},
        {NAMED("repository", "i") ", " NAMED("registry", "r") ", " NAMED("tag", "t"),
         "{i: a, r: quay.io, t: v1}", "app=quay.io/a:v1(quay.io|a|v1|-)"},
        {NAMED("repository", "i"), "{i: a:1, app: {image: b:1}, b: {image: b:1}}",
         "app=a:1(-|a:1|-|-) b=b:1(-|b:1|-|-)"},
        {NAMED("tag", "t"), "{t: v1}", ""},
        {"repository.fluxcd.io/: i", "{i: a:1}", ""},
        {NAMED("repository", "i.x"), "{i: a:1}",
         "app=?(-|-|-|-)|3: container app: repository.fluxcd.io/app names spec.values.i.x, where there is no "
         "string"},
        {NAMED("repository", "i") ", " NAMED("tag", "t"), "{i: a, t: [1]}",
         "app=?(-|-|-|-)|3: container app: tag.fluxcd.io/app names spec.values.t, where there is no tag"},
        {NAMED("repository", "i") ", " NAMED("registry", "r"), "{i: a, r: 5}",
         "app=?(-|-|-|-)|3: container app: registry.fluxcd.io/app names spec.values.r, where there is no "
         "string"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_values(cases[i].annotations, cases[i].values, cases[i].expected);
}

static void test_values_know_which_parts_are_written_elsewhere(void **state)
{
    (void)state;
    assert_values("", "{x: &t v1, a: {image: a, tag: *t}, b: {image: b, tag: v2}}",
                  "a=*a:v1(-|a|v1|-) b=b:v2(-|b|v2|-)");
    assert_values("", "{x: &m {image: a, tag: v1}, b: {<<: *m}, c: *m, d: {<<: *m, tag: v2}}",
                  "b=*a:v1(-|a|v1|-) c=*a:v1(-|a|v1|-) d=*a:v2(-|a|v2|-) x=a:v1(-|a|v1|-)");
    assert_values("", "{<<: {b: {image: b:1}}, a: {image: a:1}}", "a=a:1(-|a:1|-|-) b=*b:1(-|b:1|-|-)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_read_of_every_helm_release),
        cmocka_unit_test(test_values_hold_images_in_every_shape),
        cmocka_unit_test(test_values_tags_read_as_they_are_written),
        cmocka_unit_test(test_values_images_are_ordered_by_name),
        cmocka_unit_test(test_values_pass_over_what_is_no_image),
        cmocka_unit_test(test_values_parts_that_make_no_image_are_a_problem),
        cmocka_unit_test(test_values_are_found_by_annotations),
        cmocka_unit_test(test_values_know_which_parts_are_written_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
