#include "updater/commit_value.h"

#include <string.h>

#include "base/alloc.h"
#include "model/image_ref.h"

#define LABEL "label."

static void add_count(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                      struct strbuf *out)
{
    strbuf_addf(out, "%zu", scope->release->changes_len);
}

static void add_workload(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                         struct strbuf *out)
{
    AUTO_FREE char *id = resource_id_text(&scope->change->resource->id);
    strbuf_addstr(out, id);
}

static void add_container(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                          struct strbuf *out)
{
    strbuf_addstr(out, scope->change->container->name);
}

static void add_from(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                     struct strbuf *out)
{
    strbuf_addstr(out, scope->change->from);
}

static void add_to(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                   struct strbuf *out)
{
    strbuf_addstr(out, scope->change->to);
}

static void add_name(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                     struct strbuf *out)
{
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(scope->change->to, &image, NULL) == 0)
        strbuf_add(out, image.text, image.name_len);
}

static void add_tag(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                    struct strbuf *out)
{
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(scope->change->to, &image, NULL) == 0)
        strbuf_addstr(out, image.tag ? image.tag : "");
}

static void add_reason(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                       struct strbuf *out)
{
    strbuf_addstr(out, scope->change->reason);
}

static void add_label(const struct commit_value *value, const struct commit_scope *scope, struct strbuf *out)
{
    image_label_add(value->label, scope->change->labels, out);
}

static void add_commit_link(const struct commit_value *value UNUSED, const struct commit_scope *scope,
                            struct strbuf *out)
{
    image_label_add_commit_link(scope->change->labels, out);
}

static const struct {
    const char *name;
    struct commit_value value;
} names[] = {
    {"count", {.add = add_count}},
    {"workload", {.in_changes = true, .add = add_workload}},
    {"container", {.in_changes = true, .add = add_container}},
    {"from", {.in_changes = true, .add = add_from}},
    {"to", {.in_changes = true, .add = add_to}},
    {"name", {.in_changes = true, .add = add_name}},
    {"tag", {.in_changes = true, .add = add_tag}},
    {"reason", {.in_changes = true, .add = add_reason}},
    {"commit-link", {.in_changes = true, .is_label = true, .add = add_commit_link}},
};

bool commit_value_find(const char *name, struct commit_value *out)
{
    if (str_starts_with(name, LABEL)) {
        *out = (struct commit_value){.in_changes = true,
                                     .is_label = true,
                                     .add = add_label,
                                     .label = image_label_find(name + strlen(LABEL))};
        return out->label != NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) != 0)
            continue;
        *out = names[i].value;
        return true;
    }
    return false;
}

void commit_value_add_names(struct strbuf *out)
{
    strbuf_addstr(out, "there are count, and between {{#changes}} and {{/changes}} ");
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        strbuf_addf(out, "%s, ", names[i].name);
    strbuf_addstr(out, "and labels: ");
    for (const struct image_label *label = image_labels; label->name; label++)
        strbuf_addf(out, "%s" LABEL "%s", label == image_labels ? "" : ", ", label->name);
}
