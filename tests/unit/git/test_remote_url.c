#include "git/remote_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static void assert_text(const char *url, const char *what, const char *got, const char *wanted)
{
    if (got ? !wanted || strcmp(got, wanted) != 0 : wanted != NULL)
        fail_msg("%s: %s is %s, not %s", url, what, got ? got : "NULL", wanted ? wanted : "NULL");
}

static void test_remote_url_takes_what_git_takes(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum remote_kind kind;
        const char *user, *password, *host;
        int port;
        const char *path, *base, *shown;
    } cases[] = {
        {"/srv/a.git", REMOTE_LOCAL, NULL, NULL, NULL, 0, "/srv/a.git", NULL, "/srv/a.git"},
        {"repo", REMOTE_LOCAL, NULL, NULL, NULL, 0, "repo", NULL, "repo"},
        {"./odd:name", REMOTE_LOCAL, NULL, NULL, NULL, 0, "./odd:name", NULL, "./odd:name"},
        {"a/b:c", REMOTE_LOCAL, NULL, NULL, NULL, 0, "a/b:c", NULL, "a/b:c"},
        {"file:///srv/a%20b", REMOTE_LOCAL, NULL, NULL, NULL, 0, "/srv/a b", NULL, "file:///srv/a b"},
        {"file://localhost/srv/a", REMOTE_LOCAL, NULL, NULL, NULL, 0, "/srv/a", NULL, "file:///srv/a"},
        {"ssh://host/srv/a", REMOTE_SSH, NULL, NULL, "host", 0, "/srv/a", NULL, "ssh://host/srv/a"},
        {"ssh://git@host:2222/a", REMOTE_SSH, "git", NULL, "host", 2222, "/a", NULL, "ssh://git@host:2222/a"},
        {"SSH://host:/a", REMOTE_SSH, NULL, NULL, "host", 0, "/a", NULL, "ssh://host/a"},
        {"ssh://host/~me/a", REMOTE_SSH, NULL, NULL, "host", 0, "~me/a", NULL, "ssh://host/~me/a"},
        {"ssh://git@[::1]:22/a", REMOTE_SSH, "git", NULL, "::1", 22, "/a", NULL, "ssh://git@[::1]:22/a"},
        {"git+ssh://host/a%2Bb", REMOTE_SSH, NULL, NULL, "host", 0, "/a+b", NULL, "ssh://host/a+b"},
        {"[fe80::1%eth0]:r", REMOTE_SSH, NULL, NULL, "fe80::1%eth0", 0, "r", NULL, "[fe80::1%eth0]:r"},
        {"host:a/b", REMOTE_SSH, NULL, NULL, "host", 0, "a/b", NULL, "host:a/b"},
        {"git@github.com:o/r.git", REMOTE_SSH, "git", NULL, "github.com", 0, "o/r.git", NULL,
         "git@github.com:o/r.git"},
        {"git@host:/~me/r", REMOTE_SSH, "git", NULL, "host", 0, "~me/r", NULL, "git@host:/~me/r"},
        {"[host:2222]:r", REMOTE_SSH, NULL, NULL, "host", 2222, "r", NULL, "[host:2222]:r"},
        {"me@[::1]:r", REMOTE_SSH, "me", NULL, "::1", 0, "r", NULL, "me@[::1]:r"},
        {"https://host/o/r.git", REMOTE_HTTP, NULL, NULL, "host", 0, NULL, "https://host/o/r.git",
         "https://host/o/r.git"},
        {"https://host/o/r/", REMOTE_HTTP, NULL, NULL, "host", 0, NULL, "https://host/o/r",
         "https://host/o/r"},
        {"HTTP://host:8080/r", REMOTE_HTTP, NULL, NULL, "host", 8080, NULL, "http://host:8080/r",
         "http://host:8080/r"},
        {"https://me:p%40ss:w@host/r", REMOTE_HTTP, "me", "p@ss:w", "host", 0, NULL, "https://host/r",
         "https://host/r"},
        {"https://token@host/r", REMOTE_HTTP, "token", NULL, "host", 0, NULL, "https://host/r",
         "https://host/r"},
        {"https://[::1]:443/r%20s", REMOTE_HTTP, NULL, NULL, "::1", 443, NULL, "https://[::1]:443/r%20s",
         "https://[::1]:443/r%20s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(remote_url_release) struct remote_url url = REMOTE_URL_INIT;
        struct error err = ERROR_INIT;
        if (remote_url_parse(cases[i].text, &url, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_int_equal(url.kind, cases[i].kind);
        assert_text(cases[i].text, "user", url.user, cases[i].user);
        assert_text(cases[i].text, "password", url.password, cases[i].password);
        assert_text(cases[i].text, "host", url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_text(cases[i].text, "path", url.path, cases[i].path);
        assert_text(cases[i].text, "base", url.base, cases[i].base);
        assert_text(cases[i].text, "shown", url.shown, cases[i].shown);
    }
}

static void test_remote_url_refuses_what_could_do_harm(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"", ERROR_USAGE, "empty"},
        {"git://host/r", ERROR_UNSUPPORTED, "git://"},
        {"ftp://host/r", ERROR_UNSUPPORTED, "ftp://"},
        {"ext::sh -c whoami", ERROR_UNSUPPORTED, "remote helpers"},
        {"ext::host:r", ERROR_UNSUPPORTED, "remote helpers"},
        {"-oProxyCommand=x:r", ERROR_USAGE, "\"-\""},
        {"ssh://-oProxyCommand=x/r", ERROR_USAGE, "\"-\""},
        {"ssh://%2doProxyCommand=x/r", ERROR_USAGE, "\"-\""},
        {"ssh://-x@host/r", ERROR_USAGE, "\"-\""},
        {"-x@host:r", ERROR_USAGE, "\"-\""},
        {"host:-r", ERROR_USAGE, "\"-\""},
        {"--upload-pack=x", ERROR_USAGE, "\"-\""},
        {"ssh://host", ERROR_USAGE, "no path"},
        {"ssh:///r", ERROR_USAGE, "no host"},
        {":r", ERROR_USAGE, "no host"},
        {"host:", ERROR_USAGE, "no path"},
        {"https:///r", ERROR_USAGE, "no host"},
        {"https://host/r?x=1", ERROR_USAGE, "query"},
        {"https://host/r#x", ERROR_USAGE, "query"},
        {"https://host\\@evil/r", ERROR_USAGE, "malformed"},
        {"https://a b/r", ERROR_USAGE, "malformed"},
        {"https://host:0/r", ERROR_USAGE, "port"},
        {"https://host:65536/r", ERROR_USAGE, "port"},
        {"https://host:1x/r", ERROR_USAGE, "port"},
        {"ssh://[::1/r", ERROR_USAGE, "bracket"},
        {"http://[ee%]/r", ERROR_USAGE, "IPv6"},
        {"http://[fe80::1%eth0]/r", ERROR_USAGE, "malformed"},
        {"http://h%25/r", ERROR_USAGE, "malformed"},
        {"http://h%3ax/r", ERROR_USAGE, "malformed"},
        {"ssh://me:secret@host/r", ERROR_USAGE, "no password"},
        {"https://me:%zz@host/r", ERROR_USAGE, "hexadecimal"},
        {"ssh://host/%00", ERROR_USAGE, "hexadecimal"},
        {"ssh://host/a%0ab", ERROR_USAGE, "control"},
        {"https://me:a%0ab@host/r", ERROR_USAGE, "control"},
        {"/srv/a\nb", ERROR_USAGE, "control"},
        {"file://host/r", ERROR_USAGE, "file:///"},
        {"file://local/r", ERROR_USAGE, "file:///"},
        {"file://", ERROR_USAGE, "no path"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(remote_url_release) struct remote_url url = REMOTE_URL_INIT;
        struct error err = ERROR_INIT;
        if (remote_url_parse(cases[i].text, &url, &err) == 0)
            fail_msg("%s was taken", cases[i].text);
        if (err.code != cases[i].code || !strstr(err.text, cases[i].says))
            fail_msg("%s: %s: %s", cases[i].text, error_code_name(err.code), err.text);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remote_url_takes_what_git_takes),
        cmocka_unit_test(test_remote_url_refuses_what_could_do_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
