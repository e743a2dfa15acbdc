#include "base/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No number in a manifest is longer; longer text is a string (Go would make a rounded number of it). */
#define LONGEST_NUMBER 400

static const struct word {
    const char *text;
    struct yaml_scalar means;
} words[] = {
    {"", {.type = YAML_NULL}},
    {"~", {.type = YAML_NULL}},
    {"null", {.type = YAML_NULL}},
    {"Null", {.type = YAML_NULL}},
    {"NULL", {.type = YAML_NULL}},
    {"y", {.type = YAML_BOOL, .boolean = true}},
    {"Y", {.type = YAML_BOOL, .boolean = true}},
    {"yes", {.type = YAML_BOOL, .boolean = true}},
    {"Yes", {.type = YAML_BOOL, .boolean = true}},
    {"YES", {.type = YAML_BOOL, .boolean = true}},
    {"true", {.type = YAML_BOOL, .boolean = true}},
    {"True", {.type = YAML_BOOL, .boolean = true}},
    {"TRUE", {.type = YAML_BOOL, .boolean = true}},
    {"on", {.type = YAML_BOOL, .boolean = true}},
    {"On", {.type = YAML_BOOL, .boolean = true}},
    {"ON", {.type = YAML_BOOL, .boolean = true}},
    {"n", {.type = YAML_BOOL}},
    {"N", {.type = YAML_BOOL}},
    {"no", {.type = YAML_BOOL}},
    {"No", {.type = YAML_BOOL}},
    {"NO", {.type = YAML_BOOL}},
    {"false", {.type = YAML_BOOL}},
    {"False", {.type = YAML_BOOL}},
    {"FALSE", {.type = YAML_BOOL}},
    {"off", {.type = YAML_BOOL}},
    {"Off", {.type = YAML_BOOL}},
    {"OFF", {.type = YAML_BOOL}},
    {".nan", {.type = YAML_FLOAT, .real = NAN}},
    {".NaN", {.type = YAML_FLOAT, .real = NAN}},
    {".NAN", {.type = YAML_FLOAT, .real = NAN}},
    {".inf", {.type = YAML_FLOAT, .real = INFINITY}},
    {".Inf", {.type = YAML_FLOAT, .real = INFINITY}},
    {".INF", {.type = YAML_FLOAT, .real = INFINITY}},
    {"+.inf", {.type = YAML_FLOAT, .real = INFINITY}},
    {"+.Inf", {.type = YAML_FLOAT, .real = INFINITY}},
    {"+.INF", {.type = YAML_FLOAT, .real = INFINITY}},
    {"-.inf", {.type = YAML_FLOAT, .real = -INFINITY}},
    {"-.Inf", {.type = YAML_FLOAT, .real = -INFINITY}},
    {"-.INF", {.type = YAML_FLOAT, .real = -INFINITY}},
};
#define LONGEST_WORD 5

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *c)
{
    while (is_digit(*c))
        c++;
    return c;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_float(const char *c)
{
    c += *c == '-' || *c == '+';
    const char *whole = c;
    c = skip_digits(c);
    bool has_whole = c > whole;
    if (*c == '.') {
        const char *fraction = ++c;
        c = skip_digits(c);
        if (!has_whole && c == fraction)
            return false;
    } else if (!has_whole) {
        return false;
    }
    if (*c == 'e' || *c == 'E') {
        c++;
        c += *c == '-' || *c == '+';
        const char *exponent = c;
        c = skip_digits(c);
        if (c == exponent)
            return false;
    }
    return !*c;
}

/* The base that a number's prefix names, and how long the prefix is. */
static int base_of(const char *digits, size_t *prefix)
{
    *prefix = 0;
    if (digits[0] != '0' || !digits[1])
        return 10;
    *prefix = 2;
    switch (digits[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        *prefix = 1;
        return 8;
    }
}

static bool read_integer(const char *text, struct yaml_scalar *out)
{
    bool negative = *text == '-', has_sign = negative || *text == '+';
    const char *digits = text + has_sign;
    size_t prefix;
    int base = base_of(digits, &prefix);
    digits += prefix;
    if (base == 2 && !has_sign && (*digits == '-' || *digits == '+')) /* Go reads "0b-101" so */
        negative = *digits++ == '-';
    if (!is_digit(*digits) && (base != 16 || !strchr("abcdefABCDEF", *digits) || !*digits))
        return false;
    errno = 0;
    char *end;
    unsigned long long magnitude = strtoull(digits, &end, base);
    if (errno || *end)
        return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (magnitude <= limit) {
        out->type = YAML_INT;
        out->integer = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return true;
    }
    if (has_sign)
        return false;
    out->type = YAML_FLOAT;
    out->real = (double)magnitude;
    return true;
}

static void read_number(const char *text, struct yaml_scalar *out)
{
    if (*text != '.' && read_integer(text, out))
        return;
    if (!looks_like_float(text))
        return;
    double real = strtod(text, NULL);
    if (isinf(real))
        return;
    out->type = YAML_FLOAT;
    out->real = real;
}

struct yaml_scalar yaml_scalar_resolve(const char *text, size_t len)
{
    struct yaml_scalar out = {.type = YAML_STRING};
    for (size_t i = 0; len <= LONGEST_WORD && i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0)
            return words[i].means;
    }
    if (!len || len > LONGEST_NUMBER || !(is_digit(*text) || strchr("+-.", *text)))
        return out;
    char number[LONGEST_NUMBER + 1];
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_between = i && i + 1 < len && is_digit(text[i - 1]) && is_digit(text[i + 1]);
        if (!text[i] || (text[i] == '_' && *text == '.' && !is_between))
            return out; /* Go is stricter about underscores where the dot comes first */
        if (text[i] != '_')
            number[used++] = text[i];
    }
    number[used] = '\0';
    read_number(number, &out);
    return out;
}
