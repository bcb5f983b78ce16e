/* cx_events.h - a CSTA event as the gateway's other parts know it (pbx.h). Pure.
 * Source: ECMA-269 events of call control, their causes, and connection states. */
#ifndef OG_GATEWAY_CX_EVENTS_H
#define OG_GATEWAY_CX_EVENTS_H

#include "gateway/pbx/pbx.h"
#include "lib/csta/csta.h"

/* A party and where its texts lie. Do not copy: `party` points into `parts`. */
struct cx_party {
    struct pbx_party party;
    struct csta_device_parts parts;
};
/* device NULL or unreadable: not known. */
void cx_party_from_device(struct cx_party *party, const struct csta_device *device);
void cx_party_from(struct cx_party *party, const struct csta_party *from);

struct cx_event { /* start it as {0}; do not copy */
    struct pbx_event event;
    struct cx_party subject, calling, called, redirecting, new_destination;
};
/* 0; -ENOMSG: no event of a call that pbx.h knows; -EPROTO: without a usable call identifier.
 * Texts live as long as message, ret_event and monitored. */
int cx_event_from(struct cx_event *ret_event, const struct csta_message *message,
                  const char *monitored);

enum call_cause cx_cause_of(const char *cause); /* NULL: CAUSE_ABSENT */
enum pbx_local cx_local_of(enum csta_local local);
bool cx_call_id_usable(const char *call_id); /* NULL is not */

#endif
