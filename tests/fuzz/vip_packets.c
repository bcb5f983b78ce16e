/* Ethernet frames with ARP and neighbour discovery from anybody on the client LAN. */
#include <stdint.h>

#include "ha/vip_packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const char *const texts[] = {"10.77.1.100/24", "fd00::64/64"};
    for (unsigned i = 0; i < 2; i++) {
        struct rtnl_addr address;
        uint8_t mac[VIP_MAC_BYTES];
        if (rtnl_addr_parse(texts[i], &address, NULL) == 0)
            (void)vip_packet_read(data, size_bytes, &address, mac);
    }
    return 0;
}
