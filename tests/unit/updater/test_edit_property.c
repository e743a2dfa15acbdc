/*
 * The promise of the edit, over generated files: every image's tag can be set, the bytes outside the tag are
 * the bytes of before, and the file then reads as before but for that image. What varies: kinds, Lists,
 * documents (some broken), block and flow style, quotes, block scalars, anchors, aliases, tags, comments,
 * UTF-8, byte order marks, line ends, indentation, trailing blanks and the final newline. A failure prints
 * the seed and the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/edit.h"

#define FILES 1000 /* of several images each */

struct generator {
    uint64_t random;
    struct strbuf out;
    const char *eol;
    unsigned step;                          /* of indentation */
    bool dash;                              /* the next line is the first of a block sequence's item */
    struct strvec images;                   /* what the reader must find, in order */
    unsigned broken;                        /* documents */
    struct strvec anchors, anchored_images; /* of this document */
};

/* xorshift64* */
static unsigned pick(struct generator *g, unsigned below)
{
    g->random ^= g->random >> 12;
    g->random ^= g->random << 25;
    g->random ^= g->random >> 27;
    return (unsigned)((g->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static bool chance(struct generator *g, unsigned one_in)
{
    return pick(g, one_in) == 0;
}

#define ONE_OF(g, list) ((list)[pick((g), (unsigned)ARRAY_LEN(list))])

static const char *const comments[] = {"# plain", "# é ü ß", "# 日本語", "# 🚢 image: decoy:1", "#", "#\ttab"};
static const char *const texts[] = {"\"é\"", "'naïve'", "plain", "日本", "\"\\u00e9 \\\" x\"",
                                    "🚢",     "'it''s'"};

static void end_line(struct generator *g)
{
    static const char *const blanks[] = {"", "", "", " ", "\t", "   "};
    strbuf_addstr(&g->out, ONE_OF(g, blanks));
    if (chance(g, 6)) {
        strbuf_addch(&g->out, ' ');
        strbuf_addstr(&g->out, ONE_OF(g, comments));
    }
    strbuf_addstr(&g->out, g->eol);
}

static void indent(struct generator *g, unsigned columns)
{
    for (unsigned i = 0; i < columns; i++)
        strbuf_addch(&g->out, g->dash && i + 2 == columns ? '-' : ' ');
    g->dash = false;
}

static void maybe_noise(struct generator *g)
{
    if (g->dash || !chance(g, 8))
        return;
    for (unsigned i = pick(g, 8); i; i--)
        strbuf_addch(&g->out, ' ');
    if (chance(g, 2))
        strbuf_addstr(&g->out, ONE_OF(g, comments));
    strbuf_addstr(&g->out, g->eol);
}

/* A whole line of a block mapping: "key: value". */
static void PRINTF_LIKE(3, 4) line(struct generator *g, unsigned columns, const char *format, ...)
{
    maybe_noise(g);
    indent(g, columns);
    va_list args;
    va_start(args, format);
    strbuf_vaddf(&g->out, format, args);
    va_end(args);
    end_line(g);
}

static char *new_image(struct generator *g)
{
    static const char *const names[] = {
        "alpine",      "a/b",           "host:5000/app",  "ghcr.io/org/app_x-y",
        "localhost/a", "REG.example/x", "quay.io/a/b/c.d"};
    static const char *const tags[] = {":1",      ":v1.2.3-rc.1", ":latest", "",           ":1_0",
                                       ":2024.1", ":a.b-c_d",     ":007",    ":sha-0badf", ":1"};
    static const char digest[] = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    return xasprintf("%s%s%s", ONE_OF(g, names), ONE_OF(g, tags), chance(g, 15) ? digest : "");
}

/* "&anchor !!str " in any order, or nothing. */
static void properties(struct generator *g, const char *image)
{
    static const char *const tags[] = {"!!str ", "!<tag:yaml.org,2002:str> ", "! "};
    bool tag_first = chance(g, 2);
    if (tag_first && chance(g, 6))
        strbuf_addstr(&g->out, ONE_OF(g, tags));
    if (chance(g, 5)) {
        char *name = xasprintf("i%zu", g->anchors.len);
        strbuf_addf(&g->out, "&%s ", name);
        strvec_push_owned(&g->anchors, name);
        strvec_push(&g->anchored_images, image);
    }
    if (!tag_first && chance(g, 6))
        strbuf_addstr(&g->out, ONE_OF(g, tags));
}

static bool add_alias(struct generator *g)
{
    if (!g->anchors.len || !chance(g, 4))
        return false;
    unsigned at = pick(g, (unsigned)g->anchors.len);
    strbuf_addf(&g->out, "*%s ", g->anchors.items[at]);
    strvec_push(&g->images, g->anchored_images.items[at]);
    return true;
}

static void add_inline_image(struct generator *g)
{
    static const char *const formats[] = {"%s", "%s", "'%s'", "\"%s\""};
    if (add_alias(g))
        return;
    AUTO_FREE char *image = new_image(g);
    properties(g, image);
    switch (pick(g, (unsigned)ARRAY_LEN(formats))) {
    case 2:
        strbuf_addf(&g->out, "'%s'", image);
        break;
    case 3:
        strbuf_addf(&g->out, "\"%s\"", image);
        break;
    default:
        strbuf_addstr(&g->out, image);
        break;
    }
    strvec_push(&g->images, image);
}

static void add_block_image(struct generator *g, unsigned columns)
{
    static const char *const headers[] = {">-", "|-", ">-  ", "|- # ü"};
    AUTO_FREE char *image = new_image(g);
    properties(g, image);
    strbuf_addf(&g->out, "%s%s", ONE_OF(g, headers), g->eol);
    strbuf_addf(&g->out, "%*s%s%s", (int)(columns + 1 + pick(g, 3)), "", image, g->eol);
    if (chance(g, 4))
        strbuf_addstr(&g->out, g->eol);
    strvec_push(&g->images, image);
}

static void add_image_line(struct generator *g, unsigned columns)
{
    static const char *const keys[] = {"image:", "image:", "\"image\":", "'image':", "image  :"};
    maybe_noise(g);
    indent(g, columns);
    strbuf_addstr(&g->out, ONE_OF(g, keys));
    strbuf_addstr(&g->out, chance(g, 5) ? "   " : " ");
    if (chance(g, 6)) {
        add_block_image(g, columns);
        return;
    }
    if (chance(g, 10))
        strbuf_addf(&g->out, "# below%s%*s", g->eol, (int)columns + 2, "");
    add_inline_image(g);
    end_line(g);
}

static void add_block_container(struct generator *g, unsigned columns, char letter, unsigned number)
{
    bool image_first = chance(g, 2);
    g->dash = true;
    if (image_first)
        add_image_line(g, columns);
    line(g, columns, "name: %c%u", letter, number);
    if (chance(g, 4)) {
        line(g, columns, "env:");
        line(g, columns, "- {name: N, value: %s}", ONE_OF(g, texts));
    }
    if (chance(g, 6))
        strbuf_addf(&g->out, "%*sargs: |%s%*simage: decoy:1%s", (int)columns, "", g->eol, (int)columns + 2,
                    "", g->eol);
    if (!image_first)
        add_image_line(g, columns);
}

static void add_flow_container(struct generator *g, char letter, unsigned number)
{
    strbuf_addf(&g->out, "{name: %c%u, ", letter, number);
    if (chance(g, 3))
        strbuf_addf(&g->out, "x: [%s, {image: decoy:1}], ", ONE_OF(g, texts));
    strbuf_addstr(&g->out, "image: ");
    add_inline_image(g);
    strbuf_addstr(&g->out, chance(g, 2) ? "}" : " , tty: true }");
}

static void add_containers(struct generator *g, unsigned columns, const char *key)
{
    unsigned count = 1 + pick(g, 3);
    if (chance(g, 4)) {
        maybe_noise(g);
        indent(g, columns);
        strbuf_addf(&g->out, "%s: [", key);
        for (unsigned i = 0; i < count; i++) {
            strbuf_addstr(&g->out, i ? "," : "");
            if (chance(g, 2))
                strbuf_addf(&g->out, "%s%*s", g->eol, (int)columns + 1, "");
            add_flow_container(g, *key, i);
        }
        strbuf_addstr(&g->out, "]");
        end_line(g);
        return;
    }
    line(g, columns, "%s:", key);
    unsigned inside = columns + 2 + pick(g, g->step + 1);
    for (unsigned i = 0; i < count; i++) {
        if (!chance(g, 5)) {
            add_block_container(g, inside, *key, i);
            continue;
        }
        g->dash = true;
        indent(g, inside);
        add_flow_container(g, *key, i);
        end_line(g);
    }
}

static void add_object(struct generator *g, unsigned columns, unsigned number)
{
    static const struct {
        const char *kind, *path[6];
    } kinds[] = {
        {"Deployment", {"spec", "template", "spec"}},
        {"StatefulSet", {"spec", "template", "spec"}},
        {"DaemonSet", {"spec", "template", "spec"}},
        {"Job", {"spec", "template", "spec"}},
        {"CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}},
        {"Pod", {"spec"}},
    };
    unsigned at = pick(g, (unsigned)ARRAY_LEN(kinds));
    line(g, columns, "apiVersion: v1");
    line(g, columns, "kind: %s", kinds[at].kind);
    if (chance(g, 2)) {
        line(g, columns, "metadata: {name: w%u, annotations: {note: %s}}", number, ONE_OF(g, texts));
    } else {
        line(g, columns, "metadata:");
        line(g, columns + g->step, "name: \"w%u\"", number);
    }
    for (size_t i = 0; kinds[at].path[i]; i++, columns += g->step)
        line(g, columns, "%s:", kinds[at].path[i]);
    add_containers(g, columns, "containers");
    if (chance(g, 4))
        add_containers(g, columns, "initContainers");
}

static void add_list(struct generator *g, unsigned number)
{
    line(g, 0, "apiVersion: v1");
    line(g, 0, "kind: List");
    line(g, 0, "items:");
    unsigned columns = 2 + pick(g, g->step + 1);
    for (unsigned i = 0, count = 1 + pick(g, 3); i < count; i++) {
        g->dash = true;
        add_object(g, columns, number * 10 + i);
    }
}

static void add_document(struct generator *g, unsigned number)
{
    strvec_release(&g->anchors);
    strvec_release(&g->anchored_images);
    if (chance(g, 10)) {
        g->broken++;
        strbuf_addf(&g->out, "a: [é%sb: }%simage: decoy:1%s", g->eol, g->eol, g->eol);
    } else if (chance(g, 12)) {
        line(g, 0, "settings: {image: decoy:1}");
    } else if (chance(g, 4)) {
        add_list(g, number);
    } else {
        add_object(g, 0, number);
    }
}

static void add_separator(struct generator *g)
{
    if (chance(g, 4))
        strbuf_addf(&g->out, "...%s", g->eol);
    if (chance(g, 10))
        strbuf_addf(&g->out, "%%YAML 1.1%s", g->eol);
    strbuf_addstr(&g->out, "---");
    end_line(g);
}

static void generate(struct generator *g, uint64_t seed)
{
    static const char *const eols[] = {"\n", "\n", "\r\n", "\r"};
    *g = (struct generator){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .out = STRBUF_INIT};
    g->eol = ONE_OF(g, eols);
    g->step = 1 + pick(g, 4);
    strbuf_addstr(&g->out, chance(g, 8) ? "\xef\xbb\xbf" : "");
    maybe_noise(g);
    if (chance(g, 2))
        add_separator(g);
    for (unsigned i = 0, count = 1 + pick(g, 4); i < count; i++) {
        if (i)
            add_separator(g);
        add_document(g, i);
    }
    size_t eol_len = strlen(g->eol);
    if (chance(g, 4) && str_ends_with(g->out.buf, g->eol)) {
        g->out.len -= eol_len;
        g->out.buf[g->out.len] = '\0';
    }
}

static void generator_release(struct generator *g)
{
    strbuf_release(&g->out);
    strvec_release(&g->images);
    strvec_release(&g->anchors);
    strvec_release(&g->anchored_images);
}

/* All containers of a file, in order. */
struct containers {
    const struct container **items;
    size_t len;
};

static struct containers containers_of(const struct manifest_file *file)
{
    size_t count = 0;
    for (size_t i = 0; i < file->resources_len; i++)
        count += file->resources[i].containers_len;
    struct containers all = {.items = xcalloc(count, sizeof(const struct container *)), .len = 0};
    for (size_t i = 0; i < file->resources_len; i++) {
        for (size_t k = 0; k < file->resources[i].containers_len; k++)
            all.items[all.len++] = &file->resources[i].containers[k];
    }
    return all;
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)seed, err.text, g->out.buf);          \
            fail_msg("%s", #condition);                                                                      \
        }                                                                                                    \
    } while (0)

/* The new file, read: as the old, but for those containers whose scalar has a splice. */
static void check_images(struct generator *g, uint64_t seed, const struct containers *before,
                         const struct splice *splices, size_t len, const struct strbuf *after)
{
    struct error err = ERROR_INIT;
    struct manifest_file *file =
        manifest_file_new("f.yaml", xmemdupz(after->buf, after->len), after->len, "default");
    struct containers all = containers_of(file);
    CHECK(all.len == before->len);
    CHECK(file->problems_len == g->broken);
    for (size_t i = 0; i < all.len; i++) {
        const char *expected = before->items[i]->image.text;
        for (size_t k = 0; k < len; k++) {
            if (splices[k].node == before->items[i]->image_node)
                expected = splices[k].value;
        }
        CHECK(expected && strcmp(all.items[i]->image.text, expected) == 0);
    }
    free(all.items);
    manifest_file_unref(file);
}

static void check_one(struct generator *g, uint64_t seed, const struct manifest_file *file,
                      const struct containers *all, const struct splice *splice)
{
    struct error err = ERROR_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    size_t tail = file->len - splice->end, text_len = strlen(splice->text);
    CHECK(edit_apply(file, splice, 1, &after, &err) == 0);
    CHECK(after.len == splice->start + text_len + tail);
    CHECK(memcmp(after.buf, file->text, splice->start) == 0);
    CHECK(memcmp(after.buf + splice->start, splice->text, text_len) == 0);
    CHECK(memcmp(after.buf + splice->start + text_len, file->text + splice->end, tail) == 0);
    check_images(g, seed, all, splice, 1, &after);
}

static void check_file(struct generator *g, uint64_t seed)
{
    static const char *const tags[] = {"2", "v10.20.30-longer_than.before", "1", "0", "_x", "007"};
    struct error err = ERROR_INIT;
    struct manifest_file *file =
        manifest_file_new("f.yaml", xmemdupz(g->out.buf, g->out.len), g->out.len, "default");
    struct containers all = containers_of(file);
    CHECK(file->problems_len == g->broken);
    CHECK(all.len == g->images.len);
    struct splice *splices = xcalloc(all.len, sizeof(*splices));
    size_t len = 0;
    const char *tag = ONE_OF(g, tags);
    for (size_t i = 0; i < all.len; i++) {
        const struct container *container = all.items[i];
        CHECK(container->image.text && strcmp(container->image.text, g->images.items[i]) == 0);
        int result = edit_set_tag(file, container, tag, &splices[len], &err);
        CHECK((result < 0) == (container->image.digest != NULL));
        CHECK(result == 0 || err.code == ERROR_UNSUPPORTED);
        if (result == 0)
            check_one(g, seed, file, &all, &splices[len++]);
    }
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    CHECK(edit_apply(file, splices, len, &after, &err) == 0);
    check_images(g, seed, &all, splices, len, &after);
    for (size_t i = 0; i < len; i++)
        splice_release(&splices[i]);
    free(splices);
    free(all.items);
    manifest_file_unref(file);
}

static void test_edit_changes_only_the_tag_of_generated_files(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= FILES; seed++) {
        struct generator g;
        generate(&g, seed);
        check_file(&g, seed);
        generator_release(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_changes_only_the_tag_of_generated_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
