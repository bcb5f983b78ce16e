/* Who may do what with the telephony service, and what becomes of bad input: over TLS, on a real
 * gateway with a real PostgreSQL and the simulated PBX. */
#include "tests/integration/telephony/stage.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct stage stage;
static struct answer answer;

#define CALLS  "/telephony/calls"
#define NO_REF CALLS "/00000000000000ff"

static int ask(struct actor *actor, const char *method, const char *path, const char *body)
{
    assert_true(stage_ask(actor, method, path, body, &answer));
    return answer.status;
}

/* Nothing has reached the PBX: it has no call. */
static void assert_no_call(void)
{
    static struct answer calls;
    assert_int_equal(stage_control(&stage, "GET", "/calls", NULL, &calls), 200);
    assert_string_equal(calls.body, "[]");
}

static void every_operation_needs_a_session(void **unused)
{
    static const char *const rows[][2] = {
        {"POST", "/telephony/basicCall"},
        {"POST", "/telephony/basicCall/answer"},
        {"POST", "/telephony/basicCall/dropme"},
        {"GET", CALLS},
        {"POST", CALLS},
        {"GET", NO_REF},
        {"DELETE", NO_REF},
        {"POST", NO_REF "/answer"},
        {"POST", NO_REF "/dropme"},
        {"GET", NO_REF "/deviceLegs"},
        {"GET", NO_REF "/deviceLegs/1001"},
        {"GET", NO_REF "/participants"},
        {"GET", NO_REF "/participants/1001"},
        {"GET", "/telephony/devices"},
        {"GET", "/telephony/devices/1001"},
        {"GET", "/telephony/state"},
        {"POST", "/telephony/state/snapshot"},
    };
    static struct actor nobody;
    (void)unused;
    https_client_init(&nobody.rest, stage.harness.port);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask(&nobody, rows[i][0], rows[i][1], NULL), 401);
        assert_null(strstr(answer.body, "telephony\":"));
    }
    https_client_close(&nobody.rest);
    harness_log_in(&stage.harness, &nobody.rest, TEST_LOGIN);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(ask(&nobody, rows[i][0], rows[i][1], NULL), 403);
    https_client_close(&nobody.rest);
}

static void the_service_is_announced_to_users_and_administrators(void **unused)
{
    static const char announced[] = "\"serviceName\":\"telephony\",\"serviceVersion\":\"1.0\","
                                    "\"relativeUrl\":\"/telephony\"";
    (void)unused;
    assert_int_equal(ask(stage_actor(&stage, "1001"), "GET", "/sessions", NULL), 200);
    assert_non_null(strstr(answer.body, announced));
    assert_int_equal(ask(stage_actor(&stage, TEST_LOGIN), "GET", "/sessions", NULL), 200);
    assert_non_null(strstr(answer.body, announced));
}

static void operations_that_do_not_exist_yet_are_not_found(void **unused)
{
    static const char *const rows[][2] = {
        {"POST", NO_REF "/hold"},        {"POST", NO_REF "/transfer"},
        {"POST", NO_REF "/merge"},       {"POST", NO_REF "/sendDtmf"},
        {"POST", "/telephony/nonsense"}, {"GET", "/telephony/miniMessages"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(ask(stage_actor(&stage, "1001"), rows[i][0], rows[i][1], "{}"), 404);
    assert_int_equal(ask(stage_actor(&stage, "1001"), "PUT", CALLS, "{}"), 405);
    assert_non_null(strcasestr(answer.head, "\r\nAllow: GET, HEAD, POST"));
}

static void an_administrator_names_a_user_who_exists(void **unused)
{
    static const char *const rows[][2] = {
        {"GET", CALLS},
        {"GET", NO_REF},
        {"DELETE", NO_REF},
        {"POST", NO_REF "/dropme"},
        {"GET", NO_REF "/participants"},
        {"GET", "/telephony/devices"},
        {"GET", "/telephony/state"},
        {"POST", "/telephony/basicCall/dropme"},
    };
    struct actor *administrator = stage_actor(&stage, TEST_LOGIN);
    char path[256];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask(administrator, rows[i][0], rows[i][1], NULL), 400);
        assert_non_null(strstr(answer.body, "loginName"));
        (void)snprintf(path, sizeof(path), "%s?loginName=oxe4711", rows[i][1]);
        assert_int_equal(ask(administrator, rows[i][0], path, NULL), 404);
        assert_non_null(strstr(answer.body, "\"innerMessage\":\"oxe4711\""));
        (void)snprintf(path, sizeof(path), "%s?loginName=", rows[i][1]);
        assert_int_equal(ask(administrator, rows[i][0], path, NULL), 400);
    }
    assert_int_equal(ask(administrator, "GET", CALLS "?loginName=oxe1001", NULL), 200);
    assert_int_equal(ask(administrator, "GET", CALLS "?loginName=1001", NULL), 200);
    assert_string_equal(answer.body, "{\"calls\":[]}");
}

static void a_user_is_himself_whatever_login_he_names(void **unused)
{
    struct actor *user = stage_actor(&stage, "1001");
    (void)unused;
    assert_int_equal(ask(user, "GET", "/telephony/devices?loginName=oxe1002", NULL), 200);
    assert_string_equal(answer.body,
                        "{\"deviceStates\":[{\"deviceId\":\"1001\",\"state\":\"IN_SERVICE\"}]}");
    assert_int_equal(ask(user, "GET", "/telephony/devices?loginName=nobody", NULL), 200);
}

/* The same answer whether the number exists or not: nobody learns numbers that way. */
static void other_devices_are_foreign_existing_or_not(void **unused)
{
    static const char *const numbers[] = {"1002", "1022", "4711", "0", "'; DROP TABLE x", "é"};
    struct actor *user = stage_actor(&stage, "1001");
    char body[128];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        (void)snprintf(body, sizeof(body), "{\"deviceId\":\"%s\",\"callee\":\"1003\"}", numbers[i]);
        assert_int_equal(ask(user, "POST", "/telephony/basicCall", body), 403);
        assert_non_null(strstr(answer.body, "\"type\":\"TELEPHONY\""));
        assert_non_null(strstr(answer.body, "{\"errorType\":\"UNAUTHORIZED\",\"errorCause\":"
                                            "\"INVALID_DEVICE\""));
        assert_int_equal(ask(user, "POST", CALLS, body), 403);
        assert_int_equal(ask(user, "POST", "/telephony/basicCall/answer", body), 403);
        assert_int_equal(ask(user, "POST", NO_REF "/answer", body), 403);
    }
    assert_no_call();
}

static void an_administrator_hears_that_a_device_is_unknown(void **unused)
{
    struct actor *administrator = stage_actor(&stage, TEST_LOGIN);
    static const char body[] = "{\"deviceId\":\"4711\",\"callee\":\"1003\"}";
    (void)unused;
    assert_int_equal(ask(administrator, "POST", "/telephony/basicCall", body), 404);
    assert_non_null(strstr(answer.body, "INVALID_DEVICE"));
    assert_int_equal(ask(administrator, "POST", "/telephony/basicCall/answer", body), 404);
    assert_int_equal(ask(administrator, "POST", CALLS "?loginName=oxe1001", body), 403);
    assert_no_call();
}

static void wrong_bodies_are_refused_with_the_place(void **unused)
{
    static const struct {
        const char *path, *body, *place;
    } rows[] = {
        {CALLS, "", "body"},
        {CALLS, "{", "line 1"},
        {CALLS, "[]", "object"},
        {CALLS, "null", "object"},
        {CALLS, "{}", "deviceId"},
        {CALLS, "{\"deviceId\":\"1001\"}", "callee"},
        {CALLS, "{\"deviceId\":1001,\"callee\":\"1002\"}", "deviceId"},
        {CALLS, "{\"deviceId\":null,\"callee\":\"1002\"}", "deviceId"},
        {CALLS, "{\"deviceId\":\"\",\"callee\":\"1002\"}", "deviceId"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":[\"1002\"]}", "callee"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"autoAnswer\":\"perhaps\"}",
         "autoAnswer"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"autoAnswer\":1}", "autoAnswer"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":\"10 02;x\"}", "callee"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":\"\"}", "callee"},
        {CALLS,
         "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"associatedData\":\"123456789012345"
         "678901234567890123\"}",
         "associatedData"},
        {CALLS, "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"hexaBinaryAssociatedData\":\"4f5\"}",
         "hexaBinaryAssociatedData"},
        {"/telephony/basicCall", "{\"deviceId\":\"1001\",\"callee\":7}", "callee"},
        {"/telephony/basicCall/answer", "{}", "deviceId"},
        {"/telephony/basicCall/answer", "{\"deviceId\":true}", "deviceId"},
        {NO_REF "/answer", "{\"device\":\"1001\"}", "deviceId"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask(stage_actor(&stage, "1001"), "POST", rows[i].path, rows[i].body), 400);
        if (strstr(answer.body, rows[i].place) == NULL)
            fail_msg("%s: %s names no %s", rows[i].body, answer.body, rows[i].place);
    }
    assert_no_call();
}

static void a_long_device_number_is_refused(void **unused)
{
    char body[512], number[201];
    (void)unused;
    memset(number, '1', sizeof(number) - 1);
    number[sizeof(number) - 1] = '\0';
    (void)snprintf(body, sizeof(body), "{\"deviceId\":\"%s\",\"callee\":\"1002\"}", number);
    assert_int_equal(ask(stage_actor(&stage, "1001"), "POST", CALLS, body), 400);
    (void)snprintf(body, sizeof(body), CALLS "/%s", number);
    assert_int_equal(ask(stage_actor(&stage, "1001"), "GET", body, NULL), 404);
}

static void other_kinds_of_calls_are_refused_in_words(void **unused)
{
    static const char *const members[] = {"\"pin\":\"12\"", "\"businessCode\":\"7\"",
                                          "\"acdCall\":{\"callToSupervisor\":true}"};
    char body[256];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        (void)snprintf(body, sizeof(body), "{\"deviceId\":\"1001\",\"callee\":\"1002\",%s}",
                       members[i]);
        assert_int_equal(ask(stage_actor(&stage, "1001"), "POST", CALLS, body), 501);
        assert_non_null(strstr(answer.body, "SERVICE_NOT_PROVIDED"));
        assert_non_null(strstr(answer.body, "\"canRetry\":false"));
    }
    assert_no_call();
}

/* As clients send it that write every member that they know. */
static void unused_members_may_be_null(void **unused)
{
    struct actor *user = stage_actor(&stage, "1001");
    (void)unused;
    assert_int_equal(
        ask(user, "POST", CALLS,
            "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"autoAnswer\":\"true\","
            "\"inhibitProgressTone\":false,\"associatedData\":null,"
            "\"hexaBinaryAssociatedData\":null,\"callingNumber\":null,\"pin\":null,"
            "\"secretCode\":null,\"businessCode\":null,\"acdCall\":null,\"unheardOf\":{}}"),
        201);
    const char *place = strcasestr(answer.head, "\r\nLocation: ");
    assert_non_null(place);
    char base[128];
    (void)snprintf(base, sizeof(base), "\r\nLocation: https://127.0.0.1:%u/api/rest/1.0" CALLS "/",
                   stage.harness.port);
    assert_int_equal(strncasecmp(place, base, strlen(base)), 0);
    assert_string_equal(answer.body, "");
    assert_int_equal(strcspn(place + strlen(base), "\r"), 16);
    stage_tidy(&stage);
}

/* Who has come by the private address may not reach the public one. */
static void a_new_call_is_where_the_client_has_come_from(void **unused)
{
    static const char body[] = "{\"deviceId\":\"1001\",\"callee\":\"1002\"}";
    struct actor *user = stage_actor(&stage, "1001");
    char host[64], expected[128];
    (void)unused;
    (void)snprintf(host, sizeof(host), "localhost:%u", stage.harness.port);
    (void)snprintf(expected, sizeof(expected), "\r\nLocation: https://%s/api/rest/1.0" CALLS "/",
                   host);
    user->rest.host = host;
    assert_int_equal(ask(user, "POST", CALLS, body), 201);
    user->rest.host = NULL;
    assert_non_null(strcasestr(answer.head, expected));
    stage_tidy(&stage);
}

static void a_pbx_that_is_away_is_a_reason_to_try_again(void **unused)
{
    static const char body[] = "{\"deviceId\":\"1001\",\"callee\":\"1002\"}";
    struct actor *user = stage_actor(&stage, "1001");
    uint64_t deadline_ms = common_boot_ms() + STAGE_PATIENCE_MS;
    (void)unused;
    assert_int_equal(
        stage_control(&stage, "PUT", "/misbehave", "{\"refuse_sessions\":true}", &answer), 200);
    assert_int_equal(stage_control(&stage, "POST", "/link/drop", NULL, &answer), 200);
    while (ask(user, "POST", "/telephony/basicCall", body) != 503)
        assert_true(common_boot_ms() < deadline_ms);
    assert_non_null(strstr(answer.body, "\"errorType\":\"SERVICE_UNAVAILABLE\""));
    assert_non_null(strstr(answer.body, "\"canRetry\":true"));
    assert_non_null(strcasestr(answer.head, "\r\nRetry-After: "));
    assert_int_equal(ask(user, "GET", CALLS, NULL), 200);
    assert_int_equal(ask(user, "GET", "/telephony/devices", NULL), 200);
    assert_non_null(strstr(answer.body, "\"UNKNOWN\""));
    stage_tidy(&stage);
    assert_int_equal(ask(user, "GET", "/telephony/devices", NULL), 200);
    assert_non_null(strstr(answer.body, "\"IN_SERVICE\""));
}

/* The gateway starts while the PBX refuses it: users are known, their calls are not. */
static void calls_that_were_never_read_are_no_empty_list(void **unused)
{
    struct actor *user = stage_actor(&stage, "1001");
    (void)unused;
    assert_int_equal(
        stage_control(&stage, "PUT", "/misbehave", "{\"refuse_sessions\":true}", &answer), 200);
    (void)harness_stop(&stage.harness, SIGTERM);
    https_client_close(&user->rest);
    https_client_close(&stage_actor(&stage, TEST_LOGIN)->rest);
    harness_start(&stage.harness);
    assert_int_equal(ask(user, "GET", CALLS, NULL), 503);
    assert_non_null(strstr(answer.body, "\"errorType\":\"INITIALIZATION\""));
    assert_non_null(strstr(answer.body, "\"canRetry\":true"));
    assert_int_equal(ask(user, "GET", "/telephony/state", NULL), 503);
    assert_int_equal(ask(user, "POST", "/telephony/state/snapshot", NULL), 503);
    assert_int_equal(ask(user, "DELETE", NO_REF, NULL), 503);
    assert_int_equal(ask(user, "GET", "/telephony/devices", NULL), 200);
    stage_tidy(&stage);
    assert_int_equal(ask(user, "GET", CALLS, NULL), 200);
}

static int open_all(void **unused)
{
    (void)unused;
    stage_open(&stage);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    stage_close(&stage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_needs_a_session),
        cmocka_unit_test(the_service_is_announced_to_users_and_administrators),
        cmocka_unit_test(operations_that_do_not_exist_yet_are_not_found),
        cmocka_unit_test(an_administrator_names_a_user_who_exists),
        cmocka_unit_test(a_user_is_himself_whatever_login_he_names),
        cmocka_unit_test(other_devices_are_foreign_existing_or_not),
        cmocka_unit_test(an_administrator_hears_that_a_device_is_unknown),
        cmocka_unit_test(wrong_bodies_are_refused_with_the_place),
        cmocka_unit_test(a_long_device_number_is_refused),
        cmocka_unit_test(other_kinds_of_calls_are_refused_in_words),
        cmocka_unit_test(unused_members_may_be_null),
        cmocka_unit_test(a_new_call_is_where_the_client_has_come_from),
        cmocka_unit_test(a_pbx_that_is_away_is_a_reason_to_try_again),
        cmocka_unit_test(calls_that_were_never_read_are_no_empty_list),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
