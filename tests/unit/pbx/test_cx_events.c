#include "gateway/pbx/csta_xml/cx_events.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct csta_party party(const char *id)
{
    return (struct csta_party){.kind = CSTA_PARTY_DEVICE, .device = {.id = id}};
}

static void causes_mean_what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *csta, *means; /* NULL: nothing special */
    } cases[] = {
        {NULL, NULL},
        {"normal", NULL},
        {"newCall", NULL},
        {"makeCall", NULL},
        {"busy", "BUSY"},
        {"busyOverflow", "BUSY"},
        {"trunksBusy", "ALL_TRUNK_BUSY"},
        {"selectedTrunkBusy", "ALL_TRUNK_BUSY"},
        {"networkCongestion", "ALL_TRUNK_BUSY"},
        {"normalClearing", "CLEARED"},
        {"callCancelled", "CLEARED"},
        {"doNotDisturb", "DO_NOT_DISTURB"},
        {"callForward", "FORWARDED"},
        {"callForwardImmediate", "FORWARDED"},
        {"callForwardNoAnswer", "FORWARDED"},
        {"redirected", "REDIRECTED"},
        {"callPickup", "PICKED_UP"},
        {"park", "PARKED"},
        {"overflow", "OVERFLOWN"},
        {"queueTimeOverflow", "OVERFLOWN"},
        {"transfer", "TRANSFERRED"},
        {"singleStepTransfer", "TRANSFERRED"},
        {"conference", "CONFERENCED"},
        {"singleStepConference", "CONFERENCED"},
        {"callNotAnswered", "NOT_ANSWERED"},
        {"alertTimeExpired", "NOT_ANSWERED"},
        {"destNotObtainable", "DESTINATION_NOT_OBTAINABLE"},
        {"networkNotObtainable", "DESTINATION_NOT_OBTAINABLE"},
        {"destOutOfOrder", "DESTINATION_NOT_OBTAINABLE"},
        {"invalidNumberFormat", "INVALID_NUMBER"},
        {"numberUnallocated", "INVALID_NUMBER"},
        {"incompatibleDestination", "INVALID_NUMBER"},
        {"campOn", "CAMP_ON"},
        {"campOnTrunks", "CAMP_ON"},
        {"callBack", "CALL_BACK"},
        {"recall", "RECALL"},
        {"recallNoAnswer", "RECALL"},
        {"distributed", "DISTRIBUTED"},
        {"enteringDistribution", "ACD_ENTER_DISTRIBUTION"},
        {"noAvailableAgents", "NO_AVAILABLE_AGENT"},
        {"resourcesNotAvailable", "RESOURCES_NOT_AVAILABLE"},
        {"lockout", "LOCKOUT"},
        {"maintenance", "UNKNOWN"},
        {"", "UNKNOWN"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum call_cause cause = cx_cause_of(cases[i].csta);
        if (cases[i].means == NULL)
            assert_int_equal(cause, CAUSE_ABSENT);
        else
            assert_string_equal(call_cause_names[cause - 1], cases[i].means);
        if (cases[i].csta != NULL && cases[i].csta[0] != '\0')
            assert_true(csta_cause_known(cases[i].csta));
    }
}

static void each_event_of_a_call_has_its_kind_and_state(void **state)
{
    (void)state;
    /* state of the monitored device when the PBX does not tell it */
    static const struct {
        enum csta_type type;
        enum pbx_event_type means;
        enum pbx_local as_subject, as_other;
    } cases[] = {
        {CSTA_SERVICE_INITIATED, PBX_EVENT_INITIATED, PBX_LOCAL_INITIATED, PBX_LOCAL_CONNECTED},
        {CSTA_ORIGINATED, PBX_EVENT_ORIGINATED, PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_DELIVERED, PBX_EVENT_DELIVERED, PBX_LOCAL_ALERTING, PBX_LOCAL_CONNECTED},
        {CSTA_ESTABLISHED, PBX_EVENT_ESTABLISHED, PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_HELD, PBX_EVENT_HELD, PBX_LOCAL_HOLD, PBX_LOCAL_CONNECTED},
        {CSTA_RETRIEVED, PBX_EVENT_RETRIEVED, PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_DIVERTED, PBX_EVENT_DIVERTED, PBX_LOCAL_NONE, PBX_LOCAL_CONNECTED},
        {CSTA_FAILED, PBX_EVENT_FAILED, PBX_LOCAL_FAIL, PBX_LOCAL_FAIL},
        {CSTA_CONNECTION_CLEARED, PBX_EVENT_CLEARED, PBX_LOCAL_NONE, PBX_LOCAL_CONNECTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct csta_message message = {
            .type = cases[i].type, .connection = {.call_id = "K"}, .subject = party("1001")};
        struct cx_event event = {0};
        assert_int_equal(cx_event_from(&event, &message, "1001"), 0);
        assert_int_equal(event.event.type, cases[i].means);
        assert_int_equal(event.event.local, cases[i].as_subject);
        assert_int_equal(cx_event_from(&event, &message, "1002"), 0);
        assert_int_equal(event.event.local, cases[i].as_other);
        assert_string_equal(event.event.monitored, "1002");
        for (unsigned local = CSTA_LOCAL_ABSENT + 1; local < CSTA_LOCAL_COUNT; local++) {
            message.local = (enum csta_local)local; /* what it tells counts more */
            assert_int_equal(cx_event_from(&event, &message, "1002"), 0);
            assert_string_equal(pbx_local_name(event.event.local),
                                csta_local_name((enum csta_local)local));
        }
    }
}

static void other_messages_are_no_events_of_calls(void **state)
{
    (void)state;
    unsigned events = 0;
    for (unsigned type = 0; type < CSTA_TYPE_COUNT; type++) {
        const struct csta_message message = {.type = (enum csta_type)type,
                                             .connection = {.call_id = "K"}};
        struct cx_event event = {0};
        int r = cx_event_from(&event, &message, "1001");
        assert_true(r == 0 || r == -ENOMSG);
        events += r == 0;
    }
    assert_int_equal(events, PBX_EVENT_COUNT);
}

static void call_identifiers_must_be_short_and_printable(void **state)
{
    (void)state;
    char longest[PBX_CALL_ID_CHARS], too_long[PBX_CALL_ID_CHARS + 1];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    const struct {
        const char *call_id;
        int result;
    } cases[] = {{"1", 0},        {longest, 0},        {"FF00 <&>", 0},
                 {NULL, -EPROTO}, {too_long, -EPROTO}, {"a\nb", -EPROTO},
                 {"", -EPROTO}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct csta_message message = {.type = CSTA_HELD,
                                             .connection = {.call_id = cases[i].call_id}};
        struct cx_event event = {0};
        assert_int_equal(cx_event_from(&event, &message, "1001"), cases[i].result);
    }
}

static void parties_are_read_in_all_their_forms(void **state)
{
    (void)state;
    const struct csta_message message = {
        .type = CSTA_DIVERTED,
        .connection = {.call_id = "K", .device = {.id = "N<1001>Ann Lee;noa=nk"}},
        .subject = {.kind = CSTA_PARTY_NOT_KNOWN},
        .calling = {.kind = CSTA_PARTY_RESTRICTED},
        .called = party("N<1002>"),
        .redirection = {.kind = CSTA_PARTY_NOT_REQUIRED},
        .new_destination = party("N<1003>Bob"),
    };
    struct cx_event event = {0};
    assert_int_equal(cx_event_from(&event, &message, "1001"), 0);
    assert_string_equal(event.event.subject.number, "1001"); /* from the connection */
    assert_string_equal(event.event.subject.name, "Ann Lee");
    assert_true(event.event.calling.restricted);
    assert_null(event.event.calling.number);
    assert_string_equal(event.event.called.number, "1002");
    assert_null(event.event.called.name);
    assert_null(event.event.redirecting.number);
    assert_false(event.event.redirecting.restricted);
    assert_string_equal(event.event.new_destination, "1003");
    assert_int_equal(event.event.local, PBX_LOCAL_NONE);
}

static void unreadable_parties_are_not_known(void **state)
{
    (void)state;
    char long_number[200];
    memset(long_number, '1', sizeof(long_number) - 1);
    long_number[sizeof(long_number) - 1] = '\0';
    const char *const bad[] = {"", "N<>x", long_number, "10\n01"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct cx_party read = {0};
        const struct csta_party from = party(bad[i]);
        cx_party_from(&read, &from);
        assert_null(read.party.number);
        assert_null(read.party.name);
    }
}

static void the_caller_of_a_new_call_is_its_subject(void **state)
{
    (void)state;
    const struct csta_message message = {.type = CSTA_ORIGINATED,
                                         .connection = {.call_id = "K"},
                                         .subject = party("1001"),
                                         .called = party("1002")};
    struct cx_event event = {0};
    assert_int_equal(cx_event_from(&event, &message, "1001"), 0);
    assert_string_equal(event.event.calling.number, "1001");
    assert_string_equal(event.event.called.number, "1002");
}

static void a_correlator_is_whole_bytes_in_hexadecimal_or_nothing(void **state)
{
    (void)state;
    char longest[65], too_long[67];
    memset(longest, '0', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memset(too_long, '0', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    const struct {
        const char *given;
        bool kept;
    } cases[] = {{"00fFaA09", true}, {longest, true}, {too_long, false}, {"", false},
                 {"abc", false},     {"0g", false},   {"00 ", false},    {NULL, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct csta_message message = {
            .type = CSTA_HELD, .connection = {.call_id = "K"}, .correlator = cases[i].given};
        struct cx_event event = {0};
        assert_int_equal(cx_event_from(&event, &message, "1001"), 0);
        assert_ptr_equal(event.event.correlator, cases[i].kept ? cases[i].given : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_mean_what_the_table_says),
        cmocka_unit_test(each_event_of_a_call_has_its_kind_and_state),
        cmocka_unit_test(other_messages_are_no_events_of_calls),
        cmocka_unit_test(call_identifiers_must_be_short_and_printable),
        cmocka_unit_test(parties_are_read_in_all_their_forms),
        cmocka_unit_test(unreadable_parties_are_not_known),
        cmocka_unit_test(the_caller_of_a_new_call_is_its_subject),
        cmocka_unit_test(a_correlator_is_whole_bytes_in_hexadecimal_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
