/* Device identifiers and the standard's words. */
#include "lib/csta/csta.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void identifiers_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *id, *number, *name, *shown;
    } known[] = {
        {"1001", "1001", "", ""},
        {"+4930123456", "+4930123456", "", ""},
        {"1001;noa=nk", "1001", "", ""},
        {"1001;displayNumber=7", "1001", "", "7"},
        {"N<1001>Nora Lindqvist;displayNumber=1001", "1001", "Nora Lindqvist", "1001"},
        {"N<1009>;noa=nk;displayNumber=1001", "1009", "", "1001"},
        {"N<1001>", "1001", "", ""},
        {"<1001>Zo\u00e9", "1001", "Zo\u00e9", ""},
        {"N<12>A > B", "12", "A > B", ""},
        {"N<12>;xdisplayNumber=3", "12", "", ""},
        {"12;a=<3>", "12", "", ""},
        {"N<12>;displayNumber=", "12", "", ""},
        {"alice@example.com", "alice@example.com", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct csta_device_parts parts;
        assert_int_equal(csta_device_parse(known[i].id, &parts), 0);
        assert_string_equal(parts.number, known[i].number);
        assert_string_equal(parts.name, known[i].name);
        assert_string_equal(parts.display_number, known[i].shown);
    }
}

static void identifiers_without_a_number_or_too_long_are_refused(void **state)
{
    (void)state;
    static const char ten[] = "0123456789";
    AUTO(buf_done) struct buf number = {0}, shown = {0};
    for (unsigned i = 0; i < 7; i++)
        buf_adds(&number, ten);
    buf_addf(&shown, "N<1>a;displayNumber=%s", number.data);
    const char *const bad[] = {"",      "N<>",       "N<>name",   "N<12",    ";x=1",
                               "12\n3", "N<1>a\x7f", number.data, shown.data};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct csta_device_parts parts = {.number = "kept"};
        assert_int_equal(csta_device_parse(bad[i], &parts), -EINVAL);
        assert_string_equal(parts.number, "kept");
    }
}

static void a_name_that_is_too_long_is_cut_between_two_characters(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf id = {0};
    struct csta_device_parts parts;
    buf_adds(&id, "N<1>a");
    for (unsigned i = 0; i < 100; i++)
        buf_adds(&id, "\u00e9");
    buf_adds(&id, ";displayNumber=2");
    assert_int_equal(csta_device_parse(id.data, &parts), 0);
    assert_string_equal(parts.number, "1");
    assert_string_equal(parts.display_number, "2");
    assert_int_equal(strlen(parts.name), 1 + 63 * 2); /* a half one more would fit */
    assert_true(utf8_valid(parts.name, strlen(parts.name)));
}

static void the_longest_number_fits(void **state)
{
    (void)state;
    char id[64];
    memset(id, '5', sizeof(id));
    id[63] = '\0';
    struct csta_device_parts parts;
    assert_int_equal(csta_device_parse(id, &parts), 0);
    assert_string_equal(parts.number, id);
}

static void what_is_put_together_is_taken_apart_again(void **state)
{
    (void)state;
    static const struct csta_device_parts whole[] = {{"1001", "Nora Lindqvist", "1001"},
                                                     {"1001", "", ""},
                                                     {"1", "Zo\u00e9", ""},
                                                     {"1", "", "2"}};
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        AUTO(buf_done) struct buf id = {0};
        struct csta_device_parts parts;
        assert_int_equal(csta_device_format(&whole[i], &id), 0);
        assert_int_equal(csta_device_parse(id.data, &parts), 0);
        assert_string_equal(parts.number, whole[i].number);
        assert_string_equal(parts.name, whole[i].name);
        assert_string_equal(parts.display_number, whole[i].display_number);
    }
}

static void parts_that_would_read_differently_are_refused(void **state)
{
    (void)state;
    static const struct csta_device_parts bad[] = {
        {"", "a", ""}, {"1>2", "", ""}, {"1", "a;b", ""}, {"1", "a\nb", ""}, {"1", "", "2;3"}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(buf_done) struct buf id = {0};
        assert_int_equal(csta_device_format(&bad[i], &id), -EINVAL);
        assert_int_equal(id.len_bytes, 0);
    }
}

static void editions_are_known_by_name_and_name_space(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum csta_version version;
    } known[] = {
        {"ed3", CSTA_ED3},
        {"ed6", CSTA_ED6},
        {"http://www.ecma-international.org/standards/ecma-323/csta/ed4", CSTA_ED4},
        {"http://www.ecma-international.org/standards/ecma-323/csta/ed3/privA", CSTA_ED3},
        {"ed2", CSTA_VERSION_NONE},
        {"ed66", CSTA_VERSION_NONE},
        {"", CSTA_VERSION_NONE},
        {"http://www.ecma-international.org/standards/ecma-323/csta/", CSTA_VERSION_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_int_equal(csta_version_parse(known[i].text), known[i].version);
    for (int version = CSTA_ED3; version < CSTA_VERSION_COUNT; version++) {
        const char *uri = csta_version_uri((enum csta_version)version);
        assert_int_equal(csta_version_parse(uri), version);
        assert_int_equal(csta_version_parse(csta_version_name((enum csta_version)version)),
                         version);
    }
    assert_string_equal(csta_version_uri(CSTA_VERSION_NONE), "");
    assert_string_equal(csta_version_uri(CSTA_VERSION_COUNT), "");
}

static void classes_follow_the_names(void **state)
{
    (void)state;
    for (int i = CSTA_UNKNOWN + 1; i < CSTA_TYPE_COUNT; i++) {
        enum csta_type type = (enum csta_type)i;
        const char *name = csta_type_name(type);
        if (strstr(name, "Response") != NULL || type == CSTA_ERROR)
            assert_int_equal(csta_class(type), CSTA_CLASS_RESPONSE);
        else if (strstr(name, "Event") != NULL)
            assert_int_equal(csta_class(type), CSTA_CLASS_EVENT);
        else
            assert_int_not_equal(csta_class(type), CSTA_CLASS_RESPONSE);
    }
    assert_string_equal(csta_type_name(CSTA_UNKNOWN), "?");
    assert_string_equal(csta_type_name(CSTA_TYPE_COUNT), "?");
    assert_string_equal(csta_local_name(CSTA_LOCAL_COUNT), "?");
    assert_string_equal(csta_error_name(CSTA_ERROR_ABSENT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_are_taken_apart),
        cmocka_unit_test(identifiers_without_a_number_or_too_long_are_refused),
        cmocka_unit_test(a_name_that_is_too_long_is_cut_between_two_characters),
        cmocka_unit_test(the_longest_number_fits),
        cmocka_unit_test(what_is_put_together_is_taken_apart_again),
        cmocka_unit_test(parts_that_would_read_differently_are_refused),
        cmocka_unit_test(editions_are_known_by_name_and_name_space),
        cmocka_unit_test(classes_follow_the_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
