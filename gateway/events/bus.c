#include "gateway/events/bus.h"

#include "gateway/events/channel.h"

struct delivery {
    struct event_line *line; /* NULL: no memory */
    unsigned taken;
};

void bus_give(struct subscription *subscription, struct event_line *line)
{
    if (line == NULL) { /* the listener hears of the loss */
        subscription->queue.lost++;
        return;
    }
    event_queue_push(&subscription->queue, line);
    if (subscription->channel != NULL)
        channel_flush(subscription->channel);
}

static void deliver(void *context, struct subscription *subscription)
{
    struct delivery *delivery = context;
    if (subscription->ending)
        return;
    bus_give(subscription, delivery->line);
    delivery->taken += delivery->line != NULL;
}

unsigned bus_publish(struct subscriptions *subscriptions, enum event_package package,
                     const char *id, struct buf *json)
{
    struct delivery delivery = {.line = json->failed ? NULL
                                                     : event_line_new(json->data, json->len_bytes)};
    event_index_walk(&subscriptions->index, package, id, deliver, &delivery);
    event_line_unref(delivery.line);
    buf_done(json);
    return delivery.taken;
}
