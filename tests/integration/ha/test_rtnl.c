/* rtnetlink in a namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/common/common.h"
#include "lib/common/rtnl.h"
#include "tests/integration/ha/support.h"

static struct rtnl_addr address(const char *text)
{
    struct rtnl_addr addr = {0};
    assert_int_equal(rtnl_addr_parse(text, &addr, NULL), 0);
    return addr;
}

static int set_up(void **state)
{
    static struct support_net net;
    support_net_init(&net);
    *state = &net;
    return 0;
}

static int tear_down(void **state)
{
    support_net_done(*state);
    return 0;
}

static void texts_become_addresses_and_back(void **unused)
{
    (void)unused;
    static const char *const good[][2] = {{"10.0.0.1/24", "10.0.0.1/24"},
                                          {"10.0.0.1", "10.0.0.1/32"},
                                          {"fd00:0:0::1/64", "fd00::1/64"},
                                          {"::1", "::1/128"},
                                          {"0.0.0.0/0", "0.0.0.0/0"}};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        const struct rtnl_addr addr = address(good[i][0]);
        char text[RTNL_ADDR_TEXT_CHARS];
        rtnl_addr_format(&addr, true, text);
        assert_string_equal(text, good[i][1]);
    }
    static const char *const bad[] = {"",
                                      "/24",
                                      "10.0.0.1/33",
                                      "10.0.0.1/",
                                      "10.0.0/24",
                                      "10.0.0.1/+1",
                                      "fd00::/129",
                                      "witness",
                                      "10.0.0.1/1x",
                                      "1111:1111:1111:1111:1111:1111:1111:1111:1111:11"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct rtnl_addr addr = {.family = 77};
        struct diag diag = {0};
        assert_int_equal(rtnl_addr_parse(bad[i], &addr, &diag), -EINVAL);
        assert_int_equal(addr.family, 77);
        assert_true(diag.text[0] != '\0');
    }
}

struct seen {
    struct rtnl_addr wanted;
    bool found;
    struct rtnl_address address;
};

static void look(void *context, const struct rtnl_address *found)
{
    struct seen *seen = context;
    if (rtnl_addr_same_host(&seen->wanted, &found->addr)) {
        seen->found = true;
        seen->address = *found;
    }
}

static struct seen find(struct rtnl *rtnl, const struct rtnl_addr *addr)
{
    struct seen seen = {.wanted = *addr};
    assert_int_equal(rtnl_address_list(rtnl, look, &seen, NULL), 0);
    return seen;
}

static void an_address_lives_while_it_is_renewed_and_lapses_by_itself(void **unused)
{
    (void)unused;
    struct rtnl *rtnl = NULL;
    struct rtnl_link lan;
    assert_int_equal(rtnl_new(&rtnl, NULL), 0);
    assert_int_equal(rtnl_link_find(rtnl, "lan", &lan, NULL), 0);
    const struct rtnl_addr addrs[] = {address("10.9.0.100/24"), address("fd09::100/64")};
    for (int round = 0; round < 6; round++) { /* 2.4 s with a lifetime of 1 s */
        for (int i = 0; i < 2; i++) {
            assert_int_equal(rtnl_address_set(rtnl, lan.index, &addrs[i], 1, NULL), 0);
            struct seen seen = find(rtnl, &addrs[i]);
            assert_true(seen.found);
            assert_int_equal(seen.address.addr.prefix_bits, addrs[i].prefix_bits);
            assert_true(seen.address.valid_s <= 1);
        }
        (void)usleep(400 * 1000);
    }
    (void)usleep(2 * 1000 * 1000);
    for (int i = 0; i < 2; i++)
        assert_false(find(rtnl, &addrs[i]).found);
    rtnl_free(rtnl);
}

static void removing_is_done_wherever_it_is_and_twice_is_fine(void **unused)
{
    (void)unused;
    struct rtnl *rtnl = NULL;
    struct rtnl_link lan, ic;
    assert_int_equal(rtnl_new(&rtnl, NULL), 0);
    assert_int_equal(rtnl_link_find(rtnl, "lan", &lan, NULL), 0);
    assert_int_equal(rtnl_link_find(rtnl, "ic", &ic, NULL), 0);
    const struct rtnl_addr wide = address("10.9.0.100/24"), narrow = address("10.9.0.100/32");
    assert_int_equal(rtnl_address_set(rtnl, lan.index, &wide, 0, NULL), 0);
    assert_int_equal(rtnl_address_set(rtnl, ic.index, &narrow, 0, NULL), 0);
    assert_true(find(rtnl, &wide).address.valid_s == UINT32_MAX);
    struct rtnl_link found;
    assert_int_equal(rtnl_link_by_address(rtnl, &wide, &found, NULL), 0);
    unsigned removed = 0;
    assert_int_equal(rtnl_address_remove_everywhere(rtnl, &narrow, &removed, NULL), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(rtnl_address_remove_everywhere(rtnl, &narrow, &removed, NULL), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(rtnl_address_remove(rtnl, lan.index, &wide, NULL), 0);
    assert_int_equal(rtnl_address_remove(rtnl, 4711, &wide, NULL), 0);
    assert_int_equal(rtnl_link_by_address(rtnl, &wide, &found, NULL), -EADDRNOTAVAIL);
    rtnl_free(rtnl);
}

static void errors_say_what_is_missing(void **unused)
{
    (void)unused;
    struct rtnl *rtnl = NULL;
    struct rtnl_link link;
    struct diag diag = {0};
    assert_int_equal(rtnl_new(&rtnl, NULL), 0);
    assert_int_equal(rtnl_link_find(rtnl, "nothere0", &link, &diag), -ENODEV);
    assert_non_null(strstr(diag.text, "nothere0"));
    const struct rtnl_addr addr = address("10.9.0.100/24");
    assert_int_equal(rtnl_address_set(rtnl, 4711, &addr, 1, &diag), -ENODEV);
    assert_non_null(strstr(diag.text, "10.9.0.100/24"));
    rtnl_free(rtnl);
}

struct watcher {
    unsigned resyncs, links;
    bool carrier, added, removed, first_done;
    struct rtnl_addr wanted;
    struct rtnl_monitor *monitor;
};

static void on_event(void *context, const struct rtnl_event *event)
{
    struct watcher *watcher = context;
    switch (event->kind) {
    case RTNL_RESYNC:
        watcher->resyncs++;
        break;
    case RTNL_LINK_CHANGED:
        watcher->links++;
        if (strcmp(event->link.name, "lan") == 0) {
            watcher->carrier = event->link.carrier;
            watcher->first_done = true;
        }
        break;
    case RTNL_LINK_REMOVED:
        break;
    case RTNL_ADDRESS_ADDED:
        watcher->added |= rtnl_addr_same_host(&event->address.addr, &watcher->wanted);
        break;
    case RTNL_ADDRESS_REMOVED:
        watcher->removed |= rtnl_addr_same_host(&event->address.addr, &watcher->wanted);
        break;
    }
}

static void the_monitor_tells_the_present_state_and_every_change(void **state)
{
    const struct support_net *net = *state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct watcher watcher = {.wanted = address("10.9.0.100")};
    assert_int_equal(rtnl_monitor_new(&loop, on_event, &watcher, &watcher.monitor, NULL), 0);
    assert_int_equal(watcher.resyncs, 0);
    assert_true(support_loop_until(&loop, &watcher.first_done, 1000));
    assert_int_equal(watcher.resyncs, 1);
    assert_true(support_loop_until(&loop, &watcher.carrier, 1000));

    support_net_enter(net, 1);
    support_must("ip", "link", "set", "lan", "down", NULL);
    for (int i = 0; i < 20 && watcher.carrier; i++) /* the kernel tells it up to a second later */
        support_loop_for(&loop, 100);
    assert_false(watcher.carrier);
    support_must("ip", "link", "set", "lan", "up", NULL);
    support_net_enter(net, 0);
    support_must("ip", "addr", "add", "10.9.0.100/32", "dev", "lan", NULL);
    assert_true(support_loop_until(&loop, &watcher.added, 1000));
    support_must("ip", "addr", "del", "10.9.0.100/32", "dev", "lan", NULL);
    assert_true(support_loop_until(&loop, &watcher.removed, 1000));
    assert_true(support_loop_until(&loop, &watcher.carrier, 1000));
    assert_int_equal(watcher.resyncs, 1);
    rtnl_monitor_free(watcher.monitor);
    support_loop_done(&loop);
}

static void lost_news_lead_to_the_whole_state_again(void **state)
{
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct watcher watcher = {.wanted = address("10.9.0.100")};
    assert_int_equal(rtnl_monitor_new(&loop, on_event, &watcher, &watcher.monitor, NULL), 0);
    assert_true(support_loop_until(&loop, &watcher.first_done, 1000));

    struct rtnl *rtnl = NULL;
    struct rtnl_link lan;
    assert_int_equal(rtnl_new(&rtnl, NULL), 0);
    assert_int_equal(rtnl_link_find(rtnl, "lan", &lan, NULL), 0);
    for (int i = 0; i < 4000; i++) { /* nobody listens meanwhile: the queue overflows */
        struct rtnl_addr addr = address("10.9.7.1/32");
        addr.bytes[3] = (uint8_t)(i % 250 + 1);
        assert_int_equal(i / 250 % 2 == 0 ? rtnl_address_set(rtnl, lan.index, &addr, 0, NULL)
                                          : rtnl_address_remove(rtnl, lan.index, &addr, NULL),
                         0);
    }
    assert_int_equal(rtnl_address_set(rtnl, lan.index, &watcher.wanted, 0, NULL), 0);
    rtnl_free(rtnl);
    assert_true(support_loop_until(&loop, &watcher.added, 2000));
    assert_true(watcher.resyncs >= 2);
    rtnl_monitor_free(watcher.monitor);
    support_loop_done(&loop);
}

static void free_in_its_own_callback(void *context, const struct rtnl_event *event)
{
    struct watcher *watcher = context;
    assert_int_equal(event->kind, RTNL_RESYNC);
    watcher->resyncs++;
    rtnl_monitor_free(watcher->monitor);
    watcher->first_done = true;
}

static void the_monitor_may_be_freed_in_its_callback(void **state)
{
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct watcher watcher = {0};
    assert_int_equal(
        rtnl_monitor_new(&loop, free_in_its_own_callback, &watcher, &watcher.monitor, NULL), 0);
    assert_true(support_loop_until(&loop, &watcher.first_done, 1000));
    support_loop_done(&loop);
    assert_int_equal(watcher.resyncs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_addresses_and_back),
        cmocka_unit_test_setup_teardown(an_address_lives_while_it_is_renewed_and_lapses_by_itself,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(removing_is_done_wherever_it_is_and_twice_is_fine, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(errors_say_what_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_monitor_tells_the_present_state_and_every_change,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_news_lead_to_the_whole_state_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_monitor_may_be_freed_in_its_callback, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
