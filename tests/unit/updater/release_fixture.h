/*
 * Manifests for the tests of releases and promotions, and results as text.
 */
#ifndef TESTS_RELEASE_FIXTURE_H
#define TESTS_RELEASE_FIXTURE_H

#include <string.h>

#include "base/alloc.h"
#include "model/manifest.h"
#include "updater/workload_result.h"

/* A pod with one container "app"; `annotations` are YAML lines, or "". */
#define POD(space, name, image, annotations)                                                                 \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " name "\n  namespace: " space "\n  annotations:\n"       \
    "    x: y\n" annotations "spec:\n  containers:\n    - name: app\n      image: " image "\n"
/* The same with a second container "side". */
#define POD_WITH_SIDE(space, name, image, side, annotations)                                                 \
    POD(space, name, image, annotations) "    - name: side\n      image: " side "\n"
#define NOTE(key, value) "    " key ": \"" value "\"\n"

static inline struct manifest_set *set_of(const char *text)
{
    struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default"));
    manifest_set_finish(set);
    return set;
}

/* "ID STATUS[: MESSAGE][ CONTAINER CURRENT -> TARGET]…", a line each, by id. */
static inline char *results_text(struct result_list *results)
{
    struct strbuf out = STRBUF_INIT;
    result_list_sort(results);
    for (size_t i = 0; i < results->len; i++) {
        const struct workload_result *each = &results->items[i];
        strbuf_addf(&out, "%s %s", each->workload, result_status_name(each->status));
        if (each->message)
            strbuf_addf(&out, ": %s", each->message);
        for (size_t k = 0; k < each->updates_len; k++)
            strbuf_addf(&out, " %s %s -> %s", each->updates[k].container, each->updates[k].current,
                        each->updates[k].target);
        strbuf_addch(&out, '\n');
    }
    return strbuf_detach(&out, NULL);
}

#endif
