/* Single commits: who made them, and what a person's short id stands for. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/history.h"
#include "git/mirror_private.h"

int mirror_commit_info(struct mirror *mirror, const char *id, struct commit_info *out, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    if (mirror_commit_lookup(mirror, id, &commit, err) < 0)
        return -1;
    const git_signature *author = git_commit_author(commit);
    *out = (struct commit_info){.author = xstrdup(author->name),
                                .email = xstrdup(author->email),
                                .message = xstrdup(git_commit_message(commit)),
                                .when_ms = (int64_t)author->when.time * 1000};
    return 0;
}

void commit_info_release(struct commit_info *info)
{
    free(info->author);
    free(info->email);
    free(info->message);
    *info = (struct commit_info){.author = NULL};
}

int mirror_find_commit(struct mirror *mirror, const char *prefix, char commit[GIT_ID_SIZE], struct error *err)
{
    CLEANUP(release_commit) git_commit *found = NULL;
    git_oid id;
    size_t len = strlen(prefix);
    if (len < GIT_OID_MINPREFIXLEN || len > GIT_OID_HEXSZ || git_oid_fromstrn(&id, prefix, len) < 0)
        return error_set(err, ERROR_INVALID, "\"%s\" is no commit id", prefix);
    int result = git_commit_lookup_prefix(&found, mirror->repository, &id, len);
    if (result == GIT_EAMBIGUOUS)
        return error_set(err, ERROR_INVALID, "%s stands for several commits; write more of it", prefix);
    if (result < 0)
        return error_set(err, ERROR_NOT_FOUND, "%s has no commit %s on the branch", mirror->url.shown,
                         prefix);
    git_oid_tostr(commit, GIT_ID_SIZE, git_commit_id(found));
    return 0;
}
