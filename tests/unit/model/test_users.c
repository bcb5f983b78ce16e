#include "gateway/model/users.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct users *users;

static struct user_record record_of(const char *number, const char *second)
{
    struct user_record record = {
        .node = "1",
        .first_name = "Ida",
        .last_name = "Berg",
        .devices = {{number, DEVICE_TYPE_DESKPHONE, "NOE"}, {second, DEVICE_TYPE_MOBILE, NULL}},
        .device_count = second == NULL ? 1 : 2,
    };
    return record;
}

static struct user *add(const char *number, const char *second)
{
    struct user *user = NULL;
    const struct user_record record = record_of(number, second);
    assert_int_equal(users_add(users, &record, NULL, &user), 0);
    return user;
}

static int begin(void **unused)
{
    (void)unused;
    users = users_new();
    return users == NULL;
}

static int end(void **unused)
{
    (void)unused;
    users_free(users);
    return 0;
}

static void a_user_is_found_by_login_number_external_login_and_device(void **unused)
{
    const struct user_account account = {.external_login = "iberg", .mail = "ida@a.test"};
    const struct user_record record = record_of("1001", "1501");
    struct user *user = NULL;
    (void)unused;
    assert_int_equal(users_add(users, &record, &account, &user), 0);
    assert_string_equal(user->login, "oxe1001");
    assert_string_equal(user->mail, "ida@a.test");
    assert_ptr_equal(users_find(users, "oxe1001"), user);
    assert_ptr_equal(users_find(users, "1001"), user);
    assert_ptr_equal(users_find(users, "iberg"), user);
    assert_ptr_equal(users_find_login(users, "oxe1001"), user);
    assert_null(users_find_login(users, "1001"));
    assert_null(users_find(users, "1501"));
    assert_ptr_equal(users_find_device(users, "1501")->user, user);
    assert_string_equal(user_phone(user), "1001");
    assert_ptr_equal(user_find_device(user, "1501"), user->devices[1]);
    assert_null(user_find_device(user, "1502"));
    assert_int_equal(user->devices[1]->state, DEVICE_UNKNOWN);
    assert_int_equal(user->state, USER_STATE_UNKNOWN);
}

static void a_removed_user_leaves_nothing_behind(void **unused)
{
    const struct user_account account = {.external_login = "iberg"};
    struct user *user = add("1001", "1501");
    (void)unused;
    assert_int_equal(users_set_account(users, user, &account), 0);
    users_remove(users, user);
    assert_int_equal(users_count(users), 0);
    assert_null(users_first(users));
    assert_null(users_find(users, "oxe1001"));
    assert_null(users_find(users, "iberg"));
    assert_null(users_find_device(users, "1001"));
    assert_null(users_find_device(users, "1501"));
}

static void a_login_exists_once(void **unused)
{
    struct user *user = add("1001", NULL), *other = NULL;
    const struct user_record record = record_of("1001", NULL);
    (void)unused;
    assert_int_equal(users_add(users, &record, NULL, &other), -EEXIST);
    assert_null(other);
    assert_ptr_equal(users_first(users), user);
}

static void records_that_cannot_be_users_are_refused(void **unused)
{
    char endless[PBX_NUMBER_CHARS + 1];
    struct user *user = NULL;
    (void)unused;
    memset(endless, '1', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    struct user_record record = record_of(endless, NULL);
    assert_int_equal(users_add(users, &record, NULL, &user), -EINVAL);
    record = record_of("", NULL);
    assert_int_equal(users_add(users, &record, NULL, &user), -EINVAL);
    record = record_of("1001", NULL);
    record.device_count = 0;
    assert_int_equal(users_add(users, &record, NULL, &user), -EINVAL);
    assert_int_equal(users_count(users), 0);
}

static void a_change_keeps_the_devices_that_stay(void **unused)
{
    struct user *user = add("1001", "1501");
    const struct device *desk = user->devices[0];
    struct user_record record = record_of("1001", "1502");
    (void)unused;
    user->devices[0]->state = DEVICE_IN_SERVICE;
    record.last_name = "Lund";
    record.devices[0].model = "IP";
    assert_false(user_matches(user, &record));
    assert_int_equal(users_change(users, user, &record), 0);
    assert_true(user_matches(user, &record));
    assert_ptr_equal(user->devices[0], desk);
    assert_string_equal(desk->model, "IP");
    assert_int_equal(desk->state, DEVICE_IN_SERVICE);
    assert_null(users_find_device(users, "1501"));
    assert_ptr_equal(users_find_device(users, "1502"), user->devices[1]);
    record = record_of("1002", NULL);
    assert_int_equal(users_change(users, user, &record), -EINVAL);
}

static void a_device_with_calls_outlives_its_removal_from_the_user(void **unused)
{
    struct user *user = add("1001", "1501");
    const struct device *mobile = user->devices[1];
    struct user_record record = record_of("1001", NULL);
    /* the list is only looked at: any entry stands for a call */
    struct call *call = (struct call *)(void *)user;
    (void)unused;
    user->calls.tqh_first = call;
    assert_int_equal(users_change(users, user, &record), 0);
    assert_null(users_find_device(users, "1501"));
    assert_string_equal(mobile->number, "1501"); /* the sanitizer would object */
    assert_ptr_equal(mobile->user, user);
    user->calls.tqh_first = NULL;
}

static void a_device_stays_with_its_user_until_he_gives_it_up(void **unused)
{
    struct user *first = add("1001", "1501"), *second = add("1002", "1001"), *third = NULL;
    struct user_record record = record_of("1002", "1501");
    (void)unused;
    assert_int_equal(second->device_count, 1);
    assert_ptr_equal(users_find_device(users, "1001")->user, first);
    assert_int_equal(users_change(users, second, &record), 0);
    assert_int_equal(second->device_count, 1);
    assert_ptr_equal(users_find_device(users, "1501")->user, first);
    record = record_of("1501", NULL);
    assert_int_equal(users_add(users, &record, NULL, &third), -EEXIST);
    record = record_of("1001", NULL);
    assert_int_equal(users_change(users, first, &record), 0);
    record = record_of("1002", "1501");
    assert_int_equal(users_change(users, second, &record), 0);
    assert_ptr_equal(users_find_device(users, "1501")->user, second);
}

static void a_user_whose_account_is_refused_leaves_nothing_behind(void **unused)
{
    const struct user_account account = {.external_login = "iberg"};
    struct user *first = add("1001", NULL), *second = NULL;
    const struct user_record record = record_of("1002", "1502");
    (void)unused;
    assert_int_equal(users_set_account(users, first, &account), 0);
    assert_int_equal(users_add(users, &record, &account, &second), -EEXIST);
    assert_null(second);
    assert_int_equal(users_count(users), 1);
    assert_null(users_find_device(users, "1002"));
    assert_null(users_find_device(users, "1502"));
    assert_ptr_equal(users_find(users, "iberg"), first);
}

static void an_external_login_belongs_to_one_user(void **unused)
{
    struct user *first = add("1001", NULL), *second = add("1002", NULL);
    struct user_account account = {.external_login = "ida", .password_hash = "$scrypt$x"};
    (void)unused;
    assert_int_equal(users_set_account(users, first, &account), 0);
    assert_int_equal(users_set_account(users, second, &account), -EEXIST);
    assert_null(second->external_login);
    assert_null(second->password_hash);
    account = user_account_of(first);
    account.gui_language = "sv";
    assert_int_equal(users_set_account(users, first, &account), 0);
    assert_string_equal(first->external_login, "ida");
    assert_string_equal(first->gui_language, "sv");
    account = user_account_of(first);
    account.external_login = "berg";
    assert_int_equal(users_set_account(users, first, &account), 0);
    assert_null(users_find(users, "ida"));
    assert_ptr_equal(users_find(users, "berg"), first);
}

static void twenty_thousand_users_are_kept_in_order(void **unused)
{
    enum { MANY = 20000 };
    char number[16];
    int seen = 0;
    (void)unused;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(number, sizeof(number), "%d", 10000 + i);
        (void)add(number, NULL);
    }
    assert_int_equal(users_count(users), MANY);
    for (struct user *user = users_first(users); user != NULL; user = TAILQ_NEXT(user, of_all)) {
        (void)snprintf(number, sizeof(number), "%d", 10000 + seen++);
        assert_string_equal(user_phone(user), number);
    }
    assert_int_equal(seen, MANY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_by_login_number_external_login_and_device),
        TEST(a_removed_user_leaves_nothing_behind),
        TEST(a_login_exists_once),
        TEST(records_that_cannot_be_users_are_refused),
        TEST(a_change_keeps_the_devices_that_stay),
        TEST(a_device_with_calls_outlives_its_removal_from_the_user),
        TEST(a_device_stays_with_its_user_until_he_gives_it_up),
        TEST(a_user_whose_account_is_refused_leaves_nothing_behind),
        TEST(an_external_login_belongs_to_one_user),
        TEST(twenty_thousand_users_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
