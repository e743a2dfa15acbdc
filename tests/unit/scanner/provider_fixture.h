/*
 * A cloud on a loopback port, for tests of the providers: its answers are rows, its services are scripted and never the
 * real ones. What the environment holds is a table, too. Header-only, as each test program is one file.
 */
#ifndef TESTS_PROVIDER_FIXTURE_H
#define TESTS_PROVIDER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "scanner/provider.h"
#include "tests/unit/scripted_server.h"

#define CLOUD_ROWS      8
#define CLOUD_VARIABLES 12
#define CLOUD_NOW_MS    INT64_C(1700000000000)

/* The answer to requests whose "METHOD target" begins with `request`. `needs` must be in their head or body, else they are
 * answered 400. */
struct cloud_row {
    const char *request, *needs, *status, *body;
};

struct cloud {
    struct scripted_server *server;
    struct http_client *client;
    char directory[32], url[64];
    char file[64]; /* for a token or a key */
    struct cloud_row rows[CLOUD_ROWS];
    const char
        *variables[CLOUD_VARIABLES][2]; /* a value beginning with '@' is the server's URL and the rest */
    char values[CLOUD_VARIABLES][256];
    char *last_head, *last_body; /* of the last request, once it was answered */
};

static bool cloud_answer(const struct scripted_request *r, int fd, void *context)
{
    struct cloud *cloud = context;
    AUTO_FREE char *line = xasprintf("%s %s", r->method, r->target);
    free(cloud->last_head);
    free(cloud->last_body);
    cloud->last_head = xstrdup(r->head);
    cloud->last_body = xstrdup(r->body);
    for (size_t i = 0; i < CLOUD_ROWS && cloud->rows[i].request; i++) {
        const struct cloud_row *row = &cloud->rows[i];
        if (!str_starts_with(line, row->request))
            continue;
        bool has_it = !row->needs || strstr(r->head, row->needs) || strstr(r->body, row->needs);
        return has_it ? scripted_reply(fd, row->status, "", row->body)
                      : scripted_reply(fd, "400 Bad Request", "", "{\"message\":\"the test expects more\"}");
    }
    return scripted_reply(fd, "404 Not Found", "", "nothing here");
}

static const char *cloud_variable(const char *name, void *context)
{
    struct cloud *cloud = context;
    for (size_t i = 0; i < CLOUD_VARIABLES && cloud->variables[i][0]; i++) {
        if (strcmp(cloud->variables[i][0], name) != 0)
            continue;
        const char *value = cloud->variables[i][1];
        if (*value != '@')
            return value;
        snprintf(cloud->values[i], sizeof(cloud->values[i]), "%s%s", cloud->url, value + 1);
        return cloud->values[i];
    }
    return NULL;
}

static UNUSED int cloud_set_up(void **state)
{
    struct cloud *cloud = xcalloc(1, sizeof(*cloud));
    snprintf(cloud->directory, sizeof(cloud->directory), "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(cloud->directory));
    snprintf(cloud->file, sizeof(cloud->file), "%s/secret", cloud->directory);
    cloud->server = scripted_start(cloud_answer, cloud);
    snprintf(cloud->url, sizeof(cloud->url), "http://127.0.0.1:%d", cloud->server->port);
    cloud->client = http_client_new(NULL);
    *state = cloud;
    return 0;
}

static UNUSED int cloud_tear_down(void **state)
{
    struct cloud *cloud = *state;
    http_client_free(cloud->client);
    scripted_stop(cloud->server);
    unlink(cloud->file);
    rmdir(cloud->directory);
    free(cloud->last_head);
    free(cloud->last_body);
    free(cloud);
    return 0;
}

static UNUSED void cloud_write_file(struct cloud *cloud, const char *text)
{
    struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic(cloud->file, text, strlen(text), 0600, &err), 0);
}

static int64_t cloud_now(void *context UNUSED)
{
    return CLOUD_NOW_MS;
}

/* Runs the provider's function; the grant is the caller's to release. */
static UNUSED int cloud_get(struct cloud *cloud, const char *host,
                            int (*get)(const struct provider_request *, struct credential_grant *,
                                       struct error *),
                            struct credential_grant *grant, struct error *err)
{
    const struct clock clock = {.wall_ms = cloud_now, .monotonic_ms = cloud_now};
    *grant = (struct credential_grant)CREDENTIAL_GRANT_INIT;
    *err = (struct error)ERROR_INIT;
    return get(&(struct provider_request){.host = host,
                                          .registry_url = cloud->url,
                                          .client = cloud->client,
                                          .clock = &clock,
                                          .variable = cloud_variable,
                                          .context = cloud},
               grant, err);
}

#endif
