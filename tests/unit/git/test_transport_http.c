/* http:// with git's own http-backend behind a server that can also answer otherwise. */
#include "git/mirror.h"

#include "repository_fixture.h"
#include "tests/unit/scripted_server.h"

#define SECRET "Basic bWU6c2VjcmV0" /* me:secret */

struct host {
    const struct fixture *fixture;
    const char *authorization; /* asked for; NULL: none */
    int authorized;            /* requests that had one, wanted or not */
};

/* Gives the request to `git http-backend` (gitprotocol-http(5) over CGI) and its answer back. */
static bool run_backend(const struct scripted_request *request, int fd, const struct host *host)
{
    AUTO_FREE char *root = xasprintf("GIT_PROJECT_ROOT=%s", host->fixture->directory);
    AUTO_FREE char *path = xasprintf("PATH_INFO=%.*s", (int)strcspn(request->target, "?"), request->target);
    const char *question = strchr(request->target, '?');
    AUTO_FREE char *query = xasprintf("QUERY_STRING=%s", question ? question + 1 : "");
    AUTO_FREE char *method = xasprintf("REQUEST_METHOD=%s", request->method);
    AUTO_FREE char *type = scripted_header(request, "Content-Type");
    AUTO_FREE char *type_variable = xasprintf("CONTENT_TYPE=%s", type ? type : "");
    AUTO_FREE char *length = scripted_header(request, "Content-Length");
    AUTO_FREE char *length_variable = xasprintf("CONTENT_LENGTH=%s", length ? length : "0");
    const char *const argv[] = {"git", "http-backend", NULL};
    const char *const environment[] = {
        root, path, query, method, type_variable, length_variable, "REMOTE_USER=x", "GIT_HTTP_EXPORT_ALL=1",
        NULL};
    const struct process_options options = {.argv = argv, .environment = environment, .timeout_ms = 20000};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (process_run(&options, request->body, length ? strtoul(length, NULL, 10) : 0, &out, &err) < 0)
        return scripted_reply(fd, "500 Failed", "", err.text);
    const char *end = strstr(out.buf, "\r\n\r\n"), *line = strstr(out.buf, "Status: ");
    const char *status = line && end && line < end ? line + strlen("Status: ") : "200 OK";
    CLEANUP(strbuf_release) struct strbuf head = STRBUF_INIT;
    strbuf_addf(&head, "HTTP/1.1 %.*s\r\nConnection: close\r\n", (int)strcspn(status, "\r\n"), status);
    scripted_send(fd, head.buf, head.len);
    scripted_send(fd, out.buf, out.len);
    return false;
}

static bool answer(const struct scripted_request *request, int fd, void *context)
{
    static const struct {
        const char *prefix, *status, *headers, *body;
    } fixed[] = {
        {"/403/", "403 Forbidden", "", ""},
        {"/404/", "404 Not Found", "", ""},
        {"/500/", "500 Broken", "", ""},
        {"/page/", "200 OK", "Content-Type: text/html; charset=utf-8\r\n", "<html>"},
        {"/dumb/", "200 OK", "Content-Type: application/x-git-upload-pack-advertisement\r\n", "junk"},
        {"/away/", "302 Found", "Location: http://127.0.0.1:1/r/info/refs?service=git-upload-pack\r\n", ""},
        {"/login/", "302 Found", "Location: /login.html\r\n", ""},
        {"/loop/", "301 Moved", "Location: /loop/info/refs?service=git-upload-pack\r\n", ""},
        {"/lost/", "301 Moved", "", ""},
    };
    struct host *host = context;
    AUTO_FREE char *authorization = scripted_header(request, "Authorization");
    host->authorized += authorization != NULL;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (str_starts_with(request->target, fixed[i].prefix))
            return scripted_reply(fd, fixed[i].status, fixed[i].headers, fixed[i].body);
    }
    if (host->authorization && (!authorization || strcmp(authorization, host->authorization) != 0))
        return scripted_reply(fd, "401 Who", "WWW-Authenticate: Basic realm=\"git\"\r\n", "");
    if (str_starts_with(request->target, "/moved/")) {
        AUTO_FREE char *location =
            xasprintf("Location: /remote.git%s\r\n", request->target + strlen("/moved"));
        return scripted_reply(fd, "301 Moved", location, "");
    }
    return run_backend(request, fd, host);
}

static void push_over(const struct fixture *f, const char *url, const char *text)
{
    struct mirror *mirror = open_url(f, url, NULL);
    struct error err = ERROR_INIT;
    char commit[GIT_ID_SIZE];
    fetch(mirror);
    fetch(mirror); /* with nothing to do */
    commit_change(mirror, "a.yaml", text, commit);
    if (mirror_push(mirror, commit, &err) < 0)
        fail_msg("%s", err.text);
    assert_shell(f, "git -C remote.git rev-parse main", commit);
    mirror_free(mirror);
}

static void test_transport_http_fetches_and_pushes(void **state)
{
    struct fixture *f = *state;
    struct host host = {.fixture = f};
    struct scripted_server *server = scripted_start(answer, &host);
    run(f, "git -C remote.git config http.receivepack true");
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d/remote.git/", server->port);
    AUTO_FREE char *moved = xasprintf("http://127.0.0.1:%d/moved", server->port);
    push_over(f, url, "image: a:2\n");
    push_over(f, moved, "image: a:3\n");
    assert_int_equal(scripted_count(server, "POST /moved"), 0);
    assert_int_equal(host.authorized, 0);
    scripted_stop(server);
}

/* The pack of a first fetch is larger than any buffer on the way. */
static void test_transport_http_fetches_what_is_large(void **state)
{
    struct fixture *f = *state;
    struct host host = {.fixture = f};
    struct scripted_server *server = scripted_start(answer, &host);
    run(f, "cd work; head -c 900000 /dev/urandom >noise; git add noise; git commit -qm noise; git push -q "
           "origin main");
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d/remote.git", server->port);
    struct mirror *mirror = open_url(f, url, "main");
    fetch(mirror);
    run(f, "cd work; git commit -q --allow-empty -m more; git push -q origin main");
    fetch(mirror);
    assert_shell(f, "git -C remote.git rev-parse main", mirror_head(mirror));
    run(f, "git -C mirrors/???????????????????????????????????????? fsck --strict");
    mirror_free(mirror);
    scripted_stop(server);
}

static void test_transport_http_finds_credentials(void **state)
{
    struct fixture *f = *state;
    struct host host = {.fixture = f, .authorization = SECRET};
    struct scripted_server *server = scripted_start(answer, &host);
    run(f, "git -C remote.git config http.receivepack true");
    AUTO_FREE char *in_url = xasprintf("http://me:secret@127.0.0.1:%d/remote.git", server->port);
    AUTO_FREE char *wrong = xasprintf("http://me:wrong@127.0.0.1:%d/remote.git", server->port);
    AUTO_FREE char *bare = xasprintf("http://me@127.0.0.1:%d/remote.git", server->port);
    struct error err;
    push_over(f, in_url, "image: a:2\n");

    struct mirror *mirror = open_url(f, wrong, NULL);
    assert_error(mirror_fetch(mirror, &err), err, ERROR_UNAUTHORIZED,
                 "refused the user and password of the URL");
    assert_null(strstr(err.text, "wrong"));
    mirror_free(mirror);

    mirror = open_url(f, bare, NULL);
    assert_error(mirror_fetch(mirror, &err), err, ERROR_UNAUTHORIZED, "credential helpers know none");
    mirror_free(mirror);

    run(f, "printf '[credential]\\n\\thelper = \"!f() { cat >>$HOME/asked; echo password=secret; }; f\"\\n' "
           ">config");
    AUTO_FREE char *config = xasprintf("%s/config", f->directory);
    setenv("GIT_CONFIG_GLOBAL", config, 1);
    push_over(f, bare, "image: a:3\n");
    assert_shell(f, "grep -c ^protocol=http asked; grep username asked", "1\nusername=me"); /* asked once */
    run(f, "sed -i s/secret/stale/ config");
    mirror = open_url(f, bare, NULL);
    assert_error(mirror_fetch(mirror, &err), err, ERROR_UNAUTHORIZED, "that git's credential helper gave");
    mirror_free(mirror);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    scripted_stop(server);
}

static void test_transport_http_says_what_failed(void **state)
{
    static const struct {
        const char *path;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"403", ERROR_FORBIDDEN, "status 403"},
        {"404", ERROR_NOT_FOUND, "no such repository"},
        {"500", ERROR_NETWORK, "status 500"},
        {"page", ERROR_NOT_FOUND, "answers with text/html"},
        {"dumb", ERROR_NETWORK, "/dumb"},
        {"away", ERROR_NETWORK, "redirects to http://127.0.0.1:1/r/info/refs"},
        {"login", ERROR_NETWORK, "redirects to /login.html"},
        {"loop", ERROR_NETWORK, "more than 5 times"},
        {"lost", ERROR_NETWORK, "redirects to nowhere"},
    };
    struct fixture *f = *state;
    struct host host = {.fixture = f};
    struct scripted_server *server = scripted_start(answer, &host);
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *url = xasprintf("http://me:secret@127.0.0.1:%d/%s", server->port, cases[i].path);
        AUTO_FREE char *shown = xasprintf("http://127.0.0.1:%d/%s", server->port, cases[i].path);
        struct mirror *mirror = open_url(f, url, NULL);
        assert_error(mirror_fetch(mirror, &err), err, cases[i].code, cases[i].says);
        assert_non_null(strstr(err.text, shown));
        assert_null(strstr(err.text, "secret"));
        mirror_free(mirror);
    }
    /* No right to push: http-backend says 403 to the list of refs. */
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d/remote.git", server->port);
    run(f, "git -C remote.git config http.receivepack false");
    struct mirror *mirror = open_url(f, url, NULL);
    char commit[GIT_ID_SIZE];
    fetch(mirror);
    commit_change(mirror, "a.yaml", "image: a:2\n", commit);
    assert_error(mirror_push(mirror, commit, &err), err, ERROR_FORBIDDEN, "push to it?");
    mirror_free(mirror);
    scripted_stop(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_transport_http_fetches_and_pushes),
        TEST(test_transport_http_fetches_what_is_large),
        TEST(test_transport_http_finds_credentials),
        TEST(test_transport_http_says_what_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
