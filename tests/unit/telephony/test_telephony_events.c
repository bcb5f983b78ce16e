/* What clients hear of calls, byte for byte. */
#include "gateway/api/telephony/events.h"

#include "lib/common/common.h"
#include "tests/unit/model/calls_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bench bench;
static struct gateway gateway;
static struct session *session;
static struct subscription *listener;

static void subscribe(void)
{
    const char *package = "telephony";
    const struct filter_selector selector = {.names = {&package, 1, true}};
    const struct filter_request request = {.selectors = {&selector, 1, true}};
    struct filter *filter = NULL;
    struct digest digest;
    digest_of_text("listener", &digest);
    const struct subscription_birth birth = {.id = &digest, .session = session, .timeout_min = 10};
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    assert_int_equal(subscriptions_add(&gateway.subscriptions, &birth, filter, 1000), 0);
    listener = subscriptions_find(&gateway.subscriptions, &digest);
}

static int begin(void **unused)
{
    struct calls_sink sink;
    struct digest digest;
    (void)unused;
    digest_of_text("credential", &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = "admin", .administrator = true};
    gateway = (struct gateway){0};
    sessions_init(&gateway.sessions, 1800);
    subscriptions_init(&gateway.subscriptions);
    if (sessions_add(&gateway.sessions, &birth, 0, &session) < 0)
        return -1;
    telephony_events_sink(&gateway, &sink);
    bench_begin_with(&bench, &sink);
    gateway.users = bench.users;
    gateway.calls = bench.calls;
    subscribe();
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    bench_end(&bench);
    while (!TAILQ_EMPTY(&gateway.subscriptions.all))
        subscriptions_remove(&gateway.subscriptions, TAILQ_FIRST(&gateway.subscriptions.all));
    subscriptions_done(&gateway.subscriptions);
    sessions_done(&gateway.sessions);
    return 0;
}

/* The next event is this line. */
static void expect(const char *json)
{
    struct event_line *line = event_queue_pop(&listener->queue);
    assert_non_null(line);
    struct buf text = {0};
    buf_add(&text, line->text, line->len_bytes - 1);
    assert_string_equal(text.data, json);
    buf_done(&text);
    event_line_unref(line);
}

static void expect_silence(void)
{
    assert_int_equal(listener->queue.count, 0);
    assert_int_equal(listener->queue.lost, 0);
}

/* The next events are those of the file, one a line. */
static unsigned expect_file(const char *path)
{
    AUTO(common_freep) char *line = NULL;
    size_t cap_bytes = 0;
    unsigned count = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &cap_bytes, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        expect(line);
        count++;
    }
    (void)fclose(file);
    return count;
}

/* The 13 events of the reference flow: 1001 calls 1002, who answers; 1001 hangs up. */
static void a_basic_call_is_told_as_the_reference_flow_has_it(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    bench_answer(&bench);
    bench_say(&bench, PBX_EVENT_CLEARED, "1001", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1001");
    bench_say(&bench, PBX_EVENT_CLEARED, "1002", "1002");
    assert_int_equal(expect_file(BASIC_CALL), 13);
    expect_silence();
}

static void drop_events(void)
{
    struct event_line *line;
    while ((line = event_queue_pop(&listener->queue)) != NULL)
        event_line_unref(line);
}

static void a_forwarded_call_names_its_new_destination(void **unused)
{
    (void)unused;
    bench_dial(&bench);
    bench_ring(&bench);
    drop_events();
    bench_tell(&bench, &(struct bench_event){.type = PBX_EVENT_DIVERTED,
                                             .at = "1002",
                                             .subject = "1002",
                                             .new_destination = "1003",
                                             .cause = CAUSE_FORWARDED});
    expect("{\"eventName\":\"OnCallRemoved\",\"loginName\":\"oxe1002\",\"callRef\":"
           "\"ba4975cbef45ec3f\",\"cause\":\"FORWARDED\",\"newDestination\":\"1003\","
           "\"deviceCapabilities\":[{\"deviceId\":\"1002\",\"makeCall\":true},"
           "{\"deviceId\":\"1502\",\"makeCall\":true}]}");
    expect_silence();
}

static void a_device_out_of_service_is_told_and_offers_nothing(void **unused)
{
    (void)unused;
    calls_device_state(bench.calls, "1502", DEVICE_OUT_OF_SERVICE);
    expect("{\"eventName\":\"OnDeviceStateModified\",\"loginName\":\"oxe1002\",\"deviceStates\":["
           "{\"deviceId\":\"1002\",\"state\":\"IN_SERVICE\"},"
           "{\"deviceId\":\"1502\",\"state\":\"OUT_OF_SERVICE\"}]}");
    bench_tell(&bench,
               &(struct bench_event){.type = PBX_EVENT_INITIATED, .at = "1002", .subject = "1002"});
    expect("{\"eventName\":\"OnCallCreated\",\"loginName\":\"oxe1002\",\"callRef\":"
           "\"ba4975cbef45ec3f\",\"callData\":{\"state\":\"OFF_HOOK\",\"capabilities\":"
           "{\"addMedias\":[],\"terminate\":true}},\"legs\":[{\"deviceId\":\"1002\",\"media\":"
           "\"AUDIO\",\"state\":\"OFF_HOOK\",\"capabilities\":{\"drop\":true}}],"
           "\"participants\":[],\"deviceCapabilities\":[{\"deviceId\":\"1002\"},"
           "{\"deviceId\":\"1502\"}]}");
}

static void a_channel_begins_with_the_states_of_devices_and_user(void **unused)
{
    struct buf out = {0};
    (void)unused;
    assert_int_equal(telephony_initial_states(bench_user(&bench, "1001"), &out), 0);
    assert_string_equal(out.data,
                        "{\"eventName\":\"OnDeviceStateModified\",\"loginName\":\"oxe1001\","
                        "\"deviceStates\":[{\"deviceId\":\"1001\",\"state\":\"IN_SERVICE\"}]}\n"
                        "{\"eventName\":\"OnUserStateModified\",\"loginName\":\"oxe1001\","
                        "\"state\":\"FREE\"}\n");
    buf_done(&out);
}

static void the_whole_state_of_an_idle_user_fits_in_one_event(void **unused)
{
    struct buf out = {0};
    (void)unused;
    assert_int_equal(telephony_state_event(bench.users, bench_user(&bench, "1001"), &out), 0);
    assert_string_equal(out.data,
                        "{\"eventName\":\"OnTelephonyState\",\"loginName\":\"oxe1001\",\"state\":"
                        "{\"calls\":[],\"deviceCapabilities\":[{\"deviceId\":\"1001\","
                        "\"makeCall\":true}],\"userState\":\"FREE\",\"deviceStates\":"
                        "{\"deviceStates\":[{\"deviceId\":\"1001\",\"state\":\"IN_SERVICE\"}]}}}");
    buf_done(&out);
}

static void without_listeners_nothing_is_lost_or_kept(void **unused)
{
    (void)unused;
    subscriptions_remove(&gateway.subscriptions, listener);
    bench_dial(&bench);
    bench_ring(&bench);
    subscribe();
    expect_silence();
    bench_answer(&bench);
    assert_int_equal(listener->queue.count, 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_basic_call_is_told_as_the_reference_flow_has_it),
        CASE(a_forwarded_call_names_its_new_destination),
        CASE(a_device_out_of_service_is_told_and_offers_nothing),
        CASE(a_channel_begins_with_the_states_of_devices_and_user),
        CASE(the_whole_state_of_an_idle_user_fits_in_one_event),
        CASE(without_listeners_nothing_is_lost_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
