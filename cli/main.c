/*
 * pawl: finds the command, reads its options from the command line, the environment and the file, runs it, and
 * prints what went wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/say.h"

/* Tables of the configuration; every command's environment and file may hold these, whether it uses them. */
static const struct option_row *const config_tables[] = {config_general_options,  config_git_options,
                                                         config_registry_options, config_cache_options,
                                                         config_cluster_options,  config_flux_options};

#define MAX_TABLES 12

static bool takes(const struct command *command, const struct option_row *table)
{
    for (const struct option_row *const *each = command->tables; each && *each; each++) {
        if (*each == table)
            return true;
    }
    return false;
}

/* The command's own tables first. One that works with the configuration gets all of it: its file and environment may
 * hold what only others use. */
static void collect_tables(const struct command *command, const struct option_row *tables[MAX_TABLES])
{
    size_t len = 0;
    for (const struct option_row *const *each = command->tables; each && *each; each++)
        tables[len++] = *each;
    for (size_t i = 0; takes(command, config_general_options) && i < ARRAY_LEN(config_tables); i++) {
        if (!takes(command, config_tables[i]))
            tables[len++] = config_tables[i];
    }
    tables[len] = NULL;
}

static bool has_row(const struct command *command, const char *name)
{
    for (const struct option_row *const *each = command->tables; each && *each; each++) {
        for (const struct option_row *row = *each; row->name; row++) {
            if (!strcmp(row->name, name))
                return true;
        }
    }
    return false;
}

/* A flag of another command would have no effect here: better said than believed. */
static int check_flags(const struct command *command, const struct option_set *set, struct error *err)
{
    for (size_t i = 0; takes(command, config_general_options) && i < ARRAY_LEN(config_tables); i++) {
        for (const struct option_row *row = config_tables[i]; row->name; row++) {
            if (!has_row(command, row->name) && option_source_of(set, row->name) == OPTION_COMMAND_LINE)
                return error_set(err, ERROR_USAGE, "`pawl %s` does not take --%s; see `pawl %s --help`",
                                 command->name, row->name, command->name);
        }
    }
    return 0;
}

static int check_operands(const struct command *command, const struct strvec *operands, struct error *err)
{
    if (operands->len > command->operands_most)
        return error_set(err, ERROR_USAGE, "`pawl %s` takes no argument \"%s\"", command->name,
                         operands->items[command->operands_most]);
    if (operands->len < command->operands_least)
        return error_set(err, ERROR_USAGE, "`pawl %s` needs %s", command->name, command->operands);
    return 0;
}

/* None named is not all of them: most likely it is an empty variable of a script. */
static int check_workloads(const struct invocation *invocation, const struct option_set *set,
                           struct error *err)
{
    if (!has_row(invocation->command, "workload") || invocation->workload || invocation->workloads.len ||
        option_source_of(set, "workload") != OPTION_COMMAND_LINE)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "--workload: \"\" names no workload; write namespace:kind/name or kind/name");
}

static void configure_log(const struct config *config)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    enum log_level level = LOG_INFO;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(config->log_level, names[i]))
            level = (enum log_level)i;
    }
    log_configure(level, strcmp(config->log_format, "json") ? LOG_FORMAT_LOGFMT : LOG_FORMAT_JSON,
                  &system_clock);
}

static int parse(struct invocation *invocation, struct option_set *set, int argc, char **argv,
                 struct error *err)
{
    const struct command *command = invocation->command;
    if (option_read_arguments(set, argc, argv, &invocation->operands, err) < 0 ||
        check_flags(command, set, err) < 0 || check_workloads(invocation, set, err) < 0 ||
        check_operands(command, &invocation->operands, err) < 0)
        return -1;
    if (takes(command, config_general_options)) {
        if (option_read_environment(set, "PAWL_", environ, config_foreign_environment, err) < 0 ||
            config_finish(&invocation->config, set, command->needs_repository, err) < 0)
            return -1;
    }
    if (invocation->config.log_level)
        configure_log(&invocation->config);
    return 0;
}

static void complain(const struct command *command, const struct error *err)
{
    say(stderr, "pawl: %s\n", err->text);
    if (err->code == ERROR_USAGE && command)
        fprintf(stderr, "Run `pawl %s --help` for usage.\n", command->name);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct invocation invocation = {.command = command};
    struct option_set set;
    struct error err = ERROR_INIT;
    const struct option_row *tables[MAX_TABLES];
    collect_tables(command, tables);
    option_set_init(&set, tables, &invocation);
    int code = EXIT_USAGE;
    bool parsed = parse(&invocation, &set, argc, argv, &err) == 0;
    if (parsed)
        code = command->run(&invocation, &err);
    if (err.code) {
        complain(command, &err);
        code = parsed ? code : command_exit_code(&err);
    }
    strvec_release(&invocation.operands);
    config_release(&invocation.config);
    option_set_release(&set);
    return code;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    }
    return false;
}

static void print_help(const struct command *command, FILE *to)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    if (command)
        command_add_help(command, &out);
    else
        command_add_overview(&out);
    fputs(out.buf, to);
}

static int unknown_command(const char *name)
{
    const char *nearest = command_nearest(name);
    if (name[0] == '-')
        say(stderr, "pawl: %s: a command comes first, such as `pawl serve %s`; see `pawl --help`\n", name,
            name);
    else if (nearest)
        say(stderr, "pawl: there is no command \"%s\"; did you mean \"%s\"?\n", name, nearest);
    else
        say(stderr, "pawl: there is no command \"%s\"; `pawl --help` lists them\n", name);
    return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    static char help_flag[] = "--help";
    if (argc < 2) {
        print_help(NULL, stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--version"))
        name = "version";
    if (!strcmp(name, "help") && argc > 2) {
        name = argv[2];
        argv[2] = help_flag;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help(NULL, stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(name);
    if (!command)
        return unknown_command(name);
    if (command->refusal) {
        say(stderr, "pawl: %s %s\n", command->name, command->refusal);
        return EXIT_USAGE;
    }
    if (asks_for_help(argc - 2, argv + 2)) {
        print_help(command, stdout);
        return EXIT_DONE;
    }
    return run(command, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("pawl: cannot write to standard output\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}
