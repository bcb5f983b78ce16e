/* channel.c - an application that opened its event channel and only reads, as most do. It can
 * learn of its server's death only by a reset; when that comes is what is measured here.
 *
 * The record: OPEN MS | EVENT MS LINE | RESET MS | END MS (clean) | FAILED MS WHY (no connection)
 *             | STATUS MS CODE (the channel was refused)
 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LOSSES = 200, RETRY_MS = 50 };

struct loss {
    int64_t at_ms, open_again_ms; /* 0: not yet */
    bool clean;
};

struct channel {
    const struct client_options *options;
    struct client_session session;
    char path[1024];
    struct wire_target target;
    struct event_stream stream;
    struct client_record record;
    unsigned opened, events, refused;
    unsigned loss_count;
    struct loss losses[MAX_LOSSES];
};

static void note_open(void *context)
{
    struct channel *channel = context;
    int64_t now_ms = client_wall_ms();
    channel->opened++;
    if (channel->loss_count > 0 && channel->losses[channel->loss_count - 1].open_again_ms == 0)
        channel->losses[channel->loss_count - 1].open_again_ms = now_ms;
    client_record_line(&channel->record, "OPEN %lld", (long long)now_ms);
}

static void note_event(void *context, const char *line)
{
    struct channel *channel = context;
    channel->events++;
    client_record_line(&channel->record, "EVENT %lld %s", (long long)client_wall_ms(), line);
}

static void note_loss(struct channel *channel, int reason)
{
    struct loss loss = {.at_ms = client_wall_ms(), .clean = reason == 0};
    if (channel->loss_count < MAX_LOSSES)
        channel->losses[channel->loss_count++] = loss;
    if (loss.clean)
        client_record_line(&channel->record, "END %lld", (long long)loss.at_ms);
    else
        client_record_line(&channel->record, "RESET %lld %s", (long long)loss.at_ms,
                           strerror(-reason));
}

static void channel_once(struct channel *channel)
{
    struct event_stream_end end = event_stream_read(&channel->stream);
    if (end.opened && end.reason != -ECANCELED) {
        note_loss(channel, end.reason);
    } else if (!end.opened && end.status != 0) {
        channel->refused++;
        client_record_line(&channel->record, "STATUS %lld %d", (long long)client_wall_ms(),
                           end.status);
    } else if (!end.opened) {
        client_record_line(&channel->record, "FAILED %lld %s", (long long)client_wall_ms(),
                           strerror(-end.reason));
    }
}

/* For each moment in the mark file: milliseconds to the first loss after it, or null. */
static void print_resets(const struct channel *channel)
{
    char line[64];
    const char *comma = "";
    FILE *file =
        channel->options->mark_file != NULL ? fopen(channel->options->mark_file, "re") : NULL;
    (void)printf("\"channel_reset_ms\":[");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        long long mark_ms = strtoll(line, NULL, 10);
        long long after_ms = -1;
        for (unsigned i = 0; mark_ms > 0 && after_ms < 0 && i < channel->loss_count; i++)
            if (channel->losses[i].at_ms >= mark_ms)
                after_ms = channel->losses[i].at_ms - mark_ms;
        if (after_ms >= 0)
            (void)printf("%s%lld", comma, after_ms);
        else
            (void)printf("%snull", comma);
        comma = ",";
    }
    (void)printf("]");
    if (file != NULL)
        (void)fclose(file);
}

static void print_result(const struct channel *channel)
{
    (void)printf("{\"opened\":%u,\"events\":%u,\"refused\":%u,\"losses\":[", channel->opened,
                 channel->events, channel->refused);
    for (unsigned i = 0; i < channel->loss_count; i++) {
        const struct loss *loss = &channel->losses[i];
        (void)printf("%s{\"at_ms\":%lld,\"kind\":\"%s\",\"open_again_ms\":%lld}", i > 0 ? "," : "",
                     (long long)loss->at_ms, loss->clean ? "end" : "reset",
                     (long long)loss->open_again_ms);
    }
    (void)printf("],");
    print_resets(channel);
    (void)puts("}");
}

static int channel_init(struct channel *channel, const struct client_options *options)
{
    channel->options = options;
    channel->record.fd = -1;
    channel->stream = (struct event_stream){
        .options = options,
        .target = &channel->target,
        .path = channel->path,
        .cookie_head = channel->session.cookie_head,
        .opened = note_open,
        .event = note_event,
        .context = channel,
    };
    wire_init(&channel->stream.wire);
    if (options->session_file != NULL &&
        client_session_load(&channel->session, options->session_file) < 0)
        return -EINVAL;
    (void)snprintf(channel->path, sizeof(channel->path), "%s",
                   options->url != NULL ? client_url_path(options->url)
                                        : channel->session.polling_path);
    if (channel->path[0] == '\0') {
        fprintf(stderr, "og-lab-client: channel needs --url, or a session with --subscribe\n");
        return -EINVAL;
    }
    int r = wire_target_init(&channel->target, options);
    return r < 0 ? r : client_record_open(&channel->record, options->out_file);
}

int client_run_channel(const struct client_options *options)
{
    struct channel *channel = calloc(1, sizeof(*channel));
    int status = 1;

    if (channel == NULL)
        return 1;
    if (channel_init(channel, options) == 0) {
        int64_t deadline_ms = client_deadline(options);
        while (!client_over(deadline_ms)) {
            unsigned before = channel->opened;
            channel_once(channel);
            /* at once after a loss, at a pace while there is nobody */
            if (channel->opened == before)
                client_sleep_until(client_mono_ms() + RETRY_MS);
        }
        print_result(channel);
        status = channel->opened > 0 ? 0 : 1;
    }
    client_record_close(&channel->record);
    wire_target_done(&channel->target);
    free(channel);
    return status;
}
