/*
 * What rounds cost in a large repository: from a process that just began to one where nothing has changed, and to one
 * commit with a thousand images. tests/bench/rounds.py makes the repository and runs this.
 *
 *     rounds fill DIR REPOSITORIES TAGS   puts the answers of registry.example.com into the cache in DIR
 *     rounds run DIR URL UPDATED          rounds on the repository at URL, with what is in that cache; then so many of
 *                                         the image repositories get a newer tag
 *
 * Prints one line of JSON. Of each step the wall time and the CPU time of the process in milliseconds; what git's own
 * programs take (they serve a local URL) is in the wall time of fetches and pushes alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "cache/records.h"
#include "daemon/repository.h"
#include "daemon/round.h"

#define SCOPE     "linux/amd64 "
#define TIMEOUT   10000
#define UNCHANGED 15 /* rounds, of which the median counts */

struct span {
    double wall_ms, cpu_ms;
};

static double now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct span begin(void)
{
    return (struct span){now_ms(CLOCK_MONOTONIC), now_ms(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct span since(struct span began)
{
    struct span now = begin();
    return (struct span){now.wall_ms - began.wall_ms, now.cpu_ms - began.cpu_ms};
}

static void fail(const char *what)
{
    fprintf(stderr, "rounds: %s\n", what);
    exit(1);
}

static struct cache *open_cache(const char *directory)
{
    struct error err = ERROR_INIT;
    struct cache *cache = cache_open("file", directory, TIMEOUT, &err);
    if (!cache)
        fail(err.text);
    return cache;
}

/* -- the answers ----------------------------------------------------------------------------------------------- */

/* Repositories 0, 5, 10 … have versions and so have 1 and 2 of each five; 3 and 4 have dated builds, of which one in
 * ten is on the branch that the policies ask for and has a date. */
static bool is_dated(long number)
{
    return number % 5 >= 3;
}

static void add_tag(struct repository_info *info, long number, long i)
{
    char text[80];
    if (!is_dated(number)) {
        snprintf(text, sizeof(text), "1.%ld.%ld", i / 20, i % 20);
        repository_info_add(info, text);
        return;
    }
    snprintf(text, sizeof(text), "%s-%06ld-%08x", i % 10 ? "topic" : "main", i, (unsigned)i * 2654435761u);
    size_t index = repository_info_add(info, text);
    if (i % 10)
        return;
    snprintf(text, sizeof(text), "sha256:%064lx", number * 1000000 + i);
    int64_t time = 1700000000000 + i * 1000;
    repository_info_copy_details(info, index, &(struct image_details){text, time, .checked_ms = time});
}

static struct repository_info *make_repository(long number, long tags)
{
    AUTO_FREE char *name = xasprintf("registry.example.com/team/app-%ld", number);
    struct repository_info *info = repository_info_new(name);
    for (long i = 0; i < tags; i++)
        add_tag(info, number, i);
    info->scanned_ms = clock_wall_ms(&system_clock);
    repository_info_finish(info);
    return info;
}

static int fill(const char *directory, long repositories, long tags)
{
    struct cache *cache = open_cache(directory);
    for (long i = 0; i < repositories; i++) {
        CLEANUP(repository_info_release) struct repository_info *info = make_repository(i, tags);
        record_put_repository(cache, info, SCOPE);
    }
    cache_flush(cache);
    if (cache_problem(cache))
        fail(cache_problem(cache));
    cache_free(cache);
    return 0;
}

/* -- who answers ------------------------------------------------------------------------------------------------- */

/* As the scanner's thread: from the cache what is not known yet, and then the same snapshot again and again. */
struct known {
    struct image_source source;
    struct cache *cache;
    struct strmap answers; /* repository -> struct repository_info, a reference each */
};

static void unref_info(void *info)
{
    repository_info_unref(info);
}

static struct repository_info *find(struct known *known, const char *repository)
{
    struct repository_info *info = strmap_get(&known->answers, repository);
    if (info)
        return info;
    info = record_get_repository(known->cache, repository, SCOPE);
    if (!info)
        fail("an answer is not in the cache");
    strmap_set(&known->answers, repository, info);
    return info;
}

static void answer(struct image_source *source, struct demand_set *demands, struct scan_result *results)
{
    struct known *known = (struct known *)source;
    for (size_t i = 0; i < demands->len; i++)
        results[i] = (struct scan_result){
            .info = repository_info_ref(find(known, demands->items[i].repository)), .is_fresh = true};
}

/* A tag that is newer than all others. */
static void push(struct known *known, long number)
{
    AUTO_FREE char *name = xasprintf("registry.example.com/team/app-%ld", number);
    struct repository_info *info = repository_info_copy(find(known, name));
    size_t index = repository_info_add(info, is_dated(number) ? "main-999999-0" : "1.999.0");
    if (is_dated(number))
        repository_info_edit_details(info, index)->created_ms = 1800000000000;
    repository_info_finish(info);
    strmap_set(&known->answers, name, info);
}

/* -- rounds ---------------------------------------------------------------------------------------------------- */

struct bench {
    struct repository *repository;
    struct known known;
};

static struct span run(struct bench *bench, bool dry_run, struct round_report *report)
{
    const struct round_options options = {.images = &bench->known.source, .dry_run = dry_run};
    struct error err = ERROR_INIT;
    struct span began = begin();
    if (round_run(bench->repository, &options, report, &err) < 0)
        fail(err.text);
    return since(began);
}

static int compare_spans(const void *a, const void *b)
{
    double x = ((const struct span *)a)->wall_ms, y = ((const struct span *)b)->wall_ms;
    return (x > y) - (x < y);
}

/* The median of what a round costs without a change, and of that the part that is git's. */
static struct span run_unchanged(struct bench *bench, struct span *fetch)
{
    struct span spans[UNCHANGED], fetches[UNCHANGED];
    for (size_t i = 0; i < UNCHANGED; i++) {
        struct error err = ERROR_INIT;
        CLEANUP(round_report_release) struct round_report report = ROUND_REPORT_INIT;
        spans[i] = run(bench, false, &report);
        if (report.commit[0])
            fail("a round without a change has made a commit");
        round_keep(bench->repository, &report);
        struct span began = begin();
        if (mirror_fetch(bench->repository->mirror, &err) < 0)
            fail(err.text);
        fetches[i] = since(began);
    }
    qsort(spans, UNCHANGED, sizeof(spans[0]), compare_spans);
    qsort(fetches, UNCHANGED, sizeof(fetches[0]), compare_spans);
    *fetch = fetches[UNCHANGED / 2];
    return spans[UNCHANGED / 2];
}

static void print_span(const char *name, struct span span)
{
    printf(", \"%s\": {\"wall_ms\": %.1f, \"cpu_ms\": %.1f}", name, span.wall_ms, span.cpu_ms);
}

static void print_stages(const char *name, const struct plan *plan)
{
    printf(", \"%s_stages_ms\": {\"select\": %lld, \"lookup\": %lld, \"edit\": %lld}", name,
           (long long)plan->stage_ms[PLAN_SELECT], (long long)plan->stage_ms[PLAN_LOOKUP],
           (long long)plan->stage_ms[PLAN_EDIT]);
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* What a round does after it has decided, step by step. */
static void write_release(struct bench *bench, const struct round_report *report)
{
    const struct release *release = report->plan.release;
    const struct commit_author author = {
        .name = "pawl", .email = "pawl@localhost", .when_ms = clock_wall_ms(&system_clock)};
    struct mirror *mirror = bench->repository->mirror;
    AUTO_FREE struct commit_file *files = xcalloc(release->files_len, sizeof(*files));
    for (size_t i = 0; i < release->files_len; i++)
        files[i] = (struct commit_file){.path = release->files[i].file->path,
                                        .bytes = release->files[i].text.buf,
                                        .len = release->files[i].text.len};
    char commit[GIT_ID_SIZE];
    struct error err = ERROR_INIT;
    struct span began = begin();
    AUTO_FREE char *message = release_message(release);
    if (mirror_commit(mirror, report->head, files, release->files_len, &author, message, commit, &err) < 0)
        fail(err.text);
    print_span("commit", since(began));
    began = begin();
    if (mirror_push(mirror, commit, &err) < 0)
        fail(err.text);
    print_span("push", since(began));
}

static void measure(struct bench *bench, long updated)
{
    struct round_report report = ROUND_REPORT_INIT;
    struct span fetch;
    struct span cold = run(bench, false, &report);
    printf("{\"files\": %zu, \"containers\": %zu", report.plan.manifests->files_len,
           report.plan.decisions_len);
    print_span("cold", cold);
    print_stages("cold", &report.plan);
    if (report.commit[0])
        fail("the first round has made a commit");
    round_keep(bench->repository, &report);
    round_report_release(&report);
    print_span("unchanged", run_unchanged(bench, &fetch));
    print_span("fetch", fetch);
    for (long i = 0; i < updated; i++)
        push(&bench->known, i);
    struct span update = run(bench, true, &report);
    printf(", \"images_updated\": %zu, \"files_changed\": %zu", report.plan.release->changes_len,
           report.plan.release->files_len);
    print_span("update", update);
    print_stages("update", &report.plan);
    if (updated)
        write_release(bench, &report);
    round_report_release(&report);
    printf(", \"peak_mib\": %.1f}\n", peak_mib());
}

static int run_all(char *directory, char *url, long updated)
{
    char name[] = "bench", none[] = "none", user[] = "pawl", mail[] = "pawl@localhost", space[] = "default",
         per[] = "round";
    struct repository_config settings = {.name = name, .url = url, .deploy_to = none};
    const struct config config = {.data_dir = directory,
                                  .git_user = user,
                                  .git_email = mail,
                                  .default_space = space,
                                  .commit_per = per,
                                  .deploy_to = none,
                                  .git_timeout_ms = TIMEOUT,
                                  .repositories = &settings,
                                  .repositories_len = 1};
    struct error err = ERROR_INIT;
    struct bench bench = {.known = {.source = {.answer = answer}, .cache = open_cache(directory)}};
    strmap_init(&bench.known.answers, unref_info);
    bench.repository = repository_open(&config, &settings, &system_clock, &err);
    if (!bench.repository || mirror_fetch(bench.repository->mirror, &err) < 0)
        fail(err.text);
    measure(&bench, updated);
    repository_free(bench.repository);
    strmap_release(&bench.known.answers);
    cache_free(bench.known.cache);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "fill"))
        return fill(argv[2], strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
    if (argc == 5 && !strcmp(argv[1], "run"))
        return run_all(argv[2], argv[3], strtol(argv[4], NULL, 10));
    fprintf(stderr, "usage: rounds fill DIR REPOSITORIES TAGS | run DIR URL UPDATED\n");
    return 2;
}
