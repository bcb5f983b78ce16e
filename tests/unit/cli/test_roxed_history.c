/* The list of decisions as text, and the times of --since. */
#include "cli/roxed_history.h"
#include "cli/roxed_text.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1795485600 }; /* 2026-11-24 02:00:00 UTC */

static void check_history(const char *entries, const char *expected)
{
    cJSON *json = NULL;
    struct buf out = {0};
    assert_int_equal(json_parse(entries, strlen(entries), &json, NULL), 0);
    roxed_history_add(&out, json);
    assert_string_equal(out.data, expected);
    buf_done(&out);
    cJSON_Delete(json);
}

static void entries_become_lines_in_order(void **state)
{
    (void)state;
    check_history(
        "[{\"at\":\"2026-11-24T01:00:00.500Z\",\"at_s\":1795482000,\"up_ms\":1,\"event\":\"start\","
        "\"term\":7,\"text\":\"solution-control 0.1.0 starts\"},"
        "{\"at_s\":1795482003,\"event\":\"transition\",\"from\":\"boot\",\"to\":\"standby\","
        "\"row\":3,\"term\":7,\"text\":\"Both nodes are connected.\"},"
        "{\"at_s\":1795482010,\"event\":\"decision\",\"from\":\"standby\",\"to\":\"standby\","
        "\"row\":8,\"term\":7,\"text\":\"The active node is silent.\"}]",
        "2026-11-24 01:00:00  start                  solution-control 0.1.0 starts (term 7)\n"
        "2026-11-24 01:00:03  boot -> standby        Both nodes are connected. (rule 3, term 7)\n"
        "2026-11-24 01:00:10  decision               The active node is silent. (rule 8, term "
        "7)\n");
}

static void missing_members_are_shown_as_unknown(void **state)
{
    (void)state;
    check_history("[{},7,{\"at_s\":\"x\",\"from\":\"boot\"}]",
                  "unknown time         unknown                unknown\n"
                  "unknown time         unknown                unknown\n"
                  "unknown time         unknown                unknown\n");
}

static void an_empty_history_says_so(void **state)
{
    (void)state;
    check_history("[]", "Nothing is recorded for this time.\n");
}

static void control_characters_stay_out(void **state)
{
    (void)state;
    check_history("[{\"at_s\":0,\"event\":\"a\\u001b[2J\",\"text\":\"b\\nc\\u009b\"}]",
                  "1970-01-01 00:00:00  a?[2J                  b?c?\n");
}

static void times_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at_s;
    } cases[] = {
        {"90s", NOW_S - 90},
        {"10m", NOW_S - 600},
        {"2h", NOW_S - 7200},
        {"3d", NOW_S - 3 * 86400},
        {"0s", NOW_S},
        {"1000000d", 0},
        {"today", NOW_S - 7200},
        {"yesterday", NOW_S - 7200 - 86400},
        {"01:30", NOW_S - 1800},
        {"2026-11-24", NOW_S - 7200},
        {"2026-11-24 01:59", NOW_S - 60},
        {"2026-11-24T01:59", NOW_S - 60},
        {"2026-11-24 01:59:59", NOW_S - 1},
        {"2026-11-24T01:59:59", NOW_S - 1},
        {"1960-01-01", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t at_s = -1;
        assert_int_equal(roxed_history_parse_when(cases[i].text, NOW_S, &at_s, NULL), 0);
        assert_int_equal(at_s, cases[i].at_s);
    }
}

static void other_words_are_refused_with_examples(void **state)
{
    (void)state;
    static const char *const words[] = {"",      "x",         "10",        "10x",
                                        "10mm",  "-5m",       "tomorrow",  "2026-02-31",
                                        "25:00", "2026-13-1", "01:30 ago", "99999999999999999999d"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct diag diag = {0};
        int64_t at_s = 5;
        assert_int_equal(roxed_history_parse_when(words[i], NOW_S, &at_s, &diag), -EINVAL);
        assert_int_equal(at_s, 5);
        assert_non_null(strstr(diag.text, "2026-01-31"));
    }
}

static void yesterday_of_the_first_is_in_the_month_before(void **state)
{
    (void)state;
    int64_t at_s = 0;
    /* 2026-03-01 12:00:00 UTC */
    assert_int_equal(roxed_history_parse_when("yesterday", 1772366400, &at_s, NULL), 0);
    assert_int_equal(at_s, 1772236800); /* 2026-02-28 00:00:00 UTC */
}

static void durations_take_two_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_ms;
        const char *text;
    } cases[] = {
        {0, "0.0 s"},
        {950, "0.9 s"},
        {9999, "9.9 s"},
        {10000, "10 s"},
        {59999, "59 s"},
        {60000, "1 min 0 s"},
        {3599999, "59 min 59 s"},
        {3600000, "1 h 0 min"},
        {86400000, "1 d 0 h"},
        {UINT64_MAX, "213503982334 d 14 h"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out = {0};
        roxed_add_duration(&out, cases[i].duration_ms);
        assert_string_equal(out.data, cases[i].text);
        buf_done(&out);
    }
}

static void json_for_programs_keeps_its_value_without_control_characters(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":\"\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\",\t\"b\":1}";
    struct buf out = {0};
    cJSON *before = NULL, *after = NULL;
    roxed_add_safe_json(&out, json, sizeof(json) - 1);
    assert_string_equal(out.data, "{\"a\":\"\\u007f\\u009b\\u202e\xc3\xa9\", \"b\":1}");
    assert_int_equal(json_parse(json, sizeof(json) - 1, &before, NULL), 0);
    assert_int_equal(json_parse(out.data, out.len_bytes, &after, NULL), 0);
    assert_true(cJSON_Compare(before, after, true));
    cJSON_Delete(before);
    cJSON_Delete(after);
    buf_done(&out);
}

static void padding_counts_characters_not_bytes(void **state)
{
    (void)state;
    struct buf out = {0};
    roxed_add_padded(&out,
                     "n\xc3\xb6"
                     "d",
                     5);
    buf_adds(&out, "|");
    roxed_add_padded(&out, "\xff\xff", 3);
    buf_adds(&out, "|");
    roxed_add_padded(&out, "longer", 3);
    assert_string_equal(out.data, "n\xc3\xb6"
                                  "d  |?? |longer");
    buf_done(&out);
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_become_lines_in_order),
        cmocka_unit_test(missing_members_are_shown_as_unknown),
        cmocka_unit_test(an_empty_history_says_so),
        cmocka_unit_test(control_characters_stay_out),
        cmocka_unit_test(times_are_understood),
        cmocka_unit_test(other_words_are_refused_with_examples),
        cmocka_unit_test(yesterday_of_the_first_is_in_the_month_before),
        cmocka_unit_test(durations_take_two_units),
        cmocka_unit_test(json_for_programs_keeps_its_value_without_control_characters),
        cmocka_unit_test(padding_counts_characters_not_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
