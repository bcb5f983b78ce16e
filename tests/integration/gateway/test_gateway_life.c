/* The life of sessions, subscriptions and channels as a client sees it, over TLS, with a real
 * PostgreSQL, through a restart of the gateway. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/common.h"
#include "lib/common/json.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct harness harness;
static struct https_client client, other, listener;
static struct answer answer;

#define SESSIONS      "/api/rest/1.0/sessions"
#define SUBSCRIPTIONS "/api/rest/1.0/subscriptions"
#define STARTED       "{\"eventName\":\"OnChannelInformation\",\"text\":\"Chunk started\"}"
#define KEEPALIVE     "{\"eventName\":\"OnChannelInformation\",\"text\":\"keepalive\"}"

static int ask(struct https_client *who, const char *method, const char *path, const char *body)
{
    assert_true(https_client_ask(who, method, path, body, &answer));
    return answer.status;
}

static void polling_path(const char *id, char out[256])
{
    (void)snprintf(out, 256, "/api/rest/1.0/events?subscriptionId=%s", id);
}

static void the_root_descriptor_needs_no_credential_and_only_allows_get(void **unused)
{
    (void)unused;
    https_client_init(&client, harness.port);
    assert_int_equal(ask(&client, "GET", "/api/rest", NULL), 200);
    assert_non_null(
        strcasestr(answer.head, "Content-Type: application/json; charset=ISO-8859-1\r\n"));
    assert_non_null(strstr(answer.body, "\"haMode\":false"));
    assert_non_null(strstr(answer.body, "/api/rest/authenticate?version=1.0"));
    assert_non_null(strstr(answer.body, "\"custoFeatures\":[]"));
    assert_int_equal(ask(&client, "GET", "/api//rest/", NULL), 200);
    assert_int_equal(ask(&client, "POST", "/api/rest", NULL), 405);
    assert_int_equal(ask(&client, "DELETE", "/api/rest", NULL), 405);
    assert_int_equal(ask(&client, "GET", "/api/rest/1.0/nothing", NULL), 404);
    https_client_close(&client);
}

static void clear_text_answers_the_root_descriptor_only(void **unused)
{
    (void)unused;
    https_client_init(&client, harness.plain_port);
    client.plain = true;
    assert_int_equal(ask(&client, "GET", "/api/rest", NULL), 200);
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 403);
    assert_int_equal(ask(&client, "GET", "/api/sysstat/health", NULL), 403);
    assert_int_equal(ask(&client, "GET", "/api/rest/1.0/events?subscriptionId=x", NULL), 403);
    https_client_close(&client);
}

static void a_credential_comes_as_cookie_and_in_the_body(void **unused)
{
    char basic[512], expected[192];
    (void)unused;
    https_client_init(&client, harness.port);
    harness_basic(TEST_LOGIN, TEST_PASSWORD, basic, sizeof(basic));
    client.authorization = basic;
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate?version=1.0", NULL), 200);
    char credential[CREDENTIAL_CHARS];
    harness_text(&answer, "credential", credential, sizeof(credential));
    (void)snprintf(expected, sizeof(expected),
                   "Set-Cookie: AlcUserId=%s; Path=/api; HttpOnly; Secure; SameSite=None\r\n",
                   credential);
    assert_non_null(strcasestr(answer.head, expected));
    char url[128], internal[128];
    harness_text(&answer, "publicUrl", url, sizeof(url));
    harness_text(&answer, "internalUrl", internal, sizeof(internal));
    (void)snprintf(expected, sizeof(expected), "https://127.0.0.1:%u" SESSIONS, harness.port);
    assert_string_equal(url, expected);
    (void)snprintf(expected, sizeof(expected), "https://localhost:%u" SESSIONS, harness.port);
    assert_string_equal(internal, expected);
    https_client_close(&client);
}

static void without_a_right_password_the_answer_is_401(void **unused)
{
    char basic[512];
    (void)unused;
    https_client_init(&client, harness.port);
    (void)snprintf(client.address, sizeof(client.address), "127.0.1.1");
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 401);
    assert_non_null(strcasestr(answer.head, "WWW-Authenticate: Basic"));
    harness_basic(TEST_LOGIN, "wrong", basic, sizeof(basic));
    client.authorization = basic;
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 401);
    harness_basic("nobody", TEST_PASSWORD, basic, sizeof(basic));
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 401);
    client.authorization = "Basic %%%";
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 401);
    client.authorization = "Bearer abc";
    assert_int_equal(ask(&client, "GET", "/api/rest/authenticate", NULL), 401);
    https_client_close(&client);
}

static int log_in_from(const char *address, const char *login, const char *password)
{
    char basic[512];
    struct https_client *guest = &other;
    https_client_init(guest, harness.port);
    (void)snprintf(guest->address, sizeof(guest->address), "%s", address);
    harness_basic(login, password, basic, sizeof(basic));
    guest->authorization = basic;
    int status = ask(guest, "GET", "/api/rest/authenticate", NULL);
    https_client_close(guest);
    return status;
}

static void five_wrong_passwords_lock_that_account_at_that_address_only(void **unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++)
        assert_int_equal(log_in_from("127.0.2.1", TEST_LOGIN, "wrong"), 401);
    assert_int_equal(log_in_from("127.0.2.1", TEST_LOGIN, TEST_PASSWORD), 403);
    assert_non_null(strcasestr(answer.head, "Retry-After:"));
    assert_non_null(strstr(answer.body, "\"canRetry\":true"));
    assert_int_equal(log_in_from("127.0.2.1", "second", TEST_PASSWORD), 200);
    assert_int_equal(log_in_from("127.0.2.2", TEST_LOGIN, TEST_PASSWORD), 200);
    assert_int_equal(usleep(1200000), 0);
    assert_int_equal(log_in_from("127.0.2.1", TEST_LOGIN, TEST_PASSWORD), 200);
}

static void a_session_opens_joins_lives_and_ends(void **unused)
{
    (void)unused;
    harness_log_in(&harness, &client, "second");
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 403);
    assert_int_equal(ask(&client, "POST", SESSIONS "/keepalive", NULL), 403);
    assert_int_equal(ask(&client, "POST", SESSIONS, "{\"applicationName\":\"desk\"}"), 200);
    assert_int_equal(strncmp(answer.body, "{\"admin\":true,\"login\":\"second\",", 30), 0);
    assert_non_null(strstr(answer.body, "\"timeToLive\":1800"));
    assert_non_null(strstr(answer.body, "\"serviceName\":\"subscriptions\""));
    assert_non_null(strstr(answer.body, "\"/telephony\""));
    assert_null(strstr(answer.body, "routing"));
    assert_null(strstr(answer.body, "otherSessions"));
    char created[64], again[64];
    harness_text(&answer, "creationDate", created, sizeof(created));
    assert_int_equal(ask(&client, "POST", SESSIONS, "{\"applicationName\":\"desk\"}"), 200);
    harness_text(&answer, "creationDate", again, sizeof(again));
    assert_string_equal(created, again);
    assert_int_equal(ask(&client, "POST", SESSIONS, "{\"applicationName\":\"other\"}"), 403);
    assert_int_equal(ask(&client, "GET", "/api/rest/1.0//sessions/", NULL), 200);
    assert_int_equal(ask(&client, "POST", SESSIONS "/keepalive", NULL), 204);

    harness_log_in(&harness, &other, "second");
    assert_int_equal(ask(&other, "POST", SESSIONS, "{\"applicationName\":\"two\"}"), 200);
    assert_non_null(strstr(answer.body, "\"otherSessions\":[{\"sessionId\":\"s-"));
    assert_int_equal(ask(&other, "DELETE", SESSIONS, NULL), 204);
    assert_int_equal(ask(&other, "GET", SESSIONS, NULL), 401);
    https_client_close(&other);

    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    assert_int_equal(ask(&client, "POST", SESSIONS, "{\"applicationName\":\"desk\"}"), 401);
    https_client_close(&client);
}

static void wrong_bodies_are_refused_with_the_place(void **unused)
{
    static const struct {
        const char *path, *body, *place;
    } rows[] = {
        {SESSIONS, "{}", "applicationName"},
        {SESSIONS, "{\"applicationName\":5}", "applicationName"},
        {SESSIONS, "[]", "object"},
        {SESSIONS, "{\"applicationName\":\"x\"", "line 1"},
        {SESSIONS,
         "{\"applicationName\":\"x\",\"supervisedAccount\":{\"type\":\"X\",\"id\":\"1\"}}",
         "supervisedAccount.type"},
        {SUBSCRIPTIONS, "{\"version\":\"1.0\"}", "filter"},
        {SUBSCRIPTIONS, "{\"filter\":{\"selectors\":[{\"names\":\"system\"}]}}",
         "filter.selectors[0].names"},
        {SUBSCRIPTIONS, "{\"filter\":{\"selectors\":[{\"names\":[1]}]}}",
         "filter.selectors[0].names[0]"},
        {SUBSCRIPTIONS, "{\"filter\":{\"selectors\":[{\"names\":[\"system\"]}]},\"timeout\":-1}",
         "timeout"},
    };
    (void)unused;
    harness_open_session(&harness, &client);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask(&client, "POST", rows[i].path, rows[i].body), 400);
        assert_non_null(strstr(answer.body, rows[i].place));
        assert_non_null(strstr(answer.body, "\"httpStatus\":\"BAD_REQUEST\""));
    }
    assert_int_equal(ask(&client, "POST", SESSIONS,
                         "{\"applicationName\":\"x\",\"supervisedAccount\":"
                         "{\"type\":\"PHONE_NUMBER\",\"id\":\"41010\"}}"),
                     404);
    assert_non_null(strstr(answer.body, "no such user"));
    https_client_close(&client);
}

static void what_cannot_be_subscribed_is_refused_in_words(void **unused)
{
    static const char *const rows[][2] = {
        {"{\"filter\":{\"selectors\":[{\"names\":[\"telefony\"]}]}}", "unknown package: telefony"},
        {"{\"filter\":{\"selectors\":[]}}", "the filter has no selector"},
        {"{\"filter\":{\"selectors\":[{\"names\":[]}]}}", "a selector names no package"},
        {"{\"filter\":{\"selectors\":[{\"names\":[\"system\"]}]},"
         "\"webHookUrl\":\"https://hooks.test/x\"}",
         "webhooks are not available yet"},
        {"{\"filter\":{\"selectors\":[{\"names\":[\"system\"]}]},\"mode\":\"PIGEON\"}",
         "unknown mode: only CHUNK exists"},
    };
    char text[128];
    (void)unused;
    harness_open_session(&harness, &client);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask(&client, "POST", SUBSCRIPTIONS, rows[i][0]), 200);
        harness_text(&answer, "status", text, sizeof(text));
        assert_string_equal(text, "REFUSED");
        harness_text(&answer, "message", text, sizeof(text));
        assert_string_equal(text, rows[i][1]);
        assert_null(strstr(answer.body, "subscriptionId"));
    }
    https_client_close(&client);
}

static void a_subscription_belongs_to_its_session(void **unused)
{
    char id[64], path[256];
    (void)unused;
    harness_open_session(&harness, &client);
    harness_open_session(&harness, &other);
    assert_int_equal(harness_subscribe(&client, "", id), 200);
    (void)snprintf(path, sizeof(path), SUBSCRIPTIONS "/%s", id);
    assert_int_equal(ask(&other, "DELETE", path, NULL), 404);
    assert_int_equal(ask(&client, "DELETE", path, NULL), 204);
    assert_int_equal(ask(&client, "DELETE", path, NULL), 404);
    assert_int_equal(harness_subscribe(&client, "", id), 200);
    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    polling_path(id, path);
    assert_int_equal(ask(&other, "GET", path, NULL), 404);
    https_client_close(&client);
    https_client_close(&other);
}

static void a_session_has_a_limit_of_subscriptions(void **unused)
{
    char id[64];
    (void)unused;
    harness_open_session(&harness, &client);
    for (int i = 0; i < 20; i++)
        assert_int_equal(harness_subscribe(&client, "", id), 200);
    assert_int_equal(harness_subscribe(&client, "", id), 403);
    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&client);
}

static void a_channel_starts_beats_and_gives_way_to_the_next(void **unused)
{
    static struct https_client second;
    char id[64], path[256], line[256];
    (void)unused;
    harness_open_session(&harness, &client);
    assert_int_equal(harness_subscribe(&client, ",\"timeout\":10", id), 200);
    polling_path(id, path);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "POST", path, &answer));
    assert_int_equal(answer.status, 200);
    assert_non_null(strcasestr(answer.head, "Transfer-Encoding: chunked"));
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    assert_string_equal(line, STARTED);
    assert_true(https_client_line(&listener, line, sizeof(line), 4000));
    assert_string_equal(line, KEEPALIVE);

    https_client_init(&second, harness.port);
    assert_true(https_client_stream(&second, "GET", path, &answer));
    assert_true(https_client_line(&second, line, sizeof(line), 2000));
    assert_string_equal(line, STARTED);
    assert_false(https_client_line(&listener, line, sizeof(line), 2000));
    https_client_close(&listener);

    AUTO(common_freep) char *channels = harness_read_file(harness.channels);
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "4 127.0.0.1 %u 127.0.0.1 ", harness.port);
    assert_int_equal(strncmp(channels, expected, strlen(expected)), 0);

    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    assert_false(https_client_line(&second, line, sizeof(line), 2000));
    https_client_close(&second);
    https_client_close(&client);
}

static void a_restart_keeps_credential_session_subscription_and_polling_url(void **unused)
{
    char id[64], path[256], line[256];
    (void)unused;
    harness_log_in(&harness, &other, TEST_LOGIN);
    harness_open_session(&harness, &client);
    assert_int_equal(harness_subscribe(&client, ",\"timeout\":10", id), 200);
    polling_path(id, path);
    https_client_init(&listener, harness.port);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));

    uint64_t begin_ms = common_boot_ms();
    int status = harness_stop(&harness, SIGTERM);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(common_boot_ms() - begin_ms < 3000);
    while (https_client_line(&listener, line, sizeof(line), 500))
        assert_string_equal(line, KEEPALIVE);
    https_client_close(&listener);
    https_client_close(&client);
    https_client_close(&other);

    harness_start(&harness);
    assert_int_equal(ask(&client, "POST", SESSIONS "/keepalive", NULL), 204);
    assert_int_equal(ask(&other, "POST", SESSIONS, "{\"applicationName\":\"late\"}"), 200);
    assert_true(https_client_stream(&listener, "GET", path, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(https_client_line(&listener, line, sizeof(line), 2000));
    assert_string_equal(line, STARTED);
    https_client_close(&listener);

    (void)harness_stop(&harness, SIGKILL);
    https_client_close(&client);
    https_client_close(&other);
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 200);
    assert_int_equal(ask(&client, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&client);
    harness_stop(&harness, SIGKILL);
    harness_start(&harness);
    assert_int_equal(ask(&client, "GET", SESSIONS, NULL), 401);
    https_client_close(&client);
}

static void health_is_answered_and_commits_when_asked(void **unused)
{
    static const char sql[] = "SELECT counter FROM heartbeat";
    char before[32], after[32];
    (void)unused;
    https_client_init(&client, harness.port);
    assert_int_equal(ask(&client, "GET", "/api/sysstat/health", NULL), 200);
    assert_non_null(strstr(answer.body, "\"status\":\"ok\""));
    assert_int_equal(ask(&client, "GET", "/api/sysstat/health?commit=1", NULL), 200);
    assert_int_equal(pg_server_run(harness.pg, sql, before, sizeof(before)), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ask(&client, "GET", "/api/sysstat/health?commit=1", NULL), 200);
    assert_int_equal(pg_server_run(harness.pg, sql, after, sizeof(after)), 0);
    assert_true(strtol(after, NULL, 10) - strtol(before, NULL, 10) >= 50);
    https_client_close(&client);
}

static void the_health_socket_answers_a_line_from_the_loop(void **unused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char line[256];
    AUTO(common_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)unused;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", harness.health);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ssize_t got = read(fd, line, sizeof(line) - 1);
    assert_true(got > 0);
    line[got] = '\0';
    assert_int_equal(strncmp(line, "{\"ok\":true,\"db\":true,\"sessions\":", 31), 0);
    assert_int_equal(line[got - 1], '\n');
    assert_int_equal(write(fd, "\n", 1), 1);
    assert_true(read(fd, line, sizeof(line)) > 0);
}

static int open_all(void **unused)
{
    (void)unused;
    harness_open(&harness, ",\"channel_heartbeat_s\":1,\"subscriptions_per_session\":20");
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
        cmocka_unit_test(the_root_descriptor_needs_no_credential_and_only_allows_get),
        cmocka_unit_test(clear_text_answers_the_root_descriptor_only),
        cmocka_unit_test(a_credential_comes_as_cookie_and_in_the_body),
        cmocka_unit_test(without_a_right_password_the_answer_is_401),
        cmocka_unit_test(five_wrong_passwords_lock_that_account_at_that_address_only),
        cmocka_unit_test(a_session_opens_joins_lives_and_ends),
        cmocka_unit_test(wrong_bodies_are_refused_with_the_place),
        cmocka_unit_test(what_cannot_be_subscribed_is_refused_in_words),
        cmocka_unit_test(a_subscription_belongs_to_its_session),
        cmocka_unit_test(a_session_has_a_limit_of_subscriptions),
        cmocka_unit_test(a_channel_starts_beats_and_gives_way_to_the_next),
        cmocka_unit_test(a_restart_keeps_credential_session_subscription_and_polling_url),
        cmocka_unit_test(health_is_answered_and_commits_when_asked),
        cmocka_unit_test(the_health_socket_answers_a_line_from_the_loop),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
