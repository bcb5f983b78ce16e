#include "lib/http/http_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, SWEEP_MIN_MS = 20, SWEEP_MAX_MS = 1000 };

static const struct http_limits DEFAULTS = {
    .head_bytes = (size_t)16 * 1024,
    .url_bytes = (size_t)8 * 1024,
    .body_bytes = (size_t)1024 * 1024,
    .bodies_bytes = (size_t)64 * 1024 * 1024,
    .request_bytes = (size_t)8 * 1024 * 1024,
    .head_ms = 10000,
    .body_ms = 10000,
    .idle_ms = 75000,
    .write_ms = 30000,
    .handshake_ms = 10000,
    .connections = 10000,
    .connections_per_address = 256,
};

#define DEFAULT_TO(limits, member)                                                                 \
    do {                                                                                           \
        if ((limits)->member == 0)                                                                 \
            (limits)->member = DEFAULTS.member;                                                    \
    } while (0)

static void fill_limits(struct http_limits *limits)
{
    DEFAULT_TO(limits, head_bytes);
    DEFAULT_TO(limits, url_bytes);
    DEFAULT_TO(limits, body_bytes);
    DEFAULT_TO(limits, bodies_bytes);
    DEFAULT_TO(limits, request_bytes);
    DEFAULT_TO(limits, head_ms);
    DEFAULT_TO(limits, body_ms);
    DEFAULT_TO(limits, idle_ms);
    DEFAULT_TO(limits, write_ms);
    DEFAULT_TO(limits, handshake_ms);
    DEFAULT_TO(limits, connections);
    DEFAULT_TO(limits, connections_per_address);
}

/* Deadlines are looked at a quarter of the shortest time, at least once a second. */
static uint64_t sweep_ms(const struct http_limits *limits)
{
    const uint64_t times[] = {limits->head_ms, limits->body_ms, limits->idle_ms, limits->write_ms};
    uint64_t shortest = (uint64_t)SWEEP_MAX_MS * 4;
    for (size_t i = 0; i < COUNT_OF(times); i++)
        if (times[i] < shortest)
            shortest = times[i];
    return shortest / 4 < SWEEP_MIN_MS ? SWEEP_MIN_MS : shortest / 4;
}

void http__server_unref(struct http_server *server)
{
    if (--server->references > 0)
        return;
    http_addresses_free(server->addresses);
    free(server);
}

const char *http__server_date(struct http_server *server)
{
    time_t now = time(NULL);
    if (now != server->date_s || server->date[0] == '\0') {
        struct tm broken;
        server->date_s = now;
        (void)strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT",
                       gmtime_r(&now, &broken));
    }
    return server->date;
}

static void on_sweep(void *context)
{
    struct http_server *server = context;
    uint64_t now = uv_now(server->loop);
    for (struct http__conn *conn = server->conns, *next; conn != NULL; conn = next) {
        next = conn->next; /* a sweep closes from the loop only: next stays */
        http__conn_sweep(conn, now);
    }
}

/* The budget is over, or there was nothing to wait for. */
static void on_drain_timer(void *context)
{
    struct http_server *server = context;
    if (server->conns != NULL)
        log_notice(HTTP__LOG, "drain: %u connections are cut", server->stats.connections);
    for (struct http__conn *conn = server->conns; conn != NULL; conn = conn->next)
        tls_channel_close(conn->channel);
    http__server_check_drained(server);
}

int http_server_new(uv_loop_t *loop, const struct http_router *router,
                    const struct http_program *program, struct http_server **ret_server,
                    struct diag *diag)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return diag_fail(diag, -ENOMEM, "HTTP server: no memory");
    server->loop = loop;
    server->router = router;
    server->program = *program;
    fill_limits(&server->program.limits);
    server->references = 1;
    server->addresses = http_addresses_new();
    server->sweep_timer = timer_new(loop, on_sweep, server);
    server->drain_timer = timer_new(loop, on_drain_timer, server);
    if (server->addresses == NULL || server->sweep_timer == NULL || server->drain_timer == NULL) {
        http_server_free(server);
        return diag_fail(diag, -ENOMEM, "HTTP server: no memory");
    }
    uint64_t every_ms = sweep_ms(&server->program.limits);
    timer_start(server->sweep_timer, every_ms, every_ms);
    *ret_server = server;
    return 0;
}

/* --- listeners -------------------------------------------------------------------------------- */
static int parse_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address)
{
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)ret_address) == 0)
        return 0;
    return uv_ip6_addr(text, port, (struct sockaddr_in6 *)ret_address);
}

/* Free-bind: the service address comes and goes with the role of this node, the listener stays. */
static int bind_socket(const struct sockaddr_storage *address, int *ret_fd)
{
    bool v6 = address->ss_family == AF_INET6;
    AUTO(common_closep)
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND, &on,
                   sizeof(on)) < 0 ||
        (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0))
        return -errno;
    socklen_t len = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (bind(fd, (const struct sockaddr *)address, len) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http__listener *listener = handle->data;
    struct http_server *server = listener->server;
    free(listener);
    http__server_unref(server);
}

static uint16_t port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address = {0};
    int len = sizeof(address);
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&address)->sin6_port
                                               : ((const struct sockaddr_in *)&address)->sin_port);
}

int http_server_listen(struct http_server *server, const char *address, uint16_t port,
                       struct tls_context *tls, uint16_t *ret_port, struct diag *diag)
{
    struct sockaddr_storage socket_address = {0};
    if (parse_address(address, port, &socket_address) < 0)
        return diag_fail(diag, -EINVAL, "\"%s\" is not a numeric address", address);
    struct http__listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return diag_fail(diag, -ENOMEM, "HTTP listener: no memory");
    int fd = -1;
    int r = bind_socket(&socket_address, &fd);
    if (r < 0) {
        free(listener);
        return diag_fail(diag, r, "listening on %s port %u: %s", address, port, strerror(-r));
    }
    listener->server = server;
    listener->tls = tls;
    r = uv_tcp_init(server->loop, &listener->tcp);
    if (r < 0) {
        (void)close(fd);
        free(listener);
        return diag_fail(diag, r, "listening on %s: %s", address, uv_strerror(r));
    }
    listener->tcp.data = listener;
    server->references++;
    r = uv_tcp_open(&listener->tcp, fd);
    if (r < 0) {
        (void)close(fd);
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
        return diag_fail(diag, r, "listening on %s: %s", address, uv_strerror(r));
    }
    listener->next = server->listeners;
    server->listeners = listener;
    if (ret_port != NULL)
        *ret_port = port_of(&listener->tcp);
    return 0;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct http__listener *listener = stream->data;
    int r = status < 0 ? status : http__conn_accept(listener->server, listener);
    if (r < 0 && r != UV_EAGAIN)
        log_warning(HTTP__LOG, "a connection could not be accepted: %s", uv_strerror(r));
}

int http_server_start(struct http_server *server, struct diag *diag)
{
    for (struct http__listener *listener = server->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->started)
            continue;
        int r = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
        if (r < 0)
            return diag_fail(diag, r, "accepting connections: %s", uv_strerror(r));
        listener->started = true;
    }
    return 0;
}

static void close_listeners(struct http_server *server)
{
    for (struct http__listener *listener = server->listeners, *next; listener != NULL;
         listener = next) {
        next = listener->next;
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    }
    server->listeners = NULL;
}

/* --- the end ---------------------------------------------------------------------------------- */
void http_server_stats(const struct http_server *server, struct http_server_stats *ret_stats)
{
    *ret_stats = server->stats;
}

void http__server_check_drained(struct http_server *server)
{
    if (!server->draining || server->freed || server->conns != NULL || server->drained == NULL)
        return;
    void (*done)(void *context) = server->drained;
    server->drained = NULL;
    timer_stop(server->drain_timer);
    done(server->drained_context);
}

void http_server_drain(struct http_server *server, uint64_t budget_ms, void (*done)(void *context),
                       void *context)
{
    if (server->draining)
        return;
    server->draining = true;
    server->drained = done;
    server->drained_context = context;
    close_listeners(server);
    timer_start(server->drain_timer, server->conns != NULL ? budget_ms : 0, 0);
    for (struct http__conn *conn = server->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        http__conn_drain(conn);
    }
}

void http_server_free(struct http_server *server)
{
    if (server == NULL || server->freed)
        return;
    server->freed = true;
    timer_free(server->sweep_timer);
    timer_free(server->drain_timer);
    server->sweep_timer = server->drain_timer = NULL;
    close_listeners(server);
    for (struct http__conn *conn = server->conns; conn != NULL; conn = conn->next)
        tls_channel_close(conn->channel);
    http__server_unref(server);
}
