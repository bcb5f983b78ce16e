/* sim_monitors.c - who watches which phone, and the events for them. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- monitors --------------------------------------------------------------------------------- */
static struct sim_watch *watch_of(struct simulator *simulator, const char *number)
{
    struct sim_watch *watch = map_get(simulator->watches, number);
    if (watch != NULL)
        return watch;
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL || map_put(simulator->watches, number, watch, NULL) < 0) {
        free(watch);
        return NULL;
    }
    (void)snprintf(watch->number, sizeof(watch->number), "%s", number);
    TAILQ_INIT(&watch->monitors);
    return watch;
}

static void drop_empty_watch(struct simulator *simulator, struct sim_watch *watch)
{
    if (!TAILQ_EMPTY(&watch->monitors))
        return;
    (void)map_remove(simulator->watches, watch->number);
    free(watch);
}

static void monitor_free(struct sim_monitor *monitor)
{
    struct simulator *simulator = monitor->link->simulator;
    TAILQ_REMOVE(&monitor->link->monitors, monitor, of_link);
    monitor->link->monitor_count--;
    TAILQ_REMOVE(&monitor->watch->monitors, monitor, of_watch);
    (void)map_remove(simulator->monitors, monitor->id);
    drop_empty_watch(simulator, monitor->watch);
    free(monitor);
}

static struct sim_monitor *monitor_new(struct sim_link *link, const char *number)
{
    struct simulator *simulator = link->simulator;
    struct sim_monitor *monitor = calloc(1, sizeof(*monitor));
    struct sim_watch *watch = monitor != NULL ? watch_of(simulator, number) : NULL;
    if (watch == NULL) {
        free(monitor);
        return NULL;
    }
    (void)snprintf(monitor->id, sizeof(monitor->id), "%" PRIu64, ++simulator->monitor_ids);
    monitor->link = link;
    monitor->watch = watch;
    if (map_put(simulator->monitors, monitor->id, monitor, NULL) < 0) {
        drop_empty_watch(simulator, watch);
        free(monitor);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&watch->monitors, monitor, of_watch);
    TAILQ_INSERT_TAIL(&link->monitors, monitor, of_link);
    link->monitor_count++;
    return monitor;
}

void sim__monitors_drop(struct sim_link *link)
{
    struct sim_monitor *monitor;
    while ((monitor = TAILQ_FIRST(&link->monitors)) != NULL)
        monitor_free(monitor);
}

void sim__monitors_forget(struct simulator *simulator, const char *number)
{
    struct sim_watch *watch;
    while ((watch = map_get(simulator->watches, number)) != NULL)
        monitor_free(TAILQ_FIRST(&watch->monitors)); /* the last one takes the watch with it */
}

/* --- services --------------------------------------------------------------------------------- */
/* A client that begins to watch a phone must learn that it cannot be used: nothing else says so. */
static void tell_out_of_service(struct sim_monitor *monitor, const struct exchange_phone *phone)
{
    if (phone->in_service)
        return;
    sim__send(monitor->link, CSTA_INVOKE_EVENT,
              &(struct csta_message){.type = CSTA_OUT_OF_SERVICE,
                                     .monitor_id = monitor->id,
                                     .subject = sim__party(phone->number),
                                     .cause = "normal"});
}

void sim__monitor_start(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    char number[EXCHANGE_NUMBER_CHARS];
    if (message->device.id == NULL) { /* calls are no objects to watch here */
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidMonitorObject");
        return;
    }
    const struct exchange_phone *phone =
        sim__number_of(&message->device, number) != NULL
            ? exchange_phone_find(link->simulator->exchange, number)
            : NULL;
    if (phone == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidDeviceID");
        return;
    }
    struct sim_monitor *monitor =
        link->monitor_count < SIM__MONITORS_MAX ? monitor_new(link, number) : NULL;
    if (monitor == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_SYSTEM_RESOURCE, "overallMonitorLimitExceeded");
        return;
    }
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_MONITOR_START_DONE,
                                     .monitor_id = monitor->id,
                                     .existing_calls = {true, true}});
    tell_out_of_service(monitor, phone);
}

void sim__monitor_stop(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    struct sim_monitor *monitor = map_get(link->simulator->monitors, message->monitor_id);
    if (monitor == NULL || monitor->link != link) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidMonitorCrossRefID");
        return;
    }
    monitor_free(monitor);
    sim__answer(link, invoke, CSTA_MONITOR_STOP_DONE);
}

/* --- events ----------------------------------------------------------------------------------- */
enum csta_local sim__local(enum exchange_state state)
{
    static const enum csta_local locals[EXCHANGE_STATE_COUNT] = {
        [EXCHANGE_NONE] = CSTA_LOCAL_NONE,         [EXCHANGE_INITIATED] = CSTA_LOCAL_INITIATED,
        [EXCHANGE_ALERTING] = CSTA_LOCAL_ALERTING, [EXCHANGE_CONNECTED] = CSTA_LOCAL_CONNECTED,
        [EXCHANGE_FAIL] = CSTA_LOCAL_FAIL,
    };
    return (unsigned)state < EXCHANGE_STATE_COUNT ? locals[state] : CSTA_LOCAL_ABSENT;
}

struct csta_party sim__party(const char *number)
{
    if (number[0] == '\0')
        return (struct csta_party){.kind = CSTA_PARTY_ABSENT};
    return (struct csta_party){.kind = CSTA_PARTY_DEVICE, .device = {.id = number}};
}

void sim__tell(struct simulator *simulator, const struct exchange_event *event)
{
    static const enum csta_type types[EXCHANGE_EVENT_TYPE_COUNT] = {
        [EXCHANGE_EVENT_INITIATED] = CSTA_SERVICE_INITIATED,
        [EXCHANGE_EVENT_ORIGINATED] = CSTA_ORIGINATED,
        [EXCHANGE_EVENT_DELIVERED] = CSTA_DELIVERED,
        [EXCHANGE_EVENT_ESTABLISHED] = CSTA_ESTABLISHED,
        [EXCHANGE_EVENT_FAILED] = CSTA_FAILED,
        [EXCHANGE_EVENT_CLEARED] = CSTA_CONNECTION_CLEARED,
        [EXCHANGE_EVENT_BACK_IN_SERVICE] = CSTA_BACK_IN_SERVICE,
        [EXCHANGE_EVENT_WENT_OUT_OF_SERVICE] = CSTA_OUT_OF_SERVICE,
    };
    const struct sim_watch *watch = map_get(simulator->watches, event->phone);
    if (watch == NULL)
        return;
    struct csta_message message = {
        .type = types[event->type],
        .connection = {.call_id = event->call_id, .device = {.id = event->subject}},
        .subject = sim__party(event->subject),
        .calling = sim__party(event->calling),
        .called = sim__party(event->called),
        .local = sim__local(event->local),
        .correlator = event->correlator[0] != '\0' ? event->correlator : NULL,
        .cause = event->cause,
    };
    const struct sim_monitor *monitor;
    TAILQ_FOREACH(monitor, &watch->monitors, of_watch)
    {
        message.monitor_id = monitor->id;
        sim__send(monitor->link, CSTA_INVOKE_EVENT, &message);
    }
}
