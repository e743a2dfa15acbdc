/*
 * What each question about a tag costs, counted at a registry: the table of model/demand.h. A repository's name says what
 * its tag "t" points at: "image-…" one image, "index-…" an index of two platforms, "alien-…" one without ours, "old-…" a
 * signed manifest of schema 1. What a "liar" sends is not what its digest says: the manifest of the tag, the image of an
 * index, the config, or the manifest of a digest that it named itself. A "headless" one answers no HEAD.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/demand.h"
#include "scanner/scanner.h"
#include "tests/unit/scanner/scan_fixture.h"

#define CONFIG_TIME "2021-01-01T00:00:00Z"
#define LABEL_TIME  "2023-01-01T00:00:00Z"

struct fixture {
    struct scripted_server *server;
    struct cache *cache;
    struct scanner *scanner;
    char directory[SCAN_DIRECTORY_SIZE];
};

/* -- the registry -------------------------------------------------------------------------------------------- */

/* Every repository has content of its own, so that no digest is known from another. */
static char *config_of(const char *name)
{
    return xasprintf("{\"created\":\"" CONFIG_TIME
                     "\",\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":"
                     "{\"Labels\":{\"org.opencontainers.image.title\":\"%s\","
                     "\"org.opencontainers.image.created\":\"" LABEL_TIME "\"}}}",
                     name);
}

static char *image_of(const char *name)
{
    AUTO_FREE char *config = config_of(name);
    return scan_manifest_of(config);
}

static char *index_of(const char *name, const char *arch)
{
    AUTO_FREE char *image = image_of(name), *digest = oci_digest_of(image, strlen(image));
    return xasprintf("{\"schemaVersion\":2,\"manifests\":["
                     "{\"digest\":\"%s\",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}},"
                     "{\"digest\":\"%s\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}}]}",
                     digest, arch, digest);
}

/* Its digest is that of the text without the signatures, which we do not have. */
static bool serve_schema1(int fd, const char *name)
{
    AUTO_FREE char *digest = oci_digest_of(name, strlen(name));
    AUTO_FREE char *headers =
        xasprintf("Docker-Content-Digest: %s\r\n"
                  "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws\r\n",
                  digest);
    return scripted_reply(
        fd, "200 OK", headers,
        "{\"schemaVersion\":1,\"history\":[{\"v1Compatibility\":\"{\\\"created\\\":\\\"" CONFIG_TIME
        "\\\",\\\"os\\\":\\\"linux\\\",\\\"architecture\\\":\\\"amd64\\\"}\"},"
        "{\"v1Compatibility\":\"{\\\"created\\\":\\\"2001-01-01T00:00:00Z\\\"}\"}],\"signatures\":[{}]}");
}

/* One byte more than was promised, which JSON does not mind. */
static bool serve_lie(int fd, const struct scripted_request *r, const char *bytes)
{
    AUTO_FREE char *digest = oci_digest_of(bytes, strlen(bytes)), *more = xasprintf("%s ", bytes);
    AUTO_FREE char *headers = xasprintf("Docker-Content-Digest: %s\r\n", digest);
    return strcmp(r->method, "HEAD") != 0 ? scripted_reply(fd, "200 OK", headers, more)
                                          : scan_reply_content(r, fd, "", bytes);
}

static bool answer(const struct scripted_request *r, int fd, void *context UNUSED)
{
    const char *path = r->target + strlen("/v2/");
    AUTO_FREE char *name = xmemdupz(path, strcspn(path, "/"));
    AUTO_FREE char *image = image_of(name), *image_digest = oci_digest_of(image, strlen(image));
    if (strstr(r->target, "/tags/list"))
        return scripted_reply(fd, "200 OK", "", "{\"tags\":[\"t\"]}");
    if (strstr(r->target, "/blobs/")) {
        AUTO_FREE char *config = config_of(name);
        return strcmp(name, "liar-config") != 0 ? scan_reply_content(r, fd, "", config)
                                                : serve_lie(fd, r, config);
    }
    if (str_starts_with(name, "old"))
        return serve_schema1(fd, name);
    if (str_starts_with(name, "headless") && !strcmp(r->method, "HEAD")) {
        AUTO_FREE char *head = xasprintf("HTTP/1.1 %s -\r\nContent-Length: 0\r\n\r\n", strchr(name, '-') + 1);
        scripted_send(fd, head, strlen(head));
        return true;
    }
    if (!strcmp(name, "liar-tag") || !strcmp(name, "liar-digest") ||
        (!strcmp(name, "liar-child") && str_ends_with(r->target, image_digest)))
        return serve_lie(fd, r, image);
    if (str_starts_with(name, "image") || str_starts_with(name, "headless") || !strcmp(name, "liar-config") ||
        str_ends_with(r->target, image_digest))
        return scan_reply_content(r, fd, "", image);
    AUTO_FREE char *index = index_of(name, str_starts_with(name, "alien") ? "s390x" : "amd64");
    return scan_reply_content(r, fd, "", index);
}

/* -- the fixture --------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->cache = scan_cache_open(f->directory);
    f->server = scripted_start(answer, f);
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .clock = &system_clock,
                                                       .rps = 1000,
                                                       .burst = 100,
                                                       .tag_limit = 1000,
                                                       .timeout_ms = 5000});
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scanner_free(f->scanner);
    scripted_stop(f->server);
    scan_cache_close(f->cache, f->directory);
    free(f);
    return 0;
}

static unsigned wants_given(const char *tag UNUSED, void *context)
{
    return *(const unsigned *)context;
}

struct question {
    unsigned wants;
    bool by_labels;
    int64_t max_age_ms;
};

/* What the scan says of the tag: "digest created platforms labels problem", as far as it does. */
static char *details_text(const struct image_details *details)
{
    struct strbuf out = STRBUF_INIT;
    char created[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(details->created_ms, created);
    strbuf_addf(&out, "%s%s%s%s%s", details->digest ? "digest " : "", details->created_ms ? created : "",
                details->created_ms ? " " : "", details->platforms ? details->platforms : "",
                details->platforms ? " " : "");
    strbuf_addf(&out, "%s%s", details->labels ? "labels " : "", details->problem ? "problem" : "");
    return strbuf_detach(&out, NULL);
}

/* Asks, which must cost `requests`; what is said. free() it. */
static char *say(struct fixture *f, const char *name, struct question question, const char *requests)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", f->server->port, name);
    AUTO_FREE char *head = xasprintf("HEAD /v2/%s/", name),
                   *manifest = xasprintf("GET /v2/%s/manifests/", name);
    AUTO_FREE char *blob = xasprintf("GET /v2/%s/blobs/", name);
    int heads = scripted_count(f->server, head), manifests = scripted_count(f->server, manifest);
    int blobs = scripted_count(f->server, blob);
    const struct demand demand = {.repository = repository,
                                  .wants = wants_given,
                                  .context = &question.wants,
                                  .dates_by_labels = question.by_labels};
    struct scan_result result;
    scanner_scan(f->scanner, &demand, 1, question.max_age_ms, NULL, NULL, &result);
    assert_int_equal(result.error.code, ERROR_NONE);
    AUTO_FREE char *got = details_text(repository_info_details(result.info, 0));
    AUTO_FREE char *sent =
        xasprintf("%dh %dm %db", scripted_count(f->server, head) - heads,
                  scripted_count(f->server, manifest) - manifests, scripted_count(f->server, blob) - blobs);
    if (strcmp(sent, requests) != 0)
        fail_msg("%s, wants %u: %s with %s", name, question.wants, got, sent);
    scan_results_release(&result, 1);
    return steal(&got);
}

static void ask(struct fixture *f, const char *name, struct question question, const char *expected,
                const char *requests)
{
    AUTO_FREE char *got = say(f, name, question, requests);
    if (!str_starts_with(got, expected) || (!*expected && *got))
        fail_msg("%s, wants %u: %s", name, question.wants, got);
}

/* The same, where that is all that is said. */
static void ask_whole(struct fixture *f, const char *name, struct question question, const char *expected,
                      const char *requests)
{
    AUTO_FREE char *got = say(f, name, question, requests);
    if (strcmp(got, expected) != 0)
        fail_msg("%s, wants %u: %s", name, question.wants, got);
}

/* -- the tests ----------------------------------------------------------------------------------------------- */

#define C DEMAND_CREATED
#define D DEMAND_DIGEST
#define P DEMAND_PLATFORMS
#define L DEMAND_LABELS

static void test_tag_details_cost_what_the_flags_ask(void **state)
{
    static const struct {
        unsigned wants;
        const char *image, *index;
    } cases[] = {
        {0, "0h 0m 0b", "0h 0m 0b"},         {D, "1h 0m 0b", "1h 0m 0b"},
        {P, "0h 1m 1b", "0h 1m 0b"},         {C, "0h 1m 1b", "0h 2m 1b"},
        {L, "0h 1m 1b", "0h 2m 1b"},         {D | P, "0h 1m 1b", "0h 1m 0b"},
        {D | C, "0h 1m 1b", "0h 2m 1b"},     {D | L, "0h 1m 1b", "0h 2m 1b"},
        {C | P, "0h 1m 1b", "0h 2m 1b"},     {C | L, "0h 1m 1b", "0h 2m 1b"},
        {P | L, "0h 1m 1b", "0h 2m 1b"},     {D | P | C, "0h 1m 1b", "0h 2m 1b"},
        {D | P | L, "0h 1m 1b", "0h 2m 1b"}, {D | C | L, "0h 1m 1b", "0h 2m 1b"},
        {C | P | L, "0h 1m 1b", "0h 2m 1b"}, {D | C | P | L, "0h 1m 1b", "0h 2m 1b"},
    };
    struct fixture *f = *state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned wants = cases[i].wants;
        AUTO_FREE char *image = xasprintf("image-%u", i), *index = xasprintf("index-%u", i);
        /* The time comes with the config, wanted or not. */
        AUTO_FREE char *of_image =
            xasprintf("%s%s%s%s", wants ? "digest " : "", wants & (C | P | L) ? CONFIG_TIME " " : "",
                      wants & P ? "linux/amd64 " : "", wants & L ? "labels " : "");
        AUTO_FREE char *of_index =
            xasprintf("%s%s%s%s", wants ? "digest " : "", wants & (C | L) ? CONFIG_TIME " " : "",
                      wants & P ? "linux/amd64 linux/arm64 " : "", wants & L ? "labels " : "");
        ask(f, image, (struct question){.wants = wants}, of_image, cases[i].image);
        ask(f, index, (struct question){.wants = wants}, of_index, cases[i].index);
    }
}

/* Each line is asked after the one before it, of the same tag. */
static void test_tag_details_ask_only_for_what_is_not_known(void **state)
{
    static const struct {
        const char *name;
        struct question question;
        const char *says, *requests;
    } cases[] = {
        {"index-a", {D, false, 0}, "digest ", "1h 0m 0b"},
        {"index-a", {D, false, 0}, "digest ", "1h 0m 0b"}, /* it may have moved */
        {"index-a", {D, false, 60000}, "digest ", "0h 0m 0b"},
        {"index-a", {P, false, 0}, "digest linux/amd64 linux/arm64 ", "0h 1m 0b"},
        {"index-a", {C, false, 0}, "digest " CONFIG_TIME " linux/amd64 linux/arm64 ", "0h 2m 1b"},
        {"index-a", {C | L, false, 0}, "digest " CONFIG_TIME " linux/amd64 linux/arm64 labels ", "0h 0m 0b"},
        {"index-a", {C | D, false, 0}, "digest " CONFIG_TIME, "1h 0m 0b"},
        {"image-a", {C, false, 0}, "digest " CONFIG_TIME, "0h 1m 1b"},
        {"image-a", {L | P, false, 60000}, "digest " CONFIG_TIME " linux/amd64 labels ", "0h 0m 0b"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ask(f, cases[i].name, cases[i].question, cases[i].says, cases[i].requests);
}

static void test_tag_details_follow_the_option_without_a_request(void **state)
{
    struct fixture *f = *state;
    ask(f, "index-l", (struct question){C, false, 0}, "digest " CONFIG_TIME, "0h 2m 1b");
    ask(f, "index-l", (struct question){C, true, 0}, "digest " LABEL_TIME, "0h 0m 0b");
    ask(f, "index-l", (struct question){C, true, 60000}, "digest " LABEL_TIME, "0h 0m 0b");
    ask(f, "index-l", (struct question){C, false, 60000}, "digest " CONFIG_TIME, "0h 0m 0b");
}

/* Its platforms are known all the same, and the problem stays with the digest. */
static void test_tag_details_of_another_platform_are_a_problem(void **state)
{
    struct fixture *f = *state;
    ask(f, "alien-a", (struct question){P, false, 0}, "digest linux/arm64 linux/s390x ", "0h 1m 0b");
    ask(f, "alien-a", (struct question){C, false, 0}, "digest linux/arm64 linux/s390x problem", "0h 1m 0b");
    ask(f, "alien-a", (struct question){C | L, false, 0}, "digest linux/arm64 linux/s390x problem",
        "0h 0m 0b");
    ask(f, "alien-c", (struct question){C, false, 0}, "digest problem", "0h 1m 0b");
    ask(f, "alien-c", (struct question){C | P, false, 0}, "digest linux/arm64 linux/s390x problem",
        "0h 0m 0b");
    ask(f, "alien-b", (struct question){C | P, false, 0}, "digest linux/arm64 linux/s390x problem",
        "0h 1m 0b");
}

/* Nexus says 404 to a HEAD for what it gives to a GET, others that there is no such method. */
static void test_tag_details_without_head_are_got(void **state)
{
    static const char *const names[] = {"headless-404", "headless-405", "headless-501"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ask(f, names[i], (struct question){D, false, 0}, "digest ", "1h 1m 0b");
        ask(f, names[i], (struct question){D, false, 0}, "digest ", "1h 1m 0b");
    }
}

static void test_tag_details_are_read_from_schema_1(void **state)
{
    struct fixture *f = *state;
    ask(f, "old-a", (struct question){C | P, false, 0}, "digest " CONFIG_TIME " linux/amd64 ", "0h 1m 0b");
    ask(f, "old-a", (struct question){C | P, false, 0}, "digest " CONFIG_TIME " linux/amd64 ", "0h 0m 0b");
}

/* What is known stays, and is all there is; nothing that was read from the lie is taken, on record or off. */
static void test_tag_details_believe_no_content_that_is_not_its_digest(void **state)
{
    static const struct {
        const char *name;
        unsigned wants;
        const char *says, *requests;
    } cases[] = {
        {"liar-tag", C, "problem", "0h 1m 0b"},    {"liar-tag", C, "problem", "0h 1m 0b"},
        {"liar-child", C, "problem", "0h 2m 0b"},  {"liar-child", C, "problem", "0h 2m 0b"},
        {"liar-config", C, "problem", "0h 1m 1b"}, {"liar-config", C, "problem", "0h 1m 1b"},
        {"liar-digest", D, "digest ", "1h 0m 0b"}, {"liar-digest", P, "digest ", "0h 1m 0b"},
        {"liar-digest", P, "digest ", "0h 1m 0b"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ask_whole(f, cases[i].name, (struct question){cases[i].wants, false, 0}, cases[i].says,
                  cases[i].requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tag_details_cost_what_the_flags_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_ask_only_for_what_is_not_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_follow_the_option_without_a_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_of_another_platform_are_a_problem, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_without_head_are_got, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_are_read_from_schema_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tag_details_believe_no_content_that_is_not_its_digest, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("tag_details", tests, NULL, NULL);
}
