#include "gateway/events/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct filter *make(const struct filter_selector *selectors, size_t count, const char *owner)
{
    const struct filter_request request = {.selectors = {selectors, count, true}};
    struct filter *filter = NULL;
    assert_int_equal(filter_new(&request, owner, &filter, NULL), 0);
    return filter;
}

static void no_ids_and_a_star_mean_everybody(void **unused)
{
    static const char *const names[] = {"telephony", "system"}, *const star[] = {"oxe1", "*"};
    const struct filter_selector rows[] = {
        {.names = {names, 2, true}},
        {.names = {names, 2, true}, .ids = {star, 2, true}},
    };
    (void)unused;
    for (int i = 0; i < 2; i++) {
        struct filter *filter = make(&rows[i], 1, NULL);
        assert_true(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "oxe9"));
        assert_true(filter_passes(filter, EVENT_PACKAGE_SYSTEM, NULL));
        assert_false(filter_passes(filter, EVENT_PACKAGE_USER, "oxe9"));
        filter_free(filter);
    }
}

static void a_list_of_ids_passes_those_only(void **unused)
{
    static const char *const names[] = {"telephony"}, *const ids[] = {"oxe1", "oxe2"};
    const struct filter_selector row = {.names = {names, 1, true}, .ids = {ids, 2, true}};
    struct filter *filter = make(&row, 1, NULL);
    (void)unused;
    assert_true(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "oxe2"));
    assert_false(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "oxe3"));
    filter_free(filter);
}

static void selectors_add_up(void **unused)
{
    static const char *const one[] = {"telephony"}, *const two[] = {"user"}, *const id[] = {"a"};
    const struct filter_selector rows[] = {{.names = {one, 1, true}, .ids = {id, 1, true}},
                                           {.names = {two, 1, true}}};
    struct filter *filter = make(rows, 2, NULL);
    (void)unused;
    assert_true(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "a"));
    assert_false(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "b"));
    assert_true(filter_passes(filter, EVENT_PACKAGE_USER, "b"));
    filter_free(filter);
}

static void a_user_hears_of_himself_only(void **unused)
{
    static const char *const names[] = {"telephony"}, *const ids[] = {"*"};
    const struct filter_selector row = {.names = {names, 1, true}, .ids = {ids, 1, true}};
    struct filter *filter = make(&row, 1, "oxe1");
    (void)unused;
    assert_true(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "oxe1"));
    assert_false(filter_passes(filter, EVENT_PACKAGE_TELEPHONY, "oxe2"));
    filter_free(filter);
}

static void what_is_unknown_empty_or_forbidden_is_named(void **unused)
{
    static const char *const wrong[] = {"telefony"}, *const rti[] = {"rti"};
    const struct filter_selector rows[] = {
        {.names = {wrong, 1, true}}, {.names = {NULL, 0, true}}, {.names = {rti, 1, true}}};
    static const struct {
        int row;
        const char *owner;
        int result;
        const char *text;
    } cases[] = {
        {0, NULL, -EINVAL, "unknown package: telefony"},
        {1, NULL, -EINVAL, "a selector names no package"},
        {2, "oxe1", -EPERM, "administrator session needed: rti"},
    };
    (void)unused;
    for (int i = 0; i < 3; i++) {
        const struct filter_request request = {.selectors = {&rows[cases[i].row], 1, true}};
        struct filter *filter = NULL;
        struct diag diag = {0};
        assert_int_equal(filter_new(&request, cases[i].owner, &filter, &diag), cases[i].result);
        assert_string_equal(diag.text, cases[i].text);
        assert_null(filter);
    }
}

static void every_package_of_the_contract_has_a_name(void **unused)
{
    (void)unused;
    for (int i = 0; i < EVENT_PACKAGE_COUNT; i++)
        assert_string_not_equal(event_package_name((enum event_package)i), "?");
    assert_string_equal(event_package_name(EVENT_PACKAGE_COUNT), "?");
    assert_int_equal(EVENT_PACKAGE_COUNT, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_ids_and_a_star_mean_everybody),
        cmocka_unit_test(a_list_of_ids_passes_those_only),
        cmocka_unit_test(selectors_add_up),
        cmocka_unit_test(a_user_hears_of_himself_only),
        cmocka_unit_test(what_is_unknown_empty_or_forbidden_is_named),
        cmocka_unit_test(every_package_of_the_contract_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
