/*
 * A release: new images for containers, as one commit's content: what changes and the changed files.
 *
 * Who decided the images does not matter here: a round's policies, a person's `pawl release`, a rollback.
 */
#ifndef UPDATER_RELEASE_H
#define UPDATER_RELEASE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "updater/choose.h"
#include "updater/image_edit.h"

/* The image that a container is to have. */
struct image_target {
    const struct resource *resource; /* borrowed, as all here; must outlive the release */
    const struct container *container;
    const char *image;               /* the whole reference, the name as it is written now */
    const char *reason;              /* one line for people */
    const struct decision *decision; /* what wants it; NULL: a person */
};

struct release_change {
    const struct resource *resource; /* borrowed, as all below that is const */
    const struct container *container;
    int line;        /* of the image in the file */
    char *from, *to; /* references as written; from "" if it could not be read */
    char *reason;
    const struct decision *decision; /* the target's */
    json_t *labels; /* of the new image, an object; NULL: not asked for, or not known. A reference. */
};

struct release_file {
    const struct manifest_file *file;
    struct strbuf text; /* the new content, verified */
};

struct release {
    struct release_change *changes;
    size_t changes_len, changes_capacity;
    struct release_file *files;
    size_t files_len, files_capacity;
    struct manifest_problem *problems; /* targets that could not be edited */
    size_t problems_len, problems_capacity;
};

/*
 * Edits for all targets, file by file in the order of their paths, and in a file in the order of its text. What
 * cannot be edited is a problem, and the rest goes on; of one target all scalars change or none. A scalar that several
 * containers share by an anchor changes only if all of them are to have the same new text there: else one of them
 * would get an image that was not decided for it, or that a lock forbids. Of a file that fails as a whole
 * (edit_apply) nothing changes. A target whose image is there already changes nothing and is no change.
 */
struct release *release_new(const struct image_target *targets, size_t len);
/* The same for all DECISION_UPDATE among the decisions. */
struct release *release_of_decisions(const struct decision *decisions, size_t len);
void release_free(struct release *release);

/*
 * The commit message of automation, Flux v1's: "Auto-release IMAGE" for one image, and for more
 * "Auto-release multiple (N) images", a blank line and a sorted list. IMAGE is the reference as written with the
 * new tag; each counts once. free() it.
 */
char *release_message(const struct release *release) MUST_CHECK;

/* The unified diff of one file with three lines of context, as `diff -u` and git write it. */
void release_add_diff(const struct release_file *file, struct strbuf *out);

#endif
