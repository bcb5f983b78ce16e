#include "tests/unit/csta/csta_equal.h"

#include "lib/common/common.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_refused(const struct csta_message *message, enum csta_version version, int code,
                           const char *reason)
{
    AUTO(buf_done) struct buf out = {0};
    struct diag diag = {0};
    buf_adds(&out, "before");
    assert_int_equal(csta_write(message, version, &out, &diag), code);
    if (strstr(diag.text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", diag.text, reason);
    assert_int_equal(out.len_bytes, strlen("before"));
}

static void neutral_words_stand_where_the_schema_wants_one(void **state)
{
    (void)state;
    const struct csta_message message = {
        .type = CSTA_FAILED, .monitor_id = "9", .connection = {.call_id = "C1"}};
    AUTO(buf_done) struct buf out = {0};
    struct diag diag = {0};
    assert_int_equal(csta_write(&message, CSTA_ED6, &out, &diag), 0);
    assert_non_null(strstr(out.data, "<failingDevice><notKnown/></failingDevice>"));
    assert_non_null(strstr(out.data, "<calledDevice><notKnown/></calledDevice>"));
    assert_non_null(
        strstr(out.data, "<lastRedirectionDevice><notSpecified/></lastRedirectionDevice>"));
    assert_non_null(strstr(out.data, "<cause>normal</cause>"));
    assert_null(strstr(out.data, "localConnectionInfo"));
    assert_int_equal(csta_check(out.data, out.len_bytes, &diag), 0);
}

static void every_text_is_written_as_ascii_and_read_back(void **state)
{
    (void)state;
    static const char odd[] = "<\"&'>\t\n\r x\u00e9\u20ac\U0001F600\x7f]]>";
    const struct csta_message message = {
        .type = CSTA_MAKE_CALL,
        .device = {.id = odd, .type_of_number = odd},
        .destination = {.id = "1002"},
    };
    AUTO(buf_done) struct buf out = {0};
    struct diag diag = {0};
    assert_int_equal(csta_write(&message, CSTA_ED6, &out, &diag), 0);
    for (size_t i = 0; i < out.len_bytes; i++)
        assert_in_range((unsigned char)out.data[i], 0x20, 0x7e);
    struct csta_message again = {0};
    assert_int_equal(csta_read(out.data, out.len_bytes, &again, &diag), 0);
    csta_assert_equal(&again, &message, "again");
    csta_message_done(&again);
}

static void what_cannot_be_said_in_xml_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\x01", "\x1b[m",       "\xff",
                                      "\xc3",  "\xed\xa0\x80", "\xef\xbf\xbf"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct csta_message message = {.type = CSTA_MONITOR_START, .device = {.id = bad[i]}};
        assert_refused(&message, CSTA_ED6, -EINVAL, "<deviceObject>");
    }
}

static const struct {
    struct csta_message message;
    const char *reason;
} incomplete[] = {
    {{.type = CSTA_UNKNOWN}, "no known type"},
    {{.type = CSTA_TYPE_COUNT}, "no known type"},
    {{.type = CSTA_MONITOR_STOP}, "MonitorStop: <monitorCrossRefID> is not set"},
    {{.type = CSTA_MONITOR_STOP, .monitor_id = ""}, "<monitorCrossRefID> is not set"},
    {{.type = CSTA_ANSWER_CALL}, "<callToBeAnswered> is not set"},
    {{.type = CSTA_MAKE_CALL, .device = {.id = "1"}}, "<calledDirectoryNumber> is not set"},
    {{.type = CSTA_SNAPSHOT_DEVICE_DONE}, "<crossRefIDorSnapshotData> is not set"},
    {{.type = CSTA_START_SESSION, .application_id = "a"}, "<requestedProtocolVersions> is not set"},
    {{.type = CSTA_DEVICES,
      .cross_ref_id = "1",
      .devices = (const struct csta_listed_device[]){{.category = "station"}},
      .device_count = 1},
     "<deviceID> is not set"},
    {{.type = CSTA_ANSWER_CALL, .connection = {.call_id = "1"}, .correlator = "abc"},
     "<string> must be hexadecimal digits"},
    {{.type = CSTA_BACK_IN_SERVICE,
      .monitor_id = "1",
      .subject = {.kind = CSTA_PARTY_NOT_REQUIRED}},
     "<device> cannot be of this kind"},
    {{.type = CSTA_BACK_IN_SERVICE, .monitor_id = "1", .subject = {.kind = CSTA_PARTY_DEVICE}},
     "<device> cannot be of this kind"},
};

static void messages_without_what_they_must_have_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(incomplete); i++)
        assert_refused(&incomplete[i].message, CSTA_ED6, -EINVAL, incomplete[i].reason);
}

static void only_session_messages_do_without_an_edition(void **state)
{
    (void)state;
    const struct csta_message stop = {.type = CSTA_MONITOR_STOP, .monitor_id = "1"};
    assert_refused(&stop, CSTA_VERSION_NONE, -EINVAL, "edition");
    const struct csta_message done = {.type = CSTA_STOP_SESSION_DONE};
    AUTO(buf_done) struct buf out = {0};
    assert_int_equal(csta_write(&done, CSTA_VERSION_NONE, &out, NULL), 0);
}

static void what_no_frame_takes_is_refused(void **state)
{
    (void)state;
    char *much = malloc(CSTA_XML_BYTES_MAX + 1);
    assert_non_null(much);
    memset(much, '1', CSTA_XML_BYTES_MAX);
    much[CSTA_XML_BYTES_MAX] = '\0';
    const struct csta_message message = {.type = CSTA_MONITOR_STOP, .monitor_id = much};
    assert_refused(&message, CSTA_ED6, -EMSGSIZE, "larger");
    free(much);
}

static void a_message_goes_into_a_frame_with_its_number(void **state)
{
    (void)state;
    const struct csta_message message = {.type = CSTA_SYSTEM_STATUS_DONE};
    AUTO(buf_done) struct buf out = {0};
    struct diag diag = {0};
    assert_int_equal(csta_write_frame(&message, CSTA_ED5, 17, &out, &diag), 0);
    struct csta_frames frames = {0};
    struct csta_pdu pdu = {0};
    assert_int_equal(csta_frames_add(&frames, out.data, out.len_bytes), 0);
    assert_int_equal(csta_frames_next(&frames, &pdu, &diag), 1);
    assert_int_equal(pdu.invoke, 17);
    assert_int_equal(csta_check(pdu.xml, pdu.len_bytes, &diag), 0);
    csta_frames_done(&frames);
}

#define E6(name, inside)                                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><" name                                             \
    " xmlns=\"http://www.ecma-international.org/standards/ecma-323/csta/ed6\">" inside "</" name   \
    ">"

static void the_check_says_what_a_strict_peer_would_mind(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *reason;
    } bad[] = {
        {E6("TransferedEvent", "<a/>"), "no known message"},
        {E6("MonitorStop", "<monitorCrossRefID>1</monitorCrossRefID><more/>"), "<more>"},
        {E6("MonitorStop", "<monitorCrossRefID>1</monitorCrossRefID><monitorCrossRefID>2"
                           "</monitorCrossRefID>"),
         "a second time"},
        {E6("MonitorStop", "<monitorCrossRefID>1</monitorCrossRefID> "), "not as it would be"},
        {"<MonitorStop><monitorCrossRefID>1</monitorCrossRefID></MonitorStop>",
         "not as it would be"},
        {E6("BackInServiceEvent", "<monitorCrossRefID>1</monitorCrossRefID>"),
         "without its <device>"},
        {E6("BackInServiceEvent",
            "<monitorCrossRefID>1</monitorCrossRefID><device><notKnown/></device><cause>fun"
            "</cause>"),
         "\"fun\" is no cause"},
        {E6("HeldEvent", "<monitorCrossRefID>1</monitorCrossRefID><heldConnection><callID>1"
                         "</callID></heldConnection><holdingDevice><notKnown/></holdingDevice>"),
         "without its <cause>"},
        {E6("AnswerCall", "<callToBeAnswered><deviceID>1</deviceID><callID>1</callID>"
                          "</callToBeAnswered>"),
         "not as it would be"},
        {E6("SystemStatus", "<sysStatRegisterID>1</sysStatRegisterID>"),
         "without its <systemStatus>"},
        {E6("SnapshotDeviceResponse",
            "<crossRefIDorSnapshotData><serviceCrossRefID>1</serviceCrossRefID><snapshotData/>"
            "</crossRefIDorSnapshotData>"),
         "not exactly one"},
        {E6("SnapshotDeviceResponse",
            "<crossRefIDorSnapshotData><snapshotData><call/></snapshotData>"
            "</crossRefIDorSnapshotData>"),
         "<call> does not belong"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct diag diag = {0};
        assert_int_equal(csta_check(bad[i].xml, strlen(bad[i].xml), &diag), -EPROTO);
        if (strstr(diag.text, bad[i].reason) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].xml, diag.text, bad[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neutral_words_stand_where_the_schema_wants_one),
        cmocka_unit_test(every_text_is_written_as_ascii_and_read_back),
        cmocka_unit_test(what_cannot_be_said_in_xml_is_refused),
        cmocka_unit_test(messages_without_what_they_must_have_are_refused),
        cmocka_unit_test(only_session_messages_do_without_an_edition),
        cmocka_unit_test(what_no_frame_takes_is_refused),
        cmocka_unit_test(a_message_goes_into_a_frame_with_its_number),
        cmocka_unit_test(the_check_says_what_a_strict_peer_would_mind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
