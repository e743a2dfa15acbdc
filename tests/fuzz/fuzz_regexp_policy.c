/*
 * A regular expression, an order, a template, and tags, one a line: nothing may crash or take long, what does not compile says
 * why, a copy says the same of every tag, a value is no longer than its limit, and the order is one: no pair of tags both ways,
 * nothing equal but the same tag, and transitive.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "updater/tag_policy.h"

#define TAGS 8

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_order(const struct tag_policy *policy, const struct tag_key *keys, size_t len)
{
    int8_t order[TAGS][TAGS];
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < len; k++) {
            int result = tag_policy_compare_keys(policy, &keys[i], &keys[k]);
            order[i][k] = (int8_t)((result > 0) - (result < 0));
            require((order[i][k] == 0) == (strcmp(keys[i].tag, keys[k].tag) == 0));
        }
    }
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < len; k++) {
            require(order[i][k] == -order[k][i]);
            for (size_t m = 0; m < len; m++)
                require(order[i][k] <= 0 || order[k][m] <= 0 || order[i][m] > 0);
        }
    }
}

/* An error where one is said to be, and none where none is. */
static bool holds_up(int result, struct error *err)
{
    require((result < 0) == (err->code != ERROR_NONE && err->text[0] != '\0'));
    error_clear(err);
    return result == 0;
}

static void check_tags(const struct tag_policy *policy, char *rest)
{
    struct tag_policy *copy = tag_policy_copy(policy);
    require(tag_policy_equals(policy, copy));
    struct tag_key keys[TAGS], its = TAG_KEY_INIT;
    struct image_details details[TAGS];
    size_t len = 0;
    char *line;
    while (len < TAGS && (line = strsep(&rest, "\n"))) {
        /* one time for one tag, and few of them, so that there are ties */
        details[len] = (struct image_details){.created_ms = (int64_t)(strlen(line) % 3)};
        const struct image_info image = {line, &details[len]};
        keys[len] = (struct tag_key)TAG_KEY_INIT;
        enum tag_match match = tag_policy_read(policy, &image, &keys[len]);
        require(match == tag_policy_read(copy, &image, &its) && tag_match_name(match));
        require(strcmp(keys[len].value.buf, its.value.buf) == 0);
        require(keys[len].value.len <= LIMIT_EXTRACT_LENGTH);
        len++;
    }
    check_order(policy, keys, len);
    tag_key_release(&its);
    while (len > 0)
        tag_key_release(&keys[--len]);
    tag_policy_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdupz(data, size);
    char *rest = text;
    const char *pattern = strsep(&rest, "\n"), *order = rest ? strsep(&rest, "\n") : NULL;
    const char *template = rest ? strsep(&rest, "\n") : NULL;
    AUTO_FREE char *policy_text = xasprintf("regexp:%s", pattern);
    struct error err = ERROR_INIT;
    CLEANUP(tag_policy_release) struct tag_policy *policy = tag_policy_new(policy_text, &err);
    if (!holds_up(policy ? 0 : -1, &err))
        return 0;
    if (order && *order && !holds_up(tag_policy_set_order(policy, order, &err), &err))
        return 0;
    if (template && *template && !holds_up(tag_policy_set_extract(policy, template, &err), &err))
        return 0;
    check_tags(policy, rest);
    return 0;
}
