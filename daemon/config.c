#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/yaml.h"

static const struct option_row repository_rows[] = {
    {.name = "name",
     .type = OPTION_STRING,
     .offset = offsetof(struct repository_config, name),
     .metavar = "NAME"},
    {.name = "url",
     .type = OPTION_STRING,
     .offset = offsetof(struct repository_config, url),
     .metavar = "URL"},
    {.name = "branch",
     .type = OPTION_STRING,
     .offset = offsetof(struct repository_config, branch),
     .metavar = "BRANCH"},
    {.name = "path",
     .type = OPTION_LIST,
     .offset = offsetof(struct repository_config, paths),
     .metavar = "PATH"},
    {.name = "deploy-to",
     .type = OPTION_STRING,
     .offset = offsetof(struct repository_config, deploy_to),
     .metavar = "TARGET"},
    {.name = "git-readonly", .type = OPTION_BOOL, .offset = offsetof(struct repository_config, readonly)},
    {.name = NULL},
};
static const struct option_row *const repository_tables[] = {repository_rows, NULL};

/* "git@host:org/gitops.git" -> "gitops" */
static char *name_from_url(const char *url)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    if (len > 4 && !strncmp(url + len - 4, ".git", 4))
        len -= 4;
    size_t start = len;
    while (start && url[start - 1] != '/' && url[start - 1] != ':')
        start--;
    return start < len ? xmemdupz(url + start, len - start) : xstrdup("repository");
}

static void copy_paths(struct strvec *to, const struct strvec *from)
{
    for (size_t i = 0; i < from->len; i++)
        strvec_push(to, from->items[i]);
}

/* The repository that --git-url and its companions describe. */
static void add_single_repository(struct config *config)
{
    config->repositories = xcalloc(1, sizeof(*config->repositories));
    config->repositories_len = 1;
    struct repository_config *only = config->repositories;
    only->url = xstrdup(config->git_url);
    only->name = name_from_url(only->url);
    only->branch = xstrdup(config->git_branch);
    copy_paths(&only->paths, &config->git_path);
    only->deploy_to = xstrdup(config->deploy_to);
    only->readonly = config->git_readonly;
}

static int add_listed_repository(struct config *config, struct repository_config *repository,
                                 const struct yaml_node *node, struct error *err)
{
    struct option_set set;
    option_set_init(&set, repository_tables, repository);
    int status = option_read_yaml(&set, node, config->config_file, NULL, err);
    free(set.source); /* the values stay: they are the configuration's now */
    if (status < 0)
        return -1;
    if (!repository->url)
        return error_set(err, ERROR_USAGE, "%s:%d: a repository needs a url", config->config_file,
                         node->line);
    if (!repository->name)
        repository->name = name_from_url(repository->url);
    if (!repository->deploy_to)
        repository->deploy_to = xstrdup(config->deploy_to);
    repository->readonly = repository->readonly || config->git_readonly;
    return 0;
}

static int add_listed_repositories(struct config *config, const struct yaml_node *list, struct error *err)
{
    if (list->kind != YAML_SEQUENCE)
        return error_set(err, ERROR_USAGE, "%s:%d: repositories must be a list", config->config_file,
                         list->line);
    config->repositories = xcalloc(list->len, sizeof(*config->repositories));
    for (size_t i = 0; i < list->len; i++) {
        config->repositories_len = i + 1;
        const struct yaml_node *node = yaml_resolve(list->items[i]);
        if (add_listed_repository(config, &config->repositories[i], node, err) < 0)
            return -1;
    }
    return 0;
}

static int read_file(struct config *config, struct option_set *set, struct error *err)
{
    static const char *const foreign[] = {"repositories", NULL};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (file_read(config->config_file, LIMIT_CONFIG_BYTES, &text, err) < 0) {
        err->code = ERROR_USAGE;
        return -1;
    }
    CLEANUP(yaml_release) struct yaml_stream *stream = yaml_read(text.buf, text.len, err);
    if (!stream)
        return error_wrap(err, "%s", config->config_file);
    for (size_t i = 0; i < stream->len; i++) {
        const struct yaml_document *document = &stream->documents[i];
        if (document->error.code)
            return error_set(err, ERROR_USAGE, "%s:%d:%d: %s", config->config_file, document->error_line,
                             document->error_column, document->error.text);
    }
    if (stream->len > 1)
        return error_set(err, ERROR_USAGE, "%s: more than one document", config->config_file);
    const struct yaml_node *root = stream->len ? yaml_resolve(stream->documents[0].root) : NULL;
    if (!root)
        return 0;
    if (option_read_yaml(set, root, config->config_file, foreign, err) < 0)
        return -1;
    const struct yaml_node *list = yaml_resolve(yaml_get(root, "repositories"));
    return list ? add_listed_repositories(config, list, err) : 0;
}

static char *default_data_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    if (state && *state)
        return file_join(state, "pawl");
    if (geteuid() == 0)
        return xstrdup("/var/lib/pawl");
    char *home = file_in_home(".local/state/pawl");
    return home ? home : xstrdup("/var/lib/pawl");
}

static int check_paths(const struct repository_config *repository, struct error *err)
{
    for (size_t i = 0; i < repository->paths.len; i++) {
        const char *path = repository->paths.items[i];
        if (path[0] == '/')
            return error_set(err, ERROR_USAGE,
                             "the path %s begins with \"/\": paths are relative to the repository's root",
                             path);
        for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
            if (!strncmp(at, "..", 2) && (at[2] == '/' || !at[2]))
                return error_set(err, ERROR_USAGE, "the path %s leads out of the repository", path);
        }
    }
    return 0;
}

static int check_repositories(const struct config *config, struct error *err)
{
    for (size_t i = 0; i < config->repositories_len; i++) {
        if (check_paths(&config->repositories[i], err) < 0)
            return -1;
        for (size_t k = 0; k < i; k++) {
            if (!strcmp(config->repositories[i].name, config->repositories[k].name))
                return error_set(err, ERROR_USAGE, "two repositories are named \"%s\"; give them other names",
                                 config->repositories[i].name);
        }
    }
    return 0;
}

static int read_template(struct config *config, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *given = config->git_commit_template;
    if (!given)
        return 0;
    if (*given != '@')
        strbuf_addstr(&text, given);
    else if (file_read(given + 1, LIMIT_CONFIG_BYTES, &text, err) < 0)
        return error_set(err, ERROR_USAGE, "--git-commit-template: %s", err->text);
    config->commit_template = commit_template_new(text.buf, err);
    return config->commit_template ? 0 : error_wrap(err, "--git-commit-template");
}

int config_finish(struct config *config, struct option_set *set, bool needs_repository, struct error *err)
{
    if (config->config_file && read_file(config, set, err) < 0)
        return -1;
    if (!config->data_dir)
        config->data_dir = default_data_dir();
    if (config->repositories_len && config->git_url)
        return error_set(err, ERROR_USAGE, "--git-url and a list of repositories in %s exclude each other",
                         config->config_file);
    if (config->git_url)
        add_single_repository(config);
    if (needs_repository && !config->repositories_len)
        return error_set(err, ERROR_USAGE,
                         "no repository: give --git-url URL, or --config FILE with a list of repositories");
    if (!config->registry_rps || !config->registry_burst)
        return error_set(err, ERROR_USAGE, "--registry-rps and --registry-burst must be at least 1");
    if (!config->registry_tag_limit)
        return error_set(err, ERROR_USAGE, "--registry-tag-limit must be at least 1");
    if (!config->registry_timeout_ms)
        return error_set(err, ERROR_USAGE, "--registry-timeout must be more than 0");
    if (config->memcached_service && *config->memcached_service)
        return error_set(err, ERROR_UNSUPPORTED,
                         "--memcached-service: this version looks up no SRV records; name the servers: "
                         "--cache memcached://HOST:PORT,HOST:PORT");
    if (config->memcached_port > 65535)
        return error_set(err, ERROR_USAGE, "--memcached-port must be at most 65535");
    return check_repositories(config, err) < 0 ? -1 : read_template(config, err);
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config->repositories_len; i++) {
        struct repository_config *repository = &config->repositories[i];
        free(repository->name);
        free(repository->url);
        free(repository->branch);
        free(repository->deploy_to);
        strvec_release(&repository->paths);
    }
    free(config->repositories);
    commit_template_free(steal(&config->commit_template));
    config->repositories = NULL;
    config->repositories_len = 0;
}

char *config_cache_spec(const struct config *config)
{
    if (config->memcached_hostname)
        return xasprintf("memcached://%s:%d", config->memcached_hostname, (int)config->memcached_port);
    return xstrdup(config->cache);
}
