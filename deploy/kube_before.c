#include "deploy/kube_before.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* From this many objects of one kind and namespace on, one LIST takes the place of the GETs. */
#define LIST_FROM 16u
#define LIST_PAGE 500

/* The items of one collection. */
struct group {
    struct kube_client *client;
    const char *collection;
    struct strmap items; /* name -> struct plan_item */
    unsigned pages;
};

static void group_free(void *value)
{
    struct group *group = value;
    strmap_release(&group->items);
    free(group);
}

static void set_before(struct plan_item *item, json_t *object)
{
    item->before = BEFORE_PRESENT;
    json_decref(item->before_object);
    item->before_object = json_incref(object);
}

static void got(struct kube_reply *reply, void *context)
{
    struct plan_item *item = context;
    enum kube_verdict verdict = reply->status.verdict;
    if (reply->body)
        set_before(item, reply->body);
    else if (!reply->error.code && (verdict == KUBE_NOT_FOUND || verdict == KUBE_NO_NAMESPACE))
        item->before = BEFORE_ABSENT;
}

static void take_page(struct group *group, const json_t *list)
{
    size_t i;
    json_t *object;
    json_array_foreach(json_object_get(list, "items"), i, object)
    {
        const char *name = json_string_at(json_object_get(object, "metadata"), "name");
        struct plan_item *item = name ? strmap_get(&group->items, name) : NULL;
        if (item)
            set_before(item, object);
    }
}

/* The list has been read to its end: what was not in it is not there. */
static void mark_absent(struct group *group)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    while (strmap_next(&group->items, &cursor, &name, &value)) {
        struct plan_item *item = value;
        if (item->before == BEFORE_UNKNOWN)
            item->before = BEFORE_ABSENT;
    }
}

static void listed(struct kube_reply *reply, void *context);

static void send_list(struct group *group, const char *after)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "%s?limit=%d", group->collection, LIST_PAGE);
    if (after) {
        strbuf_addstr(&path, "&continue=");
        strbuf_add_urlencoded(&path, after, "");
    }
    group->pages++;
    struct kube_request request = {.path = path.buf, .accept = KUBE_METADATA_LIST};
    kube_client_send(group->client, &request, listed, group);
}

static void listed(struct kube_reply *reply, void *context)
{
    struct group *group = context;
    if (!reply->body)
        return; /* not allowed, or expired between pages: not known is good enough */
    take_page(group, reply->body);
    const char *more = json_string_at(json_object_get(reply->body, "metadata"), "continue");
    if (!more || !*more)
        mark_absent(group);
    else if (group->pages < LIMIT_KUBE_LIST_PAGES)
        send_list(group, more);
}

static void send_gets(struct group *group, bool whole)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    while (strmap_next(&group->items, &cursor, &name, &value)) {
        AUTO_FREE char *path = plan_item_path(value);
        struct kube_request request = {.path = path, .accept = whole ? KUBE_JSON : KUBE_METADATA};
        kube_client_send(group->client, &request, got, value);
    }
}

static void add_to_group(struct strmap *groups, struct plan_item *item, struct kube_client *client)
{
    struct group *group = strmap_get(groups, item->collection);
    if (!group) {
        group = xcalloc(1, sizeof(*group));
        group->client = client;
        group->collection = item->collection;
        strmap_init(&group->items, NULL);
        strmap_set(groups, item->collection, group);
    }
    strmap_set(&group->items, item->name, item);
}

static bool can_list(const struct group *group)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *name;
    void *value;
    return strmap_next(&group->items, &cursor, &name, &value) && ((struct plan_item *)value)->has_list;
}

int kube_read_before(struct apply_plan *plan, struct kube_client *client, bool whole, struct error *err)
{
    CLEANUP(strmap_release) struct strmap groups;
    strmap_init(&groups, group_free);
    for (size_t i = 0; i < plan->len; i++) {
        struct plan_item *item = &plan->items[i];
        if (item->is_decided || !item->collection || item->was_looked_up)
            continue;
        item->was_looked_up = true;
        add_to_group(&groups, item, client);
    }
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *collection;
    void *value;
    while (strmap_next(&groups, &cursor, &collection, &value)) {
        struct group *group = value;
        if (!whole && strmap_size(&group->items) >= LIST_FROM && can_list(group))
            send_list(group, NULL);
        else
            send_gets(group, whole);
    }
    return kube_client_run(client, err);
}

bool kube_is_unchanged(const json_t *before, const json_t *after)
{
    static const char *const kept[] = {"labels", "annotations", "finalizers", "ownerReferences"};
    const json_t *old = json_object_get(before, "metadata"), *new = json_object_get(after, "metadata");
    const char *old_version = json_string_at(old, "resourceVersion");
    const char *new_version = json_string_at(new, "resourceVersion");
    if (!old_version || !new_version)
        return false;
    if (strcmp(old_version, new_version) == 0)
        return true;
    json_int_t generation = json_integer_value(json_object_get(old, "generation"));
    if (!generation || generation != json_integer_value(json_object_get(new, "generation")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const json_t *a = json_object_get(old, kept[i]), *b = json_object_get(new, kept[i]);
        if (!a != !b || (a && !json_equal(a, b)))
            return false;
    }
    return true;
}
