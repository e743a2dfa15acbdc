/*
 * The menu of `pawl release --interactive`: the updates of a plan, of which a person picks some. As fluxctl's:
 *
 *         WORKLOAD                STATUS   UPDATES
 *     ⇒ ◉ default:deployment/app  success  app: example.test/app:1 -> 2
 *       ◯                                  side: example.test/side:1 -> 3
 *         default:deployment/db   skipped  locked
 *
 * All updates are picked at first. Space picks or leaves the one at ⇒; down, j and Tab go to the next, up and k to the one
 * before; Enter submits; q, Escape and Ctrl-C abort.
 *
 * The menu itself draws into a buffer and is told of keys; update_menu_run puts it on a terminal.
 */
#ifndef CLI_UPDATE_MENU_H
#define CLI_UPDATE_MENU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "cli/result_table.h"

struct update_menu;

enum menu_state { MENU_OPEN, MENU_SUBMITTED, MENU_ABORTED };

/* Of the results that the table would show; borrowed. */
struct update_menu *update_menu_new(const struct result_list *results, const struct result_format *format)
    MUST_CHECK;
void update_menu_free(struct update_menu *menu);
void update_menu_release(struct update_menu **menu); /* for CLEANUP */

/* How many updates there are to pick from. */
size_t update_menu_count(const struct update_menu *menu);
/* Whether updates[update] of results[result] is picked. */
bool update_menu_is_picked(const struct update_menu *menu, size_t result, size_t update);

/* Takes what was typed. An escape sequence must be whole; ESC at the end is the key. */
enum menu_state update_menu_type(struct update_menu *menu, const char *bytes, size_t len);

/* Appends the menu, each line cut to `columns` and ended by CR LF, at most `rows` lines around ⇒ (0: all); returns the
 * number of lines. */
size_t update_menu_draw(const struct update_menu *menu, size_t columns, size_t rows, struct strbuf *out);

/* On the terminal of stdin and stderr, until it is submitted or aborted. ERROR_USAGE if they are none. */
int update_menu_run(struct update_menu *menu, enum menu_state *state, struct error *err) MUST_CHECK;

#endif
