#include "updater/tag_ranking.h"

#include <string.h>

#include "base/alloc.h"
#include "updater/tag_order.h"

struct tag_ranking_kind {
    const char *word;
    const char *names[2], *superlatives[2], *comparatives[2]; /* ascending, descending */
    void (*place)(struct tag_key *key);
    int (*compare)(const struct tag_key *a, const struct tag_key *b); /* of two that are placed */
};

static const char *value_of(const struct tag_key *key)
{
    return key->value.len > 0 ? key->value.buf : key->tag;
}

static void place_by_time(struct tag_key *key)
{
    key->is_placed = key->created_ms != 0;
}

static int compare_times(const struct tag_key *a, const struct tag_key *b)
{
    return (a->created_ms > b->created_ms) - (a->created_ms < b->created_ms);
}

static void place_version(struct tag_key *key)
{
    const char *value = value_of(key);
    key->is_placed = key->version_of == value || semver_parse(value, &key->version);
}

static int compare_versions(const struct tag_key *a, const struct tag_key *b)
{
    return semver_compare(&a->version, &b->version);
}

static void place_number(struct tag_key *key)
{
    const char *value = value_of(key);
    size_t len = strspn(value, "0123456789");
    key->is_placed = len > 0 && value[len] == '\0';
    key->digits = value + strspn(value, "0");
    key->digits_len = (size_t)(value + len - key->digits);
}

static int compare_numbers(const struct tag_key *a, const struct tag_key *b)
{
    if (a->digits_len != b->digits_len)
        return a->digits_len < b->digits_len ? -1 : 1;
    return memcmp(a->digits, b->digits, a->digits_len);
}

static void place_text(struct tag_key *key)
{
    key->is_placed = true;
}

static int compare_texts(const struct tag_key *a, const struct tag_key *b)
{
    return strcmp(value_of(a), value_of(b));
}

static const struct tag_ranking_kind kinds[] = {
    {.word = "newest",
     .names = {"newest", "newest:desc"},
     .superlatives = {"newest", "oldest"},
     .comparatives = {"older than", "newer than"},
     .place = place_by_time,
     .compare = compare_times},
    {.word = "semver",
     .names = {"semver", "semver:desc"},
     .superlatives = {"highest version", "lowest version"},
     .comparatives = {"older than", "newer than"},
     .place = place_version,
     .compare = compare_versions},
    {.word = "numeric",
     .names = {"numeric", "numeric:desc"},
     .superlatives = {"highest number", "lowest number"},
     .comparatives = {"lower than", "higher than"},
     .place = place_number,
     .compare = compare_numbers},
    {.word = "alpha",
     .names = {"alpha", "alpha:desc"},
     .superlatives = {"last in alphabetical order", "first in alphabetical order"},
     .comparatives = {"alphabetically before", "alphabetically after"},
     .place = place_text,
     .compare = compare_texts},
};

const struct tag_ranking tag_ranking_newest = {.kind = &kinds[0]}, tag_ranking_semver = {.kind = &kinds[1]};

static int refuse_word(const char *text, const char *word, struct error *err)
{
    const char *nearest = NULL;
    size_t least = 3; /* more than two slips is another word */
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t distance = str_distance(word, kinds[i].word);
        if (distance < least) {
            least = distance;
            nearest = kinds[i].word;
        }
    }
    if (nearest)
        return error_set(err, ERROR_INVALID, "there is no order \"%s\"; did you mean %s?", text, nearest);
    return error_set(
        err, ERROR_INVALID,
        "there is no order \"%s\"; there are newest, semver, numeric and alpha, and \":desc\" after each",
        text);
}

int tag_ranking_parse(const char *text, struct tag_ranking *out, struct error *err)
{
    size_t len = strcspn(text, ":");
    AUTO_FREE char *word = xmemdupz(text, len);
    bool is_descending = strcmp(text + len, ":desc") == 0;
    if (text[len] && !is_descending && strcmp(text + len, ":asc") != 0)
        return error_set(err, ERROR_INVALID, "there is no order \"%s\"; only \":desc\" can follow %s", text,
                         word);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(word, kinds[i].word) != 0)
            continue;
        *out = (struct tag_ranking){&kinds[i], is_descending};
        return 0;
    }
    return refuse_word(text, word, err);
}

const char *tag_ranking_name(const struct tag_ranking *ranking)
{
    return ranking->kind->names[ranking->is_descending];
}

bool tag_ranking_is_by_time(const struct tag_ranking *ranking)
{
    return ranking->kind == tag_ranking_newest.kind;
}

const char *tag_ranking_superlative(const struct tag_ranking *ranking)
{
    return ranking->kind->superlatives[ranking->is_descending];
}

const char *tag_ranking_comparative(const struct tag_ranking *ranking)
{
    return ranking->kind->comparatives[ranking->is_descending];
}

void tag_key_release(struct tag_key *key)
{
    strbuf_release(&key->value);
}

void tag_key_place(struct tag_key *key, const struct tag_ranking *ranking)
{
    ranking->kind->place(key);
}

int tag_key_compare(const struct tag_key *a, const struct tag_key *b, const struct tag_ranking *ranking)
{
    if (a->is_placed != b->is_placed)
        return a->is_placed ? 1 : -1;
    int order = a->is_placed ? ranking->kind->compare(a, b) : 0;
    if (!order)
        order = tag_compare_natural(a->tag, b->tag);
    if (!ranking->is_descending)
        return order;
    return (order < 0) - (order > 0);
}
