#include "gateway/admin/beat.h"

#include "lib/common/common.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

struct waiter {
    STAILQ_ENTRY(waiter) next;
    store_heartbeat_fn done;
    void *context;
};
STAILQ_HEAD(waiter_list, waiter);

struct beat {
    struct store *store;
    struct waiter_list gathering, under_way;
    unsigned waiting;
    bool commits, cut, last_failed;
    uint64_t begun_ms, done_ms; /* done_ms 0: never */
    struct timer *own, *spacing;
};

static void end_list(struct beat *beat, struct waiter_list *list, int error, int64_t counter)
{
    struct waiter_list ended = STAILQ_HEAD_INITIALIZER(ended);
    STAILQ_CONCAT(&ended, list);
    while (!STAILQ_EMPTY(&ended)) {
        struct waiter *waiter = STAILQ_FIRST(&ended);
        STAILQ_REMOVE_HEAD(&ended, next);
        beat->waiting--;
        waiter->done(waiter->context, error, counter);
        free(waiter);
    }
}

static void begin(struct beat *beat);

static void on_committed(void *context, int error, int64_t counter)
{
    struct beat *beat = context;
    beat->commits = false;
    beat->last_failed = error != 0;
    if (error == 0)
        beat->done_ms = common_boot_ms();
    else if (!beat->cut)
        timer_start(beat->own, BEAT_RETRY_MS, BEAT_OWN_MS); /* costs nothing while it is away */
    end_list(beat, &beat->under_way, error, counter);
    if (!beat->cut && !STAILQ_EMPTY(&beat->gathering))
        begin(beat);
}

static void begin(struct beat *beat)
{
    uint64_t now_ms = common_boot_ms();
    if (beat->commits || beat->cut)
        return;
    if (now_ms - beat->begun_ms < BEAT_SPACING_MS) {
        timer_start(beat->spacing, BEAT_SPACING_MS, 0);
        return;
    }
    beat->begun_ms = now_ms;
    beat->commits = true;
    STAILQ_CONCAT(&beat->under_way, &beat->gathering);
    int r = store_heartbeat(beat->store, on_committed, beat);
    if (r < 0)
        on_committed(beat, r, 0);
}

static void on_timer(void *context)
{
    begin(context);
}

struct beat *beat_new(uv_loop_t *loop, struct store *store)
{
    struct beat *beat = calloc(1, sizeof(*beat));
    if (beat == NULL)
        return NULL;
    beat->store = store;
    STAILQ_INIT(&beat->gathering);
    STAILQ_INIT(&beat->under_way);
    beat->own = timer_new(loop, on_timer, beat);
    beat->spacing = timer_new(loop, on_timer, beat);
    if (beat->own == NULL || beat->spacing == NULL) {
        beat_free(beat);
        return NULL;
    }
    timer_start(beat->own, BEAT_RETRY_MS, BEAT_OWN_MS);
    return beat;
}

void beat_cut(struct beat *beat)
{
    if (beat == NULL || beat->cut)
        return;
    beat->cut = true;
    timer_stop(beat->own);
    timer_stop(beat->spacing);
    end_list(beat, &beat->gathering, -EAGAIN, 0);
}

void beat_free(struct beat *beat)
{
    if (beat == NULL)
        return;
    beat_cut(beat);
    timer_free(beat->own);
    timer_free(beat->spacing);
    free(beat);
}

int beat_request(struct beat *beat, store_heartbeat_fn done, void *context)
{
    if (beat->cut || beat->waiting >= BEAT_WAITING_MAX)
        return -EBUSY;
    struct waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL)
        return -ENOMEM;
    *waiter = (struct waiter){.done = done, .context = context};
    STAILQ_INSERT_TAIL(&beat->gathering, waiter, next);
    beat->waiting++;
    begin(beat);
    return 0;
}

uint64_t beat_age_ms(const struct beat *beat)
{
    return beat->done_ms == 0 ? UINT64_MAX : common_boot_ms() - beat->done_ms;
}

bool beat_is_fresh(const struct beat *beat)
{
    return !beat->last_failed && beat_age_ms(beat) <= BEAT_FRESH_MS;
}
