/*
 * Platforms as OCI writes them, as names: "linux/amd64", "linux/arm/v7" (OCI image specification, "Image Index" and
 * "Image Configuration", whose keys are the same).
 */
#ifndef SCANNER_OCI_PLATFORMS_H
#define SCANNER_OCI_PLATFORMS_H

#include <jansson.h>

#include "base/attr.h"

/* The name of an object's platform. NULL for what is no platform: attestations ("unknown/unknown"), names that are not
 * in lower-case letters, digits and "._-", and what is longer than LIMIT_PLATFORM_LENGTH. free() it. */
char *oci_platform_name(const json_t *platform) MUST_CHECK;

/* The names of all entries of an index, sorted, with a space between: at most LIMIT_PLATFORMS, none twice. free() it. */
char *oci_platforms_of_index(const json_t *entries) MUST_CHECK;

#endif
