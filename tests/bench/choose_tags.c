/*
 * What choosing among many tags costs: `choose` for one container, as a round does it, on a snapshot with details.
 *
 *     cmake --preset release -DPAWL_BENCH=ON && cmake --build --preset release --target choose_tags
 *     build/tests/bench/choose_tags [TAGS [RUNS]]
 *
 * Prints, per policy, the least and the median CPU time of a run in milliseconds, and what was chosen; then the same of a single
 * tag that a pattern explodes on, when it is first met (each run with a new policy) and when the pattern is known to explode.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "updater/choose.h"

static const struct {
    const char *name, *policy, *order, *extract;
} cases[] = {
    {"glob, newest", "glob:main-*", NULL, NULL},
    {"semver", "semver:^1.2", NULL, NULL},
    {"semver, everything with pre-releases", "semver:>=0-0", NULL, NULL},
    {"glob, numeric", "glob:*", "numeric", NULL},
    {"regexp, newest", "regexp:^main-[0-9a-f]{7}-\\d+$", NULL, NULL},
    {"regexp and extract, numeric", "regexp:^main-[0-9a-f]{7}-(\\d+)$", "numeric", "$1"},
    {"regexp and extract by name, numeric", "regexp:(?P<build>[0-9]+)$", "numeric", "${build}"},
    {"regexp and extract, semver", "regexp:^v?(\\d+\\.\\d+\\.\\d+)(?:-alpine)?$", "semver", "$1"},
    {"regexp and extract of four parts, semver", "regexp:^(\\d+\\.\\d+\\.\\d+)\\.(\\d+)$", "semver", "$1-$2"},
    {"regexp with look-ahead, alpha", "regexp:^(?!.*-rc)v", "alpha", NULL},
};

static char *make_tag(size_t form, size_t n, const char *version)
{
    static const char *const around[][2] = {{"v", ""}, {"", "-alpine"}, {"", ".7"}};
    if (form == 3)
        return xasprintf("main-%07zx-%zu", n * 2654435761u % 0xfffffff, n);
    if (form == 4)
        return xasprintf("%zu", 1700000000 + n);
    return xasprintf("%s%s%s", around[form][0], version, around[form][1]);
}

/* A fifth each: versions, versions with a suffix, four parts, builds of a branch, numbers. */
static struct repository_info *make_tags(size_t len)
{
    struct repository_info *info = repository_info_new("registry.example/app");
    repository_info_reserve(info, len);
    for (size_t i = 0; i < len; i++) {
        size_t n = i / 5;
        AUTO_FREE char *version = xasprintf("%zu.%zu.%zu", n / 1000, n / 50 % 20, n % 50);
        AUTO_FREE char *tag = make_tag(i % 5, n, version);
        size_t index = repository_info_add(info, tag);
        repository_info_edit_details(info, index)->created_ms = 1700000000000 + (int64_t)(i * 7919 % len);
    }
    repository_info_finish(info);
    return info;
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct tag_policy *policy_of(size_t index)
{
    struct error err = ERROR_INIT;
    struct tag_policy *policy = tag_policy_new(cases[index].policy, &err);
    if (!policy || (cases[index].order && tag_policy_set_order(policy, cases[index].order, &err) < 0) ||
        (cases[index].extract && tag_policy_set_extract(policy, cases[index].extract, &err) < 0)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return policy;
}

static void measure(size_t index, const struct repository_info *info, size_t runs)
{
    char space[] = "default", kind[] = "deployment", name[] = "app";
    struct resource resource = {.id = {.space = space, .kind = kind, .name = name}};
    struct container container = {.name = name};
    struct error err = ERROR_INIT;
    if (image_ref_parse("app:none", &container.image, &err) < 0)
        exit(1);
    struct container_policy mine = {.container = &container, .policy = policy_of(index)};
    struct workload_policy workload = {
        .resource = &resource, .automated = true, .containers = &mine, .containers_len = 1};
    const struct choose_facts facts = {.info = info, .now_ms = info->scanned_ms};
    double *times = xcalloc(runs, sizeof(*times));
    for (size_t i = 0; i < runs; i++) {
        struct decision decision;
        double from = cpu_ms();
        choose(&workload, 0, &facts, &decision);
        times[i] = cpu_ms() - from;
        if (i == 0)
            printf("%-42s %-24s", cases[index].name, decision.candidate ? decision.candidate : "-");
        decision_release(&decision);
    }
    qsort(times, runs, sizeof(*times), compare_doubles);
    printf(" %7.1f %7.1f\n", times[0], times[runs / 2]);
    free(times);
    tag_policy_free(mine.policy);
    image_ref_release(&container.image);
}

/* -- patterns that explode --------------------------------------------------------------------------------- */

#define LONG_TAG "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig"
#define LETTERS  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_"

static const struct explosion {
    const char *policy, *tag;
} explosions[] = {
    {"regexp:^([a-z0-9]+-?)+$", LONG_TAG},
    {"regexp:^(\\w+[.-]?)*-\\d+$", LONG_TAG},
    {"regexp:([a-z0-9]+-?)+$", LONG_TAG},
    {"regexp:^(a+)+\\1$", LETTERS},
};
#define TAGS_UNTIL_KNOWN 20

static double match_once(const struct tag_policy *policy, const char *tag)
{
    double from = cpu_ms();
    (void)tag_policy_match(policy, tag);
    return cpu_ms() - from;
}

static void measure_explosion(const struct explosion *each, size_t runs)
{
    double *first = xcalloc(runs, sizeof(*first)), *known = xcalloc(runs, sizeof(*known));
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < runs; i++) {
        struct tag_policy *policy = tag_policy_new(each->policy, &err);
        if (!policy)
            exit(1);
        first[i] = match_once(policy, each->tag);
        for (size_t n = 1; n < TAGS_UNTIL_KNOWN; n++)
            (void)match_once(policy, each->tag);
        known[i] = match_once(policy, each->tag);
        tag_policy_free(policy);
    }
    qsort(first, runs, sizeof(*first), compare_doubles);
    qsort(known, runs, sizeof(*known), compare_doubles);
    printf("%-42s %7.2f %7.2f\n", each->policy, first[runs / 2], known[runs / 2]);
    free(first);
    free(known);
}

static void measure_explosions(size_t runs)
{
    printf("\n%-42s %7s %7s\n", "one tag of 70 or 75 bytes, medians", "first", "known");
    for (size_t i = 0; i < ARRAY_LEN(explosions); i++)
        measure_explosion(&explosions[i], runs);
}

int main(int argc, char **argv)
{
    size_t len = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    size_t runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 15;
    if (len == 0 || runs == 0)
        return 2;
    struct repository_info *info = make_tags(len);
    printf("%zu tags, %zu runs\n%-42s %-24s %7s %7s\n", info->images_len, runs, "policy", "chosen", "least",
           "median");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        measure(i, info, runs);
    repository_info_unref(info);
    measure_explosions(runs);
    return 0;
}
