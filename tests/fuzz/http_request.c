/* http_request.c - any bytes as HTTP requests with JSON bodies, through a real connection to the
 * real server on loopback. The first byte says into how large pieces the rest is cut. What comes
 * back must be HTTP, the connection must end, and nothing may be left behind. */
#include "lib/http/http_server.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct note {
    const char *text;
    struct repr_int number;
    struct repr_array tags, notes;
    const cJSON *any;
};
static const struct repr note_repr;
static const struct repr_member note_members[] = {
    REPR_STRING(struct note, text, "text", REPR_REQUIRED, 0, 100),
    REPR_INT_OPTIONAL(struct note, number, "number", REPR_NULLABLE, -10, 10),
    REPR_STRINGS(struct note, tags, "tags", 0, 10, 10),
    REPR_OBJECTS(struct note, notes, "notes", 0, 10, &note_repr),
    REPR_ANY(struct note, any, "any", 0),
};
static const struct repr note_repr = REPR("Note", struct note, note_members);

/* Says where, then stops. */
#define require(holds)                                                                             \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            (void)fprintf(stderr, "line %d does not hold: %s (errno %d)\n", __LINE__, #holds,      \
                          errno);                                                                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void get_plain(struct http_request *request)
{
    (void)http_request_cookie(request, "a");
    (void)http_request_flag(request, "x");
    http_answer_json(request, 200, "{}");
}

static void post_note(struct http_request *request)
{
    require(repr_check(&note_repr, http_request_data(request), NULL) == 0);
    require(http_request_param(request, "id")[0] != '\0');
    http_answer_repr(request, 200, &note_repr, http_request_data(request));
}

static const struct http_route ROUTES[] = {
    {.method = HTTP_GET, .path = "/p", .handler = get_plain},
    {.method = HTTP_POST, .path = "/n/{id}", .request = &note_repr, .handler = post_note},
};

/* One server for the whole run: starting one per input would be most of the work. */
static uv_loop_t loop;
static struct http_server *server;
static uint16_t port;

static void start_server(void)
{
    log_set_level(NULL, LOG_LEVEL_ERROR);
    static struct http_router *router;
    static const struct http_program program = {
        .limits = {.head_bytes = 2048, .body_bytes = 4096, .connections_per_address = 1000}};
    require(uv_loop_init(&loop) == 0);
    router = http_router_new();
    require(router != NULL && http_router_add(router, ROUTES, COUNT_OF(ROUTES), NULL) == 0);
    require(http_server_new(&loop, router, &program, &server, NULL) == 0);
    require(http_server_listen(server, "127.0.0.1", 0, NULL, &port, NULL) == 0);
    require(http_server_start(server, NULL) == 0);
}

static int connect_client(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    /* Closed connections keep their port for a minute: after a while, another address helps. */
    enum { PORTS_PER_ADDRESS = 20000 };
    static uint32_t connected;
    const struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK + connected++ / PORTS_PER_ADDRESS)}};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    require(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0);
    require(bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0);
    /* The fuzzer's alarm may interrupt: the connection then goes on being made. */
    while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EISCONN)
        require(errno == EINTR || errno == EALREADY);
    return fd;
}

/* Runs the server until it has seen everything and closed; returns what it answered first. */
static size_t finish(int fd, char *out, size_t cap_bytes)
{
    struct http_server_stats stats;
    size_t used = 0;
    (void)shutdown(fd, SHUT_WR);
    for (unsigned turn = 0;; turn++) {
        require(turn < 100000); /* a connection that never ends */
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        char bytes[4096];
        ssize_t count = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        for (ssize_t i = 0; i < count && used < cap_bytes; i++)
            out[used++] = bytes[i];
        http_server_stats(server, &stats);
        if (stats.connections == 0 && (count == 0 || (count < 0 && errno != EAGAIN)))
            break;
    }
    require(stats.requests_active == 0 && stats.bodies_bytes == 0);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const char begin[] = "HTTP/1.1 ";
    char answer[sizeof(begin)] = "";
    if (size_bytes < 2 || size_bytes > 32768)
        return 0;
    if (server == NULL)
        start_server();
    size_t piece = data[0] == 0 ? size_bytes : (size_t)data[0] * 8;
    int fd = connect_client();
    for (size_t at = 1; at < size_bytes; at += piece) {
        size_t len = size_bytes - at < piece ? size_bytes - at : piece;
        if (send(fd, data + at, len, MSG_NOSIGNAL) < 0)
            break;
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    size_t got = finish(fd, answer, sizeof(begin) - 1);
    require(got == 0 || (got == sizeof(begin) - 1 && strcmp(answer, begin) == 0));
    (void)close(fd);
    return 0;
}
