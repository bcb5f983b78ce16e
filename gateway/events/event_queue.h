/* event_queue.h - the events that wait for one subscription's listener: bounded, oldest dropped
 * first, the loss counted. Lines are shared between the subscriptions that want the same event. */
#ifndef OG_GATEWAY_EVENT_QUEUE_H
#define OG_GATEWAY_EVENT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

enum { EVENT_QUEUE_MAX = 1024, EVENT_QUEUE_BYTES_MAX = 512 * 1024 };

struct event_line { /* one JSON object and its newline */
    unsigned refs;
    size_t len_bytes;
    char text[];
};
/* Copies text and adds the newline; one reference. NULL: no memory. */
struct event_line *event_line_new(const char *text, size_t len_bytes);
struct event_line *event_line_ref(struct event_line *line);
void event_line_unref(struct event_line *line); /* NULL is fine */

struct event_queue { /* start it as {0} */
    struct event_line **ring;
    unsigned first, count, cap;
    size_t bytes;
    uint64_t lost; /* since the listener was last told */
};

void event_queue_done(struct event_queue *queue);
/* Takes a reference of its own. When the queue is full (or memory is short) events are lost and
 * counted, the oldest first. */
void event_queue_push(struct event_queue *queue, struct event_line *line);
/* The oldest, now the caller's; NULL when empty. */
struct event_line *event_queue_pop(struct event_queue *queue);

#endif
