#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "model/manifest.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD(annotations)                                                                                    \
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, annotations: {" annotations    \
    "}}\nspec:\n"

static void assert_read(const char *text, const char *expected)
{
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(file->resources_len, 1);
    const struct resource *r = &file->resources[0];
    assert_true(r->is_applied && r->is_workload);
    for (size_t k = 0; k < r->containers_len; k++) {
        const struct container *c = &r->containers[k];
        strbuf_addf(&out, "%s%d:%s=%s%s", k ? " " : "", c->line, c->name, c->image.text ? c->image.text : "?",
                    c->is_alias ? "*" : "");
    }
    for (size_t i = 0; i < file->problems_len; i++)
        strbuf_addf(&out, "\nproblem %d: %s", file->problems[i].line, file->problems[i].message);
    assert_string_equal(out.buf, expected);
    manifest_file_unref(file);
}

static void test_application_has_images_in_its_sources(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {HEAD("") "  source:\n    helm:\n      parameters:\n"
                  "        - {name: image.repository, value: q/app}\n"
                  "        - {name: image.tag, value: \"1.0\"}\n"
                  "        - {name: a.b.image.repository, value: app}\n"
                  "        - {name: a.b.image.registry, value: r.io}\n"
                  "        - {name: a.b.image.tag, value: '2'}\n"
                  "        - {name: a.b.image.digest, value: '" DIGEST "'}\n"
                  "        - {name: replicas, value: '2'}\n",
         "9:chart-image=q/app:1.0 12:a.b=r.io/app:2@" DIGEST},
        {HEAD(
             "") "  sources:\n    - helm: {parameters: [{name: image, value: 'q/app:1'}]}\n"
                 "    - helm: {parameters: [{name: web.image, value: 'q/web'}, {name: web.tag, value: v1}]}\n"
                 "    - helm: {parameters: [{name: x.image, value: 'Not One'}, {name: .image, value: "
                 "'q/x:1'},\n"
                 "        {name: myimage, value: 'q/x:1'}, {name: y.image.tag, value: 'q/x:1'}, {value: a}, "
                 "1]}\n",
         "6:chart-image=q/app:1 7:web=q/web:v1"},
        {HEAD("") "  source:\n    helm: {parameters: [{name: image, value: 'q/app:1'}, {name: image, value: "
                  "'q/app:2'}]}\n",
         "6:chart-image=q/app:2"},
        {HEAD("") "  source:\n    helm:\n      valuesObject:\n        web: {image: {repository: q/web, tag: "
                  "v1}}\n",
         "8:web=q/web:v1"},
        {HEAD("") "  source:\n    kustomize:\n      images:\n      - q/app:1\n      - x/web=q/web:2\n"
                  "      - db@" DIGEST "\n      - c=r.io:5000/c@" DIGEST "\n",
         "8:app=q/app:1 9:web=q/web:2 10:db=db@" DIGEST " 11:c=r.io:5000/c@" DIGEST},
        {HEAD("") "  source:\n    kustomize:\n      images: [[a], 'x=UP', 'x=q/x:1', 'y/x=q/x:1']\n",
         "7:=? 7:x=? 7:x=q/x:1 7:x=q/x:1\n"
         "problem 7: container 1: an image of kustomize.images must be a string\n"
         "problem 7: container x: \"UP\" is no image reference: the path must be of lower-case letters and "
         "digits, "
         "joined by single \".\", \"_\", \"__\", \"-\" and \"/\"\n"
         "problem 7: container x: this workload has another container of that name (line 7); containers are "
         "found "
         "by their names, so give it one of its own\n"
         "problem 7: container x: this workload has another container of that name (line 7); containers are "
         "found "
         "by their names, so give it one of its own"},
        {HEAD("") "  source:\n    helm:\n      values: |\n        # c\n        image: q/app:1\n"
                  "        web: {image: {repository: q/web, tag: v1}}\n",
         "9:chart-image=q/app:1 10:web=q/web:v1"},
        {HEAD("") "  source:\n    helm:\n      values: &v |-\n\n        image: q/app:1\n  other: *v\n",
         "9:chart-image=q/app:1"},
        {HEAD("") "  source:\n    helm:\n      values: |\n\n", ""},
        {HEAD("") "  source: {helm: {values: 'image: q/app:1'}}\n", ""},
        {HEAD("fluxcd.io/automated: 'true'") "  source: {helm: {values: 'image: q/app:1'}}\n",
         "5:helm.values=?\n"
         "problem 5: container helm.values: images in helm.values are not followed: line 5: YAML in a string "
         "is read "
         "from a literal block alone (\"|\"); valuesObject and parameters can be written instead"},
        {HEAD("fluxcd.io/automated: 'true'") "  source:\n    helm:\n      values: |\n        a: 1\n        "
                                             "a: 2\n",
         "7:helm.values=?\n"
         "problem 7: container helm.values: images in helm.values are not followed: line 9: the key \"a\" is "
         "there "
         "twice, in line 1 and in line 2; valuesObject and parameters can be written instead"},
        {HEAD("") "  source: &s {kustomize: {images: [q/app:1]}}\n  sources: [*s]\n  other: *s\n",
         "5:app=q/app:1 5:app=q/app:1*\n"
         "problem 5: container app: this workload has another container of that name (line 5); containers "
         "are found "
         "by their names, so give it one of its own"},
        {HEAD("") "  source: {repoURL: x}\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(cases[i].text, cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_application_has_images_in_its_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
