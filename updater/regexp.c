#include "updater/regexp.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "base/limits.h"

/* No just-in-time code: it is memory per policy, and tags are short. */
struct regexp {
    pcre2_code *code;
    pcre2_match_context *limits;
    atomic_uint *overruns; /* apart, since the rest never changes */
};

/* A pattern must not switch on UTF-8 by itself: that would make it fail on tags that are not. */
#define COMPILE_OPTIONS (PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C)

static void *required(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

static pcre2_match_context *limits_new(void)
{
    pcre2_match_context *limits = required(pcre2_match_context_create(NULL));
    pcre2_set_match_limit(limits, LIMIT_REGEXP_MATCH);
    pcre2_set_depth_limit(limits, LIMIT_REGEXP_DEPTH);
    pcre2_set_heap_limit(limits, LIMIT_REGEXP_HEAP_KIB);
    return limits;
}

struct regexp *regexp_new(const char *pattern, struct error *err)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, COMPILE_OPTIONS, &code, &offset, NULL);
    if (!compiled) {
        PCRE2_UCHAR message[256] = "";
        pcre2_get_error_message(code, message, sizeof(message));
        error_set(err, ERROR_INVALID, "%s at offset %zu", (const char *)message, (size_t)offset);
        return NULL;
    }
    struct regexp *regexp = xcalloc(1, sizeof(*regexp));
    regexp->code = compiled;
    regexp->limits = limits_new();
    regexp->overruns = xcalloc(1, sizeof(*regexp->overruns));
    return regexp;
}

void regexp_free(struct regexp *regexp)
{
    if (!regexp)
        return;
    pcre2_code_free(regexp->code);
    pcre2_match_context_free(regexp->limits);
    free(regexp->overruns);
    free(regexp);
}

enum regexp_result regexp_match(const struct regexp *regexp, const char *text)
{
    if (atomic_load_explicit(regexp->overruns, memory_order_relaxed) >= LIMIT_REGEXP_OVERRUNS)
        return REGEXP_OVER_LIMIT;
    pcre2_match_data *match = required(pcre2_match_data_create(1, NULL));
    int result = pcre2_match(regexp->code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, regexp->limits);
    pcre2_match_data_free(match);
    if (result >= 0)
        return REGEXP_MATCHES;
    if (result == PCRE2_ERROR_NOMATCH)
        return REGEXP_DIFFERS;
    atomic_fetch_add_explicit(regexp->overruns, 1, memory_order_relaxed);
    return REGEXP_OVER_LIMIT;
}
