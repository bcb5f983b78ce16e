#include "gateway/pbx/csta_xml/cx_stations.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int begin(void **state)
{
    *state = cx_stations_new();
    assert_non_null(*state);
    return 0;
}

static int end(void **state)
{
    cx_stations_free(*state);
    return 0;
}

static void add(struct cx_stations *stations, const char *id, const char *category,
                const char *model)
{
    const struct csta_listed_device device = {
        .device = {.id = id}, .category = category, .model = model};
    assert_int_equal(cx_stations_add(stations, &device), 0);
}

static void only_stations_with_digits_are_taken_each_once(void **state)
{
    struct cx_stations *stations = *state;
    add(stations, "1001", NULL, NULL);
    add(stations, "1002", "station", NULL);
    add(stations, "1003", "networkInterface", NULL);
    add(stations, "N<1002>Again", "station", NULL);
    add(stations, "*55", "station", NULL);
    add(stations, "sip:x@y", "station", NULL);
    add(stations, "", "station", NULL);
    add(stations, NULL, "station", NULL);
    size_t count = 0;
    const struct pbx_device *list = cx_stations_list(stations, &count);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].number, "1001");
    assert_string_equal(list[1].number, "1002");
    assert_null(list[1].name);
}

static void names_main_devices_and_types_come_from_identifier_and_model(void **state)
{
    struct cx_stations *stations = *state;
    add(stations, "N<1101>Nora Lindqvist;displayNumber=1001", NULL, "8262 DECT Handset");
    add(stations, "N<1001>Nora Lindqvist;displayNumber=1001;noa=nk", NULL, "ALE-300");
    add(stations, "N<1002>Bo Ek;displayNumber=7777", NULL, "Softphone"); /* 7777 is not there */
    add(stations, "N<1003>Chain;displayNumber=1101", NULL, NULL);        /* no main device */
    size_t count = 0;
    const struct pbx_device *list = cx_stations_list(stations, &count);
    assert_int_equal(count, 4);
    assert_string_equal(list[0].name, "Nora Lindqvist");
    assert_string_equal(list[0].main_number, "1001");
    assert_int_equal(list[0].type, DEVICE_TYPE_DECT);
    assert_string_equal(list[0].model, "8262 DECT Handset");
    assert_string_equal(list[1].main_number, "1001");
    assert_int_equal(list[1].type, DEVICE_TYPE_DESKPHONE);
    assert_string_equal(list[2].main_number, "1002");
    assert_int_equal(list[2].type, DEVICE_TYPE_SOFTPHONE);
    assert_string_equal(list[3].main_number, "1003");
    assert_null(list[3].model);
}

static void types_are_known_by_a_word_of_the_model(void **state)
{
    (void)state;
    assert_int_equal(cx_device_type_of("dect 8232"), DEVICE_TYPE_DECT);
    assert_int_equal(cx_device_type_of("Mobile extension"), DEVICE_TYPE_MOBILE);
    assert_int_equal(cx_device_type_of("IP Desktop Softphone"), DEVICE_TYPE_SOFTPHONE);
    assert_int_equal(cx_device_type_of("SIP extension"), DEVICE_TYPE_SOFTPHONE);
    assert_int_equal(cx_device_type_of("8068s"), DEVICE_TYPE_DESKPHONE);
    assert_int_equal(cx_device_type_of(NULL), DEVICE_TYPE_DESKPHONE);
}

static struct csta_message segment(int64_t id, bool last, const struct csta_listed_device *device)
{
    return (struct csta_message){.type = CSTA_DEVICES,
                                 .segment_id = {.set = id >= 0, .value = id},
                                 .last_segment = {.set = true, .value = last},
                                 .devices = device,
                                 .device_count = 1};
}

static void segments_follow_one_another(void **state)
{
    (void)state;
    static const struct {
        int64_t ids[3]; /* -1: no number */
        int results[3];
        size_t count;
    } cases[] = {
        {{1, 2, 3}, {0, 0, 1}, 3},
        {{0, 1, 2}, {0, 0, 1}, 3},
        {{-1, -1, -1}, {0, 0, 1}, 3},
        {{1, 1, 2}, {0, 0, 1}, 2}, /* twice: skipped */
        {{1, 3, 4}, {0, -EPROTO, -EPROTO}, 1},
        {{2, 3, 4}, {-EPROTO, -EPROTO, -EPROTO}, 0},
        {{5, 1, 2}, {-EPROTO, 0, 1}, 2},
    };
    static const char *const numbers[] = {"1001", "1002", "1003"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cx_stations *stations = cx_stations_new();
        assert_non_null(stations);
        for (unsigned s = 0; s < 3; s++) {
            const struct csta_listed_device device = {.device = {.id = numbers[s]}};
            const struct csta_message message = segment(cases[i].ids[s], s == 2, &device);
            assert_int_equal(cx_stations_add_segment(stations, &message), cases[i].results[s]);
        }
        size_t count = 0;
        (void)cx_stations_list(stations, &count);
        assert_int_equal(count, cases[i].count);
        cx_stations_free(stations);
    }
}

static void an_endless_list_ends(void **state)
{
    struct cx_stations *stations = *state;
    const struct csta_listed_device device = {.device = {.id = "1001"}};
    for (unsigned i = 0; i < CX_STATIONS_MAX; i++)
        assert_int_equal(cx_stations_add(stations, &device), 0);
    assert_int_equal(cx_stations_add(stations, &device), -EOVERFLOW);
}

static void an_empty_list_has_nothing(void **state)
{
    size_t count = 1;
    assert_null(cx_stations_list(*state, &count));
    assert_int_equal(count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_stations_with_digits_are_taken_each_once),
        CASE(names_main_devices_and_types_come_from_identifier_and_model),
        cmocka_unit_test(types_are_known_by_a_word_of_the_model),
        cmocka_unit_test(segments_follow_one_another),
        CASE(an_endless_list_ends),
        CASE(an_empty_list_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
