/*
 * What holds for every choice, over generated repositories and policies: it does not depend on the order in which a registry
 * lists tags, nor on tags that are not concerned; what is taken matches and is the best there is; no step goes back; and where
 * an update was made there is nothing more to do, so that nothing flaps. The oracles here read tags on their own. A failure
 * prints the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/choose.h"
#include "updater/shared_surveys.h"

#define CASES    10000
#define MOST     24
#define NOW_MS   1000
#define AGE_MS   200
#define TAG_SIZE 24

/* What the registry has: of one tag. */
struct entry {
    char tag[TAG_SIZE];
    int64_t created_ms, seen_ms; /* 0: not known */
    const char *platforms;       /* NULL: not known */
};

struct world {
    uint64_t random;
    struct entry entries[MOST];
    size_t len;
    const char *policy, *order, *extract; /* the last two may be NULL */
    char image[TAG_SIZE + 8];
    const char *current;
    bool allows_downgrade, has_platforms;
    int64_t min_age_ms;
};

/* xorshift64* */
static unsigned pick(struct world *w, unsigned below)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return (unsigned)((w->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static bool chance(struct world *w, unsigned one_in)
{
    return pick(w, one_in) == 0;
}

#define ONE_OF(w, list) ((list)[pick((w), (unsigned)ARRAY_LEN(list))])

static void make_tag(struct world *w, char tag[TAG_SIZE])
{
    static const char *const suffixes[] = {"", "", "", "-rc.1", "-rc.2", "-alpine", "-alpine3.9"};
    unsigned a = pick(w, 3), b = pick(w, 12), c = pick(w, 3);
    switch (pick(w, 8)) {
    case 0:
        snprintf(tag, TAG_SIZE, "build-%s%u", chance(w, 3) ? "0" : "", b);
        break;
    case 1:
        snprintf(tag, TAG_SIZE, "2024.%02u.%02u", 1 + b, 1 + c);
        break;
    case 2:
        snprintf(tag, TAG_SIZE, "%u.%u.%u.%u", a, b, c, pick(w, 12));
        break;
    case 3:
        snprintf(tag, TAG_SIZE, "%s%u.%u", chance(w, 2) ? "v" : "", a, b);
        break;
    case 4:
        snprintf(tag, TAG_SIZE, "%s", chance(w, 2) ? "latest" : "main");
        break;
    case 5:
        snprintf(tag, TAG_SIZE, "%u", b * 10);
        break;
    default:
        snprintf(tag, TAG_SIZE, "%u.%u.%u%s", a, b, c, ONE_OF(w, suffixes));
        break;
    }
}

static bool has_tag(const struct world *w, const char *tag)
{
    for (size_t i = 0; i < w->len; i++) {
        if (!strcmp(w->entries[i].tag, tag))
            return true;
    }
    return false;
}

static void make_world(struct world *w, uint64_t seed)
{
    static const struct {
        const char *policy, *order, *extract;
    } policies[] = {
        {"glob:*", NULL, NULL},
        {"glob:*", "newest:desc", NULL},
        {"glob:1.*", NULL, NULL},
        {"glob:*", "alpha", NULL},
        {"glob:*", "alpha:desc", NULL},
        {"glob:*", "semver", NULL},
        {"semver:*", NULL, NULL},
        {"semver:^1", NULL, NULL},
        {"semver:>=0.0.0-0", NULL, NULL},
        {"semver:>=0.0.0-0", "semver:desc", NULL},
        {"semver:~1 || ~2", "newest", NULL},
        {"regexp:^build-(\\d+)$", "numeric", "$1"},
        {"regexp:^build-(\\d+)$", "numeric:desc", "$1"},
        {"regexp:^(\\d+)\\.(\\d+)\\.(\\d+)\\.(?P<last>\\d+)$", "semver", "$1.$2.$3-${last}"},
        {"regexp:^(\\d+\\.\\d+\\.\\d+)-alpine", "semver", "$1"},
        {"regexp:\\d", NULL, NULL},
        {"glob:*", "numeric", NULL},
    };
    static const char *const platforms[] = {NULL, "linux/amd64", "linux/amd64 linux/arm64"};
    *w = (struct world){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
    size_t at = pick(w, ARRAY_LEN(policies));
    w->policy = policies[at].policy;
    w->order = policies[at].order;
    w->extract = policies[at].extract;
    w->has_platforms = chance(w, 4);
    w->min_age_ms = chance(w, 4) ? AGE_MS : 0;
    w->allows_downgrade = chance(w, 6);
    for (size_t i = 0, count = 1 + pick(w, MOST); i < count; i++) {
        struct entry *e = &w->entries[w->len];
        make_tag(w, e->tag);
        if (has_tag(w, e->tag))
            continue;
        e->created_ms = chance(w, 8) ? 0 : 1 + (int64_t)pick(w, 6) * 100; /* few, so that they repeat */
        e->seen_ms = chance(w, 8) ? 0 : NOW_MS - (int64_t)pick(w, 2 * AGE_MS);
        e->platforms = ONE_OF(w, platforms);
        w->len++;
    }
    char gone[TAG_SIZE];
    make_tag(w, gone); /* now and then the current tag is not in the registry */
    snprintf(w->image, sizeof(w->image), "app:%s",
             chance(w, 6) ? gone : w->entries[pick(w, (unsigned)w->len)].tag);
    w->current = w->image + strlen("app:");
}

static int64_t since_ms(const struct image_info *image, void *context)
{
    const struct world *w = context;
    for (size_t i = 0; i < w->len; i++) {
        if (!strcmp(w->entries[i].tag, image->tag))
            return w->entries[i].seen_ms;
    }
    return 0;
}

static void add_entry(struct repository_info *info, const struct entry *e)
{
    size_t index = repository_info_add(info, e->tag);
    repository_info_edit_details(info, index)->created_ms = e->created_ms;
    repository_info_set_platforms(info, index, e->platforms);
}

/* The registry's tags from the `first`-th on, all of them: as listed from there. With `only`: that and the current one. */
static struct repository_info *list_from(const struct world *w, size_t first, size_t step, const char *only)
{
    struct repository_info *info = repository_info_new("registry.example/app");
    for (size_t i = 0; i < w->len; i++) {
        const struct entry *e = &w->entries[(first + i * step) % w->len];
        if (!only || !strcmp(e->tag, only) || !strcmp(e->tag, w->current))
            add_entry(info, e);
    }
    repository_info_finish(info);
    return info;
}

static struct tag_policy *policy_of(const struct world *w)
{
    struct error err = ERROR_INIT;
    struct tag_policy *policy = tag_policy_new(w->policy, &err);
    if (!policy || (w->order && tag_policy_set_order(policy, w->order, &err) < 0) ||
        (w->extract && tag_policy_set_extract(policy, w->extract, &err) < 0))
        fail_msg("%s", err.text);
    return policy;
}

static bool is_same(const struct decision *a, const struct decision *b)
{
    const char *x = a->candidate ? a->candidate : "", *y = b->candidate ? b->candidate : "";
    return a->kind == b->kind && a->cause == b->cause && !strcmp(x, y) && !strcmp(a->reason, b->reason) &&
           a->until_ms == b->until_ms && !memcmp(a->rejected, b->rejected, sizeof(a->rejected)) &&
           a->too_young == b->too_young && a->without_platform == b->without_platform;
}

/* What another container of the policy found first must not change the decision, whatever its own tag is. */
static void assert_sharing_changes_nothing(const struct world *w, const struct workload_policy *workload,
                                           const struct choose_facts *facts, const struct decision *alone)
{
    struct container_policy first_of = workload->containers[0];
    struct container other = {.name = "other"};
    struct error err = ERROR_INIT;
    AUTO_FREE char *image = xasprintf("registry.example/app:%s", w->entries[w->len / 2].tag);
    if (image_ref_parse(image, &other.image, &err) < 0)
        fail_msg("%s", err.text);
    first_of.container = &other;
    const struct workload_policy before = {
        .resource = workload->resource, .automated = true, .containers = &first_of, .containers_len = 1};
    CLEANUP(shared_surveys_release) struct shared_surveys shared;
    shared_surveys_init(&shared);
    struct choose_facts with = *facts;
    with.shared = &shared;
    struct decision first, second;
    choose(&before, 0, &with, &first);
    choose(workload, 0, &with, &second);
    if (!is_same(alone, &second) || alone->tags_seen != second.tags_seen)
        fail_msg("%s for %s: %s\nand after another container: %s", w->policy, w->current, alone->reason,
                 second.reason);
    decision_release(&first);
    decision_release(&second);
    image_ref_release(&other.image);
}

/* Decides for `image` on what is listed; releases the list. */
static struct decision decide(const struct world *w, const char *image, struct repository_info *info)
{
    char space[] = "default", kind[] = "deployment", name[] = "app";
    struct resource resource = {.id = {.space = space, .kind = kind, .name = name}};
    struct container container = {.name = "app"};
    assert_int_equal(image_ref_parse(image, &container.image, &container.problem), 0);
    struct container_policy mine = {.container = &container,
                                    .policy = policy_of(w),
                                    .has_tag_policy = true,
                                    .allows_downgrade = w->allows_downgrade,
                                    .min_age_ms = w->min_age_ms};
    if (w->has_platforms)
        strvec_push(&mine.platforms, "linux/arm64");
    const struct workload_policy workload = {
        .resource = &resource, .automated = true, .containers = &mine, .containers_len = 1};
    /* digests are asked for with an age; here they are all there */
    for (size_t i = 0; i < info->images_len; i++)
        repository_info_set_digest(info, i, "sha256:0");
    struct world facts_of = *w;
    const struct choose_facts facts = {
        .info = info, .now_ms = NOW_MS, .since_ms = since_ms, .context = &facts_of};
    struct decision decision;
    choose(&workload, 0, &facts, &decision);
    assert_sharing_changes_nothing(w, &workload, &facts, &decision);
    tag_policy_free(mine.policy);
    strvec_release(&mine.platforms);
    image_ref_release(&container.image);
    repository_info_unref(info);
    return decision;
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("seed %llu, %s by %s, %s: %s", (unsigned long long)seed, w->policy,                     \
                     w->order ? w->order : "its order", w->image, #condition);                               \
    } while (0)

static const struct entry *entry_of(const struct world *w, const char *tag)
{
    for (size_t i = 0; i < w->len; i++) {
        if (!strcmp(w->entries[i].tag, tag))
            return &w->entries[i];
    }
    return NULL;
}

/* Numbers of a tag that is nothing but "1.2.3": how many; 0 for any other. */
static int read_plain(const char *tag, unsigned numbers[3])
{
    int end = 0;
    if (sscanf(tag, "%u.%u.%u%n", &numbers[0], &numbers[1], &numbers[2], &end) == 3 && !tag[end])
        return 3;
    if (sscanf(tag, "%u.%u%n", &numbers[0], &numbers[1], &end) == 2 && !tag[end])
        return 2;
    return 0;
}

/* Whether plain versions of one length fall from one to the other. */
static bool falls(const char *from, const char *to)
{
    unsigned a[3] = {0}, b[3] = {0};
    int parts = read_plain(from, a);
    if (!parts || read_plain(to, b) != parts)
        return false;
    for (int i = 0; i < parts; i++) {
        if (a[i] != b[i])
            return b[i] < a[i];
    }
    return false;
}

static bool is_version_like(const char *tag)
{
    return tag[*tag == 'v'] >= '0' && tag[*tag == 'v'] <= '9';
}

/* What must not be, however the choice was made. */
static bool is_step_back(const struct world *w, const char *to)
{
    const char *order = w->order ? w->order : str_starts_with(w->policy, "semver:") ? "semver" : "newest";
    const struct entry *before = entry_of(w, w->current), *after = entry_of(w, to);
    bool is_undated = str_starts_with(order, "newest") && (!before || !before->created_ms);
    if (is_undated && (!is_version_like(w->current) || !is_version_like(to)))
        return true;
    if (!strcmp(order, "newest") && before && before->created_ms && after->created_ms < before->created_ms)
        return true;
    if (!strcmp(order, "newest:desc") && before && before->created_ms &&
        after->created_ms > before->created_ms)
        return true;
    if (!strcmp(order, "alpha"))
        return strcmp(to, w->current) < 0;
    if (!strcmp(order, "alpha:desc"))
        return strcmp(to, w->current) > 0;
    if (str_starts_with(order, "numeric") && w->extract) {
        unsigned long from_number = strtoul(w->current + strlen("build-"), NULL, 10);
        unsigned long to_number = strtoul(to + strlen("build-"), NULL, 10);
        return str_ends_with(order, ":desc") ? to_number > from_number : to_number < from_number;
    }
    if (str_ends_with(order, ":desc"))
        return falls(to, w->current);
    return falls(w->current, to);
}

/* Whether a tag that matches could have been taken. */
static bool is_eligible(const struct world *w, const struct entry *e, bool by_time)
{
    bool is_old = !w->min_age_ms || (e->seen_ms && e->seen_ms + w->min_age_ms <= NOW_MS);
    bool lacks_platform = w->has_platforms && e->platforms && !strstr(e->platforms, "arm64");
    return (!by_time || e->created_ms) && is_old && !lacks_platform;
}

static void check_update(struct world *w, uint64_t seed, const struct decision *d)
{
    struct tag_policy *policy = policy_of(w);
    const struct entry *taken = entry_of(w, d->candidate);
    CHECK(taken && tag_policy_match(policy, d->candidate) == TAG_MATCHES);
    CHECK(strcasecmp(d->candidate, "latest") != 0);
    bool by_time = tag_policy_needs_created(policy);
    CHECK(is_eligible(w, taken, by_time));
    CHECK(!w->has_platforms || strstr(taken->platforms, "arm64"));
    for (size_t i = 0; i < w->len; i++) {
        const struct entry *e = &w->entries[i];
        const struct image_details mine = {.created_ms = taken->created_ms},
                                   others = {.created_ms = e->created_ms};
        bool is_better = tag_policy_compare(policy, &(struct image_info){e->tag, &others},
                                            &(struct image_info){taken->tag, &mine}) > 0;
        CHECK(!is_better || tag_policy_match(policy, e->tag) != TAG_MATCHES || !is_eligible(w, e, by_time));
    }
    bool current_matches = tag_policy_match(policy, w->current) == TAG_MATCHES;
    CHECK(!current_matches || w->allows_downgrade || !is_step_back(w, d->candidate));
    tag_policy_free(policy);
}

/* With the new image there is nothing to do: no second update, there or back. */
static void check_rest(const struct world *w, uint64_t seed, const char *target)
{
    struct decision after = decide(w, target, list_from(w, 0, 1, NULL));
    CHECK(after.kind != DECISION_UPDATE);
    CHECK(after.kind == DECISION_CURRENT || after.cause == CAUSE_TOO_YOUNG);
    decision_release(&after);
}

static size_t check_world(struct world *w, uint64_t seed)
{
    struct decision d = decide(w, w->image, list_from(w, 0, 1, NULL));
    for (size_t first = 0; first < w->len; first += 1 + w->len / 3) {
        struct decision backwards = decide(w, w->image, list_from(w, first, w->len - 1, NULL));
        CHECK(is_same(&d, &backwards));
        decision_release(&backwards);
    }
    size_t updates = d.kind == DECISION_UPDATE;
    if (updates) {
        check_update(w, seed, &d);
        check_rest(w, seed, d.target);
        struct decision alone = decide(w, w->image, list_from(w, 0, 1, d.candidate));
        CHECK(alone.kind == DECISION_UPDATE && !strcmp(alone.target, d.target));
        decision_release(&alone);
    }
    decision_release(&d);
    return updates;
}

static void test_choose_holds_its_promises_for_generated_repositories(void **state)
{
    (void)state;
    size_t updates = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct world w;
        make_world(&w, seed);
        updates += check_world(&w, seed);
    }
    assert_true(updates > CASES / 5); /* or the generator has become a bad one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_holds_its_promises_for_generated_repositories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
