#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "model/demand.h"
#include "scanner/oci_config.h"

static void assert_time(int64_t got, const char *expected)
{
    int64_t time_ms = 0;
    if (expected)
        assert_int_equal(clock_parse_rfc3339(expected, &time_ms), 0);
    assert_int_equal(got, time_ms);
}

static struct image_facts read_config(const char *text)
{
    struct image_facts facts;
    struct error err = ERROR_INIT;
    if (oci_config_read(text, strlen(text), &facts, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return facts;
}

static void test_oci_config_created(void **state)
{
    static const struct {
        const char *config, *created;
    } cases[] = {
        {"{\"created\":\"2024-05-06T07:08:09.123456789Z\"}", "2024-05-06T07:08:09.123Z"},
        {"{\"created\":\"2024-05-06T07:08:09+02:00\"}", "2024-05-06T05:08:09Z"},
        {"{\"created\":\"0001-01-01T00:00:00Z\"}", NULL},
        {"{\"created\":\"1970-01-01T00:00:00Z\"}", NULL},
        {"{\"created\":\"1970-01-01T00:00:01Z\"}", NULL},
        {"{\"created\":\"1980-01-01T00:00:01Z\"}", NULL},
        {"{\"created\":\"yesterday\"}", NULL},
        {"{\"created\":17}", NULL},
        {"{\"created\":null}", NULL},
        {"{}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_facts_release) struct image_facts facts = read_config(cases[i].config);
        assert_time(facts.created_ms, cases[i].created);
    }
}

static void test_oci_config_refusals(void **state)
{
    (void)state;
    struct image_facts facts;
    struct error err = ERROR_INIT;
    assert_int_equal(oci_config_read("[]", 2, &facts, &err), -1);
    assert_int_equal(oci_config_read("{", 1, &facts, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void test_oci_config_platform(void **state)
{
    static const struct {
        const char *config, *platform;
    } cases[] = {
        {"{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux/amd64"},
        {"{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}", "linux/arm/v7"},
        {"{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"\"}", "linux/amd64"},
        {"{\"os\":\"unknown\",\"architecture\":\"unknown\"}", ""},
        {"{\"os\":\"linux\"}", ""},
        {"{\"os\":\"li nux,x\",\"architecture\":\"amd64\"}", ""},
        {"{}", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_facts_release) struct image_facts facts = read_config(cases[i].config);
        assert_int_equal(facts.known, DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS);
        assert_string_equal(facts.platforms, cases[i].platform);
    }
}

#define LABELS(text) "{\"config\":{\"Labels\":{" text "}}}"

/* Those of a known meaning, by name; nothing that is no string. */
static void test_oci_config_labels(void **state)
{
    static const struct {
        const char *config, *labels;
    } cases[] = {
        {"{}", "{}"},
        {"{\"config\":null}", "{}"},
        {"{\"config\":{\"Labels\":null}}", "{}"},
        {"{\"config\":{\"Labels\":[\"org.opencontainers.image.title\"]}}", "{}"},
        {LABELS("\"org.opencontainers.image.title\":\"App \\\"1\\\"\","
                "\"maintainer\":\"x\",\"org.label-schema.vcs-ref\":\"abc\","
                "\"org.label-schema.usage\":\"x\",\"org.opencontainers.image.revision\":\"def\""),
         "{\"org.label-schema.vcs-ref\":\"abc\",\"org.opencontainers.image.revision\":\"def\","
         "\"org.opencontainers.image.title\":\"App \\\"1\\\"\"}"},
        {LABELS("\"org.opencontainers.image.title\":7"), "{}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_facts_release) struct image_facts facts = read_config(cases[i].config);
        assert_string_equal(facts.labels, cases[i].labels);
    }
}

static void test_oci_config_time_of_labels(void **state)
{
#define CREATED "\"org.opencontainers.image.created\":"
#define BUILT   "\"org.label-schema.build-date\":"
    static const struct {
        const char *config, *labelled;
    } cases[] = {
        {LABELS(CREATED "\"2024-05-06T07:08:09Z\""), "2024-05-06T07:08:09Z"},
        {LABELS(BUILT "\"2023-05-06T07:08:09Z\""), "2023-05-06T07:08:09Z"},
        {LABELS(BUILT "\"2023-05-06T07:08:09Z\"," CREATED "\"2024-05-06T07:08:09Z\""),
         "2024-05-06T07:08:09Z"},
        {LABELS(BUILT "\"2023-05-06T07:08:09Z\"," CREATED "\"some day\""), "2023-05-06T07:08:09Z"},
        {LABELS(CREATED "\"1970-01-01T00:00:00Z\""), NULL},
        {LABELS(CREATED "\"\""), NULL},
        {"{\"created\":\"2024-05-06T07:08:09Z\"}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(image_facts_release) struct image_facts facts = read_config(cases[i].config);
        assert_time(facts.labelled_ms, cases[i].labelled);
    }
}

/* What is over a limit is left out, and the date stays. */
static void test_oci_config_label_limits(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "{\"created\":\"2024-05-06T07:08:09Z\",\"config\":{\"Labels\":{");
    for (unsigned i = 0; i < LIMIT_LABELS + 5; i++)
        strbuf_addf(&text, "\"org.opencontainers.image.x%02u\":\"v\",", i);
    strbuf_addf(&text, "\"org.opencontainers.image.long\":\"%*s\"}}}", (int)LIMIT_LABEL_LENGTH + 1, "x");
    CLEANUP(image_facts_release) struct image_facts facts = read_config(text.buf);
    AUTO_JSON json_t *labels = json_read(facts.labels, strlen(facts.labels), NULL);
    assert_int_equal(json_object_size(labels), LIMIT_LABELS);
    assert_string_equal(json_string_at(labels, "org.opencontainers.image.x23"), "v");
    assert_null(json_object_get(labels, "org.opencontainers.image.long"));
    assert_time(facts.created_ms, "2024-05-06T07:08:09Z");
}

static void test_oci_config_label_bytes(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "{\"config\":{\"Labels\":{\"org.opencontainers.image.z\":\"short\"");
    for (unsigned i = 0; i < 10; i++)
        strbuf_addf(&text, ",\"org.opencontainers.image.x%02u\":\"%*s\"", i, (int)LIMIT_LABEL_LENGTH, "x");
    strbuf_addstr(&text, "}}}");
    CLEANUP(image_facts_release) struct image_facts facts = read_config(text.buf);
    AUTO_JSON json_t *labels = json_read(facts.labels, strlen(facts.labels), NULL);
    assert_true(strlen(facts.labels) <= LIMIT_LABELS_BYTES);
    assert_int_equal(json_object_size(labels), 8); /* seven long ones, and the short one that still fits */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oci_config_created),        cmocka_unit_test(test_oci_config_refusals),
        cmocka_unit_test(test_oci_config_platform),       cmocka_unit_test(test_oci_config_labels),
        cmocka_unit_test(test_oci_config_time_of_labels), cmocka_unit_test(test_oci_config_label_limits),
        cmocka_unit_test(test_oci_config_label_bytes),
    };
    return cmocka_run_group_tests_name("oci_config", tests, NULL, NULL);
}
