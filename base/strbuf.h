/*
 * A growing string of bytes. Always NUL-terminated at buf[len], so that buf is usable as a C string when no
 * NUL was put in. Modelled on the promises of git's strbuf, with the maximum of curl's dynbuf:
 *
 * A buffer that is filled from outside has a maximum. Adding past it adds nothing, and sets `overflowed`,
 * which stays until strbuf_reset; a reader checks once at the end instead of after each call.
 *
 *     CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
 *     strbuf_addf(&b, "%s/%d", host, port);
 *     use(b.buf);
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct strbuf {
    char *buf;   /* never NULL: points at an empty string until something is added */
    size_t len;  /* bytes in use, the closing NUL not counted */
    size_t size; /* bytes allocated; 0 while buf is the shared empty string */
    size_t max;  /* largest len; 0: no maximum */
    bool overflowed;
};

extern char strbuf_empty[];
#define STRBUF_INIT                                                                                          \
    {                                                                                                        \
        .buf = strbuf_empty, .len = 0, .size = 0, .max = 0, .overflowed = false                              \
    }
#define STRBUF_INIT_MAX(limit)                                                                               \
    {                                                                                                        \
        .buf = strbuf_empty, .len = 0, .size = 0, .max = (limit), .overflowed = false                        \
    }

void strbuf_init(struct strbuf *b, size_t max);
/* Frees the memory; the buffer is then as after strbuf_init with the same maximum. */
void strbuf_release(struct strbuf *b);
/* Empties it and keeps the memory. */
void strbuf_reset(struct strbuf *b);
/* Hands out the bytes (free() them) and leaves the buffer empty. `len` may be NULL. Never NULL. */
char *strbuf_detach(struct strbuf *b, size_t *len) MUST_CHECK;

void strbuf_add(struct strbuf *b, const void *bytes, size_t len);
void strbuf_addstr(struct strbuf *b, const char *text);
void strbuf_addch(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Percent-encodes all but RFC 3986's unreserved characters and those in `keep`. */
void strbuf_add_urlencoded(struct strbuf *b, const char *text, const char *keep);
/* Standard base64 with padding (RFC 4648 section 4). */
void strbuf_add_base64(struct strbuf *b, const void *bytes, size_t len);
/* Appends the bytes that `text` (base64, standard or URL alphabet, padding optional) stands for; -1 if it is
 * not base64, and then nothing was added. */
int strbuf_add_base64_decoded(struct strbuf *b, const char *text, size_t len) MUST_CHECK;
/* Lower-case hexadecimal. */
void strbuf_add_hex(struct strbuf *b, const void *bytes, size_t len);

/* Sorted, unique or not: a list of strings that owns them. */
struct strvec {
    char **items;
    size_t len, capacity;
};
#define STRVEC_INIT                                                                                          \
    {                                                                                                        \
        .items = NULL, .len = 0, .capacity = 0                                                               \
    }
void strvec_push(struct strvec *v, const char *text);
/* Takes ownership of `text`. */
void strvec_push_owned(struct strvec *v, char *text);
bool strvec_contains(const struct strvec *v, const char *text);
/* Byte order. */
void strvec_sort(struct strvec *v);
void strvec_release(struct strvec *v);

bool str_starts_with(const char *text, const char *prefix);
bool str_ends_with(const char *text, const char *suffix);
/* The number of single-character edits between two words: for "did you mean". Words over 63 bytes are far
 * from everything. */
size_t str_distance(const char *a, const char *b);

#endif
