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
#include "cache/cache_file.h"
#include "cache/fact_record.h"
#include "cache/record_list.h"
#include "cache/records.h"
#include "model/demand.h"

#define DAY_MS  INT64_C(86400000)
#define DIGEST  "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define AMD64   "linux/amd64 "
#define AS_USER "linux/amd64 user:ann"

struct fixture {
    char directory[64];
    char path[80];
    int64_t wall_ms;
    struct clock clock;
    struct cache *cache;
};

static int64_t fixed_wall_ms(void *context)
{
    return ((struct fixture *)context)->wall_ms;
}

static void put_repository(struct fixture *f, const char *name, const char *scope)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new(name);
    repository_info_edit_details(info, repository_info_add(info, "1"))->created_ms = 1600000000000;
    repository_info_add(info, "2");
    repository_info_set_problem(info, repository_info_add(info, "3"), "broken");
    info->scanned_ms = f->wall_ms;
    repository_info_finish(info);
    record_put_repository(f->cache, info, scope);
}

/* Two records of one repository, one of another, a fact; one malformed and one of another version. */
static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct error err = ERROR_INIT;
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/cache.lmdb", f->directory);
    f->wall_ms = 1700000000000;
    f->clock = (struct clock){.wall_ms = fixed_wall_ms, .monotonic_ms = fixed_wall_ms, .context = f};
    const struct cache_file_options options = {.map_size = CACHE_FILE_MAP_SIZE, .clock = &f->clock};
    void *file = cache_file_open_with(f->path, &options, &err);
    assert_non_null(file);
    f->cache = cache_new(&cache_file_backend, file);
    put_repository(f, "quay.io/b", AMD64);
    put_repository(f, "quay.io/a", AS_USER);
    put_repository(f, "quay.io/a", AMD64);
    record_put_facts(f->cache, DIGEST, "linux/amd64",
                     &(struct image_facts){.known = DEMAND_CREATED, .created_ms = 5});
    cache_put(f->cache, "pawl3|repository|quay.io/c|linux/amd64|user|sha256-00", "garbage", 7, 0);
    cache_put(f->cache, "pawl2|created|" DIGEST "|linux/amd64", "x", 1, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const endings[] = {"", "-lock", "-guard", "-users"};
    cache_free(f->cache);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        AUTO_FREE char *path = xasprintf("%s%s", f->path, endings[i]);
        remove(path);
    }
    int left = remove(f->directory);
    free(f);
    return left;
}

static void read_list(struct fixture *f, struct record_list *list)
{
    struct error err = ERROR_INIT;
    if (record_list_read(f->cache, list, &err) < 0)
        fail_msg("%s", err.text);
}

static void prune(struct fixture *f, struct record_prune *how)
{
    struct error err = ERROR_INIT;
    how->now_ms = f->wall_ms;
    if (record_prune(f->cache, how, &err) < 0)
        fail_msg("%s", err.text);
}

static void check_counts(const struct record_prune *done, size_t used, size_t expired, size_t unreadable,
                         size_t old)
{
    assert_int_equal(done->count[RECORD_USED], used);
    assert_int_equal(done->count[RECORD_EXPIRED], expired);
    assert_int_equal(done->count[RECORD_UNREADABLE], unreadable);
    assert_int_equal(done->count[RECORD_OLD], old);
}

static void test_record_list_has_a_row_for_each_repository_and_scope(void **state)
{
    struct fixture *f = *state;
    CLEANUP(record_list_release) struct record_list list = RECORD_LIST_INIT;
    read_list(f, &list);
    assert_int_equal(list.len, 3);
    assert_int_equal(list.facts, 1);
    assert_int_equal(list.useless, 2);
    assert_string_equal(list.rows[0].repository, "quay.io/a");
    assert_string_equal(list.rows[1].repository, "quay.io/a");
    assert_string_equal(list.rows[2].repository, "quay.io/b");
    assert_string_not_equal(list.rows[0].identity, list.rows[1].identity);
    for (size_t i = 0; i < list.len; i++) {
        const struct record_row *row = &list.rows[i];
        assert_int_equal(row->tags, 3);
        assert_int_equal(row->dated, 1);
        assert_int_equal(row->problems, 1);
        assert_true(row->scanned_ms == f->wall_ms);
        assert_true(row->expires_ms == f->wall_ms + RECORD_REPOSITORY_TTL_S * 1000);
        assert_null(row->info);
    }
}

static void test_record_list_of_one_repository_has_its_tags(void **state)
{
    struct fixture *f = *state;
    CLEANUP(record_list_release)
    struct record_list list = {.only_repository = "quay.io/a", .wants_info = true};
    read_list(f, &list);
    assert_int_equal(list.len, 2);
    assert_string_equal(repository_info_details(list.rows[0].info, 2)->problem, "broken");
}

static void test_record_prune_removes_what_is_of_no_use(void **state)
{
    struct fixture *f = *state;
    struct record_prune dry = {.dry_run = true}, first = {.now_ms = 0}, second = {.now_ms = 0};
    prune(f, &dry);
    check_counts(&dry, 4, 0, 2, 0);
    prune(f, &first);
    check_counts(&first, 4, 0, 2, 0);
    assert_int_equal(first.bytes[RECORD_UNREADABLE], 8);
    prune(f, &second);
    check_counts(&second, 4, 0, 0, 0);
}

static void test_record_prune_knows_what_is_expired_and_what_is_old(void **state)
{
    struct fixture *f = *state;
    f->wall_ms += 10 * DAY_MS;
    put_repository(f, "quay.io/b", AMD64);
    struct record_prune younger = {.older_than_ms = 11 * DAY_MS, .dry_run = true};
    prune(f, &younger);
    check_counts(&younger, 4, 0, 2, 0);
    struct record_prune older = {.older_than_ms = 9 * DAY_MS, .dry_run = true};
    prune(f, &older);
    check_counts(&older, 1, 0, 2, 3);
    f->wall_ms += 5 * DAY_MS;
    struct record_prune expired = {.older_than_ms = 9 * DAY_MS};
    prune(f, &expired);
    check_counts(&expired, 1, 2, 2, 1);
    CLEANUP(record_list_release) struct record_list list = RECORD_LIST_INIT;
    read_list(f, &list);
    assert_int_equal(list.len, 1);
    assert_string_equal(list.rows[0].repository, "quay.io/b");
}

static void test_record_prune_of_all_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct record_prune first = {.all = true}, second = {.all = true};
    prune(f, &first);
    check_counts(&first, 0, 0, 2, 4);
    prune(f, &second);
    check_counts(&second, 0, 0, 0, 0);
}

static void test_record_list_of_a_cache_that_cannot_list_is_refused(void **state UNUSED)
{
    static const char *const specs[] = {"none", "memcached://127.0.0.1:1"};
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        CLEANUP(record_list_release) struct record_list list = RECORD_LIST_INIT;
        struct error err = ERROR_INIT;
        struct cache *cache = cache_open(specs[i], "/nonexistent", 100, &err);
        assert_non_null(cache);
        assert_int_equal(record_list_read(cache, &list, &err), -1);
        assert_int_equal(err.code, ERROR_UNSUPPORTED);
        cache_free(cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_record_list_has_a_row_for_each_repository_and_scope, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_record_list_of_one_repository_has_its_tags, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_record_prune_removes_what_is_of_no_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_record_prune_knows_what_is_expired_and_what_is_old, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_record_prune_of_all_leaves_nothing, set_up, tear_down),
        cmocka_unit_test(test_record_list_of_a_cache_that_cannot_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
