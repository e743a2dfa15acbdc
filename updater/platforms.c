#include "updater/platforms.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

bool platform_is_valid(const char *text)
{
    size_t slashes = 0;
    if (strlen(text) > LIMIT_PLATFORM_LENGTH)
        return false;
    for (const char *c = text; *c; c++) {
        bool is_edge = c == text || c[-1] == '/' || c[1] == '\0';
        if (*c == '/' && is_edge)
            return false;
        slashes += *c == '/';
    }
    return slashes >= 1 && slashes <= 2 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-/")] == '\0';
}

/* The length without a variant that says nothing. */
static size_t plain_length(const char *platform, size_t len)
{
    static const char *const plain[] = {"/arm64/v8", "/amd64/v1"};
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        size_t end = strlen(plain[i]);
        if (len > end && !memcmp(platform + len - end, plain[i], end))
            return len - strlen("/v8");
    }
    return len;
}

static bool satisfies(const char *offered, size_t offered_len, const char *required)
{
    static const char any_arm[] = "/arm";
    size_t len = plain_length(required, strlen(required));
    offered_len = plain_length(offered, offered_len);
    if (offered_len == len)
        return !memcmp(offered, required, len);
    return str_ends_with(required, any_arm) && offered_len > len && !memcmp(offered, required, len) &&
           offered[len] == '/';
}

static bool is_offered(const char *offered, const char *required)
{
    for (size_t len; *offered; offered += len + (offered[len] == ' ')) {
        len = strcspn(offered, " ");
        if (satisfies(offered, len, required))
            return true;
    }
    return false;
}

const char *platforms_missing(const struct strvec *required, const char *offered)
{
    for (size_t i = 0; i < required->len; i++) {
        if (!is_offered(offered, required->items[i]))
            return required->items[i];
    }
    return NULL;
}
