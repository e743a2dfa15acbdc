#include "scanner/oci_config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "model/demand.h"
#include "scanner/oci_platforms.h"

/* What a build tool dates before this day is not dated at all: 1980-01-02T00:00:00Z. */
#define EARLIEST_CREATED_MS INT64_C(315619200000)

static const char *const time_labels[] = {"org.opencontainers.image.created", "org.label-schema.build-date"};
static const char *const schema_labels[] = {"org.label-schema.build-date", "org.label-schema.vcs-ref",
                                            "org.label-schema.vcs-url", "org.label-schema.version"};

int64_t oci_time(const char *text)
{
    int64_t time_ms = 0;
    if (!text || clock_parse_rfc3339(text, &time_ms) < 0 || time_ms < EARLIEST_CREATED_MS)
        return 0;
    return time_ms;
}

static bool is_of_interest(const char *name)
{
    bool is = str_starts_with(name, "org.opencontainers.image.") && strlen(name) <= LIMIT_LABEL_LENGTH;
    for (size_t i = 0; i < ARRAY_LEN(schema_labels); i++)
        is = is || !strcmp(name, schema_labels[i]);
    return is;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Borrowed from `labels`, sorted; free() the array. */
static const char **names_of(json_t *labels, size_t *len)
{
    const char **names = xcalloc(json_object_size(labels) + 1, sizeof(char *));
    const char *name;
    const json_t *value;
    json_object_foreach(labels, name, value)
    {
        if (is_of_interest(name) && json_is_string(value) && json_string_length(value) <= LIMIT_LABEL_LENGTH)
            names[(*len)++] = name;
    }
    if (*len)
        qsort(names, *len, sizeof(*names), compare_names);
    return names;
}

static char *labels_text(json_t *labels)
{
    size_t len = 0, kept = 0;
    AUTO_FREE const char **names = names_of(labels, &len);
    struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, "{");
    for (size_t i = 0; i < len && kept < LIMIT_LABELS; i++) {
        CLEANUP(strbuf_release) struct strbuf pair = STRBUF_INIT;
        json_add_string(&pair, names[i]);
        strbuf_addstr(&pair, ":");
        json_add_string(&pair, json_string_at(labels, names[i]));
        if (text.len + pair.len + 2 <= LIMIT_LABELS_BYTES)
            strbuf_addf(&text, "%s%s", kept++ ? "," : "", pair.buf);
    }
    strbuf_addstr(&text, "}");
    return strbuf_detach(&text, NULL);
}

static int64_t labelled_ms(const json_t *labels)
{
    int64_t time_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(time_labels) && !time_ms; i++)
        time_ms = oci_time(json_string_at(labels, time_labels[i]));
    return time_ms;
}

int oci_config_read(const char *text, size_t len, struct image_facts *out, struct error *err)
{
    *out = (struct image_facts)IMAGE_FACTS_INIT;
    AUTO_JSON json_t *config = json_read(text, len, err);
    if (!config)
        return error_wrap(err, "the image config");
    if (!json_is_object(config))
        return error_set(err, ERROR_INVALID, "the image config is no JSON object");
    json_t *labels = json_object_get(json_object_get(config, "config"), "Labels");
    char *platform = oci_platform_name(config);
    *out = (struct image_facts){.known = DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS,
                                .created_ms = oci_time(json_string_at(config, "created")),
                                .labelled_ms = labelled_ms(labels),
                                .platforms = platform ? platform : xstrdup(""),
                                .labels = labels_text(labels)};
    return 0;
}
