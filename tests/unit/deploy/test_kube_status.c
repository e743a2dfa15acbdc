#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "deploy/kube_status.h"

#include "json_text.h"

#define STATUS(rest) "{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure'," rest "}"

static const struct {
    int code;
    const char *body;
    enum kube_verdict verdict;
    const char *text; /* part of the message */
} answers[] = {
    {200, "{}", KUBE_DONE, ""},
    {201, "no JSON at all", KUBE_DONE, ""},
    {400, STATUS("'reason':'BadRequest','message':'the name does not match'"), KUBE_REFUSED,
     "does not match"},
    {401, STATUS("'reason':'Unauthorized','message':'Unauthorized'"), KUBE_UNAUTHORIZED, "Unauthorized"},
    {401, "<html>log in</html>", KUBE_UNAUTHORIZED, "log in"},
    {403, STATUS("'reason':'Forbidden','message':'User \\'bob\\' cannot patch'"), KUBE_FORBIDDEN,
     "cannot patch"},
    {404, "404 page not found\n", KUBE_UNKNOWN_KIND, "404 page not found"},
    {404,
     STATUS("'reason':'NotFound','message':'namespaces \\'x\\' not "
            "found','details':{'name':'x','kind':'namespaces'}"),
     KUBE_NO_NAMESPACE, "not found"},
    {404, STATUS("'reason':'NotFound','message':'things \\'x\\' not found','details':{'kind':'things'}"),
     KUBE_NOT_FOUND, "not found"},
    {405, STATUS("'reason':'MethodNotAllowed','message':'no'"), KUBE_NO_APPLY, "no"},
    {409,
     STATUS("'reason':'Conflict','message':'Apply failed with 1 conflict','details':{'causes':"
            "[{'reason':'FieldManagerConflict','message':'conflict with \\'one\\'','field':'.data.a'}]}"),
     KUBE_REFUSED, "1 conflict"},
    {409, STATUS("'reason':'Conflict','message':'the object has been modified'"), KUBE_RETRY, "modified"},
    {413, STATUS("'reason':'RequestEntityTooLarge','message':'limit is 3145728'"), KUBE_REFUSED, "limit"},
    {415, STATUS("'reason':'UnsupportedMediaType','message':'the body was in an unknown format'"),
     KUBE_NO_APPLY, "unknown format"},
    {422, STATUS("'reason':'Invalid','message':'spec.selector: field is immutable'"), KUBE_REFUSED,
     "immutable"},
    {429, STATUS("'reason':'TooManyRequests','message':'try again'"), KUBE_RETRY, "try again"},
    {429, "slow down", KUBE_RETRY, "slow down"},
    {500,
     STATUS("'message':'failed to create typed patch object: .spec.replics: field not declared in schema'"),
     KUBE_BAD_FIELDS, "replics"},
    {500, STATUS("'message':'failed to create typed live object: x'"), KUBE_REFUSED, "live object"},
    {500, STATUS("'message':'illegal base64 data at input byte 3'"), KUBE_REFUSED, "base64"},
    {500, STATUS("'message':'etcdserver: leader changed'"), KUBE_RETRY, "leader"},
    {500, STATUS("'reason':'InternalError','message':'failed calling webhook'"), KUBE_RETRY, "webhook"},
    {500, "oops", KUBE_RETRY, "oops"},
    {502, "<html>Bad Gateway</html>", KUBE_RETRY, "Bad Gateway"},
    {503, "", KUBE_RETRY, "HTTP status 503"},
    {504, STATUS("'reason':'Timeout','message':'Timeout'"), KUBE_RETRY, "Timeout"},
    {302, "", KUBE_REFUSED, "HTTP status 302"},
    {422, "{'kind':'Status','message':7,'details':[],'reason':{}}", KUBE_REFUSED, "HTTP status 422"},
    {404, "{'kind':'Other'}", KUBE_UNKNOWN_KIND, "Other"},
};

static void read_status(int code, const char *body, struct kube_status *status)
{
    AUTO_FREE char *text = strchr(body, '{') ? quoted(body) : xstrdup(body);
    kube_status_read(code, text, strlen(text), status);
}

static void test_kube_status_judges_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
        read_status(answers[i].code, answers[i].body, &status);
        if (status.verdict != answers[i].verdict || !strstr(status.text, answers[i].text))
            fail_msg("%d %s: verdict %d, \"%s\"", answers[i].code, answers[i].body, (int)status.verdict,
                     status.text);
    }
}

static void test_kube_status_hides_what_a_secret_may_hold(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *body, *shown;
    } cases[] = {
        {422,
         STATUS("'reason':'Invalid','message':'data[a]: Invalid value: hunter2','details':{'causes':"
                "[{'field':'data[a]','message':'hunter2'},{'field':'type','message':'hunter2'}]}"),
         "Invalid: data[a], type"},
        {500, STATUS("'message':'failed to create typed patch object: .data.a: Value:hunter2'"),
         "wrong type"},
        {403,
         STATUS("'reason':'Forbidden','message':'admission webhook \\'w\\' denied the request: hunter2'"),
         "Forbidden"},
        {500, STATUS("'reason':'InternalError','message':'webhook: hunter2'"), "InternalError"},
        {403, STATUS("'reason':'Forbidden','message':'User cannot patch resource secrets'"),
         "User cannot patch resource secrets"},
        {404,
         STATUS("'reason':'NotFound','message':'namespaces x not found','details':{'kind':'namespaces'}"),
         "namespaces x not found"},
        {400, "hunter2", "HTTP status 400"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
        read_status(cases[i].code, cases[i].body, &status);
        AUTO_FREE char *text = kube_status_text(&status, true);
        AUTO_FREE char *whole = kube_status_text(&status, false);
        if (strstr(text, "hunter2") || !strstr(text, cases[i].shown))
            fail_msg("%s is shown as \"%s\"", cases[i].body, text);
        assert_string_equal(whole, status.text);
    }
}

static void test_kube_status_cuts_messages_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
        for (size_t i = 0; i < shift; i++)
            strbuf_addch(&body, 'x');
        for (size_t i = 0; i < LIMIT_KUBE_MESSAGE_BYTES; i++)
            strbuf_addstr(&body, "\xe2\x82\xac");
        CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
        kube_status_read(400, body.buf, body.len, &status);
        size_t len = strlen(status.text);
        assert_in_range(len, LIMIT_KUBE_MESSAGE_BYTES - 3, LIMIT_KUBE_MESSAGE_BYTES + 3);
        assert_string_equal(status.text + len - 3, "\xe2\x80\xa6");
        assert_int_equal((len - 3 - shift) % 3, 0);
    }
    CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
    kube_status_read(400, "two\r\nlines\n", 11, &status);
    assert_string_equal(status.text, "two  lines");
}

/* Also of an answer about a Secret, whose own words are what is left. */
static void test_kube_status_cuts_a_reason_without_end(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    CLEANUP(kube_status_release) struct kube_status status = KUBE_STATUS_INIT;
    strbuf_addstr(&body, "{\"kind\": \"Status\", \"reason\": \"one\\ntwo");
    for (int i = 0; i < 2000; i++)
        strbuf_addch(&body, 'x');
    strbuf_addstr(&body, "\"}");
    kube_status_read(409, body.buf, body.len, &status);
    AUTO_FREE char *text = kube_status_text(&status, true);
    assert_in_range(strlen(text), 1, LIMIT_KUBE_MESSAGE_BYTES);
    assert_true(str_starts_with(text, "one twoxxx"));
    assert_non_null(strstr(text, "left out"));
}

static void test_kube_status_reads_warnings(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *warnings;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nWarning: 299 - \"v1beta1 is deprecated\"\r\n\r\n", "v1beta1 is deprecated"},
        {"warning: 299 - \"a \\\"b\\\"\"\r\nWARNING: 299 - \"c\" \"date\"\r\n", "a \"b\"; c"},
        {"Warning: 299 - none quoted\r\n", NULL},
        {"Warning: 299 - \"never closed", "never closed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *warnings = kube_warnings(cases[i].headers);
        if (cases[i].warnings)
            assert_string_equal(warnings, cases[i].warnings);
        else
            assert_null(warnings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_status_judges_answers),
        cmocka_unit_test(test_kube_status_hides_what_a_secret_may_hold),
        cmocka_unit_test(test_kube_status_cuts_messages_between_characters),
        cmocka_unit_test(test_kube_status_cuts_a_reason_without_end),
        cmocka_unit_test(test_kube_status_reads_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
