#include "daemon/pull_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "daemon/pull_object.h"

#define DEFAULT_ACCOUNT "default"

struct pull_secrets {
    struct kube_client *client;
    const struct clock *clock;
    int64_t max_age_ms;
    struct strmap objects; /* path -> struct pull_object */
    struct error failure;  /* of the last time the server was asked */
    int64_t failed_ms;
};

static int64_t now_of(const struct pull_secrets *s)
{
    return clock_monotonic_ms(s->clock);
}

static int64_t at_most_an_age(const struct pull_secrets *s, int64_t ms)
{
    return ms < s->max_age_ms ? ms : s->max_age_ms;
}

struct pull_secrets *pull_secrets_new(struct kube_client *client, const struct clock *clock,
                                      int64_t max_age_ms)
{
    struct pull_secrets *s = xcalloc(1, sizeof(*s));
    s->client = client;
    s->clock = clock;
    s->max_age_ms = max_age_ms;
    strmap_init(&s->objects, pull_object_free);
    return s;
}

void pull_secrets_free(struct pull_secrets *s)
{
    if (!s)
        return;
    strmap_release(&s->objects);
    free(s);
}

/* -- what there is ----------------------------------------------------------------------------------------- */

/* NULL for a namespace that is none: what is in no namespace has no Secrets. */
static struct pull_object *find(const struct pull_secrets *s, enum pull_object_kind kind, const char *space,
                                const char *name, struct pull_object **made)
{
    if (!dns_name_is_valid(space))
        return NULL;
    struct pull_object *object = pull_object_new(kind, space, name);
    struct pull_object *known = strmap_get(&s->objects, object->path);
    if (known || !made) {
        pull_object_free(object);
        return known;
    }
    *made = object;
    return object;
}

/* A chart's: it has no pods, and its one Secret is that of its secretRef. */
static bool is_source(const struct resource *resource)
{
    return !resource->is_workload || !strcmp(resource->id.kind, "ocirepository");
}

static struct pull_object *find_account(const struct pull_secrets *s, const struct resource *workload)
{
    const char *name = workload->service_account ? workload->service_account : DEFAULT_ACCOUNT;
    return find(s, PULL_ACCOUNT, workload->id.space, name, NULL);
}

static void want(struct pull_secrets *s, enum pull_object_kind kind, const char *name,
                 const struct resource *workload)
{
    struct pull_object *made = NULL;
    struct pull_object *object = find(s, kind, workload->id.space, name, &made);
    if (made)
        strmap_set(&s->objects, made->path, made);
    if (!object || object->is_used)
        return;
    object->is_used = true;
    object->user = workload;
}

/* NULL names none. */
static void want_secrets(struct pull_secrets *s, const struct resource *user)
{
    for (size_t i = 0; user && i < user->pull_secrets_len; i++)
        want(s, PULL_SECRET, user->pull_secrets[i], user);
}

/* -- asking ------------------------------------------------------------------------------------------------ */

static bool is_due(const struct pull_secrets *s, const struct pull_object *object, int64_t now)
{
    return object->is_used &&
           (!object->asked_ms || object->is_refused || now - object->asked_ms >= s->max_age_ms);
}

struct question {
    struct pull_secrets *secrets;
    struct pull_object *object;
};

static void on_reply(struct kube_reply *reply, void *context)
{
    const struct question *question = context;
    pull_object_take(question->object, reply, now_of(question->secrets));
}

static int ask(struct pull_secrets *s, struct question *questions, size_t len, struct error *err)
{
    if (kube_client_begin(s->client, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i++)
        kube_client_send(s->client,
                         &(struct kube_request){.path = questions[i].object->path,
                                                .is_secret = questions[i].object->kind == PULL_SECRET},
                         on_reply, &questions[i]);
    return kube_client_run(s->client, err);
}

/* Asks for all that is due. */
static void read_due(struct pull_secrets *s)
{
    int64_t now = now_of(s);
    AUTO_FREE struct question *questions = xcalloc(strmap_size(&s->objects), sizeof(*questions));
    size_t len = 0;
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *path;
    void *value;
    while (strmap_next(&s->objects, &cursor, &path, &value)) {
        if (is_due(s, value, now))
            questions[len++] = (struct question){s, value};
    }
    bool is_left_alone = s->failure.code && now - s->failed_ms < at_most_an_age(s, PULL_SECRETS_PAUSE_MS);
    if (!len || is_left_alone)
        return;
    struct error err = ERROR_INIT;
    error_clear(&s->failure);
    if (ask(s, questions, len, &err) == 0)
        return;
    s->failure = err;
    s->failed_ms = now_of(s);
}

static void forget_users(struct pull_secrets *s)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *path;
    void *value;
    while (strmap_next(&s->objects, &cursor, &path, &value)) {
        ((struct pull_object *)value)->is_used = false;
        ((struct pull_object *)value)->user = NULL;
    }
}

/* What nobody uses any more goes, and what could not be read for too long. */
static void drop_old(struct pull_secrets *s)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *path;
    void *value;
    while (strmap_next(&s->objects, &cursor, &path, &value)) {
        struct pull_object *object = value;
        if (!object->is_used)
            strmap_remove(&s->objects, path);
        else if (object->good_ms && now_of(s) - object->good_ms > s->max_age_ms + PULL_SECRETS_KEEP_MS)
            pull_object_drop(object);
    }
}

void pull_secrets_refresh(struct pull_secrets *s, const struct resource *const *workloads, size_t len)
{
    if (!s)
        return;
    forget_users(s);
    for (size_t i = 0; i < len; i++) {
        const struct resource *each = workloads[i];
        if (!is_source(each))
            want(s, PULL_ACCOUNT, each->service_account ? each->service_account : DEFAULT_ACCOUNT, each);
        want_secrets(s, each);
        for (size_t k = 0; k < each->containers_len; k++)
            want_secrets(s, each->containers[k].source);
    }
    read_due(s);
    for (size_t i = 0; i < len; i++) {
        const struct pull_object *account = is_source(workloads[i]) ? NULL : find_account(s, workloads[i]);
        for (size_t k = 0; account && k < account->secrets.len; k++)
            want(s, PULL_SECRET, account->secrets.items[k], workloads[i]);
    }
    read_due(s);
    drop_old(s);
}

/* -- answers ----------------------------------------------------------------------------------------------- */

struct best {
    const char *repository, *space;
    bool is_of_source; /* its Secret is for this repository alone, and need not say so */
    struct credential credential;
    size_t covered;
};

static void consider(const struct pull_secrets *s, const char *name, struct best *best)
{
    struct pull_object *object = find(s, PULL_SECRET, best->space, name, NULL);
    struct credential credential;
    size_t covered = object ? pull_object_covers(object, best->repository, &credential) : 0;
    if (!covered && object && best->is_of_source)
        covered = pull_object_basic(object, &credential);
    if (covered <= best->covered)
        return;
    best->credential = credential;
    best->covered = covered;
}

struct pull_credential *pull_secrets_for(struct pull_secrets *s, const struct resource *workload,
                                         const char *repository)
{
    if (!s)
        return NULL;
    struct best best = {
        .repository = repository, .space = workload->id.space, .is_of_source = is_source(workload)};
    for (size_t i = 0; i < workload->pull_secrets_len; i++)
        consider(s, workload->pull_secrets[i], &best);
    const struct pull_object *account = is_source(workload) ? NULL : find_account(s, workload);
    for (size_t i = 0; account && i < account->secrets.len; i++)
        consider(s, account->secrets.items[i], &best);
    return best.covered ? pull_credential_new(&best.credential) : NULL;
}

bool pull_secrets_refused(struct pull_secrets *s, const char *name)
{
    const char *slash = strchr(name, '/');
    AUTO_FREE char *space = xmemdupz(name, slash ? (size_t)(slash - name) : 0);
    struct pull_object *object = s && slash ? find(s, PULL_SECRET, space, slash + 1, NULL) : NULL;
    if (!object || now_of(s) - object->asked_ms < at_most_an_age(s, PULL_SECRETS_REREAD_MS))
        return false;
    object->is_refused = true;
    return true;
}

void pull_secrets_problems(const struct pull_secrets *s, pull_secrets_visit visit, void *context)
{
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *path;
    void *value;
    while (s && strmap_next(&s->objects, &cursor, &path, &value)) {
        const struct pull_object *object = value;
        struct credential basic;
        bool is_good = object->user && is_source(object->user) && pull_object_basic(object, &basic);
        if (object->user && object->problem && !is_good)
            visit(object->user, object->problem, context);
        else if (object->user && object->entry_problem)
            visit(object->user, object->entry_problem, context);
    }
}

const struct error *pull_secrets_failure(const struct pull_secrets *s)
{
    return s && s->failure.code ? &s->failure : NULL;
}
