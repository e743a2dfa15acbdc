/*
 * Commands: one table of them; parsing, --help, the manual and the list of commands come from it. What a command takes and
 * says of itself stands beside what it does, in cli/cmd_*.c.
 *
 * A command is a function that gets its parsed invocation and returns an exit code; what went wrong it says in
 * `err`, and main prints it. JSON goes to stdout alone, listings to stdout, everything else for people to stderr.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/option.h"
#include "base/strbuf.h"
#include "daemon/config.h"

/* Exit codes (docs/interface.md). */
enum {
    EXIT_DONE = 0,   /* done, or nothing to do */
    EXIT_FAILED = 1, /* something could not be done */
    EXIT_USAGE = 2,  /* wrong usage or configuration; nothing was started */
    EXIT_FOUND = 3,  /* a dry run or `tags` found something that a script may branch on */
};

/* Of a command that ended with an error before it did anything else: EXIT_USAGE, or EXIT_FAILED. */
int command_exit_code(const struct error *err);

struct command;

/* A command line, parsed. The option rows write into it: config first, then what commands have of their own. */
struct invocation {
    struct config config;
    bool dry_run, no_headers;
    bool all;              /* --all */
    int64_t older_than_ms; /* --older-than; 0: not given */
    char *output;          /* -o: "table", "json", "wide", "name" */
    char *policy, *order, *extract;
    char *space;     /* -n; NULL: the default one */
    char *workload;  /* -w; NULL: all */
    char *container; /* -c; NULL: all */
    bool all_spaces; /* -a */
    int64_t limit;   /* -l; 0: none */
    char *directory; /* -f */
    /* of jobs: cli/job_options.h */
    char *repository, *message, *user;
    int64_t verbosity; /* -v */
    /* of release and promote */
    struct strvec workloads, excludes; /* --workload, --exclude */
    struct strvec assignments;         /* --set */
    char *image;                       /* --update-image */
    bool all_images, force, with_name, interactive;
    /* of policies */
    bool automate, deautomate, lock, unlock;
    char *until, *tag_all;
    struct strvec tags, set, unset;
    /* of rollback */
    char *rollback_to;        /* --to */
    struct strvec containers; /* --container */
    const struct command *command;
    struct strvec operands;
};

struct command {
    const char *name;
    const char *alias;                      /* another name, from elsewhere; NULL: none */
    const char *operands;                   /* "IMAGE", for the usage line; NULL: it takes none */
    const char *summary;                    /* one line, no full stop */
    const char *description;                /* paragraphs for --help and the manual */
    const char *examples;                   /* command lines; NULL: none */
    const struct option_row *const *tables; /* the options it takes, ended by NULL; NULL: none */
    size_t operands_least, operands_most;
    bool needs_repository;
    int (*run)(struct invocation *invocation, struct error *err);
    const char *refusal; /* not in this version, and what to use instead; NULL: it works */
};

/* All commands, ended by NULL. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);
/* The nearest name to a wrong one, or NULL. */
const char *command_nearest(const char *name);

/* "usage: pawl …", description, options: what --help prints. */
void command_add_help(const struct command *command, struct strbuf *out);
/* What `pawl --help` prints. */
void command_add_overview(struct strbuf *out);
/* The manual page, as man(7) source. */
void command_add_manual(struct strbuf *out);

/* Each with its options beside what it runs, in cli/cmd_*.c. */
extern const struct command once_command, serve_command, tags_command, explain_command,
    list_workloads_command, list_images_command, automate_command, deautomate_command, lock_command,
    unlock_command, policy_command, set_image_command, release_command, promote_command, history_command,
    rollback_command, cache_command, version_command, manual_command;

#endif
