#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/image_info.h"

static void check_tags(const struct repository_info *info, const char *expected)
{
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < info->images_len; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s ", repository_info_tag(info, i));
    assert_string_equal(text, expected);
}

static void test_image_info_is_sorted_by_bytes_and_keeps_the_first_of_equals(void **state UNUSED)
{
    static const struct {
        const char *tags[6];
        const char *sorted;
    } cases[] = {
        {{NULL}, ""},
        {{"b"}, "b "},
        {{"a", "b", "c"}, "a b c "},
        {{"c", "b", "a"}, "a b c "},
        {{"v1.10", "v1.9", "V2", "_", "1"}, "1 V2 _ v1.10 v1.9 "},
        {{"a", "a", "a"}, "a "},
        {{"b", "a", "b", "\xc3\xa9", "a"}, "a b \xc3\xa9 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
        for (size_t t = 0; cases[i].tags[t]; t++) {
            size_t index = repository_info_add(info, cases[i].tags[t]);
            repository_info_edit_details(info, index)->created_ms = (int64_t)t + 1;
        }
        repository_info_finish(info);
        check_tags(info, cases[i].sorted);
        for (size_t t = 0; cases[i].tags[t]; t++) {
            size_t found = repository_info_find(info, cases[i].tags[t]);
            assert_true(found < info->images_len);
            assert_string_equal(repository_info_tag(info, found), cases[i].tags[t]);
            int64_t position = repository_info_details(info, found)->created_ms;
            assert_in_range(position, 1, t + 1);
            assert_string_equal(cases[i].tags[position - 1], cases[i].tags[t]);
        }
    }
}

static void test_image_info_find_misses_what_is_not_there(void **state UNUSED)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    assert_true(repository_info_find(info, "a") == SIZE_MAX);
    repository_info_add(info, "b");
    repository_info_add(info, "d");
    repository_info_finish(info);
    static const char *const missing[] = {"", "a", "b ", "c", "e"};
    for (size_t i = 0; i < ARRAY_LEN(missing); i++)
        assert_true(repository_info_find(info, missing[i]) == SIZE_MAX);
}

static void test_image_info_owns_its_strings(void **state UNUSED)
{
    CLEANUP(repository_info_release) struct repository_info *info = NULL;
    char text[] = "x";
    info = repository_info_new(text);
    size_t index = repository_info_add(info, text);
    repository_info_set_digest(info, index, text);
    repository_info_set_problem(info, index, text);
    repository_info_set_platforms(info, index, text);
    repository_info_set_labels(info, index, text);
    repository_info_set_etag(info, text, 1);
    text[0] = 'y';
    assert_string_equal(info->repository, "x");
    assert_string_equal(info->etag, "x");
    assert_string_equal(repository_info_tag(info, index), "x");
    const struct image_details *details = repository_info_details(info, index);
    assert_string_equal(details->digest, "x");
    assert_string_equal(details->problem, "x");
    assert_string_equal(details->platforms, "x");
    assert_string_equal(details->labels, "x");
    repository_info_set_problem(info, index, NULL);
    assert_null(details->problem);
}

static void test_image_info_has_details_only_where_something_is_known(void **state UNUSED)
{
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_add(info, "b");
    assert_ptr_equal(repository_info_details(info, 0), &image_details_unknown);
    repository_info_set_digest(info, 0, NULL);
    repository_info_set_labels(info, 0, NULL);
    repository_info_copy_details(info, 0, &image_details_unknown);
    assert_null(info->slots);
    const struct image_details known = {.digest = "d",
                                        .created_ms = 1,
                                        .checked_ms = 2,
                                        .pushed_ms = 3,
                                        .problem = "p",
                                        .platforms = "linux/amd64",
                                        .labels = "{}"};
    repository_info_copy_details(info, 0, &known);
    repository_info_add(info, "c");
    repository_info_edit_details(info, repository_info_add(info, "a"))->created_ms = 7;
    const struct image_details pushed = {.pushed_ms = 9};
    repository_info_copy_details(info, repository_info_add(info, "d"), &pushed);
    info->has_push_times = true;
    repository_info_finish(info);
    assert_int_equal(info->details_len, 3);
    CLEANUP(repository_info_release) struct repository_info *copy = repository_info_copy(info);
    check_tags(copy, "a b c d ");
    assert_true(copy->has_push_times);
    assert_int_equal(repository_info_details(copy, 3)->pushed_ms, 9);
    assert_int_equal(repository_info_details(copy, 0)->created_ms, 7);
    assert_null(repository_info_details(copy, 0)->digest);
    assert_ptr_equal(repository_info_details(copy, 2), &image_details_unknown);
    struct image_info image = repository_info_image(copy, 1);
    assert_string_equal(image.tag, "b");
    assert_string_equal(image.details->digest, "d");
    assert_int_equal(image.details->created_ms, 1);
    assert_int_equal(image.details->checked_ms, 2);
    assert_int_equal(image.details->pushed_ms, 3);
    assert_string_equal(image.details->problem, "p");
    assert_string_equal(image.details->platforms, "linux/amd64");
    assert_string_equal(image.details->labels, "{}");
    repository_info_copy_details(copy, 1, &image_details_unknown);
    assert_null(repository_info_details(copy, 1)->digest);
}

static void test_image_info_with_many_tags_is_compact_and_complete(void **state UNUSED)
{
    enum { COUNT = 100000 };
    CLEANUP(repository_info_release) struct repository_info *info = repository_info_new("quay.io/a/b");
    char tag[32];
    for (int i = COUNT; i > 0; i--) {
        snprintf(tag, sizeof(tag), "main-%07d", i);
        repository_info_add(info, tag);
    }
    repository_info_finish(info);
    assert_int_equal(info->images_len, COUNT);
    assert_int_equal(info->offsets_capacity, COUNT);
    assert_int_equal(info->names_capacity, COUNT * sizeof("main-0000001"));
    assert_null(info->slots);
    assert_string_equal(repository_info_tag(info, 0), "main-0000001");
    for (int i = 1; i <= COUNT; i += 997) {
        snprintf(tag, sizeof(tag), "main-%07d", i);
        assert_int_equal(repository_info_find(info, tag), i - 1);
    }
}

static void *take_and_drop(void *context)
{
    struct repository_info *info = context;
    for (int i = 0; i < 10000; i++) {
        CLEANUP(repository_info_release) struct repository_info *mine = repository_info_ref(info);
        if (mine->images_len != 1)
            return NULL;
    }
    repository_info_unref(info);
    return context;
}

static void test_image_info_is_counted_across_threads(void **state UNUSED)
{
    struct repository_info *info = repository_info_new("quay.io/a/b");
    repository_info_add(info, "1");
    repository_info_finish(info);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, repository_info_ref(info)), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, info);
    }
    assert_int_equal(info->references, 1);
    repository_info_unref(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_info_is_sorted_by_bytes_and_keeps_the_first_of_equals),
        cmocka_unit_test(test_image_info_find_misses_what_is_not_there),
        cmocka_unit_test(test_image_info_owns_its_strings),
        cmocka_unit_test(test_image_info_has_details_only_where_something_is_known),
        cmocka_unit_test(test_image_info_with_many_tags_is_compact_and_complete),
        cmocka_unit_test(test_image_info_is_counted_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
