/*
 * The bytes that records are made of: numbers as base-128 varints, lowest bits first, in their shortest form; signed
 * ones zigzagged; texts as their length and their bytes. The same on every machine, and read strictly.
 */
#ifndef CACHE_RECORD_BYTES_H
#define CACHE_RECORD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/strbuf.h"

void record_add_number(struct strbuf *out, uint64_t number);
void record_add_signed(struct strbuf *out, int64_t number);
/* At most `most` bytes of it. */
void record_add_text(struct strbuf *out, const char *text, size_t most);

/* Once something is wrong, `is_bad` stays and everything reads as zero or empty. */
struct record_reader {
    const unsigned char *at, *end;
    bool is_bad;
};
struct record_reader record_reader_of(const struct strbuf *bytes);

const unsigned char *record_take(struct record_reader *r, size_t len);
uint64_t record_take_number(struct record_reader *r);
int64_t record_take_signed(struct record_reader *r);
/* Copies `len` bytes, none of them NUL, and ends them with one. */
void record_take_bytes(struct record_reader *r, size_t len, char *out);
/* A text of at most `most` bytes; "" if it is bad. free() it. */
char *record_take_text(struct record_reader *r, size_t most) MUST_CHECK;

#endif
