/*
 * Discovery: which resource of the API server stands for a kind, whether it has namespaces, what may be done.
 *
 * Only the group-versions that are asked about are fetched (/api/v1, /apis/GROUP/VERSION), all at once, in
 * the form that every server knows. One that does not answer spoils only the objects of that group-version: a
 * broken metrics API must not stop a deployment (it did in Flux v1: fluxcd/flux#1991, #2087).
 */
#ifndef DEPLOY_DISCOVERY_H
#define DEPLOY_DISCOVERY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "deploy/kube_client.h"

struct kube_kind {
    char *api_version, *kind;
    char *plural; /* "deployments" */
    bool is_namespaced;
    bool has_patch, has_list;
};

struct discovery;

struct discovery *discovery_new(void);
void discovery_free(struct discovery *discovery); /* NULL does nothing */

/* Notes that this group-version ("v1", "apps/v1") will be asked about. */
void discovery_want(struct discovery *discovery, const char *api_version);
/* Fetches what was wanted and is not known yet. -1 only if the server cannot be worked with. */
int discovery_fetch(struct discovery *discovery, struct kube_client *client, struct error *err) MUST_CHECK;
/* Forgets a group-version and wants it again: for kinds that a definition has just added. */
void discovery_refresh(struct discovery *discovery, const char *api_version);

/* The kind as it is served; valid until its group-version is refreshed. NULL: ERROR_NOT_FOUND if the
 * server does not know it (the text says what it does not know), ERROR_UNSUPPORTED if it cannot be
 * applied, another code if its group-version could not be read. */
const struct kube_kind *discovery_find(const struct discovery *discovery, const char *api_version,
                                       const char *kind, struct error *err) MUST_CHECK;

/* Takes in an APIResourceList, as if it had been fetched: the part of a fetch that needs no server. */
void discovery_add(struct discovery *discovery, const char *api_version, const json_t *list);

/* "/apis/apps/v1/namespaces/NS/deployments" (space NULL: all namespaces, or cluster scope). free() it. */
char *kube_collection_path(const struct kube_kind *kind, const char *space) MUST_CHECK;

#endif
