/*
 * The orders that a policy can put tags in, and what they compare by.
 *
 *   newest    by creation time
 *   semver    by version (updater/semver.h)
 *   numeric   by number: digits alone, exact at any length; leading zeros do not count
 *   alpha     by byte
 *
 * ":desc" turns one round: the oldest, the lowest is the best. What cannot be put in the order (no known time, no version, no
 * number) comes before all that can, turned round or not, so that it is never the best. Every order is total: tags that it finds
 * equal (1.2 and 1.2.0, 007 and 7) are in natural order (updater/tag_order.h), and only the same tag is equal to itself.
 *
 * A key is what a tag compares by, made once for a tag that is compared often.
 */
#ifndef UPDATER_TAG_RANKING_H
#define UPDATER_TAG_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "updater/semver.h"

struct tag_ranking_kind;

struct tag_ranking {
    const struct tag_ranking_kind *kind;
    bool is_descending;
};
extern const struct tag_ranking tag_ranking_newest, tag_ranking_semver;

/* "numeric", "semver:desc"; ":asc" is what is meant without. ERROR_INVALID with the nearest word. */
int tag_ranking_parse(const char *text, struct tag_ranking *out, struct error *err) MUST_CHECK;
/* As it is written: "numeric:desc". */
const char *tag_ranking_name(const struct tag_ranking *ranking);
bool tag_ranking_is_by_time(const struct tag_ranking *ranking);
/* What the best tag is called: "newest", "lowest version"; and what a worse one is to a better: "older than". */
const char *tag_ranking_superlative(const struct tag_ranking *ranking);
const char *tag_ranking_comparative(const struct tag_ranking *ranking);

/* All but the value is borrowed. A key may be filled again and again, which keeps its memory. */
struct tag_key {
    const char *tag;
    int64_t created_ms;
    struct strbuf value; /* what was extracted from the tag; empty: the order goes by the tag itself */
    struct semver version;
    const char *version_of; /* what `version` was read from, and is the version of; NULL: nothing */
    const char *digits;     /* of the number, without leading zeros */
    size_t digits_len;
    bool is_placed; /* the order knows where it belongs */
};
#define TAG_KEY_INIT                                                                                         \
    {                                                                                                        \
        .value = STRBUF_INIT_MAX(LIMIT_EXTRACT_LENGTH)                                                       \
    }
void tag_key_release(struct tag_key *key);

/* Fills in what the order compares by, from the tag, the time and the value. */
void tag_key_place(struct tag_key *key, const struct tag_ranking *ranking);

/* <0, 0, >0; 0 for the same tag only. Both placed by `ranking`. */
int tag_key_compare(const struct tag_key *a, const struct tag_key *b, const struct tag_ranking *ranking);

#endif
