#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/first_seen.h"
#include "daemon/seen_record.h"

/* "tag tag@made tag=digest tag^pushed": times in milliseconds, digests any word. */
static struct repository_info *answer(const char *tags)
{
    struct repository_info *info = repository_info_new("registry.example/app");
    AUTO_FREE char *copy = xstrdup(tags);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) && *word) {
        char *made = strchr(word, '@'), *digest = strchr(word, '='), *pushed = strchr(word, '^');
        if (made)
            *made++ = '\0';
        if (digest)
            *digest++ = '\0';
        if (pushed)
            *pushed++ = '\0';
        size_t index = repository_info_add(info, word);
        if (made)
            repository_info_edit_details(info, index)->created_ms = strtoll(made, NULL, 10);
        if (pushed)
            repository_info_edit_details(info, index)->pushed_ms = strtoll(pushed, NULL, 10);
        repository_info_set_digest(info, index, digest);
    }
    repository_info_finish(info);
    return info;
}

static void test_seen_record_keeps_account(void **state)
{
    (void)state;
    static const struct {
        const char *before, *tags, *after; /* at 5000 */
    } cases[] = {
        /* nobody was there to see: the time it was made, if that is known and can be */
        {NULL, "a b@900 c@6000 d=x", "5000 - a\n900 - b\n5000 - c\n5000 x d\n"},
        {"nonsense", "b@900", "900 - b\n"},
        {"first-seen 1\nx - a\n", "a@900", "900 - a\n"},
        {"first-seen 1\n100 - a", "a@900", "900 - a\n"},
        {"first-seen 2\n100 - a\n", "a@900", "900 - a\n"},
        /* what is new is seen now, whenever it was made; what is gone is forgotten */
        {"first-seen 1\n", "a b@900", "5000 - a\n5000 - b\n"},
        {"first-seen 1\n100 - a\n200 - b\n300 - c\n", "0 b bb d", "5000 - 0\n200 - b\n5000 - bb\n5000 - d\n"},
        {"first-seen 1\n100 - a\n", "", ""},
        {"first-seen 1\n100 - ab\n200 - b\n", "a b", "5000 - a\n200 - b\n"},
        /* what points elsewhere starts anew; what it points at need not be known again */
        {"first-seen 1\n100 x a\n200 y b\n", "a=x b=z", "100 x a\n5000 z b\n"},
        {"first-seen 1\n200 y b\n", "b", "200 y b\n"},
        /* what is learned later may have been pushed since, unless it was made before */
        {"first-seen 1\n100 - a\n200 - b\n300 - c\n", "a=x b@199=y c@301=z", "5000 x a\n200 y b\n5000 z c\n"},
        {"first-seen 1\n100 xx a\n", "a=x", "5000 x a\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct repository_info *info = answer(cases[i].tags);
        int64_t seen_ms[8] = {0};
        seen_record_update(cases[i].before, info, 5000, seen_ms, &out);
        AUTO_FREE char *expected = xasprintf("first-seen 1\n%s", cases[i].after);
        assert_string_equal(out.buf, expected);
        const char *line = cases[i].after;
        for (size_t k = 0; k < info->images_len; k++) {
            assert_int_equal(seen_ms[k], strtoll(line, NULL, 10));
            line = strchr(line, '\n') + 1;
        }
        repository_info_unref(info);
    }
}

static int64_t now;

static int64_t tell_now(void *context)
{
    (void)context;
    return now;
}

static const struct clock test_clock = {.wall_ms = tell_now, .monotonic_ms = tell_now};

/* Whether or not it can be written down. */
static int64_t age_of_unkept(struct first_seen *seen, const char *tags, const char *tag, struct error *err)
{
    struct repository_info *info = answer(tags);
    struct tag_ages *ages = first_seen_update(seen, info, err);
    const struct image_info image = {tag, &image_details_unknown};
    int64_t seen_ms = tag_ages_since_ms(&image, ages);
    tag_ages_free(ages);
    repository_info_unref(info);
    return seen_ms ? now - seen_ms : -1;
}

static int64_t age_of(struct first_seen *seen, const char *tags, const char *tag)
{
    struct error err = ERROR_INIT;
    int64_t age = age_of_unkept(seen, tags, tag, &err);
    if (err.code)
        fail_msg("%s", err.text);
    return age;
}

static void test_first_seen_outlives_the_process(void **state)
{
    (void)state;
    char dir[] = "/tmp/pawl-first-seen-XXXXXX";
    assert_non_null(mkdtemp(dir));
    now = 1000000;
    struct first_seen *seen = first_seen_new(dir, &test_clock);
    assert_int_equal(age_of(seen, "a b", "a"), 0);
    now += 500;
    assert_int_equal(age_of(seen, "a b c", "a"), 500);
    assert_int_equal(age_of(seen, "a b c", "c"), 0);
    assert_int_equal(age_of(seen, "a b c", "d"), -1);
    first_seen_free(seen);
    now += 500;
    seen = first_seen_new(dir, &test_clock);
    assert_int_equal(age_of(seen, "a b c d", "a"), 1000);
    assert_int_equal(age_of(seen, "a b c d", "c"), 500);
    assert_int_equal(age_of(seen, "a b c d", "d"), 0);
    first_seen_free(seen);
    static const char *const files[] = {"first-seen.mdb", "first-seen.mdb-lock", "first-seen.mdb-guard",
                                        "first-seen.mdb-users"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* Whatever else is known; but no push is later than now. */
static void test_first_seen_goes_by_pushes_where_they_are_known(void **state)
{
    (void)state;
    now = 1000000;
    struct first_seen *seen = first_seen_new("/proc/no-such/place", &test_clock);
    static const struct {
        int64_t at;
        const char *tags, *tag;
        int64_t age;
    } steps[] = {
        {1000000, "a^400000 b c^1000001", "a", 600000}, /* seen for the first time, and old */
        {1000000, "a^400000 b c^1000001", "b", 0},
        {1000500, "a^400000 b c^1900000", "c", 500},    /* tomorrow's: since it was seen */
        {1000500, "a^1000400 b^1000200 c^1", "a", 100}, /* pushed again */
        {1000500, "a^1000400 b^1000200 c^1", "b", 300}, /* though it was seen before */
        {1000900, "a b c", "a", 900},                   /* the registry says no more */
        {1000900, "a^1000900 b c", "a", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct error err = ERROR_INIT;
        now = steps[i].at;
        assert_int_equal(age_of_unkept(seen, steps[i].tags, steps[i].tag, &err), steps[i].age);
    }
    first_seen_free(seen);
}

/* A disk that fails lets nothing through early, and stops nothing else. */
static void test_first_seen_goes_on_without_a_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct repository_info *info = answer("a");
    const struct image_info image = repository_info_image(info, 0);
    now = 1000000;
    struct first_seen *seen = first_seen_new("/proc/no-such/place", &test_clock);
    tag_ages_free(first_seen_update(seen, info, &err));
    assert_int_not_equal(err.code, ERROR_NONE);
    assert_non_null(strstr(err.text, "not kept"));
    now += 700;
    struct tag_ages *ages = first_seen_update(seen, info, &err);
    assert_int_equal(tag_ages_since_ms(&image, ages), 1000000);
    assert_int_equal(tag_ages_since_ms(&image, NULL), 0);
    tag_ages_free(ages);
    first_seen_free(seen);
    repository_info_unref(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seen_record_keeps_account),
        cmocka_unit_test(test_first_seen_outlives_the_process),
        cmocka_unit_test(test_first_seen_goes_by_pushes_where_they_are_known),
        cmocka_unit_test(test_first_seen_goes_on_without_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
