/* How the model looks to clients. */
#include "gateway/api/telephony/view.h"

#include "lib/common/common.h"
#include "tests/unit/model/calls_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct bench bench;
static struct arena arena;

static int begin(void **unused)
{
    (void)unused;
    bench_begin(&bench);
    arena_init(&arena, 1024 * 1024);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    arena_done(&arena);
    bench_end(&bench);
    return 0;
}

static void expect_json(const struct repr *repr, const void *view, const char *json)
{
    struct buf out = {0};
    assert_non_null(view);
    assert_int_equal(repr_write(repr, view, &out), 0);
    assert_string_equal(out.data, json);
    buf_done(&out);
}

static struct call_participant participant_of(const char *number, char *name)
{
    struct call_participant participant = {.name = name, .state = MEDIA_ACTIVE};
    memcpy(participant.number, number, strlen(number) + 1);
    return participant;
}

static void expect_identity(const struct call_participant *participant, const char *json)
{
    struct buf expected = {0};
    buf_addf(&expected,
             "{\"participantId\":%s,\"state\":\"ACTIVE\",\"medias\":[],"
             "\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}",
             json);
    expect_json(&participant_repr, view_participant(&arena, bench.users, participant),
                expected.data);
    buf_done(&expected);
}

static void a_participant_is_a_user_an_outside_number_hidden_or_unknown(void **unused)
{
    char garage[] = "Garage Pont-Neuf", cell[] = "Teo's phone";
    (void)unused;
    struct call_participant one = participant_of("1003", NULL);
    expect_identity(&one, "\"1003\",\"identity\":{\"id\":{\"loginName\":\"oxe1003\","
                          "\"phoneNumber\":\"1003\"},\"firstName\":\"Ida\",\"lastName\":\"Berg\","
                          "\"type\":{\"main\":\"USER\"}}");
    one = participant_of("1502", cell); /* a second device is its user; our names are the truth */
    expect_identity(&one, "\"1502\",\"identity\":{\"id\":{\"loginName\":\"oxe1002\","
                          "\"phoneNumber\":\"1502\",\"multiLine\":true},\"firstName\":\"Teo\","
                          "\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}}");
    one = participant_of("0390671234", garage);
    expect_identity(&one, "\"0390671234\",\"identity\":{\"id\":{\"phoneNumber\":\"0390671234\"},"
                          "\"displayName\":\"Garage Pont-Neuf\",\"type\":{\"main\":\"EXTERNAL\"}}");
    one = participant_of("", NULL);
    expect_identity(&one, "\"unknown\",\"identity\":{\"id\":{},\"type\":{\"main\":\"UNKNOWN\"}}");
    one = participant_of("", garage); /* a name would give away who hides */
    one.anonymous = true;
    expect_identity(&one, "\"anonymous\",\"identity\":{\"id\":{},\"type\":{\"main\":\"UNKNOWN\"}},"
                          "\"anonymous\":true");
}

/* What is announced in each state: only what this release can do. */
static void each_state_announces_what_can_be_done_in_it(void **unused)
{
    static const struct {
        enum media_state state;
        const char *call, *leg, *device;
    } rows[] = {
        {MEDIA_UNKNOWN, "", "", ""},
        {MEDIA_OFF_HOOK, ",\"terminate\":true", "\"drop\":true", ""},
        {MEDIA_IDLE, "", "", ",\"makeCall\":true"},
        {MEDIA_RELEASING, ",\"terminate\":true", "\"drop\":true", ""},
        {MEDIA_DIALING, ",\"terminate\":true", "\"drop\":true", ""},
        {MEDIA_HELD, ",\"dropMe\":true,\"terminate\":true", "\"drop\":true", ""},
        {MEDIA_RINGING_INCOMING, ",\"terminate\":true", "\"answer\":true", ""},
        {MEDIA_RINGING_OUTGOING, ",\"terminate\":true", "\"drop\":true", ""},
        {MEDIA_ACTIVE, ",\"dropMe\":true,\"terminate\":true", "\"drop\":true", ""},
    };
    (void)unused;
    assert_int_equal(COUNT_OF(rows), MEDIA_STATE_COUNT - 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call_capabilities_view call = {0};
        struct leg_capabilities_view leg = {0};
        struct device_capabilities_view device = {.device_id = "1001"};
        view_set_call_capabilities(rows[i].state, &call);
        view_set_leg_capabilities(rows[i].state, &leg);
        view_set_device_capabilities(rows[i].state, &device);
        struct call_data_view data = {.state = rows[i].state, .capabilities = &call};
        const struct leg_view one = {"1001", NULL, rows[i].state, .capabilities = &leg};
        const struct call_view view = {"x", &data, {&one, 1, true}, {0}};
        const struct telephonic_state_view state = {.calls = {&view, 1, true},
                                                    .device_capabilities = {&device, 1, true}};
        const char *name = media_state_names[rows[i].state - 1];
        struct buf expected = {0};
        buf_addf(&expected,
                 "{\"calls\":[{\"callRef\":\"x\",\"callData\":{\"state\":\"%s\",\"capabilities\":"
                 "{\"addMedias\":[]%s}},\"legs\":[{\"deviceId\":\"1001\",\"state\":\"%s\","
                 "\"capabilities\":{%s}}]}],\"deviceCapabilities\":[{\"deviceId\":\"1001\"%s}]}",
                 name, rows[i].call, name, rows[i].leg, rows[i].device);
        expect_json(&telephonic_state_repr, &state, expected.data);
        buf_done(&expected);
    }
}

static void expect_correlator(const char *digits, const char *text)
{
    struct call call = {.user = bench_user(&bench, "1001"), .state = MEDIA_ACTIVE};
    memcpy(call.correlator, digits, strlen(digits) + 1);
    const struct call_data_view *view = view_call_data(&arena, bench.users, &call);
    assert_non_null(view);
    assert_string_equal(view->hexa_binary_associated_data, digits);
    if (text == NULL)
        assert_null(view->associated_data);
    else
        assert_string_equal(view->associated_data, text);
}

static void associated_data_is_shown_as_text_only_when_it_is_one(void **unused)
{
    (void)unused;
    expect_correlator("6f72646572203137", "order 17");
    expect_correlator("4F524445523A3137", "ORDER:17");
    expect_correlator("c3a9", "\xc3\xa9");
    expect_correlator("c3", NULL);   /* half a character */
    expect_correlator("0a41", NULL); /* a control character */
    expect_correlator("4", NULL);    /* half a byte */
    expect_correlator("zz", NULL);
}

static void the_state_of_a_user_in_a_call_is_whole(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    expect_json(
        &telephonic_state_repr,
        view_telephonic_state(&arena, bench.users, bench_user(&bench, "1002")),
        "{\"calls\":[{\"callRef\":\"ba4975cbef45ec3f\",\"callData\":{\"initialCalled\":{\"id\":"
        "{\"loginName\":\"oxe1002\",\"phoneNumber\":\"1002\",\"multiLine\":true},\"firstName\":"
        "\"Teo\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":"
        "\"RINGING_INCOMING\",\"capabilities\":{\"addMedias\":[],\"terminate\":true}},\"legs\":["
        "{\"deviceId\":\"1002\",\"media\":\"AUDIO\",\"state\":\"RINGING_INCOMING\","
        "\"capabilities\":{\"answer\":true}}],\"participants\":[{\"participantId\":\"1001\","
        "\"identity\":{\"id\":{\"loginName\":\"oxe1001\",\"phoneNumber\":\"1001\"},\"firstName\":"
        "\"Nora\",\"lastName\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"state\":"
        "\"RINGING_INCOMING\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]}],"
        "\"deviceCapabilities\":[{\"deviceId\":\"1002\"},{\"deviceId\":\"1502\",\"makeCall\":true}]"
        ","
        "\"userState\":\"FREE\",\"deviceStates\":{\"deviceStates\":[{\"deviceId\":\"1002\","
        "\"state\":\"IN_SERVICE\"},{\"deviceId\":\"1502\",\"state\":\"IN_SERVICE\"}]}}");
}

static void lists_of_an_idle_user_are_empty_not_absent(void **unused)
{
    const struct user *user = bench_user(&bench, "1001");
    (void)unused;
    expect_json(&calls_repr, view_calls(&arena, bench.users, user), "{\"calls\":[]}");
    bench_dial(&bench);
    const struct call *call = bench_call(&bench, "1001", "C1");
    expect_json(&participants_repr, view_participants(&arena, bench.users, call),
                "{\"participants\":[]}");
    expect_json(&legs_repr, view_legs(&arena, call),
                "{\"legs\":[{\"deviceId\":\"1001\",\"media\":\"AUDIO\",\"state\":\"DIALING\","
                "\"capabilities\":{\"drop\":true}}]}");
}

/* Every view in an arena of every size up to the one in which it fits. */
static void without_memory_a_view_is_null_never_half(void **unused)
{
    bool done = false;
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    for (size_t bytes = 0; !done; bytes += 16) {
        struct arena small;
        struct buf out = {0};
        arena_init(&small, bytes);
        const struct telephonic_state_view *view =
            view_telephonic_state(&small, bench.users, bench_user(&bench, "1002"));
        done = view != NULL;
        if (done) {
            assert_int_equal(repr_write(&telephonic_state_repr, view, &out), 0);
            assert_non_null(strstr(out.data, "\"deviceStates\""));
        }
        assert_true(done || bytes < 65536);
        buf_done(&out);
        arena_done(&small);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_participant_is_a_user_an_outside_number_hidden_or_unknown),
        CASE(each_state_announces_what_can_be_done_in_it),
        CASE(associated_data_is_shown_as_text_only_when_it_is_one),
        CASE(the_state_of_a_user_in_a_call_is_whole),
        CASE(lists_of_an_idle_user_are_empty_not_absent),
        CASE(without_memory_a_view_is_null_never_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
