/*
 * What a tag points at, as far as its details need it: OCI image manifest and index, Docker's schema 2
 * and manifest list, and the old schema 1.
 *
 * The kind is read from the content itself and the media type only decides where that leaves doubt, as
 * registries send wrong Content-Type headers (OCI image specification, "mediaType"; Docker's schemas 1 and
 * 2).
 */
#ifndef SCANNER_OCI_MANIFEST_H
#define SCANNER_OCI_MANIFEST_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_facts.h"

/* The Accept header that names all of them. */
extern const char oci_manifest_accept[];

enum oci_manifest_kind {
    OCI_IMAGE,   /* one image: `digest` is its config's, NULL where the config is no image's */
    OCI_INDEX,   /* several: `digest` is that of the wanted platform's manifest */
    OCI_SCHEMA1, /* holds its config in its own history */
};

struct oci_manifest {
    enum oci_manifest_kind kind;
    char *digest; /* as above; owned */
    /* What it says itself: an index its platforms; schema 1 everything; and all there is to know of what is no image,
     * which may have its date in an annotation. */
    struct image_facts facts;
};

/* Release *out in any case. ERROR_INVALID for what is none of these; ERROR_NOT_FOUND for an index without the platform
 * (the text names those it has), whose facts are there all the same. `platform` is "os/arch" or "os/arch/variant". */
int oci_manifest_read(const char *text, size_t len, const char *platform, struct oci_manifest *out,
                      struct error *err) MUST_CHECK;
void oci_manifest_release(struct oci_manifest *manifest);

/* -1 with ERROR_INVALID unless `digest` (sha256 or sha512) is that of these bytes. */
int oci_digest_verify(const char *digest, const void *bytes, size_t len, struct error *err) MUST_CHECK;

/* "sha256:…" of the bytes. free() it. */
char *oci_digest_of(const void *bytes, size_t len) MUST_CHECK;

#endif
