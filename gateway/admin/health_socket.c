#include "gateway/admin/health_socket.h"

#include "gateway/admin/beat.h"
#include "gateway/events/channel.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALLERS_MAX = 32, LINE_CHARS = 256 };

struct caller {
    uv_pipe_t pipe;
    struct health_socket *socket;
    LIST_ENTRY(caller) of_all;
    char scratch[64];
};

struct health_socket {
    uv_pipe_t pipe;
    struct gateway *gateway;
    LIST_HEAD(, caller) callers;
    unsigned count;
};

static void on_socket_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_caller_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end_caller(struct caller *caller)
{
    if (uv_is_closing((uv_handle_t *)&caller->pipe))
        return;
    LIST_REMOVE(caller, of_all);
    caller->socket->count--;
    uv_close((uv_handle_t *)&caller->pipe, on_caller_closed);
}

/* Who asks waits for the database too, and may have just seen it start. */
static void hasten_database(const struct gateway *gateway)
{
    if (gateway->store != NULL && !store_is_ready(gateway->store))
        store_hasten(gateway->store);
}

/* A line is far smaller than the socket's buffer: a caller that lets it fill does not read. */
static void answer(struct caller *caller)
{
    const struct gateway *gateway = caller->socket->gateway;
    hasten_database(gateway);
    uint64_t age_ms = beat_age_ms(gateway->beat);
    char line[LINE_CHARS];
    int len =
        snprintf(line, sizeof(line),
                 "{\"ok\":true,\"db\":%s,\"sessions\":%zu,\"subscriptions\":%zu,"
                 "\"channels\":%u,\"last_commit_ms\":%" PRId64 "}\n",
                 beat_is_fresh(gateway->beat) ? "true" : "false",
                 gateway->sessions.by_credential.count, gateway->subscriptions.by_id.count,
                 channels_count(gateway->channels), age_ms == UINT64_MAX ? -1 : (int64_t)age_ms);
    uv_buf_t buf = uv_buf_init(line, (unsigned)len);
    if (uv_try_write((uv_stream_t *)&caller->pipe, &buf, 1) != len)
        end_caller(caller);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct caller *caller = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(caller->scratch, sizeof(caller->scratch));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct caller *caller = stream->data;
    if (got < 0) {
        end_caller(caller);
        return;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (buf->base[i] == '\n' && !uv_is_closing((uv_handle_t *)stream))
            answer(caller);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct health_socket *socket = listener->data;
    struct caller *caller = status < 0 ? NULL : calloc(1, sizeof(*caller));
    if (caller == NULL)
        return;
    (void)uv_pipe_init(listener->loop, &caller->pipe, 0);
    caller->pipe.data = caller;
    caller->socket = socket;
    LIST_INSERT_HEAD(&socket->callers, caller, of_all);
    socket->count++;
    if (uv_accept(listener, (uv_stream_t *)&caller->pipe) < 0 || socket->count > CALLERS_MAX ||
        uv_read_start((uv_stream_t *)&caller->pipe, on_alloc, on_read) < 0) {
        end_caller(caller);
        return;
    }
    answer(caller);
}

int health_socket_open(struct gateway *gateway, const char *path, struct health_socket **ret_socket,
                       struct diag *diag)
{
    struct health_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory for the health socket");
    LIST_INIT(&socket->callers);
    socket->gateway = gateway;
    (void)uv_pipe_init(gateway->loop, &socket->pipe, 0);
    socket->pipe.data = socket;

    (void)unlink(path); /* left behind by a predecessor that was killed */
    mode_t before = umask(0177);
    int r = strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path)
                ? uv_pipe_bind(&socket->pipe, path)
                : -ENAMETOOLONG;
    (void)umask(before);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&socket->pipe, CALLERS_MAX, on_connection);
    if (r < 0) {
        health_socket_close(socket);
        return diag_fail(diag, r, "health socket %s: %s", path, uv_strerror(r));
    }
    *ret_socket = socket;
    return 0;
}

void health_socket_close(struct health_socket *socket)
{
    if (socket == NULL)
        return;
    struct caller *caller;
    while ((caller = LIST_FIRST(&socket->callers)) != NULL)
        end_caller(caller);
    uv_close((uv_handle_t *)&socket->pipe, on_socket_closed);
}
