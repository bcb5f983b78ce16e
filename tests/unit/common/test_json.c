#include "lib/common/json.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An exact-sized heap copy without a NUL: the address sanitizer sees a read past the end. */
static int parse(const char *text, cJSON **ret_json, struct diag *diag)
{
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int r = json_parse(copy, len, ret_json, diag);
    free(copy);
    return r;
}

static void good_texts_are_taken(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "\"\"",
        "\"a\\u00e4\\n\\/\\\"\"",
        "\"\\ud83d\\ude00\"",
        "\"\xf0\x9f\x98\x80\"",
        "{\"a\":{\"a\":[1,2,{}]}}",
        "\t{ \"a\" : 1 ,\r\n \"b\" : [ ] }\n",
        "{\"a\":1,\"A\":2}",
        "[[],[],{\"\":null}]",
        "\"\x7f\"",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(json_freep) cJSON *json = NULL;
        struct diag diag = {0};
        if (parse(rows[i], &json, &diag) != 0 || json == NULL)
            fail_msg("%s: %s", rows[i], diag.text);
    }
}

static void bad_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *because;
    } rows[] = {
        {"", "line 1, column 1:"},
        {" \n ", "line 2, column 2:"},
        {"{", "line 1, column 2:"},
        {"{\"a\"}", "line 1, column 5: a colon"},
        {"{\"a\":}", "line 1, column 6: no JSON value"},
        {"{\"a\":1,}", "line 1, column 8: a string"},
        {"{a:1}", "a string"},
        {"{'a':1}", "a string"},
        {"[1,]", "line 1, column 4: no JSON value"},
        {"[1 2]", "',' or ']'"},
        {"[1}", "',' or ']'"},
        {"{\"a\":1]", "',' or '}'"},
        {"[", "the text ends"},
        {"tru", "no JSON value"},
        {"nulll", "something follows"},
        {"{} {}", "something follows"},
        {"// x\n1", "no JSON value"},
        {"\xef\xbb\xbf{}", "no JSON value"},
        {"01", "needless zero"},
        {"-", "a digit"},
        {"+1", "no JSON value"},
        {".5", "no JSON value"},
        {"1.", "a digit"},
        {"1e", "a digit"},
        {"0x10", "something follows"},
        {"NaN", "no JSON value"},
        {"1e999", "too large"},
        {"[-1e400]", "too large"},
        {"\"a", "inside a string"},
        {"\"a\nb\"", "control character"},
        {"\"\\x\"", "escape"},
        {"\"\\u12g4\"", "hexadecimal"},
        {"\"\\u0000\"", "NUL"},
        {"\"\\ud800\"", "surrogate"},
        {"\"\\ud800\\u0041\"", "surrogate"},
        {"\"\\udc00\"", "surrogate"},
        {"\"\\", "escape"},
        {"\"\xff\"", "UTF-8"},
        {"\"\xc0\xaf\"", "UTF-8"},
        {"\"\xed\xa0\x80\"", "UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "UTF-8"},
        {"\"\xe2\x82\"", "UTF-8"},
        {"{\"a\":1,\"a\":2}", "\"a\" stands twice"},
        {"[{\"x\":{\"b\":1,\"c\":1,\"b\":1}}]", "\"b\" stands twice"},
        {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"c\":1}",
         "\"c\" stands twice"},
        {"{\"a\":1,\"\\u0061\":2}", "\"a\" stands twice"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cJSON *json = NULL;
        struct diag diag = {0};
        int r = parse(rows[i].text, &json, &diag);
        if (r != -EINVAL || json != NULL || strstr(diag.text, rows[i].because) == NULL)
            fail_msg("%s: %d \"%s\" instead of \"%s\"", rows[i].text, r, diag.text,
                     rows[i].because);
    }
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    cJSON *json = NULL;
    assert_int_equal(json_parse("{}\0", 3, &json, NULL), -EINVAL);
    assert_int_equal(json_parse("\"\0\"", 3, &json, NULL), -EINVAL);
    assert_null(json);
}

static void nest(struct buf *text, int depth)
{
    buf_clear(text);
    for (int i = 0; i < depth; i++)
        buf_adds(text, i % 2 == 0 ? "[" : "{\"a\":");
    buf_adds(text, "1");
    for (int i = depth - 1; i >= 0; i--)
        buf_adds(text, i % 2 == 0 ? "]" : "}");
}

static void depth_is_limited(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    AUTO(json_freep) cJSON *json = NULL;
    nest(&text, JSON_DEPTH_MAX);
    assert_int_equal(parse(text.data, &json, NULL), 0);
    nest(&text, JSON_DEPTH_MAX + 1);
    cJSON *deeper = NULL;
    assert_int_equal(parse(text.data, &deeper, NULL), -EINVAL);
    buf_clear(&text);
    for (int i = 0; i < 1000000; i++)
        buf_adds(&text, "[");
    assert_int_equal(parse(text.data, &deeper, NULL), -EINVAL);
    assert_null(deeper);
}

static void a_number_of_endless_digits_is_no_lack_of_memory(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    cJSON *json = NULL;
    for (int i = 0; i < 500; i++)
        buf_adds(&text, "1");
    int r = parse(text.data, &json, NULL);
    cJSON_Delete(json);
    assert_int_equal(r, -EINVAL);
}

static void large_objects_are_checked_in_reasonable_time(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    buf_adds(&text, "{");
    for (int i = 0; i < 50000; i++)
        buf_addf(&text, "\"member%d\":1,", i);
    buf_adds(&text, "\"last\":1}");
    AUTO(json_freep) cJSON *json = NULL;
    uint64_t start = common_boot_ms();
    assert_int_equal(parse(text.data, &json, NULL), 0);
    assert_true(common_boot_ms() - start < 10000); /* pairs would take minutes */
}

static void members_are_read_by_type(void **state)
{
    (void)state;
    AUTO(json_freep) cJSON *json = NULL;
    assert_int_equal(parse("{\"s\":\"text\",\"yes\":true,\"no\":false,\"n\":-12,\"half\":0.5,"
                           "\"max\":9007199254740992,\"over\":9007199254740994,\"null\":null}",
                           &json, NULL),
                     0);
    assert_string_equal(json_string(json, "s"), "text");
    assert_null(json_string(json, "S"));
    assert_null(json_string(json, "n"));
    assert_null(json_string(json, "missing"));
    assert_null(json_string(NULL, "s"));
    assert_true(json_bool(json, "yes", false));
    assert_false(json_bool(json, "no", true));
    assert_true(json_bool(json, "s", true));
    assert_false(json_bool(json, "missing", false));
    int64_t value = 5;
    assert_true(json_int64(json, "n", &value));
    assert_int_equal(value, -12);
    assert_true(json_int64(json, "max", &value));
    assert_int_equal(value, 9007199254740992);
    value = 5;
    assert_false(json_int64(json, "half", &value));
    assert_false(json_int64(json, "over", &value));
    assert_false(json_int64(json, "s", &value));
    assert_false(json_int64(json, "missing", &value));
    assert_int_equal(value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_taken),
        cmocka_unit_test(bad_texts_are_refused_with_their_place),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_number_of_endless_digits_is_no_lack_of_memory),
        cmocka_unit_test(large_objects_are_checked_in_reasonable_time),
        cmocka_unit_test(members_are_read_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
