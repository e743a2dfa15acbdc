#include "daemon/webhook_bodies.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"

/* NULL or something else than an object has no keys: json_object_get gives NULL. */
static bool is_text(const json_t *object, const char *key, const char *expected)
{
    const char *text = json_string_at(object, key);
    return text && !strcmp(text, expected);
}

void webhook_read_dockerhub(const json_t *body, struct push_list *out)
{
    const char *name = json_string_at(json_object_get(body, "repository"), "repo_name");
    const char *tag = json_string_at(json_object_get(body, "push_data"), "tag");
    push_list_add_parts(out, "docker.io", name, tag);
}

static void add_tagged(struct push_list *out, const char *name, const char *tag)
{
    if (!name || !tag)
        return;
    AUTO_FREE char *image = xasprintf("%s:%s", name, tag);
    push_list_add(out, image);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
}

/* "host/path", ":tag" or "@digest" behind it. `tag` NULL: it is there. */
static void add_package_url(struct push_list *out, const char *url, const char *tag)
{
    AUTO_FREE char *path = xmemdupz(url, strcspn(url, "@"));
    char *colon = strrchr(path, ':');
    if (colon && !strchr(colon, '/')) {
        *colon = '\0';
        tag = tag ? tag : colon + 1;
    }
    lower(path);
    add_tagged(out, path, tag);
}

void webhook_read_github(const json_t *body, struct push_list *out)
{
    const json_t *package = json_object_get(body, "registry_package");
    package = package ? package : json_object_get(body, "package");
    const char *type = json_string_at(package, "package_type");
    const json_t *version = json_object_get(package, "package_version");
    const json_t *metadata = json_object_get(version, "container_metadata");
    const char *tag = json_string_at(json_object_get(metadata, "tag"), "name");
    if (!type || strcasecmp(type, "container") != 0 || (tag && !*tag))
        return;
    const char *url = json_string_at(version, "package_url");
    if (url && strchr(url, '/')) {
        add_package_url(out, url, tag);
        return;
    }
    const char *space = json_string_at(package, "namespace"), *name = json_string_at(package, "name");
    if (!space || !name)
        return;
    AUTO_FREE char *path = xasprintf("%s/%s", space, name);
    lower(path);
    push_list_add_parts(out, "ghcr.io", path, tag);
}

void webhook_read_quay(const json_t *body, struct push_list *out)
{
    const char *name = json_string_at(body, "docker_url");
    json_t *tags = json_object_get(body, "updated_tags"), *value;
    size_t i;
    const char *tag;
    json_array_foreach(tags, i, value) add_tagged(out, name, json_string_value(value));
    if (json_is_object(tags)) { /* older: {"tag": "image id"} */
        json_object_foreach(tags, tag, value) add_tagged(out, name, tag);
    }
}

void webhook_read_harbor(const json_t *body, struct push_list *out)
{
    const json_t *data = NULL;
    if (is_text(body, "type", "PUSH_ARTIFACT"))
        data = json_object_get(body, "event_data");
    else if (is_text(body, "type", "harbor.artifact.pushed"))
        data = json_object_get(body, "data");
    size_t i;
    const json_t *resource;
    json_array_foreach(json_object_get(data, "resources"), i, resource)
    {
        const char *image = json_string_at(resource, "resource_url");
        if (image && !strchr(image, '@')) /* without a tag it ends with the digest */
            push_list_add(out, image);
    }
}

static void add_event(struct push_list *out, const json_t *event)
{
    const json_t *target = json_object_get(event, "target");
    if (is_text(event, "action", "push"))
        push_list_add_parts(out, json_string_at(json_object_get(event, "request"), "host"),
                            json_string_at(target, "repository"), json_string_at(target, "tag"));
}

void webhook_read_acr(const json_t *body, struct push_list *out)
{
    add_event(out, body);
}

void webhook_read_distribution(const json_t *body, struct push_list *out)
{
    size_t i;
    const json_t *event;
    json_array_foreach(json_object_get(body, "events"), i, event) add_event(out, event);
}

/* The host names of one registry, ACCOUNT.service.REGION.suffix, by what the region's name begins with. */
static const struct ecr_partition {
    const char *region;
    const char *hosts[4][2];
} ecr_partitions[] = {
    {"cn-", {{"dkr.ecr", "amazonaws.com.cn"}, {"dkr-ecr", "on.amazonwebservices.com.cn"}}},
    {"eusc-", {{"dkr.ecr", "amazonaws.eu"}}},
    {"",
     {{"dkr.ecr", "amazonaws.com"},
      {"dkr-ecr", "on.aws"},
      {"dkr.ecr-fips", "amazonaws.com"},
      {"dkr-ecr-fips", "on.aws"}}},
};

void webhook_read_ecr(const json_t *body, struct push_list *out)
{
    const json_t *detail = json_object_get(body, "detail");
    const char *account = json_string_at(body, "account"), *region = json_string_at(body, "region");
    if (!is_text(body, "source", "aws.ecr") || !is_text(detail, "action-type", "PUSH") ||
        !is_text(detail, "result", "SUCCESS") || !account || !region)
        return;
    const struct ecr_partition *partition = ecr_partitions;
    while (!str_starts_with(region, partition->region))
        partition++;
    for (size_t i = 0; i < ARRAY_LEN(partition->hosts) && partition->hosts[i][0]; i++) {
        AUTO_FREE char *host =
            xasprintf("%s.%s.%s.%s", account, partition->hosts[i][0], region, partition->hosts[i][1]);
        push_list_add_parts(out, host, json_string_at(detail, "repository-name"),
                            json_string_at(detail, "image-tag"));
    }
}

static void add_inserted(struct push_list *out, const json_t *message)
{
    if (is_text(message, "action", "INSERT"))
        push_list_add(out, json_string_at(message, "tag"));
}

void webhook_read_gcr(const json_t *body, struct push_list *out)
{
    const json_t *envelope = json_object_get(body, "message");
    const char *data = json_string_at(envelope, "data");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;
    if (!envelope) {
        add_inserted(out, body);
    } else if (data && strbuf_add_base64_decoded(&text, data, strlen(data)) == 0) {
        AUTO_JSON json_t *message = json_read(text.buf, text.len, &err);
        add_inserted(out, message);
    }
}

void webhook_read_nexus(const json_t *body, struct push_list *out)
{
    const json_t *component = json_object_get(body, "component");
    if (is_text(component, "format", "docker") && !is_text(body, "action", "DELETED"))
        push_list_add_parts(out, NULL, json_string_at(component, "name"),
                            json_string_at(component, "version"));
}

void webhook_read_jfrog(const json_t *body, struct push_list *out)
{
    const json_t *data = json_object_get(body, "data");
    if (is_text(body, "domain", "docker") &&
        (is_text(body, "event_type", "pushed") || is_text(body, "event_type", "promoted")))
        push_list_add_parts(out, NULL, json_string_at(data, "image_name"), json_string_at(data, "tag"));
}

void webhook_read_generic(const json_t *body, struct push_list *out)
{
    size_t i;
    const json_t *image;
    push_list_add(out, json_string_at(body, "image"));
    json_array_foreach(json_object_get(body, "images"), i, image)
        push_list_add(out, json_string_value(image));
}

/* -- package URLs ------------------------------------------------------------------------------------------ */

/* A hexadecimal digit's value, or -1. */
static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

static char *percent_decoded(const char *text, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && i + 2 < len ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        bool is_escape = low >= 0 && high + low > 0;
        strbuf_addch(&out, (char)(is_escape ? high << 4 | low : text[i]));
        i += is_escape ? 2 : 0;
    }
    return strbuf_detach(&out, NULL);
}

/* The value of a qualifier behind "?", or NULL. free() it. */
static char *qualifier(const char *url, const char *name)
{
    const char *at = strchr(url, '?');
    size_t name_len = strlen(name);
    while (at && *at) {
        at++;
        size_t len = strcspn(at, "&#");
        if (len > name_len && !strncmp(at, name, name_len) && at[name_len] == '=')
            return percent_decoded(at + name_len + 1, len - name_len - 1);
        at = at[len] == '&' ? at + len : NULL;
    }
    return NULL;
}

/* repository_url ends with the image's name by the specification; some senders leave it out. */
static void add_package(struct push_list *out, const char *url)
{
    static const char prefix[] = "pkg:oci/";
    if (!url || !str_starts_with(url, prefix))
        return;
    const char *start = url + sizeof(prefix) - 1;
    AUTO_FREE char *name = percent_decoded(start, strcspn(start, "@?#"));
    AUTO_FREE char *place = qualifier(url, "repository_url");
    AUTO_FREE char *tag = qualifier(url, "tag");
    if (!place || !tag)
        return;
    const char *bare = strstr(place, "://") ? strstr(place, "://") + 3 : place;
    const char *last = strrchr(bare, '/');
    bool is_whole = last && !strcmp(last + 1, name);
    AUTO_FREE char *image = is_whole ? xasprintf("%s:%s", bare, tag) : xasprintf("%s/%s:%s", bare, name, tag);
    push_list_add(out, image);
}

void webhook_read_cdevents(const json_t *body, struct push_list *out)
{
    const json_t *event = json_object_get(body, "context") ? body : json_object_get(body, "data");
    const char *type = json_string_at(json_object_get(event, "context"), "type");
    if (type && (str_starts_with(type, "dev.cdevents.artifact.published.") ||
                 str_starts_with(type, "dev.cdevents.artifact.packaged.")))
        add_package(out, json_string_at(json_object_get(event, "subject"), "id"));
}
