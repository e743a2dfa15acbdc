#include "daemon/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "daemon/webhook_bodies.h"
#include "model/image_ref.h"
#include "scanner/tag_list.h"

const struct webhook_sender webhook_senders[] = {
    {"dockerhub", WEBHOOK_KEY, NULL, webhook_read_dockerhub},
    {"github", WEBHOOK_SIGNATURE, "X-Hub-Signature-256", webhook_read_github},
    {"gitlab", WEBHOOK_SECRET, "X-Gitlab-Token", webhook_read_distribution},
    {"quay", WEBHOOK_KEY, NULL, webhook_read_quay},
    {"harbor", WEBHOOK_KEY, NULL, webhook_read_harbor},
    {"acr", WEBHOOK_KEY, NULL, webhook_read_acr},
    {"ecr", WEBHOOK_KEY, NULL, webhook_read_ecr},
    {"gcr", WEBHOOK_GOOGLE, "Authorization", webhook_read_gcr},
    {"nexus", WEBHOOK_NEXUS, "X-Nexus-Webhook-Signature", webhook_read_nexus},
    {"jfrog", WEBHOOK_KEY, NULL, webhook_read_jfrog},
    {"distribution", WEBHOOK_KEY, NULL, webhook_read_distribution},
    {"cdevents", WEBHOOK_KEY, NULL, webhook_read_cdevents},
    {"generic", WEBHOOK_SIGNATURE, "X-Signature", webhook_read_generic},
    {.name = NULL},
};

const struct webhook_sender *webhook_sender_find(const char *name)
{
    for (const struct webhook_sender *sender = webhook_senders; sender->name; sender++) {
        if (!strcmp(sender->name, name))
            return sender;
    }
    return NULL;
}

void push_list_release(struct push_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        free(list->items[i].repository);
        free(list->items[i].tag);
    }
    free(list->items);
    *list = (struct push_list)PUSH_LIST_INIT;
}

void push_list_add_all(struct push_list *list, const struct push_list *more)
{
    for (size_t i = 0; i < more->len && list->len < LIMIT_HOOK_IMAGES; i++) {
        vec_grow(list->items, list->len, list->capacity);
        list->items[list->len++] = (struct pushed_image){.repository = xstrdup(more->items[i].repository),
                                                         .tag = xstrdup(more->items[i].tag)};
    }
}

static void add(struct push_list *list, const char *image, bool any_host)
{
    CLEANUP(image_ref_release) struct image_ref ref = IMAGE_REF_INIT;
    struct error err = ERROR_INIT;
    if (list->len > LIMIT_HOOK_IMAGES || image_ref_parse(image, &ref, &err) < 0 || !ref.tag ||
        tag_is_referrer(ref.tag))
        return;
    vec_grow(list->items, list->len, list->capacity);
    list->items[list->len++] = (struct pushed_image){.repository = any_host ? xasprintf("/%s", ref.path)
                                                                            : image_ref_repository(&ref),
                                                     .tag = xstrdup(ref.tag)};
}

void push_list_add(struct push_list *list, const char *image)
{
    if (image)
        add(list, image, false);
}

void push_list_add_parts(struct push_list *list, const char *host, const char *path, const char *tag)
{
    if (!path || !tag || !image_tag_is_valid(tag))
        return;
    AUTO_FREE char *image = xasprintf("%s/%s:%s", host ? host : "any.invalid", path, tag);
    add(list, image, !host);
}

int webhook_read(const struct webhook_sender *sender, const char *body, size_t len, struct push_list *out,
                 struct error *err)
{
    AUTO_JSON json_t *json = json_read(body, len, err);
    if (!json)
        return -1;
    CLEANUP(push_list_release) struct push_list list = PUSH_LIST_INIT;
    sender->read(json, &list);
    if (list.len > LIMIT_HOOK_IMAGES)
        return error_set(err, ERROR_TOO_LARGE, "more than %u images in one webhook", LIMIT_HOOK_IMAGES);
    *out = list;
    list = (struct push_list)PUSH_LIST_INIT;
    return 0;
}
