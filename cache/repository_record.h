/*
 * The form of the record of a repository: a repository_info as bytes. repository_record.c begins with them in their order.
 *
 * Decoding is strict: a record with a byte too many, tags out of order or a digest that is none is none.
 */
#ifndef CACHE_REPOSITORY_RECORD_H
#define CACHE_REPOSITORY_RECORD_H

#include <stddef.h>

#include "base/attr.h"
#include "base/strbuf.h"
#include "model/image_info.h"

/* Appends the record. Tags over LIMIT_TAG_LENGTH are left out, problems cut at 255 bytes. */
void record_encode_repository(const struct repository_info *info, struct strbuf *out);
/* One reference; NULL if it is no such record. */
struct repository_info *record_decode_repository(const char *bytes, size_t len) MUST_CHECK;

#endif
