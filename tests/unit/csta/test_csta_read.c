/* What foreign programs send: shapes that products use, and texts that nobody should send. */
#include "tests/unit/csta/csta_equal.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ED4     "http://www.ecma-international.org/standards/ecma-323/csta/ed4"
#define SESSION "http://www.ecma-international.org/standards/ecma-354/appl_session"

static void read_bytes(const char *xml, size_t len_bytes, struct csta_message *message)
{
    struct diag diag = {0};
    if (csta_read(xml, len_bytes, message, &diag) < 0)
        fail_msg("%.300s: %s", xml, diag.text);
}

static void assert_reads(const char *xml, const struct csta_message *want)
{
    struct csta_message message = {0};
    read_bytes(xml, strlen(xml), &message);
    csta_assert_equal(&message, want, xml);
    csta_message_done(&message);
}

static void assert_refused(const char *xml, size_t len_bytes, const char *reason)
{
    static const struct csta_message untouched = {.type = CSTA_TYPE_COUNT};
    struct csta_message message = untouched;
    struct diag diag = {0};
    int r = csta_read(xml, len_bytes, &message, &diag);
    if (r != -EPROTO || strstr(diag.text, reason) == NULL)
        fail_msg("%.300s: %d \"%s\" instead of \"%s\"", xml, r, diag.text, reason);
    assert_memory_equal(&message, &untouched, sizeof(message));
}

static const struct csta_message held = {
    .type = CSTA_HELD,
    .monitor_id = "9",
    .connection = {.call_id = "C1", .device = {.id = "1001"}},
    .subject = {.kind = CSTA_PARTY_DEVICE, .device = {.id = "1001"}},
    .local = CSTA_LOCAL_HOLD,
    .cause = "normal",
};

#define HELD(before, p, xmlns, after)                                                              \
    before "<" p "HeldEvent" xmlns "><" p "monitorCrossRefID>9</" p "monitorCrossRefID><" p        \
           "heldConnection><" p "callID>C1</" p "callID><" p "deviceID>1001</" p "deviceID></" p   \
           "heldConnection><" p "holdingDevice><" p "deviceIdentifier>1001</" p                    \
           "deviceIdentifier></" p "holdingDevice><" p "localConnectionInfo>hold</" p              \
           "localConnectionInfo><" p "cause>normal</" p "cause></" p "HeldEvent>" after

static void name_spaces_and_prefixes_do_not_matter(void **state)
{
    (void)state;
    static const char *const same[] = {
        HELD("", "", "", ""),
        HELD("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", "", " xmlns=\"" ED4 "\"", "\n"),
        HELD("", "", " xmlns=\"" ED4 "/privA\"", ""),
        HELD("", "csta:", " xmlns:csta=\"" ED4 "\"", ""),
        HELD("", "nobody-declared-me:", "", ""),
        HELD("", "", " xmlns:a=\"urn:a\" a:b=\"c\" d=\"e\"", "<!-- the end -->"),
    };
    for (size_t i = 0; i < COUNT_OF(same); i++)
        assert_reads(same[i], &held);
}

static void a_byte_order_mark_and_what_trails_the_text_are_dropped(void **state)
{
    (void)state;
    static const char wrapped[] = HELD("\xef\xbb\xbf<?xml version=\"1.0\"?>", "", "", "\r\n\0\0");
    struct csta_message message = {0};
    read_bytes(wrapped, sizeof(wrapped), &message); /* the literal's own NUL too */
    csta_assert_equal(&message, &held, "wrapped");
    csta_message_done(&message);
}

static void unknown_children_are_skipped_wherever_they_stand(void **state)
{
    (void)state;
    assert_reads(
        "<HeldEvent><new><monitorCrossRefID>1</monitorCrossRefID></new>"
        "<monitorCrossRefID>9</monitorCrossRefID> some text "
        "<heldConnection><x/><callID>C1</callID><y>1</y><deviceID>1001</deviceID></heldConnection>"
        "<holdingDevice><z/><deviceIdentifier>1001</deviceIdentifier></holdingDevice>"
        "<localConnectionInfo>hold</localConnectionInfo><cause>normal</cause>"
        "<servicesPermitted><callControlServices><holdCall>true</holdCall></callControlServices>"
        "</servicesPermitted><extensions><privateData><private><cause>busy</cause></private>"
        "</privateData></extensions></HeldEvent>",
        &held);
}

static void children_in_any_order_mean_the_same(void **state)
{
    (void)state;
    assert_reads("<HeldEvent><cause>normal</cause><localConnectionInfo>hold</localConnectionInfo>"
                 "<heldConnection><deviceID>1001</deviceID><callID>C1</callID></heldConnection>"
                 "<holdingDevice><deviceIdentifier>1001</deviceIdentifier></holdingDevice>"
                 "<monitorCrossRefID>9</monitorCrossRefID></HeldEvent>",
                 &held);
}

static void of_two_equal_children_the_first_counts(void **state)
{
    (void)state;
    assert_reads("<MonitorStop><monitorCrossRefID>1</monitorCrossRefID>"
                 "<monitorCrossRefID>2</monitorCrossRefID></MonitorStop>",
                 &(const struct csta_message){.type = CSTA_MONITOR_STOP, .monitor_id = "1"});
}

/* In the style of a large soft-switch: long call identifiers, qualified numbers, its own name
 * space in the private data. */
static void the_shape_of_a_soft_switchs_event_is_understood(void **state)
{
    (void)state;
    assert_reads(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<DeliveredEvent xmlns=\"" ED4 "\" xmlns:v=\"http://vendor.example/schema/csta\">"
        "<monitorCrossRefID>86420135</monitorCrossRefID>"
        "<connection><callID>FF00000000010203040506070809A0B1</callID>"
        "<deviceID typeOfNumber=\"other\">N&lt;49301001&gt;;displayNumber=1001;noa=nk</deviceID>"
        "</connection>"
        "<alertingDevice><deviceIdentifier>N&lt;49301001&gt;;noa=nk</deviceIdentifier>"
        "</alertingDevice>"
        "<callingDevice><deviceIdentifier>N&lt;49301002&gt;M&#xE9;l</deviceIdentifier>"
        "</callingDevice>"
        "<calledDevice><notKnown/></calledDevice>"
        "<lastRedirectionDevice><notRequired/></lastRedirectionDevice>"
        "<localConnectionInfo>alerting</localConnectionInfo>"
        "<correlatorData><string>00ff</string></correlatorData>"
        "<cause>newCall</cause>"
        "<extensions><privateData><private><v:gate>7</v:gate></private></privateData></extensions>"
        "</DeliveredEvent>",
        &(const struct csta_message){
            .type = CSTA_DELIVERED,
            .monitor_id = "86420135",
            .connection = {.call_id = "FF00000000010203040506070809A0B1",
                           .device = {.id = "N<49301001>;displayNumber=1001;noa=nk",
                                      .type_of_number = "other"}},
            .subject = {.kind = CSTA_PARTY_DEVICE, .device = {.id = "N<49301001>;noa=nk"}},
            .calling = {.kind = CSTA_PARTY_DEVICE, .device = {.id = "N<49301002>M\u00e9l"}},
            .called = {.kind = CSTA_PARTY_NOT_KNOWN},
            .redirection = {.kind = CSTA_PARTY_NOT_REQUIRED},
            .local = CSTA_LOCAL_ALERTING,
            .correlator = "00ff",
            .cause = "newCall"});
}

static void an_answer_whose_children_have_no_name_space_is_understood(void **state)
{
    (void)state;
    assert_reads("<as:StartApplicationSessionPosResponse xmlns:as=\"" SESSION "\">"
                 "<sessionID>S1</sessionID><actualProtocolVersion>" ED4 "</actualProtocolVersion>"
                 "<actualSessionDuration>180</actualSessionDuration>"
                 "</as:StartApplicationSessionPosResponse>",
                 &(const struct csta_message){.type = CSTA_START_SESSION_DONE,
                                              .session_id = "S1",
                                              .version = ED4,
                                              .session_s = {.value = 180, .set = true}});
}

static void an_empty_prefixed_heart_beat_is_understood(void **state)
{
    (void)state;
    assert_reads("<c:SystemStatus xmlns:c=\"" ED4 "\"/>",
                 &(const struct csta_message){.type = CSTA_SYSTEM_STATUS});
}

static void a_message_nobody_knows_has_its_name_and_monitor(void **state)
{
    (void)state;
    struct csta_message message = {0};
    static const char event[] = "<TransferedEvent xmlns=\"" ED4 "\"><monitorCrossRefID>9"
                                "</monitorCrossRefID><primaryOldCall/></TransferedEvent>";
    read_bytes(event, sizeof(event) - 1, &message);
    assert_int_equal(message.type, CSTA_UNKNOWN);
    assert_string_equal(message.name, "TransferedEvent");
    assert_string_equal(message.monitor_id, "9");
    csta_message_done(&message);
    static const char other[] = "<PlayMessage><a/></PlayMessage>";
    read_bytes(other, sizeof(other) - 1, &message);
    assert_int_equal(message.type, CSTA_UNKNOWN);
    assert_null(message.monitor_id);
    csta_message_done(&message);
}

/* What it tells has happened all the same. */
static void an_event_that_makes_no_sense_still_names_its_monitor(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "<HeldEvent><monitorCrossRefID>9</monitorCrossRefID></HeldEvent>",
        "<HeldEvent><localConnectionInfo>paused</localConnectionInfo>"
        "<monitorCrossRefID>9</monitorCrossRefID></HeldEvent>",
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        struct csta_message message = {0};
        struct diag diag = {0};
        assert_int_equal(csta_read(odd[i], strlen(odd[i]), &message, &diag), 0);
        assert_int_equal(message.type, CSTA_UNKNOWN);
        assert_string_equal(message.name, "HeldEvent");
        assert_string_equal(message.monitor_id, "9");
        assert_non_null(strstr(diag.text, i == 0 ? "<heldConnection>" : "paused"));
        csta_message_done(&message);
        assert_int_equal(csta_check(odd[i], strlen(odd[i]), &diag), -EPROTO);
        assert_non_null(strstr(diag.text, i == 0 ? "<heldConnection>" : "paused"));
    }
    static const char nobody[] = "<HeldEvent/>";
    assert_refused(nobody, sizeof(nobody) - 1, "<monitorCrossRefID>");
}

static void what_a_product_leaves_out_is_absent(void **state)
{
    (void)state;
    assert_reads("<EstablishedEvent><monitorCrossRefID>9</monitorCrossRefID>"
                 "<establishedConnection><callID>C1</callID></establishedConnection>"
                 "<callingDevice/><calledDevice><odd/></calledDevice></EstablishedEvent>",
                 &(const struct csta_message){.type = CSTA_ESTABLISHED,
                                              .monitor_id = "9",
                                              .connection = {.call_id = "C1"},
                                              .calling = {.kind = CSTA_PARTY_NOT_KNOWN},
                                              .called = {.kind = CSTA_PARTY_NOT_KNOWN}});
    assert_reads("<CSTAErrorCode><brandNewCategory>odd</brandNewCategory></CSTAErrorCode>",
                 &(const struct csta_message){.type = CSTA_ERROR});
    assert_reads("<CSTAErrorCode><systemResourceAvailability>busy</systemResourceAvailability>"
                 "</CSTAErrorCode>", /* spelt right, unlike the schema */
                 &(const struct csta_message){.type = CSTA_ERROR,
                                              .error = CSTA_ERROR_SYSTEM_RESOURCE,
                                              .error_value = "busy"});
}

static void messages_without_what_they_need_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *reason;
    } bad[] = {
        {"<MonitorStop/>", "MonitorStop: <MonitorStop> without a usable <monitorCrossRefID>"},
        {"<MonitorStop><monitorCrossRefID/></MonitorStop>", "<monitorCrossRefID>"},
        {"<AnswerCall><callToBeAnswered><callID/></callToBeAnswered></AnswerCall>",
         "<callToBeAnswered>"},
        {"<SnapshotDeviceResponse/>", "<crossRefIDorSnapshotData>"},
        {"<SnapshotDeviceResponse><crossRefIDorSnapshotData/></SnapshotDeviceResponse>",
         "<crossRefIDorSnapshotData>"},
        {"<SnapshotDeviceResponse><crossRefIDorSnapshotData><snapshotData>"
         "<snapshotDeviceResponseInfo/></snapshotData></crossRefIDorSnapshotData>"
         "</SnapshotDeviceResponse>",
         "<connectionIdentifier>"},
        {"<SwitchingFunctionDevices><serviceCrossRefID>1</serviceCrossRefID>"
         "</SwitchingFunctionDevices>",
         "<deviceList>"},
        {"<SwitchingFunctionDevices><serviceCrossRefID>1</serviceCrossRefID><deviceList><device>"
         "<deviceID/></device></deviceList></SwitchingFunctionDevices>",
         "<deviceID>"},
        {"<StartApplicationSession><applicationInfo><applicationID>a</applicationID>"
         "</applicationInfo><requestedProtocolVersions/></StartApplicationSession>",
         "<requestedProtocolVersions>"},
        {"<StartApplicationSession><applicationInfo/><requestedProtocolVersions><protocolVersion>v"
         "</protocolVersion></requestedProtocolVersions></StartApplicationSession>",
         "<applicationID>"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(bad[i].xml, strlen(bad[i].xml), bad[i].reason);
}

static void values_of_the_wrong_kind_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *reason;
    } bad[] = {
        {"<ResetApplicationSessionTimerPosResponse><actualSessionDuration>soon"
         "</actualSessionDuration></ResetApplicationSessionTimerPosResponse>",
         "<actualSessionDuration> is \"soon\""},
        {"<ResetApplicationSessionTimerPosResponse><actualSessionDuration>9223372036854775808"
         "</actualSessionDuration></ResetApplicationSessionTimerPosResponse>",
         "a whole number"},
        {"<ResetApplicationSessionTimerPosResponse><actualSessionDuration>1.5"
         "</actualSessionDuration></ResetApplicationSessionTimerPosResponse>",
         "a whole number"},
        {"<MonitorStartResponse><monitorCrossRefID>9</monitorCrossRefID><monitorExistingCalls>yes"
         "</monitorExistingCalls></MonitorStartResponse>",
         "true or false"},
        {"<HeldEvent><localConnectionInfo>paused</localConnectionInfo></HeldEvent>",
         "<localConnectionInfo> is \"paused\""},
        {"<MakeCall><autoOriginate>perhaps</autoOriginate></MakeCall>", "prompt or doNotPrompt"},
        {"<HeldEvent><correlatorData><string>12345</string></correlatorData></HeldEvent>",
         "hexadecimal digits"},
        {"<HeldEvent><correlatorData><string>xy</string></correlatorData></HeldEvent>",
         "hexadecimal digits"},
        {"<MonitorStop><monitorCrossRefID><a/></monitorCrossRefID></MonitorStop>",
         "<monitorCrossRefID> is \"(elements)\""},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(bad[i].xml, strlen(bad[i].xml), bad[i].reason);
}

static void texts_that_are_no_xml_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "   \r\n",
        "\xef\xbb\xbf",
        "hello",
        "<HeldEvent>",
        "<HeldEvent></heldEvent>",
        "<HeldEvent/><HeldEvent/>",
        "<HeldEvent a=\"1\" a=\"2\"/>",
        "<HeldEvent>&unknown;</HeldEvent>",
        "<HeldEvent>\x01</HeldEvent>",
        "<HeldEvent>\xc3\x28</HeldEvent>",     /* broken UTF-8 */
        "<HeldEvent>\xc0\xbc</HeldEvent>",     /* overlong */
        "<HeldEvent>\xed\xa0\x80</HeldEvent>", /* a surrogate */
        "<HeldEvent>&#0;</HeldEvent>",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(bad[i], strlen(bad[i]), "CSTA message");
    static const char nul[] = "<HeldEvent>a\0b</HeldEvent>";
    assert_refused(nul, sizeof(nul) - 1, "NUL");
}

static void bombs_and_files_are_refused_before_they_unfold(void **state)
{
    (void)state;
    static const char *const bombs[] = {
        "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">]>"
        "<HeldEvent>&e;</HeldEvent>",
        "<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><HeldEvent>&f;</HeldEvent>",
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\"><HeldEvent/>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///dev/zero\">%p;]><HeldEvent/>",
    };
    for (size_t i = 0; i < COUNT_OF(bombs); i++)
        assert_refused(bombs[i], strlen(bombs[i]), "DOCTYPE");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    for (size_t depth = 33; depth <= 20000; depth = depth * 5) {
        AUTO(buf_done) struct buf xml = {0};
        for (size_t i = 0; i < depth; i++)
            buf_adds(&xml, "<a>");
        for (size_t i = 0; i < depth; i++)
            buf_adds(&xml, "</a>");
        assert_refused(xml.data, xml.len_bytes, "CSTA message");
    }
}

/* A frame full of the smallest elements: what is kept of them stays in proportion. */
static void a_frame_full_of_devices_is_read_as_a_list(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf xml = {0};
    size_t count = 0;
    buf_adds(&xml, "<SwitchingFunctionDevices><serviceCrossRefID>1</serviceCrossRefID>"
                   "<lastSegment>0</lastSegment><deviceList>");
    while (xml.len_bytes < 65400) {
        buf_addf(&xml, "<device><deviceID>%zu</deviceID></device><d/>", count);
        count++;
    }
    buf_adds(&xml, "</deviceList></SwitchingFunctionDevices>");
    struct csta_message message = {0};
    read_bytes(xml.data, xml.len_bytes, &message);
    assert_int_equal(message.device_count, count);
    assert_string_equal(message.devices[0].device.id, "0");
    assert_true(message.has_devices && message.last_segment.set && !message.last_segment.value);
    csta_message_done(&message);
}

static void the_own_state_is_found_in_both_forms_of_a_call_state(void **state)
{
    (void)state;
    static const enum csta_local locals[] = {CSTA_LOCAL_HOLD, CSTA_LOCAL_CONNECTED};
    const struct csta_snapshot_call compound = {.locals = locals, .local_count = 2};
    assert_int_equal(csta_snapshot_local(&compound), CSTA_LOCAL_HOLD);
    static const struct {
        const char *simple;
        enum csta_local local;
    } simple[] = {
        {"callPending", CSTA_LOCAL_INITIATED},
        {"callOriginated", CSTA_LOCAL_CONNECTED},
        {"callDelivered", CSTA_LOCAL_CONNECTED},
        {"callReceived", CSTA_LOCAL_ALERTING},
        {"callEstablished", CSTA_LOCAL_CONNECTED},
        {"callEstablishedHeld", CSTA_LOCAL_HOLD},
        {"callEstablishedOnHold", CSTA_LOCAL_CONNECTED},
        {"callNull", CSTA_LOCAL_NONE},
        {"callBrandNew", CSTA_LOCAL_ABSENT},
        {NULL, CSTA_LOCAL_ABSENT},
    };
    for (size_t i = 0; i < COUNT_OF(simple); i++) {
        const struct csta_snapshot_call call = {.simple_state = simple[i].simple};
        assert_int_equal(csta_snapshot_local(&call), simple[i].local);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_spaces_and_prefixes_do_not_matter),
        cmocka_unit_test(a_byte_order_mark_and_what_trails_the_text_are_dropped),
        cmocka_unit_test(unknown_children_are_skipped_wherever_they_stand),
        cmocka_unit_test(children_in_any_order_mean_the_same),
        cmocka_unit_test(of_two_equal_children_the_first_counts),
        cmocka_unit_test(the_shape_of_a_soft_switchs_event_is_understood),
        cmocka_unit_test(an_answer_whose_children_have_no_name_space_is_understood),
        cmocka_unit_test(an_empty_prefixed_heart_beat_is_understood),
        cmocka_unit_test(a_message_nobody_knows_has_its_name_and_monitor),
        cmocka_unit_test(an_event_that_makes_no_sense_still_names_its_monitor),
        cmocka_unit_test(what_a_product_leaves_out_is_absent),
        cmocka_unit_test(messages_without_what_they_need_are_refused_by_name),
        cmocka_unit_test(values_of_the_wrong_kind_are_refused_by_name),
        cmocka_unit_test(texts_that_are_no_xml_are_refused),
        cmocka_unit_test(bombs_and_files_are_refused_before_they_unfold),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_frame_full_of_devices_is_read_as_a_list),
        cmocka_unit_test(the_own_state_is_found_in_both_forms_of_a_call_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
