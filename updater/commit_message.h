/*
 * The messages of automation's commits: Flux v1's (release_message), or from a template, with or without trailers.
 *
 * A trailer is a line "Pawl-Change: default:deployment/app app example.test/app:1 -> example.test/app:2" at the end, for
 * each change, as git interpret-trailers reads them.
 */
#ifndef UPDATER_COMMIT_MESSAGE_H
#define UPDATER_COMMIT_MESSAGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "updater/commit_template.h"
#include "updater/release.h"

struct message_form {
    const struct commit_template *template; /* NULL: Flux v1's message */
    bool has_trailers;
};
/* free() it. */
char *commit_message(const struct message_form *form, const struct release *release) MUST_CHECK;

#endif
