/* Users follow the telephone system: a real gateway, a real database, and the simulator as PBX,
 * over its wire. */
#include "tests/integration/gateway/subscribers.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "tests/support/simulator_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, READING_S = 5 };

static struct harness harness;
static struct simulator_server pbx;
static struct https_client admin, client, admin_ear, client_ear;
static struct answer answer;

#define BASE     "/api/rest/1.0"
#define SESSIONS BASE "/sessions"

static int ask(struct https_client *asker, const char *method, const char *path, const char *body)
{
    assert_true(https_client_ask(asker, method, path, body, &answer));
    return answer.status;
}

/* Asks until the answer's body has the text. */
static void wait_for(struct https_client *asker, const char *path, const char *text)
{
    uint64_t deadline_ms = common_boot_ms() + PATIENCE_MS;
    while ((ask(asker, "GET", path, NULL) != 200 || strstr(answer.body, text) == NULL) &&
           common_boot_ms() < deadline_ms)
        (void)usleep(50000);
    assert_non_null(strstr(answer.body, text));
}

static void listen_to(struct https_client *owner, struct https_client *ear, const char *packages)
{
    char body[256], id[64], path[256], line[256];
    (void)snprintf(body, sizeof(body),
                   "{\"filter\":{\"selectors\":[{\"names\":[%s]}]},\"version\":\"1.0\"}", packages);
    assert_int_equal(ask(owner, "POST", BASE "/subscriptions", body), 200);
    harness_text(&answer, "subscriptionId", id, sizeof(id));
    (void)snprintf(path, sizeof(path), BASE "/events?subscriptionId=%s", id);
    https_client_init(ear, harness.port);
    assert_true(https_client_stream(ear, "GET", path, &answer));
    assert_true(https_client_line(ear, line, sizeof(line), 2000));
    assert_non_null(strstr(line, "Chunk started"));
}

/* The next line that is no heartbeat. */
static void expect_line(struct https_client *ear, const char *expected)
{
    char line[2048];
    do {
        assert_true(https_client_line(ear, line, sizeof(line), PATIENCE_MS));
    } while (strstr(line, "\"keepalive\"") != NULL);
    assert_string_equal(line, expected);
}

/* The user in the event is the one in the last answer. */
static void expect_changed(struct https_client *ear, const char *login)
{
    struct buf line = {0};
    buf_addf(&line, "{\"eventName\":\"OnUserInfoChanged\",\"loginName\":\"%s\",\"user\":%s}", login,
             answer.body);
    expect_line(ear, line.data);
    buf_done(&line);
}

#define VERA                                                                                       \
    "{\"companyPhone\":\"2001\",\"firstName\":\"Vera\",\"lastName\":\"Holm Lind\","                \
    "\"loginName\":\"oxe2001\",\"devices\":[{\"type\":\"DECT\",\"id\":\"2001\",\"subType\":"       \
    "\"DECT\"}],\"nodeId\":\"1\"}"
#define CREATED(user)  "{\"eventName\":\"OnUserCreated\",\"user\":" user "}"
#define DELETED(login) "{\"eventName\":\"OnUserDeleted\",\"loginName\":\"" login "\"}"

static void the_stations_of_the_pbx_are_users(void **unused)
{
    (void)unused;
    harness_open_session(&harness, &admin);
    wait_for(&admin, BASE "/logins", "\"oxe1020\"");
    assert_null(strstr(answer.body, "oxe1021"));
    assert_int_equal(ask(&admin, "GET", BASE "/users/1001", NULL), 200);
    assert_non_null(strstr(answer.body, "\"nodeId\":\"1\""));
    assert_int_equal(ask(&admin, "PUT", BASE "/users/1001/password", "{\"newPassword\":\"1234\"}"),
                     204);
    assert_int_equal(ask(&admin, "PUT", BASE "/users/1019/password", "{\"newPassword\":\"4321\"}"),
                     204);
}

static void what_changes_at_the_pbx_is_told_to_those_who_may_hear_it(void **unused)
{
    static struct https_client leaving;
    (void)unused;
    listen_to(&admin, &admin_ear, "\"user\",\"userManagement\"");
    subscribers_open_session(&harness, &client, "oxe1001", "1234");
    subscribers_open_session(&harness, &leaving, "oxe1019", "4321");
    listen_to(&client, &client_ear, "\"user\"");
    simulator_server_do(&pbx, "PUT", "/phones/1002", "{\"name\":\"Olof Lund\"}");
    wait_for(&admin, BASE "/users/1002", "\"lastName\":\"Lund\"");
    expect_changed(&admin_ear, "oxe1002"); /* and not to the client */

    simulator_server_do(&pbx, "DELETE", "/phones/1019", NULL);
    simulator_server_do(&pbx, "PUT", "/phones/1001", "{\"name\":\"Nora van Dam\"}");
    simulator_server_do(&pbx, "POST", "/phones",
                        "{\"number\":\"2001\",\"name\":\"Vera Holm Lind\",\"model\":\"DECT\"}");

    expect_line(&admin_ear, DELETED("oxe1019"));
    assert_int_equal(ask(&leaving, "GET", SESSIONS, NULL), 401);
    wait_for(&admin, BASE "/users/1001", "\"lastName\":\"van Dam\"");
    expect_changed(&admin_ear, "oxe1001");
    expect_changed(&client_ear, "oxe1001");
    expect_line(&admin_ear, CREATED(VERA));
    assert_int_equal(ask(&client, "GET", BASE "/users?companyPhone=2001", NULL), 200);
    assert_string_equal(answer.body, VERA);
    https_client_close(&leaving);
}

static void who_was_removed_comes_back_when_an_administrator_wants_it(void **unused)
{
    (void)unused;
    assert_int_equal(ask(&admin, "DELETE", BASE "/usermanagement/oxe2001", NULL), 204);
    expect_line(&admin_ear, DELETED("oxe2001"));
    (void)sleep(READING_S + 1); /* one reading that would make him a user */
    assert_int_equal(ask(&admin, "GET", BASE "/users/2001", NULL), 404);
    assert_int_equal(ask(&admin, "POST", BASE "/usermanagement",
                         "{\"nodeId\":1,\"deviceNumbers\":[\"2001\",\"9999\"]}"),
                     404);
    assert_non_null(strstr(answer.body, "\"innerMessage\":\"9999\""));
    assert_int_equal(ask(&admin, "POST", BASE "/usermanagement",
                         "{\"nodeId\":\"1\",\"deviceNumbers\":[\"2001\"]}"),
                     201);
    assert_string_equal(answer.body, "{\"users\":[" VERA "]}");
    expect_line(&admin_ear, CREATED(VERA));
    assert_int_equal(ask(&admin, "POST", BASE "/usermanagement", "{\"nodeId\":\"1\",\"all\":true}"),
                     201);
    assert_string_equal(answer.body, "{\"users\":[]}");
}

static void without_the_pbx_users_stay_through_a_restart(void **unused)
{
    (void)unused;
    https_client_close(&admin_ear);
    https_client_close(&client_ear);
    assert_int_equal(simulator_server_stop(&pbx), 0);
    (void)harness_stop(&harness, SIGKILL);
    https_client_close(&admin);
    https_client_close(&client);
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", BASE "/users", NULL), 200);
    assert_non_null(strstr(answer.body, "\"lastName\":\"van Dam\""));
    assert_int_equal(ask(&admin, "GET", BASE "/users/2001", NULL), 200);
    assert_int_equal(ask(&admin, "POST", BASE "/usermanagement", "{\"nodeId\":\"1\",\"all\":true}"),
                     503);
    assert_non_null(strstr(answer.body, "the directory of node 1 has not been read yet"));
    assert_non_null(strstr(answer.body, "\"canRetry\":true"));
    https_client_close(&admin);
    https_client_close(&client);
}

static int open_all(void **unused)
{
    static const char *const options[] = {"--users", "20", "--first-number", "1001", NULL};
    char settings[256];
    (void)unused;
    simulator_server_start(&pbx, options);
    (void)snprintf(settings, sizeof(settings),
                   ",\"pbx\":[{\"node\":\"1\",\"driver\":\"csta-xml\",\"address\":\"127.0.0.1\","
                   "\"port\":%u,\"directory_s\":%d}]",
                   pbx.csta_port, READING_S);
    harness_open(&harness, settings);
    harness_start(&harness);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    harness_close(&harness);
    if (pbx.pid > 0)
        (void)simulator_server_stop(&pbx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stations_of_the_pbx_are_users),
        cmocka_unit_test(what_changes_at_the_pbx_is_told_to_those_who_may_hear_it),
        cmocka_unit_test(who_was_removed_comes_back_when_an_administrator_wants_it),
        cmocka_unit_test(without_the_pbx_users_stay_through_a_restart),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
