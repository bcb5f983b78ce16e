/* talk_order.h - does one user see a call's events in the order in which a telephone's life goes?
 * Pure. One user either calls or is called, one call after another; each call is made, answered,
 * held over whatever happens to the machines, and released by the caller.
 *
 * The caller: created (dialling), busy, ringing at the other side (twice, the second says so of the
 * leg), active, removed, free. The called: created (ringing), active, busy, releasing (cleared),
 * removed, free. A channel that was opened begins with its first line and the states of device and
 * user; after it a server that has just started may tell the states and the living call again. */
#ifndef LAB_TALK_ORDER_H
#define LAB_TALK_ORDER_H

#include <stdbool.h>

enum { TALK_REF_CHARS = 64, TALK_WRONG_CHARS = 512 };

struct talk_order {
    bool caller;
    unsigned step;                /* what must come next of a call; 0: no call */
    unsigned opening;             /* lines seen of those that begin a channel; past the last: all */
    bool again;                   /* the channel was opened since the call began */
    char login[64];               /* of the first event; no other user's may come */
    char ref[TALK_REF_CHARS];     /* of the call; kept after its end */
    char wrong[TALK_WRONG_CHARS]; /* the first event that did not belong there, or empty */
};

void talk_order_init(struct talk_order *order, bool caller);
void talk_order_opened(struct talk_order *order);
/* One line of the channel. */
void talk_order_event(struct talk_order *order, const char *line);
bool talk_order_begun(const struct talk_order *order);   /* the channel's first lines have come */
bool talk_order_idle(const struct talk_order *order);    /* no call, its end was told */
bool talk_order_ringing(const struct talk_order *order); /* called, not answered */
bool talk_order_talking(const struct talk_order *order);

#endif
