/*
 * --hook-key-file while serve runs: read at start, and again when it has changed, so that a key can be replaced
 * without a restart (also where the file is a Secret's, whose volume changes behind a symbolic link).
 *
 * Whether it changed is looked at when a webhook comes, at most once a second. The new keys take the place of the old
 * ones as a whole; a file that is gone or no good leaves the old ones in force, and is said once. All on one thread.
 */
#ifndef DAEMON_WEBHOOK_KEY_FILE_H
#define DAEMON_WEBHOOK_KEY_FILE_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/webhook_keys.h"

#define WEBHOOK_KEY_FILE_LOOK_MS 1000

struct webhook_key_file;

/* Borrows the path and the clock. Makes a file that is missing; errors as webhook_keys_load. */
struct webhook_key_file *webhook_key_file_open(const char *path, const struct clock *clock, struct error *err)
    MUST_CHECK;
void webhook_key_file_free(struct webhook_key_file *file); /* NULL does nothing */

/* The keys in force, at least one; good until the next call. */
const struct webhook_keys *webhook_key_file_keys(struct webhook_key_file *file);

#endif
