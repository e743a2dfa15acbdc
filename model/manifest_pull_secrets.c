#include "model/manifest_pull_secrets.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/manifest_containers.h"

/* Keeps the first problem. */
struct reading {
    struct resource *resource;
    const char *field; /* that is read */
    struct error *problem;
    int line;
};

static void complain(struct reading *reading, const struct yaml_node *node, const char *what)
{
    if (reading->problem->code != ERROR_NONE)
        return;
    const char *text = yaml_text(node);
    reading->line = node->line;
    error_set(reading->problem, ERROR_INVALID, "%s%s%.100s%s", what, text ? ": \"" : "", text ? text : "",
              text ? "\" is not one" : "");
}

static void add_secret(struct reading *reading, const struct yaml_node *item)
{
    struct resource *resource = reading->resource;
    const struct yaml_node *name = yaml_get(item, "name");
    const char *text = yaml_text(name);
    if (!text || !dns_name_is_valid(text)) {
        complain(reading, yaml_resolve(name ? name : item), reading->field);
        return;
    }
    for (size_t i = 0; i < resource->pull_secrets_len; i++) {
        if (!strcmp(resource->pull_secrets[i], text))
            return;
    }
    if (resource->pull_secrets_len < LIMIT_PULL_SECRETS)
        resource->pull_secrets[resource->pull_secrets_len++] = text;
    else if (reading->problem->code == ERROR_NONE) {
        reading->line = yaml_resolve(item)->line;
        error_set(reading->problem, ERROR_TOO_LARGE,
                  "imagePullSecrets: more than %u; those from here on are not read", LIMIT_PULL_SECRETS);
    }
}

static void read_secrets(struct reading *reading, const struct yaml_node *pod_spec)
{
    const struct yaml_node *list = yaml_resolve(yaml_get(pod_spec, "imagePullSecrets"));
    if (!list || list->kind != YAML_SEQUENCE || !list->len)
        return;
    struct resource *resource = reading->resource;
    resource->pull_secrets = xcalloc(LIMIT_PULL_SECRETS, sizeof(char *));
    for (size_t i = 0; i < list->len; i++)
        add_secret(reading, list->items[i]);
    if (resource->pull_secrets_len)
        resource->pull_secrets =
            xreallocarray(resource->pull_secrets, resource->pull_secrets_len, sizeof(char *));
}

static void read_account(struct reading *reading, const struct yaml_node *pod_spec)
{
    const struct yaml_node *name = yaml_get(pod_spec, "serviceAccountName");
    if (!name)
        name = yaml_get(pod_spec, "serviceAccount");
    const char *text = yaml_text(name);
    if (!text || !*text)
        return;
    if (dns_name_is_valid(text))
        reading->resource->service_account = text;
    else
        complain(reading, yaml_resolve(name), "serviceAccountName: the name of a service account is needed");
}

/* Where Flux 2 gets charts from: the log-in is in the Secret that secretRef names. */
static bool is_source(const struct resource *resource)
{
    return str_starts_with(resource->api_version, "source.toolkit.fluxcd.io/") &&
           (!strcmp(resource->kind, "HelmRepository") || !strcmp(resource->kind, "OCIRepository"));
}

static void read_source(struct reading *reading)
{
    const struct yaml_node *ref = yaml_path(reading->resource->node, "spec", "secretRef", NULL);
    if (!ref)
        return;
    reading->resource->pull_secrets = xcalloc(1, sizeof(char *));
    add_secret(reading, ref);
}

int manifest_read_pull_secrets(struct resource *resource, struct error *problem)
{
    struct reading reading = {.resource = resource,
                              .field = "imagePullSecrets: each needs the name of a Secret",
                              .problem = problem};
    if (is_source(resource)) {
        reading.field = "secretRef: it needs the name of a Secret";
        read_source(&reading);
        return reading.line;
    }
    const struct yaml_node *pod_spec = manifest_pod_spec(resource);
    if (!pod_spec)
        return 0;
    read_secrets(&reading, pod_spec);
    read_account(&reading, pod_spec);
    return reading.line;
}
