/*
 * The results of a job for people, as fluxctl printed them:
 *
 *     WORKLOAD                STATUS   UPDATES
 *     default:deployment/app  success  app: example.test/app:1 -> 2
 *     default:deployment/web  failed   not found in repository
 */
#ifndef CLI_RESULT_TABLE_H
#define CLI_RESULT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/job.h"

struct result_format {
    bool is_json; /* all results, as daemon/result_json.h */
    bool no_headers;
    int64_t
        verbosity; /* of the table: from 1 on with what was skipped, from 2 on with what was not meant; what was
                          named is always there */
};

/* Whether a table of that form has the result. */
bool result_is_shown(const struct workload_result *result, const struct result_format *format);
/* "app: example.test/app:1 -> 2": the tag alone where that is all that changes, else the whole reference. free() it. */
char *result_update_text(const struct container_update *update) MUST_CHECK;
/* How many workloads have that status and are not shown. */
size_t result_count_hidden(const struct result_list *results, const struct result_format *format,
                           enum result_status status);
/* Prints to stdout; no table where no row is to be shown. */
void result_print(const struct result_list *results, const struct result_format *format);

#endif
