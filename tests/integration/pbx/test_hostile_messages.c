/* Messages that nobody should send, between messages that matter: each is skipped or told in the
 * log, the link stays, and what is known stays known. */
#include "tests/integration/pbx/hostile.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"

#include <stdlib.h>
#include <string.h>

static const struct pbx_make_call to_1002 = {.device = "1001", .callee = "1002"};

static void tell(struct bench *bench, const char *number, const char *call_id)
{
    const struct csta_message rings = hostile_delivered(number, call_id);
    peer_event(&bench->peer, number, &rings);
}

static void texts_that_are_no_message_are_skipped(void **state)
{
    struct bench *bench = *state;
    static const char *const bad[] = {
        "",
        " ",
        "<",
        "no xml at all",
        "<DeliveredEvent>",
        "<DeliveredEvent>\xc3\x28</DeliveredEvent>",
        "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]>"
        "<DeliveredEvent>&c;&c;&c;</DeliveredEvent>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><DeliveredEvent/>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
        "<a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>"
        "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
    };
    hostile_settle(bench);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char call_id[32];
        (void)snprintf(call_id, sizeof(call_id), "after-%zu", i);
        peer_send_xml(&bench->peer, i % 2 == 0 ? CSTA_INVOKE_EVENT : 3, bad[i]);
        tell(bench, "1001", call_id);
        hostile_wait(bench, call_id);
    }
    assert_int_equal(bench->events, COUNT_OF(bad));
    hostile_assert_logged("a message cannot be read");
    hostile_assert_works(bench);
}

/* XML of exactly len_bytes with something harmless inside. */
static char *fill(const char *before, char byte, const char *after, size_t len_bytes)
{
    char *xml = malloc(len_bytes + 1);
    assert_non_null(xml);
    size_t start = strlen(before), end = strlen(after);
    memcpy(xml, before, start);
    memset(xml + start, byte, len_bytes - start - end);
    memcpy(xml + len_bytes - end, after, end);
    xml[len_bytes] = '\0';
    return xml;
}

static void the_largest_frames_are_taken(void **state)
{
    struct bench *bench = *state;
    static const char start[] = "<HeldEvent><monitorCrossRefID>M-1001</monitorCrossRefID>"
                                "<heldConnection><callID>big</callID></heldConnection>"
                                "<holdingDevice><deviceIdentifier>1001</deviceIdentifier>"
                                "</holdingDevice><cause>normal</cause><extensions>";
    hostile_settle(bench);
    AUTO(common_freep)
    char *good = fill(start, ' ', "</extensions></HeldEvent>", CSTA_XML_BYTES_MAX);
    AUTO(common_freep) char *name = fill("<", 'a', "/>", CSTA_XML_BYTES_MAX);
    AUTO(common_freep)
    char *call_id = fill("<HeldEvent><monitorCrossRefID>M-1001</monitorCrossRefID><heldConnection>"
                         "<callID>",
                         '7', "</callID></heldConnection></HeldEvent>", CSTA_XML_BYTES_MAX);
    AUTO(common_freep)
    char *monitor = fill("<HeldEvent><monitorCrossRefID>", '7',
                         "</monitorCrossRefID><heldConnection><callID>1</callID></heldConnection>"
                         "</HeldEvent>",
                         CSTA_XML_BYTES_MAX);
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, name);
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, call_id);
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, monitor);
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, good);
    hostile_wait(bench, "held@1001(big 1001,");
    assert_int_equal(bench->events, 1);
    hostile_assert_works(bench);
}

static void a_whole_life_cut_into_single_bytes_is_the_same(void **state)
{
    struct bench *bench = *state;
    bench->peer.cut_bytes = 1;
    bench->peer.devices = 2;
    hostile_settle(bench);
    assert_int_equal(bench->stations, 2);
    tell(bench, "1002", "cut");
    hostile_wait(bench, "delivered@1002(cut 1002,2000>1002,alerting,");
    hostile_assert_works(bench);
}

static void pieces_of_any_size_are_the_same(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    for (size_t cut = 2; cut < 40; cut += 3) {
        char call_id[32];
        bench->peer.cut_bytes = cut;
        (void)snprintf(call_id, sizeof(call_id), "in-pieces-of-%zu", cut);
        tell(bench, "1001", call_id);
        tell(bench, "1002", call_id);
        hostile_wait(bench, "@1002(");
        assert_int_equal(hostile_count(bench, call_id), 2);
        hostile_forget(bench);
    }
    hostile_assert_works(bench);
}

static void events_of_nobody_are_ignored(void **state)
{
    struct bench *bench = *state;
    hostile_settle(bench);
    tell(bench, "1003", "not-monitored");
    tell(bench, "9999", "unknown");
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, "<HeldEvent/>");
    peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT,
                  "<QueuedEvent><monitorCrossRefID>M-77</monitorCrossRefID></QueuedEvent>");
    peer_send_xml(&bench->peer, 44,
                  "<HeldEvent><monitorCrossRefID></monitorCrossRefID></HeldEvent>");
    hostile_assert_works(bench);
    assert_int_equal(bench->events, 1);
    hostile_assert_logged("an event of no known monitor");
}

/* The subject may be anybody: somebody outside, nobody, something that is no number. */
static void odd_parties_are_told_as_unknown(void **state)
{
    struct bench *bench = *state;
    struct csta_message event = hostile_delivered("1001", "odd");
    AUTO(common_freep) char *longest = fill("", '5', "", 70);
    hostile_settle(bench);
    event.calling = (struct csta_party){.kind = CSTA_PARTY_DEVICE, .device = {.id = longest}};
    event.called = (struct csta_party){.kind = CSTA_PARTY_DEVICE, .device = {.id = "N<"}};
    event.redirection = (struct csta_party){.kind = CSTA_PARTY_RESTRICTED};
    peer_event(&bench->peer, "1001", &event);
    hostile_wait(bench, "delivered@1001(odd 1001,->-,alerting,");
    event.calling = (struct csta_party){.kind = CSTA_PARTY_RESTRICTED};
    peer_event(&bench->peer, "1001", &event);
    hostile_wait(bench, "(odd 1001,hidden>-,alerting,");
    hostile_assert_works(bench);
}

/* What it tells has happened: the device's calls are looked up instead. */
static void an_event_that_makes_no_sense_makes_its_device_be_read(void **state)
{
    struct bench *bench = *state;
    static const char *const odd[] = {
        "<HeldEvent><monitorCrossRefID>M-1001</monitorCrossRefID></HeldEvent>",
        "<HeldEvent><monitorCrossRefID>M-1001</monitorCrossRefID><heldConnection><callID>1</callID>"
        "</heldConnection><localConnectionInfo>paused</localConnectionInfo></HeldEvent>",
    };
    bench->peer.calls[0] = (struct peer_call){.id = "running",
                                              .from = "1001",
                                              .to = "1002",
                                              .from_local = CSTA_LOCAL_CONNECTED,
                                              .to_local = CSTA_LOCAL_CONNECTED};
    hostile_settle(bench);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        peer_send_xml(&bench->peer, CSTA_INVOKE_EVENT, odd[i]);
        hostile_wait(bench, "snapshot@1001[running connected ");
        hostile_forget(bench);
    }
    hostile_assert_logged("HeldEvent: <HeldEvent> without a usable <heldConnection>");
    assert_int_equal(hostile_count(bench, "snapshot@1002["), 0);
    hostile_assert_works(bench);
}

/* It is the reader's business what twice or too late means; here the order is the PBX's. */
static void doubled_and_late_events_keep_their_order(void **state)
{
    struct bench *bench = *state;
    const struct csta_message rings = hostile_delivered("1001", "C1");
    struct csta_message cleared = rings, answered = rings;
    cleared.type = CSTA_CONNECTION_CLEARED;
    cleared.local = CSTA_LOCAL_NONE;
    answered.type = CSTA_ESTABLISHED;
    answered.local = CSTA_LOCAL_CONNECTED;
    hostile_settle(bench);
    peer_event(&bench->peer, "1001", &cleared);
    peer_event(&bench->peer, "1001", &rings);
    peer_event(&bench->peer, "1001", &rings);
    peer_event(&bench->peer, "1001", &answered);
    assert_true(bench_until(bench, &bench->events, 4, 2000));
    const char *const order[] = {"connection cleared@", "delivered@", "delivered@", "established@"};
    const char *at = bench->story;
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
        at++;
    }
    hostile_assert_works(bench);
}

/* Tells of calls before the device has its monitor, and only then names it. */
static bool tell_before_the_monitor(void *context, unsigned invoke_id,
                                    const struct csta_message *message)
{
    struct bench *bench = context;
    (void)invoke_id;
    if (message->type == CSTA_MONITOR_START)
        tell(bench, message->device.id, "early");
    return false; /* the proper answer follows */
}

static void events_before_the_monitor_are_made_good_by_the_snapshot(void **state)
{
    struct bench *bench = *state;
    bench->peer.message = tell_before_the_monitor;
    bench->peer.context = bench;
    bench->peer.calls[0] = (struct peer_call){.id = "early",
                                              .from = "2000",
                                              .to = "1001",
                                              .from_local = CSTA_LOCAL_CONNECTED,
                                              .to_local = CSTA_LOCAL_ALERTING};
    bench_open(bench);
    assert_int_equal(pbx_monitor(bench->pbx, "1001"), 0);
    hostile_wait(bench, "snapshot@1001[early alerting 2000>1001");
    assert_int_equal(bench->events, 0);
    hostile_assert_works(bench);
}

/* ---- answers ----------------------------------------------------------------------------- */

static unsigned asked_invoke_id;

static bool note_make_call(void *context, unsigned invoke_id, const struct csta_message *message)
{
    (void)context;
    if (message->type == CSTA_MAKE_CALL)
        asked_invoke_id = invoke_id;
    return message->type == CSTA_MAKE_CALL;
}

static void ask(struct bench *bench, struct answer *made)
{
    bench->peer.message = note_make_call;
    asked_invoke_id = 0;
    assert_int_equal(pbx_make_call(bench->pbx, &to_1002, bench_note_answer, made), 0);
    assert_true(bench_until(bench, &asked_invoke_id, 1, 2000));
}

static void an_answer_counts_once(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    hostile_settle(bench);
    ask(bench, &made);
    for (unsigned i = 0; i < 3; i++)
        peer_send(&bench->peer, asked_invoke_id,
                  &(struct csta_message){.type = CSTA_MAKE_CALL_DONE,
                                         .connection = {.call_id = i == 0 ? "first" : "again"}});
    assert_true(bench_until(bench, &made.count, 1, 2000));
    bench_run(bench, 50);
    assert_int_equal(made.count, 1);
    assert_string_equal(made.call_id, "first");
    bench->peer.message = NULL;
    hostile_assert_works(bench);
}

static void answers_that_cannot_be_read_leave_the_request_to_its_time(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    static const char *const bad[] = {
        "<MakeCallResponse/>",
        "<MakeCallResponse><callingDevice/></MakeCallResponse>",
        "<MakeCallResponse><callingDevice><callID></callID></callingDevice></MakeCallResponse>",
        "<MakeCallResponse>",
        "<AnswerCallResponse/>",
        "<StopApplicationSessionPosResponse/>",
        "<SnapshotDeviceResponse/>",
    };
    hostile_settle(bench);
    ask(bench, &made);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        peer_send_xml(&bench->peer, asked_invoke_id, bad[i]);
    bench_run(bench, 100);
    assert_int_equal(made.count, 0);
    assert_true(bench_until(bench, &made.count, 1, 6000));
    assert_int_equal(made.type, TELEPHONY_REQUEST_TIMEOUT);
    hostile_assert_logged("<MakeCallResponse> without a usable <callingDevice>");
    bench->peer.message = NULL;
    hostile_assert_works(bench);
}

static void a_made_call_with_an_impossible_identifier_is_an_error_of_the_pbx(void **state)
{
    struct bench *bench = *state;
    struct answer made = {0};
    AUTO(common_freep)
    char *xml = fill("<MakeCallResponse><callingDevice><callID>", '7',
                     "</callID></callingDevice></MakeCallResponse>", 400);
    hostile_settle(bench);
    ask(bench, &made);
    peer_send_xml(&bench->peer, asked_invoke_id, xml);
    assert_true(bench_until(bench, &made.count, 1, 6000));
    assert_false(made.good);
    bench->peer.message = NULL;
    hostile_assert_works(bench);
}

#define EURO_10 "\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac"
#define EURO_50 EURO_10 EURO_10 EURO_10 EURO_10 EURO_10

static void every_refusal_ends_the_request_with_its_words(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *xml, *text;
    } refusals[] = {
        {"<CSTAErrorCode><privateErrorCode>" EURO_50 EURO_50 "</privateErrorCode></CSTAErrorCode>",
         "privateErrorCode.\u20ac"}, /* cut, but not inside a character */
        {"<CSTAErrorCode><operation>invalidCalledDeviceID</operation></CSTAErrorCode>",
         "operation.invalidCalledDeviceID"},
        {"<CSTAErrorCode><unspecified/></CSTAErrorCode>", "unspecified"},
        {"<CSTAErrorCode><privateErrorCode>a&#10;b</privateErrorCode></CSTAErrorCode>",
         "privateErrorCode.a?b"},
        {"<CSTAErrorCode><tomorrow>x</tomorrow></CSTAErrorCode>", ""},
        {"<CSTAErrorCode/>", ""},
    };
    hostile_settle(bench);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct answer made = {0};
        ask(bench, &made);
        peer_send_xml(&bench->peer, asked_invoke_id, refusals[i].xml);
        assert_true(bench_until(bench, &made.count, 1, 2000));
        assert_false(made.good);
        assert_non_null(strstr(made.text, refusals[i].text));
        assert_null(strchr(made.text, '\n'));
        assert_true(utf8_valid(made.text, strlen(made.text)));
    }
    bench->peer.message = NULL;
    hostile_assert_works(bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, hostile_begin, hostile_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_that_are_no_message_are_skipped),
        TEST(the_largest_frames_are_taken),
        TEST(a_whole_life_cut_into_single_bytes_is_the_same),
        TEST(pieces_of_any_size_are_the_same),
        TEST(events_of_nobody_are_ignored),
        TEST(odd_parties_are_told_as_unknown),
        TEST(an_event_that_makes_no_sense_makes_its_device_be_read),
        TEST(doubled_and_late_events_keep_their_order),
        TEST(events_before_the_monitor_are_made_good_by_the_snapshot),
        TEST(an_answer_counts_once),
        TEST(answers_that_cannot_be_read_leave_the_request_to_its_time),
        TEST(a_made_call_with_an_impossible_identifier_is_an_error_of_the_pbx),
        TEST(every_refusal_ends_the_request_with_its_words),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
