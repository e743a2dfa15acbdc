#include "daemon/commit_user.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define BLANK " \t\r\n"

void commit_user_release(struct commit_user *user)
{
    free(user->name);
    free(user->email);
    *user = (struct commit_user)COMMIT_USER_INIT;
}

/* A copy of the bytes without blanks around them. */
static char *trimmed(const char *text, size_t len)
{
    while (len && strchr(BLANK, text[0])) {
        text++;
        len--;
    }
    while (len && strchr(BLANK, text[len - 1]))
        len--;
    return xmemdupz(text, len);
}

bool commit_user_parse(const char *text, const char *default_email, struct commit_user *out)
{
    if (!text || !text[strspn(text, BLANK)])
        return false;
    const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
    struct commit_user user = COMMIT_USER_INIT;
    if (close) {
        user.name = trimmed(text, (size_t)(open - text));
        user.email = trimmed(open + 1, (size_t)(close - open - 1));
    } else {
        user.name = trimmed(text, strlen(text));
        user.email = xstrdup(strchr(text, '@') ? user.name : default_email);
    }
    if (!*user.name) {
        free(user.name);
        user.name = xstrdup(user.email);
    }
    if (!*user.email) {
        free(user.email);
        user.email = xstrdup(default_email);
    }
    *out = user;
    if (*user.name)
        return true;
    commit_user_release(out);
    return false;
}
