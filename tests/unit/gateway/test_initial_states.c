#include "gateway/events/initial_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct users *users;
static struct filter *filter;

static int tell(const struct user *user, struct buf *out)
{
    buf_addf(out, "%s\n", user->login);
    return 0;
}

static struct initial_states states = {.package = EVENT_PACKAGE_TELEPHONY, .tell = tell};

static void add_user(unsigned number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", number);
    const struct user_record record = {.node = "1",
                                       .first_name = "",
                                       .last_name = text,
                                       .devices = {{.number = text}},
                                       .device_count = 1};
    struct user *user;
    assert_int_equal(users_add(users, &record, NULL, &user), 0);
}

static void remove_user(const char *login)
{
    users_remove(users, users_find_login(users, login));
}

/* package for the ids; no ids: everybody */
static void subscribe(const char *package, const char *const *ids, size_t count)
{
    const struct filter_selector selector = {.names = {&package, 1, true},
                                             .ids = {ids, count, true}};
    const struct filter_request request = {.selectors = {&selector, 1, true}};
    filter_free(filter);
    filter = NULL;
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
}

static bool next(struct snapshot_cursor *cursor, struct buf *out)
{
    return states.ops.next(states.ops.context, filter, cursor, out);
}

static void assert_all_told(const char *expected)
{
    struct snapshot_cursor cursor = {0};
    struct buf out = {0};
    while (next(&cursor, &out))
        assert_false(out.failed);
    assert_string_equal(out.data == NULL ? "" : out.data, expected);
    buf_done(&out);
}

static int begin(void **unused)
{
    (void)unused;
    users = users_new();
    states.users = users;
    initial_states_init(&states);
    for (unsigned number = 1001; number <= 1005; number++)
        add_user(number);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    filter_free(filter);
    filter = NULL;
    users_free(users);
    return 0;
}

static void all_users_are_told_to_who_wants_everybody(void **unused)
{
    (void)unused;
    subscribe("telephony", NULL, 0);
    assert_all_told("oxe1001\noxe1002\noxe1003\noxe1004\noxe1005\n");
}

static void the_listed_users_are_told_without_those_unknown(void **unused)
{
    static const char *const ids[] = {"oxe1004", "oxe9", "oxe1002", "oxe1004"};
    (void)unused;
    subscribe("telephony", ids, 4);
    assert_all_told("oxe1002\noxe1004\n");
}

static void other_packages_have_no_states(void **unused)
{
    static const char *const ids[] = {"oxe1004"};
    (void)unused;
    subscribe("user", ids, 1);
    assert_all_told("");
    subscribe("system", NULL, 0);
    assert_all_told("");
}

/* After each step of the walk, any one user goes, or goes and comes back at the end. */
static void a_walk_survives_that_users_go_and_come(void **unused)
{
    (void)unused;
    for (unsigned step = 1; step <= 5; step++)
        for (unsigned number = 1001; number <= 1005; number++)
            for (unsigned comes_back = 0; comes_back < 2; comes_back++) {
                struct snapshot_cursor cursor = {0};
                struct buf out = {0};
                char login[16];
                end(NULL);
                begin(NULL);
                subscribe("telephony", NULL, 0);
                for (unsigned i = 0; i < step; i++)
                    assert_true(next(&cursor, &out));
                (void)snprintf(login, sizeof(login), "oxe%u", number);
                remove_user(login);
                if (comes_back)
                    add_user(number);
                while (next(&cursor, &out))
                    continue;
                for (unsigned other = 1001; other <= 1005; other++) { /* those who stay: once */
                    (void)snprintf(login, sizeof(login), "oxe%u\n", other);
                    const char *first = strstr(out.data, login);
                    if (other == number)
                        continue;
                    assert_non_null(first);
                    assert_null(strstr(first + 1, login));
                }
                (void)snprintf(login, sizeof(login), "oxe%u\n", number);
                if (comes_back) /* the new one is told in any case */
                    assert_non_null(strstr(out.data, login));
                buf_done(&out);
            }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(all_users_are_told_to_who_wants_everybody),
        CASE(the_listed_users_are_told_without_those_unknown),
        CASE(other_packages_have_no_states),
        CASE(a_walk_survives_that_users_go_and_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
