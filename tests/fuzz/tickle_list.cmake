og_fuzz(tickle_list SOURCES tickle_list.c LINK og_ha)
