/* The services users, logins and usermanagement as clients see them. */
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
static struct https_client client, admin;
static struct answer answer;

#define BASE     "/api/rest/1.0"
#define SESSIONS BASE "/sessions"

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

#define NORA                                                                                       \
    "{\"companyPhone\":\"1001\",\"firstName\":\"Nora\",\"lastName\":\"Lindqvist\",\"loginName\":"  \
    "\"oxe1001\",\"devices\":[{\"type\":\"DESKPHONE\",\"id\":\"1001\",\"subType\":\"NOE\"},{"      \
    "\"type\":"                                                                                    \
    "\"MOBILE\",\"id\":\"1501\"}],\"nodeId\":\"1\",\"externalLogin\":\"nora\",\"eMailAddress\":"   \
    "\"nora@a.test\"}"

static void users_read_themselves_and_each_other(void **unused)
{
    static const char *const nora[] = {"/users", "/users/oxe1001", "/users/1001", "/users/nora",
                                       "/users?companyPhone=1001"};
    static const char *const nobody[] = {"/users/oxe4999", "/users/1501",
                                         "/users?companyPhone=1501", "/users?companyPhone="};
    char path[128];
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    for (size_t i = 0; i < COUNT_OF(nora); i++) {
        (void)snprintf(path, sizeof(path), BASE "%s", nora[i]);
        assert_int_equal(ask(&client, "GET", path, NULL), 200);
        assert_string_equal(answer.body, NORA);
    }
    for (size_t i = 0; i < COUNT_OF(nobody); i++) {
        (void)snprintf(path, sizeof(path), BASE "%s", nobody[i]);
        assert_int_equal(ask(&client, "GET", path, NULL), 404);
        assert_non_null(strstr(answer.body, "no such user"));
    }
    assert_int_equal(ask(&client, "GET", BASE "/users/1002", NULL), 200);
    assert_non_null(strstr(answer.body, "\"loginName\":\"oxe1002\""));
    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&client);
}

static void logins_are_all_for_administrators_and_the_own_for_users(void **unused)
{
    static const struct {
        const char *query, *logins;
    } rows[] = {
        {"", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\",\"oxe1004\"]}"},
        {"?nodeIds=1", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\",\"oxe1004\"]}"},
        {"?nodeIds=7;1", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\",\"oxe1004\"]}"},
        {"?nodeIds=7%3B8", "{\"loginNames\":[]}"},
        {"?onlyWithExtLogin", "{\"loginNames\":[\"oxe1001\"]}"},
        {"?onlyWithExtLogin=false&nodeIds=2", "{\"loginNames\":[]}"},
        {"?onlyACD", "{\"loginNames\":[]}"},
    };
    char path[128];
    (void)unused;
    harness_open_session(&harness, &admin);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(path, sizeof(path), BASE "/logins%s", rows[i].query);
        assert_int_equal(ask(&admin, "GET", path, NULL), 200);
        assert_string_equal(answer.body, rows[i].logins);
    }
    assert_int_equal(ask(&admin, "GET", BASE "/logins?nodeIds=one", NULL), 400);
    assert_int_equal(ask(&admin, "GET", BASE "/logins?nodeIds=", NULL), 400);
    assert_int_equal(ask(&admin, "GET", BASE "/users", NULL), 400);
    assert_non_null(strstr(answer.body, "companyPhone"));
    https_client_close(&admin);

    subscribers_open_session(&harness, &client, "oxe1002", "5678");
    assert_int_equal(ask(&client, "GET", BASE "/logins?onlyWithExtLogin", NULL), 200);
    assert_string_equal(answer.body, "{\"loginNames\":[\"oxe1002\"]}");
    https_client_close(&client);
}

static void a_user_chooses_a_language_and_it_lasts(void **unused)
{
    static const char *const wrong[] = {"{\"guiLanguage\":\"tlh\"}", "{}",
                                        "{\"guiLanguage\":\"sv\",\"oxeLanguage\":\"en\"}"};
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    assert_int_equal(ask(&client, "GET", BASE "/users/1001/preferences", NULL), 200);
    assert_string_equal(answer.body, "{}");
    assert_int_equal(
        ask(&client, "GET", BASE "/users/oxe1001/preferences/supportedLanguages", NULL), 200);
    assert_non_null(strstr(answer.body, "\"sv\""));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(ask(&client, "PUT", BASE "/users/1001/preferences", wrong[i]), 400);
        assert_non_null(strstr(answer.body, "\"userPreferencesError\":\"WRONG_VALUE\""));
        assert_non_null(strstr(answer.body, "\"userPreferencesErrorTypeDTO\":\"WRONG_VALUE\""));
    }
    assert_int_equal(
        ask(&client, "PUT", BASE "/users/1001/preferences", "{\"guiLanguage\":\"sv\"}"), 204);
    assert_int_equal(
        ask(&client, "PUT", BASE "/users/1002/preferences", "{\"guiLanguage\":\"sv\"}"), 403);
    assert_int_equal(ask(&client, "GET", BASE "/users/1002/preferences", NULL), 403);
    harness_stop(&harness, SIGKILL);
    https_client_close(&client);
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", BASE "/users/1001/preferences", NULL), 200);
    assert_string_equal(answer.body, "{\"guiLanguage\":\"sv\"}");
    https_client_close(&client);
}

static void only_administrators_manage_users(void **unused)
{
    static const char *const rows[][2] = {
        {"GET", ""}, {"POST", ""}, {"GET", "/oxe1001"}, {"DELETE", "/oxe1001"}};
    char path[128];
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(path, sizeof(path), BASE "/usermanagement%s", rows[i][1]);
        assert_int_equal(ask(&client, rows[i][0], path, NULL), 403);
    }
    https_client_close(&client);
    harness_log_in(&harness, &admin, TEST_LOGIN);
    assert_int_equal(ask(&admin, "POST", SESSIONS,
                         "{\"applicationName\":\"x\",\"supervisedAccount\":"
                         "{\"type\":\"LOGIN_NAME\",\"id\":\"1001\"}}"),
                     200);
    assert_int_equal(ask(&admin, "GET", BASE "/usermanagement", NULL), 403);
    assert_int_equal(ask(&admin, "GET", BASE "/logins", NULL), 200);
    assert_string_equal(answer.body, "{\"loginNames\":[\"oxe1001\"]}");
    https_client_close(&admin);
}

static void users_are_managed_by_node_device_and_login(void **unused)
{
    static const struct {
        const char *query, *logins;
    } rows[] = {
        {"", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\",\"oxe1004\"]}"},
        {"?nodeIds=2", "{\"loginNames\":[]}"},
        {"?deviceNumber=1501", "{\"loginNames\":[\"oxe1001\"]}"},
        {"?deviceNumber=4999", "{\"loginNames\":[]}"},
    };
    static const struct {
        const char *body;
        int status;
        const char *place;
    } wrong[] = {
        {"{\"nodeId\":\"one\",\"all\":true}", 400, "nodeId"},
        {"{\"nodeId\":1.5,\"all\":true}", 400, "nodeId"},
        {"{\"all\":true}", 400, "nodeId"},
        {"{\"nodeId\":1}", 400, "deviceNumbers"},
        {"{\"nodeId\":1,\"deviceNumbers\":[]}", 400, "deviceNumbers"},
        {"{\"nodeId\":1,\"all\":true,\"deviceNumbers\":[\"1\"]}", 400, "deviceNumbers"},
        {"{\"nodeId\":77,\"all\":true}", 404, "there is no node 77"},
    };
    char path[128];
    (void)unused;
    harness_open_session(&harness, &admin);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(path, sizeof(path), BASE "/usermanagement%s", rows[i].query);
        assert_int_equal(ask(&admin, "GET", path, NULL), 200);
        assert_string_equal(answer.body, rows[i].logins);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(ask(&admin, "POST", BASE "/usermanagement", wrong[i].body),
                         wrong[i].status);
        assert_non_null(strstr(answer.body, wrong[i].place));
    }
    assert_int_equal(ask(&admin, "GET", BASE "/usermanagement/1001", NULL), 200);
    assert_string_equal(answer.body, NORA);
    assert_int_equal(ask(&admin, "GET", BASE "/usermanagement/4999", NULL), 404);
    https_client_close(&admin);
}

static void a_deleted_user_is_told_of_and_loses_his_session(void **unused)
{
    char id[64], path[256], line[1024];
    static struct https_client listener;
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1004", "4444");
    harness_open_session(&harness, &admin);
    assert_int_equal(ask(&admin, "POST", BASE "/subscriptions",
                         "{\"filter\":{\"selectors\":[{\"names\":[\"userManagement\"]}]},"
                         "\"version\":\"1.0\"}"),
                     200);
    harness_text(&answer, "subscriptionId", id, sizeof(id));
    (void)snprintf(path, sizeof(path), BASE "/events?subscriptionId=%s", id);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/1004", NULL), 204);
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    assert_string_equal(line, "{\"eventName\":\"OnUserDeleted\",\"loginName\":\"oxe1004\"}");
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/1004", NULL), 404);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 401);
    https_client_close(&listener);
    https_client_close(&client);
    assert_int_equal(log_in_from(&client, "127.0.3.7", "oxe1004", "4444"), 401);
    https_client_close(&client);
    harness_stop(&harness, SIGKILL);
    https_client_close(&admin);
    harness_start(&harness);
    assert_int_equal(ask(&admin, "GET", BASE "/users/1004", NULL), 404);
    https_client_close(&admin);
}

static void without_the_database_nothing_is_changed_and_the_answer_is_503(void **unused)
{
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    harness_open_session(&harness, &admin);
    pg_server_crash(harness.pg);
    while (ask(&client, "PUT", BASE "/users/1001/preferences", "{\"guiLanguage\":\"fr\"}") == 204)
        (void)usleep(10000);
    assert_int_equal(answer.status, 503);
    assert_int_equal(ask(&client, "GET", BASE "/users/1001", NULL), 200);
    assert_int_equal(ask(&client, "PUT", BASE "/users/1001/password",
                         "{\"oldPassword\":\"1234\",\"newPassword\":\"4321\"}"),
                     503);
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/1001", NULL), 503);
    assert_int_equal(ask(&admin, "GET", BASE "/users/4999", NULL), 503);
    assert_int_equal(pg_server_start(harness.pg), 0);
    uint64_t deadline_ms = common_boot_ms() + 10000;
    while (ask(&client, "PUT", BASE "/users/1001/preferences", "{\"guiLanguage\":\"fr\"}") == 503 &&
           common_boot_ms() < deadline_ms)
        (void)usleep(20000);
    assert_int_equal(answer.status, 204);
    https_client_close(&client);
    https_client_close(&admin);
    assert_int_equal(log_in_from(&client, "127.0.3.8", "oxe1001", "1234"), 200);
    https_client_close(&client);
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
        cmocka_unit_test(users_read_themselves_and_each_other),
        cmocka_unit_test(logins_are_all_for_administrators_and_the_own_for_users),
        cmocka_unit_test(a_user_chooses_a_language_and_it_lasts),
        cmocka_unit_test(only_administrators_manage_users),
        cmocka_unit_test(users_are_managed_by_node_device_and_login),
        cmocka_unit_test(a_deleted_user_is_told_of_and_loses_his_session),
        cmocka_unit_test(without_the_database_nothing_is_changed_and_the_answer_is_503),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
