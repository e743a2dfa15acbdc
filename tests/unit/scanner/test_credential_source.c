/* The helper is a shell script that notes each run, the cloud is scripted; time is the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "scanner/credential_source.h"
#include "tests/unit/scripted_server.h"

#define ECR_HOST    "123456789012.dkr.ecr.us-east-1.amazonaws.com"
#define ECR_LIFE_MS INT64_C(43200000)

/* Of ECR: what is written, and none of the store's, so that the provider is what is left. */
static const char ecr_config[] = "{\"auths\":{\"" ECR_HOST "/own\":{\"auth\":\"dTpw\"}}}";

static const char config[] =
    "{\"auths\":{\"written\":{\"auth\":\"dTpw\"}},\"credHelpers\":{\"broken\":\"pawltest\",\"none\":"
    "\"pawltest\","
    "\"slow\":\"pawltest\",\"https://index.docker.io/v1/\":\"pawltest\"},\"credsStore\":\"pawltest\"}";

static const char script[] = "#!/bin/sh\n"
                             "read server\n"
                             "echo \"$server\" >>${0%/*}/log\n"
                             "case $server in\n"
                             "broken) echo 'the vault is sealed'; exit 1 ;;\n"
                             "none) echo 'credentials not found in native keychain'; exit 1 ;;\n"
                             "slow) sleep 1 ;;\n"
                             "esac\n"
                             "echo '{\"Username\":\"u\",\"Secret\":\"of '$server'\"}'\n";

struct fixture {
    char directory[32];
    struct credentials *credentials;
    struct credential_source *source;
    int64_t now_ms;
    struct clock clock;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    unsigned wakes;
    struct scripted_server *cloud; /* NULL: none */
    atomic_int given;              /* tokens by it */
    atomic_bool cloud_is_down;
};

struct answer {
    unsigned times;
    char password[64];
    struct error error;
};

static int64_t now(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static void wake(void *context)
{
    struct fixture *f = context;
    pthread_mutex_lock(&f->lock);
    f->wakes++;
    pthread_cond_signal(&f->woken);
    pthread_mutex_unlock(&f->lock);
}

/* Its tokens are "AWS:0", "AWS:1" and so on. */
static bool serve_cloud(const struct scripted_request *r UNUSED, int fd, void *context)
{
    struct fixture *f = context;
    if (f->cloud_is_down)
        return scripted_reply(fd, "500 Internal Server Error", "", "");
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    AUTO_FREE char *plain = xasprintf("AWS:%d", f->given++);
    strbuf_addstr(&body, "{\"authorizationData\":[{\"authorizationToken\":\"");
    strbuf_add_base64(&body, plain, strlen(plain));
    strbuf_addstr(&body, "\"}]}");
    return scripted_reply(fd, "200 OK", "", body.buf);
}

static void open_source(struct fixture *f, const char *text)
{
    struct error err = ERROR_INIT;
    f->credentials = credentials_parse(text, strlen(text), "config.json", &err);
    assert_non_null(f->credentials);
    f->source = credential_source_new(&(struct credential_source_options){
        .credentials = f->credentials, .clock = &f->clock, .wake = wake, .context = f});
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct error err = ERROR_INIT;
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    AUTO_FREE char *path = xasprintf("%s:%s", f->directory, getenv("PATH"));
    AUTO_FREE char *program = file_join(f->directory, "docker-credential-pawltest");
    assert_int_equal(file_write_atomic(program, script, strlen(script), 0700, &err), 0);
    setenv("PATH", path, 1);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->woken, NULL);
    f->now_ms = 1000;
    f->clock = (struct clock){.wall_ms = now, .monotonic_ms = now, .context = f};
    open_source(f, config);
    *state = f;
    return 0;
}

static int set_up_cloud(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    credential_source_free(f->source);
    credentials_free(f->credentials);
    f->cloud = scripted_start(serve_cloud, f);
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d", f->cloud->port);
    setenv("AWS_ENDPOINT_URL_ECR", url, 1);
    setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    open_source(f, ecr_config);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"docker-credential-pawltest", "log"};
    struct fixture *f = *state;
    credential_source_cancel(f->source);
    credential_source_free(f->source);
    credentials_free(f->credentials);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO_FREE char *path = file_join(f->directory, files[i]);
        unlink(path);
    }
    rmdir(f->directory);
    if (f->cloud)
        scripted_stop(f->cloud);
    pthread_cond_destroy(&f->woken);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

/* How often the helper ran. */
static size_t runs(const struct fixture *f)
{
    CLEANUP(strbuf_release) struct strbuf log = STRBUF_INIT;
    AUTO_FREE char *path = file_join(f->directory, "log");
    size_t lines = 0;
    if (file_read(path, 65536, &log, NULL) == 0) {
        for (const char *c = log.buf; *c; c++)
            lines += *c == '\n';
    }
    return lines;
}

static void take(const struct credential *credential, const struct error *err, void *context)
{
    struct answer *answer = context;
    answer->times++;
    answer->password[0] = '\0';
    answer->error = err ? *err : (struct error)ERROR_INIT;
    if (credential && credential->password)
        snprintf(answer->password, sizeof(answer->password), "%s", credential->password);
}

static void collect_until(struct fixture *f, const struct answer *answer)
{
    while (!answer->times) {
        pthread_mutex_lock(&f->lock);
        while (!f->wakes)
            pthread_cond_wait(&f->woken, &f->lock);
        f->wakes--;
        pthread_mutex_unlock(&f->lock);
        credential_source_collect(f->source);
    }
}

static struct answer ask(struct fixture *f, const char *repository)
{
    struct answer answer = {.error = ERROR_INIT};
    credential_source_want(f->source, repository, take, &answer);
    collect_until(f, &answer);
    return answer;
}

static void test_credential_source_gives_what_is_written_at_once(void **state)
{
    struct answer answer = {.error = ERROR_INIT};
    struct fixture *f = *state;
    credential_source_want(f->source, "written/a", take, &answer);
    assert_int_equal(answer.times, 1);
    assert_string_equal(answer.password, "p");
    assert_int_equal(runs(f), 0);
}

static void test_credential_source_asks_by_the_name_of_the_login(void **state)
{
    static const char *const cases[][2] = {
        {"index.docker.io/library/alpine", "of https://index.docker.io/v1/"},
        {"reg:5000/a", "of reg:5000"},
        {"none/a", ""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer answer = ask(*state, cases[i][0]);
        assert_int_equal(answer.error.code, ERROR_NONE);
        assert_string_equal(answer.password, cases[i][1]);
    }
}

static void test_credential_source_asks_once_for_all(void **state)
{
    struct fixture *f = *state;
    enum { REPOSITORIES = 1000 };
    static struct answer answers[REPOSITORIES];
    for (size_t i = 0; i < REPOSITORIES; i++) {
        char repository[32];
        snprintf(repository, sizeof(repository), "slow/app%zu", i);
        credential_source_want(f->source, repository, take, &answers[i]);
    }
    collect_until(f, &answers[0]);
    for (size_t i = 0; i < REPOSITORIES; i++) {
        assert_int_equal(answers[i].times, 1);
        assert_string_equal(answers[i].password, "of slow");
    }
    assert_string_equal(ask(f, "slow/more").password, "of slow");
    assert_int_equal(runs(f), 1);
}

static void test_credential_source_asks_again_when_it_is_old(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *repository;
        int64_t keeps_ms;
        enum error_code code;
    } cases[] = {{"reg/a", CREDENTIAL_KEEP_MS, ERROR_NONE},
                 {"none/a", CREDENTIAL_KEEP_MS, ERROR_NONE},
                 {"broken/a", CREDENTIAL_EMBARGO_MS, ERROR_UNAUTHORIZED}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t before = runs(f);
        assert_int_equal(ask(f, cases[i].repository).error.code, cases[i].code);
        f->now_ms += cases[i].keeps_ms - 1;
        assert_int_equal(ask(f, cases[i].repository).error.code, cases[i].code);
        assert_int_equal(runs(f), before + 1);
        f->now_ms += 1;
        assert_int_equal(ask(f, cases[i].repository).error.code, cases[i].code);
        assert_int_equal(runs(f), before + 2);
    }
}

static void test_credential_source_slow_helper_keeps_no_other(void **state)
{
    struct fixture *f = *state;
    struct answer slow = {.error = ERROR_INIT};
    credential_source_want(f->source, "slow/a", take, &slow);
    assert_string_equal(ask(f, "quick/a").password, "of quick");
    assert_int_equal(slow.times, 0);
    assert_non_null(strstr(ask(f, "broken/a").error.text, "the vault is sealed"));
    collect_until(f, &slow);
    assert_string_equal(slow.password, "of slow");
}

static void test_credential_source_more_hosts_than_threads(void **state)
{
    struct fixture *f = *state;
    struct answer answers[3 * CREDENTIAL_THREADS] = {0};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        char repository[32];
        snprintf(repository, sizeof(repository), "host%zu/a", i);
        credential_source_want(f->source, repository, take, &answers[i]);
    }
    usleep(500000);
    assert_in_range(runs(f), 1,
                    CREDENTIAL_THREADS); /* the others begin when one of these has been collected */
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "of host%zu", i);
        collect_until(f, &answers[i]);
        assert_string_equal(answers[i].password, expected);
    }
    assert_int_equal(runs(f), ARRAY_LEN(answers));
}

static void test_credential_source_cancel_tells_all(void **state)
{
    struct fixture *f = *state;
    struct answer answers[CREDENTIAL_THREADS + 2] = {0};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        char repository[32];
        snprintf(repository, sizeof(repository), "host%zu/a", i);
        credential_source_want(f->source, repository, take, &answers[i]);
    }
    credential_source_cancel(f->source);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        assert_int_equal(answers[i].times, 1);
        assert_int_equal(answers[i].error.code, ERROR_CANCELLED);
    }
}

static void test_credential_source_provider_is_asked_once(void **state)
{
    struct fixture *f = *state;
    struct answer answers[50] = {0};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        credential_source_want(f->source, ECR_HOST "/app", take, &answers[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        collect_until(f, &answers[i]);
        assert_string_equal(answers[i].password, "0");
    }
    assert_string_equal(ask(f, ECR_HOST "/other").password, "0");
    assert_int_equal(f->given, 1);
}

static void test_credential_source_provider_comes_after_what_is_written(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, ECR_HOST "/own/app").password, "p");
    assert_string_equal(ask(f, "elsewhere.example/app").password, "");
    assert_int_equal(scripted_count(f->cloud, ""), 0);
}

static void test_credential_source_provider_renews_before_the_end(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    f->now_ms += ECR_LIFE_MS / 4 * 3 - 1;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    f->now_ms += 1;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "1");
}

static void test_credential_source_provider_in_trouble(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    f->cloud_is_down = true;
    /* what there is will do until its end */
    f->now_ms += ECR_LIFE_MS / 4 * 3;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    assert_int_equal(scripted_count(f->cloud, ""), 2);
    f->now_ms += ECR_LIFE_MS / 4;
    struct answer failed = ask(f, ECR_HOST "/app");
    assert_int_equal(failed.error.code, ERROR_NETWORK);
    assert_non_null(strstr(failed.error.text, "getting credentials from Amazon ECR"));
    /* and it is left alone for a while */
    f->cloud_is_down = false;
    f->now_ms += CREDENTIAL_PROVIDER_EMBARGO_MS - 1;
    assert_int_equal(ask(f, ECR_HOST "/app").error.code, ERROR_NETWORK);
    assert_int_equal(scripted_count(f->cloud, ""), 3);
    f->now_ms += 1;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "1");
}

static void test_credential_source_refused_is_got_anew(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    credential_source_refused(f->source, ECR_HOST "/app");
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    f->now_ms += CREDENTIAL_EMBARGO_MS;
    credential_source_refused(f->source, "elsewhere.example/app");
    assert_string_equal(ask(f, ECR_HOST "/app").password, "0");
    credential_source_refused(f->source, ECR_HOST "/app");
    assert_string_equal(ask(f, ECR_HOST "/app").password, "1");
    /* a failure keeps its time */
    f->cloud_is_down = true;
    f->now_ms += ECR_LIFE_MS;
    assert_int_equal(ask(f, ECR_HOST "/app").error.code, ERROR_NETWORK);
    f->now_ms += CREDENTIAL_EMBARGO_MS;
    credential_source_refused(f->source, ECR_HOST "/app");
    assert_int_equal(ask(f, ECR_HOST "/app").error.code, ERROR_NETWORK);
    assert_int_equal(scripted_count(f->cloud, ""), 3);
}

int main(void)
{
#define CASE(test)       cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define CLOUD_CASE(test) cmocka_unit_test_setup_teardown(test, set_up_cloud, tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(test_credential_source_gives_what_is_written_at_once),
        CASE(test_credential_source_asks_by_the_name_of_the_login),
        CASE(test_credential_source_asks_once_for_all),
        CASE(test_credential_source_asks_again_when_it_is_old),
        CASE(test_credential_source_slow_helper_keeps_no_other),
        CASE(test_credential_source_more_hosts_than_threads),
        CASE(test_credential_source_cancel_tells_all),
        CLOUD_CASE(test_credential_source_provider_is_asked_once),
        CLOUD_CASE(test_credential_source_provider_comes_after_what_is_written),
        CLOUD_CASE(test_credential_source_provider_renews_before_the_end),
        CLOUD_CASE(test_credential_source_provider_in_trouble),
        CLOUD_CASE(test_credential_source_refused_is_got_anew),
    };
    return cmocka_run_group_tests_name("credential_source", tests, NULL, NULL);
}
