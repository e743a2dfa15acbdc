#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *context UNUSED)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *context UNUSED)
{
    return read_clock(CLOCK_MONOTONIC);
}

const struct clock system_clock = {system_wall_ms, system_monotonic_ms, NULL};

void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
    int64_t fraction = wall_ms % 1000;
    if (fraction < 0)
        fraction += 1000;
    time_t seconds = (time_t)((wall_ms - fraction) / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm))
        memset(&tm, 0, sizeof(tm));
    /* Not %Y: it writes the year 1, which image builders use for "unknown", with one digit. */
    size_t len = (size_t)snprintf(out, CLOCK_RFC3339_SIZE, "%04d", tm.tm_year + 1900);
    len += strftime(out + len, CLOCK_RFC3339_SIZE - len, "-%m-%dT%H:%M:%S", &tm);
    if (fraction)
        snprintf(out + len, CLOCK_RFC3339_SIZE - len, ".%03dZ", (int)fraction);
    else
        snprintf(out + len, CLOCK_RFC3339_SIZE - len, "Z");
}

/* Reads exactly `count` digits and moves on; -1 if they are not there. */
static int take_digits(const char **at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* -1 if there is no digit. */
static int take_fraction_ms(const char **at)
{
    int value = 0, scale = 100;
    if (**at < '0' || **at > '9')
        return -1;
    while (**at >= '0' && **at <= '9') {
        value += (**at - '0') * scale;
        scale /= 10;
        (*at)++;
    }
    return value;
}

/* "Z", "+01:00" or "-0500"; minutes east of UTC, or INT_MIN-like 100000 if malformed. */
static int take_offset_minutes(const char **at)
{
    if (take(at, 'Z') || take(at, 'z'))
        return 0;
    int sign = **at == '-' ? -1 : 1;
    if (!take(at, '+') && !take(at, '-'))
        return 100000;
    int hours = take_digits(at, 2);
    take(at, ':');
    int minutes = take_digits(at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return 100000;
    return sign * (hours * 60 + minutes);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

int clock_parse_rfc3339(const char *text, int64_t *wall_ms)
{
    const char *at = text;
    struct tm tm = {0};
    int year = take_digits(&at, 4);
    bool good = year >= 0 && take(&at, '-');
    int month = good ? take_digits(&at, 2) : -1;
    good = good && take(&at, '-');
    int day = good ? take_digits(&at, 2) : -1;
    good = good && (take(&at, 'T') || take(&at, 't') || take(&at, ' '));
    int hour = good ? take_digits(&at, 2) : -1;
    good = good && take(&at, ':');
    int minute = good ? take_digits(&at, 2) : -1;
    good = good && take(&at, ':');
    int second = good ? take_digits(&at, 2) : -1;
    if (!good || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    int fraction_ms = take(&at, '.') ? take_fraction_ms(&at) : 0;
    int offset = take_offset_minutes(&at);
    if (fraction_ms < 0 || offset == 100000 || *at)
        return -1;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    *wall_ms = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + fraction_ms;
    return 0;
}

/* A unit that begins like another stands before it. µ is U+00B5 or U+03BC, as in Go. */
static const struct {
    const char *name;
    double ms;
} units[] = {{"d", 86400000}, {"h", 3600000},       {"ms", 1},
             {"m", 60000},    {"s", 1000},          {"us", 0.001},
             {"ns", 1e-6},    {"\xc2\xb5s", 0.001}, {"\xce\xbcs", 0.001}};

int clock_parse_duration(const char *text, int64_t *duration_ms)
{
    if (!strcmp(text, "0")) {
        *duration_ms = 0;
        return 0;
    }
    double total = 0;
    const char *at = text;
    do {
        double number = 0, scale = 0;
        bool digits = false;
        for (; (*at >= '0' && *at <= '9') || (*at == '.' && scale == 0); at++) {
            if (*at == '.') {
                scale = 1;
                continue;
            }
            digits = true;
            number = number * 10 + (*at - '0');
            scale *= 10;
        }
        size_t unit = 0;
        while (unit < ARRAY_LEN(units) && strncmp(at, units[unit].name, strlen(units[unit].name)) != 0)
            unit++;
        if (!digits || unit == ARRAY_LEN(units))
            return -1;
        at += strlen(units[unit].name);
        total += number * units[unit].ms / (scale > 0 ? scale : 1);
    } while (*at);
    if (!(total <= 1e15)) /* also where so many digits were given that it is no number any more */
        return -1;
    *duration_ms = (int64_t)total;
    return 0;
}

void clock_format_duration(int64_t duration_ms, char out[CLOCK_DURATION_SIZE])
{
    int64_t ms = duration_ms % 1000, s = duration_ms / 1000, h = s / 3600, m = s / 60 % 60;
    s %= 60;
    size_t len = 0;
    out[0] = '\0';
    if (h)
        len += (size_t)snprintf(out + len, CLOCK_DURATION_SIZE - len, "%" PRId64 "h", h);
    if (m)
        len += (size_t)snprintf(out + len, CLOCK_DURATION_SIZE - len, "%" PRId64 "m", m);
    if (s || (!len && !ms))
        len += (size_t)snprintf(out + len, CLOCK_DURATION_SIZE - len, "%" PRId64 "s", s);
    if (ms)
        snprintf(out + len, CLOCK_DURATION_SIZE - len, "%" PRId64 "ms", ms);
}
