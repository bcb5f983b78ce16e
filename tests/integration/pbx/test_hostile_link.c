/* A PBX that is away, refuses, breaks off or says nothing: the driver says why once, keeps trying,
 * and has everything again when the PBX is back. */
#include "tests/integration/pbx/hostile.h"

#include "lib/common/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct pbx_make_call to_1002 = {.device = "1001", .callee = "1002"};

static void a_pbx_that_is_away_is_found_when_it_comes(void **state)
{
    struct bench *bench = *state;
    peer_leave(&bench->peer);
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    bench_run(bench, 1200);
    struct answer made = {0};
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, &made), -EAGAIN);
    assert_string_equal(bench->story, "");
    hostile_assert_logged("link to the PBX of node 1 is down: no connection: connection refused");
    peer_return(&bench->peer);
    hostile_assert_recovers(bench);
    assert_int_equal(made.count, 0);
}

static void a_pbx_that_goes_away_and_returns_is_read_again(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    peer_leave(&bench->peer);
    hostile_wait(bench, "down");
    bench_run(bench, 1500);
    assert_int_equal(hostile_count(bench, "down"), 1); /* not once for each attempt */
    peer_return(&bench->peer);
    hostile_assert_recovers(bench);
}

static void connections_that_are_closed_at_once_are_no_link(void **state)
{
    struct bench *bench = *state;
    bench->peer.hang_up = true;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->peer.connections, 2, 5000));
    assert_string_equal(bench->story, "");
    bench->peer.hang_up = false;
    hostile_assert_recovers(bench);
}

static void a_connection_that_ends_inside_a_message_is_opened_anew(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    static const char half[] = "\0\0\1\0"
                               "9999<DeliveredEvent><monitorCrossRefID>M-1001</monitor";
    peer_send_bytes(&bench->peer, half, sizeof(half) - 1);
    bench_run(bench, 50);
    assert_string_equal(bench->story, ""); /* half a message is none */
    peer_drop(&bench->peer);
    hostile_wait(bench, "down");
    assert_string_equal(bench->why_down, "the PBX closed the connection");
    hostile_assert_recovers(bench); /* and the half is not taken for the beginning */
}

static void streams_that_are_no_csta_are_given_up_with_the_reason(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *bytes;
        size_t len_bytes;
        const char *why;
    } bad[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, "format indicator 48 54"},
        {"\0\1\0\x0c"
         "0001<a/>",
         12, "format indicator 00 01"},
        {"\0\0\0\3"
         "9999",
         8, "length 3"},
        {"\0\0\0\x0c"
         "00x1<a/>",
         12, "is not four digits"},
    };
    hostile_settle(bench);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        peer_send_bytes(&bench->peer, bad[i].bytes, bad[i].len_bytes);
        hostile_wait(bench, "down");
        assert_non_null(strstr(bench->why_down, bad[i].why));
        hostile_assert_logged(bad[i].why);
        hostile_assert_recovers(bench);
    }
}

static void a_session_start_without_an_answer_ends_after_five_seconds(void **state)
{
    struct bench *bench = *state;
    bench->peer.mute[CSTA_START_SESSION] = true;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->peer.connections, 2, 7000));
    bench->peer.mute[CSTA_START_SESSION] = false;
    assert_string_equal(bench->story, "");
    hostile_assert_logged("the session: no answer within 5000 ms");
    hostile_assert_recovers(bench);
}

/* Answers a session's start in all the wrong ways, one after the other on the same connection. */
static bool answer_session_wrongly(void *context, unsigned invoke_id,
                                   const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_START_SESSION || bench->peer.connections > 1)
        return false;
    const struct csta_message done = {
        .type = CSTA_START_SESSION_DONE, .session_id = "S", .version = csta_version_uri(CSTA_ED6)};
    peer_send(&bench->peer, CSTA_INVOKE_EVENT, &done);
    peer_send(&bench->peer, 0, &done);
    peer_send(&bench->peer, invoke_id + 1, &done);
    peer_send(&bench->peer, 9998, &done);
    peer_send(&bench->peer, invoke_id, &(struct csta_message){.type = CSTA_MONITOR_STOP_DONE});
    peer_send_xml(&bench->peer, invoke_id, "<StartApplicationSessionPosResponse/>");
    peer_send_xml(&bench->peer, invoke_id, "<!DOCTYPE a><a/>");
    return true;
}

static void wrong_answers_to_a_session_start_are_none(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = answer_session_wrongly;
    bench->peer.context = bench;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->peer.connections, 2, 7000));
    hostile_assert_logged("an answer to no request");
    hostile_assert_logged("without a usable <sessionID>");
    hostile_assert_recovers(bench);
}

static const char *granted_text; /* what stands in actualSessionDuration */

static bool grant_oddly(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_START_SESSION)
        return false;
    AUTO(buf_done) struct buf xml = {0};
    buf_addf(&xml,
             "<StartApplicationSessionPosResponse><sessionID>S</sessionID><actualProtocolVersion>%s"
             "</actualProtocolVersion><actualSessionDuration>%s</actualSessionDuration>"
             "</StartApplicationSessionPosResponse>",
             csta_version_uri(CSTA_ED5), granted_text);
    peer_send_xml(&bench->peer, invoke_id, xml.data);
    return true;
}

static void no_granted_time_makes_the_driver_spin_or_sleep_for_ever(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = grant_oddly;
    bench->peer.context = bench;
    granted_text = "-9223372036854775808";
    hostile_settle(bench);
    bench_run(bench, 2500);
    assert_in_range(bench->peer.seen[CSTA_RESET_TIMER], 1, 4);
    granted_text = "9223372036854775807";
    peer_drop(&bench->peer);
    hostile_assert_recovers(bench);
    granted_text = "0";
    peer_drop(&bench->peer);
    hostile_forget(bench);
    hostile_assert_recovers(bench);
}

static void a_session_that_is_terminated_at_once_again_and_again_does_not_spin(void **state)
{
    struct bench *bench = *state;
    static const char gone[] = "<ApplicationSessionTerminated><sessionID>S1</sessionID>"
                               "</ApplicationSessionTerminated>";
    hostile_settle(bench);
    for (unsigned i = 0; i < 3; i++) {
        peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, gone);
        hostile_wait(bench, "down");
        assert_string_equal(bench->why_down, "the PBX ended the session");
        hostile_forget(bench);
        hostile_assert_recovers(bench);
        hostile_forget(bench);
    }
    assert_int_equal(bench->peer.connections, 4);
}

/* Two seconds of the PBX's questions, while people's requests go on. */
static void thousands_of_status_questions_are_each_answered(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    for (unsigned i = 0; i < 5000; i++)
        peer_send(
            &bench->peer, i % 9999,
            &(struct csta_message){.type = i % 2 == 0 ? CSTA_SYSTEM_STATUS : CSTA_REQUEST_STATUS});
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_SYSTEM_STATUS_DONE], 2500, 5000));
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_REQUEST_STATUS_DONE], 2500, 5000));
    hostile_assert_works(bench);
}

/* Its questions must not fill the gateway's memory with answers. */
static void a_pbx_that_asks_and_does_not_read_loses_the_connection(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    peer_stop_reading(&bench->peer);
    for (unsigned i = 0; i < 200 && hostile_count(bench, "down") == 0; i++) {
        for (unsigned k = 0; k < 1000; k++)
            peer_send(&bench->peer, k, &(struct csta_message){.type = CSTA_REQUEST_STATUS});
        bench_run(bench, 20);
    }
    hostile_wait(bench, "down");
    assert_string_equal(bench->why_down, "the PBX does not read what it is sent");
    peer_drop(&bench->peer);
    hostile_assert_recovers(bench);
}

static void a_status_that_wants_no_answer_gets_none(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    peer_send(&bench->peer, CSTA_INVOKE_EVENT,
              &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "enabled"});
    peer_send_xml(&bench->peer, 17, "<x:SystemStatus xmlns:x='urn:x'/>\n");
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_SYSTEM_STATUS_DONE], 1, 2000));
    bench_run(bench, 50);
    assert_int_equal(bench->peer.seen[CSTA_SYSTEM_STATUS_DONE], 1);
    hostile_assert_works(bench);
}

static void requests_that_a_gateway_does_not_serve_are_refused(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    peer_send(&bench->peer, 21, &(struct csta_message){.type = CSTA_SYSTEM_REGISTER});
    peer_send(&bench->peer, 22,
              &(struct csta_message){.type = CSTA_SNAPSHOT_DEVICE, .device = {.id = "1001"}});
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_ERROR], 2, 2000));
    hostile_assert_works(bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, hostile_begin, hostile_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pbx_that_is_away_is_found_when_it_comes),
        TEST(a_pbx_that_goes_away_and_returns_is_read_again),
        TEST(connections_that_are_closed_at_once_are_no_link),
        TEST(a_connection_that_ends_inside_a_message_is_opened_anew),
        TEST(streams_that_are_no_csta_are_given_up_with_the_reason),
        TEST(a_session_start_without_an_answer_ends_after_five_seconds),
        TEST(wrong_answers_to_a_session_start_are_none),
        TEST(no_granted_time_makes_the_driver_spin_or_sleep_for_ever),
        TEST(a_session_that_is_terminated_at_once_again_and_again_does_not_spin),
        TEST(thousands_of_status_questions_are_each_answered),
        TEST(a_pbx_that_asks_and_does_not_read_loses_the_connection),
        TEST(a_status_that_wants_no_answer_gets_none),
        TEST(requests_that_a_gateway_does_not_serve_are_refused),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
