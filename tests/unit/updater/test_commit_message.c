#include "updater/commit_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "release_fixture.h"

struct world {
    struct manifest_set *set;
    struct release *release;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    w->set = set_of(POD_WITH_SIDE("a", "web", "example.test/web:1", "localhost:5000/side", ""));
    const struct resource *web = w->set->resources[0];
    const struct image_target targets[] = {
        {web, &web->containers[0], "example.test/web:2", "2 is the newest", NULL},
        {web, &web->containers[1],
         "localhost:5000/side:x@sha256:"
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         "why", NULL},
    };
    w->release = release_new(targets, ARRAY_LEN(targets));
    *state = w;
    return w->release->changes_len == 2 ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    release_free(w->release);
    manifest_set_free(w->set);
    free(w);
    return 0;
}

static void test_commit_message_is_what_the_template_says(void **state)
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
    };
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct commit_template *template = commit_template_new(cases[i].text, &err);
        if (!template)
            fail_msg("%s: %s", cases[i].text, err.text);
        AUTO_FREE char *got = commit_message(&(struct message_form){.template = template}, w->release);
        assert_string_equal(got, cases[i].wanted);
        commit_template_free(template);
    }
}

static void test_commit_message_has_trailers_behind_an_empty_line(void **state)
{
    static const char trailers[] =
        "\n\nPawl-Change: a:pod/web app example.test/web:1 -> example.test/web:2\n"
        "Pawl-Change: a:pod/web side localhost:5000/side -> localhost:5000/side:x@sha256:"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
    static const char *const texts[] = {"x", "x\n"};
    const struct world *w = *state;
    AUTO_FREE char *wanted = xasprintf("x%s", trailers);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct commit_template *template = commit_template_new(texts[i], NULL);
        AUTO_FREE char *got =
            commit_message(&(struct message_form){.template = template, .has_trailers = true}, w->release);
        assert_string_equal(got, wanted);
        commit_template_free(template);
    }
    AUTO_FREE char *flux = release_message(w->release);
    AUTO_FREE char *plain = commit_message(&(struct message_form){.template = NULL}, w->release);
    assert_string_equal(plain, flux);
}

static void test_commit_template_refuses_what_it_does_not_know(void **state UNUSED)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "empty"},
        {" \n", "empty"},
        {"a\n{{tga}}", "line 2 of the template: there is no {{tga}}"},
        {"{{label.version}}", "there is no {{label.version}}"},
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
        cmocka_unit_test_setup_teardown(test_commit_message_is_what_the_template_says, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit_message_has_trailers_behind_an_empty_line, setup,
                                        teardown),
        cmocka_unit_test(test_commit_template_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
