#include "cache/record_bytes.h"

#include <string.h>

#include "base/alloc.h"

/* -- writing --------------------------------------------------------------------------------------------- */

void record_add_number(struct strbuf *out, uint64_t number)
{
    char bytes[10];
    size_t len = 0;
    for (; number >= 128; number >>= 7)
        bytes[len++] = (char)(number | 128);
    bytes[len++] = (char)number;
    strbuf_add(out, bytes, len);
}

void record_add_signed(struct strbuf *out, int64_t number)
{
    uint64_t bits = (uint64_t)number << 1;
    record_add_number(out, number < 0 ? ~bits : bits);
}

void record_add_text(struct strbuf *out, const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    record_add_number(out, len);
    strbuf_add(out, text, len);
}

/* -- reading --------------------------------------------------------------------------------------------- */

struct record_reader record_reader_of(const struct strbuf *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes->buf;
    return (struct record_reader){.at = at, .end = at + bytes->len};
}

const unsigned char *record_take(struct record_reader *r, size_t len)
{
    if (r->is_bad || (size_t)(r->end - r->at) < len) {
        r->is_bad = true;
        return NULL;
    }
    const unsigned char *bytes = r->at;
    r->at += len;
    return bytes;
}

uint64_t record_take_number(struct record_reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *byte = record_take(r, 1);
        if (!byte)
            return 0;
        uint64_t bits = *byte & 127;
        if (shift == 63 && bits > 1)
            break;
        number |= bits << shift;
        if (*byte < 128) {
            r->is_bad = shift && !bits; /* not the shortest form */
            return number;
        }
    }
    r->is_bad = true;
    return 0;
}

int64_t record_take_signed(struct record_reader *r)
{
    uint64_t bits = record_take_number(r);
    return (int64_t)(bits & 1 ? ~(bits >> 1) : bits >> 1);
}

void record_take_bytes(struct record_reader *r, size_t len, char *out)
{
    const unsigned char *bytes = record_take(r, len);
    if (bytes && memchr(bytes, '\0', len))
        r->is_bad = true;
    if (!bytes || r->is_bad)
        len = 0;
    else
        memcpy(out, bytes, len);
    out[len] = '\0';
}

char *record_take_text(struct record_reader *r, size_t most)
{
    uint64_t len = record_take_number(r);
    if (len > most || len > (size_t)(r->end - r->at))
        r->is_bad = true;
    if (r->is_bad)
        return xstrdup("");
    char *text = xmalloc(len + 1);
    record_take_bytes(r, len, text);
    return text;
}
