#include "updater/semver.h"

#include <string.h>

#include "updater/semver_reader.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_identifier_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* So many digits always are a number of 64 bits. */
#define SAFE_DIGITS 19

bool semver_read_number(const char **cursor, uint64_t *out)
{
    const char *p = *cursor;
    uint64_t value = 0;
    if (!is_digit(*p))
        return false;
    for (const char *safe = p + SAFE_DIGITS; is_digit(*p) && p < safe; p++)
        value = 10 * value + (uint64_t)(*p - '0');
    for (; is_digit(*p); p++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return false;
    }
    *cursor = p;
    *out = value;
    return true;
}

/* One identifier of a pre-release or of build metadata; only in the latter may numbers have leading zeros. */
static bool read_identifier(const char **cursor, bool may_lead_with_zero)
{
    const char *p = *cursor;
    bool is_number = true;
    for (; is_identifier_char(*p); p++)
        is_number = is_number && is_digit(*p);
    size_t len = (size_t)(p - *cursor);
    if (len == 0 || (is_number && len > 1 && **cursor == '0' && !may_lead_with_zero))
        return false;
    *cursor = p;
    return true;
}

static bool read_identifiers(const char **cursor, bool may_lead_with_zero)
{
    while (read_identifier(cursor, may_lead_with_zero)) {
        if (**cursor != '.')
            return true;
        (*cursor)++;
    }
    return false;
}

bool semver_read_suffixes(const char **cursor, struct semver *out)
{
    out->prerelease = NULL;
    out->prerelease_len = 0;
    if (**cursor == '-') {
        out->prerelease = ++*cursor;
        if (!read_identifiers(cursor, false))
            return false;
        out->prerelease_len = (size_t)(*cursor - out->prerelease);
    }
    if (**cursor != '+')
        return true;
    (*cursor)++;
    return read_identifiers(cursor, true);
}

bool semver_parse(const char *text, struct semver *out)
{
    const char *p = text + (*text == 'v');
    uint64_t numbers[3] = {0};
    int parts = 0;
    do {
        if (parts > 0)
            p++;
        if (!semver_read_number(&p, &numbers[parts++]))
            return false;
    } while (parts < 3 && *p == '.');
    out->major = numbers[0];
    out->minor = numbers[1];
    out->patch = numbers[2];
    out->parts = parts;
    out->prerelease = NULL;
    out->prerelease_len = 0;
    return *p == '\0' || (semver_read_suffixes(&p, out) && *p == '\0');
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
    }
    return true;
}

/* Numbers come before words, and have no leading zeros here, so that the longer one is the higher. */
static int compare_identifiers(const char *a, size_t a_len, const char *b, size_t b_len)
{
    bool a_is_number = all_digits(a, a_len), b_is_number = all_digits(b, b_len);
    if (a_is_number != b_is_number)
        return a_is_number ? -1 : 1;
    if (a_is_number && a_len != b_len)
        return a_len < b_len ? -1 : 1;
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : semver_compare_numbers(a_len, b_len);
}

static size_t identifier_length(const char *text, const char *end)
{
    const char *dot = memchr(text, '.', (size_t)(end - text));
    return (size_t)((dot ? dot : end) - text);
}

int semver_compare_prereleases(const struct semver *a, const struct semver *b)
{
    if (!a->prerelease || !b->prerelease)
        return !!b->prerelease - !!a->prerelease;
    const char *x = a->prerelease, *x_end = x + a->prerelease_len;
    const char *y = b->prerelease, *y_end = y + b->prerelease_len;
    for (;;) {
        size_t x_len = identifier_length(x, x_end), y_len = identifier_length(y, y_end);
        int order = compare_identifiers(x, x_len, y, y_len);
        x += x_len;
        y += y_len;
        if (order || x == x_end || y == y_end)
            return order ? order : (x != x_end) - (y != y_end);
        x++;
        y++;
    }
}

int semver_compare(const struct semver *a, const struct semver *b)
{
    int order = semver_compare_parts(a, b, 3);
    return order ? order : semver_compare_prereleases(a, b);
}
