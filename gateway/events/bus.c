#include "gateway/events/bus.h"

#include "gateway/events/channel.h"

struct delivery {
    struct event_line *line; /* NULL: no memory */
    unsigned taken;
};

static void deliver(void *context, struct subscription *subscription)
{
    struct delivery *delivery = context;
    if (subscription->ending)
        return;
    if (delivery->line == NULL) { /* the listener hears of the loss */
        subscription->queue.lost++;
        return;
    }
    event_queue_push(&subscription->queue, delivery->line);
    if (subscription->channel != NULL)
        channel_flush(subscription->channel);
    delivery->taken++;
}

unsigned bus_publish(struct subscriptions *subscriptions, enum event_package package,
                     const char *id, const char *json, size_t len_bytes)
{
    struct delivery delivery = {.line = json == NULL ? NULL : event_line_new(json, len_bytes)};
    event_index_walk(&subscriptions->index, package, id, deliver, &delivery);
    event_line_unref(delivery.line);
    return delivery.taken;
}
