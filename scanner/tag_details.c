#include "scanner/tag_details.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/records.h"
#include "model/image_ref.h"
#include "scanner/oci_manifest.h"

/* An index may hold indexes; no one nests them deeper. */
#define INDEX_DEPTH 2

struct details {
    struct tag_details_request request;
    char *digest; /* of what the tag points at */
    char *image;  /* of the manifest behind an index; NULL: `digest` is the image */
    char *config;
    unsigned depth;
    tag_details_done done;
    void *context;
};

static void finish(struct details *d, int64_t created_ms, const struct error *err)
{
    d->done(d->digest, created_ms, err, d->context);
    free(d->digest);
    free(d->image);
    free(d->config);
    free(d);
}

/* The request failed: nothing is known of the tag. */
static void give_up(struct details *d, const struct error *err)
{
    free(steal(&d->digest));
    finish(d, 0, err);
}

static void succeed(struct details *d, int64_t created_ms)
{
    const char *platform = d->request.platform;
    record_put_created(d->request.cache, d->digest, platform, created_ms);
    if (d->image)
        record_put_created(d->request.cache, d->image, platform, created_ms);
    finish(d, created_ms, NULL);
}

/* True if it is on record, and then the details are finished. */
static bool is_on_record(struct details *d, const char *digest)
{
    int64_t created_ms = 0;
    if (!record_get_created(d->request.cache, digest, d->request.platform, &created_ms))
        return false;
    succeed(d, created_ms);
    return true;
}

/* `kind` is "manifests" or "blobs". */
static void ask(struct details *d, const char *method, const char *kind, const char *reference,
                registry_answer answer)
{
    const char *path = d->request.repository + strcspn(d->request.repository, "/") + 1;
    AUTO_FREE char *target = xasprintf("/v2/%s/%s/%s", path, kind, reference);
    bool is_manifest = !strcmp(kind, "manifests");
    registry_ask(
        d->request.registry,
        &(struct registry_question){.repository = d->request.repository,
                                    .credential = d->request.credential,
                                    .kind = is_manifest ? REGISTRY_MANIFEST : REGISTRY_CONFIG,
                                    .method = method,
                                    .target = target,
                                    .accept = is_manifest ? oci_manifest_accept : NULL,
                                    .max_body = is_manifest ? LIMIT_MANIFEST_BYTES : LIMIT_IMAGE_CONFIG_BYTES,
                                    .requests = d->request.requests},
        answer, d);
}

static void on_config(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    struct error problem = ERROR_INIT;
    int64_t created_ms = 0;
    if (err)
        problem = *err;
    else if (oci_digest_verify(d->config, response->body.buf, response->body.len, &problem) == 0 &&
             oci_config_created(response->body.buf, response->body.len, &created_ms, &problem) == 0) {
        succeed(d, created_ms);
        return;
    }
    error_wrap(&problem, "the config of %s", d->request.tag);
    give_up(d, &problem);
}

static void on_child(struct http_response *response, const struct error *err, void *context);

/* Goes on from a manifest whose digest is right. */
static void on_manifest_body(struct details *d, const struct strbuf *body)
{
    struct error problem = ERROR_INIT;
    struct oci_manifest manifest;
    if (oci_manifest_read(body->buf, body->len, d->request.platform, &manifest, &problem) < 0) {
        error_wrap(&problem, "%s", d->request.tag);
        finish(d, 0, &problem);
        return;
    }
    if (manifest.kind == OCI_INDEX && d->depth++ == INDEX_DEPTH) {
        error_set(&problem, ERROR_UNSUPPORTED, "%s: an index in an index in an index", d->request.tag);
        finish(d, 0, &problem);
    } else if (manifest.kind == OCI_INDEX) {
        free(d->image);
        d->image = steal(&manifest.digest);
        if (!is_on_record(d, d->image))
            ask(d, "GET", "manifests", d->image, on_child);
    } else if (manifest.kind == OCI_IMAGE && manifest.digest) {
        d->config = steal(&manifest.digest);
        ask(d, "GET", "blobs", d->config, on_config);
    } else {
        succeed(d, manifest.created_ms);
    }
    oci_manifest_release(&manifest);
}

static void on_child(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    struct error problem = ERROR_INIT;
    if (err)
        problem = *err;
    else if (oci_digest_verify(d->image, response->body.buf, response->body.len, &problem) == 0) {
        on_manifest_body(d, &response->body);
        return;
    }
    error_wrap(&problem, "the image of %s", d->request.tag);
    give_up(d, &problem);
}

/* The digest of a schema 1 manifest leaves its signatures out and cannot be compared with the bytes. */
static bool is_signed_schema1(struct http_response *response)
{
    const char *type = http_header(response, "Content-Type");
    return type && str_starts_with(type, "application/vnd.docker.distribution.manifest.v1");
}

static int take_digest(struct details *d, struct http_response *response, struct error *err)
{
    bool is_schema1 = is_signed_schema1(response);
    const char *said = http_header(response, "Docker-Content-Digest");
    if (!said || !*said)
        d->digest = oci_digest_of(response->body.buf, response->body.len);
    else if (is_schema1 && !image_digest_is_valid(said))
        return error_set(err, ERROR_INVALID, "not a digest of sha256 or sha512: %.150s", said);
    else if (!is_schema1 && oci_digest_verify(said, response->body.buf, response->body.len, err) < 0)
        return -1;
    else
        d->digest = xstrdup(said);
    return 0;
}

static void on_manifest(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    struct error problem = ERROR_INIT;
    if (err)
        problem = *err;
    else if (take_digest(d, response, &problem) == 0) {
        if (!is_on_record(d, d->digest))
            on_manifest_body(d, &response->body);
        return;
    }
    error_wrap(&problem, "the manifest of %s", d->request.tag);
    give_up(d, &problem);
}

static void on_head(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    const char *said = response ? http_header(response, "Docker-Content-Digest") : NULL;
    if (err && err->code != ERROR_INVALID) {
        give_up(d, err);
        return;
    }
    if (said && image_digest_is_valid(said)) {
        d->digest = xstrdup(said);
        if (is_on_record(d, d->digest))
            return;
        free(steal(&d->digest));
    }
    ask(d, "GET", "manifests", d->request.tag, on_manifest);
}

void tag_details_fetch(const struct tag_details_request *request, tag_details_done done, void *context)
{
    struct details *d = xcalloc(1, sizeof(*d));
    d->request = *request;
    d->done = done;
    d->context = context;
    if (request->known_digest ||
        registry_counts_manifests(request->registry, request->repository, request->credential))
        ask(d, "HEAD", "manifests", request->tag, on_head);
    else
        ask(d, "GET", "manifests", request->tag, on_manifest);
}
