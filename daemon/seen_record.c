#include "daemon/seen_record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/image_ref.h"

static const char head[] = "first-seen 1\n";

/* A line of the old account; the texts end where their lengths say. */
struct line {
    int64_t seen_ms;
    const char *digest; /* NULL: not known */
    size_t digest_len;
    const char *tag;
    size_t tag_len;
};

/* Takes a line off the text. False at the end, and for what is none. */
static bool take_line(const char **text, struct line *out)
{
    char *after;
    const char *end = strchr(*text, '\n');
    if (!end)
        return false;
    out->seen_ms = strtoll(*text, &after, 10);
    if (out->seen_ms <= 0 || *after != ' ')
        return false;
    out->digest = after + 1;
    out->digest_len = strcspn(out->digest, " \n");
    if (out->digest[out->digest_len] != ' ')
        return false;
    out->tag = out->digest + out->digest_len + 1;
    out->tag_len = (size_t)(end - out->tag);
    if (out->digest_len == 1 && *out->digest == '-')
        out->digest = NULL;
    *text = end + 1;
    return out->tag_len > 0;
}

static bool is_record(const char *text)
{
    struct line line;
    if (!text || !str_starts_with(text, head))
        return false;
    text += strlen(head);
    while (take_line(&text, &line)) {
    }
    return *text == '\0';
}

/* As strcmp: the line's tag and another. */
static int compare_tag(const struct line *line, const char *tag)
{
    int order = strncmp(line->tag, tag, line->tag_len);
    return order ? order : tag[line->tag_len] ? -1 : 0;
}

/* Walks the old account beside the sorted tags. */
struct walk {
    const char *rest;
    struct line line;
    bool has_line;
};

/* The line of the tag, or NULL. */
static const struct line *find_line(struct walk *walk, const char *tag)
{
    while (walk->has_line && compare_tag(&walk->line, tag) < 0)
        walk->has_line = take_line(&walk->rest, &walk->line);
    return walk->has_line && compare_tag(&walk->line, tag) == 0 ? &walk->line : NULL;
}

static bool has_moved(const struct line *line, const char *digest)
{
    return line->digest && digest &&
           (strlen(digest) != line->digest_len || strncmp(digest, line->digest, line->digest_len) != 0);
}

/* Its name alone was known so far: what it points at may have been pushed at any time since, unless it was made before. */
static bool is_learned_late(const struct line *line, const struct image_details *details)
{
    bool was_there = details->created_ms > 0 && details->created_ms <= line->seen_ms;
    return !line->digest && details->digest && !was_there;
}

static int64_t time_of(const struct line *line, const struct image_details *details, bool is_first,
                       int64_t now_ms)
{
    if (line && !has_moved(line, details->digest) && !is_learned_late(line, details))
        return line->seen_ms;
    bool counts_made = is_first && details->created_ms > 0 && details->created_ms < now_ms;
    return counts_made ? details->created_ms : now_ms;
}

static void add_line(struct strbuf *out, int64_t seen_ms, const struct line *before,
                     const struct image_details *details, const char *tag)
{
    strbuf_addf(out, "%lld ", (long long)seen_ms);
    if (details->digest)
        strbuf_addstr(out, details->digest);
    else if (before && before->digest)
        strbuf_add(out, before->digest, before->digest_len);
    else
        strbuf_addstr(out, "-");
    strbuf_addf(out, " %s\n", tag);
}

void seen_record_update(const char *old, const struct repository_info *info, int64_t now_ms, int64_t *seen_ms,
                        struct strbuf *out)
{
    bool is_first = !is_record(old);
    struct walk walk = {.rest = is_first ? "" : old + strlen(head)};
    walk.has_line = take_line(&walk.rest, &walk.line);
    strbuf_addstr(out, head);
    for (size_t i = 0; i < info->images_len; i++) {
        const struct image_info image = repository_info_image(info, i);
        const struct line *before = find_line(&walk, image.tag);
        seen_ms[i] = time_of(before, image.details, is_first, now_ms);
        add_line(out, seen_ms[i], before, image.details, image.tag);
    }
}
