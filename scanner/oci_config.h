/*
 * An image's config: when it was made, for which platform, and its labels (OCI image specification, "Image
 * Configuration"; Docker's is the same as far as this goes).
 *
 * Of the labels those are read that describe an image to people and programs everywhere: org.opencontainers.image.*
 * (OCI image specification, "Annotations") and their predecessors org.label-schema.build-date, vcs-ref, vcs-url and
 * version (Label Schema 1.0). One that is longer than LIMIT_LABEL_LENGTH is left out, and so are those over
 * LIMIT_LABELS, the last ones by name.
 */
#ifndef SCANNER_OCI_CONFIG_H
#define SCANNER_OCI_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_facts.h"

/*
 * Fills in all facts; release them. ERROR_INVALID (and no facts) for what is no config.
 *
 * A time is RFC 3339, and 0 where it is missing, unreadable, or a constant that build tools write for reproducible
 * images: the zero time, the Unix epoch, and 1980-01-01 (buildpacks). No image was made before 2013. The time of the
 * labels is org.opencontainers.image.created, else org.label-schema.build-date, as in Flux v1.
 */
int oci_config_read(const char *text, size_t len, struct image_facts *out, struct error *err) MUST_CHECK;

/* A time as above, from its text; NULL: 0. */
int64_t oci_time(const char *text);

#endif
