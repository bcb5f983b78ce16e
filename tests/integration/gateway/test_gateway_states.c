/* With what an event channel begins: the present states of the users whom it is about. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY_USERS = 20000, WAIT_MS = 5000 };

static struct harness harness;
static struct https_client admin, user, listener;
static struct answer answer;
static char line[8192];

#define BASE    "/api/rest/1.0"
#define STARTED "{\"eventName\":\"OnChannelInformation\",\"text\":\"Chunk started\"}"

/* Users first … last of node 1, each with one telephone. */
static void add_subscribers(unsigned first, unsigned last)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO subscriber (login, node, number, first_name, last_name, devices)"
                   " SELECT 'oxe' || n, '1', n, '', 'Ek', ('[{\"id\":\"' || n ||"
                   " '\",\"type\":\"DESKPHONE\"}]')::jsonb FROM generate_series(%u, %u) AS n",
                   first, last);
    assert_int_equal(pg_server_run(harness.pg, sql, NULL, 0), 0);
}

static void add_password(const char *login, const char *password)
{
    char hash[SECRETS_HASH_CHARS], sql[512];
    assert_int_equal(secrets_password_hash(password, hash, NULL), 0);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO subscriber_password (login, hash) VALUES ('%s', '%s')", login,
                   hash);
    assert_int_equal(pg_server_run(harness.pg, sql, NULL, 0), 0);
}

/* The path of the new subscription's channel. */
static void subscribe(struct https_client *client, const char *selector, char path[128])
{
    char body[256], id[64];
    (void)snprintf(body, sizeof(body),
                   "{\"filter\":{\"selectors\":[{%s}]},\"version\":\"1.0\",\"timeout\":10}",
                   selector);
    assert_true(https_client_ask(client, "POST", BASE "/subscriptions", body, &answer));
    harness_text(&answer, "subscriptionId", id, sizeof(id));
    assert_string_not_equal(id, "");
    (void)snprintf(path, 128, BASE "/events?subscriptionId=%s", id);
}

static void listen_at(const char *path)
{
    https_client_close(&listener);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(https_client_line(&listener, line, sizeof(line), WAIT_MS));
    assert_string_equal(line, STARTED);
}

/* The next two lines are the states of this user, whose telephone nobody has asked about yet. */
static void assert_states_of(const char *number)
{
    char expected[256];
    assert_true(https_client_line(&listener, line, sizeof(line), WAIT_MS));
    (void)snprintf(
        expected, sizeof(expected),
        "{\"eventName\":\"OnDeviceStateModified\",\"loginName\":\"oxe%s\",\"deviceStates\":"
        "[{\"deviceId\":\"%s\",\"state\":\"UNKNOWN\"}]}",
        number, number);
    assert_string_equal(line, expected);
    assert_true(https_client_line(&listener, line, sizeof(line), WAIT_MS));
    (void)snprintf(expected, sizeof(expected),
                   "{\"eventName\":\"OnUserStateModified\",\"loginName\":\"oxe%s\","
                   "\"state\":\"UNKNOWN\"}",
                   number);
    assert_string_equal(line, expected);
}

static void assert_nothing_but_keepalive(void)
{
    assert_true(https_client_line(&listener, line, sizeof(line), WAIT_MS));
    assert_non_null(strstr(line, "keepalive"));
}

static void the_listed_users_are_told_at_each_opening(void **unused)
{
    char path[128];
    (void)unused;
    subscribe(&admin, "\"names\":[\"telephony\"],\"ids\":[\"oxe1002\",\"oxe1001\",\"oxe9\"]", path);
    for (int opening = 0; opening < 3; opening++) {
        listen_at(path);
        assert_states_of("1001");
        assert_states_of("1002");
        assert_nothing_but_keepalive();
    }
}

static void a_user_is_told_of_himself(void **unused)
{
    char path[128], basic[256];
    (void)unused;
    https_client_init(&user, harness.port);
    harness_basic("1003", "1234", basic, sizeof(basic));
    user.authorization = basic;
    assert_true(
        https_client_ask(&user, "GET", "/api/rest/authenticate?version=1.0", NULL, &answer));
    assert_int_equal(answer.status, 200);
    harness_text(&answer, "credential", user.cookie, sizeof(user.cookie));
    user.authorization = NULL;
    assert_true(https_client_ask(&user, "POST", BASE "/sessions", "{\"applicationName\":\"desk\"}",
                                 &answer));
    subscribe(&user, "\"names\":[\"telephony\",\"user\"],\"ids\":[\"*\"]", path);
    listen_at(path);
    assert_states_of("1003");
    assert_nothing_but_keepalive();
    https_client_close(&user);
}

static void other_packages_begin_without_states(void **unused)
{
    char path[128];
    (void)unused;
    subscribe(&admin, "\"names\":[\"user\",\"system\"]", path);
    listen_at(path);
    assert_nothing_but_keepalive();
}

/* More than a queue could hold; while they are read, others are answered. */
static void all_of_many_users_are_told_once(void **unused)
{
    static bool told[1004 + MANY_USERS + 1];
    char path[128];
    unsigned number = 0, lines = 0;
    (void)unused;
    subscribe(&admin, "\"names\":[\"telephony\"]", path);
    listen_at(path);
    while (lines < 2 * (3 + MANY_USERS)) {
        assert_true(https_client_line(&listener, line, sizeof(line), WAIT_MS));
        const char *login = strstr(line, "\"loginName\":\"oxe");
        if (login == NULL) {
            assert_non_null(strstr(line, "keepalive"));
            continue;
        }
        unsigned long n = strtoul(login + strlen("\"loginName\":\"oxe"), NULL, 10);
        assert_true(n >= 1001 && n < COUNT_OF(told));
        bool is_device = strstr(line, "OnDeviceStateModified") != NULL;
        assert_true(is_device != (number == n)); /* the device's line first, then the user's */
        assert_true(is_device != told[n]);
        number = (unsigned)n;
        told[n] = true;
        if (lines++ == 1000) {
            assert_true(
                https_client_ask(&admin, "POST", BASE "/sessions/keepalive", NULL, &answer));
            assert_int_equal(answer.status, 204);
        }
    }
    assert_nothing_but_keepalive();
    https_client_close(&listener);
}

static int open_all(void **unused)
{
    (void)unused;
    harness_open(&harness, ",\"channel_heartbeat_s\":1");
    harness_start(&harness); /* makes the tables */
    (void)harness_stop(&harness, SIGTERM);
    add_subscribers(1001, 1003);
    add_password("oxe1003", "1234");
    harness_start(&harness);
    harness_open_session(&harness, &admin);
    https_client_init(&listener, harness.port);
    return 0;
}

static int add_many(void **unused)
{
    (void)unused;
    https_client_close(&admin);
    https_client_close(&listener);
    (void)harness_stop(&harness, SIGTERM);
    add_subscribers(1004, 1003 + MANY_USERS);
    harness_start(&harness);
    harness_open_session(&harness, &admin);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    https_client_close(&admin);
    https_client_close(&listener);
    harness_close(&harness);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_listed_users_are_told_at_each_opening),
        cmocka_unit_test(a_user_is_told_of_himself),
        cmocka_unit_test(other_packages_begin_without_states),
        cmocka_unit_test_setup(all_of_many_users_are_told_once, add_many),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
