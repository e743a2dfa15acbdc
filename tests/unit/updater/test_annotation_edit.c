#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/annotation_edit.h"

#define HEAD "apiVersion: v1\nkind: Pod\n"
#define TAIL "spec: {}\n"

static void release_file(struct manifest_file **file)
{
    manifest_file_unref(*file);
}

/* The text of `before` with the changes made to its resource of that index; NULL with err. free() it. */
static char *edited(const char *before, size_t index, const struct annotation_change *changes, size_t len,
                    struct error *err)
{
    CLEANUP(release_file)
    struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(before), strlen(before), "default");
    assert_true(index < file->resources_len);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    if (annotation_edit(&file->resources[index], changes, len, &out, err) < 0) {
        assert_int_equal(out.len, 0);
        return NULL;
    }
    return strbuf_detach(&out, NULL);
}

static void check(const char *before, size_t index, const char *key, const char *value, const char *after)
{
    struct error err = ERROR_INIT;
    const struct annotation_change change = {.key = key, .value = value};
    AUTO_FREE char *text = edited(before, index, &change, 1, &err);
    if (!text)
        fail_msg("%s\n%s", err.text, before);
    assert_string_equal(text, after);
}

static void test_annotation_set_goes_where_its_place_is(void **state)
{
    (void)state;
    static const struct {
        const char *before, *key, *value, *after;
    } cases[] = {
        /* at the end of the block, in its indentation */
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y # c\n    # own line\n" TAIL, "fluxcd.io/locked",
         "true",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: y # c\n    fluxcd.io/locked: \"true\"\n    # own "
              "line\n" TAIL},
        /* in place, in its quotes */
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: 'false' # c\n" TAIL, "k", "true",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: 'true' # c\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: false\n" TAIL, "k", "true",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: \"true\"\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k:  # c\n    l: m\n" TAIL, "k", "glob:a-*",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: glob:a-*  # c\n    l: m\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one\n      two\n\n    l: m\n" TAIL, "k",
         "three", HEAD "metadata:\n  name: a\n  annotations:\n    k: \"three\"\n\n    l: m\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: one\n      two\n    l: m\n" TAIL, "k", "three",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: three\n    l: m\n" TAIL},
        /* behind a block scalar, and behind its blank lines if they are its own */
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one\n\n" TAIL, "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one\n    l: m\n\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: >-\r\n      one\r\n\r\n\n" TAIL, "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: >-\r\n      one\r\n    l: m\r\n\r\n\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |+\n      one\n\n" TAIL, "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: |+\n      one\n\n    l: m\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one\n        \n" TAIL, "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one\n        \n    l: m\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n\n" TAIL, "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n    l: m\n\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: |\n      one", "l", "m",
         HEAD "metadata:\n  name: a\n  annotations:\n    l: m\n    k: |\n      one"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: \n    l: m\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: v\n    l: m\n" TAIL},
        /* in the quotes of the others, where it needs any */
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: '1'\n    y: z\n    k: 1\n" TAIL, "k", "true",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: '1'\n    y: z\n    k: 'true'\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: '1'\n" TAIL, "k", "it's: so",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: '1'\n    k: 'it''s: so'\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: 'y'}\n" TAIL, "k", "a\nb",
         HEAD "metadata:\n  name: a\n  annotations: {x: 'y', k: \"a\\nb\"}\n" TAIL},
        {HEAD "metadata: {\"name\": \"a\", \"annotations\": {\"k\": null}}\n" TAIL, "k", "v",
         HEAD "metadata: {\"name\": \"a\", \"annotations\": {\"k\": \"v\"}}\n" TAIL},
        {HEAD "metadata: {\"name\": \"a\"}\n" TAIL, "k", "v",
         HEAD "metadata: {\"name\": \"a\", \"annotations\": {\"k\": \"v\"}}\n" TAIL},
        /* no annotations */
        {HEAD "metadata:\n    name: a # c\n" TAIL, "k", "1.10",
         HEAD "metadata:\n    name: a # c\n    annotations:\n        k: \"1.10\"\n" TAIL},
        {HEAD "metadata:\n  annotations:\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations:\n    k: v\n  name: a\n" TAIL},
        {HEAD "metadata:\n  annotations:  # none\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations:  # none\n    k: v\n  name: a\n" TAIL},
        {HEAD "metadata:\n  annotations: null # c\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations: # c\n    k: v\n  name: a\n" TAIL},
        {HEAD "metadata:\n  annotations: {}\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations:\n    k: v\n  name: a\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: ~", "k", "v",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: v"},
        {HEAD "metadata:\n  annotations: # none\n     ~\t# c\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations: # none\n     k: v\t# c\n  name: a\n" TAIL},
        {HEAD "metadata:\n  annotations:\n   {}\n  name: a\n" TAIL, "k", "v",
         HEAD "metadata:\n  annotations:\n   k: v\n  name: a\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: &n", "k", "v",
         HEAD "metadata:\n  name: a\n  annotations: &n {k: v}"},
        /* flow */
        {HEAD "metadata: {name: a}\n" TAIL, "k", "v", HEAD "metadata: {name: a, annotations: {k: v}}\n" TAIL},
        {HEAD "metadata: {name: a, annotations: {}}\n" TAIL, "k", "v",
         HEAD "metadata: {name: a, annotations: {k: v}}\n" TAIL},
        {HEAD "metadata: {name: a, annotations: }\n" TAIL, "k", "v",
         HEAD "metadata: {name: a, annotations: {k: v}}\n" TAIL},
        {HEAD "metadata: {name: a, annotations: null}\n" TAIL, "k", "v",
         HEAD "metadata: {name: a, annotations: {k: v}}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y}\n" TAIL, "fluxcd.io/tag.a", "glob:a",
         HEAD "metadata:\n  name: a\n  annotations: {x: y, fluxcd.io/tag.a: \"glob:a\"}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y,}\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations: {x: y, k: v,}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {\n    x: y\n  }\n" TAIL, "x", "a,b",
         HEAD "metadata:\n  name: a\n  annotations: {\n    x: \"a,b\"\n  }\n" TAIL},
        {"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}\n", "k", "v",
         "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\", "
         "\"annotations\": {\"k\": \"v\"}}}\n"},
        /* a line for each pair: the new one gets its own, and comments stay where they are */
        {HEAD "metadata:\n  name: a\n  annotations: {\n    x: y # c\n  }\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations: {\n    x: y, # c\n    k: v\n  }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {\r\n\tx: y, # c\r\n  }\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations: {\r\n\tx: y, # c\r\n\tk: v,\r\n  }\n" TAIL},
        {HEAD "metadata: {name: a,\n           labels: {x: y}}\n" TAIL, "k", "v",
         HEAD "metadata: {name: a,\n           labels: {x: y},\n           annotations: {k: v}}\n" TAIL},
        {HEAD "metadata: {name: a,\n           annotations: {}}\n" TAIL, "k", "v",
         HEAD "metadata: {name: a,\n           annotations: {k: v}}\n" TAIL},
        {HEAD "metadata: {\n  name: a}\n" TAIL, "k", "v",
         HEAD "metadata: {\n  name: a,\n  annotations: {\n    k: v\n  }}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {\n    # none\n  }\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations: {k: v\n    # none\n  }\n" TAIL},
        {"{\n   \"apiVersion\": \"v1\",\n   \"kind\": \"Pod\",\n   \"metadata\": {\n      \"name\": \"a\"\n  "
         " "
         "}\n}\n",
         "k", "v",
         "{\n   \"apiVersion\": \"v1\",\n   \"kind\": \"Pod\",\n   \"metadata\": {\n      \"name\": \"a\",\n"
         "      \"annotations\": {\n         \"k\": \"v\"\n      }\n   }\n}\n"},
        {"{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\n\t\t\"annotations\": { "
         "},\n\t\t"
         "\"name\": \"a\"\n\t}\n}\n",
         "k", "v",
         "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\n\t\t\"annotations\": "
         "{\n\t\t\t\"k\": "
         "\"v\"\n\t\t},\n\t\t\"name\": \"a\"\n\t}\n}\n"},
        /* line ends, last lines, marks */
        {"apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n", "k", "v",
         "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n  annotations:\r\n    k: v\r\n"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y", "k", "v",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n    k: v"},
        {"\xef\xbb\xbfmetadata:\n  name: a\napiVersion: v1\nkind: Pod", "k", "v",
         "\xef\xbb\xbfmetadata:\n  name: a\n  annotations:\n    k: v\napiVersion: v1\nkind: Pod"},
        {HEAD "metadata:\n  name: a # c\xe2\x80\xa8spec: {}\n", "k", "v",
         HEAD "metadata:\n  name: a # c\n  annotations:\n    k: v\xe2\x80\xa8spec: {}\n"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: &m:|-\n      z\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: &m v\n" TAIL},
        /* a value of its own instead of an alias, a key of its own before a merged one */
        {HEAD "metadata:\n  name: &n a\n  annotations:\n    k: *n\n" TAIL, "k", "v",
         HEAD "metadata:\n  name: &n a\n  annotations:\n    k: v\n" TAIL},
        {HEAD "x: &b {k: w}\nmetadata:\n  name: a\n  annotations:\n    <<: *b\n" TAIL, "k", "v",
         HEAD "x: &b {k: w}\nmetadata:\n  name: a\n  annotations:\n    <<: *b\n    k: v\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: !!str true\n" TAIL, "k", "false",
         HEAD "metadata:\n  name: a\n  annotations:\n    k: !!str \"false\"\n" TAIL},
        /* values that need care */
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n" TAIL, "k", "semver:>=1.0, <2 # \"q\" \\",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n    k: \"semver:>=1.0, <2 # \\\"q\\\" "
              "\\\\\"\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: 'y'\n" TAIL, "x",
         "it's\nK\xc3\xb6ln\x01\xe2\x80\xa8",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: \"it's\\nK\xc3\xb6ln\\u0001\\u2028\"\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: 'y'\n" TAIL, "x", "it's",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: 'it''s'\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n" TAIL, "x", "",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: \"\"\n" TAIL},
        /* as it should be already */
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: true\n" TAIL, "x", "true",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: true\n" TAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].before, 0, cases[i].key, cases[i].value, cases[i].after);
}

static void test_annotation_removal_takes_its_lines(void **state)
{
    (void)state;
    static const struct {
        const char *before, *key, *after;
    } cases[] = {
        {HEAD "metadata:\n  name: a\n  annotations:\n    # kept\n    k: v # gone\n    x: y\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations:\n    # kept\n    x: y\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n    k: v\n  # kept\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n  # kept\n" TAIL},
        {HEAD "metadata:\n  annotations:\n    k: v\n  name: a\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {k: v}\n" TAIL, "k", HEAD "metadata:\n  name: a\n" TAIL},
        {HEAD "metadata: {name: a, annotations: {k: v}}\n" TAIL, "k", HEAD "metadata: {name: a}\n" TAIL},
        {HEAD "metadata: {annotations: {k: v}, name: a}\n" TAIL, "k", HEAD "metadata: {name: a}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y, k: v, z: w}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y, z: w}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y, k: v}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y}\n" TAIL},
        /* of lines in braces its own alone, and the comma before it if it was the last */
        {HEAD "metadata:\n  name: a\n  annotations: {\n    x: y, # x\n    k: v # k\n  }\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {\n    x: y # x\n  }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {\n    x: y, # x\n    k: v, # k\n  }\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {\n    x: y, # x\n  }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {\n    # k\n    k: v, # k\n    # x\n    x: y\n  }\n" TAIL,
         "k", HEAD "metadata:\n  name: a\n  annotations: {\n    # k\n    # x\n    x: y\n  }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {k: v, # k\n    # x\n    x: y}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {\n    # x\n    x: y}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {k: v # k, k\n    , # x\n    # x\n    x: y}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {\n    # x\n    x: y}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y, # x\n    k: v}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y # x\n    }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y\n    , k: v\n    , z: w}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y\n    , z: w}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y # x\n    , k: v, }\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y # x\n     , }\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {x: y\n    , k: v}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {x: y}\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: >-\n      one\n      two\n\n    x: y\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations:\n\n    x: y\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n    k: v", "k",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: y"},
        {"kind: Pod\r\napiVersion: v1\r\nmetadata:\r\n  name: a\r\n  annotations:\r\n    k: v\r\n    x: "
         "y\r\n",
         "k", "kind: Pod\r\napiVersion: v1\r\nmetadata:\r\n  name: a\r\n  annotations:\r\n    x: y\r\n"},
        /* the blank lines would become part of the block scalar */
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: |+ # c\n      y\n    k: v\n\n  \n# c\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: |+ # c\n      y\n# c\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations:\n    x: | # +\n      y\n    k: v\n\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations:\n    x: | # +\n      y\n\n" TAIL},
        {HEAD "metadata:\n  name: a\n" TAIL, "k", HEAD "metadata:\n  name: a\n" TAIL},
        {HEAD "metadata:\n  name: a\n  annotations: {}\n" TAIL, "k",
         HEAD "metadata:\n  name: a\n  annotations: {}\n" TAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].before, 0, cases[i].key, NULL, cases[i].after);
}

static void test_annotation_of_one_object_among_several(void **state)
{
    (void)state;
    check("# first\n" HEAD "metadata:\n  name: a\n---\n" HEAD "metadata:\n  name: b\n...\n---\nbroken: [\n",
          1, "k", "v",
          "# first\n" HEAD "metadata:\n  name: a\n---\n" HEAD
          "metadata:\n  name: b\n  annotations:\n    k: v\n...\n---\nbroken: [\n");
    static const char list[] =
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n"
        "-  metadata:\n      annotations: {x: y}\n      name: b\n   apiVersion: v1\n   kind: Pod\n";
    check(list, 0, "k", "v",
          "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n    "
          "annotations:\n"
          "      k: v\n"
          "-  metadata:\n      annotations: {x: y}\n      name: b\n   apiVersion: v1\n   kind: Pod\n");
    check(list, 1, "x", NULL,
          "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n"
          "-  metadata:\n      name: b\n   apiVersion: v1\n   kind: Pod\n");
}

static void test_annotation_changes_are_made_in_order(void **state)
{
    (void)state;
    static const struct annotation_change changes[] = {
        {"fluxcd.io/locked", "true"}, {"fluxcd.io/locked_msg", "a: b"}, {"x", NULL}, {"gone", NULL}};
    struct error err = ERROR_INIT;
    AUTO_FREE char *text =
        edited(HEAD "metadata:\n  name: a\n  annotations:\n    x: y\n" TAIL, 0, changes, 4, &err);
    assert_string_equal(text, HEAD "metadata:\n  name: a\n  annotations:\n    fluxcd.io/locked: \"true\"\n"
                                   "    fluxcd.io/locked_msg: \"a: b\"\n" TAIL);
    static const struct annotation_change undone[] = {{"fluxcd.io/locked", NULL},
                                                      {"fluxcd.io/locked_msg", NULL}};
    AUTO_FREE char *last = edited(text, 0, undone, 2, &err);
    assert_string_equal(last, HEAD "metadata:\n  name: a\n" TAIL);
}

static void test_annotation_that_is_shared_or_has_no_place_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *value, *why;
    } cases[] = {
        {HEAD "x: &a {k: v}\nmetadata:\n  name: a\n  annotations: *a\n", "w",
         "k: line 6: annotations is shared by an anchor and aliases: other objects would change with it; "
         "write it out "
         "for this object"},
        {HEAD "metadata:\n  name: a\n  annotations: &a\n    k: v\nspec:\n  annotations: *a\n", "w",
         "k: line 6: annotations is shared by"},
        {HEAD "x: &m {name: a}\nmetadata: *m\n", "w", "k: line 4: metadata is shared by"},
        {HEAD "x: &m {annotations: {k: v}}\nmetadata:\n  <<: *m\n  name: a\n", "w",
         "k: line 5: annotations comes from a merge key (<<)"},
        {HEAD "x: &b {k: w}\nmetadata:\n  name: a\n  annotations:\n    <<: *b\n", NULL,
         "k: line 7: k comes from a merge key (<<)"},
        {HEAD "x: &b {k: w}\nmetadata:\n  name: a\n  annotations:\n    <<: *b\n    k: v\n", NULL,
         "k: line 7: k comes from a merge key (<<)"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: &x v\nspec: *x\n", "w",
         "k: line 6: the value is shared"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: &x v\n    l: m\nspec: *x\n", NULL,
         "k: line 6: it has an anchor"},
        {HEAD "metadata:\n  name: a\n  ? x\n---\n", "w",
         "k: line 4: its last key has neither value nor colon"},
        {HEAD "metadata:\n  ?\n   name\n  : a\n", "w", "k: line 4: its indentation is not made of spaces"},
        {HEAD "metadata: {name: a, annotations, x: y}\n", "w",
         "k: line 3: its key has neither value nor colon"},
        {HEAD "metadata: {name: a, annotations: {k }}\n", "w",
         "k: line 3: its key has neither value nor colon"},
        {HEAD "metadata:\n  name: a\n  annotations: [k]\n", "w", "k: line 5: annotations is no mapping"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: [v]\n", "w",
         "k: line 6: the value of the annotation is no text"},
        {HEAD "metadata:\n  name: a\n  annotations:\n    k: !!bool true\n", "w",
         "k: line 6: the value of the annotation"},
        {HEAD "metadata:\n  ? annotations\n  : {k: v}\n  name: a\n", NULL,
         "k: line 4: the annotation shares its line with something else"},
        {"apiVersion: v1\nkind: List\nx: &p\n  apiVersion: v1\n  kind: Pod\n  metadata:\n    name: "
         "a\nitems:\n- *p\n",
         "w", "k: line 9: the object is shared by"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        const struct annotation_change change = {.key = "k", .value = cases[i].value};
        AUTO_FREE char *text = edited(cases[i].before, 0, &change, 1, &err);
        assert_null(text);
        assert_int_equal(err.code, ERROR_UNSUPPORTED);
        if (strncmp(err.text, cases[i].why, strlen(cases[i].why)) != 0)
            assert_string_equal(err.text, cases[i].why);
    }
}

static void test_annotation_value_must_be_text(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    const struct annotation_change change = {.key = "k", .value = "\xff"};
    AUTO_FREE char *text = edited(HEAD "metadata:\n  name: a\n", 0, &change, 1, &err);
    assert_null(text);
    assert_int_equal(err.code, ERROR_INVALID);
}

/* The first node of a file. */
static const struct yaml_node root = {.kind = YAML_MAPPING, .number = 1};

/* What a kustomization may lack: an object without a name is no resource of a cluster. */
static void test_annotation_makes_metadata_where_there_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"resources: # c\n  - a.yaml\n# end\n",
         "resources: # c\n  - a.yaml\nmetadata:\n  annotations:\n    k: v\n# end\n"},
        {"metadata:\nresources: [a.yaml]\n", "metadata:\n  annotations:\n    k: v\nresources: [a.yaml]\n"},
        {"metadata: {}\nresources: [a.yaml]", "metadata:\n  annotations:\n    k: v\nresources: [a.yaml]"},
        {"{resources: [a.yaml]}\n", "{resources: [a.yaml], metadata: {annotations: {k: v}}}\n"},
        {"{resources: [a.yaml], metadata: {}}\n", "{resources: [a.yaml], metadata: {annotations: {k: v}}}\n"},
        {"resources:\n- |\n  a\n", "resources:\n- |\n  a\nmetadata:\n  annotations:\n    k: v\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *before = cases[i].before;
        CLEANUP(release_file)
        struct manifest_file *file = manifest_file_new("a.yaml", xstrdup(before), strlen(before), "default");
        const struct resource resource = {.kind = "Kustomization", .node = &root, .file = file, .line = 1};
        const struct annotation_change there = {.key = "k", .value = "v"}, back = {.key = "k"};
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct error err = ERROR_INIT;
        if (annotation_edit(&resource, &there, 1, &text, &err) < 0)
            fail_msg("%s\n%s", err.text, before);
        assert_string_equal(text.buf, cases[i].after);
        if (strstr(before, "metadata"))
            continue;
        CLEANUP(release_file)
        struct manifest_file *changed =
            manifest_file_new("a.yaml", xmemdupz(text.buf, text.len), text.len, "default");
        const struct resource again = {.kind = "Kustomization", .node = &root, .file = changed, .line = 1};
        strbuf_reset(&text);
        assert_int_equal(annotation_edit(&again, &back, 1, &text, &err), 0);
        assert_string_equal(text.buf, before);
    }
}

static void test_annotation_of_a_file_with_comments_is_none(void **state)
{
    (void)state;
    static const char before[] = "tag: 1 # pawl: a/b semver:1\n";
    CLEANUP(release_file)
    struct manifest_file *file = manifest_file_new("v.yaml", xstrdup(before), strlen(before), "default");
    const struct resource resource = {.kind = "File", .node = &root, .file = file, .line = 1};
    const struct annotation_change change = {.key = "k", .value = "v"};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(annotation_edit(&resource, &change, 1, &text, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
}

/* -- all styles against each other --------------------------------------------------------------------------------- */

struct style {
    int indent;
    const char *line_break, *comment, *before, *after;
    bool is_flow, ends_open;
    int existing; /* annotations there are */
};

static void add_line(struct strbuf *out, const struct style *s, int depth, const char *text)
{
    strbuf_addf(out, "%*s%s%s%s", depth * s->indent, "", text, s->comment, s->line_break);
}

static char *write_object(const struct style *s)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    strbuf_addstr(&out, s->before);
    add_line(&out, s, 0, "apiVersion: v1");
    add_line(&out, s, 0, "kind: Pod");
    add_line(&out, s, 0, "metadata:");
    add_line(&out, s, 1, "name: target");
    if (s->existing && s->is_flow)
        add_line(&out, s, 1,
                 s->existing > 1 ? "annotations: {one: '1', two: \"2\"}" : "annotations: {one: '1'}");
    for (int i = -1; !s->is_flow && i < s->existing && s->existing; i++)
        add_line(&out, s, i < 0 ? 1 : 2, i < 0 ? "annotations:" : i ? "two: \"2\"" : "one: '1'");
    add_line(&out, s, 1, "labels: {app: x}");
    strbuf_addstr(&out, s->after);
    if (s->ends_open)
        while (out.len && strchr("\r\n", out.buf[out.len - 1]))
            out.buf[--out.len] = '\0';
    return strbuf_detach(&out, NULL);
}

static const struct resource *find_target(const struct manifest_file *file)
{
    for (size_t i = 0; i < file->resources_len; i++) {
        if (!strcmp(file->resources[i].id.name, "target"))
            return &file->resources[i];
    }
    fail_msg("no target in\n%s", file->text);
    return NULL;
}

/* Set and removed again, the text is what it was; and in between the annotation reads as it was given. */
static void check_there_and_back(const struct style *s, const char *value)
{
    AUTO_FREE char *before = write_object(s);
    struct error err = ERROR_INIT;
    CLEANUP(release_file)
    struct manifest_file *old = manifest_file_new("a.yaml", xstrdup(before), strlen(before), "default");
    const struct annotation_change there = {.key = "fluxcd.io/tag.app", .value = value};
    const struct annotation_change back = {.key = "fluxcd.io/tag.app", .value = NULL};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT, last = STRBUF_INIT;
    if (annotation_edit(find_target(old), &there, 1, &text, &err) < 0)
        fail_msg("%s\n%s", err.text, before);
    CLEANUP(release_file)
    struct manifest_file *new =
        manifest_file_new("a.yaml", xmemdupz(text.buf, text.len), text.len, "default");
    assert_string_equal(resource_annotation(find_target(new), there.key), value);
    assert_int_equal(find_target(new)->annotations_len, s->existing + 1);
    if (annotation_edit(find_target(new), &back, 1, &last, &err) < 0)
        fail_msg("%s\n%s", err.text, text.buf);
    assert_string_equal(last.buf, before);
}

static void test_annotation_set_and_removed_leaves_every_byte(void **state)
{
    (void)state;
    static const char *const breaks[] = {"\n", "\r\n"}, *const comments[] = {"", " # a: comment"};
    static const char *const befores[] = {"", "\xef\xbb\xbf", "# top\n---\n",
                                          "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n---\n"};
    static const char *const afters[] = {"", "spec: |\n  a\n\n", "---\nbroken: [\n", "# end\n", "\n\n"};
    static const char *const values[] = {"true", "glob:v*", "semver:>=1, <2", "it's\na \"b\"\t\\",
                                         "1e3",  "-",       "K\xc3\xb6ln"};
    for (unsigned n = 0; n < 8 * 2 * 2 * 4 * 5 * 2 * 3 * 2; n++) {
        unsigned at = n;
        struct style s = {.indent = 1 + (int)(at % 8)};
        at /= 8;
        s.line_break = breaks[at % 2];
        at /= 2;
        s.comment = comments[at % 2];
        at /= 2;
        s.before = befores[at % 4];
        at /= 4;
        s.after = afters[at % 5];
        at /= 5;
        s.is_flow = at % 2;
        at /= 2;
        s.existing = (int)(at % 3);
        at /= 3;
        s.ends_open = at % 2;
        check_there_and_back(&s, values[n % ARRAY_LEN(values)]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_annotation_set_goes_where_its_place_is),
        cmocka_unit_test(test_annotation_removal_takes_its_lines),
        cmocka_unit_test(test_annotation_of_one_object_among_several),
        cmocka_unit_test(test_annotation_changes_are_made_in_order),
        cmocka_unit_test(test_annotation_that_is_shared_or_has_no_place_is_refused),
        cmocka_unit_test(test_annotation_value_must_be_text),
        cmocka_unit_test(test_annotation_makes_metadata_where_there_is_none),
        cmocka_unit_test(test_annotation_of_a_file_with_comments_is_none),
        cmocka_unit_test(test_annotation_set_and_removed_leaves_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
