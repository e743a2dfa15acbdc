/*
 * Whole applies against a small API server of the test's own: it keeps what is applied, counts versions, and
 * misbehaves for certain names. What a real server does beyond that is for the integration tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strmap.h"
#include "deploy/target.h"

#include "../scripted_server.h"
#include "json_text.h"

struct fake {
    struct scripted_server *server;
    pthread_mutex_t lock;
    struct strmap objects; /* path -> json_t */
    struct strbuf applied; /* the paths of PATCH requests, one a line */
    int version;
    int until_served; /* polls of example.com/v1 until its kind is there; -1: its names are refused */
    bool is_blind;    /* reading is forbidden */
    char kubeconfig[32];
    struct deploy_target *target;
};

static const struct {
    const char *path, *resources;
} documents[] = {
    {"/api/v1", "{'name':'namespaces','kind':'Namespace','namespaced':false,'verbs':['patch','list']},"
                "{'name':'configmaps','kind':'ConfigMap','namespaced':true,'verbs':['patch','list']},"
                "{'name':'secrets','kind':'Secret','namespaced':true,'verbs':['patch','list']}"},
    {"/apis/apps/v1",
     "{'name':'deployments','kind':'Deployment','namespaced':true,'verbs':['patch','list']}"},
    {"/apis/apiextensions.k8s.io/v1", "{'name':'customresourcedefinitions','kind':'CustomResourceDefinition',"
                                      "'namespaced':false,'verbs':['patch']}"},
    {"/apis/example.com/v1", "{'name':'things','kind':'Thing','namespaced':true,'verbs':['patch','list']}"},
};

#define DEFINITION "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com"

static bool send_json(int fd, const char *status, const char *text)
{
    AUTO_FREE char *json = quoted(text);
    return scripted_reply(fd, status, "Content-Type: application/json\r\n", json);
}

static bool send_object(int fd, const char *status, const json_t *object)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, object, 0);
    return scripted_reply(fd, status, "", text.buf);
}

static bool is_served(struct fake *fake)
{
    if (!strmap_has(&fake->objects, DEFINITION) || fake->until_served < 0)
        return false;
    if (!fake->until_served)
        return true;
    fake->until_served--;
    return false;
}

/* True if it was a request for a discovery document. */
static bool send_document(struct fake *fake, const char *path, int fd)
{
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        if (strcmp(path, documents[i].path) != 0)
            continue;
        bool is_custom = i == ARRAY_LEN(documents) - 1;
        if (is_custom && !is_served(fake))
            return scripted_reply(fd, "404 Not Found", "", "404 page not found\n");
        AUTO_FREE char *list =
            xasprintf("{'kind':'APIResourceList','resources':[%s]}", documents[i].resources);
        return send_json(fd, "200 OK", list);
    }
    return false;
}

static const struct {
    const char *name, *status, *body;
} refusals[] = {
    {"typo", "500 Internal Server Error",
     "{'kind':'Status','message':'failed to create typed patch object: .spec.replics: field not declared'}"},
    {"forbidden", "403 Forbidden", "{'kind':'Status','reason':'Forbidden','message':'you may not'}"},
    {"leaky", "422 Unprocessable Entity",
     "{'kind':'Status','reason':'Invalid','message':'data: "
     "hunter2','details':{'causes':[{'field':'data'}]}}"},
    {"old-server", "415 Unsupported Media Type",
     "{'kind':'Status','reason':'UnsupportedMediaType','message':'no'}"},
};

static bool send_refusal(const char *name, int fd)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (strcmp(name, refusals[i].name) == 0)
            return send_json(fd, refusals[i].status, refusals[i].body);
    }
    return false;
}

static bool namespace_is_missing(const struct fake *fake, const char *path)
{
    const char *space = strstr(path, "/namespaces/");
    const char *end = space ? strchr(space + 12, '/') : NULL;
    if (!end || strncmp(space, "/namespaces/default/", 20) == 0)
        return false;
    AUTO_FREE char *object = xasprintf("/api/v1%.*s", (int)(end - space), space);
    return !strmap_has(&fake->objects, object);
}

/* Stores what is applied. The version moves only with a change. */
static bool apply_object(struct fake *fake, const char *path, bool dry_run, const char *body, int fd)
{
    json_t *object = json_loads(body, 0, NULL), *metadata = json_object_get(object, "metadata");
    json_t *old = strmap_get(&fake->objects, path);
    AUTO_JSON json_t *before = old ? json_deep_copy(old) : NULL;
    json_object_del(json_object_get(before, "metadata"), "resourceVersion");
    bool same = before && json_equal(before, object);
    int version =
        same ? (int)strtol(json_string_at(json_object_get(old, "metadata"), "resourceVersion"), NULL, 10)
             : ++fake->version;
    json_object_set_new(metadata, "resourceVersion", json_sprintf("%d", version));
    AUTO_JSON json_t *answer = json_deep_copy(object);
    if (strcmp(json_string_at(metadata, "name"), "dying") == 0)
        json_object_set_new(json_object_get(answer, "metadata"), "deletionTimestamp",
                            json_string("2026-01-01T00:00:00Z"));
    if (dry_run)
        json_decref(object);
    else
        strmap_set(&fake->objects, path, object);
    return send_object(fd, old ? "200 OK" : "201 Created", answer);
}

static bool send_found(struct fake *fake, const char *path, int fd)
{
    json_t *object = strmap_get(&fake->objects, path);
    if (fake->is_blind)
        return send_json(fd, "403 Forbidden",
                         "{'kind':'Status','reason':'Forbidden','message':'no reading'}");
    if (!object)
        return send_json(fd, "404 Not Found", "{'kind':'Status','reason':'NotFound','message':'not found'}");
    if (strcmp(path, DEFINITION) == 0 && fake->until_served < 0)
        return send_json(
            fd, "200 OK",
            "{'status':{'conditions':[{'type':'NamesAccepted','status':'False','message':'taken'}]}}");
    return send_object(fd, "200 OK", object);
}

static bool send_list(struct fake *fake, const char *path, int fd)
{
    AUTO_JSON json_t *list = json_pack("{s:{},s:[]}", "metadata", "items");
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *key;
    void *object;
    while (strmap_next(&fake->objects, &cursor, &key, &object)) {
        if (strncmp(key, path, strlen(path)) == 0 && key[strlen(path)] == '/')
            json_array_append(json_object_get(list, "items"), object);
    }
    return send_object(fd, "200 OK", list);
}

static bool answer_locked(struct fake *fake, const struct scripted_request *request, int fd)
{
    AUTO_FREE char *path = xmemdupz(request->target, strcspn(request->target, "?"));
    const char *query = strchr(request->target, '?'), *name = strrchr(path, '/') + 1;
    if (strcmp(request->method, "PATCH") != 0) {
        if (strstr(path, "/broken.io/"))
            return send_json(fd, "403 Forbidden",
                             "{'kind':'Status','reason':'Forbidden','message':'broken'}");
        return send_document(fake, path, fd) ||
               (query ? send_list(fake, path, fd) : send_found(fake, path, fd));
    }
    strbuf_addf(&fake->applied, "%s\n", path);
    if (namespace_is_missing(fake, path))
        return send_json(
            fd, "404 Not Found",
            "{'kind':'Status','reason':'NotFound','message':'gone','details':{'kind':'namespaces'}}");
    return send_refusal(name, fd) || apply_object(fake, path, strstr(query, "dryRun=All"), request->body, fd);
}

static bool answer(const struct scripted_request *request, int fd, void *context)
{
    struct fake *fake = context;
    pthread_mutex_lock(&fake->lock);
    bool go_on = answer_locked(fake, request, fd);
    pthread_mutex_unlock(&fake->lock);
    return go_on;
}

static void free_json(void *value)
{
    json_decref(value);
}

static int open_cluster(void **state)
{
    struct fake *fake = xcalloc(1, sizeof(*fake));
    pthread_mutex_init(&fake->lock, NULL);
    strmap_init(&fake->objects, free_json);
    strbuf_init(&fake->applied, 0);
    fake->server = scripted_start(answer, fake);
    memcpy(fake->kubeconfig, "/tmp/pawl-test-XXXXXX", sizeof("/tmp/pawl-test-XXXXXX"));
    close(mkstemp(fake->kubeconfig));
    AUTO_FREE char *text = xasprintf("current-context: fake\n"
                                     "contexts: [{name: fake, context: {cluster: k}}]\n"
                                     "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:%d'}}]\n",
                                     fake->server->port);
    struct deploy_options options = {.deploy_to = "kubernetes", .kubeconfig = fake->kubeconfig};
    struct error err = ERROR_INIT;
    *state = fake;
    return file_write_atomic(fake->kubeconfig, text, strlen(text), 0600, &err) < 0 ||
                   deploy_target_open(&options, &fake->target, &err) < 0
               ? -1
               : 0;
}

static int close_cluster(void **state)
{
    struct fake *fake = *state;
    deploy_target_free(fake->target);
    scripted_stop(fake->server);
    strmap_release(&fake->objects);
    strbuf_release(&fake->applied);
    pthread_mutex_destroy(&fake->lock);
    unlink(fake->kubeconfig);
    free(fake);
    return 0;
}

static bool is_ignored(const struct resource *resource)
{
    return resource_annotation(resource, "ignore") != NULL;
}

/* Applies one file and compares the outcomes, "id result message" a line. */
static void assert_apply(struct fake *fake, bool dry_run, const char *yaml, const char *expected)
{
    struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, manifest_file_new("a.yaml", xstrdup(yaml), strlen(yaml), "default"));
    manifest_set_finish(set);
    struct apply_request request = {.manifests = set, .leave_alone = is_ignored, .dry_run = dry_run};
    struct apply_report report = APPLY_REPORT_INIT;
    struct error err = ERROR_INIT;
    if (deploy_target_apply(fake->target, &request, &report, &err) < 0)
        fail_msg("%s", err.text);
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT;
    for (size_t i = 0; i < report.len; i++) {
        const struct apply_outcome *outcome = &report.outcomes[i];
        AUTO_FREE char *id = resource_id_text(&outcome->resource->id);
        strbuf_addf(&lines, "%s %s%s%s\n", id, apply_result_name(outcome->result),
                    outcome->message ? " " : "", outcome->message ? outcome->message : "");
    }
    assert_string_equal(lines.buf, expected);
    apply_report_release(&report);
    manifest_set_free(set);
}

#define DOCUMENT(version, kind, name, rest)                                                                  \
    "---\napiVersion: " version "\nkind: " kind "\nmetadata: {name: " name "}\n" rest
#define CONFIG_MAP(name, value) DOCUMENT("v1", "ConfigMap", name, "data: {a: '" value "'}\n")
#define THING_DEFINITION                                                                                     \
    DOCUMENT("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.example.com",                    \
             "spec: {group: example.com, names: {kind: Thing}}\n")
#define THING DOCUMENT("example.com/v1", "Thing", "one", "")

static void test_kubernetes_tells_created_configured_and_unchanged_apart(void **state)
{
    struct fake *fake = *state;
    assert_apply(fake, false, CONFIG_MAP("a", "1") CONFIG_MAP("b", "1"),
                 "default:configmap/a created\ndefault:configmap/b created\n");
    assert_apply(fake, false, CONFIG_MAP("a", "1") CONFIG_MAP("b", "2"),
                 "default:configmap/a unchanged\ndefault:configmap/b configured\n");
    fake->is_blind = true; /* then it cannot be known */
    assert_apply(fake, false, CONFIG_MAP("a", "1"), "default:configmap/a configured\n");
}

static void test_kubernetes_reads_many_objects_with_one_list(void **state)
{
    struct fake *fake = *state;
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf created = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf unchanged = STRBUF_INIT;
    for (int i = 10; i < 60; i++) {
        strbuf_addf(&yaml, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n", i);
        strbuf_addf(&created, "default:configmap/c%d created\n", i);
        strbuf_addf(&unchanged, "default:configmap/c%d unchanged\n", i);
    }
    assert_apply(fake, false, yaml.buf, created.buf);
    assert_apply(fake, false, yaml.buf, unchanged.buf);
    assert_int_equal(scripted_count(fake->server, "GET /api/v1/namespaces/default/configmaps?limit="), 2);
    assert_int_equal(scripted_count(fake->server, "GET /api/v1/namespaces/default/configmaps/"), 0);
    assert_int_equal(scripted_count(fake->server, "PATCH "), 100);
}

static void test_kubernetes_applies_what_others_need_first(void **state)
{
    struct fake *fake = *state;
    assert_apply(fake, false,
                 DOCUMENT("apps/v1", "Deployment", "web", "")
                     DOCUMENT("v1", "Secret", "s, namespace: own", "") DOCUMENT("v1", "Namespace", "own", ""),
                 "default:deployment/web created\nown:secret/s created\n<cluster>:namespace/own created\n");
    assert_string_equal(fake->applied.buf, "/api/v1/namespaces/own\n/api/v1/namespaces/own/secrets/s\n"
                                           "/apis/apps/v1/namespaces/default/deployments/web\n");
}

static void test_kubernetes_waits_for_a_kind_of_the_same_commit(void **state)
{
    struct fake *fake = *state;
    fake->until_served = 2;
    assert_apply(
        fake, false, THING THING_DEFINITION,
        "default:thing/one created\n<cluster>:customresourcedefinition/things.example.com created\n");
    assert_apply(
        fake, false, THING THING_DEFINITION,
        "default:thing/one unchanged\n<cluster>:customresourcedefinition/things.example.com unchanged\n");
}

static void test_kubernetes_does_not_wait_for_a_kind_whose_names_are_taken(void **state)
{
    struct fake *fake = *state;
    fake->until_served = -1;
    assert_apply(
        fake, false, THING THING_DEFINITION,
        "default:thing/one failed the API server does not accept the names of its "
        "CustomResourceDefinition: taken\n<cluster>:customresourcedefinition/things.example.com created\n");
}

#define UNKNOWN ": its definition is not installed, or this version of the API was removed\n"
#define HIDDEN  " (the server's words are left out, as they may hold values of the Secret)\n"

static const struct {
    const char *yaml, *outcome;
} failures[] = {
    {DOCUMENT("apps/v1", "Deployment", "typo", ""), "default:deployment/typo failed failed to create typed "
                                                    "patch object: .spec.replics: field not declared\n"},
    {DOCUMENT("apps/v1", "Deployment", "forbidden", ""), "default:deployment/forbidden failed you may not\n"},
    {DOCUMENT("apps/v1", "Deployment", "old-server", ""),
     "default:deployment/old-server failed its API server does not know server-side apply: no\n"},
    {DOCUMENT("v1", "Secret", "leaky", ""), "default:secret/leaky failed Invalid: data" HIDDEN},
    {DOCUMENT("v1", "ConfigMap", "number", "data: {port: 80}\n"),
     "default:configmap/number failed data.port is no text: put its value in quotes\n"},
    {DOCUMENT("v1", "Unheard", "x", ""),
     "default:unheard/x failed the API server does not know v1 Unheard" UNKNOWN},
    {DOCUMENT("gone.io/v1", "X", "x", ""),
     "default:x/x failed the API server does not know gone.io/v1 X" UNKNOWN},
    {DOCUMENT("v1", "ConfigMap", "x, namespace: nowhere", ""),
     "nowhere:configmap/x failed namespace nowhere does not exist: add a Namespace to the repository or "
     "create it\n"},
    {CONFIG_MAP("good", "1"), "default:configmap/good created\n"},
};

static void test_kubernetes_fails_objects_one_by_one(void **state)
{
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf outcomes = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        strbuf_addstr(&yaml, failures[i].yaml);
        strbuf_addstr(&outcomes, failures[i].outcome);
    }
    assert_apply(*state, false, yaml.buf, outcomes.buf);
}

static void test_kubernetes_lets_a_broken_group_spoil_only_its_own(void **state)
{
    struct fake *fake = *state;
    assert_apply(fake, false, DOCUMENT("broken.io/v1", "X", "x", "") CONFIG_MAP("good", "1"),
                 "default:x/x failed the API server does not answer for broken.io/v1: broken\n"
                 "default:configmap/good created\n");
}

static void test_kubernetes_skips_what_cannot_be_and_what_it_must_not_touch(void **state)
{
    struct fake *fake = *state;
    assert_apply(fake, false,
                 DOCUMENT("v1", "Namespace", "forbidden", "") DOCUMENT(
                     "v1", "ConfigMap", "in, namespace: forbidden",
                     "") "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, annotations: {ignore: "
                         "'true'}}\n",
                 "<cluster>:namespace/forbidden failed you may not\n"
                 "forbidden:configmap/in skipped its Namespace forbidden was not applied\n"
                 "default:configmap/mine skipped left alone: its annotations say so\n");
    assert_string_equal(fake->applied.buf, "/api/v1/namespaces/forbidden\n");
}

static void test_kubernetes_goes_on_where_a_refused_namespace_is_there_already(void **state)
{
    struct fake *fake = *state;
    strmap_set(&fake->objects, "/api/v1/namespaces/forbidden",
               json_from("{'metadata':{'name':'forbidden','resourceVersion':'1'}}"));
    assert_apply(fake, false,
                 DOCUMENT("v1", "Namespace", "forbidden", "")
                     DOCUMENT("v1", "ConfigMap", "in, namespace: forbidden", ""),
                 "<cluster>:namespace/forbidden failed you may not\nforbidden:configmap/in created\n");
}

static void test_kubernetes_says_when_an_object_is_going_away(void **state)
{
    assert_apply(
        *state, false, CONFIG_MAP("dying", "1"),
        "default:configmap/dying created terminating: the object is being deleted; the next apply after that "
        "makes it anew\n");
}

static void test_kubernetes_dry_run_changes_nothing(void **state)
{
    struct fake *fake = *state;
    assert_apply(fake, false, CONFIG_MAP("a", "1") CONFIG_MAP("b", "1"),
                 "default:configmap/a created\ndefault:configmap/b created\n");
    size_t objects = strmap_size(&fake->objects);
    assert_apply(
        fake, true,
        CONFIG_MAP("a", "1") CONFIG_MAP("b", "2") CONFIG_MAP("c", "1")
            THING THING_DEFINITION DOCUMENT("v1", "Namespace", "new", "")
                DOCUMENT("v1", "Secret", "s, namespace: new", ""),
        "default:configmap/a unchanged\ndefault:configmap/b configured\ndefault:configmap/c created\n"
        "default:thing/one created not checked: this commit brings its kind\n"
        "<cluster>:customresourcedefinition/things.example.com created\n"
        "<cluster>:namespace/new created\n"
        "new:secret/s created not checked: this commit brings what it needs\n");
    assert_int_equal(strmap_size(&fake->objects), objects);
}

static void test_kubernetes_fails_as_a_whole_when_the_server_is_away(void **state)
{
    (void)state;
    char path[] = "/tmp/pawl-test-XXXXXX";
    static const char text[] = "current-context: down\ncontexts: [{name: down, context: {cluster: k}}]\n"
                               "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:1'}}]\n";
    struct error err = ERROR_INIT;
    struct deploy_target *target = NULL;
    close(mkstemp(path));
    struct deploy_options options = {.deploy_to = "kubernetes", .kubeconfig = path};
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
    assert_int_equal(deploy_target_open(&options, &target, &err), 0);
    static const char yaml[] = CONFIG_MAP("a", "1");
    struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, manifest_file_new("a.yaml", xstrdup(yaml), strlen(yaml), "default"));
    manifest_set_finish(set);
    struct apply_request request = {.manifests = set};
    struct apply_report report = APPLY_REPORT_INIT;
    assert_int_equal(deploy_target_apply(target, &request, &report, &err), -1);
    assert_int_equal(err.code, ERROR_NETWORK);
    assert_non_null(strstr(err.text, "Kubernetes (context down): http://127.0.0.1:1/api/v1: "));
    assert_int_equal(report.len, 0);
    apply_report_release(&report);
    manifest_set_free(set);
    deploy_target_free(target);
    unlink(path);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, open_cluster, close_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CLUSTER(test_kubernetes_tells_created_configured_and_unchanged_apart),
        IN_CLUSTER(test_kubernetes_reads_many_objects_with_one_list),
        IN_CLUSTER(test_kubernetes_applies_what_others_need_first),
        IN_CLUSTER(test_kubernetes_waits_for_a_kind_of_the_same_commit),
        IN_CLUSTER(test_kubernetes_does_not_wait_for_a_kind_whose_names_are_taken),
        IN_CLUSTER(test_kubernetes_fails_objects_one_by_one),
        IN_CLUSTER(test_kubernetes_lets_a_broken_group_spoil_only_its_own),
        IN_CLUSTER(test_kubernetes_skips_what_cannot_be_and_what_it_must_not_touch),
        IN_CLUSTER(test_kubernetes_goes_on_where_a_refused_namespace_is_there_already),
        IN_CLUSTER(test_kubernetes_says_when_an_object_is_going_away),
        IN_CLUSTER(test_kubernetes_dry_run_changes_nothing),
        cmocka_unit_test(test_kubernetes_fails_as_a_whole_when_the_server_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
