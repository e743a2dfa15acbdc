/* The form of packs: git's gitformat-pack(5). */
#include "git/object_writer.h"

#define ZLIB_CONST /* what zlib only reads is const */
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/strmap.h"

#define PACK_VERSION    2
#define PACK_COUNT_AT   8
#define PACK_SHA1_BYTES 20

/* Objects are a kilobyte or so each, and resetting zlib's default tables costs more than compressing that. */
#define ZLIB_LEVEL  1
#define ZLIB_WINDOW 12 /* bits */
#define ZLIB_MEMORY 4
#define CHUNK       4096

struct object_writer {
    struct mirror *mirror;
    git_odb *odb;
    bool is_packed;
    struct strbuf pack;
    uint32_t len; /* objects in it */
    struct strmap ids;
    z_stream zlib;
};

static void put_number(char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(number >> (24 - 8 * i));
}

static int begin_pack(struct object_writer *writer, struct error *err)
{
    char header[12] = "PACK";
    put_number(header + 4, PACK_VERSION);
    strbuf_add(&writer->pack, header, sizeof(header));
    if (deflateInit2(&writer->zlib, ZLIB_LEVEL, Z_DEFLATED, ZLIB_WINDOW, ZLIB_MEMORY, Z_DEFAULT_STRATEGY) ==
        Z_OK)
        return 0;
    return error_set(err, ERROR_INTERNAL, "zlib does not start");
}

struct object_writer *object_writer_new(struct mirror *mirror, bool is_packed, struct error *err)
{
    CLEANUP(object_writer_release) struct object_writer *writer = xcalloc(1, sizeof(*writer));
    writer->mirror = mirror;
    writer->is_packed = is_packed;
    strbuf_init(&writer->pack, 0);
    if (git_repository_odb(&writer->odb, mirror->repository) < 0) {
        (void)library_error(err, "cannot write to %s", mirror->directory);
        return NULL;
    }
    if (is_packed && begin_pack(writer, err) < 0)
        return NULL;
    return steal(&writer);
}

void object_writer_free(struct object_writer *writer)
{
    if (!writer)
        return;
    if (writer->is_packed)
        deflateEnd(&writer->zlib);
    release_odb(&writer->odb);
    strbuf_release(&writer->pack);
    strmap_release(&writer->ids);
    free(writer);
}

void object_writer_release(struct object_writer **writer)
{
    object_writer_free(*writer);
    *writer = NULL;
}

/* The type and the length of what follows: four bits of it, then seven for each byte. */
static void add_header(struct strbuf *pack, git_object_t type, size_t len)
{
    size_t rest = len >> 4;
    unsigned byte = (unsigned)type << 4 | (unsigned)(len & 15);
    for (; rest; rest >>= 7) {
        strbuf_addch(pack, (char)(byte | 128));
        byte = rest & 127;
    }
    strbuf_addch(pack, (char)byte);
}

static int add_compressed(struct object_writer *writer, const void *bytes, size_t len)
{
    unsigned char chunk[CHUNK];
    z_stream *zlib = &writer->zlib;
    int result = deflateReset(zlib);
    zlib->next_in = bytes;
    zlib->avail_in = (uInt)len;
    while (result == Z_OK) {
        zlib->next_out = chunk;
        zlib->avail_out = sizeof(chunk);
        result = deflate(zlib, Z_FINISH);
        strbuf_add(&writer->pack, chunk, sizeof(chunk) - zlib->avail_out);
    }
    return result == Z_STREAM_END ? 0 : -1;
}

static int add_to_pack(struct object_writer *writer, git_object_t type, const void *bytes, size_t len,
                       git_oid *id, struct error *err)
{
    if (len > UINT_MAX || writer->len == UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "a commit of more than git's packs can hold");
    if (git_odb_hash(id, bytes, len, type) < 0)
        return library_error(err, "cannot name an object");
    char name[GIT_ID_SIZE];
    git_oid_tostr(name, sizeof(name), id);
    if (strmap_has(&writer->ids, name))
        return 0;
    strmap_set(&writer->ids, name, NULL);
    add_header(&writer->pack, type, len);
    if (add_compressed(writer, bytes, len) < 0)
        return error_set(err, ERROR_INTERNAL, "zlib cannot compress an object");
    writer->len++;
    return 0;
}

int object_writer_add(struct object_writer *writer, git_object_t type, const void *bytes, size_t len,
                      git_oid *id, struct error *err)
{
    if (writer->is_packed)
        return add_to_pack(writer, type, bytes, len, id, err);
    if (git_odb_write(id, writer->odb, bytes, len, type) < 0)
        return library_error(err, "cannot write to %s", writer->mirror->directory);
    return 0;
}

static void release_writepack(git_odb_writepack **pack)
{
    if (*pack)
        (*pack)->free(*pack);
}

int object_writer_finish(struct object_writer *writer, struct error *err)
{
    CLEANUP(release_writepack) git_odb_writepack *out = NULL;
    unsigned char sum[PACK_SHA1_BYTES];
    git_indexer_progress progress = {0};
    struct strbuf *pack = &writer->pack;
    if (!writer->len)
        return 0;
    put_number(pack->buf + PACK_COUNT_AT, writer->len);
    if (EVP_Digest(pack->buf, pack->len, sum, NULL, EVP_sha1(), NULL) != 1)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot make a SHA-1");
    strbuf_add(pack, sum, sizeof(sum));
    if (git_odb_write_pack(&out, writer->odb, NULL, NULL) < 0 ||
        out->append(out, pack->buf, pack->len, &progress) < 0 || out->commit(out, &progress) < 0 ||
        git_odb_refresh(writer->odb) < 0)
        return library_error(err, "cannot store the commit's objects in %s", writer->mirror->directory);
    return 0;
}
