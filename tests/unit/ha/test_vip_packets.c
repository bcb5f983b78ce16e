#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ha/vip_packets.h"
#include "lib/common/common.h"

static const uint8_t mac_a[VIP_MAC_BYTES] = {0x02, 0, 0, 0, 0, 0x0a};

static struct rtnl_addr address(const char *text)
{
    struct rtnl_addr addr = {0};
    assert_int_equal(rtnl_addr_parse(text, &addr, NULL), 0);
    return addr;
}

/* An exact-sized heap copy lets the address sanitizer see a read past the end. */
static enum vip_claim read_copy(const uint8_t *frame, size_t frame_bytes,
                                const struct rtnl_addr *addr, uint8_t *ret_mac)
{
    uint8_t *copy = malloc(frame_bytes > 0 ? frame_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, frame, frame_bytes);
    enum vip_claim claim = vip_packet_read(copy, frame_bytes, addr, ret_mac);
    free(copy);
    return claim;
}

static void an_arp_announcement_has_the_bytes_of_rfc_5227(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("10.77.1.100/24");
    static const uint8_t expected[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0, 0,   0, 0x0a, 0x08, 0x06, /* Ethernet */
        0,    1,    0x08, 0,    6,    4,    0,    1,                               /* request */
        0x02, 0,    0,    0,    0,    0x0a, 10,   77, 1, 100,                      /* sender */
        0,    0,    0,    0,    0,    0,    10,   77, 1, 100,                      /* target */
    };
    uint8_t frame[VIP_PACKET_MAX_BYTES];
    assert_int_equal(vip_packet_build(VIP_PACKET_ANNOUNCE_REQUEST, &vip, mac_a, frame), 42);
    assert_memory_equal(frame, expected, sizeof(expected));
}

static void an_arp_probe_does_not_teach_anybody_our_address(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("10.77.1.100");
    uint8_t frame[VIP_PACKET_MAX_BYTES];
    (void)vip_packet_build(VIP_PACKET_PROBE, &vip, mac_a, frame);
    static const uint8_t nobody[4] = {0};
    assert_memory_equal(frame + 28, nobody, 4);
    assert_memory_equal(frame + 38, vip.bytes, 4);
}

static void an_ipv6_announcement_overrides_and_carries_our_mac(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("fd00::64/64");
    uint8_t frame[VIP_PACKET_MAX_BYTES];
    assert_int_equal(vip_packet_build(VIP_PACKET_ANNOUNCE_REPLY, &vip, mac_a, frame), 86);
    assert_int_equal(frame[14 + 7], 255);  /* hop limit */
    assert_int_equal(frame[54], 136);      /* advertisement */
    assert_int_equal(frame[54 + 4], 0x20); /* override only */
    assert_memory_equal(frame + 54 + 26, mac_a, VIP_MAC_BYTES);
}

/* Worked out by hand with the algorithm of RFC 1071 for a solicitation for fd00::64:
 * pseudo header ff02+0001+ff00+0064 + 0018 + 003a, message 8700 + fd00 + 0064. */
static void the_checksum_of_a_solicitation_is_right(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("fd00::64");
    uint8_t frame[VIP_PACKET_MAX_BYTES];
    (void)vip_packet_build(VIP_PACKET_PROBE, &vip, mac_a, frame);
    uint32_t sum = 0xff02 + 0x0001 + 0xff00 + 0x0064 + 0x0018 + 0x003a + 0x8700 + 0xfd00 + 0x0064;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    assert_int_equal(frame[56] << 8 | frame[57], sum);
    static const uint8_t group[VIP_MAC_BYTES] = {0x33, 0x33, 0xff, 0, 0, 0x64};
    assert_memory_equal(frame, group, sizeof(group));
}

static void what_is_built_is_understood(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"10.77.1.100", "fd00::1:64"};
    static const enum vip_claim expected[VIP_PACKET_COUNT] = {VIP_CLAIM_PROBE, VIP_CLAIM_USE,
                                                              VIP_CLAIM_USE};
    for (size_t t = 0; t < COUNT_OF(texts); t++)
        for (unsigned kind = 0; kind < VIP_PACKET_COUNT; kind++) {
            const struct rtnl_addr vip = address(texts[t]);
            uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES] = {0};
            size_t bytes = vip_packet_build((enum vip_packet)kind, &vip, mac_a, frame);
            assert_int_equal(read_copy(frame, bytes, &vip, mac), expected[kind]);
            assert_memory_equal(mac, mac_a, sizeof(mac));
        }
}

static void packets_about_other_addresses_are_no_claim(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip4 = address("10.77.1.100"), other4 = address("10.77.1.101");
    const struct rtnl_addr vip6 = address("fd00::64"), other6 = address("fd00::65");
    for (unsigned kind = 0; kind < VIP_PACKET_COUNT; kind++) {
        uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES];
        size_t bytes = vip_packet_build((enum vip_packet)kind, &other4, mac_a, frame);
        assert_int_equal(read_copy(frame, bytes, &vip4, mac), VIP_CLAIM_NONE);
        assert_int_equal(read_copy(frame, bytes, &vip6, mac), VIP_CLAIM_NONE);
        bytes = vip_packet_build((enum vip_packet)kind, &other6, mac_a, frame);
        assert_int_equal(read_copy(frame, bytes, &vip6, mac), VIP_CLAIM_NONE);
        assert_int_equal(read_copy(frame, bytes, &vip4, mac), VIP_CLAIM_NONE);
    }
}

static void an_arp_question_for_the_address_is_no_claim(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("10.77.1.100");
    uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES];
    size_t bytes = vip_packet_build(VIP_PACKET_PROBE, &vip, mac_a, frame);
    static const uint8_t client[4] = {10, 77, 1, 1};
    memcpy(frame + 28, client, sizeof(client)); /* a client asks who has it */
    assert_int_equal(read_copy(frame, bytes, &vip, mac), VIP_CLAIM_NONE);
}

static void every_shortened_packet_is_refused_without_reading_past_it(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"10.77.1.100", "fd00::64"};
    for (size_t t = 0; t < COUNT_OF(texts); t++)
        for (unsigned kind = 0; kind < VIP_PACKET_COUNT; kind++) {
            const struct rtnl_addr vip = address(texts[t]);
            uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES];
            size_t bytes = vip_packet_build((enum vip_packet)kind, &vip, mac_a, frame);
            for (size_t shorter = 0; shorter < bytes; shorter++)
                assert_int_equal(read_copy(frame, shorter, &vip, mac), VIP_CLAIM_NONE);
        }
}

static void every_changed_bit_of_an_advertisement_is_noticed(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("fd00::64");
    uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES];
    size_t bytes = vip_packet_build(VIP_PACKET_ANNOUNCE_REQUEST, &vip, mac_a, frame);
    for (size_t bit = 54 * 8; bit < bytes * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(read_copy(frame, bytes, &vip, mac), VIP_CLAIM_NONE);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_routed_advertisement_is_no_claim(void **unused)
{
    (void)unused;
    const struct rtnl_addr vip = address("fd00::64");
    uint8_t frame[VIP_PACKET_MAX_BYTES], mac[VIP_MAC_BYTES];
    size_t bytes = vip_packet_build(VIP_PACKET_ANNOUNCE_REQUEST, &vip, mac_a, frame);
    frame[14 + 7] = 254; /* a router lowered the hop limit: it came from outside the link */
    assert_int_equal(read_copy(frame, bytes, &vip, mac), VIP_CLAIM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arp_announcement_has_the_bytes_of_rfc_5227),
        cmocka_unit_test(an_arp_probe_does_not_teach_anybody_our_address),
        cmocka_unit_test(an_ipv6_announcement_overrides_and_carries_our_mac),
        cmocka_unit_test(the_checksum_of_a_solicitation_is_right),
        cmocka_unit_test(what_is_built_is_understood),
        cmocka_unit_test(packets_about_other_addresses_are_no_claim),
        cmocka_unit_test(an_arp_question_for_the_address_is_no_claim),
        cmocka_unit_test(every_shortened_packet_is_refused_without_reading_past_it),
        cmocka_unit_test(every_changed_bit_of_an_advertisement_is_noticed),
        cmocka_unit_test(a_routed_advertisement_is_no_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
