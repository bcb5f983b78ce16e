og_fuzz(json SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/json.c LINK og_common)
