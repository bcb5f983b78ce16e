#include "gateway/auth/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct throttle *throttle;

static int open_throttle(void **unused)
{
    (void)unused;
    throttle = throttle_new();
    return throttle == NULL ? -1 : 0;
}

static int close_throttle(void **unused)
{
    (void)unused;
    throttle_free(throttle);
    return 0;
}

static void four_wrong_passwords_cost_nothing_and_the_fifth_begins_a_delay(void **unused)
{
    (void)unused;
    for (int i = 0; i < THROTTLE_PAIR_FREE; i++)
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 1000), 0);
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 1000), 1000);
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 1999), 1);
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 2000), 0);
}

static void the_delay_doubles_up_to_its_limit(void **unused)
{
    uint64_t now_ms = 0, expected_ms = 1000;
    (void)unused;
    for (int i = 0; i < THROTTLE_PAIR_FREE; i++)
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", now_ms), 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", now_ms), expected_ms);
        now_ms += expected_ms;
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", now_ms), 0);
        expected_ms = expected_ms * 2 > THROTTLE_PAIR_MAX_S * 1000 ? THROTTLE_PAIR_MAX_S * 1000
                                                                   : expected_ms * 2;
    }
}

static void others_are_not_touched(void **unused)
{
    (void)unused;
    for (int i = 0; i < THROTTLE_PAIR_FREE; i++)
        (void)throttle_begin(throttle, "admin", "10.0.0.1", 0);
    assert_int_equal(throttle_begin(throttle, "second", "10.0.0.1", 0), 0);
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.2", 0), 0);
}

static void a_right_password_begins_anew(void **unused)
{
    (void)unused;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THROTTLE_PAIR_FREE - 1; i++)
            assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 0), 0);
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 0), 0);
        throttle_right(throttle, "admin", "10.0.0.1");
    }
}

static void an_attempt_that_was_not_judged_does_not_count(void **unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 0), 0);
        throttle_undo(throttle, "admin", "10.0.0.1");
    }
}

static void many_addresses_together_slow_down_guesses_at_one_account(void **unused)
{
    char address[32];
    (void)unused;
    for (int i = 0; i < THROTTLE_SINGLE_FREE; i++) {
        (void)snprintf(address, sizeof(address), "10.0.1.%d", i);
        assert_int_equal(throttle_begin(throttle, "admin", address, 0), 0);
    }
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.2.1", 0), 1000);
    assert_int_equal(throttle_begin(throttle, "second", "10.0.2.1", 0), 0);
}

static void many_accounts_from_one_address_slow_it_down(void **unused)
{
    char account[32];
    (void)unused;
    for (int i = 0; i < THROTTLE_SINGLE_FREE; i++) {
        (void)snprintf(account, sizeof(account), "user%d", i);
        assert_int_equal(throttle_begin(throttle, account, "10.0.0.1", 0), 0);
        if (i % 2 == 0) { /* an account of one's own in between does not help */
            assert_int_equal(throttle_begin(throttle, "own", "10.0.0.1", 0), 0);
            throttle_right(throttle, "own", "10.0.0.1");
        }
    }
    assert_true(throttle_begin(throttle, "admin", "10.0.0.1", 0) > 0);
    assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.2", 0), 0);
}

static void wrong_passwords_are_forgotten_after_a_quiet_while(void **unused)
{
    uint64_t later_ms = THROTTLE_FORGET_S * 1000ULL + 1;
    (void)unused;
    for (int i = 0; i < THROTTLE_PAIR_FREE; i++)
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", 0), 0);
    for (int i = 0; i < THROTTLE_PAIR_FREE; i++)
        assert_int_equal(throttle_begin(throttle, "admin", "10.0.0.1", later_ms), 0);
    assert_true(throttle_begin(throttle, "admin", "10.0.0.1", later_ms) > 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_throttle, close_throttle)
    const struct CMUnitTest tests[] = {
        CASE(four_wrong_passwords_cost_nothing_and_the_fifth_begins_a_delay),
        CASE(the_delay_doubles_up_to_its_limit),
        CASE(others_are_not_touched),
        CASE(a_right_password_begins_anew),
        CASE(an_attempt_that_was_not_judged_does_not_count),
        CASE(many_addresses_together_slow_down_guesses_at_one_account),
        CASE(many_accounts_from_one_address_slow_it_down),
        CASE(wrong_passwords_are_forgotten_after_a_quiet_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
