/*
 * The configuration: every option of the program, and the repositories that it works on.
 *
 * The option rows are in daemon/config_options.c; flags, environment (PAWL_…), the YAML file and --help all
 * come from them (base/option.h). Read once at start, immutable afterwards, shared by all threads.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/option.h"
#include "base/strbuf.h"
#include "updater/commit_message.h"

/* One git repository and where its commits go. */
struct repository_config {
    char *name; /* for messages; unique */
    char *url;
    char *branch;        /* NULL: the remote's HEAD */
    struct strvec paths; /* empty: the whole repository */
    char *deploy_to;
    bool readonly;
};

struct config {
    /* general */
    char *config_file;
    char *data_dir; /* filled in by config_finish if it was not given */
    char *log_level, *log_format;
    /* git */
    char *git_url, *git_branch, *git_user, *git_email, *git_ci_skip_message;
    struct strvec git_path;
    char *commit_per, *git_notes_ref, *git_commit_template;
    struct commit_template *commit_template; /* owned; what that option says; NULL: Flux v1's message */
    bool git_trailers;
    bool git_readonly, git_ci_skip, git_set_author;
    int64_t git_poll_interval_ms, git_timeout_ms, automation_interval_ms;
    /* registries */
    struct strvec insecure_hosts, exclude_images, include_images, use_labels;
    struct strvec ecr_regions, ecr_include_ids, ecr_exclude_ids, registry_require;
    bool registry_disable_scanning, registry_trace;
    char *platform, *docker_config;
    int64_t registry_poll_interval_ms, registry_rps, registry_burst, registry_tag_limit, registry_timeout_ms;
    /* cache */
    char *cache, *memcached_hostname, *memcached_service;
    int64_t memcached_port, memcached_timeout_ms;
    /* cluster */
    char *deploy_to, *kubeconfig, *context, *default_space;
    int64_t sync_interval_ms, sync_timeout_ms;
    /* the listener */
    char *listen, *listen_metrics, *hook_key_file;
    char *hook_google_audience, *hook_google_account, *hook_google_issuer, *hook_google_keys_url;
    /* from the `repositories` list of the file, or the one that --git-url names */
    struct repository_config *repositories;
    size_t repositories_len;
};

/* The rows, one table per theme, each ended by a row without a name. They read into a struct config at offset
 * zero of the values struct. */
extern const struct option_row config_general_options[];
extern const struct option_row config_git_options[];
extern const struct option_row config_registry_options[];
extern const struct option_row config_cache_options[];
extern const struct option_row config_cluster_options[];
extern const struct option_row config_listen_options[];
/* Flags of fluxd that this version refuses or that never had an effect; hidden in help. */
extern const struct option_row config_flux_options[];

/* Environment variables that begin with PAWL_ and are not options. */
extern const char *const config_foreign_environment[];

/*
 * Completes a configuration whose arguments and environment were read into `set`: reads the file that --config
 * names, builds the list of repositories, fills in defaults that depend on the machine, and checks what no row
 * can check alone. `needs_repository`: ERROR_USAGE if there is none.
 */
int config_finish(struct config *config, struct option_set *set, bool needs_repository, struct error *err)
    MUST_CHECK;

/* Frees the list of repositories; the rest belongs to the option set. */
void config_release(struct config *config);

/* The text for cache_open. free() it. */
char *config_cache_spec(const struct config *config) MUST_CHECK;

#endif
