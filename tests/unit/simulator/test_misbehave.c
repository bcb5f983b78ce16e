/* What becomes of each PDU when the simulated PBX misbehaves. */
#include "lib/common/buf.h"
#include "simulator/misbehave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One sign for each of so many PDUs: 0, 1, 2 copies, h for one that is held. */
static void expect_plans(struct misbehave *misbehave, enum misbehave_kind kind,
                         const char *expected)
{
    struct buf signs = {0};
    for (const char *at = expected; *at != '\0'; at++) {
        struct misbehave_plan plan = misbehave_next(misbehave, kind);
        buf_addf(&signs, plan.hold ? "h" : "%u", plan.copies);
    }
    assert_string_equal(signs.data, expected);
    buf_done(&signs);
}

static void without_wishes_everything_goes_out_once(void **unused)
{
    (void)unused;
    struct misbehave misbehave = {0};
    expect_plans(&misbehave, MISBEHAVE_EVENT, "11111");
    expect_plans(&misbehave, MISBEHAVE_RESPONSE, "11111");
    expect_plans(&misbehave, MISBEHAVE_REQUEST, "11111");
}

static void every_kth_is_counted_from_the_wish_on(void **unused)
{
    (void)unused;
    const struct {
        struct misbehave_wishes wishes;
        const char *events, *responses;
    } rows[] = {
        {{.duplicate_events = 3}, "1121121", "1111111"},
        {{.duplicate_events = 1}, "2222222", "1111111"},
        {{.drop_events = 2}, "1010101", "1111111"},
        {{.drop_responses = 2}, "1111111", "1010101"},
        {{.swap_events = 2}, "1h1h1h1", "1111111"},
        {{.duplicate_events = 2, .drop_events = 4}, "1210121", "1111111"},
        {{.drop_events = 2, .swap_events = 2}, "1010101", "1111111"}, /* lost is lost */
        {{.silent = true, .duplicate_events = 1}, "0000000", "0000000"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct misbehave misbehave = {0};
        expect_plans(&misbehave, MISBEHAVE_EVENT, "1");
        misbehave_set(&misbehave, &rows[i].wishes);
        expect_plans(&misbehave, MISBEHAVE_EVENT, rows[i].events);
        expect_plans(&misbehave, MISBEHAVE_RESPONSE, rows[i].responses);
        misbehave_set(&misbehave, &(struct misbehave_wishes){0});
        expect_plans(&misbehave, MISBEHAVE_EVENT, "111");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_wishes_everything_goes_out_once),
        cmocka_unit_test(every_kth_is_counted_from_the_wish_on),
    };
    return cmocka_run_group_tests_name("misbehave", tests, NULL, NULL);
}
