/*
 * Webhooks: POST /hook/SOURCE/KEY, from the request to the scanner's thread.
 *
 *     404  no such source, or webhooks are off (no --hook-key-file)
 *     401  wrong key, signature, secret or token; said in the log at most once a minute. The text says which, since
 *          keys cannot be guessed one by one and whoever sets the sender up sees nothing else
 *     413  the body is too large; 400 it is no JSON; 503 the keys for tokens have not been fetched yet
 *     202  taken: {"images": N, "wanted": M}, and "help" where M is 0. Images that no manifest asks for are passed over
 *
 * The key is looked at before the body is read. All runs on the listener's thread and waits for nothing.
 */
#ifndef DAEMON_WEBHOOKS_H
#define DAEMON_WEBHOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/config.h"
#include "daemon/listener.h"
#include "daemon/metrics.h"
#include "daemon/scan_thread.h"

#define WEBHOOKS_PATH "/hook/"

struct webhooks;

struct webhooks_options { /* all borrowed */
    const struct config *config;
    const struct clock *clock;
    struct metrics *metrics;
    struct scan_thread *scans;
};

/* ERROR_USAGE or ERROR_IO from the key file. */
struct webhooks *webhooks_open(const struct webhooks_options *options, struct error *err) MUST_CHECK;
void webhooks_free(struct webhooks *hooks); /* NULL does nothing */

/* As the functions of the same names in struct listener_options. */
bool webhooks_admit(struct webhooks *hooks, const struct listener_call *call, size_t *max_body,
                    struct listener_reply *reply);
void webhooks_answer(struct webhooks *hooks, const struct listener_call *call, struct listener_reply *reply);

#endif
