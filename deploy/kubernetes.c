/*
 * The Kubernetes target: one apply, read from top to bottom in apply_manifests.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "deploy/apply_plan.h"
#include "deploy/discovery.h"
#include "deploy/kube_access.h"
#include "deploy/kube_apply.h"
#include "deploy/kube_before.h"
#include "deploy/kube_client.h"
#include "deploy/kube_place.h"
#include "deploy/target.h"

struct kubernetes_target {
    struct deploy_target base;
    struct kube_access access;
    struct kube_client *client;
    char *default_space;
};

static int apply_ranks(struct kube_apply *apply, struct error *err)
{
    for (enum apply_rank rank = 0; rank < RANK_COUNT; rank++) {
        if (kube_apply_rank(apply, rank, err) < 0)
            return -1;
        if (rank == RANK_DEFINITIONS && kube_apply_await_kinds(apply, err) < 0)
            return -1;
    }
    return 0;
}

static void release_discovery(struct discovery **discovery)
{
    discovery_free(*discovery);
}

static int apply_manifests(struct deploy_target *base, const struct apply_request *request,
                           struct apply_report *report, struct error *err)
{
    struct kubernetes_target *target = (struct kubernetes_target *)base;
    CLEANUP(apply_plan_release) struct apply_plan *plan = apply_plan_new(request);
    CLEANUP(release_discovery) struct discovery *discovery = discovery_new();
    struct kube_apply apply = {
        .client = target->client,
        .discovery = discovery,
        .plan = plan,
        .default_space = target->default_space,
        .clock = &system_clock,
        .dry_run = request->dry_run,
    };
    int result = -1;
    if (kube_client_begin(target->client, err) == 0 && kube_apply_resolve(&apply, err) == 0 &&
        kube_read_before(plan, target->client, request->dry_run, err) == 0 && apply_ranks(&apply, err) == 0)
        result = 0;
    apply_plan_report(plan, report); /* of a run that broke off, too: what was done is done */
    return result;
}

static void free_target(struct deploy_target *base)
{
    struct kubernetes_target *target = (struct kubernetes_target *)base;
    kube_client_free(target->client);
    kube_access_release(&target->access);
    free(target->default_space);
    free(target->base.description);
    free(target);
}

static const struct deploy_target_operations operations = {.apply = apply_manifests, .free = free_target};

struct kube_client *kubernetes_target_client(struct deploy_target *target)
{
    bool is_ours = target && target->operations == &operations;
    return is_ours ? ((struct kubernetes_target *)target)->client : NULL;
}

/* The places of this process. */
static int find_access(const struct deploy_options *options, struct kube_access *access, bool *found,
                       struct error *err)
{
    AUTO_FREE char *home = file_in_home(".kube/config");
    struct kube_places places = {
        .flag = options->kubeconfig,
        .context = options->context,
        .environment = getenv("KUBECONFIG"),
        .home = home,
        .pod_host = getenv("KUBERNETES_SERVICE_HOST"),
        .pod_port = getenv("KUBERNETES_SERVICE_PORT"),
        .pod_directory = KUBE_POD_DIRECTORY,
    };
    return kube_place_find(&places, access, found, err);
}

static char *choose_space(const struct deploy_options *options, const struct kube_access *access)
{
    if (options->default_space && *options->default_space)
        return xstrdup(options->default_space);
    return xstrdup(access->space ? access->space : "default");
}

int kubernetes_default_space(const struct deploy_options *options, char **out, struct error *err)
{
    CLEANUP(kube_access_release) struct kube_access access;
    kube_access_init(&access);
    bool found;
    if (find_access(options, &access, &found, err) < 0)
        return -1;
    *out = choose_space(options, &access);
    return 0;
}

int kubernetes_target_open(const struct deploy_options *options, struct deploy_target **out,
                           struct error *err)
{
    struct kubernetes_target *target = xcalloc(1, sizeof(*target));
    kube_access_init(&target->access);
    target->base.operations = &operations;
    bool found = false;
    int result = find_access(options, &target->access, &found, err);
    if (result < 0 || !found) {
        free_target(&target->base);
        return result < 0
                   ? -1
                   : error_set(err, ERROR_NOT_FOUND,
                               "no Kubernetes cluster is configured: this is no pod, and there is neither "
                               "--kubeconfig nor $KUBECONFIG nor ~/.kube/config");
    }
    struct kube_client_options client = {
        .access = &target->access, .clock = &system_clock, .timeout_ms = options->timeout_ms};
    target->client = kube_client_new(&client);
    target->default_space = choose_space(options, &target->access);
    target->base.description = xstrdup(target->access.description);
    *out = &target->base;
    return 0;
}
