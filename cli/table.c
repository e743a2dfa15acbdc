#include "cli/table.h"

#include <libsmartcols.h>
#include <stdlib.h>

#include "base/alloc.h"

struct table {
    struct libscols_table *columns;
    size_t len;
};

struct table *table_new(const char *const *headings, bool no_headers)
{
    struct table *table = xcalloc(1, sizeof(*table));
    table->columns = scols_new_table();
    scols_table_enable_noheadings(table->columns, no_headers);
    scols_table_set_column_separator(table->columns, "  ");
    for (; headings[table->len]; table->len++)
        scols_table_new_column(table->columns, headings[table->len], 0, 0);
    return table;
}

void table_add(struct table *table, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(table->columns, NULL);
    for (size_t i = 0; i < table->len; i++)
        scols_line_set_data(line, i, cells[i] ? cells[i] : "");
}

void table_print(struct table *table)
{
    scols_table_set_stream(table->columns, stdout);
    scols_print_table(table->columns);
    scols_unref_table(table->columns);
    free(table);
}
