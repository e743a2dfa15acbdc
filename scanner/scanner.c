#include "scanner/scanner.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "scanner/registry.h"
#include "scanner/repository_scan.h"

/* How long a cancelled scan may go unnoticed. */
#define LOOK_UP_MS 200

struct scanner {
    struct scan_environment environment;
    char *platform;
};

struct scanner *scanner_new(const struct scanner_options *options)
{
    struct scanner *scanner = xcalloc(1, sizeof(*scanner));
    scanner->platform = xstrdup(options->platform ? options->platform : "linux/amd64");
    scanner->environment = (struct scan_environment){
        .registry = registry_new(&(struct registry_options){.clock = options->clock,
                                                            .insecure_hosts = options->insecure_hosts,
                                                            .rps = options->rps,
                                                            .burst = options->burst,
                                                            .timeout_ms = options->timeout_ms}),
        .cache = options->cache,
        .credentials = options->credentials,
        .clock = options->clock,
        .platform = scanner->platform,
        .tag_limit = options->tag_limit,
    };
    return scanner;
}

void scanner_free(struct scanner *scanner)
{
    if (!scanner)
        return;
    registry_free(scanner->environment.registry);
    free(scanner->platform);
    free(scanner);
}

void scanner_scan(struct scanner *scanner, const struct demand *demands, size_t len, int64_t max_age_ms,
                  bool (*cancelled)(void), struct scan_result *results)
{
    struct registry *registry = scanner->environment.registry;
    size_t unfinished = len;
    for (size_t i = 0; i < len; i++) {
        results[i] = (struct scan_result){.error = ERROR_INIT};
        repository_scan_start(&scanner->environment, &demands[i], max_age_ms, &results[i], &unfinished);
    }
    while (unfinished) {
        if (cancelled && cancelled())
            registry_cancel(registry);
        else
            registry_run(registry, LOOK_UP_MS);
    }
}

void scan_results_release(struct scan_result *results, size_t len)
{
    for (size_t i = 0; i < len; i++)
        repository_info_unref(steal(&results[i].info));
}
