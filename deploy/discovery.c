#include "deploy/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strmap.h"
#include "deploy/kube_object.h"

/* One group-version. */
struct served {
    struct strmap kinds; /* kind -> struct kube_kind */
    bool is_known;       /* the server answered for it, with its kinds or that there is no such thing */
    struct error problem;
};

struct discovery {
    struct strmap group_versions; /* apiVersion -> struct served */
};

static void kind_free(void *value)
{
    struct kube_kind *kind = value;
    free(kind->api_version);
    free(kind->kind);
    free(kind->plural);
    free(kind);
}

static void served_free(void *value)
{
    struct served *served = value;
    strmap_release(&served->kinds);
    free(served);
}

struct discovery *discovery_new(void)
{
    struct discovery *discovery = xcalloc(1, sizeof(*discovery));
    strmap_init(&discovery->group_versions, served_free);
    return discovery;
}

void discovery_free(struct discovery *discovery)
{
    if (!discovery)
        return;
    strmap_release(&discovery->group_versions);
    free(discovery);
}

void discovery_refresh(struct discovery *discovery, const char *api_version)
{
    struct served *served = xcalloc(1, sizeof(*served));
    strmap_init(&served->kinds, kind_free);
    strmap_set(&discovery->group_versions, api_version, served);
}

void discovery_want(struct discovery *discovery, const char *api_version)
{
    if (!strmap_has(&discovery->group_versions, api_version))
        discovery_refresh(discovery, api_version);
}

static bool has_verb(const json_t *resource, const char *verb)
{
    size_t i;
    json_t *is;
    json_array_foreach(json_object_get(resource, "verbs"), i, is)
    {
        const char *text = json_string_value(is);
        if (text && strcmp(text, verb) == 0)
            return true;
    }
    return false;
}

static void read_resources(struct served *served, const char *api_version, const json_t *list)
{
    size_t i;
    json_t *resource;
    json_array_foreach(json_object_get(list, "resources"), i, resource)
    {
        const char *plural = json_string_at(resource, "name"), *kind = json_string_at(resource, "kind");
        /* A slash is a subresource: deployments/scale has the kind Scale. */
        if (!plural || !kind || !kube_path_segment_is_valid(plural) || strmap_has(&served->kinds, kind))
            continue;
        struct kube_kind *row = xcalloc(1, sizeof(*row));
        row->api_version = xstrdup(api_version);
        row->kind = xstrdup(kind);
        row->plural = xstrdup(plural);
        row->is_namespaced = json_is_true(json_object_get(resource, "namespaced"));
        row->has_patch = has_verb(resource, "patch");
        row->has_list = has_verb(resource, "list");
        strmap_set(&served->kinds, kind, row);
    }
}

void discovery_add(struct discovery *discovery, const char *api_version, const json_t *list)
{
    discovery_refresh(discovery, api_version);
    struct served *served = strmap_get(&discovery->group_versions, api_version);
    served->is_known = true;
    read_resources(served, api_version, list);
}

/* "/api/v1" or "/apis/GROUP/VERSION"; NULL if it is no apiVersion. */
static char *group_version_path(const char *api_version)
{
    size_t group_len;
    const char *version;
    if (kube_api_version_split(api_version, &group_len, &version) < 0)
        return NULL;
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_addstr(&path, group_len ? "/apis/" : "/api/");
    strbuf_add_urlencoded(&path, api_version, "/");
    return strbuf_detach(&path, NULL);
}

struct fetch {
    const char *api_version;
    struct served *served;
};

static void fetched(struct kube_reply *reply, void *context)
{
    struct fetch *fetch = context;
    struct served *served = fetch->served;
    enum kube_verdict verdict = reply->status.verdict;
    served->is_known = reply->body || verdict == KUBE_UNKNOWN_KIND || verdict == KUBE_NOT_FOUND;
    if (reply->body)
        read_resources(served, fetch->api_version, reply->body);
    if (served->is_known)
        return;
    AUTO_FREE char *text = kube_reply_text(reply, false);
    error_set(&served->problem, reply->error.code ? reply->error.code : ERROR_NETWORK,
              "the API server does not answer for %s: %s", fetch->api_version, text);
}

int discovery_fetch(struct discovery *discovery, struct kube_client *client, struct error *err)
{
    AUTO_FREE struct fetch *fetches = xcalloc(strmap_size(&discovery->group_versions) + 1, sizeof(*fetches));
    size_t len = 0;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *api_version;
    void *value;
    while (strmap_next(&discovery->group_versions, &cursor, &api_version, &value)) {
        struct served *served = value;
        AUTO_FREE char *path = group_version_path(api_version);
        if (served->is_known || served->problem.code || !path)
            continue;
        fetches[len] = (struct fetch){api_version, served};
        kube_client_send(client, &(struct kube_request){.path = path}, fetched, &fetches[len++]);
    }
    return kube_client_run(client, err);
}

const struct kube_kind *discovery_find(const struct discovery *discovery, const char *api_version,
                                       const char *kind, struct error *err)
{
    const struct served *served = strmap_get(&discovery->group_versions, api_version);
    if (served && served->problem.code) {
        if (err)
            *err = served->problem;
        return NULL;
    }
    const struct kube_kind *found = served ? strmap_get(&served->kinds, kind) : NULL;
    if (found && !found->has_patch) {
        error_set(err, ERROR_UNSUPPORTED,
                  "%s %s cannot be applied: the API server does not keep such objects", api_version, kind);
        return NULL;
    }
    if (!found)
        error_set(err, ERROR_NOT_FOUND,
                  "the API server does not know %s %s: its definition is not installed, or this version of "
                  "the API was removed",
                  api_version, kind);
    return found;
}

char *kube_collection_path(const struct kube_kind *kind, const char *space)
{
    AUTO_FREE char *group_version = group_version_path(kind->api_version);
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_addstr(&path, group_version ? group_version : "");
    if (kind->is_namespaced && space) {
        strbuf_addstr(&path, "/namespaces/");
        strbuf_add_urlencoded(&path, space, "");
    }
    strbuf_addch(&path, '/');
    strbuf_add_urlencoded(&path, kind->plural, "");
    return strbuf_detach(&path, NULL);
}
