/* The simulated company: same people each time, names that a client must cope with. */
#include "simulator/numbering.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct exchange *filled(const char *first_number, unsigned users)
{
    const struct exchange_options options = {0};
    struct exchange *exchange = exchange_new(&options);
    struct diag diag = {0};
    assert_int_equal(numbering_fill(exchange, first_number, users, &diag), 0);
    return exchange;
}

static void users_follow_the_first_number(void **unused)
{
    (void)unused;
    struct exchange *exchange = filled("1001", 20);
    const struct exchange_phone *first = exchange_phone_find(exchange, "1001");
    assert_string_equal(first->name, "Nora Lindqvist");
    assert_string_equal(first->main_number, "1001");
    assert_string_equal(first->model, "DESK 40");
    assert_non_null(exchange_phone_find(exchange, "1020"));
    assert_ptr_equal(exchange_phone_next(exchange, NULL), first);
    exchange_free(exchange);
}

static void every_tenth_user_has_a_mobile_above_the_users(void **unused)
{
    (void)unused;
    struct exchange *exchange = filled("1001", 20);
    const struct exchange_phone *mobile = exchange_phone_find(exchange, "1021");
    assert_string_equal(mobile->model, "MOBILE");
    assert_string_equal(mobile->main_number, "1010");
    assert_string_equal(mobile->name, exchange_phone_find(exchange, "1010")->name);
    assert_string_equal(exchange_phone_find(exchange, "1022")->main_number, "1020");
    assert_int_equal(exchange_phone_count(exchange), 22);
    exchange_free(exchange);
}

static void leading_zeros_are_kept(void **unused)
{
    (void)unused;
    struct exchange *exchange = filled("0098", 5);
    assert_non_null(exchange_phone_find(exchange, "0098"));
    assert_non_null(exchange_phone_find(exchange, "0102"));
    exchange_free(exchange);
}

static void the_first_thousand_people_have_different_names(void **unused)
{
    (void)unused;
    static char names[1000][EXCHANGE_NAME_CHARS];
    for (unsigned i = 0; i < 1000; i++) {
        numbering_name(i, names[i]);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void twenty_thousand_phones_are_no_trouble(void **unused)
{
    (void)unused;
    struct exchange *exchange = filled("10000", 20000);
    assert_int_equal(exchange_phone_count(exchange), 22000);
    exchange_free(exchange);
}

static void wrong_plans_are_refused_with_a_reason(void **unused)
{
    (void)unused;
    const struct {
        const char *first_number;
        unsigned users;
    } rows[] = {{"", 1}, {"10x", 1}, {"1234567890123456", 1}, {"1001", NUMBERING_USERS_MAX + 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct exchange_options options = {0};
        struct exchange *exchange = exchange_new(&options);
        struct diag diag = {0};
        assert_true(numbering_fill(exchange, rows[i].first_number, rows[i].users, &diag) < 0);
        assert_string_not_equal(diag.text, "");
        exchange_free(exchange);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_follow_the_first_number),
        cmocka_unit_test(every_tenth_user_has_a_mobile_above_the_users),
        cmocka_unit_test(leading_zeros_are_kept),
        cmocka_unit_test(the_first_thousand_people_have_different_names),
        cmocka_unit_test(twenty_thousand_phones_are_no_trouble),
        cmocka_unit_test(wrong_plans_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests_name("numbering", tests, NULL, NULL);
}
