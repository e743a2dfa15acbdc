/*
 * Labels of images, as text for people: one line each, in the message of a commit.
 *
 * Who builds an image writes its labels, and nobody has checked them. So a label comes out as one line of UTF-8 without
 * control characters and without those that are not seen or turn the direction of writing; runs of blanks are one; and
 * what is over LIMIT_SHOWN_LABEL_CHARS is cut, with "…". A URL's password is masked. A label that is not there is no text.
 *
 * Names are those of the OCI image specification ("Annotations") without "org.opencontainers.image.": created, authors,
 * url, documentation, source, version, revision, vendor, licenses, ref.name, title, description, base.digest, base.name.
 * Where created, source, version and revision are missing, their predecessors (Label Schema 1.0: build-date, vcs-url,
 * version, vcs-ref) stand in.
 */
#ifndef UPDATER_IMAGE_LABEL_H
#define UPDATER_IMAGE_LABEL_H

#include "base/json.h"
#include "base/strbuf.h"

struct image_label {
    const char *name;
    const char *keys[2]; /* of the label; the second NULL: there is no other */
};
/* Ended by a row without a name. */
extern const struct image_label image_labels[];
/* NULL if there is none of that name. */
const struct image_label *image_label_find(const char *name);

/* Appends the label of an image's labels (an object; NULL: not known). */
void image_label_add(const struct image_label *label, const json_t *labels, struct strbuf *out);

/*
 * Appends the web page of the commit that the image was built from, made of source and revision. Nothing where one of
 * them is missing, where the revision is no commit (7 to 64 hex digits), or the source no repository on a web server:
 * https://, http://, ssh:// or user@host:path, of characters that need no quoting. A user, a password, a query, ".git"
 * and what points into the tree are left out.
 *
 *     https://github.com/org/app.git + 1a2b3c4…   ->   https://github.com/org/app/commit/1a2b3c4…
 */
void image_label_add_commit_link(const json_t *labels, struct strbuf *out);

#endif
