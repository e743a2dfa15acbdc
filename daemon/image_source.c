#include "daemon/image_source.h"

#include <stdlib.h>

#include "base/alloc.h"

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
    for (size_t i = 0; i < demands->len; i++)
        asked[i] = demand_of(&demands->items[i]);
    scanner_scan(direct->scanner, asked, demands->len, 0, direct->progress, direct->context, results);
}

struct image_source *image_source_direct(struct scanner *scanner,
                                         void (*progress)(size_t done, size_t total, void *context),
                                         void *context)
{
    struct direct *direct = xcalloc(1, sizeof(*direct));
    direct->source.answer = answer_directly;
    direct->scanner = scanner;
    direct->progress = progress;
    direct->context = context;
    return &direct->source;
}
