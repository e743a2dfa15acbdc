/*
 * What tests of scans share: a cache in a directory of its own, and manifests as a registry has and sends them. Header-only,
 * as each test program is one file.
 */
#ifndef TESTS_SCAN_FIXTURE_H
#define TESTS_SCAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cache/cache.h"
#include "scanner/oci_manifest.h"
#include "tests/unit/directory_fixture.h"
#include "tests/unit/scripted_server.h"

#define SCAN_DIRECTORY_SIZE 64

/* Makes the directory and opens a cache in it. */
static inline struct cache *scan_cache_open(char directory[SCAN_DIRECTORY_SIZE])
{
    struct error err = ERROR_INIT;
    snprintf(directory, SCAN_DIRECTORY_SIZE, "/tmp/pawl-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    struct cache *cache = cache_open("file", directory, 1000, &err);
    if (!cache)
        fail_msg("%s", err.text);
    return cache;
}

static inline void scan_cache_close(struct cache *cache, const char *directory)
{
    cache_free(cache);
    remove_files(directory);
}

/* The manifest of an image with this config. free() it. */
static inline char *scan_manifest_of(const char *config)
{
    AUTO_FREE char *digest = oci_digest_of(config, strlen(config));
    return xasprintf(
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
        "\"digest\":\"%s\"}}",
        digest);
}

/* Answers with the content and its digest, a HEAD with its length and its digest alone; `headers` come along. */
static inline bool scan_reply_content(const struct scripted_request *r, int fd, const char *headers,
                                      const char *content)
{
    AUTO_FREE char *digest = oci_digest_of(content, strlen(content));
    AUTO_FREE char *all = xasprintf("Docker-Content-Digest: %s\r\n%s", digest, headers);
    if (strcmp(r->method, "HEAD") != 0)
        return scripted_reply(fd, "200 OK", all, content);
    AUTO_FREE char *head =
        xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n", strlen(content), all);
    scripted_send(fd, head, strlen(head));
    return true;
}

#endif
