#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/fact_record.h"
#include "model/demand.h"

#define SHA_A "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ALL   (DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS)

static char platforms[] = "linux/amd64 linux/arm64", labels[] = "{\"org.opencontainers.image.title\":\"x\"}";

/* What is known comes back, and nothing else. */
static void test_facts_come_back_as_they_were(void **state)
{
    static char empty[] = "", none[] = "{}";
    static const struct image_facts cases[] = {
        {.known = DEMAND_CREATED, .created_ms = 1700000000123},
        {.known = DEMAND_CREATED},
        {.known = DEMAND_PLATFORMS, .platforms = platforms},
        {.known = DEMAND_PLATFORMS, .platforms = empty},
        {.known = DEMAND_LABELS, .labels = none},
        {.known = ALL, .created_ms = 1, .labelled_ms = 2, .platforms = platforms, .labels = labels},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        CLEANUP(image_facts_release) struct image_facts got;
        record_encode_facts(&cases[i], &bytes);
        assert_true(record_decode_facts(&bytes, &got));
        assert_int_equal(got.known, cases[i].known);
        assert_true(got.created_ms == cases[i].created_ms);
        assert_true(got.labelled_ms == cases[i].labelled_ms);
        assert_string_equal(got.platforms ? got.platforms : "-",
                            cases[i].platforms ? cases[i].platforms : "-");
        assert_string_equal(got.labels ? got.labels : "-", cases[i].labels ? cases[i].labels : "-");
    }
}

static void test_facts_cut_short_or_too_long_are_none(void **state)
{
    const struct image_facts whole = {
        .known = ALL, .created_ms = 1, .labelled_ms = 2, .platforms = platforms, .labels = labels};
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    (void)state;
    record_encode_facts(&whole, &bytes);
    for (size_t len = 0; len <= bytes.len + 1; len++) {
        CLEANUP(strbuf_release) struct strbuf part = STRBUF_INIT;
        CLEANUP(image_facts_release) struct image_facts got;
        strbuf_add(&part, bytes.buf, len);
        assert_int_equal(record_decode_facts(&part, &got), len == bytes.len);
    }
}

static void test_facts_that_are_malformed_are_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\0", 1},          /* nothing known */
        {"\2", 1},          /* a digest is no fact */
        {"\20\0", 2},       /* an unknown flag */
        {"\4\2a\0", 4},     /* a NUL in a text */
        {"\4\377\177a", 4}, /* longer than any */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        CLEANUP(image_facts_release) struct image_facts got;
        strbuf_add(&bytes, cases[i].bytes, cases[i].len);
        assert_false(record_decode_facts(&bytes, &got));
    }
}

static void test_facts_are_apart_by_platform(void **state)
{
    char path[] = "/tmp/pawl-test-XXXXXX";
    struct error err = ERROR_INIT;
    (void)state;
    assert_non_null(mkdtemp(path));
    struct cache *cache = cache_open("file", path, 1000, &err);
    assert_non_null(cache);
    struct image_facts got = IMAGE_FACTS_INIT;
    assert_false(record_get_facts(cache, SHA_A, "linux/amd64", &got));
    record_put_facts(cache, SHA_A, "linux/amd64",
                     &(struct image_facts){.known = DEMAND_CREATED, .created_ms = 1700000000123});
    record_put_facts(cache, SHA_A, "linux/arm64", &(struct image_facts){.known = DEMAND_CREATED});
    record_put_facts(cache, SHA_A, "linux/arm", &(struct image_facts)IMAGE_FACTS_INIT);
    assert_true(record_get_facts(cache, SHA_A, "linux/amd64", &got));
    assert_true(got.created_ms == 1700000000123);
    assert_true(record_get_facts(cache, SHA_A, "linux/arm64", &got));
    assert_true(got.created_ms == 0);
    assert_false(record_get_facts(cache, SHA_A, "linux/arm", &got));
    cache_free(cache);
    AUTO_FREE char *file = xasprintf("%s/cache.lmdb", path), *lock = xasprintf("%s/cache.lmdb-lock", path);
    unlink(file);
    unlink(lock);
    rmdir(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_come_back_as_they_were),
        cmocka_unit_test(test_facts_cut_short_or_too_long_are_none),
        cmocka_unit_test(test_facts_that_are_malformed_are_none),
        cmocka_unit_test(test_facts_are_apart_by_platform),
    };
    return cmocka_run_group_tests_name("fact_record", tests, NULL, NULL);
}
