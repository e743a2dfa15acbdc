#include "daemon/commit_split.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/commit_note.h"
#include "daemon/release_proposal.h"

void release_list_release(struct release_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        release_free(list->items[i]);
    free(list->items);
    *list = (struct release_list){.items = NULL};
}

struct round_commits {
    const struct plan *plan;
    const struct release *whole; /* the plan's */
    const struct split_form *form;
    struct release_list *kept;
    struct proposal *proposal;
};

/* Those of the changes [first, end) of the whole, with the files of `files`. */
static void propose(const struct round_commits *round, size_t first, size_t end, const struct release *files)
{
    const struct release *whole = round->whole;
    struct proposal *proposal = round->proposal;
    const struct release part = {.changes = whole->changes + first, .changes_len = end - first};
    proposal_add_release(proposal, files, commit_message(&round->form->message, &part));
    proposal->commits[proposal->len - 1].note =
        commit_note_of_round(round->plan, part.changes, part.changes_len, round->form->now_ms);
}

/* The file with the changes [first, end); NULL if they cannot be without those that follow. */
static struct release *make_part(const struct release *whole, size_t first, size_t end)
{
    AUTO_FREE struct image_target *targets = xcalloc(end - first, sizeof(*targets));
    for (size_t i = first; i < end; i++) {
        const struct release_change *change = &whole->changes[i];
        targets[i - first] = (struct image_target){.resource = change->resource,
                                                   .container = change->container,
                                                   .image = change->to,
                                                   .reason = change->reason};
    }
    struct release *part = release_new(targets, end - first);
    if (!part->problems_len && part->files_len == 1)
        return part;
    release_free(part);
    return NULL;
}

static size_t end_of_file(const struct release *release, size_t first)
{
    size_t end = first + 1;
    while (end < release->changes_len &&
           release->changes[end].resource->file == release->changes[first].resource->file)
        end++;
    return end;
}

/* The changes of one file, which are [first, end) of the whole. */
static void split_file(const struct round_commits *round, size_t first, size_t end)
{
    const struct release *whole = round->whole;
    struct release_list *kept = round->kept;
    size_t done = first;
    for (size_t i = first + 1; i <= end; i++) {
        if (i < end && whole->changes[i].resource == whole->changes[i - 1].resource)
            continue;
        struct release *part = make_part(whole, first, i);
        if (!part)
            continue;
        vec_grow(kept->items, kept->len, kept->capacity);
        kept->items[kept->len++] = part;
        propose(round, done, i, part);
        done = i;
    }
}

void propose_round(const struct plan *plan, const struct split_form *form, struct release_list *kept,
                   struct proposal *proposal)
{
    const struct release *release = plan->release;
    const struct round_commits round = {
        .plan = plan, .whole = release, .form = form, .kept = kept, .proposal = proposal};
    release_list_release(kept);
    if (!release->files_len)
        return;
    if (!form->per_workload) {
        propose(&round, 0, release->changes_len, release);
        return;
    }
    for (size_t first = 0, end; first < release->changes_len; first = end) {
        end = end_of_file(release, first);
        split_file(&round, first, end);
    }
}
