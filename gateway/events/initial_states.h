/* initial_states.h - walks the users whom a subscription covers, for the states with which its
 * channel begins (channel_feed.h). Users may come and go during a walk: nobody who stays is left
 * out or told twice. */
#ifndef OG_GATEWAY_INITIAL_STATES_H
#define OG_GATEWAY_INITIAL_STATES_H

#include "gateway/events/channel_feed.h"
#include "gateway/model/users.h"

struct initial_states { /* plain; must live as long as the channels */
    const struct users *users;
    enum event_package package; /* whose subscribers are told */
    /* Appends the user's lines, each with its newline. 0, or -ENOMEM. */
    int (*tell)(const struct user *user, struct buf *out);
    struct snapshot_ops ops; /* filled by initial_states_init() */
};

void initial_states_init(struct initial_states *states);

#endif
