#include "daemon/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "daemon/commit_note.h"
#include "daemon/commit_user.h"

struct proposed_commit *proposal_add(struct proposal *proposal, char *message, size_t files_len)
{
    vec_grow(proposal->commits, proposal->len, proposal->capacity);
    struct proposed_commit *commit = &proposal->commits[proposal->len++];
    *commit = (struct proposed_commit){
        .files = xcalloc(files_len, sizeof(*commit->files)), .files_len = files_len, .message = message};
    return commit;
}

void proposal_release(struct proposal *proposal)
{
    for (size_t i = 0; i < proposal->len; i++) {
        free(proposal->commits[i].files);
        free(proposal->commits[i].message);
        free(proposal->commits[i].note);
    }
    free(proposal->commits);
    *proposal = (struct proposal){.commits = NULL};
}

static const char *message_suffix(const struct config *config)
{
    if (config->git_ci_skip_message)
        return config->git_ci_skip_message;
    return config->git_ci_skip ? "\n\n[ci skip]" : "";
}

/* The commits of a proposal, made. */
struct made {
    struct commit_note *notes; /* of those that have one */
    size_t notes_len;
    struct strvec texts; /* what the notes point at */
};

static void release_made(struct made *made)
{
    free(made->notes);
    strvec_release(&made->texts);
}

static void add_note(struct made *made, const char *content, const char *commit)
{
    struct commit_note *note = &made->notes[made->notes_len++];
    memcpy(note->commit, commit, sizeof(note->commit));
    char *text = commit_note_text(content, commit);
    note->text = text;
    strvec_push_owned(&made->texts, text);
}

/* One commit upon the other; `commit` is `head` before and the last of them afterwards. */
static int make_commits(struct repository *r, const char *user, const struct proposal *proposal,
                        char commit[GIT_ID_SIZE], struct made *made, struct error *err)
{
    CLEANUP(commit_user_release) struct commit_user asker = COMMIT_USER_INIT;
    struct commit_author author = {
        .name = r->config->git_user, .email = r->config->git_email, .when_ms = clock_wall_ms(r->clock)};
    if (r->config->git_set_author && commit_user_parse(user, author.email, &asker)) {
        author.committer_name = author.name;
        author.committer_email = author.email;
        author.name = asker.name;
        author.email = asker.email;
    }
    made->notes = xcalloc(proposal->len, sizeof(*made->notes));
    for (size_t i = 0; i < proposal->len; i++) {
        const struct proposed_commit *each = &proposal->commits[i];
        AUTO_FREE char *message = xasprintf("%s%s", each->message, message_suffix(r->config));
        char parent[GIT_ID_SIZE];
        memcpy(parent, commit, sizeof(parent));
        if (mirror_commit(r->mirror, parent, each->files, each->files_len, &author, message, commit, err) < 0)
            return -1;
        if (each->note)
            add_note(made, each->note, commit);
    }
    return 0;
}

/* `commit` is what was decided on before, and the last that was pushed afterwards. */
static int make_and_push(struct repository *r, const char *user, const struct proposal *proposal,
                         char commit[GIT_ID_SIZE], struct error *err)
{
    CLEANUP(release_made) struct made made = {.notes = NULL};
    char base[GIT_ID_SIZE];
    memcpy(base, commit, sizeof(base));
    if (make_commits(r, user, proposal, commit, &made, err) < 0)
        return -1;
    const struct push_request request = {.base = base,
                                         .commit = commit,
                                         .notes = made.notes,
                                         .notes_len = made.notes_len,
                                         .notes_author = {.name = r->config->git_user,
                                                          .email = r->config->git_email,
                                                          .when_ms = clock_wall_ms(r->clock)}};
    struct error problem = ERROR_INIT;
    int result = mirror_push_with_notes(r->mirror, &request, &problem, err);
    if (result == 0 && problem.code)
        log_event(LOG_WARN, "sync-loop", "repository", r->settings->name, "event", "note-not-pushed", "err",
                  problem.text, NULL);
    return result;
}

/* Pawls that lost to each other should not meet again at once: each waits for a time of its own, of a range that doubles
 * with each attempt. */
static void pause_before_retry(int attempt)
{
    static const uint32_t first_ms = 50, longest_ms = 1000;
    uint32_t random = (uint32_t)clock_monotonic_ms(&system_clock);
    uint32_t range_ms = attempt < 6 ? first_ms << (attempt - 1) : longest_ms;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random *= (uint32_t)getpid();
    const struct timespec pause = {.tv_nsec = (long)(random % range_ms) * 1000000L};
    nanosleep(&pause, NULL);
}

static int fetch_and_decide(struct repository *r, const struct publication *publication,
                            struct proposal *proposal, char head[GIT_ID_SIZE], struct error *err)
{
    proposal_release(proposal);
    if (mirror_fetch(r->mirror, err) < 0)
        return -1;
    snprintf(head, GIT_ID_SIZE, "%s", mirror_head(r->mirror));
    return publication->decide(r, head, proposal, publication->context, err);
}

int publish(struct repository *r, const struct publication *publication, char head[GIT_ID_SIZE],
            char commit[GIT_ID_SIZE], struct error *err)
{
    CLEANUP(proposal_release) struct proposal proposal = {.commits = NULL};
    head[0] = commit[0] = '\0';
    for (int attempt = 1;; attempt++) {
        if (fetch_and_decide(r, publication, &proposal, head, err) < 0)
            return -1;
        if (publication->dry_run || !proposal.len)
            return 0;
        char made[GIT_ID_SIZE];
        memcpy(made, head, sizeof(made));
        if (make_and_push(r, publication->user, &proposal, made, err) == 0) {
            memcpy(commit, made, sizeof(made));
            return 0;
        }
        if (err->code != ERROR_CONFLICT)
            return error_wrap(err, "pushing to %s", mirror_url(r->mirror));
        if (attempt == LIMIT_PUSH_ATTEMPTS)
            return error_wrap(err, "%s changed under each of %d attempts to push", mirror_url(r->mirror),
                              attempt);
        error_clear(err);
        pause_before_retry(attempt);
    }
}
