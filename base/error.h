/*
 * The error value: what failed, for people (text) and for the code that decides what to do next (code).
 *
 * It belongs to the caller, needs no clean-up and is passed as the last argument of every function that can
 * fail. Such a function returns 0 or -1 (or NULL); on -1 the error is set, and out-parameters are untouched
 * unless its header says otherwise. Context is added on the way up, outermost first:
 *
 *     if (registry_list_tags(...) < 0)
 *         return error_wrap(err, "scanning %s", name);      "scanning quay.io/a/b: connection refused"
 *
 * The text says what failed, where, and what to try. Functions below daemon/ and cli/ return errors and never
 * print them. A NULL `err` is allowed where only the result matters. Not for sharing between threads.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/attr.h"

enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,      /* the input is malformed; the same input will fail again */
    ERROR_NOT_FOUND,    /* what was asked for is not there */
    ERROR_UNAUTHORIZED, /* no or wrong credentials */
    ERROR_FORBIDDEN,    /* known, and not allowed */
    ERROR_RATE_LIMITED, /* told to slow down; retry_after_s says how long where the peer did */
    ERROR_TIMEOUT,      /* a deadline of ours passed */
    ERROR_NETWORK,      /* name, connection, or a broken conversation; trying later may help */
    ERROR_TLS,          /* the peer's certificate was refused or the handshake failed */
    ERROR_CONFLICT,     /* someone else was first: read again and decide again */
    ERROR_TOO_LARGE,    /* over one of the limits in base/limits.h */
    ERROR_IO,           /* a local file, directory or process */
    ERROR_UNSUPPORTED,  /* understood, and not something this version does */
    ERROR_CANCELLED,    /* the program is stopping */
    ERROR_USAGE,        /* the command line or the configuration; exit code 2 */
    ERROR_INTERNAL,     /* a library broke its promise, or we did */
};

struct error {
    enum error_code code;
    int retry_after_s; /* with ERROR_RATE_LIMITED: seconds the peer asked for; 0 where it did not say */
    char text[1024];
};

#define ERROR_INIT                                                                                           \
    {                                                                                                        \
        .code = ERROR_NONE, .retry_after_s = 0, .text = ""                                                   \
    }

/* Sets the error (replacing what was there) and returns -1, so that failing is one return statement. */
int error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " before the text, keeps the code, and returns -1. */
int error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* As error_set, followed by ": " and strerror of `errno_value`; the code is chosen from it. */
int error_errno(struct error *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);

void error_clear(struct error *err);

/* A lower-case word for the code ("not-found"): for JSON, metrics and tests. Never NULL. */
const char *error_code_name(enum error_code code);

#endif
