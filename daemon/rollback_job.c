#include "daemon/rollback_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/image_history.h"
#include "daemon/manifest_loader.h"
#include "daemon/release_proposal.h"
#include "model/workload_lookup.h"
#include "updater/release_policies.h"

/* Where one container is to go. */
struct way {
    const struct container *container;
    char *now; /* what it has, as it was written before its digest was added; NULL: as the container has it */
    char *image; /* NULL: nowhere */
    size_t step; /* in which it got what it has: from 1, the newest first */
};

struct ways {
    const struct resource *workload;
    struct way *items; /* of the containers that are meant */
    size_t len;
    size_t steps;
    bool is_cut; /* there are older commits than those that were looked at */
};

static void release_way(struct way *way)
{
    free(way->now);
    free(way->image);
}

static void release_ways(struct ways *ways)
{
    for (size_t i = 0; i < ways->len; i++)
        release_way(&ways->items[i]);
    free(ways->items);
}

/* -- the previous image --------------------------------------------------------------------------------------- */

/* Whether an image only got its digest. Without it, it is no earlier image: the tag may point at the newest by now. */
static bool is_pinned_since(const char *before, const char *after)
{
    size_t len = strlen(before);
    return !strncmp(before, after, len) && after[len] == '@';
}

static void take_step(struct way *way, size_t step, const char *before, const char *after)
{
    const char *now = way->now ? way->now : container_image_text(way->container);
    if (!now || !before || !after || !strcmp(before, after) ||
        (strcmp(before, now) != 0 && strcmp(after, now) != 0))
        return;
    bool is_way = !strcmp(after, now), is_round = !strcmp(before, container_image_text(way->container));
    free(steal(&way->image));
    way->step = step;
    if (is_way && (is_round || is_pinned_since(before, after))) {
        free(way->now);
        way->now = xstrdup(before);
    } else if (is_way) {
        way->image = xstrdup(before);
    }
}

/*
 * From the newest to the oldest, so what is left at the end is of the first time that the container got its image: a
 * rollback that put it back later does not make the image that was left the previous one.
 */
static int look_back(const struct workload_step *step, void *context, struct error *err UNUSED)
{
    struct ways *ways = context;
    ways->steps++;
    for (size_t i = 0; i < ways->len; i++) {
        const char *name = ways->items[i].container->name;
        take_step(&ways->items[i], ways->steps, container_image_text(resource_container(step->before, name)),
                  container_image_text(resource_container(step->after, name)));
    }
    return 0;
}

/* Without names only the last release is undone. */
static void keep_newest(struct ways *ways)
{
    size_t newest = SIZE_MAX;
    for (size_t i = 0; i < ways->len; i++) {
        if (ways->items[i].image && ways->items[i].step < newest)
            newest = ways->items[i].step;
    }
    size_t kept = 0;
    for (size_t i = 0; i < ways->len && newest != SIZE_MAX; i++) {
        if (ways->items[i].image && ways->items[i].step == newest)
            ways->items[kept++] = ways->items[i];
        else
            release_way(&ways->items[i]);
    }
    ways->len = newest == SIZE_MAX ? ways->len : kept;
}

static int find_previous(struct rollback_job *job, struct repository *r, const char *head, struct ways *ways,
                         struct error *err)
{
    const struct history_question question = {.head = head, .workload = ways->workload};
    int result = workload_history(r, &question, look_back, ways, err);
    if (result < 0)
        return error_wrap(err, "reading the history of %s", ways->workload->file->path);
    ways->is_cut = result > 0 || !history_is_complete(r->history);
    if (!job->request.containers->len)
        keep_newest(ways);
    return 0;
}

/* What the containers had when the rollback was first decided on. */
static void remember_images(struct rollback_job *job, const struct ways *ways)
{
    for (size_t i = 0; i < ways->len; i++) {
        const char *image = container_image_text(ways->items[i].container);
        strmap_set(&job->images, ways->items[i].container->name, xstrdup(image ? image : ""));
    }
}

/*
 * Why it cannot be decided again, or NULL; free() it. "Previous" was meant of the image that was there: where another came
 * first, as a newer tag by automation, the image to be left would be the one to go to.
 */
static char *find_overtaken(const struct rollback_job *job, const struct ways *ways)
{
    for (size_t i = 0; i < ways->len && !job->request.to; i++) {
        const struct container *container = ways->items[i].container;
        const char *now = container_image_text(container);
        const char *then = strmap_get(&job->images, container->name);
        if (then && strcmp(then, now ? now : "") != 0)
            return xasprintf("container(s) tag mismatch: %s has got %s meanwhile, and had %s; nothing was "
                             "rolled back",
                             container->name, now ? now : "an image that cannot be read", then);
    }
    return NULL;
}

/* -- a commit's ------------------------------------------------------------------------------------------------- */

static void free_loader(struct manifest_loader **loader)
{
    manifest_loader_free(*loader);
}

static int find_in_commit(struct rollback_job *job, struct repository *r, struct ways *ways,
                          struct error *err)
{
    char commit[GIT_ID_SIZE];
    if (mirror_find_commit(r->mirror, job->request.to, commit, err) < 0)
        return -1;
    /* A loader of its own: the repository's keeps the files of the head. */
    CLEANUP(free_loader) struct manifest_loader *loader = manifest_loader_new(r->default_space);
    CLEANUP(manifest_set_release)
    struct manifest_set *then = manifest_loader_load(loader, r->mirror, commit, &r->settings->paths, err);
    if (!then)
        return error_wrap(err, "commit %s", job->request.to);
    const struct resource *workload = workload_find(then, &ways->workload->id, err);
    if (!workload)
        return error_wrap(err, "%s in commit %s", job->request.workload, job->request.to);
    for (size_t i = 0; i < ways->len; i++) {
        struct way *way = &ways->items[i];
        way->image = xstrdup(container_image_text(resource_container(workload, way->container->name)));
    }
    return 0;
}

/* -- an image ---------------------------------------------------------------------------------------------------- */

static void find_of_repository(const struct image_ref *image, struct ways *ways)
{
    for (size_t i = 0; i < ways->len; i++) {
        const struct image_ref *now = &ways->items[i].container->image;
        if (!now->text || strcmp(now->host, image->host) != 0 || strcmp(now->path, image->path) != 0)
            continue;
        const char *rest = image->text + image->name_len; /* the name stays as it is written */
        ways->items[i].image = xasprintf("%.*s%s", (int)now->name_len, now->text, rest);
    }
}

static bool may_be_commit(const char *text)
{
    size_t len = strlen(text);
    return len >= 4 && len < GIT_ID_SIZE && strspn(text, "0123456789abcdefABCDEF") == len;
}

static int find_ways(struct rollback_job *job, struct repository *r, const char *head, struct ways *ways,
                     struct error *err)
{
    const char *to = job->request.to;
    if (!to)
        return find_previous(job, r, head, ways, err);
    if (!strpbrk(to, ":/@") && !may_be_commit(to))
        return error_set(
            err, ERROR_USAGE,
            "--to: \"%s\" is neither 4 to 40 digits of a commit's id nor an image with its tag, as in "
            "ghcr.io/org/app:1.2.3",
            to);
    if (!strpbrk(to, ":/@"))
        return find_in_commit(job, r, ways, err);
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(to, &image, err) < 0)
        return error_set(err, ERROR_USAGE, "--to: %s", err->text);
    if (!image.tag && !image.digest)
        return error_set(err, ERROR_USAGE, "--to: %s has no tag and no digest", to);
    find_of_repository(&image, ways);
    return 0;
}

/* -- the job ------------------------------------------------------------------------------------------------------- */

static void clear(struct rollback_job *job)
{
    release_free(steal(&job->release));
    target_list_release(&job->targets);
}

void rollback_job_release(struct rollback_job *job)
{
    clear(job);
    strmap_release(&job->images);
}

static int choose_containers(const struct rollback_job *job, struct ways *ways, struct error *err)
{
    const struct strvec *names = job->request.containers;
    ways->items = xcalloc(ways->workload->containers_len + names->len, sizeof(*ways->items));
    for (size_t i = 0; i < names->len; i++) {
        const struct container *container = resource_container(ways->workload, names->items[i]);
        if (!container)
            return error_set(err, ERROR_NOT_FOUND, "%s has no container %s", job->request.workload,
                             names->items[i]);
        ways->items[ways->len++] = (struct way){.container = container};
    }
    for (size_t i = 0; i < ways->workload->containers_len && !names->len; i++)
        ways->items[ways->len++] = (struct way){.container = &ways->workload->containers[i]};
    return 0;
}

static void add_targets(struct rollback_job *job, const struct ways *ways)
{
    for (size_t i = 0; i < ways->len; i++) {
        const struct way *way = &ways->items[i];
        const char *now = container_image_text(way->container);
        if (way->image && (!now || strcmp(way->image, now) != 0))
            target_list_add(&job->targets, ways->workload, way->container, xstrdup(way->image),
                            xstrdup("rolled back"));
    }
}

/* NULL: nothing forbids it. Entries of a kustomization have the locks of the workloads behind them. */
static const char *find_lock(const struct rollback_job *job, const struct manifest_set *manifests,
                             const struct resource *workload, int64_t now_ms)
{
    CLEANUP(release_policies_release) struct release_policies policies;
    bool is_locked = false;
    release_policies_read(manifests, &policies);
    for (size_t i = 0; i < policies.len; i++) {
        if (policies.items[i]->resource == workload)
            is_locked = is_locked || workload_policy_is_locked(policies.items[i], now_ms);
        workload_policy_free(policies.items[i]);
    }
    return is_locked && !job->request.force ? "locked; --force rolls back all the same" : NULL;
}

/* Whether any container has an image to go to. */
static bool has_way(const struct ways *ways)
{
    for (size_t i = 0; i < ways->len; i++) {
        if (ways->items[i].image)
            return true;
    }
    return false;
}

static const char *why_nothing(const struct rollback_job *job, const struct ways *ways)
{
    if (has_way(ways))
        return "has these images already";
    if (job->request.to)
        return strpbrk(job->request.to, ":/@") ? "no container has an image of that repository"
                                               : "the commit has no such container";
    return ways->is_cut
               ? "no earlier image is in the newest commits, which is as far as is looked; --to names one"
               : "no earlier image is in the history of its file; --to names one";
}

/* The message and its trailers. */
static char *make_message(const struct rollback_job *job, const char *id)
{
    struct strbuf message = STRBUF_INIT;
    const char *given = job->request.message;
    const struct release *release = job->release;
    if (given && *given)
        strbuf_addf(&message, "%.*s\n", (int)(strlen(given) - (str_ends_with(given, "\n") ? 1 : 0)), given);
    else if (release->changes_len == 1)
        strbuf_addf(&message, "Rollback %s to %s\n", id, release->changes[0].to);
    else
        strbuf_addf(&message, "Rollback %s to %zu earlier images\n", id, release->changes_len);
    strbuf_addch(&message, '\n');
    for (size_t i = 0; i < release->changes_len; i++)
        strbuf_addf(&message, "Pawl-Rollback: %s %s %s -> %s\n", id, release->changes[i].container->name,
                    release->changes[i].from, release->changes[i].to);
    return strbuf_detach(&message, NULL);
}

static int roll_back(struct rollback_job *job, struct repository *r, const char *head,
                     const struct manifest_set *manifests, struct ways *ways, struct proposal *proposal,
                     struct result_list *results, struct error *err)
{
    AUTO_FREE char *id = resource_id_text(&ways->workload->id);
    const char *lock = find_lock(job, manifests, ways->workload, clock_wall_ms(r->clock));
    if (lock) {
        result_add(results, id, RESULT_SKIPPED, xstrdup(lock));
        return 0;
    }
    if (choose_containers(job, ways, err) < 0)
        return -1;
    char *overtaken = find_overtaken(job, ways);
    if (overtaken) {
        result_add(results, id, RESULT_FAILED, overtaken);
        return 0;
    }
    remember_images(job, ways);
    if (find_ways(job, r, head, ways, err) < 0)
        return -1;
    add_targets(job, ways);
    job->release = target_list_make(&job->targets, results);
    if (!results->len)
        result_add(results, id, has_way(ways) ? RESULT_SKIPPED : RESULT_FAILED,
                   xstrdup(why_nothing(job, ways)));
    if (job->release->files_len)
        proposal_add_release(proposal, job->release, make_message(job, id));
    return 0;
}

/* There is one result at the most, of the workload that was named. */
static void mark_named(struct result_list *results)
{
    for (size_t i = 0; i < results->len; i++)
        results->items[i].is_named = true;
}

static int decide(struct repository *r, const char *head, const struct manifest_set *manifests,
                  struct proposal *proposal, struct result_list *results, void *context, struct error *err)
{
    struct rollback_job *job = context;
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    CLEANUP(release_ways) struct ways ways = {.items = NULL};
    clear(job);
    const char *space = job->request.space ? job->request.space : r->default_space;
    if (resource_id_parse(job->request.workload, space, &id, err) < 0)
        return error_set(err, ERROR_USAGE, "%s", err->text);
    ways.workload = workload_find(manifests, &id, err);
    if (!ways.workload)
        return error_wrap(err, "%s", job->request.workload);
    int result = roll_back(job, r, head, manifests, &ways, proposal, results, err);
    mark_named(results);
    return result;
}

struct job rollback_job(struct rollback_job *rollback)
{
    strmap_init(&rollback->images, free);
    return (struct job){.decide = decide, .context = rollback};
}
