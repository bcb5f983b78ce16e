#include "lib/common/utf8.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Writes a number as UTF-8 would, also where RFC 3629 forbids it. */
static size_t encode(uint32_t code, size_t length, char out[4])
{
    static const uint8_t marks[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(marks[length] | code);
    return length;
}

static size_t shortest(uint32_t code)
{
    if (code < 0x80)
        return 1;
    if (code < 0x800)
        return 2;
    return code < 0x10000 ? 3 : 4;
}

static void every_character_is_read_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200000; code++) {
        bool allowed = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        char text[4];
        uint32_t read = 0xffffffff;
        size_t length = encode(code, shortest(code), text);
        size_t got = utf8_next(text, length, &read);
        if (got != (allowed ? length : 0) || (allowed && read != code))
            fail_msg("U+%04X", (unsigned)code);
    }
}

static void overlong_forms_are_refused(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x10000; code++)
        for (size_t length = shortest(code) + 1; length <= 4; length++) {
            char text[4];
            (void)encode(code, length, text);
            if (utf8_next(text, length, NULL) != 0)
                fail_msg("U+%04X in %zu bytes", (unsigned)code, length);
        }
}

static void characters_cut_short_are_refused(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0xe4, 0x20ac, 0x1f600};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char text[4];
        size_t length = encode(codes[i], shortest(codes[i]), text);
        for (size_t cut = 0; cut < length; cut++)
            assert_int_equal(utf8_next(text, cut, NULL), 0);
    }
}

static void texts_are_judged_as_a_whole(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\xc3\xa4\xe2\x82\xac", 6));
    assert_false(utf8_valid("a\xc3\xa4\xe2\x82\xac", 5));
    assert_false(utf8_valid("a\x80", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_read_and_nothing_else),
        cmocka_unit_test(overlong_forms_are_refused),
        cmocka_unit_test(characters_cut_short_are_refused),
        cmocka_unit_test(texts_are_judged_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
