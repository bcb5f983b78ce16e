#include "drbd/drbdctl_generation.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LINE "59B99CF0562A1AD7:0000000000000000:029E8382984FCBA5:029D8382984FCBA5:1:1:1:1:0:0:0"

static struct drbdctl_generation parsed(const char *text)
{
    struct drbdctl_generation generation;
    struct diag diag = {0};
    assert_int_equal(drbdctl_generation_parse(text, strlen(text), &generation, &diag), 0);
    return generation;
}

static void the_line_of_get_gi_is_read_field_by_field(void **unused)
{
    (void)unused;
    struct drbdctl_generation g = parsed(LINE "\n");
    assert_true(g.current == UINT64_C(0x59B99CF0562A1AD7));
    assert_true(g.bitmap == 0);
    assert_true(g.history[0] == UINT64_C(0x029E8382984FCBA5));
    assert_true(g.history[1] == UINT64_C(0x029D8382984FCBA5));
    assert_true(g.consistent && g.was_uptodate && g.primary && g.connected);
    assert_false(g.full_sync || g.peer_outdated || g.crashed_primary);
    g = parsed("  F11B000000000000:0000000000000000:0000000000000000:0000000000000000"
               ":1:0:0:0:0:1:1\r\n");
    assert_true(g.consistent && g.peer_outdated && g.crashed_primary);
    assert_false(g.was_uptodate || g.primary || g.connected || g.full_sync);
}

static void the_drawing_of_show_gi_is_read_too(void **unused)
{
    (void)unused;
    struct drbdctl_generation g =
        parsed("\n       +--<  Current data generation UUID  >-\n"
               "       V               V                 V         V\n" LINE "\n"
               "                                           ^ ^ ^ ^ ^ ^ ^\n"
               "flags: Primary, Connected, UpToDate\nmeta-data: need apply-al\n");
    assert_true(g.current == UINT64_C(0x59B99CF0562A1AD7));
}

static void the_text_form_is_the_tools_own(void **unused)
{
    (void)unused;
    struct drbdctl_generation g = parsed(LINE);
    char text[DRBDCTL_GENERATION_TEXT];
    assert_string_equal(drbdctl_generation_text(&g, text), LINE);
}

static void other_text_is_refused_and_leaves_the_result_alone(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "",
        "\n\n",
        "No valid meta data found",
        "59B99CF0562A1AD7:0:0:0:1:1:1:1:0:0:0",
        LINE ":0:0", /* DRBD 9 */
        "59B99CF0562A1AD7:0000000000000000:029E8382984FCBA5:029D8382984FCBA5:1:1:1:1:0:0",
        "59B99CF0562A1AD7:0000000000000000:029E8382984FCBA5:029D8382984FCBA5:1:1:1:2:0:0:0",
        "59B99CF0562A1ADX:0000000000000000:029E8382984FCBA5:029D8382984FCBA5:1:1:1:1:0:0:0",
        "59B99CF0562A1AD7-0000000000000000-029E8382984FCBA5-029D8382984FCBA5-1-1-1-1-0-0-0",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct drbdctl_generation g = {.current = 42};
        struct diag diag = {0};
        assert_int_equal(drbdctl_generation_parse(texts[i], strlen(texts[i]), &g, &diag), -EINVAL);
        assert_true(g.current == 42);
        assert_true(diag.text[0] != '\0');
    }
    for (size_t len = 0; len < strlen(LINE); len++) { /* every cut of a good line */
        struct drbdctl_generation g;
        assert_int_equal(drbdctl_generation_parse(LINE, len, &g, NULL), -EINVAL);
    }
}

/* current, bitmap, history 0, history 1 */
static struct drbdctl_generation ids(uint64_t current, uint64_t bitmap, uint64_t h0, uint64_t h1)
{
    return (struct drbdctl_generation){.current = current, .bitmap = bitmap, .history = {h0, h1}};
}

static void two_copies_are_compared_like_the_kernel_does(void **unused)
{
    (void)unused;
    enum { A = 0xF11B00, B = 0xC3FF00, C = 0x9BD200, D = 0x111100, E = 0x222200 };
    const struct {
        struct drbdctl_generation mine, peers;
        enum drbdctl_relation relation;
    } rows[] = {
        {ids(A, 0, D, 0), ids(A, 0, D, 0), DRBDCTL_RELATION_SAME},
        {ids(A | 1, 0, D, 0), ids(A, 0, D, 0), DRBDCTL_RELATION_SAME}, /* Primary flag */
        {ids(B, A, D, 0), ids(A, 0, D, 0), DRBDCTL_RELATION_AHEAD},    /* SOLO, peer stale */
        {ids(B | 1, A, D, 0), ids(A | 1, 0, D, 0), DRBDCTL_RELATION_AHEAD},
        {ids(A, 0, D, 0), ids(B, A, D, 0), DRBDCTL_RELATION_BEHIND},
        {ids(B, A, D, 0), ids(C, A, D, 0), DRBDCTL_RELATION_SPLIT_BRAIN}, /* both promoted */
        {ids(B, 0, A, D), ids(A, 0, D, E), DRBDCTL_RELATION_AHEAD},       /* after a full resync */
        {ids(A, 0, D, E), ids(B, 0, A, D), DRBDCTL_RELATION_BEHIND},
        {ids(B, 0, A, D), ids(C, 0, A, E), DRBDCTL_RELATION_SPLIT_BRAIN},
        {ids(B, A, 0, 0), ids(C, 0, A, 0), DRBDCTL_RELATION_SPLIT_BRAIN},
        {ids(B, 0, 0, 0), ids(C, 0, 0, 0), DRBDCTL_RELATION_UNRELATED}, /* zeros are no ancestor */
        {ids(B, D, 0, 0), ids(C, E, 0, 0), DRBDCTL_RELATION_UNRELATED},
        {ids(4, 0, 0, 0), ids(4, 0, 0, 0), DRBDCTL_RELATION_EMPTY},
        {ids(4, 0, 0, 0), ids(A, 0, D, 0), DRBDCTL_RELATION_BEHIND},
        {ids(A, 0, D, 0), ids(4, 0, 0, 0), DRBDCTL_RELATION_AHEAD},
        {ids(0, 0, 0, 0), ids(A, 0, D, 0), DRBDCTL_RELATION_BEHIND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(drbdctl_generation_compare(&rows[i].mine, &rows[i].peers),
                         rows[i].relation);
}

static void the_comparison_is_the_same_from_both_sides(void **unused)
{
    (void)unused;
    static const enum drbdctl_relation mirrored[DRBDCTL_RELATION_COUNT] = {
        [DRBDCTL_RELATION_SAME] = DRBDCTL_RELATION_SAME,
        [DRBDCTL_RELATION_AHEAD] = DRBDCTL_RELATION_BEHIND,
        [DRBDCTL_RELATION_BEHIND] = DRBDCTL_RELATION_AHEAD,
        [DRBDCTL_RELATION_SPLIT_BRAIN] = DRBDCTL_RELATION_SPLIT_BRAIN,
        [DRBDCTL_RELATION_EMPTY] = DRBDCTL_RELATION_EMPTY,
        [DRBDCTL_RELATION_UNRELATED] = DRBDCTL_RELATION_UNRELATED,
    };
    enum { VALUES = 5 }; /* all pairs of copies over five identifiers, current never in its past */
    static const uint64_t id[VALUES] = {0, 4, 0x100, 0x200, 0x300};
    unsigned compared = 0;
    for (unsigned n = 0; n < 15625; n++) {
        unsigned d[6], rest = n;
        for (int i = 0; i < 6; i++, rest /= VALUES)
            d[i] = rest % VALUES;
        struct drbdctl_generation mine = ids(id[d[0]], id[d[1]], id[d[2]], 0);
        struct drbdctl_generation peers = ids(id[d[3]], id[d[4]], id[d[5]], 0);
        if (mine.current == mine.bitmap || mine.current == mine.history[0] ||
            peers.current == peers.bitmap || peers.current == peers.history[0])
            continue;
        /* each cannot be the other's ancestor at once */
        if ((mine.current == peers.bitmap || mine.current == peers.history[0]) &&
            (peers.current == mine.bitmap || peers.current == mine.history[0]))
            continue;
        compared++;
        assert_int_equal(drbdctl_generation_compare(&mine, &peers),
                         mirrored[drbdctl_generation_compare(&peers, &mine)]);
    }
    assert_true(compared > 3000);
}

static void relations_have_names(void **unused)
{
    (void)unused;
    assert_string_equal(drbdctl_relation_name(DRBDCTL_RELATION_SPLIT_BRAIN), "split brain");
    assert_string_equal(drbdctl_relation_name(DRBDCTL_RELATION_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_of_get_gi_is_read_field_by_field),
        cmocka_unit_test(the_drawing_of_show_gi_is_read_too),
        cmocka_unit_test(the_text_form_is_the_tools_own),
        cmocka_unit_test(other_text_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(two_copies_are_compared_like_the_kernel_does),
        cmocka_unit_test(the_comparison_is_the_same_from_both_sides),
        cmocka_unit_test(relations_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
