/*
 * Short names for the compiler attributes that carry a contract: what must be checked, what is a format, what
 * is released when it goes out of scope. gcc 12 and clang 14 know all of them.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/* The result says whether it worked; dropping it is a bug. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* A printf-like function: argument `at` is the format, `first` the first value (0: a va_list). */
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/*
 * Calls `release(&variable)` when the variable's scope ends, in whatever way it ends. The only clean-up idiom
 * of this code: CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
 */
#define CLEANUP(release) __attribute__((cleanup(release)))

#define UNUSED __attribute__((unused))

/* The number of elements of an array (not of a pointer). */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
