#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "daemon/webhook_key_file.h"

#define FIRST  "first-key-of-the-tests\n"
#define SECOND "second-key-of-the-test\n" /* as long as the first */

struct fixture {
    char directory[32];
    char *path;
    int64_t now_ms;
    struct clock clock;
    struct webhook_key_file *file;
};

static int64_t now_ms(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

/* In a new file, as an editor or a Secret's volume does it. */
static void replace(struct fixture *f, const char *text)
{
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(f->path, text, strlen(text), 0600, &err), 0);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct error err = ERROR_INIT;
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-keys-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->path = file_join(f->directory, "keys");
    f->clock = (struct clock){.monotonic_ms = now_ms, .context = f};
    replace(f, FIRST);
    f->file = webhook_key_file_open(f->path, &f->clock, &err);
    assert_non_null(f->file);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    webhook_key_file_free(f->file);
    unlink(f->path);
    rmdir(f->directory);
    free(f->path);
    free(f);
    return 0;
}

/* "first" or "second": the one key that is in force `after_ms` later. */
static const char *key_in_force(struct fixture *f, int64_t after_ms)
{
    f->now_ms += after_ms;
    const struct webhook_keys *keys = webhook_key_file_keys(f->file);
    assert_int_equal(keys->len, 1);
    return keys->items[0].key[0] == 'f' ? "first" : "second";
}

static void test_webhook_key_file_is_read_when_it_changed(void **state)
{
    struct fixture *f = *state;
    replace(f, SECOND);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS - 1), "first");
    assert_string_equal(key_in_force(f, 1), "second");
    replace(f, FIRST);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS - 1), "second");
    assert_string_equal(key_in_force(f, 1), "first");
}

static void test_webhook_key_file_is_read_when_it_was_written_in_place(void **state)
{
    struct fixture *f = *state;
    usleep(20000); /* the file system's clock must move */
    FILE *out = fopen(f->path, "w");
    fputs(SECOND, out);
    fclose(out);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS), "second");
}

static void test_webhook_key_file_that_is_no_good_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "# none\n", "short\n", SECOND "short\n", SECOND "two words more\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        replace(f, bad[i]);
        assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS), "first");
    }
    unlink(f->path);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS), "first");
    assert_int_equal(access(f->path, F_OK), -1); /* it is made at start only */
    mkdir(f->path, 0700);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS), "first");
    rmdir(f->path);
    replace(f, SECOND);
    assert_string_equal(key_in_force(f, WEBHOOK_KEY_FILE_LOOK_MS), "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_webhook_key_file_is_read_when_it_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_webhook_key_file_is_read_when_it_was_written_in_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_webhook_key_file_that_is_no_good_changes_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
