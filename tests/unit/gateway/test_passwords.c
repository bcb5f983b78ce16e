#include "gateway/auth/passwords.h"

#include "lib/common/secrets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uv_loop_t loop;
static char hash[SECRETS_HASH_CHARS];

struct outcome {
    int calls, right, wrong, cancelled;
};

static void on_done(void *context, int result)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->right += result == 0;
    outcome->wrong += result == -EACCES;
    outcome->cancelled += result == -ECANCELED;
}

static void right_wrong_and_unknown_are_told_apart_for_the_log_only(void **unused)
{
    struct passwords *passwords = passwords_new(&loop);
    struct outcome outcome = {0};
    (void)unused;
    assert_int_equal(passwords_check(passwords, "right", hash, on_done, &outcome), 0);
    assert_int_equal(passwords_check(passwords, "wrong", hash, on_done, &outcome), 0);
    assert_int_equal(passwords_check(passwords, "right", NULL, on_done, &outcome), 0);
    assert_int_equal(outcome.calls, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(outcome.right, 1);
    assert_int_equal(outcome.wrong, 2);
    passwords_free(passwords);
}

static void an_unknown_account_takes_the_same_time(void **unused)
{
    struct passwords *passwords = passwords_new(&loop);
    struct outcome outcome = {0};
    uint64_t took_ns[2];
    (void)unused;
    for (int i = 0; i < 2; i++) {
        uint64_t begin_ns = uv_hrtime();
        for (int j = 0; j < 2; j++) {
            assert_int_equal(
                passwords_check(passwords, "x", i == 0 ? hash : NULL, on_done, &outcome), 0);
            (void)uv_run(&loop, UV_RUN_DEFAULT);
        }
        took_ns[i] = uv_hrtime() - begin_ns;
    }
    assert_true(took_ns[1] > took_ns[0] / 3 && took_ns[1] < took_ns[0] * 3);
    assert_int_equal(outcome.wrong, 4);
    passwords_free(passwords);
}

struct hashed {
    int calls, result;
    char hash[SECRETS_HASH_CHARS];
};

static void on_hashed(void *context, int result, const char *text)
{
    struct hashed *hashed = context;
    hashed->calls++;
    hashed->result = result;
    if (text != NULL)
        memcpy(hashed->hash, text, strlen(text) + 1);
}

static void a_new_hash_is_right_for_its_password_only(void **unused)
{
    struct passwords *passwords = passwords_new(&loop);
    struct outcome outcome = {0};
    struct hashed hashed = {.result = -1};
    (void)unused;
    assert_int_equal(passwords_hash(passwords, "a new one", on_hashed, &hashed), 0);
    assert_int_equal(hashed.calls, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(hashed.calls, 1);
    assert_int_equal(hashed.result, 0);
    assert_int_equal(passwords_check(passwords, "a new one", hashed.hash, on_done, &outcome), 0);
    assert_int_equal(passwords_check(passwords, "another", hashed.hash, on_done, &outcome), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(outcome.right, 1);
    assert_int_equal(outcome.wrong, 1);
    passwords_free(passwords);
}

static void a_hash_that_is_not_ready_at_the_end_is_cancelled(void **unused)
{
    struct passwords *passwords = passwords_new(&loop);
    struct hashed hashed = {0};
    (void)unused;
    assert_int_equal(passwords_hash(passwords, "a new one", on_hashed, &hashed), 0);
    passwords_free(passwords);
    assert_int_equal(hashed.calls, 1);
    assert_int_equal(hashed.result, -ECANCELED);
    assert_string_equal(hashed.hash, "");
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(hashed.calls, 1);
}

static void too_many_are_refused_and_the_rest_is_cancelled_at_the_end(void **unused)
{
    struct passwords *passwords = passwords_new(&loop);
    struct outcome outcome = {0};
    int taken = 0;
    (void)unused;
    while (passwords_check(passwords, "x", hash, on_done, &outcome) == 0)
        taken++;
    assert_int_equal(taken, PASSWORDS_RUNNING_MAX + PASSWORDS_WAITING_MAX);
    assert_int_equal(passwords_check(passwords, "x", hash, on_done, &outcome), -EBUSY);
    passwords_free(passwords);
    assert_int_equal(outcome.calls, taken);
    assert_int_equal(outcome.cancelled, taken);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(outcome.calls, taken);
}

static int begin(void **unused)
{
    (void)unused;
    return uv_loop_init(&loop) == 0 && secrets_password_hash("right", hash, NULL) == 0 ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    return uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_wrong_and_unknown_are_told_apart_for_the_log_only),
        cmocka_unit_test(an_unknown_account_takes_the_same_time),
        cmocka_unit_test(a_new_hash_is_right_for_its_password_only),
        cmocka_unit_test(a_hash_that_is_not_ready_at_the_end_is_cancelled),
        cmocka_unit_test(too_many_are_refused_and_the_rest_is_cancelled_at_the_end),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
