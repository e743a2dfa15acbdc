/*
 * Where a commit is applied: a Kubernetes API server, a directory, or nowhere.
 *
 * A target takes the manifests of one commit and makes its side agree with them. It never deletes. One object
 * that fails does not stop the others; its outcome says why. A target belongs to one thread.
 */
#ifndef DEPLOY_TARGET_H
#define DEPLOY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"

enum apply_result {
    APPLY_CREATED,    /* was not there */
    APPLY_CONFIGURED, /* was there and differed */
    APPLY_UNCHANGED,
    APPLY_SKIPPED, /* left alone: ignored, unreadable or ambiguous in git, or what it needs failed */
    APPLY_FAILED,
};
/* "created", "configured", "unchanged", "skipped", "failed" */
const char *apply_result_name(enum apply_result result);

struct apply_outcome {
    const struct resource *resource;  /* borrowed; NULL where the outcome is about a whole file */
    const struct manifest_file *file; /* borrowed */
    enum apply_result result;
    char *message; /* why it failed or was skipped, warnings; NULL: nothing to say */
};

struct apply_report {
    size_t created, configured, unchanged, deleted, skipped, failed;
    struct apply_outcome *outcomes;
    size_t len, capacity;
};
#define APPLY_REPORT_INIT                                                                                    \
    {                                                                                                        \
        0                                                                                                    \
    }
void apply_report_release(struct apply_report *report);
/* Counts and keeps an outcome; takes over `message`. */
void apply_report_add(struct apply_report *report, const struct resource *resource,
                      const struct manifest_file *file, enum apply_result result, char *message);

/* What to apply. A resource for which `leave_alone` is true is not touched. */
struct apply_request {
    const struct manifest_set *manifests;
    bool (*leave_alone)(const struct resource *resource);
    const char *const
        *paths;   /* the configured paths (NULL-terminated; none: the root), for a directory's layout */
    bool dry_run; /* ask and compare, change nothing */
};

struct deploy_target;
struct kube_client; /* deploy/kube_client.h */
struct deploy_target_operations {
    int (*apply)(struct deploy_target *target, const struct apply_request *request,
                 struct apply_report *report, struct error *err);
    void (*free)(struct deploy_target *target);
};
/* The first member of each target's own struct. */
struct deploy_target {
    const struct deploy_target_operations *operations;
    char *description; /* "directory /srv/manifests", "https://10.0.0.1:6443 (context prod)"; owned */
};

struct deploy_options {
    const char *deploy_to;     /* "auto", "kubernetes", "dir:PATH", "none" */
    const char *kubeconfig;    /* NULL: $KUBECONFIG, ~/.kube/config */
    const char *context;       /* NULL: the current one */
    const char *default_space; /* NULL: the context's namespace, else "default" */
    int64_t timeout_ms;        /* of one request */
};

/* Opens a target; *out is NULL for none (also for "auto" when there is neither a pod nor a kubeconfig). Asks
 * nothing of the cluster yet. ERROR_USAGE for a text that is none of these. */
int deploy_target_open(const struct deploy_options *options, struct deploy_target **out, struct error *err)
    MUST_CHECK;
/* The namespace of objects that name none: for manifest_file_new. free() it. */
int deploy_default_space(const struct deploy_options *options, char **out, struct error *err) MUST_CHECK;
void deploy_target_free(struct deploy_target *target); /* NULL does nothing */

/* 0 if the target could be worked with, whatever single objects did; -1 (unreachable, not allowed in at all):
 * nothing or only part was done, and the same call again finishes it. NULL target: does nothing. */
int deploy_target_apply(struct deploy_target *target, const struct apply_request *request,
                        struct apply_report *report, struct error *err) MUST_CHECK;

/* -- the two targets ------------------------------------------------------------------------------------- */

/*
 * Writes the manifest files of a commit below `path`, byte for byte as they are in git, each as one step.
 * Where one path of the repository is configured the layout begins there, else at the repository's root.
 *
 * Only files that hold objects are written, and only if their bytes differ. What is left alone is left out
 * with its document; a file with a broken document, a duplicate, or anything else that would make it half a
 * file is not written, and what stands there stays. Outcomes are per file. Nothing outside `path` is written:
 * links inside it are not followed.
 */
int directory_target_open(const char *path, struct deploy_target **out, struct error *err) MUST_CHECK;

/* Server-side apply. ERROR_NOT_FOUND if no cluster is configured anywhere; ERROR_USAGE or
 * ERROR_UNSUPPORTED where a kubeconfig is not good enough. */
int kubernetes_target_open(const struct deploy_options *options, struct deploy_target **out,
                           struct error *err) MUST_CHECK;
/* The client of a Kubernetes target, to read from its cluster between two applies; NULL for any other target (and for
 * none). Borrowed; kube_client_begin first. */
struct kube_client *kubernetes_target_client(struct deploy_target *target);
/* The namespace that the cluster's context names, else "default"; free() it. */
int kubernetes_default_space(const struct deploy_options *options, char **out, struct error *err) MUST_CHECK;

#endif
