/*
 * A release: the decisions of a round as one commit's content, changed files and message.
 *
 * The commit message is Flux v1's: "Auto-release IMAGE" for one image, and for more
 * "Auto-release multiple (N) images", a blank line and a sorted list. IMAGE is the reference as written with
 * the new tag; each counts once.
 */
#ifndef UPDATER_RELEASE_H
#define UPDATER_RELEASE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "updater/choose.h"
#include "updater/edit.h"

struct release_change {
    const struct resource *resource; /* borrowed, as all below that is const */
    const struct container *container;
    int line;        /* of the image in the file */
    char *from, *to; /* references as written */
    char *reason;
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
    struct manifest_problem *problems; /* decisions that could not be edited */
    size_t problems_len, problems_capacity;
};

/*
 * Edits for all DECISION_UPDATE among the decisions, file by file in the order of their paths, and in a file in
 * the order of its text. What cannot be edited is a problem, and the rest goes on. A scalar that several
 * containers share by an anchor changes only if all of them are to have the same new image: else one of them
 * would get an image that was not decided for it, or that a lock forbids. Of a file that fails as a whole
 * (edit_apply) nothing changes. The decisions, and what they borrow, must outlive the release.
 */
struct release *release_new(const struct decision *decisions, size_t len);
void release_free(struct release *release);

/* The commit message; `suffix` (such as "\n\n[ci skip]") is appended, NULL or "": nothing. free() it. */
char *release_message(const struct release *release, const char *suffix) MUST_CHECK;

/* The unified diff of one file with three lines of context, as `diff -u` and git write it. */
void release_add_diff(const struct release_file *file, struct strbuf *out);

#endif
