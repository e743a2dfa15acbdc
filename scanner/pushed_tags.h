/*
 * Pushed tags: what a webhook told of, looked at without listing the repository.
 *
 * A tag that some policy wants the creation time of is read as in a scan (scanner/tag_details.h); of any other one
 * HEAD shows that it is there. The new answer is the last one with these tags put in, with the age of the last
 * one: the list is not younger for it. A tag that the registry does not have is left as it was, and is
 * ERROR_NOT_FOUND: who was told too early lists the repository a little later.
 *
 * Without a last answer (an empty one, never scanned) this is how a tag or two are asked for by name; then nothing is
 * saved, since the cache keeps whole lists.
 */
#ifndef SCANNER_PUSHED_TAGS_H
#define SCANNER_PUSHED_TAGS_H

#include "base/strbuf.h"
#include "model/image_info.h"
#include "scanner/scan_task.h"

/*
 * Looks at the tags (copied; valid and no tag twice), fills `result` and then calls `finished`, perhaps within this
 * call. `base` is the last whole answer (a reference is taken). On an error result->info is what could be read
 * all the same. Environment, demand and result must live until then.
 */
void pushed_tags_start(const struct scan_environment *environment, const struct demand *demand,
                       struct repository_info *base, const struct strvec *tags, struct scan_result *result,
                       void (*finished)(void *context), void *context);

#endif
