/* The basic call, event for event, as the reference flow of the interface has it. */
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

#define DIALLED                                                                                    \
    "1001 created C1 DIALING; legs 1001:DIALING\n"                                                 \
    "1001 is BUSY\n"
#define RUNG                                                                                       \
    "1002 created C1 RINGING_INCOMING; legs 1002:RINGING_INCOMING; with 1001:RINGING_INCOMING\n"   \
    "1001 modified C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING; +with "                        \
    "1002:RINGING_OUTGOING\n"                                                                      \
    "1001 modified C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING+remote\n"
#define ANSWERED                                                                                   \
    "1002 modified C1 ACTIVE; legs 1002:ACTIVE; with 1001:ACTIVE\n"                                \
    "1002 is BUSY\n"                                                                               \
    "1001 modified C1 ACTIVE; legs 1001:ACTIVE; with 1002:ACTIVE\n"

static void talk(void)
{
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    bench_expect(&bench, DIALLED RUNG ANSWERED);
}

static void a_basic_call_released_by_the_caller_has_the_reference_order(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_expect(&bench, DIALLED);
    bench_ring(&bench);
    bench_expect(&bench, RUNG);
    bench_answer(&bench);
    bench_expect(&bench, ANSWERED);
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_expect(&bench, "1001 removed C1 cause CLEARED\n"
                         "1001 is FREE\n");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1001");
    bench_expect(&bench, "1002 modified C1 RELEASING cause CLEARED; legs 1002:RELEASING; -with "
                         "1001\n");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1002");
    bench_expect(&bench, "1002 removed C1 cause CLEARED\n"
                         "1002 is FREE\n");
    assert_int_equal(calls_odd_events(bench.calls), 0);
}

static void a_basic_call_released_by_the_called_user_mirrors_it(void **unused)
{
    (void)unused;
    talk();
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1002", "1002", CAUSE_CLEARED);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1001", "1002", CAUSE_CLEARED);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1001", "1001", CAUSE_CLEARED);
    bench_expect(&bench, "1002 removed C1 cause CLEARED\n"
                         "1002 is FREE\n"
                         "1001 modified C1 RELEASING cause CLEARED; legs 1001:RELEASING; -with "
                         "1002\n"
                         "1001 removed C1 cause CLEARED\n"
                         "1001 is FREE\n");
    assert_int_equal(calls_odd_events(bench.calls), 0);
}

static void lifting_the_handset_first_is_off_hook_and_does_not_make_busy(void **unused)
{
    (void)unused;
    bench_say(&bench, PBX_EVENT_INITIATED, "1001", "1001");
    bench_expect(&bench, "1001 created C1 OFF_HOOK; legs 1001:OFF_HOOK\n");
    bench_dial(&bench);
    bench_expect(&bench, "1001 modified C1 DIALING; legs 1001:DIALING\n"
                         "1001 is BUSY\n");
    assert_string_equal(bench_call(&bench, "1001", "C1")->initial_called.number, "1002");
}

static void a_handset_put_down_before_dialling_leaves_nothing(void **unused)
{
    (void)unused;
    bench_say(&bench, PBX_EVENT_INITIATED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_expect(&bench, "1001 created C1 OFF_HOOK; legs 1001:OFF_HOOK\n"
                         "1001 removed C1 cause ABANDONED\n");
    assert_int_equal(bench_user(&bench, "1001")->state, USER_STATE_FREE);
}

static void a_caller_who_gives_up_abandons_the_call_at_both_ends(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_expect(&bench, DIALLED RUNG);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1001", "1001", CAUSE_CLEARED);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1002", "1001", CAUSE_CLEARED);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1002", "1002", CAUSE_CLEARED);
    bench_expect(&bench, "1001 removed C1 cause ABANDONED\n"
                         "1001 is FREE\n"
                         "1002 modified C1 RELEASING cause ABANDONED; legs 1002:RELEASING; -with "
                         "1001\n"
                         "1002 removed C1 cause ABANDONED\n");
    assert_int_equal(bench_user(&bench, "1002")->state, USER_STATE_FREE);
}

static void a_called_user_who_rejects_clears_the_call(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_expect(&bench, DIALLED RUNG);
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1002");
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1002");
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_expect(&bench, "1002 removed C1 cause CLEARED\n"
                         "1001 modified C1 RELEASING cause CLEARED; legs 1001:RELEASING; -with "
                         "1002\n"
                         "1001 removed C1 cause CLEARED\n"
                         "1001 is FREE\n");
}

static void a_call_nobody_answers_says_so_at_both_ends(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_expect(&bench, DIALLED RUNG);
    bench_say_why(&bench, PBX_EVENT_CLEARED, "1002", "1002", CAUSE_NOT_ANSWERED);
    bench_say_why(&bench, PBX_EVENT_FAILED, "1001", "1002", CAUSE_NOT_ANSWERED);
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_expect(&bench,
                 "1002 removed C1 cause NOT_ANSWERED\n"
                 "1001 modified C1 RELEASING cause NOT_ANSWERED; legs 1001:RELEASING; -with 1002\n"
                 "1001 removed C1 cause NOT_ANSWERED\n"
                 "1001 is FREE\n");
    assert_int_equal(calls_odd_events(bench.calls), 0);
}

static void each_failure_of_dialling_is_told_with_its_cause(void **unused)
{
    static const struct {
        enum call_cause told, expected;
    } rows[] = {
        {CAUSE_BUSY, CAUSE_BUSY},
        {CAUSE_INVALID_NUMBER, CAUSE_INVALID_NUMBER},
        {CAUSE_DESTINATION_NOT_OBTAINABLE, CAUSE_DESTINATION_NOT_OBTAINABLE},
        {CAUSE_ALL_TRUNK_BUSY, CAUSE_ALL_TRUNK_BUSY},
        {CAUSE_DO_NOT_DISTURB, CAUSE_DO_NOT_DISTURB},
        {CAUSE_ABSENT, CAUSE_UNKNOWN},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        const char *name = call_cause_names[rows[i / 2].expected - 1];
        struct buf expected = {0};
        char call_id[8] = {'F', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        const char *subject = i % 2 == 0 ? "1002" : "1001"; /* told of either connection */
        struct bench_event event = {PBX_EVENT_ORIGINATED, "1001",          "1001", call_id,
                                    .calling = "1001",    .called = "1002"};
        bench_tell(&bench, &event);
        buf_clear(&bench.trace);
        event.type = PBX_EVENT_FAILED;
        event.subject = subject;
        event.cause = rows[i / 2].told;
        bench_tell(&bench, &event);
        event = (struct bench_event){
            .type = PBX_EVENT_CLEARED, .at = "1001", .subject = "1001", .call_id = call_id};
        bench_tell(&bench, &event);
        buf_addf(&expected,
                 "1001 modified %s RELEASING cause %s; legs 1001:RELEASING\n"
                 "1001 removed %s cause %s\n1001 is FREE\n",
                 call_id, name, call_id, name);
        bench_expect(&bench, expected.data);
        buf_done(&expected);
    }
}

static void hold_and_retrieve_by_either_side_are_seen_at_both(void **unused)
{
    (void)unused;
    talk();
    bench_say(&bench, PBX_EVENT_HELD, "1001", "1001");
    bench_say(&bench, PBX_EVENT_HELD, "1002", "1001");
    bench_expect(&bench, "1001 modified C1 HELD; legs 1001:HELD; with 1002:HELD\n"
                         "1002 modified C1 HELD; legs 1002:HELD; with 1001:HELD\n");
    bench_say(&bench, PBX_EVENT_RETRIEVED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_RETRIEVED, "1002", "1001");
    bench_expect(&bench, "1001 modified C1 ACTIVE; legs 1001:ACTIVE; with 1002:ACTIVE\n"
                         "1002 modified C1 ACTIVE; legs 1002:ACTIVE; with 1001:ACTIVE\n");
}

static void a_call_held_by_both_is_active_only_when_both_retrieved_it(void **unused)
{
    (void)unused;
    talk();
    bench_say(&bench, PBX_EVENT_HELD, "1001", "1001");
    bench_say(&bench, PBX_EVENT_HELD, "1001", "1002");
    bench_say(&bench, PBX_EVENT_RETRIEVED, "1001", "1001");
    bench_expect(&bench, "1001 modified C1 HELD; legs 1001:HELD; with 1002:HELD\n");
    bench_say(&bench, PBX_EVENT_RETRIEVED, "1001", "1002");
    bench_expect(&bench, "1001 modified C1 ACTIVE; legs 1001:ACTIVE; with 1002:ACTIVE\n");
}

static void a_diverted_call_leaves_with_its_destination_and_rings_there(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_expect(&bench, DIALLED RUNG);
    struct bench_event event = {
        PBX_EVENT_DIVERTED,      "1002",           "1002",
        .calling = "1001",       .called = "1002", .new_destination = "1003",
        .cause = CAUSE_FORWARDED};
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 removed C1 cause FORWARDED to 1003\n");
    event.at = "1001";
    bench_tell(&bench, &event);
    bench_expect(&bench,
                 "1001 modified C1 DIALING cause FORWARDED; legs 1001:DIALING; -with 1002\n");
    event = (struct bench_event){PBX_EVENT_DELIVERED, "1003",           "1003",
                                 .calling = "1001",   .called = "1002", .redirecting = "1002"};
    bench_tell(&bench, &event);
    event.at = "1001";
    bench_tell(&bench, &event);
    bench_expect(&bench, "1003 created C1 RINGING_INCOMING; legs 1003:RINGING_INCOMING; with "
                         "1001:RINGING_INCOMING\n"
                         "1001 modified C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING; +with "
                         "1003:RINGING_OUTGOING\n"
                         "1001 modified C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING+remote\n");
    assert_string_equal(bench_call(&bench, "1003", "C1")->initial_called.number, "1002");
    assert_string_equal(bench_call(&bench, "1003", "C1")->last_redirecting.number, "1002");
}

static void a_call_diverted_back_rings_again(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_say(&bench, PBX_EVENT_DIVERTED, "1002", "1002");
    bench_expect(&bench, DIALLED RUNG "1002 removed C1 cause REDIRECTED\n");
    bench_say(&bench, PBX_EVENT_DELIVERED, "1002", "1002");
    bench_expect(&bench, "1002 created C1 RINGING_INCOMING; legs 1002:RINGING_INCOMING; with "
                         "1001:RINGING_INCOMING\n");
}

static void a_call_to_the_outside_is_answered_without_ringing(void **unused)
{
    struct bench_event event = {PBX_EVENT_ORIGINATED, "1001", "1001", .calling = "1001",
                                .called = "0390671234"};
    (void)unused;
    bench_tell(&bench, &event);
    event.type = PBX_EVENT_ESTABLISHED;
    event.subject = "0390671234";
    bench_tell(&bench, &event);
    bench_expect(&bench,
                 DIALLED "1001 modified C1 ACTIVE; legs 1001:ACTIVE; +with 0390671234:ACTIVE\n");
}

static void a_hidden_caller_stays_hidden_and_can_still_leave(void **unused)
{
    struct bench_event event = {PBX_EVENT_DELIVERED, "1002", "1002", .calling = "-",
                                .called = "1002"};
    (void)unused;
    bench_tell(&bench, &event);
    event.type = PBX_EVENT_ESTABLISHED;
    bench_tell(&bench, &event);
    event.type = PBX_EVENT_CLEARED;
    event.subject = "-";
    bench_tell(&bench, &event);
    bench_expect(&bench, "1002 created C1 RINGING_INCOMING; legs 1002:RINGING_INCOMING; with "
                         "anonymous:RINGING_INCOMING\n"
                         "1002 modified C1 ACTIVE; legs 1002:ACTIVE; with anonymous:ACTIVE\n"
                         "1002 is BUSY\n"
                         "1002 modified C1 RELEASING cause CLEARED; legs 1002:RELEASING; -with "
                         "anonymous\n");
}

static void the_reference_comes_from_node_and_call_alone(void **unused)
{
    char ref[CALL_REF_CHARS], other[CALL_REF_CHARS];
    (void)unused;
    call_ref_of("1", "C1", ref); /* printf 1:C1 | sha256sum */
    assert_string_equal(ref, "ba4975cbef45ec3f");
    call_ref_of("2", "C1", other);
    assert_string_not_equal(ref, other);
    bench_dial(&bench);
    bench_ring(&bench);
    assert_string_equal(TAILQ_FIRST(&bench_user(&bench, "1001")->calls)->ref, ref);
    assert_string_equal(TAILQ_FIRST(&bench_user(&bench, "1002")->calls)->ref, ref);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_basic_call_released_by_the_caller_has_the_reference_order),
        CASE(a_basic_call_released_by_the_called_user_mirrors_it),
        CASE(lifting_the_handset_first_is_off_hook_and_does_not_make_busy),
        CASE(a_handset_put_down_before_dialling_leaves_nothing),
        CASE(a_caller_who_gives_up_abandons_the_call_at_both_ends),
        CASE(a_called_user_who_rejects_clears_the_call),
        CASE(a_call_nobody_answers_says_so_at_both_ends),
        CASE(each_failure_of_dialling_is_told_with_its_cause),
        CASE(hold_and_retrieve_by_either_side_are_seen_at_both),
        CASE(a_call_held_by_both_is_active_only_when_both_retrieved_it),
        CASE(a_diverted_call_leaves_with_its_destination_and_rings_there),
        CASE(a_call_diverted_back_rings_again),
        CASE(a_call_to_the_outside_is_answered_without_ringing),
        CASE(a_hidden_caller_stays_hidden_and_can_still_leave),
        CASE(the_reference_comes_from_node_and_call_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
