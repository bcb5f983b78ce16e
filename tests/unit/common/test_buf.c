#include "lib/common/buf.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_join_in_order(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf buf = {0};
    buf_adds(&buf, "one ");
    buf_add(&buf, "two and more", 3);
    buf_addf(&buf, " %d", 3);
    assert_string_equal(buf.data, "one two 3");
    assert_int_equal(buf.len_bytes, 9);
    assert_false(buf.failed);
}

static void it_grows_by_any_kind_of_piece(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf buf = {0};
    for (int i = 0; i < 1000; i++)
        buf_addf(&buf, "%04d", i);
    for (int i = 0; i < 1000; i++)
        buf_adds(&buf, "abcd");
    assert_int_equal(buf.len_bytes, 8000);
    assert_memory_equal(buf.data + 4 * 999, "0999abcd", 8);
    assert_int_equal(buf.data[buf.len_bytes], '\0');
    buf_clear(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len_bytes, 0);
}

static void formatted_text_that_just_fits_is_whole(void **state)
{
    (void)state;
    for (int before = 240; before < 260; before++) {
        AUTO(buf_done) struct buf buf = {0};
        buf_addf(&buf, "%*s", before, "");
        buf_addf(&buf, "%s", "0123456789");
        assert_int_equal(buf.len_bytes, before + 10);
        assert_string_equal(buf.data + before, "0123456789");
    }
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf buf = {0};
    buf_add_json_string(&buf, "a\"b\\c\n\r\t\x01\x1f\x7f \xc3\xbc /");
    assert_string_equal(buf.data, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\\u007f \xc3\xbc /\"");
    buf_clear(&buf);
    buf_add_json_string(&buf, "");
    assert_string_equal(buf.data, "\"\"");
}

static void taking_hands_the_string_over(void **state)
{
    (void)state;
    struct buf buf = {0};
    char *empty = buf_take(&buf);
    assert_string_equal(empty, "");
    free(empty);
    buf_adds(&buf, "text");
    char *text = buf_take(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    assert_int_equal(buf.len_bytes, 0);
    free(text);
}

static void a_failed_buffer_stays_failed_and_gives_nothing(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_adds(&buf, "kept");
    buf_add(&buf, "x", SIZE_MAX / 2); /* more than can exist: refused before it is read */
    assert_true(buf.failed);
    buf_adds(&buf, "more");
    buf_addf(&buf, "%d", 1);
    assert_string_equal(buf.data, "kept");
    assert_int_equal(buf.len_bytes, 4);
    assert_null(buf_take(&buf));
    assert_null(buf.data);
    assert_false(buf.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_join_in_order),
        cmocka_unit_test(it_grows_by_any_kind_of_piece),
        cmocka_unit_test(formatted_text_that_just_fits_is_whole),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(taking_hands_the_string_over),
        cmocka_unit_test(a_failed_buffer_stays_failed_and_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
