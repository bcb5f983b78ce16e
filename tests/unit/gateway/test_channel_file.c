#include "gateway/events/channel_file.h"

#include "lib/common/common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_storage address(const char *text, uint16_t port)
{
    struct sockaddr_storage out = {0};
    struct sockaddr_in *four = (void *)&out;
    struct sockaddr_in6 *six = (void *)&out;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
    }
    return out;
}

static void lines_name_family_and_both_ends(void **unused)
{
    const struct sockaddr_storage a = address("10.77.1.100", 443), b = address("10.77.1.1", 51544);
    const struct sockaddr_storage c = address("fd00::100", 443), d = address("fd00::1", 51546);
    const struct sockaddr_storage e = address("::ffff:10.0.0.1", 443),
                                  f = address("::ffff:10.0.0.2", 9), none = {0};
    struct buf text = {0};
    (void)unused;
    channel_file_add_line(&text, &a, &b);
    channel_file_add_line(&text, &c, &d);
    channel_file_add_line(&text, &e, &f);
    channel_file_add_line(&text, &none, &none);
    assert_string_equal(text.data, "4 10.77.1.100 443 10.77.1.1 51544\n"
                                   "6 fd00::100 443 fd00::1 51546\n"
                                   "4 10.0.0.1 443 10.0.0.2 9\n");
    buf_done(&text);
}

static void the_file_is_replaced_as_a_whole(void **unused)
{
    char folder[] = "/tmp/channel-file.XXXXXX", path[64], got[64] = "";
    uv_loop_t loop;
    (void)unused;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/channels", folder);
    assert_int_equal(uv_loop_init(&loop), 0);
    struct channel_file *file = channel_file_new(&loop, path);
    for (int i = 0; i < 2; i++) {
        struct buf text = {0};
        buf_addf(&text, "round %d\n", i);
        assert_true(channel_file_write(file, &text));
        assert_true(channel_file_is_busy(file));
        buf_done(&text);
        (void)uv_run(&loop, UV_RUN_DEFAULT);
        assert_false(channel_file_is_busy(file));
        assert_false(channel_file_has_failed(file));
    }
    FILE *stream = fopen(path, "re");
    assert_non_null(stream);
    assert_non_null(fgets(got, sizeof(got), stream));
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(got, "round 1\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);

    struct buf text = {0};
    buf_adds(&text, "x");
    assert_true(channel_file_write(file, &text)); /* its folder is gone */
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(channel_file_has_failed(file));
    channel_file_free(file);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_name_family_and_both_ends),
        cmocka_unit_test(the_file_is_replaced_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
