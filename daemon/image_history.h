/*
 * The history of a workload: the commits that changed its file, with the workload as it was before and after each.
 *
 * The workload is found by its id in the file that defines it today, followed through moves of the whole file
 * (git/history.h) and of the workload from file to file, if one commit took it away from there and put it here. For one
 * question at most LIMIT_HISTORY_TEXTS changes of files are searched for the word and LIMIT_HISTORY_VERSIONS of those are
 * read; what is older than that counts as not known.
 */
#ifndef DAEMON_IMAGE_HISTORY_H
#define DAEMON_IMAGE_HISTORY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/repository.h"
#include "git/history.h"
#include "model/manifest.h"

struct workload_step {
    char commit[GIT_ID_SIZE];
    const struct resource *before, *after; /* NULL: it was not there, or the file could not be read */
};
/* Return 0 to go on, 1 to stop (which is no error), -1 with err set. What the step points at ends with the call. */
typedef int (*workload_visit)(const struct workload_step *step, void *context, struct error *err);

/* Which workload, up to which commit. */
struct history_question {
    const char *head;                /* a commit id */
    const struct resource *workload; /* as the head has it */
    const char *
        word; /* only changes with this in the file's text before or after; NULL: all. Reading is most of the cost */
};

/* Newest first. 1 if it ended at a limit of this page (0: it was read to its end, or `visit` stopped it). ERROR_IO and
 * others of git/history.h, or what `visit` set. */
int workload_history(struct repository *r, const struct history_question *question, workload_visit visit,
                     void *context, struct error *err) MUST_CHECK;

/* The image's text, or NULL where there is none or it cannot be read. */
const char *container_image_text(const struct container *container);

/*
 * Who made a commit: pawl's automation (or Flux v1's), or a person, also one who used a command of pawl. Its note says so
 * (NULL: it has none); else author and message: commits of commands have messages of their own, or the trailer
 * Pawl-Rollback. Automation with a template for its messages and a command with -m cannot be told apart.
 */
enum commit_maker { MADE_BY_AUTOMATION, MADE_BY_PERSON, MADE_BY_EITHER };
enum commit_maker commit_maker(const struct config *config, const struct commit_info *info,
                               const json_t *note);

#endif
