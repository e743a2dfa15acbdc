/*
 * Rows of option tables that several commands have, into the fields of struct invocation (cli/command.h). What differs is
 * an argument: the group, the forms of output, the words.
 */
#ifndef CLI_OPTION_ROWS_H
#define CLI_OPTION_ROWS_H

#include <stddef.h>

#include "base/option.h"
#include "cli/command.h"

#define AT(field) offsetof(struct invocation, field)

#define COMMAND_GROUP "Command"

#define SPACE_ROW(words)                                                                                     \
    {                                                                                                        \
        .name = "namespace", .letter = 'n', .type = OPTION_STRING, .offset = AT(space), .metavar = "NAME",   \
        .group = COMMAND_GROUP, .help = (words)                                                              \
    }
#define ALL_SPACES_ROW                                                                                       \
    {                                                                                                        \
        .name = "all-namespaces", .letter = 'a', .type = OPTION_BOOL, .offset = AT(all_spaces),              \
        .group = COMMAND_GROUP, .help = "Workloads of all namespaces"                                        \
    }
/* One workload, and fluxctl's old name of it, which is not in --help. */
#define WORKLOAD_ROWS(words)                                                                                 \
    {.name = "workload",                                                                                     \
     .letter = 'w',                                                                                          \
     .type = OPTION_STRING,                                                                                  \
     .offset = AT(workload),                                                                                 \
     .metavar = "ID",                                                                                        \
     .group = COMMAND_GROUP,                                                                                 \
     .help = (words)},                                                                                       \
    {                                                                                                        \
        .name = "controller", .letter = 'c', .type = OPTION_STRING, .offset = AT(workload), .metavar = "ID"  \
    }
#define REPOSITORY_ROW(verb)                                                                                 \
    {                                                                                                        \
        .name = "repository", .type = OPTION_STRING, .offset = AT(repository), .metavar = "NAME",            \
        .group = COMMAND_GROUP,                                                                              \
        .help = "Where several repositories are configured: the one to " verb                                \
                "; else the one that has the workload"                                                       \
    }
#define LIMIT_ROW(words)                                                                                     \
    {                                                                                                        \
        .name = "limit", .letter = 'l', .type = OPTION_INT, .offset = AT(limit), .fallback = "10",           \
        .metavar = "N", .group = COMMAND_GROUP, .help = (words)                                              \
    }
#define DRY_RUN_ROW(words)                                                                                   \
    {                                                                                                        \
        .name = "dry-run", .type = OPTION_BOOL, .offset = AT(dry_run), .group = COMMAND_GROUP,               \
        .help = (words)                                                                                      \
    }
#define OUTPUT_ROW(in_group, forms, words)                                                                   \
    {                                                                                                        \
        .name = "output", .letter = 'o', .type = OPTION_STRING, .offset = AT(output), .fallback = "table",   \
        .metavar = "FORMAT", .group = (in_group), .choices = (forms), .help = (words)                        \
    }
#define NO_HEADERS_ROW(in_group)                                                                             \
    {                                                                                                        \
        .name = "no-headers", .type = OPTION_BOOL, .offset = AT(no_headers), .group = (in_group),            \
        .help = "Leave out the heading of a table"                                                           \
    }

#endif
