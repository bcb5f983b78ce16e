/* What the simulated PBX does wrong when it is asked to, as its clients meet it. */
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "tests/integration/simulator/csta_client.h"
#include "tests/support/simulator_server.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct simulator_server server;
static struct csta_client client;

/* A client that watches 1001. */
static int open_both(void **unused)
{
    (void)unused;
    const struct csta_message start = csta_client_monitor("1001");
    simulator_server_start(&server, NULL);
    csta_client_open(&client, server.csta_port);
    csta_client_ask(&client, &start, "N MonitorStartResponse 1\n");
    return 0;
}

static int close_both(void **unused)
{
    (void)unused;
    csta_client_close(&client);
    return simulator_server_stop(&server);
}

static void misbehave(const char *wishes)
{
    simulator_server_do(&server, "PUT", "/misbehave", wishes);
}

static void press(const char *key)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/phones/1001/%s", key);
    simulator_server_do(&server, "POST", path, NULL);
}

static const char lifted[] = "monitor 1 ServiceInitiatedEvent 1001 initiated newCall\n";
static const char put_back[] = "monitor 1 ConnectionClearedEvent 1001 null normalClearing\n";

/* Handset up and down; the events expected of it. */
static void expect_of_a_handset(const char *first, const char *second, const char *third)
{
    AUTO(buf_done) struct buf expected = {0};
    press("offhook");
    press("hangup");
    buf_addf(&expected, "%s%s%s", first, second, third);
    csta_client_expect(&client, expected.data);
}

/* Bytes of the next read, at most 64 KiB; 0 when nothing comes for wait_ms. */
static size_t read_piece(unsigned wait_ms)
{
    char bytes[65536];
    struct pollfd waiting = {.fd = client.fd, .events = POLLIN};
    if (poll(&waiting, 1, (int)wait_ms) <= 0)
        return 0;
    ssize_t count = recv(client.fd, bytes, sizeof(bytes), 0);
    assert_true(count > 0);
    assert_int_equal(csta_frames_add(&client.frames, bytes, (size_t)count), 0);
    return (size_t)count;
}

static void pdus_in_pieces_arrive_whole(void **unused)
{
    (void)unused;
    misbehave("{\"split_bytes\":1}");
    expect_of_a_handset(lifted, put_back, "");
    misbehave("{\"split_bytes\":100}");
    press("offhook");
    size_t first = read_piece(10000);
    assert_true(first > 0 && first < 500); /* the event has more than 500 bytes */
    csta_client_expect(&client, lifted);
}

static void delayed_pdus_come_late_and_in_order(void **unused)
{
    (void)unused;
    misbehave("{\"delay_ms\":400}");
    uint64_t started_ms = common_boot_ms();
    expect_of_a_handset(lifted, put_back, "");
    assert_true(common_boot_ms() - started_ms >= 400);
    misbehave("{\"delay_ms\":300}");
    press("offhook");
    misbehave("{}"); /* what waits still comes first */
    press("hangup");
    AUTO(buf_done) struct buf expected = {0};
    buf_addf(&expected, "%s%s", lifted, put_back);
    csta_client_expect(&client, expected.data);
}

static void events_come_twice_or_not_at_all(void **unused)
{
    (void)unused;
    misbehave("{\"duplicate_events\":2}");
    expect_of_a_handset(lifted, put_back, put_back);
    misbehave("{\"drop_events\":2}");
    expect_of_a_handset(lifted, "", "");
    misbehave("{}");
    expect_of_a_handset(lifted, put_back, "");
}

static void events_change_their_places(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf expected = {0};
    misbehave("{\"swap_events\":1}");
    expect_of_a_handset(put_back, lifted, "");
    misbehave("{\"swap_events\":2}");
    press("offhook");
    press("hangup");
    press("offhook");
    buf_addf(&expected, "%s%s%s", lifted, lifted, put_back);
    csta_client_expect(&client, expected.data);
}

static void a_swapped_event_without_a_next_one_comes_alone(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    misbehave("{\"swap_events\":1}");
    press("offhook");
    assert_true(csta_client_line(&client, 10000, &lines));
    assert_string_equal(lines.data, lifted);
}

static void answers_get_lost(void **unused)
{
    (void)unused;
    const struct csta_message start = csta_client_monitor("1002");
    misbehave("{\"drop_responses\":2}");
    AUTO(buf_done) struct buf lines = {0};
    (void)csta_client_send(&client, &start);
    (void)csta_client_send(&client, &start); /* served, but nobody hears of it */
    (void)csta_client_send(&client, &start);
    assert_true(csta_client_line(&client, 10000, &lines));
    assert_true(csta_client_line(&client, 10000, &lines));
    assert_non_null(strstr(lines.data, " MonitorStartResponse 2\n"));
    assert_non_null(strstr(lines.data, " MonitorStartResponse 4\n"));
}

static void a_dead_link_stays_open_and_says_nothing(void **unused)
{
    (void)unused;
    misbehave("{\"silent\":true}");
    press("offhook");
    (void)csta_client_send(&client, &(struct csta_message){.type = CSTA_REQUEST_STATUS});
    AUTO(buf_done) struct buf lines = {0};
    assert_false(csta_client_line(&client, 500, &lines));
    misbehave("{}");
    press("hangup");
    csta_client_expect(&client, put_back);
}

static void sessions_are_refused_on_request(void **unused)
{
    (void)unused;
    struct csta_client second;
    misbehave("{\"refuse_sessions\":true}");
    csta_client_connect(&second, server.csta_port);
    csta_client_start(&second, "N StartApplicationSessionNegResponse serverResourcesBusy\n");
    csta_client_close(&second);
}

static void sessions_end_on_request(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_do(&server, "POST", "/link/terminate", NULL);
    assert_true(csta_client_ends(&client, &lines));
    assert_string_equal(lines.data, "ApplicationSessionTerminated serverShutdown\n");
}

static void the_last_words_of_a_session_are_not_delayed(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    misbehave("{\"delay_ms\":600000}");
    press("offhook");
    simulator_server_do(&server, "POST", "/link/terminate", NULL);
    assert_true(csta_client_ends(&client, &lines));
    AUTO(buf_done) struct buf expected = {0};
    buf_addf(&expected, "%sApplicationSessionTerminated serverShutdown\n", lifted);
    assert_string_equal(lines.data, expected.data);
}

static void connections_drop_on_request_and_come_back(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf lines = {0};
    simulator_server_do(&server, "POST", "/link/drop", NULL);
    assert_true(csta_client_ends(&client, &lines));
    csta_client_close(&client);
    csta_client_open(&client, server.csta_port);
    press("offhook"); /* the monitor went with the connection */
    csta_client_expect(&client, "");
}

static void nonsense_of_all_kinds_can_be_had(void **unused)
{
    (void)unused;
    const char *const kinds[] = {"xml", "unknown", "entities", "empty"};
    char body[64];
    client.lenient = true;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        (void)snprintf(body, sizeof(body), "{\"kind\":\"%s\"}", kinds[i]);
        simulator_server_do(&server, "POST", "/link/garbage", body);
        csta_client_expect(&client, "nonsense\n");
    }
    simulator_server_do(&server, "POST", "/link/garbage", "{\"kind\":\"frame\"}");
    AUTO(buf_done) struct buf lines = {0};
    assert_false(csta_client_line(&client, 10000, &lines)); /* nothing can be read any more */
}

static void any_pdu_can_be_sent(void **unused)
{
    (void)unused;
    simulator_server_do(
        &server, "POST", "/link/send",
        "{\"invoke\":9999,\"xml\":\"<?xml version=\\\"1.0\\\" encoding=\\\"UTF-8\\\"?>"
        "<BackInServiceEvent xmlns=\\\"http://www.ecma-international.org/standards/ecma-323/csta/"
        "ed6\\\"><monitorCrossRefID>77</monitorCrossRefID><device><deviceIdentifier>4711"
        "</deviceIdentifier></device></BackInServiceEvent>\"}");
    csta_client_expect(&client, "monitor 77 BackInServiceEvent 4711\n");
}

static void wishes_are_shown_and_checked(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf answer = {0};
    misbehave("{\"split_bytes\":7,\"silent\":false,\"swap_events\":3}");
    assert_int_equal(simulator_server_ask(&server, "GET", "/misbehave", NULL, &answer), 200);
    assert_string_equal(answer.data, "{\"split_bytes\":7,\"delay_ms\":0,\"duplicate_events\":0,"
                                     "\"drop_events\":0,\"drop_responses\":0,\"swap_events\":3,"
                                     "\"silent\":false,\"refuse_sessions\":false}");
    assert_int_equal(
        simulator_server_ask(&server, "PUT", "/misbehave", "{\"split_bytes\":-1}", NULL), 400);
    assert_int_equal(simulator_server_ask(&server, "PUT", "/misbehave", "{\"silent\":1}", NULL),
                     400);
}

/* The number of PDUs that went out, each checked again as a message in strict form. */
static unsigned check_log(const char *log, size_t len_bytes)
{
    AUTO(json_freep) cJSON *list = NULL;
    unsigned count = 0;
    struct diag diag = {0};
    const cJSON *entry;
    assert_int_equal(json_parse(log, len_bytes, &list, &diag), 0);
    cJSON_ArrayForEach(entry, list)
    {
        const char *xml = json_string(entry, "xml");
        if (strcmp(json_string(entry, "direction"), "out") != 0)
            continue;
        if (csta_check(xml, strlen(xml), &diag) < 0)
            fail_msg("%s: %s", diag.text, xml);
        count++;
    }
    return count;
}

static void the_log_keeps_every_pdu_and_all_are_in_strict_form(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf before = {0};
    AUTO(buf_done) struct buf after = {0};
    assert_int_equal(simulator_server_ask(&server, "GET", "/log", NULL, &before), 200);
    unsigned sent_before = check_log(before.data, before.len_bytes);
    misbehave("{\"drop_events\":1}");
    expect_of_a_handset("", "", "");
    assert_int_equal(simulator_server_ask(&server, "GET", "/log", NULL, &after), 200);
    assert_int_equal(check_log(after.data, after.len_bytes), sent_before + 3);
    assert_non_null(strstr(after.data, "\"copies\":0,\"xml\":\"<?xml version=\\\"1.0\\\" "
                                       "encoding=\\\"UTF-8\\\"?><ServiceInitiatedEvent"));
    assert_int_equal(simulator_server_ask(&server, "GET", "/log?since=x", NULL, NULL), 400);
}

int main(void)
{
#define WITH_BOTH(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
    const struct CMUnitTest tests[] = {
        WITH_BOTH(pdus_in_pieces_arrive_whole),
        WITH_BOTH(delayed_pdus_come_late_and_in_order),
        WITH_BOTH(events_come_twice_or_not_at_all),
        WITH_BOTH(events_change_their_places),
        WITH_BOTH(a_swapped_event_without_a_next_one_comes_alone),
        WITH_BOTH(answers_get_lost),
        WITH_BOTH(a_dead_link_stays_open_and_says_nothing),
        WITH_BOTH(sessions_are_refused_on_request),
        WITH_BOTH(sessions_end_on_request),
        WITH_BOTH(the_last_words_of_a_session_are_not_delayed),
        WITH_BOTH(connections_drop_on_request_and_come_back),
        WITH_BOTH(nonsense_of_all_kinds_can_be_had),
        WITH_BOTH(any_pdu_can_be_sent),
        WITH_BOTH(wishes_are_shown_and_checked),
        WITH_BOTH(the_log_keeps_every_pdu_and_all_are_in_strict_form),
    };
    return cmocka_run_group_tests_name("simulator_faults", tests, NULL, NULL);
}
