/* bus.h - where services put their events: bus -> filter -> queue -> channel. */
#ifndef OG_GATEWAY_BUS_H
#define OG_GATEWAY_BUS_H

#include "gateway/events/subscriptions.h"

#include <stddef.h>

/* Gives one event to every subscription that wants it. json: the whole object, one line, without
 * newline, beginning with eventName, or NULL when there was no memory for it (each of them hears
 * that it lost one); id: the login, pilot or RSI number that it concerns, or NULL.
 * Returns how many subscriptions took it. Costs nothing for subscriptions that do not want it. */
unsigned bus_publish(struct subscriptions *subscriptions, enum event_package package,
                     const char *id, const char *json, size_t len_bytes);

#endif
