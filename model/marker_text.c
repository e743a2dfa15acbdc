#include "model/marker_text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "model/manifest_file.h"
#include "model/manifest_markers.h"

static const char sign[] = "pawl:"; /* behind a "#" and blanks, or none */
static const char flux2_sign[] = "{\"$imagepolicy\"";

bool manifest_has_markers(const char *text, size_t len)
{
    return memmem(text, len, sign, strlen(sign)) || memmem(text, len, flux2_sign, strlen(flux2_sign));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static int count_lines(const char *text, size_t from, size_t to)
{
    int lines = 0;
    for (size_t i = from; i < to; i++) {
        bool is_crlf = text[i] == '\r' && i + 1 < to && text[i + 1] == '\n';
        lines += is_break(text[i]) && !is_crlf;
    }
    return lines;
}

/* Where the comment begins whose first word is at `word`; `word` if none does. */
static size_t comment_start(const char *text, size_t word)
{
    size_t at = word;
    while (at && is_blank(text[at - 1]))
        at--;
    if (!at || text[at - 1] != '#')
        return word;
    at--;
    return !at || is_blank(text[at - 1]) || is_break(text[at - 1]) ? at : word;
}

void marker_list_find(struct marker_list *list, struct manifest_file *file)
{
    const char *text = file->text, *found;
    size_t at = 0;
    int line = 1;
    while (at < file->len && (found = memmem(text + at, file->len - at, sign, strlen(sign)))) {
        size_t word = (size_t)(found - text), start = comment_start(text, word);
        line += count_lines(text, at, word);
        at = word + 1;
        if (start == word)
            continue;
        if (list->len == LIMIT_MARKERS) {
            manifest_file_add_problem(file, line, NULL,
                                      xasprintf("more than %u markers in one file; those from here on are "
                                                "not read",
                                                LIMIT_MARKERS));
            return;
        }
        vec_grow(list->items, list->len, list->capacity);
        list->items[list->len++] = (struct marker){.start = start, .text = word + strlen(sign), .line = line};
    }
}

size_t marker_list_from(const struct marker_list *list, size_t place)
{
    size_t low = 0, high = list->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].start < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_policy(const char *text)
{
    static const char *const prefixes[] = {"glob:", "semver:", "regexp:", "regex:"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts_with(text, prefixes[i]))
            return true;
    }
    return false;
}

/* The text behind the sign, without blanks around it; kept by the file. */
static char *text_of(const struct manifest_file *file, const struct marker *marker)
{
    const char *text = file->text;
    size_t start = marker->text, end = start;
    while (end < file->len && !is_break(text[end]))
        end++;
    while (start < end && is_blank(text[start]))
        start++;
    while (start < end && is_blank(text[end - 1]))
        end--;
    return arena_memdupz(&file->yaml->arena, text + start, end - start);
}

int marker_read(const struct manifest_file *file, const struct marker *marker, struct marker_meaning *out,
                struct error *err)
{
    char *text = text_of(file, marker);
    *out = (struct marker_meaning){.policy = text};
    if (is_policy(text))
        return 0;
    size_t word = strcspn(text, " \t");
    char *rest = text + word + strspn(text + word, " \t");
    if (!word || !is_policy(rest))
        return error_set(err, ERROR_INVALID,
                         "the marker has no policy; write \"# pawl: semver:~1.2\" behind a whole image, or "
                         "\"# pawl: REPOSITORY semver:~1.2\" behind a tag alone (glob: and regexp: are there "
                         "too)");
    text[word] = '\0';
    *out = (struct marker_meaning){.repository = text, .policy = rest};
    return 0;
}

void marker_report_flux2(struct manifest_file *file)
{
    const char *text = file->text, *found = memmem(text, file->len, flux2_sign, strlen(flux2_sign));
    if (!found)
        return;
    const char *hash = found;
    while (hash > text && is_blank(hash[-1]))
        hash--;
    if (hash == text || hash[-1] != '#')
        return;
    manifest_file_add_problem(
        file, 1 + count_lines(text, 0, (size_t)(found - text)), NULL,
        xstrdup(
            "this file has markers of Flux 2 ($imagepolicy), and pawl reads no ImagePolicy; write "
            "\"# pawl: semver:~1.2\" behind a whole image, or \"# pawl: REPOSITORY semver:~1.2\" behind a "
            "tag, with the policy that the ImagePolicy has"));
}
