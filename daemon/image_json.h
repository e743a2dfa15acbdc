/*
 * An image's platforms and labels, which a snapshot holds as text, as JSON.
 */
#ifndef DAEMON_IMAGE_JSON_H
#define DAEMON_IMAGE_JSON_H

#include "base/attr.h"
#include "base/json.h"

/* A list of names; null where they are not known (NULL). A new reference. */
json_t *image_platforms_json(const char *platforms) MUST_CHECK;
/* An object of strings; null where they are not known (NULL). A new reference. */
json_t *image_labels_json(const char *labels) MUST_CHECK;

#endif
