#include "updater/commit_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "commit_fixture.h"

/* free() it. */
static char *rendered(const char *text, const struct release *release)
{
    struct error err = ERROR_INIT;
    struct strbuf out = STRBUF_INIT;
    struct commit_template *template = commit_template_new(text, &err);
    if (!template)
        fail_msg("%s: %s", text, err.text);
    commit_template_render(template, release, &out);
    commit_template_free(template);
    return strbuf_detach(&out, NULL);
}

static void test_commit_template_says_what_changes(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"words alone", "words alone"},
        {"{{count}} images\n", "2 images\n"},
        {"{{#changes}}[{{container}}]{{/changes}}", "[app][side]"},
        {"{{count}}:\n\n{{#changes}}\n- {{workload}} {{tag}} ({{reason}})\n{{/changes}}\nend",
         "2:\n\n- a:pod/web 2 (2 is the newest)\n- a:pod/web x (why)\nend"},
        {"{{#changes}}{{name}} {{from}};{{/changes}}",
         "example.test/web example.test/web:1;localhost:5000/side localhost:5000/side;"},
        {"{{#changes}}{{/changes}}{{#changes}}{{count}}{{/changes}} {single} }}", "22 {single} }}"},
        {"{{#count}}{{count}}{{/count}}", "2"},
        {"{{#changes}}\n{{#tag}}\n{{tag}}\n{{/tag}}\n{{/changes}}\n", "2\nx\n"},
        {"{{#changes}}{{#tag}}{{#reason}}{{container}} {{/reason}}{{/tag}}{{/changes}}", "app side "},
        {"{{#changes}}{{label.version}}{{commit-link}}{{#label.title}}never{{/label.title}}.{{/changes}}",
         ".."},
    };
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = rendered(cases[i].text, w->release);
        assert_string_equal(got, cases[i].wanted);
    }
}

/* The first image has these labels, the second none. */
static const char some_labels[] = "{\"org.opencontainers.image.version\":\"2.0\",\"org.opencontainers.image."
                                  "title\":\"Web\\nSigned-off-by: nobody\","
                                  "\"org.opencontainers.image.vendor\":\"Signed-off-by: "
                                  "nobody\",\"org.opencontainers.image.authors\":\"Signed\","
                                  "\"org.opencontainers.image.licenses\":\"-off-by\",\"org.opencontainers."
                                  "image.description\":\"Pawl-Rollback : x\","
                                  "\"org.opencontainers.image.source\":\"https://git.example.test/org/web\","
                                  "\"org.opencontainers.image.revision\":\"0123456789abcdef\"}";

static void test_commit_template_shows_labels_where_there_are_any(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"{{#changes}}{{tag}} {{label.version}};{{/changes}}", "2 2.0;x ;"},
        {"{{#changes}}\n- {{tag}}\n{{#commit-link}}\n  from "
         "{{commit-link}}\n{{/commit-link}}\n{{/changes}}\n",
         "- 2\n  from https://git.example.test/org/web/commit/0123456789abcdef\n- x\n"},
        {"{{#changes}}{{container}}{{#label.version}} ({{label.version}}){{/label.version}};{{/changes}}",
         "app (2.0);side;"},
        {"{{#changes}}Title: {{label.title}}\n{{/changes}}", "Title: Web Signed-off-by: nobody\nTitle: \n"},
    };
    const struct world *w = *state;
    w->release->changes[0].labels = json_read(some_labels, strlen(some_labels), NULL);
    assert_non_null(w->release->changes[0].labels);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = rendered(cases[i].text, w->release);
        assert_string_equal(got, cases[i].wanted);
    }
}

/* What a label makes of a line is no trailer; what the template writes itself stays one. */
static void test_commit_template_lets_no_label_be_a_trailer(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"a\n\n{{#changes}}{{label.vendor}}\n{{/changes}}", "a\n\n- Signed-off-by: nobody\n\n"},
        {"{{#changes}}{{label.vendor}}\n{{label.vendor}}\n{{/changes}}",
         "- Signed-off-by: nobody\n- Signed-off-by: nobody\n\n\n"},
        {"{{#changes}}{{label.authors}}{{label.licenses}}: {{container}}\n{{/changes}}",
         "- Signed-off-by: app\n: side\n"},
        {"{{#changes}}Signed{{label.licenses}}: {{container}}\n{{/changes}}",
         "- Signed-off-by: app\nSigned: side\n"},
        {"{{#changes}}{{label.description}}\n{{/changes}}", "- Pawl-Rollback : x\n\n"},
        {"{{#changes}}Version: {{label.version}} {{label.vendor}}\n{{/changes}}",
         "Version: 2.0 Signed-off-by: nobody\nVersion:  \n"},
        {"{{#changes}}({{label.vendor}})\n{{/changes}}", "(Signed-off-by: nobody)\n()\n"},
        {"{{#changes}}{{label.version}}: it\n{{/changes}}", "2.0: it\n: it\n"},
    };
    const struct world *w = *state;
    w->release->changes[0].labels = json_read(some_labels, strlen(some_labels), NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = rendered(cases[i].text, w->release);
        assert_string_equal(got, cases[i].wanted);
    }
}

static void test_commit_template_knows_whether_it_shows_labels(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool uses;
    } cases[] = {
        {"label.version", false},
        {"{{#changes}}{{tag}}{{/changes}}", false},
        {"{{#changes}}{{label.version}}{{/changes}}", true},
        {"{{#changes}}{{#label.version}}{{/label.version}}{{/changes}}", true},
        {"{{#changes}}{{commit-link}}{{/changes}}", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct commit_template *template = commit_template_new(cases[i].text, NULL);
        assert_int_equal(commit_template_uses_labels(template), cases[i].uses);
        commit_template_free(template);
    }
}

static void test_commit_template_refuses_what_it_does_not_know(void **state UNUSED)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "empty"},
        {" \n", "empty"},
        {"a\n{{tga}}", "line 2 of the template: there is no {{tga}}"},
        {"{{label.version}}", "only between"},
        {"{{#changes}}{{label.verison}}{{/changes}}", "there is no {{label.verison}}; there are count"},
        {"{{#changes}}{{#label.title}}{{/changes}}", "{{/changes}} where {{/label.title}} is due"},
        {"{{#label.title}}{{/label.title}}", "only between"},
        {"{{#nobody}}", "there is no {{nobody}}"},
        {"{{#count}}{{#count}}{{#count}}{{#count}}{{#count}}{{#count}}{{#count}}{{#count}}{{#count}}",
         "too deep"},
        {"{{#count}}", "{{#count}} without {{/count}}"},
        {"{{tag}}", "only between"},
        {"{{#changes}}{{/changes}}{{tag}}", "only between"},
        {"{{#changes}}", "without {{/changes}}"},
        {"{{/changes}}", "without {{#changes}}"},
        {"{{#changes}}{{#changes}}", "within itself"},
        {"{{count", "{{ without }}"},
        {"{{}}", "there is no {{}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(commit_template_new(cases[i].text, &err));
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_template_says_what_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit_template_shows_labels_where_there_are_any, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_commit_template_lets_no_label_be_a_trailer, setup, teardown),
        cmocka_unit_test(test_commit_template_knows_whether_it_shows_labels),
        cmocka_unit_test(test_commit_template_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
