/*
 * The rule of a time zone for the times after its table, as POSIX writes it in TZ: "CET-1CEST,M3.5.0,M10.5.0/3" has an
 * hour east of Greenwich, and an hour more from the last Sunday of March, 2:00, to the last of October, 3:00.
 *
 * POSIX.1-2017, "Environment Variables", TZ; hours from -167 to 167 as in RFC 8536, section 3.3.1.
 */
#ifndef BASE_TIME_ZONE_RULE_H
#define BASE_TIME_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* The day and time of a change, each year. */
struct time_zone_change {
    enum { CHANGE_MONTH_WEEK, CHANGE_JULIAN, CHANGE_DAY } kind;
    int month, week; /* Mm.w.d: 1 … 12, 1 … 5 (the last) */
    int day; /* of the week (0: Sunday), or of the year: Jn from 1 without February 29, n from 0 with it */
    int64_t time_s; /* after midnight, by the clock as it is before the change */
};

struct time_zone_rule {
    int64_t standard_s, summer_s; /* east of Greenwich */
    bool has_summer;
    struct time_zone_change start, end; /* of summer time */
};

/* False if it is none, and then *out may be anything. */
bool time_zone_rule_parse(const char *text, struct time_zone_rule *out) MUST_CHECK;
int64_t time_zone_rule_offset_s(const struct time_zone_rule *rule, int64_t now_s);

#endif
