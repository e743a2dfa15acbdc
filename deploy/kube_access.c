#include "deploy/kube_access.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define EXEC_SETTINGS "client.authentication.k8s.io/exec"

void kube_access_init(struct kube_access *access)
{
    *access = (struct kube_access){.description = NULL};
}

static void pem_source_release(struct pem_source *source)
{
    free(source->text);
    free(source->file);
}

void kube_access_release(struct kube_access *access)
{
    char *texts[] = {
        access->description, access->name,         access->server,           access->space,
        access->server_name, access->token,        access->token_file,       access->username,
        access->password,    access->exec.command, access->exec.api_version, access->exec.install_hint};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    pem_source_release(&access->ca);
    pem_source_release(&access->certificate);
    pem_source_release(&access->key);
    strvec_release(&access->exec.arguments);
    strvec_release(&access->exec.environment);
    json_decref(access->exec.cluster_settings);
    strvec_release(&access->impersonate);
    kube_access_init(access);
}

/* One entry being read: knows how to name itself in an error. */
struct reading {
    const struct kubeconfig_entry *entry;
    const char *what, *name; /* "user", "admin" */
    struct error *err;
};

static int refuse(const struct reading *r, enum error_code code, const char *text)
{
    return error_set(r->err, code, "kubeconfig %s: %s \"%s\": %s", r->entry->file, r->what, r->name, text);
}

/* The text at a key, copied; left NULL if it is missing or empty. */
static int read_text(const struct reading *r, const char *key, char **out)
{
    const json_t *value = json_object_get(r->entry->body, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return error_set(r->err, ERROR_USAGE, "kubeconfig %s: %s \"%s\": %s must be text (put it in quotes)",
                         r->entry->file, r->what, r->name, key);
    if (json_string_length(value))
        *out = xstrdup(json_string_value(value));
    return 0;
}

static int read_flag(const struct reading *r, const char *key, bool *out)
{
    const json_t *value = json_object_get(r->entry->body, key);
    if (value && !json_is_boolean(value) && !json_is_null(value))
        return error_set(r->err, ERROR_USAGE, "kubeconfig %s: %s \"%s\": %s must be true or false",
                         r->entry->file, r->what, r->name, key);
    *out = json_is_true(value);
    return 0;
}

static int read_path(const struct reading *r, const char *key, char **out)
{
    AUTO_FREE char *path = NULL;
    if (read_text(r, key, &path) < 0)
        return -1;
    if (path)
        *out = kubeconfig_resolve(r->entry, path);
    return 0;
}

/* KEY is a file, KEY-data is base64 of its bytes and wins. */
static int read_pem(const struct reading *r, const char *key, struct pem_source *out)
{
    AUTO_FREE char *data_key = xasprintf("%s-data", key);
    AUTO_FREE char *data = NULL;
    if (read_text(r, data_key, &data) < 0)
        return -1;
    if (!data)
        return read_path(r, key, &out->file);
    CLEANUP(strbuf_release) struct strbuf pem = STRBUF_INIT;
    if (strbuf_add_base64_decoded(&pem, data, strlen(data)) < 0)
        return error_set(r->err, ERROR_USAGE, "kubeconfig %s: %s \"%s\": %s is not base64", r->entry->file,
                         r->what, r->name, data_key);
    out->text = strbuf_detach(&pem, NULL);
    return 0;
}

/* The plugin's own settings are an extension of the cluster: [{name: …/exec, extension: {…}}]. */
static json_t *exec_settings(const struct kubeconfig_entry *cluster)
{
    size_t i;
    json_t *extension;
    json_array_foreach(json_object_get(cluster->body, "extensions"), i, extension)
    {
        const char *name = json_string_at(extension, "name");
        if (name && strcmp(name, EXEC_SETTINGS) == 0)
            return json_incref(json_object_get(extension, "extension"));
    }
    return NULL;
}

static int read_cluster(const struct reading *r, struct kube_access *access)
{
    AUTO_FREE char *proxy = NULL;
    if (read_text(r, "server", &access->server) < 0 || read_text(r, "proxy-url", &proxy) < 0 ||
        read_text(r, "tls-server-name", &access->server_name) < 0 ||
        read_flag(r, "insecure-skip-tls-verify", &access->insecure) < 0 ||
        read_pem(r, "certificate-authority", &access->ca) < 0)
        return -1;
    if (proxy)
        return refuse(r, ERROR_UNSUPPORTED,
                      "proxy-url is not supported; remove it and set HTTPS_PROXY for pawl instead");
    if (!access->server)
        return refuse(r, ERROR_USAGE, "server is missing");
    if (!str_starts_with(access->server, "https://") && !str_starts_with(access->server, "http://"))
        return refuse(r, ERROR_USAGE, "server must begin with https://");
    if (strpbrk(access->server, "?#@"))
        return refuse(r, ERROR_USAGE, "server must be a plain URL, without a user, query or fragment");
    if (access->insecure && (access->ca.text || access->ca.file))
        return refuse(r, ERROR_USAGE,
                      "insecure-skip-tls-verify and certificate-authority exclude each other");
    for (size_t len = strlen(access->server); len && access->server[len - 1] == '/'; len--)
        access->server[len - 1] = '\0';
    return 0;
}

static int read_exec_environment(const struct reading *r, const json_t *list, struct strvec *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_at(item, "name");
        const char *value = json_string_at(item, "value");
        if (!name || !*name || strchr(name, '='))
            return refuse(r, ERROR_USAGE, "exec.env needs a name in each item");
        strvec_push_owned(out, xasprintf("%s=%s", name, value ? value : ""));
    }
    return 0;
}

static int read_exec_arguments(const struct reading *r, const json_t *list, struct strvec *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return refuse(r, ERROR_USAGE, "exec.args must be texts (put numbers in quotes)");
        strvec_push(out, json_string_value(item));
    }
    return 0;
}

static int read_exec(const struct reading *r, const struct kubeconfig_entry *cluster, struct kube_exec *exec)
{
    const json_t *body = json_object_get(r->entry->body, "exec");
    if (!body || json_is_null(body))
        return 0;
    const char *command = json_string_at(body, "command");
    const char *api_version = json_string_at(body, "apiVersion");
    const char *mode = json_string_at(body, "interactiveMode");
    const char *hint = json_string_at(body, "installHint");
    if (!command || !*command)
        return refuse(r, ERROR_USAGE, "exec.command is missing");
    if (!api_version || (strcmp(api_version, "client.authentication.k8s.io/v1") != 0 &&
                         strcmp(api_version, "client.authentication.k8s.io/v1beta1") != 0))
        return refuse(r, ERROR_UNSUPPORTED,
                      "exec.apiVersion must be client.authentication.k8s.io/v1 or v1beta1");
    if (mode && strcmp(mode, "Always") == 0)
        return refuse(r, ERROR_UNSUPPORTED,
                      "exec.interactiveMode Always needs a person at a terminal, which pawl does not have");
    exec->command = strchr(command, '/') ? kubeconfig_resolve(r->entry, command) : xstrdup(command);
    exec->api_version = xstrdup(api_version);
    exec->install_hint = hint ? xstrdup(hint) : NULL;
    exec->wants_cluster = json_is_true(json_object_get(body, "provideClusterInfo"));
    if (exec->wants_cluster)
        exec->cluster_settings = exec_settings(cluster);
    if (read_exec_arguments(r, json_object_get(body, "args"), &exec->arguments) < 0)
        return -1;
    return read_exec_environment(r, json_object_get(body, "env"), &exec->environment);
}

static void add_impersonation(struct strvec *headers, char *name, const char *value)
{
    strvec_push_owned(headers, name);
    strvec_push(headers, value);
}

/* Impersonate-Extra-KEY: lower case, and percent-encoded where a header's name may not hold the character. */
static char *extra_header(const char *key)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    AUTO_FREE char *lower = xstrdup(key);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    strbuf_addstr(&name, "Impersonate-Extra-");
    strbuf_add_urlencoded(&name, lower, "");
    return strbuf_detach(&name, NULL);
}

static int read_impersonation(const struct reading *r, struct strvec *headers)
{
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *uid = NULL;
    if (read_text(r, "as", &user) < 0 || read_text(r, "as-uid", &uid) < 0)
        return -1;
    json_t *groups = json_object_get(r->entry->body, "as-groups"), *value, *values;
    json_t *extra = json_object_get(r->entry->body, "as-user-extra");
    if (!user && (uid || json_array_size(groups) || json_object_size(extra)))
        return refuse(r, ERROR_USAGE, "as-uid, as-groups and as-user-extra need as");
    if (!user)
        return 0;
    add_impersonation(headers, xstrdup("Impersonate-User"), user);
    if (uid)
        add_impersonation(headers, xstrdup("Impersonate-Uid"), uid);
    size_t i;
    json_array_foreach(groups, i, value)
    {
        if (!json_is_string(value))
            return refuse(r, ERROR_USAGE, "as-groups must be a list of texts");
        add_impersonation(headers, xstrdup("Impersonate-Group"), json_string_value(value));
    }
    const char *key;
    json_object_foreach(extra, key, values)
    {
        json_array_foreach(values, i, value)
        {
            if (!json_is_string(value))
                return refuse(r, ERROR_USAGE, "as-user-extra must hold lists of texts");
            add_impersonation(headers, extra_header(key), json_string_value(value));
        }
    }
    return 0;
}

static int check_login(const struct reading *r, const struct kube_access *access)
{
    bool has_token = access->token || access->token_file;
    bool has_certificate = access->certificate.text || access->certificate.file;
    bool has_key = access->key.text || access->key.file;
    if (has_token && access->username)
        return refuse(r, ERROR_USAGE, "has both a token and a user name; keep one of them");
    if (has_certificate != has_key)
        return refuse(r, ERROR_USAGE, "client-certificate and client-key go together; one is missing");
    const char *all[] = {access->token, access->username, access->password};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] && strpbrk(all[i], "\r\n"))
            return refuse(r, ERROR_USAGE, "a token, user name or password may not hold a line break");
    }
    for (size_t i = 0; i < access->impersonate.len; i++) {
        if (strpbrk(access->impersonate.items[i], "\r\n"))
            return refuse(r, ERROR_USAGE, "what is impersonated may not hold a line break");
    }
    return 0;
}

static int read_user(const struct reading *r, const struct kubeconfig_entry *cluster,
                     struct kube_access *access)
{
    const json_t *provider = json_object_get(r->entry->body, "auth-provider");
    if (provider && !json_is_null(provider))
        return refuse(r, ERROR_UNSUPPORTED,
                      "auth-provider was removed from Kubernetes clients; make a kubeconfig with an exec "
                      "plugin (or a token), as your provider describes");
    if (read_text(r, "token", &access->token) < 0 || read_path(r, "tokenFile", &access->token_file) < 0 ||
        read_text(r, "username", &access->username) < 0 || read_text(r, "password", &access->password) < 0 ||
        read_pem(r, "client-certificate", &access->certificate) < 0 ||
        read_pem(r, "client-key", &access->key) < 0 || read_impersonation(r, &access->impersonate) < 0 ||
        check_login(r, access) < 0)
        return -1;
    bool has_login = access->token || access->token_file || access->username || access->certificate.text ||
                     access->certificate.file;
    return has_login ? 0 : read_exec(r, cluster, &access->exec); /* as kubectl: a plugin is the last resort */
}

/* The names of a map, for an error: "a, b, c". free() it. */
static char *names_of(const struct strmap *map)
{
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    while (strmap_next(map, &cursor, &name, &value))
        strbuf_addf(&names, "%s%s", names.len ? ", " : "", name);
    return strbuf_detach(&names, NULL);
}

static const struct kubeconfig_entry *find_context(const struct kubeconfig *config, const char *name,
                                                   struct error *err)
{
    AUTO_FREE char *known = names_of(&config->contexts);
    if (!name) {
        error_set(err, ERROR_USAGE, "the kubeconfig has no current-context; name one with --context%s%s",
                  *known ? ": " : "", known);
        return NULL;
    }
    const struct kubeconfig_entry *context = strmap_get(&config->contexts, name);
    if (!context)
        error_set(err, ERROR_USAGE, "the kubeconfig has no context \"%s\"%s%s", name,
                  *known ? "; there are: " : "", known);
    return context;
}

int kube_access_from_config(const struct kubeconfig *config, const char *context_name,
                            struct kube_access *access, struct error *err)
{
    const char *name = context_name ? context_name : config->current_context;
    const struct kubeconfig_entry *context = find_context(config, name, err);
    if (!context)
        return -1;
    struct reading r = {context, "context", name, err};
    AUTO_FREE char *cluster_name = NULL;
    AUTO_FREE char *user_name = NULL;
    if (read_text(&r, "cluster", &cluster_name) < 0 || read_text(&r, "user", &user_name) < 0 ||
        read_text(&r, "namespace", &access->space) < 0)
        return -1;
    const struct kubeconfig_entry *cluster =
        cluster_name ? strmap_get(&config->clusters, cluster_name) : NULL;
    if (!cluster)
        return refuse(&r, ERROR_USAGE, "its cluster is missing or not defined");
    const struct kubeconfig_entry *user = user_name ? strmap_get(&config->users, user_name) : NULL;
    if (user_name && !user)
        return refuse(&r, ERROR_USAGE, "its user is not defined");
    struct reading cluster_reading = {cluster, "cluster", cluster_name, err};
    struct reading user_reading = {user, "user", user_name, err};
    if (read_cluster(&cluster_reading, access) < 0 || (user && read_user(&user_reading, cluster, access) < 0))
        return -1;
    access->name = xasprintf("context %s", name);
    access->description = xasprintf("%s (%s)", access->server, access->name);
    return 0;
}
