#include "updater/commit_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "commit_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_message_has_trailers_behind_an_empty_line, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
