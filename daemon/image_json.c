#include "daemon/image_json.h"

#include <string.h>

#include "base/alloc.h"

json_t *image_platforms_json(const char *platforms)
{
    if (!platforms)
        return json_null();
    json_t *list = json_array();
    for (const char *at = platforms; *at;) {
        size_t len = strcspn(at, " ");
        AUTO_FREE char *name = xmemdupz(at, len);
        json_array_append_new(list, json_text(name));
        at += len + (at[len] == ' ');
    }
    return list;
}

json_t *image_labels_json(const char *labels)
{
    json_t *object = labels ? json_read(labels, strlen(labels), NULL) : NULL;
    return object ? object : json_null();
}
