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
#include "cache/lmdb_walk.h"

#define VALUES 1000

struct fixture {
    char directory[64];
    char path[80];
    struct lmdb_file file;
    size_t visited;
    char last[16];
};

static void put(const struct lmdb_file *file, const char *name, const char *text)
{
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    AUTO_FREE char *key_bytes = xstrdup(name), *value_bytes = xstrdup(text);
    MDB_val key = {strlen(name), key_bytes}, value = {strlen(text), value_bytes};
    assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_put(txn, file->dbi, &key, &value, 0), 0);
    assert_int_equal(lmdb_txn_commit(&txn), 0);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/walk.lmdb", f->directory);
    f->file = (struct lmdb_file){.path = f->path, .map_size = (size_t)64 << 20, .map_min = (size_t)1 << 20};
    assert_int_equal(lmdb_file_open(&f->file), 0);
    assert_int_equal(mdb_env_set_flags(f->file.env, MDB_NOSYNC, 1), 0);
    for (int i = 0; i < VALUES; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%04d", i);
        put(&f->file, key, key);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const endings[] = {"", "-lock", "-guard", "-users"};
    lmdb_file_close(&f->file);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        AUTO_FREE char *path = xasprintf("%s%s", f->path, endings[i]);
        remove(path);
    }
    int left = remove(f->directory);
    free(f);
    return left;
}

static void note(struct fixture *f, const MDB_val *key, const MDB_val *value)
{
    char name[16] = "";
    assert_true(key->mv_size < sizeof(name));
    memcpy(name, key->mv_data, key->mv_size);
    assert_true(strcmp(f->last, name) < 0);
    assert_true(value->mv_size >= 3);
    memcpy(f->last, name, sizeof(name));
    f->visited++;
}

static bool keep(const MDB_val *key, const MDB_val *value, void *context)
{
    note(context, key, value);
    return false;
}

static bool drop_odd(const MDB_val *key, const MDB_val *value, void *context)
{
    note(context, key, value);
    return (((const char *)key->mv_data)[key->mv_size - 1] - '0') % 2;
}

/* As another process might between the look and the deletion. */
static bool drop_but_change_the_tens(const MDB_val *key, const MDB_val *value, void *context)
{
    struct fixture *f = context;
    note(f, key, value);
    if (f->last[strlen(f->last) - 1] == '0')
        put(&f->file, f->last, "changed");
    return true;
}

static size_t count(struct fixture *f)
{
    f->visited = 0;
    f->last[0] = '\0';
    assert_int_equal(lmdb_walk(&f->file, keep, f), 0);
    return f->visited;
}

static void test_lmdb_walk_visits_all_in_order(void **state)
{
    assert_int_equal(count(*state), VALUES);
}

static void test_lmdb_walk_deletes_what_the_visitor_says(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(lmdb_walk(&f->file, drop_odd, f), 0);
    assert_int_equal(f->visited, VALUES);
    assert_int_equal(count(f), VALUES / 2);
}

static void test_lmdb_walk_keeps_what_has_changed_meanwhile(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(lmdb_walk(&f->file, drop_but_change_the_tens, f), 0);
    assert_int_equal(count(f), VALUES / 10);
}

static void test_lmdb_walk_through_nothing_ends(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lmdb_txn_release) MDB_txn *txn = NULL;
    assert_int_equal(mdb_txn_begin(f->file.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_drop(txn, f->file.dbi, 0), 0);
    assert_int_equal(lmdb_txn_commit(&txn), 0);
    assert_int_equal(count(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lmdb_walk_visits_all_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lmdb_walk_deletes_what_the_visitor_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lmdb_walk_keeps_what_has_changed_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lmdb_walk_through_nothing_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
