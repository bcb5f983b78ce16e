og_fuzz(csta_driver SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/csta_driver.c LINK og_gateway og_csta)
