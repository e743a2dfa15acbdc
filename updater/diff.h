/*
 * The difference of two texts as a unified diff with three lines of context, in the form that git, patch(1) and
 * people read. Bytes are shown as they are: CRLF stays, and a last line without newline is marked.
 *
 * Our edits replace lines one for one, so lines are compared at their own place where both texts have as many,
 * each run of lines that differ a change of its own; otherwise all between the first and the last difference
 * is one. That is always right, and as short as it can be for what this program writes.
 */
#ifndef UPDATER_DIFF_H
#define UPDATER_DIFF_H

#include <stddef.h>

#include "base/attr.h"
#include "base/strbuf.h"

/* Nothing is added if the texts are equal. A path with unusual bytes is quoted as git quotes it. */
void diff_add_unified(struct strbuf *out, const char *path, const char *old_text, size_t old_len,
                      const char *new_text, size_t new_len);

#endif
