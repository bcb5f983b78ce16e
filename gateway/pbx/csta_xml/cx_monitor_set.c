#include "gateway/pbx/csta_xml/cx_monitor_set.h"

#include "gateway/pbx/csta_xml/cx_snapshots.h"
#include "lib/common/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cx_monitor_set {
    struct map *by_number, *by_monitor_id, *by_list_id;
    struct cx_monitor_queue all, queues[CX_QUEUE_COUNT];
};

static const uint64_t delays_ms[CX_DELAYS] = {1000, 2000, 5000, 10000, 30000, 60000};
enum { HASTENED_DELAY_MAX = 2 }; /* its place in delays_ms */

struct cx_monitor_set *cx_monitor_set_new(void)
{
    struct cx_monitor_set *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return NULL;
    TAILQ_INIT(&set->all);
    for (unsigned i = 0; i < CX_QUEUE_COUNT; i++)
        TAILQ_INIT(&set->queues[i]);
    set->by_number = map_new();
    set->by_monitor_id = map_new();
    set->by_list_id = map_new();
    if (set->by_number == NULL || set->by_monitor_id == NULL || set->by_list_id == NULL) {
        cx_monitor_set_free(set);
        return NULL;
    }
    return set;
}

static void free_monitor(void *monitor_)
{
    struct cx_monitor *monitor = monitor_;
    cx_snapshot_free(monitor->snapshot);
    free(monitor->monitor_id);
    free(monitor->list_id);
    free(monitor);
}

void cx_monitor_set_free(struct cx_monitor_set *set)
{
    if (set == NULL)
        return;
    map_free(set->by_number, free_monitor);
    map_free(set->by_monitor_id, NULL);
    map_free(set->by_list_id, NULL);
    free(set);
}

/* ---- queues ------------------------------------------------------------------------------ */

static void take_out(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    if (monitor->queue != CX_QUEUE_NONE)
        TAILQ_REMOVE(&set->queues[monitor->queue], monitor, queued);
    monitor->queue = CX_QUEUE_NONE;
}

static void put_into(struct cx_monitor_set *set, struct cx_monitor *monitor, enum cx_queue queue)
{
    take_out(set, monitor);
    TAILQ_INSERT_TAIL(&set->queues[queue], monitor, queued);
    monitor->queue = queue;
}

static enum cx_step step_of(const struct cx_monitor *monitor)
{
    if (!monitor->wanted)
        return monitor->monitor_id != NULL ? CX_STEP_STOP : CX_STEP_NONE;
    if (monitor->monitor_id == NULL)
        return CX_STEP_START;
    if (monitor->read)
        return CX_STEP_NONE;
    return monitor->snapshot != NULL ? CX_STEP_CALL : CX_STEP_SNAPSHOT;
}

static void forget(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    take_out(set, monitor);
    cx_monitor_set_detach(set, monitor);
    (void)map_remove(set->by_number, monitor->number);
    TAILQ_REMOVE(&set->all, monitor, of_all);
    free_monitor(monitor);
}

/* Puts it where its next step belongs; may free it. */
static void requeue(struct cx_monitor_set *set, struct cx_monitor *monitor, bool in_front)
{
    if (monitor->busy)
        return;
    enum cx_step step = step_of(monitor);
    take_out(set, monitor);
    if (step == CX_STEP_NONE && !monitor->wanted) {
        forget(set, monitor);
        return;
    }
    if (step == CX_STEP_NONE) {
        monitor->hastened = false;
        return;
    }
    enum cx_queue queue = monitor->hastened ? CX_QUEUE_HASTENED : CX_QUEUE_NORMAL;
    if (in_front)
        TAILQ_INSERT_HEAD(&set->queues[queue], monitor, queued);
    else
        TAILQ_INSERT_TAIL(&set->queues[queue], monitor, queued);
    monitor->queue = queue;
}

struct cx_monitor *cx_monitor_set_next(struct cx_monitor_set *set)
{
    struct cx_monitor *monitor = TAILQ_FIRST(&set->queues[CX_QUEUE_HASTENED]);
    if (monitor == NULL)
        monitor = TAILQ_FIRST(&set->queues[CX_QUEUE_NORMAL]);
    if (monitor == NULL)
        return NULL;
    take_out(set, monitor);
    monitor->busy = true;
    monitor->step = step_of(monitor);
    return monitor;
}

void cx_monitor_set_done(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    monitor->busy = false;
    monitor->refusals = 0;
    requeue(set, monitor, true);
}

void cx_monitor_set_refused(struct cx_monitor_set *set, struct cx_monitor *monitor, uint64_t now_ms)
{
    monitor->busy = false;
    unsigned longest = monitor->hastened ? HASTENED_DELAY_MAX : CX_DELAYS - 1;
    unsigned delay = monitor->refusals < longest ? monitor->refusals : longest;
    monitor->refusals++;
    monitor->due_ms = now_ms + delays_ms[delay];
    if (step_of(monitor) == CX_STEP_NONE)
        requeue(set, monitor, false);
    else
        put_into(set, monitor, CX_QUEUE_DELAYED + delay);
}

int cx_monitor_set_listen(struct cx_monitor_set *set, struct cx_monitor *monitor,
                          const char *list_id, uint64_t due_ms)
{
    if (map_get(set->by_list_id, list_id) != NULL)
        return -EEXIST;
    char *copy = strdup(list_id);
    if (copy == NULL)
        return -ENOMEM;
    if (map_put(set->by_list_id, list_id, monitor, NULL) < 0) {
        free(copy);
        return -ENOMEM;
    }
    monitor->list_id = copy;
    monitor->due_ms = due_ms;
    put_into(set, monitor, CX_QUEUE_LISTENING);
    return 0;
}

void cx_monitor_set_listened(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    if (monitor->list_id == NULL)
        return;
    take_out(set, monitor);
    (void)map_remove(set->by_list_id, monitor->list_id);
    free(monitor->list_id);
    monitor->list_id = NULL;
}

struct cx_monitor *cx_monitor_set_find_list(const struct cx_monitor_set *set, const char *list_id)
{
    return map_get(set->by_list_id, list_id);
}

static void drop_snapshot(struct cx_monitor *monitor)
{
    cx_snapshot_free(monitor->snapshot);
    monitor->snapshot = NULL;
}

void cx_monitor_set_tick(struct cx_monitor_set *set, uint64_t now_ms)
{
    struct cx_monitor_queue *listening = &set->queues[CX_QUEUE_LISTENING];
    for (struct cx_monitor *monitor = TAILQ_FIRST(listening);
         monitor != NULL && monitor->due_ms <= now_ms; monitor = TAILQ_FIRST(listening)) {
        cx_monitor_set_listened(set, monitor);
        drop_snapshot(monitor);
        cx_monitor_set_refused(set, monitor, now_ms);
    }
    for (unsigned delay = 0; delay < CX_DELAYS; delay++) {
        struct cx_monitor_queue *queue = &set->queues[CX_QUEUE_DELAYED + delay];
        for (struct cx_monitor *monitor = TAILQ_FIRST(queue);
             monitor != NULL && monitor->due_ms <= now_ms; monitor = TAILQ_FIRST(queue))
            requeue(set, monitor, false);
    }
}

/* ---- what is wanted ---------------------------------------------------------------------- */

int cx_monitor_set_want(struct cx_monitor_set *set, const char *number)
{
    struct cx_monitor *monitor = map_get(set->by_number, number);
    if (monitor == NULL) {
        monitor = calloc(1, sizeof(*monitor));
        if (monitor == NULL)
            return -ENOMEM;
        (void)snprintf(monitor->number, sizeof(monitor->number), "%s", number);
        if (map_put(set->by_number, number, monitor, NULL) < 0) {
            free(monitor);
            return -ENOMEM;
        }
        TAILQ_INSERT_TAIL(&set->all, monitor, of_all);
    }
    if (!monitor->wanted) {
        monitor->wanted = true;
        cx_monitor_set_read_again(set, monitor);
    }
    return 0;
}

void cx_monitor_set_unwant(struct cx_monitor_set *set, const char *number)
{
    struct cx_monitor *monitor = map_get(set->by_number, number);
    if (monitor == NULL || !monitor->wanted)
        return;
    monitor->wanted = monitor->hastened = false;
    requeue(set, monitor, false);
}

void cx_monitor_set_hasten(struct cx_monitor_set *set, const char *number)
{
    struct cx_monitor *monitor = map_get(set->by_number, number);
    if (monitor == NULL || !monitor->wanted || monitor->read || monitor->hastened)
        return;
    monitor->hastened = true;
    requeue(set, monitor, false);
}

void cx_monitor_set_read_again(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    monitor->read = false;
    if (!monitor->busy)
        drop_snapshot(monitor);
    else if (monitor->snapshot != NULL)
        cx_snapshot_overtake(monitor->snapshot);
    if (monitor->queue < CX_QUEUE_DELAYED) /* a refusal's delay counts */
        requeue(set, monitor, false);
}

void cx_monitor_set_read_all_again(struct cx_monitor_set *set)
{
    struct cx_monitor *next = NULL;
    for (struct cx_monitor *each = TAILQ_FIRST(&set->all); each != NULL; each = next) {
        next = TAILQ_NEXT(each, of_all); /* one that nobody wants may be freed */
        cx_monitor_set_read_again(set, each);
    }
}

/* ---- the PBX's identifiers --------------------------------------------------------------- */

int cx_monitor_set_attach(struct cx_monitor_set *set, struct cx_monitor *monitor,
                          const char *monitor_id)
{
    if (map_get(set->by_monitor_id, monitor_id) != NULL)
        return -EEXIST;
    char *copy = strdup(monitor_id);
    if (copy == NULL)
        return -ENOMEM;
    if (map_put(set->by_monitor_id, monitor_id, monitor, NULL) < 0) {
        free(copy);
        return -ENOMEM;
    }
    cx_monitor_set_detach(set, monitor);
    monitor->monitor_id = copy;
    return 0;
}

void cx_monitor_set_detach(struct cx_monitor_set *set, struct cx_monitor *monitor)
{
    if (monitor->monitor_id != NULL)
        (void)map_remove(set->by_monitor_id, monitor->monitor_id);
    free(monitor->monitor_id);
    monitor->monitor_id = NULL;
    monitor->read = false;
}

struct cx_monitor *cx_monitor_set_find(const struct cx_monitor_set *set, const char *monitor_id)
{
    return map_get(set->by_monitor_id, monitor_id);
}

void cx_monitor_set_restart(struct cx_monitor_set *set)
{
    struct cx_monitor *next = NULL;
    for (struct cx_monitor *monitor = TAILQ_FIRST(&set->all); monitor != NULL; monitor = next) {
        next = TAILQ_NEXT(monitor, of_all);
        cx_monitor_set_detach(set, monitor);
        cx_monitor_set_listened(set, monitor);
        drop_snapshot(monitor);
        monitor->busy = false;
        monitor->refusals = monitor->repeats = 0;
        requeue(set, monitor, false); /* frees it when nobody wants it */
    }
}

size_t cx_monitor_set_count(const struct cx_monitor_set *set)
{
    return map_count(set->by_number);
}

size_t cx_monitor_set_attached(const struct cx_monitor_set *set)
{
    return map_count(set->by_monitor_id);
}
