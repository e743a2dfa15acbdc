#include "git/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "git/mirror_private.h"

/* Where the caller gives no time: what a large repository on a slow host needs to begin an answer. */
#define DEFAULT_TIMEOUT_MS 60000

/* A plain relative path means another repository after a chdir, and git's server side has its own directory.
 */
static int make_absolute(struct remote_url *url, struct error *err)
{
    if (url->kind != REMOTE_LOCAL || url->path[0] == '/')
        return 0;
    AUTO_FREE char *here = getcwd(NULL, 0);
    if (!here)
        return error_errno(err, errno, "cannot find the current directory for %s", url->path);
    char *path = file_join(here, url->path);
    free(url->path);
    free(url->shown);
    url->path = path;
    url->shown = xstrdup(path);
    return 0;
}

static int name_directory(struct mirror *mirror, const char *parent, struct error *err)
{
    git_oid id;
    char hex[GIT_ID_SIZE];
    if (git_odb_hash(&id, mirror->url.shown, strlen(mirror->url.shown), GIT_OBJECT_BLOB) < 0)
        return library_error(err, "cannot name the mirror of %s", mirror->url.shown);
    git_oid_tostr(hex, sizeof(hex), &id);
    mirror->directory = file_join(parent, hex);
    return 0;
}

/* Only names that git takes: a branch goes into refspecs and file names. */
static int check_branch(const char *branch, struct error *err)
{
    AUTO_FREE char *name = xasprintf("refs/heads/%s", branch);
    int is_valid = 0;
    if (git_reference_name_is_valid(&is_valid, name) == 0 && is_valid)
        return 0;
    return error_set(err, ERROR_USAGE, "\"%s\" is no name of a git branch", branch);
}

static int check_notes(const char *name, struct error *err)
{
    int is_valid = 0;
    if (git_reference_name_is_valid(&is_valid, name) == 0 && is_valid)
        return 0;
    return error_set(err, ERROR_USAGE, "\"%s\" is no name of a git ref", name);
}

static int open_mirror(struct mirror *mirror, const struct mirror_options *options, struct error *err)
{
    if (library_start(err) < 0 || remote_url_parse(options->url, &mirror->url, err) < 0 ||
        (options->branch && check_branch(options->branch, err) < 0) || make_absolute(&mirror->url, err) < 0)
        return -1;
    mirror->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    mirror->wanted = xstrdup(options->branch);
    mirror->branch = xstrdup(options->branch);
    if (options->notes && *options->notes) {
        mirror->notes = xasprintf("refs/notes/%s", options->notes);
        if (check_notes(mirror->notes, err) < 0)
            return -1;
    }
    mirror->transport = transport_new(&mirror->url, mirror->timeout_ms);
    if (file_make_directories(options->directory, 0700, err) < 0 ||
        name_directory(mirror, options->directory, err) < 0 || mirror_store_open(mirror, err) < 0)
        return error_wrap(err, "opening the mirror of %s", mirror->url.shown);
    return 0;
}

struct mirror *mirror_open(const struct mirror_options *options, struct error *err)
{
    struct mirror *mirror = xcalloc(1, sizeof(*mirror));
    mirror->lock = -1;
    if (open_mirror(mirror, options, err) == 0)
        return mirror;
    mirror_free(mirror);
    return NULL;
}

void mirror_free(struct mirror *mirror)
{
    if (!mirror)
        return;
    mirror_unlock(mirror);
    transport_free(mirror->transport);
    git_repository_free(mirror->repository);
    remote_url_release(&mirror->url);
    free(mirror->directory);
    free(mirror->wanted);
    free(mirror->branch);
    free(mirror->notes);
    strvec_release(&mirror->orphans);
    free(mirror);
}

const char *mirror_head(const struct mirror *mirror)
{
    return mirror->head;
}

const char *mirror_branch(const struct mirror *mirror)
{
    return mirror->branch;
}

const char *mirror_url(const struct mirror *mirror)
{
    return mirror->url.shown;
}

/* -- refs ------------------------------------------------------------------------------------------------ */

/* The default branch as the last fetch saw it. */
static int read_default_branch(struct mirror *mirror, struct error *err)
{
    CLEANUP(release_reference) git_reference *reference = NULL;
    int result = git_reference_lookup(&reference, mirror->repository, MIRROR_DEFAULT);
    if (result == GIT_ENOTFOUND)
        return 0;
    const char *target = result == 0 ? git_reference_symbolic_target(reference) : NULL;
    if (!target || !str_starts_with(target, MIRROR_ORIGIN))
        return library_error(err, "cannot read " MIRROR_DEFAULT);
    mirror->branch = xstrdup(target + strlen(MIRROR_ORIGIN));
    return 0;
}

/* A head that cannot be read to its tree is damage that is better found now than in the middle of a round. */
static int check_commit(struct mirror *mirror, const git_oid *id, struct error *err)
{
    CLEANUP(release_commit) git_commit *commit = NULL;
    CLEANUP(release_tree) git_tree *tree = NULL;
    if (git_commit_lookup(&commit, mirror->repository, id) < 0 || git_commit_tree(&tree, commit) < 0)
        return library_error(err, "cannot read the commit that the branch was at");
    return 0;
}

int mirror_read_head(struct mirror *mirror, struct error *err)
{
    mirror->head[0] = '\0';
    if (!mirror->wanted) {
        free(steal(&mirror->branch));
        if (read_default_branch(mirror, err) < 0)
            return -1;
    }
    if (!mirror->branch)
        return 0;
    AUTO_FREE char *name = xasprintf(MIRROR_ORIGIN "%s", mirror->branch);
    git_oid id;
    int result = git_reference_name_to_id(&id, mirror->repository, name);
    if (result == GIT_ENOTFOUND)
        return 0;
    if (result < 0)
        return library_error(err, "cannot read %s", name);
    if (check_commit(mirror, &id, err) < 0)
        return -1;
    git_oid_tostr(mirror->head, sizeof(mirror->head), &id);
    return 0;
}

int mirror_write_head(struct mirror *mirror, const git_oid *commit, struct error *err)
{
    CLEANUP(release_reference) git_reference *reference = NULL;
    AUTO_FREE char *name = xasprintf(MIRROR_ORIGIN "%s", mirror->branch);
    if (git_reference_create(&reference, mirror->repository, name, commit, 1, NULL) < 0)
        return library_error(err, "cannot write %s in the mirror of %s", name, mirror->url.shown);
    git_oid_tostr(mirror->head, sizeof(mirror->head), commit);
    return 0;
}

/* -- shared by fetch and push ---------------------------------------------------------------------------- */

int mirror_connect(struct mirror *mirror, git_direction direction, git_remote **remote, struct error *err)
{
    git_remote_connect_options options;
    git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE; /* anything but 0, which reads configuration */
    transport_begin(mirror->transport, &options.callbacks);
    *remote = NULL;
    git_remote_create_options create;
    git_remote_create_options_init(&create, GIT_REMOTE_CREATE_OPTIONS_VERSION);
    create.repository = mirror->repository;
    /* url.<base>.insteadOf is not for a mirror, and libgit2 1.5 leaks 20 KiB for each line of configuration
     * that it compares with that name. */
    create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    if (git_remote_create_with_opts(remote, mirror->url.shown, &create) < 0)
        return library_error(err, "%s", mirror->url.shown);
    if (git_remote_connect_ext(*remote, direction, &options) == 0)
        return 0;
    transport_explain(mirror->transport, err);
    release_remote(remote);
    return -1;
}

int mirror_commit_lookup(struct mirror *mirror, const char *id, git_commit **commit, struct error *err)
{
    git_oid oid;
    if (strlen(id) != GIT_OID_HEXSZ || git_oid_fromstr(&oid, id) < 0)
        return error_set(err, ERROR_INVALID, "\"%s\" is no commit id", id);
    int result = git_commit_lookup(commit, mirror->repository, &oid);
    if (result == GIT_ENOTFOUND)
        return error_set(err, ERROR_NOT_FOUND, "the mirror of %s has no commit %s", mirror->url.shown, id);
    return result < 0 ? library_error(err, "cannot read commit %s", id) : 0;
}
