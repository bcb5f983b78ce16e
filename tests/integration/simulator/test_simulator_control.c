/* The control interface and the command line of oxe-simulator. */
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "tests/support/simulator_server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct simulator_server server;

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int open_server(void **unused)
{
    (void)unused;
    simulator_server_start(&server, NULL);
    return 0;
}

static int close_server(void **unused)
{
    (void)unused;
    return simulator_server_stop(&server);
}

static void expect_state(const char *number, const char *expected)
{
    char state[32];
    assert_string_equal(simulator_server_phone_state(&server, number, state), expected);
}

static void do_it(const char *method, const char *path, const char *body)
{
    simulator_server_do(&server, method, path, body);
}

static void a_call_is_made_by_the_keys_of_two_phones(void **unused)
{
    (void)unused;
    expect_state("1001", "idle");
    do_it("POST", "/phones/1001/offhook", NULL);
    expect_state("1001", "initiated");
    do_it("POST", "/phones/1001/dial", "{\"number\":\"1002\"}");
    expect_state("1001", "connected");
    expect_state("1002", "alerting");
    do_it("POST", "/phones/1002/answer", NULL);
    expect_state("1002", "connected");
    do_it("POST", "/phones/1001/hangup", NULL);
    expect_state("1001", "idle");
    expect_state("1002", "idle");
}

static void a_ringing_phone_can_decline(void **unused)
{
    (void)unused;
    do_it("POST", "/phones/1001/call", "{\"number\":\"1002\"}");
    do_it("POST", "/phones/1002/hangup", NULL);
    expect_state("1001", "idle");
    expect_state("1002", "idle");
}

static void a_failed_call_stays_until_it_is_hung_up(void **unused)
{
    (void)unused;
    do_it("POST", "/phones/1001/call", "{\"number\":\"4711\"}");
    expect_state("1001", "fail");
    do_it("POST", "/phones/1001/hangup", NULL);
    expect_state("1001", "idle");
}

static void calls_are_shown_with_their_parties(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf body = {0};
    AUTO(buf_done) struct buf phone = {0};
    do_it("POST", "/phones/1001/call", "{\"number\":\"1002\"}");
    assert_int_equal(simulator_server_ask(&server, "GET", "/calls", NULL, &body), 200);
    assert_non_null(strstr(body.data,
                           "\"calling\":\"1001\",\"called\":\"1002\",\"connections\":[{\"number\":"
                           "\"1001\",\"state\":\"connected\"},{\"number\":\"1002\",\"state\":"
                           "\"alerting\"}]}]"));
    assert_int_equal(simulator_server_ask(&server, "GET", "/phones/1002", NULL, &phone), 200);
    assert_non_null(strstr(phone.data, "\"state\":\"alerting\",\"calls\":[{\"id\":\""));
}

static void keys_that_make_no_sense_are_refused_with_a_reason(void **unused)
{
    (void)unused;
    const struct {
        const char *method, *path, *body;
        int status;
        const char *reason;
    } rows[] = {
        {"POST", "/phones/4711/offhook", NULL, 404, "4711: there is no such phone"},
        {"GET", "/phones/4711", NULL, 404, "4711: there is no such phone"},
        {"DELETE", "/phones/4711", NULL, 404, "4711: there is no such phone"},
        {"POST", "/phones/1001/answer", NULL, 409, "nothing to answer"},
        {"POST", "/phones/1001/hangup", NULL, 409, "no such call"},
        {"POST", "/phones/1001/dial", "{\"number\":\"1002\"}", 409, "lift the handset first"},
        {"POST", "/phones/1002/offhook", NULL, 409, "has a call already"},
        {"POST", "/phones/1002/call", "{\"number\":\"1001\"}", 409, "has a call already"},
        {"POST", "/phones/1003/call", "{\"number\":\"1001\"}", 409, "has a call already"},
        {"POST", "/phones/1004/offhook", NULL, 409, "out of service"},
        {"POST", "/phones/1001/dial", "{\"number\":1002}", 400, "number: string expected"},
        {"POST", "/phones/1001/dial", "{}", 400, "number"},
        {"POST", "/phones/1001/dial", "no JSON", 400, ""},
        {"POST", "/phones/1001/sing", NULL, 404, ""},
        {"PUT", "/phones/1001/offhook", NULL, 405, ""},
        {"POST", "/phones", "{\"number\":\"1001\"}", 409, "exists already"},
        {"POST", "/phones", "{\"number\":\"10-1\"}", 400, "1 to 32 digits"},
        {"PUT", "/phones/1001", "{\"name\":\"a;b\"}", 400, "without control characters"},
        {"POST", "/link/garbage", "{\"kind\":\"paper\"}", 400, "kind"},
    };
    do_it("POST", "/phones/1002/offhook", NULL);
    do_it("POST", "/phones/1005/call", "{\"number\":\"1003\"}"); /* 1003 rings */
    do_it("PUT", "/phones/1004/service", "{\"in\":false}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf body = {0};
        int status =
            simulator_server_ask(&server, rows[i].method, rows[i].path, rows[i].body, &body);
        if (status != rows[i].status || strstr(body.data, rows[i].reason) == NULL)
            fail_msg("%s %s: %d %s", rows[i].method, rows[i].path, status, body.data);
    }
}

static void phones_come_change_and_go(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf body = {0};
    do_it("POST", "/phones",
          "{\"number\":\"2001\",\"name\":\"Zoé Brandt\",\"model\":\"DECT 20\","
          "\"main_number\":\"1001\"}");
    do_it("PUT", "/phones/2001", "{\"name\":\"Zoé Moreau\"}");
    assert_int_equal(simulator_server_ask(&server, "GET", "/phones/2001", NULL, &body), 200);
    assert_string_equal(body.data, "{\"number\":\"2001\",\"name\":\"Zoé Moreau\",\"model\":"
                                   "\"DECT 20\",\"main_number\":\"1001\",\"in_service\":true,"
                                   "\"state\":\"idle\",\"calls\":[]}");
    do_it("DELETE", "/phones/2001", NULL);
    assert_int_equal(simulator_server_ask(&server, "GET", "/phones/2001", NULL, NULL), 404);
}

static void a_phone_that_goes_out_of_service_or_away_ends_its_calls(void **unused)
{
    (void)unused;
    do_it("POST", "/phones/1001/call", "{\"number\":\"1002\"}");
    do_it("PUT", "/phones/1002/service", "{\"in\":false}");
    expect_state("1001", "idle");
    expect_state("1002", "outOfService");
    do_it("PUT", "/phones/1002/service", "{\"in\":true}");
    do_it("POST", "/phones/1001/call", "{\"number\":\"1002\"}");
    do_it("DELETE", "/phones/1002", NULL);
    expect_state("1001", "idle");
}

static void all_phones_are_listed(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf body = {0};
    AUTO(json_freep) cJSON *list = NULL;
    assert_int_equal(simulator_server_ask(&server, "GET", "/phones", NULL, &body), 200);
    assert_int_equal(json_parse(body.data, body.len_bytes, &list, NULL), 0);
    assert_int_equal(cJSON_GetArraySize(list), 22);
    assert_string_equal(json_string(cJSON_GetArrayItem(list, 21), "model"), "MOBILE");
}

/* --- command line ----------------------------------------------------------------------------- */
static void wrong_options_are_explained(void **unused)
{
    (void)unused;
    const struct {
        const char *option, *value, *reason;
        int code;
    } rows[] = {
        {"--users", "many", "a number from 0 to 50000 is expected", 64},
        {"--users", "50001", "a number from 0 to 50000 is expected", 64},
        {"--csta-port", "65536", "a number from 0 to 65535 is expected", 64},
        {"--csta-port", "-1", "a number from 0 to 65535 is expected", 64},
        {"--editions", "ed2", "ed3, ed4, ed5, ed6", 64},
        {"--editions", "ed3,", "ed3, ed4, ed5, ed6", 64},
        {"--log-level", "loud", "notice", 64},
        {"--password-file", "/nonexistent", "/nonexistent", 64},
        {"surplus", NULL, "no such argument", 64},
        {"--colour", NULL, "unrecognized option", 64},
        {"--listen", "somewhere", "numeric IPv4 or IPv6 address", 69},
        {"--first-number", "1x", "1 to 15 digits", 69},
        {"--help", NULL, "Usage: oxe-simulator", 0},
        {"--version", NULL, "oxe-simulator ", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf output = {0};
        int code = simulator_server_run(OPTIONS(rows[i].option, rows[i].value), &output);
        if (code != rows[i].code || strstr(output.data, rows[i].reason) == NULL)
            fail_msg("%s: %d %s", rows[i].option, code, output.data);
    }
}

static void a_port_in_use_is_no_place_to_start(void **unused)
{
    (void)unused;
    const char *const names[] = {"--csta-port", "--control-port"};
    const unsigned ports[] = {server.csta_port, server.control_port};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(buf_done) struct buf output = {0};
        char port[8];
        (void)snprintf(port, sizeof(port), "%u", ports[i]);
        assert_int_equal(simulator_server_run(OPTIONS(names[i], port), &output), 69);
        assert_non_null(strstr(output.data, "ddress already in use"));
    }
}

static void a_password_file_that_others_can_read_is_refused(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf output = {0};
    char path[] = "/tmp/oxe-simulator-test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(write(fd, "secret\n", 7), 7);
    (void)close(fd);
    int code = simulator_server_run(OPTIONS("--password-file", path), &output);
    (void)unlink(path);
    assert_int_equal(code, 64);
    assert_non_null(strstr(output.data, path));
}

static void it_listens_on_ipv6_and_stops_in_order(void **unused)
{
    (void)unused;
    struct simulator_server other = {0};
    simulator_server_start(&other, OPTIONS("--listen", "::1"));
    assert_int_equal(simulator_server_stop(&other), 0);
}

int main(void)
{
#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, open_server, close_server)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_call_is_made_by_the_keys_of_two_phones),
        WITH_SERVER(a_ringing_phone_can_decline),
        WITH_SERVER(a_failed_call_stays_until_it_is_hung_up),
        WITH_SERVER(calls_are_shown_with_their_parties),
        WITH_SERVER(keys_that_make_no_sense_are_refused_with_a_reason),
        WITH_SERVER(phones_come_change_and_go),
        WITH_SERVER(a_phone_that_goes_out_of_service_or_away_ends_its_calls),
        WITH_SERVER(all_phones_are_listed),
        cmocka_unit_test(wrong_options_are_explained),
        WITH_SERVER(a_port_in_use_is_no_place_to_start),
        cmocka_unit_test(a_password_file_that_others_can_read_is_refused),
        cmocka_unit_test(it_listens_on_ipv6_and_stops_in_order),
    };
    return cmocka_run_group_tests_name("simulator_control", tests, NULL, NULL);
}
