#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "daemon/webhook.h"

/* "repository tag" of each, one a line. */
static char *pushes_of(const char *source, const char *body, enum error_code expected)
{
    CLEANUP(push_list_release) struct push_list list = PUSH_LIST_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(webhook_read(webhook_sender_find(source), body, strlen(body), &list, &err),
                     expected ? -1 : 0);
    assert_int_equal(err.code, expected);
    for (size_t i = 0; i < list.len; i++)
        strbuf_addf(&text, "%s %s\n", list.items[i].repository, list.items[i].tag);
    return strbuf_detach(&text, NULL);
}

static void test_webhook_reads_what_each_sender_says(void **state UNUSED)
{
    static const struct {
        const char *source, *body, *pushes;
    } cases[] = {
        {"dockerhub",
         "{\"push_data\":{\"pushed_at\":1,\"tag\":\"1.2\"},\"repository\":{\"repo_name\":\"jane/app\"}}",
         "index.docker.io/jane/app 1.2\n"},
        {"dockerhub", "{\"push_data\":{\"tag\":\"1.2\"},\"repository\":{\"repo_name\":\"alpine\"}}",
         "index.docker.io/library/alpine 1.2\n"},
        {"dockerhub", "{\"push_data\":{\"tag\":\"not a tag\"},\"repository\":{\"repo_name\":\"a/b\"}}", ""},
        {"dockerhub", "{\"push_data\":7,\"repository\":[]}", ""},
        {"github",
         "{\"action\":\"published\",\"registry_package\":{\"package_type\":\"CONTAINER\",\"package_version\":"
         "{"
         "\"package_url\":\"ghcr.io/org/"
         "app:1.2\",\"container_metadata\":{\"tag\":{\"name\":\"1.2\",\"digest\":"
         "\"sha256:0\"}}}}}",
         "ghcr.io/org/app 1.2\n"},
        {"github",
         "{\"package\":{\"package_type\":\"container\",\"namespace\":\"Org\",\"name\":\"app\",\"package_"
         "version\":{"
         "\"container_metadata\":{\"tag\":{\"name\":\"1.2\"}}}}}",
         "ghcr.io/org/app 1.2\n"},
        {"github",
         "{\"package\":{\"package_type\":\"npm\",\"namespace\":\"org\",\"name\":\"app\",\"package_version\":{"
         "\"container_metadata\":{\"tag\":{\"name\":\"1.2\"}}}}}",
         ""},
        {"github",
         "{\"registry_package\":{\"package_type\":\"CONTAINER\",\"package_version\":{\"package_url\":"
         "\"ghcr.io/org/app@sha256:0\",\"container_metadata\":{\"tag\":{\"name\":\"\"}}}}}",
         ""},
        {"github", "{\"zen\":\"Keep it logically awesome.\"}", ""},
        /* the tag is in the URL alone, and owners are written as they like */
        {"github",
         "{\"package\":{\"package_type\":\"CONTAINER\",\"package_version\":{\"package_url\":"
         "\"ghcr.io/Org/App:v1.2\"}}}",
         "ghcr.io/org/app v1.2\n"},
        {"github",
         "{\"package\":{\"package_type\":\"CONTAINER\",\"package_version\":{\"package_url\":"
         "\"ghcr.io/org/app:\"}}}",
         ""},
        {"github",
         "{\"package\":{\"package_type\":\"CONTAINER\",\"package_version\":{\"package_url\":"
         "\"ghcr.io/org/app\"}}}",
         ""},
        {"quay", "{\"docker_url\":\"quay.io/o/app\",\"updated_tags\":[\"1\",\"2\",3]}",
         "quay.io/o/app 1\nquay.io/o/app 2\n"},
        {"quay", "{\"docker_url\":\"quay.io/o/app\",\"updated_tags\":{\"latest\":\"0af\"}}",
         "quay.io/o/app latest\n"},
        {"quay", "{\"docker_url\":\"quay.io/o/app\"}", ""},
        {"harbor",
         "{\"type\":\"PUSH_ARTIFACT\",\"event_data\":{\"resources\":[{\"resource_url\":\"h.example.com/p/"
         "app:1\"},"
         "{\"resource_url\":\"h.example.com/p/app@sha256:"
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]}}",
         "h.example.com/p/app 1\n"},
        {"harbor",
         "{\"specversion\":\"1.0\",\"type\":\"harbor.artifact.pushed\",\"data\":{\"resources\":[{\"resource_"
         "url\":"
         "\"h.example.com/p/app:1\"}]}}",
         "h.example.com/p/app 1\n"},
        {"harbor",
         "{\"type\":\"DELETE_ARTIFACT\",\"event_data\":{\"resources\":[{\"resource_url\":\"h.example.com/p/"
         "a:1\"}]}}",
         ""},
        {"acr",
         "{\"action\":\"push\",\"target\":{\"repository\":\"o/app\",\"tag\":\"1\"},\"request\":{\"host\":"
         "\"x.azurecr.io\"}}",
         "x.azurecr.io/o/app 1\n"},
        {"acr",
         "{\"action\":\"delete\",\"target\":{\"repository\":\"o/app\",\"tag\":\"1\"},\"request\":{\"host\":"
         "\"x.azurecr.io\"}}",
         ""},
        {"ecr",
         "{\"source\":\"aws.ecr\",\"account\":\"123456789012\",\"region\":\"eu-west-1\",\"detail\":{"
         "\"result\":"
         "\"SUCCESS\",\"repository-name\":\"o/app\",\"image-tag\":\"1\",\"action-type\":\"PUSH\"}}",
         "123456789012.dkr.ecr.eu-west-1.amazonaws.com/o/app 1\n"
         "123456789012.dkr-ecr.eu-west-1.on.aws/o/app 1\n"
         "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com/o/app 1\n"
         "123456789012.dkr-ecr-fips.eu-west-1.on.aws/o/app 1\n"},
        {"ecr",
         "{\"source\":\"aws.ecr\",\"account\":\"123456789012\",\"region\":\"cn-north-1\",\"detail\":{"
         "\"result\":"
         "\"SUCCESS\",\"repository-name\":\"app\",\"image-tag\":\"1\",\"action-type\":\"PUSH\"}}",
         "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app 1\n"
         "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/app 1\n"},
        {"ecr",
         "{\"source\":\"aws.ecr\",\"account\":\"123456789012\",\"region\":\"eusc-de-east-1\",\"detail\":{"
         "\"result\":"
         "\"SUCCESS\",\"repository-name\":\"app\",\"image-tag\":\"1\",\"action-type\":\"PUSH\"}}",
         "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/app 1\n"},
        {"ecr",
         "{\"source\":\"aws.ecr\",\"account\":\"123456789012\",\"region\":\"eu-west-1\",\"detail\":{"
         "\"result\":"
         "\"SUCCESS\",\"repository-name\":\"app\",\"image-tag\":\"1\",\"action-type\":\"DELETE\"}}",
         ""},
        {"ecr",
         "{\"source\":\"aws.ecr\",\"account\":\"1\",\"region\":\"r\",\"detail\":{\"result\":\"FAILURE\","
         "\"repository-name\":\"app\",\"image-tag\":\"1\",\"action-type\":\"PUSH\"}}",
         ""},
        /* {"action":"INSERT","tag":"gcr.io/p/app:1"} */
        {"gcr", "{\"message\":{\"data\":\"eyJhY3Rpb24iOiJJTlNFUlQiLCJ0YWciOiJnY3IuaW8vcC9hcHA6MSJ9\"}}",
         "gcr.io/p/app 1\n"},
        {"gcr", "{\"message\":{\"data\":\"@@\"}}", ""},
        /* a subscription with payload unwrapping */
        {"gcr",
         "{\"action\":\"INSERT\",\"digest\":\"eu-docker.pkg.dev/p/r/"
         "app@sha256:0\",\"tag\":\"eu-docker.pkg.dev/p/r/"
         "app:1\"}",
         "eu-docker.pkg.dev/p/r/app 1\n"},
        {"gcr", "{\"action\":\"DELETE\",\"tag\":\"eu-docker.pkg.dev/p/r/app:1\"}", ""},
        {"gcr", "{\"message\":{\"data\":\"e30=\"}}", ""},
        {"nexus",
         "{\"action\":\"CREATED\",\"component\":{\"format\":\"docker\",\"name\":\"o/"
         "app\",\"version\":\"1\"}}",
         "/o/app 1\n"},
        {"nexus",
         "{\"action\":\"DELETED\",\"component\":{\"format\":\"docker\",\"name\":\"o/"
         "app\",\"version\":\"1\"}}",
         ""},
        {"nexus",
         "{\"action\":\"CREATED\",\"component\":{\"format\":\"npm\",\"name\":\"app\",\"version\":\"1\"}}",
         ""},
        {"jfrog",
         "{\"domain\":\"docker\",\"event_type\":\"pushed\",\"data\":{\"repo_key\":\"local\",\"image_name\":"
         "\"app\","
         "\"tag\":\"1\"}}",
         "/app 1\n"},
        {"jfrog",
         "{\"domain\":\"docker\",\"event_type\":\"promoted\",\"data\":{\"repo_key\":\"prod\",\"image_name\":"
         "\"o/app\",\"tag\":\"1\"}}",
         "/o/app 1\n"},
        {"jfrog",
         "{\"domain\":\"docker\",\"event_type\":\"deleted\",\"data\":{\"repo_key\":\"local\",\"image_name\":"
         "\"app\",\"tag\":\"1\"}}",
         ""},
        {"jfrog",
         "{\"domain\":\"artifact\",\"event_type\":\"deployed\",\"data\":{\"image_name\":\"a\",\"tag\":\"1\"}"
         "}",
         ""},
        {"distribution",
         "{\"events\":[{\"action\":\"push\",\"target\":{\"repository\":\"app\",\"tag\":\"1\"},\"request\":{"
         "\"host\":"
         "\"localhost:5000\"}},{\"action\":\"push\",\"target\":{\"repository\":\"app\"},\"request\":{"
         "\"host\":\"h.x\"}},"
         "{\"action\":\"pull\",\"target\":{\"repository\":\"app\",\"tag\":\"2\"},\"request\":{\"host\":\"h."
         "x\"}}]}",
         "localhost:5000/app 1\n"},
        {"gitlab",
         "{\"events\":[{\"action\":\"push\",\"target\":{\"repository\":\"g/"
         "app\",\"tag\":\"1\"},\"request\":{\"host\":"
         "\"registry.gitlab.com\"}}]}",
         "registry.gitlab.com/g/app 1\n"},
        {"cdevents",
         "{\"context\":{\"type\":\"dev.cdevents.artifact.published.0.2.0\"},\"subject\":{\"id\":\"pkg:oci/"
         "app@sha256%3A0b"
         "?repository_url=ghcr.io%2Forg%2Fapp&tag=1.2\"}}",
         "ghcr.io/org/app 1.2\n"},
        {"cdevents",
         "{\"specversion\":\"1.0\",\"data\":{\"context\":{\"type\":\"dev.cdevents.artifact.packaged.0.1.1\"},"
         "\"subject\":"
         "{\"id\":\"pkg:oci/app?tag=1&repository_url=https://ghcr.io/org\"}}}",
         "ghcr.io/org/app 1\n"},
        {"cdevents",
         "{\"context\":{\"type\":\"dev.cdevents.artifact.published.0.2.0\"},\"subject\":{\"id\":\"pkg:oci/"
         "app@sha256:0b\"}}",
         ""},
        {"cdevents",
         "{\"context\":{\"type\":\"dev.cdevents.build.started.0.2.0\"},\"subject\":{\"id\":\"x\"}}", ""},
        {"generic", "{\"image\":\"quay.io/o/app:1\",\"images\":[\"alpine:3\",\"no-tag\",4,\"a b/x:1\"]}",
         "quay.io/o/app 1\nindex.docker.io/library/alpine 3\n"},
        {"generic", "[]", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *pushes = pushes_of(cases[i].source, cases[i].body, ERROR_NONE);
        if (strcmp(pushes, cases[i].pushes) != 0)
            fail_msg("%s %s:\n%s", cases[i].source, cases[i].body, pushes);
    }
}

static void test_webhook_takes_any_json_from_any_sender(void **state UNUSED)
{
    static const char *const bodies[] = {"null",
                                         "1",
                                         "[]",
                                         "{}",
                                         "\"x\"",
                                         "[{}]",
                                         "{\"events\":{}}",
                                         "{\"message\":[]}",
                                         "{\"component\":1}",
                                         "{\"context\":{\"type\":1}}"};
    for (const struct webhook_sender *sender = webhook_senders; sender->name; sender++) {
        for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
            CLEANUP(push_list_release) struct push_list list = PUSH_LIST_INIT;
            struct error err = ERROR_INIT;
            int status = webhook_read(sender, bodies[i], strlen(bodies[i]), &list, &err);
            assert_int_equal(list.len, 0);
            assert_true(status == 0 || err.code == ERROR_INVALID);
        }
    }
}

static void test_webhook_refuses_what_is_no_json_or_too_much(void **state UNUSED)
{
    free(pushes_of("quay", "", ERROR_INVALID));
    free(pushes_of("quay", "{", ERROR_INVALID));
    CLEANUP(strbuf_release) struct strbuf deep = STRBUF_INIT, many = STRBUF_INIT;
    for (unsigned i = 0; i <= LIMIT_JSON_DEPTH; i++)
        strbuf_addch(&deep, '[');
    for (unsigned i = 0; i <= LIMIT_JSON_DEPTH; i++)
        strbuf_addch(&deep, ']');
    strbuf_addstr(&many, "{\"images\":[\"a.b/c:1\"");
    for (unsigned i = 0; i < LIMIT_HOOK_IMAGES; i++)
        strbuf_addf(&many, ",\"a.b/c:%u\"", i);
    strbuf_addstr(&many, "]}");
    free(pushes_of("quay", deep.buf, ERROR_TOO_LARGE));
    free(pushes_of("generic", many.buf, ERROR_TOO_LARGE));
}

static void test_webhook_knows_its_senders(void **state UNUSED)
{
    assert_null(webhook_sender_find("nobody"));
    assert_null(webhook_sender_find(""));
    for (const struct webhook_sender *sender = webhook_senders; sender->name; sender++) {
        assert_ptr_equal(webhook_sender_find(sender->name), sender);
        assert_int_equal(sender->header != NULL, sender->proof != WEBHOOK_KEY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_reads_what_each_sender_says),
        cmocka_unit_test(test_webhook_takes_any_json_from_any_sender),
        cmocka_unit_test(test_webhook_refuses_what_is_no_json_or_too_much),
        cmocka_unit_test(test_webhook_knows_its_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
