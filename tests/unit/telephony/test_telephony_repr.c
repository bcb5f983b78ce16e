/* Each body and event of the contract goes in and out unchanged. */
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "tests/unit/telephony/telephony_samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parse(const char *text)
{
    struct diag diag = {0};
    cJSON *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), &json, &diag), 0);
    return json;
}

/* Order of members means nothing in JSON: trees are compared. */
static void each_sample_goes_in_and_out_unchanged(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(telephony_samples); i++) {
        const struct repr *repr = telephony_samples[i].repr;
        AUTO(json_freep) cJSON *json = parse(telephony_samples[i].text);
        AUTO(common_freep) void *data = calloc(1, repr->size_bytes);
        struct arena arena;
        struct diag diag = {0};
        struct buf out = {0};
        arena_init(&arena, 65536);
        if (repr_read(repr, json, &arena, data, &diag) < 0)
            fail_msg("%s: %s", repr->name, diag.text);
        assert_int_equal(repr_check(repr, data, &diag), 0);
        assert_int_equal(repr_write(repr, data, &out), 0);
        AUTO(json_freep) cJSON *again = parse(out.data);
        if (!cJSON_Compare(json, again, true))
            fail_msg("%s comes out as\n%s", repr->name, out.data);
        buf_done(&out);
        arena_done(&arena);
    }
}

/* A member that the table does not know would be dropped without a word; the comparison above must
 * be able to see that. */
static void a_member_that_is_lost_is_seen(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(telephony_samples); i++) {
        const struct repr *repr = telephony_samples[i].repr;
        AUTO(json_freep) cJSON *json = parse(telephony_samples[i].text);
        AUTO(common_freep) void *data = calloc(1, repr->size_bytes);
        struct arena arena;
        struct diag diag = {0};
        struct buf out = {0};
        assert_non_null(cJSON_AddStringToObject(json, "more", "x"));
        arena_init(&arena, 65536);
        assert_int_equal(repr_read(repr, json, &arena, data, &diag), 0);
        assert_int_equal(repr_write(repr, data, &out), 0);
        AUTO(json_freep) cJSON *again = parse(out.data);
        assert_false(cJSON_Compare(json, again, true));
        buf_done(&out);
        arena_done(&arena);
    }
}

/* An event's name comes first and the login second, as clients look for them in the text. */
static void an_event_begins_with_its_name(void **unused)
{
    static const struct repr *const events[] = {
        &call_created_repr,     &call_modified_repr,      &call_removed_repr,
        &user_state_event_repr, &device_state_event_repr, &telephony_state_event_repr,
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        assert_string_equal(events[i]->members[0].name, "eventName");
        assert_string_equal(events[i]->members[1].name, "loginName");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_goes_in_and_out_unchanged),
        cmocka_unit_test(a_member_that_is_lost_is_seen),
        cmocka_unit_test(an_event_begins_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
