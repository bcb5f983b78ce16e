/* channel.h - event channels: the open chunked answers on which subscriptions are listened to.
 *
 * One JSON object per line: first OnChannelInformation "Chunk started", then the present states of
 * what is subscribed to, what waited in the subscription's queue (before the rest of the states
 * when that queue is half full, see channel_feed.h), then events as they come, "keepalive" when the
 * heartbeat is due. A reader that does not keep up leaves its events in the
 * bounded queue of the subscription; when it goes on it is told how many were lost, and the states
 * once more. A second request on a subscription ends the older stream.
 *
 * The TCP end points of all open channels are written to a file (channel_file.h), from which the
 * next active node tells the clients that their connection has died. */
#ifndef OG_GATEWAY_CHANNEL_H
#define OG_GATEWAY_CHANNEL_H

#include "gateway/events/channel_feed.h"
#include "gateway/events/subscriptions.h"
#include "lib/http/http_request.h"

#include <uv.h>

enum { CHANNEL_BACKLOG_BYTES = 64 * 1024 }; /* handed to the connection ahead of the reader */

struct channels;
struct channel;

/* file: where the end points are written, "" for nowhere. NULL: no memory. */
struct channels *channels_new(uv_loop_t *loop, int64_t heartbeat_s, const char *file);
/* Every stream must have been closed, or its server freed. NULL is fine. */
void channels_free(struct channels *channels);
/* Channels opened from now on begin with these states; borrowed. */
void channels_tell_states(struct channels *channels, const struct snapshot_ops *states);
unsigned channels_count(const struct channels *channels);

/* Answers the request with the stream of this subscription. */
void channel_open(struct channels *channels, struct subscription *subscription,
                  struct http_request *request);
/* Sends what waits in the subscription's queue, as far as the reader keeps up. */
void channel_flush(struct channel *channel);
/* Sends what waits, ends the stream cleanly, and detaches it from its subscription. */
void channel_end(struct channel *channel);

#endif
