/* tls_channel.c - a TCP connection as byte channel, plain or TLS. One write is under way at a time;
 * what comes meanwhile collects in `out`, so that many small writes leave as one. */
#include "lib/common/tls_private.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 16 * 1024, HANDSHAKE_MS = 10000, KEEPALIVE_S = 60, WHY_CHARS = 96 };

struct tls_channel {
    uv_tcp_t tcp;
    uv_timer_t timer; /* first for the handshake, at the end for the goodbye */
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    unsigned open_handles;

    struct tls_channel_events events;
    struct tls_context *context; /* NULL: plain */
    SSL *ssl;
    struct tls__io io;
    const char *in; /* encrypted bytes of the present read */
    size_t in_bytes;

    struct buf waiting;       /* written by the user before `ready` */
    struct buf out;           /* for the kernel, not handed to libuv yet */
    uint64_t given_bytes;     /* all that ever went into out */
    uint64_t seen_sent_bytes; /* at the goodbye timer's last tick */
    bool writing, above_low_water;

    bool ready, paused, got_end, shutting_down, said_goodbye, closing;
    int error;
    char why[WHY_CHARS];
};

struct write_job {
    uv_write_t request;
    char *bytes;
};

static void flush(struct tls_channel *channel);

/* --- closing ---------------------------------------------------------------------------------- */
static void on_handle_closed(uv_handle_t *handle)
{
    struct tls_channel *channel = handle->data;
    if (--channel->open_handles > 0)
        return;
    if (channel->events.closed != NULL)
        channel->events.closed(channel->events.context, channel->error, channel->why);
    SSL_free(channel->ssl);
    tls_context_free(channel->context);
    buf_done(&channel->waiting);
    buf_done(&channel->out);
    free(channel);
}

static void close_with(struct tls_channel *channel, int error, const char *why)
{
    if (channel->closing)
        return;
    channel->closing = true;
    channel->error = error;
    (void)snprintf(channel->why, sizeof(channel->why), "%s", why);
    uv_close((uv_handle_t *)&channel->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&channel->timer, on_handle_closed);
}

void tls_channel_close(struct tls_channel *channel)
{
    close_with(channel, 0, "closed here");
}

/* --- writing ---------------------------------------------------------------------------------- */
size_t tls_channel_queued_bytes(const struct tls_channel *channel)
{
    return channel->waiting.len_bytes + channel->out.len_bytes +
           uv_stream_get_write_queue_size((const uv_stream_t *)&channel->tcp);
}

uint64_t tls_channel_sent_bytes(const struct tls_channel *channel)
{
    return channel->given_bytes - channel->out.len_bytes -
           uv_stream_get_write_queue_size((const uv_stream_t *)&channel->tcp);
}

void tls_channel_set_low_water(struct tls_channel *channel, size_t low_water_bytes)
{
    channel->events.low_water_bytes = low_water_bytes;
    channel->above_low_water = tls_channel_queued_bytes(channel) > low_water_bytes;
}

static void on_written(uv_write_t *request, int status)
{
    struct write_job *job = (struct write_job *)request;
    struct tls_channel *channel = request->data;
    free(job->bytes);
    free(job);
    channel->writing = false;
    if (channel->closing)
        return;
    if (status < 0) {
        close_with(channel, status, "the other side takes no more bytes");
        return;
    }
    flush(channel);
    if (channel->closing || !channel->above_low_water ||
        tls_channel_queued_bytes(channel) > channel->events.low_water_bytes)
        return;
    channel->above_low_water = false;
    if (channel->events.drained != NULL && !channel->shutting_down)
        channel->events.drained(channel->events.context);
}

/* Everything in out goes to libuv as one request. */
static void start_write(struct tls_channel *channel)
{
    struct write_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        close_with(channel, -ENOMEM, "no memory");
        return;
    }
    uv_buf_t bytes = {.base = channel->out.data, .len = channel->out.len_bytes};
    job->bytes = channel->out.data;
    job->request.data = channel;
    channel->out = (struct buf){0};
    channel->writing = true;
    int r = uv_write(&job->request, (uv_stream_t *)&channel->tcp, &bytes, 1, on_written);
    if (r < 0) {
        channel->writing = false;
        free(job->bytes);
        free(job);
        close_with(channel, r, "the other side takes no more bytes");
    }
}

/* Tries the kernel at once; true when all of out is gone. */
static bool try_write(struct tls_channel *channel)
{
    struct buf *out = &channel->out;
    uv_buf_t bytes = {.base = out->data, .len = out->len_bytes};
    int sent = uv_try_write((uv_stream_t *)&channel->tcp, &bytes, 1);
    if (sent == UV_EAGAIN)
        return false;
    if (sent < 0) {
        close_with(channel, sent, "the other side takes no more bytes");
        return false;
    }
    if ((size_t)sent == out->len_bytes) {
        buf_done(out); /* an idle channel keeps no buffer */
        return true;
    }
    memmove(out->data, out->data + sent, out->len_bytes - (size_t)sent);
    out->len_bytes -= (size_t)sent;
    return false;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct tls_channel *channel = request->data;
    if (channel->closing)
        return;
    if (status < 0 || channel->got_end)
        tls_channel_close(channel);
}

static void say_goodbye(struct tls_channel *channel)
{
    channel->said_goodbye = true;
    channel->shutdown.data = channel;
    if (uv_shutdown(&channel->shutdown, (uv_stream_t *)&channel->tcp, on_shutdown) < 0)
        tls_channel_close(channel);
}

static void flush(struct tls_channel *channel)
{
    if (channel->out.failed) {
        close_with(channel, -ENOMEM, "no memory");
        return;
    }
    if (!channel->writing && channel->out.len_bytes > 0 && !try_write(channel) && !channel->closing)
        start_write(channel);
    if (channel->closing)
        return;
    if (tls_channel_queued_bytes(channel) > channel->events.low_water_bytes)
        channel->above_low_water = true;
    if (channel->shutting_down && !channel->said_goodbye && !channel->writing)
        say_goodbye(channel);
}

static int give(void *data, const char *bytes, int len_bytes)
{
    struct tls_channel *channel = data;
    buf_add(&channel->out, bytes, (size_t)len_bytes);
    if (channel->out.failed)
        return -1;
    channel->given_bytes += (uint64_t)len_bytes;
    return len_bytes;
}

static int take(void *data, char *bytes, int cap_bytes)
{
    struct tls_channel *channel = data;
    size_t len = channel->in_bytes < (size_t)cap_bytes ? channel->in_bytes : (size_t)cap_bytes;
    if (len > 0)
        memcpy(bytes, channel->in, len);
    channel->in += len;
    channel->in_bytes -= len;
    return (int)len;
}

static int encrypt(struct tls_channel *channel, const void *bytes, size_t len_bytes)
{
    ERR_clear_error();
    size_t taken = 0;
    if (SSL_write_ex(channel->ssl, bytes, len_bytes, &taken) == 1)
        return 0;
    close_with(channel, channel->out.failed ? -ENOMEM : -EPROTO, tls__reason());
    return channel->error;
}

/* A short plain write goes to the kernel without a copy when nothing waits before it. */
static int write_plain(struct tls_channel *channel, const char *bytes, size_t len_bytes)
{
    if (!channel->writing && channel->out.len_bytes == 0) {
        uv_buf_t view = uv_buf_init(NULL, 0);
        union {
            const char *in;
            char *out;
        } shared = {.in = bytes}; /* uv_buf_t has no const; uv_try_write only reads */
        view.base = shared.out;
        view.len = len_bytes;
        int sent = uv_try_write((uv_stream_t *)&channel->tcp, &view, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            close_with(channel, sent, "the other side takes no more bytes");
            return -EPIPE;
        }
        if (sent > 0) {
            channel->given_bytes += (uint64_t)sent;
            bytes += sent;
            len_bytes -= (size_t)sent;
        }
    }
    while (len_bytes > 0) {
        int part = len_bytes > INT32_MAX ? INT32_MAX : (int)len_bytes;
        if (give(channel, bytes, part) < 0)
            break;
        bytes += part;
        len_bytes -= (size_t)part;
    }
    return channel->out.failed ? -ENOMEM : 0;
}

int tls_channel_write(struct tls_channel *channel, const void *bytes, size_t len_bytes)
{
    if (channel->closing || channel->shutting_down)
        return -EPIPE;
    if (len_bytes == 0)
        return 0;
    if (!channel->ready) {
        buf_add(&channel->waiting, bytes, len_bytes);
        return channel->waiting.failed ? -ENOMEM : 0;
    }
    int r = channel->ssl != NULL ? encrypt(channel, bytes, len_bytes)
                                 : write_plain(channel, bytes, len_bytes);
    flush(channel);
    return r;
}

/* --- reading ---------------------------------------------------------------------------------- */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)handle;
    (void)suggested;
    /* Given back after each read: an idle channel holds none. */
    ret_buffer->base = malloc(READ_BYTES);
    ret_buffer->len = ret_buffer->base != NULL ? READ_BYTES : 0;
}

static void handle_end(struct tls_channel *channel)
{
    if (channel->got_end || channel->closing)
        return;
    channel->got_end = true;
    (void)uv_read_stop((uv_stream_t *)&channel->tcp);
    if (!channel->ready)
        close_with(channel, -ECONNRESET, "the other side left during the handshake");
    else if (!channel->shutting_down && channel->events.end != NULL)
        channel->events.end(channel->events.context);
    else if (!channel->shutting_down || (channel->said_goodbye && !channel->writing))
        tls_channel_close(channel);
}

static void deliver(struct tls_channel *channel, const char *bytes, size_t len_bytes)
{
    if (!channel->shutting_down)
        channel->events.data(channel->events.context, bytes, len_bytes);
}

static void become_ready(struct tls_channel *channel)
{
    channel->ready = true;
    (void)uv_timer_stop(&channel->timer);
    if (channel->waiting.failed) {
        close_with(channel, -ENOMEM, "no memory");
        return;
    }
    if (channel->waiting.len_bytes > 0) {
        struct buf waiting = channel->waiting;
        channel->waiting = (struct buf){0};
        (void)tls_channel_write(channel, waiting.data, waiting.len_bytes);
        buf_done(&waiting);
    }
    if (!channel->closing && channel->events.ready != NULL)
        channel->events.ready(channel->events.context);
}

/* The certificate's fault, if it was that, else OpenSSL's own reason. */
static void fail_tls(struct tls_channel *channel, const char *when)
{
    char why[WHY_CHARS];
    long verify = SSL_get_verify_result(channel->ssl);
    const char *reason = tls__reason();
    if (verify != X509_V_OK)
        reason = X509_verify_cert_error_string(verify);
    (void)snprintf(why, sizeof(why), "%s: %s", when, reason);
    flush(channel); /* the alert that tells the other side */
    close_with(channel, -EPROTO, why);
}

static bool shake_hands(struct tls_channel *channel)
{
    ERR_clear_error();
    int r = SSL_do_handshake(channel->ssl);
    if (r == 1) {
        flush(channel);
        if (!channel->closing)
            become_ready(channel);
        return !channel->closing;
    }
    int problem = SSL_get_error(channel->ssl, r);
    if (problem == SSL_ERROR_WANT_READ || problem == SSL_ERROR_WANT_WRITE)
        flush(channel);
    else
        fail_tls(channel, "TLS handshake");
    return false;
}

static void decrypt(struct tls_channel *channel)
{
    char plain[READ_BYTES];
    while (!channel->closing) {
        size_t len = 0;
        ERR_clear_error();
        int r = SSL_read_ex(channel->ssl, plain, sizeof(plain), &len);
        if (r == 1) {
            deliver(channel, plain, len);
            continue;
        }
        int problem = SSL_get_error(channel->ssl, r);
        if (problem == SSL_ERROR_ZERO_RETURN)
            handle_end(channel);
        else if (problem != SSL_ERROR_WANT_READ)
            fail_tls(channel, "TLS");
        else
            flush(channel); /* tickets, key updates */
        return;
    }
}

static void feed_tls(struct tls_channel *channel, const char *bytes, size_t len_bytes)
{
    channel->in = bytes;
    channel->in_bytes = len_bytes;
    if (channel->ready || shake_hands(channel))
        decrypt(channel);
    channel->in = NULL;
    channel->in_bytes = 0;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct tls_channel *channel = stream->data;
    if (channel->closing || count == 0)
        ;
    else if (count == UV_EOF)
        handle_end(channel);
    else if (count < 0)
        close_with(channel, (int)count, "reading from the other side failed");
    else if (channel->ssl != NULL)
        feed_tls(channel, buffer->base, (size_t)count);
    else
        deliver(channel, buffer->base, (size_t)count);
    free(buffer->base);
}

void tls_channel_pause(struct tls_channel *channel)
{
    if (channel->closing || channel->paused || channel->shutting_down)
        return;
    channel->paused = true;
    if (channel->ready)
        (void)uv_read_stop((uv_stream_t *)&channel->tcp);
}

void tls_channel_resume(struct tls_channel *channel)
{
    if (channel->closing || !channel->paused)
        return;
    channel->paused = false;
    if (!channel->got_end && channel->ready)
        (void)uv_read_start((uv_stream_t *)&channel->tcp, on_alloc, on_read);
}

/* --- goodbye ---------------------------------------------------------------------------------- */
/* As long as bytes move, a slow reader gets its answer; without movement the end comes. */
static void on_goodbye_timer(uv_timer_t *timer)
{
    struct tls_channel *channel = timer->data;
    uint64_t sent = tls_channel_sent_bytes(channel);
    if (sent == channel->seen_sent_bytes || channel->said_goodbye)
        tls_channel_close(channel);
    channel->seen_sent_bytes = sent;
}

void tls_channel_shutdown(struct tls_channel *channel, uint64_t grace_ms)
{
    if (channel->closing || channel->shutting_down)
        return;
    if (!channel->ready) {
        tls_channel_close(channel);
        return;
    }
    if (channel->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(channel->ssl); /* one way: the other side's reply is not waited for */
        ERR_clear_error();
    }
    tls_channel_resume(channel); /* to drop what comes and to see the end */
    channel->shutting_down = true;
    channel->seen_sent_bytes = tls_channel_sent_bytes(channel);
    (void)uv_timer_start(&channel->timer, on_goodbye_timer, grace_ms, grace_ms > 0 ? grace_ms : 1);
    flush(channel);
}

/* --- opening ---------------------------------------------------------------------------------- */
static void on_handshake_timer(uv_timer_t *timer)
{
    close_with(timer->data, -ETIMEDOUT, "no TLS handshake in time");
}

static void on_connect_timer(uv_timer_t *timer)
{
    close_with(timer->data, -ETIMEDOUT, "no connection in time");
}

static int channel_new(uv_loop_t *loop, struct tls_context *context, const char *host,
                       const struct tls_channel_events *events, struct tls_channel **ret_channel)
{
    struct tls_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        return -ENOMEM;
    channel->events = *events;
    if (channel->events.handshake_ms == 0)
        channel->events.handshake_ms = HANDSHAKE_MS;
    if (context != NULL) {
        channel->io = (struct tls__io){.take = take, .give = give, .data = channel};
        channel->ssl = tls__context_new_ssl(context, host, &channel->io);
        if (channel->ssl == NULL) {
            free(channel);
            return -ENOMEM;
        }
        channel->context = tls__context_ref(context);
    }
    int r = uv_tcp_init(loop, &channel->tcp);
    if (r < 0) {
        SSL_free(channel->ssl);
        tls_context_free(channel->context);
        free(channel);
        return r;
    }
    (void)uv_timer_init(loop, &channel->timer);
    channel->tcp.data = channel;
    channel->timer.data = channel;
    channel->open_handles = 2;
    *ret_channel = channel;
    return 0;
}

static void set_socket_manners(struct tls_channel *channel)
{
    (void)uv_tcp_nodelay(&channel->tcp, 1);
    (void)uv_tcp_keepalive(&channel->tcp, 1, KEEPALIVE_S);
}

/* An opening that failed half-way: nobody knows the channel yet, so nobody is told. */
static int discard(struct tls_channel *channel, int error)
{
    channel->events.closed = NULL;
    tls_channel_close(channel);
    return error;
}

int tls_channel_accept(uv_stream_t *listener, struct tls_context *tls,
                       const struct tls_channel_events *events, struct tls_channel **ret_channel)
{
    struct tls_channel *channel = NULL;
    int r = channel_new(listener->loop, tls, NULL, events, &channel);
    if (r < 0)
        return r;
    r = uv_accept(listener, (uv_stream_t *)&channel->tcp);
    if (r == 0)
        r = uv_read_start((uv_stream_t *)&channel->tcp, on_alloc, on_read);
    if (r < 0)
        return discard(channel, r);
    set_socket_manners(channel);
    if (tls == NULL)
        channel->ready = true;
    else
        (void)uv_timer_start(&channel->timer, on_handshake_timer, channel->events.handshake_ms, 0);
    *ret_channel = channel;
    return 0;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct tls_channel *channel = request->data;
    if (channel->closing)
        return;
    if (status < 0) {
        close_with(channel, status, "no connection");
        return;
    }
    set_socket_manners(channel);
    int r = uv_read_start((uv_stream_t *)&channel->tcp, on_alloc, on_read);
    if (r < 0) {
        close_with(channel, r, "reading from the other side failed");
        return;
    }
    if (channel->ssl != NULL)
        (void)shake_hands(channel); /* our first message */
    else
        become_ready(channel);
}

int tls_channel_connect(uv_loop_t *loop, const struct sockaddr *address, struct tls_context *tls,
                        const char *host, const struct tls_channel_events *events,
                        struct tls_channel **ret_channel)
{
    if (tls != NULL && (host == NULL || host[0] == '\0'))
        return -EINVAL;
    struct tls_channel *channel = NULL;
    int r = channel_new(loop, tls, host, events, &channel);
    if (r < 0)
        return r;
    channel->connect.data = channel;
    r = uv_tcp_connect(&channel->connect, &channel->tcp, address, on_connected);
    if (r < 0)
        return discard(channel, r);
    (void)uv_timer_start(&channel->timer, on_connect_timer, channel->events.handshake_ms, 0);
    *ret_channel = channel;
    return 0;
}

/* --- questions -------------------------------------------------------------------------------- */
bool tls_channel_is_tls(const struct tls_channel *channel)
{
    return channel->ssl != NULL;
}

int tls_channel_peer(const struct tls_channel *channel, struct sockaddr_storage *ret_address)
{
    int len = sizeof(*ret_address);
    return uv_tcp_getpeername(&channel->tcp, (struct sockaddr *)ret_address, &len);
}

int tls_channel_local(const struct tls_channel *channel, struct sockaddr_storage *ret_address)
{
    int len = sizeof(*ret_address);
    return uv_tcp_getsockname(&channel->tcp, (struct sockaddr *)ret_address, &len);
}
