/* timer.h - a uv_timer that can be embedded, re-armed and dropped without ceremony. */
#ifndef OG_COMMON_TIMER_H
#define OG_COMMON_TIMER_H

#include <stdint.h>
#include <uv.h>

struct timer; /* heap object that outlives its owner until uv has closed it */
typedef void (*timer_fn)(void *context);

struct timer *timer_new(uv_loop_t *loop, timer_fn fn, void *context);         /* NULL: no memory */
void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms); /* re-arms */
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer); /* fn is not called any more; NULL is fine */

#endif
