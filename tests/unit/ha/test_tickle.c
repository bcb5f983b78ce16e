#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ha/tickle.h"
#include "lib/common/common.h"

struct list {
    struct tickle_connection *connections;
    size_t count, skipped;
};

/* An exact-sized copy without a NUL behind it, as a file is read. */
static struct list read_list(const char *text, size_t len_bytes)
{
    struct list list = {0};
    char *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, text, len_bytes);
    assert_int_equal(
        tickle_list_read(copy, len_bytes, &list.connections, &list.count, &list.skipped), 0);
    free(copy);
    return list;
}

static void a_list_comes_back_as_it_was_written(void **unused)
{
    (void)unused;
    static const char text[] = "4 10.77.1.100 443 10.77.1.1 51234\n6 fd00::64 443 fd00::1 65535\n";
    struct list list = read_list(text, sizeof(text) - 1);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.skipped, 0);
    assert_int_equal(list.connections[0].family, AF_INET);
    assert_int_equal(list.connections[0].local_port, 443);
    assert_int_equal(list.connections[0].remote[3], 1);
    assert_int_equal(list.connections[1].family, AF_INET6);
    assert_int_equal(list.connections[1].remote_port, 65535);
    struct buf out = {0};
    tickle_list_write(list.connections, list.count, &out);
    assert_string_equal(out.data, text);
    buf_done(&out);
    free(list.connections);
}

static void lines_without_sense_are_counted_and_left_out(void **unused)
{
    (void)unused;
    static const char *const lines[] = {
        "x",
        "4",
        "4 10.0.0.1 443 10.0.0.2",
        "4 10.0.0.1 443 10.0.0.2 1 more",
        "4  10.0.0.1 443 10.0.0.2 1",
        "5 10.0.0.1 443 10.0.0.2 1",
        "6 10.0.0.1 443 10.0.0.2 1",
        "4 fd00::1 443 fd00::2 1",
        "4 10.0.0.1 0 10.0.0.2 1",
        "4 10.0.0.1 443 10.0.0.2 65536",
        "4 10.0.0.1 443 10.0.0.2 -1",
        "4 10.0.0.1 443 10.0.0.2 1x",
        "4 host 443 10.0.0.2 1",
        "\t4 10.0.0.1 443 10.0.0.2 1",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct list list = read_list(lines[i], strlen(lines[i]));
        if (list.count != 0 || list.skipped != 1)
            fail_msg("taken: %s", lines[i]);
        free(list.connections);
    }
}

static void a_torn_last_line_and_zeros_of_a_crash_do_no_harm(void **unused)
{
    (void)unused;
    static const char text[] = "4 10.0.0.1 443 10.0.0.2 1\n4 10.0.0.1 443 10.0.0.2 2\n4 10.0.0";
    struct list list = read_list(text, sizeof(text) - 1);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.skipped, 1);
    free(list.connections);
    static const char zeros[300] = "4 10.0.0.1 443 10.0.0.2 1";
    list = read_list(zeros, sizeof(zeros));
    assert_int_equal(list.count, 0);
    free(list.connections);
    list = read_list("4 10.0.0.1 443 10.0.0.2 1\0 rest", 31);
    assert_int_equal(list.count, 0);
    free(list.connections);
    list = read_list("", 0);
    assert_int_equal(list.count + list.skipped, 0);
    free(list.connections);
}

static void more_connections_than_allowed_are_cut(void **unused)
{
    (void)unused;
    struct buf text = {0};
    for (int i = 0; i < TICKLE_CONNECTIONS_MAX + 500; i++)
        buf_addf(&text, "4 10.0.0.1 443 10.0.%d.%d %d\n", i / 256 % 256, i % 256, i % 60000 + 1);
    struct list list = read_list(text.data, text.len_bytes);
    assert_int_equal(list.count, TICKLE_CONNECTIONS_MAX);
    assert_int_equal(list.skipped, 500);
    free(list.connections);
    buf_done(&text);
}

/* Checksum worked out by hand: pseudo header 0a00 0001 0a00 0002 0006 0014, segment 01bb 0001
 * 0000 0001 0000 0002 5010 0200. */
static void a_segment_is_a_bare_ack_with_a_right_checksum(void **unused)
{
    (void)unused;
    const struct tickle_connection connection = {.family = AF_INET,
                                                 .local = {10, 0, 0, 1},
                                                 .remote = {10, 0, 0, 2},
                                                 .local_port = 443,
                                                 .remote_port = 1};
    uint8_t segment[TICKLE_SEGMENT_BYTES];
    tickle_segment_build(&connection, 1, 2, segment);
    uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 0x0006 + 0x0014 + 0x01bb + 0x0001 + 0x0001 +
                   0x0002 + 0x5010 + 0x0200;
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    const uint8_t expected[TICKLE_SEGMENT_BYTES] = {
        0x01,         0xbb, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 2, 0, (uint8_t)(sum >> 8),
        (uint8_t)sum, 0,    0};
    assert_memory_equal(segment, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_comes_back_as_it_was_written),
        cmocka_unit_test(lines_without_sense_are_counted_and_left_out),
        cmocka_unit_test(a_torn_last_line_and_zeros_of_a_crash_do_no_harm),
        cmocka_unit_test(more_connections_than_allowed_are_cut),
        cmocka_unit_test(a_segment_is_a_bare_ack_with_a_right_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
