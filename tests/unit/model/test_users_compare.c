#include "gateway/model/users_compare.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct users *users;
static struct map *left_out;
static struct users_changes changes;

static void compare(const struct pbx_device *devices, size_t count)
{
    const struct users_compare question = {.users = users,
                                           .left_out = left_out,
                                           .node = "1",
                                           .devices = devices,
                                           .device_count = count};
    users_changes_done(&changes);
    assert_int_equal(users_compare(&question, &changes), 0);
}

/* As the gateway does: deletions first. */
static void apply(void)
{
    struct user *user;
    for (size_t i = 0; i < changes.deleted_count; i++)
        users_remove(users, users_find_login(users, changes.deleted[i]));
    for (size_t i = 0; i < changes.changed_count; i++) {
        user = users_find(users, changes.changed[i].devices[0].number);
        assert_int_equal(users_change(users, user, &changes.changed[i]), 0);
    }
    for (size_t i = 0; i < changes.created_count; i++)
        assert_int_equal(users_add(users, &changes.created[i], NULL, &user), 0);
}

static int begin(void **unused)
{
    (void)unused;
    users = users_new();
    left_out = map_new();
    return users == NULL || left_out == NULL;
}

static int end(void **unused)
{
    (void)unused;
    users_changes_done(&changes);
    users_free(users);
    map_free(left_out, NULL);
    return 0;
}

static void names_are_cut_at_the_first_space(void **unused)
{
    static const struct {
        const char *name, *first, *last;
    } rows[] = {
        {"Nora Lindqvist", "Nora", "Lindqvist"},
        {"Jan van der Berg", "Jan", "van der Berg"},
        {"Reception", "Reception", ""},
        {"  Ida   Lund  ", "Ida", "Lund"},
        {"", "", ""},
        {"   ", "", ""},
        {NULL, "", ""},
        {"T\xc3\xa9o Marchand", "T\xc3\xa9o", "Marchand"},
        {"Bad \xff bytes", "Bad", ""},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pbx_device device = {.number = "1001", .name = rows[i].name};
        compare(&device, 1);
        assert_int_equal(changes.created_count, 1);
        assert_string_equal(changes.created[0].first_name, rows[i].first);
        assert_string_equal(changes.created[0].last_name, rows[i].last);
    }
}

static void an_endless_name_is_cut_between_characters(void **unused)
{
    char name[1024];
    const struct pbx_device device = {.number = "1001", .name = name};
    (void)unused;
    for (size_t i = 0; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[sizeof(name) - 2] = '\0';
    name[0] = 'x';
    name[1] = 'y';
    compare(&device, 1);
    assert_int_equal(strlen(changes.created[0].first_name), USER_NAME_BYTES_MAX);
}

static void secondary_devices_join_their_user_wherever_they_stand(void **unused)
{
    static const struct pbx_device devices[] = {
        {.number = "1501", .main_number = "1001", .type = DEVICE_TYPE_MOBILE},
        {.number = "1001", .main_number = "1001", .name = "Ida Berg", .model = "NOE"},
        {.number = "1601", .main_number = "1001", .type = DEVICE_TYPE_SOFTPHONE},
        {.number = "1002", .type = DEVICE_TYPE_DECT},
        {.number = "1700", .main_number = "1999"},
        {.number = "1800", .main_number = "1700"},
    };
    (void)unused;
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count, 4);
    const struct user_record *ida = &changes.created[0];
    assert_int_equal(ida->device_count, 3);
    assert_string_equal(ida->devices[0].number, "1001");
    assert_string_equal(ida->devices[0].model, "NOE");
    assert_string_equal(ida->devices[1].number, "1501");
    assert_int_equal(ida->devices[1].type, DEVICE_TYPE_MOBILE);
    assert_string_equal(ida->devices[2].number, "1601");
    assert_string_equal(changes.created[1].devices[0].number, "1002");
    assert_string_equal(changes.created[2].devices[0].number, "1700");
    assert_string_equal(changes.created[3].devices[0].number, "1800");
    assert_int_equal(changes.created[2].device_count, 1);
}

static void numbers_that_are_no_digits_or_stand_there_twice_are_left_out(void **unused)
{
    char endless[PBX_NUMBER_CHARS + 2];
    memset(endless, '7', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    const struct pbx_device devices[] = {
        {.number = "A12"},   {.number = ""},
        {.number = "*7"},    {.number = "12 "},
        {.number = endless}, {.number = "1001"},
        {.number = "1001"},  {.number = "1001", .main_number = "1001"},
    };
    (void)unused;
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count, 1);
    assert_int_equal(changes.ignored, 7);
}

static void a_ninth_device_is_left_out(void **unused)
{
    static const char *const numbers[] = {"10", "11", "12", "13", "14", "15", "16", "17", "18"};
    struct pbx_device devices[COUNT_OF(numbers)] = {{0}};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        devices[i] = (struct pbx_device){.number = numbers[i], .main_number = "10"};
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created[0].device_count, USER_DEVICES_MAX);
    assert_int_equal(changes.ignored, 1);
}

static void a_second_reading_finds_only_what_has_changed(void **unused)
{
    struct pbx_device devices[] = {
        {.number = "1001", .name = "Ida Berg"},
        {.number = "1002", .name = "Olof Ek"},
        {.number = "1003", .name = "Pia Dahl"},
    };
    (void)unused;
    compare(devices, COUNT_OF(devices));
    apply();
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count + changes.changed_count + changes.deleted_count, 0);
    devices[1].name = "Olof Lund";
    devices[2].number = "1004";
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count, 1);
    assert_string_equal(changes.created[0].devices[0].number, "1004");
    assert_int_equal(changes.changed_count, 1);
    assert_string_equal(changes.changed[0].last_name, "Lund");
    assert_int_equal(changes.deleted_count, 1);
    assert_string_equal(changes.deleted[0], "oxe1003");
    assert_false(changes.drastic);
    apply();
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count + changes.changed_count + changes.deleted_count, 0);
}

static void a_device_that_changes_hands_settles_in_one_reading(void **unused)
{
    static const struct pbx_device before[] = {
        {.number = "1001"}, {.number = "1501", .main_number = "1001"}, {.number = "1002"}};
    static const struct pbx_device after[] = {
        {.number = "1001"}, {.number = "1501", .main_number = "1002"}, {.number = "1002"}};
    static const struct pbx_device alone[] = {
        {.number = "1001"}, {.number = "1501"}, {.number = "1002", .main_number = "1501"}};
    static const struct {
        const struct pbx_device *devices;
        size_t count;
    } rows[] = {{before, 3}, {after, 3}, {alone, 3}, {before, 3}};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        compare(rows[i].devices, rows[i].count);
        apply();
        compare(rows[i].devices, rows[i].count);
        assert_int_equal(changes.created_count + changes.changed_count + changes.deleted_count, 0);
    }
}

static void users_of_another_node_are_neither_changed_nor_deleted(void **unused)
{
    const struct user_record record = {.node = "2",
                                       .first_name = "Ida",
                                       .last_name = "",
                                       .devices = {{.number = "1001"}, {.number = "1501"}},
                                       .device_count = 2};
    static const struct pbx_device devices[] = {
        {.number = "1001", .name = "Somebody"},
        {.number = "1002"},
        {.number = "1501", .main_number = "1002"},
    };
    struct user *user;
    (void)unused;
    assert_int_equal(users_add(users, &record, NULL, &user), 0);
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count, 1);
    assert_int_equal(changes.created[0].device_count, 1);
    assert_int_equal(changes.changed_count, 0);
    assert_int_equal(changes.deleted_count, 0);
    assert_int_equal(changes.ignored, 2);
}

static void who_was_left_out_is_not_created_again(void **unused)
{
    static const struct pbx_device devices[] = {{.number = "1001"}, {.number = "1002"}};
    (void)unused;
    assert_int_equal(map_put(left_out, "oxe1001", users, NULL), 0);
    compare(devices, COUNT_OF(devices));
    assert_int_equal(changes.created_count, 1);
    assert_string_equal(changes.created[0].devices[0].number, "1002");
}

static void fill(struct pbx_device *devices, char (*numbers)[8], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%zu", 2000 + i);
        devices[i] = (struct pbx_device){.number = numbers[i]};
    }
}

static void losing_more_than_half_of_ten_users_is_drastic(void **unused)
{
    struct pbx_device devices[10];
    char numbers[10][8];
    (void)unused;
    fill(devices, numbers, 10);
    compare(devices, 10);
    assert_false(changes.drastic);
    apply();
    compare(devices, 5);
    assert_false(changes.drastic);
    compare(devices, 4);
    assert_true(changes.drastic);
    const struct digest four = changes.deletion;
    compare(devices + 6, 4);
    assert_memory_not_equal(changes.deletion.bytes, four.bytes, sizeof(four.bytes));
    compare(devices, 4);
    assert_memory_equal(changes.deletion.bytes, four.bytes, sizeof(four.bytes));
}

static void an_empty_directory_is_drastic_for_any_number_of_users(void **unused)
{
    static const struct pbx_device devices[] = {{.number = "1001"}, {.number = "1002"}};
    (void)unused;
    compare(devices, 0);
    assert_false(changes.drastic);
    compare(devices, 2);
    apply();
    compare(devices, 0);
    assert_true(changes.drastic);
    compare(devices, 1);
    assert_false(changes.drastic);
}

static void twenty_thousand_stations_are_compared(void **unused)
{
    enum { MANY = 20000 };
    struct pbx_device *devices = calloc(MANY, sizeof(*devices));
    char(*numbers)[8] = calloc(MANY, sizeof(*numbers));
    (void)unused;
    assert_non_null(devices);
    assert_non_null(numbers);
    fill(devices, numbers, MANY);
    uint64_t begin_ms = common_boot_ms();
    compare(devices, MANY);
    apply();
    compare(devices, MANY);
    print_message("%d stations compared twice and added in %u ms\n", MANY,
                  (unsigned)(common_boot_ms() - begin_ms));
    assert_int_equal(users_count(users), MANY);
    assert_int_equal(changes.created_count + changes.changed_count + changes.deleted_count, 0);
    free(devices);
    free(numbers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_cut_at_the_first_space),
        TEST(an_endless_name_is_cut_between_characters),
        TEST(secondary_devices_join_their_user_wherever_they_stand),
        TEST(numbers_that_are_no_digits_or_stand_there_twice_are_left_out),
        TEST(a_ninth_device_is_left_out),
        TEST(a_second_reading_finds_only_what_has_changed),
        TEST(a_device_that_changes_hands_settles_in_one_reading),
        TEST(users_of_another_node_are_neither_changed_nor_deleted),
        TEST(who_was_left_out_is_not_created_again),
        TEST(losing_more_than_half_of_ten_users_is_drastic),
        TEST(an_empty_directory_is_drastic_for_any_number_of_users),
        TEST(twenty_thousand_stations_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
