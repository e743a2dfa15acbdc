/*
 * Where a repository is: the text that people give to `git clone`, taken apart and judged before anything
 * acts on it. A pure function of its text: no file is looked at, no name resolved.
 *
 * What is accepted, with git's own meaning (git-fetch(1), "GIT URLS"):
 *
 *     /srv/repo.git   ./repo   file:///srv/repo.git           REMOTE_LOCAL
 *     ssh://[user@]host[:port]/path   ssh://host/~user/path   REMOTE_SSH
 *     [user@]host:path   [user@][host:port]:path              REMOTE_SSH
 *     http://…   https://[user[:password]@]host[:port]/path   REMOTE_HTTP
 *
 * What is refused: git:// (neither encrypted nor authenticated, so nobody may push through it), git's remote
 * helpers ("ext::sh -c …", which run programs), hosts, users and paths that begin with "-" (they would be
 * read as options of ssh or git), control characters, and a query or fragment.
 */
#ifndef GIT_REMOTE_URL_H
#define GIT_REMOTE_URL_H

#include "base/attr.h"
#include "base/error.h"

enum remote_kind { REMOTE_LOCAL, REMOTE_SSH, REMOTE_HTTP };

struct remote_url {
    enum remote_kind kind;
    char *user;     /* decoded; NULL if not given */
    char *password; /* decoded; NULL if not given; REMOTE_HTTP only */
    char *host;     /* decoded, without brackets; NULL for REMOTE_LOCAL */
    int port;       /* 0 if not given */
    char *path;  /* REMOTE_LOCAL, REMOTE_SSH: decoded, as the other side's git wants it; REMOTE_HTTP: NULL */
    char *base;  /* REMOTE_HTTP: the URL without user, password and trailing slashes, to which git's
                    "/info/refs" is added; else NULL */
    char *shown; /* for messages, logs and file names: without a password, over HTTP without the user too,
                    which some hosts let be a token */
};
#define REMOTE_URL_INIT                                                                                      \
    {                                                                                                        \
        .kind = REMOTE_LOCAL, .user = NULL, .password = NULL, .host = NULL, .port = 0, .path = NULL,         \
        .base = NULL, .shown = NULL                                                                          \
    }

/* ERROR_USAGE for what is no URL of a repository, ERROR_UNSUPPORTED for one of a kind that is refused. The
 * text never repeats a password. Release `out` in both cases. */
int remote_url_parse(const char *text, struct remote_url *out, struct error *err) MUST_CHECK;
void remote_url_release(struct remote_url *url);

#endif
