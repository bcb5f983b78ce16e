#include "ha/vip_packets.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    ETHERNET_BYTES = 14,
    ARP_BYTES = 28,
    IPV6_BYTES = 40,
    ND_BYTES = 24, /* type, code, checksum, flags, target address */
    OPTION_BYTES = 8,
    TYPE_ARP = 0x0806,
    TYPE_IPV6 = 0x86dd,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    PROTOCOL_ICMPV6 = 58,
    HOP_LIMIT = 255,
    ND_SOLICITATION = 135,
    ND_ADVERTISEMENT = 136,
    OPTION_SOURCE_MAC = 1,
    OPTION_TARGET_MAC = 2,
};

static void put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *in)
{
    return (unsigned)in[0] << 8 | in[1];
}

static size_t put_ethernet(uint8_t *out, const uint8_t *to, const uint8_t *from, unsigned type)
{
    memcpy(out, to, VIP_MAC_BYTES);
    memcpy(out + VIP_MAC_BYTES, from, VIP_MAC_BYTES);
    put16(out + 12, type);
    return ETHERNET_BYTES;
}

/* --- building ------------------------------------------------------------------------------ */

static size_t build_arp(enum vip_packet kind, const struct rtnl_addr *address, const uint8_t *mac,
                        uint8_t *out)
{
    static const uint8_t everybody[VIP_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t *arp = out + put_ethernet(out, everybody, mac, TYPE_ARP);
    put16(arp, 1);          /* Ethernet */
    put16(arp + 2, 0x0800); /* IPv4 */
    arp[4] = VIP_MAC_BYTES;
    arp[5] = 4;
    put16(arp + 6, kind == VIP_PACKET_ANNOUNCE_REPLY ? ARP_REPLY : ARP_REQUEST);
    memcpy(arp + 8, mac, VIP_MAC_BYTES);
    if (kind != VIP_PACKET_PROBE)
        memcpy(arp + 14, address->bytes, 4);
    if (kind == VIP_PACKET_ANNOUNCE_REPLY)
        memcpy(arp + 18, mac, VIP_MAC_BYTES);
    memcpy(arp + 24, address->bytes, 4);
    return ETHERNET_BYTES + ARP_BYTES;
}

/* The one's complement sum of RFC 1071, over the pseudo header of RFC 8200 and the message. */
static unsigned icmpv6_sum(const uint8_t *ipv6, const uint8_t *message, size_t len_bytes)
{
    uint32_t sum = (uint32_t)len_bytes + PROTOCOL_ICMPV6;
    for (size_t i = 8; i < IPV6_BYTES; i += 2)
        sum += get16(ipv6 + i);
    for (size_t i = 0; i + 1 < len_bytes; i += 2)
        sum += get16(message + i);
    if (len_bytes % 2 != 0)
        sum += (uint32_t)message[len_bytes - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static const uint8_t solicited_prefix[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

void vip_packet_solicited_mac(const struct rtnl_addr *address, uint8_t ret_mac[VIP_MAC_BYTES])
{
    ret_mac[0] = ret_mac[1] = 0x33;
    ret_mac[2] = 0xff;
    memcpy(ret_mac + 3, address->bytes + 13, 3);
}

static size_t build_nd(enum vip_packet kind, const struct rtnl_addr *address, const uint8_t *mac,
                       uint8_t *out)
{
    static const uint8_t all_nodes_mac[VIP_MAC_BYTES] = {0x33, 0x33, 0, 0, 0, 1};
    static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
    const bool probe = kind == VIP_PACKET_PROBE;
    uint8_t solicited_mac[VIP_MAC_BYTES];
    vip_packet_solicited_mac(address, solicited_mac);

    uint8_t *ipv6 = out + put_ethernet(out, probe ? solicited_mac : all_nodes_mac, mac, TYPE_IPV6);
    /* A probe comes from :: and must not carry the source address option (RFC 4861 4.3). */
    const size_t message_bytes = probe ? ND_BYTES : ND_BYTES + OPTION_BYTES;
    ipv6[0] = 0x60;
    put16(ipv6 + 4, (unsigned)message_bytes);
    ipv6[6] = PROTOCOL_ICMPV6;
    ipv6[7] = HOP_LIMIT;
    if (probe) {
        memcpy(ipv6 + 24, solicited_prefix, sizeof(solicited_prefix));
        memcpy(ipv6 + 37, address->bytes + 13, 3);
    } else {
        memcpy(ipv6 + 8, address->bytes, 16);
        memcpy(ipv6 + 24, all_nodes, 16);
    }

    uint8_t *message = ipv6 + IPV6_BYTES;
    message[0] = probe ? ND_SOLICITATION : ND_ADVERTISEMENT;
    memcpy(message + 8, address->bytes, 16);
    if (!probe) {
        message[4] = 0x20; /* override, neither router nor solicited */
        message[ND_BYTES] = OPTION_TARGET_MAC;
        message[ND_BYTES + 1] = 1; /* units of eight bytes */
        memcpy(message + ND_BYTES + 2, mac, VIP_MAC_BYTES);
    }
    put16(message + 2, ~icmpv6_sum(ipv6, message, message_bytes) & 0xffff);
    return ETHERNET_BYTES + IPV6_BYTES + message_bytes;
}

size_t vip_packet_build(enum vip_packet kind, const struct rtnl_addr *address,
                        const uint8_t mac[VIP_MAC_BYTES], uint8_t out[VIP_PACKET_MAX_BYTES])
{
    memset(out, 0, VIP_PACKET_MAX_BYTES);
    return address->family == AF_INET6 ? build_nd(kind, address, mac, out)
                                       : build_arp(kind, address, mac, out);
}

/* --- reading ------------------------------------------------------------------------------- */

static enum vip_claim read_arp(const uint8_t *arp, size_t len_bytes,
                               const struct rtnl_addr *address, uint8_t *ret_mac)
{
    static const uint8_t nobody[4] = {0};
    if (len_bytes < ARP_BYTES || get16(arp) != 1 || get16(arp + 2) != 0x0800 ||
        arp[4] != VIP_MAC_BYTES || arp[5] != 4)
        return VIP_CLAIM_NONE;
    const unsigned operation = get16(arp + 6);
    if (operation != ARP_REQUEST && operation != ARP_REPLY)
        return VIP_CLAIM_NONE;

    enum vip_claim claim = VIP_CLAIM_NONE;
    if (memcmp(arp + 14, address->bytes, 4) == 0)
        claim = VIP_CLAIM_USE;
    else if (operation == ARP_REQUEST && memcmp(arp + 14, nobody, 4) == 0 &&
             memcmp(arp + 24, address->bytes, 4) == 0)
        claim = VIP_CLAIM_PROBE;
    if (claim != VIP_CLAIM_NONE)
        memcpy(ret_mac, arp + 8, VIP_MAC_BYTES);
    return claim;
}

/* Finds the hardware address option; false when an option is malformed (RFC 4861 4.6). */
static bool find_mac_option(const uint8_t *options, size_t len_bytes, unsigned wanted,
                            const uint8_t **ret_mac)
{
    while (len_bytes > 0) {
        size_t option_bytes = len_bytes >= 2 ? options[1] * 8U : 0;
        if (option_bytes == 0 || option_bytes > len_bytes)
            return false;
        if (options[0] == wanted && option_bytes == OPTION_BYTES)
            *ret_mac = options + 2;
        options += option_bytes;
        len_bytes -= option_bytes;
    }
    return true;
}

static enum vip_claim judge_nd(const uint8_t *ipv6, const uint8_t *message,
                               const struct rtnl_addr *address)
{
    static const uint8_t nobody[16] = {0};
    const bool about = memcmp(message + 8, address->bytes, 16) == 0;
    if (message[0] == ND_ADVERTISEMENT && about)
        return VIP_CLAIM_USE;
    if (message[0] == ND_SOLICITATION && memcmp(ipv6 + 8, address->bytes, 16) == 0)
        return VIP_CLAIM_USE; /* asks for another address, from this one */
    if (message[0] == ND_SOLICITATION && about && memcmp(ipv6 + 8, nobody, 16) == 0)
        return VIP_CLAIM_PROBE;
    return VIP_CLAIM_NONE;
}

static enum vip_claim read_nd(const uint8_t *frame, const uint8_t *ipv6, size_t len_bytes,
                              const struct rtnl_addr *address, uint8_t *ret_mac)
{
    if (len_bytes < IPV6_BYTES + ND_BYTES || ipv6[0] >> 4 != 6 || ipv6[6] != PROTOCOL_ICMPV6 ||
        ipv6[7] != HOP_LIMIT)
        return VIP_CLAIM_NONE;
    const size_t message_bytes = get16(ipv6 + 4);
    const uint8_t *message = ipv6 + IPV6_BYTES;
    if (message_bytes < ND_BYTES || message_bytes > len_bytes - IPV6_BYTES || message[1] != 0 ||
        icmpv6_sum(ipv6, message, message_bytes) != 0xffff)
        return VIP_CLAIM_NONE;

    const enum vip_claim claim = judge_nd(ipv6, message, address);
    const uint8_t *mac = frame + VIP_MAC_BYTES;
    const unsigned option = message[0] == ND_ADVERTISEMENT ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC;
    if (claim == VIP_CLAIM_NONE ||
        !find_mac_option(message + ND_BYTES, message_bytes - ND_BYTES, option, &mac))
        return VIP_CLAIM_NONE;
    memcpy(ret_mac, mac, VIP_MAC_BYTES);
    return claim;
}

enum vip_claim vip_packet_read(const uint8_t *frame, size_t frame_bytes,
                               const struct rtnl_addr *address, uint8_t ret_mac[VIP_MAC_BYTES])
{
    if (frame_bytes < ETHERNET_BYTES)
        return VIP_CLAIM_NONE;
    const unsigned type = get16(frame + 12);
    const uint8_t *payload = frame + ETHERNET_BYTES;
    const size_t payload_bytes = frame_bytes - ETHERNET_BYTES;
    if (type == TYPE_ARP && address->family == AF_INET)
        return read_arp(payload, payload_bytes, address, ret_mac);
    if (type == TYPE_IPV6 && address->family == AF_INET6)
        return read_nd(frame, payload, payload_bytes, address, ret_mac);
    return VIP_CLAIM_NONE;
}

void vip_mac_format(const uint8_t mac[VIP_MAC_BYTES], char out[VIP_MAC_TEXT_CHARS])
{
    (void)snprintf(out, VIP_MAC_TEXT_CHARS, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
}
