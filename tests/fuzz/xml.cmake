og_fuzz(xml SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/xml.c LINK og_common)
