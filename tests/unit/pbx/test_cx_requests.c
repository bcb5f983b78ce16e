#include "gateway/pbx/csta_xml/cx_requests.h"

#include "gateway/pbx/csta_xml/cx_link.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct desk {
    struct cx_requests *requests;
    unsigned sent, last_invoke_id;
    int send_result;
    unsigned answered, timed_out, lost;
    bool add_again; /* from inside the answer */
};

static int send_request(void *context, unsigned invoke_id, const char *xml, size_t len_bytes)
{
    struct desk *desk = context;
    assert_non_null(xml);
    assert_int_not_equal(len_bytes, 0);
    if (desk->send_result < 0)
        return desk->send_result;
    desk->sent++;
    desk->last_invoke_id = invoke_id;
    return 0;
}

static int begin(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    assert_non_null(desk);
    const struct cx_requests_output output = {.send = send_request, .context = desk};
    desk->requests = cx_requests_new(&output);
    assert_non_null(desk->requests);
    cx_requests_open(desk->requests, CSTA_ED6);
    *state = desk;
    return 0;
}

static int end(void **state)
{
    struct desk *desk = *state;
    cx_requests_free(desk->requests);
    free(desk);
    return 0;
}

static int add(struct desk *desk, enum cx_class class, uint64_t now_ms);

static void on_answer(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    struct desk *desk = context;
    assert_int_equal(answer != NULL, outcome == CX_ANSWERED);
    desk->answered += outcome == CX_ANSWERED;
    desk->timed_out += outcome == CX_TIMED_OUT;
    desk->lost += outcome == CX_LOST;
    if (desk->add_again)
        (void)add(desk, CX_CLASS_PEOPLE, 1000);
}

static int add(struct desk *desk, enum cx_class class, uint64_t now_ms)
{
    const struct csta_message message = {.type = CSTA_ANSWER_CALL,
                                         .connection = {.call_id = "K", .device = {.id = "1001"}}};
    const struct cx_request request = {
        .class = class, .message = &message, .answer = on_answer, .context = desk};
    return cx_requests_add(desk->requests, &request, now_ms);
}

static bool answer(struct desk *desk, unsigned invoke_id, enum csta_type type)
{
    struct csta_message message = {.type = type};
    return cx_requests_answer(desk->requests, invoke_id, &message, 0);
}

static void numbers_run_from_1_to_9998_and_begin_again(void **state)
{
    struct desk *desk = *state;
    for (unsigned i = 1; i <= CSTA_INVOKE_MAX; i++) {
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
        assert_int_equal(desk->last_invoke_id, i);
        assert_true(answer(desk, i, CSTA_ANSWER_CALL_DONE));
    }
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_int_equal(desk->last_invoke_id, 1);
}

static void a_number_that_is_still_in_use_is_left_out(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0); /* 1 stays */
    for (unsigned i = 2; i <= CSTA_INVOKE_MAX; i++) {
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
        assert_true(answer(desk, desk->last_invoke_id, CSTA_ANSWER_CALL_DONE));
    }
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_int_equal(desk->last_invoke_id, 2);
}

static void only_the_right_answer_ends_a_request(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_false(answer(desk, 1, CSTA_CLEAR_CONNECTION_DONE));
    assert_false(answer(desk, 2, CSTA_ANSWER_CALL_DONE));
    assert_false(answer(desk, 0, CSTA_ANSWER_CALL_DONE));
    assert_false(answer(desk, CSTA_INVOKE_EVENT, CSTA_ANSWER_CALL_DONE));
    assert_int_equal(desk->answered, 0);
    assert_true(answer(desk, 1, CSTA_ERROR));
    assert_false(answer(desk, 1, CSTA_ERROR));
    assert_int_equal(desk->answered, 1);
}

static void time_out_comes_once_and_late_answers_are_nobodys(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 1000), 0);
    cx_requests_tick(desk->requests, 1000 + PBX_ANSWER_MS - 1);
    assert_int_equal(desk->timed_out, 0);
    cx_requests_tick(desk->requests, 1000 + PBX_ANSWER_MS);
    cx_requests_tick(desk->requests, 1000 + 2 * PBX_ANSWER_MS);
    assert_int_equal(desk->timed_out, 1);
    assert_false(answer(desk, 1, CSTA_ANSWER_CALL_DONE));
    assert_int_equal(desk->answered, 0);
}

static void people_pass_the_drivers_own_work(void **state)
{
    struct desk *desk = *state;
    while (cx_requests_room(desk->requests) > 0)
        assert_int_equal(add(desk, CX_CLASS_BACKGROUND, 0), 0);
    assert_int_equal(desk->sent, CX_BACKGROUND_MAX);
    assert_int_equal(add(desk, CX_CLASS_BACKGROUND, 0), -ENOBUFS);
    for (unsigned i = CX_BACKGROUND_MAX; i < CX_IN_FLIGHT_MAX; i++)
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_int_equal(desk->sent, CX_IN_FLIGHT_MAX); /* all went out at once */

    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0); /* this one waits ... */
    assert_int_equal(desk->sent, CX_IN_FLIGHT_MAX);
    assert_true(answer(desk, 1, CSTA_ANSWER_CALL_DONE)); /* ... for the first place */
    assert_int_equal(desk->sent, CX_IN_FLIGHT_MAX + 1);
    assert_int_equal(cx_requests_room(desk->requests), 0);
}

static void the_session_neither_waits_nor_counts(void **state)
{
    struct desk *desk = *state;
    for (unsigned i = 0; i < CX_IN_FLIGHT_MAX; i++)
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_int_equal(add(desk, CX_CLASS_SESSION, 0), 0);
    assert_int_equal(desk->sent, CX_IN_FLIGHT_MAX + 1);
}

static void the_queue_is_bounded_and_its_time_too(void **state)
{
    struct desk *desk = *state;
    for (unsigned i = 0; i < CX_IN_FLIGHT_MAX + CX_WAITING_MAX; i++)
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), -ENOBUFS);
    cx_requests_tick(desk->requests, PBX_ANSWER_MS);
    assert_int_equal(desk->timed_out, CX_IN_FLIGHT_MAX + CX_WAITING_MAX);
    assert_int_equal(desk->sent, CX_IN_FLIGHT_MAX);
}

static void a_loss_ends_everything_and_takes_nothing_more(void **state)
{
    struct desk *desk = *state;
    for (unsigned i = 0; i < CX_IN_FLIGHT_MAX + 10; i++)
        assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    desk->add_again = true; /* refused: the link is gone */
    cx_requests_fail(desk->requests);
    assert_int_equal(desk->lost, CX_IN_FLIGHT_MAX + 10);
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), -EAGAIN);
    assert_int_equal(cx_requests_room(desk->requests), 0);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    struct desk *desk = *state;
    desk->send_result = -ENOBUFS;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), -ENOBUFS);
    assert_int_equal(add(desk, CX_CLASS_BACKGROUND, 0), -ENOBUFS);
    desk->send_result = 0;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    cx_requests_fail(desk->requests);
    assert_int_equal(desk->lost, 1);
}

static void an_answer_may_ask_again(void **state)
{
    struct desk *desk = *state;
    desk->add_again = true;
    assert_int_equal(add(desk, CX_CLASS_PEOPLE, 0), 0);
    for (unsigned i = 1; i <= 20; i++)
        assert_true(answer(desk, i, CSTA_ANSWER_CALL_DONE));
    assert_int_equal(desk->answered, 20);
    assert_int_equal(desk->sent, 21);
    desk->add_again = false;
}

static void the_back_off_doubles_after_each_round_up_to_its_limit(void **state)
{
    (void)state;
    const uint64_t middle_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    for (unsigned attempt = 0; attempt < sizeof(middle_ms) / sizeof(middle_ms[0]); attempt++)
        for (uint32_t random = 0; random < 40000; random += 997) {
            uint64_t one_ms = cx_link_backoff_ms(attempt, 1, random);
            assert_in_range(one_ms, middle_ms[attempt] * 4 / 5, middle_ms[attempt] * 6 / 5);
            assert_int_equal(cx_link_backoff_ms(2 * attempt, 2, random), one_ms);
            assert_int_equal(cx_link_backoff_ms(2 * attempt + 1, 2, random), one_ms);
        }
    assert_int_not_equal(cx_link_backoff_ms(0, 1, 1), cx_link_backoff_ms(0, 1, 100));
    assert_in_range(cx_link_backoff_ms(4000000000u, 1, 0), 24000, 36000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_run_from_1_to_9998_and_begin_again),
        CASE(a_number_that_is_still_in_use_is_left_out),
        CASE(only_the_right_answer_ends_a_request),
        CASE(time_out_comes_once_and_late_answers_are_nobodys),
        CASE(people_pass_the_drivers_own_work),
        CASE(the_session_neither_waits_nor_counts),
        CASE(the_queue_is_bounded_and_its_time_too),
        CASE(a_loss_ends_everything_and_takes_nothing_more),
        CASE(what_cannot_be_sent_is_refused_at_once),
        CASE(an_answer_may_ask_again),
        cmocka_unit_test(the_back_off_doubles_after_each_round_up_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
