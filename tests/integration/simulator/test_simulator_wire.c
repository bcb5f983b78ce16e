/* The simulated PBX as its clients see it: sessions, device list, monitors, calls, refusals. */
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "tests/integration/simulator/csta_client.h"
#include "tests/support/simulator_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct simulator_server server;
static struct csta_client client;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A simulator without options and a client with a session. */
static int open_both(void **unused)
{
    (void)unused;
    simulator_server_start(&server, NULL);
    csta_client_open(&client, server.csta_port);
    return 0;
}

static int close_both(void **unused)
{
    (void)unused;
    csta_client_close(&client);
    return simulator_server_stop(&server);
}

/* Closes the simulator that the test has started itself. */
static int close_server(void **unused)
{
    (void)unused;
    return simulator_server_stop(&server);
}

static void key(const char *number, const char *key_name, const char *body)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "/phones/%s/%s", number, key_name);
    simulator_server_do(&server, "POST", path, body);
}

/* The client watches these phones by monitors 1, 2, ... */
static void monitor(const char *const *numbers)
{
    for (unsigned i = 0; numbers[i] != NULL; i++) {
        char expected[64];
        const struct csta_message message = csta_client_monitor(numbers[i]);
        (void)snprintf(expected, sizeof(expected), "N MonitorStartResponse %u\n", i + 1);
        csta_client_ask(&client, &message, expected);
    }
}

/* The identifier of the only call there is. */
static void only_call(char out[64])
{
    AUTO(buf_done) struct buf body = {0};
    AUTO(json_freep) cJSON *calls = NULL;
    assert_int_equal(simulator_server_ask(&server, "GET", "/calls", NULL, &body), 200);
    assert_int_equal(json_parse(body.data, body.len_bytes, &calls, NULL), 0);
    assert_int_equal(cJSON_GetArraySize(calls), 1);
    (void)snprintf(out, 64, "%s", json_string(cJSON_GetArrayItem(calls, 0), "id"));
}

static struct csta_message on_connection(enum csta_type type, const char *call_id,
                                         const char *number)
{
    return (struct csta_message){.type = type,
                                 .connection = {.call_id = call_id, .device = {.id = number}}};
}

static void ask_on(enum csta_type type, const char *call_id, const char *number,
                   const char *expected)
{
    const struct csta_message message = on_connection(type, call_id, number);
    csta_client_ask(&client, &message, expected);
}

/* --- sessions --------------------------------------------------------------------------------- */
struct start {
    const char *versions[3];
    const char *user, *password, *answer;
    int64_t session_s;
};
static void expect_start(const struct start *start)
{
    size_t count = 0;
    while (count < COUNT_OF(start->versions) && start->versions[count] != NULL)
        count++;
    csta_client_connect(&client, server.csta_port);
    csta_client_ask(&client,
                    &(struct csta_message){.type = CSTA_START_SESSION,
                                           .application_id = "test",
                                           .user = start->user,
                                           .password = start->password,
                                           .versions = start->versions,
                                           .version_count = count,
                                           .session_s = {start->session_s, start->session_s != 0}},
                    start->answer);
    csta_client_close(&client);
}

static void a_session_gets_the_first_edition_that_both_know(void **unused)
{
    (void)unused;
    const char *ed6 = csta_version_uri(CSTA_ED6), *ed4 = csta_version_uri(CSTA_ED4);
    const char *ed3 = csta_version_uri(CSTA_ED3);
    const struct start rows[] = {
        {{ed6, ed4, ed3}, NULL, NULL, "N StartApplicationSessionPosResponse 60 s ed4\n", 60},
        {{ed3, ed4}, NULL, NULL, "N StartApplicationSessionPosResponse 90 s ed3\n", 1000},
        {{ed6},
         NULL,
         NULL,
         "N StartApplicationSessionNegResponse requestedProtocolVersionNotSupported\n",
         0},
        {{"http://example.com/other"},
         NULL,
         NULL,
         "N StartApplicationSessionNegResponse requestedProtocolVersionNotSupported\n",
         0},
    };
    simulator_server_start(&server, OPTIONS("--editions", "ed3,ed4", "--session", "90"));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_start(&rows[i]);
}

static void a_session_must_show_user_and_password_where_they_are_set(void **unused)
{
    (void)unused;
    const char *ed6 = csta_version_uri(CSTA_ED6);
    static const char refused[] = "N StartApplicationSessionNegResponse invalidApplicationInfo\n";
    static const char granted[] = "N StartApplicationSessionPosResponse 180 s ed6\n";
    const struct start rows[] = {
        {{ed6}, NULL, NULL, refused, 0},
        {{ed6}, "opengw", NULL, refused, 0},
        {{ed6}, "opengw", "wrong horse", refused, 0},
        {{ed6}, "somebody", "a right horse", refused, 0},
        {{ed6}, "opengw", "a right horse", granted, 0},
    };
    assert_int_equal(setenv("OXE_SIMULATOR_PASSWORD", "a right horse", 1), 0);
    simulator_server_start(&server, OPTIONS("--user", "opengw"));
    assert_int_equal(unsetenv("OXE_SIMULATOR_PASSWORD"), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_start(&rows[i]);
}

static void without_a_session_only_its_start_and_the_status_are_served(void **unused)
{
    (void)unused;
    const struct csta_message call = csta_client_make_call("1001", "1002");
    simulator_server_start(&server, NULL);
    csta_client_connect(&client, server.csta_port);
    csta_client_ask(&client, &call, "N CSTAErrorCode operation securityViolation\n");
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_SYSTEM_STATUS},
                    "N SystemStatusResponse\n");
    csta_client_close(&client);
}

static void sessions_can_be_done_without(void **unused)
{
    (void)unused;
    const struct csta_message start = csta_client_monitor("1001");
    simulator_server_start(&server, OPTIONS("--without-session"));
    csta_client_connect(&client, server.csta_port);
    csta_client_ask(&client, &start, "N MonitorStartResponse 1\n");
    csta_client_close(&client);
}

static void a_second_session_on_a_connection_is_refused(void **unused)
{
    (void)unused;
    csta_client_start(&client, "N StartApplicationSessionNegResponse maxNumberSessions\n");
}

static void a_session_that_is_not_renewed_ends_with_a_word(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_start(&server, OPTIONS("--session", "1"));
    csta_client_connect(&client, server.csta_port);
    csta_client_start(&client, "N StartApplicationSessionPosResponse 1 s ed6\n");
    assert_true(csta_client_ends(&client, &lines));
    assert_string_equal(lines.data, "ApplicationSessionTerminated serverTimeout\n");
    csta_client_close(&client);
}

static void a_renewed_session_lives_on(void **unused)
{
    (void)unused;
    simulator_server_start(&server, OPTIONS("--session", "2"));
    csta_client_connect(&client, server.csta_port);
    csta_client_start(&client, "N StartApplicationSessionPosResponse 2 s ed6\n");
    for (int i = 0; i < 3; i++) { /* 3 s in sum */
        (void)usleep(1000000);
        csta_client_ask(
            &client,
            &(struct csta_message){.type = CSTA_RESET_TIMER, .session_id = client.session_id},
            "N ResetApplicationSessionTimerPosResponse 2 s\n");
    }
    csta_client_close(&client);
}

static void another_sessions_identifier_renews_and_stops_nothing(void **unused)
{
    (void)unused;
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_RESET_TIMER, .session_id = "0-0"},
                    "N ResetApplicationSessionTimerNegResponse invalidSessionID\n");
    csta_client_ask(&client,
                    &(struct csta_message){
                        .type = CSTA_STOP_SESSION, .session_id = "0-0", .reason = "userRequested"},
                    "N StopApplicationSessionNegResponse invalidSessionID\n");
}

static void a_stopped_session_is_confirmed_and_closed(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    AUTO(buf_done) struct buf root = {0};
    (void)csta_client_send(&client, &(struct csta_message){.type = CSTA_STOP_SESSION,
                                                           .session_id = client.session_id,
                                                           .private_reason = "test"});
    assert_true(csta_client_ends(&client, &lines));
    assert_non_null(strstr(lines.data, " StopApplicationSessionPosResponse\n"));
    assert_int_equal(simulator_server_ask(&server, "GET", "/", NULL, &root), 200);
    assert_non_null(strstr(root.data, "\"monitors\":0"));
}

static void a_client_that_does_not_answer_polls_is_cut_off(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_start(&server, OPTIONS("--status-poll", "1"));
    csta_client_open(&client, server.csta_port);
    assert_true(csta_client_ends(&client, &lines));
    assert_string_equal(lines.data, "1 SystemStatus normal\n2 SystemStatus normal\n");
    csta_client_close(&client);
}

/* --- device list ------------------------------------------------------------------------------ */
static void the_device_list_comes_in_segments(void **unused)
{
    (void)unused;
    simulator_server_start(&server, OPTIONS("--users", "250", "--list-devices", "100"));
    csta_client_open(&client, server.csta_port);
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_GET_DEVICES},
                    "N GetSwitchingFunctionDevicesResponse\n"
                    "SwitchingFunctionDevices 1: 100\n"
                    "SwitchingFunctionDevices 2: 100\n"
                    "SwitchingFunctionDevices 3: 75, the last\n");
    csta_client_close(&client);
}

static void devices_of_other_kinds_make_an_empty_list(void **unused)
{
    (void)unused;
    csta_client_ask(
        &client, &(struct csta_message){.type = CSTA_GET_DEVICES, .category = "networkInterface"},
        "N GetSwitchingFunctionDevicesResponse\n"
        "SwitchingFunctionDevices 1: 0, the last\n");
}

static void a_pbx_without_phones_has_an_empty_list(void **unused)
{
    (void)unused;
    simulator_server_start(&server, OPTIONS("--users", "0"));
    csta_client_open(&client, server.csta_port);
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_GET_DEVICES},
                    "N GetSwitchingFunctionDevicesResponse\n"
                    "SwitchingFunctionDevices 1: 0, the last\n");
    csta_client_close(&client);
}

static void the_device_list_names_users_and_their_main_numbers(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf log = {0};
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_GET_DEVICES},
                    "N GetSwitchingFunctionDevicesResponse\n"
                    "SwitchingFunctionDevices 1: 22, the last\n");
    assert_int_equal(simulator_server_ask(&server, "GET", "/log", NULL, &log), 200);
    assert_non_null(strstr(log.data, "N&lt;1001&gt;Nora Lindqvist;displayNumber=1001</deviceID>"));
    assert_non_null(strstr(log.data, "N&lt;1021&gt;"));
    assert_non_null(strstr(log.data, ";displayNumber=1010</deviceID><deviceCategory>station"
                                     "</deviceCategory><deviceModelName>MOBILE<"));
}

/* --- calls ------------------------------------------------------------------------------------ */
static void a_call_by_the_client_is_told_to_both_phones_monitors(void **unused)
{
    (void)unused;
    const struct csta_message call = csta_client_make_call("1001", "1002");
    char id[64];
    monitor(OPTIONS("1001", "1002"));
    csta_client_ask(&client, &call,
                    "N MakeCallResponse 1001\n"
                    "monitor 1 OriginatedEvent 1001 connected newCall\n"
                    "monitor 2 DeliveredEvent 1002 alerting newCall\n"
                    "monitor 1 DeliveredEvent 1002 connected newCall\n");
    only_call(id);
    ask_on(CSTA_ANSWER_CALL, id, "1002",
           "N AnswerCallResponse\n"
           "monitor 2 EstablishedEvent 1002 connected normal\n"
           "monitor 1 EstablishedEvent 1002 connected normal\n");
    ask_on(CSTA_CLEAR_CONNECTION, id, "1001",
           "N ClearConnectionResponse\n"
           "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n"
           "monitor 2 ConnectionClearedEvent 1001 connected normalClearing\n"
           "monitor 2 ConnectionClearedEvent 1002 null normalClearing\n");
    ask_on(CSTA_CLEAR_CONNECTION, id, "1002", "N CSTAErrorCode operation invalidCallID\n");
}

static void a_prompted_call_waits_for_its_caller(void **unused)
{
    (void)unused;
    struct csta_message call = csta_client_make_call("1001", "1002");
    char id[64];
    call.originate = CSTA_ORIGINATE_PROMPT;
    monitor(OPTIONS("1001", "1002"));
    csta_client_ask(&client, &call,
                    "N MakeCallResponse 1001\n"
                    "monitor 1 ServiceInitiatedEvent 1001 initiated makeCall\n");
    only_call(id);
    ask_on(CSTA_ANSWER_CALL, id, "1001",
           "N AnswerCallResponse\n"
           "monitor 1 OriginatedEvent 1001 connected newCall\n"
           "monitor 2 DeliveredEvent 1002 alerting newCall\n"
           "monitor 1 DeliveredEvent 1002 connected newCall\n");
}

static void keys_of_the_phones_are_told_as_well(void **unused)
{
    (void)unused;
    monitor(OPTIONS("1001", "1002"));
    key("1001", "offhook", NULL);
    key("1001", "dial", "{\"number\":\"1002\"}");
    key("1002", "answer", NULL);
    key("1002", "hangup", NULL);
    csta_client_expect(&client, "monitor 1 ServiceInitiatedEvent 1001 initiated newCall\n"
                                "monitor 1 OriginatedEvent 1001 connected newCall\n"
                                "monitor 2 DeliveredEvent 1002 alerting newCall\n"
                                "monitor 1 DeliveredEvent 1002 connected newCall\n"
                                "monitor 2 EstablishedEvent 1002 connected normal\n"
                                "monitor 1 EstablishedEvent 1002 connected normal\n"
                                "monitor 2 ConnectionClearedEvent 1002 null normalClearing\n"
                                "monitor 1 ConnectionClearedEvent 1002 connected normalClearing\n"
                                "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n");
}

static void calls_that_fail_say_why(void **unused)
{
    (void)unused;
    const struct {
        const char *callee, *failure;
    } rows[] = {
        {"1003", "monitor 1 FailedEvent 1003 fail busy\n"},
        {"1001", "monitor 1 FailedEvent 1001 fail busy\n"},
        {"1004", "monitor 1 FailedEvent 1004 fail destOutOfOrder\n"},
        {"4711", "monitor 1 FailedEvent 4711 fail numberUnallocated\n"},
        {"reception", "monitor 1 FailedEvent reception fail invalidNumberFormat\n"},
    };
    monitor(OPTIONS("1001"));
    key("1003", "offhook", NULL);
    simulator_server_do(&server, "PUT", "/phones/1004/service", "{\"in\":false}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[256];
        const struct csta_message call = csta_client_make_call("1001", rows[i].callee);
        (void)snprintf(expected, sizeof(expected),
                       "N MakeCallResponse 1001\n"
                       "monitor 1 OriginatedEvent 1001 connected newCall\n%s",
                       rows[i].failure);
        csta_client_ask(&client, &call, expected);
        key("1001", "hangup", NULL);
        csta_client_expect(&client, "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n");
    }
}

static void a_call_nobody_answers_ends_by_the_clock(void **unused)
{
    (void)unused;
    const struct csta_message call = csta_client_make_call("1001", "1002");
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_start(&server, OPTIONS("--no-answer", "300", "--tone", "300"));
    csta_client_open(&client, server.csta_port);
    monitor(OPTIONS("1001", "1002"));
    (void)csta_client_send(&client, &call);
    for (int i = 0; i < 7; i++)
        assert_true(csta_client_line(&client, 10000, &lines));
    assert_non_null(strstr(lines.data,
                           "monitor 2 ConnectionClearedEvent 1002 null callNotAnswered\n"
                           "monitor 1 FailedEvent 1002 fail callNotAnswered\n"
                           "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n"));
    csta_client_close(&client);
}

static void of_two_releases_at_once_one_is_too_late(void **unused)
{
    (void)unused;
    char id[64];
    monitor(OPTIONS("1001", "1002"));
    key("1001", "call", "{\"number\":\"1002\"}");
    key("1002", "answer", NULL);
    free(csta_client_collect(&client));
    only_call(id);
    const struct csta_message by_1001 = on_connection(CSTA_CLEAR_CONNECTION, id, "1001");
    const struct csta_message by_1002 = on_connection(CSTA_CLEAR_CONNECTION, id, "1002");
    AUTO(buf_done) struct buf expected = {0};
    buf_addf(&expected,
             "%u ClearConnectionResponse\n"
             "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n"
             "monitor 2 ConnectionClearedEvent 1001 connected normalClearing\n"
             "monitor 2 ConnectionClearedEvent 1002 null normalClearing\n"
             "%u CSTAErrorCode operation invalidCallID\n",
             client.invoke + 1, client.invoke + 2);
    (void)csta_client_send(&client, &by_1001);
    (void)csta_client_send(&client, &by_1002);
    csta_client_expect(&client, expected.data);
}

static void snapshots_show_calls_with_all_their_parties(void **unused)
{
    (void)unused;
    const struct csta_message device = {.type = CSTA_SNAPSHOT_DEVICE, .device = {.id = "1002"}};
    char id[64];
    csta_client_ask(&client, &device, "N SnapshotDeviceResponse\n");
    key("1001", "call", "{\"number\":\"1002\"}");
    csta_client_ask(&client, &device, "N SnapshotDeviceResponse alerting+connected\n");
    only_call(id);
    ask_on(CSTA_SNAPSHOT_CALL, id, NULL,
           "N SnapshotCallResponse 1001 connected 1002 alerting calling 1001 called 1002\n");
}

static void requests_that_cannot_be_done_get_their_error(void **unused)
{
    (void)unused;
    char id[64];
    key("1003", "call", "{\"number\":\"1004\"}");
    key("1004", "answer", NULL);
    only_call(id);
    simulator_server_do(&server, "PUT", "/phones/1005/service", "{\"in\":false}");
    const struct {
        struct csta_message message;
        const char *answer;
    } rows[] = {
        {csta_client_make_call("4711", "1002"), "operation invalidCallingDeviceID"},
        {csta_client_make_call("1003", "1002"), "stateIncompatibility invalidCallingDeviceState"},
        {csta_client_make_call("1005", "1002"),
         "systemResourceAvailibility callingDeviceOutOfService"},
        {csta_client_make_call("1001", ";"), "operation invalidCalledDeviceID"},
        {csta_client_monitor("4711"), "operation invalidDeviceID"},
        {{.type = CSTA_MONITOR_START, .connection = {.call_id = id}},
         "operation invalidMonitorObject"},
        {{.type = CSTA_MONITOR_STOP, .monitor_id = "999"}, "operation invalidMonitorCrossRefID"},
        {{.type = CSTA_SNAPSHOT_DEVICE, .device = {.id = "4711"}}, "operation invalidDeviceID"},
        {on_connection(CSTA_SNAPSHOT_CALL, "FFFF", NULL), "operation invalidCallID"},
        {on_connection(CSTA_ANSWER_CALL, "FFFF", "1001"), "operation invalidCallID"},
        {on_connection(CSTA_ANSWER_CALL, id, "1001"), "operation invalidConnectionID"},
        {on_connection(CSTA_ANSWER_CALL, id, "4711"), "operation invalidDeviceID"},
        {on_connection(CSTA_ANSWER_CALL, id, "1004"), "stateIncompatibility noCallToAnswer"},
        {on_connection(CSTA_ANSWER_CALL, id, NULL), "operation invalidConnectionID"},
        {on_connection(CSTA_CLEAR_CONNECTION, "FFFF", "1001"), "operation invalidCallID"},
        {on_connection(CSTA_CLEAR_CONNECTION, id, "1001"), "operation invalidConnectionID"},
        {on_connection(CSTA_CLEAR_CONNECTION, NULL, "1001"), "operation invalidConnectionID"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[160];
        (void)snprintf(expected, sizeof(expected), "N CSTAErrorCode %s\n", rows[i].answer);
        csta_client_ask(&client, &rows[i].message, expected);
    }
}

static void send_xml(unsigned invoke, const char *xml)
{
    AUTO(buf_done) struct buf frame = {0};
    assert_int_equal(csta_frame_write(&frame, invoke, xml, strlen(xml)), 0);
    csta_client_send_bytes(&client, frame.data, frame.len_bytes);
}

static void what_it_does_not_know_is_refused_and_breaks_nothing(void **unused)
{
    (void)unused;
    send_xml(11, "<HoldCall><callToBeHeld><callID>1</callID></callToBeHeld></HoldCall>");
    send_xml(12, "<MakeCall>");
    send_xml(13, "");
    send_xml(14, "<!DOCTYPE a [<!ENTITY b \"c\">]><MakeCall>&b;</MakeCall>");
    send_xml(9999, "<HoldCall/>"); /* wants no answer */
    send_xml(9999, "nonsense");
    csta_client_expect(&client, "11 CSTAErrorCode operation serviceNotSupported\n"
                                "12 CSTAErrorCode operation generic\n"
                                "13 CSTAErrorCode operation generic\n"
                                "14 CSTAErrorCode operation generic\n");
}

static void bytes_that_are_no_frames_close_the_connection(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    csta_client_send_bytes(&client, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_true(csta_client_ends(&client, &lines));
    assert_null(lines.data);
}

static void requests_may_come_byte_by_byte(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf frame = {0};
    const struct csta_message message = csta_client_monitor("1001");
    assert_int_equal(csta_write_frame(&message, CSTA_ED6, 77, &frame, NULL), 0);
    for (size_t i = 0; i < frame.len_bytes; i++)
        csta_client_send_bytes(&client, frame.data + i, 1);
    csta_client_expect(&client, "77 MonitorStartResponse 1\n");
}

/* --- several clients and monitors ------------------------------------------------------------- */
static void monitors_belong_to_their_client_alone(void **unused)
{
    (void)unused;
    struct csta_client first = {0};
    csta_client_open(&first, server.csta_port);
    const struct csta_message start = csta_client_monitor("1001");
    csta_client_ask(&first, &start, "N MonitorStartResponse 1\n");
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_MONITOR_STOP, .monitor_id = "1"},
                    "N CSTAErrorCode operation invalidMonitorCrossRefID\n");
    csta_client_ask(&client, &start, "N MonitorStartResponse 2\n");
    key("1001", "offhook", NULL);
    csta_client_expect(&first, "monitor 1 ServiceInitiatedEvent 1001 initiated newCall\n");
    csta_client_expect(&client, "monitor 2 ServiceInitiatedEvent 1001 initiated newCall\n");
    csta_client_close(&first);
    key("1001", "hangup", NULL);
    csta_client_expect(&client, "monitor 2 ConnectionClearedEvent 1001 null normalClearing\n");
}

static void a_stopped_monitor_tells_nothing_more(void **unused)
{
    (void)unused;
    monitor(OPTIONS("1001", "1001")); /* twice is two monitors */
    csta_client_ask(&client, &(struct csta_message){.type = CSTA_MONITOR_STOP, .monitor_id = "1"},
                    "N MonitorStopResponse\n");
    key("1001", "offhook", NULL);
    csta_client_expect(&client, "monitor 2 ServiceInitiatedEvent 1001 initiated newCall\n");
}

static void service_of_phones_is_told(void **unused)
{
    (void)unused;
    simulator_server_do(&server, "PUT", "/phones/1002/service", "{\"in\":false}");
    const struct csta_message start = csta_client_monitor("1002");
    csta_client_ask(&client, &start,
                    "N MonitorStartResponse 1\n"
                    "monitor 1 OutOfServiceEvent 1002 normal\n");
    simulator_server_do(&server, "PUT", "/phones/1002/service", "{\"in\":true}");
    csta_client_expect(&client, "monitor 1 BackInServiceEvent 1002 normal\n");
    simulator_server_do(&server, "DELETE", "/phones/1002", NULL);
    csta_client_expect(&client, "monitor 1 OutOfServiceEvent 1002 normal\n");
    csta_client_ask(&client, &start, "N CSTAErrorCode operation invalidDeviceID\n");
}

/* --- size ------------------------------------------------------------------------------------- */
static void thousands_of_phones_are_listed_and_watched(void **unused)
{
    (void)unused;
    enum { USERS = 3000, PHONES = 3300 };
    AUTO(buf_done) struct buf lines = {0};
    char number[16];
    simulator_server_start(&server, OPTIONS("--users", "3000", "--first-number", "20001"));
    csta_client_open(&client, server.csta_port);
    (void)csta_client_send(&client, &(struct csta_message){.type = CSTA_GET_DEVICES});
    for (int i = 0; i < 1 + PHONES / 100; i++)
        assert_true(csta_client_line(&client, 20000, &lines));
    assert_non_null(strstr(lines.data, "SwitchingFunctionDevices 33: 100, the last\n"));
    for (int i = 0; i < PHONES; i++) {
        (void)snprintf(number, sizeof(number), "%d", 20001 + i);
        const struct csta_message start = csta_client_monitor(number);
        (void)csta_client_send(&client, &start);
    }
    buf_clear(&lines);
    for (int i = 0; i < PHONES; i++)
        assert_true(csta_client_line(&client, 20000, &lines));
    assert_non_null(strstr(lines.data, " MonitorStartResponse 3300\n"));
    key("20001", "offhook", NULL);
    csta_client_expect(&client, "monitor 1 ServiceInitiatedEvent 20001 initiated newCall\n");
    csta_client_close(&client);
}

static void a_client_that_does_not_read_is_cut_off(void **unused)
{
    (void)unused;
    const struct csta_message list = {.type = CSTA_GET_DEVICES};
    AUTO(buf_done) struct buf root = {0};
    simulator_server_start(&server, OPTIONS("--users", "20000", "--first-number", "20001"));
    csta_client_open(&client, server.csta_port);
    for (int i = 0; i < 30; i++) /* some 4 MB each */
        (void)csta_client_send(&client, &list);
    for (int i = 0; i < 200; i++) {
        buf_done(&root);
        assert_int_equal(simulator_server_ask(&server, "GET", "/", NULL, &root), 200);
        if (strstr(root.data, "\"links\":[]") != NULL)
            break;
        (void)usleep(50000);
    }
    assert_non_null(strstr(root.data, "\"links\":[]"));
    csta_client_close(&client);
}

static void more_clients_than_there_is_room_for_are_turned_away(void **unused)
{
    (void)unused;
    enum { ROOM = 64 };
    static struct csta_client clients[ROOM];
    struct csta_client surplus;
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_start(&server, NULL);
    for (int i = 0; i < ROOM; i++)
        csta_client_open(&clients[i], server.csta_port);
    csta_client_connect(&surplus, server.csta_port);
    assert_true(csta_client_ends(&surplus, &lines));
    csta_client_close(&surplus);
    for (int i = 0; i < ROOM; i++)
        csta_client_close(&clients[i]);
}

int main(void)
{
#define WITH_BOTH(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
#define ALONE(name)     cmocka_unit_test_teardown(name, close_server)
    const struct CMUnitTest tests[] = {
        ALONE(a_session_gets_the_first_edition_that_both_know),
        ALONE(a_session_must_show_user_and_password_where_they_are_set),
        ALONE(without_a_session_only_its_start_and_the_status_are_served),
        ALONE(sessions_can_be_done_without),
        WITH_BOTH(a_second_session_on_a_connection_is_refused),
        ALONE(a_session_that_is_not_renewed_ends_with_a_word),
        ALONE(a_renewed_session_lives_on),
        WITH_BOTH(another_sessions_identifier_renews_and_stops_nothing),
        WITH_BOTH(a_stopped_session_is_confirmed_and_closed),
        ALONE(a_client_that_does_not_answer_polls_is_cut_off),
        ALONE(the_device_list_comes_in_segments),
        WITH_BOTH(devices_of_other_kinds_make_an_empty_list),
        ALONE(a_pbx_without_phones_has_an_empty_list),
        WITH_BOTH(the_device_list_names_users_and_their_main_numbers),
        WITH_BOTH(a_call_by_the_client_is_told_to_both_phones_monitors),
        WITH_BOTH(a_prompted_call_waits_for_its_caller),
        WITH_BOTH(keys_of_the_phones_are_told_as_well),
        WITH_BOTH(calls_that_fail_say_why),
        ALONE(a_call_nobody_answers_ends_by_the_clock),
        WITH_BOTH(of_two_releases_at_once_one_is_too_late),
        WITH_BOTH(snapshots_show_calls_with_all_their_parties),
        WITH_BOTH(requests_that_cannot_be_done_get_their_error),
        WITH_BOTH(what_it_does_not_know_is_refused_and_breaks_nothing),
        WITH_BOTH(bytes_that_are_no_frames_close_the_connection),
        WITH_BOTH(requests_may_come_byte_by_byte),
        WITH_BOTH(monitors_belong_to_their_client_alone),
        WITH_BOTH(a_stopped_monitor_tells_nothing_more),
        WITH_BOTH(service_of_phones_is_told),
        ALONE(thousands_of_phones_are_listed_and_watched),
        ALONE(a_client_that_does_not_read_is_cut_off),
        ALONE(more_clients_than_there_is_room_for_are_turned_away),
    };
    return cmocka_run_group_tests_name("simulator_wire", tests, NULL, NULL);
}
