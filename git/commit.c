/* Making commits without an index or a work tree: new blobs, the trees on the way to them, one commit. */
#include <string.h>

#include "base/alloc.h"
#include "git/commit_tree.h"
#include "git/mirror_private.h"
#include "git/object_writer.h"

/* From so many files on their objects are written as one pack. Fewer are as fast by themselves, and packs are gathered
 * into larger ones now and then, which costs time of its own. */
#define PACK_FILES 16

/* NULL, with the error, for what git does not take. */
static git_signature *make_signature(const char *name, const char *email, int64_t when_ms, struct error *err)
{
    git_signature *signature = NULL;
    bool is_line = !strpbrk(name, "\r\n") && !strpbrk(email, "\r\n");
    if (is_line && git_signature_new(&signature, name, email, when_ms / 1000, 0) == 0)
        return signature;
    error_set(err, ERROR_USAGE, "\"%s <%s>\" is no author of a commit: set a name and an e-mail address",
              name, email);
    return NULL;
}

static git_signature *make_committer(const struct commit_author *author, struct error *err)
{
    bool is_other = author->committer_name != NULL;
    return make_signature(is_other ? author->committer_name : author->name,
                          is_other ? author->committer_email : author->email, author->when_ms, err);
}

/* As git writes it. */
static void add_signature(struct strbuf *text, const char *role, const git_signature *who)
{
    strbuf_addf(text, "%s %s <%s> %lld +0000\n", role, who->name, who->email, (long long)who->when.time);
}

static int add_commit(struct object_writer *writer, const git_oid *parent, const git_oid *tree,
                      const struct commit_author *author, const char *message, git_oid *id, struct error *err)
{
    CLEANUP(release_signature)
    git_signature *signature = make_signature(author->name, author->email, author->when_ms, err);
    CLEANUP(release_signature) git_signature *committer = signature ? make_committer(author, err) : NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char tree_id[GIT_ID_SIZE], parent_id[GIT_ID_SIZE];
    if (!committer)
        return -1;
    git_oid_tostr(tree_id, sizeof(tree_id), tree);
    git_oid_tostr(parent_id, sizeof(parent_id), parent);
    strbuf_addf(&text, "tree %s\nparent %s\n", tree_id, parent_id);
    add_signature(&text, "author", signature);
    add_signature(&text, "committer", committer);
    strbuf_addf(&text, "\n%s", message);
    return object_writer_add(writer, GIT_OBJECT_COMMIT, text.buf, text.len, id, err);
}

static int create(struct mirror *mirror, const char *parent, const struct commit_file *files, size_t len,
                  const struct commit_author *author, const char *message, git_oid *id, struct error *err)
{
    CLEANUP(release_commit) git_commit *old = NULL;
    CLEANUP(object_writer_release) struct object_writer *writer = NULL;
    git_oid tree;
    if (mirror_commit_lookup(mirror, parent, &old, err) < 0 ||
        !(writer = object_writer_new(mirror, len >= PACK_FILES, err)) ||
        commit_tree_write(mirror, writer, git_commit_tree_id(old), files, len, &tree, err) < 0 ||
        add_commit(writer, git_commit_id(old), &tree, author, message, id, err) < 0)
        return -1;
    return object_writer_finish(writer, err);
}

int mirror_commit(struct mirror *mirror, const char *parent, const struct commit_file *files, size_t len,
                  const struct commit_author *author, const char *message, char commit[GIT_ID_SIZE],
                  struct error *err)
{
    bool taken = false;
    git_oid id;
    if (mirror_lock_enter(mirror, &taken, err) < 0)
        return -1;
    int result = create(mirror, parent, files, len, author, message, &id, err);
    mirror_lock_leave(mirror, taken);
    if (result < 0)
        return error_wrap(err, "making a commit for %s", mirror->url.shown);
    git_oid_tostr(commit, GIT_ID_SIZE, &id);
    return 0;
}
