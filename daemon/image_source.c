#include "daemon/image_source.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

struct direct {
    struct image_source source;
    struct scanner *scanner;
    void (*progress)(size_t done, size_t total, void *context);
    void *context;
};

static void answer_directly(struct image_source *source, struct demand_set *demands,
                            struct scan_result *results)
{
    struct direct *direct = (struct direct *)source;
    AUTO_FREE struct demand *asked = xcalloc(demands->len, sizeof(*asked));
    AUTO_FREE struct scan_result *answers = xcalloc(demands->len, sizeof(*answers));
    AUTO_FREE size_t *places = xcalloc(demands->len, sizeof(*places));
    size_t len = 0;
    for (size_t i = 0; i < demands->len; i++) {
        if (source->unchanged && source->unchanged[i])
            continue;
        places[len] = i;
        asked[len++] = demand_of(&demands->items[i]);
    }
    scanner_scan(direct->scanner, asked, len, source->max_age_ms, direct->progress, direct->context, answers);
    for (size_t i = 0; i < len; i++)
        results[places[i]] = answers[i];
}

/* What takes longer ends in a later run of the scanner. */
static void read_labels_directly(struct image_source *source, struct label_lookup *lookup)
{
    struct scanner *scanner = ((struct direct *)source)->scanner;
    int64_t until_ms = clock_monotonic_ms(&system_clock) + LABEL_LOOKUP_WAIT_MS;
    label_lookup_start(lookup, scanner);
    while (!label_lookup_is_done(lookup)) {
        int64_t left_ms = until_ms - clock_monotonic_ms(&system_clock);
        if (left_ms <= 0 || !scanner_run(scanner, left_ms))
            return;
    }
}

struct image_source *image_source_direct(struct scanner *scanner,
                                         void (*progress)(size_t done, size_t total, void *context),
                                         void *context)
{
    struct direct *direct = xcalloc(1, sizeof(*direct));
    direct->source.answer = answer_directly;
    direct->source.read_labels = read_labels_directly;
    direct->scanner = scanner;
    direct->progress = progress;
    direct->context = context;
    return &direct->source;
}
