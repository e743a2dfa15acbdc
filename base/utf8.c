#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The second byte's range is narrower after some first bytes (RFC 3629 section 4). */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

size_t utf8_char_length(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    if (!len)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (need > len || !second_fits(s[0], s[1]))
        return 0;
    for (size_t i = 1; i < need; i++) {
        if (!utf8_is_continuation(bytes[i]))
            return 0;
    }
    return need;
}

size_t utf8_ascii_length(const char *bytes, size_t len)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (uint64_t word; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        if (word & high_bits)
            break;
    }
    while (i < len && !((unsigned char)bytes[i] & 0x80))
        i++;
    return i;
}

size_t utf8_valid_length(const char *bytes, size_t len)
{
    size_t i = 0;
    while (i < len) {
        i += utf8_ascii_length(bytes + i, len - i);
        if (i == len)
            break;
        size_t step = utf8_char_length(bytes + i, len - i);
        if (!step)
            break;
        i += step;
    }
    return i;
}

size_t utf8_count(const char *bytes, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += !utf8_is_continuation(bytes[i]);
    return count;
}
