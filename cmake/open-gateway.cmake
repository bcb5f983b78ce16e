# Build rules that every room shares: language level, warnings, sanitizers, libraries, tests.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(WERROR "warnings are errors" OFF)
option(ASAN "address sanitizer" OFF)
option(UBSAN "undefined behaviour sanitizer" OFF)
option(TSAN "thread sanitizer" OFF)
option(FUZZ "build the fuzz targets with libFuzzer (needs clang)" OFF)
option(COVERAGE "count executed lines" OFF)

include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)

add_library(og_flags INTERFACE)
target_compile_definitions(og_flags INTERFACE _GNU_SOURCE OG_VERSION="${PROJECT_VERSION}")
target_include_directories(og_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(og_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wvla -Wwrite-strings
    -Wcast-qual -Wpointer-arith -Wimplicit-fallthrough -Wswitch-enum
    "SHELL:-include ${CMAKE_SOURCE_DIR}/lib/common/banned.h")
if(WERROR)
    target_compile_options(og_flags INTERFACE -Werror)
endif()

set(sanitizers "")
if(ASAN)
    list(APPEND sanitizers -fsanitize=address)
endif()
if(UBSAN)
    list(APPEND sanitizers -fsanitize=undefined -fno-sanitize-recover=all)
endif()
if(TSAN)
    list(APPEND sanitizers -fsanitize=thread)
endif()
if(FUZZ)
    list(APPEND sanitizers -fsanitize=fuzzer-no-link)
endif()
if(COVERAGE)
    list(APPEND sanitizers --coverage)
endif()
if(sanitizers)
    target_compile_options(og_flags INTERFACE ${sanitizers} -fno-omit-frame-pointer)
    target_link_options(og_flags INTERFACE ${sanitizers})
else()
    target_compile_options(og_flags INTERFACE -fstack-protector-strong
        $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
    target_link_options(og_flags INTERFACE -Wl,-z,relro,-z,now
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

# og_package(NAME PKGCONFIG...): an imported target pkg::NAME, its headers as system headers.
function(og_package name)
    pkg_check_modules(${name} REQUIRED ${ARGN})
    add_library(pkg::${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(pkg::${name} SYSTEM INTERFACE ${${name}_INCLUDE_DIRS})
    target_link_directories(pkg::${name} INTERFACE ${${name}_LIBRARY_DIRS})
    target_link_libraries(pkg::${name} INTERFACE ${${name}_LIBRARIES})
endfunction()

og_package(uv libuv)
og_package(cjson libcjson)
og_package(pq libpq)
og_package(ssl libssl libcrypto)
og_package(xml libxml-2.0)
og_package(systemd libsystemd)
og_package(mnl libmnl)
og_package(corosync libcpg libquorum libvotequorum libcmap libcorosync_common)
og_package(cmocka cmocka)

# og_library(NAME SOURCES ... LINK ...): a static library of one room.
function(og_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC og_flags ${arg_LINK})
endfunction()

# og_program(NAME SOURCES ... LINK ...): an installed or helper program.
function(og_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE og_flags ${arg_LINK})
endfunction()

# og_unit_test(NAME SOURCES ... LINK ... [LABEL unit|integration] [TIMEOUT seconds])
function(og_unit_test name)
    cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE og_flags pkg::cmocka ${arg_LINK})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()

# og_fuzz(NAME SOURCES ... LINK ...): one fuzz target. Its kept corpus tests/fuzz/corpus/NAME runs
# in the ordinary test run too, driven by tests/fuzz/replay.c where no fuzzer is built.
function(og_fuzz name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_executable(fuzz_${name} ${arg_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE og_flags ${arg_LINK})
    if(FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz_${name}
                 COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
        set_tests_properties(fuzz_${name} PROPERTIES LABELS unit TIMEOUT 60)
    endif()
endfunction()
