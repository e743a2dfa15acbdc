/*
 * Globs as Flux v1 read them (ryanuber/go-glob): "*" stands for any run of characters, none included; every
 * other character stands for itself, "?" and "[" too. The whole text must match; case counts.
 */
#ifndef UPDATER_GLOB_H
#define UPDATER_GLOB_H

#include <stdbool.h>

#include "base/attr.h"

/* Takes time linear in both lengths, whatever the pattern is. Never allocates. */
bool glob_match(const char *pattern, const char *text);

#endif
