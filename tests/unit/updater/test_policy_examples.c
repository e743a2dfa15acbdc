/*
 * docs/policies.md is a test: of every table with the columns policy, order, extract, best first and passed over, each line must
 * be what the policy does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "updater/choose.h"

#define COLUMNS 5
enum { POLICY, ORDER, EXTRACT, BEST, PASSED_OVER };
static const char heading[] = "| policy | order | extract | best first | passed over |\n";

/* What is between the backquotes of each cell; "" for a cell without. The line is cut up. */
static void read_cells(char *line, const char *cells[COLUMNS])
{
    char *rest = line + 1;
    for (size_t i = 0; i < COLUMNS; i++) {
        char *cell = strsep(&rest, "|");
        assert_non_null(cell);
        char *start = strchr(cell, '`'), *end = start ? strrchr(cell, '`') : NULL;
        cells[i] = start && end > start ? start + 1 : "";
        if (end)
            *end = '\0';
    }
}

/* "tag" or "tag@2026-03-01"; the day's digits do for a time. */
static void add_tag(struct repository_info *info, const char *word)
{
    AUTO_FREE char *tag = xstrdup(word);
    char *day = strchr(tag, '@');
    if (day)
        *day++ = '\0';
    size_t index = repository_info_add(info, tag);
    if (!day)
        return;
    int64_t time = 0;
    for (; *day; day++)
        time = *day == '-' ? time : time * 10 + (*day - '0');
    repository_info_edit_details(info, index)->created_ms = time;
}

struct expected {
    char *tags[16], *why[16]; /* why: NULL for those that are taken */
    size_t len;
};

static void read_expected(char *best, char *passed, struct expected *out, struct repository_info *info)
{
    char *word;
    while (best && *best && (word = strsep(&best, " "))) {
        add_tag(info, word);
        word[strcspn(word, "@")] = '\0';
        out->tags[out->len++] = word;
    }
    while (passed && *passed) {
        word = strsep(&passed, ",");
        word += strspn(word, " ");
        char *why = strchr(word, '('), *end = strchr(word, ')');
        assert_non_null(why);
        assert_non_null(end);
        why[-1] = *end = '\0';
        add_tag(info, word);
        word[strcspn(word, "@")] = '\0';
        out->why[out->len] = why + 1;
        out->tags[out->len++] = word;
    }
    repository_info_finish(info);
}

static struct tag_policy *policy_of(const char *const cells[COLUMNS])
{
    struct error err = ERROR_INIT;
    struct tag_policy *policy = tag_policy_new(cells[POLICY], &err);
    if (!policy || (*cells[ORDER] && tag_policy_set_order(policy, cells[ORDER], &err) < 0) ||
        (*cells[EXTRACT] && tag_policy_set_extract(policy, cells[EXTRACT], &err) < 0))
        fail_msg("%s", err.text);
    return policy;
}

static const char *why_of(const struct expected *expected, const char *tag)
{
    for (size_t i = 0; i < expected->len; i++) {
        if (strcmp(expected->tags[i], tag) == 0)
            return expected->why[i] ? expected->why[i] : "(taken)";
    }
    return "(unknown)";
}

static void check_line(char *line)
{
    const char *cells[COLUMNS];
    read_cells(line, cells);
    AUTO_FREE char *best = xstrdup(cells[BEST]);
    AUTO_FREE char *passed = xstrdup(cells[PASSED_OVER]);
    struct repository_info *info = repository_info_new("registry.example/app");
    struct expected expected = {.len = 0};
    read_expected(best, passed, &expected, info);
    assert_true(expected.len > 0);
    assert_int_equal(expected.len, info->images_len); /* no tag twice */
    struct tag_policy *policy = policy_of(cells);
    AUTO_FREE struct ranked_tag *ranked = rank_tags(info, policy);
    for (size_t i = 0; i < info->images_len; i++) {
        const struct ranked_tag *tag = &ranked[i];
        bool is_taken = tag->match == TAG_MATCHES && !tag->is_undated;
        const char *wanted = expected.tags[i] ? expected.tags[i] : "";
        if (is_taken != !expected.why[i] || (is_taken && strcmp(tag->image.tag, wanted) != 0))
            fail_msg("%s by %s of %s: %zu is %s, not %s", cells[POLICY], tag_policy_order(policy),
                     cells[EXTRACT], i, tag->image.tag, wanted);
        if (!is_taken)
            assert_string_equal(decision_rejection_name(tag->match), why_of(&expected, tag->image.tag));
    }
    tag_policy_free(policy);
    repository_info_unref(info);
}

static void test_policy_examples_are_true(void **state)
{
    (void)state;
    FILE *file = fopen(FIXTURES "/../../docs/policies.md", "r");
    assert_non_null(file);
    AUTO_FREE char *line = NULL;
    size_t size = 0, checked = 0;
    bool in_table = false;
    while (getline(&line, &size, file) > 0) {
        in_table = strcmp(line, heading) == 0 || (in_table && line[0] == '|');
        if (!in_table || str_starts_with(line, "|---") || strcmp(line, heading) == 0)
            continue;
        check_line(line);
        checked++;
    }
    (void)fclose(file);
    assert_true(checked >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_examples_are_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
