#include "daemon/repository.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "daemon/plan.h"

static int open_target(struct repository *r, struct error *err)
{
    const struct deploy_options options = {
        .deploy_to = r->settings->deploy_to,
        .kubeconfig = r->config->kubeconfig,
        .context = r->config->context,
        .default_space = r->config->default_space,
        .timeout_ms = r->config->sync_timeout_ms,
    };
    if (deploy_target_open(&options, &r->target, err) < 0 ||
        deploy_default_space(&options, &r->default_space, err) < 0)
        return -1;
    struct kube_client *cluster = kubernetes_target_client(r->target);
    if (cluster)
        r->pull_secrets = pull_secrets_new(cluster, r->clock, r->config->registry_poll_interval_ms);
    r->loader = manifest_loader_new(r->default_space);
    return 0;
}

struct repository *repository_open(const struct config *config, const struct repository_config *settings,
                                   const struct clock *clock, struct error *err)
{
    CLEANUP(repository_release) struct repository *r = xcalloc(1, sizeof(*r));
    r->config = config;
    r->settings = settings;
    r->clock = clock;
    tag_wants_init(&r->wants);
    AUTO_FREE char *directory = file_join(config->data_dir, "git");
    const struct mirror_options options = {.url = settings->url,
                                           .directory = directory,
                                           .branch = settings->branch,
                                           .notes = config->git_notes_ref,
                                           .timeout_ms = config->git_timeout_ms};
    r->mirror = mirror_open(&options, err);
    if (!r->mirror || open_target(r, err) < 0)
        return NULL;
    r->history = history_new(r->mirror);
    r->reverts = revert_hold_new();
    return steal(&r);
}

void repository_free(struct repository *r)
{
    if (!r)
        return;
    revert_hold_free(r->reverts);
    history_free(r->history);
    if (r->kept)
        plan_release(r->kept); /* before the loader, whose manifests it shares */
    free(r->kept);
    tag_wants_release(&r->wants);
    mirror_free(r->mirror);
    pull_secrets_free(r->pull_secrets);
    deploy_target_free(r->target);
    manifest_loader_free(r->loader);
    free(r->default_space);
    free(r);
}

void repository_release(struct repository **repository)
{
    repository_free(*repository);
    *repository = NULL;
}

#define LOCK_TIMEOUT_MS 120000

int repository_lock(struct repository *r, struct mirror **locked, struct error *err)
{
    if (mirror_lock(r->mirror, LOCK_TIMEOUT_MS, err) < 0)
        return -1;
    *locked = r->mirror;
    return 0;
}

void repository_unlock(struct mirror **locked)
{
    if (*locked)
        mirror_unlock(*locked);
    *locked = NULL;
}
