/* Lists that come in pieces and never wholly, monitors and snapshots that are refused or muddled:
 * only a whole list counts, and one bad device keeps no other from working. */
#include "tests/integration/pbx/hostile.h"

#include "lib/common/common.h"

#include <stdlib.h>
#include <string.h>

/* ---- directory --------------------------------------------------------------------------- */

static const int64_t
    *script; /* segment numbers to be sent, ended by -1; a last one of 99 is last */

static void send_segment(struct bench *bench, int64_t number, const char *list_id)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "30%02d", (int)number);
    const struct csta_listed_device device = {.device = {.id = id}};
    peer_send(&bench->peer, CSTA_INVOKE_EVENT,
              &(struct csta_message){
                  .type = CSTA_DEVICES,
                  .cross_ref_id = list_id,
                  .segment_id = {.set = true, .value = number},
                  .last_segment = {.set = true, .value = number == 3},
                  .devices = &device,
                  .device_count = 1,
              });
}

static bool send_script(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_GET_DEVICES || script == NULL)
        return false;
    peer_send(&bench->peer, invoke_id,
              &(struct csta_message){.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = "L1"});
    for (size_t i = 0; script[i] >= 0; i++)
        send_segment(bench, script[i], "L1");
    return true;
}

static void follow(struct bench *bench, const int64_t *segments)
{
    script = segments;
    bench->peer.message = send_script;
    bench->peer.context = bench;
}

static void a_list_without_its_middle_is_not_told_and_monitors_go_on(void **state)
{
    struct bench *bench = *state;
    static const int64_t gap[] = {1, 3, -1};
    follow(bench, gap);
    hostile_settle(bench);
    assert_int_equal(bench->directories, 0);
    hostile_assert_logged("a segment is missing");
    hostile_assert_works(bench);
}

static void a_list_without_its_end_is_not_told_and_monitors_go_on(void **state)
{
    struct bench *bench = *state;
    static const int64_t cut[] = {1, 2, -1};
    follow(bench, cut);
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001["); /* after the time for a next segment */
    assert_int_equal(bench->directories, 0);
    hostile_assert_logged("it ends early");
    hostile_assert_works(bench);
}

static void doubled_segments_of_a_list_count_once(void **state)
{
    struct bench *bench = *state;
    static const int64_t twice[] = {1, 1, 2, 2, 3, 3, -1};
    follow(bench, twice);
    hostile_settle(bench);
    assert_int_equal(bench->directories, 1);
    assert_int_equal(bench->stations, 3);
    hostile_assert_works(bench);
}

static void a_bad_list_does_not_replace_a_good_one(void **state)
{
    struct bench *bench = *state;
    static const int64_t good[] = {1, 2, 3, -1}, gap[] = {1, 3, -1}, back[] = {3, 2, 1, -1};
    bench->settings.directory_s = 1;
    follow(bench, good);
    hostile_settle(bench);
    script = gap;
    unsigned read = bench->peer.seen[CSTA_GET_DEVICES];
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_GET_DEVICES], read + 2, 5000));
    script = back;
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_GET_DEVICES], read + 4, 5000));
    unsigned told = bench->directories;
    bench_run(bench, 50);
    assert_int_equal(bench->directories, told);
    assert_int_equal(bench->stations, 3);
    script = good;
    assert_true(bench_until(bench, &bench->directories, told + 1, 5000));
    hostile_assert_works(bench);
}

static bool send_bad_name(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_GET_DEVICES)
        return false;
    peer_send(&bench->peer, invoke_id,
              &(struct csta_message){.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = "L1"});
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SwitchingFunctionDevices xmlns=\""
                  "http://www.ecma-international.org/standards/ecma-323/csta/ed6\">"
                  "<serviceCrossRefID>L1</serviceCrossRefID><segmentID>1</segmentID>"
                  "<lastSegment>true</lastSegment><deviceList><device><deviceID>"
                  "N&lt;3001&gt;T\xe9o \x02</deviceID></device><device><deviceID>3002</deviceID>"
                  "</device></deviceList></SwitchingFunctionDevices>");
    return true;
}

static void one_bad_character_in_a_name_does_not_spoil_the_list(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = send_bad_name;
    bench->peer.context = bench;
    hostile_settle(bench);
    assert_int_equal(bench->directories, 1);
    assert_int_equal(bench->stations, 2);
    hostile_assert_works(bench);
}

static void lists_nobody_asked_for_are_ignored(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    for (int64_t i = 1; i <= 3; i++)
        send_segment(bench, i, "L9");
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<SnapshotDeviceData><serviceCrossRefID>C-1001</serviceCrossRefID>"
                  "<lastSegment>true</lastSegment><snapshotData/></SnapshotDeviceData>");
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<SwitchingFunctionDevices><serviceCrossRefID>L1</serviceCrossRefID>"
                  "<lastSegment>perhaps</lastSegment><deviceList/></SwitchingFunctionDevices>");
    hostile_assert_works(bench);
    assert_int_equal(bench->directories, 1);
    assert_int_equal(bench->stations, 3);
    hostile_assert_logged("a device list that nobody asked for");
}

static bool send_odd_devices(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_GET_DEVICES)
        return false;
    peer_send(&bench->peer, invoke_id,
              &(struct csta_message){.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = "L1"});
    AUTO(buf_done) struct buf xml = {0};
    buf_adds(&xml, "<SwitchingFunctionDevices><serviceCrossRefID>L1</serviceCrossRefID>"
                   "<segmentID>1</segmentID><lastSegment>1</lastSegment><deviceList>"
                   "<device><deviceID>1001</deviceID></device>"
                   "<device><deviceID>1001</deviceID></device>"
                   "<device><deviceID>N&lt;</deviceID></device>"
                   "<device><deviceID>;;;</deviceID></device>"
                   "<device><deviceID>a trunk</deviceID></device>"
                   "<device><deviceID>7001</deviceID><deviceCategory>park</deviceCategory></device>"
                   "<device><deviceID>N&lt;1002&gt;A;displayNumber=1002</deviceID></device>"
                   "<device><deviceID>N&lt;1005&gt;A;displayNumber=1006</deviceID></device>"
                   "<device><deviceID>N&lt;1006&gt;A;displayNumber=1005</deviceID></device>");
    while (xml.len_bytes < 65000)
        buf_adds(&xml, "<device><deviceID>N&lt;1001&gt;;displayNumber=1001</deviceID></device>");
    buf_adds(&xml, "</deviceList></SwitchingFunctionDevices>");
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, xml.data);
    return true;
}

static void of_an_odd_list_the_stations_are_taken_once_each(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = send_odd_devices;
    bench->peer.context = bench;
    hostile_settle(bench);
    assert_int_equal(bench->directories, 1);
    assert_int_equal(bench->stations, 4); /* 1001, 1002, 1005, 1006 */
    hostile_assert_works(bench);
}

/* ---- monitors ---------------------------------------------------------------------------- */

static bool same_monitor_for_all(void *context, unsigned invoke_id,
                                 const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_MONITOR_START)
        return false;
    peer_send(&bench->peer, invoke_id,
              &(struct csta_message){.type = CSTA_MONITOR_START_DONE, .monitor_id = "M-1001"});
    return true;
}

static void a_monitor_identifier_given_twice_belongs_to_the_first(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = same_monitor_for_all;
    bench->peer.context = bench;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    hostile_wait(bench, "snapshot@1001[");
    bench_run(bench, 100);
    assert_int_equal(hostile_count(bench, "snapshot@1002["), 0);
    hostile_assert_logged("1002: monitor");
    hostile_assert_works(bench);
    bench->peer.message = NULL; /* the PBX comes to its senses: the other is tried again */
    hostile_wait(bench, "snapshot@1002[");
}

static const char *bad_device; /* everything of this one is refused */

static bool refuse_one(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->device.id == NULL || bad_device == NULL ||
        strcmp(message->device.id, bad_device) != 0)
        return false;
    peer_send_xml(&bench->peer, invoke_id,
                  "<CSTAErrorCode><operation>invalidDeviceID</operation></CSTAErrorCode>");
    return true;
}

static void a_device_the_pbx_refuses_keeps_no_other_from_working(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = refuse_one;
    bench->peer.context = bench;
    bad_device = "1002";
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[");
    bench_run(bench, 2500);
    assert_in_range(bench->peer.seen[CSTA_MONITOR_START], 3, 5); /* tried again, not at once */
    hostile_assert_logged("1002: operation.invalidDeviceID");
    hostile_assert_works(bench);
    bad_device = NULL;
    hostile_wait(bench, "snapshot@1002[");
}

static void a_device_without_an_answer_keeps_no_other_from_working(void **state)
{
    struct bench *bench = *state;
    bench->peer.mute[CSTA_SNAPSHOT_DEVICE] = true;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1002"), 0);
    assert_true(bench_until(bench, &bench->peer.seen[CSTA_SNAPSHOT_DEVICE], 1, 2000));
    bench->peer.mute[CSTA_SNAPSHOT_DEVICE] = false;
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[");
    hostile_assert_works(bench);
    hostile_wait(bench, "snapshot@1002["); /* five seconds, then once more */
}

/* ---- snapshots --------------------------------------------------------------------------- */

static unsigned promised; /* lists of calls that were only promised */

static bool promise_segments(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type != CSTA_SNAPSHOT_DEVICE || promised++ > 0)
        return false;
    peer_send(&bench->peer, invoke_id,
              &(struct csta_message){.type = CSTA_SNAPSHOT_DEVICE_DONE, .cross_ref_id = "C9"});
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<SnapshotDeviceData><serviceCrossRefID>C9</serviceCrossRefID><segmentID>1"
                  "</segmentID><lastSegment>false</lastSegment><snapshotData>"
                  "<snapshotDeviceResponseInfo><connectionIdentifier><callID>half</callID>"
                  "</connectionIdentifier></snapshotDeviceResponseInfo></snapshotData>"
                  "</SnapshotDeviceData>");
    return true;
}

static void half_a_list_of_calls_is_not_told(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = promise_segments;
    bench->peer.context = bench;
    promised = 0;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[]"); /* the second one */
    assert_int_equal(bench->snapshots, 1);
    hostile_assert_works(bench);
}

static bool answer_odd_calls(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    if (message->type == CSTA_SNAPSHOT_DEVICE)
        peer_send_xml(
            &bench->peer, invoke_id,
            "<SnapshotDeviceResponse><crossRefIDorSnapshotData><snapshotData>"
            "<snapshotDeviceResponseInfo><connectionIdentifier><deviceID>1001</deviceID>"
            "</connectionIdentifier></snapshotDeviceResponseInfo>"
            "<snapshotDeviceResponseInfo><connectionIdentifier><callID>gone</callID>"
            "</connectionIdentifier><localCallState><simpleCallState>callNull</simpleCallState>"
            "</localCallState></snapshotDeviceResponseInfo>"
            "<snapshotDeviceResponseInfo><connectionIdentifier><callID>odd</callID>"
            "</connectionIdentifier><localCallState><simpleCallState>tomorrow</simpleCallState>"
            "</localCallState></snapshotDeviceResponseInfo>"
            "</snapshotData></crossRefIDorSnapshotData></SnapshotDeviceResponse>");
    else if (message->type == CSTA_SNAPSHOT_CALL)
        peer_send_xml(&bench->peer, invoke_id,
                      "<SnapshotCallResponse><crossRefIDorSnapshotData><snapshotData>"
                      "<snapshotCallResponseInfo><deviceOnCall><deviceIdentifier>1001"
                      "</deviceIdentifier></deviceOnCall><localConnectionState>alerting"
                      "</localConnectionState></snapshotCallResponseInfo>"
                      "<snapshotCallResponseInfo><deviceOnCall><restricted/></deviceOnCall>"
                      "</snapshotCallResponseInfo></snapshotData></crossRefIDorSnapshotData>"
                      "</SnapshotCallResponse>");
    else
        return false;
    return true;
}

static void of_odd_calls_what_can_be_known_is_told(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = answer_odd_calls;
    bench->peer.context = bench;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[odd alerting ->- with hidden null] ");
    bench->peer.message = NULL;
    hostile_assert_works(bench);
}

/* A device whose state changes faster than it can be read: told are its events, and no old list. */
static unsigned overtaking;

static bool overtake(void *context, unsigned invoke_id, const struct csta_message *message)
{
    struct bench *bench = context;
    (void)invoke_id;
    if (message->type == CSTA_SNAPSHOT_CALL && overtaking > 0) {
        const struct csta_message rings = hostile_delivered("1001", "newer");
        overtaking--;
        peer_event(&bench->peer, "1001", &rings);
    }
    return false;
}

static void a_device_that_never_rests_is_read_in_the_end(void **state)
{
    struct bench *bench = *state;
    bench->peer.calls[0] = (struct peer_call){.id = "older",
                                              .from = "1001",
                                              .to = "1002",
                                              .from_local = CSTA_LOCAL_CONNECTED,
                                              .to_local = CSTA_LOCAL_CONNECTED};
    bench->peer.message = overtake;
    bench->peer.context = bench;
    overtaking = 6;
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[older connected ");
    assert_int_equal(overtaking, 0);
    assert_int_equal(bench->snapshots, 1);
    assert_int_equal(bench->events, 6);
    hostile_assert_works(bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, hostile_begin, hostile_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_without_its_middle_is_not_told_and_monitors_go_on),
        TEST(a_list_without_its_end_is_not_told_and_monitors_go_on),
        TEST(doubled_segments_of_a_list_count_once),
        TEST(a_bad_list_does_not_replace_a_good_one),
        TEST(one_bad_character_in_a_name_does_not_spoil_the_list),
        TEST(lists_nobody_asked_for_are_ignored),
        TEST(of_an_odd_list_the_stations_are_taken_once_each),
        TEST(a_monitor_identifier_given_twice_belongs_to_the_first),
        TEST(a_device_the_pbx_refuses_keeps_no_other_from_working),
        TEST(a_device_without_an_answer_keeps_no_other_from_working),
        TEST(half_a_list_of_calls_is_not_told),
        TEST(of_odd_calls_what_can_be_known_is_told),
        TEST(a_device_that_never_rests_is_read_in_the_end),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
