#include "lib/common/timer.h"

#include <stdlib.h>

struct timer {
    uv_timer_t handle;
    timer_fn fn;
    void *context;
};

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    /* fn may free the timer: nothing of it is touched afterwards */
    timer->fn(timer->context);
}

struct timer *timer_new(uv_loop_t *loop, timer_fn fn, void *context)
{
    struct timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    (void)uv_timer_init(loop, &timer->handle); /* cannot fail */
    timer->handle.data = timer;
    timer->fn = fn;
    timer->context = context;
    return timer;
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    /* Counted from now, not from when this turn of the loop began: a turn that took long would
     * otherwise make the timer ring early. */
    uv_update_time(timer->handle.loop);
    (void)uv_timer_start(&timer->handle, on_timer, delay_ms, repeat_ms);
}

void timer_stop(struct timer *timer)
{
    (void)uv_timer_stop(&timer->handle);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timer_free(struct timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->handle, on_closed);
}
