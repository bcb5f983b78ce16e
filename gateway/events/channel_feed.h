/* channel_feed.h - what an event channel sends next. Pure but for what the snapshot reads.
 *
 * Order: word of lost events, then the present states of what the subscription covers (once for
 * each new stream, and again after a loss), then the events that waited; but while the queue is
 * half full, its events come between the pieces of the states, rather than get lost behind those of
 * very many users. The states are made while the reader takes them, so that a subscription to all
 * users costs no memory. A state tells what is true when it is made: an event that comes after it
 * may be older, and then those with which it ends follow; one that came before it is in it. */
#ifndef OG_GATEWAY_CHANNEL_FEED_H
#define OG_GATEWAY_CHANNEL_FEED_H

#include "gateway/events/event_queue.h"
#include "gateway/events/filter.h"
#include "gateway/model/users.h"
#include "lib/common/buf.h"

#include <stdbool.h>

enum { CHANNEL_FEED_PIECE_BYTES = 4096 };

/* Where a snapshot goes on; of the generator, zeroed before the first call. */
struct snapshot_cursor {
    size_t position;         /* in a list of ids */
    struct users_walk users; /* over all users */
};
struct snapshot_ops {
    /* Appends the lines of the next thing that the filter covers, each with its newline, or none,
     * and moves the cursor. False: there was nothing left. Things may come and go between calls. */
    bool (*next)(void *context, const struct filter *filter, struct snapshot_cursor *cursor,
                 struct buf *out);
    void *context;
};

struct channel_feed { /* queue, filter and ops: borrowed; the rest starts as zero */
    struct event_queue *queue;
    const struct filter *filter;
    const struct snapshot_ops *ops; /* NULL: there are no states to tell */
    struct snapshot_cursor cursor;
    bool telling; /* the states are being told */
    bool begun;   /* and some have been */
    bool again;   /* events were lost meanwhile: tell them once more */
};

/* The states are to be told, from the first. */
void channel_feed_restart(struct channel_feed *feed);
/* Nobody will read them: only events are left to send. */
void channel_feed_skip_states(struct channel_feed *feed);
bool channel_feed_is_empty(const struct channel_feed *feed);
/* Appends the next piece, whole lines; false when there was none (out is then as before). */
bool channel_feed_next(struct channel_feed *feed, struct buf *out);

#endif
