/* The gateway's driver and the simulated PBX as two processes, by the stories that the driver
 * tells: whatever the wire does to the bytes, the story of a call is the same. What else the driver
 * must do is tested in tests/integration/pbx. */
#include "lib/common/common.h"
#include "tests/integration/pbx/driver_bench.h"
#include "tests/support/simulator_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PHONES = 5, LIMIT_MS = 30000 };
static const char *const options[] = {"--users", "5", NULL};

static struct simulator_server server;
static struct bench *bench;

static void open_bench(const char *const *simulator_options)
{
    simulator_server_start(&server, simulator_options);
    bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    bench->watch_all = true;
    bench_settings(bench, server.csta_port);
}

/* The driver has read everything once more. */
static void await_round(unsigned round)
{
    assert_true(bench_until(bench, &bench->ups, round, LIMIT_MS));
    assert_true(bench_until(bench, &bench->snapshots, round * PHONES, LIMIT_MS));
}

static int begin(void **unused)
{
    (void)unused;
    open_bench(options);
    bench_open(bench);
    await_round(1);
    bench->story[0] = '\0';
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    bench_close(bench);
    free(bench);
    return simulator_server_stop(&server);
}

static void press(const char *number, const char *key, const char *body)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "/phones/%s/%s", number, key);
    simulator_server_do(&server, "POST", path, body);
}

static void misbehave(const char *wishes)
{
    simulator_server_do(&server, "PUT", "/misbehave", wishes);
}

/* The story without call identifiers, which differ in each run: "C" stands for each. */
static void expect_story(const char *expected)
{
    struct buf story = {0};
    for (const char *at = bench->story; *at != '\0';) {
        size_t digits = strspn(at, "0123456789ABCDEF");
        if (digits == 16)
            buf_adds(&story, "C");
        else
            buf_add(&story, at, digits > 0 ? digits : 1);
        at += digits > 0 ? digits : 1;
    }
    assert_string_equal(story.data != NULL ? story.data : "", expected);
    buf_done(&story);
    bench->story[0] = '\0';
}

static const char talk_and_release[] = "service initiated@1001(C 1001,1001>-,initiated,) "
                                       "originated@1001(C 1001,1001>1002,connected,) "
                                       "delivered@1002(C 1002,1001>1002,alerting,) "
                                       "delivered@1001(C 1002,1001>1002,connected,) "
                                       "established@1002(C 1002,1001>1002,connected,) "
                                       "established@1001(C 1002,1001>1002,connected,) "
                                       "connection cleared@1001(C 1001,->-,null,CLEARED) "
                                       "connection cleared@1002(C 1001,->-,connected,CLEARED) "
                                       "connection cleared@1002(C 1002,->-,null,CLEARED) ";
enum { EVENTS_OF_A_TALK = 9 };

static void talk(void)
{
    unsigned before = bench->events;
    press("1001", "call", "{\"number\":\"1002\"}");
    press("1002", "answer", NULL);
    press("1001", "hangup", NULL);
    assert_true(bench_until(bench, &bench->events, before + EVENTS_OF_A_TALK, LIMIT_MS));
}

static void a_call_by_the_keys_reaches_the_driver(void **unused)
{
    (void)unused;
    talk();
    expect_story(talk_and_release);
}

static void calls_from_before_the_link_are_found(void **unused)
{
    (void)unused;
    open_bench(options);
    press("1001", "call", "{\"number\":\"1002\"}");
    press("1003", "call", "{\"number\":\"1004\"}");
    press("1004", "answer", NULL);
    bench_open(bench);
    await_round(1);
    const char *const parts[] = {
        "up directory:5 ",
        " connected 1001>1002 with 1002 alerting] ",
        " alerting 1001>1002 with 1001 connected] ",
        " connected 1003>1004 with 1004 connected] ",
        " connected 1003>1004 with 1003 connected] ",
        "snapshot@1005[] ",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(bench->story, parts[i]) == NULL)
            fail_msg("no '%s' in: %s", parts[i], bench->story);
}

static void an_older_edition_is_agreed_on(void **unused)
{
    (void)unused;
    const char *const old[] = {"--users", "5", "--editions", "ed3", NULL};
    open_bench(old);
    bench_open(bench);
    await_round(1);
    bench->story[0] = '\0';
    talk();
    expect_story(talk_and_release);
}

static void it_works_without_a_session_too(void **unused)
{
    (void)unused;
    const char *const plain[] = {"--users", "5", "--without-session", NULL};
    open_bench(plain);
    (void)snprintf(bench->settings.session, sizeof(bench->settings.session), "none");
    bench_open(bench);
    await_round(1);
    bench->story[0] = '\0';
    talk();
    expect_story(talk_and_release);
}

/* What had been told of the call when its maker was told that it is made. */
struct made {
    unsigned count, known;
};

static void on_made(void *made_, const struct pbx_error *error, const char *call_id)
{
    struct made *made = made_;
    char told[96];
    assert_null(error);
    (void)snprintf(told, sizeof(told), "originated@1001(%s", call_id);
    made->known += strstr(bench->story, told) != NULL;
    made->count++;
}

static void make_and_hang_up(struct made *made)
{
    const struct pbx_make_call call = {.device = "1001", .callee = "1002", .auto_answer = true};
    unsigned before = made->count;
    bench->story[0] = '\0';
    assert_int_equal(pbx_make_call(bench->pbx, &call, on_made, made), 0);
    assert_true(bench_until(bench, &made->count, before + 1, LIMIT_MS));
    press("1001", "hangup", NULL);
}

static void a_call_is_known_when_its_maker_is_told(void **unused)
{
    (void)unused;
    struct made made = {0};
    for (int i = 0; i < 50; i++)
        make_and_hang_up(&made);
    assert_int_equal(made.known, 50);
}

static void a_call_without_events_is_told_after_a_while(void **unused)
{
    (void)unused;
    struct made made = {0};
    misbehave("{\"drop_events\":1}");
    uint64_t started_ms = common_boot_ms();
    make_and_hang_up(&made);
    assert_int_equal(made.known, 0);
    assert_in_range(common_boot_ms() - started_ms, 250, 3000);
}

static void a_call_whose_link_breaks_at_once_is_told_too(void **unused)
{
    (void)unused;
    struct made made = {0};
    const struct pbx_make_call call = {.device = "1001", .callee = "1002", .auto_answer = true};
    misbehave("{\"drop_events\":1}");
    assert_int_equal(pbx_make_call(bench->pbx, &call, on_made, &made), 0);
    bench_run(bench, 50); /* the answer is there, no event */
    assert_int_equal(made.count, 0);
    simulator_server_do(&server, "POST", "/link/drop", NULL);
    assert_true(bench_until(bench, &bench->downs, 1, LIMIT_MS));
    assert_int_equal(made.count, 1);
}

/* --- trouble ---------------------------------------------------------------------------------- */
static void pieces_and_delays_change_nothing(void **unused)
{
    (void)unused;
    misbehave("{\"split_bytes\":1}");
    talk();
    expect_story(talk_and_release);
    misbehave("{\"split_bytes\":3,\"delay_ms\":100}");
    talk();
    expect_story(talk_and_release);
}

static void a_dropped_link_comes_back_with_the_calls(void **unused)
{
    (void)unused;
    press("1001", "call", "{\"number\":\"1002\"}");
    simulator_server_do(&server, "POST", "/link/drop", NULL);
    press("1002", "answer", NULL); /* nobody is told */
    await_round(2);
    assert_int_equal(bench->downs, 1);
    assert_non_null(strstr(bench->story, "snapshot@1001[1"));
    assert_non_null(strstr(bench->story, " connected 1001>1002 with 1002 connected] "));
}

static void refused_sessions_are_asked_for_again(void **unused)
{
    (void)unused;
    misbehave("{\"refuse_sessions\":true}");
    simulator_server_do(&server, "POST", "/link/drop", NULL);
    bench_run(bench, 1500);
    assert_int_equal(bench->ups, 1);
    misbehave("{}");
    await_round(2);
}

static void nonsense_harms_nobody(void **unused)
{
    (void)unused;
    const char *const kinds[] = {"xml", "unknown", "entities", "empty"};
    char body[64];
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        (void)snprintf(body, sizeof(body), "{\"kind\":\"%s\"}", kinds[i]);
        simulator_server_do(&server, "POST", "/link/garbage", body);
        bench_run(bench, 50);
    }
    await_round(1 + bench->downs);
    bench->story[0] = '\0';
    talk();
    expect_story(talk_and_release);
    simulator_server_do(&server, "POST", "/link/garbage", "{\"kind\":\"frame\"}");
    assert_true(bench_until(bench, &bench->downs, 1, LIMIT_MS));
    await_round(1 + bench->downs);
}

static void a_pbx_that_starts_again_is_read_again(void **unused)
{
    (void)unused;
    char csta_port[8];
    (void)snprintf(csta_port, sizeof(csta_port), "%u", server.csta_port);
    const char *const same_port[] = {"--users", "5", "--csta-port", csta_port, NULL};
    press("1001", "call", "{\"number\":\"1002\"}");
    assert_int_equal(simulator_server_stop(&server), 0);
    assert_true(bench_until(bench, &bench->downs, 1, LIMIT_MS));
    simulator_server_start(&server, same_port);
    bench->story[0] = '\0';
    await_round(2);
    assert_non_null(strstr(bench->story, "snapshot@1001[] "));
}

int main(void)
{
#define READY(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define ALONE(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        READY(a_call_by_the_keys_reaches_the_driver),
        ALONE(calls_from_before_the_link_are_found),
        ALONE(an_older_edition_is_agreed_on),
        ALONE(it_works_without_a_session_too),
        READY(a_call_is_known_when_its_maker_is_told),
        READY(a_call_without_events_is_told_after_a_while),
        READY(a_call_whose_link_breaks_at_once_is_told_too),
        READY(pieces_and_delays_change_nothing),
        READY(a_dropped_link_comes_back_with_the_calls),
        READY(refused_sessions_are_asked_for_again),
        READY(nonsense_harms_nobody),
        READY(a_pbx_that_starts_again_is_read_again),
    };
    return cmocka_run_group_tests_name("simulator_driver", tests, NULL, NULL);
}
