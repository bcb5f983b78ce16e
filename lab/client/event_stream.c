/* event_stream.c - one life of an event channel: opened, read line by line, ended by the other
 * side. */
#include "client.h"

#include <errno.h>

struct event_stream_end event_stream_read(struct event_stream *stream)
{
    const struct client_options *options = stream->options;
    struct event_stream_end end = {0};
    int64_t deadline_ms = client_mono_ms() + options->first_ms;

    end.reason = wire_open(&stream->wire, stream->target, options->connect_ms, deadline_ms);
    if (end.reason == 0)
        end.reason = answer_get_head(&stream->wire, stream->target, "POST", stream->path,
                                     stream->cookie_head, NULL, deadline_ms, &stream->answer);
    if (end.reason == 0) {
        end.status = stream->answer.status;
        end.opened = end.status == 200 && stream->answer.chunked;
    }
    if (end.opened) {
        stream->opened(stream->context);
        stream->lines.left = -1;
        stream->lines.length = 0;
        while ((end.reason = answer_next_line(&stream->wire, &stream->lines)) == 1)
            stream->event(stream->context, stream->lines.line);
    }
    wire_close(&stream->wire);
    return end;
}
