#include "scanner/list_trust.h"

#include <string.h>

/* As many may go or come between two listings without being remarked upon. */
#define FEW_TAGS 10

/* Tags of `last` that `listed` lacks; both are sorted. */
static size_t count_missing(const struct repository_info *last, const struct repository_info *listed)
{
    size_t missing = 0, k = 0;
    for (size_t i = 0; i < last->images_len; i++) {
        const char *tag = repository_info_tag(last, i);
        while (k < listed->images_len && strcmp(repository_info_tag(listed, k), tag) < 0)
            k++;
        missing += k == listed->images_len || strcmp(repository_info_tag(listed, k), tag) != 0;
    }
    return missing;
}

static bool is_short(const struct repository_info *last, const struct repository_info *listed)
{
    if (!listed->images_len)
        return last->images_len > 0;
    size_t missing = count_missing(last, listed);
    return missing > FEW_TAGS && missing > last->images_len / 2;
}

/* Whether it says what the short list before it said. */
static bool repeats(const struct repository_info *last, const struct repository_info *listed)
{
    size_t most = last->shrunken_len ? last->shrunken_len + FEW_TAGS : 0;
    return last->is_shrunken && listed->images_len >= last->shrunken_len && listed->images_len <= most;
}

bool list_trust_believes(const struct repository_info *last, const struct repository_info *listed)
{
    if (!last || listed->is_truncated || !is_short(last, listed))
        return true;
    return repeats(last, listed) && listed->scanned_ms - last->shrunken_ms >= LIST_TRUST_AFTER_MS;
}

void list_trust_mark(struct repository_info *kept, const struct repository_info *last,
                     const struct repository_info *listed)
{
    kept->is_shrunken = true;
    kept->shrunken_len = repeats(last, listed) ? last->shrunken_len : listed->images_len;
    kept->shrunken_ms = repeats(last, listed) ? last->shrunken_ms : listed->scanned_ms;
}
