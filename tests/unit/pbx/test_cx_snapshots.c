#include "gateway/pbx/csta_xml/cx_snapshots.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int begin(void **state)
{
    *state = cx_snapshot_new();
    assert_non_null(*state);
    return 0;
}

static int end(void **state)
{
    cx_snapshot_free(*state);
    return 0;
}

static void add(struct cx_snapshot *snapshot, const char *call_id, enum csta_local local)
{
    const struct csta_snapshot_call call = {
        .connection = {.call_id = call_id, .device = {.id = "N<1001>"}},
        .locals = &local,
        .local_count = local != CSTA_LOCAL_ABSENT};
    const struct csta_message list = {.calls = &call, .call_count = 1, .has_calls = true};
    assert_int_equal(cx_snapshot_add_calls(snapshot, &list), 0);
}

static const struct pbx_snapshot_call *calls_of(struct cx_snapshot *snapshot, size_t expected)
{
    const struct pbx_snapshot_call *calls = NULL;
    size_t count = 0;
    assert_int_equal(cx_snapshot_calls(snapshot, "1001", &calls, &count), 0);
    assert_int_equal(count, expected);
    return calls;
}

static void each_call_is_asked_about_once(void **state)
{
    struct cx_snapshot *snapshot = *state;
    add(snapshot, "K1", CSTA_LOCAL_CONNECTED);
    add(snapshot, "K2", CSTA_LOCAL_HOLD);
    struct csta_connection next;
    assert_true(cx_snapshot_next(snapshot, &next));
    assert_string_equal(next.call_id, "K1");
    assert_string_equal(next.device.id, "N<1001>"); /* as the PBX wrote it */
    cx_snapshot_answer(snapshot, NULL);
    assert_true(cx_snapshot_next(snapshot, &next));
    assert_string_equal(next.call_id, "K2");
    cx_snapshot_answer(snapshot, NULL);
    assert_false(cx_snapshot_next(snapshot, &next));
    cx_snapshot_answer(snapshot, NULL); /* one too many: nothing */
    const struct pbx_snapshot_call *calls = calls_of(snapshot, 2);
    assert_string_equal(calls[1].call_id, "K2");
    assert_int_equal(calls[1].local, PBX_LOCAL_HOLD);
    assert_int_equal(calls[1].party_count, 0);
}

static void calls_that_have_ended_or_have_no_name_are_left_out(void **state)
{
    struct cx_snapshot *snapshot = *state;
    add(snapshot, "K1", CSTA_LOCAL_NONE);
    add(snapshot, NULL, CSTA_LOCAL_CONNECTED);
    add(snapshot, "", CSTA_LOCAL_CONNECTED);
    add(snapshot, "K2", CSTA_LOCAL_ABSENT);
    const struct pbx_snapshot_call *calls = calls_of(snapshot, 1);
    assert_string_equal(calls[0].call_id, "K2");
    assert_int_equal(calls[0].local, PBX_LOCAL_CONNECTED); /* it is there */
}

static void the_parties_are_the_others(void **state)
{
    struct cx_snapshot *snapshot = *state;
    add(snapshot, "K1", CSTA_LOCAL_ABSENT);
    static const struct csta_snapshot_end ends[] = {
        {.device = {CSTA_PARTY_DEVICE, {.id = "N<1001>Me"}}, .local = CSTA_LOCAL_HOLD},
        {.device = {CSTA_PARTY_DEVICE, {.id = "N<1002>You"}}, .local = CSTA_LOCAL_ALERTING},
        {.device = {.kind = CSTA_PARTY_NOT_KNOWN},
         .connection = {.call_id = "K1", .device = {.id = "1003"}},
         .local = CSTA_LOCAL_CONNECTED},
        {.device = {.kind = CSTA_PARTY_RESTRICTED}, .local = CSTA_LOCAL_CONNECTED},
    };
    struct csta_message answer = {.type = CSTA_SNAPSHOT_CALL_DONE,
                                  .ends = ends,
                                  .end_count = COUNT_OF(ends),
                                  .has_ends = true,
                                  .calling = {CSTA_PARTY_DEVICE, {.id = "1002"}}};
    cx_snapshot_answer(snapshot, &answer);
    assert_int_equal(answer.type, CSTA_UNKNOWN); /* taken over */
    const struct pbx_snapshot_call *calls = calls_of(snapshot, 1);
    assert_int_equal(calls[0].local, PBX_LOCAL_HOLD);
    assert_string_equal(calls[0].calling.number, "1002");
    assert_null(calls[0].called.number);
    assert_int_equal(calls[0].party_count, 3);
    assert_string_equal(calls[0].parties[0].party.number, "1002");
    assert_string_equal(calls[0].parties[0].party.name, "You");
    assert_int_equal(calls[0].parties[0].local, PBX_LOCAL_ALERTING);
    assert_string_equal(calls[0].parties[1].party.number, "1003");
    assert_true(calls[0].parties[2].party.restricted);
}

static void calls_and_parties_are_bounded(void **state)
{
    struct cx_snapshot *snapshot = *state;
    for (unsigned i = 0; i < 2 * CX_SNAPSHOT_CALLS_MAX; i++)
        add(snapshot, "K", CSTA_LOCAL_CONNECTED);
    static struct csta_snapshot_end ends[2 * PBX_PARTIES_MAX];
    for (unsigned i = 0; i < COUNT_OF(ends); i++)
        ends[i].device = (struct csta_party){CSTA_PARTY_DEVICE, {.id = "1002"}};
    struct csta_message answer = {.type = CSTA_SNAPSHOT_CALL_DONE,
                                  .ends = ends,
                                  .end_count = COUNT_OF(ends),
                                  .has_ends = true};
    cx_snapshot_answer(snapshot, &answer);
    const struct pbx_snapshot_call *calls = calls_of(snapshot, CX_SNAPSHOT_CALLS_MAX);
    assert_int_equal(calls[0].party_count, PBX_PARTIES_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_call_is_asked_about_once),
        CASE(calls_that_have_ended_or_have_no_name_are_left_out),
        CASE(the_parties_are_the_others),
        CASE(calls_and_parties_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
