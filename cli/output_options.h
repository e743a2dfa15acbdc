/*
 * How a listing is printed: -o with its old name --output-format, and --no-headers, into the fields of struct invocation.
 */
#ifndef CLI_OUTPUT_OPTIONS_H
#define CLI_OUTPUT_OPTIONS_H

#include "base/option.h"

extern const struct option_row output_options[];

struct invocation;
/* Says on stderr that there is nothing to list where it may be elsewhere: not with -a. */
void output_say_none(const struct invocation *invocation);

#endif
