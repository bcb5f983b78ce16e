#include "gateway/events/channel_feed.h"

/* From here on events go before the rest of the states. */
enum { PRESSING_EVENTS = EVENT_QUEUE_MAX / 2, PRESSING_BYTES = EVENT_QUEUE_BYTES_MAX / 2 };

void channel_feed_restart(struct channel_feed *feed)
{
    if (feed->ops == NULL)
        return;
    feed->again = feed->telling && feed->begun; /* those that were told already are outdated */
    if (!feed->again)
        feed->cursor = (struct snapshot_cursor){0};
    feed->telling = true;
}

void channel_feed_skip_states(struct channel_feed *feed)
{
    feed->telling = feed->begun = feed->again = false;
}

bool channel_feed_is_empty(const struct channel_feed *feed)
{
    return !feed->telling && feed->queue->lost == 0 && feed->queue->count == 0;
}

static void tell_loss(struct channel_feed *feed, struct buf *out)
{
    buf_addf(out, "{\"eventName\":\"OnChannelInformation\",\"text\":\"%llu events lost\"}\n",
             (unsigned long long)feed->queue->lost);
    feed->queue->lost = 0;
    channel_feed_restart(feed);
}

static void end_of_states(struct channel_feed *feed)
{
    feed->telling = feed->again;
    feed->begun = feed->again = false;
    feed->cursor = (struct snapshot_cursor){0};
}

/* Up to one piece of states; false when they came to their end without a line. */
static bool tell_states(struct channel_feed *feed, struct buf *out)
{
    size_t before = out->len_bytes;
    while (feed->telling && !out->failed && out->len_bytes - before < CHANNEL_FEED_PIECE_BYTES) {
        feed->begun = true;
        if (!feed->ops->next(feed->ops->context, feed->filter, &feed->cursor, out))
            end_of_states(feed);
    }
    return out->failed || out->len_bytes > before;
}

bool channel_feed_next(struct channel_feed *feed, struct buf *out)
{
    struct event_queue *queue = feed->queue;
    if (queue->lost > 0) {
        tell_loss(feed, out);
        return true;
    }
    bool pressing = queue->count >= PRESSING_EVENTS || queue->bytes >= PRESSING_BYTES;
    if (feed->telling && !pressing && tell_states(feed, out))
        return true;
    struct event_line *line = event_queue_pop(queue);
    if (line == NULL)
        return false;
    buf_add(out, line->text, line->len_bytes);
    event_line_unref(line);
    return true;
}
