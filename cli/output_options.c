#include "cli/output_options.h"

#include "cli/command.h"
#include "cli/say.h"

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

void output_say_none(const struct invocation *invocation)
{
    if (invocation->all_spaces)
        return;
    if (invocation->space)
        say(stderr, "There are no workloads in the namespace %s; -a lists all there are\n",
            invocation->space);
    else
        say(stderr, "There are no workloads in the default namespace; -a lists all there are\n");
}
