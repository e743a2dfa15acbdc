#include "updater/regexp_breadth.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

struct regexp_breadth {
    /* Calls out at every step; its other limits do not count them. NULL: with that it is too large for PCRE2. */
    pcre2_code *code;
};

/* PCRE2 wants so many ints for a way, in two lists, and a few for itself. */
#define WORKSPACE (2u * 3u * LIMIT_REGEXP_WAYS + 20u)

struct regexp_breadth *regexp_breadth_new(const char *pcre2_pattern, uint32_t options)
{
    int code;
    PCRE2_SIZE offset;
    struct regexp_breadth *breadth = xcalloc(1, sizeof(*breadth));
    options &= ~(uint32_t)PCRE2_MATCH_INVALID_UTF; /* not to be had here */
    breadth->code = pcre2_compile((PCRE2_SPTR)pcre2_pattern, PCRE2_ZERO_TERMINATED,
                                  options | PCRE2_AUTO_CALLOUT, &code, &offset, NULL);
    return breadth;
}

void regexp_breadth_free(struct regexp_breadth *breadth)
{
    if (!breadth)
        return;
    pcre2_code_free(breadth->code);
    free(breadth);
}

static int count_step(pcre2_callout_block *block, void *steps)
{
    (void)block;
    return ++*(uint32_t *)steps > LIMIT_REGEXP_BREADTH_STEPS ? PCRE2_ERROR_CALLOUT : 0;
}

enum regexp_result regexp_breadth_match(const struct regexp_breadth *breadth, const char *text,
                                        pcre2_match_context *limits)
{
    if (!breadth->code)
        return REGEXP_OVER_LIMIT;
    uint32_t steps = 0;
    int workspace[WORKSPACE];
    pcre2_match_context *context = pcre2_match_context_copy(limits);
    pcre2_match_data *room = pcre2_match_data_create(1, NULL);
    if (!context || !room)
        abort();
    pcre2_set_callout(context, count_step, &steps);
    int result = pcre2_dfa_match(breadth->code, (PCRE2_SPTR)text, strlen(text), 0, PCRE2_DFA_SHORTEST, room,
                                 context, workspace, WORKSPACE);
    pcre2_match_data_free(room);
    pcre2_match_context_free(context);
    if (result >= 0)
        return REGEXP_MATCHES;
    return result == PCRE2_ERROR_NOMATCH ? REGEXP_DIFFERS : REGEXP_OVER_LIMIT;
}
