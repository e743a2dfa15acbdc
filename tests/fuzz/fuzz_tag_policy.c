/*
 * A policy and tags, one a line: nothing may crash or take long, the policy must read the same from its own
 * text, and its order must be one: no pair of tags both ways, nothing equal but the same tag, and
 * transitive.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "updater/tag_policy.h"

#define TAGS 12

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_order(const struct tag_policy *policy, const struct image_info *tags, size_t len)
{
    int8_t order[TAGS][TAGS];
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < len; k++) {
            int result = tag_policy_compare(policy, &tags[i], &tags[k]);
            order[i][k] = (int8_t)((result > 0) - (result < 0));
            require((order[i][k] == 0) == (strcmp(tags[i].tag, tags[k].tag) == 0));
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdupz(data, size);
    char *rest = text, *line = strsep(&rest, "\n");
    struct error err = ERROR_INIT;
    struct tag_policy *policy = tag_policy_new(line, &err);
    if (!policy) {
        require(err.code != ERROR_NONE && err.text[0]);
        return 0;
    }
    struct tag_policy *again = tag_policy_new(tag_policy_text(policy), &err);
    require(again && strcmp(tag_policy_text(policy), tag_policy_text(again)) == 0);
    struct image_info tags[TAGS];
    struct image_details details[TAGS];
    size_t len = 0;
    while (len < TAGS && (line = strsep(&rest, "\n"))) {
        enum tag_match match = tag_policy_match(policy, line);
        require(match == tag_policy_match(again, line));
        /* one time for one tag, and few of them, so that there are ties */
        details[len] = (struct image_details){.created_ms = (int64_t)(strlen(line) % 3)};
        tags[len] = (struct image_info){line, &details[len]};
        len++;
    }
    check_order(policy, tags, len);
    tag_policy_free(again);
    tag_policy_free(policy);
    return 0;
}
