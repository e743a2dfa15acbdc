#include "base/time_zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/time_zone_rule.h"

#define HEADER_SIZE 44
#define TYPE_SIZE   6

struct time_zone {
    int64_t *times_s;   /* of the changes, rising */
    int32_t *offsets_s; /* from each of them on */
    size_t len;
    int32_t first_offset_s; /* before the first */
    bool has_rule;
    struct time_zone_rule rule; /* after the last */
};

/* The counts of a header, in its order. */
enum { COUNT_UTC, COUNT_STANDARD, COUNT_LEAPS, COUNT_TIMES, COUNT_TYPES, COUNT_CHARS, COUNTS };

static uint64_t read_number(const char *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static bool read_header(const char *bytes, size_t len, size_t counts[COUNTS])
{
    static const size_t counts_at = 20;
    if (len < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return false;
    for (size_t i = 0; i < COUNTS; i++) {
        counts[i] = (size_t)read_number(bytes + counts_at + 4 * i, 4);
        if (counts[i] > len)
            return false;
    }
    return true;
}

static size_t block_size(const size_t counts[COUNTS], size_t time_size)
{
    return counts[COUNT_TIMES] * (time_size + 1) + counts[COUNT_TYPES] * TYPE_SIZE + counts[COUNT_CHARS] +
           counts[COUNT_LEAPS] * (time_size + 4) + counts[COUNT_STANDARD] + counts[COUNT_UTC];
}

static int32_t offset_of_type(const char *types, size_t type)
{
    return (int32_t)(uint32_t)read_number(types + type * TYPE_SIZE, 4);
}

/* A day and an hour: the widest that RFC 8536 has. */
static bool is_offset(int32_t offset_s)
{
    return offset_s > -90000 && offset_s < 93600;
}

static bool read_table(struct time_zone *zone, const char *block, const size_t counts[COUNTS])
{
    const char *indices = block + counts[COUNT_TIMES] * 8;
    const char *types = indices + counts[COUNT_TIMES];
    if (!counts[COUNT_TYPES])
        return false;
    zone->len = counts[COUNT_TIMES];
    zone->times_s = xcalloc(zone->len + 1, sizeof(*zone->times_s));
    zone->offsets_s = xcalloc(zone->len + 1, sizeof(*zone->offsets_s));
    zone->first_offset_s = offset_of_type(types, 0);
    bool is_good = is_offset(zone->first_offset_s);
    for (size_t i = 0; i < zone->len && is_good; i++) {
        size_t type = (unsigned char)indices[i];
        zone->times_s[i] = (int64_t)read_number(block + i * 8, 8);
        is_good = type < counts[COUNT_TYPES] && (i == 0 || zone->times_s[i] > zone->times_s[i - 1]);
        zone->offsets_s[i] = is_good ? offset_of_type(types, type) : 0;
        is_good = is_good && is_offset(zone->offsets_s[i]);
    }
    return is_good;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; empty where the last change of the table holds for ever. */
static bool read_footer(struct time_zone *zone, const char *footer, size_t len)
{
    if (len < 2 || footer[0] != '\n')
        return false;
    const char *end = memchr(footer + 1, '\n', len - 1);
    if (!end)
        return false;
    AUTO_FREE char *text = xmemdupz(footer + 1, (size_t)(end - footer - 1));
    zone->has_rule = *text != '\0';
    return !zone->has_rule || time_zone_rule_parse(text, &zone->rule);
}

static bool read_all(struct time_zone *zone, const char *bytes, size_t len)
{
    size_t counts[COUNTS];
    if (!read_header(bytes, len, counts))
        return false;
    size_t skipped = HEADER_SIZE + block_size(counts, 4);
    if (skipped > len || !read_header(bytes + skipped, len - skipped, counts))
        return false;
    const char *block = bytes + skipped + HEADER_SIZE;
    size_t left = len - skipped - HEADER_SIZE, size = block_size(counts, 8);
    return size <= left && read_table(zone, block, counts) && read_footer(zone, block + size, left - size);
}

struct time_zone *time_zone_parse(const char *bytes, size_t len, struct error *err)
{
    struct time_zone *zone = xcalloc(1, sizeof(*zone));
    if (read_all(zone, bytes, len))
        return zone;
    time_zone_free(zone);
    error_set(err, ERROR_INVALID, "not a table of a time zone (TZif of version 2 or later)");
    return NULL;
}

void time_zone_free(struct time_zone *zone)
{
    if (!zone)
        return;
    free(zone->times_s);
    free(zone->offsets_s);
    free(zone);
}

static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) || strlen(name) > LIMIT_TIME_ZONE_NAME || strstr(name, "//"))
        return false;
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("_+-/", *c))
            return false;
    }
    return true;
}

struct time_zone *time_zone_load(const char *directory, const char *name, struct error *err)
{
    if (!is_name(name)) {
        error_set(err, ERROR_INVALID, "\"%.80s\" is no name of a time zone, such as Europe/Berlin", name);
        return NULL;
    }
    if (!strcmp(name, "UTC"))
        return xcalloc(1, sizeof(struct time_zone));
    AUTO_FREE char *path = file_join(directory, name);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct error problem = ERROR_INIT;
    if (file_read(path, LIMIT_TIME_ZONE_BYTES, &bytes, &problem) < 0) {
        error_set(err, problem.code == ERROR_NOT_FOUND ? ERROR_NOT_FOUND : ERROR_INVALID,
                  "there is no time zone %s here; write it as Europe/Berlin or UTC, and see that tzdata is "
                  "installed (%s)",
                  name, problem.text);
        return NULL;
    }
    struct time_zone *zone = time_zone_parse(bytes.buf, bytes.len, err);
    if (!zone)
        error_wrap(err, "%s", path);
    return zone;
}

static int64_t floor_seconds(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

int64_t time_zone_offset_ms(const struct time_zone *zone, int64_t wall_ms)
{
    int64_t now_s = floor_seconds(wall_ms);
    size_t low = 0, high = zone->len; /* the first change after now */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->times_s[middle] <= now_s)
            low = middle + 1;
        else
            high = middle;
    }
    int64_t offset_s = low ? zone->offsets_s[low - 1] : zone->first_offset_s;
    if (low == zone->len && zone->has_rule)
        offset_s = time_zone_rule_offset_s(&zone->rule, now_s);
    return offset_s * 1000;
}
