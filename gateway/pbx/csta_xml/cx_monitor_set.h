/* cx_monitor_set.h - the devices that are to be monitored, and for which of them something is to be
 * done next. Pure: no I/O, no clock.
 *
 * A device needs, one request after the other: a monitor, its calls (snapshot), each call's
 * parties; or, when nobody wants it any more, the end of its monitor. It stands in one of three
 * queues while no request of it is under way: hastened, normal, or delayed after a refusal (1 s to
 * 60 s, longer with each refusal in a row; at most 5 s when somebody waits for it). One that needs
 * nothing stands in none. All operations are O(1) but cx_monitor_set_restart(). */
#ifndef OG_GATEWAY_CX_MONITOR_SET_H
#define OG_GATEWAY_CX_MONITOR_SET_H

#include "gateway/pbx/pbx.h"

#include <sys/queue.h>

enum { CX_DELAYS = 6 };

enum cx_step { CX_STEP_NONE, CX_STEP_START, CX_STEP_SNAPSHOT, CX_STEP_CALL, CX_STEP_STOP };
enum cx_queue {
    CX_QUEUE_NONE,
    CX_QUEUE_HASTENED,
    CX_QUEUE_NORMAL,
    CX_QUEUE_LISTENING, /* its list of calls comes in segments */
    CX_QUEUE_DELAYED, /* this and the next: one for each delay, so that each is in order of time */
    CX_QUEUE_COUNT = CX_QUEUE_DELAYED + CX_DELAYS
};

struct cx_snapshot; /* cx_snapshots.h */

struct cx_monitor {
    TAILQ_ENTRY(cx_monitor) queued;
    TAILQ_ENTRY(cx_monitor) of_all; /* in the order in which they were wanted */
    enum cx_queue queue;
    char number[PBX_NUMBER_CHARS];
    char *monitor_id;             /* of the PBX; NULL: no monitor */
    char *list_id;                /* of the PBX, while it is LISTENING */
    struct cx_snapshot *snapshot; /* being gathered; NULL: none */
    uint64_t due_ms;              /* in a delayed or listening queue */
    unsigned refusals;            /* in a row */
    unsigned repeats;             /* of a snapshot that was overtaken by events, in a row */
    bool wanted, hastened;
    bool read;         /* its calls have been told since the monitor began */
    bool busy;         /* a request is under way, ... */
    enum cx_step step; /* ... this one */
};
TAILQ_HEAD(cx_monitor_queue, cx_monitor);

struct cx_monitor_set;
struct cx_monitor_set *cx_monitor_set_new(void); /* NULL: no memory */
void cx_monitor_set_free(struct cx_monitor_set *set);

/* 0 or -ENOMEM. Twice is fine. */
int cx_monitor_set_want(struct cx_monitor_set *set, const char *number);
void cx_monitor_set_unwant(struct cx_monitor_set *set, const char *number);
void cx_monitor_set_hasten(struct cx_monitor_set *set, const char *number);
/* Its calls must be read again. */
void cx_monitor_set_read_again(struct cx_monitor_set *set, struct cx_monitor *monitor);
void cx_monitor_set_read_all_again(struct cx_monitor_set *set);

/* Takes the next device to work on, marks it busy and writes what is to be done into `step`. NULL:
 * none. */
struct cx_monitor *cx_monitor_set_next(struct cx_monitor_set *set);
/* The request is over: done, goes on with its next step before the others; or refused, waits. It
 * may be freed by this, when nothing of it is left. */
void cx_monitor_set_done(struct cx_monitor_set *set, struct cx_monitor *monitor);
void cx_monitor_set_refused(struct cx_monitor_set *set, struct cx_monitor *monitor,
                            uint64_t now_ms);
/* The request's answer is a promise of segments, until due_ms; then it counts as refused. The
 * device is still busy. -EEXIST: another device has that identifier; -ENOMEM. */
int cx_monitor_set_listen(struct cx_monitor_set *set, struct cx_monitor *monitor,
                          const char *list_id, uint64_t due_ms);
void cx_monitor_set_listened(struct cx_monitor_set *set, struct cx_monitor *monitor);
struct cx_monitor *cx_monitor_set_find_list(const struct cx_monitor_set *set, const char *list_id);
/* Delayed devices whose time has come go to the others. */
void cx_monitor_set_tick(struct cx_monitor_set *set, uint64_t now_ms);

/* The PBX's identifier of the monitor. 0, -EEXIST: another device has it, -ENOMEM. */
int cx_monitor_set_attach(struct cx_monitor_set *set, struct cx_monitor *monitor,
                          const char *monitor_id);
void cx_monitor_set_detach(struct cx_monitor_set *set, struct cx_monitor *monitor);
struct cx_monitor *cx_monitor_set_find(const struct cx_monitor_set *set, const char *monitor_id);

/* A new link: no device has a monitor, no request is under way. */
void cx_monitor_set_restart(struct cx_monitor_set *set);
size_t cx_monitor_set_count(const struct cx_monitor_set *set);
size_t cx_monitor_set_attached(const struct cx_monitor_set *set); /* how many have a monitor */

#endif
