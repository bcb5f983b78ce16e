/* bus.h - where services put their events: bus -> index -> queue -> channel. */
#ifndef OG_GATEWAY_BUS_H
#define OG_GATEWAY_BUS_H

#include "gateway/events/subscriptions.h"
#include "lib/common/buf.h"

/* Gives one event to every subscription that wants it. json: the whole object, one line, without
 * newline, beginning with eventName; it is given back. One that has failed is an event for which
 * there was no memory: each of them hears that it lost one. id: the login, pilot or RSI number that
 * it concerns, or NULL.
 * Returns how many subscriptions took it. Costs nothing for subscriptions that do not want it. */
unsigned bus_publish(struct subscriptions *subscriptions, enum event_package package,
                     const char *id, struct buf *json);
/* Gives a line to this subscription, whatever its filter says; its channel sends it at once. NULL:
 * there was no memory for it. */
void bus_give(struct subscription *subscription, struct event_line *line);

#endif
