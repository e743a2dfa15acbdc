#include "model/manifest_pull_secrets.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/manifest_containers.h"

/* Keeps the first problem. */
struct reading {
    struct resource *resource;
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
        complain(reading, yaml_resolve(name ? name : item),
                 "imagePullSecrets: each needs the name of a Secret");
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

int manifest_read_pull_secrets(struct resource *resource, struct error *problem)
{
    struct reading reading = {.resource = resource, .problem = problem};
    const struct yaml_node *pod_spec = manifest_pod_spec(resource);
    if (!pod_spec)
        return 0;
    read_secrets(&reading, pod_spec);
    read_account(&reading, pod_spec);
    return reading.line;
}
