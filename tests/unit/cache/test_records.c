#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cache/records.h"
#include "cache/repository_record.h"

#define SHA_A "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct repository_info *decode(const struct strbuf *bytes)
{
    return record_decode_repository(bytes->buf, bytes->len);
}

static void check_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void check_same(const struct repository_info *a, const struct repository_info *b)
{
    assert_non_null(b);
    assert_string_equal(a->repository, b->repository);
    assert_int_equal(a->is_truncated, b->is_truncated);
    assert_int_equal(a->is_label_dated, b->is_label_dated);
    assert_int_equal(a->has_no_page_size, b->has_no_page_size);
    assert_int_equal(a->has_push_times, b->has_push_times);
    assert_true(a->scanned_ms == b->scanned_ms);
    assert_int_equal(a->is_shrunken, b->is_shrunken);
    assert_int_equal(a->shrunken_len, b->shrunken_len);
    assert_true(a->shrunken_ms == b->shrunken_ms);
    check_text(a->etag, b->etag);
    assert_true(a->etag_ms == b->etag_ms);
    check_text(a->list_digest, b->list_digest);
    assert_int_equal(a->images_len, b->images_len);
    for (size_t i = 0; i < a->images_len; i++) {
        const struct image_details *x = repository_info_details(a, i), *y = repository_info_details(b, i);
        check_text(repository_info_tag(a, i), repository_info_tag(b, i));
        check_text(x->digest, y->digest);
        check_text(x->problem, y->problem);
        check_text(x->platforms, y->platforms);
        check_text(x->labels, y->labels);
        assert_int_equal(x->is_undated, y->is_undated);
        assert_true(x->created_ms == y->created_ms);
        assert_true(x->checked_ms == y->checked_ms);
        assert_true(x->pushed_ms == y->pushed_ms);
    }
}

static void test_records_come_back_as_they_were(void **state UNUSED)
{
    static const struct {
        const char *tag;
        struct image_details details;
    } cases[] = {
        {"1", {0}},
        {"1.0", {.digest = SHA_A}},
        {"1.0-all",
         {.digest = SHA_A, .created_ms = 5, .platforms = "linux/amd64 linux/arm64", .labels = "{}"}},
        {"1.0-undated", {.digest = SHA_A, .is_undated = true, .platforms = ""}},
        {"1.0.0", {.digest = "sha512:abc"}},
        {"1.0.1", {.digest = "sha256:tooshort"}},
        {"1.0.2", {.digest = SHA_A "0"}},
        {"1.0.3", {.digest = "sha256:00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff"}},
        {"2", {.created_ms = 1700000000123, .checked_ms = 1700000000000}},
        {"3", {.created_ms = -62135596800000}}, /* some builders write the year 1 */
        {"4", {.created_ms = INT64_MAX, .checked_ms = INT64_MIN}},
        {"5", {.created_ms = INT64_MIN, .checked_ms = INT64_MAX}},
        {"5-pushed", {.pushed_ms = 1700000000123}},
        {"5-pushed-all", {.digest = SHA_A, .created_ms = 5, .labels = "{}", .pushed_ms = INT64_MAX}},
        {"6", {.problem = "manifest unknown"}},
        {"7", {.digest = "", .problem = ""}},
        {"\x01\x7f\xff any bytes", {0}},
        {"01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "23456"
         "78901234567890123456789abcdef8",
         {0}},
    };
    static const int64_t scanned[] = {0, 1, 1700000000000, INT64_MAX, INT64_MIN};
    for (size_t s = 0; s < ARRAY_LEN(scanned); s++) {
        CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
        info->scanned_ms = scanned[s];
        info->is_truncated = s % 2;
        info->is_label_dated = s % 2;
        info->has_no_page_size = s % 3 == 0;
        info->has_push_times = s % 2 == 0;
        info->is_shrunken = s / 2 == 1;
        info->shrunken_len = info->is_shrunken ? s : 0;
        info->shrunken_ms = info->is_shrunken ? scanned[s] : 0;
        repository_info_set_etag(info, s > 2 ? "W/\"x\"" : NULL, scanned[s]);
        info->list_digest = xstrdup(s > 1 ? SHA_A : NULL);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            repository_info_copy_details(info, repository_info_add(info, cases[i].tag), &cases[i].details);
        }
        repository_info_finish(info);
        assert_int_equal(info->images_len, ARRAY_LEN(cases));
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        record_encode_repository(info, &bytes);
        CLEANUP(repository_info_release) struct repository_info *again = decode(&bytes);
        check_same(info, again);
    }
}

static void test_records_leave_out_what_is_over_a_limit(void **state UNUSED)
{
    char tag[200];
    char problem[1000];
    memset(tag, 'x', sizeof(tag) - 1);
    tag[sizeof(tag) - 1] = '\0';
    memset(problem, 'p', sizeof(problem) - 1);
    problem[sizeof(problem) - 1] = '\0';
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_add(info, "");
    repository_info_add(info, tag);
    size_t index = repository_info_add(info, "1");
    repository_info_set_digest(info, index, problem);
    repository_info_set_problem(info, index, problem);
    repository_info_set_etag(info, problem, 1);
    info->list_digest = xstrdup("sha512:abc");
    repository_info_finish(info);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    CLEANUP(repository_info_release) struct repository_info *again = decode(&bytes);
    assert_non_null(again);
    assert_null(again->etag);
    assert_null(again->list_digest);
    assert_int_equal(again->images_len, 1);
    assert_string_equal(repository_info_tag(again, 0), "1");
    assert_null(repository_info_details(again, 0)->digest);
    assert_int_equal(strlen(repository_info_details(again, 0)->problem), 255);
}

/* name "a", flags, scanned_ms 0, count, tags: what follows differs from case to case. */
static void test_records_that_are_malformed_are_none(void **state UNUSED)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool good;
    } cases[] = {
#define BYTES(text) (text), sizeof(text) - 1
        {BYTES("\001a\000\000\000"), true},
        {BYTES("\001a\001\000\000"), true},
        {BYTES("\001a\000\000\001\000\001x\000"), true},
        {BYTES("\001a\000\000\002\000\001x\000\001\001y\000"), true},
        {BYTES(""), false},
        {BYTES("\001"), false},
        {BYTES("\001a\000\000"), false},
        {BYTES("\001a\000\000\000\000"), false},                       /* a byte too many */
        {BYTES("\001a\002\000\000"), false},                           /* shrunken, and not how */
        {BYTES("\001a\020\000\000"), false},                           /* half a list's digest */
        {BYTES("\001a\100\000\000"), true},                            /* push times */
        {BYTES("\001a\200\001\000\000"), false},                       /* an unknown flag */
        {BYTES("\001\000\000\000\000"), false},                        /* NUL in the name */
        {BYTES("\201\000a\000\000\000"), false},                       /* a number in a longer form */
        {BYTES("\001a\000\000\001\000\000\000"), false},               /* an empty tag */
        {BYTES("\001a\000\000\001\001\001x\000"), false},              /* shares what is not there */
        {BYTES("\001a\000\000\002\000\001x\000\000\001x\000"), false}, /* a tag twice */
        {BYTES("\001a\000\000\002\000\001y\000\000\001x\000"), false}, /* out of order */
        {BYTES("\001a\000\000\001\000\001x\003"), false},              /* two digests */
        {BYTES("\001a\000\000\001\000\001x\040"), false},              /* platforms, and not which */
        {BYTES("\001a\000\000\001\000\001x\200\002\002"), true},       /* pushed */
        {BYTES("\001a\000\000\001\000\001x\200\002"), false},          /* and not when */
        {BYTES("\001a\000\000\001\000\001x\200\004"), false},          /* an unknown flag */
        {BYTES("\001a\000\000\001\000\001x\001short"), false},         /* half a digest */
        {BYTES("\001a\000\000\001\000\200\001"), false},               /* tag longer than the record */
        {BYTES("\001a\000\377\377\377\377\377\377\377\377\377\177\000"), false}, /* over 64 bits */
        {BYTES("\001a\000\000\377\377\377\377\377\377\377\377\377\001"), false}, /* 2^64-1 tags */
        {BYTES("\001a\000\000\001\000\001\000\000"), false},                     /* NUL in a tag */
#undef BYTES
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *exact = xmalloc(cases[i].len); /* so that reading past the end is seen */
        memcpy(exact, cases[i].bytes, cases[i].len);
        CLEANUP(repository_info_release)
        struct repository_info *info = record_decode_repository(exact, cases[i].len);
        if ((info != NULL) != cases[i].good)
            fail_msg("case %zu is %s", i, info ? "read" : "refused");
    }
}

static void test_records_cut_short_anywhere_are_none(void **state UNUSED)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    for (int i = 0; i < 3; i++) {
        char tag[] = {(char)('a' + i), '\0'};
        const struct image_details details = {SHA_A, 1700000000000, 1700000000000, .problem = "p"};
        repository_info_copy_details(info, repository_info_add(info, tag), &details);
    }
    repository_info_finish(info);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_null(record_decode_repository(bytes.buf, len));
}

static void test_records_of_100000_tags_are_small_and_whole(void **state UNUSED)
{
    enum { COUNT = 100000 };
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    for (int i = 0; i < COUNT; i++) {
        char text[80];
        snprintf(text, sizeof(text), "main-%06d-%08x", i, (unsigned)i * 2654435761u);
        size_t index = repository_info_add(info, text);
        snprintf(text, sizeof(text), "sha256:%064x", (unsigned)i);
        repository_info_copy_details(
            info, index, &(struct image_details){text, 1700000000000 + i, 1700000000000, .problem = NULL});
    }
    info->scanned_ms = 1700000000000;
    repository_info_finish(info);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    record_encode_repository(info, &bytes);
    CLEANUP(repository_info_release) struct repository_info *again = decode(&bytes);
    check_same(info, again);
    assert_true(bytes.len < 65 * (size_t)COUNT);
}

struct fixture {
    char directory[64];
    struct cache *cache;
};

static int open_cache(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    struct error err = ERROR_INIT;
    f->cache = cache_open("file", f->directory, 1000, &err);
    assert_non_null(f->cache);
    *state = f;
    return 0;
}

static int close_cache(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"cache.lmdb", "cache.lmdb-lock", "cache.lmdb-guard",
                                        "cache.lmdb-users"};
    cache_free(f->cache);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = file_join(f->directory, names[i]);
        remove(path);
    }
    assert_int_equal(remove(f->directory), 0);
    free(f);
    return 0;
}

static void test_records_that_are_known_are_not_read_again(void **state)
{
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_add(info, "1");
    repository_info_finish(info);
    record_put_repository(f->cache, info, "");
    CLEANUP(repository_info_release)
    struct repository_info *read = record_get_repository(f->cache, "quay.io/a/b", "");
    struct repository_info *const known[] = {info, read};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        CLEANUP(repository_info_release)
        struct repository_info *again = record_get_repository_again(f->cache, "quay.io/a/b", "", known[i]);
        assert_ptr_equal(again, known[i]);
    }
    /* another pawl's, of a second later */
    CLEANUP(repository_info_release) struct repository_info *newer = repository_info_copy(info);
    newer->scanned_ms = 1000;
    record_put_repository(f->cache, newer, "");
    CLEANUP(repository_info_release)
    struct repository_info *other = record_get_repository_again(f->cache, "quay.io/a/b", "", info);
    assert_ptr_not_equal(other, info);
    check_same(newer, other);
    assert_null(record_get_repository_again(f->cache, "quay.io/a/c", "", info));
}

/* Where the cache lost it, or has an older one (a server that was away came back): whoever knows more goes on with that. */
static void test_records_that_are_known_outlive_the_cache(void **state)
{
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *older = repository_info_new("quay.io/a/b");
    CLEANUP(repository_info_release) struct repository_info *known = repository_info_new("quay.io/a/b");
    CLEANUP(repository_info_release) struct repository_info *nobodys = repository_info_new("quay.io/a/b");
    older->scanned_ms = 1000;
    known->scanned_ms = nobodys->scanned_ms = 2000;
    struct cache *none = cache_new(NULL, NULL);
    record_put_repository(none, known, "user:me");
    struct cache *const caches[] = {none, f->cache};
    for (size_t i = 0; i < ARRAY_LEN(caches); i++) {
        CLEANUP(repository_info_release)
        struct repository_info *again =
            record_get_repository_again(caches[i], "quay.io/a/b", "user:me", known);
        assert_ptr_equal(again, known);
        assert_null(record_get_repository_again(caches[i], "quay.io/a/b", "user:other", known));
        assert_null(record_get_repository_again(caches[i], "quay.io/a/c", "user:me", known));
        assert_null(record_get_repository_again(caches[i], "quay.io/a/b", "user:me", nobodys));
    }
    cache_free(none);
    record_put_repository(f->cache, older, "user:me");
    CLEANUP(repository_info_release)
    struct repository_info *newest = record_get_repository_again(f->cache, "quay.io/a/b", "user:me", known);
    assert_ptr_equal(newest, known);
}

static void test_records_are_apart_by_repository_and_scope(void **state)
{
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_add(info, "1");
    repository_info_finish(info);
    record_put_repository(f->cache, info, "user@quay.io");
    CLEANUP(repository_info_release)
    struct repository_info *same = record_get_repository(f->cache, "quay.io/a/b", "user@quay.io");
    check_same(info, same);
    assert_null(record_get_repository(f->cache, "quay.io/a/b", ""));
    assert_null(record_get_repository(f->cache, "quay.io/a/b", "other@quay.io"));
    assert_null(record_get_repository(f->cache, "quay.io/a/bb", "user@quay.io"));
    assert_null(cache_problem(f->cache));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back_as_they_were),
        cmocka_unit_test(test_records_leave_out_what_is_over_a_limit),
        cmocka_unit_test(test_records_that_are_malformed_are_none),
        cmocka_unit_test(test_records_cut_short_anywhere_are_none),
        cmocka_unit_test(test_records_of_100000_tags_are_small_and_whole),
        cmocka_unit_test_setup_teardown(test_records_that_are_known_are_not_read_again, open_cache,
                                        close_cache),
        cmocka_unit_test_setup_teardown(test_records_that_are_known_outlive_the_cache, open_cache,
                                        close_cache),
        cmocka_unit_test_setup_teardown(test_records_are_apart_by_repository_and_scope, open_cache,
                                        close_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
