/*
 * Markers: end-of-line comments that say how one scalar of any YAML file is kept up to date.
 *
 *   image: ghcr.io/org/app:1.2.3 # pawl: semver:~1.2                  a whole reference
 *   tag: 1.2.3 # pawl: ghcr.io/org/app semver:~1.2                    a tag alone
 *
 * The marked scalar is a container of the object it stands in, named by its keys from the object down, with dots
 * ("spec.foo.image"; items of a sequence by their number), or the container that the object has there already. In a
 * document that is no object it is one of the file's own resource, "file/PATH" with dots for slashes, which is never
 * applied. What a marker cannot mean is a problem at its line. A "# pawl:" inside a scalar is text and no marker. What is
 * before a "=" of the scalar stays: "--image=REFERENCE", "IMAGE_TAG=TAG".
 *
 * The inside of model/manifest.c; nothing else includes this. Files without the bytes "pawl:" cost one search.
 */
#ifndef MODEL_MANIFEST_MARKERS_H
#define MODEL_MANIFEST_MARKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/manifest.h"

/* True if the text may hold markers, of ours or of Flux 2. */
bool manifest_has_markers(const char *text, size_t len);

/*
 * Reads the markers of a file whose objects have been read. `resources_capacity` is the room of file->resources.
 * Flux 2's markers are a problem of the file, once, that says what to write instead.
 */
void manifest_read_markers(struct manifest_file *file, const char *default_space, size_t resources_capacity);

#endif
