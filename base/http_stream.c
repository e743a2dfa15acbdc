#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/http.h"
#include "base/http_transfer.h"

struct http_stream {
    struct http_client *client;
    struct http_transfer *transfer;
    size_t taken; /* bytes of the body so far that the reader has */
};

static bool has_answer(struct http_transfer *t)
{
    return t->has_headers && !http_transfer_is_redirect(t);
}

struct http_stream *http_stream_open(struct http_client *client, const struct http_request *request,
                                     struct error *err)
{
    struct http_transfer *t = http_transfer_new(request);
    t->is_stream = true;
    http_client_add(client, t);
    for (http_client_step(client); !t->is_finished && !has_answer(t); http_client_step(client))
        http_client_wait(client, -1);
    if (!has_answer(t)) {
        if (err)
            *err = t->error;
        http_client_remove(client, t);
        http_transfer_free(t);
        return NULL;
    }
    struct http_stream *stream = xcalloc(1, sizeof(*stream));
    stream->client = client;
    stream->transfer = t;
    return stream;
}

int http_stream_status(const struct http_stream *stream)
{
    return stream->transfer->response.status;
}

const char *http_stream_header(struct http_stream *stream, const char *name)
{
    return http_header(&stream->transfer->response, name);
}

/* Lets curl go on; it may hand over the bytes that it held back within this call. */
static void resume(struct http_transfer *t)
{
    t->is_paused = false;
    CURLcode code = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (code == CURLE_OK)
        return;
    t->is_finished = true;
    http_transfer_explain(t, code, &t->error);
}

/* Waits for more of the body, or the end. */
static void fill(struct http_stream *stream)
{
    struct http_transfer *t = stream->transfer;
    strbuf_reset(&t->response.body);
    stream->taken = 0;
    while (!t->response.body.len && !t->is_finished) {
        if (t->is_paused)
            resume(t);
        http_client_step(stream->client);
        if (!t->response.body.len && !t->is_finished && !t->is_paused)
            http_client_wait(stream->client, -1);
    }
}

ssize_t http_stream_read(struct http_stream *stream, void *buffer, size_t size, struct error *err)
{
    struct http_transfer *t = stream->transfer;
    struct strbuf *body = &t->response.body;
    if (stream->taken == body->len)
        fill(stream);
    if (!body->len && t->error.code != ERROR_NONE) {
        if (err)
            *err = t->error;
        return -1;
    }
    size_t len = body->len - stream->taken < size ? body->len - stream->taken : size;
    memcpy(buffer, body->buf + stream->taken, len);
    stream->taken += len;
    return (ssize_t)len;
}

void http_stream_close(struct http_stream *stream)
{
    if (!stream)
        return;
    http_client_remove(stream->client, stream->transfer);
    http_transfer_free(stream->transfer);
    free(stream);
}
