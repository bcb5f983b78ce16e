/* After a loss of the link: what a PBX has now against what was known. */
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

static int begin_unread(void **unused)
{
    (void)unused;
    bench_begin_unread(&bench);
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

struct seen { /* one call 1001 -> 1002 as a snapshot has it */
    const char *call_id, *party;
    enum pbx_local local, party_local;
};

static void snapshot(const char *at, const struct seen *seen, size_t count)
{
    static struct pbx_snapshot_call list[4];
    memset(list, 0, sizeof(list));
    for (size_t i = 0; i < count; i++) {
        list[i].call_id = seen[i].call_id;
        list[i].local = seen[i].local;
        list[i].calling.number = "1001";
        list[i].called.number = "1002";
        list[i].party_count = seen[i].party != NULL;
        list[i].parties[0].party.number = seen[i].party;
        list[i].parties[0].local = seen[i].party_local;
    }
    calls_snapshot(bench.calls, &bench.pbx, at, list, count);
}

static void each_pair_of_connections_gives_the_state_that_events_would(void **unused)
{
    static const struct {
        const char *at, *party;
        enum pbx_local local, party_local;
        const char *expected;
    } rows[] = {
        {"1001", NULL, PBX_LOCAL_INITIATED, PBX_LOCAL_NONE,
         "1001 created C1 OFF_HOOK; legs 1001:OFF_HOOK\n1001 is FREE\n"},
        {"1001", NULL, PBX_LOCAL_CONNECTED, PBX_LOCAL_NONE,
         "1001 created C1 DIALING; legs 1001:DIALING\n1001 is BUSY\n"},
        {"1001", "1002", PBX_LOCAL_CONNECTED, PBX_LOCAL_ALERTING,
         "1001 created C1 RINGING_OUTGOING; legs 1001:RINGING_OUTGOING+remote; with "
         "1002:RINGING_OUTGOING\n1001 is BUSY\n"},
        {"1001", "1002", PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED,
         "1001 created C1 ACTIVE; legs 1001:ACTIVE; with 1002:ACTIVE\n1001 is BUSY\n"},
        {"1001", "1002", PBX_LOCAL_HOLD, PBX_LOCAL_CONNECTED,
         "1001 created C1 HELD; legs 1001:HELD; with 1002:HELD\n1001 is BUSY\n"},
        {"1001", "1002", PBX_LOCAL_CONNECTED, PBX_LOCAL_HOLD,
         "1001 created C1 HELD; legs 1001:HELD; with 1002:HELD\n1001 is BUSY\n"},
        {"1001", "1002", PBX_LOCAL_CONNECTED, PBX_LOCAL_FAIL,
         "1001 created C1 RELEASING; legs 1001:RELEASING\n1001 is BUSY\n"},
        {"1001", NULL, PBX_LOCAL_FAIL, PBX_LOCAL_NONE,
         "1001 created C1 RELEASING; legs 1001:RELEASING\n1001 is BUSY\n"},
        {"1001", NULL, PBX_LOCAL_NONE, PBX_LOCAL_NONE, "1001 is FREE\n"},
        {"1003", "1001", PBX_LOCAL_ALERTING, PBX_LOCAL_CONNECTED,
         "1003 created C1 RINGING_INCOMING; legs 1003:RINGING_INCOMING; with "
         "1001:RINGING_INCOMING\n1003 is FREE\n"},
        {"1003", NULL, PBX_LOCAL_ALERTING, PBX_LOCAL_NONE,
         "1003 created C1 RINGING_INCOMING; legs 1003:RINGING_INCOMING; with "
         "1001:RINGING_INCOMING\n1003 is FREE\n"},
        {"1003", "1001", PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED,
         "1003 created C1 ACTIVE; legs 1003:ACTIVE; with 1001:ACTIVE\n1003 is BUSY\n"},
        {"1003", NULL, PBX_LOCAL_FAIL, PBX_LOCAL_NONE, /* perhaps it only rang */
         "1003 created C1 RELEASING; legs 1003:RELEASING\n1003 is FREE\n"},
        {"1003", NULL, PBX_LOCAL_CONNECTED, PBX_LOCAL_NONE,
         "1003 created C1 RELEASING; legs 1003:RELEASING\n1003 is BUSY\n"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct seen seen = {"C1", rows[i].party, rows[i].local, rows[i].party_local};
        bench_begin_unread(&bench);
        snapshot(rows[i].at, &seen, 1);
        bench_expect(&bench, rows[i].expected);
        snapshot(rows[i].at, &seen, 1); /* the same again: nothing new */
        bench_expect(&bench, "");
        assert_int_equal(calls_odd_events(bench.calls), 0);
        bench_end(&bench);
    }
}

static void a_user_is_unknown_until_each_of_his_devices_was_read(void **unused)
{
    const struct user *user = bench_user(&bench, "1002");
    (void)unused;
    assert_int_equal(user->state, USER_STATE_UNKNOWN);
    assert_false(user->known);
    snapshot("1002", NULL, 0);
    assert_false(user->known);
    bench_expect(&bench, "");
    snapshot("1502", NULL, 0);
    assert_true(user->known);
    bench_expect(&bench, "1002 is FREE\n");
}

static void a_device_out_of_service_need_not_be_read(void **unused)
{
    const struct user *user = bench_user(&bench, "1002");
    (void)unused;
    snapshot("1002", NULL, 0);
    calls_device_state(bench.calls, "1502", DEVICE_OUT_OF_SERVICE);
    assert_true(user->known);
    bench_expect(&bench, "1002 devices 1002:UNKNOWN 1502:OUT_OF_SERVICE\n1002 is FREE\n");
    calls_device_state(bench.calls, "1502", DEVICE_OUT_OF_SERVICE);
    bench_expect(&bench, "");
}

static void events_before_the_snapshot_show_the_call_but_no_user_state(void **unused)
{
    const struct seen seen = {"C1", NULL, PBX_LOCAL_CONNECTED, PBX_LOCAL_NONE};
    (void)unused;
    bench_dial(&bench);
    bench_expect(&bench, "1001 created C1 DIALING; legs 1001:DIALING\n");
    snapshot("1001", &seen, 1);
    bench_expect(&bench, "1001 is BUSY\n");
}

static void a_lost_link_makes_states_unknown_and_leaves_calls(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    forget_trace();
    calls_link_down(bench.calls, &bench.pbx);
    bench_expect(&bench, "1001 devices 1001:UNKNOWN\n1001 is UNKNOWN\n"
                         "1002 devices 1002:UNKNOWN 1502:UNKNOWN\n1002 is UNKNOWN\n"
                         "1003 devices 1003:UNKNOWN\n1003 is UNKNOWN\n"
                         "1004 devices 1004:UNKNOWN\n1004 is UNKNOWN\n");
    assert_non_null(bench_call(&bench, "1001", "C1"));
    assert_true(bench_user(&bench, "1001")->known);
    calls_link_down(bench.calls, &bench.pbx);
    bench_expect(&bench, "");
    snapshot("1002", NULL, 0); /* his second device has not been read again yet */
    bench_expect(&bench, "");
    snapshot("1502", NULL, 0);
    bench_expect(&bench, "1002 is FREE\n");
}

static void the_link_of_another_node_concerns_nobody_here(void **unused)
{
    const struct pbx other = {.node = "2"};
    (void)unused;
    calls_link_down(bench.calls, &other);
    bench_expect(&bench, "");
}

/* While nobody listened: one call ended, one was answered, one began. */
static void a_snapshot_tells_exactly_the_differences(void **unused)
{
    static const struct seen now[] = {
        {"C2", "1003", PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {"C3", "1004", PBX_LOCAL_ALERTING, PBX_LOCAL_CONNECTED},
    };
    (void)unused;
    bench_say(&bench, PBX_EVENT_DELIVERED, "1002", "1002");
    bench_tell(&bench, &(struct bench_event){PBX_EVENT_DELIVERED, "1002", "1002", "C2",
                                             .calling = "1003", .called = "1002"});
    calls_link_down(bench.calls, &bench.pbx);
    calls_snapshot(bench.calls, &bench.pbx, "1502", NULL, 0);
    forget_trace();
    snapshot("1002", now, 2);
    bench_expect(&bench, "1002 removed C1 cause UNKNOWN\n"
                         "1002 modified C2 ACTIVE; legs 1002:ACTIVE; with 1003:ACTIVE\n"
                         "1002 created C3 RINGING_INCOMING; legs 1002:RINGING_INCOMING; with "
                         "1004:RINGING_INCOMING\n"
                         "1002 is BUSY\n");
}

static void a_snapshot_replaces_the_parties_of_a_call(void **unused)
{
    const struct seen now = {"C1", "1003", PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED};
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    forget_trace();
    snapshot("1001", &now, 1);
    bench_expect(&bench, "1001 modified C1 ACTIVE; +with 1003:ACTIVE; -with 1002\n");
}

static void an_answered_call_with_nobody_left_is_releasing(void **unused)
{
    const struct seen now = {"C1", NULL, PBX_LOCAL_CONNECTED, PBX_LOCAL_NONE};
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    forget_trace();
    snapshot("1001", &now, 1);
    bench_expect(&bench, "1001 modified C1 RELEASING; legs 1001:RELEASING; -with 1002\n");
}

static void a_takeover_gives_the_call_the_same_reference(void **unused)
{
    const struct seen seen = {"C1", "1002", PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED};
    char before[CALL_REF_CHARS];
    (void)unused;
    bench_dial(&bench);
    memcpy(before, bench_call(&bench, "1001", "C1")->ref, sizeof(before));
    bench_end(&bench);
    bench_begin_unread(&bench); /* the other node, with nothing but the users */
    snapshot("1001", &seen, 1);
    assert_string_equal(TAILQ_FIRST(&bench_user(&bench, "1001")->calls)->ref, before);
}

static void the_calls_of_a_user_who_goes_end_without_a_word(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    forget_trace();
    calls_forget(bench_user(&bench, "1001"));
    bench_expect(&bench, "");
    users_remove(bench.users, bench_user(&bench, "1001"));
    bench_dial(&bench);
    bench_expect(&bench, "");
    assert_int_equal(calls_odd_events(bench.calls), 1);
}

#define CASE(name)        cmocka_unit_test_setup_teardown(name, begin, end)
#define UNREAD_CASE(name) cmocka_unit_test_setup_teardown(name, begin_unread, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pair_of_connections_gives_the_state_that_events_would),
        UNREAD_CASE(a_user_is_unknown_until_each_of_his_devices_was_read),
        UNREAD_CASE(a_device_out_of_service_need_not_be_read),
        UNREAD_CASE(events_before_the_snapshot_show_the_call_but_no_user_state),
        CASE(a_lost_link_makes_states_unknown_and_leaves_calls),
        CASE(the_link_of_another_node_concerns_nobody_here),
        CASE(a_snapshot_tells_exactly_the_differences),
        CASE(a_snapshot_replaces_the_parties_of_a_call),
        CASE(an_answered_call_with_nobody_left_is_releasing),
        CASE(a_takeover_gives_the_call_the_same_reference),
        CASE(the_calls_of_a_user_who_goes_end_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
