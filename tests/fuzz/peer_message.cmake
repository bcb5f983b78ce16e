og_fuzz(peer_message SOURCES peer_message.c LINK og_ha)
