#include "daemon/webhook_key_file.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

struct webhook_key_file {
    const char *path;
    const struct clock *clock;
    struct webhook_keys keys;
    struct file_stamp stamp; /* of what was last read, with success or not */
    int64_t looked_ms;
};

struct webhook_key_file *webhook_key_file_open(const char *path, const struct clock *clock, struct error *err)
{
    struct webhook_keys keys = WEBHOOK_KEYS_INIT;
    struct file_stamp stamp =
        file_stamp_of(path); /* before it is read: what changes meanwhile is seen the next time */
    if (webhook_keys_load(path, &keys, err) < 0)
        return NULL;
    struct webhook_key_file *file = xcalloc(1, sizeof(*file));
    *file = (struct webhook_key_file){path, clock, keys, keys.was_created ? file_stamp_of(path) : stamp,
                                      clock_monotonic_ms(clock)};
    return file;
}

void webhook_key_file_free(struct webhook_key_file *file)
{
    if (!file)
        return;
    webhook_keys_release(&file->keys);
    free(file);
}

static void read_again(struct webhook_key_file *file)
{
    struct webhook_keys keys = WEBHOOK_KEYS_INIT;
    struct error err = ERROR_INIT;
    if (webhook_keys_read(file->path, &keys, &err) < 0) {
        log_event(LOG_WARN, "hook", "event", "bad-keys", "err", err.text, "msg",
                  "the keys that were read before are still in force", NULL);
        return;
    }
    webhook_keys_release(&file->keys);
    file->keys = keys;
    AUTO_FREE char *count = xasprintf("%zu", keys.len);
    log_event(LOG_INFO, "hook", "event", "keys-changed", "keys", file->path, "count", count, NULL);
}

const struct webhook_keys *webhook_key_file_keys(struct webhook_key_file *file)
{
    int64_t now_ms = clock_monotonic_ms(file->clock);
    if (now_ms - file->looked_ms < WEBHOOK_KEY_FILE_LOOK_MS)
        return &file->keys;
    file->looked_ms = now_ms;
    struct file_stamp stamp = file_stamp_of(file->path);
    if (file_stamp_is_same(&stamp, &file->stamp))
        return &file->keys;
    file->stamp = stamp;
    read_again(file);
    return &file->keys;
}
