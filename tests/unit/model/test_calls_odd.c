/* Two devices, and whatever a PBX may say that fits nothing. */
#include "tests/unit/model/calls_bench.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct bench bench;

static int begin(void **unused)
{
    (void)unused;
    bench_begin(&bench);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    bench_end(&bench);
    return 0;
}

static void forget_trace(void)
{
    buf_clear(&bench.trace);
}

/* --- two devices --------------------------------------------------------------------------------
 */

static void a_call_that_rings_at_both_devices_is_one_call_with_two_legs(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    forget_trace();
    bench_say(&bench, PBX_EVENT_DELIVERED, "1002", "1002");
    bench_say(&bench, PBX_EVENT_DELIVERED, "1502", "1502");
    bench_tell(&bench, &(struct bench_event){.type = PBX_EVENT_DELIVERED,
                                             .at = "1002",
                                             .subject = "1502",
                                             .local = PBX_LOCAL_ALERTING});
    bench_expect(&bench, "1002 created C1 RINGING_INCOMING; legs 1002:RINGING_INCOMING; with "
                         "1001:RINGING_INCOMING\n"
                         "1002 modified C1 RINGING_INCOMING; +legs 1502:RINGING_INCOMING\n");
    /* The second device answers; the first one falls silent. */
    bench_say(&bench, PBX_EVENT_ESTABLISHED, "1502", "1502");
    bench_tell(&bench, &(struct bench_event){.type = PBX_EVENT_ESTABLISHED,
                                             .at = "1002",
                                             .subject = "1502",
                                             .local = PBX_LOCAL_ALERTING});
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1002");
    bench_say(&bench, PBX_EVENT_CLEARED, "1502", "1002");
    bench_expect(&bench, "1002 modified C1 ACTIVE; legs 1502:ACTIVE; with 1001:ACTIVE\n"
                         "1002 is BUSY\n"
                         "1002 modified C1 ACTIVE; -legs 1002:IDLE\n");
    bench_say(&bench, PBX_EVENT_CLEARED, "1502", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1502", "1502");
    bench_expect(&bench, "1002 modified C1 RELEASING cause CLEARED; legs 1502:RELEASING; -with "
                         "1001\n"
                         "1002 removed C1 cause CLEARED\n"
                         "1002 is FREE\n");
    assert_int_equal(calls_odd_events(bench.calls), 0);
}

static void a_call_between_two_devices_of_one_user_has_no_participants(void **unused)
{
    struct bench_event event = {PBX_EVENT_ORIGINATED, "1002", "1002", .calling = "1002",
                                .called = "1502"};
    (void)unused;
    bench_tell(&bench, &event);
    event.type = PBX_EVENT_DELIVERED;
    event.at = event.subject = "1502";
    bench_tell(&bench, &event);
    event.at = "1002";
    event.local = PBX_LOCAL_CONNECTED;
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 created C1 DIALING; legs 1002:DIALING\n"
                         "1002 is BUSY\n"
                         "1002 modified C1 RINGING_OUTGOING; legs 1002:RINGING_OUTGOING; +legs "
                         "1502:RINGING_INCOMING\n"
                         "1002 modified C1 RINGING_OUTGOING; legs 1002:RINGING_OUTGOING+remote\n");
    event.type = PBX_EVENT_ESTABLISHED;
    event.at = "1502";
    bench_tell(&bench, &event);
    event.at = "1002";
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 modified C1 ACTIVE; legs 1002:ACTIVE 1502:ACTIVE\n");
    event = (struct bench_event){.type = PBX_EVENT_CLEARED, .at = "1002", .subject = "1002"};
    bench_tell(&bench, &event);
    event.at = "1502";
    bench_tell(&bench, &event);
    event.subject = "1502";
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 modified C1 RELEASING; legs 1502:RELEASING; -legs 1002:IDLE\n"
                         "1002 removed C1 cause CLEARED\n"
                         "1002 is FREE\n");
}

static void each_device_has_calls_of_its_own(void **unused)
{
    struct bench_event event = {PBX_EVENT_ORIGINATED, "1502",          "1502", "C2",
                                .calling = "1502",    .called = "1003"};
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    forget_trace();
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 created C2 DIALING; legs 1502:DIALING\n1002 is BUSY\n");
    event.type = PBX_EVENT_CLEARED;
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 removed C2 cause ABANDONED\n1002 is FREE\n");
    assert_non_null(bench_call(&bench, "1002", "C1"));
}

static void a_device_that_leaves_its_user_takes_its_legs_along(void **unused)
{
    const struct user_record record = {
        "1", "Teo", "Marchand", {{"1002", DEVICE_TYPE_DESKPHONE, NULL}}, 1};
    struct user *user = bench_user(&bench, "1002");
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_say(&bench, PBX_EVENT_DELIVERED, "1502", "1502");
    bench_tell(&bench, &(struct bench_event){PBX_EVENT_ORIGINATED, "1502", "1502", "C2",
                                             .calling = "1502"});
    forget_trace();
    assert_int_equal(users_change(bench.users, user, &record), 0);
    calls_devices_changed(bench.calls, user);
    bench_expect(&bench, "1002 modified C1 RINGING_INCOMING; -legs 1502:IDLE\n"
                         "1002 removed C2 cause UNKNOWN\n"
                         "1002 is FREE\n");
}

/* --- events that fit nothing --------------------------------------------------------------------
 */

static void events_of_unknown_devices_change_nothing(void **unused)
{
    const struct pbx other = {.node = "2", .up = true};
    const struct pbx_event event = {.type = PBX_EVENT_DELIVERED,
                                    .monitored = "1002",
                                    .call_id = "C1",
                                    .subject = {.number = "1002"}};
    (void)unused;
    bench_say(&bench, PBX_EVENT_ORIGINATED, "7777", "7777");
    calls_event(bench.calls, &other, &event); /* another node's 1002 */
    calls_snapshot(bench.calls, &bench.pbx, "7777", NULL, 0);
    calls_device_state(bench.calls, "7777", DEVICE_IN_SERVICE);
    bench_expect(&bench, "");
    assert_int_equal(calls_odd_events(bench.calls), 4);
}

static void an_event_without_subject_is_somebody_elses(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    forget_trace();
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", NULL);
    bench_say(&bench, PBX_EVENT_HELD, "1001", NULL);
    bench_expect(&bench, "");
    assert_int_equal(calls_odd_events(bench.calls), 2);
}

/* Each event of a basic call, told again right away at the same monitor. */
static void what_is_told_twice_is_seen_once(void **unused)
{
    static const struct {
        enum pbx_event_type type;
        const char *at, *subject;
    } story[] = {
        {PBX_EVENT_INITIATED, "1001", "1001"},   {PBX_EVENT_ORIGINATED, "1001", "1001"},
        {PBX_EVENT_DELIVERED, "1002", "1002"},   {PBX_EVENT_DELIVERED, "1001", "1002"},
        {PBX_EVENT_ESTABLISHED, "1002", "1002"}, {PBX_EVENT_ESTABLISHED, "1001", "1002"},
        {PBX_EVENT_HELD, "1001", "1001"},        {PBX_EVENT_HELD, "1002", "1001"},
        {PBX_EVENT_RETRIEVED, "1001", "1001"},   {PBX_EVENT_RETRIEVED, "1002", "1001"},
        {PBX_EVENT_CLEARED, "1001", "1001"},     {PBX_EVENT_CLEARED, "1002", "1001"},
        {PBX_EVENT_CLEARED, "1002", "1002"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(story); i++) {
        bench_say(&bench, story[i].type, story[i].at, story[i].subject);
        assert_true(bench.trace.len_bytes > 0);
        forget_trace();
        /* nothing is wrong with what is known: no need to read the device */
        assert_true(bench_say(&bench, story[i].type, story[i].at, story[i].subject));
        bench_expect(&bench, "");
        assert_int_equal(calls_odd_events(bench.calls), i + 1);
    }
}

/* After the end, no event of the call raises it again, whichever comes late. */
static void a_call_that_is_over_stays_over(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1002");
    forget_trace();
    for (unsigned type = 0; type < PBX_EVENT_COUNT; type++) {
        bench_say(&bench, (enum pbx_event_type)type, "1001", "1001");
        bench_say(&bench, (enum pbx_event_type)type, "1001", "1002");
        bench_say(&bench, (enum pbx_event_type)type, "1002", "1001");
        bench_say(&bench, (enum pbx_event_type)type, "1002", "1002");
    }
    bench_expect(&bench, "");
    assert_int_equal(calls_odd_events(bench.calls), 4 * PBX_EVENT_COUNT);
}

static void a_pbx_that_starts_anew_may_use_its_call_numbers_again(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    calls_link_down(bench.calls, &bench.pbx);
    calls_snapshot(bench.calls, &bench.pbx, "1001", NULL, 0);
    forget_trace();
    bench_dial(&bench);
    bench_expect(&bench, "1001 created C1 DIALING; legs 1001:DIALING\n1001 is BUSY\n");
}

/* Something was lost or came in disorder: the device is to be read. What fits, what is told twice
 * and what concerns nobody here is no reason. */
static void an_event_that_contradicts_what_is_known_is_reported(void **unused)
{
    (void)unused;
    assert_true(bench_say(&bench, PBX_EVENT_DELIVERED, "7777", "7777"));
    assert_false(bench_say(&bench, PBX_EVENT_HELD, "1001", "1001"));
    assert_false(bench_say(&bench, PBX_EVENT_RETRIEVED, "1001", "1002"));
    assert_true(bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001")); /* it has no call, indeed */
    bench_dial(&bench);
    assert_false(bench_say(&bench, PBX_EVENT_HELD, "1001", "1002"));
    assert_false(bench_say(&bench, PBX_EVENT_INITIATED, "1001", "1001"));
    assert_true(bench_say(&bench, PBX_EVENT_DELIVERED, "1001", "1002"));
    assert_true(bench_say(&bench, PBX_EVENT_ESTABLISHED, "1001", "1002"));
    assert_false(bench_say(&bench, PBX_EVENT_DELIVERED, "1001", "1002"));
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    assert_false(bench_say(&bench, PBX_EVENT_ESTABLISHED, "1001", "1002"));
}

static void late_events_do_not_turn_a_call_back(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    forget_trace();
    bench_say(&bench, PBX_EVENT_INITIATED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_ORIGINATED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_DELIVERED, "1001", "1002");
    bench_say(&bench, PBX_EVENT_DELIVERED, "1002", "1002");
    bench_expect(&bench, "");
    bench_say(&bench, PBX_EVENT_FAILED, "1001", "1002");
    forget_trace();
    bench_say(&bench, PBX_EVENT_ESTABLISHED, "1001", "1002");
    bench_say(&bench, PBX_EVENT_DELIVERED, "1001", "1002");
    bench_say(&bench, PBX_EVENT_HELD, "1001", "1001");
    bench_expect(&bench, "");
}

/* A gateway that comes in late takes what an event surely says. */
static void a_call_that_is_met_half_way_is_taken_up(void **unused)
{
    (void)unused;
    bench_say(&bench, PBX_EVENT_DELIVERED, "1001", "1002");
    bench_expect(&bench, "1001 created C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING; with "
                         "1002:RINGING_OUTGOING\n"
                         "1001 modified C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING+remote\n"
                         "1001 is BUSY\n");
    bench_say(&bench, PBX_EVENT_ESTABLISHED, "1002", "1002");
    bench_expect(&bench, "1002 created C1 ACTIVE; legs 1002:ACTIVE; with 1001:ACTIVE\n"
                         "1002 is BUSY\n");
    bench_say(&bench, PBX_EVENT_HELD, "1003", "1003");
    bench_say(&bench, PBX_EVENT_RETRIEVED, "1003", "1003");
    bench_say(&bench, PBX_EVENT_FAILED, "1003", "1003");
    bench_say(&bench, PBX_EVENT_DIVERTED, "1003", "1003");
    bench_say(&bench, PBX_EVENT_CLEARED, "1003", "1003");
    bench_expect(&bench, ""); /* says too little of a call nobody knows */
}

static void one_of_three_who_leaves_does_not_end_the_call(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    bench_say(&bench, PBX_EVENT_ESTABLISHED, "1001", "1003");
    forget_trace();
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1003");
    bench_expect(&bench, "1001 modified C1 ACTIVE cause PARTICIPANT_LEFT; -with 1003\n");
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1002");
    bench_expect(&bench,
                 "1001 modified C1 RELEASING cause CLEARED; legs 1001:RELEASING; -with 1002\n");
}

static void a_user_cannot_be_given_calls_without_end(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < CALLS_OF_USER_MAX + 10; i++) {
        char call_id[8] = {'X', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        bench_tell(&bench, &(struct bench_event){.type = PBX_EVENT_INITIATED,
                                                 .at = "1001",
                                                 .subject = "1001",
                                                 .call_id = call_id});
    }
    assert_int_equal(calls_odd_events(bench.calls), 10);
    struct call *call;
    unsigned count = 0;
    TAILQ_FOREACH(call, &bench_user(&bench, "1001")->calls, of_user)
    count++;
    assert_int_equal(count, CALLS_OF_USER_MAX);
}

static void texts_longer_than_their_room_are_cut(void **unused)
{
    char number[300], digits[300];
    (void)unused;
    memset(number, '7', sizeof(number) - 1);
    number[sizeof(number) - 1] = '\0';
    memset(digits, 'a', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    bench_tell(&bench, &(struct bench_event){PBX_EVENT_DELIVERED, "1002", "1002", .calling = number,
                                             .called = number, .redirecting = number,
                                             .correlator = digits});
    const struct call *call = bench_call(&bench, "1002", "C1");
    assert_non_null(call);
    assert_int_equal(strlen(call->participants[0].number), PBX_NUMBER_CHARS - 1);
    assert_int_equal(strlen(call->correlator), CALL_CORRELATOR_CHARS - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_call_that_rings_at_both_devices_is_one_call_with_two_legs),
        CASE(a_call_between_two_devices_of_one_user_has_no_participants),
        CASE(each_device_has_calls_of_its_own),
        CASE(a_device_that_leaves_its_user_takes_its_legs_along),
        CASE(events_of_unknown_devices_change_nothing),
        CASE(an_event_without_subject_is_somebody_elses),
        CASE(what_is_told_twice_is_seen_once),
        CASE(a_call_that_is_over_stays_over),
        CASE(a_pbx_that_starts_anew_may_use_its_call_numbers_again),
        CASE(an_event_that_contradicts_what_is_known_is_reported),
        CASE(late_events_do_not_turn_a_call_back),
        CASE(a_call_that_is_met_half_way_is_taken_up),
        CASE(one_of_three_who_leaves_does_not_end_the_call),
        CASE(a_user_cannot_be_given_calls_without_end),
        CASE(texts_longer_than_their_room_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
