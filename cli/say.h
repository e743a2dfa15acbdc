/*
 * Text for people, on stdout or stderr. What comes from a repository or a registry may hold anything, so control
 * characters (which a terminal would obey) become "?", and passwords in URLs are masked.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdio.h>

#include "base/attr.h"

/* Line feeds and tabs stay. */
void say(FILE *to, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
