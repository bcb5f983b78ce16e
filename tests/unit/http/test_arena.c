#include "lib/http/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_aligned_and_stays_untouched(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    unsigned char *parts[200];
    for (size_t i = 0; i < 200; i++) {
        parts[i] = arena_alloc(&arena, i * 7);
        assert_non_null(parts[i]);
        assert_int_equal((uintptr_t)parts[i] % alignof(max_align_t), 0);
        memset(parts[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal(parts[i][k], i);
    arena_done(&arena);
    assert_int_equal(arena.total_bytes, 0);
}

static void an_arena_does_not_grow_above_its_limit(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 10000);
    assert_null(arena_alloc(&arena, 10000));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
    size_t got = 0;
    while (arena_alloc(&arena, 100) != NULL)
        got += 100;
    assert_in_range(got, 8000, 10000);
    assert_true(arena.total_bytes <= 10000);
    arena_done(&arena);
    assert_non_null(arena_alloc(&arena, 100));
    arena_done(&arena);
}

static void appending_keeps_the_whole_text(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    char *text = NULL, expected[6001];
    size_t len = 0;
    for (int i = 0; i < 6000; i++) {
        char c = (char)('a' + i % 26);
        expected[i] = c;
        text = arena_append(&arena, text, &len, &c, 1);
        assert_non_null(text);
        if (i % 100 == 99)
            assert_non_null(arena_alloc(&arena, 10)); /* something else comes between */
    }
    expected[6000] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(len, 6000);
    arena_done(&arena);
}

static void appending_in_place_takes_no_new_memory(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4096);
    size_t len = 0;
    char *text = arena_append(&arena, NULL, &len, "x", 1);
    for (int i = 0; i < 1500; i++)
        assert_ptr_equal(arena_append(&arena, text, &len, "y", 1), text);
    arena_done(&arena);
}

static void texts_are_copied_and_formatted(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4096);
    assert_string_equal(arena_strdup(&arena, "abc"), "abc");
    assert_string_equal(arena_strndup(&arena, "abc", 2), "ab");
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_stays_untouched),
        cmocka_unit_test(an_arena_does_not_grow_above_its_limit),
        cmocka_unit_test(appending_keeps_the_whole_text),
        cmocka_unit_test(appending_in_place_takes_no_new_memory),
        cmocka_unit_test(texts_are_copied_and_formatted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
