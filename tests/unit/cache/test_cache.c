#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "cache/cache.h"

static void test_cache_open_takes_three_kinds(void **state UNUSED)
{
    static const char *const good[] = {"none", "memcached://h:1", "memcached://[::1],h2:1"};
    static const char *const bad[] = {"",          "files", "memcached:", "memcached://", "memcached://h:x",
                                      "redis://h", "File"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct error err = ERROR_INIT;
        struct cache *cache = cache_open(good[i], "/nonexistent", 1000, &err);
        assert_non_null(cache);
        cache_free(cache);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = ERROR_INIT;
        assert_null(cache_open(bad[i], "/nonexistent", 1000, &err));
        assert_int_equal(err.code, ERROR_USAGE);
    }
}

static void test_cache_file_is_made_with_its_directory(void **state UNUSED)
{
    char directory[] = "/tmp/pawl-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    AUTO_FREE char *data = file_join(directory, "a/b");
    struct error err = ERROR_INIT;
    struct cache *cache = cache_open("file", data, 1000, &err);
    assert_non_null(cache);
    cache_free(cache);
    struct stat is;
    assert_int_equal(stat(data, &is), 0);
    assert_int_equal(is.st_mode & 07777, 0700);
    static const char *const names[] = {"a/b/cache.lmdb", "a/b/cache.lmdb-lock", "a/b/cache.lmdb-guard",
                                        "a/b/cache.lmdb-users"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = file_join(directory, names[i]);
        assert_int_equal(stat(path, &is), 0);
        assert_int_equal(is.st_mode & 0777, 0600);
        assert_int_equal(remove(path), 0);
    }
    AUTO_FREE char *parent = file_join(directory, "a");
    assert_int_equal(remove(data), 0);
    assert_int_equal(remove(parent), 0);
    assert_int_equal(remove(directory), 0);
}

static void test_cache_none_misses_everything(void **state UNUSED)
{
    struct cache *cache = cache_open("none", "/nonexistent", 1000, NULL);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    cache_put(cache, "a", "1", 1, 0);
    assert_false(cache_get(cache, "a", &out));
    assert_int_equal(cache_stats(cache).misses, 1);
    assert_int_equal(cache_stats(cache).writes, 0);
    assert_null(cache_problem(cache));
    cache_free(cache);
}

static int always_fails_get(void *state UNUSED, const char *key, struct strbuf *out UNUSED, struct error *err)
{
    return error_set(err, ERROR_IO, "get %s", key);
}

static int counts_put(void *state, const char *key UNUSED, const void *value UNUSED, size_t len UNUSED,
                      int64_t ttl_s UNUSED, struct error *err UNUSED)
{
    ++*(int *)state;
    return 0;
}

static void does_nothing(void *state UNUSED)
{
}

static const struct cache_backend failing = {
    .get = always_fails_get, .put = counts_put, .flush = NULL, .free = does_nothing};

static void test_cache_problem_is_told_once(void **state UNUSED)
{
    int puts = 0;
    struct cache *cache = cache_new(&failing, &puts);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_false(cache_get(cache, "a", &out));
    assert_false(cache_get(cache, "b", &out));
    assert_string_equal(cache_problem(cache), "get b");
    assert_null(cache_problem(cache));
    assert_int_equal(cache_stats(cache).failures, 2);
    assert_int_equal(cache_stats(cache).misses, 2);
    cache_free(cache);
}

/* Each reading is 20 ms after the one before. */
static int64_t steps_on(void *context)
{
    return *(int64_t *)context += 20;
}

static uint64_t count_of(const struct cache_durations *durations)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= CACHE_DURATION_BOUNDS; i++)
        count += durations->buckets[i];
    return count;
}

static void test_cache_times_its_operations_by_success(void **state UNUSED)
{
    int puts = 0;
    int64_t now = 0;
    const struct clock clock = {.monotonic_ms = steps_on, .context = &now};
    struct cache *cache = cache_new(&failing, &puts);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    cache_put(cache, "a", "1", 1, 0); /* nobody asked for times yet */
    cache_time(cache, &clock);
    cache_put(cache, "a", "1", 1, 0);
    cache_put(cache, "a", "1", 1, 0);
    assert_false(cache_get(cache, "a", &out));
    const struct cache_stats stats = cache_stats(cache);
    assert_int_equal(stats.durations[CACHE_PUT][true].buckets[2], 2); /* up to 25 ms */
    assert_float_equal(stats.durations[CACHE_PUT][true].sum_s, 0.04, 1e-9);
    assert_int_equal(count_of(&stats.durations[CACHE_PUT][true]), 2);
    assert_int_equal(count_of(&stats.durations[CACHE_PUT][false]), 0);
    assert_int_equal(count_of(&stats.durations[CACHE_GET][true]), 0);
    assert_int_equal(stats.durations[CACHE_GET][false].buckets[2], 1);
    cache_free(cache);
}

static void test_cache_refuses_values_over_the_limit(void **state UNUSED)
{
    int puts = 0;
    struct cache *cache = cache_new(&failing, &puts);
    cache_put(cache, "a", "", LIMIT_CACHE_VALUE_BYTES + 1, 0);
    assert_int_equal(puts, 0);
    assert_non_null(cache_problem(cache));
    cache_put(cache, "a", "", 0, 0);
    assert_int_equal(puts, 1);
    assert_int_equal(cache_stats(cache).writes, 1);
    cache_free(cache);
}

static void test_cache_short_key_hashes_only_what_it_must(void **state UNUSED)
{
    char out[80];
    char long_key[81];
    memset(long_key, 'k', 80);
    long_key[80] = '\0';
    cache_short_key("a|b", true, out, sizeof(out));
    assert_string_equal(out, "a|b");
    cache_short_key("abc", false, out, sizeof(out));
    assert_string_equal(out, "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cache_short_key(long_key, true, out, sizeof(out));
    assert_int_equal(strncmp(out, "sha256-", 7), 0);
    long_key[79] = '\0';
    cache_short_key(long_key, true, out, sizeof(out));
    assert_string_equal(out, long_key);
}

/* Test vectors of the FNV authors. */
static void test_cache_checksum_is_fnv1a(void **state UNUSED)
{
    assert_true(cache_checksum("", 0) == 0xcbf29ce484222325u);
    assert_true(cache_checksum("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(cache_checksum("foobar", 6) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cache_open_takes_three_kinds),
        cmocka_unit_test(test_cache_file_is_made_with_its_directory),
        cmocka_unit_test(test_cache_none_misses_everything),
        cmocka_unit_test(test_cache_problem_is_told_once),
        cmocka_unit_test(test_cache_times_its_operations_by_success),
        cmocka_unit_test(test_cache_refuses_values_over_the_limit),
        cmocka_unit_test(test_cache_short_key_hashes_only_what_it_must),
        cmocka_unit_test(test_cache_checksum_is_fnv1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
