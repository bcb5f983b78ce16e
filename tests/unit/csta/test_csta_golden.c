/* One text for each message, typed from the standard, read and written: the codec's own tables
 * are not asked what is right. */
#include "tests/unit/csta/csta_equal.h"

#include "lib/common/common.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define URI "http://www.ecma-international.org/standards/ecma-323/csta/"
#define DEVICE(number)                                                                             \
    {                                                                                              \
        .id = (number)                                                                             \
    }
#define C1(number)                                                                                 \
    {                                                                                              \
        .call_id = "C1", .device = DEVICE(number)                                                  \
    }
#define PARTY(number)                                                                              \
    {                                                                                              \
        .kind = CSTA_PARTY_DEVICE, .device = DEVICE(number)                                        \
    }
#define NUMBER(n)                                                                                  \
    {                                                                                              \
        .value = (n), .set = true                                                                  \
    }
#define YES                                                                                        \
    {                                                                                              \
        .set = true, .value = true                                                                 \
    }
#define NO                                                                                         \
    {                                                                                              \
        .set = true, .value = false                                                                \
    }

static const enum csta_local ringing[] = {CSTA_LOCAL_CONNECTED, CSTA_LOCAL_ALERTING};
static const enum csta_local held[] = {CSTA_LOCAL_HOLD};

static const struct golden {
    const char *file;
    enum csta_version version;
    struct csta_message message;
} goldens[] = {
    {"StartApplicationSession",
     CSTA_ED6,
     {.type = CSTA_START_SESSION,
      .application_id = "opengw",
      .user = "gate",
      .password = "p&w<1>",
      .versions = (const char *const[]){URI "ed6", URI "ed5"},
      .version_count = 2,
      .session_s = NUMBER(120)}},
    {"StartApplicationSession-plain",
     CSTA_ED6,
     {.type = CSTA_START_SESSION,
      .application_id = "opengw",
      .versions = (const char *const[]){URI "ed3"},
      .version_count = 1}},
    {"StartApplicationSessionPosResponse",
     CSTA_ED6,
     {.type = CSTA_START_SESSION_DONE,
      .session_id = "42",
      .version = URI "ed5",
      .session_s = NUMBER(90)}},
    {"StartApplicationSessionNegResponse",
     CSTA_ED6,
     {.type = CSTA_START_SESSION_REFUSED, .reason = "maxNumberSessions"}},
    {"ResetApplicationSessionTimer",
     CSTA_ED6,
     {.type = CSTA_RESET_TIMER, .session_id = "42", .session_s = NUMBER(120)}},
    {"ResetApplicationSessionTimerPosResponse",
     CSTA_ED6,
     {.type = CSTA_RESET_TIMER_DONE, .session_s = NUMBER(120)}},
    {"ResetApplicationSessionTimerNegResponse",
     CSTA_ED6,
     {.type = CSTA_RESET_TIMER_REFUSED, .private_reason = "no licence"}},
    {"StopApplicationSession",
     CSTA_ED6,
     {.type = CSTA_STOP_SESSION, .session_id = "42", .private_reason = "shutdown"}},
    {"StopApplicationSessionPosResponse", CSTA_ED6, {.type = CSTA_STOP_SESSION_DONE}},
    {"StopApplicationSessionNegResponse",
     CSTA_ED6,
     {.type = CSTA_STOP_SESSION_REFUSED, .reason = "invalidSessionID"}},
    {"ApplicationSessionTerminated",
     CSTA_ED6,
     {.type = CSTA_SESSION_TERMINATED, .session_id = "42", .reason = "sessionTimerExpired"}},
    {"CSTAErrorCode",
     CSTA_ED6,
     {.type = CSTA_ERROR, .error = CSTA_ERROR_OPERATION, .error_value = "invalidDeviceID"}},
    {"CSTAErrorCode-spelling",
     CSTA_ED6,
     {.type = CSTA_ERROR, .error = CSTA_ERROR_SYSTEM_RESOURCE, .error_value = "resourceBusy"}},
    {"CSTAErrorCode-unspecified", CSTA_ED6, {.type = CSTA_ERROR, .error = CSTA_ERROR_UNSPECIFIED}},
    {"SystemStatus",
     CSTA_ED6,
     {.type = CSTA_SYSTEM_STATUS, .register_id = "r1", .system_status = "enabled"}},
    {"SystemStatusResponse", CSTA_ED4, {.type = CSTA_SYSTEM_STATUS_DONE}},
    {"RequestSystemStatus", CSTA_ED6, {.type = CSTA_REQUEST_STATUS}},
    {"RequestSystemStatusResponse",
     CSTA_ED6,
     {.type = CSTA_REQUEST_STATUS_DONE, .system_status = "normal"}},
    {"SystemRegister",
     CSTA_ED6,
     {.type = CSTA_SYSTEM_REGISTER, .wants_status = YES, .wants_status_requests = NO}},
    {"SystemRegisterResponse", CSTA_ED6, {.type = CSTA_SYSTEM_REGISTER_DONE, .register_id = "r1"}},
    {"GetSwitchingFunctionDevices", CSTA_ED6, {.type = CSTA_GET_DEVICES, .category = "station"}},
    {"GetSwitchingFunctionDevicesResponse",
     CSTA_ED6,
     {.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = "7"}},
    {"SwitchingFunctionDevices",
     CSTA_ED6,
     {.type = CSTA_DEVICES,
      .cross_ref_id = "7",
      .segment_id = NUMBER(2),
      .last_segment = YES,
      .devices =
          (const struct csta_listed_device[]){
              {.device = DEVICE("N<1001>Nora Lindqvist;displayNumber=1001"),
               .category = "station",
               .named_types = "station",
               .model = "8068s"},
              {.device = {.id = "1002", .type_of_number = "deviceNumber"}}},
      .device_count = 2}},
    {"SwitchingFunctionDevices-empty",
     CSTA_ED6,
     {.type = CSTA_DEVICES, .cross_ref_id = "8", .last_segment = YES}},
    {"MonitorStart",
     CSTA_ED6,
     {.type = CSTA_MONITOR_START, .device = DEVICE("1001"), .monitor_type = "device"}},
    {"MonitorStartResponse",
     CSTA_ED6,
     {.type = CSTA_MONITOR_START_DONE, .monitor_id = "99", .existing_calls = YES}},
    {"MonitorStop", CSTA_ED6, {.type = CSTA_MONITOR_STOP, .monitor_id = "99"}},
    {"MonitorStopResponse", CSTA_ED6, {.type = CSTA_MONITOR_STOP_DONE}},
    {"SnapshotDevice", CSTA_ED6, {.type = CSTA_SNAPSHOT_DEVICE, .device = DEVICE("1001")}},
    {"SnapshotDeviceResponse",
     CSTA_ED6,
     {.type = CSTA_SNAPSHOT_DEVICE_DONE,
      .calls =
          (const struct csta_snapshot_call[]){
              {.connection = C1("1001"),
               .endpoint = PARTY("1002"),
               .locals = ringing,
               .local_count = 2},
              {.connection = {.call_id = "C2", .device = DEVICE("1001")},
               .simple_state = "callEstablishedHeld"},
              {.connection = {.call_id = "C3", .device = DEVICE("1001")}}},
      .call_count = 3,
      .has_calls = true}},
    {"SnapshotDeviceResponse-none",
     CSTA_ED6,
     {.type = CSTA_SNAPSHOT_DEVICE_DONE, .has_calls = true}},
    {"SnapshotDeviceResponse-segments",
     CSTA_ED6,
     {.type = CSTA_SNAPSHOT_DEVICE_DONE, .cross_ref_id = "12"}},
    {"SnapshotDeviceData",
     CSTA_ED6,
     {.type = CSTA_SNAPSHOT_DEVICE_DATA,
      .cross_ref_id = "12",
      .segment_id = NUMBER(1),
      .last_segment = NO,
      .calls =
          (const struct csta_snapshot_call[]){
              {.connection = {.call_id = "C1"}, .locals = held, .local_count = 1}},
      .call_count = 1,
      .has_calls = true}},
    {"SnapshotCall", CSTA_ED6, {.type = CSTA_SNAPSHOT_CALL, .connection = C1("1001")}},
    {"SnapshotCallResponse",
     CSTA_ED6,
     {.type = CSTA_SNAPSHOT_CALL_DONE,
      .ends =
          (const struct csta_snapshot_end[]){
              {.device = PARTY("1001"), .connection = C1("1001"), .local = CSTA_LOCAL_CONNECTED},
              {.device = {.kind = CSTA_PARTY_RESTRICTED},
               .connection = C1("T7"),
               .local = CSTA_LOCAL_ALERTING}},
      .end_count = 2,
      .has_ends = true,
      .calling = PARTY("1001"),
      .called = {.kind = CSTA_PARTY_NOT_KNOWN},
      .correlator = "4F47"}},
    {"MakeCall",
     CSTA_ED6,
     {.type = CSTA_MAKE_CALL,
      .device = DEVICE("1001"),
      .destination = {.id = "+4930123456", .type_of_number = "explicitPublic:international"},
      .originate = CSTA_ORIGINATE_DO_NOT_PROMPT,
      .correlator = "0A0b",
      .user_data = "C0FFEE"}},
    {"MakeCallResponse", CSTA_ED6, {.type = CSTA_MAKE_CALL_DONE, .connection = C1("1001")}},
    {"AnswerCall", CSTA_ED6, {.type = CSTA_ANSWER_CALL, .connection = C1("1002")}},
    {"AnswerCallResponse", CSTA_ED6, {.type = CSTA_ANSWER_CALL_DONE}},
    {"ClearConnection",
     CSTA_ED6,
     {.type = CSTA_CLEAR_CONNECTION, .connection = C1("1001"), .cause = "normalClearing"}},
    {"ClearConnectionResponse", CSTA_ED3, {.type = CSTA_CLEAR_CONNECTION_DONE}},
    {"ServiceInitiatedEvent",
     CSTA_ED6,
     {.type = CSTA_SERVICE_INITIATED,
      .monitor_id = "99",
      .connection = C1("1001"),
      .subject = PARTY("1001"),
      .local = CSTA_LOCAL_INITIATED,
      .cause = "makeCall"}},
    {"OriginatedEvent",
     CSTA_ED6,
     {.type = CSTA_ORIGINATED,
      .monitor_id = "99",
      .connection = C1("1001"),
      .subject = PARTY("1001"),
      .called = PARTY("1002"),
      .device = DEVICE("1001"),
      .local = CSTA_LOCAL_CONNECTED,
      .cause = "newCall"}},
    {"DeliveredEvent",
     CSTA_ED6,
     {.type = CSTA_DELIVERED,
      .monitor_id = "99",
      .connection = C1("1002"),
      .subject = PARTY("1002"),
      .calling = PARTY("N<1001>Zo\u00e9 M\u00fcller"),
      .called = PARTY("1002"),
      .redirection = PARTY("1003"),
      .local = CSTA_LOCAL_ALERTING,
      .correlator = "4F47",
      .user_data = "00",
      .cause = "callForwardImmediate"}},
    {"EstablishedEvent",
     CSTA_ED5,
     {.type = CSTA_ESTABLISHED,
      .monitor_id = "99",
      .connection = C1("1002"),
      .subject = PARTY("1002"),
      .calling = {.kind = CSTA_PARTY_RESTRICTED},
      .called = PARTY("1002"),
      .redirection = {.kind = CSTA_PARTY_NOT_REQUIRED},
      .local = CSTA_LOCAL_CONNECTED,
      .cause = "normal"}},
    {"FailedEvent",
     CSTA_ED6,
     {.type = CSTA_FAILED,
      .monitor_id = "99",
      .connection = C1("1002"),
      .subject = PARTY("1002"),
      .calling = PARTY("1001"),
      .called = PARTY("1002"),
      .redirection = {.kind = CSTA_PARTY_NOT_SPECIFIED},
      .local = CSTA_LOCAL_FAIL,
      .cause = "busy"}},
    {"ConnectionClearedEvent",
     CSTA_ED6,
     {.type = CSTA_CONNECTION_CLEARED,
      .monitor_id = "99",
      .connection = C1("1001"),
      .subject = PARTY("1001"),
      .local = CSTA_LOCAL_NONE,
      .cause = "normalClearing"}},
    {"HeldEvent",
     CSTA_ED6,
     {.type = CSTA_HELD,
      .monitor_id = "99",
      .connection = C1("1001"),
      .subject = PARTY("1001"),
      .local = CSTA_LOCAL_HOLD,
      .cause = "normal"}},
    {"RetrievedEvent",
     CSTA_ED6,
     {.type = CSTA_RETRIEVED,
      .monitor_id = "99",
      .connection = C1("1001"),
      .subject = PARTY("1001"),
      .local = CSTA_LOCAL_CONNECTED,
      .cause = "normal"}},
    {"DivertedEvent",
     CSTA_ED6,
     {.type = CSTA_DIVERTED,
      .monitor_id = "99",
      .connection = C1("1002"),
      .subject = PARTY("1002"),
      .new_destination = PARTY("1003"),
      .calling = PARTY("1001"),
      .called = PARTY("1002"),
      .redirection = {.kind = CSTA_PARTY_NOT_SPECIFIED},
      .local = CSTA_LOCAL_NONE,
      .cause = "redirected"}},
    {"NetworkReachedEvent",
     CSTA_ED6,
     {.type = CSTA_NETWORK_REACHED,
      .monitor_id = "99",
      .connection = C1("T7"),
      .subject = PARTY("T7"),
      .calling = PARTY("1001"),
      .called = PARTY("030123"),
      .redirection = {.kind = CSTA_PARTY_NOT_SPECIFIED},
      .local = CSTA_LOCAL_CONNECTED,
      .cause = "networkSignal"}},
    {"BackInServiceEvent",
     CSTA_ED6,
     {.type = CSTA_BACK_IN_SERVICE,
      .monitor_id = "99",
      .subject = PARTY("1001"),
      .cause = "maintenance"}},
    {"OutOfServiceEvent",
     CSTA_ED6,
     {.type = CSTA_OUT_OF_SERVICE, .monitor_id = "99", .subject = PARTY("1001")}},
};

struct text {
    char bytes[16384];
    size_t len_bytes;
};

static void load(const char *name, struct text *text)
{
    char path[1024];
    assert_true(snprintf(path, sizeof(path), "%s/%s.xml", CSTA_GOLDEN, name) < (int)sizeof(path));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing", path);
    text->len_bytes = fread(text->bytes, 1, sizeof(text->bytes) - 1, file);
    (void)fclose(file);
    while (text->len_bytes > 0 && text->bytes[text->len_bytes - 1] == '\n')
        text->len_bytes--; /* of the file, not of the message */
    text->bytes[text->len_bytes] = '\0';
}

static void every_golden_text_reads_as_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goldens); i++) {
        struct text text;
        load(goldens[i].file, &text);
        struct csta_message message = {0};
        struct diag diag = {0};
        if (csta_read(text.bytes, text.len_bytes, &message, &diag) < 0)
            fail_msg("%s: %s", goldens[i].file, diag.text);
        csta_assert_equal(&message, &goldens[i].message, goldens[i].file);
        assert_string_equal(message.name, csta_type_name(goldens[i].message.type));
        csta_message_done(&message);
    }
}

static void every_message_is_written_as_its_golden_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goldens); i++) {
        struct text text;
        load(goldens[i].file, &text);
        AUTO(buf_done) struct buf out = {0};
        struct diag diag = {0};
        if (csta_write(&goldens[i].message, goldens[i].version, &out, &diag) < 0)
            fail_msg("%s: %s", goldens[i].file, diag.text);
        assert_string_equal(out.data, text.bytes);
        assert_int_equal(out.len_bytes, text.len_bytes);
    }
}

static void every_golden_text_passes_the_strict_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goldens); i++) {
        struct text text;
        load(goldens[i].file, &text);
        struct diag diag = {0};
        if (csta_check(text.bytes, text.len_bytes, &diag) < 0)
            fail_msg("%s: %s", goldens[i].file, diag.text);
    }
}

static void every_type_of_message_has_a_golden_text(void **state)
{
    (void)state;
    for (int type = CSTA_UNKNOWN + 1; type < CSTA_TYPE_COUNT; type++) {
        size_t found = 0;
        for (size_t i = 0; i < COUNT_OF(goldens); i++)
            found += (int)goldens[i].message.type == type;
        if (found == 0)
            fail_msg("%s has no golden text", csta_type_name((enum csta_type)type));
    }
}

static void every_golden_file_is_used(void **state)
{
    (void)state;
    DIR *dir = opendir(CSTA_GOLDEN);
    assert_non_null(dir);
    size_t files = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        files += strstr(entry->d_name, ".xml") != NULL;
    (void)closedir(dir);
    assert_int_equal(files, COUNT_OF(goldens));
}

/* Which of a message's children is out of place does not matter: reading takes any order, the
 * check takes one. */
static void swapped_children_read_the_same_and_fail_the_check(void **state)
{
    (void)state;
    static const char first[] =
        "<calledDevice><deviceIdentifier>1002</deviceIdentifier></calledDevice>";
    static const char second[] = "<originatingDevice>1001</originatingDevice>";
    struct text text;
    load("OriginatedEvent", &text);
    char *at = strstr(text.bytes, first);
    assert_non_null(at);
    assert_memory_equal(at + sizeof(first) - 1, second, sizeof(second) - 1);
    memcpy(at, second, sizeof(second) - 1);
    memcpy(at + sizeof(second) - 1, first, sizeof(first) - 1);

    struct csta_message message = {0};
    struct diag diag = {0};
    assert_int_equal(csta_read(text.bytes, text.len_bytes, &message, &diag), 0);
    for (size_t i = 0; i < COUNT_OF(goldens); i++)
        if (goldens[i].message.type == CSTA_ORIGINATED)
            csta_assert_equal(&message, &goldens[i].message, "swapped");
    csta_message_done(&message);
    assert_int_equal(csta_check(text.bytes, text.len_bytes, &diag), -EPROTO);
    assert_non_null(strstr(diag.text, "calledDevice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_text_reads_as_its_message),
        cmocka_unit_test(every_message_is_written_as_its_golden_text),
        cmocka_unit_test(every_golden_text_passes_the_strict_check),
        cmocka_unit_test(every_type_of_message_has_a_golden_text),
        cmocka_unit_test(every_golden_file_is_used),
        cmocka_unit_test(swapped_children_read_the_same_and_fail_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
