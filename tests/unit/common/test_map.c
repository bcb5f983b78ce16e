#include "lib/common/map.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void siphash_agrees_with_the_published_vectors(void **state)
{
    (void)state;
    /* the paper's appendix A (15 bytes), and the first ones of the authors' reference list */
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {{0, 0x726fdb47dd0e0e31},
                {1, 0x74f839c593dc67fd},
                {8, 0x93f5f5799a932462},
                {15, 0xa129ca6149be45e5}};
    uint8_t key[16], data[16];
    for (unsigned i = 0; i < 16; i++)
        key[i] = data[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(map_siphash(key, data, rows[i].len) == rows[i].hash);
}

static char *key_of(int number)
{
    static char text[32];
    (void)snprintf(text, sizeof(text), "key-%d", number);
    return text;
}

static void values_are_found_replaced_and_removed(void **state)
{
    (void)state;
    struct map *map = map_new();
    int one = 1, two = 2;
    void *old = &one;
    assert_null(map_get(map, "a"));
    assert_null(map_remove(map, "a"));
    assert_int_equal(map_put(map, "a", &one, &old), 0);
    assert_null(old);
    assert_ptr_equal(map_get(map, "a"), &one);
    assert_int_equal(map_put(map, "a", &two, &old), 0);
    assert_ptr_equal(old, &one);
    assert_int_equal(map_put(map, "", &one, NULL), 0);
    assert_int_equal(map_count(map), 2);
    assert_ptr_equal(map_remove(map, "a"), &two);
    assert_null(map_get(map, "a"));
    assert_ptr_equal(map_get(map, ""), &one);
    assert_int_equal(map_count(map), 1);
    map_free(map, NULL);
}

static void many_puts_and_removes_agree_with_a_plain_array(void **state)
{
    (void)state;
    enum { KEYS = 500, STEPS = 200000 };
    static int values[KEYS];
    bool present[KEYS] = {false};
    size_t count = 0;
    uint32_t random = 12345;
    struct map *map = map_new();
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        int i = (int)((random >> 8) % KEYS);
        if (random >> 31 == 0) {
            assert_int_equal(map_put(map, key_of(i), &values[i], NULL), 0);
            count += !present[i];
            present[i] = true;
        } else {
            assert_ptr_equal(map_remove(map, key_of(i)), present[i] ? &values[i] : NULL);
            count -= present[i];
            present[i] = false;
        }
        assert_int_equal(map_count(map), count);
        if (step % 1000 == 0)
            for (int j = 0; j < KEYS; j++)
                assert_ptr_equal(map_get(map, key_of(j)), present[j] ? &values[j] : NULL);
    }
    map_free(map, NULL);
}

static void a_walk_sees_each_entry_once_also_while_removing(void **state)
{
    (void)state;
    enum { KEYS = 1000 };
    static int seen[KEYS];
    /* each map hashes under a key of its own: many maps, many arrangements */
    for (int round = 0; round < 200; round++) {
        int keys = 1 + round * 5 % KEYS;
        struct map *map = map_new();
        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < keys; i++)
            assert_int_equal(map_put(map, key_of(i), &seen[i], NULL), 0);
        size_t position = 0;
        const char *key = NULL;
        void *value = NULL;
        for (int i = 0; map_next(map, &position, &key, &value); i++) {
            ++*(int *)value;
            if (round % 3 == 1 || (round % 3 == 2 && i % 2 == 0))
                assert_ptr_equal(map_remove(map, key), value);
        }
        for (int i = 0; i < keys; i++)
            assert_int_equal(seen[i], 1);
        if (round % 3 == 1)
            assert_int_equal(map_count(map), 0);
        map_free(map, NULL);
    }
}

static void freeing_can_take_the_values_along(void **state)
{
    (void)state;
    struct map *map = map_new();
    for (int i = 0; i < 100; i++)
        assert_int_equal(map_put(map, key_of(i), malloc(8), NULL), 0);
    map_free(map, free); /* LeakSanitizer tells */
    map_free(NULL, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_agrees_with_the_published_vectors),
        cmocka_unit_test(values_are_found_replaced_and_removed),
        cmocka_unit_test(many_puts_and_removes_agree_with_a_plain_array),
        cmocka_unit_test(a_walk_sees_each_entry_once_also_while_removing),
        cmocka_unit_test(freeing_can_take_the_values_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
