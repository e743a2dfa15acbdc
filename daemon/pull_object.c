#include "daemon/pull_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "scanner/credential_grant.h"

static const struct secret_type {
    const char *type, *key;
} secret_types[] = {
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
    {"kubernetes.io/dockercfg", ".dockercfg"},
};

static const struct {
    const char *plural, *label;
} kinds[] = {
    [PULL_SECRET] = {"secrets", "pull secret"},
    [PULL_ACCOUNT] = {"serviceaccounts", "service account"},
};

struct pull_object *pull_object_new(enum pull_object_kind kind, const char *space, const char *name)
{
    struct pull_object *object = xcalloc(1, sizeof(*object));
    object->kind = kind;
    object->name = xasprintf("%s/%s", space, name);
    object->space = xstrdup(space);
    object->path = xasprintf("/api/v1/namespaces/%s/%s/%s", space, kinds[kind].plural, name);
    return object;
}

void pull_object_drop(struct pull_object *object)
{
    credentials_free(steal(&object->credentials));
    strvec_release(&object->secrets);
    credential_free_secret(steal(&object->username));
    credential_free_secret(steal(&object->password));
    free(steal(&object->version));
    free(steal(&object->uid));
    free(steal(&object->entry_problem));
    object->good_ms = 0;
}

void pull_object_free(void *pointer)
{
    struct pull_object *object = pointer;
    pull_object_drop(object);
    free(object->name);
    free(object->space);
    free(object->path);
    free(object->problem);
    free(object);
}

/* Takes over `text`. */
static void set_problem(struct pull_object *object, char *text)
{
    free(object->problem);
    object->problem = xasprintf("%s %s: %s", kinds[object->kind].label, object->name, text);
    free(text);
}

/* -- a Secret -------------------------------------------------------------------------------------------- */

static const struct secret_type *type_of(const json_t *secret)
{
    const char *type = json_string_at(secret, "type");
    for (size_t i = 0; type && i < ARRAY_LEN(secret_types); i++) {
        if (!strcmp(secret_types[i].type, type))
            return &secret_types[i];
    }
    return NULL;
}

/* The errors of the parsers are not shown: they may quote what they read. */
static struct credentials *parse(const char *name, const char *base64)
{
    CLEANUP(strbuf_release) struct strbuf text;
    strbuf_init(&text, LIMIT_CONFIG_BYTES);
    struct credentials *credentials = NULL;
    if (strbuf_add_base64_decoded(&text, base64, strlen(base64)) == 0)
        credentials = credentials_parse(text.buf, text.len, name, NULL);
    explicit_bzero(text.buf, text.len);
    return credentials;
}

/* NULL if it is not there, or no text that can be sent. */
static char *decode(const json_t *data, const char *key)
{
    const char *base64 = json_string_at(data, key);
    CLEANUP(strbuf_release) struct strbuf text;
    strbuf_init(&text, LIMIT_TOKEN_BYTES);
    char *copy = NULL;
    if (base64 && strbuf_add_base64_decoded(&text, base64, strlen(base64)) == 0 && text.len &&
        strlen(text.buf) == text.len && credential_is_clean(text.buf))
        copy = xstrdup(text.buf);
    explicit_bzero(text.buf, text.len);
    return copy;
}

/* The problem that read_secret finds with it stays: for pods it is one. */
static void read_basic(struct pull_object *object, const json_t *secret)
{
    const char *type = json_string_at(secret, "type");
    const json_t *data = json_object_get(secret, "data");
    if (type && strcmp(type, "Opaque") != 0 && strcmp(type, "kubernetes.io/basic-auth") != 0)
        return;
    object->username = decode(data, "username");
    object->password = decode(data, "password");
}

static void read_secret(struct pull_object *object, const json_t *secret)
{
    read_basic(object, secret);
    const struct secret_type *type = type_of(secret);
    if (!type) {
        const char *other = json_string_at(secret, "type");
        set_problem(object, xasprintf("its type is %.100s; %s and %s hold credentials for registries",
                                      other ? other : "missing", secret_types[0].type, secret_types[1].type));
        return;
    }
    const char *base64 = json_string_at(json_object_get(secret, "data"), type->key);
    object->credentials = base64 ? parse(object->name, base64) : NULL;
    if (!object->credentials)
        set_problem(object, base64 ? xasprintf("its %s is no Docker configuration: JSON as kubectl create "
                                               "secret docker-registry writes it is expected",
                                               type->key)
                                   : xasprintf("it has no %s", type->key));
}

/* -- a service account ------------------------------------------------------------------------------------- */

static void read_account(struct pull_object *object, const json_t *account)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(account, "imagePullSecrets"), i, item)
    {
        const char *name = json_string_at(item, "name");
        if (!name || !dns_name_is_valid(name) || strvec_contains(&object->secrets, name))
            continue;
        if (object->secrets.len < LIMIT_PULL_SECRETS) {
            strvec_push(&object->secrets, name);
            continue;
        }
        set_problem(object, xasprintf("it has more than %u imagePullSecrets; the rest is not read",
                                      LIMIT_PULL_SECRETS));
        return;
    }
}

/* -- answers ----------------------------------------------------------------------------------------------- */

static void take_body(struct pull_object *object, const json_t *body, int64_t now_ms)
{
    const json_t *metadata = json_object_get(body, "metadata");
    const char *version = json_string_at(metadata, "resourceVersion");
    const char *uid = json_string_at(metadata, "uid");
    bool is_unchanged = version && object->version && !strcmp(version, object->version);
    if (!is_unchanged)
        pull_object_drop(object);
    object->good_ms = now_ms;
    if (is_unchanged)
        return;
    free(steal(&object->problem));
    object->version = xstrdup(version);
    object->uid = xstrdup(uid ? uid : object->name);
    if (object->kind == PULL_SECRET)
        read_secret(object, body);
    else
        read_account(object, body);
}

/* Every namespace has a service account "default", once it is there itself. */
static bool may_be_missing(const struct pull_object *object)
{
    return object->kind == PULL_ACCOUNT && str_ends_with(object->name, "/default");
}

static void take_refusal(struct pull_object *object, const struct kube_reply *reply)
{
    enum kube_verdict verdict = reply->status.verdict;
    AUTO_FREE char *text = kube_reply_text(reply, true);
    if (!reply->error.code && verdict == KUBE_FORBIDDEN) {
        pull_object_drop(object);
        set_problem(object, xasprintf("%s; give pawl a Role in the namespace %s with the verb get on %s",
                                      text, object->space, kinds[object->kind].plural));
    } else if (!reply->error.code && (verdict == KUBE_NOT_FOUND || verdict == KUBE_NO_NAMESPACE)) {
        pull_object_drop(object);
        set_problem(object, xasprintf("it is not there; create it, or name another%s",
                                      object->kind == PULL_SECRET ? " under imagePullSecrets" : ""));
        if (may_be_missing(object))
            free(steal(&object->problem));
    } else if (!object->good_ms) {
        set_problem(object, xasprintf("it could not be read: %s", text));
    }
}

void pull_object_take(struct pull_object *object, struct kube_reply *reply, int64_t now_ms)
{
    object->asked_ms = now_ms;
    object->is_refused = false;
    if (reply->body)
        take_body(object, reply->body, now_ms);
    else
        take_refusal(object, reply);
    json_wipe(reply->body);
}

/* -- what it gives ------------------------------------------------------------------------------------------- */

/* A Secret's file may name programs to run; whoever writes Secrets does not get to say what runs here. */
static size_t refuse_entry(struct pull_object *object, const char *why)
{
    free(object->entry_problem);
    object->entry_problem = xasprintf("%s %s", kinds[object->kind].label, why);
    return 0;
}

size_t pull_object_covers(struct pull_object *object, const char *repository, struct credential *out)
{
    struct credential_choice choice;
    struct error err = ERROR_INIT;
    if (!object->credentials)
        return 0;
    if (credentials_for(object->credentials, repository, &choice, &err) < 0)
        return refuse_entry(object, err.text);
    if (choice.helper) {
        AUTO_FREE char *why =
            xasprintf("%s: it names a credential helper, which is not run out of a Secret", object->name);
        return refuse_entry(object, why);
    }
    if (!choice.is_listed)
        return 0;
    *out = choice.credential;
    out->secret = object->name;
    out->secret_uid = object->uid;
    return choice.covered;
}

size_t pull_object_basic(const struct pull_object *object, struct credential *out)
{
    if (!object->username || !object->password)
        return 0;
    *out = (struct credential){.username = object->username,
                               .password = object->password,
                               .secret = object->name,
                               .secret_uid = object->uid};
    return 1;
}
