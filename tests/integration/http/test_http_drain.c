/* Draining: what is under way ends well, what is idle ends at once, what hangs ends with the
 * budget. */
#include "tests/integration/http/http_test_client.h"
#include "tests/integration/http/http_test_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "Host: test\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

static struct http_test_server *server;
static uint16_t port;
static struct http_test_counts *counts;

static int with_server(void **unused)
{
    (void)unused;
    server = http_test_server_start(NULL, NULL);
    port = http_test_server_port(server);
    counts = http_test_server_counts(server);
    return 0;
}

static int without_server(void **unused)
{
    (void)unused;
    http_test_server_stop(server);
    return 0;
}

static void a_request_in_flight_is_finished_and_says_close(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    http_test_sleep_ms(10);
    http_test_server_drain(server, 5000);
    struct http_test_answer answer = http_test_read(fd, false);
    assert_int_equal(answer.status, 200);
    assert_non_null(strcasestr(answer.head, "\r\nConnection: close\r\n"));
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
    http_test_await(atomic_load(&counts->drained) == 1);
}

static void an_idle_connection_is_closed_at_once(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, PLAIN);
    assert_int_equal(http_test_read(fd, false).status, 200);
    http_test_server_drain(server, 60000);
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
    http_test_await(atomic_load(&counts->drained) == 1);
}

static void a_stream_ends_after_its_last_words(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /quiet HTTP/1.1\r\n" HOST "\r\n");
    http_test_sleep_ms(50);
    http_test_server_drain(server, 60000);
    struct http_test_answer answer = http_test_read(fd, false);
    assert_true(answer.complete);
    assert_string_equal(answer.body, "bye\n");
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
    http_test_await(atomic_load(&counts->drained) == 1);
    assert_int_equal(atomic_load(&counts->streams_broken), 0);
}

static void what_hangs_is_cut_when_the_budget_is_over(void **unused)
{
    (void)unused;
    int fd = http_test_connect(port);
    http_test_send(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    http_test_await(atomic_load(&counts->handled) == 1);
    uint64_t begin_ms = http_test_now_ms();
    http_test_server_drain(server, 200);
    http_test_await(atomic_load(&counts->drained) == 1);
    assert_in_range(http_test_now_ms() - begin_ms, 190, 2000);
    assert_int_equal(atomic_load(&counts->gone), 1);
    assert_true(http_test_is_closed(fd));
    (void)close(fd);
}

static void a_server_without_connections_is_drained_soon_and_once(void **unused)
{
    (void)unused;
    http_test_server_drain(server, 60000);
    http_test_await(atomic_load(&counts->drained) == 1);
    http_test_sleep_ms(50);
    assert_int_equal(atomic_load(&counts->drained), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_server, without_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_in_flight_is_finished_and_says_close),
        TEST(an_idle_connection_is_closed_at_once),
        TEST(a_stream_ends_after_its_last_words),
        TEST(what_hangs_is_cut_when_the_budget_is_over),
        TEST(a_server_without_connections_is_drained_soon_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
