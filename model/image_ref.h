/*
 * An image reference: [host[:port]/]path[:tag][@digest].
 *
 * The grammar is that of the OCI distribution project's reference package: path components of lower-case
 * letters, digits and single separators (".", "_", "__", any run of "-"), a tag of at most 128 characters,
 * a digest "algorithm:hex". The first component is a host if it holds a "." or a ":", is "localhost", or has
 * an upper-case letter (a path component cannot); so "registry:5000/app" has a host (Flux v1 misread it).
 *
 * Docker Hub's names are normalised as Flux v1 did: host "index.docker.io" for none, "docker.io" and
 * "registry-1.docker.io"; a path of one component there is in "library/". `text` keeps what was written, so
 * that an edit can change the tag and leave the form of the name alone.
 *
 * A Helm chart is referred to with a scheme, which no image has, and its tag is a version:
 *
 *     oci://ghcr.io/org/charts/app:1.2.3        in a registry
 *     https://charts.example.com/stable#app:1.2.3    in a repository with an index (or http://)
 *
 * In tags "_" stands for the "+" of a version, as Helm writes them to registries; `text` has the "+". The path of the second
 * is "stable#app": no image's has a "#", and so tells how the repository is asked. The scheme is not in the name of the
 * repository: who may be asked without TLS is the scanner's rule (scanner/registry_host.h).
 */
#ifndef MODEL_IMAGE_REF_H
#define MODEL_IMAGE_REF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct image_ref {
    char *text;      /* as written */
    char *host;      /* normalised, lower case: "index.docker.io", "localhost:5000" */
    char *path;      /* normalised: "library/alpine" */
    char *tag;       /* NULL if none was written */
    char *digest;    /* "sha256:…"; NULL if none was written */
    size_t name_len; /* bytes of `text` that are the name, with the scheme of a chart */
    bool is_chart;   /* a Helm chart's */
};
#define IMAGE_REF_INIT                                                                                       \
    {                                                                                                        \
        .text = NULL, .host = NULL, .path = NULL, .tag = NULL, .digest = NULL, .name_len = 0,                \
        .is_chart = false                                                                                    \
    }

/* An image's. ERROR_INVALID with what is wrong with the text; `out` is then untouched. */
int image_ref_parse(const char *text, struct image_ref *out, struct error *err) MUST_CHECK;
/* The same for an image's or a chart's. */
int image_ref_parse_any(const char *text, struct image_ref *out, struct error *err) MUST_CHECK;
void image_ref_release(struct image_ref *ref);
void image_ref_copy(struct image_ref *to, const struct image_ref *from);

/* "host/path", normalised: the name that caches, demands and comparisons use. free() it. */
char *image_ref_repository(const struct image_ref *ref) MUST_CHECK;

/* What is written behind the ":" of the name, or NULL: the tag, of a chart the version. Borrowed. */
const char *image_ref_written_tag(const struct image_ref *ref);

/* True for the name of a repository whose tags are in the index of a Helm repository: "host/path#chart". */
bool image_repository_is_index(const char *repository);

/* The text with another tag (added if there was none), the name as written. A digest is dropped: it would name
 * the old content. free() it. */
char *image_ref_with_tag(const struct image_ref *ref, const char *tag) MUST_CHECK;

/* The same with a digest, "name:tag@sha256:…"; NULL: without. free() it. */
char *image_ref_with_digest(const struct image_ref *ref, const char *tag, const char *digest) MUST_CHECK;

/* The same repository, tag and digest, however written. A missing tag (without digest) is "latest". */
bool image_ref_equal(const struct image_ref *a, const struct image_ref *b);

/* A tag by the grammar: [A-Za-z0-9_][A-Za-z0-9._-]{0,127}. */
bool image_tag_is_valid(const char *tag);

/* "sha256:" and 64 lower-case hex digits, or "sha512:" and 128: the algorithms the OCI registers. */
bool image_digest_is_valid(const char *digest);

#endif
