/*
 * Templates for the messages of automation's commits: text with these in double braces, a small part of what mustache has.
 *
 *   {{count}}                        how many images change
 *   {{#changes}} … {{/changes}}      once for each of them, in the order of files and lines; not within itself
 *   {{#NAME}} … {{/NAME}}            only where that name is not empty
 *
 * and within changes
 *
 *   {{workload}} {{container}}       namespace:kind/name, and the container
 *   {{from}} {{to}}                  the images, as written
 *   {{name}} {{tag}}                 of the new image: without its tag, and the tag alone
 *   {{reason}}                       why it was chosen
 *   {{label.NAME}}                   a label of the new image (updater/image_label.h: version, revision, source, …)
 *   {{commit-link}}                  the web page of the commit that it was built from, by its labels
 *
 * A line with nothing but the begin or the end of a section is none of the message.
 *
 *     Update {{count}} image(s)
 *
 *     {{#changes}}
 *     - {{workload}}: {{tag}} ({{reason}})
 *     {{#commit-link}}
 *       built from {{commit-link}}
 *     {{/commit-link}}
 *     {{/changes}}
 *
 * Labels come from outside. A line that one of them would make a trailer (git-interpret-trailers: "Word: ...", where any
 * of the word is a label's) gets "- " put before it, and is none: nobody signs off or rolls back with a label.
 */
#ifndef UPDATER_COMMIT_TEMPLATE_H
#define UPDATER_COMMIT_TEMPLATE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "updater/release.h"

struct commit_template;

/* ERROR_USAGE with line and reason: a name that there is not, braces or a section that do not end, nothing at all. The
 * text is copied. */
struct commit_template *commit_template_new(const char *text, struct error *err) MUST_CHECK;
void commit_template_free(struct commit_template *template); /* NULL does nothing */

/* Whether the message shows any label: only then is there a reason to read them. */
bool commit_template_uses_labels(const struct commit_template *template);

/* Appends the message. */
void commit_template_render(const struct commit_template *template, const struct release *release,
                            struct strbuf *out);

#endif
