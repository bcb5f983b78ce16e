/* Sizes, times and numbers that one client may take, with small figures so that the test is short.
 */
#include "tests/integration/http/http_test_client.h"
#include "tests/integration/http/http_test_server.h"

#include "lib/common/common.h"

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
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

static struct http_test_server *server;
static uint16_t port;

static const struct http_limits SMALL = {
    .head_bytes = 2048,
    .url_bytes = 512,
    .body_bytes = 4096,
    .bodies_bytes = 8192,
    .head_ms = 300,
    .body_ms = 300,
    .idle_ms = 600,
    .write_ms = 400,
    .connections_per_address = 5,
};

static int with_server(void **unused)
{
    (void)unused;
    server = http_test_server_start(&SMALL, NULL);
    port = http_test_server_port(server);
    return 0;
}

static int without_server(void **unused)
{
    (void)unused;
    http_test_server_stop(server);
    return 0;
}

static void send_filled(int fd, const char *before, size_t fill_bytes, const char *after)
{
    char *fill = malloc(fill_bytes + 1);
    assert_non_null(fill);
    memset(fill, 'x', fill_bytes);
    http_test_send(fd, before);
    http_test_send_bytes(fd, fill, fill_bytes);
    http_test_send(fd, after);
    free(fill);
}

static void a_head_may_be_as_large_as_the_limit_and_no_larger(void **unused)
{
    (void)unused;
    static const char before[] = "GET /plain HTTP/1.1\r\n" HOST "X: ", after[] = "\r\n\r\n";
    const size_t frame = sizeof(before) - 1 + sizeof(after) - 1;
    int fd = http_test_connect(port);
    send_filled(fd, before, SMALL.head_bytes - frame, after);
    assert_int_equal(http_test_read(fd, false).status, 200);
    send_filled(fd, before, SMALL.head_bytes - frame + 1, after);
    assert_int_equal(http_test_read(fd, false).status, 431);
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
}

static void endless_heads_of_any_shape_are_cut(void **unused)
{
    (void)unused;
    static const char *const shapes[] = {"GET /plain HTTP/1.1\r\nX: ", "GET /plain HTTP/1.1\r\n",
                                         ""};
    static const char *const fills[] = {" ", "a: b\r\n", "\r\n"};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        int fd = http_test_connect(port);
        http_test_send(fd, shapes[i]);
        for (int k = 0; k < 3000; k++)
            http_test_send(fd, fills[i]);
        assert_int_equal(http_test_read(fd, false).status, 431);
        (void)close(fd);
    }
}

static void a_long_target_is_refused(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    send_filled(fd, "GET /", SMALL.url_bytes, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(http_test_read(fd, false).status, 414);
    (void)close(fd);
}

static void more_than_a_hundred_headers_are_refused(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /plain HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 100; i++)
        http_test_send(fd, "a:b\r\n");
    http_test_send(fd, "\r\n");
    assert_int_equal(http_test_read(fd, false).status, 431);
    (void)close(fd);
}

static void a_body_may_be_as_large_as_the_limit_and_no_larger(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    send_filled(fd, "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 4096\r\n\r\n", 4096, "");
    assert_string_equal(http_test_read(fd, false).body, "4096");
    http_test_send(fd, "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\n");
    assert_int_equal(http_test_read(fd, false).status, 413); /* before it comes */
    (void)close(fd);

    fd = http_test_connect(port);
    send_filled(fd, "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1000\r\n",
                4096, "\r\n1\r\nx\r\n0\r\n\r\n");
    assert_int_equal(http_test_read(fd, false).status, 413);
    (void)close(fd);
}

static void endless_chunk_framing_is_refused(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    send_filled(fd, "POST /raw HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;", 40000,
                "");
    assert_int_equal(http_test_read(fd, false).status, 413);
    (void)close(fd);
}

static void bodies_of_all_requests_share_one_budget(void **unused)
{
    (void)unused;
    int fds[3];
    for (int i = 0; i < 2; i++) {
        fds[i] = http_test_connect(port);
        send_filled(fds[i], "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 4096\r\n\r\n", 4095, "");
    }
    http_test_await(http_test_server_stats(server).bodies_bytes == 2 * 4095);
    fds[2] = http_test_connect(port);
    send_filled(fds[2], "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 4096\r\n\r\n", 4095, "");
    struct http_test_answer answer = http_test_read(fds[2], false);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.head, "Retry-After: "));
    for (int i = 0; i < 2; i++) {
        http_test_send(fds[i], "x");
        assert_int_equal(http_test_read(fds[i], false).status, 200);
    }
    http_test_await(http_test_server_stats(server).bodies_bytes == 0);
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
}

static void a_slow_head_is_answered_408_however_it_trickles(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    uint64_t begin_ms = http_test_now_ms();
    http_test_send(fd, "GET /plain HTTP/1.1\r\n");
    for (int i = 0; i < 6; i++) {
        http_test_sleep_ms(50);
        http_test_send(fd, "a: b\r\n");
    }
    assert_int_equal(http_test_read(fd, false).status, 408);
    assert_in_range(http_test_now_ms() - begin_ms, 290, 1500);
    (void)close(fd);
}

static void a_slow_body_is_answered_408(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "POST /raw HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n");
    for (int i = 0; i < 6; i++) {
        http_test_send(fd, "x");
        http_test_sleep_ms(50);
    }
    assert_int_equal(http_test_read(fd, false).status, 408);
    (void)close(fd);
}

static void a_client_that_never_asks_is_closed_in_the_time_for_a_head(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    uint64_t begin_ms = http_test_now_ms();
    assert_true(http_test_is_closed(fd));
    assert_in_range(http_test_now_ms() - begin_ms, 290, 550);
    (void)close(fd);
}

static void an_idle_connection_is_closed_later(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, PLAIN);
    assert_int_equal(http_test_read(fd, false).status, 200);
    uint64_t begin_ms = http_test_now_ms();
    assert_true(http_test_is_closed(fd));
    assert_in_range(http_test_now_ms() - begin_ms, 560, 2000);
    (void)close(fd);
}

static void a_waiting_handler_is_not_timed_out(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    http_test_sleep_ms(1000);
    assert_int_equal(http_test_server_stats(server).connections, 1);
    (void)close(fd);
}

static void an_idle_stream_is_not_timed_out(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /quiet HTTP/1.1\r\n" HOST "\r\n");
    http_test_sleep_ms(1000);
    assert_int_equal(http_test_server_stats(server).streams, 1);
    (void)close(fd);
}

static void a_reader_that_stands_still_is_cut(void **unused)
{
    (void)unused;
    struct http_test_counts *counts = http_test_server_counts(server);
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /endless HTTP/1.1\r\n" HOST "\r\n");
    http_test_await(atomic_load(&counts->streams_broken) == 1);
    (void)close(fd);
}

static void one_address_gets_so_many_connections_and_no_more(void **unused)
{
    (void)unused;
    int fds[5];
    for (int i = 0; i < 5; i++) {
        fds[i] = http_test_connect(port);
        http_test_send(fds[i], PLAIN);
        assert_int_equal(http_test_read(fds[i], false).status, 200);
    }
    struct http_test_answer answer = http_test_ask(port, PLAIN);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "\"canRetry\":true"));
    assert_true(answer.complete);
    (void)close(fds[0]);
    http_test_await(http_test_server_stats(server).connections == 4);
    assert_int_equal(http_test_ask(port, PLAIN).status, 200);
    assert_int_equal(http_test_server_stats(server).refused_connections, 1);
    for (int i = 1; i < 5; i++)
        (void)close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_server, without_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_head_may_be_as_large_as_the_limit_and_no_larger),
        TEST(endless_heads_of_any_shape_are_cut),
        TEST(a_long_target_is_refused),
        TEST(more_than_a_hundred_headers_are_refused),
        TEST(a_body_may_be_as_large_as_the_limit_and_no_larger),
        TEST(endless_chunk_framing_is_refused),
        TEST(bodies_of_all_requests_share_one_budget),
        TEST(a_slow_head_is_answered_408_however_it_trickles),
        TEST(a_slow_body_is_answered_408),
        TEST(a_client_that_never_asks_is_closed_in_the_time_for_a_head),
        TEST(an_idle_connection_is_closed_later),
        TEST(a_waiting_handler_is_not_timed_out),
        TEST(an_idle_stream_is_not_timed_out),
        TEST(a_reader_that_stands_still_is_cut),
        TEST(one_address_gets_so_many_connections_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
