#include "lib/common/timer.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct bell {
    struct timer *timer;
    int rings, stop_after;
    uint64_t at_boot_ms;
    bool free_in_ring;
};

static void on_ring(void *context)
{
    struct bell *bell = context;
    bell->at_boot_ms = common_boot_ms();
    if (++bell->rings == bell->stop_after)
        timer_stop(bell->timer);
    if (bell->free_in_ring) {
        timer_free(bell->timer);
        bell->timer = NULL;
    }
}

static void run(struct bell *bell, uint64_t delay_ms, uint64_t repeat_ms)
{
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    bell->timer = timer_new(&loop, on_ring, bell);
    assert_non_null(bell->timer);
    timer_start(bell->timer, delay_ms, repeat_ms);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    timer_free(bell->timer);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void it_rings_once_when_the_time_is_over(void **state)
{
    (void)state;
    struct bell bell = {0};
    uint64_t start = common_boot_ms();
    run(&bell, 30, 0);
    assert_int_equal(bell.rings, 1);
    assert_in_range(bell.at_boot_ms - start, 29, 5000);
}

static void it_repeats_until_stopped(void **state)
{
    (void)state;
    struct bell bell = {.stop_after = 3};
    run(&bell, 0, 5);
    assert_int_equal(bell.rings, 3);
}

static void it_may_be_freed_by_its_own_ring(void **state)
{
    (void)state;
    struct bell bell = {.free_in_ring = true};
    run(&bell, 1, 1);
    assert_int_equal(bell.rings, 1);
    timer_free(NULL);
}

static void arming_again_moves_the_ring(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct bell bell = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    bell.timer = timer_new(&loop, on_ring, &bell);
    timer_start(bell.timer, 60000, 0);
    timer_start(bell.timer, 1, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(bell.rings, 1);
    timer_start(bell.timer, 1, 0);
    timer_free(bell.timer); /* an armed one does not ring any more */
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(bell.rings, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rings_once_when_the_time_is_over),
        cmocka_unit_test(it_repeats_until_stopped),
        cmocka_unit_test(it_may_be_freed_by_its_own_ring),
        cmocka_unit_test(arming_again_moves_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
