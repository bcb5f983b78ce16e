/* Carries out what cx_monitor_set says is next: monitors and snapshots, one request for each device
 * at a time; and hands on what the monitors tell. */
#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_events.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "gateway/pbx/csta_xml/cx_snapshots.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REPEATS_MAX = 3,    /* of a snapshot at once, before it waits like a refused one */
    REFUSALS_ENOUGH = 2 /* of a monitor, before its device counts as out of service */
};

/* The request of one device. */
struct work {
    struct cx *cx;
    struct cx_monitor *monitor; /* lives as long as it is busy */
};

static void tell_state(struct cx *cx, const char *number, enum operational_state state)
{
    cx->events.device_state(cx->events.context, &cx->pbx, number, state);
}

static bool is_for_good(const struct csta_message *answer)
{
    return answer->type == CSTA_ERROR && answer->error == CSTA_ERROR_OPERATION;
}

/* A device that the PBX does not let us watch must not keep its user unknown: it counts as out of
 * service, at once when the refusal says that the request itself is wrong, else after a few. */
static void note_refusal(struct cx *cx, const struct cx_monitor *monitor,
                         const struct csta_message *answer)
{
    if (!monitor->wanted || monitor->step != CX_STEP_START)
        return;
    if (is_for_good(answer) || monitor->refusals >= REFUSALS_ENOUGH)
        tell_state(cx, monitor->number, DEVICE_OUT_OF_SERVICE);
}

/* answer NULL: none came. */
static void refused(struct cx *cx, struct cx_monitor *monitor, const struct csta_message *answer)
{
    char text[CX_ERROR_TEXT_CHARS] = "no answer";
    struct diag detail = {0};
    if (answer != NULL) {
        (void)cx_error_of(answer, text);
        note_refusal(cx, monitor, answer);
    }
    (void)diag_fail(&detail, 0, "%s: %s", monitor->number, text);
    cx__odd(cx, CX_ODD_REFUSED, detail.text);
    cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
}

/* ---- snapshots --------------------------------------------------------------------------- */

static void tell_snapshot(struct cx *cx, struct cx_monitor *monitor,
                          const struct pbx_snapshot_call *calls, size_t count)
{
    monitor->read = true;
    monitor->repeats = 0;
    cx->events.snapshot(cx->events.context, &cx->pbx, monitor->number, calls, count);
}

static void drop_snapshot(struct cx_monitor *monitor)
{
    cx_snapshot_free(monitor->snapshot);
    monitor->snapshot = NULL;
}

/* All parties are there, or events have come in between. */
static void finish_snapshot(struct cx *cx, struct cx_monitor *monitor)
{
    const struct pbx_snapshot_call *calls = NULL;
    size_t count = 0;
    bool overtaken = cx_snapshot_is_overtaken(monitor->snapshot);
    bool wait = overtaken && ++monitor->repeats > REPEATS_MAX;
    if (!overtaken) {
        int r = cx_snapshot_calls(monitor->snapshot, monitor->number, &calls, &count);
        wait = r < 0;
        if (r == 0)
            tell_snapshot(cx, monitor, calls, count);
    }
    drop_snapshot(monitor);
    if (wait)
        cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
    else
        cx_monitor_set_done(cx->monitors, monitor);
}

/* The list of calls is complete, or one more answer has come. */
static void go_on(struct cx *cx, struct cx_monitor *monitor)
{
    struct csta_connection next;
    if (!monitor->wanted) {
        drop_snapshot(monitor);
        cx_monitor_set_done(cx->monitors, monitor);
    } else if (cx_snapshot_is_overtaken(monitor->snapshot) ||
               !cx_snapshot_next(monitor->snapshot, &next)) {
        finish_snapshot(cx, monitor);
    } else {
        cx_monitor_set_done(cx->monitors, monitor);
    }
}

static int read_calls(struct cx_monitor *monitor, const struct csta_message *list)
{
    if (monitor->snapshot == NULL)
        monitor->snapshot = cx_snapshot_new();
    return monitor->snapshot != NULL ? cx_snapshot_add_calls(monitor->snapshot, list) : -ENOMEM;
}

static void fail_snapshot(struct cx *cx, struct cx_monitor *monitor)
{
    drop_snapshot(monitor);
    cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
}

static void take_list(struct cx *cx, struct cx_monitor *monitor, const struct csta_message *answer)
{
    drop_snapshot(monitor);
    if (!answer->has_calls && answer->cross_ref_id != NULL) {
        uint64_t due_ms = cx__now_ms() + PBX_ANSWER_MS;
        if (read_calls(monitor, answer) < 0 ||
            cx_monitor_set_listen(cx->monitors, monitor, answer->cross_ref_id, due_ms) < 0)
            fail_snapshot(cx, monitor);
    } else if (answer->call_count == 0) { /* most devices, most of the time */
        tell_snapshot(cx, monitor, NULL, 0);
        cx_monitor_set_done(cx->monitors, monitor);
    } else if (read_calls(monitor, answer) < 0) {
        fail_snapshot(cx, monitor);
    } else {
        go_on(cx, monitor);
    }
}

void cx__monitors_list(struct cx *cx, const struct csta_message *segment)
{
    struct cx_monitor *monitor = segment->cross_ref_id != NULL
                                     ? cx_monitor_set_find_list(cx->monitors, segment->cross_ref_id)
                                     : NULL;
    if (monitor == NULL) {
        cx__odd(cx, CX_ODD_MESSAGE, "a list of calls that nobody asked for");
        return;
    }
    int r = read_calls(monitor, segment);
    if (r == 0 && segment->last_segment.set && !segment->last_segment.value)
        return;
    cx_monitor_set_listened(cx->monitors, monitor);
    if (r < 0)
        fail_snapshot(cx, monitor);
    else
        go_on(cx, monitor);
    cx__monitors_pump(cx);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void on_started(struct cx *cx, struct cx_monitor *monitor, struct csta_message *answer)
{
    int r = answer->monitor_id != NULL
                ? cx_monitor_set_attach(cx->monitors, monitor, answer->monitor_id)
                : -EPROTO;
    if (r < 0) {
        struct diag detail = {0};
        (void)diag_fail(&detail, r, "%s: monitor %s", monitor->number, strerrordesc_np(-r));
        cx__odd(cx, CX_ODD_REFUSED, detail.text);
        cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
        return;
    }
    if (monitor->wanted)
        tell_state(cx, monitor->number, DEVICE_IN_SERVICE);
    cx_monitor_set_done(cx->monitors, monitor);
}

/* A PBX without snapshots, at all or of such devices: calls that began before the monitor stay
 * unknown, which is better than users of whom nothing is known for ever. */
static void on_listed(struct cx *cx, struct cx_monitor *monitor, struct csta_message *answer)
{
    if (!monitor->wanted) {
        cx_monitor_set_done(cx->monitors, monitor);
    } else if (is_for_good(answer)) {
        tell_snapshot(cx, monitor, NULL, 0);
        cx_monitor_set_done(cx->monitors, monitor);
    } else if (answer->type == CSTA_ERROR) {
        refused(cx, monitor, answer);
    } else {
        take_list(cx, monitor, answer);
    }
}

/* A refusal (the call has just ended, the PBX has no such service) leaves a call without parties;
 * if it has ended, an event said so and all is read again. */
static void on_parties(struct cx *cx, struct cx_monitor *monitor, struct csta_message *answer)
{
    cx_snapshot_answer(monitor->snapshot, answer->type == CSTA_ERROR ? NULL : answer);
    go_on(cx, monitor);
}

static void on_stopped(struct cx *cx, struct cx_monitor *monitor)
{
    cx_monitor_set_detach(cx->monitors, monitor);
    cx_monitor_set_done(cx->monitors, monitor);
}

static void take_answer(struct cx *cx, struct cx_monitor *monitor, struct csta_message *answer,
                        enum cx_step step)
{
    switch (step) {
    case CX_STEP_START:
        if (answer->type != CSTA_ERROR)
            on_started(cx, monitor, answer);
        else
            refused(cx, monitor, answer);
        break;
    case CX_STEP_SNAPSHOT:
        on_listed(cx, monitor, answer);
        break;
    case CX_STEP_CALL:
        on_parties(cx, monitor, answer);
        break;
    case CX_STEP_STOP:
        on_stopped(cx, monitor); /* refused: it has none any more */
        break;
    case CX_STEP_NONE:
        break;
    }
}

/* A device that is out of service answers so to MonitorStart or to SnapshotDevice. */
static void note_service(struct cx *cx, const struct cx_monitor *monitor,
                         const struct csta_message *answer)
{
    if (answer->type == CSTA_ERROR && monitor->wanted && cx_error_is_out_of_service(answer))
        tell_state(cx, monitor->number, DEVICE_OUT_OF_SERVICE);
}

static void on_answer(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    AUTO(common_freep) struct work *work = context;
    struct cx *cx = work->cx;
    struct cx_monitor *monitor = work->monitor;
    if (outcome == CX_LOST)
        return; /* cx_monitor_set_restart() follows */
    if (outcome == CX_TIMED_OUT) {
        drop_snapshot(monitor);
        refused(cx, monitor, NULL);
    } else {
        note_service(cx, monitor, answer);
        take_answer(cx, monitor, answer, monitor->step);
    }
    cx__monitors_pump(cx);
}

/* ---- requests ---------------------------------------------------------------------------- */

static struct csta_message message_for(const struct cx_monitor *monitor)
{
    struct csta_message message = {0};
    switch (monitor->step) {
    case CX_STEP_START:
        message.type = CSTA_MONITOR_START;
        message.device.id = monitor->number;
        break;
    case CX_STEP_SNAPSHOT:
        message.type = CSTA_SNAPSHOT_DEVICE;
        message.device.id = monitor->number;
        break;
    case CX_STEP_CALL:
        message.type = CSTA_SNAPSHOT_CALL;
        (void)cx_snapshot_next(monitor->snapshot, &message.connection);
        break;
    case CX_STEP_STOP:
        message.type = CSTA_MONITOR_STOP;
        message.monitor_id = monitor->monitor_id;
        break;
    case CX_STEP_NONE:
        break;
    }
    return message;
}

static int send_step(struct cx *cx, struct cx_monitor *monitor)
{
    AUTO(common_freep) struct work *work = malloc(sizeof(*work));
    if (work == NULL)
        return -ENOMEM;
    *work = (struct work){.cx = cx, .monitor = monitor};
    const struct csta_message message = message_for(monitor);
    const struct cx_request request = {
        .class = CX_CLASS_BACKGROUND, .message = &message, .answer = on_answer, .context = work};
    int r = cx_requests_add(cx->requests, &request, cx__now_ms());
    if (r == 0)
        work = NULL; /* on_answer() frees it */
    return r;
}

void cx__monitors_pump(struct cx *cx)
{
    if (!cx->pbx.up || !cx->directory.settled)
        return;
    while (cx_requests_room(cx->requests) > 0) {
        struct cx_monitor *monitor = cx_monitor_set_next(cx->monitors);
        if (monitor == NULL)
            return;
        if (send_step(cx, monitor) < 0) { /* memory, or output that waits: later */
            cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
            return;
        }
    }
}

/* ---- events ------------------------------------------------------------------------------ */

/* The monitor may be gone: what was told may have ended it. */
static void read_contradicted(struct cx *cx, const char *monitor_id)
{
    struct cx_monitor *monitor = cx_monitor_set_find(cx->monitors, monitor_id);
    if (monitor == NULL || !monitor->wanted)
        return;
    log_debug(CX_LOG, "node %s: an event of %s fits nothing: its calls are read again",
              cx->pbx.node, monitor->number);
    cx_monitor_set_read_again(cx->monitors, monitor);
    cx__monitors_pump(cx);
}

static void tell_call(struct cx *cx, struct cx_monitor *monitor, const struct csta_message *message)
{
    struct cx_event event = {0};
    int r = cx_event_from(&event, message, monitor->number);
    if (r == 0) {
        if (monitor->snapshot != NULL)
            cx_snapshot_overtake(monitor->snapshot);
        char device[PBX_NUMBER_CHARS]; /* what is told may end the monitor */
        (void)snprintf(device, sizeof(device), "%s", monitor->number);
        if (!cx->events.call(cx->events.context, &cx->pbx, &event.event))
            read_contradicted(cx, message->monitor_id);
        cx__calls_heard(cx, device, event.event.call_id);
    } else if (r == -EPROTO) {
        cx__odd(cx, CX_ODD_EVENT, csta_type_name(message->type));
    } else if (message->type == CSTA_UNKNOWN) {
        /* transfers and conferences made at a phone, and what else changes calls in ways that
         * pbx.h has no word for: look at the result */
        log_debug(CX_LOG, "node %s: %s at %s: its calls are read again", cx->pbx.node,
                  message->name != NULL ? message->name : "?", monitor->number);
        cx_monitor_set_read_again(cx->monitors, monitor);
        cx__monitors_pump(cx);
    } else {
        cx__odd(cx, CX_ODD_MESSAGE, csta_type_name(message->type));
    }
}

void cx__monitors_event(struct cx *cx, const struct csta_message *event)
{
    struct cx_monitor *monitor = cx_monitor_set_find(cx->monitors, event->monitor_id);
    if (monitor == NULL) {
        cx__odd(cx, CX_ODD_MONITOR, event->monitor_id);
        return;
    }
    if (!monitor->wanted)
        return;
    if (event->type == CSTA_BACK_IN_SERVICE)
        tell_state(cx, monitor->number, DEVICE_IN_SERVICE);
    else if (event->type == CSTA_OUT_OF_SERVICE)
        tell_state(cx, monitor->number, DEVICE_OUT_OF_SERVICE);
    else
        tell_call(cx, monitor, event);
}

void cx__monitors_stopped(struct cx *cx, const char *monitor_id)
{
    struct cx_monitor *monitor = cx_monitor_set_find(cx->monitors, monitor_id);
    if (monitor == NULL)
        return;
    cx_monitor_set_detach(cx->monitors, monitor);
    if (!monitor->busy)
        cx_monitor_set_refused(cx->monitors, monitor, cx__now_ms());
}
