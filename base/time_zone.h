/*
 * Time zones by name, from the machine's own tables: what the clock on the wall says in Europe/Berlin at a given moment.
 *
 * Read from TZif files of version 2 and later (RFC 8536), with the rule at their end for the times after the table
 * (POSIX.1-2017, "TZ", and its extension of hours to -167 … 167). Neither the environment's TZ nor the process's own
 * zone is looked at or changed, so any thread may ask about any zone. "UTC" needs no file. Immutable once made.
 */
#ifndef BASE_TIME_ZONE_H
#define BASE_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/* Where Debian's tzdata, and nearly everyone's, puts them. */
#define TIME_ZONE_DIRECTORY "/usr/share/zoneinfo"

struct time_zone;

/* ERROR_INVALID for a name that is none ("../x", "/etc/x") or a file that is no table; ERROR_NOT_FOUND, with what to
 * install or to write, where there is no such zone. */
struct time_zone *time_zone_load(const char *directory, const char *name, struct error *err) MUST_CHECK;
/* The bytes of a file; nothing of them is kept. */
struct time_zone *time_zone_parse(const char *bytes, size_t len, struct error *err) MUST_CHECK;
void time_zone_free(struct time_zone *zone); /* NULL does nothing */

/* Milliseconds to add to UTC for the time of day there, at that moment. */
int64_t time_zone_offset_ms(const struct time_zone *zone, int64_t wall_ms);

#endif
