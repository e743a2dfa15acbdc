/*
 * Which cluster is meant: of the places that may name one, the first that does.
 *
 * The places come in as parameters (the process's environment is read in kubernetes.c), so that tests need no
 * environment of their own.
 */
#ifndef DEPLOY_KUBE_PLACE_H
#define DEPLOY_KUBE_PLACE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "deploy/kube_access.h"

#define KUBE_POD_DIRECTORY "/var/run/secrets/kubernetes.io/serviceaccount"
/* True if the two variables are set and the folder holds a token: this is a pod with a service account. */
bool kube_place_is_pod(const char *host, const char *port, const char *directory);
/* The access that kubelet gives a pod. host and port are $KUBERNETES_SERVICE_HOST and _PORT. The pod's own
 * namespace does not become the default one: neither Flux v1 nor a reader of the manifests expects that. */
int kube_place_read_pod(const char *host, const char *port, const char *directory, struct kube_access *access,
                        struct error *err) MUST_CHECK;

/* Where to look for access, from options and the process's environment. */
struct kube_places {
    const char *flag;        /* --kubeconfig; NULL: not given */
    const char *context;     /* --context; NULL: the current one */
    const char *environment; /* $KUBECONFIG */
    const char *home;        /* ~/.kube/config */
    const char *pod_host, *pod_port, *pod_directory;
};

/*
 * The access that the user means: --kubeconfig, else $KUBECONFIG, else the pod we run in, else
 * ~/.kube/config. What the user names outranks what happens to be there. *found is false (and the result 0)
 * if there is none of them.
 */
int kube_place_find(const struct kube_places *places, struct kube_access *access, bool *found,
                    struct error *err) MUST_CHECK;

#endif
