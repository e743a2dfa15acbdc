/*
 * Whose credentials a pod's images are pulled with, as its spec says. The inside of model/manifest.c; nothing else
 * includes this.
 */
#ifndef MODEL_MANIFEST_PULL_SECRETS_H
#define MODEL_MANIFEST_PULL_SECRETS_H

#include "base/error.h"
#include "model/manifest.h"

/*
 * Fills in the names of the resource's pull secrets and of its service account (serviceAccountName, or serviceAccount
 * as it was called before 1.0), for every kind that has a pod. A name that is none is left out: then `problem` says
 * what is wrong with the first of them, and the result is its line.
 */
int manifest_read_pull_secrets(struct resource *resource, struct error *problem);

#endif
