/*
 * Read from the right: a digest follows the first "@", a tag the last ":" behind the last "/"; what is left
 * is the name. Each part is then held against its grammar, so that the message can say which one is wrong.
 */
#include "model/image_ref.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "model/chart_ref.h"

#define HUB_HOST         "index.docker.io"
#define LONGEST_NAME     255 /* distribution project: RepositoryNameTotalLengthMax */
#define IDENTIFIER_CHARS 64  /* a name of so many hex digits would be taken for an image id */

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static size_t count_hex(const char *text)
{
    return strspn(text, "0123456789abcdef");
}

bool image_tag_is_valid(const char *tag)
{
    if (!is_alnum(tag[0]) && tag[0] != '_')
        return false;
    size_t len = 1;
    while (is_alnum(tag[len]) || (tag[len] && strchr("_.-", tag[len])))
        len++;
    return !tag[len] && len <= LIMIT_TAG_LENGTH;
}

bool image_digest_is_valid(const char *digest)
{
    static const struct {
        const char *prefix;
        size_t digits;
    } algorithms[] = {{"sha256:", 64}, {"sha512:", 128}};
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (!str_starts_with(digest, algorithms[i].prefix))
            continue;
        const char *hex = digest + strlen(algorithms[i].prefix);
        return count_hex(hex) == algorithms[i].digits && !hex[algorithms[i].digits];
    }
    return false;
}

/* The length of the separator at `c`: ".", "_", "__" or any run of "-"; 0 if there is none. */
static size_t separator_length(const char *c)
{
    if (*c == '.')
        return 1;
    if (*c == '_')
        return c[1] == '_' ? 2 : 1;
    return strspn(c, "-");
}

/* Alphanumeric runs joined by single separators, joined by slashes. */
static bool path_is_valid(const char *path)
{
    for (const char *c = path; is_lower_alnum(*c);) {
        while (is_lower_alnum(*c))
            c++;
        if (!*c)
            return true;
        c += *c == '/' ? 1 : separator_length(c);
    }
    return false;
}

static bool host_name_is_valid(const char *name, size_t len)
{
    if (len > 2 && name[0] == '[' && name[len - 1] == ']')
        return strspn(name + 1, "0123456789abcdefABCDEF:") == len - 2;
    for (size_t i = 0; i < len; i++) {
        bool at_edge = !i || i + 1 == len || name[i - 1] == '.' || name[i + 1] == '.';
        if (!is_alnum(name[i]) && (at_edge || (name[i] != '-' && name[i] != '.')))
            return false;
    }
    return len > 0;
}

static bool host_is_valid(const char *host)
{
    const char *bracket = strchr(host, ']');
    const char *port = strchr(bracket ? bracket : host, ':');
    if (!port)
        return host_name_is_valid(host, strlen(host));
    size_t digits = strspn(port + 1, "0123456789");
    return digits && !port[1 + digits] && host_name_is_valid(host, (size_t)(port - host));
}

/* The length of the host that a name begins with; 0 if it begins with its path. */
static size_t host_length(const char *name)
{
    size_t len = strcspn(name, "/");
    if (!name[len])
        return 0;
    bool is_host = len == strlen("localhost") && strncmp(name, "localhost", len) == 0;
    for (size_t i = 0; i < len && !is_host; i++)
        is_host = name[i] == '.' || name[i] == ':' || (name[i] >= 'A' && name[i] <= 'Z');
    return is_host ? len : 0;
}

static bool is_hub(const char *host)
{
    static const char *const names[] = {HUB_HOST, "docker.io", "registry-1.docker.io"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(host, names[i]))
            return true;
    }
    return false;
}

static void set_host_and_path(struct image_ref *ref, const char *name, size_t host_len)
{
    AUTO_FREE char *host = xmemdupz(host_len ? name : HUB_HOST, host_len ? host_len : strlen(HUB_HOST));
    for (char *c = host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *path = host_len ? name + host_len + 1 : name;
    bool hub = is_hub(host);
    ref->host = xstrdup(hub ? HUB_HOST : host);
    ref->path = xasprintf("%s%s", hub && !strchr(path, '/') ? "library/" : "", path);
}

static int invalid(struct error *err, const char *text, const char *what)
{
    return error_set(err, ERROR_INVALID, "\"%.300s\" is no image reference: %s", text, what);
}

/* What is wrong with a name, or NULL. */
static const char *name_problem(const char *name)
{
    size_t len = strlen(name), host_len = host_length(name);
    if (!len)
        return "the name is missing";
    if (len > LONGEST_NAME)
        return "the name is longer than 255 characters";
    if (len == IDENTIFIER_CHARS && count_hex(name) == len)
        return "64 hexadecimal digits are an image id, not a name";
    AUTO_FREE char *host = xmemdupz(name, host_len);
    if (host_len && !host_is_valid(host))
        return "the host before the first \"/\" is malformed";
    if (!path_is_valid(host_len ? name + host_len + 1 : name))
        return "the path must be of lower-case letters and digits, joined by single \".\", \"_\", \"__\", "
               "\"-\" and \"/\"";
    return NULL;
}

int image_ref_parse(const char *text, struct image_ref *out, struct error *err)
{
    AUTO_FREE char *name = xstrdup(text);
    char *digest = strchr(name, '@');
    if (digest)
        *digest++ = '\0';
    char *slash = strrchr(name, '/');
    char *tag = strrchr(slash ? slash : name, ':');
    if (tag)
        *tag++ = '\0';
    if (!*text)
        return invalid(err, text, "it is empty");
    if (digest && !image_digest_is_valid(digest))
        return invalid(err, text,
                       "behind the \"@\" belongs a digest, \"sha256:\" and 64 (or \"sha512:\" and 128) "
                       "lower-case hexadecimal digits");
    if (tag && !image_tag_is_valid(tag))
        return invalid(err, text,
                       "a tag has 1 to 128 letters, digits, \"_\", \".\" and \"-\", and does not begin with "
                       "\".\" or \"-\"");
    const char *problem = name_problem(name);
    if (problem)
        return invalid(err, text, problem);
    *out = (struct image_ref){.text = xstrdup(text), .tag = xstrdup(tag), .digest = xstrdup(digest)};
    out->name_len = strlen(name);
    set_host_and_path(out, name, host_length(name));
    return 0;
}

void image_ref_release(struct image_ref *ref)
{
    free(ref->text);
    free(ref->host);
    free(ref->path);
    free(ref->tag);
    free(ref->digest);
    *ref = (struct image_ref)IMAGE_REF_INIT;
}

void image_ref_copy(struct image_ref *to, const struct image_ref *from)
{
    *to = (struct image_ref){.text = xstrdup(from->text),
                             .host = xstrdup(from->host),
                             .path = xstrdup(from->path),
                             .tag = xstrdup(from->tag),
                             .digest = xstrdup(from->digest),
                             .name_len = from->name_len,
                             .is_chart = from->is_chart};
}

char *image_ref_repository(const struct image_ref *ref)
{
    return xasprintf("%s/%s", ref->host, ref->path);
}

const char *image_ref_written_tag(const struct image_ref *ref)
{
    return ref->is_chart && ref->tag ? ref->text + ref->name_len + 1 : ref->tag;
}

bool image_repository_is_index(const char *repository)
{
    return strchr(repository, '#') != NULL;
}

char *image_ref_with_tag(const struct image_ref *ref, const char *tag)
{
    return image_ref_with_digest(ref, tag, NULL);
}

char *image_ref_with_digest(const struct image_ref *ref, const char *tag, const char *digest)
{
    AUTO_FREE char *written = ref->is_chart ? chart_version_of_tag(tag) : xstrdup(tag);
    return xasprintf("%.*s:%s%s%s", (int)ref->name_len, ref->text, written, digest ? "@" : "",
                     digest ? digest : "");
}

static const char *effective_tag(const struct image_ref *ref)
{
    if (ref->tag)
        return ref->tag;
    return ref->digest ? "" : "latest";
}

bool image_ref_equal(const struct image_ref *a, const struct image_ref *b)
{
    const char *digest_a = a->digest ? a->digest : "", *digest_b = b->digest ? b->digest : "";
    return !strcmp(a->host, b->host) && !strcmp(a->path, b->path) &&
           !strcmp(effective_tag(a), effective_tag(b)) && !strcmp(digest_a, digest_b);
}
