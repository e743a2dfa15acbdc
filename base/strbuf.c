#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

char strbuf_empty[1];

void strbuf_init(struct strbuf *b, size_t max)
{
    *b = (struct strbuf)STRBUF_INIT_MAX(max);
}

void strbuf_release(struct strbuf *b)
{
    if (b->size)
        free(b->buf);
    strbuf_init(b, b->max);
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    b->overflowed = false;
    if (b->size)
        b->buf[0] = '\0';
}

char *strbuf_detach(struct strbuf *b, size_t *len)
{
    if (len)
        *len = b->len;
    char *bytes = b->size ? b->buf : xmemdupz("", 0);
    strbuf_init(b, b->max);
    return bytes;
}

/* Makes room for `extra` bytes and the NUL; false (and overflowed) if that goes over the maximum. */
static bool reserve(struct strbuf *b, size_t extra)
{
    if (b->overflowed || (b->max && (extra > b->max || b->len > b->max - extra))) {
        b->overflowed = true;
        return false;
    }
    size_t need = b->len + extra + 1;
    if (need <= b->size)
        return true;
    size_t size = b->size ? b->size : 64;
    while (size < need)
        size += size / 2;
    b->buf = xreallocarray(b->size ? b->buf : NULL, size, 1);
    b->size = size;
    b->buf[b->len] = '\0';
    return true;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
    if (!len || !reserve(b, len))
        return;
    memcpy(b->buf + b->len, bytes, len);
    b->len += len;
    b->buf[b->len] = '\0';
}

void strbuf_addstr(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

void strbuf_addch(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_vaddf(struct strbuf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0 && reserve(b, (size_t)len)) {
        vsnprintf(b->buf + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_vaddf(b, format, args);
    va_end(args);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void strbuf_add_urlencoded(struct strbuf *b, const char *text, const char *keep)
{
    for (const char *c = text; *c; c++) {
        if (is_unreserved(*c) || strchr(keep, *c))
            strbuf_addch(b, *c);
        else
            strbuf_addf(b, "%%%02X", (unsigned char)*c);
    }
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void strbuf_add_base64(struct strbuf *b, const void *bytes, size_t len)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= have > 2 ? (uint32_t)in[i + 2] : 0;
        char out[4];
        for (size_t k = 0; k < 4; k++)
            out[k] = (char)(k <= have ? base64_alphabet[(group >> (18 - 6 * k)) & 63] : '=');
        strbuf_add(b, out, 4);
    }
}

static int base64_value(char c)
{
    if (c == '-')
        c = '+';
    if (c == '_')
        c = '/';
    const char *at = c ? strchr(base64_alphabet, c) : NULL;
    return at ? (int)(at - base64_alphabet) : -1;
}

int strbuf_add_base64_decoded(struct strbuf *b, const char *text, size_t len)
{
    size_t before = b->len;
    while (len && (text[len - 1] == '=' || text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    uint32_t group = 0;
    int bits = 0;
    bool bad = len % 4 == 1;
    for (size_t i = 0; i < len && !bad; i++) {
        int value = base64_value(text[i]);
        bad = value < 0;
        group = (group << 6) | (uint32_t)(value & 63);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            strbuf_addch(b, (char)((group >> bits) & 0xff));
        }
    }
    if (!bad)
        return 0;
    b->len = before;
    if (b->size)
        b->buf[before] = '\0';
    return -1;
}

void strbuf_add_hex(struct strbuf *b, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < len; i++) {
        char pair[2] = {digits[in[i] >> 4], digits[in[i] & 15]};
        strbuf_add(b, pair, 2);
    }
}

void strvec_push(struct strvec *v, const char *text)
{
    strvec_push_owned(v, xstrdup(text));
}

void strvec_push_owned(struct strvec *v, char *text)
{
    vec_grow(v->items, v->len, v->capacity);
    v->items[v->len++] = text;
}

bool strvec_contains(const struct strvec *v, const char *text)
{
    for (size_t i = 0; i < v->len; i++) {
        if (!strcmp(v->items[i], text))
            return true;
    }
    return false;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strvec_sort(struct strvec *v)
{
    if (v->len)
        qsort(v->items, v->len, sizeof(*v->items), compare_items);
}

void strvec_release(struct strvec *v)
{
    for (size_t i = 0; i < v->len; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct strvec)STRVEC_INIT;
}

bool str_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);
    return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

size_t str_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > 63 || lb > 63)
        return 64;
    size_t row[64];
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = best < substitute ? best : substitute;
        }
    }
    return row[lb];
}
