/*
 * Commands: one table, one row each; parsing, --help, the manual and the list of commands come from it.
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

/* All commands, ended by a row without a name. */
extern const struct command commands[];
const struct command *command_find(const char *name);
/* The nearest name to a wrong one, or NULL. */
const char *command_nearest(const char *name);

/* "usage: pawl …", description, options: what --help prints. */
void command_add_help(const struct command *command, struct strbuf *out);
/* What `pawl --help` prints. */
void command_add_overview(struct strbuf *out);
/* The manual page, as man(7) source. */
void command_add_manual(struct strbuf *out);

int command_once(struct invocation *invocation, struct error *err);
int command_serve(struct invocation *invocation, struct error *err);
int command_tags(struct invocation *invocation, struct error *err);
int command_explain(struct invocation *invocation, struct error *err);
int command_list_workloads(struct invocation *invocation, struct error *err);
int command_list_images(struct invocation *invocation, struct error *err);
int command_policy(struct invocation *invocation, struct error *err);
int command_set_image(struct invocation *invocation, struct error *err);
int command_release(struct invocation *invocation, struct error *err);
int command_promote(struct invocation *invocation, struct error *err);
int command_history(struct invocation *invocation, struct error *err);
int command_rollback(struct invocation *invocation, struct error *err);
int command_cache(struct invocation *invocation, struct error *err);
int command_version(struct invocation *invocation, struct error *err);
int command_manual(struct invocation *invocation, struct error *err);

#endif
