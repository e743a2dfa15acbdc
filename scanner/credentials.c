#include "scanner/credentials.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "scanner/credential_grant.h"
#include "scanner/credential_helper.h"

struct entry {
    char *host, *path; /* lower case, without port only if none was written; path "" covers the whole host */
    char *username, *password, *identity_token;
    char *helper, *server; /* docker-credential-`helper` has it, under the name `server` */
    bool is_of_store;      /* that helper is the credsStore */
    bool is_usual;         /* the key is the one that `docker login` writes */
    struct error problem;  /* why it cannot be used; ERROR_NONE if it can */
};

struct credentials {
    char *origin, *store; /* the helper for all that has no entry; NULL: none */
    struct entry *entries;
    size_t len, capacity;
};

static const char *const hub_hosts[] = {"index.docker.io", "docker.io", "registry-1.docker.io",
                                        "registry.docker.io", "registry.hub.docker.com"};

/* More than any key without a wildcard is long. */
#define WITHOUT_WILDCARD (SIZE_MAX / 2)

/* -- keys ------------------------------------------------------------------------------------------------ */

static const char *without_scheme(const char *key)
{
    const char *separator = strstr(key, "://");
    return separator ? separator + 3 : key;
}

static void set_host(struct entry *entry, const char *host, size_t len)
{
    entry->host = xmemdupz(host, len);
    for (char *c = entry->host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < ARRAY_LEN(hub_hosts); i++) {
        if (strcmp(entry->host, hub_hosts[i]) != 0)
            continue;
        free(entry->host);
        entry->host = xstrdup(hub_hosts[0]);
        return;
    }
}

/* "https://index.docker.io/v1/" and all its relatives. The version of the API is no path of a repository. */
static void set_key(struct entry *entry, const char *key)
{
    const char *host = without_scheme(key);
    size_t host_len = strcspn(host, "/");
    set_host(entry, host, host_len);
    bool is_hub = !strcmp(entry->host, hub_hosts[0]);
    entry->is_usual = is_hub ? !strcmp(key, "https://index.docker.io/v1/") : host == key;
    const char *path = host + host_len + strspn(host + host_len, "/");
    size_t path_len = strlen(path);
    while (path_len && path[path_len - 1] == '/')
        path_len--;
    bool is_version = path_len == 2 && (!strncmp(path, "v1", 2) || !strncmp(path, "v2", 2));
    entry->path = xmemdupz(path, is_version ? 0 : path_len);
}

/* With "/" for ".", so that fnmatch takes each label of a host name by itself. free() it. */
static char *labels_as_path(const char *host, size_t len)
{
    char *path = xmemdupz(host, len);
    for (char *c = path; *c; c++) {
        if (*c == '.')
            *c = '/';
    }
    return path;
}

/* As the kubelet has it: a "*" stands for what is between two dots or a part of it, and for no port. */
static bool fits_wildcard(const char *pattern, const char *host, size_t host_len)
{
    AUTO_FREE char *given = xmemdupz(host, host_len);
    size_t name_len = strcspn(pattern, ":"), given_len = strcspn(given, ":");
    AUTO_FREE char *labels = labels_as_path(pattern, name_len);
    AUTO_FREE char *given_labels = labels_as_path(given, given_len);
    return !strcmp(pattern + name_len, given + given_len) &&
           fnmatch(labels, given_labels, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

/* How much of the repository the entry's key covers, or 0: longer is better, and a wildcard worse than none. */
static size_t coverage(const struct entry *entry, const char *host, size_t host_len, const char *path)
{
    bool is_same = strlen(entry->host) == host_len && !strncmp(entry->host, host, host_len);
    if (!is_same && !(strchr(entry->host, '*') && fits_wildcard(entry->host, host, host_len)))
        return 0;
    size_t len = strlen(entry->path);
    if (strncmp(path, entry->path, len) != 0 || (len && path[len] && path[len] != '/'))
        return 0;
    return is_same ? WITHOUT_WILDCARD + len : strlen(entry->host) + 1 + len;
}

/* -- entries --------------------------------------------------------------------------------------------- */

static struct entry *add_entry(struct credentials *c, const char *key)
{
    vec_grow(c->entries, c->len, c->capacity);
    struct entry *entry = &c->entries[c->len++];
    *entry = (struct entry){.problem = ERROR_INIT};
    set_key(entry, key);
    return entry;
}

/* base64 of user:password, where only the password may hold further colons. */
static int read_auth(struct entry *entry, const char *auth)
{
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
    if (strbuf_add_base64_decoded(&plain, auth, strlen(auth)) < 0)
        return error_set(&entry->problem, ERROR_INVALID, "its \"auth\" is not base64");
    char *colon = strchr(plain.buf, ':');
    if (colon) {
        entry->username = xmemdupz(plain.buf, (size_t)(colon - plain.buf));
        entry->password = xstrdup(colon + 1);
    }
    explicit_bzero(plain.buf, plain.len);
    return colon ? 0
                 : error_set(&entry->problem, ERROR_INVALID, "its \"auth\" is not base64 of user:password");
}

/* The field that is there and is no string, or NULL. */
static const char *odd_field(const json_t *value)
{
    static const char *const fields[] = {"auth", "username", "password", "identitytoken", "registrytoken"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const json_t *field = json_object_get(value, fields[i]);
        if (field && !json_is_string(field) && !json_is_null(field))
            return fields[i];
    }
    return NULL;
}

/* What keeps the entry from being read at all: -1. */
static int check_entry(struct entry *entry, const json_t *value)
{
    const char *odd = odd_field(value);
    if (!json_is_object(value) && !json_is_null(value))
        return error_set(&entry->problem, ERROR_INVALID, "it is not a JSON object");
    if (odd)
        return error_set(&entry->problem, ERROR_INVALID, "its \"%s\" is not a string", odd);
    if (json_string_at(value, "registrytoken"))
        return error_set(&entry->problem, ERROR_UNSUPPORTED,
                         "it holds a \"registrytoken\", which is not supported");
    return 0;
}

/* True if the entry says anything; `docker login` with a credential store leaves empty ones behind. */
static bool read_entry(struct entry *entry, const json_t *value)
{
    if (check_entry(entry, value) < 0)
        return true;
    const char *auth = json_string_at(value, "auth");
    const char *username = json_string_at(value, "username");
    const char *password = json_string_at(value, "password");
    const char *identity_token = json_string_at(value, "identitytoken");
    if (identity_token && *identity_token)
        entry->identity_token = xstrdup(identity_token);
    if (auth && *auth)
        return read_auth(entry, auth) == 0 || entry->problem.code != ERROR_NONE;
    if (username && password) {
        entry->username = xstrdup(username);
        entry->password = xstrdup(password);
    }
    return entry->identity_token || entry->username;
}

static void use_helper(struct entry *entry, const char *setting, const char *helper, const char *server)
{
    if (!credential_helper_is_name(helper)) {
        error_set(&entry->problem, ERROR_INVALID, "%s: the helper's name (%.40s) is not a plain file name",
                  setting, helper);
        return;
    }
    entry->helper = xstrdup(helper);
    entry->server = xstrdup(server);
}

static void drop_entry(struct credentials *c)
{
    struct entry *entry = &c->entries[--c->len];
    free(entry->host);
    free(entry->path);
    credential_free_secret(entry->username);
    credential_free_secret(entry->password);
    credential_free_secret(entry->identity_token);
    free(entry->helper);
    free(entry->server);
}

static void read_auths(struct credentials *c, json_t *auths, const char *store)
{
    const char *key;
    json_t *value;
    json_object_foreach(auths, key, value)
    {
        struct entry *entry = add_entry(c, key);
        if (read_entry(entry, value))
            continue;
        entry->is_of_store = true;
        if (store && *store)
            use_helper(entry, "credsStore", store, key);
        else
            drop_entry(c);
    }
}

static void read_helpers(struct credentials *c, json_t *helpers)
{
    const char *key;
    json_t *value;
    json_object_foreach(helpers, key, value)
    {
        struct entry *entry = add_entry(c, key);
        if (json_string_value(value))
            use_helper(entry, "credHelpers", json_string_value(value), key);
        else
            error_set(&entry->problem, ERROR_INVALID, "credHelpers: the helper's name is not a string");
    }
}

/* The layout of ~/.dockercfg and of Secrets of type kubernetes.io/dockercfg: what "auths" holds, and nothing else. */
static bool is_legacy(json_t *config)
{
    static const char *const current[] = {"auths", "credHelpers", "credsStore"};
    const char *key;
    json_t *value;
    for (size_t i = 0; i < ARRAY_LEN(current); i++) {
        if (json_object_get(config, current[i]))
            return false;
    }
    json_object_foreach(config, key, value)
    {
        if (json_object_get(value, "auth") || json_object_get(value, "username"))
            return true;
    }
    return false;
}

/* In the legacy layout keys of other things may stand beside the hosts; those are not objects. */
static void read_config(struct credentials *c, json_t *config)
{
    const char *store = json_string_at(config, "credsStore");
    if (is_legacy(config)) {
        read_auths(c, config, NULL);
        return;
    }
    read_auths(c, json_object_get(config, "auths"), store);
    read_helpers(c, json_object_get(config, "credHelpers"));
    if (store && *store)
        c->store = xstrdup(store);
}

/* -- the interface --------------------------------------------------------------------------------------- */

struct credentials *credentials_parse(const char *text, size_t len, const char *origin, struct error *err)
{
    AUTO_JSON json_t *config = json_read(text, len, err);
    if (!config) {
        error_wrap(err, "%s", origin);
        return NULL;
    }
    const json_t *auths = json_object_get(config, "auths");
    if (!json_is_object(config) || (auths && !json_is_object(auths) && !json_is_null(auths))) {
        error_set(err, ERROR_INVALID, "%s: not a Docker configuration: \"auths\" must be an object", origin);
        json_wipe(config);
        return NULL;
    }
    struct credentials *c = xcalloc(1, sizeof(*c));
    c->origin = xstrdup(origin);
    read_config(c, config);
    json_wipe(config);
    return c;
}

struct credentials *credentials_load(const char *path, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(path, LIMIT_CONFIG_BYTES, &text, err) < 0)
        return NULL;
    struct credentials *c = credentials_parse(text.buf, text.len, path, err);
    explicit_bzero(text.buf, text.len);
    return c;
}

void credentials_free(struct credentials *c)
{
    if (!c)
        return;
    while (c->len)
        drop_entry(c);
    free(c->entries);
    free(c->origin);
    free(c->store);
    free(c);
}

/* Among entries that cover as much. */
static int preference(const struct entry *entry)
{
    if (entry->problem.code != ERROR_NONE)
        return 0;
    int kind = !entry->helper ? 3 : entry->is_of_store ? 1 : 2;
    return 2 * kind + entry->is_usual;
}

static const struct entry *best_entry(const struct credentials *c, const char *repository, size_t host_len,
                                      size_t *best_coverage)
{
    *best_coverage = 0;
    const char *path = repository + host_len + (repository[host_len] == '/');
    const struct entry *best = NULL;
    for (size_t i = 0; c && i < c->len; i++) {
        const struct entry *entry = &c->entries[i];
        size_t covered = coverage(entry, repository, host_len, path);
        bool is_preferred = best && covered == *best_coverage && preference(entry) > preference(best);
        if (covered > *best_coverage || (covered && is_preferred)) {
            best = entry;
            *best_coverage = covered;
        }
    }
    return best;
}

static int use_store(const struct credentials *c, struct credential_choice *out, struct error *err)
{
    if (!credential_helper_is_name(c->store))
        return error_set(err, ERROR_INVALID,
                         "%s: credsStore: the helper's name (%.40s) is not a plain file name", c->origin,
                         c->store);
    out->helper = c->store;
    return 0;
}

int credentials_for(const struct credentials *c, const char *repository, struct credential_choice *out,
                    struct error *err)
{
    size_t host_len = strcspn(repository, "/");
    size_t covered;
    const struct entry *best = best_entry(c, repository, host_len, &covered);
    *out = (struct credential_choice){.is_listed = best != NULL, .covered = covered};
    if (!best)
        return c && c->store ? use_store(c, out, err) : 0;
    if (best->problem.code != ERROR_NONE) {
        if (err)
            *err = best->problem;
        return error_wrap(err, "%s: the credentials for %s%s%s", c->origin, best->host,
                          *best->path ? "/" : "", best->path);
    }
    out->credential = (struct credential){
        .username = best->username, .password = best->password, .identity_token = best->identity_token};
    out->helper = best->helper;
    out->server = best->server;
    return 0;
}
