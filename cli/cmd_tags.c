/*
 * `pawl tags`: one repository's tags as the registry has them now, seen through a policy.
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
#include "daemon/tag_listing.h"
#include "model/demand.h"

static void print_json(const struct tag_listing *listing)
{
    AUTO_JSON json_t *root = tag_listing_json(listing);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, root, 2);
    puts(text.buf);
}

static void print_names(const struct tag_listing *listing)
{
    for (size_t i = 0; i < listing->info->images_len; i++) {
        if (listing->rows[i].matches)
            puts(listing->rows[i].image.tag);
    }
}

static const char *verdict(const struct tag_listing *listing, const struct tag_listing_row *row)
{
    if (!listing->policy)
        return "";
    if (!row->matches)
        return row->why_not;
    return listing->chosen && !strcmp(listing->chosen, row->image.tag) ? "chosen" : "yes";
}

static void print_table(const struct tag_listing *listing, bool wide, bool no_headers)
{
    const char *headings[] = {"TAG", "CREATED", "MATCHES", wide ? "DIGEST" : NULL, "PLATFORMS", NULL};
    struct table *table = table_new(headings, no_headers);
    for (size_t i = 0; i < listing->info->images_len; i++) {
        const struct tag_listing_row *row = &listing->rows[i];
        char created[CLOCK_RFC3339_SIZE] = "";
        if (row->image.details->created_ms)
            clock_format_rfc3339(row->image.details->created_ms, created);
        const char *cells[] = {row->image.tag, created, verdict(listing, row),
                               wide ? row->image.details->digest : NULL,
                               wide ? row->image.details->platforms : NULL};
        table_add(table, cells);
    }
    table_print(table);
    fflush(stdout);
    say(stderr, "%s\n", listing->reason);
}

static int command_tags(struct invocation *invocation, struct error *err)
{
    CLEANUP(tag_listing_release) struct tag_listing listing = TAG_LISTING_INIT;
    bool is_json = !strcmp(invocation->output, "json"), is_wide = !strcmp(invocation->output, "wide");
    unsigned also = (is_json || is_wide ? DEMAND_PLATFORMS : 0) | (is_json ? DEMAND_LABELS : 0);
    const struct tag_listing_policy policy = {
        .text = invocation->policy, .order = invocation->order, .extract = invocation->extract};
    if (tag_listing_make(&invocation->config, invocation->operands.items[0], &policy, also, &listing, err) <
        0)
        return err->code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    if (is_json)
        print_json(&listing);
    else if (!strcmp(invocation->output, "name"))
        print_names(&listing);
    else
        print_table(&listing, is_wide, invocation->no_headers);
    return listing.is_notable ? EXIT_FOUND : EXIT_DONE;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row tags_options[] = {
    {.name = "policy",
     .letter = 'p',
     .type = OPTION_STRING,
     .offset = AT(policy),
     .metavar = "POLICY",
     .group = COMMAND_GROUP,
     .help = "Tag policy: glob:PATTERN, semver:RANGE or regexp:PATTERN"},
    {.name = "order",
     .type = OPTION_STRING,
     .offset = AT(order),
     .metavar = "ORDER",
     .group = COMMAND_GROUP,
     .help = "Which tag is best: newest, semver, numeric or alpha; \":desc\" after it: the other way round"},
    {.name = "extract",
     .type = OPTION_STRING,
     .offset = AT(extract),
     .metavar = "TEMPLATE",
     .group = COMMAND_GROUP,
     .help = "What the order goes by, made of the groups of a regexp: \"$1\", \"${name}\""},
    {.name = NULL},
};

static const struct option_row *const tags_tables[] = {
    tags_options,         output_options,         config_registry_options,
    config_cache_options, config_general_options, NULL};

const struct command tags_command = {
    .name = "tags",
    .operands = "IMAGE",
    .summary = "ask the registry for an image's tags, and which one a policy chooses",
    .description = "Lists the tags of IMAGE's repository as the registry has them now, best first under the "
                   "policy, with the\n"
                   "reason why those that do not match are left out. If IMAGE has a tag, says whether the "
                   "policy would\n"
                   "replace it. A Helm chart is an IMAGE with a scheme.\n"
                   "\n"
                   "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the policy chooses another tag than "
                   "IMAGE has, or none.\n",
    .examples =
        "pawl tags ghcr.io/org/app --policy semver:~1.2\n"
        "pawl tags localhost:5000/app:main-41 --policy 'glob:main-*' -o json\n"
        "pawl tags oci://ghcr.io/org/charts/app --policy semver:~1.2\n"
        "pawl tags 'https://charts.example.com/stable#app:1.2.0' --policy semver:~1.2\n"
        "pawl tags localhost:5000/app --policy 'regexp:^build-(\\d+)$' --order numeric --extract '$1'\n",
    .tables = tags_tables,
    .operands_least = 1,
    .operands_most = 1,
    .run = command_tags,
};
