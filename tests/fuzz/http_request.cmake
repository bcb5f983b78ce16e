og_fuzz(http_request SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/http_request.c LINK og_http)
