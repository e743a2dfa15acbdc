/*
 * `pawl list-images`: the images of workloads in git and what their registries have, as fluxctl printed it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strmap.h"
#include "cli/command.h"
#include "cli/fluxctl_options.h"
#include "cli/option_rows.h"
#include "cli/output_options.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/table.h"
#include "daemon/image_listing.h"
#include "daemon/session.h"
#include "model/demand.h"
#include "model/workload_lookup.h"

#define NEWER   "|  "
#define CURRENT "'->"
#define OLDER   "   "

/* RFC 822 with the zone's name, as in fluxctl: "02 Jan 06 15:04 UTC". */
#define TIME_SIZE 48
static const char *format_time(int64_t time_ms, char out[TIME_SIZE])
{
    const time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    char day[16], time[16];
    if (!time_ms || !gmtime_r(&seconds, &parts) || !strftime(day, sizeof(day), "%d %b", &parts) ||
        !strftime(time, sizeof(time), "%H:%M", &parts))
        return "";
    snprintf(out, TIME_SIZE, "%s %02d %s UTC", day, parts.tm_year % 100, time);
    return out;
}

struct printer {
    struct table *table; /* NULL: names are printed */
    bool wide;
    size_t limit;
    struct strmap printed; /* names */
};

/* -- the table ----------------------------------------------------------------------------------------------- */

static void add_image(const struct printer *p, const char *mark, const char *tag, const char *created,
                      const struct image_details *details)
{
    AUTO_FREE char *image = xasprintf("%s %s", mark, tag);
    const char *cells[] = {
        "", "", image, created, p->wide ? details->digest : NULL, p->wide ? details->platforms : NULL};
    table_add(p->table, cells);
}

static void add_row(const struct printer *p, const struct image_listing_container *c, size_t index)
{
    const struct image_listing_row *row = &c->rows[index];
    const struct image_details *details = row->image.details;
    char text[TIME_SIZE];
    const char *created = details->problem ? details->problem : format_time(details->created_ms, text);
    const char *mark = OLDER;
    if (row->is_current)
        mark = CURRENT;
    else if (c->current < 0 || (ptrdiff_t)index < c->current)
        mark = NEWER;
    add_image(p, mark, row->image.tag, created, details);
}

/* Of those over the limit only the container's own is shown. */
static void add_rows(const struct printer *p, const struct image_listing_container *c)
{
    size_t shown = p->limit && p->limit < c->rows_len ? p->limit : c->rows_len;
    for (size_t i = 0; i < shown; i++)
        add_row(p, c, i);
    if (c->current >= (ptrdiff_t)shown) {
        size_t omitted = (size_t)c->current - shown;
        AUTO_FREE char *text = xasprintf("(%zu image%s omitted)", omitted, omitted == 1 ? "" : "s");
        if (omitted)
            add_image(p, ":", text, "", &image_details_unknown);
        add_row(p, c, (size_t)c->current);
    }
    const struct image_ref *image = &c->container->image;
    if (c->current < 0)
        add_image(p, CURRENT, image->tag ? image->tag : "(untagged)", "?", &image_details_unknown);
}

static void add_container(const struct printer *p, const char *workload,
                          const struct image_listing_container *c)
{
    const struct image_ref *image = &c->container->image;
    AUTO_FREE char *name = image->text ? xmemdupz(image->text, image->name_len) : xstrdup("");
    const char *problem = c->problem ? c->problem : "image data not available";
    const char *cells[] = {workload, c->container->name, name, c->rows_len ? "" : problem, NULL, NULL};
    table_add(p->table, cells);
    if (image->text)
        add_rows(p, c);
}

/* -- names ----------------------------------------------------------------------------------------------------- */

static void print_names(struct printer *p, const struct image_listing_container *c)
{
    for (size_t i = 0; i < c->rows_len && (!p->limit || i < p->limit); i++) {
        AUTO_FREE char *name = image_ref_with_tag(&c->container->image, c->rows[i].image.tag);
        if (strmap_has(&p->printed, name))
            continue;
        strmap_set(&p->printed, name, NULL);
        puts(name);
    }
}

/* -- all of it --------------------------------------------------------------------------------------------------- */

static void print_listing(struct printer *p, const struct image_listing *listing)
{
    for (size_t i = 0; i < listing->len; i++) {
        const struct image_listing_workload *workload = &listing->workloads[i];
        for (size_t k = 0; k < workload->containers_len; k++) {
            if (p->table)
                add_container(p, k ? "" : workload->id, &workload->containers[k]);
            else
                print_names(p, &workload->containers[k]);
        }
    }
}

/* One line for each answer that failed, however many containers have the image. */
static void say_problems(const struct image_listing *listing)
{
    for (size_t i = 0; i < listing->repositories_len; i++) {
        if (listing->answers[i].error.code)
            say(stderr, "pawl: %s\n", listing->answers[i].error.text);
    }
}

static struct printer printer_new(const struct invocation *invocation)
{
    struct printer p = {.wide = !strcmp(invocation->output, "wide"), .limit = (size_t)invocation->limit};
    const char *headings[] = {"WORKLOAD",  "CONTAINER", "IMAGE", "CREATED", p.wide ? "DIGEST" : NULL,
                              "PLATFORMS", NULL};
    if (strcmp(invocation->output, "name") != 0)
        p.table = table_new(headings, invocation->no_headers);
    return p;
}

struct all_listings {
    struct image_listing *items;
    size_t len;
};

static void release_all(struct all_listings *all)
{
    for (size_t i = 0; i < all->len; i++)
        image_listing_release(&all->items[i]);
    free(all->items);
}

static int report_missing(const struct all_listings *all, struct error *err)
{
    CLEANUP(workload_search_release) struct workload_search search;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    AUTO_FREE char *id = resource_id_text(&all->items[0].wanted);
    workload_search_init(&search, &all->items[0].wanted);
    for (size_t i = 0; i < all->len; i++)
        workload_search_add(&search, all->items[i].manifests);
    strbuf_addf(&text, "there is no workload %s in git", id);
    workload_search_describe(&search, &text);
    return error_set(err, ERROR_NOT_FOUND, "%s", text.buf);
}

static int make_all(struct invocation *invocation, struct session *session, struct progress *progress,
                    struct all_listings *all, struct error *err)
{
    const struct config *config = &invocation->config;
    bool is_json = !strcmp(invocation->output, "json");
    bool is_wide = !strcmp(invocation->output, "wide");
    const struct image_listing_options options = {
        .space = invocation->space,
        .all_spaces = invocation->all_spaces,
        .workload = invocation->workload,
        .wants = DEMAND_CREATED | (is_json || is_wide ? DEMAND_PLATFORMS : 0) | (is_json ? DEMAND_LABELS : 0),
        .progress = progress_step,
        .context = progress};
    size_t found = 0;
    all->items = xcalloc(config->repositories_len, sizeof(*all->items));
    for (; all->len < config->repositories_len; all->len++) {
        const struct repository_config *settings = &config->repositories[all->len];
        if (image_listing_make(config, settings, session, &options, &all->items[all->len], err) < 0) {
            image_listing_release(&all->items[all->len]);
            if (err->code == ERROR_USAGE)
                return -1;
            return error_wrap(err, "repository %s", settings->name);
        }
        found += all->items[all->len].len;
    }
    return invocation->workload && !found ? report_missing(all, err) : 0;
}

static void print_json(const struct all_listings *all, size_t limit)
{
    AUTO_JSON json_t *list = json_array();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < all->len; i++)
        image_listing_add_json(&all->items[i], limit, list);
    json_write(&text, list, 2);
    puts(text.buf);
}

static void print_all(const struct invocation *invocation, const struct all_listings *all)
{
    struct printer printer = printer_new(invocation);
    for (size_t i = 0; i < all->len; i++)
        print_listing(&printer, &all->items[i]);
    if (printer.table)
        table_print(printer.table);
    strmap_release(&printer.printed);
}

static int command_list_images(struct invocation *invocation, struct error *err)
{
    CLEANUP(session_close) struct session session = SESSION_INIT;
    CLEANUP(release_all) struct all_listings all = {.len = 0};
    if (session_open(&session, &invocation->config, &system_clock, err) < 0)
        return err->code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    CLEANUP(progress_end) struct progress progress;
    progress_begin(&progress, "asking registries");
    if (make_all(invocation, &session, &progress, &all, err) < 0)
        return command_exit_code(err);
    progress_end(&progress);
    if (!strcmp(invocation->output, "json"))
        print_json(&all, (size_t)invocation->limit);
    else
        print_all(invocation, &all);
    fflush(stdout);
    bool is_complete = true;
    size_t listed = 0;
    for (size_t i = 0; i < all.len; i++) {
        say_problems(&all.items[i]);
        listed += all.items[i].len;
        is_complete = is_complete && all.items[i].is_complete;
    }
    if (!listed)
        output_say_none(invocation);
    return is_complete ? EXIT_DONE : EXIT_FAILED;
}

/* -- options and help ------------------------------------------------------------------------------------------- */

static const struct option_row list_images_options[] = {
    SPACE_ROW("Namespace of the workloads; the one of objects that name none if not given"),
    ALL_SPACES_ROW,
    WORKLOAD_ROWS("Only this workload: namespace:kind/name or kind/name"),
    LIMIT_ROW("Images to show of each container, the newest first; 0 shows all"),
    {.name = NULL},
};

static const struct option_row *const list_images_tables[] = {list_images_options,    output_options,
                                                              config_git_options,     config_registry_options,
                                                              config_cache_options,   config_cluster_options,
                                                              config_general_options, config_flux_options,
                                                              fluxctl_options,        NULL};

const struct command list_images_command = {
    .name = "list-images",
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
    .run = command_list_images,
};
