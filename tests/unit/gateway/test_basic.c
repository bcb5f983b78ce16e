#include "gateway/auth/basic.h"

#include "lib/common/secrets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *clear, size_t len_bytes, struct basic *basic)
{
    char coded[1024], header[1100];
    secrets_base64_encode((const uint8_t *)clear, len_bytes, coded);
    (void)snprintf(header, sizeof(header), "basic  %s", coded);
    return basic_parse(header, basic);
}

static void login_and_password_are_split_at_the_first_colon(void **unused)
{
    struct basic basic;
    (void)unused;
    assert_int_equal(parse("admin:a:b", 9, &basic), 0);
    assert_string_equal(basic.login, "admin");
    assert_string_equal(basic.password, "a:b");
    assert_int_equal(parse("admin:", 6, &basic), 0);
    assert_string_equal(basic.password, "");
}

static void what_is_no_login_is_refused(void **unused)
{
    static const char *const headers[] = {"",           "Basic",       "Basic ", "Bearer YTpi",
                                          "Basic Y!Q=", "Basic YTpi x"};
    char longest[600];
    struct basic basic = {.login = "untouched"};
    (void)unused;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_int_equal(basic_parse(headers[i], &basic), -EINVAL);
    assert_int_equal(parse("nocolon", 7, &basic), -EINVAL);
    assert_int_equal(parse(":password", 9, &basic), -EINVAL);
    assert_int_equal(parse("a\0b:c", 5, &basic), -EINVAL);
    memset(longest, 'x', sizeof(longest));
    longest[5] = ':';
    assert_int_equal(parse(longest, 300, &basic), -EINVAL);
    assert_int_equal(parse(longest, sizeof(longest), &basic), -EINVAL);
    longest[5] = 'x';
    longest[200] = ':';
    assert_int_equal(parse(longest, 210, &basic), -EINVAL);
    assert_string_equal(basic.login, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_and_password_are_split_at_the_first_colon),
        cmocka_unit_test(what_is_no_login_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
