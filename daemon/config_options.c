/*
 * Every option, once. A new option is one row here and one field in struct config.
 */
#include "daemon/config.h"

#define AT(field) offsetof(struct config, field)

const struct option_row config_general_options[] = {
    {.name = "config", .type = OPTION_STRING, .offset = AT(config_file), .metavar = "FILE", .group = "General",
     .help = "YAML file with any of these options, and a list of repositories"},
    {.name = "data-dir", .type = OPTION_STRING, .offset = AT(data_dir), .metavar = "DIR", .group = "General",
     .help = "Where mirrors and the cache are kept; /var/lib/pawl for root, else $XDG_STATE_HOME/pawl"},
    {.name = "log-format", .type = OPTION_STRING, .offset = AT(log_format), .fallback = "fmt",
     .metavar = "FORMAT", .group = "General", .choices = "fmt|json", .help = "Form of the log lines on stderr"},
    {.name = "log-level", .type = OPTION_STRING, .offset = AT(log_level), .fallback = "info",
     .metavar = "LEVEL", .group = "General", .choices = "debug|info|warn|error", .help = "Least level to log"},
    {.name = NULL},
};

const struct option_row config_git_options[] = {
    {.name = "git-url", .type = OPTION_STRING, .offset = AT(git_url), .metavar = "URL", .group = "Git",
     .help = "Repository with the manifests: a path, file://, ssh://, user@host:path or https://"},
    {.name = "git-branch", .type = OPTION_STRING, .offset = AT(git_branch), .metavar = "BRANCH", .group = "Git",
     .help = "Branch to read and to push to; the remote's HEAD if not given"},
    {.name = "git-path", .type = OPTION_LIST, .offset = AT(git_path), .metavar = "PATH", .group = "Git",
     .help = "Directory or file in the repository to look at; may be repeated; all of it if not given"},
    {.name = "git-user", .type = OPTION_STRING, .offset = AT(git_user), .fallback = "pawl", .metavar = "NAME",
     .group = "Git", .help = "Author of commits"},
    {.name = "git-email", .type = OPTION_STRING, .offset = AT(git_email), .fallback = "pawl@localhost",
     .metavar = "EMAIL", .group = "Git", .help = "Author's address"},
    {.name = "git-readonly", .type = OPTION_BOOL, .offset = AT(git_readonly), .group = "Git",
     .help = "Never commit or push; apply what others commit"},
    {.name = "git-ci-skip", .type = OPTION_BOOL, .offset = AT(git_ci_skip), .group = "Git",
     .help = "Append \"[ci skip]\" to commit messages"},
    {.name = "git-ci-skip-message", .type = OPTION_STRING, .offset = AT(git_ci_skip_message), .metavar = "TEXT",
     .group = "Git", .help = "Text to append to commit messages instead"},
    {.name = "git-poll-interval", .type = OPTION_DURATION, .offset = AT(git_poll_interval_ms), .fallback = "5m",
     .metavar = "DURATION", .group = "Git", .help = "How often serve asks the repository for new commits"},
    {.name = "git-timeout", .type = OPTION_DURATION, .offset = AT(git_timeout_ms), .fallback = "20s",
     .metavar = "DURATION", .group = "Git", .help = "Longest wait for the git host to send or take anything"},
    {.name = NULL},
};

const struct option_row config_registry_options[] = {
    {.name = "registry-poll-interval", .type = OPTION_DURATION, .offset = AT(registry_poll_interval_ms),
     .fallback = "5m", .metavar = "DURATION", .group = "Registries",
     .help = "How often serve asks a registry for a repository's tags"},
    {.name = "registry-rps", .type = OPTION_INT, .offset = AT(registry_rps), .fallback = "50",
     .metavar = "N", .group = "Registries", .help = "Requests a second to one registry, at most"},
    {.name = "registry-burst", .type = OPTION_INT, .offset = AT(registry_burst), .fallback = "10",
     .metavar = "N", .group = "Registries", .help = "Requests that may go to one registry at once"},
    {.name = "registry-tag-limit", .type = OPTION_INT, .offset = AT(registry_tag_limit), .fallback = "50000",
     .metavar = "N", .group = "Registries",
     .help = "Tags kept of one repository; with more than that it is never a reason to update"},
    {.name = "registry-insecure-host", .type = OPTION_LIST, .offset = AT(insecure_hosts), .metavar = "HOST",
     .group = "Registries", .help = "Registry whose certificate is not checked and that may speak plain HTTP"},
    {.name = "registry-exclude-image", .type = OPTION_LIST, .offset = AT(exclude_images),
     .fallback = "k8s.gcr.io/*", .metavar = "GLOB", .group = "Registries",
     .help = "Images never to scan, as \"host/path\" with * for anything"},
    {.name = "registry-include-image", .type = OPTION_LIST, .offset = AT(include_images), .metavar = "GLOB",
     .group = "Registries", .help = "Scan only these images; the excluded ones stay excluded"},
    {.name = "platform", .type = OPTION_STRING, .offset = AT(platform), .fallback = "linux/amd64",
     .metavar = "OS/ARCH", .group = "Registries", .help = "Platform whose image dates a multi-platform tag"},
    {.name = "docker-config", .type = OPTION_STRING, .offset = AT(docker_config), .metavar = "FILE",
     .group = "Registries",
     .help = "Docker config file with registry credentials; $DOCKER_CONFIG/config.json or "
             "~/.docker/config.json if there is one"},
    {.name = NULL},
};

const struct option_row config_cache_options[] = {
    {.name = "cache", .type = OPTION_STRING, .offset = AT(cache), .fallback = "file", .metavar = "WHERE",
     .group = "Cache",
     .help = "Image metadata cache: file (in the data directory), memcached://HOST:PORT[,HOST:PORT...] or none"},
    {.name = "memcached-hostname", .type = OPTION_STRING, .offset = AT(memcached_hostname), .metavar = "HOST",
     .group = "Cache", .help = "Selects memcached on this host, as in Flux"},
    {.name = "memcached-port", .type = OPTION_INT, .offset = AT(memcached_port), .fallback = "11211",
     .metavar = "PORT", .group = "Cache", .help = "Its port"},
    {.name = "memcached-timeout", .type = OPTION_DURATION, .offset = AT(memcached_timeout_ms), .fallback = "1s",
     .metavar = "DURATION", .group = "Cache", .help = "Longest wait for one memcached operation"},
    {.name = NULL},
};

const struct option_row config_cluster_options[] = {
    {.name = "deploy-to", .type = OPTION_STRING, .offset = AT(deploy_to), .fallback = "auto",
     .metavar = "TARGET", .group = "Cluster",
     .help = "Where commits are applied: kubernetes, dir:PATH or none; auto is kubernetes in a pod or with a "
             "kubeconfig, else none"},
    {.name = "kubeconfig", .type = OPTION_STRING, .offset = AT(kubeconfig), .metavar = "FILE",
     .group = "Cluster", .help = "As kubectl: $KUBECONFIG, else ~/.kube/config"},
    {.name = "kube-config", .type = OPTION_STRING, .offset = AT(kubeconfig), .metavar = "FILE"},
    {.name = "context", .type = OPTION_STRING, .offset = AT(context), .metavar = "NAME", .group = "Cluster",
     .help = "Context of the kubeconfig instead of its current one"},
    {.name = "k8s-default-namespace", .type = OPTION_STRING, .offset = AT(default_space), .metavar = "NAME",
     .group = "Cluster", .help = "Namespace of objects that name none; the context's, else \"default\""},
    {.name = "sync-interval", .type = OPTION_DURATION, .offset = AT(sync_interval_ms), .fallback = "5m",
     .metavar = "DURATION", .group = "Cluster", .help = "How often serve applies a commit again that it has applied"},
    {.name = "sync-timeout", .type = OPTION_DURATION, .offset = AT(sync_timeout_ms), .fallback = "1m",
     .metavar = "DURATION", .group = "Cluster", .help = "Longest wait for one request to the API server"},
    {.name = NULL},
};

/* A flag with a value has a metavar, one without has none; neither has help, so neither is listed. */
#define WITHOUT_EFFECT(flag, value) {.name = flag, .type = OPTION_NONE, .metavar = value}
#define REFUSED(flag, value, why)   {.name = flag, .type = OPTION_NONE, .metavar = value, .refusal = why}

#define NO_API  "this version has no HTTP API yet; it needs no port, leave the option out"
#define NO_SIGN "this version does not sign or verify commits yet"
#define NO_SYNC "this version keeps no sync marker or notes in git yet; leave the option out"
#define NO_GC   "this version deletes nothing from the target yet"
#define NO_KEYS "this version makes no SSH keys; it uses your own ssh with its keys and configuration"
#define NO_ECR  "this version gets no credentials from cloud providers yet; use --docker-config"
#define NO_HUB  "there is no such service any more"

const struct option_row config_flux_options[] = {
    WITHOUT_EFFECT("kubernetes-kubectl", "PATH"),
    WITHOUT_EFFECT("registry-cache-expiry", "DURATION"),
    WITHOUT_EFFECT("k8s-in-cluster", NULL),
    WITHOUT_EFFECT("k8s-verbosity", "N"),
    REFUSED("listen", "ADDRESS", NO_API),
    REFUSED("listen-metrics", "ADDRESS", NO_API),
    REFUSED("auth", "HOW", NO_API),
    REFUSED("auth-token-file", "FILE", NO_API),
    REFUSED("git-push-branch", "BRANCH", "this version pushes to the branch that it reads"),
    REFUSED("git-set-author", NULL, "this version has no commits that a person asked for"),
    REFUSED("git-label", "LABEL", NO_SYNC),
    REFUSED("git-sync-tag", "TAG", NO_SYNC),
    REFUSED("git-notes-ref", "REF", NO_SYNC),
    REFUSED("git-secret", NULL, "this version does not decrypt files yet"),
    REFUSED("sops", NULL, "this version does not decrypt files yet"),
    REFUSED("git-gpg-key-import", "FILE", NO_SIGN),
    REFUSED("git-signing-key", "KEY", NO_SIGN),
    REFUSED("git-verify-signatures-mode", "MODE", NO_SIGN),
    REFUSED("git-verify-signatures", NULL, NO_SIGN),
    REFUSED("sync-garbage-collection", NULL, NO_GC),
    REFUSED("sync-garbage-collection-dry", NULL, NO_GC),
    REFUSED("sync-state", "WHERE", NO_SYNC),
    REFUSED("memcached-service", "NAME", "name the servers: --cache memcached://HOST:PORT,HOST:PORT"),
    REFUSED("registry-disable-scanning", NULL, "leave the workloads unautomated, or use --git-readonly"),
    REFUSED("automation-interval", "DURATION",
            "a round runs as soon as a registry's answer changes; --registry-poll-interval sets how often it is asked"),
    REFUSED("registry-trace", NULL, "use --log-level debug"),
    REFUSED("registry-use-labels", "GLOB", "this version takes creation times from image configs alone"),
    REFUSED("registry-ecr-region", "REGION", NO_ECR),
    REFUSED("registry-ecr-include-id", "ID", NO_ECR),
    REFUSED("registry-ecr-exclude-id", "ID", NO_ECR),
    REFUSED("registry-require", "WHAT", NO_ECR),
    REFUSED("k8s-secret-name", "NAME", NO_KEYS),
    REFUSED("k8s-secret-volume-mount-path", "PATH", NO_KEYS),
    REFUSED("k8s-secret-data-key", "KEY", NO_KEYS),
    REFUSED("k8s-namespace-whitelist", "NAME", "this version applies to all namespaces that its account may write"),
    REFUSED("k8s-allow-namespace", "NAME", "this version applies to all namespaces that its account may write"),
    REFUSED("k8s-unsafe-exclude-resource", "GLOB", "this version lists only the kinds that the repository has"),
    REFUSED("ssh-keygen-bits", "N", NO_KEYS),
    REFUSED("ssh-keygen-type", "TYPE", NO_KEYS),
    REFUSED("ssh-keygen-format", "FORMAT", NO_KEYS),
    REFUSED("ssh-keygen-dir", "PATH", NO_KEYS),
    REFUSED("manifest-generation", NULL, "this version runs no generators (.flux.yaml) yet"),
    REFUSED("connect", "URL", NO_HUB),
    REFUSED("token", "TOKEN", NO_HUB),
    REFUSED("rpc-timeout", "DURATION", NO_HUB),
    {.name = NULL},
};

const char *const config_foreign_environment[] = {"PAWL_URL", "PAWL_BIN", "PAWL_WITHOUT", "PAWL_TEST_CACHE",
                                                  "PAWL_FUZZ_SECONDS", NULL};
