#include "cli/command.h"

#include <string.h>

#include "cli/job_options.h"

#define AT(field) offsetof(struct invocation, field)

static const struct option_row output_options[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .offset = AT(output),
     .fallback = "table",
     .metavar = "FORMAT",
     .group = "Output",
     .choices = "table|tab|json|wide|name",
     .help = "Form of the output"},
    {.name = "output-format", /* fluxctl's long name */
     .type = OPTION_STRING,
     .offset = AT(output),
     .metavar = "FORMAT",
     .choices = "table|tab|json|wide|name"},
    {.name = "no-headers",
     .type = OPTION_BOOL,
     .offset = AT(no_headers),
     .group = "Output",
     .help = "Leave out the heading of a table"},
    {.name = NULL},
};

static const struct option_row once_options[] = {
    {.name = "dry-run",
     .type = OPTION_BOOL,
     .offset = AT(dry_run),
     .group = "Command",
     .help = "Show the decisions and the diff; push and apply nothing"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .offset = AT(output),
     .fallback = "table",
     .metavar = "FORMAT",
     .group = "Command",
     .choices = "table|json",
     .help = "Form of the output"},
    {.name = NULL},
};

static const struct option_row tags_options[] = {
    {.name = "policy",
     .letter = 'p',
     .type = OPTION_STRING,
     .offset = AT(policy),
     .metavar = "POLICY",
     .group = "Command",
     .help = "Tag policy: glob:PATTERN, semver:RANGE or regexp:PATTERN"},
    {.name = "order",
     .type = OPTION_STRING,
     .offset = AT(order),
     .metavar = "ORDER",
     .group = "Command",
     .help = "Which tag is best: newest, semver, numeric or alpha; \":desc\" after it: the other way round"},
    {.name = "extract",
     .type = OPTION_STRING,
     .offset = AT(extract),
     .metavar = "TEMPLATE",
     .group = "Command",
     .help = "What the order goes by, made of the groups of a regexp: \"$1\", \"${name}\""},
    {.name = NULL},
};

static const struct option_row list_workloads_options[] = {
    {.name = "namespace",
     .letter = 'n',
     .type = OPTION_STRING,
     .offset = AT(space),
     .metavar = "NAME",
     .group = "Command",
     .help = "Namespace of the workloads; the one of objects that name none if not given"},
    {.name = "all-namespaces",
     .letter = 'a',
     .type = OPTION_BOOL,
     .offset = AT(all_spaces),
     .group = "Command",
     .help = "Workloads of all namespaces"},
    {.name = "container",
     .letter = 'c',
     .type = OPTION_STRING,
     .offset = AT(container),
     .metavar = "NAME",
     .group = "Command",
     .help = "Only containers of this name"},
    {.name = NULL},
};

static const struct option_row list_images_options[] = {
    {.name = "namespace",
     .letter = 'n',
     .type = OPTION_STRING,
     .offset = AT(space),
     .metavar = "NAME",
     .group = "Command",
     .help = "Namespace of the workloads; the one of objects that name none if not given"},
    {.name = "all-namespaces",
     .letter = 'a',
     .type = OPTION_BOOL,
     .offset = AT(all_spaces),
     .group = "Command",
     .help = "Workloads of all namespaces"},
    {.name = "workload",
     .letter = 'w',
     .type = OPTION_STRING,
     .offset = AT(workload),
     .metavar = "ID",
     .group = "Command",
     .help = "Only this workload: namespace:kind/name or kind/name"},
    {.name = "limit",
     .letter = 'l',
     .type = OPTION_INT,
     .offset = AT(limit),
     .fallback = "10",
     .metavar = "N",
     .group = "Command",
     .help = "Images to show of each container, the newest first; 0 shows all"},
    {.name = NULL},
};

static const struct option_row explain_options[] = {
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = "Command",
     .help = "Explain all workloads"},
    {.name = "namespace",
     .letter = 'n',
     .type = OPTION_STRING,
     .offset = AT(space),
     .metavar = "NAME",
     .group = "Command",
     .help = "Namespace of a WORKLOAD that names none"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .offset = AT(output),
     .fallback = "table",
     .metavar = "FORMAT",
     .group = "Command",
     .choices = "table|tab|json",
     .help = "Form of the output: text for people, or JSON"},
    {.name = NULL},
};

static const struct option_row rollback_options[] = {
    {.name = "to",
     .type = OPTION_STRING,
     .offset = AT(rollback_to),
     .metavar = "COMMIT|IMAGE",
     .group = "Command",
     .help = "Back to what a commit has, or to this image; to the previous image if not given"},
    {.name = "container",
     .type = OPTION_LIST,
     .offset = AT(containers),
     .metavar = "NAME",
     .group = "Command",
     .help = "Only this container; may be repeated"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = "Command",
     .help = "Also if the workload is locked"},
    {.name = NULL},
};

static const struct option_row history_options[] = {
    {.name = "namespace",
     .letter = 'n',
     .type = OPTION_STRING,
     .offset = AT(space),
     .metavar = "NAME",
     .group = "Command",
     .help = "Namespace of a workload that names none; the one of objects that name none if not given"},
    {.name = "repository",
     .type = OPTION_STRING,
     .offset = AT(repository),
     .metavar = "NAME",
     .group = "Command",
     .help =
         "Where several repositories are configured: the one to read; else the one that has the workload"},
    {.name = "limit",
     .letter = 'l',
     .type = OPTION_INT,
     .offset = AT(limit),
     .fallback = "10",
     .metavar = "N",
     .group = "Command",
     .help = "Commits to show, the newest first; 0 shows all"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .offset = AT(output),
     .fallback = "table",
     .metavar = "FORMAT",
     .group = "Command",
     .choices = "table|tab|json",
     .help = "Form of the output"},
    {.name = "no-headers",
     .type = OPTION_BOOL,
     .offset = AT(no_headers),
     .group = "Command",
     .help = "Leave out the heading of a table"},
    {.name = NULL},
};

static const struct option_row set_image_options[] = {
    {.name = "filename",
     .letter = 'f',
     .type = OPTION_STRING,
     .offset = AT(directory),
     .fallback = ".",
     .metavar = "PATH",
     .group = "Command",
     .help = "File, or directory whose *.yaml and *.yml are edited"},
    {.name = "dry-run",
     .type = OPTION_BOOL,
     .offset = AT(dry_run),
     .group = "Command",
     .help = "Print the diff and write nothing"},
    {.name = "k8s-default-namespace",
     .type = OPTION_STRING,
     .offset = offsetof(struct invocation, config.default_space),
     .fallback = "default",
     .metavar = "NAME",
     .group = "Command",
     .help = "Namespace of objects that name none"},
    {.name = NULL},
};

/* Which workloads: a list, as fluxctl has it for releases. */
#define WORKLOAD_LIST_ROW(short_name)                                                                        \
    {                                                                                                        \
        .name = "workload", .letter = (short_name), .type = OPTION_LIST, .offset = AT(workloads),            \
        .metavar = "ID,...", .group = "Command", .help = "Workloads: namespace:kind/name or kind/name"       \
    }
#define EXCLUDE_ROW                                                                                          \
    {                                                                                                        \
        .name = "exclude", .type = OPTION_LIST, .offset = AT(excludes), .metavar = "ID,...",                 \
        .group = "Command", .help = "Workloads to leave as they are"                                         \
    }

static const struct option_row release_options[] = {
    WORKLOAD_LIST_ROW(0),
    {.name = "controller", .letter = 'c', .type = OPTION_LIST, .offset = AT(workloads), .metavar = "ID,..."},
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = "Command",
     .help = "All workloads of the repository"},
    EXCLUDE_ROW,
    {.name = "update-image",
     .letter = 'i',
     .type = OPTION_STRING,
     .offset = AT(image),
     .metavar = "IMAGE:TAG",
     .group = "Command",
     .help = "The image to release, to all containers of its repository"},
    {.name = "update-all-images",
     .type = OPTION_BOOL,
     .offset = AT(all_images),
     .group = "Command",
     .help = "For each container the best image that its policy takes"},
    {.name = "set",
     .type = OPTION_TEXTS,
     .offset = AT(assignments),
     .metavar = "CONTAINER=IMAGE",
     .group = "Command",
     .help = "For one container of one workload this image, whatever its policy; may be given again"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = "Command",
     .help =
         "Also workloads that are locked or ignored, if they are named; an image that is named also where "
         "the policy does not take its tag"},
    {.name = "interactive",
     .type = OPTION_BOOL,
     .offset = AT(interactive),
     .group = "Command",
     .help = "Show the updates first, and release those that you pick"},
    {.name = "watch",
     .letter = 'w',
     .type = OPTION_NONE,
     .refusal =
         "is not in this version of pawl, which releases to git; watch the cluster with `kubectl rollout "
         "status`"},
    {.name = NULL},
};

static const struct option_row promote_options[] = {
    WORKLOAD_LIST_ROW('w'),
    EXCLUDE_ROW,
    {.name = "with-name",
     .type = OPTION_BOOL,
     .offset = AT(with_name),
     .group = "Command",
     .help = "Also images of another repository, with their names"},
    {.name = "force",
     .letter = 'f',
     .type = OPTION_BOOL,
     .offset = AT(force),
     .group = "Command",
     .help = "Also workloads that are locked or ignored, if they are named"},
    {.name = NULL},
};

static const struct option_row cache_options[] = {
    {.name = "older-than",
     .type = OPTION_DURATION,
     .offset = AT(older_than_ms),
     .metavar = "DURATION",
     .group = "Command",
     .help = "prune: also remove what is older, as in 30d; a repository by its last scan, the rest by when "
             "it was "
             "written"},
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = "Command",
     .help = "prune: remove everything"},
    {.name = "dry-run",
     .type = OPTION_BOOL,
     .offset = AT(dry_run),
     .group = "Command",
     .help = "prune: only say what would be removed"},
    {.name = NULL},
};

static const struct option_row lock_options[] = {
    {.name = "until",
     .type = OPTION_STRING,
     .offset = AT(until),
     .metavar = "TIME",
     .group = "Command",
     .help = "When the lock ends by itself: 2026-01-02T15:04:05Z, or how long it lasts, as in 8h or 3d"},
    {.name = NULL},
};

static const struct option_row policy_options[] = {
    {.name = "tag",
     .type = OPTION_TEXTS,
     .offset = AT(tags),
     .metavar = "CONTAINER=PATTERN",
     .group = "Command",
     .help = "Tag policy of a container; may be given several times; the pattern * removes it"},
    {.name = "tag-all",
     .type = OPTION_STRING,
     .offset = AT(tag_all),
     .metavar = "PATTERN",
     .group = "Command",
     .help = "Tag policy of all containers that --tag does not name"},
    {.name = "automate",
     .type = OPTION_BOOL,
     .offset = AT(automate),
     .group = "Command",
     .help = "Automate the workload"},
    {.name = "deautomate",
     .type = OPTION_BOOL,
     .offset = AT(deautomate),
     .group = "Command",
     .help = "Do not automate it any more"},
    {.name = "lock", .type = OPTION_BOOL, .offset = AT(lock), .group = "Command", .help = "Lock it"},
    {.name = "unlock", .type = OPTION_BOOL, .offset = AT(unlock), .group = "Command", .help = "Unlock it"},
    {.name = "set",
     .type = OPTION_TEXTS,
     .offset = AT(set),
     .metavar = "KEY[.CONTAINER]=VALUE",
     .group = "Command",
     .help = "Any policy that an annotation pawl.dev/KEY says; may be given several times"},
    {.name = "unset",
     .type = OPTION_TEXTS,
     .offset = AT(unset),
     .metavar = "KEY[.CONTAINER]",
     .group = "Command",
     .help = "Remove such a policy; may be given several times"},
    {.name = NULL},
};

static const struct option_row *const once_tables[] = {
    once_options,           config_git_options,     config_registry_options, config_cache_options,
    config_cluster_options, config_general_options, config_flux_options,     NULL};
static const struct option_row *const serve_tables[] = {
    config_git_options,    config_registry_options, config_cache_options, config_cluster_options,
    config_listen_options, config_general_options,  config_flux_options,  NULL};
static const struct option_row *const tags_tables[] = {
    tags_options,         output_options,         config_registry_options,
    config_cache_options, config_general_options, NULL};
static const struct option_row *const explain_tables[] = {
    explain_options,        config_git_options,     config_registry_options, config_cache_options,
    config_cluster_options, config_general_options, config_flux_options,     NULL};
static const struct option_row *const list_workloads_tables[] = {list_workloads_options,
                                                                 output_options,
                                                                 config_git_options,
                                                                 config_cluster_options,
                                                                 config_general_options,
                                                                 config_flux_options,
                                                                 NULL};
static const struct option_row *const list_images_tables[] = {
    list_images_options,     output_options,       config_git_options,
    config_registry_options, config_cache_options, config_cluster_options,
    config_general_options,  config_flux_options,  NULL};
static const struct option_row *const automate_tables[] = {
    job_workload_options, job_options, config_git_options, config_cluster_options, config_general_options,
    config_flux_options,  NULL};
static const struct option_row *const lock_tables[] = {
    job_workload_options,   lock_options,           job_options,         config_git_options,
    config_cluster_options, config_general_options, config_flux_options, NULL};
static const struct option_row *const policy_tables[] = {
    job_workload_options,   policy_options,         lock_options,        job_options, config_git_options,
    config_cluster_options, config_general_options, config_flux_options, NULL};
static const struct option_row *const cache_tables[] = {cache_options, output_options, config_cache_options,
                                                        config_general_options, NULL};
static const struct option_row *const release_tables[] = {
    release_options,         job_options,          config_git_options,
    config_registry_options, config_cache_options, config_cluster_options,
    config_general_options,  config_flux_options,  NULL};
static const struct option_row *const promote_tables[] = {
    promote_options,     job_options, config_git_options, config_cluster_options, config_general_options,
    config_flux_options, NULL};
static const struct option_row *const rollback_tables[] = {
    rollback_options,    job_options, config_git_options, config_cluster_options, config_general_options,
    config_flux_options, NULL};
static const struct option_row *const history_tables[] = {history_options,        config_git_options,
                                                          config_cluster_options, config_general_options,
                                                          config_flux_options,    NULL};
static const struct option_row *const set_image_tables[] = {set_image_options, NULL};

#define NEEDS_DAEMON "is not in this version of pawl"

const struct command commands[] = {
    {.name = "once",
     .summary = "one round for every repository, then exit",
     .description = "Reads the manifests at the head of the branch, asks the registries for the images of "
                    "the workloads\n"
                    "that are annotated fluxcd.io/automated: \"true\", chooses by their policies, and edits, "
                    "commits, pushes\n"
                    "and applies what follows. Prints what changed and why. With --dry-run it prints the "
                    "same and the diff,\n"
                    "and pushes and applies nothing.\n"
                    "\n"
                    "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run "
                    "found an update.\n",
     .examples =
         "pawl once --dry-run --git-url git@github.com:org/gitops --git-path releases/staging\n"
         "pawl once --git-url /srv/gitops.git --deploy-to dir:/var/lib/rancher/k3s/server/manifests\n",
     .tables = once_tables,
     .needs_repository = true,
     .run = command_once},
    {.name = "serve",
     .summary = "the daemon: rounds for every repository, until stopped",
     .description = "Runs a round for each repository when its branch moves, when a registry's answer "
                    "changes, and at the\n"
                    "intervals given. Logs to stderr. SIGTERM and SIGINT end it.\n",
     .examples = "pawl serve --git-url git@github.com:org/gitops --git-path releases/staging\n"
                 "pawl serve --config /etc/pawl.yaml\n",
     .tables = serve_tables,
     .needs_repository = true,
     .run = command_serve},
    {.name = "tags",
     .operands = "IMAGE",
     .summary = "ask the registry for an image's tags, and which one a policy chooses",
     .description = "Lists the tags of IMAGE's repository as the registry has them now, best first under the "
                    "policy, with the\n"
                    "reason why those that do not match are left out. If IMAGE has a tag, says whether the "
                    "policy would\n"
                    "replace it.\n"
                    "\n"
                    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the policy chooses another tag than "
                    "IMAGE has, or none.\n",
     .examples =
         "pawl tags ghcr.io/org/app --policy semver:~1.2\n"
         "pawl tags localhost:5000/app:main-41 --policy 'glob:main-*' -o json\n"
         "pawl tags localhost:5000/app --policy 'regexp:^build-(\\d+)$' --order numeric --extract '$1'\n",
     .tables = tags_tables,
     .operands_least = 1,
     .operands_most = 1,
     .run = command_tags},
    {.name = "explain",
     .operands = "WORKLOAD",
     .summary = "the whole decision for each container of a workload, and what led to it",
     .description =
         "Reads the manifests at the head of the branch, asks the registries of WORKLOAD "
         "(namespace:kind/name "
         "or\n"
         "kind/name), and says of each container: its policy, how many tags there are and how many of them "
         "are "
         "left out\n"
         "by which rule, the candidate, what would be written, and all that holds it back; when its registry "
         "is asked next,\n"
         "and within what budget. For workloads that are not automated, it says what would happen if they "
         "were. Changes\n"
         "nothing. WORKLOAD may be '*'.\n"
         "\n"
         "Exit status: 0 explained, whatever the decision is, 1 there is no such workload or git cannot be "
         "read, 2 wrong\n"
         "usage.\n",
     .examples = "pawl explain default:deployment/app --git-url git@github.com:org/gitops\n"
                 "pawl explain --all -o json --config /etc/pawl.yaml\n",
     .tables = explain_tables,
     .operands_least = 0,
     .operands_most = 1,
     .needs_repository = true,
     .run = command_explain},
    {.name = "list-workloads",
     .alias = "list-controllers",
     .summary = "the workloads in git, their images and policies, and what is wrong with them",
     .description =
         "Reads the manifests at the head of the branch and lists what has images, automated or not. "
         "RELEASE is what a\n"
         "cluster would say of the rollout; without one it is \"unknown\". POLICY is automated, ignore "
         "and locked; with\n"
         "-o wide the tag policies come with it, the file of each workload, and the reason why one is "
         "left out. Files and\n"
         "documents that cannot be read are listed there too, and on stderr in any form. Changes "
         "nothing.\n"
         "\n"
         "Without -n or -a: the workloads of the default namespace.\n"
         "\n"
         "Exit status: 0 done, 1 git could not be read, 2 wrong usage.\n",
     .examples = "pawl list-workloads --git-url git@github.com:org/gitops -a\n"
                 "pawl list-workloads --git-url /srv/gitops.git -n demo -o wide\n",
     .tables = list_workloads_tables,
     .needs_repository = true,
     .run = command_list_workloads},
    {.name = "list-images",
     .summary = "the images of workloads in git, and which newer ones their registries have",
     .description =
         "Reads the manifests at the head of the branch, and lists the images of each container, automated "
         "or "
         "not, as its\n"
         "registry has them now: newest first; where the container's policy has another order, in that one. "
         "|  marks what\n"
         "is newer than the container's own image, '-> that one. All tags are asked for their creation time, "
         "which takes\n"
         "two or three requests for each that is not in the cache; a registry that stops answering leaves "
         "what "
         "came before,\n"
         "and the rest to the next time. Changes nothing.\n"
         "\n"
         "Without -n, -a or -w: the workloads of the default namespace.\n"
         "\n"
         "Exit status: 0 done, 1 something is missing from the list, 2 wrong usage.\n",
     .examples = "pawl list-images --git-url git@github.com:org/gitops -a\n"
                 "pawl list-images --git-url /srv/gitops.git -w default:deployment/app --limit 0\n",
     .tables = list_images_tables,
     .needs_repository = true,
     .run = command_list_images},
    {.name = "automate",
     .summary = "let the images of a workload follow their registries",
     .description =
         "Annotates the workload in git with fluxcd.io/automated: \"true\", as one commit that is pushed. "
         "Only the bytes of\n"
         "the annotation change. If someone else pushed first it is decided again on what is there then.\n"
         "\n"
         "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
         "something.\n",
     .examples = "pawl automate --git-url git@github.com:org/gitops -w default:deployment/app\n",
     .tables = automate_tables,
     .needs_repository = true,
     .run = command_policy},
    {.name = "deautomate",
     .summary = "leave the images of a workload as they are",
     .description =
         "Removes the annotation automated from the workload in git, as one commit that is pushed.\n"
         "\n"
         "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
         "something.\n",
     .examples = "pawl deautomate --git-url git@github.com:org/gitops -w default:deployment/app\n",
     .tables = automate_tables,
     .needs_repository = true,
     .run = command_policy},
    {.name = "lock",
     .summary = "keep a workload from being changed",
     .description = "Annotates the workload in git with fluxcd.io/locked: \"true\", who locked it and, with "
                    "-m, why. Neither automation\n"
                    "nor a release changes a locked workload.\n"
                    "\n"
                    "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
                    "something.\n",
     .examples = "pawl lock --git-url git@github.com:org/gitops -w default:deployment/app -m 'waits for the "
                 "migration'\n"
                 "pawl lock --git-url git@github.com:org/gitops -w default:deployment/app --until 8h\n",
     .tables = lock_tables,
     .needs_repository = true,
     .run = command_policy},
    {.name = "unlock",
     .summary = "let a locked workload be changed again",
     .description =
         "Removes the lock from the workload in git: locked, locked_user, locked_msg and locked-until.\n"
         "\n"
         "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
         "something.\n",
     .examples = "pawl unlock --git-url git@github.com:org/gitops -w default:deployment/app\n",
     .tables = automate_tables,
     .needs_repository = true,
     .run = command_policy},
    {.name = "policy",
     .summary = "set the policies of a workload: tags, automation, locks and more",
     .description = "Changes the annotations of the workload in git, as one commit that is pushed. An "
                    "annotation that is there already\n"
                    "changes under the prefix it has; a new one is written as fluxcd.io/ if Flux v1 knows "
                    "it, else as pawl.dev/. A pattern\n"
                    "that cannot be read is refused before anything is written.\n"
                    "\n"
                    "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a dry run would change "
                    "something.\n",
     .examples = "pawl policy --git-url git@github.com:org/gitops -w default:deployment/app --tag "
                 "'app=semver:>=1.2, <2'\n"
                 "pawl policy --git-url git@github.com:org/gitops -w default:deployment/app --automate "
                 "--tag-all 'glob:main-*'\n",
     .tables = policy_tables,
     .needs_repository = true,
     .run = command_policy},
    {.name = "set-image",
     .operands = "WORKLOAD CONTAINER=IMAGE...",
     .summary = "set images in manifest files, in place, byte for byte",
     .description = "Edits the files below PATH (--filename) that define WORKLOAD (namespace:kind/name or "
                    "kind/name): only the\n"
                    "bytes of the image change. No git, no registry, no cluster: for CI. All containers "
                    "named are set, or\n"
                    "nothing is written.\n",
     .examples = "pawl set-image -f deploy/ default:deployment/app app=ghcr.io/org/app:1.2.4\n",
     .tables = set_image_tables,
     .operands_least = 2,
     .operands_most = 1000,
     .run = command_set_image},
    {.name = "release",
     .summary = "release images to workloads: a commit with the images that you name",
     .description =
         "Writes images into the manifests at the head of the branch, and pushes that as one commit. Works "
         "on "
         "the repository\n"
         "itself: containers, images and locks are those in git, no cluster is asked, and nothing is "
         "applied; "
         "whoever syncs\n"
         "the repository does that.\n"
         "\n"
         "--update-image releases one tag to all containers of its repository; it must be there, and the "
         "policy of a\n"
         "container must take it, unless --force is given. --update-all-images takes for each container the "
         "best that its\n"
         "policy takes, automated or not, also where that is older than what it has. --set names the image "
         "of "
         "a container,\n"
         "and asks nobody. Locked and ignored workloads are skipped; --force takes those that are named with "
         "--workload.\n"
         "\n"
         "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run would change "
         "something.\n",
     .examples = "pawl release --git-url git@github.com:org/gitops --workload default:deployment/app "
                 "--update-image ghcr.io/org/app:1.2.4\n"
                 "pawl release --git-url /srv/gitops.git --all --update-all-images --exclude "
                 "default:deployment/db --dry-run\n"
                 "pawl release --git-url /srv/gitops.git --workload deployment/app --set "
                 "app=ghcr.io/org/app:1.2.3 -m 'back to 1.2.3'\n",
     .tables = release_tables,
     .needs_repository = true,
     .run = command_release},
    {.name = "promote",
     .operands = "FROM TO",
     .summary = "give the workloads of one path the images of another",
     .description =
         "FROM and TO are paths of one repository, such as staging and production. Each workload at TO gets "
         "the tags and\n"
         "digests that the workload of the same kind and name has at FROM, container by container; "
         "namespaces "
         "may differ.\n"
         "Names of images stay as they are written at TO; an image of another repository is left alone "
         "unless "
         "--with-name is\n"
         "given. Everything else stays. No registry is asked. Locked and ignored workloads are skipped; "
         "--force takes those\n"
         "that are named with --workload.\n"
         "\n"
         "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run would change "
         "something.\n",
     .examples = "pawl promote staging production --git-url git@github.com:org/gitops --dry-run\n"
                 "pawl promote staging production --git-url /srv/gitops.git -w shop:deployment/web\n",
     .tables = promote_tables,
     .operands_least = 2,
     .operands_most = 2,
     .needs_repository = true,
     .run = command_promote},
    {.name = "history",
     .operands = "WORKLOAD",
     .summary = "the images that a workload had, from the commits that changed them",
     .description = "Lists the commits that changed images of WORKLOAD (namespace:kind/name or kind/name), "
                    "the newest first: who\n"
                    "made them, from which image to which, and why. Read from git alone, from the last 5,000 "
                    "commits of the branch\n"
                    "and the last 200 of the file; a file that was moved is followed. Changes nothing.\n"
                    "\n"
                    "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
     .examples = "pawl history default:deployment/app --git-url git@github.com:org/gitops\n"
                 "pawl history deployment/app -n shop --git-url /srv/gitops.git --limit 0 -o json\n",
     .tables = history_tables,
     .operands_least = 1,
     .operands_most = 1,
     .needs_repository = true,
     .run = command_history},
    {.name = "rollback",
     .operands = "WORKLOAD",
     .summary = "put a workload back on images that it had, and hold those that it leaves",
     .description = "Writes earlier images of WORKLOAD (namespace:kind/name or kind/name) into its manifest "
                    "as it is now, and pushes\n"
                    "that as one commit. Nothing else comes back, so nothing can conflict. Without --to: the "
                    "image that each container\n"
                    "had before it got the present one, for the containers of the last release; --container "
                    "names others.\n"
                    "\n"
                    "What is left is held: automation does not go to that image again, and takes the next "
                    "newer one. Setting it again\n"
                    "(pawl release, or by hand), an unlock of the workload or another tag policy ends that.\n"
                    "\n"
                    "Exit status: 0 done or nothing to do, 1 something failed, 2 wrong usage, 3 a dry run "
                    "would change something.\n",
     .examples =
         "pawl rollback default:deployment/app --git-url git@github.com:org/gitops -m 'errors since 1.4.0'\n"
         "pawl rollback deployment/app --git-url /srv/gitops.git --to 1a2b3c4 --dry-run\n"
         "pawl rollback deployment/app --git-url /srv/gitops.git --to ghcr.io/org/app:1.3.9\n",
     .tables = rollback_tables,
     .operands_least = 1,
     .operands_most = 1,
     .needs_repository = true,
     .run = command_rollback},
    {.name = "cache",
     .operands = "ls|inspect REPOSITORY|prune",
     .summary = "look into the cache of image metadata, or remove what is of no use",
     .description =
         "ls lists the repositories that the cache knows: with whose credentials they were read, how many "
         "tags they have,\n"
         "of how many the creation time is known, and how long ago they were scanned. inspect shows one of "
         "them, tag by\n"
         "tag. prune removes what expired and what cannot be read, and more with --older-than and --all; "
         "what is removed\n"
         "is asked of the registry again when it is needed. The file does not become smaller: the room is "
         "used again.\n"
         "\n"
         "All of it can be done while pawl serve uses the same cache. memcached cannot list what it holds: "
         "there,\n"
         "inspect is all there is.\n"
         "\n"
         "Exit status: 0 done, 1 failed or not in the cache, 2 wrong usage.\n",
     .examples = "pawl cache ls\n"
                 "pawl cache inspect ghcr.io/org/app -o json\n"
                 "pawl cache prune --older-than 30d --dry-run\n",
     .tables = cache_tables,
     .operands_least = 1,
     .operands_most = 2,
     .run = command_cache},
    {.name = "version", .summary = "print the version", .run = command_version},
    {.name = "manual", .run = command_manual}, /* for the build of docs/pawl.1; not listed */
    {.name = "check", .refusal = NEEDS_DAEMON "; try `pawl once --dry-run`, which changes nothing"},
    {.name = "save", .refusal = NEEDS_DAEMON},
    {.name = "identity", .refusal = NEEDS_DAEMON "; pawl uses your own ssh and its keys"},
    {.name = "sync", .refusal = NEEDS_DAEMON "; `pawl once` syncs once"},
    {.name = "install", .refusal = NEEDS_DAEMON},
    {.name = "completion", .refusal = NEEDS_DAEMON},
    {.name = "wait", .refusal = NEEDS_DAEMON "; `pawl once` returns when the commit is applied"},
    {.name = "notify", .refusal = NEEDS_DAEMON},
    {.name = NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (!strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name)))
            return c;
    }
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *best = NULL;
    size_t best_distance = 3; /* further away it is another word */
    for (const struct command *c = commands; c->name; c++) {
        size_t distance = str_distance(c->name, name);
        if (c->summary && distance < best_distance) {
            best = c->name;
            best_distance = distance;
        }
    }
    return best;
}
