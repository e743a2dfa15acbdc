#include "git/ssh_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/process.h"

static void test_ssh_command_is_what_git_would_run(void **state UNUSED)
{
    static const struct {
        const char *url;
        struct ssh_choice choice;
        const char *argv; /* joined by "|" */
    } cases[] = {
        {"git@host:o/r.git",
         {NULL, NULL},
         "ssh|-o|BatchMode=yes|-o|ConnectTimeout=30|git@host|git-upload-pack 'o/r.git'"},
        {"ssh://host:2222/~me/r",
         {"", ""},
         "ssh|-o|BatchMode=yes|-o|ConnectTimeout=30|-p|2222|host|git-upload-pack '~me/r'"},
        {"ssh://[::1]/r", {NULL, "/opt/my ssh"}, "/opt/my ssh|::1|git-upload-pack '/r'"},
        {"ssh://me@host:22/r",
         {"ssh -i key", "ignored"},
         "sh|-c|ssh -i key \"$@\"|ssh -i key|-p|22|me@host|git-upload-pack '/r'"},
        {"host:it's!",
         {NULL, NULL},
         "ssh|-o|BatchMode=yes|-o|ConnectTimeout=30|host|git-upload-pack 'it'\\''s'\\!''"},
        {"host:a; rm -rf b",
         {NULL, NULL},
         "ssh|-o|BatchMode=yes|-o|ConnectTimeout=30|host|git-upload-pack 'a; rm -rf b'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(remote_url_release) struct remote_url url = REMOTE_URL_INIT;
        CLEANUP(strvec_release) struct strvec argv = STRVEC_INIT;
        CLEANUP(strbuf_release) struct strbuf joined = STRBUF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(remote_url_parse(cases[i].url, &url, &err), 0);
        ssh_command_build(&url, "git-upload-pack", &cases[i].choice, &argv);
        for (size_t k = 0; k < argv.len; k++)
            strbuf_addf(&joined, "%s%s", k ? "|" : "", argv.items[k]);
        assert_string_equal(joined.buf, cases[i].argv);
    }
}

/* What a shell makes of the quoted text is the text. */
static void test_ssh_command_quote_survives_a_shell(void **state UNUSED)
{
    static const char *const texts[] = {
        "plain", "two words", "it's", "''", "a'b'c!", "$HOME `id` \\ \"q\" *", ";|&<>()"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(strbuf_release) struct strbuf script = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        strbuf_addstr(&script, "printf %s ");
        ssh_command_quote(&script, texts[i]);
        const char *const argv[] = {"sh", "-c", script.buf, NULL};
        const struct process_options options = {.argv = argv, .timeout_ms = 10000};
        struct error err = ERROR_INIT;
        assert_int_equal(process_run(&options, "", 0, &out, &err), 0);
        assert_string_equal(out.buf, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ssh_command_is_what_git_would_run),
        cmocka_unit_test(test_ssh_command_quote_survives_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
