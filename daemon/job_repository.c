#include "daemon/job_repository.h"

#include <string.h>

#include "base/alloc.h"
#include "daemon/manifest_loader.h"
#include "model/workload_lookup.h"

struct manifest_set *repository_load_head(struct repository *r, struct error *err)
{
    CLEANUP(repository_unlock) struct mirror *locked = NULL;
    if (repository_lock(r, &locked, err) < 0)
        return NULL;
    if (mirror_fetch(locked, err) < 0)
        return NULL;
    return manifest_loader_load(r->loader, locked, mirror_head(locked), &r->settings->paths, err);
}

static const char *nearest_name(const struct config *config, const char *name)
{
    const char *nearest = config->repositories[0].name;
    for (size_t i = 1; i < config->repositories_len; i++) {
        if (str_distance(name, config->repositories[i].name) < str_distance(name, nearest))
            nearest = config->repositories[i].name;
    }
    return nearest;
}

static const struct repository_config *find_named(const struct config *config, const char *name,
                                                  struct error *err)
{
    for (size_t i = 0; i < config->repositories_len; i++) {
        if (!strcmp(config->repositories[i].name, name))
            return &config->repositories[i];
    }
    error_set(err, ERROR_USAGE, "--repository: there is no repository \"%s\"; did you mean \"%s\"?", name,
              nearest_name(config, name));
    return NULL;
}

/* The first workload that is named, for when it is nowhere. */
struct first_named {
    struct resource_id id; /* without a name: not read yet */
    struct workload_search search;
};

static void release_first(struct first_named *first)
{
    workload_search_release(&first->search);
    resource_id_release(&first->id);
}

static void look_near(struct first_named *first, const struct resource_id *id, const struct manifest_set *set)
{
    if (!first->id.name) {
        resource_id_init(&first->id, id->space, id->kind, id->name);
        workload_search_init(&first->search, &first->id);
    }
    workload_search_add(&first->search, set);
}

/* How many of the workloads the repository defines; -1: it cannot be told. */
static int count_workloads(const struct config *config, const struct repository_config *settings,
                           const struct job_place *place, const struct clock *clock,
                           struct first_named *first, struct error *err)
{
    CLEANUP(repository_release)
    struct repository *r = repository_open(config, settings, clock, err);
    CLEANUP(manifest_set_release) struct manifest_set *set = r ? repository_load_head(r, err) : NULL;
    if (!set)
        return error_wrap(err, "repository %s", settings->name);
    int count = 0;
    for (size_t i = 0; i < place->workloads->len; i++) {
        CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
        if (resource_id_parse(place->workloads->items[i], place->space ? place->space : r->default_space, &id,
                              err) < 0)
            return error_set(err, ERROR_USAGE, "%s", err->text);
        if (i == 0)
            look_near(first, &id, set);
        for (size_t k = 0; k < set->resources_len; k++) {
            if (!resource_id_equal(&set->resources[k]->id, &id))
                continue;
            count++;
            break; /* one that is defined twice is there all the same */
        }
    }
    return count;
}

static const struct repository_config *refuse(const struct job_place *place, const struct strbuf *having,
                                              size_t having_len, const struct workload_search *search,
                                              struct error *err)
{
    const char *first = place->workloads->items[0];
    const char *more = place->workloads->len > 1 ? " and others" : "";
    CLEANUP(strbuf_release) struct strbuf near = STRBUF_INIT;
    strbuf_addstr(&near, "not found in any of the repositories");
    workload_search_describe(search, &near);
    if (!having_len)
        error_set(err, ERROR_NOT_FOUND, "%s%s: %s", first, more, near.buf);
    else if (place->workloads->len > 1)
        error_set(err, ERROR_USAGE,
                  "the workloads are not all in one repository (%s have some); one command changes one: name "
                  "it with --repository",
                  having->buf);
    else
        error_set(err, ERROR_USAGE, "%s is in several repositories (%s); name one with --repository", first,
                  having->buf);
    return NULL;
}

/* The one that has all of the workloads, and none of them is elsewhere. */
static const struct repository_config *find_by_workloads(const struct config *config,
                                                         const struct job_place *place,
                                                         const struct clock *clock, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf having = STRBUF_INIT;
    CLEANUP(release_first) struct first_named first = {.id = RESOURCE_ID_INIT};
    const struct repository_config *found = NULL;
    size_t having_len = 0;
    for (size_t i = 0; i < config->repositories_len; i++) {
        const struct repository_config *settings = &config->repositories[i];
        int count = count_workloads(config, settings, place, clock, &first, err);
        if (count < 0)
            return NULL;
        if (!count)
            continue;
        found = settings;
        strbuf_addf(&having, "%s%s", having_len++ ? ", " : "", settings->name);
    }
    return having_len == 1 ? found : refuse(place, &having, having_len, &first.search, err);
}

static const struct repository_config *find(const struct config *config, const struct job_place *place,
                                            const struct clock *clock, struct error *err)
{
    if (place->repository)
        return find_named(config, place->repository, err);
    if (config->repositories_len == 1)
        return &config->repositories[0];
    if (place->workloads && place->workloads->len)
        return find_by_workloads(config, place, clock, err);
    error_set(err, ERROR_USAGE, "%zu repositories are configured; name one with --repository",
              config->repositories_len);
    return NULL;
}

struct repository *job_repository_open(const struct config *config, const struct job_place *place,
                                       const struct clock *clock, struct error *err)
{
    const struct repository_config *settings = find(config, place, clock, err);
    return settings ? repository_open(config, settings, clock, err) : NULL;
}
