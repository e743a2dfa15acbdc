#include "updater/commit_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/commit_value.h"

#define OPEN    "{{"
#define CLOSE   "}}"
#define CHANGES "changes"

/* Sections within sections; who has more has slipped. */
#define MAX_DEPTH 8

/* What the text is made of. */
enum part_kind { PART_TEXT, PART_VALUE, PART_CHANGES, PART_CONDITION };

struct part {
    enum part_kind kind;
    const char *text; /* of the template */
    size_t len;
    struct commit_value value;
    size_t end; /* of a section: the part behind it */
};

struct commit_template {
    char *text;
    struct part *parts;
    size_t len, capacity;
};

/* -- reading ------------------------------------------------------------------------------------------------------- */

/* A section that has begun. */
struct section {
    char *name;
    size_t part;
};

struct reading {
    struct commit_template *template;
    const char *at;
    struct section open[MAX_DEPTH];
    size_t depth;
    bool in_changes;
};

static void release_reading(struct reading *r)
{
    while (r->depth)
        free(r->open[--r->depth].name);
}

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

static int find_value(const struct reading *r, const char *name, struct commit_value *value,
                      struct error *err)
{
    if (!commit_value_find(name, value)) {
        CLEANUP(strbuf_release) struct strbuf what = STRBUF_INIT;
        strbuf_addf(&what, "there is no {{%.64s}}; ", name);
        commit_value_add_names(&what);
        return refuse(r, what.buf, err);
    }
    if (value->in_changes && !r->in_changes)
        return refuse(r, "that name is known only between {{#changes}} and {{/changes}}", err);
    return 0;
}

static int begin_section(struct reading *r, const char *name, struct error *err)
{
    struct part part = {.kind = PART_CHANGES};
    bool is_loop = !strcmp(name, CHANGES);
    if (is_loop && r->in_changes)
        return refuse(r, "{{#changes}} within itself", err);
    if (r->depth == MAX_DEPTH)
        return refuse(r, "sections are nested too deep", err);
    if (!is_loop) {
        part.kind = PART_CONDITION;
        if (find_value(r, name, &part.value, err) < 0)
            return -1;
    }
    r->in_changes = r->in_changes || is_loop;
    r->open[r->depth++] = (struct section){.name = xstrdup(name), .part = r->template->len};
    add_part(r, part);
    return 0;
}

static int end_section(struct reading *r, const char *name, struct error *err)
{
    struct section *last = r->depth ? &r->open[r->depth - 1] : NULL;
    if (!last || strcmp(last->name, name) != 0) {
        AUTO_FREE char *what = last ? xasprintf("{{/%.64s}} where {{/%.64s}} is due", name, last->name)
                                    : xasprintf("{{/%.64s}} without {{#%.64s}}", name, name);
        return refuse(r, what, err);
    }
    r->in_changes = r->in_changes && strcmp(name, CHANGES) != 0;
    r->template->parts[last->part].end = r->template->len;
    r->depth--;
    free(last->name);
    return 0;
}

static int add_tag(struct reading *r, const char *name, struct error *err)
{
    if (name[0] == '#')
        return begin_section(r, name + 1, err);
    if (name[0] == '/')
        return end_section(r, name + 1, err);
    struct part part = {.kind = PART_VALUE};
    if (find_value(r, name, &part.value, err) < 0)
        return -1;
    add_part(r, part);
    return 0;
}

/* Past the line end behind a tag of a section that has a line for itself. */
static const char *skip_own_line(const struct reading *r, const char *tag, const char *end)
{
    bool is_first = tag == r->template->text || tag[-1] == '\n';
    bool is_section = tag[strlen(OPEN)] == '#' || tag[strlen(OPEN)] == '/';
    return is_section && is_first && *end == '\n' ? end + 1 : end;
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
        if (add_tag(r, name, err) < 0)
            return -1;
        r->at = skip_own_line(r, tag, end + strlen(CLOSE));
    }
    add_text(r, r->at + strlen(r->at));
    if (!r->depth)
        return 0;
    const char *name = r->open[r->depth - 1].name;
    AUTO_FREE char *what = xasprintf("{{#%.64s}} without {{/%.64s}}", name, name);
    return refuse(r, what, err);
}

struct commit_template *commit_template_new(const char *text, struct error *err)
{
    struct commit_template *template = xcalloc(1, sizeof(*template));
    template->text = xstrdup(text);
    CLEANUP(release_reading) struct reading r = {.template = template, .at = template->text};
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

bool commit_template_uses_labels(const struct commit_template *t)
{
    for (size_t i = 0; i < t->len; i++) {
        bool has_value = t->parts[i].kind == PART_VALUE || t->parts[i].kind == PART_CONDITION;
        if (has_value && t->parts[i].value.is_label)
            return true;
    }
    return false;
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

#define TRAILER_WORD "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"

struct writing {
    const struct commit_template *template;
    struct strbuf text;
    size_t *suspects; /* where lines begin whose first word a label is part of */
    size_t suspects_len, suspects_capacity;
};

static void release_writing(struct writing *w)
{
    strbuf_release(&w->text);
    free(w->suspects);
}

/* A label is written: what was in the line before it may become the word of a trailer with it. */
static void add_label(struct writing *w, const struct part *part, const struct commit_scope *scope)
{
    const char *last = memrchr(w->text.buf, '\n', w->text.len);
    size_t start = last ? (size_t)(last + 1 - w->text.buf) : 0, before = w->text.len;
    bool is_within_word = strspn(w->text.buf + start, TRAILER_WORD) == before - start;
    bool is_noted = w->suspects_len && w->suspects[w->suspects_len - 1] == start;
    part->value.add(&part->value, scope, &w->text);
    if (!is_within_word || is_noted || w->text.len == before)
        return;
    vec_grow(w->suspects, w->suspects_len, w->suspects_capacity);
    w->suspects[w->suspects_len++] = start;
}

static bool is_trailer(const char *line)
{
    size_t word = strspn(line, TRAILER_WORD);
    return word && line[word + strspn(line + word, " \t")] == ':';
}

static void disarm(const struct writing *w, struct strbuf *out)
{
    size_t done = 0;
    for (size_t i = 0; i < w->suspects_len; i++) {
        if (!is_trailer(w->text.buf + w->suspects[i]))
            continue;
        strbuf_add(out, w->text.buf + done, w->suspects[i] - done);
        strbuf_addstr(out, "- ");
        done = w->suspects[i];
    }
    strbuf_add(out, w->text.buf + done, w->text.len - done);
}

static bool is_empty(const struct part *part, const struct commit_scope *scope)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    part->value.add(&part->value, scope, &text);
    return !text.len;
}

static void render(struct writing *w, size_t first, size_t end, const struct commit_scope *scope);

static void render_section(struct writing *w, size_t at, const struct commit_scope *scope)
{
    const struct part *part = &w->template->parts[at];
    if (part->kind == PART_CONDITION) {
        if (!is_empty(part, scope))
            render(w, at + 1, part->end, scope);
        return;
    }
    for (size_t i = 0; i < scope->release->changes_len; i++) {
        const struct commit_scope inner = {.release = scope->release, .change = &scope->release->changes[i]};
        render(w, at + 1, part->end, &inner);
    }
}

/* No deeper than MAX_DEPTH. */
static void render(struct writing *w, size_t first, size_t end, const struct commit_scope *scope)
{
    for (size_t i = first; i < end; i++) {
        const struct part *part = &w->template->parts[i];
        switch (part->kind) {
        case PART_TEXT:
            strbuf_add(&w->text, part->text, part->len);
            break;
        case PART_VALUE:
            if (part->value.is_label)
                add_label(w, part, scope);
            else
                part->value.add(&part->value, scope, &w->text);
            break;
        case PART_CHANGES:
        case PART_CONDITION:
            render_section(w, i, scope);
            i = part->end - 1;
            break;
        }
    }
}

void commit_template_render(const struct commit_template *template, const struct release *release,
                            struct strbuf *out)
{
    CLEANUP(release_writing) struct writing w = {.template = template, .text = STRBUF_INIT};
    const struct commit_scope scope = {.release = release};
    render(&w, 0, template->len, &scope);
    disarm(&w, out);
}
