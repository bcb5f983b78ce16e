/* Requests of people and events through the driver csta-xml. */
#include "tests/integration/pbx/driver_bench.h"
#include "tests/integration/pbx/scenes.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int begin(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    bench->peer.first_number = 1001;
    bench->peer.devices = 2;
    bench->watch_all = true;
    peer_open(&bench->peer, &bench->loop);
    bench_settings(bench, bench->peer.port);
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 2, 3000));
    bench->story[0] = '\0';
    *state = bench;
    return 0;
}

static int end(void **state)
{
    struct bench *bench = *state;
    bench_close(bench);
    free(bench);
    return 0;
}

static const struct pbx_make_call to_1002 = {.device = "1001", .callee = "1002"};

static struct csta_party party(const char *id)
{
    return (struct csta_party){.kind = CSTA_PARTY_DEVICE, .device = {.id = id}};
}

/* ---- requests ---------------------------------------------------------------------------- */

static void make_answer_and_clear_are_answered(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0}, answered = {0}, cleared = {0};
    const struct pbx_make_call call = {
        .device = "1001", .callee = "1002", .auto_answer = true, .correlator = "0a0b"};
    assert_int_equal(pbx_make_call(bench->pbx, &call, bench_note_answer, &made), 0);
    assert_int_equal(pbx_answer(bench->pbx, "C-new", "1002", bench_note_answer, &answered), 0);
    assert_int_equal(pbx_clear_connection(bench->pbx, "C-new", "1001", bench_note_answer, &cleared),
                     0);
    assert_int_equal(made.count, 0); /* from the loop only */
    assert_true(bench_until(bench, &cleared.count, 1, 1000));
    assert_true(bench_until(bench, &made.count, 1, 1000)); /* the peer tells no event of it */
    assert_true(made.good && answered.good && cleared.good);
    assert_string_equal(made.call_id, "C-new");
    assert_string_equal(answered.call_id, "");
    assert_int_equal(bench->peer.seen[CSTA_MAKE_CALL], 1);
}

static void a_refusal_is_told_in_the_words_of_the_service(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    bench->peer.refuse[CSTA_MAKE_CALL] = "operation.invalidCalledDeviceID";
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &made.count, 1, 1000));
    assert_false(made.good);
    assert_int_equal(made.type, TELEPHONY_BAD_PARAMETER_VALUE);
    assert_int_equal(made.cause, TELEPHONY_CAUSE_INVALID_DESTINATION);
    assert_string_equal(made.text, "operation.invalidCalledDeviceID");
}

static unsigned held_invoke_id;

static bool hold_make_call(void *context, unsigned invoke_id, const struct csta_message *message)
{
    (void)context;
    if (message->type == CSTA_MAKE_CALL)
        held_invoke_id = invoke_id;
    return message->type == CSTA_MAKE_CALL;
}

static void a_request_without_an_answer_ends_after_five_seconds(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    bench->peer.message = hold_make_call;
    uint64_t start_ms = common_boot_ms();
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &made.count, 1, 7000));
    assert_in_range(common_boot_ms() - start_ms, 4900, 6000);
    assert_int_equal(made.type, TELEPHONY_REQUEST_TIMEOUT);
    /* an answer that comes late is nobody's, and does no harm */
    peer_send(
        &bench->peer, held_invoke_id,
        &(struct csta_message){.type = CSTA_MAKE_CALL_DONE, .connection = {.call_id = "late"}});
    bench_run(bench, 50);
    assert_int_equal(made.count, 1);
    assert_int_equal(bench->downs, 0);
}

static void an_answer_of_the_wrong_kind_or_number_is_ignored(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    bench->peer.message = hold_make_call;
    held_invoke_id = 0;
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &held_invoke_id, 1, 1000));
    peer_send(&bench->peer, held_invoke_id, &(struct csta_message){.type = CSTA_ANSWER_CALL_DONE});
    peer_send(
        &bench->peer, held_invoke_id % 9000 + 500,
        &(struct csta_message){.type = CSTA_MAKE_CALL_DONE, .connection = {.call_id = "other"}});
    bench_run(bench, 50);
    assert_int_equal(made.count, 0);
    peer_send(
        &bench->peer, held_invoke_id,
        &(struct csta_message){.type = CSTA_MAKE_CALL_DONE, .connection = {.call_id = "right"}});
    assert_true(bench_until(bench, &made.count, 1, 1000));
    assert_string_equal(made.call_id, "right");
}

static void requests_under_way_fail_when_the_link_does(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0}, refused = {0};
    bench->peer.message = hold_make_call;
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), 0);
    bench_run(bench, 20);
    peer_drop(&bench->peer);
    assert_true(bench_until(bench, &made.count, 1, 1000));
    assert_int_equal(made.type, TELEPHONY_SERVICE_UNAVAILABLE);
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &refused), -EAGAIN);
    assert_true(bench_until(bench, &bench->ups, 2, 3000));
    assert_int_equal(refused.count, 0);
}

static void closing_ends_what_is_under_way_at_once(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    bench->peer.message = hold_make_call;
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), 0);
    pbx_close(bench->pbx);
    bench->pbx = NULL;
    assert_int_equal(made.count, 1);
    assert_int_equal(made.type, TELEPHONY_SERVICE_UNAVAILABLE);
    bench_run(bench, 50);
    assert_string_equal(bench->story, "");
}

static void too_many_waiting_requests_are_refused(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    bench->peer.mute[CSTA_MAKE_CALL] = true;
    int r = 0;
    unsigned taken = 0;
    for (; r == 0 && taken < 5000; taken += r == 0)
        r = pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made);
    assert_int_equal(r, -ENOBUFS);
    assert_in_range(taken, 64, 2000);
    bench_run(bench, 50);
    assert_int_equal(bench->peer.seen[CSTA_MAKE_CALL], 64); /* not more at a time */
    assert_true(bench_until(bench, &made.count, taken, 15000));
}

/* ---- events ------------------------------------------------------------------------------ */

static void a_call_is_told_from_both_ends_in_the_order_of_the_pbx(void **state)
{
    struct bench *bench = *state;
    const struct csta_connection at_1001 = {.call_id = "K7", .device = {.id = "1001"}};
    const struct csta_connection at_1002 = {.call_id = "K7", .device = {.id = "1002"}};
    const struct csta_message originated = {.type = CSTA_ORIGINATED,
                                            .connection = at_1001,
                                            .subject = party("N<1001>Ann"),
                                            .called = party("1002"),
                                            .local = CSTA_LOCAL_CONNECTED,
                                            .cause = "newCall"};
    struct csta_message delivered = {.type = CSTA_DELIVERED,
                                     .connection = at_1002,
                                     .subject = party("1002"),
                                     .calling = party("1001"),
                                     .called = party("1002"),
                                     .cause = "newCall"};
    const struct csta_message cleared = {.type = CSTA_CONNECTION_CLEARED,
                                         .connection = at_1001,
                                         .subject = party("1001"),
                                         .local = CSTA_LOCAL_NONE,
                                         .cause = "normalClearing"};
    peer_event(&bench->peer, "1001", &originated);
    peer_event(&bench->peer, "1002", &delivered);
    peer_event(&bench->peer, "1001", &delivered);
    delivered.calling = (struct csta_party){.kind = CSTA_PARTY_RESTRICTED};
    peer_event(&bench->peer, "1002", &delivered);
    peer_event(&bench->peer, "1001", &cleared);
    assert_true(bench_until(bench, &bench->events, 5, 1000));
    assert_string_equal(bench->story, "originated@1001(K7 1001,1001>1002,connected,) "
                                      "delivered@1002(K7 1002,1001>1002,alerting,) "
                                      "delivered@1001(K7 1002,1001>1002,connected,) "
                                      "delivered@1002(K7 1002,hidden>1002,alerting,) "
                                      "connection cleared@1001(K7 1001,->-,null,CLEARED) ");
}

static void unknown_monitors_and_events_are_ignored(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 0; i < 100; i++) {
        peer_event(&bench->peer, "7777",
                   &(struct csta_message){.type = CSTA_HELD, .connection = {.call_id = "K"}});
        peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                      "<Gossip><monitorCrossRefID>x"
                      "</monitorCrossRefID></Gossip>");
        peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, "<Held");
        peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, "");
    }
    peer_event(&bench->peer, "1001", &(struct csta_message){.type = CSTA_OUT_OF_SERVICE});
    assert_true(bench_until(bench, &bench->states, 3, 2000));
    assert_string_equal(bench->story, "1001:out ");
    assert_int_equal(bench->downs, 0);
}

static void an_event_without_a_word_here_makes_its_device_be_read(void **state)
{
    struct bench *bench = *state;
    bench->peer.calls[0] =
        (struct peer_call){"K3", "1002", "1003", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_CONNECTED};
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<TransferedEvent><monitorCrossRefID>M-1002</monitorCrossRefID>"
                  "<cause>transfer</cause></TransferedEvent>");
    assert_true(bench_until(bench, &bench->snapshots, 3, 1000));
    assert_string_equal(bench->story, "snapshot@1002[K3 connected 1002>1003 with 1003 connected] ");
}

static void an_event_that_contradicts_makes_its_device_be_read(void **state)
{
    struct bench *bench = *state;
    bench->disbelieves = true;
    bench->peer.calls[0] =
        (struct peer_call){"K3", "1002", "1003", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_CONNECTED};
    peer_event(&bench->peer, "1002",
               &(struct csta_message){.type = CSTA_HELD,
                                      .connection = {.call_id = "K9", .device = {.id = "1003"}},
                                      .subject = party("1003")});
    assert_true(bench_until(bench, &bench->snapshots, 3, 1000));
    assert_non_null(
        strstr(bench->story, " snapshot@1002[K3 connected 1002>1003 with 1003 connected] "));
}

/* The call ends between the list of calls and the question about it: the old list must not be
 * told. */
static bool end_call_before_the_answer(void *context, unsigned invoke_id,
                                       const struct csta_message *message)
{
    struct bench *bench = context;
    (void)invoke_id;
    if (message->type != CSTA_SNAPSHOT_CALL || bench->peer.calls[0].id == NULL)
        return false;
    bench->peer.calls[0].id = NULL;
    peer_event(&bench->peer, "1001",
               &(struct csta_message){.type = CSTA_CONNECTION_CLEARED,
                                      .connection = {.call_id = "K4", .device = {.id = "1001"}},
                                      .subject = party("1001"),
                                      .cause = "normalClearing"});
    return false;
}

static void a_snapshot_that_events_overtake_is_taken_again(void **state)
{
    struct bench *bench = *state;
    bench->peer.calls[0] =
        (struct peer_call){"K4", "1001", "1002", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_CONNECTED};
    bench->peer.message = end_call_before_the_answer;
    bench->peer.context = bench;
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<ConferencedEvent><monitorCrossRefID>M-1001</monitorCrossRefID>"
                  "</ConferencedEvent>");
    assert_true(bench_until(bench, &bench->snapshots, 3, 1000));
    assert_string_equal(bench->story, "connection cleared@1001(K4 1001,->-,null,CLEARED) "
                                      "snapshot@1001[] ");
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(make_answer_and_clear_are_answered),
        SCENE(a_refusal_is_told_in_the_words_of_the_service),
        SCENE(a_request_without_an_answer_ends_after_five_seconds),
        SCENE(an_answer_of_the_wrong_kind_or_number_is_ignored),
        SCENE(requests_under_way_fail_when_the_link_does),
        SCENE(closing_ends_what_is_under_way_at_once),
        SCENE(too_many_waiting_requests_are_refused),
        SCENE(a_call_is_told_from_both_ends_in_the_order_of_the_pbx),
        SCENE(unknown_monitors_and_events_are_ignored),
        SCENE(an_event_without_a_word_here_makes_its_device_be_read),
        SCENE(an_event_that_contradicts_makes_its_device_be_read),
        SCENE(a_snapshot_that_events_overtake_is_taken_again),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
