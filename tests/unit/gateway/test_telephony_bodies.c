/* What the bodies of telephony requests ask of a PBX, and how refusals are worded. */
#include "gateway/api/telephony/bodies.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 * 1024 };

struct reading {
    struct arena arena;
    cJSON *json;
    struct make_call_body body;
    struct pbx_make_call call;
    struct body_problem problem;
    struct diag diag;
};

/* 0: a call, 1: a problem with it, 2: not even a body. */
static int read_call(struct reading *reading, const struct repr *repr, const char *text)
{
    *reading = (struct reading){0};
    arena_init(&reading->arena, ARENA_BYTES);
    assert_int_equal(json_parse(text, strlen(text), &reading->json, NULL), 0);
    if (repr_read(repr, reading->json, &reading->arena, &reading->body, &reading->diag) < 0)
        return 2;
    return make_call_of_body(&reading->body, &reading->arena, &reading->call, &reading->problem)
               ? 0
               : 1;
}

static void done(struct reading *reading)
{
    cJSON_Delete(reading->json);
    arena_done(&reading->arena);
}

static void the_callee_is_dialled_without_what_is_for_people(void **unused)
{
    static const struct {
        const char *callee, *dialled;
    } rows[] = {
        {"1002", "1002"},
        {"+33 (1) 4000", "+3314000"},
        {"*21#", "*21#"},
        {"0A1B2C3D", "0A1B2C3D"},
        {"1234567890123456789012345678901234567890123456789",
         "1234567890123456789012345678901234567890123456789"},
        {"+1234567890123456789012345678901234567890123456789",
         "+1234567890123456789012345678901234567890123456789"},
        {"", NULL},
        {"+", NULL},
        {"   ", NULL},
        {"()", NULL},
        {"nora", NULL},
        {"10+02", NULL},
        {"1002;isub=1", NULL},
        {"12a", NULL},
        {"1002\\n", NULL},
        {"12345678901234567890123456789012345678901234567890", NULL},
    };
    char text[256];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading reading;
        (void)snprintf(text, sizeof(text), "{\"deviceId\":\"1001\",\"callee\":\"%s\"}",
                       rows[i].callee);
        int expected = rows[i].dialled != NULL ? 0 : 1;
        assert_int_equal(read_call(&reading, &basic_call_body_repr, text), expected);
        if (expected == 0) {
            assert_string_equal(reading.call.callee, rows[i].dialled);
            assert_string_equal(reading.call.device, "1001");
        } else {
            assert_int_equal(reading.problem.finding, FINDING_BAD_NUMBER);
            assert_null(reading.call.device);
        }
        done(&reading);
    }
}

static void the_caller_answers_by_himself_unless_the_body_says_no(void **unused)
{
    static const struct {
        const char *value;
        int result;
        bool automatic;
    } rows[] = {
        {"true", 0, true},     {"false", 0, false},     {"null", 0, true},    {"\"true\"", 0, true},
        {"\"TRUE\"", 0, true}, {"\"false\"", 0, false}, {"\"\"", 1, false},   {"\"yes\"", 1, false},
        {"1", 1, false},       {"0", 1, false},         {"[true]", 1, false}, {"{}", 1, false},
    };
    char text[256];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading reading;
        (void)snprintf(text, sizeof(text),
                       "{\"deviceId\":\"1001\",\"callee\":\"1002\",\"autoAnswer\":%s}",
                       rows[i].value);
        assert_int_equal(read_call(&reading, &make_call_body_repr, text), rows[i].result);
        if (rows[i].result == 0)
            assert_int_equal(reading.call.auto_answer, rows[i].automatic);
        else
            assert_int_equal(reading.problem.finding, FINDING_BAD_DATA);
        done(&reading);
    }
    struct reading reading;
    assert_int_equal(
        read_call(&reading, &basic_call_body_repr, "{\"deviceId\":\"1\",\"callee\":\"2\"}"), 0);
    assert_true(reading.call.auto_answer);
    done(&reading);
}

static void data_of_the_call_becomes_hexadecimal_digits(void **unused)
{
    static const struct {
        const char *members, *digits;
        int result;
    } rows[] = {
        {"", NULL, 0},
        {",\"associatedData\":null,\"hexaBinaryAssociatedData\":null", NULL, 0},
        {",\"associatedData\":\"\"", NULL, 0},
        {",\"associatedData\":\"ORD17\"", "4f52443137", 0},
        {",\"associatedData\":\"12345678901234567890123456789012\"",
         "3132333435363738393031323334353637383930313233343536373839303132", 0},
        {",\"associatedData\":\"123456789012345678901234567890123\"", NULL, 1},
        {",\"hexaBinaryAssociatedData\":\"4f52\"", "4f52", 0},
        {",\"hexaBinaryAssociatedData\":\"4f52\",\"associatedData\":\"x\"", "4f52", 0},
        {",\"hexaBinaryAssociatedData\":\"4f5\"", NULL, 1},
        {",\"hexaBinaryAssociatedData\":\"4f0052\"", NULL, 1},
        {",\"hexaBinaryAssociatedData\":\"xx\"", NULL, 1},
    };
    char text[512];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading reading;
        (void)snprintf(text, sizeof(text), "{\"deviceId\":\"1\",\"callee\":\"2\"%s}",
                       rows[i].members);
        assert_int_equal(read_call(&reading, &make_call_body_repr, text), rows[i].result);
        if (rows[i].result == 1)
            assert_int_equal(reading.problem.finding, FINDING_BAD_DATA);
        else if (rows[i].digits == NULL)
            assert_null(reading.call.correlator);
        else
            assert_string_equal(reading.call.correlator, rows[i].digits);
        done(&reading);
    }
}

static void a_call_of_another_kind_is_not_made_as_a_plain_one(void **unused)
{
    static const struct {
        const char *member;
        int result;
    } rows[] = {
        {"\"pin\":\"1234\"", 1},
        {"\"secretCode\":\"0000\"", 1},
        {"\"businessCode\":\"77\"", 1},
        {"\"acdCall\":{\"callToSupervisor\":true}", 1},
        {"\"acdCall\":{\"supervisedTransfer\":true}", 1},
        {"\"acdCall\":{\"skills\":{\"skills\":[]}}", 1},
        {"\"acdCall\":{\"callToSupervisor\":false,\"supervisedTransfer\":null,\"skills\":null}", 0},
        {"\"pin\":\"\",\"secretCode\":null,\"businessCode\":null,\"acdCall\":null", 0},
        {"\"inhibitProgressTone\":true,\"callingNumber\":\"41000\"", 0},
    };
    char text[256];
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading reading;
        (void)snprintf(text, sizeof(text), "{\"deviceId\":\"1\",\"callee\":\"2\",%s}",
                       rows[i].member);
        assert_int_equal(read_call(&reading, &make_call_body_repr, text), rows[i].result);
        if (rows[i].result == 1)
            assert_int_equal(reading.problem.finding, FINDING_NOT_PROVIDED);
        done(&reading);
    }
}

static void a_body_of_wrong_types_names_the_member(void **unused)
{
    static const char *const rows[][2] = {
        {"{\"callee\":\"2\"}", "deviceId"},
        {"{\"deviceId\":null,\"callee\":\"2\"}", "deviceId"},
        {"{\"deviceId\":1001,\"callee\":\"2\"}", "deviceId"},
        {"{\"deviceId\":\"\",\"callee\":\"2\"}", "deviceId"},
        {"{\"deviceId\":\"1\"}", "callee"},
        {"{\"deviceId\":\"1\",\"callee\":1002}", "callee"},
        {"{\"deviceId\":\"1\",\"callee\":\"2\",\"inhibitProgressTone\":\"x\"}",
         "inhibitProgressTone"},
        {"{\"deviceId\":\"1\",\"callee\":\"2\",\"acdCall\":5}", "acdCall"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reading reading;
        assert_int_equal(read_call(&reading, &make_call_body_repr, rows[i][0]), 2);
        assert_non_null(strstr(reading.diag.text, rows[i][1]));
        done(&reading);
    }
}

static void every_finding_has_a_status_of_the_contract_and_words(void **unused)
{
    (void)unused;
    for (unsigned finding = 0; finding < TELEPHONY_FINDING_COUNT; finding++) {
        struct telephony_refusal refusal =
            telephony_refusal_of((enum telephony_finding)finding, NULL);
        assert_string_not_equal(http_status_name(refusal.status), "UNKNOWN");
        assert_true(refusal.status >= 400);
        assert_true(refusal.part.type > TELEPHONY_ABSENT);
        assert_true(refusal.part.cause > TELEPHONY_CAUSE_ABSENT);
        assert_string_equal(refusal.part.message, refusal.help);
        refusal = telephony_refusal_of((enum telephony_finding)finding, "1001");
        assert_string_equal(refusal.part.message, "1001");
    }
}

static void every_error_of_a_pbx_has_a_status(void **unused)
{
    static const struct {
        enum telephony_error_type type;
        int status;
    } rows[] = {
        {TELEPHONY_UNKNOWN, 500},
        {TELEPHONY_CALL_REFERENCE_NOT_FOUND, 404},
        {TELEPHONY_LEG_NOT_FOUND, 404},
        {TELEPHONY_BAD_PARAMETER_VALUE, 400},
        {TELEPHONY_INCOMPATIBLE_WITH_STATE, 400},
        {TELEPHONY_SERVICE_NOT_PROVIDED, 501},
        {TELEPHONY_SERVICE_UNAVAILABLE, 503},
        {TELEPHONY_INITIALIZATION, 503},
        {TELEPHONY_UNAUTHORIZED, 403},
        {TELEPHONY_CALL_SERVER_ERROR, 500},
        {TELEPHONY_REQUEST_TIMEOUT, 503},
    };
    (void)unused;
    assert_int_equal(COUNT_OF(rows), TELEPHONY_ERROR_TYPE_COUNT - 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pbx_error error = {rows[i].type, TELEPHONY_CAUSE_RESOURCE_BUSY, "busy"};
        const struct telephony_refusal refusal = telephony_refusal_of_pbx(&error);
        assert_int_equal(refusal.status, rows[i].status);
        assert_int_equal(refusal.part.type, rows[i].type);
        assert_int_equal(refusal.part.cause, TELEPHONY_CAUSE_RESOURCE_BUSY);
        assert_string_equal(refusal.part.message, "busy");
        assert_non_null(refusal.help);
    }
}

static void an_error_without_family_is_unknown(void **unused)
{
    const struct pbx_error error = {0};
    (void)unused;
    const struct telephony_refusal refusal = telephony_refusal_of_pbx(&error);
    assert_int_equal(refusal.status, 500);
    assert_int_equal(refusal.part.type, TELEPHONY_UNKNOWN);
    assert_int_equal(refusal.part.cause, TELEPHONY_CAUSE_UNKNOWN);
}

static void what_a_driver_cannot_take_has_its_own_finding(void **unused)
{
    (void)unused;
    assert_int_equal(telephony_finding_of(-EAGAIN), FINDING_NO_LINK);
    assert_int_equal(telephony_finding_of(-ENOBUFS), FINDING_TOO_MANY);
    assert_int_equal(telephony_finding_of(-ENOTSUP), FINDING_NOT_PROVIDED);
    assert_int_equal(telephony_finding_of(-ENOMEM), FINDING_NO_MEMORY);
    assert_int_equal(telephony_finding_of(-EIO), FINDING_NONSENSE);
}

static void the_part_of_an_error_has_the_words_of_the_contract(void **unused)
{
    const struct telephony_refusal refusal =
        telephony_refusal_of(FINDING_NOT_RINGING, "answer refused");
    struct buf text = {0};
    (void)unused;
    assert_int_equal(repr_write(&telephony_error_repr, &refusal.part, &text), 0);
    assert_string_equal(text.data, "{\"errorType\":\"INCOMPATIBLE_WITH_STATE\",\"errorCause\":"
                                   "\"INVALID_CONNECTION_STATE\",\"message\":\"answer refused\"}");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_callee_is_dialled_without_what_is_for_people),
        cmocka_unit_test(the_caller_answers_by_himself_unless_the_body_says_no),
        cmocka_unit_test(data_of_the_call_becomes_hexadecimal_digits),
        cmocka_unit_test(a_call_of_another_kind_is_not_made_as_a_plain_one),
        cmocka_unit_test(a_body_of_wrong_types_names_the_member),
        cmocka_unit_test(every_finding_has_a_status_of_the_contract_and_words),
        cmocka_unit_test(every_error_of_a_pbx_has_a_status),
        cmocka_unit_test(an_error_without_family_is_unknown),
        cmocka_unit_test(what_a_driver_cannot_take_has_its_own_finding),
        cmocka_unit_test(the_part_of_an_error_has_the_words_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
