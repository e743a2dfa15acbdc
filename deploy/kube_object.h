/*
 * Kubernetes objects as JSON, made ready for server-side apply.
 *
 * What people keep in git is not always what an API server may be sent: objects dumped with `kubectl get -o
 * yaml` carry status and bookkeeping, which we would then own and fight over; some fields have defaults that
 * old servers need spelled out; `stringData` would be owned in place of `data`, so that a removed key stays
 * for ever. kube_object_normalise does what Flux 2 and kubectl do, and no more: everything else goes out as
 * written.
 *
 * Pure functions on jansson trees; nothing here asks the cluster.
 */
#ifndef DEPLOY_KUBE_OBJECT_H
#define DEPLOY_KUBE_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

/* Splits "apps/v1" into group "apps" and version "v1"; "v1" is version "v1" of the group "". Pointers into
 * `api_version`; the group is not NUL-terminated, hence its length. -1 if it is neither form. */
int kube_api_version_split(const char *api_version, size_t *group_len, const char **version) MUST_CHECK;

/* True if the object's apiVersion is of this group ("" is the core group) and its kind is this one. */
bool kube_object_is(const json_t *object, const char *group, const char *kind);

/* metadata.name, metadata.namespace; NULL if missing. Borrowed. */
const char *kube_object_name(const json_t *object);
const char *kube_object_space(const json_t *object);

/* A name that can stand in a URL path: not empty, ".", "..", without "/" and "%" (the API server's own
 * rule). */
bool kube_path_segment_is_valid(const char *text);

/*
 * Checks the object and changes it in place, whatever its scope:
 * - requires apiVersion, kind and metadata.name (generateName cannot be applied);
 * - removes status, what the server writes into metadata, and the annotation in which kubectl keeps its copy;
 * - removes `creationTimestamp: null` in every nested metadata (pod templates), and empty labels or
 *   annotations;
 * - sets protocol TCP where a container's or service's port has none (servers before 1.21 refuse such a
 *   port);
 * - Secret: puts stringData into data as base64, stringData winning; ConfigMap and Secret: refuses values
 *   that are no strings, and no base64 where that is needed, naming the key and never the value;
 * - CustomResourceDefinition: drops a caBundle that is no certificate (charts ship placeholders).
 *   ERROR_INVALID says what to change in the manifest.
 */
int kube_object_normalise(json_t *object, struct error *err) MUST_CHECK;

/* Fits metadata.namespace to the kind's scope: removed from a cluster-scoped object, `default_space` where a
 * namespaced one names none. */
void kube_object_set_scope(json_t *object, bool is_namespaced, const char *default_space);

/* True if both are the same but for status and the bookkeeping of metadata (resourceVersion, generation,
 * managedFields and so on): what an apply would change, and not how often it was written. */
bool kube_object_same_content(const json_t *a, const json_t *b);

#endif
