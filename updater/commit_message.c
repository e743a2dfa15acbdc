#include "updater/commit_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "model/image_ref.h"

#define OPEN  "{{"
#define CLOSE "}}"

/* What the text is made of. */
enum part_kind { PART_TEXT, PART_VALUE, PART_LOOP, PART_LOOP_END };

struct values {
    const struct release *release;
    const struct release_change *change; /* NULL outside of the loop */
};

typedef void add_value(const struct values *values, struct strbuf *out);

struct part {
    enum part_kind kind;
    const char *text; /* of the template */
    size_t len;
    add_value *add;
};

struct commit_template {
    char *text;
    struct part *parts;
    size_t len, capacity;
};

/* -- values -------------------------------------------------------------------------------------------------------- */

static void add_count(const struct values *values, struct strbuf *out)
{
    strbuf_addf(out, "%zu", values->release->changes_len);
}

static void add_workload(const struct values *values, struct strbuf *out)
{
    AUTO_FREE char *id = resource_id_text(&values->change->resource->id);
    strbuf_addstr(out, id);
}

static void add_container(const struct values *values, struct strbuf *out)
{
    strbuf_addstr(out, values->change->container->name);
}

static void add_from(const struct values *values, struct strbuf *out)
{
    strbuf_addstr(out, values->change->from);
}

static void add_to(const struct values *values, struct strbuf *out)
{
    strbuf_addstr(out, values->change->to);
}

static void add_name(const struct values *values, struct strbuf *out)
{
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(values->change->to, &image, NULL) == 0)
        strbuf_add(out, image.text, image.name_len);
}

static void add_tag(const struct values *values, struct strbuf *out)
{
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    if (image_ref_parse_any(values->change->to, &image, NULL) == 0)
        strbuf_addstr(out, image.tag ? image.tag : "");
}

static void add_reason(const struct values *values, struct strbuf *out)
{
    strbuf_addstr(out, values->change->reason);
}

static const struct {
    const char *name;
    bool in_loop; /* only there */
    add_value *add;
} names[] = {
    {"count", false, add_count},
    {"workload", true, add_workload},
    {"container", true, add_container},
    {"from", true, add_from},
    {"to", true, add_to},
    {"name", true, add_name},
    {"tag", true, add_tag},
    {"reason", true, add_reason},
};

/* -- reading ------------------------------------------------------------------------------------------------------- */

struct reading {
    struct commit_template *template;
    const char *at;
    bool in_loop;
};

static int refuse(const struct reading *r, const char *what, struct error *err)
{
    size_t line = 1;
    for (const char *c = r->template->text; c < r->at; c++)
        line += *c == '\n';
    return error_set(err, ERROR_USAGE, "line %zu of the template: %s", line, what);
}

static void add_part(struct reading *r, struct part part)
{
    struct commit_template *t = r->template;
    vec_grow(t->parts, t->len, t->capacity);
    t->parts[t->len++] = part;
}

static void add_text(struct reading *r, const char *end)
{
    if (end > r->at)
        add_part(r, (struct part){.kind = PART_TEXT, .text = r->at, .len = (size_t)(end - r->at)});
}

static int add_named(struct reading *r, const char *name, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) != 0)
            continue;
        if (names[i].in_loop && !r->in_loop)
            return refuse(r, "that name is known only between {{#changes}} and {{/changes}}", err);
        add_part(r, (struct part){.kind = PART_VALUE, .add = names[i].add});
        return 0;
    }
    AUTO_FREE char *what =
        xasprintf("there is no {{%.64s}}; there are count, and between {{#changes}} and {{/changes}} "
                  "workload, container, from, to, name, tag, reason",
                  name);
    return refuse(r, what, err);
}

static int add_tag_part(struct reading *r, const char *name, struct error *err)
{
    bool begins = !strcmp(name, "#changes"), ends = !strcmp(name, "/changes");
    if (!begins && !ends)
        return add_named(r, name, err);
    if (begins == r->in_loop)
        return refuse(r, begins ? "{{#changes}} within itself" : "{{/changes}} without {{#changes}}", err);
    r->in_loop = begins;
    add_part(r, (struct part){.kind = begins ? PART_LOOP : PART_LOOP_END});
    return 0;
}

/* Past the line end behind a tag of the loop that has a line for itself. */
static const char *skip_own_line(const struct reading *r, const char *tag, const char *end)
{
    bool is_first = tag == r->template->text || tag[-1] == '\n';
    bool is_loop = tag[strlen(OPEN)] == '#' || tag[strlen(OPEN)] == '/';
    return is_loop && is_first && *end == '\n' ? end + 1 : end;
}

static int read_template(struct reading *r, struct error *err)
{
    const char *tag;
    while ((tag = strstr(r->at, OPEN))) {
        add_text(r, tag);
        r->at = tag;
        const char *end = strstr(tag, CLOSE);
        if (!end)
            return refuse(r, "{{ without }}", err);
        AUTO_FREE char *name = xmemdupz(tag + strlen(OPEN), (size_t)(end - tag) - strlen(OPEN));
        if (add_tag_part(r, name, err) < 0)
            return -1;
        r->at = skip_own_line(r, tag, end + strlen(CLOSE));
    }
    add_text(r, r->at + strlen(r->at));
    return r->in_loop ? refuse(r, "{{#changes}} without {{/changes}}", err) : 0;
}

struct commit_template *commit_template_new(const char *text, struct error *err)
{
    struct commit_template *template = xcalloc(1, sizeof(*template));
    template->text = xstrdup(text);
    struct reading r = {.template = template, .at = template->text};
    int result = text[strspn(text, " \t\r\n")] ? read_template(&r, err) : refuse(&r, "it is empty", err);
    if (result == 0)
        return template;
    commit_template_free(template);
    return NULL;
}

void commit_template_free(struct commit_template *template)
{
    if (!template)
        return;
    free(template->text);
    free(template->parts);
    free(template);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

/* One part that is no loop. */
static void add_plain(const struct part *part, const struct values *values, struct strbuf *out)
{
    if (part->kind == PART_TEXT)
        strbuf_add(out, part->text, part->len);
    else if (part->kind == PART_VALUE)
        part->add(values, out);
}

static size_t add_loop(const struct commit_template *t, size_t first, const struct release *release,
                       struct strbuf *out)
{
    size_t end = first;
    while (t->parts[end].kind != PART_LOOP_END)
        end++;
    for (size_t i = 0; i < release->changes_len; i++) {
        const struct values values = {.release = release, .change = &release->changes[i]};
        for (size_t k = first; k < end; k++)
            add_plain(&t->parts[k], &values, out);
    }
    return end;
}

static void render(const struct commit_template *t, const struct release *release, struct strbuf *out)
{
    const struct values values = {.release = release};
    for (size_t i = 0; i < t->len; i++) {
        if (t->parts[i].kind == PART_LOOP)
            i = add_loop(t, i + 1, release, out);
        else
            add_plain(&t->parts[i], &values, out);
    }
}

static void add_trailers(const struct release *release, struct strbuf *out)
{
    strbuf_addstr(out, out->len && out->buf[out->len - 1] == '\n' ? "\n" : "\n\n");
    for (size_t i = 0; i < release->changes_len; i++) {
        const struct release_change *change = &release->changes[i];
        AUTO_FREE char *id = resource_id_text(&change->resource->id);
        strbuf_addf(out, "Pawl-Change: %s %s %s -> %s\n", id, change->container->name, change->from,
                    change->to);
    }
}

char *commit_message(const struct message_form *form, const struct release *release)
{
    struct strbuf message = STRBUF_INIT;
    if (form->template) {
        render(form->template, release, &message);
    } else {
        AUTO_FREE char *flux = release_message(release);
        strbuf_addstr(&message, flux);
    }
    if (form->has_trailers)
        add_trailers(release, &message);
    return strbuf_detach(&message, NULL);
}
