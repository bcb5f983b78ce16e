/* A client that only reads learns that its server's address has moved to another machine. The first
 * namespace is the server that dies and then the one that takes over; the second is the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/tickle.h"
#include "lib/common/common.h"
#include "tests/integration/ha/support.h"

struct scene {
    struct support_net net;
    uv_loop_t loop;
    struct rtnl_addr vip;
    struct tickle_connection connection;
    int listener, server, client;
};

static socklen_t socket_address(struct sockaddr_storage *out, const struct rtnl_addr *addr,
                                uint16_t port)
{
    *out = (struct sockaddr_storage){.ss_family = (sa_family_t)addr->family};
    if (addr->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        memcpy(&in->sin_addr, addr->bytes, 4);
        in->sin_port = htons(port);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    memcpy(&in6->sin6_addr, addr->bytes, 16);
    in6->sin6_port = htons(port);
    return sizeof(*in6);
}

/* The server listens on "any", dual stack for IPv4, as a gateway does. */
static void connect_client(struct scene *scene, const char *vip)
{
    assert_int_equal(rtnl_addr_parse(vip, &scene->vip, NULL), 0);
    support_net_enter(&scene->net, 0);
    char with_prefix[RTNL_ADDR_TEXT_CHARS];
    rtnl_addr_format(&scene->vip, true, with_prefix);
    support_must("ip", "addr", "add", with_prefix, "dev", "lan", NULL);
    const int one = 1;
    struct sockaddr_storage address;
    const struct rtnl_addr any = {.family = AF_INET6};
    socklen_t bytes = socket_address(&address, &any, 8443);
    scene->listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(scene->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_int_equal(bind(scene->listener, (const struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(scene->listener, 8), 0);

    support_net_enter(&scene->net, 1);
    scene->client = socket(scene->vip.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bytes = socket_address(&address, &scene->vip, 8443);
    assert_int_equal(connect(scene->client, (const struct sockaddr *)&address, bytes), 0);
    scene->server = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(scene->server >= 0);
    assert_int_equal(write(scene->server, "hello", 5), 5);
    char hello[5];
    assert_int_equal(read(scene->client, hello, 5), 5);

    struct sockaddr_storage own = {0};
    bytes = sizeof(own);
    assert_int_equal(getsockname(scene->client, (struct sockaddr *)&own, &bytes), 0);
    struct tickle_connection *connection = &scene->connection;
    *connection = (struct tickle_connection){.family = scene->vip.family, .local_port = 8443};
    memcpy(connection->local, scene->vip.bytes, 16);
    if (own.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&own;
        memcpy(connection->remote, &in->sin_addr, 4);
        connection->remote_port = ntohs(in->sin_port);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&own;
        memcpy(connection->remote, &in6->sin6_addr, 16);
        connection->remote_port = ntohs(in6->sin6_port);
    }
    support_net_enter(&scene->net, 0);
}

/* The server's machine dies: its connection is gone without a word, then the address comes back on
 * a machine that knows nothing of it. */
static void crash_and_move(struct scene *scene)
{
    char with_prefix[RTNL_ADDR_TEXT_CHARS];
    rtnl_addr_format(&scene->vip, true, with_prefix);
    support_net_enter(&scene->net, 0);
    support_must("ip", "link", "set", "lan", "down", NULL);
    const struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(scene->server, SOL_SOCKET, SO_LINGER, &abort_now, sizeof(abort_now));
    common_closep(&scene->server); /* its reset goes nowhere */
    support_must("ip", "link", "set", "lan", "up", NULL);
    if (scene->vip.family == AF_INET6) { /* went with the link */
        support_must("ip", "addr", "replace", "fd09::1/64", "dev", "lan", "nodad", NULL);
        support_must("ip", "addr", "replace", with_prefix, "dev", "lan", "nodad", NULL);
    }
    struct pollfd client = {.fd = scene->client, .events = POLLIN};
    assert_int_equal(poll(&client, 1, 300), 0); /* it has not noticed anything */
}

static void client_is_reset_within(struct scene *scene, int ms)
{
    struct pollfd client = {.fd = scene->client, .events = POLLIN};
    assert_int_equal(poll(&client, 1, ms), 1);
    char byte;
    assert_int_equal(read(scene->client, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->listener = scene->server = scene->client = -1;
    support_net_init(&scene->net);
    assert_int_equal(uv_loop_init(&scene->loop), 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    common_closep(&scene->listener);
    common_closep(&scene->server);
    common_closep(&scene->client);
    support_loop_done(&scene->loop);
    support_net_done(&scene->net);
    free(scene);
    return 0;
}

struct told {
    bool done;
    struct tickle_result result;
};

static void on_told(void *context, const struct tickle_result *result)
{
    struct told *told = context;
    told->done = true;
    told->result = *result;
}

/* The thread pool's threads keep the namespace of their first use: the tests in one process would
 * disturb each other, so each tickles from a child process. Returns its packets sent, or -errno. */
static int tickle_in_child(struct scene *scene, const char *path)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        uv_loop_t loop;
        struct told told = {0};
        int answer = -EINVAL;
        const struct tickle_options options = {.path = path,
                                               .connections = &scene->connection,
                                               .connection_count = 1,
                                               .vips = &scene->vip,
                                               .vip_count = 1};
        support_net_enter(&scene->net, 0);
        if (uv_loop_init(&loop) == 0 && tickle_start(&loop, &options, on_told, &told, NULL) == 0 &&
            support_loop_until(&loop, &told.done, 3000))
            answer = told.result.error < 0 ? told.result.error : (int)told.result.sent;
        ssize_t written = write(ends[1], &answer, sizeof(answer));
        _exit(written == sizeof(answer) ? 0 : 1);
    }
    int answer = 0;
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &answer, sizeof(answer)), sizeof(answer));
    (void)close(ends[0]);
    return answer;
}

static void move_and_tickle(struct scene *scene, const char *vip, bool listening)
{
    connect_client(scene, vip);
    if (!listening)
        common_closep(&scene->listener);
    crash_and_move(scene);
    const uint64_t before_ms = common_boot_ms();
    assert_int_equal(tickle_in_child(scene, NULL), TICKLE_ROUNDS);
    client_is_reset_within(scene, 1000);
    assert_in_range(common_boot_ms() - before_ms, 0, 1500);
}

static void a_reading_ipv4_client_is_reset_within_a_second(void **state)
{
    move_and_tickle(*state, "10.9.0.100/24", false);
}

static void a_reading_ipv6_client_is_reset_within_a_second(void **state)
{
    move_and_tickle(*state, "fd09::100/64", false);
}

static void it_works_while_the_new_server_listens_already(void **state)
{
    move_and_tickle(*state, "10.9.0.100/24", true);
}

static void the_list_is_read_from_the_file_and_torn_lines_do_not_matter(void **state)
{
    struct scene *scene = *state;
    connect_client(scene, "10.9.0.100/24");
    struct buf text = {0};
    buf_adds(&text, "4 10.9.0.7 443 10.9.0.2 1000\n"); /* another address of ours: left alone */
    tickle_list_write(&scene->connection, 1, &text);
    buf_adds(&text, "4 10.9.0.100 84"); /* torn by the crash */
    char path[] = "/tmp/tickle-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    support_write_file(path, text.data, 0600);
    buf_done(&text);
    crash_and_move(scene);
    assert_int_equal(tickle_in_child(scene, path), TICKLE_ROUNDS);
    client_is_reset_within(scene, 1000);
    (void)unlink(path);
}

static void without_a_file_it_says_so(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(rtnl_addr_parse("10.9.0.1", &scene->vip, NULL), 0);
    assert_int_equal(tickle_in_child(scene, "/nonexistent/channels"), -ENOENT);
}

static void a_release_resets_the_clients_of_the_address_and_no_others(void **state)
{
    struct scene *scene = *state;
    static const char *const vips[] = {"10.9.0.100/24", "fd09::100/64"};
    for (size_t i = 0; i < COUNT_OF(vips); i++) {
        connect_client(scene, vips[i]);
        const struct rtnl_addr other = {.family = scene->vip.family, .bytes = {10, 9, 0, 1}};
        struct diag diag = {0};
        int none = tickle_reset_own(&other, &diag);
        if (none < 0)
            print_message("%s\n", diag.text);
        assert_int_equal(none, 0);
        struct pollfd client = {.fd = scene->client, .events = POLLIN};
        assert_int_equal(poll(&client, 1, 100), 0);
        assert_int_equal(tickle_reset_own(&scene->vip, NULL), 1);
        client_is_reset_within(scene, 500);
        struct pollfd server = {.fd = scene->listener, .events = POLLIN};
        assert_int_equal(poll(&server, 1, 0), 0); /* the listener lives */
        common_closep(&scene->listener);
        common_closep(&scene->server);
        common_closep(&scene->client);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_reading_ipv4_client_is_reset_within_a_second),
        CASE(a_reading_ipv6_client_is_reset_within_a_second),
        CASE(it_works_while_the_new_server_listens_already),
        CASE(the_list_is_read_from_the_file_and_torn_lines_do_not_matter),
        CASE(without_a_file_it_says_so),
        CASE(a_release_resets_the_clients_of_the_address_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
