/* Logins and sessions of users as clients see them. The subscribers stand in the database before
 * the gateway starts, as after a takeover. */
#include "tests/integration/gateway/subscribers.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct harness harness;
static struct https_client client, other, admin;
static struct answer answer;

#define BASE     "/api/rest/1.0"
#define SESSIONS BASE "/sessions"
#define DESK     "{\"applicationName\":\"desk\"}"

static int ask(struct https_client *asker, const char *method, const char *path, const char *body)
{
    assert_true(https_client_ask(asker, method, path, body, &answer));
    return answer.status;
}

static int log_in_from(struct https_client *guest, const char *address, const char *login,
                       const char *password)
{
    https_client_init(guest, harness.port);
    (void)snprintf(guest->address, sizeof(guest->address), "%s", address);
    return subscribers_log_in(guest, login, password, &answer);
}

static int log_in(struct https_client *guest, const char *login, const char *password)
{
    https_client_init(guest, harness.port);
    return subscribers_log_in(guest, login, password, &answer);
}

static void a_user_logs_in_by_login_number_or_external_login(void **unused)
{
    static const struct {
        const char *typed;
        bool told;
    } rows[] = {{"oxe1001", false}, {"1001", true}, {"nora", true}};
    char name[64];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(log_in(&client, rows[i].typed, "1234"), 200);
        harness_text(&answer, "loginName", name, sizeof(name));
        assert_string_equal(name, rows[i].told ? "oxe1001" : "");
        assert_int_equal(ask(&client, "POST", SESSIONS, DESK), 200);
        assert_int_equal(strncmp(answer.body, "{\"admin\":false,\"login\":\"oxe1001\",", 32), 0);
        assert_null(strstr(answer.body, "usermanagement"));
        assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
        https_client_close(&client);
    }
}

static void wrong_passwords_unknown_logins_and_users_without_password_are_401(void **unused)
{
    static const char *const rows[][2] = {
        {"oxe1001", "0000"}, {"1001", ""},        {"oxe4999", "1234"},
        {"oxe1003", ""},     {"oxe1003", "1234"}, {"1501", "1234"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(log_in_from(&client, "127.0.3.1", rows[i][0], rows[i][1]), 401);
        assert_non_null(strstr(answer.body, "wrong login or password"));
        https_client_close(&client);
    }
}

static void every_way_to_write_a_login_counts_as_the_same_account(void **unused)
{
    static const char *const typed[] = {"oxe1002", "1002", "oxe1002", "1002", "1002"};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(typed); i++) {
        assert_int_equal(log_in_from(&client, "127.0.3.2", typed[i], "wrong"), 401);
        https_client_close(&client);
    }
    assert_int_equal(log_in_from(&client, "127.0.3.2", "oxe1002", "5678"), 403);
    assert_non_null(strcasestr(answer.head, "Retry-After:"));
    https_client_close(&client);
    assert_int_equal(log_in_from(&client, "127.0.3.3", "oxe1002", "5678"), 200);
    https_client_close(&client);
}

/* Also of somebody who does not exist: who does would show otherwise. */
static void every_way_to_write_an_unknown_login_counts_as_the_same_account(void **unused)
{
    static const char *const typed[] = {"oxe4998", "4998", "oxe4998", "4998", "4998"};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(typed); i++) {
        assert_int_equal(log_in_from(&client, "127.0.3.7", typed[i], "wrong"), 401);
        https_client_close(&client);
    }
    assert_int_equal(log_in_from(&client, "127.0.3.7", "oxe4998", "wrong"), 403);
    https_client_close(&client);
    assert_int_equal(log_in_from(&client, "127.0.3.7", "oxe4997", "wrong"), 401);
    https_client_close(&client);
}

static void an_administrator_acts_for_a_user(void **unused)
{
    static const char *const bodies[] = {
        "{\"applicationName\":\"desk\",\"supervisedAccount\":"
        "{\"type\":\"LOGIN_NAME\",\"id\":\"oxe1001\"}}",
        "{\"applicationName\":\"desk\",\"supervisedAccount\":"
        "{\"type\":\"PHONE_NUMBER\",\"id\":\"1501\"}}",
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        harness_log_in(&harness, &admin, TEST_LOGIN);
        assert_int_equal(ask(&admin, "POST", SESSIONS, bodies[i]), 200);
        assert_int_equal(strncmp(answer.body, "{\"admin\":false,\"login\":\"oxe1001\",", 32), 0);
        assert_int_equal(ask(&admin, "POST", SESSIONS, bodies[i]), 200);
        assert_int_equal(ask(&admin, "POST", SESSIONS, DESK), 403);
        harness_stop(&harness, SIGKILL);
        https_client_close(&admin);
        harness_start(&harness);
        assert_int_equal(ask(&admin, "GET", SESSIONS, NULL), 200);
        assert_int_equal(strncmp(answer.body, "{\"admin\":false,\"login\":\"oxe1001\",", 32), 0);
        assert_int_equal(ask(&admin, "DELETE", SESSIONS, NULL), 204);
        https_client_close(&admin);
    }
}

static void nobody_acts_for_a_stranger_and_users_for_nobody(void **unused)
{
    (void)unused;
    harness_log_in(&harness, &admin, TEST_LOGIN);
    assert_int_equal(ask(&admin, "POST", SESSIONS,
                         "{\"applicationName\":\"x\",\"supervisedAccount\":"
                         "{\"type\":\"LOGIN_NAME\",\"id\":\"oxe4999\"}}"),
                     404);
    assert_non_null(strstr(answer.body, "no such user"));
    assert_int_equal(ask(&admin, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&admin);
    assert_int_equal(log_in(&client, "oxe1001", "1234"), 200);
    assert_int_equal(ask(&client, "POST", SESSIONS,
                         "{\"applicationName\":\"x\",\"supervisedAccount\":"
                         "{\"type\":\"LOGIN_NAME\",\"id\":\"oxe1002\"}}"),
                     403);
    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&client);
}

static void a_restart_keeps_users_sessions_and_drops_those_without_user(void **unused)
{
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    subscribers_open_session(&harness, &other, "oxe1004", "4444");
    harness_stop(&harness, SIGTERM);
    https_client_close(&client);
    https_client_close(&other);
    subscribers_run_sql(&harness, "DELETE FROM subscriber WHERE login = 'oxe1004'");
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 200);
    assert_int_equal(ask(&other, "GET", SESSIONS, NULL), 401);
    https_client_close(&client);
    https_client_close(&other);
}

static void twenty_thousand_users_load_quickly(void **unused)
{
    (void)unused;
    harness_stop(&harness, SIGTERM);
    subscribers_run_sql(
        &harness, "INSERT INTO subscriber (login, node, number, first_name, last_name, devices)"
                  " SELECT 'oxe' || n, '2', n::text, 'First', 'Last ' || n, json_build_array("
                  "json_build_object('id', n::text, 'type', 'DESKPHONE', 'subType', 'NOE'))"
                  " FROM generate_series(20000, 39999) AS n");
    uint64_t begin_ms = common_boot_ms();
    harness_start(&harness);
    print_message("start with 20 000 users: %u ms\n", (unsigned)(common_boot_ms() - begin_ms));
    AUTO(common_freep) char *log = harness_read_file(harness.log);
    assert_non_null(strstr(log, "loaded: 20003 users"));
    subscribers_run_sql(&harness, "DELETE FROM subscriber WHERE node = '2'");
}

static int open_all(void **unused)
{
    (void)unused;
    subscribers_open(&harness);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    harness_close(&harness);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_logs_in_by_login_number_or_external_login),
        cmocka_unit_test(wrong_passwords_unknown_logins_and_users_without_password_are_401),
        cmocka_unit_test(every_way_to_write_a_login_counts_as_the_same_account),
        cmocka_unit_test(every_way_to_write_an_unknown_login_counts_as_the_same_account),
        cmocka_unit_test(an_administrator_acts_for_a_user),
        cmocka_unit_test(nobody_acts_for_a_stranger_and_users_for_nobody),
        cmocka_unit_test(a_restart_keeps_users_sessions_and_drops_those_without_user),
        cmocka_unit_test(twenty_thousand_users_load_quickly),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
