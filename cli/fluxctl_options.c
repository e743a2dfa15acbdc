#include "cli/fluxctl_options.h"

const struct option_row fluxctl_options[] = {
    {.name = "url",
     .letter = 'u',
     .type = OPTION_NONE,
     .metavar = "URL",
     .refusal = "this version asks no daemon; it works on the repository itself, with --git-url"},
    {.name = "k8s-fwd-ns", .type = OPTION_NONE, .metavar = "NAME"},
    {.name = "k8s-fwd-labels", .type = OPTION_NONE, .metavar = "LABELS"},
    {.name = "timeout", .type = OPTION_NONE, .metavar = "DURATION"},
    {.name = NULL},
};
