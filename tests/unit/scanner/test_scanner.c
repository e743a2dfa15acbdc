/*
 * Scans against a registry on loopback that says what each test scripts: the protocol's corners and a hostile
 * peer. What a real registry says is tested with one, in tests/integration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/records.h"
#include "scanner/scanner.h"
#include "tests/unit/scanner/scan_fixture.h"

#define RPS 1000

struct fixture {
    struct scripted_server *server, *other; /* two registries; `other` is also a foreign host */
    struct cache *cache;
    struct credentials *credentials;
    struct scanner *scanner;
    char directory[SCAN_DIRECTORY_SIZE];
    atomic_int tokens_given;             /* by the token server at /token */
    atomic_int token_lists, token_pulls; /* what the last one is for */
    atomic_int moved;                    /* tag "moving" points elsewhere */
    atomic_int list_is_down;
};

/* -- what the registry has ------------------------------------------------------------------------------- */

static char *config_of(const char *created)
{
    return xasprintf("{\"created\":\"%s\",\"os\":\"linux\"}", created);
}

static char *index_of(const char *manifest)
{
    AUTO_FREE char *digest = oci_digest_of(manifest, strlen(manifest));
    return xasprintf("{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\",\"platform\":{\"os\":\"linux\","
                     "\"architecture\":\"amd64\"}}]}",
                     digest);
}

/* Tags of h/img are called by the year they were made in: "y2024"; "index" is of 2020, "moving" of 2021, then
 * of 2022. */
static const char *const years[] = {"2019", "2020", "2021", "2022", "2023", "2024"};

static char *date_of(const char *year)
{
    return xasprintf("%s-01-02T03:04:05Z", year);
}

static bool serve_manifest(struct fixture *f, const struct scripted_request *r, int fd, const char *reference)
{
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        AUTO_FREE char *date = date_of(years[i]);
        AUTO_FREE char *config = config_of(date), *manifest = scan_manifest_of(config),
                       *index = index_of(manifest);
        AUTO_FREE char *digest = oci_digest_of(manifest, strlen(manifest));
        bool is_moving = !strcmp(reference, "moving") && !strcmp(years[i], f->moved ? "2022" : "2021");
        if ((*reference == 'y' && !strcmp(reference + 1, years[i])) || is_moving ||
            !strcmp(reference, digest))
            return scan_reply_content(r, fd, "", manifest);
        if (!strcmp(reference, "index") && !strcmp(years[i], "2020"))
            return scan_reply_content(r, fd, "", index);
        if (!strcmp(reference, "forged") && strcmp(r->method, "HEAD") != 0)
            return scripted_reply(fd, "200 OK",
                                  "Docker-Content-Digest: sha256:"
                                  "0000000000000000000000000000000000000000000000000000000000000000\r\n",
                                  manifest);
    }
    return scripted_reply(fd, "404 Not Found", "", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
}

/* Blobs are at another host, as with registries that keep them in a bucket. */
static bool serve_blob(struct fixture *f, const struct scripted_request *r, int fd, const char *digest)
{
    char location[256];
    if (r->server != f->other) {
        snprintf(location, sizeof(location), "Location: http://127.0.0.1:%d/v2/img/blobs/%s?signature=x\r\n",
                 f->other->port, digest);
        return scripted_reply(fd, "307 Temporary Redirect", location, "");
    }
    AUTO_FREE char *authorization = scripted_header(r, "Authorization");
    if (authorization)
        return scripted_reply(fd, "400 Bad Request", "", "credentials came along");
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        AUTO_FREE char *date = date_of(years[i]);
        AUTO_FREE char *config = config_of(date), *own = oci_digest_of(config, strlen(config));
        if (!strncmp(own, digest, strlen(own)))
            return scan_reply_content(r, fd, "", config);
    }
    return scripted_reply(fd, "404 Not Found", "", "");
}

/* The token server: what it was told decides what it says. */
static bool serve_token(struct fixture *f, const struct scripted_request *r, int fd)
{
    AUTO_FREE char *authorization = scripted_header(r, "Authorization");
    bool is_user = authorization && !strcmp(authorization, "Basic bWU6c2VjcmV0"); /* me:secret */
    bool is_refresh = strstr(r->body, "grant_type=refresh_token") && strstr(r->body, "refresh_token=idt") &&
                      strstr(r->body, "service=reg") && strstr(r->body, "scope=repository:");
    bool is_asked_well = is_refresh || strstr(r->target, "?service=reg&scope=repository:");
    if (!is_asked_well)
        return scripted_reply(fd, "400 Bad Request", "", "");
    if (!strstr(r->target, "public") && !is_user && !is_refresh)
        return scripted_reply(fd, "401 Unauthorized", "", "{\"details\":\"incorrect username or password\"}");
    f->token_lists = strstr(r->target, "metadata_read") != NULL;
    f->token_pulls = strstr(r->target, "pull") != NULL;
    char token[128];
    snprintf(token, sizeof(token), "{\"access_token\":\"t%d\",\"expires_in\":300}", ++f->tokens_given);
    return scripted_reply(fd, "200 OK", "", token);
}

static bool serve_challenge_for(int fd, int port, const char *path, const char *actions)
{
    char headers[512];
    snprintf(headers, sizeof(headers),
             "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:%d/token\",service=\"reg\","
             "scope=\"repository:%s:%s\"\r\n",
             port, path, actions);
    return scripted_reply(fd, "401 Unauthorized", headers, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}");
}

static bool serve_challenge(int fd, int port, const char *path)
{
    return serve_challenge_for(fd, port, path, "pull");
}

static bool says(const struct scripted_request *r, const char *name, const char *value)
{
    AUTO_FREE char *got = scripted_header(r, name);
    return got && !strcmp(got, value);
}

#define DATED_LIST                                                                                           \
    "{\"manifest\":{\"sha256:1\":{\"tag\":[\"y2019\"],\"timeUploadedMs\":\"1700000000000\"}},"               \
    "\"tags\":[\"y2019\",\"y2023\"]}"

/* One row per repository: the path, and what its tag list says. */
static const struct {
    const char *path, *status, *headers, *body;
} lists[] = {
    {"/v2/names/tags/list?n=1000", "200 OK", "", "{\"tags\":[\"b\",\"a\",\"b\",\"-bad\"]}"},
    {"/v2/empty/tags/list?n=1000", "200 OK", "", "{\"tags\":null}"},
    {"/v2/paged/tags/list?n=1000", "200 OK", "Link: </v2/paged/tags/list?last=b>; rel=\"next\"\r\n",
     "{\"tags\":[\"a\",\"b\"]}"},
    {"/v2/paged/tags/list?last=b", "200 OK", "Link: <list?last=c>; rel=next\r\n", "{\"tags\":[\"c\",\"b\"]}"},
    {"/v2/paged/tags/list?last=c", "200 OK", "", "{\"tags\":[\"d\"]}"},
    {"/v2/circle/tags/list?n=1000", "200 OK", "Link: <?last=1>; rel=next\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/circle/tags/list?last=1", "200 OK", "Link: <?last=2>; rel=next\r\n", "{\"tags\":[\"b\"]}"},
    {"/v2/circle/tags/list?last=2", "200 OK", "Link: <?last=1>; rel=next\r\n", "{\"tags\":[\"c\"]}"},
    {"/v2/docker/app/tags/list?n=1000", "200 OK",
     "Link: </v2/app/tags/list?last=1000&n=1000>; rel=\"next\"\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/docker/app/tags/list?last=1000&n=1000", "200 OK", "", "{\"tags\":[\"b\"]}"},
    {"/v2/inside/tags/list?n=1000", "200 OK",
     "Link: </repository/hub/v2/inside/tags/list?last=a>; rel=\"next\"\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/inside/tags/list?last=a", "200 OK", "", "{\"tags\":[\"b\"]}"},
    {"/v2/bare/tags/list?n=1000", "200 OK", "Link: /v2/bare/tags/list?n=1000&last=a; rel=\"next\"\r\n",
     "{\"tags\":[\"a\"]}"},
    {"/v2/bare/tags/list?n=1000&last=a", "200 OK", "", "{\"tags\":[\"b\"]}"},
    {"/v2/unread/tags/list?n=1000", "200 OK", "Link: <?last=a; rel=next\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/numbered/tags/list?n=1000", "200 OK", "Link: </v2/numbered/tags/list/2>; rel=\"next\"\r\n",
     "{\"tags\":[\"a\"]}"},
    {"/v2/numbered/tags/list/2", "200 OK", "Link: <https://127.0.0.1:1/v2/numbered/3>; rel=\"next\"\r\n",
     "{\"tags\":[\"b\"]}"},
    {"/v2/proxied/tags/list?n=1000", "200 OK",
     "Link: <https://127.0.0.1/v2/proxied/tags/list?last=a>; rel=\"next\"\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/proxied/tags/list?last=a", "200 OK", "", "{\"tags\":[\"b\"]}"},
    {"/v2/port/tags/list?n=1000", "200 OK",
     "Link: <http://127.0.0.1:1/v2/port/tags/list?last=a>; rel=\"next\"\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/abroad/tags/list?n=1000", "200 OK", "Link: <http://example.invalid/v2/x>; rel=next\r\n",
     "{\"tags\":[\"a\"]}"},
    {"/v2/garbage/tags/list?n=1000", "200 OK", "Link: <?last=1>; rel=next\r\n", "{\"tags\":[\"a\"]}"},
    {"/v2/garbage/tags/list?last=1", "200 OK", "", "{\"tags\":[\"b\","},
    {"/v2/small/tags/list?n=1000", "400 Bad Request", "",
     "{\"errors\":[{\"code\":\"PAGINATION_NUMBER_INVALID\"}]}"},
    {"/v2/small/tags/list", "200 OK", "", "{\"tags\":[\"a\"]}"},
    {"/v2/gone/tags/list?n=1000", "404 Not Found", "",
     "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"repository name not known\\nto registry\"}]}"},
    {"/v2/forbidden/tags/list?n=1000", "403 Forbidden", "", ""},
    {"/v2/limited/tags/list?n=1000", "429 Too Many Requests", "Retry-After: 17\r\n", ""},
    {"/v2/broken/tags/list?n=1000", "502 Bad Gateway", "", "<html>"},
    {"/v2/teapot/tags/list?n=1000", "418 I'm a teapot", "", ""},
    {"/v2/teapot/tags/list", "418 I'm a teapot", "", ""},
    {"/v2/img/tags/list?n=1000", "200 OK", "",
     "{\"tags\":[\"y2019\",\"y2023\",\"y2024\",\"index\",\"moving\",\"forged\",\"missing\",\"unwanted\"]}"},
    {"/v2/years/tags/list?n=1000", "200 OK", "", "{\"tags\":[\"y2019\",\"y2023\",\"y2024\"]}"},
    {"/v2/public-split/tags/list?n=1000", "200 OK", "", "{\"tags\":[\"y2019\",\"y2023\"]}"},
    {"/v2/dated/tags/list?n=1000", "200 OK", "", DATED_LIST},
    {"/v2/dated-etag/tags/list?n=1000", "200 OK", "ETag: \"x\"\r\n", DATED_LIST},
    {"/v2/hidden/tags/list?n=1000", "200 OK", "", "{\"tags\":[\"y2019\",\"y2023\",\"y2024\",\"index\"]}"},
};

/* Pages by absolute addresses: of this very server, and of one that is another but for its name ("localhost"). */
static bool serve_absolute(const struct scripted_request *r, int fd)
{
    char link[128];
    if (strstr(r->target, "last="))
        return scripted_reply(fd, "200 OK", "", "{\"tags\":[\"b\"]}");
    snprintf(link, sizeof(link), "Link: <http://%s:%d/v2/absolute/tags/list?last=a>; rel=next\r\n",
             str_starts_with(r->target, "/v2/absolute/") ? "127.0.0.1" : "localhost", r->server->port);
    return scripted_reply(fd, "200 OK", link, "{\"tags\":[\"a\"]}");
}

/* A front that sends everything to another host, whose pages know their own path alone. */
static bool serve_moved(struct fixture *f, const struct scripted_request *r, int fd)
{
    if (r->server == f->server) {
        AUTO_FREE char *location =
            xasprintf("Location: http://127.0.0.1:%d/v2/moved/behind/%s\r\n", f->other->port, r->target + 10);
        return scripted_reply(fd, "307 Temporary Redirect", location, "");
    }
    bool is_first = !strstr(r->target, "last=");
    return scripted_reply(fd, "200 OK",
                          is_first ? "Link: </v2/moved/behind/tags/list?last=a>; rel=\"next\"\r\n" : "",
                          is_first ? "{\"tags\":[\"a\"]}" : "{\"tags\":[\"b\"]}");
}

static bool serve_list(struct fixture *f, const struct scripted_request *r, int fd)
{
    if (str_starts_with(r->target, "/v2/moved/"))
        return serve_moved(f, r, fd);
    if (str_starts_with(r->target, "/v2/absolute"))
        return serve_absolute(r, fd);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(lists[i].path, r->target) != 0)
            continue;
        if (says(r, "If-None-Match", "\"x\""))
            return scripted_reply(fd, "304 Not Modified", "", "");
        if (f->list_is_down)
            return scripted_reply(fd, "500 Internal Server Error", "", "");
        return scripted_reply(fd, lists[i].status, lists[i].headers, lists[i].body);
    }
    return scripted_reply(fd, "404 Not Found", "", "");
}

static bool answer(const struct scripted_request *r, int fd, void *context)
{
    struct fixture *f = context;
    const char *manifest = strstr(r->target, "/manifests/"), *blob = strstr(r->target, "/blobs/");
    char last_token[64];
    snprintf(last_token, sizeof(last_token), "Bearer t%d", f->tokens_given);
    if (str_starts_with(r->target, "/token"))
        return serve_token(f, r, fd);
    if (str_starts_with(r->target, "/v2/private/") || str_starts_with(r->target, "/v2/public/")) {
        char path[16] = {0};
        memcpy(path, r->target + 4, strcspn(r->target + 4, "/"));
        if (!says(r, "Authorization", last_token))
            return serve_challenge(fd, f->server->port, path);
        bool is_first = strstr(r->target, "n=1000");
        return scripted_reply(fd, "200 OK", is_first ? "Link: <?last=a>; rel=next\r\n" : "",
                              is_first ? "{\"tags\":[\"a\"]}" : "{\"tags\":[\"b\"]}");
    }
    if (str_starts_with(r->target, "/v2/renamed/")) {
        return says(r, "Authorization", last_token) ? scripted_reply(fd, "200 OK", "", "{\"tags\":[\"a\"]}")
                                                    : serve_challenge(fd, f->server->port, "public/mirror");
    }
    if (str_starts_with(r->target, "/v2/public-split/")) {
        bool is_list = strstr(r->target, "/tags/");
        if (!says(r, "Authorization", last_token) || !(is_list ? f->token_lists : f->token_pulls))
            return serve_challenge_for(fd, f->server->port, "public-split",
                                       is_list ? "metadata_read" : "pull");
    }
    if (str_starts_with(r->target, "/v2/elsewhere/")) {
        return scripted_reply(
            fd, "401 Unauthorized",
            "WWW-Authenticate: Bearer realm=\"https://elsewhere.invalid/token\",service=\"reg\"\r\n", "");
    }
    if (str_starts_with(r->target, "/v2/plain/")) {
        return scripted_reply(
            fd, "401 Unauthorized",
            "WWW-Authenticate: Bearer realm=\"http://elsewhere.invalid/token\",service=\"reg\"\r\n", "");
    }
    if (str_starts_with(r->target, "/v2/basic/")) {
        if (!says(r, "Authorization", "Basic bWU6c2VjcmV0"))
            return scripted_reply(fd, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
        return scripted_reply(fd, "200 OK", "", "{\"tags\":[\"a\"]}");
    }
    if (str_starts_with(r->target, "/v2/hang/")) {
        struct pollfd until_closed = {.fd = fd, .events = POLLIN};
        poll(&until_closed, 1, 20000);
        return false;
    }
    if (str_starts_with(r->target, "/v2/hidden/manifests/"))
        return scripted_reply(fd, "429 Too Many Requests", "Retry-After: 3\r\n", "");
    if (manifest)
        return serve_manifest(f, r, fd, manifest + strlen("/manifests/"));
    if (blob)
        return serve_blob(f, r, fd, blob + strlen("/blobs/"));
    return serve_list(f, r, fd);
}

/* -- fixture ------------------------------------------------------------------------------------------------ */

static void open_scanner(struct fixture *f, const char *auths, size_t tag_limit)
{
    struct error err = ERROR_INIT;
    scanner_free(f->scanner);
    credentials_free(f->credentials);
    f->credentials = NULL;
    if (auths) {
        AUTO_FREE char *text = xasprintf("{\"auths\":{\"127.0.0.1:%d\":%s}}", f->server->port, auths);
        f->credentials = credentials_parse(text, strlen(text), "test", &err);
        assert_non_null(f->credentials);
    }
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .credentials = f->credentials,
                                                       .clock = &system_clock,
                                                       .platform = "linux/amd64",
                                                       .rps = RPS,
                                                       .burst = 100,
                                                       .tag_limit = tag_limit,
                                                       .timeout_ms = 5000});
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->cache = scan_cache_open(f->directory);
    f->server = scripted_start(answer, f);
    f->other = scripted_start(answer, f);
    open_scanner(f, NULL, 1000);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scanner_free(f->scanner);
    credentials_free(f->credentials);
    scripted_stop(f->server);
    scripted_stop(f->other);
    scan_cache_close(f->cache, f->directory);
    free(f);
    return 0;
}

static unsigned want_all(const char *tag, void *context)
{
    (void)context;
    return strcmp(tag, "unwanted") != 0 ? DEMAND_CREATED : 0;
}

/* "tag tag …| ERROR: text", with " tag@year" for those that are dated and " tag!" for those with a problem. */
static char *scan_of(struct fixture *f, struct scripted_server *server, const char *path, bool with_dates,
                     int64_t max_age_ms, unsigned *requests)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", server->port, path);
    struct demand demand = {.repository = repository, .wants = with_dates ? want_all : NULL};
    struct scan_result result;
    struct strbuf out = STRBUF_INIT;
    scanner_scan(f->scanner, &demand, 1, max_age_ms, NULL, NULL, &result);
    for (size_t i = 0; result.info && i < result.info->images_len; i++) {
        struct image_info image = repository_info_image(result.info, i);
        char date[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(image.details->created_ms, date);
        strbuf_addf(&out, "%s%s%s%.4s%s", i ? " " : "", image.tag, image.details->created_ms ? "@" : "",
                    image.details->created_ms ? date : "", image.details->problem ? "!" : "");
    }
    if (result.info && result.info->is_truncated)
        strbuf_addstr(&out, " ...");
    assert_int_equal(result.is_fresh, result.error.code == ERROR_NONE);
    if (!result.is_fresh)
        strbuf_addf(&out, "| %s: %s", error_code_name(result.error.code), result.error.text);
    if (requests)
        *requests = result.requests;
    scan_results_release(&result, 1);
    return strbuf_detach(&out, NULL);
}

/* A first request to a loopback host is over plain http, which this one speaks: nothing is asked twice. */
#define PROBE 0

/* -- lists ---------------------------------------------------------------------------------------------- */

/* One more scan of `path` by whoever has `known` of it. */
static struct repository_info *scan_again(struct fixture *f, const char *path, struct repository_info *known)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", f->server->port, path);
    struct demand demand = {.repository = repository, .known = known};
    struct scan_result result;
    scanner_scan(f->scanner, &demand, 1, 0, NULL, NULL, &result);
    assert_int_equal(result.requests, 1);
    assert_true(result.is_fresh);
    return result.info;
}

/* What is known is altered here, so that it shows where the tags came from. */
static void test_scanner_takes_a_list_apart_only_if_it_is_another(void **state)
{
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *first = scan_again(f, "years", NULL);
    first->names[first->offsets[0]] = 'Y';
    CLEANUP(repository_info_release) struct repository_info *second = scan_again(f, "years", first);
    assert_ptr_not_equal(first, second);
    assert_true(second->scanned_ms >= first->scanned_ms);
    assert_int_equal(second->images_len, 3);
    assert_string_equal(repository_info_tag(second, 0), "Y2019");
    assert_string_equal(second->list_digest, first->list_digest);
    second->list_digest[10] ^= 1;
    CLEANUP(repository_info_release) struct repository_info *third = scan_again(f, "years", second);
    assert_string_equal(repository_info_tag(third, 0), "y2019");
    assert_string_equal(third->list_digest, first->list_digest);
}

static struct repository_info *scan_for_push_times(struct fixture *f, const char *path, bool is_asked,
                                                   int64_t max_age_ms, unsigned requests)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", f->server->port, path);
    struct demand demand = {.repository = repository, .wants_push_times = is_asked};
    struct scan_result result;
    scanner_scan(f->scanner, &demand, 1, max_age_ms, NULL, NULL, &result);
    assert_int_equal(result.requests, requests);
    assert_true(result.is_fresh);
    return result.info;
}

/* A list that did not change says no less than before, and more only if it is read again. */
static void test_scanner_knows_when_tags_were_pushed_if_that_is_asked(void **state)
{
    static const char *const paths[] = {"dated", "dated-etag"};
    static const struct {
        bool is_asked, is_known;
        int64_t max_age_ms;
        unsigned requests;
    } steps[] = {
        {false, false, 0, 1},    {true, true, 0, 1},   {true, true, 0, 1},     {true, true, 60000, 0},
        {false, true, 60000, 0}, {false, false, 0, 1}, {true, true, 60000, 1}, /* though the list is young: it was read for less */
    };
    struct fixture *f = *state;
    for (size_t p = 0; p < ARRAY_LEN(paths); p++) {
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
            CLEANUP(repository_info_release)
            struct repository_info *info =
                scan_for_push_times(f, paths[p], steps[i].is_asked, steps[i].max_age_ms, steps[i].requests);
            int64_t expected = steps[i].is_known ? 1700000000000 : 0;
            assert_int_equal(info->images_len, 2);
            assert_true(repository_info_details(info, 0)->pushed_ms == expected);
            assert_true(repository_info_details(info, 1)->pushed_ms == 0);
            assert_true(steps[i].is_known || !info->slots);
        }
    }
}

/* So it is for the next process, which knows no more than the cache. */
static void test_scanner_knows_a_list_again_from_the_cache(void **state)
{
    static const char altered[] = "Y2019 y2023 y2024", read[] = "y2019 y2023 y2024";
    struct fixture *f = *state;
    CLEANUP(repository_info_release) struct repository_info *first = scan_again(f, "years", NULL);
    first->names[first->offsets[0]] = 'Y';
    record_put_repository(f->cache, first, "linux/amd64 ");
    open_scanner(f, NULL, 3);
    AUTO_FREE char *again = scan_of(f, f->server, "years", false, 0, NULL);
    assert_string_equal(again, altered);
    open_scanner(f, NULL, 2); /* fewer tags are wanted of it than before */
    AUTO_FREE char *fewer = scan_of(f, f->server, "years", false, 0, NULL);
    assert_string_equal(fewer, "y2019 y2023 ...");
    open_scanner(f, NULL, 3);
    AUTO_FREE char *whole = scan_of(f, f->server, "years", false, 0, NULL);
    assert_string_equal(whole, read);
}

/* What no tag can have is counted each time, for whoever says it. */
static void test_scanner_counts_bad_tags_of_an_unchanged_list(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/names", f->server->port);
    const struct demand demand = {.repository = repository};
    for (int i = 0; i < 2; i++) {
        struct scan_result result;
        scanner_scan(f->scanner, &demand, 1, 0, NULL, NULL, &result);
        assert_int_equal(result.bad_tags, 1);
        scan_results_release(&result, 1);
        open_scanner(f, NULL, 1000);
    }
}

struct counting_cache {
    unsigned puts, flushes;
};

static int count_get(void *state UNUSED, const char *key UNUSED, struct strbuf *out UNUSED,
                     struct error *err UNUSED)
{
    return 0;
}

static int count_put(void *state, const char *key UNUSED, const void *value UNUSED, size_t len UNUSED,
                     int64_t ttl_s UNUSED, struct error *err UNUSED)
{
    ((struct counting_cache *)state)->puts++;
    return 0;
}

static int count_flush(void *state, struct error *err UNUSED)
{
    ((struct counting_cache *)state)->flushes++;
    return 0;
}

static void free_nothing(void *state UNUSED)
{
}

static void note_done(const struct demand *demand UNUSED, struct scan_result *result UNUSED, void *context)
{
    ++*(unsigned *)context;
}

static void test_scanner_writes_what_ends_close_together_at_once(void **state)
{
    static const struct cache_backend backend = {
        .get = count_get, .put = count_put, .flush = count_flush, .free = free_nothing};
    struct fixture *f = *state;
    static struct counting_cache counts; /* the cache outlives this test */
    scanner_free(f->scanner);
    f->scanner = NULL;
    cache_free(f->cache);
    f->cache = cache_new(&backend, &counts);
    open_scanner(f, NULL, 1000);
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/names", f->server->port);
    const struct demand demand = {.repository = repository};
    unsigned done = 0;
    for (unsigned i = 1; i <= 3; i++) {
        scanner_submit(f->scanner, &demand, 0, note_done, &done);
        while (done < i)
            scanner_run(f->scanner, 100);
    }
    unsigned flushes = counts.flushes;
    assert_in_range(counts.puts, 3, 6);
    assert_in_range(flushes, 0, 2); /* a first one at once */
    int64_t end_ms = clock_monotonic_ms(&system_clock) + 10000;
    while (counts.flushes < 2 && clock_monotonic_ms(&system_clock) < end_ms)
        scanner_run(f->scanner, 1500);
    assert_int_equal(counts.flushes, 2);
    scanner_run(f->scanner, 1500);
    assert_int_equal(counts.flushes, 2);
}

static void test_scanner_lists(void **state)
{
    static const struct {
        const char *path, *result; /* the beginning */
        const char *says;
        unsigned requests;
    } cases[] = {
        {"names", "a b", "", 1},
        {"empty", "", "", 1},
        {"paged", "a b c d", "", 3},
        {"small", "a", "", 2},
        {"circle", "| invalid: ", "circle", 3},
        {"abroad", "| invalid: ", "another server", 1},
        {"absolute", "a b", "", 2},
        {"docker/app", "a b", "", 2},
        {"inside", "a b", "", 2},
        {"moved", "a b", "", 2},
        {"bare", "a b", "", 2},
        {"unread", "| invalid: ", "the next page of the tag list: the Link header cannot be read", 1},
        {"proxied", "a b", "", 2},
        {"port", "| invalid: ", "another server", 1},
        {"numbered", "| invalid: ", "another server", 2},
        {"absolute-elsewhere", "| invalid: ", "another server", 1},
        {"garbage", "| invalid: ", "not valid JSON", 2},
        {"gone", "| not-found: ", "NAME_UNKNOWN: repository name not known to registry", 1},
        {"forbidden", "| forbidden: ", "403", 1},
        {"broken", "| network: ", "502", 1},
        {"teapot", "| invalid: ", "418", 2},
    };
    struct fixture *f = *state;
    free(scan_of(f, f->server, "names", false, 0, NULL));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned requests = 0;
        AUTO_FREE char *got = scan_of(f, f->server, cases[i].path, false, 0, &requests);
        if (!str_starts_with(got, cases[i].result) || !strstr(got, cases[i].says))
            fail_msg("%s: %s", cases[i].path, got);
        assert_int_equal(requests, cases[i].requests);
    }
}

/* A registry that refuses our page size is not asked for it again and again, and may say that nothing changed. */
static void test_scanner_page_size_that_is_refused_is_not_asked_for_again(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        unsigned requests = 0;
        AUTO_FREE char *got = scan_of(f, f->server, "small", false, 0, &requests);
        assert_string_equal(got, "a");
        assert_int_equal(requests, i ? 1 : 2);
        if (i == 1)
            open_scanner(f, NULL, 1000); /* so that only the cache knows */
    }
    assert_int_equal(scripted_count(f->server, "GET /v2/small/tags/list?n=1000"), 1);
}

static void test_scanner_name_without_path_is_refused(void **state)
{
    static const char *const names[] = {"alpine", "/alpine", "127.0.0.1:1/", ""};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct scan_result result;
        scanner_scan(f->scanner, &(struct demand){.repository = names[i]}, 1, 0, NULL, NULL, &result);
        assert_int_equal(result.error.code, ERROR_INVALID);
        assert_null(result.info);
        scan_results_release(&result, 1);
    }
}

static void test_scanner_tag_limit_truncates(void **state)
{
    struct fixture *f = *state;
    open_scanner(f, NULL, 3);
    unsigned requests = 0;
    AUTO_FREE char *got = scan_of(f, f->server, "paged", false, 0, &requests);
    assert_string_equal(got, "a b c ...");
    assert_int_equal(requests, PROBE + 2);
}

static void test_scanner_failure_keeps_last_answer(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *good = scan_of(f, f->server, "names", false, 0, NULL);
    f->list_is_down = 1;
    AUTO_FREE char *bad = scan_of(f, f->server, "names", false, 0, NULL);
    assert_string_equal(good, "a b");
    assert_true(str_starts_with(bad, "a b| network: scanning 127.0.0.1:"));
}

static void test_scanner_young_answer_costs_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 7;
    free(scan_of(f, f->server, "names", false, 0, NULL));
    AUTO_FREE char *got = scan_of(f, f->server, "names", false, 60000, &requests);
    assert_string_equal(got, "a b");
    assert_int_equal(requests, 0);
}

static void test_scanner_rate_limit_blocks_its_host_only(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *limited = scan_of(f, f->server, "limited", false, 0, NULL);
    assert_true(str_starts_with(limited, "| rate-limited: "));
    unsigned requests = 7;
    AUTO_FREE char *same_host = scan_of(f, f->server, "names", false, 0, &requests);
    assert_true(str_starts_with(same_host, "| rate-limited: "));
    assert_non_null(strstr(same_host, "for another 17 s"));
    assert_int_equal(requests, 0);
    AUTO_FREE char *other_host = scan_of(f, f->other, "names", false, 0, NULL);
    assert_string_equal(other_host, "a b");
}

/* -- log-in ---------------------------------------------------------------------------------------------- */

static void test_scanner_token_is_fetched_once_and_used_again(void **state)
{
    struct fixture *f = *state;
    open_scanner(f, "{\"auth\":\"bWU6c2VjcmV0\"}", 1000);
    unsigned first = 0, second = 0;
    AUTO_FREE char *one = scan_of(f, f->server, "private", false, 0, &first);
    AUTO_FREE char *two = scan_of(f, f->server, "private", false, 0, &second);
    assert_string_equal(one, "a b");
    assert_string_equal(two, "a b");
    assert_int_equal(first, PROBE + 4); /* refused, token, two pages */
    assert_int_equal(second, 2);
    assert_int_equal(f->tokens_given, 1);
}

static void test_scanner_token_kinds(void **state)
{
    static const struct {
        const char *auths, *path, *result;
    } cases[] = {
        {NULL, "public", "a b"},
        {"{\"auth\":\"bWU6c2VjcmV0\"}", "private", "a b"},
        {"{\"identitytoken\":\"idt\"}", "private", "a b"},
        {"{\"auth\":\"bWU6d3Jvbmc=\"}", "private", "| unauthorized: "},
        {NULL, "private", "| unauthorized: "},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_scanner(f, cases[i].auths, 1000);
        AUTO_FREE char *got = scan_of(f, f->server, cases[i].path, false, 0, NULL);
        const char *failure = strchr(got, '|');
        if (!str_starts_with(failure ? failure : got, cases[i].result))
            fail_msg("case %zu: %s", i, got);
    }
}

/* What the registry wants to be asked for is its own to say. */
static void test_scanner_token_has_the_scope_of_the_challenge(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *got = scan_of(f, f->server, "renamed", false, 0, NULL);
    assert_string_equal(got, "a");
    assert_int_equal(scripted_count(f->server, "GET /token?service=reg&scope=repository:public/mirror:pull"),
                     1);
}

/* Azure's registries want one right for lists and another for manifests: one token with both will do. */
static void test_scanner_token_is_for_lists_and_manifests(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 0;
    AUTO_FREE char *first = scan_of(f, f->server, "public-split", true, 0, &requests);
    assert_string_equal(first, "y2019@2019 y2023@2023");
    assert_int_equal(requests, PROBE + 7); /* refused, token, list, two manifests and configs */
    free(scan_of(f, f->server, "public-split", true, 0, &requests));
    assert_int_equal(requests, 1);
    assert_int_equal(f->tokens_given, 1);
}

static void test_scanner_refused_token_is_replaced_once(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 0;
    free(scan_of(f, f->server, "public", false, 0, NULL));
    f->tokens_given++; /* the token we hold is no longer the one that is taken */
    AUTO_FREE char *got = scan_of(f, f->server, "public", false, 0, &requests);
    assert_string_equal(got, "a b");
    assert_int_equal(requests, 4);
}

static void test_scanner_basic_credentials(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *anonymous = scan_of(f, f->server, "basic", false, 0, NULL);
    assert_true(str_starts_with(anonymous, "| unauthorized: "));
    assert_non_null(strstr(anonymous, "there are no credentials for 127.0.0.1:"));
    open_scanner(f, "{\"auth\":\"bWU6c2VjcmV0\"}", 1000);
    unsigned requests = 0;
    AUTO_FREE char *good = scan_of(f, f->server, "basic", false, 0, &requests);
    assert_string_equal(good, "a");
    assert_int_equal(requests, PROBE + 2);
    open_scanner(f, "{\"auth\":\"bWU6d3Jvbmc=\"}", 1000);
    AUTO_FREE char *wrong = scan_of(f, f->server, "basic", false, 0, &requests);
    assert_non_null(strstr(wrong, "check the credentials of user me"));
    assert_null(strstr(wrong, "wrong"));
}

/* Whoever refuses, the registry or its token server, and whatever it calls that. */
static void test_scanner_refusal_says_what_to_do(void **state)
{
    static const struct {
        const char *auths, *path, *says;
    } cases[] = {
        {NULL, "private", "/private: log in, or check its name"},
        {NULL, "forbidden", "/forbidden: log in, or check its name"},
        {"{\"auth\":\"bWU6d3Jvbmc=\"}", "private", "check the credentials of user me for 127.0.0.1:"},
        {"{\"auth\":\"bWU6d3Jvbmc=\"}", "forbidden", "check the credentials of user me for 127.0.0.1:"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_scanner(f, cases[i].auths, 1000);
        AUTO_FREE char *got = scan_of(f, f->server, cases[i].path, false, 0, NULL);
        if (!strstr(got, cases[i].says) || !strstr(got, cases[i].auths ? "user me" : "no credentials"))
            fail_msg("case %zu: %s", i, got);
    }
}

static void test_scanner_credentials_stay_home(void **state)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"plain", "plain http realm"},
        {"elsewhere", "the credentials stay here"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_scanner(f, "{\"auth\":\"bWU6c2VjcmV0\"}", 1000);
        AUTO_FREE char *got = scan_of(f, f->server, cases[i].path, false, 0, NULL);
        assert_true(str_starts_with(got, "| forbidden: "));
        assert_non_null(strstr(got, cases[i].says));
    }
}

/* -- details --------------------------------------------------------------------------------------------- */

static const char dated[] =
    "forged! index@2020 missing! moving@2021 unwanted y2019@2019 y2023@2023 y2024@2024";

static void test_scanner_dates_what_is_wanted(void **state)
{
    struct fixture *f = *state;
    open_scanner(f, "{\"auth\":\"bWU6c2VjcmV0\"}", 1000);
    AUTO_FREE char *got = scan_of(f, f->server, "img", true, 0, NULL);
    assert_string_equal(got, dated);
    assert_int_equal(scripted_count(f->server, "GET /v2/img/manifests/unwanted"), 0);
}

static void test_scanner_asks_nothing_twice(void **state)
{
    struct fixture *f = *state;
    unsigned first = 0, second = 0, third = 0;
    free(scan_of(f, f->server, "years", true, 0, &first));
    AUTO_FREE char *again = scan_of(f, f->server, "years", true, 0, &second);
    assert_string_equal(again, "y2019@2019 y2023@2023 y2024@2024");
    assert_int_equal(first, PROBE + 1 + 3 * 2);
    assert_int_equal(second, 1);
    /* the same images under another name: manifests are asked for, configs are known by digest */
    AUTO_FREE char *elsewhere = scan_of(f, f->server, "img", true, 0, &third);
    assert_string_equal(elsewhere, dated);
    assert_int_equal(third, 1 + 7 + 1 /* child of the index */ + 2 /* configs of index and moving */);
}

static void test_scanner_young_list_still_gets_missing_details(void **state)
{
    struct fixture *f = *state;
    unsigned requests = 0;
    free(scan_of(f, f->server, "years", false, 0, NULL));
    AUTO_FREE char *got = scan_of(f, f->server, "years", true, 60000, &requests);
    assert_string_equal(got, "y2019@2019 y2023@2023 y2024@2024");
    assert_int_equal(requests, 6);
}

static void test_scanner_rate_limit_in_details_keeps_the_list(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *got = scan_of(f, f->server, "hidden", true, 0, NULL);
    assert_true(str_starts_with(got, "index y2019 y2023 y2024| rate-limited: "));
}

/* A clock whose day can be moved on. */
static int64_t later_wall_ms(void *days)
{
    return clock_wall_ms(&system_clock) + (int64_t) * (int *)days * 86400000;
}

static int64_t same_monotonic_ms(void *days)
{
    (void)days;
    return clock_monotonic_ms(&system_clock);
}

static void note_tags(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    assert_int_equal(result->error.code, ERROR_NONE);
    for (size_t i = 0; i < result->info->images_len; i++)
        strbuf_addf(context, "%s%s", i ? " " : "", repository_info_tag(result->info, i));
}

/* Another pawl has listed since the answer that the push is put into: its list is the better one, for both of us. */
static void test_scanner_pushed_tag_leaves_a_newer_list_of_others(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *listed = scan_of(f, f->server, "years", false, 0, NULL);
    assert_string_equal(listed, "y2019 y2023 y2024");
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/years", f->server->port);
    CLEANUP(repository_info_release) struct repository_info *old = repository_info_new(repository);
    repository_info_add(old, "y2019");
    repository_info_finish(old);
    old->scanned_ms = clock_wall_ms(&system_clock) - 60000;
    CLEANUP(strvec_release) struct strvec pushed = STRVEC_INIT;
    strvec_push(&pushed, "y2024");
    CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
    const struct demand demand = {.repository = repository};
    scanner_submit_pushed(f->scanner, &demand, old, &pushed, note_tags, &got);
    while (scanner_run(f->scanner, 1000))
        ;
    assert_string_equal(got.buf, "y2019 y2023 y2024");
    unsigned requests = 0;
    AUTO_FREE char *kept = scan_of(f, f->server, "years", false, 60000, &requests);
    assert_string_equal(kept, "y2019 y2023 y2024");
    assert_int_equal(requests, 0);
}

static void note_push_times(const struct demand *demand UNUSED, struct scan_result *result, void *context)
{
    assert_int_equal(result->error.code, ERROR_NONE);
    assert_true(result->info->has_push_times);
    for (size_t i = 0; i < result->info->images_len; i++)
        strbuf_addf(context, "%lld ", (long long)repository_info_details(result->info, i)->pushed_ms);
}

/* A webhook tells of a push: the time that the list before it gave is of what was there then. */
static void test_scanner_pushed_tag_has_no_time_of_an_older_push(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/years", f->server->port);
    CLEANUP(repository_info_release) struct repository_info *old = repository_info_new(repository);
    static const char *const tags[] = {"y2019", "y2023", "y2024"};
    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        repository_info_edit_details(old, repository_info_add(old, tags[i]))->pushed_ms = 5;
    repository_info_set_digest(old, 2, "sha256:other");
    repository_info_edit_details(old, 2)->checked_ms = 6;
    old->scanned_ms = 7;
    old->has_push_times = true;
    repository_info_finish(old);
    CLEANUP(strvec_release) struct strvec pushed = STRVEC_INIT;
    strvec_push(&pushed, "y2023");
    strvec_push(&pushed, "y2024");
    CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
    const struct demand demand = {.repository = repository, .wants_push_times = true};
    scanner_submit_pushed(f->scanner, &demand, old, &pushed, note_push_times, &got);
    while (scanner_run(f->scanner, 1000))
        ;
    assert_string_equal(got.buf, "5 0 0 ");
}

static void test_scanner_moved_tag_is_noticed_after_a_day(void **state)
{
    struct fixture *f = *state;
    int days = 0;
    const struct clock clock = {later_wall_ms, same_monotonic_ms, &days};
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){
        .cache = f->cache, .clock = &clock, .rps = RPS, .burst = 100, .tag_limit = 1000, .timeout_ms = 5000});
    free(scan_of(f, f->server, "img", true, 0, NULL));
    f->moved = 1;
    AUTO_FREE char *same_day = scan_of(f, f->server, "img", true, 0, NULL);
    assert_non_null(strstr(same_day, "moving@2021"));
    days = 2;
    int before = scripted_count(f->server, "GET /v2/img/manifests/y2024");
    AUTO_FREE char *later = scan_of(f, f->server, "img", true, 0, NULL);
    assert_non_null(strstr(later, "moving@2022"));
    assert_int_equal(scripted_count(f->server, "HEAD /v2/img/manifests/y2024"), 1);
    assert_int_equal(scripted_count(f->server, "GET /v2/img/manifests/y2024"), before);
}

/* -- several at once --------------------------------------------------------------------------------------- */

struct tally {
    struct fixture *f;
    int done, failed;
    enum error_code last;
};

static void count(const struct demand *demand, struct scan_result *result, void *context)
{
    struct tally *tally = context;
    assert_non_null(strstr(demand->repository, "127.0.0.1:"));
    tally->done++;
    tally->failed += result->error.code != ERROR_NONE;
    tally->last = result->error.code;
}

static void submit(struct fixture *f, struct scripted_server *server, const char *path, struct tally *tally)
{
    AUTO_FREE char *repository = xasprintf("127.0.0.1:%d/%s", server->port, path);
    scanner_submit(f->scanner, &(struct demand){.repository = repository}, 0, count, tally);
}

static void test_scanner_one_that_hangs_delays_no_other(void **state)
{
    struct fixture *f = *state;
    struct tally quick = {.f = f}, slow = {.f = f};
    free(scan_of(f, f->server, "names", false, 0, NULL));
    submit(f, f->server, "hang", &slow);
    for (int i = 0; i < 50; i++)
        submit(f, i % 2 ? f->server : f->other, "names", &quick);
    for (int i = 0; i < 100 && quick.done < 50; i++)
        scanner_run(f->scanner, 50);
    assert_int_equal(quick.done, 50);
    assert_int_equal(quick.failed, 0);
    assert_int_equal(slow.done, 0);
    scanner_cancel(f->scanner);
    assert_int_equal(slow.done, 1);
    assert_int_equal(slow.last, ERROR_CANCELLED);
    AUTO_FREE char *after = scan_of(f, f->server, "names", false, 0, NULL);
    assert_string_equal(after, "a b");
}

static void *wake_soon(void *scanner)
{
    usleep(30000);
    scanner_wake(scanner);
    return NULL;
}

static void test_scanner_run_waits_for_wake_without_work(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    int64_t start = clock_monotonic_ms(&system_clock);
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, f->scanner), 0);
    assert_int_equal(scanner_run(f->scanner, 10000), 0);
    pthread_join(thread, NULL);
    int64_t took = clock_monotonic_ms(&system_clock) - start;
    assert_in_range(took, 20, 5000);
    start = clock_monotonic_ms(&system_clock);
    scanner_run(f->scanner, 60);
    took = clock_monotonic_ms(&system_clock) - start;
    assert_in_range(took, 55, 5000);
}

static void test_scanner_rate_is_kept(void **state)
{
    struct fixture *f = *state;
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .clock = &system_clock,
                                                       .rps = 50,
                                                       .burst = 2,
                                                       .tag_limit = 10,
                                                       .timeout_ms = 5000});
    struct tally tally = {.f = f};
    int64_t start = clock_monotonic_ms(&system_clock);
    for (int i = 0; i < 10; i++)
        submit(f, f->server, "names", &tally);
    while (scanner_run(f->scanner, 1000))
        ;
    assert_int_equal(tally.done, 10);
    assert_int_equal(tally.failed, 0);
    int64_t took = clock_monotonic_ms(&system_clock) - start;
    assert_in_range(took, 160, 5000); /* 11 requests: 2 at once, then 9 at 20 ms */
}

/* What finds out whether the host speaks https, and what gets a token, has its turn as all else. */
static void test_scanner_rate_covers_probes_and_tokens(void **state)
{
    struct fixture *f = *state;
    CLEANUP(strvec_release) struct strvec insecure = STRVEC_INIT;
    strvec_push(&insecure, "127.0.0.1"); /* https is tried first, and not spoken */
    scanner_free(f->scanner);
    f->scanner = scanner_new(&(struct scanner_options){.cache = f->cache,
                                                       .clock = &system_clock,
                                                       .insecure_hosts = &insecure,
                                                       .rps = 20,
                                                       .burst = 1,
                                                       .tag_limit = 10,
                                                       .timeout_ms = 5000});
    int64_t start = clock_monotonic_ms(&system_clock);
    unsigned requests = 0;
    AUTO_FREE char *got = scan_of(f, f->server, "public", false, 0, &requests);
    int64_t took = clock_monotonic_ms(&system_clock) - start;
    assert_string_equal(got, "a b");
    assert_int_equal(requests, 5); /* probe, refused, token, two pages */
    assert_in_range(took, 195, 5000);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_scanner_lists),
        CASE(test_scanner_takes_a_list_apart_only_if_it_is_another),
        CASE(test_scanner_knows_when_tags_were_pushed_if_that_is_asked),
        CASE(test_scanner_knows_a_list_again_from_the_cache),
        CASE(test_scanner_counts_bad_tags_of_an_unchanged_list),
        CASE(test_scanner_writes_what_ends_close_together_at_once),
        CASE(test_scanner_page_size_that_is_refused_is_not_asked_for_again),
        CASE(test_scanner_name_without_path_is_refused),
        CASE(test_scanner_tag_limit_truncates),
        CASE(test_scanner_failure_keeps_last_answer),
        CASE(test_scanner_young_answer_costs_nothing),
        CASE(test_scanner_rate_limit_blocks_its_host_only),
        CASE(test_scanner_token_is_fetched_once_and_used_again),
        CASE(test_scanner_token_kinds),
        CASE(test_scanner_token_has_the_scope_of_the_challenge),
        CASE(test_scanner_token_is_for_lists_and_manifests),
        CASE(test_scanner_refused_token_is_replaced_once),
        CASE(test_scanner_basic_credentials),
        CASE(test_scanner_refusal_says_what_to_do),
        CASE(test_scanner_credentials_stay_home),
        CASE(test_scanner_dates_what_is_wanted),
        CASE(test_scanner_asks_nothing_twice),
        CASE(test_scanner_young_list_still_gets_missing_details),
        CASE(test_scanner_rate_limit_in_details_keeps_the_list),
        CASE(test_scanner_pushed_tag_leaves_a_newer_list_of_others),
        CASE(test_scanner_pushed_tag_has_no_time_of_an_older_push),
        CASE(test_scanner_moved_tag_is_noticed_after_a_day),
        CASE(test_scanner_one_that_hangs_delays_no_other),
        CASE(test_scanner_run_waits_for_wake_without_work),
        CASE(test_scanner_rate_is_kept),
        CASE(test_scanner_rate_covers_probes_and_tokens),
    };
    return cmocka_run_group_tests_name("scanner", tests, NULL, NULL);
}
