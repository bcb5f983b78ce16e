/* events.h - the telephony package: what changes in the model, as events on the bus.
 *
 * The order is that of the model (calls.h). An event nobody listens to costs a look into the index
 * and is not even written. An event for which there is no memory is counted as lost at each of its
 * listeners, who are told of it on their channels.
 *
 * Source: contract of the telephony service, Events. */
#ifndef OG_GATEWAY_TELEPHONY_EVENTS_H
#define OG_GATEWAY_TELEPHONY_EVENTS_H

#include "gateway/gateway.h"
#include "gateway/model/calls.h"
#include "lib/common/buf.h"

/* Where the model's changes go; uses the gateway's users and subscriptions at the time of the
 * change. */
void telephony_events_sink(struct gateway *gateway, struct calls_sink *ret_sink);

/* The states with which a channel begins: appends OnDeviceStateModified and OnUserStateModified,
 * each a line with its newline. 0 or -ENOMEM. */
int telephony_initial_states(const struct user *user, struct buf *out);
/* Appends OnTelephonyState, without newline. 0 or -ENOMEM. */
int telephony_state_event(const struct users *users, const struct user *user, struct buf *out);

#endif
