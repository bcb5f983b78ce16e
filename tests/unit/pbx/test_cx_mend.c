#include "gateway/pbx/csta_xml/cx_mend.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(bytes)                                                                                \
    {                                                                                              \
        bytes, sizeof(bytes) - 1                                                                   \
    }
struct text {
    const char *bytes;
    size_t len_bytes;
};

static void what_xml_allows_stays_and_needs_no_copy(void **unused)
{
    static const struct text rows[] = {TEXT(""), TEXT("<a>\t\r\n</a>"),
                                       TEXT("T\xc3\xa9o \xf0\x9f\x98\x80 \xef\xbf\xbd")};
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_null(cx_mend_xml(rows[i].bytes, rows[i].len_bytes));
}

static void each_byte_that_xml_does_not_allow_becomes_a_question_mark(void **unused)
{
    static const struct {
        struct text bad, good;
    } rows[] = {
        {TEXT("<a>\x01</a>"), TEXT("<a>?</a>")},
        {TEXT("\0<a/>\x1f"), TEXT("?<a/>?")},
        {TEXT("T\xe9o"), TEXT("T?o")},
        {TEXT("\xc3"), TEXT("?")},
        {TEXT("a\xc3\x28"), TEXT("a?(")},
        {TEXT("\xef\xbf\xbe\xc3\xa9"), TEXT("???\xc3\xa9")},
        {TEXT("\xed\xa0\x80"), TEXT("???")},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *mended = cx_mend_xml(rows[i].bad.bytes, rows[i].bad.len_bytes);
        assert_non_null(mended);
        assert_int_equal(rows[i].bad.len_bytes, rows[i].good.len_bytes);
        assert_memory_equal(mended, rows[i].good.bytes, rows[i].good.len_bytes);
        free(mended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_xml_allows_stays_and_needs_no_copy),
        cmocka_unit_test(each_byte_that_xml_does_not_allow_becomes_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
