/*
 * `pawl cache`: what the cache knows, and the removal of what nobody needs. A daemon may use the same cache
 * meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/option_rows.h"
#include "cli/output_options.h"
#include "cli/say.h"
#include "cli/table.h"
#include "daemon/cache_view.h"

#define TEXT_SIZE 48

/* -- words ------------------------------------------------------------------------------------------------ */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static const char *format_bytes(size_t bytes, char out[TEXT_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    double number = (double)bytes;
    size_t unit = 0;
    for (; number >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        number /= 1024;
    snprintf(out, TEXT_SIZE, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
    return out;
}

/* To the second, to the minute from an hour on; a time to come is "0s". */
static const char *format_age(int64_t age_ms, char out[TEXT_SIZE])
{
    int64_t unit = age_ms < 3600000 ? 1000 : 60000;
    char text[CLOCK_DURATION_SIZE];
    clock_format_duration(age_ms > 0 ? age_ms / unit * unit : 0, text);
    snprintf(out, TEXT_SIZE, "%s", text);
    return out;
}

static const char *format_count(size_t count, char out[TEXT_SIZE])
{
    snprintf(out, TEXT_SIZE, "%zu", count);
    return out;
}

/* Takes over the reference. */
static void print_json(json_t *value)
{
    AUTO_JSON json_t *root = value;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, root, 2);
    puts(text.buf);
}

static bool is_output(const struct invocation *invocation, const char *form)
{
    return !strcmp(invocation->output, form);
}

/* -- ls --------------------------------------------------------------------------------------------------- */

static void add_list_row(struct table *table, const struct record_row *row, bool wide, int64_t now_ms)
{
    char tags[TEXT_SIZE], dated[TEXT_SIZE], age[TEXT_SIZE], size[TEXT_SIZE], problems[TEXT_SIZE];
    char tags_text[TEXT_SIZE + 1];
    format_count(row->tags, tags);
    snprintf(tags_text, sizeof(tags_text), "%s%s", tags, row->is_truncated ? "+" : "");
    const char *cells[] = {row->repository,
                           row->identity,
                           tags_text,
                           format_count(row->dated, dated),
                           format_age(now_ms - row->scanned_ms, age),
                           format_bytes(row->bytes, size),
                           wide ? format_count(row->problems, problems) : NULL,
                           wide ? row->platform : NULL,
                           wide ? row->scope : NULL};
    table_add(table, cells);
}

static void print_list_table(const struct record_list *list, const struct invocation *invocation)
{
    bool wide = is_output(invocation, "wide");
    const char *headings[] = {
        "REPOSITORY", "CREDENTIALS", "TAGS", "DATED", "AGE", "SIZE", wide ? "PROBLEMS" : NULL,
        "PLATFORM",   "SCOPE",       NULL};
    struct table *table = table_new(headings, invocation->no_headers);
    int64_t now_ms = clock_wall_ms(&system_clock);
    for (size_t i = 0; i < list->len; i++)
        add_list_row(table, &list->rows[i], wide, now_ms);
    table_print(table);
    fflush(stdout);
    char size[TEXT_SIZE];
    say(stderr, "%s %zu fact%s about images (%s)\n", list->len ? "and" : "no repositories;", list->facts,
        plural(list->facts), format_bytes(list->facts_bytes, size));
    if (list->useless)
        say(stderr, "%zu value%s of no use any more (%s): `pawl cache prune` removes them\n", list->useless,
            plural(list->useless), format_bytes(list->useless_bytes, size));
}

static void print_repositories(const struct record_list *found)
{
    for (size_t i = 0; i < found->len; i++)
        say(stdout, "%s\n", found->rows[i].repository);
}

static int list(struct invocation *invocation, struct error *err)
{
    CLEANUP(record_list_release) struct record_list found = RECORD_LIST_INIT;
    if (cache_view_list(&invocation->config, &found, err) < 0)
        return -1;
    if (is_output(invocation, "json"))
        print_json(cache_view_list_json(&found));
    else if (is_output(invocation, "name"))
        print_repositories(&found);
    else
        print_list_table(&found, invocation);
    return 0;
}

/* -- inspect ---------------------------------------------------------------------------------------------- */

static const char *cell_of_time(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
    if (!wall_ms)
        return NULL;
    clock_format_rfc3339(wall_ms, out);
    return out;
}

static void print_record_table(const struct record_row *row, const struct invocation *invocation)
{
    bool wide = is_output(invocation, "wide");
    const char *headings[] = {"TAG", "CREATED", "PROBLEM", wide ? "CHECKED" : NULL, "DIGEST", NULL};
    char age[TEXT_SIZE];
    say(stderr, "%s for %s, %s: %zu tag%s%s, scanned %s ago\n", row->repository, row->platform, row->identity,
        row->tags, plural(row->tags), row->is_truncated ? " (and more than are kept)" : "",
        format_age(clock_wall_ms(&system_clock) - row->scanned_ms, age));
    struct table *table = table_new(headings, invocation->no_headers);
    for (size_t i = 0; i < row->info->images_len; i++) {
        const struct image_details *details = repository_info_details(row->info, i);
        char created[CLOCK_RFC3339_SIZE], checked[CLOCK_RFC3339_SIZE];
        const char *cells[] = {repository_info_tag(row->info, i), cell_of_time(details->created_ms, created),
                               details->problem, wide ? cell_of_time(details->checked_ms, checked) : NULL,
                               wide ? details->digest : NULL};
        table_add(table, cells);
    }
    table_print(table);
    fflush(stdout);
}

static void print_names(const struct record_row *row)
{
    for (size_t i = 0; i < row->info->images_len; i++)
        say(stdout, "%s\n", repository_info_tag(row->info, i));
}

static int inspect(struct invocation *invocation, struct error *err)
{
    CLEANUP(record_list_release) struct record_list records = RECORD_LIST_INIT;
    if (cache_view_inspect(&invocation->config, invocation->operands.items[1], &records, err) < 0)
        return -1;
    if (is_output(invocation, "json")) {
        print_json(cache_view_inspect_json(&records));
        return 0;
    }
    for (size_t i = 0; i < records.len; i++) {
        if (is_output(invocation, "name"))
            print_names(&records.rows[i]);
        else
            print_record_table(&records.rows[i], invocation);
    }
    return 0;
}

/* -- prune ------------------------------------------------------------------------------------------------ */

static void print_prune(const struct record_prune *done)
{
    size_t count = 0, bytes = 0;
    char size[TEXT_SIZE];
    for (size_t i = RECORD_USED + 1; i < RECORD_USES; i++) {
        count += done->count[i];
        bytes += done->bytes[i];
    }
    say(stdout, "%s %zu record%s (%s): %zu expired, %zu unreadable, %zu %s; %zu %s\n",
        done->dry_run ? "would remove" : "removed", count, plural(count), format_bytes(bytes, size),
        done->count[RECORD_EXPIRED], done->count[RECORD_UNREADABLE], done->count[RECORD_OLD],
        done->all ? "others" : "old", done->count[RECORD_USED], done->dry_run ? "would stay" : "stay");
}

static int prune(struct invocation *invocation, struct error *err)
{
    struct record_prune done = {.now_ms = clock_wall_ms(&system_clock),
                                .older_than_ms = invocation->older_than_ms,
                                .all = invocation->all,
                                .dry_run = invocation->dry_run};
    if (cache_view_prune(&invocation->config, &done, err) < 0)
        return -1;
    if (is_output(invocation, "json"))
        print_json(cache_view_prune_json(&done));
    else
        print_prune(&done);
    return 0;
}

/* -- the command ------------------------------------------------------------------------------------------ */

struct verb {
    const char *name;
    size_t operands;
    bool removes;
    int (*run)(struct invocation *invocation, struct error *err);
};

static const struct verb verbs[] = {{.name = "ls", .operands = 0, .run = list},
                                    {.name = "inspect", .operands = 1, .run = inspect},
                                    {.name = "prune", .operands = 0, .removes = true, .run = prune}};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    }
    return NULL;
}

static const struct verb *choose_verb(const struct invocation *invocation, struct error *err)
{
    const struct verb *verb = find_verb(invocation->operands.items[0]);
    size_t given = invocation->operands.len - 1;
    if (!verb)
        error_set(err, ERROR_USAGE, "`pawl cache` knows ls, inspect REPOSITORY and prune, not \"%s\"",
                  invocation->operands.items[0]);
    else if (given != verb->operands)
        error_set(err, ERROR_USAGE, "`pawl cache %s` takes %s", verb->name,
                  verb->operands ? "a REPOSITORY" : "no argument");
    else if (!verb->removes && (invocation->all || invocation->older_than_ms || invocation->dry_run))
        error_set(err, ERROR_USAGE, "--all, --older-than and --dry-run are for `pawl cache prune`");
    return err->code ? NULL : verb;
}

static int command_cache(struct invocation *invocation, struct error *err)
{
    const struct verb *verb = choose_verb(invocation, err);
    if (!verb)
        return EXIT_USAGE;
    if (verb->run(invocation, err) == 0)
        return EXIT_DONE;
    return err->code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row cache_options[] = {
    {.name = "older-than",
     .type = OPTION_DURATION,
     .offset = AT(older_than_ms),
     .metavar = "DURATION",
     .group = COMMAND_GROUP,
     .help = "prune: also remove what is older, as in 30d; a repository by its last scan, the rest by when "
             "it was "
             "written"},
    {.name = "all",
     .type = OPTION_BOOL,
     .offset = AT(all),
     .group = COMMAND_GROUP,
     .help = "prune: remove everything"},
    DRY_RUN_ROW("prune: only say what would be removed"),
    {.name = NULL},
};

static const struct option_row *const cache_tables[] = {cache_options, output_options, config_cache_options,
                                                        config_general_options, NULL};

const struct command cache_command = {
    .name = "cache",
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
    .run = command_cache,
};
