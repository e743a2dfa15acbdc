/*
 * What pawl.dev/min-age is measured from: when a tag was pushed, where its registry tells (image_details.pushed_ms: Google's
 * do), and else when it was first seen, as the protocol that all speak has no such time. A push in the future is none.
 *
 * First-seen times are kept of all tags of the repositories that somebody asks about, in an LMDB file in --data-dir. A tag
 * that is pushed again, pointing at something else, starts anew. If the file is lost all these clocks start again, which
 * delays updates; but where the policy goes by date, what is there then counts from the time it was made, however late it
 * was pushed. A tag that goes and comes back starts anew, too.
 *
 * From any thread. The file is opened when it is first needed.
 */
#ifndef DAEMON_FIRST_SEEN_H
#define DAEMON_FIRST_SEEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/image_info.h"

struct first_seen;

/* Both are borrowed. */
struct first_seen *first_seen_new(const char *data_dir, const struct clock *clock) MUST_CHECK;
void first_seen_free(struct first_seen *seen); /* NULL does nothing */

/* The times of one answer's tags, by index. */
struct tag_ages {
    struct repository_info *info; /* a reference */
    int64_t *since_ms;
};
void tag_ages_free(struct tag_ages *ages); /* NULL does nothing */

/*
 * Takes note of all tags of an answer (daemon/seen_record.h says how) and returns their times. If the file cannot be read
 * or written, `err` says so, and the times are those that this process knows: none earlier than they are.
 */
struct tag_ages *first_seen_update(struct first_seen *seen, struct repository_info *info, struct error *err)
    MUST_CHECK;

/* The times of an answer, in *ages: made if they are not there yet and somebody asks for them (`min_age_ms`). NULL: nobody
 * does, or there is no answer or no record of times (`seen` is NULL). */
struct tag_ages *tag_ages_for(struct tag_ages **ages, struct first_seen *seen, struct repository_info *info,
                              int64_t min_age_ms, struct error *err);

/* As struct choose_facts wants it; the context is a struct tag_ages or NULL. 0: not known. */
int64_t tag_ages_since_ms(const struct image_info *image, void *context);

#endif
