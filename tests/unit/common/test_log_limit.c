#include "lib/common/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void one_line_a_second_passes_and_counts_the_others(void **unused)
{
    struct log_limit limit = {0};
    uint64_t skipped = 99;
    (void)unused;
    assert_true(log_limit_passes(&limit, 0, &skipped));
    assert_int_equal(skipped, 0);
    for (uint64_t now_ms = 1; now_ms < 1000; now_ms++)
        assert_false(log_limit_passes(&limit, now_ms, &skipped));
    assert_true(log_limit_passes(&limit, 1000, &skipped));
    assert_int_equal(skipped, 999);
    assert_true(log_limit_passes(&limit, 60000, &skipped));
    assert_int_equal(skipped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_a_second_passes_and_counts_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
