/* vip_packets.h - ARP and IPv6 neighbour packets: built and read as bytes. Pure.
 *
 * Sources: RFC 826, RFC 5227 (probe: sender address 0.0.0.0; announcement: sender = target), RFC 4861
 * (neighbour solicitation and advertisement, hop limit 255), RFC 4862 (duplicate address detection:
 * solicitation from ::). Reading accepts anything and answers "no claim" for what is malformed. */
#ifndef OG_HA_VIP_PACKETS_H
#define OG_HA_VIP_PACKETS_H

#include "lib/common/rtnl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VIP_MAC_BYTES = 6,
    VIP_PACKET_MAX_BYTES = 128, /* every packet built here fits, Ethernet header included */
};

enum vip_packet {
    VIP_PACKET_PROBE,            /* IPv4: ARP probe. IPv6: neighbour solicitation from :: */
    VIP_PACKET_ANNOUNCE_REQUEST, /* IPv4: gratuitous ARP as a request. IPv6: unsolicited advertisement */
    VIP_PACKET_ANNOUNCE_REPLY,   /* IPv4: gratuitous ARP as a reply. IPv6: unsolicited advertisement */
    VIP_PACKET_COUNT
};

/* Builds a whole Ethernet frame; returns its length. address->family is AF_INET or AF_INET6. */
size_t vip_packet_build(enum vip_packet kind, const struct rtnl_addr *address,
                        const uint8_t mac[VIP_MAC_BYTES], uint8_t out[VIP_PACKET_MAX_BYTES]);

enum vip_claim {
    VIP_CLAIM_NONE,  /* another subject, or malformed */
    VIP_CLAIM_USE,   /* the sender uses the address (any ARP from it, an advertisement for it) */
    VIP_CLAIM_PROBE, /* the sender probes for it, as we may be doing */
};

/* Does this frame (from the Ethernet header on) claim the address? On a claim ret_mac is the
 * claimant's hardware address as the packet says it. */
enum vip_claim vip_packet_read(const uint8_t *frame, size_t frame_bytes,
                               const struct rtnl_addr *address, uint8_t ret_mac[VIP_MAC_BYTES]);

/* The Ethernet multicast address of the solicited-node group of an IPv6 address. */
void vip_packet_solicited_mac(const struct rtnl_addr *address, uint8_t ret_mac[VIP_MAC_BYTES]);

enum { VIP_MAC_TEXT_CHARS = 18 };
void vip_mac_format(const uint8_t mac[VIP_MAC_BYTES], char out[VIP_MAC_TEXT_CHARS]);

#endif
