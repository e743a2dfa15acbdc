/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

#define UTF8_BOM     "\xef\xbb\xbf"
#define UTF8_BOM_LEN ((size_t)3)

/* The bytes of the character at `bytes`, of which `len` may be read; 0 if it is malformed or cut off. */
size_t utf8_char_length(const char *bytes, size_t len);

/* How many bytes from the start are well-formed; `len` if all are. */
size_t utf8_valid_length(const char *bytes, size_t len);

/* How many bytes from the start are ASCII. */
size_t utf8_ascii_length(const char *bytes, size_t len);

#endif
