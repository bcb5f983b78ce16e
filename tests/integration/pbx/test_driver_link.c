/* The link of the driver csta-xml: session, renewal, loss, directory, monitors. */
#include "tests/integration/pbx/driver_bench.h"
#include "tests/integration/pbx/scenes.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int begin(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    bench->peer.first_number = 1001;
    bench->peer.devices = 3;
    peer_open(&bench->peer, &bench->loop);
    bench_settings(bench, bench->peer.port);
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

/* ---- session ----------------------------------------------------------------------------- */

static void the_link_tells_up_then_the_directory_then_snapshots(void **state)
{
    struct bench *bench = *state;
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 3, 3000));
    assert_string_equal(bench->story, "up directory:3 1001:in 1002:in 1003:in "
                                      "snapshot@1001[] snapshot@1002[] snapshot@1003[] ");
    assert_string_equal(bench->first_name, "First0 Last");
}

static void the_session_is_renewed_at_half_its_time_and_stopped_at_the_end(void **state)
{
    struct bench *bench = *state;
    bench->peer.granted_s = 2;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_RESET_TIMER], 1, 2000));
    bench_run(bench, 1500);
    assert_in_range(bench->peer.seen[CSTA_RESET_TIMER], 1, 2);
    assert_int_equal(bench->downs, 0);
    pbx_close(bench->pbx);
    bench->pbx = NULL;
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_STOP_SESSION], 1, 1000));
}

static void a_refused_renewal_begins_anew(void **state)
{
    struct bench *bench = *state;
    bench->peer.granted_s = 2;
    bench->peer.refuse[CSTA_RESET_TIMER] = "operation.generic";
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 2, 5000));
    assert_int_equal(bench->downs, 1);
    assert_int_equal(bench->peer.seen[CSTA_START_SESSION], 2);
}

static void a_refused_session_is_tried_again_later(void **state)
{
    struct bench *bench = *state;
    bench->peer.refuse_session = "serverResourcesBusy";
    bench_open(bench);
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_START_SESSION], 2, 3000));
    assert_int_equal(bench->ups + bench->downs, 0);
    bench->peer.refuse_session = NULL;
    assert_true(bench_until(bench, &bench->ups, 1, 5000));
}

static const char *offered[8];
static unsigned offers;

static bool take_only_ed4(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_START_SESSION)
        return false;
    if (offers < COUNT_OF(offered))
        offered[offers++] = message->version_count == 1
                                ? csta_version_name(csta_version_parse(message->versions[0]))
                                : "list";
    bool taken =
        message->version_count == 1 && csta_version_parse(message->versions[0]) == CSTA_ED4;
    bench->peer.version = CSTA_ED4;
    if (!taken)
        peer_send(&bench->peer, invoke_id,
                  &(struct csta_message){.type = CSTA_START_SESSION_REFUSED,
                                         .reason = "requestedProtocolVersionNotSupported"});
    return !taken;
}

static void editions_are_offered_one_at_a_time_when_the_list_is_refused(void **state)
{
    struct bench *bench = *state;
    offers = 0;
    bench->peer.message = take_only_ed4;
    bench->peer.context = bench;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 20000));
    assert_int_equal(offers, 4);
    assert_string_equal(offered[0], "list");
    assert_string_equal(offered[1], "ed6");
    assert_string_equal(offered[2], "ed5");
    assert_string_equal(offered[3], "ed4");
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
}

static void without_a_session_the_first_sign_of_life_counts(void **state)
{
    struct bench *bench = *state;
    (void)snprintf(bench->settings.session, sizeof(bench->settings.session), "none");
    bench->peer.refuse[CSTA_REQUEST_STATUS] = "operation.serviceNotSupported";
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    assert_int_equal(bench->ups, 1);
    assert_int_equal(bench->peer.seen[CSTA_START_SESSION], 0);
}

static void without_a_session_a_heart_beat_of_the_pbx_is_enough(void **state)
{
    struct bench *bench = *state;
    (void)snprintf(bench->settings.session, sizeof(bench->settings.session), "none");
    bench->peer.mute[CSTA_REQUEST_STATUS] = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->peer.connections, 1, 2000));
    peer_send(&bench->peer, 1,
              &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "enabled"});
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    assert_int_equal(bench->peer.seen[CSTA_SYSTEM_STATUS_DONE], 1);
}

static void without_a_session_silence_is_no_link(void **state)
{
    struct bench *bench = *state;
    (void)snprintf(bench->settings.session, sizeof(bench->settings.session), "none");
    bench->peer.mute[CSTA_REQUEST_STATUS] = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->peer.connections, 2, 8000));
    assert_int_equal(bench->ups, 0);
}

static unsigned status_answers, status_invoke_ids;

static bool note_status_answers(void *context, unsigned invoke_id,
                                const struct csta_message *message)
{
    (void)context;
    if (message->type == CSTA_SYSTEM_STATUS_DONE || message->type == CSTA_REQUEST_STATUS_DONE) {
        status_answers++;
        status_invoke_ids = status_invoke_ids * 10000 + invoke_id;
    }
    return false;
}

static void the_state_is_answered_with_the_same_number(void **state)
{
    struct bench *bench = *state;
    status_answers = status_invoke_ids = 0;
    bench->peer.message = note_status_answers;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    peer_send(&bench->peer, 42,
              &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "enabled"});
    peer_send(&bench->peer, 43, &(struct csta_message){.type = CSTA_REQUEST_STATUS});
    assert_true(bench_until(bench, &status_answers, 2, 1000));
    assert_int_equal(status_invoke_ids, 420043);
}

/* ---- loss -------------------------------------------------------------------------------- */

static void a_lost_link_comes_back_and_its_calls_are_read_again(void **state)
{
    struct bench *bench = *state;
    bench->watch_all = true;
    bench->peer.devices = 2;
    bench->peer.calls[0] =
        (struct peer_call){"K1", "1001", "1002", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_ALERTING};
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 2, 3000));
    bench->story[0] = '\0';
    bench->peer.calls[0].to_local = CSTA_LOCAL_CONNECTED;
    bench->peer.calls[1] =
        (struct peer_call){"K2", "+33 1 4555", "1002", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_HOLD};
    peer_drop(&bench->peer);
    assert_true(bench_until(bench, &bench->snapshots, 4, 5000));
    assert_string_equal(bench->story, "down up directory:2 1001:in 1002:in "
                                      "snapshot@1001[K1 connected 1001>1002 with 1002 connected] "
                                      "snapshot@1002[K1 connected 1001>1002 with 1001 connected;"
                                      "K2 hold +33 1 4555>1002 with +33 1 4555 connected] ");
    assert_string_equal(bench->why_down, "the PBX closed the connection");
}

static void the_backup_address_is_tried_in_turn(void **state)
{
    struct bench *bench = *state;
    bench->settings.backup_port = bench->settings.port;
    (void)snprintf(bench->settings.backup_address, sizeof(bench->settings.backup_address),
                   "127.0.0.1");
    bench->settings.port = 1; /* nobody listens there */
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 3000));
}

static void a_stream_without_framing_is_opened_anew(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    peer_send_bytes(&bench->peer, "HTTP/1.1 400 Bad Request\r\n", 26);
    assert_true(bench_until(bench, &bench->ups, 2, 3000));
    assert_int_equal(bench->downs, 1);
    assert_non_null(strstr(bench->why_down, "format indicator"));
}

static void a_pbx_that_does_not_read_is_left(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    peer_stop_reading(&bench->peer);
    AUTO(buf_done) struct buf questions = {0};
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(csta_write_frame(&(struct csta_message){.type = CSTA_REQUEST_STATUS},
                                          CSTA_ED6, i, &questions, NULL),
                         0);
    for (unsigned i = 0; i < 200 && bench->downs == 0; i++) {
        peer_send_bytes(&bench->peer, questions.data, questions.len_bytes);
        bench_run(bench, 2);
    }
    assert_true(bench_until(bench, &bench->downs, 1, 5000));
    assert_string_equal(bench->why_down, "the PBX does not read what it is sent");
    assert_true(bench_until(bench, &bench->ups, 2, 3000));
}

static void the_pbx_may_end_the_session(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    peer_send(&bench->peer, CSTA_INVOKE_EVENT,
              &(struct csta_message){.type = CSTA_SESSION_TERMINATED,
                                     .session_id = "S1",
                                     .reason = "sessionTimerExpired"});
    assert_true(bench_until(bench, &bench->ups, 2, 3000));
    assert_string_equal(bench->why_down, "the PBX ended the session");
}

/* ---- directory --------------------------------------------------------------------------- */

static void the_directory_comes_in_segments_of_any_kind(void **state)
{
    struct bench *bench = *state;
    bench->peer.devices = 25;
    bench->peer.per_segment = 10;
    bench->peer.numbered_segments = bench->peer.early_segments = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    assert_int_equal(bench->stations, 25);
}

static void without_a_device_list_the_configured_one_is_told(void **state)
{
    struct bench *bench = *state;
    bench->peer.refuse[CSTA_GET_DEVICES] = "operation.serviceNotSupported";
    (void)snprintf(bench->settings.devices[0], PBX_NUMBER_CHARS, "2001");
    (void)snprintf(bench->settings.devices[1], PBX_NUMBER_CHARS, "2002");
    bench->settings.device_count = 2;
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 2, 3000));
    assert_string_equal(bench->story, "up directory:2 2001:in 2002:in "
                                      "snapshot@2001[] snapshot@2002[] ");
}

static void a_silent_device_list_stops_nobody(void **state)
{
    struct bench *bench = *state;
    bench->peer.mute[CSTA_GET_DEVICES] = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->snapshots, 1, 7000));
    assert_string_equal(bench->story, "up 1002:in snapshot@1002[] ");
}

static void the_directory_is_read_again(void **state)
{
    struct bench *bench = *state;
    bench->settings.directory_s = 1;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    bench->peer.devices = 4;
    assert_true(bench_until(bench, &bench->directories, 2, 3000));
    assert_int_equal(bench->stations, 4);
    /* a list that fails later does not replace what the PBX once gave */
    bench->peer.refuse[CSTA_GET_DEVICES] = "operation.generic";
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_GET_DEVICES], 4, 4000));
    bench_run(bench, 50);
    assert_int_equal(bench->directories, 2);
}

/* ---- monitors ---------------------------------------------------------------------------- */

static void a_refused_device_is_tried_again(void **state)
{
    struct bench *bench = *state;
    bench->peer.refuse[CSTA_MONITOR_START] = "operation.invalidDeviceID";
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_MONITOR_START], 1, 2000));
    bench->peer.refuse[CSTA_MONITOR_START] = NULL;
    assert_true(bench_until(bench, &bench->snapshots, 1, 3000));
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_START], 2);
    /* in between its user is not left in the dark */
    assert_string_equal(bench->story, "up directory:3 1001:out 1001:in snapshot@1001[] ");
}

static void a_device_that_cannot_be_watched_for_now_is_out_after_some_refusals(void **state)
{
    struct bench *bench = *state;
    bench->peer.refuse[CSTA_MONITOR_START] = "systemResourceAvailibility.resourceBusy";
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_true(bench_until(bench, &bench->states, 1, 5000));
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_START], 3);
    assert_string_equal(bench->story, "up directory:3 1001:out ");
}

static void a_pbx_without_snapshots_has_users_all_the_same(void **state)
{
    struct bench *bench = *state;
    bench->peer.refuse[CSTA_SNAPSHOT_DEVICE] = "operation.serviceNotSupported";
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 3, 2000));
}

static void a_device_that_is_out_of_service_may_say_so_by_an_error(void **state)
{
    struct bench *bench = *state;
    bench->peer.devices = 1;
    bench->peer.refuse[CSTA_SNAPSHOT_DEVICE] = "systemResourceAvailibility.deviceOutOfService";
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->states, 2, 2000));
    assert_string_equal(bench->story, "up directory:1 1001:in 1001:out ");
}

/* The devices of the first monitors that are asked for. */
static char asked[3][PBX_NUMBER_CHARS];
static unsigned asked_count;

static bool note_asked(void *context, unsigned invoke_id, const struct csta_message *message)
{
    (void)context;
    (void)invoke_id;
    if (message->type == CSTA_MONITOR_START && asked_count < COUNT_OF(asked))
        (void)snprintf(asked[asked_count++], PBX_NUMBER_CHARS, "%s", message->device.id);
    return false;
}

static void a_hastened_device_passes_the_others(void **state)
{
    struct bench *bench = *state;
    asked_count = 0;
    bench->peer.mute[CSTA_GET_DEVICES] = true; /* monitors begin after it */
    bench->peer.message = note_asked;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->ups, 1, 2000));
    for (unsigned i = 0; i < 400; i++) {
        char number[PBX_NUMBER_CHARS];
        (void)snprintf(number, sizeof(number), "%u", 1001 + i);
        assert_int_equal(pbx_monitor(bench->pbx, number), 0);
    }
    pbx_hasten(bench->pbx, "1399");
    pbx_hasten(bench->pbx, "1200");
    assert_true(bench_until(bench, &bench->snapshots, 1, 7000));
    assert_string_equal(asked[0], "1399");
    assert_string_equal(asked[1], "1200");
    assert_string_equal(asked[2], "1001");
    assert_non_null(strstr(bench->story, "snapshot@1399[] "));
}

static void a_monitor_that_nobody_wants_is_stopped(void **state)
{
    struct bench *bench = *state;
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 3, 3000));
    pbx_unmonitor(bench->pbx, "1002");
    pbx_unmonitor(bench->pbx, "1002");
    pbx_unmonitor(bench->pbx, "9999");
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_MONITOR_STOP], 1, 1000));
    bench_run(bench, 50);
    bench->story[0] = '\0';
    peer_event(&bench->peer, "1002", &(struct csta_message){.type = CSTA_OUT_OF_SERVICE});
    peer_event(&bench->peer, "1003", &(struct csta_message){.type = CSTA_OUT_OF_SERVICE});
    assert_true(bench_until(bench, &bench->states, 4, 1000));
    assert_string_equal(bench->story, "1003:out ");
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_STOP], 1);
}

static void a_monitor_that_the_pbx_stops_comes_back(void **state)
{
    struct bench *bench = *state;
    bench->peer.devices = 1;
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 1, 3000));
    peer_send(&bench->peer, 17,
              &(struct csta_message){.type = CSTA_MONITOR_STOP, .monitor_id = "M-1001"});
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_MONITOR_STOP_DONE], 1, 1000));
    assert_true(bench_until(bench, &bench->snapshots, 2, 3000));
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_START], 2);
}

static void lost_messages_make_everything_be_read_again(void **state)
{
    struct bench *bench = *state;
    bench->watch_all = true;
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 3, 3000));
    peer_send(&bench->peer, 3,
              &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "messagesLost"});
    assert_true(bench_until(bench, &bench->snapshots, 6, 3000));
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_START], 3);
    for (unsigned i = 0; i < 100; i++) /* one that says so all the time is not read all the time */
        peer_send(
            &bench->peer, 4,
            &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "messagesLost"});
    bench_run(bench, 1000);
    assert_int_equal(bench->snapshots, 6);
    assert_true(bench_until(bench, &bench->snapshots, 9, 6000));
}

static void lists_of_calls_may_come_in_segments(void **state)
{
    struct bench *bench = *state;
    bench->peer.devices = 1;
    bench->watch_all = bench->peer.snapshot_segments = true;
    bench->peer.calls[0] =
        (struct peer_call){"K1", "1001", "1002", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_CONNECTED};
    bench->peer.calls[1] =
        (struct peer_call){"K2", "1005", "1001", CSTA_LOCAL_CONNECTED, CSTA_LOCAL_HOLD};
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 1, 3000));
    assert_string_equal(bench->story, "up directory:1 1001:in "
                                      "snapshot@1001[K1 connected 1001>1002 with 1002 connected;"
                                      "K2 hold 1005>1001 with 1005 connected] ");
}

static void five_thousand_devices_are_monitored_in_seconds(void **state)
{
    struct bench *bench = *state;
    bench->peer.devices = 5000;
    bench->peer.per_segment = 400;
    bench->watch_all = true;
    uint64_t start_ms = common_boot_ms();
    bench_open(bench);
    assert_true(bench_until(bench, &bench->snapshots, 5000, 60000));
    print_message("5000 devices monitored and read within %llu ms\n",
                  (unsigned long long)(common_boot_ms() - start_ms));
    assert_int_equal(bench->peer.seen[CSTA_MONITOR_START], 5000);
    assert_int_equal(bench->peer.seen[CSTA_SNAPSHOT_DEVICE], 5000);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(the_link_tells_up_then_the_directory_then_snapshots),
        SCENE(the_session_is_renewed_at_half_its_time_and_stopped_at_the_end),
        SCENE(a_refused_renewal_begins_anew),
        SCENE(a_refused_session_is_tried_again_later),
        SCENE(editions_are_offered_one_at_a_time_when_the_list_is_refused),
        SCENE(without_a_session_the_first_sign_of_life_counts),
        SCENE(without_a_session_a_heart_beat_of_the_pbx_is_enough),
        SCENE(without_a_session_silence_is_no_link),
        SCENE(the_state_is_answered_with_the_same_number),
        SCENE(a_lost_link_comes_back_and_its_calls_are_read_again),
        SCENE(the_backup_address_is_tried_in_turn),
        SCENE(a_stream_without_framing_is_opened_anew),
        SCENE(a_pbx_that_does_not_read_is_left),
        SCENE(the_pbx_may_end_the_session),
        SCENE(the_directory_comes_in_segments_of_any_kind),
        SCENE(without_a_device_list_the_configured_one_is_told),
        SCENE(a_silent_device_list_stops_nobody),
        SCENE(the_directory_is_read_again),
        SCENE(a_refused_device_is_tried_again),
        SCENE(a_device_that_cannot_be_watched_for_now_is_out_after_some_refusals),
        SCENE(a_pbx_without_snapshots_has_users_all_the_same),
        SCENE(a_device_that_is_out_of_service_may_say_so_by_an_error),
        SCENE(a_hastened_device_passes_the_others),
        SCENE(a_monitor_that_nobody_wants_is_stopped),
        SCENE(a_monitor_that_the_pbx_stops_comes_back),
        SCENE(lost_messages_make_everything_be_read_again),
        SCENE(lists_of_calls_may_come_in_segments),
        SCENE(five_thousand_devices_are_monitored_in_seconds),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
