#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cache/cache.h"
#include "cache/cache_file.h"

/* Each test has a directory of its own and a clock that stands still. */
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

static struct cache *open_at(struct fixture *f, size_t map_size)
{
    const struct cache_file_options options = {.map_size = map_size, .clock = &f->clock};
    struct error err = ERROR_INIT;
    void *state = cache_file_open_with(f->path, &options, &err);
    if (!state)
        fail_msg("%s", err.text);
    return cache_new(&cache_file_backend, state);
}

static void reopen(struct fixture *f, size_t map_size)
{
    cache_free(f->cache);
    f->cache = open_at(f, map_size);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/cache.lmdb", f->directory);
    f->wall_ms = 1700000000000;
    f->clock = (struct clock){.wall_ms = fixed_wall_ms, .monotonic_ms = fixed_wall_ms, .context = f};
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const endings[] = {"", "-lock", "-guard", "-users", ".bad"};
    cache_free(f->cache);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        AUTO_FREE char *path = xasprintf("%s%s", f->path, endings[i]);
        remove(path);
    }
    int left = remove(f->directory);
    free(f);
    return left;
}

static void put_text(struct cache *cache, const char *key, const char *text)
{
    cache_put(cache, key, text, strlen(text), 0);
}

static void check_value(struct cache *cache, const char *key, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    bool found = cache_get(cache, key, &out);
    assert_int_equal(found, expected != NULL);
    assert_string_equal(out.buf, expected ? expected : "");
}

static void test_cache_file_keeps_values_over_a_restart(void **state)
{
    struct fixture *f = *state;
    check_value(f->cache, "a", NULL);
    put_text(f->cache, "a", "one");
    put_text(f->cache, "b", "");
    put_text(f->cache, "a", "two");
    reopen(f, CACHE_FILE_MAP_SIZE);
    check_value(f->cache, "a", "two");
    check_value(f->cache, "b", "");
    assert_null(cache_problem(f->cache));
    struct cache_stats stats = cache_stats(f->cache);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.failures, 0);
}

static void test_cache_file_writes_when_asked_or_when_enough_has_gathered(void **state)
{
    struct fixture *f = *state;
    struct stat before, after;
    cache_flush(f->cache);
    assert_int_equal(stat(f->path, &before), 0);
    for (int i = 1; i < CACHE_FILE_HELD_BACK; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        put_text(f->cache, key, key);
        check_value(f->cache, key, key);
    }
    assert_int_equal(stat(f->path, &after), 0);
    assert_int_equal(after.st_blocks, before.st_blocks);
    put_text(f->cache, "one", "more");
    assert_int_equal(stat(f->path, &after), 0);
    assert_true(after.st_blocks > before.st_blocks);
    check_value(f->cache, "key-1", "key-1");
    check_value(f->cache, "one", "more");
    assert_null(cache_problem(f->cache));
}

static void test_cache_file_writes_when_the_first_has_waited_long(void **state)
{
    struct fixture *f = *state;
    struct stat before, after;
    cache_flush(f->cache);
    put_text(f->cache, "first", "value");
    f->wall_ms += CACHE_FILE_HELD_BACK_MS - 1;
    put_text(f->cache, "second", "value");
    assert_int_equal(stat(f->path, &before), 0);
    f->wall_ms++;
    put_text(f->cache, "third", "value");
    assert_int_equal(stat(f->path, &after), 0);
    assert_true(after.st_blocks > before.st_blocks);
}

static void test_cache_file_appends_to_what_is_there(void **state)
{
    struct fixture *f = *state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    put_text(f->cache, "a", "one");
    strbuf_addstr(&out, "before ");
    assert_true(cache_get(f->cache, "a", &out));
    assert_false(cache_get(f->cache, "b", &out));
    assert_string_equal(out.buf, "before one");
}

static void test_cache_file_takes_any_key(void **state)
{
    struct fixture *f = *state;
    char longest[512], longer[513];
    memset(longest, 'k', sizeof(longest));
    memset(longer, 'k', sizeof(longer));
    longest[511] = longer[512] = '\0';
    const char *const keys[] = {"", " ", "\n\x01\xff", longest, longer, "k"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char value[] = {(char)('0' + i), '\0'};
        put_text(f->cache, keys[i], value);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char value[] = {(char)('0' + i), '\0'};
        check_value(f->cache, keys[i], value);
    }
    assert_null(cache_problem(f->cache));
}

static void test_cache_file_forgets_what_is_expired(void **state)
{
    struct fixture *f = *state;
    cache_put(f->cache, "a", "1", 1, 60);
    cache_put(f->cache, "b", "2", 1, 0);
    for (int flushed = 0; flushed < 2; flushed++) {
        f->wall_ms += 59999;
        check_value(f->cache, "a", "1");
        f->wall_ms += 1;
        check_value(f->cache, "a", NULL);
        check_value(f->cache, "b", "2");
        f->wall_ms -= 60000;
        cache_flush(f->cache);
    }
    f->wall_ms += 60000;
    check_value(f->cache, "a", NULL);
    f->wall_ms -= 60000; /* had it only been hidden, it would be back */
    check_value(f->cache, "a", "1");
    f->wall_ms += 60000;
    put_text(f->cache, "c", "3");
    cache_flush(f->cache);
    f->wall_ms -= 60000;
    check_value(f->cache, "a", NULL);
    check_value(f->cache, "b", "2");
}

static int count_keys(struct cache *cache, int end)
{
    int kept = 0;
    for (int i = 0; i < end; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        kept += cache_get(cache, key, &out);
    }
    return kept;
}

/* Half of it is always there: it never begins anew. */
static void test_cache_file_full_makes_room_and_goes_on(void **state)
{
    struct fixture *f = *state;
    reopen(f, CACHE_FILE_MAP_MIN);
    AUTO_FREE char *value = xcalloc(1, 20000);
    for (int i = 0; i < 2000; i++) { /* 40 MB into 8 MiB */
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        cache_put(f->cache, key, value, 20000, 0);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        assert_true(cache_get(f->cache, key, &out));
        if (i > 500 && i % 25 == 0)
            assert_in_range(count_keys(f->cache, i), 120, 500);
    }
    assert_null(cache_problem(f->cache));
    struct stat file;
    assert_int_equal(stat(f->path, &file), 0);
    assert_true((size_t)file.st_blocks * 512 <= CACHE_FILE_MAP_MIN);
}

static void test_cache_file_full_of_expired_values_drops_only_those(void **state)
{
    struct fixture *f = *state;
    reopen(f, CACHE_FILE_MAP_MIN);
    AUTO_FREE char *value = xcalloc(1, 20000);
    put_text(f->cache, "zz", "kept");
    for (int i = 0; i < 300; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        cache_put(f->cache, key, value, 20000, 60);
    }
    f->wall_ms += 60000;
    for (int i = 0; i < 30; i++) {
        char key[32];
        snprintf(key, sizeof(key), "new-%d", i);
        cache_put(f->cache, key, value, 20000, 0);
    }
    for (int i = 0; i < 30; i++) {
        char key[32];
        snprintf(key, sizeof(key), "new-%d", i);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        assert_true(cache_get(f->cache, key, &out));
    }
    check_value(f->cache, "zz", "kept");
    assert_null(cache_problem(f->cache));
}

static void test_cache_file_refuses_values_of_an_eighth_of_it(void **state)
{
    struct fixture *f = *state;
    reopen(f, CACHE_FILE_MAP_MIN);
    AUTO_FREE char *value = xcalloc(1, CACHE_FILE_MAP_MIN);
    cache_put(f->cache, "a", value, CACHE_FILE_MAP_MIN / 8 + 1, 0);
    assert_non_null(cache_problem(f->cache));
    assert_null(cache_problem(f->cache));
    for (int i = 0; i < 40; i++)
        cache_put(f->cache, i % 2 ? "a" : "b", value, CACHE_FILE_MAP_MIN / 8, 0);
    cache_flush(f->cache);
    assert_null(cache_problem(f->cache));
}

/* -- damage ---------------------------------------------------------------------------------------------- */

static void fill(struct cache *cache)
{
    AUTO_FREE char *value = xcalloc(1, 3000);
    for (int i = 0; i < 200; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        cache_put(cache, key, value, 10 + (size_t)(i % 100) * 29, 0);
    }
    cache_flush(cache);
}

static bool was_set_aside(const struct fixture *f)
{
    AUTO_FREE char *bad = xasprintf("%s.bad", f->path);
    return access(bad, F_OK) == 0;
}

/* Whatever was done to the file: it opens, reads without a crash, and takes a new value. */
static void check_usable(struct fixture *f)
{
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    for (int i = 0; i < 200; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        cache_get(f->cache, key, &out);
    }
    put_text(f->cache, "after", "fine");
    check_value(f->cache, "after", "fine");
}

static void test_cache_file_survives_being_cut_short_anywhere(void **state)
{
    struct fixture *f = *state;
    int aside = 0;
    fill(f->cache);
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(file_read(f->path, 64 << 20, &whole, &err), 0);
    /* what is written is at the beginning, and a hole behind it */
    for (size_t len = 0; len < whole.len; len += len < 16384 ? 1111 : len < 800000 ? 30011 : 3000011) {
        cache_free(f->cache);
        assert_int_equal(file_write_atomic(f->path, whole.buf, len, 0600, &err), 0);
        check_usable(f);
        aside += was_set_aside(f);
    }
    assert_true(aside > 0);
}

static void leave_open(const struct fixture *f)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *note = xasprintf("%s-users", f->path);
    assert_int_equal(file_write_atomic(note, "1", 1, 0600, &err), 0);
}

/* LMDB would end the process with some of these, at once or when it comes to the page. Somebody did not come to its end with
 * the file: whoever opens it next does. */
static void test_cache_file_survives_damaged_pages(void **state)
{
    static const size_t places[] = {0,  10, 12, 14,
                                    16, 17, 40, 4090}; /* of a page: its number, flags, bounds, … */
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    int aside = 0;
    fill(f->cache);
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
    assert_int_equal(file_read(f->path, 64 << 20, &whole, &err), 0);
    AUTO_FREE char *bad = xasprintf("%s.bad", f->path);
    for (size_t page = 2; page < 100; page += 7) {
        size_t at = page * 4096 + places[page % ARRAY_LEN(places)];
        cache_free(f->cache);
        whole.buf[at] = (char)~whole.buf[at];
        whole.buf[at + 1] = (char)~whole.buf[at + 1];
        assert_int_equal(file_write_atomic(f->path, whole.buf, whole.len, 0600, &err), 0);
        whole.buf[at] = (char)~whole.buf[at];
        whole.buf[at + 1] = (char)~whole.buf[at + 1];
        leave_open(f);
        check_usable(f);
        aside += was_set_aside(f);
        remove(bad);
    }
    assert_in_range(aside, 5, 14);
}

/* Whoever was killed has damaged nothing, and loses nothing. */
static void test_cache_file_that_was_left_open_is_kept(void **state)
{
    struct fixture *f = *state;
    fill(f->cache);
    cache_free(f->cache);
    leave_open(f);
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_true(cache_get(f->cache, "key-7", &out));
    assert_false(was_set_aside(f));
    cache_free(f->cache);
    AUTO_FREE char *note = xasprintf("%s-users", f->path);
    struct stat left;
    assert_int_equal(stat(note, &left), 0);
    assert_int_equal(left.st_size, 0);
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    assert_int_equal(stat(note, &left), 0);
    assert_int_equal(left.st_size, 1);
}

static void test_cache_file_that_is_none_is_set_aside(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    AUTO_FREE char *zeros = xcalloc(1, 100000);
    AUTO_FREE char *text = xmalloc(100000);
    memset(text, 'x', 100000);
    const char *const contents[] = {zeros, text};
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        cache_free(f->cache);
        assert_int_equal(file_write_atomic(f->path, contents[i], 100000, 0600, &err), 0);
        f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
        assert_true(was_set_aside(f));
        check_value(f->cache, "a", NULL);
        const char *problem = cache_problem(f->cache);
        assert_non_null(problem);
        assert_non_null(strstr(problem, "cache.lmdb.bad"));
        put_text(f->cache, "a", "1");
        check_value(f->cache, "a", "1");
        assert_null(cache_problem(f->cache));
    }
}

static void test_cache_file_of_another_version_is_set_aside(void **state)
{
    struct fixture *f = *state;
    fill(f->cache);
    cache_free(f->cache);
    int fd = open(f->path, O_RDWR);
    const unsigned char version = 99; /* behind page header and magic, on both meta pages */
    long page = sysconf(_SC_PAGESIZE);
    assert_int_equal(pwrite(fd, &version, 1, 20), 1);
    assert_int_equal(pwrite(fd, &version, 1, page + 20), 1);
    close(fd);
    check_usable(f);
    assert_true(was_set_aside(f));
}

/* A flipped byte inside a value is found by its checksum. */
static void test_cache_file_with_a_damaged_value_is_set_aside(void **state)
{
    struct fixture *f = *state;
    char value[30000];
    memset(value, 'v', sizeof(value));
    cache_put(f->cache, "a", value, sizeof(value), 0);
    cache_free(f->cache);
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(file_read(f->path, 64 << 20, &whole, &err), 0);
    char *middle = memmem(whole.buf, whole.len, value, 20000);
    assert_non_null(middle);
    middle[15000] = 'w';
    assert_int_equal(file_write_atomic(f->path, whole.buf, whole.len, 0600, &err), 0);
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    assert_false(was_set_aside(f));
    check_value(f->cache, "a", NULL);
    assert_true(was_set_aside(f));
    assert_non_null(cache_problem(f->cache));
    put_text(f->cache, "a", "1");
    check_value(f->cache, "a", "1");
}

static void test_cache_file_that_cannot_be_made_says_which_and_why(void **state UNUSED)
{
    struct error err = ERROR_INIT;
    assert_null(cache_open("file", "/dev/null/x", 1000, &err));
    assert_non_null(strstr(err.text, "/dev/null"));
    assert_null(cache_file_open("/nonexistent/cache.lmdb", &err));
    assert_string_equal(err.text,
                        "cannot open the cache file /nonexistent/cache.lmdb: No such file or directory");
}

/* -- several processes ----------------------------------------------------------------------------------- */

/* Writes values that tell whether they are whole: all bytes are the same, the count is in the key. */
static void write_for_ever(struct fixture *f, int who)
{
    struct cache *cache = open_at(f, CACHE_FILE_MAP_SIZE);
    AUTO_FREE char *value = xmalloc(50000);
    for (unsigned i = 0;; i++) {
        char key[32];
        size_t len = (i * 7919u) % 50000;
        snprintf(key, sizeof(key), "%d-%u", who, i % 50);
        memset(value, 'a' + (int)(i % 26), len);
        cache_put(cache, key, value, len, 0);
        if (i % 3 == 0)
            cache_flush(cache);
    }
}

static pid_t start_writer(struct fixture *f, int who)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        write_for_ever(f, who);
        _exit(1);
    }
    return pid;
}

static void kill_now(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not end by itself */
}

static int check_all_whole(struct cache *cache, int writers)
{
    int found = 0;
    for (int i = 0; i < writers * 50; i++) {
        char key[32];
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        snprintf(key, sizeof(key), "%d-%d", i / 50, i % 50);
        if (!cache_get(cache, key, &out))
            continue;
        found++;
        for (size_t k = 1; k < out.len; k++)
            assert_int_equal(out.buf[k], out.buf[0]);
    }
    return found;
}

static void test_cache_file_survives_writers_that_are_killed(void **state)
{
    struct fixture *f = *state;
    cache_free(f->cache); /* not to be inherited */
    f->cache = NULL;
    int whole = 0;
    for (int round = 0; round < 30 || (whole <= 10 && round < 300); round++) {
        pid_t one = start_writer(f, 0), two = start_writer(f, 1);
        usleep(5000 + 1777 * (useconds_t)round);
        kill_now(one);
        usleep(2000);
        kill_now(two);
        f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
        whole = check_all_whole(f->cache, 2);
        put_text(f->cache, "mine", "1");
        check_value(f->cache, "mine", "1");
        assert_null(cache_problem(f->cache));
        cache_free(f->cache);
        f->cache = NULL;
    }
    assert_false(was_set_aside(f));
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    assert_true(check_all_whole(f->cache, 2) > 10);
}

static void test_cache_file_is_shared_while_others_write(void **state)
{
    struct fixture *f = *state;
    cache_free(f->cache);
    f->cache = NULL;
    pid_t writers[3];
    for (int i = 0; i < 3; i++)
        writers[i] = start_writer(f, i);
    f->cache = open_at(f, CACHE_FILE_MAP_SIZE);
    /* A slow disk lets the writers get on slowly. */
    int64_t end_ms = clock_monotonic_ms(&system_clock) + 60000;
    int whole = 0;
    for (int i = 0; i < 20 || (whole <= 10 && clock_monotonic_ms(&system_clock) < end_ms); i++) {
        whole = check_all_whole(f->cache, 3);
        put_text(f->cache, "mine", "1");
        check_value(f->cache, "mine", "1");
    }
    for (int i = 0; i < 3; i++)
        kill_now(writers[i]);
    assert_true(check_all_whole(f->cache, 3) > 10);
    assert_null(cache_problem(f->cache));
    assert_false(was_set_aside(f));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_cache_file_keeps_values_over_a_restart),
        CASE(test_cache_file_writes_when_asked_or_when_enough_has_gathered),
        CASE(test_cache_file_writes_when_the_first_has_waited_long),
        CASE(test_cache_file_appends_to_what_is_there),
        CASE(test_cache_file_takes_any_key),
        CASE(test_cache_file_forgets_what_is_expired),
        CASE(test_cache_file_full_makes_room_and_goes_on),
        CASE(test_cache_file_full_of_expired_values_drops_only_those),
        CASE(test_cache_file_refuses_values_of_an_eighth_of_it),
        CASE(test_cache_file_survives_being_cut_short_anywhere),
        CASE(test_cache_file_survives_damaged_pages),
        CASE(test_cache_file_that_was_left_open_is_kept),
        CASE(test_cache_file_that_is_none_is_set_aside),
        CASE(test_cache_file_of_another_version_is_set_aside),
        CASE(test_cache_file_with_a_damaged_value_is_set_aside),
        CASE(test_cache_file_that_cannot_be_made_says_which_and_why),
        CASE(test_cache_file_survives_writers_that_are_killed),
        CASE(test_cache_file_is_shared_while_others_write),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
