/* Requests whose end comes late: what they were allowed at their beginning may be over by then. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE     "/api/rest/1.0"
#define SESSIONS BASE "/sessions"

static struct harness harness;
static struct https_client owner, slow;
static struct answer answer;

static int ask(struct https_client *asker, const char *method, const char *path, const char *body)
{
    assert_true(https_client_ask(asker, method, path, body, &answer));
    return answer.status;
}

/* The head of a request with the owner's credential; its body is still to come. */
static void send_head(const char *method, const char *path, const char *body)
{
    char head[512];
    https_client_init(&slow, harness.port);
    (void)snprintf(head, sizeof(head),
                   "%s %s HTTP/1.1\r\nHost: gateway\r\nCookie: AlcUserId=%s\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                   method, path, owner.cookie, strlen(body));
    assert_true(https_client_send(&slow, head));
    (void)usleep(100000); /* it is read and granted meanwhile */
}

static void a_body_that_comes_after_the_logout_does_nothing(void **unused)
{
    static const char *const rows[][3] = {
        {"POST", SESSIONS, "{\"applicationName\":\"tests\"}"},
        {"POST", BASE "/subscriptions",
         "{\"filter\":{\"selectors\":[{\"ids\":[],\"names\":[\"system\"]}]},\"version\":\"1.0\"}"},
        {"PUT", BASE "/users/oxe1001/password", "{\"newPassword\":\"12345\"}"},
        {"POST", BASE "/usermanagement", "{\"nodeId\":\"1\",\"all\":true}"},
        {"POST", BASE "/telephony/basicCall", "{\"deviceId\":\"1001\",\"callee\":\"1002\"}"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        harness_open_session(&harness, &owner);
        send_head(rows[i][0], rows[i][1], rows[i][2]);
        assert_int_equal(ask(&owner, "DELETE", SESSIONS, NULL), 204);
        assert_true(https_client_send(&slow, rows[i][2]));
        assert_true(https_client_receive(&slow, &answer));
        assert_int_equal(answer.status, 401);
        https_client_close(&slow);
        https_client_close(&owner);
    }
}

static void a_body_in_time_is_taken_however_slowly_it_comes(void **unused)
{
    static const char body[] = "{\"filter\":{\"selectors\":[{\"ids\":[],\"names\":[\"system\"]}]},"
                               "\"version\":\"1.0\"}";
    char piece[2] = "";
    (void)unused;
    harness_open_session(&harness, &owner);
    send_head("POST", BASE "/subscriptions", body);
    for (size_t i = 0; body[i] != '\0'; i++) {
        piece[0] = body[i];
        assert_true(https_client_send(&slow, piece));
    }
    assert_true(https_client_receive(&slow, &answer));
    assert_int_equal(answer.status, 200);
    https_client_close(&slow);
    assert_int_equal(ask(&owner, "DELETE", SESSIONS, NULL), 204);
    https_client_close(&owner);
}

static int open_all(void **unused)
{
    (void)unused;
    harness_open(&harness, "");
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
        cmocka_unit_test(a_body_that_comes_after_the_logout_does_nothing),
        cmocka_unit_test(a_body_in_time_is_taken_however_slowly_it_comes),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
