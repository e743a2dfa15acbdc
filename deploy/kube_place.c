#include "deploy/kube_place.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

static bool is_readable(const char *directory, const char *name)
{
    AUTO_FREE char *path = file_join(directory, name);
    return access(path, R_OK) == 0;
}

bool kube_place_is_pod(const char *host, const char *port, const char *directory)
{
    return host && *host && port && *port && is_readable(directory, "token");
}

int kube_place_read_pod(const char *host, const char *port, const char *directory, struct kube_access *access,
                        struct error *err)
{
    if (!kube_place_is_pod(host, port, directory))
        return error_set(err, ERROR_USAGE,
                         "not in a pod with a service account (KUBERNETES_SERVICE_HOST, "
                         "KUBERNETES_SERVICE_PORT and %s/token are needed)",
                         directory);
    bool is_ipv6 = strchr(host, ':') && host[0] != '[';
    access->server = xasprintf("https://%s%s%s:%s", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
    access->token_file = file_join(directory, "token");
    access->ca.file = file_join(directory, "ca.crt");
    access->name = xstrdup("this pod's cluster");
    access->description = xasprintf("%s (%s)", access->server, access->name);
    return 0;
}

static int access_from_files(const struct kube_places *places, const char *home, struct kube_access *access,
                             bool *found, struct error *err)
{
    CLEANUP(strvec_release) struct strvec paths = STRVEC_INIT;
    CLEANUP(kubeconfig_release) struct kubeconfig config;
    kubeconfig_init(&config);
    kubeconfig_paths(places->flag, places->environment, home, &paths);
    if (kubeconfig_read(&config, &paths, found, err) < 0)
        return -1;
    if (!*found && places->flag)
        return error_set(err, ERROR_USAGE, "--kubeconfig: there is no file %s", places->flag);
    /* What is left of a kubeconfig when its last cluster was removed is no kubeconfig. */
    if (*found && !places->flag && strmap_size(&config.contexts) == 0)
        *found = false;
    return *found ? kube_access_from_config(&config, places->context, access, err) : 0;
}

int kube_place_find(const struct kube_places *places, struct kube_access *access, bool *found,
                    struct error *err)
{
    bool is_named = places->flag || (places->environment && *places->environment);
    *found = false;
    if (is_named && access_from_files(places, NULL, access, found, err) < 0)
        return -1;
    if (*found)
        return 0;
    if (kube_place_is_pod(places->pod_host, places->pod_port, places->pod_directory)) {
        *found = true;
        return kube_place_read_pod(places->pod_host, places->pod_port, places->pod_directory, access, err);
    }
    return is_named ? 0 : access_from_files(places, places->home, access, found, err);
}
