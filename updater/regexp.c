#include "updater/regexp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "updater/regexp_breadth.h"
#include "updater/regexp_syntax.h"
#include "updater/regexp_template.h"

/* What changes while a regexp is used, by any thread. */
struct usage {
    atomic_uint matches;
    atomic_uint overruns;                     /* tags that stepping back had no end on */
    atomic_uint unknowns;                     /* tags that breadth first did not help with, either */
    _Atomic(pcre2_code *) machine_code;       /* NULL: not made */
    _Atomic(struct regexp_breadth *) breadth; /* NULL: not made */
};

struct regexp {
    pcre2_code *code;
    char *breadth_pattern; /* PCRE2's; NULL: the pattern cannot be tried breadth first */
    uint32_t options;
    pcre2_match_context *limits, *soon; /* soon: those of a pattern that is known to explode */
    struct regexp_template *template;   /* NULL: none */
    struct usage *usage;                /* apart, since the rest never changes */
};

#define COMPILE_OPTIONS                                                                                      \
    (PCRE2_DOLLAR_ENDONLY | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C)

/* Machine code takes 0.1 ms to make, and saves 0.1 to 0.6 µs a tag: a repository of a thousand tags does without it, so that
 * thousands of policies start at once. */
#define REGEXP_MATCHES_TO_PAY 2000u

static void *required(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

/* -- room to match in, one per thread: making it anew for every tag costs as much as a match ---------------- */

static pthread_key_t room_key;
static pthread_once_t room_once = PTHREAD_ONCE_INIT;

static void free_room(void *room)
{
    pcre2_match_data_free(room);
}

static void make_room_key(void)
{
    if (pthread_key_create(&room_key, free_room) != 0)
        abort();
}

static void drop_room(void)
{
    pcre2_match_data_free(pthread_getspecific(room_key));
    pthread_setspecific(room_key, NULL);
}

static pcre2_match_data *room_for(uint32_t groups)
{
    pthread_once(&room_once, make_room_key);
    pcre2_match_data *room = pthread_getspecific(room_key);
    if (room && pcre2_get_ovector_count(room) >= groups)
        return room;
    drop_room();
    room = required(pcre2_match_data_create(groups, NULL));
    if (pthread_setspecific(room_key, room) != 0)
        abort();
    return room;
}

/* ---------------------------------------------------------------------------------------------------------- */

static pcre2_match_context *limits_new(uint32_t steps)
{
    pcre2_match_context *limits = required(pcre2_match_context_create(NULL));
    pcre2_set_match_limit(limits, steps);
    pcre2_set_depth_limit(limits, LIMIT_REGEXP_DEPTH);
    pcre2_set_heap_limit(limits, LIMIT_REGEXP_HEAP_KIB);
    return limits;
}

/* One of two negated properties that follow each other takes what is the other's in PCRE2 10.42 ("\\PL+\\PN" does not match
 * "..") if it is told to give nothing back. */
static uint32_t options_for(const struct regexp_syntax *syntax)
{
    return COMPILE_OPTIONS | (syntax->has_negated_property ? PCRE2_NO_AUTO_POSSESS : 0);
}

/* Takes the pattern out of `syntax` if it will be wanted. */
static struct regexp *regexp_of(pcre2_code *code, struct regexp_syntax *syntax)
{
    struct regexp *regexp = xcalloc(1, sizeof(*regexp));
    regexp->code = code;
    regexp->options = options_for(syntax);
    if (!syntax->depends_on_path)
        regexp->breadth_pattern = strbuf_detach(&syntax->pattern, NULL);
    regexp->limits = limits_new(LIMIT_REGEXP_MATCH);
    regexp->soon = limits_new(LIMIT_REGEXP_SOON);
    regexp->usage = xcalloc(1, sizeof(*regexp->usage));
    return regexp;
}

struct regexp *regexp_new(const char *pattern, struct error *err)
{
    if (str_starts_with(pattern, "(*")) {
        error_set(err, ERROR_INVALID, "a pattern cannot begin with \"(*\" at offset 0");
        return NULL;
    }
    CLEANUP(regexp_syntax_release) struct regexp_syntax syntax = REGEXP_SYNTAX_INIT;
    regexp_syntax_read(&syntax, pattern);
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)syntax.pattern.buf, syntax.pattern.len,
                                         options_for(&syntax), &code, &offset, NULL);
    if (compiled)
        return regexp_of(compiled, &syntax);
    PCRE2_UCHAR message[256] = "";
    pcre2_get_error_message(code, message, sizeof(message));
    error_set(err, ERROR_INVALID, "%s at offset %zu", (const char *)message, syntax.origins[offset]);
    return NULL;
}

void regexp_free(struct regexp *regexp)
{
    if (!regexp)
        return;
    pcre2_code_free(regexp->code);
    pcre2_match_context_free(regexp->limits);
    pcre2_match_context_free(regexp->soon);
    regexp_template_free(regexp->template);
    pcre2_code_free(atomic_load(&regexp->usage->machine_code));
    regexp_breadth_free(atomic_load(&regexp->usage->breadth));
    free(regexp->breadth_pattern);
    free(regexp->usage);
    free(regexp);
}

int regexp_set_template(struct regexp *regexp, const char *text, struct error *err)
{
    struct regexp_template *template = regexp_template_new(text, regexp->code, err);
    if (!template)
        return -1;
    regexp_template_free(regexp->template);
    regexp->template = template;
    return 0;
}

/*
 * Machine code, once the regexp has been used so often that making it pays. It is made of a copy, since others may be at work
 * with the code. Where the system has none, or forbids memory that can be written and run, all goes on as it was.
 */
static void make_machine_code(const struct regexp *regexp)
{
    pcre2_code *copy = required(pcre2_code_copy(regexp->code));
    if (pcre2_jit_compile(copy, PCRE2_JIT_COMPLETE) == 0)
        atomic_store_explicit(&regexp->usage->machine_code, copy, memory_order_release);
    else
        pcre2_code_free(copy);
}

static int run(const struct regexp *regexp, const char *text, pcre2_match_context *limits,
               pcre2_match_data *room)
{
    size_t len = strlen(text);
    struct usage *usage = regexp->usage;
    pcre2_code *fast = atomic_load_explicit(&usage->machine_code, memory_order_acquire);
    if (fast) {
        int result = pcre2_match(fast, (PCRE2_SPTR)text, len, 0, 0, room, limits);
        if (result != PCRE2_ERROR_JIT_STACKLIMIT) /* its stack is small, and the interpreter's is not */
            return result;
    } else if (atomic_fetch_add_explicit(&usage->matches, 1, memory_order_relaxed) == REGEXP_MATCHES_TO_PAY) {
        make_machine_code(regexp);
    }
    return pcre2_match(regexp->code, (PCRE2_SPTR)text, len, 0, 0, room, limits);
}

/* -- stepping back, and breadth first where that has no end ------------------------------------------------- */

static enum regexp_result match_by_steps_back(const struct regexp *regexp, const char *text,
                                              pcre2_match_context *limits, struct strbuf *value)
{
    pcre2_match_data *room = room_for(value ? regexp_template_groups(regexp->template) : 1);
    int result = run(regexp, text, limits, room);
    if (result >= 0 && value)
        regexp_template_expand(regexp->template, text, room, value);
    if (result >= 0)
        return REGEXP_MATCHES;
    if (result == PCRE2_ERROR_NOMATCH)
        return REGEXP_DIFFERS;
    drop_room(); /* it has grown to the limit */
    return REGEXP_OVER_LIMIT;
}

/* Made when it is first wanted; of two threads that make it at once, one throws its own away. */
static const struct regexp_breadth *breadth_of(const struct regexp *regexp)
{
    struct regexp_breadth *made = atomic_load(&regexp->usage->breadth), *fresh = NULL;
    if (made)
        return made;
    fresh = regexp_breadth_new(regexp->breadth_pattern, regexp->options);
    if (atomic_compare_exchange_strong(&regexp->usage->breadth, &made, fresh))
        return fresh;
    regexp_breadth_free(fresh);
    return made;
}

static enum regexp_result match_by_breadth(const struct regexp *regexp, const char *text)
{
    if (!regexp->breadth_pattern)
        return REGEXP_OVER_LIMIT;
    return regexp_breadth_match(breadth_of(regexp), text, regexp->limits);
}

/* Stepping back, and breadth first where that has no end. `value`: NULL if the groups are not wanted. A pattern that has exploded
 * often enough is soon tried breadth first; where that is not enough, since it knows no groups, there is the full limit. */
static enum regexp_result match_either_way(const struct regexp *regexp, const char *text,
                                           struct strbuf *value)
{
    atomic_uint *overruns = &regexp->usage->overruns;
    bool explodes = atomic_load_explicit(overruns, memory_order_relaxed) >= LIMIT_REGEXP_OVERRUNS;
    pcre2_match_context *limits = explodes ? regexp->soon : regexp->limits;
    enum regexp_result result = match_by_steps_back(regexp, text, limits, value);
    if (result != REGEXP_OVER_LIMIT)
        return result;
    if (!explodes)
        atomic_fetch_add_explicit(overruns, 1, memory_order_relaxed);
    enum regexp_result by_breadth = match_by_breadth(regexp, text);
    if (by_breadth == REGEXP_DIFFERS || (by_breadth == REGEXP_MATCHES && !value))
        return by_breadth;
    return explodes ? match_by_steps_back(regexp, text, regexp->limits, value) : REGEXP_OVER_LIMIT;
}

enum regexp_result regexp_match(const struct regexp *regexp, const char *text, struct strbuf *value)
{
    struct usage *usage = regexp->usage;
    if (value)
        strbuf_reset(value);
    if (atomic_load_explicit(&usage->unknowns, memory_order_relaxed) >= LIMIT_REGEXP_OVERRUNS)
        return REGEXP_OVER_LIMIT;
    enum regexp_result result = match_either_way(regexp, text, regexp->template ? value : NULL);
    if (result == REGEXP_OVER_LIMIT)
        atomic_fetch_add_explicit(&usage->unknowns, 1, memory_order_relaxed);
    return result;
}
