/* The simulated switch: every path of the basic call, as the lines that its events make. */
#include "lib/common/buf.h"
#include "simulator/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { NO_ANSWER_MS = 30000, TONE_MS = 20000 };

static struct exchange *exchange;

static int open_exchange(void **unused)
{
    (void)unused;
    const struct exchange_options options = {
        .no_answer_ms = NO_ANSWER_MS, .tone_ms = TONE_MS, .first_id = 0x1A2B3C4D5E6F7000};
    exchange = exchange_new(&options);
    for (char number[] = "1001"; number[3] <= '4'; number[3]++)
        (void)exchange_phone_add(exchange, &(struct exchange_phone_options){.number = number});
    exchange_advance(exchange, 1000);
    return exchange_phone_count(exchange) == 4 ? 0 : -1;
}

static int close_exchange(void **unused)
{
    (void)unused;
    exchange_free(exchange);
    return 0;
}

/* Events since the last time, one line each: who is told, what, whose connection, own state. */
static void expect_events(const char *expected)
{
    struct buf lines = {0};
    struct exchange_event event;
    while (exchange_next_event(exchange, &event))
        buf_addf(&lines, "%s: %s %s, %s, %s\n", event.phone, exchange_event_name(event.type),
                 event.subject, exchange_state_name(event.local), event.cause);
    assert_string_equal(lines.data != NULL ? lines.data : "", expected);
    buf_done(&lines);
}

static void expect_result(enum exchange_result result, enum exchange_result expected)
{
    assert_string_equal(exchange_result_text(result), exchange_result_text(expected));
}

static void drop_events(void)
{
    struct exchange_event event;
    while (exchange_next_event(exchange, &event))
        ;
}

static enum exchange_result call(const char *caller, const char *callee)
{
    const struct exchange_make_call call = {.caller = caller, .callee = callee};
    return exchange_make_call(exchange, &call, NULL);
}

/* 1001 and 1002 talk; what led there is forgotten. */
static void talk(void)
{
    expect_result(call("1001", "1002"), EXCHANGE_DONE);
    expect_result(exchange_answer(exchange, "1002", NULL), EXCHANGE_DONE);
    drop_events();
}

static const struct exchange_connections *calls_of(const char *number)
{
    return &exchange_phone_find(exchange, number)->connections;
}

static void expect_idle(const char *number)
{
    assert_true(TAILQ_EMPTY(calls_of(number)));
}

/* --- making, answering, releasing ------------------------------------------------------------- */
static void a_call_rings_at_the_callee_before_the_caller_hears_it(void **unused)
{
    (void)unused;
    expect_result(call("1001", "1002"), EXCHANGE_DONE);
    expect_events("1001: originated 1001, connected, newCall\n"
                  "1002: delivered 1002, alerting, newCall\n"
                  "1001: delivered 1002, connected, newCall\n");
}

static void an_answer_is_told_to_the_callee_first(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    drop_events();
    expect_result(exchange_answer(exchange, "1002", NULL), EXCHANGE_DONE);
    expect_events("1002: established 1002, connected, normal\n"
                  "1001: established 1002, connected, normal\n");
}

static void a_release_by_the_caller_frees_both(void **unused)
{
    (void)unused;
    talk();
    expect_result(exchange_clear(exchange, "1001", NULL), EXCHANGE_DONE);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n"
                  "1002: connectionCleared 1001, connected, normalClearing\n"
                  "1002: connectionCleared 1002, null, normalClearing\n");
    expect_idle("1001");
    expect_idle("1002");
    assert_int_equal(exchange_call_count(exchange), 0);
}

static void a_release_by_the_callee_frees_both(void **unused)
{
    (void)unused;
    talk();
    expect_result(exchange_clear(exchange, "1002", NULL), EXCHANGE_DONE);
    expect_events("1002: connectionCleared 1002, null, normalClearing\n"
                  "1001: connectionCleared 1002, connected, normalClearing\n"
                  "1001: connectionCleared 1001, null, normalClearing\n");
    assert_int_equal(exchange_call_count(exchange), 0);
}

static void of_two_releases_at_once_the_second_finds_no_call(void **unused)
{
    (void)unused;
    talk();
    char id[EXCHANGE_CALL_ID_CHARS];
    memcpy(id, TAILQ_FIRST(calls_of("1001"))->call->id, sizeof(id));
    expect_result(exchange_clear(exchange, "1001", id), EXCHANGE_DONE);
    expect_result(exchange_clear(exchange, "1002", id), EXCHANGE_NO_CALL);
    expect_result(exchange_clear(exchange, "1001", id), EXCHANGE_NO_CALL);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n"
                  "1002: connectionCleared 1001, connected, normalClearing\n"
                  "1002: connectionCleared 1002, null, normalClearing\n");
}

static void a_caller_who_gives_up_stops_the_ringing(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    drop_events();
    expect_result(exchange_clear(exchange, "1001", NULL), EXCHANGE_DONE);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n"
                  "1002: connectionCleared 1001, alerting, normalClearing\n"
                  "1002: connectionCleared 1002, null, normalClearing\n");
    assert_true(exchange_deadline_ms(exchange) == UINT64_MAX);
}

static void a_callee_who_declines_frees_the_caller(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    drop_events();
    expect_result(exchange_clear(exchange, "1002", NULL), EXCHANGE_DONE);
    expect_events("1002: connectionCleared 1002, null, normalClearing\n"
                  "1001: connectionCleared 1002, connected, normalClearing\n"
                  "1001: connectionCleared 1001, null, normalClearing\n");
}

static void events_carry_the_call_and_both_numbers(void **unused)
{
    (void)unused;
    const struct exchange_make_call wanted = {
        .caller = "1001", .callee = "1002", .correlator = "CAFE"};
    char id[EXCHANGE_CALL_ID_CHARS];
    expect_result(exchange_make_call(exchange, &wanted, id), EXCHANGE_DONE);
    assert_string_equal(id, "1A2B3C4D5E6F7000");
    struct exchange_event event;
    for (int i = 0; i < 3; i++) {
        assert_true(exchange_next_event(exchange, &event));
        assert_string_equal(event.call_id, id);
        assert_string_equal(event.calling, "1001");
        assert_string_equal(event.called, "1002");
        assert_string_equal(event.correlator, "CAFE");
    }
}

static void no_call_gets_the_identifier_of_an_earlier_one(void **unused)
{
    (void)unused;
    char first[EXCHANGE_CALL_ID_CHARS], second[EXCHANGE_CALL_ID_CHARS];
    const struct exchange_make_call wanted = {.caller = "1001", .callee = "1002"};
    (void)exchange_make_call(exchange, &wanted, first);
    (void)exchange_clear(exchange, "1001", NULL);
    (void)exchange_make_call(exchange, &wanted, second);
    assert_string_not_equal(first, second);
    assert_null(exchange_call_find(exchange, first));
    assert_string_equal(exchange_call_find(exchange, second)->called, "1002");
}

/* --- keys ------------------------------------------------------------------------------------- */
static void a_lifted_handset_gets_dial_tone_and_a_number_starts_the_call(void **unused)
{
    (void)unused;
    expect_result(exchange_off_hook(exchange, "1001"), EXCHANGE_DONE);
    expect_events("1001: serviceInitiated 1001, initiated, newCall\n");
    expect_result(exchange_dial(exchange, "1001", "1002"), EXCHANGE_DONE);
    expect_events("1001: originated 1001, connected, newCall\n"
                  "1002: delivered 1002, alerting, newCall\n"
                  "1001: delivered 1002, connected, newCall\n");
}

static void a_handset_put_back_before_dialling_ends_the_call(void **unused)
{
    (void)unused;
    (void)exchange_off_hook(exchange, "1001");
    drop_events();
    expect_result(exchange_clear(exchange, "1001", NULL), EXCHANGE_DONE);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n");
    expect_idle("1001");
}

static void lifting_the_handset_of_a_ringing_phone_answers(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    drop_events();
    expect_result(exchange_off_hook(exchange, "1002"), EXCHANGE_DONE);
    expect_events("1002: established 1002, connected, normal\n"
                  "1001: established 1002, connected, normal\n");
}

static void keys_that_make_no_sense_change_nothing(void **unused)
{
    (void)unused;
    talk();
    expect_result(exchange_off_hook(exchange, "1001"), EXCHANGE_IN_USE);
    expect_result(exchange_dial(exchange, "1001", "1003"), EXCHANGE_NOT_DIALLING);
    expect_result(exchange_dial(exchange, "1003", "1001"), EXCHANGE_NOT_DIALLING);
    expect_result(exchange_answer(exchange, "1001", NULL), EXCHANGE_NOT_RINGING);
    expect_result(exchange_answer(exchange, "1003", NULL), EXCHANGE_NOT_RINGING);
    expect_result(exchange_answer(exchange, "1003", "0000000000000000"), EXCHANGE_NO_CALL);
    expect_result(exchange_clear(exchange, "1003", NULL), EXCHANGE_NO_CALL);
    expect_result(exchange_off_hook(exchange, "9"), EXCHANGE_NO_PHONE);
    expect_result(exchange_dial(exchange, "9", "1001"), EXCHANGE_NO_PHONE);
    expect_result(exchange_answer(exchange, "9", NULL), EXCHANGE_NO_PHONE);
    expect_result(exchange_clear(exchange, "9", NULL), EXCHANGE_NO_PHONE);
    (void)exchange_off_hook(exchange, "1003");
    expect_result(exchange_dial(exchange, "1003", ""), EXCHANGE_NO_NUMBER);
    expect_events("1003: serviceInitiated 1003, initiated, newCall\n");
    assert_int_equal(exchange_call_count(exchange), 2);
}

static void an_answered_call_cannot_be_answered_again(void **unused)
{
    (void)unused;
    talk();
    const char *id = TAILQ_FIRST(calls_of("1002"))->call->id;
    expect_result(exchange_answer(exchange, "1002", id), EXCHANGE_NOT_RINGING);
    expect_events("");
}

/* --- prompted calls --------------------------------------------------------------------------- */
static void prompt(const char *caller, const char *callee)
{
    const struct exchange_make_call wanted = {.caller = caller, .callee = callee, .prompt = true};
    expect_result(exchange_make_call(exchange, &wanted, NULL), EXCHANGE_DONE);
}

static void a_prompted_call_goes_out_when_its_caller_lifts_the_handset(void **unused)
{
    (void)unused;
    prompt("1001", "1002");
    expect_events("1001: serviceInitiated 1001, initiated, makeCall\n");
    expect_idle("1002");
    expect_result(exchange_off_hook(exchange, "1001"), EXCHANGE_DONE);
    expect_events("1001: originated 1001, connected, newCall\n"
                  "1002: delivered 1002, alerting, newCall\n"
                  "1001: delivered 1002, connected, newCall\n");
}

static void a_prompted_caller_cannot_dial_another_number(void **unused)
{
    (void)unused;
    prompt("1001", "1002");
    drop_events();
    expect_result(exchange_dial(exchange, "1001", "1003"), EXCHANGE_NOT_DIALLING);
    expect_events("");
}

static void a_prompted_call_nobody_takes_ends_by_itself(void **unused)
{
    (void)unused;
    prompt("1001", "1002");
    drop_events();
    exchange_advance(exchange, 1000 + NO_ANSWER_MS - 1);
    expect_events("");
    exchange_advance(exchange, 1000 + NO_ANSWER_MS);
    expect_events("1001: connectionCleared 1001, null, callNotAnswered\n");
    assert_int_equal(exchange_call_count(exchange), 0);
}

static void the_callee_has_the_whole_time_after_a_late_prompted_caller(void **unused)
{
    (void)unused;
    prompt("1001", "1002");
    exchange_advance(exchange, 20000);
    (void)exchange_answer(exchange, "1001", NULL);
    assert_true(exchange_deadline_ms(exchange) == 20000 + NO_ANSWER_MS);
}

/* --- calls that fail -------------------------------------------------------------------------- */
static void a_failed_call_tells_its_caller_why_and_ends_with_the_tone(void **unused)
{
    (void)unused;
    (void)exchange_phone_set_service(exchange, "1004", false);
    (void)exchange_off_hook(exchange, "1002");
    drop_events();
    const struct {
        const char *callee, *events;
    } rows[] = {
        {"1002", "1001: failed 1002, fail, busy\n"},
        {"1001", "1001: failed 1001, fail, busy\n"}, /* oneself */
        {"1004", "1001: failed 1004, fail, destOutOfOrder\n"},
        {"7777", "1001: failed 7777, fail, numberUnallocated\n"},
        {"sales", "1001: failed sales, fail, invalidNumberFormat\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t now_ms = 100000 * (i + 1);
        exchange_advance(exchange, now_ms);
        expect_result(call("1001", rows[i].callee), EXCHANGE_DONE);
        struct exchange_event originated;
        assert_true(exchange_next_event(exchange, &originated));
        assert_int_equal(originated.type, EXCHANGE_EVENT_ORIGINATED);
        expect_events(rows[i].events);
        assert_int_equal(TAILQ_FIRST(calls_of("1001"))->state, EXCHANGE_FAIL);
        exchange_advance(exchange, now_ms + TONE_MS);
        expect_events("1001: connectionCleared 1001, null, normalClearing\n");
        expect_idle("1001");
    }
}

static void a_failed_call_can_be_hung_up_at_once(void **unused)
{
    (void)unused;
    (void)call("1001", "7777");
    drop_events();
    expect_result(exchange_clear(exchange, "1001", NULL), EXCHANGE_DONE);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n");
    assert_true(exchange_deadline_ms(exchange) == UINT64_MAX);
    assert_int_equal(exchange_call_count(exchange), 0);
}

static void a_busy_phone_does_not_notice_the_caller(void **unused)
{
    (void)unused;
    talk();
    (void)call("1003", "1002");
    expect_events("1003: originated 1003, connected, newCall\n"
                  "1003: failed 1002, fail, busy\n");
    (void)exchange_clear(exchange, "1002", NULL);
    expect_events("1002: connectionCleared 1002, null, normalClearing\n"
                  "1001: connectionCleared 1002, connected, normalClearing\n"
                  "1001: connectionCleared 1001, null, normalClearing\n");
}

static void a_call_nobody_answers_fails_and_frees_the_callee(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    drop_events();
    exchange_advance(exchange, 1000 + NO_ANSWER_MS - 1);
    expect_events("");
    exchange_advance(exchange, 1000 + NO_ANSWER_MS);
    expect_events("1002: connectionCleared 1002, null, callNotAnswered\n"
                  "1001: failed 1002, fail, callNotAnswered\n");
    expect_idle("1002");
    exchange_advance(exchange, 1000 + NO_ANSWER_MS + TONE_MS);
    expect_events("1001: connectionCleared 1001, null, normalClearing\n");
    assert_int_equal(exchange_call_count(exchange), 0);
}

static void an_answer_in_time_stops_the_clock(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    (void)exchange_answer(exchange, "1002", NULL);
    drop_events();
    assert_true(exchange_deadline_ms(exchange) == UINT64_MAX);
    exchange_advance(exchange, 10 * NO_ANSWER_MS);
    expect_events("");
}

static void a_late_look_at_the_clock_leaves_no_deadline_out(void **unused)
{
    (void)unused;
    (void)call("1001", "1002");
    exchange_advance(exchange, 5000);
    (void)call("1003", "1004");
    drop_events();
    exchange_advance(exchange, 5000 + NO_ANSWER_MS + TONE_MS);
    expect_events("1002: connectionCleared 1002, null, callNotAnswered\n"
                  "1001: failed 1002, fail, callNotAnswered\n"
                  "1004: connectionCleared 1004, null, callNotAnswered\n"
                  "1003: failed 1004, fail, callNotAnswered\n"
                  "1001: connectionCleared 1001, null, normalClearing\n"
                  "1003: connectionCleared 1003, null, normalClearing\n");
}

/* --- requests that are refused ---------------------------------------------------------------- */
static void a_phone_with_a_call_makes_no_second_one(void **unused)
{
    (void)unused;
    talk();
    expect_result(call("1001", "1003"), EXCHANGE_IN_USE);
    expect_result(call("1002", "1003"), EXCHANGE_IN_USE);
    expect_events("");
}

static void calls_without_caller_or_number_are_refused(void **unused)
{
    (void)unused;
    expect_result(call("7777", "1002"), EXCHANGE_NO_PHONE);
    expect_result(call("1001", ""), EXCHANGE_NO_NUMBER);
    char number[EXCHANGE_NUMBER_CHARS + 1];
    memset(number, '1', sizeof(number) - 1);
    number[sizeof(number) - 1] = '\0';
    expect_result(call("1001", number), EXCHANGE_NO_NUMBER);
    number[sizeof(number) - 2] = '\0';
    expect_result(call("1001", number), EXCHANGE_DONE);
}

/* --- phones ----------------------------------------------------------------------------------- */
static void a_phone_that_goes_out_of_service_loses_its_calls(void **unused)
{
    (void)unused;
    talk();
    expect_result(exchange_phone_set_service(exchange, "1002", false), EXCHANGE_DONE);
    expect_events("1002: connectionCleared 1002, null, destOutOfOrder\n"
                  "1001: connectionCleared 1002, connected, destOutOfOrder\n"
                  "1001: connectionCleared 1001, null, destOutOfOrder\n"
                  "1002: outOfService 1002, null, normal\n");
    expect_result(exchange_off_hook(exchange, "1002"), EXCHANGE_OUT_OF_SERVICE);
    expect_result(call("1002", "1001"), EXCHANGE_OUT_OF_SERVICE);
    expect_result(exchange_phone_set_service(exchange, "1002", false), EXCHANGE_DONE);
    expect_events("");
    expect_result(exchange_phone_set_service(exchange, "1002", true), EXCHANGE_DONE);
    expect_events("1002: backInService 1002, null, normal\n");
    expect_result(exchange_phone_set_service(exchange, "9", true), EXCHANGE_NO_PHONE);
}

static void phones_come_and_go(void **unused)
{
    (void)unused;
    const struct exchange_phone_options added = {
        .number = "1005", .name = "Nora Lindqvist", .model = "MOBILE", .main_number = "1001"};
    expect_result(exchange_phone_add(exchange, &added), EXCHANGE_DONE);
    expect_result(exchange_phone_add(exchange, &added), EXCHANGE_EXISTS);
    const struct exchange_phone *phone = exchange_phone_find(exchange, "1005");
    assert_string_equal(phone->name, "Nora Lindqvist");
    assert_string_equal(phone->main_number, "1001");
    expect_result(exchange_phone_rename(exchange, "1005", "Zoé Brandt"), EXCHANGE_DONE);
    assert_string_equal(phone->name, "Zoé Brandt");
    (void)call("1001", "1005");
    drop_events();
    expect_result(exchange_phone_remove(exchange, "1005"), EXCHANGE_DONE);
    expect_events("1005: connectionCleared 1005, null, destOutOfOrder\n"
                  "1001: connectionCleared 1005, connected, destOutOfOrder\n"
                  "1001: connectionCleared 1001, null, destOutOfOrder\n"
                  "1005: outOfService 1005, null, normal\n");
    assert_null(exchange_phone_find(exchange, "1005"));
    expect_result(exchange_phone_remove(exchange, "1005"), EXCHANGE_NO_PHONE);
    expect_result(exchange_phone_rename(exchange, "1005", "x"), EXCHANGE_NO_PHONE);
    assert_int_equal(exchange_phone_count(exchange), 4);
}

static void phones_that_the_wire_could_not_carry_are_refused(void **unused)
{
    (void)unused;
    const struct exchange_phone_options rows[] = {
        {.number = ""},
        {.number = "10a"},
        {.number = "123456789012345678901234567890123"},
        {.number = "2001", .main_number = "x"},
        {.number = "2001", .name = "a;b"},
        {.number = "2001", .name = "a<b"},
        {.number = "2001", .name = "a\nb"},
        {.number = "2001", .name = "\xff"},
        {.number = "2001", .model = "a model name that is far too long"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_result(exchange_phone_add(exchange, &rows[i]), EXCHANGE_BAD_PHONE);
    expect_result(exchange_phone_rename(exchange, "1001", "a>b"), EXCHANGE_BAD_PHONE);
    assert_int_equal(exchange_phone_count(exchange), 4);
}

static void many_events_keep_their_order(void **unused)
{
    (void)unused;
    char id[EXCHANGE_CALL_ID_CHARS], last[EXCHANGE_CALL_ID_CHARS] = "";
    const struct exchange_make_call wanted = {.caller = "1001", .callee = "7777"};
    for (int i = 0; i < 500; i++) {
        expect_result(exchange_make_call(exchange, &wanted, id), EXCHANGE_DONE);
        (void)exchange_clear(exchange, "1001", NULL);
    }
    struct exchange_event event;
    unsigned count = 0;
    for (; exchange_next_event(exchange, &event); count++) {
        assert_true(strcmp(event.call_id, last) >= 0);
        memcpy(last, event.call_id, sizeof(last));
    }
    assert_int_equal(count, 1500);
    assert_true(exchange_lost_events(exchange) == 0);
}

/* --- everything at once ----------------------------------------------------------------------- */
enum { RANDOM_STEPS = 20000, RANDOM_PHONES = 4 };

/* Numbers as good as random and the same in each run (xorshift). */
static unsigned pick(uint64_t *seed, unsigned below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed >> 33) % below;
}

static void press_any_key(uint64_t *seed, const char *number, const char *other)
{
    const struct exchange_make_call wanted = {
        .caller = number, .callee = other, .prompt = pick(seed, 2) == 0};
    switch (pick(seed, 8)) {
    case 0:
        (void)exchange_off_hook(exchange, number);
        break;
    case 1:
        (void)exchange_dial(exchange, number, other);
        break;
    case 2:
    case 3:
        (void)exchange_make_call(exchange, &wanted, NULL);
        break;
    case 4:
        (void)exchange_answer(exchange, number, NULL);
        break;
    case 5:
    case 6:
        (void)exchange_clear(exchange, number, NULL);
        break;
    default:
        (void)exchange_phone_set_service(exchange, number, pick(seed, 4) != 0);
        break;
    }
}

/* What somebody knows who has only heard the events. */
static void hear(enum exchange_state heard[RANDOM_PHONES + 1])
{
    struct exchange_event event;
    while (exchange_next_event(exchange, &event))
        heard[event.phone[3] - '0'] = event.local;
}

static enum exchange_state real_state(const char *number)
{
    const struct exchange_connection *connection = TAILQ_FIRST(calls_of(number));
    assert_true(connection == NULL || TAILQ_NEXT(connection, of_phone) == NULL);
    return connection != NULL ? connection->state : EXCHANGE_NONE;
}

static void whoever_hears_all_events_knows_the_state_of_every_phone(void **unused)
{
    (void)unused;
    enum exchange_state heard[RANDOM_PHONES + 1] = {EXCHANGE_NONE};
    const char *const others[] = {"1001", "1002", "1003", "1004", "7777", "door"};
    uint64_t seed = 20261124, now_ms = 1000;
    char number[] = "1001";
    for (int step = 0; step < RANDOM_STEPS; step++) {
        number[3] = (char)('1' + pick(&seed, RANDOM_PHONES));
        press_any_key(&seed, number, others[pick(&seed, 6)]);
        now_ms += pick(&seed, 20) == 0 ? 10000 : 10;
        exchange_advance(exchange, now_ms);
        hear(heard);
        for (number[3] = '1'; number[3] <= '4'; number[3]++)
            if (heard[number[3] - '0'] != real_state(number))
                fail_msg("step %d: %s is %s, heard was %s", step, number,
                         exchange_state_name(real_state(number)),
                         exchange_state_name(heard[number[3] - '0']));
    }
    for (number[3] = '1'; number[3] <= '4'; number[3]++)
        (void)exchange_clear(exchange, number, NULL);
    assert_int_equal(exchange_call_count(exchange), 0);
    assert_true(exchange_deadline_ms(exchange) == UINT64_MAX);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_exchange, close_exchange)
    const struct CMUnitTest tests[] = {
        CASE(a_call_rings_at_the_callee_before_the_caller_hears_it),
        CASE(an_answer_is_told_to_the_callee_first),
        CASE(a_release_by_the_caller_frees_both),
        CASE(a_release_by_the_callee_frees_both),
        CASE(of_two_releases_at_once_the_second_finds_no_call),
        CASE(a_caller_who_gives_up_stops_the_ringing),
        CASE(a_callee_who_declines_frees_the_caller),
        CASE(events_carry_the_call_and_both_numbers),
        CASE(no_call_gets_the_identifier_of_an_earlier_one),
        CASE(a_lifted_handset_gets_dial_tone_and_a_number_starts_the_call),
        CASE(a_handset_put_back_before_dialling_ends_the_call),
        CASE(lifting_the_handset_of_a_ringing_phone_answers),
        CASE(keys_that_make_no_sense_change_nothing),
        CASE(an_answered_call_cannot_be_answered_again),
        CASE(a_prompted_call_goes_out_when_its_caller_lifts_the_handset),
        CASE(a_prompted_caller_cannot_dial_another_number),
        CASE(a_prompted_call_nobody_takes_ends_by_itself),
        CASE(the_callee_has_the_whole_time_after_a_late_prompted_caller),
        CASE(a_failed_call_tells_its_caller_why_and_ends_with_the_tone),
        CASE(a_failed_call_can_be_hung_up_at_once),
        CASE(a_busy_phone_does_not_notice_the_caller),
        CASE(a_call_nobody_answers_fails_and_frees_the_callee),
        CASE(an_answer_in_time_stops_the_clock),
        CASE(a_late_look_at_the_clock_leaves_no_deadline_out),
        CASE(a_phone_with_a_call_makes_no_second_one),
        CASE(calls_without_caller_or_number_are_refused),
        CASE(a_phone_that_goes_out_of_service_loses_its_calls),
        CASE(phones_come_and_go),
        CASE(phones_that_the_wire_could_not_carry_are_refused),
        CASE(many_events_keep_their_order),
        CASE(whoever_hears_all_events_knows_the_state_of_every_phone),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
