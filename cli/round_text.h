/*
 * A round's report for people: what changed and why, what is held, what was applied; problems go to stderr.
 */
#ifndef CLI_ROUND_TEXT_H
#define CLI_ROUND_TEXT_H

#include <stdbool.h>

#include "daemon/repository.h"
#include "daemon/round.h"

/* Prints to stdout; with `dry_run` the unified diff too, which `git apply` takes as it is. */
void round_print(const struct repository *repository, const struct round_report *report, bool dry_run);

/* Prints the problems of single files, workloads and objects to stderr, one line each. */
void round_print_problems(const struct round_report *report);

#endif
