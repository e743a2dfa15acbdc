#include "cli/result_table.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/table.h"
#include "daemon/result_json.h"
#include "model/image_ref.h"

bool result_is_shown(const struct workload_result *result, const struct result_format *format)
{
    if (result->is_named)
        return true;
    switch (result->status) {
    case RESULT_IGNORED:
        return format->verbosity > 1;
    case RESULT_SKIPPED:
        return format->verbosity > 0;
    case RESULT_SUCCESS:
    case RESULT_FAILED:
        break;
    }
    return true;
}

/* The tag alone where that is all that changes, else the whole reference. */
char *result_update_text(const struct container_update *update)
{
    CLEANUP(image_ref_release) struct image_ref from = IMAGE_REF_INIT;
    CLEANUP(image_ref_release) struct image_ref to = IMAGE_REF_INIT;
    const char *target = update->target;
    if (image_ref_parse_any(update->current, &from, NULL) == 0 &&
        image_ref_parse_any(target, &to, NULL) == 0 && to.tag && !to.digest && from.name_len == to.name_len &&
        !memcmp(from.text, to.text, to.name_len))
        target = to.tag;
    return xasprintf("%s: %s -> %s", update->container, update->current, target);
}

static void add_result(struct table *table, const struct workload_result *result)
{
    const char *cells[] = {result->workload, result_status_name(result->status), ""};
    size_t lines = 0;
    if ((result->message && *result->message) || !result->updates_len) {
        cells[2] = result->message ? result->message : "";
        table_add(table, cells);
        lines++;
    }
    for (size_t i = 0; i < result->updates_len; i++, lines++) {
        AUTO_FREE char *text = result_update_text(&result->updates[i]);
        const char *row[] = {lines ? "" : cells[0], lines ? "" : cells[1], text};
        table_add(table, row);
    }
}

static void print_table(const struct result_list *results, const struct result_format *format)
{
    static const char *const headings[] = {"WORKLOAD", "STATUS", "UPDATES", NULL};
    size_t shown = 0;
    for (size_t i = 0; i < results->len; i++)
        shown += result_is_shown(&results->items[i], format);
    if (!shown)
        return;
    struct table *table = table_new(headings, format->no_headers);
    for (size_t i = 0; i < results->len; i++) {
        if (result_is_shown(&results->items[i], format))
            add_result(table, &results->items[i]);
    }
    table_print(table);
}

size_t result_count_hidden(const struct result_list *results, const struct result_format *format,
                           enum result_status status)
{
    size_t len = 0;
    for (size_t i = 0; i < results->len && !format->is_json; i++)
        len += results->items[i].status == status && !result_is_shown(&results->items[i], format);
    return len;
}

void result_print(const struct result_list *results, const struct result_format *format)
{
    if (!format->is_json) {
        print_table(results, format);
        return;
    }
    AUTO_JSON json_t *json = result_list_json(results);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, json, 2);
    puts(text.buf);
}
