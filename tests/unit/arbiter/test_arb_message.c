#include "ha/arb_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct arb_message full = {
    .node = 2,
    .version_low = 1,
    .version_high = 3,
    .phase = ARB_RELEASING,
    .candidate = true,
    .leaving = true,
    .holds_vip = true,
    .preferred = true,
    .fresh = true,
    .primary = true,
    .disk = ARB_DISK_OUTDATED,
    .link = ARB_LINK_STANDALONE,
    .right = {.mode = ARB_MODE_SOLO, .owner = 2, .term = 0x0102030405060708u, .seq = UINT64_MAX},
    .last_active_term = 11,
    .run_seen = 12,
    .run_agreed = 13,
    .outdate_term = 14,
    .outdated_term = 15,
    .constants_digest = 0xfedcba9876543210u,
    .generation = 16,
};

static void assert_same(const struct arb_message *a, const struct arb_message *b)
{
    assert_int_equal(a->node, b->node);
    assert_int_equal(a->version_low, b->version_low);
    assert_int_equal(a->version_high, b->version_high);
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->candidate, b->candidate);
    assert_int_equal(a->leaving, b->leaving);
    assert_int_equal(a->holds_vip, b->holds_vip);
    assert_int_equal(a->preferred, b->preferred);
    assert_int_equal(a->fresh, b->fresh);
    assert_int_equal(a->primary, b->primary);
    assert_int_equal(a->disk, b->disk);
    assert_int_equal(a->link, b->link);
    assert_int_equal(a->right.mode, b->right.mode);
    assert_int_equal(a->right.owner, b->right.owner);
    assert_true(a->right.term == b->right.term && a->right.seq == b->right.seq);
    assert_true(a->last_active_term == b->last_active_term && a->run_seen == b->run_seen);
    assert_true(a->run_agreed == b->run_agreed && a->outdate_term == b->outdate_term);
    assert_true(a->outdated_term == b->outdated_term);
    assert_true(a->constants_digest == b->constants_digest && a->generation == b->generation);
}

static void a_message_comes_back_as_it_was(void **unused)
{
    (void)unused;
    static const struct arb_message least = {.node = 1, .version_low = 1, .version_high = 1};
    const struct arb_message *const messages[] = {&full, &least};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
        struct arb_message back;
        memset(&back, 0xff, sizeof(back));
        const size_t len_bytes = arb_message_encode(messages[i], bytes);
        assert_int_equal(len_bytes, ARB_MESSAGE_BYTES);
        assert_int_equal(arb_message_decode(bytes, len_bytes, &back), 0);
        assert_same(messages[i], &back);
    }
}

static void the_layout_is_fixed(void **unused)
{
    (void)unused;
    uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
    (void)arb_message_encode(&full, bytes);
    static const uint8_t head[] = {'O',
                                   'G',
                                   'A',
                                   'M',
                                   1,
                                   2,
                                   ARB_RELEASING,
                                   ARB_DISK_OUTDATED,
                                   ARB_LINK_STANDALONE,
                                   ARB_MODE_SOLO,
                                   2,
                                   63,
                                   0,
                                   0,
                                   0,
                                   1,
                                   0,
                                   0,
                                   0,
                                   3,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   6,
                                   7,
                                   8};
    assert_memory_equal(bytes, head, sizeof(head));
}

static void every_flipped_bit_is_refused_and_leaves_the_output_alone(void **unused)
{
    (void)unused;
    uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
    const size_t len_bytes = arb_message_encode(&full, bytes);
    for (size_t bit = 0; bit < len_bytes * 8; bit++) {
        struct arb_message back = {.generation = 4711};
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(arb_message_decode(bytes, len_bytes, &back), -EBADMSG);
        assert_int_equal(back.generation, 4711);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_other_length_below_is_refused_and_a_longer_one_is_read(void **unused)
{
    (void)unused;
    uint8_t bytes[ARB_MESSAGE_MAX_BYTES + 1] = {0};
    struct arb_message back;
    (void)arb_message_encode(&full, bytes);
    for (size_t len_bytes = 0; len_bytes < ARB_MESSAGE_BYTES; len_bytes++)
        assert_int_equal(arb_message_decode(bytes, len_bytes, &back), -EBADMSG);
    assert_int_equal(arb_message_decode(bytes, ARB_MESSAGE_MAX_BYTES, &back), 0);
    assert_int_equal(arb_message_decode(bytes, ARB_MESSAGE_MAX_BYTES + 1, &back), -EBADMSG);
}

static void values_out_of_range_are_refused_even_with_a_good_checksum(void **unused)
{
    (void)unused;
    struct arb_message bad[8];
    for (unsigned i = 0; i < 8; i++)
        bad[i] = full;
    bad[0].node = 0;
    bad[1].node = 3;
    bad[2].phase = ARB_PHASE_COUNT;
    bad[3].disk = ARB_DISK_COUNT;
    bad[4].link = ARB_LINK_COUNT;
    bad[5].right.owner = ARB_NODE_NONE; /* SOLO of nobody */
    bad[6].right.mode = ARB_MODE_PAIR;  /* PAIR with an owner */
    bad[7].version_low = 4;             /* above version_high */
    for (unsigned i = 0; i < 8; i++) {
        uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
        struct arb_message back;
        const size_t len_bytes = arb_message_encode(&bad[i], bytes);
        assert_int_equal(arb_message_decode(bytes, len_bytes, &back), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_was),
        cmocka_unit_test(the_layout_is_fixed),
        cmocka_unit_test(every_flipped_bit_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(every_other_length_below_is_refused_and_a_longer_one_is_read),
        cmocka_unit_test(values_out_of_range_are_refused_even_with_a_good_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
