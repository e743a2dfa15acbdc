/*
 * Pull secrets against an API server that is scripted, and a clock that is moved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "daemon/demand_set.h"
#include "daemon/pull_secrets.h"
#include "updater/workload_policy.h"

#include "../scripted_server.h"

#define AGE_MS 300000
#define JSON   "kubernetes.io/dockerconfigjson"
#define LEGACY "kubernetes.io/dockercfg"

static atomic_llong ahead_ms;

static int64_t wall_ms(UNUSED void *context)
{
    return clock_wall_ms(&system_clock) + ahead_ms;
}

static int64_t monotonic_ms(UNUSED void *context)
{
    return clock_monotonic_ms(&system_clock) + ahead_ms;
}

static const struct clock moved_clock = {wall_ms, monotonic_ms, NULL};

/* What the cluster has: "secrets/one" -> the object's JSON, or a status line. Set while nobody asks. */
struct bench {
    struct scripted_server *server;
    struct strmap objects;
    struct kube_access access;
    struct kube_client *client;
    struct pull_secrets *secrets;
    struct manifest_file *file;
    struct strbuf problems;
    int versions;
};

static bool answer(const struct scripted_request *request, int fd, void *context)
{
    static const char space[] = "/api/v1/namespaces/shop/";
    struct bench *b = context;
    const char *known = str_starts_with(request->target, space)
                            ? strmap_get(&b->objects, request->target + strlen(space))
                            : NULL;
    if (!known)
        return scripted_reply(fd, "404 Not Found", "",
                              "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"name\":\"x\"}}");
    if (known[0] != '{')
        return scripted_reply(fd, known, "", "{\"kind\":\"Status\",\"message\":\"no such luck\"}");
    return scripted_reply(fd, "200 OK", "", known);
}

static int set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    strmap_init(&b->objects, free);
    b->server = scripted_start(answer, b);
    kube_access_init(&b->access);
    b->access.server = xasprintf("http://127.0.0.1:%d", b->server->port);
    b->access.name = xstrdup("test");
    ahead_ms = 0;
    b->client = kube_client_new(
        &(struct kube_client_options){.access = &b->access, .clock = &system_clock, .retry_delay_ms = 1});
    b->secrets = pull_secrets_new(b->client, &moved_clock, AGE_MS);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    pull_secrets_free(b->secrets);
    kube_client_free(b->client);
    kube_access_release(&b->access);
    if (b->server)
        scripted_stop(b->server);
    manifest_file_unref(b->file);
    strmap_release(&b->objects);
    strbuf_release(&b->problems);
    free(b);
    return 0;
}

/* -- the cluster --------------------------------------------------------------------------------------------- */

static void put_text(struct bench *b, const char *name, const char *type, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf data = STRBUF_INIT;
    strbuf_add_base64(&data, text, strlen(text));
    strmap_set(&b->objects, name,
               xasprintf("{\"kind\":\"Secret\",\"type\":\"%s\",\"metadata\":{\"uid\":\"uid-of-%s\","
                         "\"resourceVersion\":\"%d\"},\"data\":{\"%s\":\"%s\"}}",
                         type, name, ++b->versions,
                         !strcmp(type, LEGACY) ? ".dockercfg" : ".dockerconfigjson", data.buf));
}

/* With a user of its own for the key. */
static void put(struct bench *b, const char *name, const char *type, const char *key, const char *user)
{
    AUTO_FREE char *auths = xasprintf("{\"%s\":{\"username\":\"%s\",\"password\":\"hunter2\"}}", key, user);
    AUTO_FREE char *text = strcmp(type, LEGACY) != 0 ? xasprintf("{\"auths\":%s}", auths) : xstrdup(auths);
    put_text(b, name, type, text);
}

static void put_account(struct bench *b, const char *name, const char *secrets)
{
    strmap_set(
        &b->objects, name,
        xasprintf("{\"kind\":\"ServiceAccount\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"%d\"},"
                  "\"imagePullSecrets\":%s}",
                  ++b->versions, secrets));
}

static void set_status(struct bench *b, const char *name, const char *status)
{
    strmap_set(&b->objects, name, xstrdup(status));
}

/* -- the workload -------------------------------------------------------------------------------------------- */

/* Reads a pod with this spec, beside its container. */
static const struct resource *pod(struct bench *b, const char *spec)
{
    manifest_file_unref(b->file);
    char *text = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
                           "spec: {containers: [{name: c, image: 'quay.io/team/app:1'}]%s%s}\n",
                           *spec ? ", " : "", spec);
    b->file = manifest_file_new("a.yaml", text, strlen(text), "default");
    assert_int_equal(b->file->resources_len, 1);
    return &b->file->resources[0];
}

static void add_problem(UNUSED const struct resource *workload, const char *message, void *context)
{
    struct bench *b = context;
    strbuf_addf(&b->problems, "%s%s", b->problems.len ? "|" : "", message);
}

/* A round: "USER of NAMESPACE/SECRET", or "-"; the problems are in the bench. */
static char *round_of(struct bench *b, const struct resource *workload, const char *repository)
{
    pull_secrets_refresh(b->secrets, &workload, 1);
    CLEANUP(pull_credential_release)
    struct pull_credential *pull = pull_secrets_for(b->secrets, workload, repository);
    strbuf_reset(&b->problems);
    pull_secrets_problems(b->secrets, add_problem, b);
    assert_null(b->problems.len ? strstr(b->problems.buf, "hunter2") : NULL);
    return pull ? xasprintf("%s of %s", pull->credential.username, pull->credential.secret) : xstrdup("-");
}

static void expect(struct bench *b, const struct resource *workload, const char *expected,
                   const char *problem)
{
    AUTO_FREE char *got = round_of(b, workload, "quay.io/team/app");
    assert_string_equal(got, expected);
    if (!(problem ? b->problems.len && strstr(b->problems.buf, problem) : !b->problems.len))
        fail_msg("problems: %s", b->problems.len ? b->problems.buf : "none");
}

static int asked(struct bench *b)
{
    return scripted_count(b->server, "GET /api/v1/");
}

/* -- which one ----------------------------------------------------------------------------------------------- */

static void test_pull_secrets_choose_as_the_kubelet(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/host", JSON, "quay.io", "host");
    put(b, "secrets/again", LEGACY, "https://quay.io/v2/", "again");
    put(b, "secrets/path", LEGACY, "quay.io/team", "path");
    put(b, "secrets/other", JSON, "ghcr.io", "other");
    put_account(b, "serviceaccounts/default", "[]");
    put_account(b, "serviceaccounts/puller",
                "[{\"name\":\"again\"},{\"name\":\"Bad/../Name\"},{},{\"name\":\"path\"}]");
    put_account(b, "serviceaccounts/again", "[{\"name\":\"again\"}]");
    static const struct {
        const char *spec, *expected;
    } cases[] = {
        {"", "-"},
        {"imagePullSecrets: [{name: host}]", "host of shop/host"},
        {"imagePullSecrets: [{name: again}, {name: host}]", "again of shop/again"},
        {"imagePullSecrets: [{name: host}, {name: path}]", "path of shop/path"},
        {"imagePullSecrets: [{name: other}]", "-"},
        {"serviceAccountName: puller", "path of shop/path"},
        {"imagePullSecrets: [{name: host}], serviceAccountName: again", "host of shop/host"},
        {"imagePullSecrets: [{name: other}], serviceAccountName: again", "again of shop/again"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(b, pod(b, cases[i].spec), cases[i].expected, NULL);
}

/* A HelmRepository with this secretRef. */
static const struct resource *helm_repository(struct bench *b, const char *secret)
{
    manifest_file_unref(b->file);
    char *text = xasprintf("apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
                           "metadata: {name: charts, namespace: shop}\n"
                           "spec: {url: 'https://quay.io/team', secretRef: {name: %s}}\n",
                           secret);
    b->file = manifest_file_new("a.yaml", text, strlen(text), "default");
    return &b->file->resources[0];
}

static void put_basic(struct bench *b, const char *name, const char *type)
{
    strmap_set(
        &b->objects, name,
        xasprintf("{\"kind\":\"Secret\",\"type\":\"%s\",\"metadata\":{\"uid\":\"u-%s\",\"resourceVersion\":"
                  "\"%d\"},\"data\":{\"username\":\"cm9ib3Q=\",\"password\":\"aHVudGVyMg==\"}}",
                  type, name, ++b->versions));
}

/* A user name and a password alone are for the repository that names them, and for no pod. */
static void test_pull_secrets_of_a_helm_repository(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/docker", JSON, "quay.io", "host");
    put(b, "secrets/other", JSON, "ghcr.io", "other");
    put_basic(b, "secrets/opaque", "Opaque");
    put_basic(b, "secrets/basic", "kubernetes.io/basic-auth");
    put_basic(b, "secrets/token", "kubernetes.io/service-account-token");
    put_account(b, "serviceaccounts/default", "[{\"name\":\"docker\"}]");
    expect(b, helm_repository(b, "docker"), "host of shop/docker", NULL);
    expect(b, helm_repository(b, "other"), "-", NULL); /* and not the service account's, which is for pods */
    expect(b, helm_repository(b, "opaque"), "robot of shop/opaque", NULL);
    expect(b, helm_repository(b, "basic"), "robot of shop/basic", NULL);
    expect(b, helm_repository(b, "token"), "-", "its type is");
    expect(b, helm_repository(b, "missing"), "-", "not there");
    expect(b, pod(b, "imagePullSecrets: [{name: opaque}], serviceAccountName: none"), "-",
           "its type is Opaque");
}

static void test_pull_secrets_that_cannot_be_used_spoil_only_themselves(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/good", JSON, "quay.io", "good");
    put_text(b, "secrets/broken", JSON, "{\"auths\":{\"quay.io\":{\"password\":\"hunter2\" \"x\"");
    put_text(b, "secrets/list", JSON, "[\"hunter2\"]");
    put_text(b, "secrets/entry", JSON, "{\"auths\":{\"quay.io\":{\"auth\":\"aHVudGVyMg==\"}}}");
    put_text(b, "secrets/helper", JSON, "{\"credHelpers\":{\"quay.io\":\"vault\"}}");
    put_text(b, "secrets/opaque", "Opaque", "{\"hunter2\":1}");
    strmap_set(&b->objects, "secrets/empty", xstrdup("{\"type\":\"" JSON "\",\"metadata\":{}}"));
    strmap_set(&b->objects, "secrets/base64",
               xstrdup("{\"type\":\"" JSON "\",\"data\":{\".dockerconfigjson\":\"hunter2-%%%\"}}"));
    set_status(b, "secrets/forbidden", "403 Forbidden");
    static const struct {
        const char *name, *problem;
    } cases[] = {
        {"missing", "pull secret shop/missing: it is not there"},
        {"broken", "pull secret shop/broken: its .dockerconfigjson is no Docker configuration"},
        {"list", "pull secret shop/list: its .dockerconfigjson is no Docker configuration"},
        {"base64", "pull secret shop/base64: its .dockerconfigjson is no Docker configuration"},
        {"entry", "pull secret shop/entry: the credentials for quay.io: its \"auth\" is not base64 of user"},
        {"helper", "pull secret shop/helper: it names a credential helper"},
        {"opaque", "pull secret shop/opaque: its type is Opaque; " JSON " and " LEGACY " hold"},
        {"empty", "pull secret shop/empty: it has no .dockerconfigjson"},
        {"forbidden", "give pawl a Role in the namespace shop with the verb get on secrets"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *spec = xasprintf("imagePullSecrets: [{name: %s}, {name: good}]", cases[i].name);
        expect(b, pod(b, spec), "good of shop/good", cases[i].problem);
    }
}

static void test_pull_secrets_service_account_may_be_missing_if_it_is_the_default(void **state)
{
    struct bench *b = *state;
    expect(b, pod(b, ""), "-", NULL);
    expect(b, pod(b, "serviceAccountName: puller"), "-", "service account shop/puller: it is not there");
    set_status(b, "serviceaccounts/default", "403 Forbidden");
    expect(b, pod(b, ""), "-", "with the verb get on serviceaccounts");
}

/* -- when ---------------------------------------------------------------------------------------------------- */

static void test_pull_secrets_are_read_once_per_age(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/one", JSON, "quay.io", "first");
    const struct resource *workload = pod(b, "imagePullSecrets: [{name: one}]");
    expect(b, workload, "first of shop/one", NULL);
    assert_int_equal(asked(b), 2);
    put(b, "secrets/one", JSON, "quay.io", "second");
    ahead_ms += AGE_MS - 60000;
    expect(b, workload, "first of shop/one", NULL);
    assert_int_equal(asked(b), 2);
    ahead_ms += 60000;
    expect(b, workload, "second of shop/one", NULL);
    assert_int_equal(asked(b), 4);
}

static void test_pull_secrets_are_read_sooner_after_a_refusal(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/one", JSON, "quay.io", "first");
    const struct resource *workload = pod(b, "imagePullSecrets: [{name: one}]");
    expect(b, workload, "first of shop/one", NULL);
    assert_false(pull_secrets_refused(b->secrets, "shop/one")); /* it was read just now */
    put(b, "secrets/one", JSON, "quay.io", "second");
    ahead_ms += PULL_SECRETS_REREAD_MS;
    expect(b, workload, "first of shop/one", NULL);
    assert_true(pull_secrets_refused(b->secrets, "shop/one"));
    expect(b, workload, "second of shop/one", NULL);
    assert_false(pull_secrets_refused(b->secrets, "shop/one"));
    assert_false(pull_secrets_refused(b->secrets, "shop/unheard-of"));
}

static void test_pull_secrets_outlive_a_server_that_is_in_trouble(void **state)
{
    struct bench *b = *state;
    put(b, "secrets/one", JSON, "quay.io", "first");
    const struct resource *workload = pod(b, "imagePullSecrets: [{name: one}]");
    expect(b, workload, "first of shop/one", NULL);
    set_status(b, "secrets/one", "500 Internal Server Error");
    ahead_ms += AGE_MS;
    expect(b, workload, "first of shop/one", NULL);
    scripted_stop(steal(&b->server));
    ahead_ms += AGE_MS;
    expect(b, workload, "first of shop/one", NULL);
    assert_non_null(pull_secrets_failure(b->secrets));
    ahead_ms += PULL_SECRETS_KEEP_MS;
    expect(b, workload, "-", NULL);
}

static void test_pull_secrets_that_go_are_dropped_at_once(void **state)
{
    static const char *const ends[] = {"404 Not Found", "403 Forbidden"};
    struct bench *b = *state;
    const struct resource *workload = pod(b, "imagePullSecrets: [{name: one}]");
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        put(b, "secrets/one", JSON, "quay.io", "first");
        ahead_ms += AGE_MS;
        expect(b, workload, "first of shop/one", NULL);
        set_status(b, "secrets/one", ends[i]);
        ahead_ms += AGE_MS;
        expect(b, workload, "-", "pull secret shop/one: ");
    }
}

static void test_pull_secrets_of_no_cluster_are_none(void **state UNUSED)
{
    struct bench b = {.file = NULL};
    const struct resource *workload = pod(&b, "imagePullSecrets: [{name: one}]");
    pull_secrets_refresh(NULL, &workload, 1);
    assert_null(pull_secrets_for(NULL, workload, "quay.io/team/app"));
    assert_null(pull_secrets_failure(NULL));
    assert_false(pull_secrets_refused(NULL, "shop/one"));
    pull_secrets_problems(NULL, add_problem, &b);
    manifest_file_unref(b.file);
}

/* -- demands ------------------------------------------------------------------------------------------------- */

static void test_demands_are_shared_by_log_in(void **state)
{
    static const struct {
        const char *secret;
        size_t item;
    } cases[] = {{"one", 0}, {"copy", 0}, {"two", 1}, {"none", 2}, {"one", 0}, {"none", 2}};
    struct bench *b = *state;
    put(b, "secrets/one", JSON, "quay.io", "robot");
    put(b, "secrets/copy", LEGACY, "quay.io", "robot");
    put_text(b, "secrets/two", JSON,
             "{\"auths\":{\"quay.io\":{\"username\":\"robot\",\"password\":\"another-word\"}}}");
    put(b, "secrets/none", JSON, "ghcr.io", "robot");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        strbuf_addf(&text,
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%zu, namespace: shop, annotations: "
                    "{fluxcd.io/automated: 'true'}}\nspec: {imagePullSecrets: [{name: %s}], "
                    "containers: [{name: c, image: 'quay.io/team/app:1'}]}\n",
                    i, cases[i].secret);
    b->file = manifest_file_new("a.yaml", xstrdup(text.buf), text.len, "default");
    assert_int_equal(b->file->resources_len, ARRAY_LEN(cases));
    struct workload_policy *policies[ARRAY_LEN(cases)];
    const struct resource *workloads[ARRAY_LEN(cases)];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        workloads[i] = &b->file->resources[i];
        policies[i] = workload_policy_new(workloads[i]);
    }
    pull_secrets_refresh(b->secrets, workloads, ARRAY_LEN(cases));
    const struct image_filter all = {.exclude = NULL};
    CLEANUP(demand_set_release)
    struct demand_set *set = demand_set_from(policies, ARRAY_LEN(cases), &all, b->secrets);
    assert_int_equal(set->len, 3);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(demand_set_find(set, workloads[i]->containers), cases[i].item);
        workload_policy_free(policies[i]);
    }
    AUTO_FREE char *ours = repository_demand_key(&set->items[2]);
    assert_string_equal(ours, "quay.io/team/app");
    assert_null(demand_of(&set->items[2]).credential);
    const struct demand first = demand_of(&set->items[0]);
    assert_string_equal(first.credential->secret, "shop/one");
    assert_string_equal(first.credential->secret_uid, "uid-of-secrets/one");
    AUTO_FREE char *one = repository_demand_key(&set->items[0]);
    AUTO_FREE char *two = repository_demand_key(&set->items[1]);
    assert_string_not_equal(one, two);
    assert_null(strstr(one, "hunter2"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_pull_secrets_choose_as_the_kubelet),
        CASE(test_pull_secrets_of_a_helm_repository),
        CASE(test_pull_secrets_that_cannot_be_used_spoil_only_themselves),
        CASE(test_pull_secrets_service_account_may_be_missing_if_it_is_the_default),
        CASE(test_pull_secrets_are_read_once_per_age),
        CASE(test_pull_secrets_are_read_sooner_after_a_refusal),
        CASE(test_pull_secrets_outlive_a_server_that_is_in_trouble),
        CASE(test_pull_secrets_that_go_are_dropped_at_once),
        cmocka_unit_test(test_pull_secrets_of_no_cluster_are_none),
        CASE(test_demands_are_shared_by_log_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
