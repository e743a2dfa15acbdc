/*
 * Tables on stdout, by libsmartcols: columns as wide as their text, no more, two spaces between.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

/* `headings` ends with NULL; without headings printed if `no_headers`. */
struct table *table_new(const char *const *headings, bool no_headers);
/* One row: as many texts as there are headings; copied. NULL is an empty cell. */
void table_add(struct table *table, const char *const *cells);
/* Prints it and frees it. */
void table_print(struct table *table);

#endif
