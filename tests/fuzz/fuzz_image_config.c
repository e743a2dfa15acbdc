/* An image config: its dates are unknown or ones that an image can have, its labels are JSON of strings within the
 * limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "scanner/oci_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(int64_t time_ms)
{
    if (time_ms && time_ms < INT64_C(315532800000))
        abort();
}

static void check_labels(const char *text)
{
    AUTO_JSON json_t *labels = json_read(text, strlen(text), NULL);
    const char *name;
    const json_t *value;
    if (!json_is_object(labels) || json_object_size(labels) > LIMIT_LABELS ||
        strlen(text) > LIMIT_LABELS_BYTES)
        abort();
    json_object_foreach(labels, name, value)
    {
        if (!json_is_string(value) || json_string_length(value) > LIMIT_LABEL_LENGTH)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_facts facts;
    if (oci_config_read((const char *)data, size, &facts, NULL) < 0)
        return 0;
    check_time(facts.created_ms);
    check_time(facts.labelled_ms);
    check_labels(facts.labels);
    if (strlen(facts.platforms) > LIMIT_PLATFORM_LENGTH)
        abort();
    image_facts_release(&facts);
    return 0;
}
