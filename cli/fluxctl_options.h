/*
 * The flags that every command of fluxctl had, for finding the daemon. Where the repository itself is worked on, they find
 * nobody and are of no effect, so that scripts go on as they are; a daemon that is named would be asked in vain, and is
 * refused. None of them is listed in --help.
 */
#ifndef CLI_FLUXCTL_OPTIONS_H
#define CLI_FLUXCTL_OPTIONS_H

#include "base/option.h"

extern const struct option_row fluxctl_options[];

#endif
