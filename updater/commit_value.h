/*
 * What the names in a commit template stand for (updater/commit_template.h).
 */
#ifndef UPDATER_COMMIT_VALUE_H
#define UPDATER_COMMIT_VALUE_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "updater/image_label.h"
#include "updater/release.h"

/* What a name is about. */
struct commit_scope {
    const struct release *release;
    const struct release_change *change; /* NULL outside of the changes */
};

struct commit_value {
    bool in_changes; /* only there */
    bool is_label;   /* made of labels, which come from outside */
    void (*add)(const struct commit_value *value, const struct commit_scope *scope, struct strbuf *out);
    const struct image_label *label; /* of "label.NAME" */
};

/* False if there is no such name. */
bool commit_value_find(const char *name, struct commit_value *out);

/* Appends the names that there are, as a sentence for who wrote another. */
void commit_value_add_names(struct strbuf *out);

#endif
