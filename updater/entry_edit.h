/*
 * Another image for a container whose parts have rules of their own: kustomize's entries (a name that must stay, fields
 * that are added where they are missing), one scalar with something before the reference (NAME=REFERENCE), and a tag
 * whose repository a marker names. The inside of updater/image_edit.c; nothing else includes this.
 */
#ifndef UPDATER_ENTRY_EDIT_H
#define UPDATER_ENTRY_EDIT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/manifest.h"
#include "updater/edit.h"

/* True if the container is written in one of these ways. */
bool entry_edit_concerns(const struct container *container);

/* Adds a splice for each part that differs from `image`, as image_edit does. ERROR_UNSUPPORTED with line and reason where
 * a part has no place. On -1 the list is as it was. */
int entry_edit(const struct manifest_file *file, const struct container *container, const char *image,
               struct splice_list *out, struct error *err) MUST_CHECK;

#endif
