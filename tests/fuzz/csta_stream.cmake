og_fuzz(csta_stream SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/csta_stream.c LINK og_csta)
