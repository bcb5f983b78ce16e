#include "gateway/events/channel.h"

#include "gateway/events/channel_file.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "channel";

enum { TICK_MS = 1000 };

struct channel {
    TAILQ_ENTRY(channel) of_all;
    struct channels *channels;
    struct subscription *subscription; /* NULL once detached */
    struct http_stream *stream;
    struct sockaddr_storage local, remote;
    uint64_t heartbeat_at_ms;
    struct channel_feed feed; /* while there is a subscription */
};

struct channels {
    TAILQ_HEAD(, channel) all;
    unsigned count;
    uint64_t heartbeat_ms;
    const struct snapshot_ops *states;
    struct timer *timer;
    struct timer *pump;        /* goes on with what one turn did not send */
    struct buf piece;          /* scratch */
    struct channel_file *file; /* NULL: not written */
    bool changed;              /* since the file was last written */
};

static void say(struct channel *channel, const char *text)
{
    char line[128];
    int len = snprintf(line, sizeof(line),
                       "{\"eventName\":\"OnChannelInformation\",\"text\":\"%s\"}\n", text);
    (void)http_stream_write(channel->stream, line, (size_t)len);
    channel->heartbeat_at_ms = common_boot_ms() + channel->channels->heartbeat_ms;
}

/* Hands pieces to the connection as long as the reader keeps up, and not more than one backlog at
 * a time: a reader that takes everything at once must not hold up the others. */
static void send_waiting(struct channel *channel, size_t backlog_bytes)
{
    struct channels *channels = channel->channels;
    struct buf *piece = &channels->piece;
    size_t sent_bytes = 0;
    while (sent_bytes < backlog_bytes &&
           http_stream_queued_bytes(channel->stream) < backlog_bytes) {
        buf_clear(piece);
        if (!channel_feed_next(&channel->feed, piece))
            return;
        int r = piece->failed ? -ENOMEM
                              : http_stream_write(channel->stream, piece->data, piece->len_bytes);
        if (r < 0) {
            channel->feed.queue->lost++; /* the stream is breaking: closed will come */
            return;
        }
        sent_bytes += piece->len_bytes;
    }
    if (!channel_feed_is_empty(&channel->feed))
        timer_start(channels->pump, 0, 0);
}

void channel_flush(struct channel *channel)
{
    if (channel->subscription != NULL)
        send_waiting(channel, CHANNEL_BACKLOG_BYTES);
}

static void on_pump(void *context)
{
    struct channels *channels = context;
    struct channel *channel;
    TAILQ_FOREACH(channel, &channels->all, of_all)
    {
        if (channel->subscription != NULL && !channel_feed_is_empty(&channel->feed) &&
            http_stream_queued_bytes(channel->stream) < CHANNEL_BACKLOG_BYTES)
            channel_flush(channel);
    }
}

void channel_end(struct channel *channel)
{
    struct subscription *subscription = channel->subscription;
    if (subscription != NULL) {
        channel_feed_skip_states(&channel->feed);
        send_waiting(channel, SIZE_MAX);
        subscription->channel = NULL;
        subscription_rest(subscription, common_boot_ms());
        channel->subscription = NULL;
    }
    http_stream_end(channel->stream);
}

static void on_writable(void *context, struct http_stream *stream)
{
    (void)stream;
    channel_flush(context);
}

static void on_drain(void *context, struct http_stream *stream)
{
    (void)stream;
    channel_end(context);
}

static void on_closed(void *context, struct http_stream *stream, int error)
{
    struct channel *channel = context;
    struct channels *channels = channel->channels;
    (void)stream;
    log_debug(module, "a channel is closed: %s", error == 0 ? "ended" : uv_strerror(error));
    if (channel->subscription != NULL) {
        channel->subscription->channel = NULL;
        subscription_rest(channel->subscription, common_boot_ms());
    }
    TAILQ_REMOVE(&channels->all, channel, of_all);
    channels->count--;
    channels->changed = true;
    free(channel);
}

void channel_open(struct channels *channels, struct subscription *subscription,
                  struct http_request *request)
{
    struct channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL) {
        http_answer_fail(request, 503, "not enough memory for an event channel");
        return;
    }
    channel->channels = channels;
    http_request_addresses(request, &channel->local, &channel->remote);
    (void)http_answer_header(request, "Cache-Control", "no-store");
    const struct http_stream_events events = {.writable = on_writable,
                                              .drain = on_drain,
                                              .closed = on_closed,
                                              .context = channel,
                                              .low_water_bytes = CHANNEL_BACKLOG_BYTES / 4};
    channel->stream = http_stream_open(request, 200, "application/json", &events);
    if (channel->stream == NULL) {
        free(channel);
        return;
    }
    TAILQ_INSERT_TAIL(&channels->all, channel, of_all);
    channels->count++;
    channels->changed = true;

    if (subscription->channel != NULL)
        channel_end(subscription->channel);
    channel->subscription = subscription;
    subscription->channel = channel;
    subscription->deadline_ms = 0;
    channel->feed = (struct channel_feed){
        .queue = &subscription->queue, .filter = subscription->filter, .ops = channels->states};
    channel_feed_restart(&channel->feed);
    say(channel, "Chunk started");
    channel_flush(channel);
}

static void write_file(struct channels *channels)
{
    if (channels->file == NULL || channel_file_is_busy(channels->file) ||
        (!channels->changed && !channel_file_has_failed(channels->file)))
        return;
    struct buf text = {0};
    const struct channel *channel;
    TAILQ_FOREACH(channel, &channels->all, of_all)
    channel_file_add_line(&text, &channel->local, &channel->remote);
    channels->changed = !channel_file_write(channels->file, &text);
    buf_done(&text);
}

static void on_tick(void *context)
{
    struct channels *channels = context;
    uint64_t now_ms = common_boot_ms();
    struct channel *channel;
    TAILQ_FOREACH(channel, &channels->all, of_all)
    {
        /* a reader that is behind gets no heartbeat on top: the connection's own limit ends it */
        if (channel->subscription != NULL && channel->heartbeat_at_ms <= now_ms &&
            http_stream_queued_bytes(channel->stream) < CHANNEL_BACKLOG_BYTES)
            say(channel, "keepalive");
    }
    write_file(channels);
}

struct channels *channels_new(uv_loop_t *loop, int64_t heartbeat_s, const char *file)
{
    struct channels *channels = calloc(1, sizeof(*channels));
    if (channels == NULL)
        return NULL;
    TAILQ_INIT(&channels->all);
    channels->heartbeat_ms = (uint64_t)heartbeat_s * 1000;
    channels->timer = timer_new(loop, on_tick, channels);
    channels->pump = timer_new(loop, on_pump, channels);
    if (*file != '\0')
        channels->file = channel_file_new(loop, file);
    if (channels->timer == NULL || channels->pump == NULL ||
        (*file != '\0' && channels->file == NULL)) {
        channels_free(channels);
        return NULL;
    }
    timer_start(channels->timer, TICK_MS, TICK_MS);
    return channels;
}

void channels_free(struct channels *channels)
{
    if (channels == NULL)
        return;
    timer_free(channels->timer);
    timer_free(channels->pump);
    buf_done(&channels->piece);
    channel_file_free(channels->file);
    free(channels);
}

void channels_tell_states(struct channels *channels, const struct snapshot_ops *states)
{
    channels->states = states;
}

unsigned channels_count(const struct channels *channels)
{
    return channels->count;
}
