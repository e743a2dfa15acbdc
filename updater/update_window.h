/*
 * When a workload may be updated: the value of pawl.dev/window.
 *
 *   Mon-Fri 09:00-16:00 Europe/Berlin            days, times of the day there, time zone (none: UTC)
 *   Mon,Wed 09:00-12:00,13:00-16:00              several days and several times
 *   22:00-04:00                                  every day, overnight: it belongs to the day on which it begins
 *   Sat 00:00-24:00 UTC; Sun 10:00-12:00 UTC     several windows: open if one of them is
 *
 * ";" parts windows that have nothing to do with each other. Between commas, days alone are joined to those that follow,
 * times without days have those before them, and a time zone is for all that have none of their own: read as people
 * write lists, since the other reading of "Mon-Fri 09:00-12:00,13:00-16:00 Europe/Berlin" would open it on Sunday. Days are
 * Mon … Sun or their full names, in any case; times are by the clock there, whatever daylight saving does to it.
 * Immutable once made.
 */
#ifndef UPDATER_UPDATE_WINDOW_H
#define UPDATER_UPDATE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct update_window;

/* ERROR_INVALID with the part that is wrong. `zones` is where the tables of time zones are (TIME_ZONE_DIRECTORY). */
struct update_window *update_window_new(const char *text, const char *zones, struct error *err) MUST_CHECK;
void update_window_free(struct update_window *window); /* NULL does nothing */

bool update_window_is_open(const struct update_window *window, int64_t now_ms);
/* When it next opens or closes, to the minute; INT64_MAX if it does neither within nine days. */
int64_t update_window_next_change_ms(const struct update_window *window, int64_t now_ms);

#endif
