/* Users as clients see them: logins, sessions for others, passwords, the services of users. The
 * subscribers stand in the database before the gateway starts, as after a takeover. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <pthread.h>
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
    char basic[512];
    https_client_init(guest, harness.port);
    (void)snprintf(guest->address, sizeof(guest->address), "%s", address);
    harness_basic(login, password, basic, sizeof(basic));
    guest->authorization = basic;
    int status = ask(guest, "GET", "/api/rest/authenticate?version=1.0", NULL);
    guest->authorization = NULL;
    harness_text(&answer, "credential", guest->cookie, sizeof(guest->cookie));
    return status;
}

static int log_in(struct https_client *guest, const char *login, const char *password)
{
    return log_in_from(guest, "127.0.0.1", login, password);
}

/* Of a user, with the session open. */
static void open_as(struct https_client *guest, const char *login, const char *password)
{
    assert_int_equal(log_in(guest, login, password), 200);
    assert_int_equal(ask(guest, "POST", SESSIONS, DESK), 200);
}

static void run_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run_sql(const char *format, ...)
{
    char sql[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    assert_int_equal(pg_server_run(harness.pg, sql, NULL, 0), 0);
}

static void add_password(const char *login, const char *password)
{
    char hash[SECRETS_HASH_CHARS];
    assert_int_equal(secrets_password_hash(password, hash, NULL), 0);
    run_sql("INSERT INTO subscriber_password (login, hash) VALUES ('%s', '%s')", login, hash);
}

static void add_subscriber(const char *number, const char *first, const char *last)
{
    run_sql("INSERT INTO subscriber (login, node, number, first_name, last_name, devices) VALUES"
            " ('oxe%s', '1', '%s', '%s', '%s', '[{\"id\":\"%s\",\"type\":\"DESKPHONE\","
            "\"subType\":\"NOE\"}]')",
            number, number, first, last, number);
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
    open_as(&client, "oxe1001", "1234");
    open_as(&other, "oxe1004", "4444");
    harness_stop(&harness, SIGTERM);
    https_client_close(&client);
    https_client_close(&other);
    run_sql("DELETE FROM subscriber WHERE login = 'oxe1004'");
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
    run_sql("INSERT INTO subscriber (login, node, number, first_name, last_name, devices)"
            " SELECT 'oxe' || n, '2', n::text, 'First', 'Last ' || n, json_build_array("
            "json_build_object('id', n::text, 'type', 'DESKPHONE', 'subType', 'NOE'))"
            " FROM generate_series(20000, 39999) AS n");
    uint64_t begin_ms = common_boot_ms();
    harness_start(&harness);
    print_message("start with 20 000 users: %u ms\n", (unsigned)(common_boot_ms() - begin_ms));
    AUTO(common_freep) char *log = harness_read_file(harness.log);
    assert_non_null(strstr(log, "loaded: 20002 users"));
    run_sql("DELETE FROM subscriber WHERE node = '2'");
}

/* --- services ----------------------------------------------------------------------------------
 */

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
    open_as(&client, "oxe1001", "1234");
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
        {"", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\"]}"},
        {"?nodeIds=1", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\"]}"},
        {"?nodeIds=7;1", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\"]}"},
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

    open_as(&client, "oxe1002", "5678");
    assert_int_equal(ask(&client, "GET", BASE "/logins?onlyWithExtLogin", NULL), 200);
    assert_string_equal(answer.body, "{\"loginNames\":[\"oxe1002\"]}");
    https_client_close(&client);
}

static void a_user_chooses_a_language_and_it_lasts(void **unused)
{
    static const char *const wrong[] = {"{\"guiLanguage\":\"tlh\"}", "{}",
                                        "{\"guiLanguage\":\"sv\",\"oxeLanguage\":\"en\"}"};
    (void)unused;
    open_as(&client, "oxe1001", "1234");
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

static void a_changed_password_ends_other_sessions_and_outlives_a_crash(void **unused)
{
    (void)unused;
    open_as(&client, "oxe1002", "5678");
    open_as(&other, "1002", "5678");
    assert_int_equal(ask(&client, "PUT", BASE "/users/oxe1002/password",
                         "{\"oldPassword\":\"5678\",\"newPassword\":\"8765\"}"),
                     204);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 200);
    assert_int_equal(ask(&other, "GET", SESSIONS, NULL), 401);
    https_client_close(&other);
    harness_stop(&harness, SIGKILL);
    https_client_close(&client);
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 200);
    assert_int_equal(ask(&other, "GET", SESSIONS, NULL), 401);
    https_client_close(&client);
    https_client_close(&other);
    assert_int_equal(log_in_from(&other, "127.0.3.4", "oxe1002", "5678"), 401);
    https_client_close(&other);
    assert_int_equal(log_in_from(&other, "127.0.3.4", "oxe1002", "8765"), 200);
    https_client_close(&other);
}

static void an_administrator_sets_a_password_without_the_old_one(void **unused)
{
    (void)unused;
    harness_open_session(&harness, &admin);
    assert_int_equal(
        ask(&admin, "PUT", BASE "/users/1003/password", "{\"newPassword\":\"p\u00e5ss\"}"), 204);
    open_as(&client, "oxe1003", "p\xc3\xa5ss");
    assert_int_equal(ask(&admin, "PUT", BASE "/users/1003/password",
                         "{\"oldPassword\":\"anything\",\"newPassword\":\"other\"}"),
                     204);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 401);
    assert_int_equal(ask(&admin, "GET", SESSIONS, NULL), 200);
    assert_int_equal(ask(&admin, "PUT", BASE "/users/4999/password", "{\"newPassword\":\"other\"}"),
                     404);
    https_client_close(&client);
    https_client_close(&admin);
}

static void a_password_is_not_changed_by_guessing(void **unused)
{
    static const struct {
        const char *path, *body;
        int status;
    } rows[] = {
        {"/users/1001/password", "{\"oldPassword\":\"1234\",\"newPassword\":\"123\"}", 400},
        {"/users/1001/password",
         "{\"oldPassword\":\"1234\",\"newPassword\":\"\u00e9\u00e9\u00e9\"}", 400},
        {"/users/1001/password",
         "{\"oldPassword\":\"1234\",\"newPassword\":\"0123456789012345678901234567890123456789"
         "0123456789012345678901234\"}",
         400},
        {"/users/1001/password", "{\"newPassword\":\"4321\"}", 400},
        {"/users/1001/password", "{\"oldPassword\":\"1234\"}", 400},
        {"/users/1002/password", "{\"oldPassword\":\"8765\",\"newPassword\":\"4321\"}", 403},
        {"/users/1001/password", "{\"oldPassword\":\"0000\",\"newPassword\":\"4321\"}", 403},
        {"/users/1001/password", "{\"oldPassword\":\"0001\",\"newPassword\":\"4321\"}", 403},
        {"/users/1001/password", "{\"oldPassword\":\"0002\",\"newPassword\":\"4321\"}", 403},
        {"/users/1001/password", "{\"oldPassword\":\"0003\",\"newPassword\":\"4321\"}", 403},
        {"/users/1001/password", "{\"oldPassword\":\"0004\",\"newPassword\":\"4321\"}", 403},
    };
    char path[128];
    (void)unused;
    assert_int_equal(log_in_from(&client, "127.0.3.5", "oxe1001", "1234"), 200);
    assert_int_equal(ask(&client, "POST", SESSIONS, DESK), 200);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(path, sizeof(path), BASE "%s", rows[i].path);
        assert_int_equal(ask(&client, "PUT", path, rows[i].body), rows[i].status);
        assert_null(strcasestr(answer.head, "Retry-After:"));
    }
    /* the fifth wrong one has begun a delay, for the right one too */
    assert_int_equal(ask(&client, "PUT", BASE "/users/1001/password",
                         "{\"oldPassword\":\"1234\",\"newPassword\":\"4321\"}"),
                     403);
    assert_non_null(strcasestr(answer.head, "Retry-After:"));
    https_client_close(&client);
    assert_int_equal(log_in_from(&client, "127.0.3.6", "oxe1001", "1234"), 200);
    https_client_close(&client);
}

static void only_administrators_manage_users(void **unused)
{
    static const char *const rows[][2] = {
        {"GET", ""}, {"POST", ""}, {"GET", "/oxe1001"}, {"DELETE", "/oxe1001"}};
    char path[128];
    (void)unused;
    open_as(&client, "oxe1001", "1234");
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
        {"", "{\"loginNames\":[\"oxe1001\",\"oxe1002\",\"oxe1003\"]}"},
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
    open_as(&client, "oxe1003", "other");
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
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/1003", NULL), 204);
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    assert_string_equal(line, "{\"eventName\":\"OnUserDeleted\",\"loginName\":\"oxe1003\"}");
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/1003", NULL), 404);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 401);
    https_client_close(&listener);
    https_client_close(&client);
    assert_int_equal(log_in_from(&client, "127.0.3.7", "oxe1003", "other"), 401);
    https_client_close(&client);
    harness_stop(&harness, SIGKILL);
    https_client_close(&admin);
    harness_start(&harness);
    assert_int_equal(ask(&admin, "GET", BASE "/users/1003", NULL), 404);
    https_client_close(&admin);
}

static void without_the_database_nothing_is_changed_and_the_answer_is_503(void **unused)
{
    (void)unused;
    open_as(&client, "oxe1001", "1234");
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

/* A request on a thread of its own: its answer waits for a database that stands still. */
struct errand {
    pthread_t thread;
    struct https_client client;
    const char *method, *path, *body;
    struct answer answer;
};

static void *run_errand(void *context)
{
    struct errand *errand = context;
    (void)https_client_ask(&errand->client, errand->method, errand->path, errand->body,
                           &errand->answer);
    return NULL;
}

static void begin_errand(struct errand *errand)
{
    assert_int_equal(pthread_create(&errand->thread, NULL, run_errand, errand), 0);
    (void)usleep(700000); /* hashed or checked, and sent to the database */
}

static int end_errand(struct errand *errand)
{
    assert_int_equal(pthread_join(errand->thread, NULL), 0);
    https_client_close(&errand->client);
    return errand->answer.status;
}

static void a_login_with_the_old_password_loses_against_its_change(void **unused)
{
    static struct errand change = {
        .method = "PUT", .path = BASE "/users/1002/password", .body = "{\"newPassword\":\"new!\"}"};
    static struct errand login = {.method = "GET", .path = "/api/rest/authenticate?version=1.0"};
    char basic[512], count[16] = "";
    (void)unused;
    harness_open_session(&harness, &change.client);
    https_client_init(&login.client, harness.port);
    harness_basic("oxe1002", "8765", basic, sizeof(basic));
    login.client.authorization = basic;
    pg_server_pause(harness.pg);
    begin_errand(&change);
    begin_errand(&login);
    pg_server_resume(harness.pg);
    assert_int_equal(end_errand(&change), 204);
    assert_int_equal(end_errand(&login), 401);
    for (int i = 0; i < 100 && strcmp(count, "0") != 0; i++) {
        (void)usleep(20000);
        assert_int_equal(pg_server_run(harness.pg,
                                       "SELECT count(*) FROM credential WHERE login = 'oxe1002'",
                                       count, sizeof(count)),
                         0);
    }
    assert_string_equal(count, "0");
}

static int open_all(void **unused)
{
    (void)unused;
    harness_open(&harness, "");
    harness_start(&harness); /* makes the tables */
    harness_stop(&harness, SIGTERM);
    add_subscriber("1001", "Nora", "Lindqvist");
    add_subscriber("1002", "Olof", "Ek");
    add_subscriber("1003", "Pia", "");
    add_subscriber("1004", "Sten", "Falk");
    run_sql("UPDATE subscriber SET external_login = 'nora', mail = 'nora@a.test', devices ="
            " '[{\"id\":\"1001\",\"type\":\"DESKPHONE\",\"subType\":\"NOE\"},"
            "{\"id\":\"1501\",\"type\":\"MOBILE\"}]' WHERE login = 'oxe1001'");
    add_password("oxe1001", "1234");
    add_password("oxe1002", "5678");
    add_password("oxe1004", "4444");
    harness_start(&harness);
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
        cmocka_unit_test(an_administrator_acts_for_a_user),
        cmocka_unit_test(nobody_acts_for_a_stranger_and_users_for_nobody),
        cmocka_unit_test(a_restart_keeps_users_sessions_and_drops_those_without_user),
        cmocka_unit_test(users_read_themselves_and_each_other),
        cmocka_unit_test(logins_are_all_for_administrators_and_the_own_for_users),
        cmocka_unit_test(a_user_chooses_a_language_and_it_lasts),
        cmocka_unit_test(a_changed_password_ends_other_sessions_and_outlives_a_crash),
        cmocka_unit_test(an_administrator_sets_a_password_without_the_old_one),
        cmocka_unit_test(a_password_is_not_changed_by_guessing),
        cmocka_unit_test(only_administrators_manage_users),
        cmocka_unit_test(users_are_managed_by_node_device_and_login),
        cmocka_unit_test(a_deleted_user_is_told_of_and_loses_his_session),
        cmocka_unit_test(without_the_database_nothing_is_changed_and_the_answer_is_503),
        cmocka_unit_test(a_login_with_the_old_password_loses_against_its_change),
        cmocka_unit_test(twenty_thousand_users_load_quickly),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
