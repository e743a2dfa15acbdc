#include "scanner/tag_details.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cache/fact_record.h"
#include "model/demand.h"
#include "model/image_ref.h"
#include "scanner/oci_config.h"
#include "scanner/oci_manifest.h"

/* An index may hold indexes; no one nests them deeper. */
#define INDEX_DEPTH 2

struct details {
    struct tag_details_request request;
    char *digest;             /* of what the tag points at */
    char *image;              /* of the manifest behind an index; NULL: `digest` is the image */
    char *config;             /* of the image's config */
    struct image_facts facts; /* of `digest` */
    unsigned depth;
    tag_details_done done;
    void *context;
};

static void finish(struct details *d, const struct error *err)
{
    d->done(d->digest, &d->facts, err, d->context);
    image_facts_release(&d->facts);
    free(d->digest);
    free(d->image);
    free(d->config);
    free(d);
}

/* The request failed: nothing is known of the tag. */
static void give_up(struct details *d, const struct error *err)
{
    free(steal(&d->digest));
    finish(d, err);
}

/* What is wanted and not known yet. */
static unsigned open_wants(const struct details *d)
{
    const struct tag_details_request *request = &d->request;
    bool is_same = request->known_digest && !strcmp(d->digest, request->known_digest);
    return request->wants & ~(DEMAND_DIGEST | d->facts.known | (is_same ? request->known : 0));
}

/* Takes over what was read of `digest`, the tag's own or that of the image behind it, which is on record from now on.
 * The platforms of an image behind an index are not those of the index. */
static void take_facts(struct details *d, const char *digest, struct image_facts *facts)
{
    record_put_facts(d->request.cache, digest, d->request.platform, facts);
    if (digest != d->digest)
        facts->known &= ~DEMAND_PLATFORMS;
    image_facts_merge(&d->facts, facts);
    if (digest != d->digest)
        record_put_facts(d->request.cache, d->digest, d->request.platform, &d->facts);
}

/* True if nothing more is wanted, and then the details are finished. */
static bool is_complete(struct details *d)
{
    if (open_wants(d))
        return false;
    finish(d, NULL);
    return true;
}

/* Takes what is on record of the tag's digest, or of the image's behind it; true as above. */
static bool is_on_record(struct details *d, const char *digest)
{
    CLEANUP(image_facts_release) struct image_facts facts = IMAGE_FACTS_INIT;
    if (open_wants(d) && record_get_facts(d->request.cache, digest, d->request.platform, &facts)) {
        if (digest == d->digest)
            image_facts_merge(&d->facts, &facts);
        else
            take_facts(d, digest, &facts);
    }
    return is_complete(d);
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
    CLEANUP(image_facts_release) struct image_facts facts = IMAGE_FACTS_INIT;
    if (err)
        problem = *err;
    else if (oci_digest_verify(d->config, response->body.buf, response->body.len, &problem) == 0 &&
             oci_config_read(response->body.buf, response->body.len, &facts, &problem) == 0) {
        take_facts(d, d->image ? d->image : d->digest, &facts);
        finish(d, NULL);
        return;
    }
    error_wrap(&problem, "the config of %s", d->request.tag);
    give_up(d, &problem);
}

static void on_child(struct http_response *response, const struct error *err, void *context);

/* Goes on to the image behind an index. */
static void follow_index(struct details *d, struct oci_manifest *manifest)
{
    struct error problem = ERROR_INIT;
    if (d->depth++ == INDEX_DEPTH) {
        error_set(&problem, ERROR_UNSUPPORTED, "%s: an index in an index in an index", d->request.tag);
        finish(d, &problem);
        return;
    }
    free(d->image);
    d->image = steal(&manifest->digest);
    if (!is_on_record(d, d->image))
        ask(d, "GET", "manifests", d->image, on_child);
}

/* Goes on from a manifest whose digest is right, and what it says itself is taken. */
static void on_manifest_body(struct details *d, const struct strbuf *body)
{
    struct error problem = ERROR_INIT;
    CLEANUP(oci_manifest_release) struct oci_manifest manifest;
    bool is_read = oci_manifest_read(body->buf, body->len, d->request.platform, &manifest, &problem) == 0;
    bool is_config_open = is_read && manifest.kind == OCI_IMAGE && manifest.digest;
    if (manifest.facts.known)
        take_facts(d, d->image ? d->image : d->digest, &manifest.facts);
    if (is_complete(d))
        return;
    if (!is_read) {
        error_wrap(&problem, "%s", d->request.tag);
        finish(d, &problem);
    } else if (is_config_open) {
        d->config = steal(&manifest.digest);
        ask(d, "GET", "blobs", d->config, on_config);
    } else {
        follow_index(d, &manifest);
    }
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

/* Nexus has 404 for the HEAD of a manifest that it gives to a GET; others say 405, or 501. */
static bool may_be_got(enum error_code code)
{
    return code == ERROR_NOT_FOUND || code == ERROR_INVALID || code == ERROR_UNSUPPORTED;
}

static void on_head(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    const char *said = response ? http_header(response, "Docker-Content-Digest") : NULL;
    if (err && !may_be_got(err->code)) {
        give_up(d, err);
        return;
    }
    if (said && image_digest_is_valid(said)) {
        d->digest = xstrdup(said);
        if (is_on_record(d, d->digest))
            return;
        free(steal(&d->digest));
        image_facts_release(&d->facts);
    }
    ask(d, "GET", "manifests", d->request.tag, on_manifest);
}

/* The content of a digest that is known to be the tag's. */
static void on_known(struct http_response *response, const struct error *err, void *context)
{
    struct details *d = context;
    struct error problem = ERROR_INIT;
    if (err)
        problem = *err;
    else if (is_signed_schema1(response) ||
             oci_digest_verify(d->digest, response->body.buf, response->body.len, &problem) == 0) {
        on_manifest_body(d, &response->body);
        return;
    }
    error_wrap(&problem, "the manifest of %s", d->request.tag);
    give_up(d, &problem);
}

void tag_details_fetch(const struct tag_details_request *request, tag_details_done done, void *context)
{
    struct details *d = xcalloc(1, sizeof(*d));
    d->request = *request;
    d->done = done;
    d->context = context;
    if (request->is_current) {
        d->digest = xstrdup(request->known_digest);
        if (!is_on_record(d, d->digest))
            ask(d, "GET", "manifests", d->digest, on_known);
    } else if (request->known_digest || request->wants == DEMAND_DIGEST ||
               registry_counts_manifests(request->registry, request->repository, request->credential)) {
        ask(d, "HEAD", "manifests", request->tag, on_head);
    } else {
        ask(d, "GET", "manifests", request->tag, on_manifest);
    }
}
