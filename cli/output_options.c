#include "cli/output_options.h"

#include "cli/command.h"

#define AT(field) offsetof(struct invocation, field)

const struct option_row output_options[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .offset = AT(output),
     .fallback = "table",
     .metavar = "FORMAT",
     .group = "Output",
     .choices = "table|tab|json|wide|name",
     .help = "Form of the output"},
    {.name = "output-format", /* fluxctl's long name */
     .type = OPTION_STRING,
     .offset = AT(output),
     .metavar = "FORMAT",
     .choices = "table|tab|json|wide|name"},
    {.name = "no-headers",
     .type = OPTION_BOOL,
     .offset = AT(no_headers),
     .group = "Output",
     .help = "Leave out the heading of a table"},
    {.name = NULL},
};
