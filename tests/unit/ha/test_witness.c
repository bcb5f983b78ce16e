#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "ha/witness.h"
#include "ha/witness_answer.h"
#include "lib/common/common.h"

static const char *const pair[] = {"10.77.1.11", "10.77.1.12/24", "10.77.1.100", "fd00::11"};

static int check(const char *hostaddr, struct diag *diag)
{
    const struct witness_options options = {.hostaddr = hostaddr,
                                            .database = "witness",
                                            .user = "og_a",
                                            .ca_file = "/etc/open-gateway/witness-ca.crt",
                                            .cluster = "pair",
                                            .node = 1};
    return witness_check_options(&options, pair, COUNT_OF(pair), diag);
}

static void a_third_machine_is_fine(void **unused)
{
    (void)unused;
    struct diag diag = {0};
    assert_int_equal(check("10.77.1.5", &diag), 0);
    assert_int_equal(check("fd00::5", &diag), 0);
}

static void our_own_and_impossible_addresses_are_refused_with_the_reason(void **unused)
{
    (void)unused;
    static const char *const bad[][2] = {
        {"10.77.1.11", "belongs to the pair"},
        {"10.77.1.12", "belongs to the pair"},
        {"10.77.1.100", "belongs to the pair"},
        {"fd00:0::11", "belongs to the pair"},
        {"127.0.0.1", "third machine"},
        {"127.8.8.8", "third machine"},
        {"::1", "third machine"},
        {"0.0.0.0", "third machine"},
        {"::", "third machine"},
        {"224.0.0.1", "third machine"},
        {"ff02::1", "third machine"},
        {"::ffff:10.77.1.11", "third machine"},
        {"witness.example", "no IP address"},
        {"/run/postgresql", "no IP address"},
        {"10.77.1.5/24", "no IP address"},
        {"", "missing"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct diag diag = {0};
        assert_int_equal(check(bad[i][0], &diag), -EINVAL);
        if (strstr(diag.text, bad[i][1]) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], diag.text, bad[i][1]);
    }
}

static void missing_parts_are_named(void **unused)
{
    (void)unused;
    const struct witness_options full = {.hostaddr = "10.77.1.5",
                                         .database = "witness",
                                         .user = "og_a",
                                         .ca_file = "/ca",
                                         .cluster = "pair",
                                         .node = 1};
    struct diag diag = {0};
    struct witness_options options = full;
    options.ca_file = NULL;
    assert_int_equal(witness_check_options(&options, pair, COUNT_OF(pair), &diag), -EINVAL);
    assert_non_null(strstr(diag.text, "CA file"));
    options = full;
    options.user = "";
    assert_int_equal(witness_check_options(&options, pair, COUNT_OF(pair), &diag), -EINVAL);
    assert_non_null(strstr(diag.text, "user"));
    options = full;
    options.node = 3;
    assert_int_equal(witness_check_options(&options, pair, COUNT_OF(pair), &diag), -EINVAL);
}

static void a_run_changes_with_every_part_of_its_identity(void **unused)
{
    (void)unused;
    const char *parts[6] = {"7312", "00000001", "1700000000000000", "f", "t", "on"};
    uint64_t runs[7];
    for (size_t changed = 0; changed < COUNT_OF(runs); changed++) {
        const char *p[6];
        for (size_t i = 0; i < COUNT_OF(p); i++)
            p[i] = i == changed ? "other" : parts[i];
        const struct witness_identity identity = {p[0], p[1], p[2], p[3], p[4], p[5]};
        runs[changed] = witness_run_digest(&identity);
        assert_true(runs[changed] != 0);
        for (size_t i = 0; i < changed; i++)
            assert_true(runs[i] != runs[changed]);
    }
    /* the borders between the parts count as well */
    const struct witness_identity one = {"1", "23", "", "", "", ""};
    const struct witness_identity two = {"12", "3", "", "", "", ""};
    assert_true(witness_run_digest(&one) != witness_run_digest(&two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_machine_is_fine),
        cmocka_unit_test(our_own_and_impossible_addresses_are_refused_with_the_reason),
        cmocka_unit_test(missing_parts_are_named),
        cmocka_unit_test(a_run_changes_with_every_part_of_its_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
