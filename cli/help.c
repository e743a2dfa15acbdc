/*
 * --help and the manual, both from the command table and the option tables.
 */
#include <string.h>

#include "cli/command.h"
#include "daemon/config.h"

static const char intro[] =
    "pawl updates container images in git: it scans registries, and when a newer image passes a workload's\n"
    "policy it edits that one field in the repository, commits, pushes, and applies the commit.\n";

static bool is_listed(const struct command *command)
{
    return command->summary != NULL;
}

static void add_indented(struct strbuf *out, const char *text, const char *indent)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (line)
            strbuf_addf(out, "%s%.*s", indent, (int)line, text);
        strbuf_addch(out, '\n');
        text += line + (text[line] == '\n');
    }
}

void command_add_overview(struct strbuf *out)
{
    strbuf_addf(out, "usage: pawl COMMAND [OPTIONS]\n\n%s\nCommands:\n", intro);
    for (const struct command *const *each = commands; *each; each++) {
        const struct command *c = *each;
        if (is_listed(c))
            strbuf_addf(out, "  %-16s%s\n", c->name, c->summary);
    }
    strbuf_addstr(out,
                  "\n`pawl COMMAND --help` shows a command's options. Each option can also be given as an\n"
                  "environment variable (--git-url: PAWL_GIT_URL) or in the file that --config names.\n");
}

void command_add_help(const struct command *command, struct strbuf *out)
{
    strbuf_addf(out, "usage: pawl %s%s%s%s\n\n", command->name, command->tables ? " [OPTIONS]" : "",
                command->operands ? " " : "", command->operands ? command->operands : "");
    strbuf_addstr(out, command->description ? command->description : command->summary);
    if (command->examples) {
        strbuf_addstr(out, "\nExamples:\n");
        add_indented(out, command->examples, "  ");
    }
    if (command->tables) {
        strbuf_addch(out, '\n');
        option_add_help(command->tables, out);
    }
    if (out->len && out->buf[out->len - 1] != '\n')
        strbuf_addch(out, '\n');
}

/* roff takes "\" and a leading "." or "'" for itself, and "-" for a hyphen. */
static void add_roff(struct strbuf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool starts_line = c == text || c[-1] == '\n';
        if (starts_line && (*c == '.' || *c == '\''))
            strbuf_addstr(out, "\\&");
        if (*c == '\\')
            strbuf_addstr(out, "\\e");
        else if (*c == '-')
            strbuf_addstr(out, "\\-");
        else
            strbuf_addch(out, *c);
    }
}

/* An empty line in the text begins a paragraph. */
static void add_roff_paragraphs(struct strbuf *out, const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (line) {
            char buffer[512];
            size_t len = line < sizeof(buffer) ? line : sizeof(buffer) - 1;
            memcpy(buffer, text, len);
            buffer[len] = '\0';
            add_roff(out, buffer);
            strbuf_addch(out, '\n');
        } else {
            strbuf_addstr(out, ".PP\n");
        }
        text += line + (text[line] == '\n');
    }
}

/* The tables that all commands share are those of the first in the list that has some. */
static const struct option_row *const *shared_tables(void)
{
    const struct command *const *c = commands;
    while (*c && !(is_listed(*c) && (*c)->tables))
        c++;
    return *c ? (*c)->tables : NULL;
}

static bool has_table(const struct option_row *const *tables, const struct option_row *table)
{
    while (*tables && *tables != table)
        tables++;
    return *tables != NULL;
}

/* The options that are not among the shared ones. */
static void add_own_options(struct strbuf *out, const struct command *command)
{
    enum { MOST = 16 };
    const struct option_row *own[MOST + 1] = {NULL};
    size_t len = 0;
    for (const struct option_row *const *table = command->tables; table && *table && len < MOST; table++) {
        if (!has_table(shared_tables(), *table) && *table != config_listen_options)
            own[len++] = *table;
    }
    if (!len)
        return;
    strbuf_addstr(out, ".PP\nIts own options:\n");
    option_add_manual_rows(own, out);
}

static void add_manual_command(struct strbuf *out, const struct command *command)
{
    strbuf_addstr(out, ".SS ");
    add_roff(out, "pawl ");
    add_roff(out, command->name);
    if (command->operands) {
        strbuf_addch(out, ' ');
        add_roff(out, command->operands);
    }
    strbuf_addch(out, '\n');
    add_roff_paragraphs(out, command->description ? command->description : command->summary);
    if (!command->description)
        strbuf_addch(out, '\n');
    if (command->examples) {
        strbuf_addstr(out, ".PP\n.nf\n");
        add_roff(out, command->examples);
        strbuf_addstr(out, ".fi\n");
    }
    add_own_options(out, command);
}

void command_add_manual(struct strbuf *out)
{
    strbuf_addstr(out,
                  ".TH PAWL 1 \"\" \"pawl " PAWL_VERSION "\"\n.SH NAME\npawl \\- update container images in "
                  "git and apply the commits\n.SH SYNOPSIS\n.B pawl\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
                  ".SH DESCRIPTION\n");
    add_roff(out, intro);
    strbuf_addstr(out, ".SH COMMANDS\n");
    for (const struct command *const *c = commands; *c; c++) {
        if (is_listed(*c))
            add_manual_command(out, *c);
    }
    strbuf_addstr(
        out, ".SH OPTIONS\nBeside its own, a command takes the groups of these that concern it; "
             "\\fB\\-\\-help\\fR shows which.\nEach can be given as a flag, as an environment variable "
             "(\\fB\\-\\-git\\-url\\fR: \\fBPAWL_GIT_URL\\fR) or in the YAML file that \\fB\\-\\-config\\fR "
             "names.\n");
    option_add_manual(shared_tables(), out);
    static const struct option_row *const serve_alone[] = {config_listen_options, NULL};
    strbuf_addstr(out, ".PP\nOf \\fBserve\\fR alone:\n");
    option_add_manual(serve_alone, out);
    strbuf_addstr(
        out, ".SH EXIT STATUS\n.TP\n0\nDone, or nothing to do.\n.TP\n1\nSomething failed.\n.TP\n2\nWrong "
             "usage or configuration.\n.TP\n3\nA dry run, or \\fBtags\\fR, found something that a script may "
             "branch on.\n");
}
