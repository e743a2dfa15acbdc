#include "model/chart_ref.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* What records of the cache can hold (cache/records.c), and image names have. */
#define LONGEST_NAME 255

static const char oci_scheme[] = "oci://";
static const char *const index_schemes[] = {"https://", "http://"};

/* The length of the scheme of a repository with an index; 0 if it is none. */
static size_t index_scheme(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(index_schemes); i++) {
        if (str_starts_with(text, index_schemes[i]))
            return strlen(index_schemes[i]);
    }
    return 0;
}

bool chart_ref_has_scheme(const char *text)
{
    return str_starts_with(text, oci_scheme) || index_scheme(text);
}

static char *replace(const char *text, char from, char to)
{
    char *copy = xstrdup(text);
    for (char *c = strchr(copy, from); c; c = strchr(c, from))
        *c = to;
    return copy;
}

char *chart_tag_of_version(const char *version)
{
    return replace(version, '+', '_');
}

char *chart_version_of_tag(const char *tag)
{
    return replace(tag, '_', '+');
}

bool chart_version_is_exact(const char *version)
{
    const char *c = version + (*version == 'v');
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(c, "0123456789");
        if (!digits || (part < 2 && c[digits] != '.'))
            return false;
        c += digits + (part < 2);
    }
    if (!*c)
        return true;
    AUTO_FREE char *tag = chart_tag_of_version(version);
    return (*c == '-' || *c == '+') && c[1] && image_tag_is_valid(tag) && !strchr(version, '_');
}

static int invalid(struct error *err, const char *text, const char *what)
{
    return error_set(err, ERROR_INVALID, "\"%.300s\" is no reference to a chart: %s", text, what);
}

/* -- in a registry ------------------------------------------------------------------------------------------- */

/* All but the version is as for an image. */
static int parse_oci(const char *text, struct image_ref *out, struct error *err)
{
    struct image_ref image = IMAGE_REF_INIT;
    AUTO_FREE char *tagged = chart_tag_of_version(text + strlen(oci_scheme));
    if (strchr(tagged, '@'))
        return invalid(err, text, "it has a user or a digest");
    if (image_ref_parse(tagged, &image, err) < 0)
        return error_wrap(err, "behind oci://");
    free(image.text);
    image.text = xstrdup(text);
    image.name_len += strlen(oci_scheme);
    image.is_chart = true;
    *out = image;
    return 0;
}

/* -- in a repository with an index ------------------------------------------------------------------------------ */

struct pieces {
    char *host, *path, *chart, *version; /* the version may be NULL */
};

static void pieces_release(struct pieces *pieces)
{
    free(pieces->host);
    free(pieces->path);
    free(pieces->chart);
    free(pieces->version);
}

static bool is_of(const char *text, const char *more)
{
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr(more, *text))
            return false;
    }
    return true;
}

static void take_apart(const char *rest, struct pieces *out)
{
    size_t host = strcspn(rest, "/#"), hash = strcspn(rest, "#");
    const char *path = rest + host + (rest[host] == '/'), *chart = rest + hash + (rest[hash] == '#');
    size_t path_len = rest[host] == '/' ? (size_t)(rest + hash - path) : 0, name = strcspn(chart, ":");
    while (path_len && path[path_len - 1] == '/')
        path_len--;
    *out = (struct pieces){.host = xmemdupz(rest, host),
                           .path = xmemdupz(path, path_len),
                           .chart = xmemdupz(chart, name),
                           .version = chart[name] ? xstrdup(chart + name + 1) : NULL};
    for (char *c = out->host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* What is wrong with them, or NULL. */
static const char *pieces_problem(const struct pieces *p)
{
    if (strchr(p->host, '@'))
        return "its URL holds a user or a password, which belong into the Docker config file or a Secret";
    if (!*p->host || !is_of(p->host, ".-:[]"))
        return "its host is malformed";
    if (!*p->chart || !is_of(p->chart, "-._"))
        return "\"#\" and the name of a chart belong behind the URL of its repository";
    if (!is_of(p->path, "-._~/%+"))
        return "its path is malformed, or has a query";
    if (strlen(p->host) + strlen(p->path) + strlen(p->chart) + 2 > LONGEST_NAME)
        return "it is longer than 255 characters";
    return NULL;
}

static int parse_index(const char *text, struct image_ref *out, struct error *err)
{
    CLEANUP(pieces_release) struct pieces p;
    take_apart(text + index_scheme(text), &p);
    const char *problem = pieces_problem(&p);
    AUTO_FREE char *tag = p.version ? chart_tag_of_version(p.version) : NULL;
    if (!problem && tag && !image_tag_is_valid(tag))
        problem = "its version is malformed";
    if (problem)
        return invalid(err, text, problem);
    *out = (struct image_ref){.text = xstrdup(text),
                              .host = steal(&p.host),
                              .path = xasprintf("%s#%s", p.path, p.chart),
                              .tag = steal(&tag),
                              .name_len = strlen(text) - (p.version ? strlen(p.version) + 1 : 0),
                              .is_chart = true};
    return 0;
}

/* -- either -------------------------------------------------------------------------------------------------- */

int chart_ref_parse(const char *text, struct image_ref *out, struct error *err)
{
    if (str_starts_with(text, oci_scheme))
        return parse_oci(text, out, err);
    if (index_scheme(text))
        return parse_index(text, out, err);
    return invalid(err, text, "it begins with oci://, https:// or http://");
}

int image_ref_parse_any(const char *text, struct image_ref *out, struct error *err)
{
    return chart_ref_has_scheme(text) ? chart_ref_parse(text, out, err) : image_ref_parse(text, out, err);
}

int chart_ref_make(const char *url, const char *chart, const char *version, struct image_ref *out,
                   struct error *err)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    if (!chart && !str_starts_with(url, oci_scheme))
        return error_set(err, ERROR_INVALID, "the chart has no name beside its repository %.200s", url);
    if (strstr(url, "://") && !chart_ref_has_scheme(url))
        return error_set(
            err, ERROR_INVALID,
            "%.200s is no Helm repository that can be asked: there are oci://, https:// and http://", url);
    AUTO_FREE char *text =
        xasprintf("%s%.*s%s%s:%s", chart_ref_has_scheme(url) ? "" : oci_scheme, (int)len, url,
                  !chart ? "" : (index_scheme(url) ? "#" : "/"), chart ? chart : "", version);
    return chart_ref_parse(text, out, err);
}
