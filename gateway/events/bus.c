#include "gateway/events/bus.h"

#include "gateway/events/channel.h"

unsigned bus_publish(struct subscriptions *subscriptions, enum event_package package,
                     const char *id, const char *json, size_t len_bytes)
{
    unsigned taken = 0;
    struct event_line *line = event_line_new(json, len_bytes);
    struct subscription *subscription;
    TAILQ_FOREACH(subscription, &subscriptions->all, of_all)
    {
        if (subscription->ending || !filter_passes(subscription->filter, package, id))
            continue;
        if (line == NULL) { /* no memory: the listener hears of the loss */
            subscription->queue.lost++;
            continue;
        }
        event_queue_push(&subscription->queue, line);
        if (subscription->channel != NULL)
            channel_flush(subscription->channel);
        taken++;
    }
    event_line_unref(line);
    return taken;
}
