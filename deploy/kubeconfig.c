#include "deploy/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/yaml.h"

static void entry_free(void *value)
{
    struct kubeconfig_entry *entry = value;
    json_decref(entry->body);
    free(entry->file);
    free(entry);
}

void kubeconfig_init(struct kubeconfig *config)
{
    strmap_init(&config->clusters, entry_free);
    strmap_init(&config->users, entry_free);
    strmap_init(&config->contexts, entry_free);
    config->current_context = NULL;
}

void kubeconfig_release(struct kubeconfig *config)
{
    strmap_release(&config->clusters);
    strmap_release(&config->users);
    strmap_release(&config->contexts);
    free(config->current_context);
    config->current_context = NULL;
}

void kubeconfig_paths(const char *flag, const char *environment, const char *home, struct strvec *paths)
{
    if (flag) {
        strvec_push(paths, flag);
        return;
    }
    if (!environment || !*environment) {
        if (home)
            strvec_push(paths, home);
        return;
    }
    for (const char *part = environment; *part; part += *part == ':') {
        size_t len = strcspn(part, ":");
        if (len)
            strvec_push_owned(paths, xmemdupz(part, len));
        part += len;
    }
}

/* Takes over the entries of one list ([{name: N, SINGULAR: {…}}]) whose names are not taken yet. */
static int add_entries(struct strmap *to, const json_t *root, const char *plural, const char *singular,
                       const char *file, struct error *err)
{
    const json_t *list = json_object_get(root, plural);
    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return error_set(err, ERROR_USAGE, "kubeconfig %s: %s must be a list", file, plural);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_at(item, "name");
        if (!name)
            return error_set(err, ERROR_USAGE, "kubeconfig %s: %s[%zu] has no name", file, plural, i);
        json_t *body = json_object_get(item, singular);
        if (body && !json_is_null(body) && !json_is_object(body))
            return error_set(err, ERROR_USAGE, "kubeconfig %s: %s of \"%s\" must be a map", file, singular,
                             name);
        if (strmap_has(to, name))
            continue;
        struct kubeconfig_entry *entry = xcalloc(1, sizeof(*entry));
        entry->body = json_is_object(body) ? json_incref(body) : json_object();
        entry->file = xstrdup(file);
        strmap_set(to, name, entry);
    }
    return 0;
}

static json_t *read_root(const char *file, const char *text, size_t len, struct error *err)
{
    CLEANUP(yaml_release) struct yaml_stream *yaml = yaml_read(text, len, err);
    if (!yaml) {
        error_wrap(err, "kubeconfig %s", file);
        return NULL;
    }
    if (yaml->len > 0 && yaml->documents[0].error.code) {
        const struct yaml_document *broken = &yaml->documents[0];
        error_set(err, ERROR_USAGE, "kubeconfig %s: line %d column %d: %s", file, broken->error_line,
                  broken->error_column, broken->error.text);
        return NULL;
    }
    if (yaml->len == 0 || !yaml->documents[0].root)
        return json_object(); /* an empty file is an empty configuration */
    json_t *root = yaml_to_json(yaml->documents[0].root, err);
    if (!root)
        error_wrap(err, "kubeconfig %s", file);
    return root;
}

int kubeconfig_add(struct kubeconfig *config, const char *file, const char *text, size_t len,
                   struct error *err)
{
    AUTO_JSON json_t *root = read_root(file, text, len, err);
    if (!root) {
        if (err)
            err->code = ERROR_USAGE;
        return -1;
    }
    if (!json_is_object(root) && !json_is_null(root))
        return error_set(err, ERROR_USAGE, "kubeconfig %s: not a map of clusters, users and contexts", file);
    if (add_entries(&config->clusters, root, "clusters", "cluster", file, err) < 0 ||
        add_entries(&config->users, root, "users", "user", file, err) < 0 ||
        add_entries(&config->contexts, root, "contexts", "context", file, err) < 0)
        return -1;
    const char *current = json_string_at(root, "current-context");
    if (!config->current_context && current && *current)
        config->current_context = xstrdup(current);
    return 0;
}

int kubeconfig_read(struct kubeconfig *config, const struct strvec *paths, bool *found, struct error *err)
{
    *found = false;
    for (size_t i = 0; i < paths->len; i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct error problem = ERROR_INIT;
        if (file_read(paths->items[i], LIMIT_KUBECONFIG_BYTES, &text, &problem) < 0) {
            if (problem.code == ERROR_NOT_FOUND)
                continue;
            return error_set(err, ERROR_USAGE, "kubeconfig: %s", problem.text);
        }
        *found = true;
        if (kubeconfig_add(config, paths->items[i], text.buf, text.len, err) < 0)
            return -1;
    }
    return 0;
}

char *kubeconfig_resolve(const struct kubeconfig_entry *entry, const char *path)
{
    const char *slash = strrchr(entry->file, '/');
    if (!slash)
        return xstrdup(path);
    AUTO_FREE char *folder = xmemdupz(entry->file, (size_t)(slash - entry->file) + 1);
    return file_join(folder, path);
}
