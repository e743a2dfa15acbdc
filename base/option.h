/*
 * Options from one table: command line, environment, YAML file and --help all read the same rows.
 *
 * A row's value lands in a struct of the program's at `offset`. Order of precedence: command line, then
 * environment (PAWL_NAME, dashes as underscores), then configuration file, then the default. Lists follow
 * Go's StringSlice as Flux v1 did: comma-separated or repeated; the first one given replaces the default.
 *
 * An unknown name or a value that does not parse is ERROR_USAGE, with the nearest right name, and for a file
 * with file, line and column. A row with `refusal` set is a name that users know from elsewhere and this
 * version does not do: using it is ERROR_UNSUPPORTED with that text, so nobody believes it has an effect.
 *
 * The sources may be read in any order; each value remembers where it came from, so the command line can be
 * read first to learn where the file is. Two rows with one offset are two names of one value. A value of
 * lower precedence is checked all the same.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/yaml.h"

enum option_type {
    OPTION_BOOL,     /* bool; --name, --name=false; true, t, yes, on, 1 and their opposites, in any case */
    OPTION_STRING,   /* char *, owned; NULL where unset */
    OPTION_INT,      /* int64_t, never negative; decimal */
    OPTION_DURATION, /* int64_t milliseconds; "5m" */
    OPTION_COUNT, /* int64_t; how often the flag stands there, -vv is two; or the number itself, --verbose=2 */
    OPTION_TEXTS, /* struct strvec, owned; each use adds one text as it is: no commas, no quotes */
    OPTION_LIST,  /* struct strvec, owned; an item with a comma is put in double quotes (Go's encoding/csv) */
    OPTION_NONE,  /* accepted and without effect, as it was in Flux v1, or refused; no value is stored, but
                    one is expected on the command line if the row has a metavar */
};

struct option_row {
    const char *name; /* "git-url": --git-url, PAWL_GIT_URL, git-url: or git: {url:} */
    char letter;      /* "-o"; 0: none */
    enum option_type type;
    size_t offset;        /* of the value in the options struct */
    const char *fallback; /* the default as it would be written; NULL: unset, false, 0, empty */
    const char *metavar;  /* "URL", in --help; NULL for a bool */
    const char *group;    /* heading in --help and the manual; rows of one group stand together */
    const char *help;     /* one sentence without the full stop; NULL: hidden */
    const char *choices;  /* "fmt|json": the only values, also of list items; "|fmt": or empty; NULL: any */
    const char *refusal;  /* not in this version, and what to do instead; NULL: it works */
};

/* Tables end with a row whose name is NULL. `tables` is an array of tables ended by NULL, searched in
 * order. */
struct option_set {
    const struct option_row *const *tables;
    void *values;          /* the struct the offsets point into */
    unsigned char *source; /* per row over all tables: where its value came from; owned */
};

enum option_source { OPTION_DEFAULT, OPTION_FILE, OPTION_ENVIRONMENT, OPTION_COMMAND_LINE };

/* Puts in the defaults. Bad defaults are a bug and abort. */
void option_set_init(struct option_set *set, const struct option_row *const *tables, void *values);
/* Frees the strings and lists in the values struct. */
void option_set_release(struct option_set *set);

/*
 * Reads flags (--name value, --name=value, -x value, -xvalue, -x, `--` ends them; anywhere among the
 * operands) and leaves the operands in `operands`. All of `argv` are arguments: no program name. A flag given
 * twice: the last one wins. ERROR_USAGE or ERROR_UNSUPPORTED.
 */
int option_read_arguments(struct option_set *set, int argc, char *const *argv, struct strvec *operands,
                          struct error *err) MUST_CHECK;

/*
 * Reads the variables of `environment` (as environ) that begin with `prefix` ("PAWL_"); an unknown one is an error
 * with the nearest. An empty variable is as one that is not set. Names in `foreign` (whole names, ended by
 * NULL, or NULL) are somebody else's and passed over; one that ends with '*' stands for all that begin so.
 * Kubernetes puts such names into pods for every Service: one that is called pawl makes PAWL_PORT,
 * PAWL_PORT_3030_TCP, PAWL_SERVICE_HOST and more.
 */
int option_read_environment(struct option_set *set, const char *prefix, char *const *environment,
                            const char *const *foreign, struct error *err) MUST_CHECK;

/*
 * Reads a mapping of a configuration file, nested (git: {url: …}), flat (git-url: …) or mixed; an option
 * given twice is an error. A list is a sequence, whose items are taken as they are, or text with commas. Keys
 * in `foreign` are the caller's own and passed over, at the top only. `file` is for messages. NULL or an
 * empty document sets nothing.
 */
int option_read_yaml(struct option_set *set, const struct yaml_node *mapping, const char *file,
                     const char *const *foreign, struct error *err) MUST_CHECK;

/* Where a value came from, by a row's name; unknown names are a bug and abort. */
enum option_source option_source_of(const struct option_set *set, const char *name);

/* The nearest of the known and not refused names to a wrong one, or NULL if none is near. Borrowed. */
const char *option_nearest(const struct option_row *const *tables, const char *name);

/* The option part of --help: grouped, aligned, wrapped at 80 columns. */
void option_add_help(const struct option_row *const *tables, struct strbuf *out);

/* The same rows as man(7) source, each heading a section; without headings, for what stands in a section itself. */
void option_add_manual(const struct option_row *const *tables, struct strbuf *out);
void option_add_manual_rows(const struct option_row *const *tables, struct strbuf *out);

#endif
