/*
 * The git note of a commit of ours: what was asked for and what came of it, as Flux v1 wrote it, and what pawl adds:
 *
 *     {"jobID": "…", "spec": {"type": "auto", "cause": {"Message": "", "User": ""}, "spec": {"Changes": […]}},
 *      "result": {"default:deployment/x": {"Status": "success", "PerContainer": […]}},
 *      "pawl": {"decisions": [{"from", "to", and all of the explanation}]}}
 *
 * Types are "auto" for rounds, "containers" for images that a person asked for, "policy" for changes of annotations, whose
 * result is null. The job's id is made of the commit's, so that the same commit has the same note.
 */
#ifndef DAEMON_COMMIT_NOTE_H
#define DAEMON_COMMIT_NOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/json.h"
#include "daemon/plan.h"
#include "git/mirror.h"
#include "updater/release.h"
#include "updater/workload_result.h"

/*
 * Of a round: `len` changes of what the plan decided, each with its explanation (daemon/explanation.h) as of now_ms, wall
 * time, but for keys that would be null, and what is no part of the decision: the registry's budget and the next scan. Text:
 * the trees of a thousand explanations would be kept until the push is done. free() it.
 */
char *commit_note_of_round(const struct plan *plan, const struct release_change *changes, size_t len,
                           int64_t now_ms) MUST_CHECK;
/* Of what a person asked for; user and message may be NULL. free() it. */
char *commit_note_of_job(const struct result_list *results, const char *user, const char *message) MUST_CHECK;
/* One of these with the id of the job that made the commit. free() it. */
char *commit_note_text(const char *note, const char *commit) MUST_CHECK;

/* The note of a commit; NULL if it has none that can be read. A new reference. */
json_t *commit_note_read(struct mirror *mirror, const char *commit) MUST_CHECK;
/* "auto", "containers", …; NULL if note is NULL or does not say. Borrowed. */
const char *commit_note_type(const json_t *note);
/* Who asked, NULL if it does not say. Borrowed. */
const char *commit_note_user(const json_t *note);
/* Why a container of a workload got its image, NULL if it does not say. Borrowed. */
const char *commit_note_reason(const json_t *note, const char *workload, const char *container);

#endif
