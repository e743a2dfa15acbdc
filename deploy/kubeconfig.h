/*
 * kubeconfig files, merged: the named clusters, users and contexts, as kubectl sees them.
 *
 * $KUBECONFIG may list several files, and the first one to define a name wins it as a whole (fields are never
 * mixed); so does the first current-context that is not empty. A path in a file counts from that file's own
 * folder. Nothing is interpreted here but these rules; kube_access.h makes sense of one context.
 *
 * All errors are the user's configuration: ERROR_USAGE, naming the file and what is wrong in it.
 */
#ifndef DEPLOY_KUBECONFIG_H
#define DEPLOY_KUBECONFIG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* A named cluster, user or context. */
struct kubeconfig_entry {
    json_t *body; /* an object */
    char *file;   /* where it is defined */
};

struct kubeconfig {
    struct strmap clusters, users, contexts; /* name -> struct kubeconfig_entry */
    char *current_context;                   /* NULL if no file names one */
};
void kubeconfig_init(struct kubeconfig *config);
void kubeconfig_release(struct kubeconfig *config);

/* The files that count, most important first: `flag` alone if it is not NULL, else the parts of `environment`
 * ($KUBECONFIG) if that is neither NULL nor empty, else `home` (~/.kube/config; NULL: none). */
void kubeconfig_paths(const char *flag, const char *environment, const char *home, struct strvec *paths);

/* Adds what a file defines (YAML or JSON) to what is there already. */
int kubeconfig_add(struct kubeconfig *config, const char *file, const char *text, size_t len,
                   struct error *err) MUST_CHECK;

/* Reads the files in turn. Those that do not exist are passed over, as kubectl does; *found says whether
 * there was any. */
int kubeconfig_read(struct kubeconfig *config, const struct strvec *paths, bool *found, struct error *err)
    MUST_CHECK;

/* A path written in the entry's file, from that file's folder. free() it. */
char *kubeconfig_resolve(const struct kubeconfig_entry *entry, const char *path) MUST_CHECK;

#endif
