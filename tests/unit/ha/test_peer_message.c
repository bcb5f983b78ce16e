#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ha/peer_message.h"

static const char key[] = "0123456789abcdef0123456789abcdef";
static const char other_key[] = "0123456789abcdef0123456789abcdeg";

static struct peer_message sample(void)
{
    return (struct peer_message){
        .version_low = 1,
        .version_high = 1,
        .from_node = 2,
        .to_node = 1,
        .link = 1,
        .session = 0x1122334455667788,
        .counter = 7,
        .sent_ms = 123456789,
        .echo_session = 0x8877665544332211,
        .echo_ms = {5, UINT64_MAX},
        .payload_bytes = 3,
        .payload = {1, 2, 3},
    };
}

static int read_copy(const uint8_t *bytes, size_t len_bytes, struct peer_message *ret_message)
{
    uint8_t *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len_bytes);
    int code = peer_message_read(copy, len_bytes, key, sizeof(key), ret_message);
    free(copy);
    return code;
}

static void a_message_comes_back_as_it_was(void **unused)
{
    (void)unused;
    const struct peer_message sent = sample();
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    size_t len_bytes = peer_message_write(&sent, key, sizeof(key), bytes);
    assert_int_equal(len_bytes, 60 + 3 + 32);
    struct peer_message got;
    memset(&got, 0xee, sizeof(got));
    assert_int_equal(read_copy(bytes, len_bytes, &got), 0);
    assert_int_equal(got.from_node, 2);
    assert_int_equal(got.to_node, 1);
    assert_int_equal(got.link, 1);
    assert_true(got.session == sent.session && got.counter == 7 && got.sent_ms == 123456789);
    assert_true(got.echo_session == sent.echo_session && got.echo_ms[0] == 5 &&
                got.echo_ms[1] == UINT64_MAX);
    assert_int_equal(got.payload_bytes, 3);
    assert_memory_equal(got.payload, sent.payload, 3);
}

static void the_head_is_big_endian_at_fixed_places(void **unused)
{
    (void)unused;
    const struct peer_message sent = sample();
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    (void)peer_message_write(&sent, key, sizeof(key), bytes);
    static const uint8_t head[28] = {
        'O',  'G',  'H',  'B',  1,    1,    2,    1,    1, 0, 0, 3,             /* to length */
        0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0, 0, 0, 7, /* to counter */
    };
    assert_memory_equal(bytes, head, sizeof(head));
}

static void the_largest_payload_fits(void **unused)
{
    (void)unused;
    struct peer_message sent = sample(), got;
    sent.payload_bytes = PEER_MESSAGE_PAYLOAD_MAX_BYTES;
    memset(sent.payload, 0xa5, sizeof(sent.payload));
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    assert_int_equal(peer_message_write(&sent, key, sizeof(key), bytes), PEER_MESSAGE_MAX_BYTES);
    assert_int_equal(read_copy(bytes, PEER_MESSAGE_MAX_BYTES, &got), 0);
    assert_memory_equal(got.payload, sent.payload, sizeof(got.payload));
}

static void every_changed_bit_is_noticed_and_nothing_is_returned(void **unused)
{
    (void)unused;
    const struct peer_message sent = sample();
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    size_t len_bytes = peer_message_write(&sent, key, sizeof(key), bytes);
    for (size_t bit = 0; bit < len_bytes * 8; bit++) {
        struct peer_message got, untouched;
        memset(&got, 0xee, sizeof(got));
        memset(&untouched, 0xee, sizeof(untouched));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int code = read_copy(bytes, len_bytes, &got);
        assert_true(code == -EACCES || code == -EBADMSG);
        assert_memory_equal(&got, &untouched, sizeof(got));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_other_length_is_refused(void **unused)
{
    (void)unused;
    const struct peer_message sent = sample();
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES + 1] = {0};
    size_t len_bytes = peer_message_write(&sent, key, sizeof(key), bytes);
    struct peer_message got;
    for (size_t other = 0; other <= sizeof(bytes); other++)
        if (other != len_bytes)
            assert_int_equal(read_copy(bytes, other, &got), -EBADMSG);
}

static void another_key_is_refused(void **unused)
{
    (void)unused;
    const struct peer_message sent = sample();
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    size_t len_bytes = peer_message_write(&sent, other_key, sizeof(other_key), bytes);
    struct peer_message got;
    assert_int_equal(read_copy(bytes, len_bytes, &got), -EACCES);
}

static void a_peer_without_a_common_version_is_told_apart_from_a_forger(void **unused)
{
    (void)unused;
    struct peer_message sent = sample(), got;
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    sent.version_low = sent.version_high = PEER_MESSAGE_VERSION_HIGH + 1;
    size_t len_bytes = peer_message_write(&sent, key, sizeof(key), bytes);
    assert_int_equal(read_copy(bytes, len_bytes, &got), -EPROTONOSUPPORT);
    sent.version_low = PEER_MESSAGE_VERSION_HIGH; /* newer, but still talks to us */
    len_bytes = peer_message_write(&sent, key, sizeof(key), bytes);
    assert_int_equal(read_copy(bytes, len_bytes, &got), 0);
}

/* --- replay -------------------------------------------------------------------------------- */

enum { OURS = 100, PEER = 200 };

static struct peer_guard guard(void)
{
    return (struct peer_guard){.own_node = 1, .peer_node = 2, .own_session = OURS};
}

static enum peer_verdict hear(struct peer_guard *g, uint64_t session, uint64_t counter,
                              uint64_t echo_session, unsigned link)
{
    const struct peer_message message = {.from_node = 2,
                                         .to_node = 1,
                                         .link = (uint8_t)link,
                                         .session = session,
                                         .counter = counter,
                                         .echo_session = echo_session};
    return peer_guard_judge(g, &message, link);
}

static void a_peer_is_believed_only_after_it_has_heard_us(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    assert_int_equal(hear(&g, PEER, 1, 0, 0), PEER_CHALLENGE);
    assert_true(g.peer_session == 0);
    assert_int_equal(hear(&g, PEER, 2, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER, 3, OURS, 0), PEER_ACCEPT);
}

static void the_same_datagram_is_not_taken_twice(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    assert_int_equal(hear(&g, PEER, 5, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER, 5, OURS, 0), PEER_REPLAY);
    assert_int_equal(hear(&g, PEER, 4, OURS, 0), PEER_REPLAY);
}

static void the_links_may_overtake_each_other(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    assert_int_equal(hear(&g, PEER, 11, OURS, 1), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER, 10, OURS, 0), PEER_ACCEPT);
}

static void a_restarted_peer_is_taken_and_its_old_session_never_again(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    assert_int_equal(hear(&g, PEER, 50, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER + 1, 1, 0, 0), PEER_CHALLENGE);
    assert_int_equal(hear(&g, PEER, 51, OURS, 0), PEER_ACCEPT); /* the old one may still speak */
    assert_int_equal(hear(&g, PEER + 1, 2, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER, 60, OURS, 0), PEER_REPLAY);
    assert_int_equal(hear(&g, PEER, 60, OURS, 1), PEER_REPLAY);
}

static void datagrams_from_before_our_start_are_never_believed(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    for (uint64_t counter = 1; counter < 100; counter++)
        assert_int_equal(hear(&g, PEER, counter, OURS - 1, 0), PEER_CHALLENGE);
    assert_true(g.peer_session == 0);
}

static void within_a_session_an_echo_of_another_of_ours_is_refused(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    assert_int_equal(hear(&g, PEER, 1, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, PEER, 2, OURS - 1, 0), PEER_REPLAY);
    assert_int_equal(hear(&g, PEER, 2, OURS, 0), PEER_ACCEPT); /* its counter was not used up */
}

static void messages_for_others_are_foreign(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    struct peer_message m = {.from_node = 2,
                             .to_node = 1,
                             .link = 0,
                             .session = PEER,
                             .counter = 1,
                             .echo_session = OURS};
    m.from_node = 1;
    m.to_node = 2; /* our own, thrown back at us */
    assert_int_equal(peer_guard_judge(&g, &m, 0), PEER_FOREIGN);
    m.from_node = 3;
    m.to_node = 1;
    assert_int_equal(peer_guard_judge(&g, &m, 0), PEER_FOREIGN);
    m.from_node = 2;
    assert_int_equal(peer_guard_judge(&g, &m, 1), PEER_FOREIGN); /* carried to the other link */
    m.link = 2;
    assert_int_equal(peer_guard_judge(&g, &m, 2), PEER_FOREIGN);
    m.link = 0;
    m.session = 0;
    assert_int_equal(peer_guard_judge(&g, &m, 0), PEER_FOREIGN);
}

static void very_many_restarts_of_the_peer_cost_a_new_session_of_ours(void **unused)
{
    (void)unused;
    struct peer_guard g = guard();
    uint64_t session = PEER;
    for (unsigned i = 0; i <= PEER_MESSAGE_RETIRED_MAX; i++)
        assert_int_equal(hear(&g, session++, 1, OURS, 0), PEER_ACCEPT);
    assert_int_equal(hear(&g, session, 1, OURS, 0), PEER_RENEW);
    g.own_session = OURS + 1;
    assert_int_equal(hear(&g, PEER, 99, OURS, 0), PEER_CHALLENGE); /* old: echoes our old session */
    assert_int_equal(hear(&g, session, 2, OURS + 1, 0), PEER_ACCEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_was),
        cmocka_unit_test(the_head_is_big_endian_at_fixed_places),
        cmocka_unit_test(the_largest_payload_fits),
        cmocka_unit_test(every_changed_bit_is_noticed_and_nothing_is_returned),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(a_peer_without_a_common_version_is_told_apart_from_a_forger),
        cmocka_unit_test(a_peer_is_believed_only_after_it_has_heard_us),
        cmocka_unit_test(the_same_datagram_is_not_taken_twice),
        cmocka_unit_test(the_links_may_overtake_each_other),
        cmocka_unit_test(a_restarted_peer_is_taken_and_its_old_session_never_again),
        cmocka_unit_test(datagrams_from_before_our_start_are_never_believed),
        cmocka_unit_test(within_a_session_an_echo_of_another_of_ours_is_refused),
        cmocka_unit_test(messages_for_others_are_foreign),
        cmocka_unit_test(very_many_restarts_of_the_peer_cost_a_new_session_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
