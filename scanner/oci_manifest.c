#include "scanner/oci_manifest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "model/demand.h"
#include "model/image_ref.h"
#include "scanner/oci_config.h"
#include "scanner/oci_platforms.h"

const char oci_manifest_accept[] = "application/vnd.oci.image.index.v1+json, "
                                   "application/vnd.oci.image.manifest.v1+json, "
                                   "application/vnd.docker.distribution.manifest.list.v2+json, "
                                   "application/vnd.docker.distribution.manifest.v2+json, "
                                   "application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.5, "
                                   "application/vnd.docker.distribution.manifest.v1+json;q=0.5";

static const char *const config_types[] = {"application/vnd.docker.container.image.v1+json",
                                           "application/vnd.oci.image.config.v1+json"};

/* -- digests --------------------------------------------------------------------------------------------- */

static char *digest_with(const EVP_MD *algorithm, const char *name, const void *bytes, size_t len)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    if (EVP_Digest(bytes, len, hash, &hash_len, algorithm, NULL) != 1)
        abort();
    struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, name);
    strbuf_addch(&text, ':');
    strbuf_add_hex(&text, hash, hash_len);
    return strbuf_detach(&text, NULL);
}

char *oci_digest_of(const void *bytes, size_t len)
{
    return digest_with(EVP_sha256(), "sha256", bytes, len);
}

int oci_digest_verify(const char *digest, const void *bytes, size_t len, struct error *err)
{
    if (!image_digest_is_valid(digest))
        return error_set(err, ERROR_INVALID, "not a digest of sha256 or sha512: %.150s", digest);
    AUTO_FREE char *real = str_starts_with(digest, "sha512:")
                               ? digest_with(EVP_sha512(), "sha512", bytes, len)
                               : oci_digest_of(bytes, len);
    if (strcmp(real, digest) != 0)
        return error_set(err, ERROR_INVALID, "the content is not what its digest says: %s, got %s", digest,
                         real);
    return 0;
}

/* -- manifests ------------------------------------------------------------------------------------------- */

static int take_digest(const json_t *descriptor, const char *what, struct oci_manifest *out,
                       struct error *err)
{
    const char *digest = json_string_at(descriptor, "digest");
    if (!digest || !image_digest_is_valid(digest))
        return error_set(err, ERROR_INVALID, "the manifest gives no usable digest for its %s", what);
    out->digest = xstrdup(digest);
    return 0;
}

/* There is no more to know. */
static struct image_facts facts_of_no_image(int64_t created_ms)
{
    return (struct image_facts){.known = DEMAND_CREATED | DEMAND_PLATFORMS | DEMAND_LABELS,
                                .created_ms = created_ms,
                                .platforms = xstrdup(""),
                                .labels = xstrdup("{}")};
}

static int read_image(const json_t *manifest, struct oci_manifest *out, struct error *err)
{
    const json_t *config = json_object_get(manifest, "config");
    const char *type = json_string_at(config, "mediaType");
    bool is_image = !type;
    for (size_t i = 0; type && i < ARRAY_LEN(config_types); i++)
        is_image |= !strcmp(type, config_types[i]);
    out->kind = OCI_IMAGE;
    if (is_image)
        return take_digest(config, "config", out, err);
    const json_t *annotations = json_object_get(manifest, "annotations");
    out->facts = facts_of_no_image(oci_time(json_string_at(annotations, "org.opencontainers.image.created")));
    return 0;
}

static bool equals(const char *text, const char *part, size_t len)
{
    return text && strlen(text) == len && !strncmp(text, part, len);
}

/* "linux/arm/v7" against a descriptor's platform. Without a variant any will do; arm64 has but one, v8. */
static bool is_platform(const json_t *platform, const char *wanted)
{
    size_t os = strcspn(wanted, "/");
    const char *arch = wanted + os + (wanted[os] == '/');
    size_t arch_len = strcspn(arch, "/");
    const char *variant = arch + arch_len + (arch[arch_len] == '/');
    const char *has = json_string_at(platform, "variant");
    if (!equals(json_string_at(platform, "os"), wanted, os) ||
        !equals(json_string_at(platform, "architecture"), arch, arch_len))
        return false;
    if (!*variant || (has && !strcmp(has, variant)))
        return true;
    return (!has || !*has) && equals("arm64", arch, arch_len) && !strcmp(variant, "v8");
}

static int set_no_platform(const char *names, const char *platform, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;
    for (const char *at = names; *at && list.len < 200; at++) {
        if (*at == ' ')
            strbuf_addch(&list, ',');
        strbuf_addch(&list, *at);
    }
    return error_set(err, ERROR_NOT_FOUND, "no image for %s (there is: %s)", platform,
                     list.len ? list.buf : "none");
}

static int read_index(const json_t *entries, const char *platform, struct oci_manifest *out,
                      struct error *err)
{
    out->kind = OCI_INDEX;
    out->facts =
        (struct image_facts){.known = DEMAND_PLATFORMS, .platforms = oci_platforms_of_index(entries)};
    size_t i;
    const json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        const json_t *has = json_object_get(entry, "platform");
        if (is_platform(has, platform) || (!has && json_array_size(entries) == 1))
            return take_digest(entry, "image", out, err);
    }
    return set_no_platform(out->facts.platforms, platform, err);
}

/* Schema 1 holds the config of the newest layer as text in its history. */
static int read_schema1(const json_t *manifest, struct oci_manifest *out)
{
    const json_t *newest = json_array_get(json_object_get(manifest, "history"), 0);
    const char *text = json_string_at(newest, "v1Compatibility");
    out->kind = OCI_SCHEMA1;
    if (!text || oci_config_read(text, strlen(text), &out->facts, NULL) < 0)
        out->facts = facts_of_no_image(0);
    return 0;
}

int oci_manifest_read(const char *text, size_t len, const char *platform, struct oci_manifest *out,
                      struct error *err)
{
    *out = (struct oci_manifest){.kind = OCI_IMAGE};
    AUTO_JSON json_t *manifest = json_read(text, len, err);
    if (!manifest)
        return error_wrap(err, "the manifest");
    if (json_is_object(json_object_get(manifest, "config")))
        return read_image(manifest, out, err);
    if (json_is_array(json_object_get(manifest, "manifests")))
        return read_index(json_object_get(manifest, "manifests"), platform, out, err);
    if (json_integer_value(json_object_get(manifest, "schemaVersion")) == 1)
        return read_schema1(manifest, out);
    return error_set(err, ERROR_INVALID, "neither an image manifest nor an index");
}

void oci_manifest_release(struct oci_manifest *manifest)
{
    free(manifest->digest);
    manifest->digest = NULL;
    image_facts_release(&manifest->facts);
}
