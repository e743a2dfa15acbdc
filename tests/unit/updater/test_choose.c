#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/choose.h"

/* "tag@time tag tag@0!problem …": time in milliseconds, 0 if it is not known. */
static struct repository_info *repository(const char *tags)
{
    struct repository_info *info = repository_info_new("registry.example/app");
    info->scanned_ms = 1767323045000;
    AUTO_FREE char *copy = xstrdup(tags);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) && *word) {
        char *problem = strchr(word, '!'), *time = strchr(word, '@');
        if (problem)
            *problem++ = '\0';
        if (time)
            *time++ = '\0';
        size_t index = repository_info_add(info, word);
        if (time)
            repository_info_edit_details(info, index)->created_ms = strtoll(time, NULL, 10);
        repository_info_set_problem(info, index, problem);
    }
    repository_info_finish(info);
    return info;
}

/* One workload with one container; the fields that a case needs are set by the case. */
struct fixture {
    struct resource resource;
    struct container container;
    struct container_policy mine;
    struct workload_policy workload;
    char space[16], kind[16], name[16];
};

static char no_policy[] = "policy semver:foo: no such version";

static void fixture_init(struct fixture *f, const char *image, const char *policy)
{
    *f = (struct fixture){.space = "default", .kind = "deployment", .name = "app"};
    f->resource.id = (struct resource_id){.space = f->space, .kind = f->kind, .name = f->name};
    f->container.name = "app";
    if (image_ref_parse(image, &f->container.image, &f->container.problem) < 0)
        error_wrap(&f->container.problem, "image %s", image);
    f->mine.container = &f->container;
    f->mine.policy = tag_policy_new(policy, NULL);
    if (!f->mine.policy)
        f->mine.problem = no_policy;
    f->workload = (struct workload_policy){
        .resource = &f->resource, .automated = true, .containers = &f->mine, .containers_len = 1};
}

static void fixture_release(struct fixture *f)
{
    image_ref_release(&f->container.image);
    tag_policy_free(f->mine.policy);
}

static void choose_at(const struct fixture *f, const struct repository_info *info, const struct error *err,
                      int64_t now_ms, struct decision *d)
{
    choose(&f->workload, 0, &(struct choose_facts){.info = info, .scan_error = err, .now_ms = now_ms}, d);
}

/* The cause that goes with the words of a reason. */
static enum decision_cause expected_cause(const char *reason)
{
    static const struct {
        const char *words;
        enum decision_cause cause;
    } causes[] = {
        {"held: the workload is to be ignored", CAUSE_IGNORED},
        {"held: not automated", CAUSE_NOT_AUTOMATED},
        {"held: locked", CAUSE_LOCKED},
        {" min-age is ", CAUSE_TOO_YOUNG},
        {" has no image for ", CAUSE_PLATFORM},
        {"held: the window ", CAUSE_WINDOW},
        {" not known, as the registry", CAUSE_NO_DETAILS},
        {" not known: ", CAUSE_NO_DETAILS},
        {"held: pinned to ", CAUSE_PINNED},
        {"held: the registry's last answer", CAUSE_STALE},
        {" than the current ", CAUSE_STEP_BACK},
        {" alphabetically ", CAUSE_STEP_BACK},
        {"version of the same form", CAUSE_STEP_BACK},
        {"is not in this version of pawl", CAUSE_UNKNOWN_KEY},
        {"is defined more than once", CAUSE_DUPLICATE},
        {"blocked: image ", CAUSE_BAD_IMAGE},
        {"takes too long on the tag", CAUSE_SLOW_POLICY},
        {"blocked: policy ", CAUSE_BAD_POLICY},
        {"blocked: no tags are known", CAUSE_NO_ANSWER},
        {"more tags than are read", CAUSE_TRUNCATED},
        {"blocked: the registry lists ", CAUSE_SHRUNKEN},
        {"blocked: no creation time", CAUSE_NO_CREATION_TIME},
    };
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (strstr(reason, causes[i].words))
            return causes[i].cause;
    }
    return CAUSE_NONE;
}

static void expect(const struct decision *d, enum decision_kind kind, const char *candidate,
                   const char *reason)
{
    if (d->kind != kind || strcmp(d->reason, reason) != 0 ||
        strcmp(d->candidate ? d->candidate : "-", candidate) != 0)
        fail_msg("%s, %s: %s\ninstead of %s, %s: %s", decision_kind_name(d->kind),
                 d->candidate ? d->candidate : "-", d->reason, decision_kind_name(kind), candidate, reason);
    assert_string_equal(decision_cause_name(d->cause), decision_cause_name(expected_cause(reason)));
    assert_int_equal(d->cause != CAUSE_NONE, kind == DECISION_HELD || kind == DECISION_BLOCKED);
}

static void test_choose_follows_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *image, *policy, *tags;
        enum decision_kind kind;
        const char *candidate, *reason;
    } cases[] = {
        /* by version */
        {"app:1.2.0", "semver:~1", "1.1.0 1.2.0 1.10.0 1.9.0 2.0.0 latest", DECISION_UPDATE, "1.10.0",
         "1.10.0 is the highest version that matches semver:~1"},
        {"app:1.10.0", "semver:~1", "1.1.0 1.2.0 1.10.0 2.0.0", DECISION_CURRENT, "1.10.0",
         "already the highest version that matches semver:~1"},
        {"app:1.2.0", "semver:~1", "1.1.0 1.0.0", DECISION_HELD, "1.1.0",
         "held: 1.1.0 is older than the current 1.2.0"},
        {"app:2.0.0", "semver:~1", "1.1.0 2.0.0", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:~1; the current 2.0.0 does not match"},
        {"app:main", "semver:~1", "1.1.0 main", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:~1; the current main does not match"},
        {"app", "semver:*", "1.1.0 latest", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:*; the current latest does not match"},
        {"app:1.10", "semver:*", "1.10 1.10.0", DECISION_UPDATE, "1.10.0",
         "1.10.0 is the highest version that matches semver:*"},
        {"app:1.10.0", "semver:*", "1.10 1.9", DECISION_HELD, "1.10",
         "held: 1.10 is older than the current 1.10.0"},
        {"app:1.0", "semver:~2", "1.0 1.1 latest", DECISION_CURRENT, "-",
         "none of the 3 tags of registry.example/app matches semver:~2"},
        {"app:1.0", "semver:~2", "", DECISION_CURRENT, "-",
         "none of the 0 tags of registry.example/app matches semver:~2"},

        {"app:1.0", "~1.2", "1.0@1 1.2@2", DECISION_CURRENT, "-",
         "none of the 2 tags of registry.example/app matches glob:~1.2; no tag can look like that (a version "
         "range "
         "is written semver:~1.2)"},
        {"app:1.0", "glob:v*", "1.0@1 1.2@2", DECISION_CURRENT, "-",
         "none of the 2 tags of registry.example/app matches glob:v*"},

        /* by creation time */
        {"app:main-1", "glob:main-*", "main-1@100 main-2@300 main-3@200 other@900 latest@999",
         DECISION_UPDATE, "main-2", "main-2 is the newest that matches glob:main-*"},
        {"app:main-2", "glob:main-*", "main-1@100 main-2@300 main-3@200", DECISION_CURRENT, "main-2",
         "already the newest that matches glob:main-*"},
        {"app:other", "glob:main-*", "main-1@100 other@900", DECISION_UPDATE, "main-1",
         "main-1 is the newest that matches glob:main-*; the current other does not match"},
        {"app:a9", "glob:*", "a9@100 a10@100 a2@100", DECISION_UPDATE, "a10",
         "a10 is the newest that matches glob:*"},
        {"app:latest", "glob:latest", "latest@5 1.0@6", DECISION_CURRENT, "latest",
         "already the newest that matches glob:latest"},
        {"app", "glob:latest", "latest@5 1.0@6", DECISION_CURRENT, "latest",
         "already the newest that matches glob:latest"},

        /* newer, but a lower version of the same shape */
        {"app:1.3.0", "glob:*", "1.3.0@100 1.2.9@200 1.2.8@50", DECISION_HELD, "1.2.9",
         "held: 1.2.9 is newer than the current 1.3.0, but the lower version"},
        {"app:1.3.0-alpine3.9", "glob:*-alpine*", "1.3.0-alpine3.9@100 1.3.0-alpine3.10@200", DECISION_UPDATE,
         "1.3.0-alpine3.10", "1.3.0-alpine3.10 is the newest that matches glob:*-alpine*"},
        {"app:1.3.0", "glob:*", "1.3.0@100 1.2.9-slim@200", DECISION_UPDATE, "1.2.9-slim",
         "1.2.9-slim is the newest that matches glob:*"},
        {"app:1.3.0", "regexp:.", "1.3.0@100 1.3.1@200", DECISION_UPDATE, "1.3.1",
         "1.3.1 is the newest that matches regexp:."},

        /* the current tag's time is not known: gone from the registry, or never said */
        {"app:1.2.3", "glob:1.*", "1.2.4@100", DECISION_UPDATE, "1.2.4",
         "1.2.4 is the newest that matches glob:1.*"},
        {"app:1.2.3", "glob:1.*", "1.2.3 1.2.4@100", DECISION_UPDATE, "1.2.4",
         "1.2.4 is the newest that matches glob:1.*"},
        {"app:1.2.5", "glob:1.*", "1.2.4@100", DECISION_HELD, "1.2.4",
         "held: the creation time of the current 1.2.5 is not known, and 1.2.4 is not a higher version of "
         "the same "
         "form"},
        {"app:main-1", "glob:*", "main-2@100", DECISION_HELD, "main-2",
         "held: the creation time of the current main-1 is not known, and main-2 is not a higher version of "
         "the "
         "same form"},

        /* the same version, written otherwise: newer is enough, and without a time it is none that rises */
        {"app:1.2.3", "glob:1.*", "1.2.3@100 1.02.3@200", DECISION_UPDATE, "1.02.3",
         "1.02.3 is the newest that matches glob:1.*"},
        {"app:1.2.3", "glob:1.*", "1.02.3@200", DECISION_HELD, "1.02.3",
         "held: the creation time of the current 1.2.3 is not known, and 1.02.3 is not a higher version of "
         "the same "
         "form"},

        /* without creation time */
        {"app:a", "glob:*", "a@100 b c@200", DECISION_UPDATE, "c", "c is the newest that matches glob:*"},
        {"app:a", "glob:*", "a@100 b!gone c@200", DECISION_UPDATE, "c",
         "c is the newest that matches glob:*; passed over b: gone"},
        {"app:c", "glob:*", "2.0!2.0:late c@200", DECISION_CURRENT, "c",
         "already the newest that matches glob:*; passed over 2.0:late"},
        {"app:c", "glob:*", "lost!late b!gone c@200", DECISION_CURRENT, "c",
         "already the newest that matches glob:*; passed over 2 tags, one of them b: gone"},
        {"app:a", "glob:*", "a!gone b", DECISION_BLOCKED, "-",
         "blocked: no creation time is known of the tags that match glob:* (2; a: gone)"},
        {"app:a", "glob:*", "a", DECISION_BLOCKED, "-",
         "blocked: no creation time is known of the tags that match glob:* (1; a: the image does not say)"},

        /* cannot be read */
        {"app:1", "semver:foo", "1", DECISION_BLOCKED, "-", "blocked: policy semver:foo: no such version"},
        {"app:1", "regexp:^(a+)+\\1$", "1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_ b@1",
         DECISION_BLOCKED, "-",
         "blocked: policy regexp:^(a+)+\\1$ takes too long on the tag "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_; "
         "simplify the pattern"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        fixture_init(&f, cases[i].image, cases[i].policy);
        struct repository_info *info = repository(cases[i].tags);
        struct decision d;
        choose_at(&f, info, NULL, 0, &d);
        expect(&d, cases[i].kind, cases[i].candidate, cases[i].reason);
        assert_ptr_equal(d.resource, &f.resource);
        assert_ptr_equal(d.container, &f.container);
        decision_release(&d);
        repository_info_unref(info);
        fixture_release(&f);
    }
}

static void test_choose_never_steps_back_in_any_order(void **state)
{
    (void)state;
    static const struct {
        const char *image, *policy, *order, *extract, *tags;
        enum decision_kind kind;
        const char *candidate, *reason;
    } cases[] = {
        {"app:7", "glob:*", "numeric", NULL, "7 10 9 main", DECISION_UPDATE, "10",
         "10 is the highest number that matches glob:*"},
        {"app:11", "glob:*", "numeric", NULL, "7 10 9 main", DECISION_HELD, "10",
         "held: 10 is lower than the current 11"},
        {"app:007", "glob:*", "numeric", NULL, "7 007", DECISION_UPDATE, "7",
         "7 is the highest number that matches glob:*"},
        {"app:7", "glob:*", "numeric", NULL, "7 007", DECISION_CURRENT, "7",
         "already the highest number that matches glob:*"},
        {"app:6", "glob:*", "numeric:desc", NULL, "7 10", DECISION_HELD, "7",
         "held: 7 is higher than the current 6"},
        {"app:10", "glob:*", "numeric:desc", NULL, "7 10", DECISION_UPDATE, "7",
         "7 is the lowest number that matches glob:*"},
        {"app:b-9-x", "regexp:^b-(\\d+)-", "numeric", "$1", "b-9-x b-10-a b-8-z", DECISION_UPDATE, "b-10-a",
         "b-10-a is the highest number that matches regexp:^b-(\\d+)-"},
        {"app:b-11-x", "regexp:^b-(\\d+)-", "numeric", "$1", "b-9-x b-10-a b-8-z", DECISION_HELD, "b-10-a",
         "held: b-10-a is lower than the current b-11-x"},
        {"app:main", "regexp:^b-(\\d+)-", "numeric", "$1", "b-9-x main", DECISION_UPDATE, "b-9-x",
         "b-9-x is the highest number that matches regexp:^b-(\\d+)-; the current main does not match"},
        {"app:main", "regexp:^b-(\\d*)-", "numeric", "$1", "b--x main", DECISION_CURRENT, "-",
         "none of the 2 tags of registry.example/app matches regexp:^b-(\\d*)- with a value for the order "
         "numeric; 1 "
         "match without one"},
        {"app:1.2.3.4", "regexp:^(\\d+\\.\\d+)\\.(\\d+)\\.(\\d+)$", "semver", "$1.$2-$3", "1.2.3.10 1.2.3.4",
         DECISION_UPDATE, "1.2.3.10",
         "1.2.3.10 is the highest version that matches regexp:^(\\d+\\.\\d+)\\.(\\d+)\\.(\\d+)$"},
        {"app:2.0", "semver:*", "semver:desc", NULL, "3.0 1.0 2.0", DECISION_UPDATE, "1.0",
         "1.0 is the lowest version that matches semver:*"},
        {"app:0.9", "semver:*", "semver:desc", NULL, "3.0 1.0 2.0", DECISION_HELD, "1.0",
         "held: 1.0 is newer than the current 0.9"},
        {"app:1.0", "semver:*", "newest", NULL, "1.0@5 1.1@9 1.2@7", DECISION_UPDATE, "1.1",
         "1.1 is the newest that matches semver:*"},
        {"app:1.2", "semver:*", "newest", NULL, "1.0@5 1.1@9 1.2@7", DECISION_HELD, "1.1",
         "held: 1.1 is newer than the current 1.2, but the lower version"},
        {"app:1.2", "glob:*", "newest:desc", NULL, "1.2@9 1.1@7 a", DECISION_UPDATE, "1.1",
         "1.1 is the oldest that matches glob:*"},
        {"app:1.0", "glob:*", "newest:desc", NULL, "1.0@9 1.1@7", DECISION_HELD, "1.1",
         "held: 1.1 is older than the current 1.0, but the higher version"},
        {"app:1.0", "glob:*", "newest:desc", NULL, "1.1@7", DECISION_HELD, "1.1",
         "held: the creation time of the current 1.0 is not known, and 1.1 is not a lower version of the "
         "same form"},
        {"app:a", "glob:*", "alpha", NULL, "a B c", DECISION_UPDATE, "c",
         "c is the last in alphabetical order that matches glob:*"},
        {"app:d", "glob:*", "alpha", NULL, "a B c", DECISION_HELD, "c",
         "held: c is alphabetically before the current d"},
        {"app:A", "glob:*", "alpha:desc", NULL, "a B c", DECISION_HELD, "B",
         "held: B is alphabetically after the current A"},
        /* "latest" is no tag of the policy's, in no order */
        {"app:latest", "glob:*", "alpha", NULL, "a latest", DECISION_UPDATE, "a",
         "a is the last in alphabetical order that matches glob:*; the current latest does not match"},
        {"app:1", "regexp:^latest$", "alpha", NULL, "1 latest", DECISION_CURRENT, "-",
         "none of the 2 tags of registry.example/app matches regexp:^latest$; the tag latest is taken by "
         "glob:latest alone"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        fixture_init(&f, cases[i].image, cases[i].policy);
        struct error err = ERROR_INIT;
        assert_int_equal(tag_policy_set_order(f.mine.policy, cases[i].order, &err), 0);
        if (cases[i].extract)
            assert_int_equal(tag_policy_set_extract(f.mine.policy, cases[i].extract, &err), 0);
        struct repository_info *info = repository(cases[i].tags);
        struct decision d;
        choose_at(&f, info, NULL, 0, &d);
        expect(&d, cases[i].kind, cases[i].candidate, cases[i].reason);
        decision_release(&d);
        repository_info_unref(info);
        fixture_release(&f);
    }
}

static void test_choose_counts_what_it_saw(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        size_t rejected[TAG_MATCH_COUNT];
        const char *order;
    } cases[] = {
        {"glob:*", {[TAG_NOT_A_NUMBER] = 6, [TAG_IS_LATEST] = 1}, "numeric"},
        {"glob:*", {[TAG_NOT_A_VERSION] = 2, [TAG_IS_LATEST] = 1}, "semver"},
        {"glob:*", {[TAG_IS_LATEST] = 1}, "alpha"},
        {"semver:~1", {[TAG_DIFFERS] = 1, [TAG_NOT_A_VERSION] = 2, [TAG_IS_LATEST] = 1}, NULL},
        {"glob:[0-9]*", {[TAG_DIFFERS] = 6, [TAG_IS_LATEST] = 1}, NULL},
        {"regexp:^[0-9]", {[TAG_MATCHES] = 2, [TAG_DIFFERS] = 2, [TAG_IS_LATEST] = 1}, NULL},
    };
    struct repository_info *info = repository("1.0@5 1.1 1.2@7 2.0 Latest@9 main@1 x");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        fixture_init(&f, "app:1.0", cases[i].policy);
        if (cases[i].order)
            assert_int_equal(tag_policy_set_order(f.mine.policy, cases[i].order, &(struct error)ERROR_INIT),
                             0);
        struct decision d;
        choose_at(&f, info, NULL, 0, &d);
        assert_int_equal(d.tags_seen, 7);
        for (size_t j = 0; j < TAG_MATCH_COUNT; j++)
            assert_int_equal(d.rejected[j], cases[i].rejected[j]);
        decision_release(&d);
        fixture_release(&f);
    }
    repository_info_unref(info);
    assert_string_equal(decision_rejection_name(TAG_MATCHES), "no creation time");
    assert_string_equal(decision_rejection_name(TAG_NOT_A_VERSION), "not a version");
}

static void hold_ignored(struct fixture *f)
{
    f->workload.ignored = true;
}

static void hold_not_automated(struct fixture *f)
{
    f->workload.automated = false;
}

static void hold_locked(struct fixture *f)
{
    f->workload.locked = true;
}

static void hold_locked_by(struct fixture *f)
{
    f->workload.locked = true;
    f->workload.locked_user = "jane";
}

static void hold_locked_why(struct fixture *f)
{
    f->workload.locked = true;
    f->workload.locked_message = "release freeze";
}

static void hold_locked_with_escapes(struct fixture *f)
{
    f->workload.locked = true;
    f->workload.locked_message = "a\nb\r\x1b[2J\x7f\xc3\xa9";
}

static void hold_locked_by_and_why(struct fixture *f)
{
    hold_locked_by(f);
    hold_locked_why(f);
}

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Whoever holds it, the candidate is shown; and what is up to date is not held. */
static void test_choose_holds_what_it_may_not_take(void **state)
{
    (void)state;
    static const struct {
        void (*hold)(struct fixture *);
        const char *image, *scan_error, *reason;
    } cases[] = {
        {hold_ignored, "app:1.0", NULL, "held: the workload is to be ignored"},
        {hold_not_automated, "app:1.0", NULL, "held: not automated"},
        {hold_locked, "app:1.0", NULL, "held: locked"},
        {hold_locked_by, "app:1.0", NULL, "held: locked by jane"},
        {hold_locked_why, "app:1.0", NULL, "held: locked: release freeze"},
        {hold_locked_with_escapes, "app:1.0", NULL, "held: locked: a b  [2J \xc3\xa9"},
        {hold_locked_by_and_why, "app:1.0", NULL, "held: locked by jane: release freeze"},
        {NULL, "app:1.0@" DIGEST, NULL, "held: pinned to " DIGEST},
        {NULL, "app@" DIGEST, NULL, "held: pinned to " DIGEST},
        {NULL, "app:1.0", "connection refused",
         "held: the registry's last answer is of 2026-01-02T03:04:05Z: connection refused"},
    };
    struct repository_info *info = repository("1.0 1.1");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error scan_error = ERROR_INIT;
        if (cases[i].scan_error)
            error_set(&scan_error, ERROR_NETWORK, "%s", cases[i].scan_error);
        struct fixture f;
        struct decision d;
        fixture_init(&f, cases[i].image, "semver:~1");
        if (cases[i].hold)
            cases[i].hold(&f);
        choose_at(&f, info, &scan_error, 0, &d);
        expect(&d, DECISION_HELD, "1.1", cases[i].reason);
        decision_release(&d);
        fixture_release(&f);

        fixture_init(&f, "app:1.1", "semver:~1");
        if (cases[i].hold)
            cases[i].hold(&f);
        choose_at(&f, info, &scan_error, 0, &d);
        expect(&d, DECISION_CURRENT, "1.1", "already the highest version that matches semver:~1");
        decision_release(&d);
        fixture_release(&f);
    }
    repository_info_unref(info);
}

static void test_choose_is_blocked_by_defects(void **state)
{
    (void)state;
    struct repository_info *info = repository("1.0 1.1");
    struct fixture f;
    struct decision d;

    char blocked[] = "pawl.dev/window is not in this version of pawl";
    fixture_init(&f, "app:1.0", "semver:~1");
    f.workload.blocked = blocked;
    choose_at(&f, info, NULL, 0, &d);
    expect(&d, DECISION_BLOCKED, "-", "blocked: pawl.dev/window is not in this version of pawl");
    decision_release(&d);
    f.workload.has_bad_value = true;
    choose_at(&f, info, NULL, 0, &d);
    assert_int_equal(d.cause, CAUSE_BAD_POLICY);
    decision_release(&d);
    f.workload.has_bad_value = false;
    f.workload.is_blocked_here = true;
    choose_at(&f, info, NULL, 0, &d);
    assert_int_equal(d.cause, CAUSE_BAD_POLICY);
    decision_release(&d);
    f.workload.blocked = NULL;

    f.resource.is_duplicate = true;
    choose_at(&f, info, NULL, 0, &d);
    expect(&d, DECISION_BLOCKED, "-", "blocked: default:deployment/app is defined more than once");
    decision_release(&d);
    fixture_release(&f);

    fixture_init(&f, "App//x", "semver:~1");
    choose_at(&f, info, NULL, 0, &d);
    assert_int_equal(d.kind, DECISION_BLOCKED);
    assert_int_equal(d.cause, CAUSE_BAD_IMAGE);
    assert_true(str_starts_with(d.reason, "blocked: image App//x: "));
    decision_release(&d);
    fixture_release(&f);
    repository_info_unref(info);
}

static void test_choose_needs_a_whole_answer(void **state)
{
    (void)state;
    struct fixture f;
    struct decision d;
    struct error refused = ERROR_INIT;
    error_set(&refused, ERROR_NETWORK, "connection refused");
    fixture_init(&f, "app:1.0", "semver:~1");

    choose_at(&f, NULL, &refused, 0, &d);
    expect(&d, DECISION_BLOCKED, "-", "blocked: no tags are known: connection refused");
    decision_release(&d);

    struct repository_info *undated = repository("1.0");
    struct fixture by_date;
    fixture_init(&by_date, "app:1.0", "glob:*");
    choose_at(&by_date, undated, &refused, 0, &d);
    expect(&d, DECISION_BLOCKED, "-",
           "blocked: no creation time is known of the tags that match glob:* (1; 1.0: connection refused)");
    decision_release(&d);
    fixture_release(&by_date);
    repository_info_unref(undated);

    choose_at(&f, NULL, NULL, 0, &d);
    expect(&d, DECISION_BLOCKED, "-", "blocked: no tags are known: the registry was not asked yet");
    decision_release(&d);

    struct repository_info *info = repository("1.0 1.1");
    info->is_truncated = true;
    choose_at(&f, info, NULL, 0, &d);
    expect(&d, DECISION_BLOCKED, "-",
           "blocked: registry.example/app has more tags than are read (2); raise --registry-tag-limit");
    decision_release(&d);

    info->is_truncated = false;
    info->is_shrunken = true;
    choose_at(&f, info, NULL, 0, &d);
    expect(&d, DECISION_BLOCKED, "-",
           "blocked: the registry lists 0 tags of registry.example/app where it had 2; that is believed when "
           "a later "
           "scan finds the same");
    decision_release(&d);
    repository_info_unref(info);
    fixture_release(&f);
}

/* -- what pawl.dev/ adds: times in hours ------------------------------------------------------------------- */

#define HOUR_MS INT64_C(3600000)

/* First seen when its details say that it was made: so the tags of a case are "tag@hours". */
static int64_t seen_when_made(const struct image_info *image, void *context)
{
    (void)context;
    return image->details->created_ms;
}

static struct repository_info *repository_in_hours(const char *tags)
{
    struct repository_info *info = repository(tags);
    for (size_t i = 0; i < info->images_len; i++) {
        if (repository_info_details(info, i)->created_ms)
            repository_info_edit_details(info, i)->created_ms *= HOUR_MS;
        repository_info_set_digest(info, i, "sha256:0");
    }
    return info;
}

static int64_t since_push(const struct image_info *image, void *context UNUSED)
{
    return image->details->pushed_ms;
}

static int64_t since_hour_98(const struct image_info *image UNUSED, void *context UNUSED)
{
    return 98 * HOUR_MS;
}

/* Whose clock it was: a push that was not believed is not named. */
static void test_choose_says_what_an_age_is_measured_from(void **state)
{
    (void)state;
    static const struct {
        int64_t (*since_ms)(const struct image_info *image, void *context);
        const char *reason;
    } cases[] = {
        {since_push, "held: 1.1.0 was pushed 3h ago, min-age is 48h: until 1970-01-07T01:00:00Z"},
        {since_hour_98, "held: 1.1.0 is 2h old, min-age is 48h: until 1970-01-07T02:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct repository_info *info = repository_in_hours("1.0.0@1 1.1.0@2");
        repository_info_edit_details(info, 1)->pushed_ms = 97 * HOUR_MS;
        struct fixture f;
        struct decision d;
        fixture_init(&f, "app:1.0.0", "semver:1");
        f.mine.min_age_ms = 48 * HOUR_MS;
        choose(&f.workload, 0,
               &(struct choose_facts){.info = info, .now_ms = 100 * HOUR_MS, .since_ms = cases[i].since_ms},
               &d);
        expect(&d, DECISION_HELD, "1.1.0", cases[i].reason);
        decision_release(&d);
        fixture_release(&f);
        repository_info_unref(info);
    }
}

static void test_choose_waits_for_min_age(void **state)
{
    (void)state;
    static const struct {
        const char *image, *policy, *tags;
        enum decision_kind kind;
        const char *candidate, *reason;
        int until_h;
        size_t too_young;
    } cases[] = {
        /* it is 100 o'clock, and 48 hours are asked for */
        {"app:1.0.0", "semver:1", "1.0.0@1 1.1.0@97", DECISION_HELD, "1.1.0",
         "held: 1.1.0 is 3h old, min-age is 48h: until 1970-01-07T01:00:00Z", 145, 1},
        {"app:1.0.0", "semver:1", "1.0.0@1 1.1.0@52", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:1", 0, 0},
        {"app:1.0.0", "semver:1", "1.0.0@1 1.1.0@2 1.2.0@97", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:1; passed over 1.2.0, which is too young", 0, 1},
        /* the current tag is there already, however young; what is lower is of no interest */
        {"app:1.1.0", "semver:1", "1.0.5@98 1.0.0@1 1.1.0@99", DECISION_CURRENT, "1.1.0",
         "already the highest version that matches semver:1", 0, 1},
        /* the first of several to be old enough is waited for */
        {"app:1.0.0", "semver:1", "1.0.0@1 1.1.0@60 1.2.0@97", DECISION_HELD, "1.2.0",
         "held: 1.2.0 is 3h old, min-age is 48h: until 1970-01-07T01:00:00Z", 108, 2},
        {"app:1.0.0", "semver:1", "1.0.0@1 1.1.0", DECISION_HELD, "1.1.0",
         "held: 1.1.0 is 0s old, min-age is 48h: until 1970-01-07T04:00:00Z", 148, 1},
        {"app:main", "semver:1", "main@1 1.1.0@99", DECISION_HELD, "1.1.0",
         "held: 1.1.0 is 1h old, min-age is 48h: until 1970-01-07T03:00:00Z", 147, 1},
        {"app:a", "glob:*", "a@1 b@2 c@99", DECISION_UPDATE, "b",
         "b is the newest that matches glob:*; passed over c, which is too young", 0, 1},
        /* gone from the registry: no step back while the better one grows, and then it is looked at again */
        {"app:1.5.0", "semver:1", "1.1.0@1 1.6.0@99", DECISION_HELD, "1.1.0",
         "held: 1.1.0 is older than the current 1.5.0", 147, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct repository_info *info = repository_in_hours(cases[i].tags);
        struct fixture f;
        struct decision d;
        fixture_init(&f, cases[i].image, cases[i].policy);
        f.mine.min_age_ms = 48 * HOUR_MS;
        choose(&f.workload, 0,
               &(struct choose_facts){.info = info, .now_ms = 100 * HOUR_MS, .since_ms = seen_when_made}, &d);
        expect(&d, cases[i].kind, cases[i].candidate, cases[i].reason);
        assert_int_equal(d.until_ms, cases[i].until_h * HOUR_MS);
        assert_int_equal(d.too_young, cases[i].too_young);
        decision_release(&d);
        fixture_release(&f);
        repository_info_unref(info);
    }
}

/* Nobody reads milliseconds, and it is not old enough before the second is over. */
static void test_choose_tells_the_second_of_an_age(void **state)
{
    (void)state;
    struct repository_info *info = repository_in_hours("1.0.0@1 1.1.0");
    struct fixture f;
    struct decision d;
    fixture_init(&f, "app:1.0.0", "semver:1");
    f.mine.min_age_ms = HOUR_MS;
    choose(&f.workload, 0, &(struct choose_facts){.info = info, .now_ms = 100 * HOUR_MS + 1}, &d);
    expect(&d, DECISION_HELD, "1.1.0", "held: 1.1.0 is 0s old, min-age is 1h: until 1970-01-05T05:00:01Z");
    assert_int_equal(d.until_ms, 101 * HOUR_MS + 1);
    decision_release(&d);
    fixture_release(&f);
    repository_info_unref(info);
}

static void test_choose_lets_a_policy_go_down_if_asked_to(void **state)
{
    (void)state;
    static const struct {
        const char *image, *policy, *tags, *candidate;
    } cases[] = {
        {"app:1.2.0", "semver:~1", "1.1.0 1.0.0", "1.1.0"},
        {"app:1.2.0", "glob:*", "1.2.0@1 1.1.0@2", "1.1.0"},
        {"app:x", "glob:*", "a@1", "a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int allowed = 0; allowed < 2; allowed++) {
            struct repository_info *info = repository(cases[i].tags);
            struct fixture f;
            struct decision d;
            fixture_init(&f, cases[i].image, cases[i].policy);
            f.mine.allows_downgrade = allowed;
            choose_at(&f, info, NULL, 0, &d);
            assert_int_equal(d.kind, allowed ? DECISION_UPDATE : DECISION_HELD);
            assert_string_equal(d.candidate, cases[i].candidate);
            decision_release(&d);
            fixture_release(&f);
            repository_info_unref(info);
        }
    }
}

/* An own digest of 64 times the letter. */
static char *digest_of(char letter)
{
    char *digest = xasprintf("sha256:%064d", 0);
    memset(digest + strlen("sha256:"), letter, 64);
    return digest;
}

/* "tag=a": the digest is all a; "tag=a+linux/amd64+linux/arm64": and the platforms. */
static struct repository_info *repository_of_digests(const char *tags)
{
    struct repository_info *info = repository_info_new("registry.example/app");
    AUTO_FREE char *copy = xstrdup(tags);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) && *word) {
        char *platforms = strchr(word, '+'), *equals = strchr(word, '=');
        if (platforms)
            *platforms++ = '\0';
        for (char *c = platforms; c && *c; c++) {
            if (*c == '+')
                *c = ' ';
        }
        if (equals)
            *equals = '\0';
        size_t index = repository_info_add(info, word);
        AUTO_FREE char *digest = equals ? digest_of(equals[1]) : NULL;
        repository_info_set_digest(info, index, digest);
        repository_info_set_platforms(info, index, platforms);
    }
    repository_info_finish(info);
    return info;
}

/* "x@a" with the long digest for the letter. */
static char *with_long_digest(const char *text)
{
    const char *at = strchr(text, '@');
    AUTO_FREE char *digest = at ? digest_of(at[1]) : NULL;
    return at ? xasprintf("%.*s@%s", (int)(at - text), text, digest) : xstrdup(text);
}

static void test_choose_pins_and_follows_digests(void **state)
{
    (void)state;
    static const struct {
        enum digest_mode mode;
        const char *image, *policy, *tags; /* policy NULL: none is given */
        enum decision_kind kind;
        const char *target; /* NULL: not an update */
        const char *need;   /* the tag whose digest is asked for; NULL: none */
    } cases[] = {
        {DIGEST_PIN, "app:1.0.0", "semver:1", "1.0.0=a 1.1.0=b", DECISION_UPDATE, "app:1.1.0@b", "1.1.0"},
        {DIGEST_PIN, "app:1.0.0", "semver:1", "1.0.0=a 1.1.0", DECISION_HELD, NULL, "1.1.0"},
        {DIGEST_PIN, "app:1.0.0@a", "semver:1", "1.0.0=a 1.1.0=b", DECISION_UPDATE, "app:1.1.0@b", "1.1.0"},
        {DIGEST_PIN, "app:1.1.0", "semver:1", "1.0.0=a 1.1.0=b", DECISION_UPDATE, "app:1.1.0@b", "1.1.0"},
        {DIGEST_PIN, "app:1.1.0", "semver:1", "1.1.0", DECISION_HELD, NULL, "1.1.0"},
        {DIGEST_PIN, "app:1.1.0@a", "semver:1", "1.1.0=b", DECISION_CURRENT, NULL,
         NULL}, /* it stays where it is */
        {DIGEST_PIN, "app@a", "semver:1", "1.1.0=b", DECISION_UPDATE, "app:1.1.0@b", "1.1.0"},
        {DIGEST_FOLLOW, "app:stable", NULL, "other=z stable=b", DECISION_UPDATE, "app:stable@b", "stable"},
        {DIGEST_FOLLOW, "app:stable@a", NULL, "other=z stable=b", DECISION_UPDATE, "app:stable@b", "stable"},
        {DIGEST_FOLLOW, "app:stable@b", NULL, "other=z stable=b", DECISION_CURRENT, NULL, "stable"},
        {DIGEST_FOLLOW, "app:stable@b", NULL, "other=z stable", DECISION_HELD, NULL, "stable"},
        {DIGEST_FOLLOW, "app", NULL, "latest=b", DECISION_UPDATE, "app:latest@b", "latest"},
        {DIGEST_FOLLOW, "app:gone@a", NULL, "stable=b", DECISION_CURRENT, NULL, NULL},
        {DIGEST_FOLLOW, "app@a", NULL, "stable=b", DECISION_BLOCKED, NULL, NULL},
        {DIGEST_FOLLOW, "app:1.1.0@a", "semver:1", "1.0.0=z 1.1.0=b", DECISION_UPDATE, "app:1.1.0@b",
         "1.1.0"},
        {DIGEST_FOLLOW, "app:1.0.0@a", "semver:1", "1.0.0=z 1.1.0=b", DECISION_UPDATE, "app:1.1.0@b",
         "1.1.0"},
        {DIGEST_NEVER, "app:1.0.0@a", "semver:1", "1.0.0=z 1.1.0=b", DECISION_HELD, NULL, NULL},
        {DIGEST_NEVER, "app:1.0.0", "semver:1", "1.0.0=z 1.1.0=b", DECISION_UPDATE, "app:1.1.0", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct repository_info *info = repository_of_digests(cases[i].tags);
        AUTO_FREE char *image = with_long_digest(cases[i].image);
        AUTO_FREE char *target = cases[i].target ? with_long_digest(cases[i].target) : NULL;
        struct fixture f;
        struct decision d;
        fixture_init(&f, image, cases[i].policy ? cases[i].policy : "glob:*");
        f.mine.has_tag_policy = cases[i].policy != NULL;
        f.mine.digest = cases[i].mode;
        choose_at(&f, info, NULL, 0, &d);
        if (d.kind != cases[i].kind || strcmp(d.target ? d.target : "-", target ? target : "-") != 0)
            fail_msg("%s, %s: %s, %s: %s", cases[i].image, cases[i].tags, decision_kind_name(d.kind),
                     d.target, d.reason);
        assert_int_equal(d.needs_len, cases[i].need ? 1 : 0);
        if (cases[i].need) {
            assert_string_equal(d.needs[0].tag, cases[i].need);
            assert_int_equal(d.needs[0].wants, DEMAND_DIGEST);
        }
        decision_release(&d);
        fixture_release(&f);
        repository_info_unref(info);
    }
}

static void test_choose_asks_for_platforms(void **state)
{
    (void)state;
    static const struct {
        const char *tags;
        enum decision_kind kind;
        const char *candidate, *reason;
        const char *needs; /* tags */
    } cases[] = {
        {"1.0.0 1.1.0", DECISION_HELD, "1.1.0",
         "held: the platforms of 1.1.0 are not known, as the registry has not told", "1.1.0"},
        {"1.0.0 1.1.0=a+linux/amd64+linux/arm64", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:1", "1.1.0"},
        {"1.0.0 1.1.0=a+linux/amd64+linux/arm64 1.2.0=b+linux/amd64", DECISION_UPDATE, "1.1.0",
         "1.1.0 is the highest version that matches semver:1; passed over 1.2.0, which has no image for "
         "linux/arm64",
         "1.2.0 1.1.0"},
        {"1.0.0 1.1.0 1.2.0=b+linux/amd64", DECISION_HELD, "1.1.0",
         "held: the platforms of 1.1.0 are not known, as the registry has not told", "1.2.0 1.1.0"},
        /* the next are asked about together, the best of them */
        {"1.0.0 1.0.1 1.0.2 1.0.3 1.0.4 1.0.5 1.0.6 1.0.7 1.0.8 1.0.9=a+windows/amd64", DECISION_HELD,
         "1.0.8", "held: the platforms of 1.0.8 are not known, as the registry has not told",
         "1.0.9 1.0.8 1.0.7 1.0.6 1.0.5 1.0.4 1.0.3 1.0.2 1.0.1"},
        {"1.0.0 1.2.0=b+linux/amd64", DECISION_CURRENT, "1.0.0",
         "already the highest version that matches semver:1; passed over 1.2.0, which has no image for "
         "linux/arm64",
         "1.2.0"},
        {"1.2.0=b+linux/amd64", DECISION_HELD, "1.2.0",
         "held: 1.2.0 has no image for linux/arm64, nor has any other that matches semver:1", "1.2.0"},
        {"1.0.0=a+linux/amd64", DECISION_CURRENT, "1.0.0",
         "already the highest version that matches semver:1", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct repository_info *info = repository_of_digests(cases[i].tags);
        CLEANUP(strbuf_release) struct strbuf needs = STRBUF_INIT;
        struct fixture f;
        struct decision d;
        fixture_init(&f, "app:1.0.0", "semver:1");
        strvec_push(&f.mine.platforms, "linux/amd64");
        strvec_push(&f.mine.platforms, "linux/arm64/v8");
        choose_at(&f, info, NULL, 0, &d);
        AUTO_FREE char *reason = xstrdup(cases[i].reason);
        const char *variant = strstr(reason, "linux/arm64");
        AUTO_FREE char *whole =
            variant ? xasprintf("%.*s/v8%s", (int)(variant - reason + 11), reason, variant + 11)
                    : xstrdup(reason);
        assert_string_equal(d.reason, whole);
        assert_int_equal(d.kind, cases[i].kind);
        assert_string_equal(d.candidate, cases[i].candidate);
        for (size_t k = 0; k < d.needs_len; k++)
            strbuf_addf(&needs, "%s%s", k ? " " : "", d.needs[k].tag);
        assert_string_equal(needs.buf, cases[i].needs);
        decision_release(&d);
        strvec_release(&f.mine.platforms);
        fixture_release(&f);
        repository_info_unref(info);
    }
}

static void test_choose_holds_for_a_time(void **state)
{
    (void)state;
    struct repository_info *info = repository("1.0.0 1.1.0");
    struct fixture f;
    struct decision d;
    char jane[] = "jane";
    fixture_init(&f, "app:1.0.0", "semver:1");
    f.workload.locked = true;
    f.workload.locked_user = jane;
    f.workload.locked_until_ms = 10 * HOUR_MS;
    choose_at(&f, info, NULL, 10 * HOUR_MS - 1, &d);
    expect(&d, DECISION_HELD, "1.1.0", "held: locked by jane until 1970-01-01T10:00:00Z");
    assert_int_equal(d.until_ms, 10 * HOUR_MS);
    decision_release(&d);
    choose_at(&f, info, NULL, 10 * HOUR_MS, &d);
    assert_int_equal(d.kind, DECISION_UPDATE);
    decision_release(&d);

    f.workload.window_text = "Thu 12:00-13:00";
    f.workload.window = update_window_new(f.workload.window_text, "", NULL);
    choose_at(&f, info, NULL, 10 * HOUR_MS, &d);
    expect(&d, DECISION_HELD, "1.1.0",
           "held: the window Thu 12:00-13:00 is closed until 1970-01-01T12:00:00Z");
    assert_int_equal(d.until_ms, 12 * HOUR_MS);
    decision_release(&d);
    choose_at(&f, info, NULL, 12 * HOUR_MS, &d);
    assert_int_equal(d.kind, DECISION_UPDATE);
    decision_release(&d);
    update_window_free(f.workload.window);
    fixture_release(&f);
    repository_info_unref(info);
}

static void test_choose_names_each_cause_once(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSES_LEN; i++) {
        const char *name = decision_cause_name((enum decision_cause)i);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, decision_cause_name((enum decision_cause)k));
    }
}

static void test_choose_ranks_tags_best_first(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        const char *tags[8];
    } cases[] = {
        {NULL, {"v2", "main", "latest", "2.0", "1.10", "1.9", "1.2-rc"}},
        {"semver:~1", {"1.10", "1.9", "v2", "2.0", "1.2-rc", "main", "latest"}},
        {"glob:*.*", {"1.9", "1.10", "1.2-rc", "2.0", "main", "latest", "v2"}},
    };
    struct repository_info *info = repository("1.9@300 1.10@200 1.2-rc@100 2.0 v2 main@7 latest@2");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_policy *policy = NULL;
        if (cases[i].policy) {
            policy = tag_policy_new(cases[i].policy, NULL);
            assert_non_null(policy);
        }
        AUTO_FREE struct ranked_tag *ranked = rank_tags(info, policy);
        for (size_t j = 0; j < info->images_len; j++) {
            assert_string_equal(ranked[j].image.tag, cases[i].tags[j]);
            bool matches = !policy || tag_policy_match(policy, ranked[j].image.tag) == TAG_MATCHES;
            assert_int_equal(ranked[j].match == TAG_MATCHES, matches);
            assert_int_equal(ranked[j].is_undated, i == 2 && j == 3);
        }
        tag_policy_free(policy);
    }
    repository_info_unref(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_follows_the_rules),
        cmocka_unit_test(test_choose_never_steps_back_in_any_order),
        cmocka_unit_test(test_choose_counts_what_it_saw),
        cmocka_unit_test(test_choose_holds_what_it_may_not_take),
        cmocka_unit_test(test_choose_is_blocked_by_defects),
        cmocka_unit_test(test_choose_needs_a_whole_answer),
        cmocka_unit_test(test_choose_waits_for_min_age),
        cmocka_unit_test(test_choose_says_what_an_age_is_measured_from),
        cmocka_unit_test(test_choose_tells_the_second_of_an_age),
        cmocka_unit_test(test_choose_lets_a_policy_go_down_if_asked_to),
        cmocka_unit_test(test_choose_pins_and_follows_digests),
        cmocka_unit_test(test_choose_asks_for_platforms),
        cmocka_unit_test(test_choose_holds_for_a_time),
        cmocka_unit_test(test_choose_names_each_cause_once),
        cmocka_unit_test(test_choose_ranks_tags_best_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
