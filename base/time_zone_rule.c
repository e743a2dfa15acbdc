#include "base/time_zone_rule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* -- reading: each takes what it reads off the text, or says no --------------------------------------------- */

static bool take(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool take_number(const char **text, int least, int most, int *out)
{
    int value = 0, digits = 0;
    for (; isdigit((unsigned char)**text) && digits < 4; (*text)++, digits++)
        value = value * 10 + (**text - '0');
    *out = value;
    return digits > 0 && value >= least && value <= most;
}

/* "CET", or in angle brackets with digits and signs: "<+03>". */
static bool take_name(const char **text)
{
    const char *start = *text;
    bool is_quoted = take(text, '<');
    if (is_quoted)
        start++;
    while (isalpha((unsigned char)**text) ||
           (is_quoted && **text && (isdigit((unsigned char)**text) || strchr("+-", **text))))
        (*text)++;
    return *text - start >= 3 && (!is_quoted || take(text, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(const char **text, int most_hours, int64_t *out)
{
    int sign = take(text, '-') ? -1 : 1, hours = 0, minutes = 0, seconds = 0;
    if (sign > 0)
        (void)take(text, '+');
    if (!take_number(text, 0, most_hours, &hours))
        return false;
    bool has_minutes = take(text, ':');
    if (has_minutes && !take_number(text, 0, 59, &minutes))
        return false;
    if (has_minutes && take(text, ':') && !take_number(text, 0, 59, &seconds))
        return false;
    *out = sign * ((int64_t)hours * 3600 + (int64_t)minutes * 60 + seconds);
    return true;
}

/* West is positive in the text. */
static bool take_offset(const char **text, int64_t *out)
{
    if (!take_time(text, 24, out))
        return false;
    *out = -*out;
    return true;
}

static bool take_day(const char **text, struct time_zone_change *out)
{
    if (take(text, 'M')) {
        out->kind = CHANGE_MONTH_WEEK;
        return take_number(text, 1, 12, &out->month) && take(text, '.') &&
               take_number(text, 1, 5, &out->week) && take(text, '.') && take_number(text, 0, 6, &out->day);
    }
    out->kind = take(text, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
    return take_number(text, out->kind == CHANGE_JULIAN, 365, &out->day);
}

static bool take_change(const char **text, struct time_zone_change *out)
{
    *out = (struct time_zone_change){.time_s = INT64_C(7200)};
    return take(text, ',') && take_day(text, out) && (!take(text, '/') || take_time(text, 167, &out->time_s));
}

bool time_zone_rule_parse(const char *text, struct time_zone_rule *out)
{
    *out = (struct time_zone_rule){.has_summer = false};
    if (!take_name(&text) || !take_offset(&text, &out->standard_s))
        return false;
    if (!*text)
        return true;
    out->has_summer = true;
    out->summer_s = out->standard_s + 3600;
    if (!take_name(&text) || (*text && *text != ',' && !take_offset(&text, &out->summer_s)))
        return false;
    return take_change(&text, &out->start) && take_change(&text, &out->end) && !*text;
}

/* -- the calendar ---------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to January 1 of the year. */
static int64_t year_start(int64_t year)
{
    int64_t y = year - 1;
    return 365 * (year - 1970) + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - 477;
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + floor_div(day, 366);
    while (year_start(year + 1) <= day)
        year++;
    return year;
}

static int month_start(int64_t year, int month)
{
    static const int starts[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return starts[month - 1] + (month > 2 && is_leap(year));
}

/* 0: Sunday. 1970-01-01 was a Thursday. */
static int weekday(int64_t day)
{
    int64_t rest = (day + 4) % 7;
    return (int)(rest < 0 ? rest + 7 : rest);
}

static int64_t day_of(const struct time_zone_change *change, int64_t year)
{
    int64_t start = year_start(year);
    if (change->kind == CHANGE_DAY)
        return start + change->day;
    if (change->kind == CHANGE_JULIAN)
        return start + change->day - 1 + (is_leap(year) && change->day >= 60);
    int64_t first = start + month_start(year, change->month);
    int64_t next_month = start + month_start(year, change->month + 1);
    if (change->month == 12)
        next_month = year_start(year + 1);
    int64_t day = first + (change->day - weekday(first) + 7) % 7 + (int64_t)(change->week - 1) * 7;
    return day >= next_month ? day - 7 : day;
}

/* UTC, with the offset that holds until then. */
static int64_t moment_of(const struct time_zone_change *change, int64_t year, int64_t offset_s)
{
    return day_of(change, year) * DAY_S + change->time_s - offset_s;
}

int64_t time_zone_rule_offset_s(const struct time_zone_rule *rule, int64_t now_s)
{
    if (!rule->has_summer)
        return rule->standard_s;
    int64_t year = year_of(floor_div(now_s + rule->standard_s, DAY_S));
    int64_t start_s = moment_of(&rule->start, year, rule->standard_s);
    int64_t end_s = moment_of(&rule->end, year, rule->summer_s);
    bool is_summer = start_s < end_s ? now_s >= start_s && now_s < end_s : now_s >= start_s || now_s < end_s;
    return is_summer ? rule->summer_s : rule->standard_s;
}
