#include "lib/http/repr.h"

#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/http/repr_samples.h"

/* --- a table that uses every type ------------------------------------------------------------- */
enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN };
static const char *const colour_names[] = {"RED", "GREEN", NULL};

struct leaf {
    const char *name;
    struct repr_array children; /* struct leaf */
};
static const struct repr leaf_repr;
static const struct repr_member leaf_members[] = {
    REPR_STRING(struct leaf, name, "name", REPR_REQUIRED, 1, 8),
    REPR_OBJECTS(struct leaf, children, "children", 0, 3, &leaf_repr),
};
static const struct repr leaf_repr = REPR("Leaf", struct leaf, leaf_members);

struct all {
    const char *text;
    int64_t number;
    struct repr_int maybe_number;
    bool truth;
    struct repr_bool maybe_truth;
    int64_t at;
    struct repr_int maybe_at;
    int colour;
    struct leaf *leaf;
    const cJSON *any;
    struct repr_array names, numbers, colours, leaves;
};
static const struct repr_member all_members[] = {
    REPR_STRING(struct all, text, "text", REPR_NULLABLE, 0, 10),
    REPR_INT(struct all, number, "number", -5, 5),
    REPR_INT_OPTIONAL(struct all, maybe_number, "maybeNumber", 0, 0, 0),
    REPR_BOOL(struct all, truth, "truth"),
    REPR_BOOL_OPTIONAL(struct all, maybe_truth, "maybeTruth", 0),
    REPR_DATE_TIME(struct all, at, "at"),
    REPR_DATE_TIME_OPTIONAL(struct all, maybe_at, "maybeAt", 0),
    REPR_ENUM(struct all, colour, "colour", 0, colour_names),
    REPR_OBJECT(struct all, leaf, "leaf", 0, &leaf_repr),
    REPR_ANY(struct all, any, "any", 0),
    REPR_STRINGS(struct all, names, "names", 0, 3, 5),
    REPR_INTS(struct all, numbers, "numbers", 0, 0, 0, 9),
    REPR_ENUMS(struct all, colours, "colours", 0, 0, colour_names),
    REPR_OBJECTS(struct all, leaves, "leaves", 0, 0, &leaf_repr),
};
static const struct repr all_repr = REPR("All", struct all, all_members);

#define REQUIRED_PART "\"number\":1,\"truth\":false,\"at\":\"2025-03-04T07:58:12.000Z\""

static void texts_come_out_as_they_went_in(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "{" REQUIRED_PART "}",
        "{\"text\":\"\"," REQUIRED_PART "}",
        "{\"text\":\"\\u00e9\\\"\\n\"," REQUIRED_PART ",\"maybeNumber\":-9007199254740991,"
        "\"maybeTruth\":false,\"maybeAt\":\"1969-12-31T23:59:59.999Z\",\"colour\":\"GREEN\"}",
        "{" REQUIRED_PART ",\"leaf\":{\"name\":\"a\",\"children\":[{\"name\":\"b\"},"
        "{\"name\":\"c\",\"children\":[{\"name\":\"d\"}]}]}}",
        "{" REQUIRED_PART ",\"any\":{\"x\":[1,null,{\"y\":\"z\"}]}}",
        "{" REQUIRED_PART ",\"any\":\"text\",\"names\":[],\"numbers\":[],\"leaves\":[]}",
        "{" REQUIRED_PART ",\"names\":[\"a\",\"\"],\"numbers\":[0,9],"
        "\"colours\":[\"RED\",\"GREEN\"],\"leaves\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_same_after_round_trip(&all_repr, texts[i]);
}

/* --- refusals --------------------------------------------------------------------------------- */
static int read_text(const char *text, struct all *out, struct arena *arena, struct diag *diag)
{
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    int r = repr_read(&all_repr, json, arena, out, diag);
    cJSON_Delete(json);
    return r;
}

static void a_refusal_names_the_member_and_what_was_expected(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[]", "the body: object expected, got an array"},
        {"{\"truth\":true}", "number: this member is required"},
        {"{\"number\":\"1\"}", "number: whole number expected, got a string"},
        {"{\"number\":1.5}", "number: whole number expected, got a number"},
        {"{\"number\":1e300}", "number: whole number expected, got a number"},
        {"{\"number\":6}", "number: a number from -5 to 5 expected"},
        {"{\"number\":null}", "number: whole number expected, got null"},
        {"{\"number\":1,\"truth\":0}", "truth: boolean expected, got a number"},
        {"{\"number\":1,\"truth\":true,\"at\":\"yesterday\"}",
         "at: date-time (2025-03-04T07:58:12.000Z) expected, got a string"},
        {"{\"text\":\"12345678901\"}", "text: at most 10 bytes expected"},
        {"{" REQUIRED_PART ",\"colour\":\"BLUE\"}", "colour: one of RED, GREEN expected"},
        {"{" REQUIRED_PART ",\"colour\":\"red\"}", "colour: one of RED, GREEN expected"},
        {"{" REQUIRED_PART ",\"leaf\":{}}", "leaf.name: this member is required"},
        {"{" REQUIRED_PART ",\"leaf\":{\"name\":\"\"}}", "leaf.name: at least 1 bytes expected"},
        {"{" REQUIRED_PART ",\"leaf\":[]}", "leaf: object expected, got an array"},
        {"{" REQUIRED_PART ",\"names\":\"a\"}", "names: array expected, got a string"},
        {"{" REQUIRED_PART ",\"names\":[\"a\",7]}", "names[1]: string expected, got a number"},
        {"{" REQUIRED_PART ",\"names\":[\"\",\"\",\"\",\"\"]}",
         "names: at most 3 elements expected"},
        {"{" REQUIRED_PART ",\"leaves\":[{\"name\":\"a\",\"children\":[{\"name\":\"b\"},{}]}]}",
         "leaves[0].children[1].name: this member is required"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        struct diag diag = {0};
        struct all all;
        assert_int_equal(read_text(rows[i].text, &all, &arena, &diag), -EINVAL);
        assert_string_equal(diag.text, rows[i].says);
        static const struct all nothing;
        assert_memory_equal(&all, &nothing, sizeof(all));
        arena_done(&arena);
    }
}

static void null_counts_as_absent_only_where_the_table_says_so(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct all all;
    assert_int_equal(read_text("{\"text\":null," REQUIRED_PART "}", &all, &arena, NULL), 0);
    assert_null(all.text);
    assert_int_equal(read_text("{\"names\":null," REQUIRED_PART "}", &all, &arena, NULL), -EINVAL);
    arena_done(&arena);
}

static void unknown_members_are_ignored(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct all all;
    assert_int_equal(read_text("{\"families\":[1]," REQUIRED_PART "}", &all, &arena, NULL), 0);
    assert_int_equal(all.number, 1);
    arena_done(&arena);
}

static void reading_stops_when_memory_runs_out(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 32);
    struct all all;
    assert_int_equal(read_text("{\"text\":\"abc\"," REQUIRED_PART "}", &all, &arena, NULL),
                     -ENOMEM);
    arena_done(&arena);
}

static void a_struct_with_a_hole_is_neither_good_nor_written(void **unused)
{
    (void)unused;
    struct leaf hole = {0};
    struct leaf parent = {.name = "p", .children = {.items = &hole, .count = 1}};
    struct diag diag = {0};
    assert_int_equal(repr_check(&leaf_repr, &parent, &diag), -EINVAL);
    assert_string_equal(diag.text, "children[0].name: this member is required");
    struct buf out = {0};
    buf_adds(&out, "before");
    assert_int_equal(repr_write(&leaf_repr, &parent, &out), -EINVAL);
    assert_string_equal(out.data, "before");
    buf_done(&out);

    struct all all = {.number = 99};
    assert_int_equal(repr_check(&all_repr, &all, &diag), -EINVAL);
    assert_string_equal(diag.text, "number: a number from -5 to 5 expected");
    all = (struct all){.colour = 3};
    assert_int_equal(repr_check(&all_repr, &all, NULL), -EINVAL);
}

static void a_list_is_written_in_its_order(void **unused)
{
    (void)unused;
    const struct leaf leaves[] = {{.name = "a"}, {.name = "b", .children = {.set = true}}};
    struct buf out = {0};
    assert_int_equal(repr_write_array(&leaf_repr, leaves, 2, &out), 0);
    assert_string_equal(out.data, "[{\"name\":\"a\"},{\"name\":\"b\",\"children\":[]}]");
    buf_clear(&out);
    assert_int_equal(repr_write_array(&leaf_repr, NULL, 0, &out), 0);
    assert_string_equal(out.data, "[]");
    buf_done(&out);
}

/* --- instants --------------------------------------------------------------------------------- */
static void instants_are_understood(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t at_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2025-03-04T07:58:12.000Z", 1741075092000},
        {"2025-03-04t07:58:12z", 1741075092000},
        {"2025-03-04T08:58:12+01:00", 1741075092000},
        {"2025-03-04T02:28:12.5-0530", 1741075092500},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"2000-02-29T00:00:00.123456789Z", 951782400123},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at_ms = 42;
        assert_int_equal(repr_date_time_parse(rows[i].text, &at_ms), 0);
        assert_int_equal(at_ms, rows[i].at_ms);
    }
}

static void what_is_no_instant_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "",
        "2025",
        "2025-03-04",
        "2025-03-04T07:58Z",
        "2025-03-04T07:58:12",
        "2025-13-04T07:58:12Z",
        "2025-00-04T07:58:12Z",
        "2025-02-29T07:58:12Z",
        "1900-02-29T07:58:12Z",
        "2025-04-31T07:58:12Z",
        "2025-03-04T24:00:00Z",
        "2025-03-04T07:60:00Z",
        "2025-03-04T07:58:12.Z",
        "2025-03-04T07:58:12.0000000000Z",
        "2025-03-04T07:58:12+25:00",
        "2025-03-04T07:58:12ZZ",
        " 2025-03-04T07:58:12Z",
        "2025-03-04 07:58:12Z",
        "-025-03-04T07:58:12Z",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t at_ms = 42;
        if (repr_date_time_parse(texts[i], &at_ms) != -EINVAL)
            fail_msg("%s was accepted", texts[i]);
        assert_int_equal(at_ms, 42);
    }
}

static void every_day_of_four_centuries_comes_back(void **unused)
{
    (void)unused;
    for (int64_t day = -146097; day < 146097; day++) {
        char text[REPR_DATE_TIME_CHARS];
        int64_t at_ms = day * 86400000 + 1, back = 0;
        repr_date_time_format(at_ms, text);
        assert_int_equal(repr_date_time_parse(text, &back), 0);
        assert_int_equal(back, at_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_they_went_in),
        cmocka_unit_test(a_refusal_names_the_member_and_what_was_expected),
        cmocka_unit_test(null_counts_as_absent_only_where_the_table_says_so),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(reading_stops_when_memory_runs_out),
        cmocka_unit_test(a_struct_with_a_hole_is_neither_good_nor_written),
        cmocka_unit_test(a_list_is_written_in_its_order),
        cmocka_unit_test(instants_are_understood),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
