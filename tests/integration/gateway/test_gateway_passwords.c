/* Passwords of users: who may change them, and what ends with that. */
#include "tests/integration/gateway/subscribers.h"

#include "lib/common/common.h"

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
    https_client_init(guest, harness.port);
    (void)snprintf(guest->address, sizeof(guest->address), "%s", address);
    return subscribers_log_in(guest, login, password, &answer);
}

static void a_changed_password_ends_other_sessions_and_outlives_a_crash(void **unused)
{
    (void)unused;
    subscribers_open_session(&harness, &client, "oxe1002", "5678");
    subscribers_open_session(&harness, &other, "1002", "5678");
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
    subscribers_open_session(&harness, &client, "oxe1003", "p\xc3\xa5ss");
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
        cmocka_unit_test(a_changed_password_ends_other_sessions_and_outlives_a_crash),
        cmocka_unit_test(an_administrator_sets_a_password_without_the_old_one),
        cmocka_unit_test(a_password_is_not_changed_by_guessing),
        cmocka_unit_test(a_login_with_the_old_password_loses_against_its_change),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
