og_fuzz(arb_message SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/arb_message.c LINK og_arbiter)
