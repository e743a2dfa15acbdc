#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/demand.h"
#include "scanner/oci_manifest.h"

#define D(c) "sha256:" c c c c c c c c
#define A    D("aaaaaaaa")
#define B    D("bbbbbbbb")
#define C    D("cccccccc")

#define ENTRY(digest, platform) "{\"digest\":\"" digest "\",\"platform\":{" platform "}}"
#define LINUX(arch)             "\"os\":\"linux\",\"architecture\":\"" arch "\""

static const char multi[] = "{\"schemaVersion\":2,\"manifests\":[" ENTRY(
    C,
    "\"os\":\"unknown\",\"architecture\":"
    "\"unknown\"") "," ENTRY(A,
                             LINUX(
                                 "amd64")) "," ENTRY(B,
                                                     LINUX(
                                                         "arm64") ",\"variant\":\"v8\"") "," ENTRY(C,
                                                                                                   LINUX(
                                                                                                       "arm") ",\"variant\":"
                                                                                                              "\"v7\"") "]}";

static void test_oci_manifest_kinds(void **state)
{
    static const struct {
        const char *text;
        enum oci_manifest_kind kind;
        const char *digest, *created;
    } cases[] = {
        {"{\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" A "\"}}",
         OCI_IMAGE, A, NULL},
        {"{\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"digest\":\"" A
         "\"}}",
         OCI_IMAGE, A, NULL},
        {"{\"config\":{\"digest\":\"" A "\"}}", OCI_IMAGE, A, NULL},
        {"{\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":\"" A "\"},"
         "\"annotations\":{\"org.opencontainers.image.created\":\"2024-05-06T07:08:09Z\"}}",
         OCI_IMAGE, NULL, "2024-05-06T07:08:09Z"},
        {"{\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"" A "\"}}", OCI_IMAGE,
         NULL, NULL},
        {multi, OCI_INDEX, A, NULL},
        {"{\"manifests\":[{\"digest\":\"" B "\"}]}", OCI_INDEX, B, NULL},
        {"{\"schemaVersion\":1,\"history\":[{\"v1Compatibility\":\"{\\\"created\\\":\\\"2016-01-02T03:04:"
         "05Z\\\"}\"},"
         "{\"v1Compatibility\":\"{\\\"created\\\":\\\"2015-01-02T03:04:05Z\\\"}\"}]}",
         OCI_SCHEMA1, NULL, "2016-01-02T03:04:05Z"},
        {"{\"schemaVersion\":1,\"history\":[{\"v1Compatibility\":\"{\"}]}", OCI_SCHEMA1, NULL, NULL},
        {"{\"schemaVersion\":1}", OCI_SCHEMA1, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oci_manifest got;
        struct error err = ERROR_INIT;
        assert_int_equal(oci_manifest_read(cases[i].text, strlen(cases[i].text), "linux/amd64", &got, &err),
                         0);
        assert_int_equal(got.kind, cases[i].kind);
        assert_string_equal(got.digest ? got.digest : "-", cases[i].digest ? cases[i].digest : "-");
        int64_t created_ms = 0;
        if (cases[i].created)
            assert_int_equal(clock_parse_rfc3339(cases[i].created, &created_ms), 0);
        assert_int_equal(got.facts.created_ms, created_ms);
        oci_manifest_release(&got);
    }
}

static void test_oci_manifest_picks_platform(void **state)
{
    static const struct {
        const char *platform, *digest;
    } cases[] = {
        {"linux/amd64", A},  {"linux/arm64", B},      {"linux/arm64/v8", B},
        {"linux/arm/v7", C}, {"linux/arm", C},        {"linux/arm/v6", NULL},
        {"linux/amd", NULL}, {"windows/amd64", NULL}, {"linux/amd64/v2", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oci_manifest got = {.digest = NULL};
        struct error err = ERROR_INIT;
        int result = oci_manifest_read(multi, strlen(multi), cases[i].platform, &got, &err);
        assert_int_equal(result, cases[i].digest ? 0 : -1);
        if (cases[i].digest) {
            assert_string_equal(got.digest, cases[i].digest);
            oci_manifest_release(&got);
            continue;
        }
        assert_int_equal(err.code, ERROR_NOT_FOUND);
        assert_non_null(strstr(err.text, "linux/amd64, linux/arm/v7, linux/arm64/v8"));
        assert_string_equal(got.facts.platforms, "linux/amd64 linux/arm/v7 linux/arm64/v8");
        oci_manifest_release(&got);
    }
}

static void test_oci_manifest_refusals(void **state)
{
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"schemaVersion\":2}",
        "{\"config\":{}}",
        "{\"config\":{\"digest\":\"sha256:short\"}}",
        "{\"config\":{\"digest\":\"../../x\"}}",
        "{\"manifests\":[{\"digest\":7}]}",
        "<html></html>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oci_manifest got;
        struct error err = ERROR_INIT;
        assert_int_equal(oci_manifest_read(cases[i], strlen(cases[i]), "linux/amd64", &got, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        oci_manifest_release(&got);
    }
}

#define ALL (DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS)

/* What a manifest says itself, without its config. */
static void test_oci_manifest_facts(void **state)
{
    static const struct {
        const char *text;
        unsigned known;
        const char *platforms, *labels;
    } cases[] = {
        {"{\"config\":{\"digest\":\"" A "\"}}", 0, NULL, NULL},
        {"{\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\"}}", ALL, "", "{}"},
        {multi, DEMAND_PLATFORMS, "linux/amd64 linux/arm/v7 linux/arm64/v8", NULL},
        {"{\"manifests\":[{\"digest\":\"" B "\"}]}", DEMAND_PLATFORMS, "", NULL},
        {"{\"schemaVersion\":1,\"history\":[{\"v1Compatibility\":\"{\\\"os\\\":\\\"linux\\\","
         "\\\"architecture\\\":\\\"amd64\\\",\\\"config\\\":{\\\"Labels\\\":"
         "{\\\"org.label-schema.version\\\":\\\"1\\\"}}}\"}]}",
         ALL, "linux/amd64", "{\"org.label-schema.version\":\"1\"}"},
        {"{\"schemaVersion\":1}", ALL, "", "{}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oci_manifest got;
        struct error err = ERROR_INIT;
        assert_int_equal(oci_manifest_read(cases[i].text, strlen(cases[i].text), "linux/amd64", &got, &err),
                         0);
        assert_int_equal(got.facts.known, cases[i].known);
        assert_string_equal(got.facts.platforms ? got.facts.platforms : "-",
                            cases[i].platforms ? cases[i].platforms : "-");
        assert_string_equal(got.facts.labels ? got.facts.labels : "-",
                            cases[i].labels ? cases[i].labels : "-");
        oci_manifest_release(&got);
    }
}

static void test_oci_digest_verify(void **state)
{
    static const struct {
        const char *digest;
        bool good;
    } cases[] = {
        {"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", true},
        {"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
         true},
        {"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae", false},
        {"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", false},
        {"md5:900150983cd24fb0d6963f7d28e17f72", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(oci_digest_verify(cases[i].digest, "abc", 3, &err), cases[i].good ? 0 : -1);
    }
    AUTO_FREE char *own = oci_digest_of("abc", 3);
    assert_string_equal(own, cases[0].digest);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oci_manifest_kinds),    cmocka_unit_test(test_oci_manifest_picks_platform),
        cmocka_unit_test(test_oci_manifest_refusals), cmocka_unit_test(test_oci_manifest_facts),
        cmocka_unit_test(test_oci_digest_verify),
    };
    return cmocka_run_group_tests_name("oci_manifest", tests, NULL, NULL);
}
