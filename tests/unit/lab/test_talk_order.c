/* The judge of the demo's events must let through what a telephone call is, and nothing else. */
#include "lab/client/talk_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define BEGUN     "{\"eventName\":\"OnChannelInformation\",\"text\":\"Chunk started\"}"
#define KEEPALIVE "{\"eventName\":\"OnChannelInformation\",\"text\":\"keepalive\"}"
#define DEVICE    "{\"eventName\":\"OnDeviceStateModified\",\"loginName\":\"oxe1001\"}"
#define USER(state)                                                                                \
    "{\"eventName\":\"OnUserStateModified\",\"loginName\":\"oxe1001\",\"state\":\"" state "\"}"
#define CALL_OF(name, ref, state, more)                                                            \
    "{\"eventName\":\"" name "\",\"loginName\":\"oxe1001\",\"callRef\":\"" ref                     \
    "\",\"callData\":{\"state\":\"" state "\"}" more "}"
#define CALL(name, state, more) CALL_OF(name, "00c0ffee00c0ffee", state, more)
#define RINGS_THERE                                                                                \
    ",\"modifiedLegs\":[{\"deviceId\":\"1001\",\"state\":\"RINGING_OUTGOING\",\"ringingRemote\":"  \
    "true}]"
#define REMOVED                                                                                    \
    "{\"eventName\":\"OnCallRemoved\",\"loginName\":\"oxe1001\",\"callRef\":\"00c0ffee00c0ffee\"}"

static const char *const opening[] = {BEGUN, DEVICE, USER("FREE")};
static const char *const caller[] = {
    CALL("OnCallCreated", "DIALING", ""),
    USER("BUSY"),
    CALL("OnCallModified", "RINGING_OUTGOING", ""),
    CALL("OnCallModified", "RINGING_OUTGOING", RINGS_THERE),
    CALL("OnCallModified", "ACTIVE", ""),
    REMOVED,
    USER("FREE"),
};
static const char *const called[] = {
    CALL("OnCallCreated", "RINGING_INCOMING", ""),
    CALL("OnCallModified", "ACTIVE", ""),
    USER("BUSY"),
    CALL("OnCallModified", "RELEASING", ",\"cause\":\"CLEARED\""),
    REMOVED,
    USER("FREE"),
};

static struct talk_order opened(bool is_caller)
{
    struct talk_order order;
    talk_order_init(&order, is_caller);
    talk_order_opened(&order);
    assert_false(talk_order_begun(&order));
    for (size_t i = 0; i < COUNT(opening); i++)
        talk_order_event(&order, opening[i]);
    assert_true(talk_order_begun(&order));
    assert_string_equal(order.wrong, "");
    return order;
}

static void feed(struct talk_order *order, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        talk_order_event(order, lines[i]);
}

static void a_call_as_it_should_be_is_in_order_for_both(void **unused)
{
    struct talk_order a = opened(true), b = opened(false);
    (void)unused;
    for (int round = 0; round < 2; round++) {
        feed(&a, caller, COUNT(caller));
        feed(&b, called, COUNT(called));
        talk_order_event(&a, KEEPALIVE);
        talk_order_event(&a, "");
        assert_string_equal(a.wrong, "");
        assert_string_equal(b.wrong, "");
        assert_true(talk_order_idle(&a) && talk_order_idle(&b));
    }
    assert_string_equal(a.ref, "00c0ffee00c0ffee");
}

static void the_call_is_on_between_answer_and_release(void **unused)
{
    struct talk_order a = opened(true), b = opened(false);
    (void)unused;
    feed(&a, caller, 4);
    assert_false(talk_order_talking(&a));
    feed(&a, caller + 4, 1);
    assert_true(talk_order_talking(&a));
    feed(&b, called, 1);
    assert_true(talk_order_ringing(&b));
    feed(&b, called + 1, 2);
    assert_true(talk_order_talking(&b));
}

/* Leaves one event out, or swaps two neighbours: both are seen, wherever it happens. */
static void check_damage(const char *const *lines, size_t count, bool is_caller)
{
    for (size_t i = 0; i < count; i++) {
        struct talk_order without = opened(is_caller), swapped = opened(is_caller);
        feed(&without, lines, i);
        feed(&without, lines + i + 1, count - i - 1);
        talk_order_event(&without, lines[0]); /* the next call */
        assert_string_not_equal(without.wrong, "");
        if (i + 1 == count)
            break;
        feed(&swapped, lines, i);
        feed(&swapped, &lines[i + 1], 1);
        feed(&swapped, &lines[i], 1);
        feed(&swapped, lines + i + 2, count - i - 2);
        assert_string_not_equal(swapped.wrong, "");
    }
}

static void a_missing_or_swapped_event_is_seen_everywhere(void **unused)
{
    (void)unused;
    check_damage(caller, COUNT(caller), true);
    check_damage(called, COUNT(called), false);
}

static void a_doubled_event_is_seen_everywhere(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(caller); i++) {
        struct talk_order order = opened(true);
        feed(&order, caller, i + 1);
        feed(&order, caller + i, 1);
        assert_string_not_equal(order.wrong, "");
    }
}

static void after_a_takeover_states_and_call_may_be_told_again(void **unused)
{
    static const char *const again[] = {
        BEGUN,
        DEVICE,
        USER("UNKNOWN"),
        CALL("OnCallCreated", "ACTIVE", ""),
        USER("BUSY"),
        DEVICE,
        CALL("OnCallModified", "ACTIVE", ""),
    };
    struct talk_order order = opened(true);
    (void)unused;
    feed(&order, caller, 5);
    talk_order_opened(&order);
    feed(&order, again, COUNT(again));
    assert_true(talk_order_talking(&order));
    feed(&order, caller + 5, 2);
    assert_string_equal(order.wrong, "");
    assert_true(talk_order_idle(&order));
}

static void without_a_takeover_nothing_is_told_again(void **unused)
{
    static const char *const lines[] = {DEVICE, USER("BUSY"), CALL("OnCallCreated", "ACTIVE", "")};
    (void)unused;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct talk_order order = opened(true);
        feed(&order, caller, 5);
        talk_order_event(&order, lines[i]);
        assert_string_not_equal(order.wrong, "");
    }
}

static void what_is_told_again_must_be_the_same_call_and_not_its_end(void **unused)
{
    static const char *const lines[] = {
        USER("FREE"),
        CALL("OnCallCreated", "RINGING_INCOMING", ""),
        CALL_OF("OnCallCreated", "0000000000000001", "ACTIVE", ""),
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct talk_order order = opened(true);
        feed(&order, caller, 5);
        talk_order_opened(&order);
        feed(&order, opening, 3);
        talk_order_event(&order, lines[i]);
        assert_string_not_equal(order.wrong, "");
    }
}

static void a_channel_begins_with_its_three_lines(void **unused)
{
    struct talk_order order;
    (void)unused;
    talk_order_init(&order, true);
    talk_order_opened(&order);
    talk_order_event(&order, BEGUN);
    talk_order_event(&order, USER("FREE"));
    assert_string_not_equal(order.wrong, "");
}

static void another_users_event_is_seen(void **unused)
{
    struct talk_order order = opened(true);
    (void)unused;
    feed(&order, caller, 1);
    talk_order_event(&order, "{\"eventName\":\"OnUserStateModified\",\"loginName\":\"oxe1002\","
                             "\"state\":\"BUSY\"}");
    assert_string_not_equal(order.wrong, "");
}

static void what_is_no_event_is_wrong_and_kept_as_the_first(void **unused)
{
    struct talk_order order = opened(true);
    (void)unused;
    talk_order_event(&order, "{\"event");
    talk_order_event(&order, REMOVED);
    assert_non_null(strstr(order.wrong, "{\"event"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_as_it_should_be_is_in_order_for_both),
        cmocka_unit_test(the_call_is_on_between_answer_and_release),
        cmocka_unit_test(a_missing_or_swapped_event_is_seen_everywhere),
        cmocka_unit_test(a_doubled_event_is_seen_everywhere),
        cmocka_unit_test(after_a_takeover_states_and_call_may_be_told_again),
        cmocka_unit_test(without_a_takeover_nothing_is_told_again),
        cmocka_unit_test(what_is_told_again_must_be_the_same_call_and_not_its_end),
        cmocka_unit_test(a_channel_begins_with_its_three_lines),
        cmocka_unit_test(another_users_event_is_seen),
        cmocka_unit_test(what_is_no_event_is_wrong_and_kept_as_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
