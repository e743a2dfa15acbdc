/*
 * The account of when the tags of one repository were first seen, as a record of text: a line for each tag, in the order
 * of the tags, with its time, what it pointed at then ("-": not known), and its name.
 *
 *   first-seen 1
 *   1767323045000 sha256:… 1.2.0
 *   1767323045000 - 1.3.0
 */
#ifndef DAEMON_SEEN_RECORD_H
#define DAEMON_SEEN_RECORD_H

#include <stdint.h>

#include "base/strbuf.h"
#include "model/image_info.h"

/*
 * Brings an account up to date: writes the new one to `out` and the time of each tag to seen_ms (by its index in `info`).
 *
 * A tag that is new is seen now, and so is one that points at something else than it did, or of which the name alone was
 * known: between its name and its digest it may have been pushed again. One that is gone is forgotten.
 * Without an account, or with one that cannot be read (`old` NULL or not as above), nobody was there to see: then the time
 * at which an image was made counts, where it is known.
 */
void seen_record_update(const char *old, const struct repository_info *info, int64_t now_ms, int64_t *seen_ms,
                        struct strbuf *out);

#endif
