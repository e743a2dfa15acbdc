#include "scanner/credential_grant.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void credential_free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void credential_grant_release(struct credential_grant *grant)
{
    free(grant->username);
    credential_free_secret(grant->password);
    credential_free_secret(grant->identity_token);
    free(grant->secret);
    free(grant->secret_uid);
    *grant = (struct credential_grant)CREDENTIAL_GRANT_INIT;
}

struct credential_grant credential_grant_copy(const struct credential *credential)
{
    return (struct credential_grant){.username = xstrdup(credential->username),
                                     .password = xstrdup(credential->password),
                                     .identity_token = xstrdup(credential->identity_token),
                                     .secret = xstrdup(credential->secret),
                                     .secret_uid = xstrdup(credential->secret_uid)};
}

struct credential credential_grant_view(const struct credential_grant *grant)
{
    return (struct credential){.username = grant->username,
                               .password = grant->password,
                               .identity_token = grant->identity_token,
                               .secret = grant->secret,
                               .secret_uid = grant->secret_uid};
}

bool credential_grant_is_empty(const struct credential_grant *grant)
{
    return !grant->username && !grant->identity_token;
}

bool credential_is_clean(const char *text)
{
    while (*text && !iscntrl((unsigned char)*text))
        text++;
    return !*text;
}
