/* Requests as bytes on real sockets: what is accepted, in which order it is answered, what is
 * refused. */
#include "tests/integration/http/http_test_client.h"
#include "tests/integration/http/http_test_server.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "Host: test\r\n"
#define JSON  "Content-Type: application/json\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

static struct http_test_server *server;
static uint16_t port;

static int with_server(void **unused)
{
    (void)unused;
    server = http_test_server_start(NULL, NULL);
    port = http_test_server_port(server);
    return 0;
}

static int without_server(void **unused)
{
    (void)unused;
    http_test_server_stop(server);
    return 0;
}

static void good_requests_get_their_answers(void **unused)
{
    (void)unused;
    static const struct {
        const char *request;
        int status;
        const char *body;
    } rows[] = {
        {PLAIN, 200, "{\"ok\":true}"},
        {"GET /plain/?x HTTP/1.1\r\n" HOST "\r\n", 200, "{\"ok\":true}"},
        {"GET //plain HTTP/1.1\r\n" HOST "\r\n", 200, "{\"ok\":true}"},
        {"GET http://test/plain HTTP/1.1\r\n" HOST "\r\n", 200, "{\"ok\":true}"},
        {"\r\n\r\n" PLAIN, 200, "{\"ok\":true}"},
        {"GET /plain HTTP/1.0\r\n\r\n", 200, "{\"ok\":true}"},
        {"GET /later HTTP/1.1\r\n" HOST "\r\n", 200, "{\"later\":true}"},
        {"GET /private HTTP/1.1\r\n" HOST "\r\n", 200, "{\"ok\":true}"},
        {"HEAD /plain HTTP/1.1\r\n" HOST "\r\n", 200, ""},
        {"OPTIONS /plain HTTP/1.1\r\n" HOST "\r\n", 204, ""},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204, ""},
        {"GET /plain HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
         "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         200, "{\"ok\":true}"},
        {"POST /raw HTTP/1.1\r\n" HOST "\r\n", 200, "0"},
        {"POST /raw HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" JSON "\r\n", 200, "0"},
        {"POST /raw HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 200, "5"},
        {"POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: t\r\n\r\n",
         200, "4"},
        {"POST /private HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 200, "5"},
        {"POST /raw HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
         200, "5"},
        {"POST /echo/7 HTTP/1.1\r\n" HOST JSON "Content-Length: 12\r\n\r\n{\"text\":\"a\"}", 201,
         "{\"text\":\"a\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_test_answer answer = http_test_ask(port, rows[i].request);
        if (answer.status != rows[i].status || strcmp(answer.body, rows[i].body) != 0)
            fail_msg("%s\ngot %d %s", rows[i].request, answer.status, answer.body);
        assert_true(answer.complete);
    }
}

static void refused_requests_say_why_in_an_error_body(void **unused)
{
    (void)unused;
    static const struct {
        const char *request;
        int status;
        const char *says;
    } rows[] = {
        {"GET /nope HTTP/1.1\r\n" HOST "\r\n", 404, "NOT_FOUND"},
        {"PUT /plain HTTP/1.1\r\n" HOST "\r\n", 405, "GET, HEAD"},
        {"TRACE /plain HTTP/1.1\r\n" HOST "\r\n", 405, "METHOD_NOT_ALLOWED"},
        {"POST /forbidden HTTP/1.1\r\n" HOST "\r\n", 403, "not for you"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST JSON "\r\n", 400, "a JSON body is required"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415, "Content-Type"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
         415, "Content-Type"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 400,
         "text: this member is required"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST JSON "Content-Length: 10\r\n\r\n{\"text\":1}", 400,
         "text: string expected, got a number"},
        {"POST /echo/1 HTTP/1.1\r\n" HOST JSON "Content-Length: 3\r\n\r\n{\"t", 400, "line"},
        {"GET /../plain HTTP/1.1\r\n" HOST "\r\n", 400, "relative"},
        {"GET /%2e%2e/plain HTTP/1.1\r\n" HOST "\r\n", 400, "relative"},
        {"GET /a%00b HTTP/1.1\r\n" HOST "\r\n", 400, "percent"},
        {"GET /plain HTTP/1.1\r\n\r\n", 400, "Host"},
        {"GET /plain HTTP/1.1\r\n" HOST HOST "\r\n", 400, "repeated"},
        {"GET /plain HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417, "expectation"},
        {"GET /plain HTTP/3.7\r\n" HOST "\r\n", 505, "505"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "505"},
        {"GET /plain\r\n\r\n", 505, "505"},
        {"hello\r\n\r\n", 400, "BAD_REQUEST"},
        {"\x16\x03\x01\x02", 400, "BAD_REQUEST"},
        {"CONNECT host:443 HTTP/1.1\r\n" HOST "\r\n", 400, "BAD_REQUEST"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_test_answer answer = http_test_ask(port, rows[i].request);
        if (answer.status != rows[i].status || strstr(answer.body, rows[i].says) == NULL)
            fail_msg("%s\ngot %d %s", rows[i].request, answer.status, answer.body);
        assert_non_null(strstr(answer.body, "\"canRetry\":"));
        assert_non_null(strstr(answer.body, "\"code\":"));
    }
}

/* Shapes that two servers in a row may read differently. Each must end the connection, so that what
 * follows is never taken for a request. */
static void smuggling_shapes_are_refused_and_end_the_connection(void **unused)
{
    (void)unused;
    static const char *const requests[] = {
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        "0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\nabc",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "GET /plain HTTP/1.1\nHost: test\n\n",
        "GET /plain HTTP/1.1\r\n" HOST "A: b\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "A b: c\r\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST ": x\r\n\r\n",
        "GET  /plain HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain HTTP/1.1 \r\n" HOST "\r\n",
        "GET /pl ain HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain http/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = http_test_connect(port);
        http_test_send(fd, requests[i]);
        http_test_send(fd, PLAIN);
        struct http_test_answer answer = http_test_read(fd, false);
        if (answer.status < 400 || answer.status > 599)
            fail_msg("%s\ngot %d %s", requests[i], answer.status, answer.body);
        assert_non_null(strcasestr(answer.head, "Connection: close"));
        if (!http_test_is_closed(fd))
            fail_msg("%s\nis followed by a second answer", requests[i]);
        (void)close(fd);
    }
}

static void pipelined_requests_are_answered_in_their_order(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    for (int round = 0; round < 5; round++) {
        http_test_send(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n" PLAIN "POST /raw HTTP/1.1\r\n" HOST
                           "Content-Length: 2\r\n\r\nab"
                           "GET /private HTTP/1.1\r\n" HOST "\r\n"
                           "GET /nope HTTP/1.1\r\n" HOST "\r\n"
                           "POST /raw HTTP/1.1\r\n" HOST
                           "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        assert_string_equal(http_test_read(fd, false).body, "{\"later\":true}");
        assert_string_equal(http_test_read(fd, false).body, "{\"ok\":true}");
        assert_string_equal(http_test_read(fd, false).body, "2");
        assert_string_equal(http_test_read(fd, false).body, "{\"ok\":true}");
        assert_int_equal(http_test_read(fd, false).status, 404);
        assert_string_equal(http_test_read(fd, false).body, "3");
    }
    (void)close(fd);
}

static void a_refused_body_does_not_disturb_the_next_request(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "POST /forbidden HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello ");
    assert_int_equal(http_test_read(fd, false).status, 403);
    http_test_send(fd, "world" PLAIN);
    assert_int_equal(http_test_read(fd, false).status, 200);
    (void)close(fd);
}

static void requests_may_be_cut_at_every_byte(void **unused)
{
    (void)unused;
    static const char text[] =
        "POST /echo/a%2Fb HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"tex\r\n9\r\nt\":\"a\\\"\"}\r\n0\r\n\r\n" PLAIN;
    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        int fd = http_test_connect(port);
        http_test_send_bytes(fd, text, cut);
        http_test_sleep_ms(1);
        http_test_send_bytes(fd, text + cut, sizeof(text) - 1 - cut);
        struct http_test_answer answer = http_test_read(fd, false);
        assert_int_equal(answer.status, 201);
        assert_string_equal(answer.body, "{\"text\":\"a\\\"\"}");
        assert_non_null(strstr(answer.head, "X-Id: a/b\r\n"));
        assert_int_equal(http_test_read(fd, false).status, 200);
        (void)close(fd);
    }
}

static void one_byte_at_a_time_is_enough(void **unused)
{
    (void)unused;
    static const char text[] = "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
    int fd = http_test_connect(port);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        http_test_send_bytes(fd, text + i, 1);
        http_test_sleep_ms(1);
    }
    assert_string_equal(http_test_read(fd, false).body, "3");
    (void)close(fd);
}

static void garbage_never_hurts(void **unused)
{
    (void)unused;
    srandom(7);
    for (int round = 0; round < 200; round++) {
        char bytes[600];
        size_t len = (size_t)(random() % (long)sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)random();
        int fd = http_test_connect(port);
        http_test_send_bytes(fd, bytes, len);
        (void)shutdown(fd, SHUT_WR);
        struct http_test_answer answer = http_test_read(fd, false);
        assert_true(answer.status == 0 || answer.status >= 400);
        (void)close(fd);
    }
    assert_int_equal(http_test_ask(port, PLAIN).status, 200);
}

static void expect_100_is_answered_before_the_body_comes(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "POST /raw HTTP/1.1\r\n" HOST
                       "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    char got[26] = "";
    assert_int_equal(recv(fd, got, 25, MSG_WAITALL), 25);
    assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
    http_test_send(fd, "hello");
    assert_string_equal(http_test_read(fd, false).body, "5");
    (void)close(fd);
}

static void a_refusal_comes_instead_of_100_continue(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "POST /forbidden HTTP/1.1\r\n" HOST
                       "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    char got[13] = "";
    assert_int_equal(recv(fd, got, 12, MSG_WAITALL), 12);
    assert_string_equal(got, "HTTP/1.1 403");
    (void)close(fd);
}

static void a_client_that_leaves_is_reported_once(void **unused)
{
    (void)unused;
    struct http_test_counts *counts = http_test_server_counts(server);
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    http_test_await(atomic_load(&counts->handled) == 1);
    assert_int_equal(atomic_load(&counts->gone), 0);
    (void)close(fd);
    http_test_await(atomic_load(&counts->gone) == 1);
    http_test_await(http_test_server_stats(server).requests_active == 0);
    assert_int_equal(atomic_load(&counts->gone), 1);
}

static void a_client_that_left_earlier_is_reported_too(void **unused)
{
    (void)unused;
    struct http_test_counts *counts = http_test_server_counts(server);
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /late-hold HTTP/1.1\r\n" HOST "\r\n");
    http_test_await(http_test_server_stats(server).requests_active == 1);
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(fd);
    http_test_await(atomic_load(&counts->gone) == 1);
    http_test_await(http_test_server_stats(server).requests_active == 0);
}

static void listen_elsewhere(void *context)
{
    struct http_server **other = context;
    struct diag diag = {0};
    uint16_t got = 0;
    static const char *const good[] = {"192.0.2.55", "2001:db8::55", "::1", "0.0.0.0"};
    static const char *const bad[] = {"", "localhost", "1.2.3", "10.0.0.1/24"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (http_server_listen(*other, good[i], 0, NULL, &got, &diag) < 0)
            fail_msg("%s", diag.text);
        assert_true(got > 0);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(http_server_listen(*other, bad[i], 0, NULL, &got, &diag), -EINVAL);
    assert_int_equal(http_server_listen(*other, "127.0.0.1", port, NULL, &got, &diag), -EADDRINUSE);
    assert_non_null(strstr(diag.text, "127.0.0.1"));
    if (http_server_start(*other, &diag) < 0)
        fail_msg("%s", diag.text);
}

static void a_listener_may_wait_for_an_address_that_is_not_there_yet(void **unused)
{
    (void)unused;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct http_router *router = http_router_new();
    const struct http_program program = {0};
    struct http_server *other = NULL;
    assert_int_equal(http_server_new(&loop, router, &program, &other, NULL), 0);
    listen_elsewhere(&other);
    http_server_free(other);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    http_router_free(router);
}

static void answers_to_a_client_that_left_are_dropped(void **unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        int fd = http_test_connect(port);
        http_test_send(fd, i % 2 == 0 ? "GET /later HTTP/1.1\r\n" HOST "\r\n"
                                      : "GET /big HTTP/1.1\r\n" HOST "\r\n");
        http_test_sleep_ms(3);
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        (void)close(fd);
    }
    http_test_await(http_test_server_stats(server).requests_active == 0);
    http_test_await(http_test_server_stats(server).connections == 0);
    assert_int_equal(http_test_ask(port, PLAIN).status, 200);
}

static void a_client_that_stops_sending_still_gets_its_answers(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n" PLAIN);
    (void)shutdown(fd, SHUT_WR);
    assert_string_equal(http_test_read(fd, false).body, "{\"later\":true}");
    assert_string_equal(http_test_read(fd, false).body, "{\"ok\":true}");
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
}

static void a_stream_waits_for_a_slow_reader(void **unused)
{
    (void)unused;
    struct http_test_counts *counts = http_test_server_counts(server);
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /stream?lines=16384 HTTP/1.1\r\n" HOST "\r\n" PLAIN);
    http_test_sleep_ms(300); /* the kernel's buffers fill up, our queue must not */
    struct http_test_answer answer = http_test_read(fd, false);
    assert_true(answer.complete);
    assert_int_equal(answer.body_bytes, 16384 * 1024);
    assert_true(atomic_load(&counts->stream_queue_max_bytes) < 128 * 1024);
    assert_int_equal(http_test_read(fd, false).status, 200); /* the next request on it */
    assert_int_equal(atomic_load(&counts->streams_closed), 1);
    assert_int_equal(atomic_load(&counts->streams_broken), 0);
    (void)close(fd);
}

static void a_broken_stream_is_closed_once(void **unused)
{
    (void)unused;
    struct http_test_counts *counts = http_test_server_counts(server);
    static const char *const paths[] = {"endless", "quiet"};
    for (unsigned i = 0; i < 2; i++) {
        char request[64];
        (void)snprintf(request, sizeof(request), "GET /%s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        int fd = http_test_connect(port);
        http_test_send(fd, request);
        http_test_sleep_ms(50);
        assert_int_equal(http_test_server_stats(server).streams, 1);
        (void)close(fd);
        http_test_await(atomic_load(&counts->streams_closed) == i + 1);
        assert_int_equal(atomic_load(&counts->streams_broken), i + 1);
        http_test_await(http_test_server_stats(server).requests_active == 0);
    }
}

static void a_stream_for_an_old_client_ends_with_the_connection(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /stream?lines=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    char bytes[8192];
    size_t got = 0;
    for (ssize_t count; (count = recv(fd, bytes + got, sizeof(bytes) - got, 0)) > 0;)
        got += (size_t)count;
    bytes[got < sizeof(bytes) ? got : sizeof(bytes) - 1] = '\0';
    assert_null(strstr(bytes, "chunked"));
    assert_int_equal(got - (size_t)(strstr(bytes, "\r\n\r\n") + 4 - bytes), 2048);
    (void)close(fd);
}

static void thousands_of_connections_stay_open_side_by_side(void **unused)
{
    (void)unused;
    enum { MANY = 2000 };
    static int fds[MANY];
    const struct http_limits limits = {.connections_per_address = MANY};
    struct http_test_server *wide = http_test_server_start(&limits, NULL);
    for (int i = 0; i < MANY; i++)
        fds[i] = http_test_connect(http_test_server_port(wide));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            http_test_send(fds[i], PLAIN);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(http_test_read(fds[i], false).status, 200);
    }
    assert_int_equal(http_test_server_stats(wide).connections, MANY);
    for (int i = 0; i < MANY; i++)
        (void)close(fds[i]);
    http_test_await(http_test_server_stats(wide).connections == 0);
    http_test_server_stop(wide);
}

static void a_server_that_is_freed_leaves_nothing_behind(void **unused)
{
    (void)unused;
    struct http_test_server *other = http_test_server_start(NULL, NULL);
    static const char *const requests[] = {"GET /endless HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /hold HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /later HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /private HTTP/1.1\r\n" HOST "\r\n",
                                           "POST /raw HTTP/1.1\r\n" HOST
                                           "Content-Length: 9\r\n\r\nab",
                                           "GET /pl",
                                           "GET /big HTTP/1.1\r\n" HOST "\r\n"};
    int fds[COUNT_OF(requests)];
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        fds[i] = http_test_connect(http_test_server_port(other));
        http_test_send(fds[i], requests[i]);
    }
    http_test_sleep_ms(10);
    http_test_server_stop(
        other); /* leaks would be found by the sanitizer, forgotten handles hang */
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        (void)close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_server, without_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_requests_get_their_answers),
        TEST(refused_requests_say_why_in_an_error_body),
        TEST(smuggling_shapes_are_refused_and_end_the_connection),
        TEST(pipelined_requests_are_answered_in_their_order),
        TEST(a_refused_body_does_not_disturb_the_next_request),
        TEST(requests_may_be_cut_at_every_byte),
        TEST(one_byte_at_a_time_is_enough),
        TEST(garbage_never_hurts),
        TEST(expect_100_is_answered_before_the_body_comes),
        TEST(a_refusal_comes_instead_of_100_continue),
        TEST(a_client_that_leaves_is_reported_once),
        TEST(a_client_that_left_earlier_is_reported_too),
        TEST(a_listener_may_wait_for_an_address_that_is_not_there_yet),
        TEST(answers_to_a_client_that_left_are_dropped),
        TEST(a_client_that_stops_sending_still_gets_its_answers),
        TEST(a_stream_waits_for_a_slow_reader),
        TEST(a_broken_stream_is_closed_once),
        TEST(a_stream_for_an_old_client_ends_with_the_connection),
        TEST(thousands_of_connections_stay_open_side_by_side),
        TEST(a_server_that_is_freed_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
