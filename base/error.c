#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
    [ERROR_NONE] = "none",
    [ERROR_INVALID] = "invalid",
    [ERROR_NOT_FOUND] = "not-found",
    [ERROR_UNAUTHORIZED] = "unauthorized",
    [ERROR_FORBIDDEN] = "forbidden",
    [ERROR_RATE_LIMITED] = "rate-limited",
    [ERROR_TIMEOUT] = "timeout",
    [ERROR_NETWORK] = "network",
    [ERROR_TLS] = "tls",
    [ERROR_CONFLICT] = "conflict",
    [ERROR_TOO_LARGE] = "too-large",
    [ERROR_IO] = "io",
    [ERROR_UNSUPPORTED] = "unsupported",
    [ERROR_CANCELLED] = "cancelled",
    [ERROR_USAGE] = "usage",
    [ERROR_INTERNAL] = "internal",
};

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof(err->text)]; /* the arguments may point into err->text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err->code = code;
    err->retry_after_s = 0;
    memcpy(err->text, text, sizeof(text));
    return -1;
}

int error_wrap(struct error *err, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (used >= 0 && (size_t)used + 3 < sizeof(text)) {
        int room = (int)sizeof(text) - used - 3;
        snprintf(text + used, sizeof(text) - (size_t)used, ": %.*s", room, err->text);
    }
    memcpy(err->text, text, sizeof(text));
    if (err->code == ERROR_NONE)
        err->code = ERROR_INTERNAL;
    return -1;
}

static enum error_code code_from_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
        return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERROR_FORBIDDEN;
    case ETIMEDOUT:
        return ERROR_TIMEOUT;
    case EFBIG:
        return ERROR_TOO_LARGE;
    default:
        return ERROR_IO;
    }
}

int error_errno(struct error *err, int errno_value, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char reason[128];
    return error_set(err, code_from_errno(errno_value), "%s: %s", text,
                     strerror_r(errno_value, reason, sizeof(reason)));
}

void error_clear(struct error *err)
{
    if (err)
        *err = (struct error)ERROR_INIT;
}

const char *error_code_name(enum error_code code)
{
    return (size_t)code < ARRAY_LEN(code_names) ? code_names[code] : "internal";
}
