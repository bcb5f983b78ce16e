/* Virtual time and chance. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>

uint32_t sim_chance(struct world *w, uint32_t below)
{
    /* splitmix64 */
    w->random += 0x9e3779b97f4a7c15u;
    uint64_t z = w->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return below == 0 ? 0 : (uint32_t)((z >> 32) * below >> 32);
}

uint64_t sim_between(struct world *w, uint64_t low, uint64_t high)
{
    return low + sim_chance(w, (uint32_t)(high - low + 1));
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void sift_up(struct world *w, unsigned at)
{
    struct event event = w->queue[at];
    while (at > 0 && before(&event, &w->queue[(at - 1) / 2])) {
        w->queue[at] = w->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->queue[at] = event;
}

static void sift_down(struct world *w, unsigned at)
{
    struct event event = w->queue[at];
    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= w->queued)
            break;
        if (child + 1 < w->queued && before(&w->queue[child + 1], &w->queue[child]))
            child++;
        if (!before(&w->queue[child], &event))
            break;
        w->queue[at] = w->queue[child];
        at = child;
    }
    w->queue[at] = event;
}

static bool of_daemon(enum event_kind kind)
{
    return kind == EV_EXEC || kind == EV_SAVED || kind == EV_REPLY || kind == EV_ASK_TIMER ||
           kind == EV_HEARTBEAT || kind == EV_DECIDE || kind == EV_CHORE;
}

static bool of_world(enum event_kind kind)
{
    return kind == EV_REGISTER || kind == EV_FAULT || kind == EV_FAULT_END || kind == EV_SYNC_DONE;
}

void sim_post(struct world *w, uint64_t delay_ms, enum event_kind kind, unsigned node, uint32_t arg)
{
    if (w->queued == QUEUE_MAX) {
        sim_violation(w, VIOLATION_OVERFLOW);
        return;
    }
    const struct machine *m = &w->machine[node];
    w->queue[w->queued] = (struct event){
        .at_ms = w->now_ms + delay_ms,
        .order = w->order++,
        .kind = (uint16_t)kind,
        .node = (uint16_t)node,
        .epoch = of_daemon(kind) ? m->daemon_epoch : m->epoch,
        .arg = arg,
    };
    sift_up(w, w->queued++);
}

static struct event take(struct world *w)
{
    struct event event = w->queue[0];
    w->queue[0] = w->queue[--w->queued];
    if (w->queued > 0)
        sift_down(w, 0);
    return event;
}

static void put_back(struct world *w, struct event event, uint64_t at_ms)
{
    event.at_ms = at_ms;
    event.order = w->order++;
    w->queue[w->queued] = event;
    sift_up(w, w->queued++);
}

/* Takes the next event that is due for a living receiver. A stopped receiver gets it later. */
bool sim_next(struct world *w, struct event *ret_event)
{
    while (w->queued > 0) {
        struct event event = take(w);
        const struct machine *m = &w->machine[event.node];
        w->now_ms = event.at_ms;
        if (of_world((enum event_kind)event.kind)) {
            *ret_event = event;
            return true;
        }
        const bool daemon = of_daemon((enum event_kind)event.kind);
        if (event.epoch != (daemon ? m->daemon_epoch : m->epoch))
            continue;
        if (m->paused) {
            put_back(w, event, m->resume_at_ms);
            continue;
        }
        if (daemon && m->stopped_until_ms > w->now_ms) {
            put_back(w, event, m->stopped_until_ms);
            continue;
        }
        *ret_event = event;
        return true;
    }
    return false;
}

/* A pause: the machine's own timers move with its clock. */
void sim_shift(struct world *w, unsigned node, uint64_t by_ms)
{
    for (unsigned i = 0; i < w->queued; i++) {
        struct event *event = &w->queue[i];
        const enum event_kind kind = (enum event_kind)event->kind;
        if (event->node != node || of_world(kind) || kind == EV_HEARTBEAT || kind == EV_REPLY)
            continue;
        event->at_ms += by_ms;
    }
    for (unsigned i = w->queued / 2; i-- > 0;)
        sift_down(w, i);
}

uint64_t sim_clock(const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    return (m->paused ? m->paused_at_ms : w->now_ms) - m->clock_lag_ms;
}

bool sim_runs(const struct world *w, unsigned node)
{
    return w->machine[node].on && !w->machine[node].paused;
}

bool sim_daemon_runs(const struct world *w, unsigned node)
{
    return sim_runs(w, node) && w->machine[node].daemon &&
           w->machine[node].stopped_until_ms <= w->now_ms;
}

bool sim_path(const struct world *w, unsigned link, unsigned from)
{
    return w->cut[link][from] == 0;
}

bool sim_both_ways(const struct world *w, unsigned link)
{
    return sim_path(w, link, 0) && sim_path(w, link, 1);
}

void sim_trace(struct world *w, int node, const char *format, ...)
{
    va_list arguments;
    printf("%8.3f  %s  ", (double)w->now_ms / 1000.0, node == 0 ? "A" : node == 1 ? "B" : "-");
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
}
