/*
 * Memory. Allocation failure ends the process with a message on stderr: every input is limited, so running
 * out is not a state that callers can do anything useful about, and a supervisor starts us again.
 * Everything returned here is released with free().
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

void *xmalloc(size_t size) MUST_CHECK;
/* Zeroed; the product is checked for overflow. */
void *xcalloc(size_t count, size_t size) MUST_CHECK;
void *xreallocarray(void *pointer, size_t count, size_t size) MUST_CHECK;
/* NULL gives NULL. */
char *xstrdup(const char *text) MUST_CHECK;
/* The first `length` bytes and a NUL; the bytes may hold NULs themselves. */
char *xmemdupz(const void *bytes, size_t length) MUST_CHECK;
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2) MUST_CHECK;
char *xvasprintf(const char *format, va_list args) PRINTF_LIKE(1, 0) MUST_CHECK;

/* For CLEANUP: frees the pointer that the variable holds. */
void free_pointer(void *variable);
#define AUTO_FREE CLEANUP(free_pointer)

/* Takes the pointer out of a variable (which becomes NULL), so that its clean-up leaves it alone. */
#define steal(variable)                                                                                      \
    (__extension__({                                                                                         \
        __typeof__(*(variable)) stolen_ = *(variable);                                                       \
        *(variable) = NULL;                                                                                  \
        stolen_;                                                                                             \
    }))

/*
 * Makes room for one more element in a growing array of `capacity` elements of which `length` are in use:
 * vec_grow(items, length, capacity); items[length++] = x;
 */
#define vec_grow(items, length, capacity)                                                                    \
    do {                                                                                                     \
        if ((length) == (capacity)) {                                                                        \
            (capacity) = (capacity) ? (capacity)*2 : 8;                                                      \
            (items) = xreallocarray((items), (capacity), sizeof(*(items)));                                  \
        }                                                                                                    \
    } while (0)

#endif
