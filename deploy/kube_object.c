#include "deploy/kube_object.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"

/* What only the server writes, in metadata. */
static const char *const bookkeeping[] = {
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
};

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

int kube_api_version_split(const char *api_version, size_t *group_len, const char **version)
{
    const char *slash = strchr(api_version, '/');
    size_t len = slash ? (size_t)(slash - api_version) : 0;
    const char *rest = slash ? slash + 1 : api_version;
    if ((slash && !len) || !kube_path_segment_is_valid(rest) || strchr(api_version, '%') ||
        api_version[0] == '.')
        return -1;
    *group_len = len;
    *version = rest;
    return 0;
}

bool kube_object_is(const json_t *object, const char *group, const char *kind)
{
    const char *api_version = json_string_at(object, "apiVersion");
    const char *is = json_string_at(object, "kind");
    const char *version;
    size_t len;
    return api_version && is && strcmp(is, kind) == 0 &&
           kube_api_version_split(api_version, &len, &version) == 0 && len == strlen(group) &&
           strncmp(api_version, group, len) == 0;
}

static json_t *metadata(const json_t *object)
{
    return json_object_get(object, "metadata");
}

const char *kube_object_name(const json_t *object)
{
    return json_string_at(metadata(object), "name");
}

const char *kube_object_space(const json_t *object)
{
    return json_string_at(metadata(object), "namespace");
}

bool kube_path_segment_is_valid(const char *text)
{
    return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strpbrk(text, "/%");
}

/* The value along keys, ended by NULL; NULL if one is missing. */
static json_t *at(const json_t *object, const char *const *keys)
{
    json_t *value = NULL;
    for (; *keys; keys++) {
        value = json_object_get(object, *keys);
        object = value;
    }
    return value;
}

static int check_identity(const json_t *object, struct error *err)
{
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID, "not an object");
    const char *api_version = json_string_at(object, "apiVersion"), *version;
    size_t group_len;
    if (!api_version || kube_api_version_split(api_version, &group_len, &version) < 0)
        return error_set(err, ERROR_INVALID, "apiVersion must be GROUP/VERSION or v1");
    const char *kind = json_string_at(object, "kind");
    if (!kind || !*kind)
        return error_set(err, ERROR_INVALID, "kind is missing");
    const char *name = kube_object_name(object);
    if (!name && json_object_get(metadata(object), "generateName"))
        return error_set(err, ERROR_INVALID,
                         "metadata.generateName cannot be applied: give the object a metadata.name");
    if (!name)
        return error_set(err, ERROR_INVALID, "metadata.name is missing");
    const char *space = kube_object_space(object);
    if (!kube_path_segment_is_valid(name) || (space && *space && !kube_path_segment_is_valid(space)))
        return error_set(err, ERROR_INVALID, "\"%s\" cannot be a name: it may not be . or .. or hold / or %%",
                         kube_path_segment_is_valid(name) ? space : name);
    return 0;
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0);
}

static void clean_metadata(json_t *meta)
{
    for (size_t i = 0; i < ARRAY_LEN(bookkeeping); i++)
        json_object_del(meta, bookkeeping[i]);
    json_object_del(json_object_get(meta, "annotations"), LAST_APPLIED);
    /* Empty maps say nothing, and servers before 1.25 write the object anew each time they see one. */
    static const char *const maps[] = {"annotations", "labels"};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
        json_t *map = json_object_get(meta, maps[i]);
        if (map && is_empty(map))
            json_object_del(meta, maps[i]);
    }
}

/* Tools write `creationTimestamp: null` into every metadata they make; sent along, we would own the field. */
static void drop_null_timestamps(json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_array(value)) {
        json_array_foreach(value, i, child)
        {
            drop_null_timestamps(child);
        }
        return;
    }
    json_t *meta = json_object_get(value, "metadata");
    if (json_is_null(json_object_get(meta, "creationTimestamp")))
        json_object_del(meta, "creationTimestamp");
    json_object_foreach(value, key, child)
    {
        drop_null_timestamps(child);
    }
}

static void default_protocols(json_t *ports)
{
    size_t i;
    json_t *port;
    json_array_foreach(ports, i, port)
    {
        if (json_is_object(port) && !json_object_get(port, "protocol"))
            json_object_set_new(port, "protocol", json_string("TCP"));
    }
}

static void default_container_protocols(json_t *pod_spec)
{
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        size_t i;
        json_t *container;
        json_array_foreach(json_object_get(pod_spec, lists[l]), i, container)
        {
            default_protocols(json_object_get(container, "ports"));
        }
    }
}

static const struct pod_spec_place {
    const char *group, *kind;
    const char *keys[6];
} pod_spec_places[] = {
    {"", "Pod", {"spec"}},
    {"", "ReplicationController", {"spec", "template", "spec"}},
    {"", "PodTemplate", {"template", "spec"}},
    {"apps", "Deployment", {"spec", "template", "spec"}},
    {"apps", "StatefulSet", {"spec", "template", "spec"}},
    {"apps", "DaemonSet", {"spec", "template", "spec"}},
    {"apps", "ReplicaSet", {"spec", "template", "spec"}},
    {"batch", "Job", {"spec", "template", "spec"}},
    {"batch", "CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}},
};

static void set_protocols(json_t *object)
{
    if (kube_object_is(object, "", "Service"))
        default_protocols(json_object_get(json_object_get(object, "spec"), "ports"));
    for (size_t i = 0; i < ARRAY_LEN(pod_spec_places); i++) {
        const struct pod_spec_place *place = &pod_spec_places[i];
        if (kube_object_is(object, place->group, place->kind))
            default_container_protocols(at(object, place->keys));
    }
}

/* The commonest mistake in these two kinds: `port: 8080` where the API wants text. */
static int check_strings(const json_t *object, const char *field, struct error *err)
{
    json_t *map = json_object_get(object, field), *value;
    const char *key;
    if (map && !json_is_null(map) && !json_is_object(map))
        return error_set(err, ERROR_INVALID, "%s must be a map of texts", field);
    json_object_foreach(map, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return error_set(err, ERROR_INVALID, "%s.%s is no text: put its value in quotes", field, key);
    }
    return 0;
}

/* As Go reads it: RFC 4648's standard alphabet with its padding, line breaks passed over. */
static bool is_base64(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t digits = 0, padding = 0;
    for (; *text; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        if (*text == '=')
            padding++;
        else if (!strchr(alphabet, *text) || padding)
            return false;
        else
            digits++;
    }
    return padding <= 2 && (digits + padding) % 4 == 0;
}

/* The server's own answer to this is an internal error, and quotes what it could not read. */
static int check_base64(const json_t *object, const char *field, struct error *err)
{
    json_t *value;
    const char *key;
    json_object_foreach(json_object_get(object, field), key, value)
    {
        if (json_is_string(value) && !is_base64(json_string_value(value)))
            return error_set(err, ERROR_INVALID, "%s.%s is not base64%s", field, key,
                             strcmp(field, "data") == 0 ? ": encode it, or put the text in stringData" : "");
    }
    return 0;
}

static void encode_string_data(json_t *secret)
{
    json_t *plain = json_object_get(secret, "stringData"), *value;
    if (!plain)
        return;
    json_t *data = json_object_get(secret, "data");
    if (!json_is_object(data)) {
        data = json_object();
        json_object_set_new(secret, "data", data);
    }
    const char *key;
    json_object_foreach(plain, key, value)
    {
        CLEANUP(strbuf_release) struct strbuf encoded = STRBUF_INIT;
        strbuf_add_base64(&encoded, json_string_value(value), json_string_length(value));
        json_object_set_new(data, key, json_string(encoded.buf));
    }
    json_object_del(secret, "stringData");
    if (json_object_size(data) == 0)
        json_object_del(secret, "data");
}

static int normalise_texts(json_t *object, struct error *err)
{
    bool is_secret = kube_object_is(object, "", "Secret");
    if (!is_secret && !kube_object_is(object, "", "ConfigMap"))
        return 0;
    static const char *const fields[] = {"data", "binaryData", "stringData"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (check_strings(object, fields[i], err) < 0)
            return -1;
    }
    if (check_base64(object, is_secret ? "data" : "binaryData", err) < 0)
        return -1;
    if (is_secret)
        encode_string_data(object);
    return 0;
}

static bool is_certificate(const json_t *bundle)
{
    CLEANUP(strbuf_release) struct strbuf pem = STRBUF_INIT;
    return json_is_string(bundle) &&
           strbuf_add_base64_decoded(&pem, json_string_value(bundle), json_string_length(bundle)) == 0 &&
           strstr(pem.buf, "-----BEGIN CERTIFICATE-----");
}

static void drop_placeholder_bundle(json_t *object)
{
    static const char *const places[][5] = {
        {"spec", "conversion", "webhook", "clientConfig"}, /* apiextensions.k8s.io/v1 */
        {"spec", "conversion", "webhookClientConfig"},     /* v1beta1 */
    };
    if (!kube_object_is(object, "apiextensions.k8s.io", "CustomResourceDefinition"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        json_t *config = at(object, places[i]);
        json_t *bundle = json_object_get(config, "caBundle");
        if (bundle && !is_certificate(bundle))
            json_object_del(config, "caBundle");
    }
}

int kube_object_normalise(json_t *object, struct error *err)
{
    if (check_identity(object, err) < 0 || normalise_texts(object, err) < 0)
        return -1;
    json_object_del(object, "status");
    clean_metadata(metadata(object));
    drop_null_timestamps(object);
    set_protocols(object);
    drop_placeholder_bundle(object);
    return 0;
}

void kube_object_set_scope(json_t *object, bool is_namespaced, const char *default_space)
{
    const char *space = kube_object_space(object);
    if (!is_namespaced)
        json_object_del(metadata(object), "namespace");
    else if (!space || !*space)
        json_object_set_new(metadata(object), "namespace", json_string(default_space));
}

static json_t *content(const json_t *object)
{
    json_t *copy = json_deep_copy(object);
    json_object_del(copy, "status");
    clean_metadata(metadata(copy));
    return copy;
}

bool kube_object_same_content(const json_t *a, const json_t *b)
{
    AUTO_JSON json_t *left = content(a);
    AUTO_JSON json_t *right = content(b);
    return json_equal(left, right);
}
