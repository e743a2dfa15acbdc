/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define UTF8_BOM     "\xef\xbb\xbf"
#define UTF8_BOM_LEN ((size_t)3)

/* The bytes of the character at `bytes`, of which `len` may be read; 0 if it is malformed or cut off. */
size_t utf8_char_length(const char *bytes, size_t len);

/* How many bytes from the start are well-formed; `len` if all are. */
size_t utf8_valid_length(const char *bytes, size_t len);

/* True for a byte inside a character, not at its start. */
static inline bool utf8_is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The characters in `len` well-formed bytes. */
size_t utf8_count(const char *bytes, size_t len);

/* The place behind the byte order mark at `at`, or `at` if there is none. */
static inline size_t utf8_skip_bom(const char *text, size_t at, size_t end)
{
    bool is_bom = end - at >= UTF8_BOM_LEN && !memcmp(text + at, UTF8_BOM, UTF8_BOM_LEN);
    return is_bom ? at + UTF8_BOM_LEN : at;
}

/* How many bytes from the start are ASCII. */
size_t utf8_ascii_length(const char *bytes, size_t len);

#endif
