/* A webhook's body; the first byte chooses the sender. What is taken is a normalised name and a valid tag. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "daemon/webhook.h"
#include "model/image_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t senders_len(void)
{
    size_t len = 0;
    while (webhook_senders[len].name)
        len++;
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    CLEANUP(push_list_release) struct push_list list = PUSH_LIST_INIT;
    struct error err = ERROR_INIT;
    const struct webhook_sender *sender = &webhook_senders[data[0] % senders_len()];
    if (webhook_read(sender, (const char *)data + 1, size - 1, &list, &err) < 0) {
        if (list.len || err.code == ERROR_NONE)
            abort();
        return 0;
    }
    if (list.len > LIMIT_HOOK_IMAGES)
        abort();
    for (size_t i = 0; i < list.len; i++) {
        if (!image_tag_is_valid(list.items[i].tag) || !strchr(list.items[i].repository, '/'))
            abort();
    }
    return 0;
}
