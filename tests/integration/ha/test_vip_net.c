/* The virtual address on a cable between two network namespaces: node A is the first, node B the
 * second. Both run on one loop; their sockets belong to the namespace where they were opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/vip.h"
#include "lib/common/common.h"
#include "tests/integration/ha/support.h"

struct node {
    struct vip *vip;
    struct watchdog *watchdog;
    unsigned foreign, foreign_probes, lost, carriers;
    int foreign_family;
    uint8_t foreign_mac[VIP_MAC_BYTES];
    bool carrier;
};

struct scene {
    struct support_net net;
    uv_loop_t loop;
    struct node nodes[2];
};

static void on_foreign(void *context, int family, enum vip_claim claim,
                       const uint8_t mac[VIP_MAC_BYTES])
{
    struct node *node = context;
    node->foreign += claim == VIP_CLAIM_USE;
    node->foreign_probes += claim == VIP_CLAIM_PROBE;
    node->foreign_family = family;
    memcpy(node->foreign_mac, mac, VIP_MAC_BYTES);
}

static void on_lost(void *context, int family)
{
    struct node *node = context;
    (void)family;
    node->lost++;
}

static void on_carrier(void *context, bool carrier)
{
    struct node *node = context;
    node->carriers++;
    node->carrier = carrier;
}

static struct vip_options options_of(struct node *node)
{
    struct vip_options options = {.device = "lan",
                                  .address_count = 2,
                                  .lifetime_s = 1,
                                  .watchdog = node->watchdog,
                                  .on_foreign = on_foreign,
                                  .on_lost = on_lost,
                                  .on_carrier = on_carrier,
                                  .context = node};
    assert_int_equal(rtnl_addr_parse("10.9.0.100/24", &options.addresses[0], NULL), 0);
    assert_int_equal(rtnl_addr_parse("fd09::100/64", &options.addresses[1], NULL), 0);
    return options;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    support_net_init(&scene->net);
    assert_int_equal(uv_loop_init(&scene->loop), 0);
    for (int i = 0; i < 2; i++) {
        support_net_enter(&scene->net, i);
        const struct watchdog_options watchdog = {.no_device = true, .renew_period_ms = 250};
        assert_int_equal(watchdog_new(&watchdog, &scene->nodes[i].watchdog, NULL), 0);
        const struct vip_options options = options_of(&scene->nodes[i]);
        struct diag diag = {0};
        assert_int_equal(vip_new(&scene->loop, &options, &scene->nodes[i].vip, &diag), 0);
    }
    support_net_enter(&scene->net, 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 2; i++) {
        vip_free(scene->nodes[i].vip);
        watchdog_free(scene->nodes[i].watchdog, true);
    }
    support_loop_done(&scene->loop);
    support_net_done(&scene->net);
    free(scene);
    return 0;
}

static void claim(struct scene *scene, int which)
{
    support_net_enter(&scene->net, which);
    watchdog_allow_vip(scene->nodes[which].watchdog, common_boot_ms() + 60000);
    struct diag diag = {0};
    int code = vip_claim(scene->nodes[which].vip, &diag);
    if (code < 0)
        print_message("%s\n", diag.text);
    assert_int_equal(code, 0);
    assert_true(vip_is_held(scene->nodes[which].vip));
}

static bool has_address(struct scene *scene, int which, const char *text)
{
    support_net_enter(&scene->net, which);
    struct rtnl *rtnl = NULL;
    struct rtnl_addr addr;
    struct rtnl_link link;
    assert_int_equal(rtnl_new(&rtnl, NULL), 0);
    assert_int_equal(rtnl_addr_parse(text, &addr, NULL), 0);
    int code = rtnl_link_by_address(rtnl, &addr, &link, NULL);
    rtnl_free(rtnl);
    return code == 0;
}

struct probed {
    bool done;
    struct vip_probe_result result;
};

static void on_probed(void *context, const struct vip_probe_result *result)
{
    struct probed *probed = context;
    assert_false(probed->done);
    probed->done = true;
    probed->result = *result;
}

static struct probed probe(struct scene *scene, int which)
{
    support_net_enter(&scene->net, which);
    struct probed probed = {0};
    assert_int_equal(vip_probe(scene->nodes[which].vip, on_probed, &probed, NULL), 0);
    assert_true(support_loop_until(&scene->loop, &probed.done, 2000));
    return probed;
}

/* --- probing ------------------------------------------------------------------------------- */

static void a_free_address_is_found_free_after_450_ms(void **state)
{
    struct scene *scene = *state;
    const uint64_t before_ms = common_boot_ms();
    struct probed probed = probe(scene, 0);
    assert_int_equal(probed.result.error, 0);
    assert_false(probed.result.taken);
    assert_in_range(common_boot_ms() - before_ms, 440, 2000);
    assert_true(scene->nodes[1].foreign_probes > 0); /* the other node heard the question */
}

static void an_address_in_use_is_found_with_its_owners_mac_at_once(void **state)
{
    struct scene *scene = *state;
    claim(scene, 1);
    uint8_t owner[VIP_MAC_BYTES];
    assert_true(vip_get_mac(scene->nodes[1].vip, owner));
    support_loop_for(&scene->loop, 150); /* announcements have passed */
    const uint64_t before_ms = common_boot_ms();
    struct probed probed = probe(scene, 0);
    assert_int_equal(probed.result.error, 0);
    assert_true(probed.result.taken);
    assert_memory_equal(probed.result.mac, owner, sizeof(owner));
    assert_in_range(common_boot_ms() - before_ms, 0, 430);
}

static void an_ipv6_address_alone_is_found_as_well(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1);
    support_must("ip", "addr", "add", "fd09::100/64", "dev", "lan", "nodad", NULL);
    struct probed probed = probe(scene, 0);
    assert_true(probed.result.taken);
    assert_int_equal(probed.result.family, AF_INET6);
}

static void two_that_probe_at_once_both_see_it_taken(void **state)
{
    struct scene *scene = *state;
    struct probed probed[2] = {0};
    for (int i = 0; i < 2; i++) {
        support_net_enter(&scene->net, i);
        assert_int_equal(vip_probe(scene->nodes[i].vip, on_probed, &probed[i], NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(support_loop_until(&scene->loop, &probed[i].done, 2000));
        assert_true(probed[i].result.taken);
    }
}

static void an_unplugged_cable_is_an_error_and_not_a_free_address(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "lan", "down", NULL);
    struct probed probed = probe(scene, 0);
    assert_int_equal(probed.result.error, -ENETDOWN);
    support_loop_for(&scene->loop, 100);
    assert_false(scene->nodes[0].carrier);
    assert_false(vip_has_carrier(scene->nodes[0].vip));
}

static void one_probe_at_a_time_and_it_can_be_cancelled(void **state)
{
    struct scene *scene = *state;
    struct probed probed = {0};
    assert_int_equal(vip_probe(scene->nodes[0].vip, on_probed, &probed, NULL), 0);
    assert_int_equal(vip_probe(scene->nodes[0].vip, on_probed, &probed, NULL), -EBUSY);
    assert_false(probed.done);
    vip_probe_cancel(scene->nodes[0].vip);
    assert_true(probed.done);
    assert_int_equal(probed.result.error, -ECANCELED);
}

/* --- holding ------------------------------------------------------------------------------- */

static void a_claimed_address_answers_and_outlives_its_lifetime_while_allowed(void **state)
{
    struct scene *scene = *state;
    claim(scene, 0);
    support_loop_for(&scene->loop, 2500); /* lifetime 1 s */
    assert_true(has_address(scene, 0, "10.9.0.100"));
    assert_true(has_address(scene, 0, "fd09::100"));
    support_net_enter(&scene->net, 1);
    assert_int_equal(support_run(true, "ping", "-c1", "-W1", "10.9.0.100", NULL), 0);
    assert_int_equal(support_run(true, "ping", "-c1", "-W1", "fd09::100", NULL), 0);
    struct watchdog_status status;
    watchdog_get_status(scene->nodes[0].watchdog, &status);
    assert_true(status.renewals >= 10);
    assert_int_equal(status.renew_errors, 0);
    assert_int_equal(scene->nodes[0].lost, 0);
}

static void without_permission_it_lapses_within_its_lifetime_although_the_loop_hangs(void **state)
{
    struct scene *scene = *state;
    claim(scene, 0);
    watchdog_allow_vip(scene->nodes[0].watchdog, common_boot_ms() + 500);
    (void)usleep(2500 * 1000); /* the loop does not turn: only thread and kernel act */
    assert_false(has_address(scene, 0, "10.9.0.100"));
    assert_false(has_address(scene, 0, "fd09::100"));
    support_net_enter(&scene->net, 0);
    support_loop_for(&scene->loop, 100);
    assert_true(scene->nodes[0].lost >= 1);
}

static void dropping_ends_it_at_once_and_it_does_not_come_back(void **state)
{
    struct scene *scene = *state;
    for (int round = 0; round < 20; round++) {
        claim(scene, 0);
        support_loop_for(&scene->loop, (uint64_t)round * 13);
        assert_int_equal(vip_drop(scene->nodes[0].vip, NULL), 0);
        assert_false(has_address(scene, 0, "10.9.0.100"));
    }
    support_loop_for(&scene->loop, 600);
    assert_false(has_address(scene, 0, "10.9.0.100"));
    assert_false(has_address(scene, 0, "fd09::100"));
    assert_false(vip_is_held(scene->nodes[0].vip));
    assert_int_equal(scene->nodes[0].lost, 0); /* our own doing is no loss */
    assert_int_equal(vip_drop(scene->nodes[0].vip, NULL), 0);
}

static void the_other_node_hears_every_announcement_and_caches_follow(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1); /* node B's kernel has a stale entry for the address */
    support_must("ip", "neigh", "replace", "10.9.0.100", "lladdr", "02:00:00:00:00:99", "dev",
                 "lan", "nud", "stale", NULL);
    claim(scene, 0);
    support_loop_for(&scene->loop, 300);
    assert_true(scene->nodes[1].foreign >= 1);
    uint8_t owner[VIP_MAC_BYTES];
    assert_true(vip_get_mac(scene->nodes[0].vip, owner));
    assert_memory_equal(scene->nodes[1].foreign_mac, owner, sizeof(owner));
    char text[VIP_MAC_TEXT_CHARS], command[160];
    vip_mac_format(owner, text);
    (void)snprintf(command, sizeof(command), "ip neigh show 10.9.0.100 | grep -q %s", text);
    support_net_enter(&scene->net, 1);
    assert_int_equal(support_run(false, "sh", "-c", command, NULL), 0);
}

static void a_foreign_claim_is_reported_and_answered_at_once(void **state)
{
    struct scene *scene = *state;
    claim(scene, 0);
    support_loop_for(&scene->loop, 200);
    scene->nodes[0].foreign = scene->nodes[1].foreign = 0;
    claim(scene, 1); /* two hold it: the second announces */
    support_loop_for(&scene->loop, 200);
    assert_true(scene->nodes[0].foreign >= 1);
    assert_true(scene->nodes[1].foreign >= 1); /* the first answered by announcing */
    uint8_t mac[VIP_MAC_BYTES];
    assert_true(vip_get_mac(scene->nodes[1].vip, mac));
    assert_memory_equal(scene->nodes[0].foreign_mac, mac, sizeof(mac));
    /* they do not shout at each other without end: at most ten a second and address */
    support_loop_for(&scene->loop, 1000);
    assert_in_range(scene->nodes[0].foreign, 1, 30);
}

static void an_address_removed_by_hand_is_reported_and_renewed(void **state)
{
    struct scene *scene = *state;
    claim(scene, 0);
    support_loop_for(&scene->loop, 100);
    support_net_enter(&scene->net, 0);
    watchdog_allow_vip(scene->nodes[0].watchdog, 0);
    support_must("ip", "addr", "del", "10.9.0.100/24", "dev", "lan", NULL);
    support_loop_for(&scene->loop, 200);
    assert_int_equal(scene->nodes[0].lost, 1);
    watchdog_allow_vip(scene->nodes[0].watchdog, common_boot_ms() + 10000);
    support_loop_for(&scene->loop, 600);
    assert_true(has_address(scene, 0, "10.9.0.100"));
}

static void start_up_removes_what_an_earlier_life_left(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 0);
    support_must("ip", "addr", "add", "10.9.0.100/32", "dev", "ic", NULL);
    support_must("ip", "addr", "add", "fd09::100/128", "dev", "lo", NULL);
    assert_int_equal(vip_clean_up(scene->nodes[0].vip, NULL), 0);
    assert_false(has_address(scene, 0, "10.9.0.100"));
    assert_false(has_address(scene, 0, "fd09::100"));
}

static void a_device_that_comes_late_or_again_is_followed(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 0);
    support_must("ip", "link", "del", "lan", NULL);
    support_loop_for(&scene->loop, 100);
    assert_false(vip_has_carrier(scene->nodes[0].vip));
    struct diag diag = {0};
    assert_int_equal(vip_claim(scene->nodes[0].vip, &diag), -ENODEV);
    assert_non_null(strstr(diag.text, "lan"));

    char other[64];
    (void)snprintf(other, sizeof(other), "/proc/%d/fd/%d", (int)getpid(), scene->net.fds[1]);
    support_must("ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", other,
                 NULL);
    support_must("ip", "link", "set", "lan", "up", NULL);
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "lan", "up", NULL);
    support_loop_for(&scene->loop, 200);
    assert_true(vip_has_carrier(scene->nodes[0].vip));
    scene->nodes[1].foreign = 0;
    claim(scene, 0);
    support_net_enter(&scene->net, 1); /* node B follows its own new device here */
    support_loop_for(&scene->loop, 300);
    assert_true(has_address(scene, 0, "10.9.0.100"));
}

static void impossible_options_are_refused(void **state)
{
    struct scene *scene = *state;
    struct vip *vip = NULL;
    struct diag diag = {0};
    struct vip_options options = options_of(&scene->nodes[0]);
    options.device = "";
    assert_int_equal(vip_new(&scene->loop, &options, &vip, &diag), -EINVAL);
    options = options_of(&scene->nodes[0]);
    options.address_count = 3;
    assert_int_equal(vip_new(&scene->loop, &options, &vip, &diag), -EINVAL);
    options = options_of(&scene->nodes[0]);
    options.lifetime_s = 0;
    assert_int_equal(vip_new(&scene->loop, &options, &vip, &diag), -EINVAL);
    options = options_of(&scene->nodes[0]);
    options.addresses[1].family = 0;
    assert_int_equal(vip_new(&scene->loop, &options, &vip, &diag), -EINVAL);
    assert_null(vip);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_free_address_is_found_free_after_450_ms),
        CASE(an_address_in_use_is_found_with_its_owners_mac_at_once),
        CASE(an_ipv6_address_alone_is_found_as_well),
        CASE(two_that_probe_at_once_both_see_it_taken),
        CASE(an_unplugged_cable_is_an_error_and_not_a_free_address),
        CASE(one_probe_at_a_time_and_it_can_be_cancelled),
        CASE(a_claimed_address_answers_and_outlives_its_lifetime_while_allowed),
        CASE(without_permission_it_lapses_within_its_lifetime_although_the_loop_hangs),
        CASE(dropping_ends_it_at_once_and_it_does_not_come_back),
        CASE(the_other_node_hears_every_announcement_and_caches_follow),
        CASE(a_foreign_claim_is_reported_and_answered_at_once),
        CASE(an_address_removed_by_hand_is_reported_and_renewed),
        CASE(start_up_removes_what_an_earlier_life_left),
        CASE(a_device_that_comes_late_or_again_is_followed),
        CASE(impossible_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
