/*
 * One image repository, asked with one log-in, as the scanner's thread keeps it: who wants it, what is known, when to ask next. State and
 * its arithmetic alone: no locks, no network. Times are monotonic milliseconds.
 */
#ifndef DAEMON_SCAN_ENTRY_H
#define DAEMON_SCAN_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "daemon/demand_set.h"
#include "model/image_info.h"
#include "scanner/scanner.h"

struct scan_thread;

enum scan_run_kind {
    SCAN_RUN_NONE,
    SCAN_RUN_LIST, /* the whole repository */
    SCAN_RUN_PUSHED,
};

struct scan_entry {
    struct scan_thread *thread; /* whose it is */
    char *repository;
    struct pull_credential
        *credential; /* the caller's to set once: a reference; NULL: what the scanner finds */
    size_t owners;
    const struct repository_demand *
        *wanted_by;               /* by owner; NULL: not wanted. Borrowed from the owners' sets. */
    char *asked;                  /* what the last scan was asked for, as text; NULL before the first */
    struct repository_info *info; /* the last whole answer, or NULL */
    struct error error;
    bool is_answered;
    bool asks_anew;  /* the run under way was asked for something else than the one before */
    bool is_awaited; /* a round was told that a newer answer is on its way */
    enum scan_run_kind run;
    unsigned failures;    /* in a row */
    int64_t next_ms;      /* when to ask next; 0: at once, whatever ends meanwhile */
    int64_t started_ms;   /* of the run */
    struct strvec pushed; /* tags to look at */
    bool is_flooded;      /* they were too many to be looked at one by one: the list is read instead */
    int64_t first_push_ms, last_push_ms;
    int64_t good_ms;   /* the last success, or when it was first wanted */
    int64_t listed_ms; /* when the last whole list was taken */
    bool is_half_told; /* the last list brought a tag that no webhook had told of: they do not tell of all */
    bool is_overdue;   /* and it was said */
    size_t bad_tags;   /* the most that a list had, which was said; the scanner's thread's own */
};

struct scan_entry *scan_entry_new(struct scan_thread *thread, const char *repository, size_t owners,
                                  int64_t now_ms) MUST_CHECK;
void scan_entry_free(void *pointer); /* a struct scan_entry, for a map */

bool scan_entry_is_wanted(const struct scan_entry *entry);
/* Whether anybody asks for more than the names of its tags. */
bool scan_entry_has_questions(const struct scan_entry *entry);
/* Whether a push to `repository` ("host/path", or "/path" on any host) is to this one. */
bool scan_entry_is_named(const struct scan_entry *entry, const char *repository);
/* As in struct demand; all owners have it from one configuration. */
bool scan_entry_dates_by_labels(const struct scan_entry *entry);
/* The same; one owner is enough. */
bool scan_entry_wants_push_times(const struct scan_entry *entry);
/* Everything that an answer to the entry's demands depends on, as text. free() it. */
char *scan_entry_question(const struct scan_entry *entry) MUST_CHECK;

/* Takes note of a pushed tag. Where nothing is known yet the list is due, but not sooner than a registry that asked for patience
 * allows; the tag is looked at after it, since it may come from a cache and be older than the push. */
void scan_entry_push(struct scan_entry *entry, const char *tag, int64_t now_ms);
/* When the pushed tags are to be looked at, or the list is to be read for them (is_flooded): when the burst is over, and
 * something is known. INT64_MAX: there are none. */
int64_t scan_entry_push_due_ms(const struct scan_entry *entry);

/* Takes over what a run of the given kind brought; true if rounds should know. `next_ms` is left to the caller. */
bool scan_entry_take(struct scan_entry *entry, struct scan_result *result, int64_t now_ms);

/*
 * After pushed tags were looked at with success, puts the next list off to `pause_ms` (one interval, about) from now:
 * what has changed is known. Where a webhook told, its interval costs no list; after the last push one follows within an
 * interval, as the check of what was not told (a tag that was removed, a webhook that was lost).
 *
 * Only where tags' names are all that is wanted, the last list succeeded, is whole and brought nothing that had not been
 * told; and never beyond PUSHES_LAST_INTERVALS intervals or PUSHES_LAST_MS after the last list, whichever is sooner (but
 * two intervals at least), because webhooks get lost in between those that arrive. The answer is good as of now for the
 * watchdog; its age, by which others judge it, stays that of the list.
 */
#define PUSHES_LAST_INTERVALS 12
#define PUSHES_LAST_MS        3600000
void scan_entry_put_off_list(struct scan_entry *entry, int64_t interval_ms, int64_t pause_ms, int64_t now_ms);

/* True once when the last success is three intervals ago. */
bool scan_entry_became_overdue(struct scan_entry *entry, int64_t interval_ms, int64_t now_ms);

#endif
