/*
 * How to reach one Kubernetes API server: its address, what its certificate is checked against, and who we
 * are there. Read once, from a kubeconfig's context or from the files that a pod is given.
 *
 * Secrets that live in files (token, key, certificate) stay in the files: kube_credentials.h reads them when
 * they are used, since kubelet and cloud tools replace them under us.
 *
 * Refused with a clear text, naming the entry: auth-provider (removed from kubectl in 1.26; the cure is an
 * exec plugin), proxy-url, two kinds of login in one user, and a user that says `as-…` without `as`.
 */
#ifndef DEPLOY_KUBE_ACCESS_H
#define DEPLOY_KUBE_ACCESS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deploy/kubeconfig.h"

/* PEM text, or the file that holds it; both NULL: none. */
struct pem_source {
    char *text, *file;
};

/* A program that prints credentials: "exec" of a kubeconfig user. */
struct kube_exec {
    char *command; /* looked up in PATH unless it holds a slash; NULL: none */
    struct strvec arguments;
    struct strvec environment; /* "NAME=value" */
    char *api_version;         /* client.authentication.k8s.io/v1 or v1beta1 */
    char *install_hint;        /* what to tell a user who lacks the program; NULL: nothing */
    bool wants_cluster;        /* tell it which cluster this is for */
    json_t *cluster_settings;  /* of the cluster's entry, for the plugin; NULL: none */
};

struct kube_access {
    char *description; /* "https://10.0.0.1:6443 (context prod)" */
    char *name;        /* "context prod", "this pod's cluster": for errors that name the URL themselves */
    char *server;      /* URL without a slash at its end; may have a path */
    char *space;       /* default namespace; NULL if it names none */

    char *server_name; /* expected in the certificate; NULL: the URL's host */
    bool insecure;     /* certificate not checked */
    struct pem_source ca, certificate, key;

    char *token, *token_file; /* the file counts while it can be read */
    char *username, *password;
    struct kube_exec exec;
    struct strvec impersonate; /* name, value, name, value, … of request headers */
};
void kube_access_init(struct kube_access *access);
void kube_access_release(struct kube_access *access);

/* A context (NULL: the current one). ERROR_USAGE where the files do not say enough, ERROR_UNSUPPORTED
 * where they ask for what this program does not do. `access` has been initialised; release it in any case. */
int kube_access_from_config(const struct kubeconfig *config, const char *context, struct kube_access *access,
                            struct error *err) MUST_CHECK;

#endif
