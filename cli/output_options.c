#include "cli/output_options.h"

#include "cli/command.h"
#include "cli/option_rows.h"
#include "cli/say.h"

const struct option_row output_options[] = {
    OUTPUT_ROW("Output", "table|tab|json|wide|name", "Form of the output"),
    {.name = "output-format", /* fluxctl's long name */
     .type = OPTION_STRING,
     .offset = AT(output),
     .metavar = "FORMAT",
     .choices = "table|tab|json|wide|name"},
    NO_HEADERS_ROW("Output"),
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
