#include "daemon/tag_lookup.h"

#include "base/alloc.h"
#include "base/strbuf.h"

struct lookup {
    const char *tag;
    char *digest;
    struct error error;
};

static void take(const struct demand *demand, struct scan_result *result, void *context)
{
    struct lookup *lookup = context;
    lookup->error = result->error;
    size_t at = result->info ? repository_info_find(result->info, lookup->tag) : SIZE_MAX;
    if (!result->error.code && at != SIZE_MAX)
        lookup->digest = xstrdup(repository_info_details(result->info, at)->digest);
    else if (!result->error.code)
        error_set(&lookup->error, ERROR_NOT_FOUND, "%s has no %s", demand->repository, lookup->tag);
}

int tag_lookup(struct scanner *scanner, const struct demand *demand, const char *tag, char **digest,
               struct error *err)
{
    /* Of a list that was never read nothing is kept in the cache. */
    CLEANUP(repository_info_release)
    struct repository_info *unlisted = repository_info_new(demand->repository);
    CLEANUP(strvec_release) struct strvec tags = STRVEC_INIT;
    repository_info_finish(unlisted);
    strvec_push(&tags, tag);
    struct lookup lookup = {.tag = tag};
    scanner_submit_pushed(scanner, demand, unlisted, &tags, take, &lookup);
    while (scanner_run(scanner, -1) > 0)
        ;
    if (lookup.error.code) {
        *err = lookup.error;
        return -1;
    }
    *digest = lookup.digest;
    return 0;
}
