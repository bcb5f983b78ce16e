og_fuzz(vip_packets SOURCES vip_packets.c LINK og_ha)
