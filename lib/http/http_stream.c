#include "lib/http/http_private.h"

#include "lib/common/common.h"

#include <errno.h>
#include <stdio.h>

enum { LOW_WATER_BYTES = 16 * 1024 };

static struct http_request *request_of(struct http_stream *stream)
{
    return (struct http_request *)((char *)stream - offsetof(struct http_request, stream));
}

struct http_request *http_stream_request(const struct http_stream *stream)
{
    union {
        const struct http_stream *in;
        struct http_stream *out;
    } shared = {.in = stream};
    return request_of(shared.out);
}

struct http_stream *http_stream_open(struct http_request *request, int status,
                                     const char *content_type,
                                     const struct http_stream_events *events)
{
    request->answered = true;
    request->held = false;
    request->status = status;
    struct http__conn *conn = request->conn;
    if (conn == NULL) {
        http__request_free(request);
        return NULL;
    }
    struct http_stream *stream = &request->stream;
    *stream = (struct http_stream){.events = *events, .open = true};
    if (stream->events.low_water_bytes == 0)
        stream->events.low_water_bytes = LOW_WATER_BYTES;
    stream->head_only = request->method == HTTP_HEAD;
    /* Without chunks (HTTP/1.0) only the end of the connection shows the end of the stream. */
    conn->close_after = http__answer_ends_connection(request) || request->is_http_1_0;
    conn->phase = HTTP__PHASE_STREAM;
    conn->deadline_ms = 0;
    request->gone = NULL;
    request->server->stats.streams++;

    AUTO(buf_done) struct buf out = {0};
    http__answer_head(request, status, content_type, -1, &out);
    tls_channel_set_low_water(conn->channel, stream->events.low_water_bytes);
    if (out.failed || request->answer_headers.failed)
        tls_channel_close(conn->channel);
    else
        (void)tls_channel_write(conn->channel, out.data, out.len_bytes);
    request->answer_bytes = out.len_bytes;
    http__log_access(request, "stream opened");
    if (conn->got_end)
        tls_channel_close(conn->channel);
    else if (stream->head_only)
        http_stream_end(stream);
    return stream;
}

int http_stream_write(struct http_stream *stream, const void *bytes, size_t len_bytes)
{
    struct http_request *request = request_of(stream);
    if (!stream->open || stream->ending || request->conn == NULL)
        return -EPIPE;
    if (len_bytes == 0 || stream->head_only)
        return 0; /* an empty chunk would end the body */
    AUTO(buf_done) struct buf out = {0};
    if (!request->is_http_1_0)
        buf_addf(&out, "%zx\r\n", len_bytes);
    buf_add(&out, bytes, len_bytes);
    if (!request->is_http_1_0)
        buf_adds(&out, "\r\n");
    if (out.failed)
        return -ENOMEM;
    request->answer_bytes += out.len_bytes;
    int r = tls_channel_write(request->conn->channel, out.data, out.len_bytes);
    return r == 0 || r == -ENOMEM ? r : -EPIPE;
}

size_t http_stream_queued_bytes(const struct http_stream *stream)
{
    const struct http_request *request = http_stream_request(stream);
    return request->conn != NULL ? tls_channel_queued_bytes(request->conn->channel) : 0;
}

/* `closed` exactly once; after it nothing of the stream is touched. */
static void finish(struct http_request *request, int error)
{
    struct http_stream *stream = &request->stream;
    if (stream->closed)
        return;
    stream->closed = true;
    stream->open = false;
    timer_free(stream->end_timer);
    stream->end_timer = NULL;
    request->server->stats.streams--;
    http__log_access(request, error == 0 ? "stream ended" : "stream broken");
    if (stream->events.closed != NULL)
        stream->events.closed(stream->events.context, stream, error);
}

static void finish_when_sent(void *context)
{
    struct http_request *request = context;
    struct http__conn *conn = request->conn;
    if (conn == NULL || tls_channel_queued_bytes(conn->channel) > 0)
        return;
    finish(request, 0);
    http__conn_answered(conn);
}

void http_stream_end(struct http_stream *stream)
{
    struct http_request *request = request_of(stream);
    if (!stream->open || stream->ending || request->conn == NULL)
        return;
    stream->ending = true;
    struct tls_channel *channel = request->conn->channel;
    stream->end_timer = timer_new(request->server->loop, finish_when_sent, request);
    if (stream->end_timer == NULL) {
        tls_channel_close(channel);
        return;
    }
    if (!request->is_http_1_0 && !stream->head_only)
        (void)tls_channel_write(channel, "0\r\n\r\n", 5);
    tls_channel_set_low_water(channel, 0);
    timer_start(stream->end_timer, 0, 0);
}

void http_stream_abort(struct http_stream *stream)
{
    struct http_request *request = request_of(stream);
    if (request->conn != NULL)
        tls_channel_close(request->conn->channel);
}

void http__stream_drained(struct http_request *request)
{
    struct http_stream *stream = &request->stream;
    if (stream->ending)
        finish_when_sent(request);
    else if (stream->open && stream->events.writable != NULL)
        stream->events.writable(stream->events.context, stream);
}

void http__stream_broken(struct http_request *request, int error)
{
    finish(request, error != 0 ? error : -ECONNRESET);
}

void http__stream_drain(struct http_request *request)
{
    struct http_stream *stream = &request->stream;
    if (!stream->open || stream->ending)
        return;
    if (stream->events.drain != NULL)
        stream->events.drain(stream->events.context, stream);
    else
        http_stream_end(stream);
}
