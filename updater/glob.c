#include "updater/glob.h"

#include <string.h>

/*
 * Between two stars the leftmost place for the literal is always right: it leaves the most text for what
 * follows. So there is nothing to go back to, and memmem finds the place in linear time.
 */
bool glob_match(const char *pattern, const char *text)
{
    const char *star = strchr(pattern, '*');
    if (!star)
        return strcmp(pattern, text) == 0;
    size_t head = (size_t)(star - pattern);
    if (strncmp(pattern, text, head) != 0)
        return false;
    const char *tail = strrchr(star, '*') + 1;
    size_t left = strlen(text) - head, tail_len = strlen(tail);
    if (left < tail_len)
        return false;
    const char *at = text + head, *end = at + left - tail_len;
    if (memcmp(end, tail, tail_len) != 0)
        return false;
    for (const char *literal = star + 1; literal < tail; literal = star + 1) {
        star = strchr(literal, '*');
        size_t len = (size_t)(star - literal);
        const char *found = memmem(at, (size_t)(end - at), literal, len);
        if (!found)
            return false;
        at = found + len;
    }
    return true;
}
