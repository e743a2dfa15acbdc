/*
 * Whether a list of tags can be believed. A registry that is being moved, restored or cleaned up may answer with a
 * list that is whole by all rules of the protocol and yet lacks most of what is there; to choose from it would be to
 * go back.
 *
 * A list is short if it is empty and the last one was not, or if more than half and more than ten of the tags of
 * the last one are missing. A short list is not taken: the last one stays, marked is_shrunken, and that can cause no
 * update. It is believed when a later listing, at least a minute later, is short in the same way: as long as the
 * first short one, or longer by ten tags at most, which is what people push meanwhile (an empty one must stay
 * empty). Deleting old tags in earnest so costs one interval without updates.
 */
#ifndef SCANNER_LIST_TRUST_H
#define SCANNER_LIST_TRUST_H

#include <stdbool.h>

#include "model/image_info.h"

#define LIST_TRUST_AFTER_MS INT64_C(60000)
/* For so long a registry is believed that nothing changed since a list; then it is read whole once more, as there are
 * caches on the way that say so for ever. */
#define LIST_UNCHANGED_TRUSTED_MS INT64_C(86400000)

/* Whether `listed`, whole and read at its scanned_ms, may replace `last` (NULL: there is none). */
bool list_trust_believes(const struct repository_info *last, const struct repository_info *listed);

/* Marks `kept`, a copy of `last`, after `listed` was not believed. */
void list_trust_mark(struct repository_info *kept, const struct repository_info *last,
                     const struct repository_info *listed);

#endif
