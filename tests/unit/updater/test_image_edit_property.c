/*
 * The promise of an edit by parts, over generated Helm values: every shape, style, quote, comment, line end and
 * indentation. The image reads as asked and as a string to Kubernetes' readers too, every other image reads as before,
 * and no byte outside the parts that had to change is another. A failure prints the seed and the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "updater/image_edit.h"

#define FILES 2000

struct generator {
    uint64_t random;
    struct strbuf out;
    const char *eol;
    unsigned step; /* of indentation */
    bool is_flow;  /* the map that is being written */
    struct strvec images;
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

static const char digest[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char *const hosts[] = {"quay.io", "host:5000", "gcr.io/project", "localhost", "docker.io"};
static const char *const names[] = {"a/b", "app_x-y", "a/b/c.d", "web"};
static const char *const tags[] = {"1",   "v1.2.3-rc.1", "1.10", "1e3", "0755", "yes",  "2024-01-02",
                                   "007", "sha-0badf",   "_x",   "on",  "0x1f", "null", "1_000"};

static void end_line(struct generator *g)
{
    static const char *const ends[] = {"", "", "", " ", "\t", " # é", " # tag: 1"};
    strbuf_addf(&g->out, "%s%s", ONE_OF(g, ends), g->eol);
}

/* True if its line must end there. `is_text`: what is plain must be a string, or it would be none to the reader. */
static bool add_scalar(struct generator *g, unsigned columns, const char *value, bool is_text)
{
    static const char *const quotes[] = {"", "", "'", "\""};
    static const char *const headers[] = {">-", "|-"};
    bool is_quoted = !*value || (is_text && yaml_plain_is_typed(value)) || strcmp(value, "null") == 0;
    if (chance(g, 10))
        strbuf_addf(&g->out, "&p%zu ", g->out.len);
    if (*value && !g->is_flow && chance(g, 8)) {
        strbuf_addf(&g->out, "%s%s%*s%s", ONE_OF(g, headers), g->eol, (int)(columns + g->step), "", value);
        return true;
    }
    const char *quote = is_quoted ? quotes[2 + pick(g, 2)] : ONE_OF(g, quotes);
    strbuf_addf(&g->out, "%s%s%s", quote, value, quote);
    return false;
}

static void add_part(struct generator *g, unsigned columns, const char *key, const char *value, bool is_text)
{
    if (!g->is_flow)
        strbuf_addf(&g->out, "%*s", (int)columns, "");
    strbuf_addf(&g->out, "%s: ", key);
    bool is_block = add_scalar(g, columns, value, is_text);
    if (g->is_flow)
        strbuf_addstr(&g->out, chance(g, 3) ? " , " : ", ");
    else if (is_block)
        strbuf_addstr(&g->out, g->eol);
    else
        end_line(g);
}

struct image {
    const char *host, *name, *tag, *digest; /* NULL: there is no such part */
    bool tag_in_name;
};

static struct image new_image(struct generator *g)
{
    struct image image = {.host = chance(g, 2) ? ONE_OF(g, hosts) : NULL, .name = ONE_OF(g, names)};
    image.tag = chance(g, 6) ? NULL : ONE_OF(g, tags);
    image.tag_in_name = image.tag && chance(g, 3);
    if (!image.tag_in_name && image.tag && chance(g, 6))
        image.digest = chance(g, 2) ? digest : "";
    return image;
}

static void add_parts(struct generator *g, unsigned columns, const char *key, const struct image *image)
{
    AUTO_FREE char *name =
        image->tag_in_name ? xasprintf("%s:%s", image->name, image->tag) : xstrdup(image->name);
    bool is_tag_first = chance(g, 2), has_tag = image->tag && !image->tag_in_name;
    if (has_tag && is_tag_first)
        add_part(g, columns, "tag", image->tag, false);
    if (image->host)
        add_part(g, columns, "registry", image->host, true);
    add_part(g, columns, key, name, true);
    if (has_tag && !is_tag_first)
        add_part(g, columns, "tag", image->tag, false);
    if (image->digest)
        add_part(g, columns, "digest", image->digest, true);
}

static void add_map(struct generator *g, unsigned columns, const char *key, const struct image *image)
{
    g->is_flow = chance(g, 4);
    strbuf_addstr(&g->out, g->is_flow ? "{" : g->eol);
    add_parts(g, columns, key, image);
    if (g->is_flow)
        strbuf_addf(&g->out, "pullPolicy: Always}%s", g->eol);
}

static void add_child(struct generator *g, unsigned columns, unsigned number)
{
    struct image image = new_image(g);
    strbuf_addf(&g->out, "%*sc%u: ", (int)columns, "", number);
    if (chance(g, 2)) {
        add_map(g, columns + g->step, "image", &image);
    } else {
        strbuf_addf(&g->out, "%s%*simage: ", g->eol, (int)(columns + g->step), "");
        add_map(g, columns + 2 * g->step, "repository", &image);
    }
    strvec_push_owned(&g->images,
                      xasprintf("%s%s%s%s%s%s%s", image.host ? image.host : "", image.host ? "/" : "",
                                image.name, image.tag ? ":" : "", image.tag ? image.tag : "",
                                image.digest && *image.digest ? "@" : "", image.digest ? image.digest : ""));
}

static void generate(struct generator *g, uint64_t seed)
{
    static const char *const eols[] = {"\n", "\n", "\r\n"};
    *g = (struct generator){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .out = STRBUF_INIT};
    g->eol = ONE_OF(g, eols);
    g->step = 1 + pick(g, 4);
    strbuf_addf(&g->out, "%s# ü%s", chance(g, 8) ? "\xef\xbb\xbf" : "", g->eol);
    strbuf_addf(&g->out, "apiVersion: helm.fluxcd.io/v1%skind: HelmRelease%smetadata: {name: x}%sspec:%s",
                g->eol, g->eol, g->eol, g->eol);
    strbuf_addf(&g->out, "%*svalues:%s", (int)g->step, "", g->eol);
    for (unsigned i = 0, count = 1 + pick(g, 4); i < count; i++)
        add_child(g, 2 * g->step, i);
}

static void generator_release(struct generator *g)
{
    strbuf_release(&g->out);
    strvec_release(&g->images);
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)seed, err.text, g->out.buf);          \
            fail_msg("%s", #condition);                                                                      \
        }                                                                                                    \
    } while (0)

static struct manifest_file *read_file(const struct strbuf *text)
{
    return manifest_file_new("f.yaml", xmemdupz(text->buf, text->len), text->len, "default");
}

/* The new file has the image where it was asked for, and the old ones elsewhere. */
static void check_read(struct generator *g, uint64_t seed, size_t at, const char *image,
                       const struct strbuf *after)
{
    struct error err = ERROR_INIT;
    struct manifest_file *file = read_file(after);
    CHECK(file->problems_len == 0 && file->resources[0].containers_len == g->images.len);
    for (size_t i = 0; i < g->images.len; i++) {
        const char *expected = i == at ? image : g->images.items[i];
        CHECK(strcmp(file->resources[0].containers[i].image.text, expected) == 0);
    }
    manifest_file_unref(file);
}

/* Outside the splices all bytes are the old ones; what a splice wrote is a string. */
static void check_bytes(struct generator *g, uint64_t seed, const struct splice_list *splices,
                        const struct strbuf *after)
{
    struct error err = ERROR_INIT;
    const struct splice *last = NULL; /* may be empty, and begin where it ends */
    size_t from = 0, to = 0;
    for (;;) {
        const struct splice *next = NULL;
        for (size_t i = 0; i < splices->len; i++) {
            const struct splice *splice = &splices->items[i];
            if (splice != last && splice->start >= from && (!next || splice->start < next->start))
                next = splice;
        }
        size_t len = (next ? next->start : g->out.len) - from;
        CHECK(to + len <= after->len && memcmp(g->out.buf + from, after->buf + to, len) == 0);
        to += len;
        if (!next)
            break;
        CHECK(strncmp(after->buf + to, next->text, strlen(next->text)) == 0);
        CHECK(next->node->style != YAML_PLAIN || next->adds_quotes || !yaml_plain_is_typed(next->value));
        from = next->end;
        last = next;
        to += strlen(next->text);
    }
    CHECK(to == after->len);
}

static void check_one(struct generator *g, uint64_t seed, const struct manifest_file *file, size_t at,
                      const char *image)
{
    struct error err = ERROR_INIT;
    CLEANUP(splice_list_release) struct splice_list splices = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    CHECK(image_edit(file, &file->resources[0].containers[at], image, &splices, &err) == 0);
    CHECK(edit_apply(file, splices.items, splices.len, &after, &err) == 0);
    check_read(g, seed, at, image, &after);
    check_bytes(g, seed, &splices, &after);
}

static void check_file(struct generator *g, uint64_t seed)
{
    struct error err = ERROR_INIT;
    struct manifest_file *file = read_file(&g->out);
    CHECK(file->problems_len == 0 && file->resources_len == 1);
    const struct resource *resource = &file->resources[0];
    CHECK(resource->containers_len == g->images.len);
    for (size_t i = 0; i < g->images.len; i++) {
        const struct container *container = &resource->containers[i];
        CHECK(strcmp(container->image.text, g->images.items[i]) == 0);
        AUTO_FREE char *same_name = image_ref_with_tag(&container->image, ONE_OF(g, tags));
        AUTO_FREE char *other =
            xasprintf("%s/%s:%s@%s", hosts[pick(g, 2)], ONE_OF(g, names), ONE_OF(g, tags), digest);
        check_one(g, seed, file, i, same_name);
        check_one(g, seed, file, i, other);
    }
    manifest_file_unref(file);
}

static void test_image_edit_changes_only_what_it_must_in_generated_values(void **state)
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
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_image_edit_changes_only_what_it_must_in_generated_values),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
