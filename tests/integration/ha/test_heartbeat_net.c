/* Heartbeats between two namespaces over two cables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/heartbeat.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "tests/integration/ha/support.h"

static const char key[] = "a cluster key of thirty-two bytes";

struct node {
    struct heartbeat *heartbeat;
    unsigned messages, ups[HEARTBEAT_LINKS], downs[HEARTBEAT_LINKS];
    char last[64];
    bool both_up;
};

struct scene {
    struct support_net net;
    uv_loop_t loop;
    struct node nodes[2];
};

static void on_message(void *context, unsigned link, const void *bytes, size_t len_bytes)
{
    struct node *node = context;
    (void)link;
    node->messages++;
    (void)snprintf(node->last, sizeof(node->last), "%.*s", (int)len_bytes, (const char *)bytes);
}

static void on_link(void *context, unsigned link, bool up)
{
    struct node *node = context;
    node->ups[link] += up;
    node->downs[link] += !up;
    struct heartbeat_status status;
    if (node->heartbeat != NULL) {
        heartbeat_get_status(node->heartbeat, &status);
        node->both_up = status.links_up == 2;
    }
}

static void start_with(struct scene *scene, int which, const char *with_key)
{
    support_net_enter(&scene->net, which);
    const bool first = which == 0;
    const struct heartbeat_options options = {
        .links = {{"lan", first ? "10.9.0.1" : "10.9.0.2", first ? "10.9.0.2" : "10.9.0.1"},
                  {"ic", first ? "fd19::1" : "fd19::2", first ? "fd19::2" : "fd19::1"}},
        .own_node = first ? 1 : 2,
        .peer_node = first ? 2 : 1,
        .key = with_key,
        .key_bytes = sizeof(key),
        .miss_ms = 500, /* patient: the machine that runs the tests may be busy */
        .on_message = on_message,
        .on_link = on_link,
        .context = &scene->nodes[which]};
    struct diag diag = {0};
    int code = heartbeat_new(&scene->loop, &options, &scene->nodes[which].heartbeat, &diag);
    if (code < 0)
        print_message("%s\n", diag.text);
    assert_int_equal(code, 0);
    const char *payload = first ? "from one" : "from two";
    assert_int_equal(heartbeat_set_payload(scene->nodes[which].heartbeat, payload, strlen(payload)),
                     0);
}

static void stop(struct scene *scene, int which)
{
    heartbeat_free(scene->nodes[which].heartbeat);
    scene->nodes[which].heartbeat = NULL;
}

static struct heartbeat_status status_of(const struct scene *scene, int which)
{
    struct heartbeat_status status;
    heartbeat_get_status(scene->nodes[which].heartbeat, &status);
    return status;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    support_net_init(&scene->net);
    assert_int_equal(uv_loop_init(&scene->loop), 0);
    for (int i = 0; i < 2; i++)
        start_with(scene, i, key);
    for (int i = 0; i < 2; i++)
        assert_true(support_loop_until(&scene->loop, &scene->nodes[i].both_up, 3000));
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 2; i++)
        stop(scene, i);
    support_loop_done(&scene->loop);
    support_net_done(&scene->net);
    free(scene);
    return 0;
}

static void both_nodes_hear_each_other_and_know_that_they_are_heard(void **state)
{
    struct scene *scene = *state;
    support_loop_for(&scene->loop, 500);
    for (int i = 0; i < 2; i++) {
        const struct heartbeat_status status = status_of(scene, i);
        const uint64_t now_ms = common_boot_ms();
        assert_int_equal(status.links_up, 2);
        assert_true(now_ms - status.last_heard_ms < 500);
        assert_true(status.contact_ms <= now_ms && now_ms - status.contact_ms < 900);
        assert_int_equal(status.peer_version_high, PEER_MESSAGE_VERSION_HIGH);
        assert_string_equal(scene->nodes[i].last, i == 0 ? "from two" : "from one");
        for (unsigned link = 0; link < HEARTBEAT_LINKS; link++) {
            assert_int_equal(status.links[link].forged, 0);
            assert_int_equal(status.links[link].foreign, 0);
        }
    }
    assert_in_range(scene->nodes[0].messages, 4, 60); /* ten a second on each of two links */
}

static void one_cut_cable_is_seen_on_that_link_only(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "lan", "down", NULL);
    support_loop_for(&scene->loop, 1200);
    for (int i = 0; i < 2; i++) {
        const struct heartbeat_status status = status_of(scene, i);
        assert_false(status.links[0].up);
        assert_true(status.links[1].up);
        assert_true(common_boot_ms() - status.contact_ms < 900);
        assert_int_equal(scene->nodes[i].downs[0], 1);
        assert_int_equal(scene->nodes[i].downs[1], 0);
    }
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "lan", "up", NULL);
    support_loop_for(&scene->loop, 1500);
    assert_true(status_of(scene, 0).links[0].up);
}

static void of_a_one_way_cut_the_unheard_side_knows(void **state)
{
    struct scene *scene = *state;
    /* node 2 hears nothing any more on both cables, but is still heard */
    support_net_enter(&scene->net, 1);
    support_must("ip", "addr", "del", "10.9.0.2/24", "dev", "lan", NULL);
    support_must("ip", "addr", "del", "fd19::2/64", "dev", "ic", NULL);
    support_must("ip", "route", "add", "10.9.0.0/24", "dev", "lan", NULL);
    support_must("ip", "route", "add", "fd19::/64", "dev", "ic", NULL);
    support_net_enter(&scene->net,
                      0); /* node 1 cannot be answered: it does not know the way back */
    support_loop_for(&scene->loop, 1500);
    const struct heartbeat_status one = status_of(scene, 0);
    assert_true(common_boot_ms() - one.contact_ms > 500);
    const struct heartbeat_status two = status_of(scene, 1);
    assert_true(common_boot_ms() - two.contact_ms > 500 || two.links_up == 0);
}

static void a_restarted_node_is_believed_again(void **state)
{
    struct scene *scene = *state;
    for (int round = 0; round < 3; round++) {
        stop(scene, 1);
        scene->nodes[0].both_up = scene->nodes[1].both_up = false;
        support_loop_for(&scene->loop, 900);
        assert_int_equal(status_of(scene, 0).links_up, 0);
        start_with(scene, 1, key);
        assert_true(support_loop_until(&scene->loop, &scene->nodes[1].both_up, 1500));
        assert_true(support_loop_until(&scene->loop, &scene->nodes[0].both_up, 1500));
    }
}

static void another_key_is_counted_and_never_believed(void **state)
{
    struct scene *scene = *state;
    stop(scene, 1);
    support_loop_for(&scene->loop, 900);
    const unsigned before = scene->nodes[0].messages;
    start_with(scene, 1, "a cluster key of thirty-two bytes?");
    support_loop_for(&scene->loop, 500);
    assert_int_equal(scene->nodes[0].messages, before);
    assert_true(status_of(scene, 0).links[0].forged > 0);
    assert_int_equal(status_of(scene, 0).links_up, 0);
}

static void garbage_and_floods_do_not_disturb(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(HEARTBEAT_PORT)};
    (void)inet_pton(AF_INET, "10.9.0.1", &to.sin_addr);
    static uint8_t bytes[1400];
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        memcpy(bytes, i % 2 == 0 ? "OGHB" : "HTTP", 4);
        bytes[10] = (uint8_t)(seed >> 8);
        bytes[11] = (uint8_t)(seed >> 16);
        (void)sendto(fd, bytes, seed >> 16 & 0x3ff, 0, (const struct sockaddr *)&to, sizeof(to));
        if (i % 200 == 0)
            (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
    }
    (void)close(fd);
    support_loop_for(&scene->loop, 500);
    const struct heartbeat_status status = status_of(scene, 0);
    assert_true(status.links[0].forged > 1000);
    assert_true(common_boot_ms() - status.contact_ms < 900);
    assert_int_equal(status.links_up, 2);
}

static void a_missing_device_is_waited_for(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 0);
    support_must("ip", "link", "del", "lan", NULL);
    support_loop_for(&scene->loop, 1200);
    struct heartbeat_status status = status_of(scene, 0);
    assert_false(status.links[0].up);
    assert_true(status.links[0].send_errors > 0);
    assert_true(status.links[1].up);
    char other[64];
    (void)snprintf(other, sizeof(other), "/proc/%d/fd/%d", (int)getpid(), scene->net.fds[1]);
    support_must("ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", other,
                 NULL);
    for (int i = 0; i < 2; i++) {
        support_net_enter(&scene->net, i);
        support_must("ip", "addr", "add", i == 0 ? "10.9.0.1/24" : "10.9.0.2/24", "dev", "lan",
                     NULL);
        support_must("ip", "link", "set", "lan", "up", NULL);
    }
    /* a socket that has to be opened anew is opened where the loop runs: node by node */
    support_net_enter(&scene->net, 0);
    support_loop_for(&scene->loop, 1500);
    status = status_of(scene, 0);
    assert_true(status.links[0].sent > 0 && status.links[0].last_send_error <= 0);
    assert_true(status.links[1].up);
}

static void impossible_options_are_refused(void **state)
{
    struct scene *scene = *state;
    struct heartbeat *heartbeat = NULL;
    struct diag diag = {0};
    struct heartbeat_options options = {.links = {{NULL, "10.9.0.1", "10.9.0.2"}},
                                        .own_node = 1,
                                        .peer_node = 2,
                                        .key = key,
                                        .key_bytes = 8,
                                        .on_message = on_message};
    assert_int_equal(heartbeat_new(&scene->loop, &options, &heartbeat, &diag), -EINVAL);
    options.key_bytes = sizeof(key);
    options.peer_node = 1;
    assert_int_equal(heartbeat_new(&scene->loop, &options, &heartbeat, &diag), -EINVAL);
    options.peer_node = 2;
    options.links[0].peer = "peer.example";
    assert_int_equal(heartbeat_new(&scene->loop, &options, &heartbeat, &diag), -EINVAL);
    options.links[0].peer = "fd09::2";
    assert_int_equal(heartbeat_new(&scene->loop, &options, &heartbeat, &diag), -EINVAL);
    options.links[0].local = NULL;
    assert_int_equal(heartbeat_new(&scene->loop, &options, &heartbeat, &diag), -EINVAL);
    assert_null(heartbeat);
    uint8_t large[PEER_MESSAGE_PAYLOAD_MAX_BYTES + 1] = {0};
    assert_int_equal(heartbeat_set_payload(scene->nodes[0].heartbeat, large, sizeof(large)),
                     -EMSGSIZE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_init("test");
    log_set_level(NULL, LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        CASE(both_nodes_hear_each_other_and_know_that_they_are_heard),
        CASE(one_cut_cable_is_seen_on_that_link_only),
        CASE(of_a_one_way_cut_the_unheard_side_knows),
        CASE(a_restarted_node_is_believed_again),
        CASE(another_key_is_counted_and_never_believed),
        CASE(garbage_and_floods_do_not_disturb),
        CASE(a_missing_device_is_waited_for),
        CASE(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
