#include "scanner/scanner.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "model/image_ref.h"
#include "scanner/index_scan.h"
#include "scanner/pushed_tags.h"
#include "scanner/registry.h"
#include "scanner/repository_scan.h"

struct submission {
    struct submission *next; /* among the finished */
    struct scanner *scanner;
    struct demand demand;
    char *repository;
    struct scan_result result;
    scan_done done;
    void *context;
};

struct scanner {
    struct scan_environment environment;
    char *platform;
    size_t under_way; /* submitted, and their owners not told of the end */
    struct submission *finished;
    atomic_bool is_woken;
    bool has_unsaved; /* scans have ended since the cache was last flushed */
    int64_t save_ms;  /* when it may be flushed again (monotonic) */
};

/* A daemon's scans end one by one, and a transaction of the cache costs more than a scan: there is one in this time at most.
 * If the process is killed meanwhile, the repositories of these scans are asked for once more. */
#define SAVE_AFTER_MS 1000

/* Called by the threads that get credentials. */
static void wake_registry(void *context)
{
    registry_wake(((struct scanner *)context)->environment.registry);
}

struct scanner *scanner_new(const struct scanner_options *options)
{
    struct scanner *scanner = xcalloc(1, sizeof(*scanner));
    scanner->platform = xstrdup(options->platform ? options->platform : "linux/amd64");
    const struct credential_source_options credentials = {.credentials = options->credentials,
                                                          .clock = options->clock,
                                                          .wake = wake_registry,
                                                          .context = scanner};
    scanner->environment = (struct scan_environment){
        .registry = registry_new(&(struct registry_options){.clock = options->clock,
                                                            .insecure_hosts = options->insecure_hosts,
                                                            .rps = options->rps,
                                                            .burst = options->burst,
                                                            .timeout_ms = options->timeout_ms,
                                                            .observer = options->observer}),
        .cache = options->cache,
        .credentials = credential_source_new(&credentials),
        .clock = options->clock,
        .platform = scanner->platform,
        .tag_limit = options->tag_limit,
    };
    scanner->environment.indexes = index_source_new(scanner->environment.registry, options->clock);
    return scanner;
}

void scanner_free(struct scanner *scanner)
{
    if (!scanner)
        return;
    scanner_cancel(scanner);
    credential_source_free(scanner->environment.credentials);
    index_source_free(scanner->environment.indexes);
    registry_free(scanner->environment.registry);
    free(scanner->platform);
    free(scanner);
}

void scanner_replace_credentials(struct scanner *scanner, const struct credentials *credentials)
{
    credential_source_replace(scanner->environment.credentials, credentials);
}

static void on_end(void *context)
{
    struct submission *submission = context;
    struct scanner *scanner = submission->scanner;
    submission->next = scanner->finished;
    scanner->finished = submission;
    registry_wake(scanner->environment.registry); /* its owner should not wait for others */
}

static struct submission *submission_new(struct scanner *scanner, const struct demand *demand, scan_done done,
                                         void *context)
{
    struct submission *submission = xcalloc(1, sizeof(*submission));
    submission->scanner = scanner;
    submission->repository = xstrdup(demand->repository);
    submission->demand = *demand;
    submission->demand.repository = submission->repository;
    submission->done = done;
    submission->context = context;
    scanner->under_way++;
    return submission;
}

void scanner_submit(struct scanner *scanner, const struct demand *demand, int64_t max_age_ms, scan_done done,
                    void *context)
{
    struct submission *submission = submission_new(scanner, demand, done, context);
    bool is_index = image_repository_is_index(demand->repository);
    (is_index ? index_scan_start : repository_scan_start)(
        &scanner->environment, &submission->demand, max_age_ms, &submission->result, on_end, submission);
}

void scanner_submit_pushed(struct scanner *scanner, const struct demand *demand, struct repository_info *base,
                           const struct strvec *tags, scan_done done, void *context)
{
    if (image_repository_is_index(demand->repository)) {
        scanner_submit(scanner, demand, 0, done, context);
        return;
    }
    struct submission *submission = submission_new(scanner, demand, done, context);
    pushed_tags_start(&scanner->environment, &submission->demand, base, tags, &submission->result, on_end,
                      submission);
}

static void tell_finished(struct scanner *scanner)
{
    struct submission *submission = steal(&scanner->finished);
    bool told = submission != NULL;
    while (submission) {
        struct submission *next = submission->next;
        scanner->under_way--;
        submission->done(&submission->demand, &submission->result, submission->context);
        scan_results_release(&submission->result, 1);
        free(submission->repository);
        free(submission);
        submission = next;
    }
    scanner->has_unsaved = scanner->has_unsaved || told;
}

static void save(struct scanner *scanner)
{
    scanner->has_unsaved = false;
    scanner->save_ms = clock_monotonic_ms(scanner->environment.clock) + SAVE_AFTER_MS;
    cache_flush(scanner->environment.cache);
}

/* Milliseconds until the cache is to be flushed, which is done if it is time; -1: it need not be. */
static int64_t save_in_time(struct scanner *scanner)
{
    if (!scanner->has_unsaved)
        return -1;
    int64_t left_ms = scanner->save_ms - clock_monotonic_ms(scanner->environment.clock);
    if (left_ms > 0)
        return left_ms;
    save(scanner);
    return -1;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return b_ms < 0 || (a_ms >= 0 && a_ms < b_ms) ? a_ms : b_ms;
}

size_t scanner_run(struct scanner *scanner, int64_t timeout_ms)
{
    const struct clock *clock = scanner->environment.clock;
    int64_t end_ms = clock_monotonic_ms(clock) + timeout_ms;
    int64_t left_ms = timeout_ms;
    bool has_work = scanner->under_way > 0;
    do {
        int64_t save_ms = save_in_time(scanner);
        registry_run(scanner->environment.registry, scanner->finished ? 0 : sooner(left_ms, save_ms));
        credential_source_collect(scanner->environment.credentials);
        tell_finished(scanner);
        left_ms = timeout_ms < 0 ? -1 : end_ms - clock_monotonic_ms(clock);
    } while (!atomic_exchange(&scanner->is_woken, false) && (timeout_ms < 0 || left_ms > 0) &&
             (!has_work || scanner->under_way));
    return scanner->under_way;
}

void scanner_wake(struct scanner *scanner)
{
    atomic_store(&scanner->is_woken, true);
    registry_wake(scanner->environment.registry);
}

void scanner_stats_visit(struct scanner *scanner, registry_stats_visit visit, void *context)
{
    registry_visit_stats(scanner->environment.registry, visit, context);
}

void scanner_cancel(struct scanner *scanner)
{
    credential_source_cancel(scanner->environment.credentials);
    registry_cancel(scanner->environment.registry);
    tell_finished(scanner);
    scanner->has_unsaved = false;
    cache_flush(scanner->environment.cache);
}

/* -- all at once ------------------------------------------------------------------------------------------- */

struct batch {
    size_t len, done;
    void (*progress)(size_t done, size_t total, void *context);
    void *context;
};

struct batch_item {
    struct batch *batch;
    struct scan_result *result;
};

static void on_item(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    struct batch_item *item = context;
    struct batch *batch = item->batch;
    *item->result = *result;
    result->info = NULL;
    batch->done++;
    if (batch->progress)
        batch->progress(batch->done, batch->len, batch->context);
}

void scanner_scan(struct scanner *scanner, const struct demand *demands, size_t len, int64_t max_age_ms,
                  void (*progress)(size_t done, size_t total, void *context), void *context,
                  struct scan_result *results)
{
    struct batch batch = {.len = len, .progress = progress, .context = context};
    AUTO_FREE struct batch_item *items = xcalloc(len, sizeof(*items));
    for (size_t i = 0; i < len; i++) {
        items[i] = (struct batch_item){&batch, &results[i]};
        scanner_submit(scanner, &demands[i], max_age_ms, on_item, &items[i]);
    }
    while (batch.done < len)
        scanner_run(scanner, -1);
    save(scanner);
}

void scan_results_release(struct scan_result *results, size_t len)
{
    for (size_t i = 0; i < len; i++)
        repository_info_unref(steal(&results[i].info));
}
