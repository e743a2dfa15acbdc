#include "updater/update_window.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/time_zone.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)
#define STEP_MS   (30 * MINUTE_MS)
#define SEARCH_MS (9 * DAY_MS) /* longer than a week with a change of the clocks in it */
#define EVERY_DAY 0x7fu

struct range {
    unsigned days;   /* a bit for each, from Sunday; 0: none were written */
    int start, end;  /* minutes of the day; -1: none were written. start > end: overnight */
    char *zone_name; /* NULL: none was written */
    struct time_zone *zone;
};

struct update_window {
    struct range *ranges;
    size_t len, capacity;
};

/* -- reading --------------------------------------------------------------------------------------------------- */

static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

/* The day that the first `len` characters name, or -1. */
static int find_day(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(day_names); i++) {
        bool is_whole = len == strlen(day_names[i]);
        if ((len == 3 || is_whole) && !strncasecmp(text, day_names[i], len))
            return (int)i;
    }
    return -1;
}

/* "Mon", "Mon-Fri", "Sat-Mon". False if it names no days. */
static bool read_days(const char *word, unsigned *days)
{
    size_t len = strcspn(word, "-");
    int first = find_day(word, len);
    int last = word[len] ? find_day(word + len + 1, strlen(word + len + 1)) : first;
    if (first < 0 || last < 0)
        return false;
    for (int day = first;; day = (day + 1) % 7) {
        *days |= 1u << day;
        if (day == last)
            return true;
    }
}

/* "09:00", "24:00"; takes it off the text. */
static bool take_time(const char **text, int *minute)
{
    const char *t = *text;
    size_t hour_digits = strspn(t, "0123456789");
    if (hour_digits < 1 || hour_digits > 2 || t[hour_digits] != ':')
        return false;
    const char *m = t + hour_digits + 1;
    if (!isdigit((unsigned char)m[0]) || !isdigit((unsigned char)m[1]))
        return false;
    int hour = hour_digits == 1 ? t[0] - '0' : (t[0] - '0') * 10 + t[1] - '0';
    int rest = (m[0] - '0') * 10 + m[1] - '0';
    *minute = hour * 60 + rest;
    *text = m + 2;
    return rest < 60 && *minute <= 24 * 60;
}

static int read_times(const char *word, struct range *range, struct error *err)
{
    const char *rest = word;
    bool is_good =
        take_time(&rest, &range->start) && *rest++ == '-' && take_time(&rest, &range->end) && !*rest;
    if (!is_good || range->start == range->end || range->start == 24 * 60)
        return error_set(err, ERROR_INVALID,
                         "\"%.40s\" is no span of time such as 09:00-16:00, 22:00-04:00 or 00:00-24:00",
                         word);
    return 0;
}

/* One word of a piece: days, then times, then a zone. */
static int read_word(const char *word, struct range *range, struct error *err)
{
    if (range->start < 0 && !range->zone_name && read_days(word, &range->days))
        return 0;
    if (isdigit((unsigned char)*word) && range->start < 0)
        return read_times(word, range, err);
    if (!isalpha((unsigned char)*word) || range->start < 0 || range->zone_name)
        return error_set(
            err, ERROR_INVALID,
            "\"%.40s\" is not expected there; a window is written Mon-Fri 09:00-16:00 Europe/Berlin", word);
    range->zone_name = xstrdup(word);
    return 0;
}

static int read_piece(const char *piece, struct range *range, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(piece);
    char *rest = copy, *word;
    bool is_empty = true;
    *range = (struct range){.start = -1, .end = -1};
    while ((word = strsep(&rest, " \t\n"))) {
        if (*word && read_word(word, range, err) < 0)
            return -1;
        is_empty = is_empty && !*word;
    }
    return is_empty ? error_set(err, ERROR_INVALID, "an empty part: a window is written Mon-Fri 09:00-16:00")
                    : 0;
}

static int add_range(struct update_window *window, struct range *range, struct error *err)
{
    if (window->len >= LIMIT_WINDOW_RANGES) {
        free(range->zone_name);
        return error_set(err, ERROR_TOO_LARGE, "more than the %u spans that a window may have",
                         LIMIT_WINDOW_RANGES);
    }
    vec_grow(window->ranges, window->len, window->capacity);
    window->ranges[window->len++] = *range;
    return 0;
}

/* The pieces of a group, days alone joined to what follows, and days taken from before. */
static int read_pieces(struct update_window *window, char *group, struct error *err)
{
    unsigned waiting = 0, before = EVERY_DAY;
    char *piece;
    while ((piece = strsep(&group, ","))) {
        struct range range;
        if (read_piece(piece, &range, err) < 0) {
            free(range.zone_name);
            return -1;
        }
        if (range.start < 0) {
            waiting |= range.days;
            continue;
        }
        range.days |= waiting;
        waiting = 0;
        before = range.days = range.days ? range.days : before;
        if (add_range(window, &range, err) < 0)
            return -1;
    }
    if (waiting)
        return error_set(err, ERROR_INVALID, "days without times; a whole day is written Sat 00:00-24:00");
    return 0;
}

/* Zones of a group: the next that is written, else the last, else UTC. */
static int load_zones(struct range *ranges, size_t len, const char *zones, struct error *err)
{
    const char *name = "UTC";
    for (size_t i = 0; i < len; i++)
        name = ranges[i].zone_name ? ranges[i].zone_name : name;
    for (size_t i = len; i-- > 0;) {
        name = ranges[i].zone_name ? ranges[i].zone_name : name;
        ranges[i].zone = time_zone_load(zones, name, err);
        if (!ranges[i].zone)
            return -1;
    }
    return 0;
}

static int read_groups(struct update_window *window, const char *text, const char *zones, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    char *rest = copy, *group;
    while ((group = strsep(&rest, ";"))) {
        size_t first = window->len;
        if (read_pieces(window, group, err) < 0 ||
            load_zones(window->ranges + first, window->len - first, zones, err) < 0)
            return -1;
    }
    return 0;
}

struct update_window *update_window_new(const char *text, const char *zones, struct error *err)
{
    struct update_window *window = xcalloc(1, sizeof(*window));
    if (read_groups(window, text, zones, err) == 0)
        return window;
    update_window_free(window);
    return NULL;
}

void update_window_free(struct update_window *window)
{
    if (!window)
        return;
    for (size_t i = 0; i < window->len; i++) {
        time_zone_free(window->ranges[i].zone);
        free(window->ranges[i].zone_name);
    }
    free(window->ranges);
    free(window);
}

/* -- telling the time -------------------------------------------------------------------------------------- */

/* Milliseconds since midnight there, and the day of the week. */
static int64_t time_of_day(const struct range *range, int64_t now_ms, int *weekday)
{
    int64_t local_ms = now_ms + time_zone_offset_ms(range->zone, now_ms);
    int64_t day = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
    *weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    return local_ms - day * DAY_MS;
}

static bool is_in_range(const struct range *range, int64_t now_ms)
{
    int weekday;
    int64_t at_ms = time_of_day(range, now_ms, &weekday);
    bool is_day = range->days >> weekday & 1, was_day = range->days >> (weekday + 6) % 7 & 1;
    bool has_begun = at_ms >= range->start * MINUTE_MS, is_before_end = at_ms < range->end * MINUTE_MS;
    if (range->start < range->end)
        return is_day && has_begun && is_before_end;
    return (is_day && has_begun) || (was_day && is_before_end);
}

bool update_window_is_open(const struct update_window *window, int64_t now_ms)
{
    for (size_t i = 0; i < window->len; i++) {
        if (is_in_range(&window->ranges[i], now_ms))
            return true;
    }
    return false;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* To the next time of the day at which it may change, by a clock that nobody adjusts meanwhile. */
static int64_t until_boundary_ms(const struct range *range, int64_t now_ms)
{
    int weekday;
    int64_t at_ms = time_of_day(range, now_ms, &weekday);
    int64_t to_start = (range->start * MINUTE_MS - at_ms + 2 * DAY_MS) % DAY_MS;
    int64_t to_end = (range->end * MINUTE_MS - at_ms + 2 * DAY_MS) % DAY_MS;
    return lower(to_start ? to_start : DAY_MS, to_end ? to_end : DAY_MS);
}

static bool is_adjusted(const struct update_window *window, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < window->len; i++) {
        const struct time_zone *zone = window->ranges[i].zone;
        if (time_zone_offset_ms(zone, from_ms) != time_zone_offset_ms(zone, to_ms))
            return true;
    }
    return false;
}

/* The next moment that has to be looked at: none between changes anything. Clocks are put forward and back at whole
 * minutes, so in a step where that happens each minute is looked at. */
static int64_t next_moment(const struct update_window *window, int64_t now_ms)
{
    int64_t step = STEP_MS;
    for (size_t i = 0; i < window->len; i++)
        step = lower(step, until_boundary_ms(&window->ranges[i], now_ms));
    if (is_adjusted(window, now_ms, now_ms + step))
        step = lower(step, MINUTE_MS - now_ms % MINUTE_MS);
    return now_ms + step;
}

int64_t update_window_next_change_ms(const struct update_window *window, int64_t now_ms)
{
    bool is_open = update_window_is_open(window, now_ms);
    int64_t at_ms = now_ms;
    while (at_ms < now_ms + SEARCH_MS) {
        at_ms = next_moment(window, at_ms);
        if (update_window_is_open(window, at_ms) != is_open)
            return at_ms;
    }
    return INT64_MAX;
}
