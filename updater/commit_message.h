/*
 * The messages of automation's commits: Flux v1's (release_message), or from a template, with or without trailers.
 *
 * A template is text with these in double braces, a small part of what mustache has:
 *
 *   {{count}}                        how many images change
 *   {{#changes}} … {{/changes}}      once for each of them, in the order of files and lines; not within itself; alone on a
 *                                    line, the line is none of the message
 *   {{workload}} {{container}}       within it: namespace:kind/name, and the container
 *   {{from}} {{to}}                  the images, as written
 *   {{name}} {{tag}}                 of the new image: without its tag, and the tag alone
 *   {{reason}}                       why it was chosen
 *
 *     Update {{count}} image(s)
 *
 *     {{#changes}}
 *     - {{workload}}: {{tag}} ({{reason}})
 *     {{/changes}}
 *
 * A trailer is a line "Pawl-Change: default:deployment/app app example.test/app:1 -> example.test/app:2" at the end, for
 * each change, as git interpret-trailers reads them.
 */
#ifndef UPDATER_COMMIT_MESSAGE_H
#define UPDATER_COMMIT_MESSAGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "updater/release.h"

struct commit_template;

/* ERROR_USAGE with line and reason: a name that there is not, braces or a loop that do not end, nothing at all. The text
 * is copied. */
struct commit_template *commit_template_new(const char *text, struct error *err) MUST_CHECK;
void commit_template_free(struct commit_template *template); /* NULL does nothing */

struct message_form {
    const struct commit_template *template; /* NULL: Flux v1's message */
    bool has_trailers;
};
/* free() it. */
char *commit_message(const struct message_form *form, const struct release *release) MUST_CHECK;

#endif
