#include "tests/integration/pbx/scripted_peer.h"

#include "lib/common/common.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct peer_connection {
    uv_tcp_t tcp;
    uv_idle_t cutter; /* sends one piece in each turn of the loop: the driver reads in between */
    int handles;
    struct buf cut; /* what waits for it */
    size_t cut_sent_bytes;
    struct scripted_peer *peer;
    struct csta_frames frames;
    char read[65536];
};

struct output {
    uv_write_t write;
    struct buf bytes;
};

/* ---- output ------------------------------------------------------------------------------ */

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    struct output *output = write->data;
    buf_done(&output->bytes);
    free(output);
}

static void on_cut(uv_idle_t *cutter)
{
    struct peer_connection *connection = cutter->data;
    size_t left = connection->cut.len_bytes - connection->cut_sent_bytes;
    size_t piece = connection->peer->cut_bytes;
    if (left == 0) {
        (void)uv_idle_stop(cutter);
        return;
    }
    const uv_buf_t bytes = uv_buf_init(connection->cut.data + connection->cut_sent_bytes,
                                       (unsigned)(piece > 0 && piece < left ? piece : left));
    int sent = uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);
    connection->cut_sent_bytes += sent > 0 ? (size_t)sent : 0;
    if (sent < 0 && sent != UV_EAGAIN)
        (void)uv_idle_stop(cutter);
}

void peer_send_bytes(struct scripted_peer *peer, const void *bytes, size_t len_bytes)
{
    if (peer->connection == NULL)
        return;
    if (peer->cut_bytes > 0) {
        buf_add(&peer->connection->cut, bytes, len_bytes);
        (void)uv_idle_start(&peer->connection->cutter, on_cut);
        return;
    }
    struct output *output = calloc(1, sizeof(*output));
    if (output == NULL)
        abort();
    output->write.data = output;
    buf_add(&output->bytes, bytes, len_bytes);
    const uv_buf_t all = uv_buf_init(output->bytes.data, (unsigned)len_bytes);
    if (uv_write(&output->write, (uv_stream_t *)&peer->connection->tcp, &all, 1, on_written) < 0)
        on_written(&output->write, 0);
}

void peer_send(struct scripted_peer *peer, unsigned invoke_id, const struct csta_message *message)
{
    enum csta_version version = peer->version != CSTA_VERSION_NONE ? peer->version : CSTA_ED6;
    struct diag diag = {0};
    AUTO(buf_done) struct buf frame = {0};
    if (csta_write_frame(message, version, invoke_id, &frame, &diag) < 0) {
        (void)fprintf(stderr, "scripted peer: %s: %s\n", csta_type_name(message->type), diag.text);
        abort();
    }
    peer_send_bytes(peer, frame.data, frame.len_bytes);
}

void peer_send_xml(struct scripted_peer *peer, unsigned invoke_id, const char *xml)
{
    AUTO(buf_done) struct buf frame = {0};
    if (csta_frame_write(&frame, invoke_id, xml, strlen(xml)) < 0)
        abort();
    peer_send_bytes(peer, frame.data, frame.len_bytes);
}

static void monitor_id_of(const char *number, char out[80])
{
    (void)snprintf(out, 80, "M-%s", number);
}

void peer_event(struct scripted_peer *peer, const char *number, const struct csta_message *event)
{
    char monitor_id[80];
    monitor_id_of(number, monitor_id);
    struct csta_message message = *event;
    message.monitor_id = monitor_id;
    peer_send(peer, CSTA_INVOKE_EVENT, &message);
}

/* ---- proper answers ---------------------------------------------------------------------- */

static void answer_session(struct scripted_peer *peer, unsigned invoke_id,
                           const struct csta_message *message)
{
    if (peer->refuse_session != NULL) {
        peer_send(peer, invoke_id,
                  &(struct csta_message){.type = CSTA_START_SESSION_REFUSED,
                                         .reason = peer->refuse_session});
        return;
    }
    const char *version =
        peer->version != CSTA_VERSION_NONE ? csta_version_uri(peer->version) : message->versions[0];
    int64_t granted_s = peer->granted_s != 0 ? peer->granted_s : message->session_s.value;
    peer_send(peer, invoke_id,
              &(struct csta_message){.type = CSTA_START_SESSION_DONE,
                                     .session_id = "S1",
                                     .version = version,
                                     .session_s = {.set = true, .value = granted_s}});
}

static void send_segment(struct scripted_peer *peer, unsigned at, unsigned count, int64_t segment)
{
    struct csta_listed_device *devices = calloc(count + 1, sizeof(*devices));
    char(*ids)[64] = calloc(count + 1, sizeof(*ids));
    if (devices == NULL || ids == NULL)
        abort();
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "N<%u>First%u Last", peer->first_number + at + i, i);
        devices[i].device.id = ids[i];
        devices[i].category = "station";
    }
    peer_send(peer, peer->numbered_segments ? 7 : CSTA_INVOKE_EVENT,
              &(struct csta_message){
                  .type = CSTA_DEVICES,
                  .cross_ref_id = "L1",
                  .segment_id = {.set = true, .value = segment},
                  .last_segment = {.set = true, .value = at + count >= peer->devices},
                  .devices = devices,
                  .device_count = count,
                  .has_devices = true,
              });
    free(devices);
    free(ids);
}

static void send_devices(struct scripted_peer *peer)
{
    unsigned per_segment = peer->per_segment > 0 ? peer->per_segment : peer->devices;
    int64_t segment = 1;
    for (unsigned at = 0; at < peer->devices; at += per_segment) {
        unsigned left = peer->devices - at;
        send_segment(peer, at, left < per_segment ? left : per_segment, segment++);
    }
}

static void answer_devices(struct scripted_peer *peer, unsigned invoke_id)
{
    const struct csta_message named = {.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = "L1"};
    if (peer->early_segments) {
        send_devices(peer);
        peer_send(peer, invoke_id, &named);
    } else {
        peer_send(peer, invoke_id, &named);
        send_devices(peer);
    }
}

static void answer_snapshot_device(struct scripted_peer *peer, unsigned invoke_id,
                                   const char *number)
{
    struct csta_snapshot_call calls[PEER_CALLS_MAX] = {0};
    size_t count = 0;
    for (unsigned i = 0; i < PEER_CALLS_MAX; i++) {
        const struct peer_call *call = &peer->calls[i];
        if (call->id == NULL || (strcmp(call->from, number) != 0 && strcmp(call->to, number) != 0))
            continue;
        calls[count].connection =
            (struct csta_connection){.call_id = call->id, .device = {.id = number}};
        calls[count].locals = strcmp(call->from, number) == 0 ? &call->from_local : &call->to_local;
        calls[count++].local_count = 1;
    }
    struct csta_message answer = {.type = CSTA_SNAPSHOT_DEVICE_DONE};
    if (!peer->snapshot_segments) {
        answer.calls = calls;
        answer.call_count = count;
        answer.has_calls = true;
        peer_send(peer, invoke_id, &answer);
        return;
    }
    char list_id[80];
    (void)snprintf(list_id, sizeof(list_id), "C-%s", number);
    answer.cross_ref_id = list_id;
    peer_send(peer, invoke_id, &answer);
    for (size_t i = 0; i <= count; i++) /* one call each, then an empty last one */
        peer_send(peer, CSTA_INVOKE_EVENT,
                  &(struct csta_message){
                      .type = CSTA_SNAPSHOT_DEVICE_DATA,
                      .cross_ref_id = list_id,
                      .segment_id = {.set = true, .value = (int64_t)i + 1},
                      .last_segment = {.set = true, .value = i == count},
                      .calls = &calls[i < count ? i : 0],
                      .call_count = i < count ? 1 : 0,
                      .has_calls = true,
                  });
}

static void answer_snapshot_call(struct scripted_peer *peer, unsigned invoke_id, const char *id)
{
    for (unsigned i = 0; i < PEER_CALLS_MAX; i++) {
        const struct peer_call *call = &peer->calls[i];
        if (call->id == NULL || strcmp(call->id, id) != 0)
            continue;
        const struct csta_party from = {.kind = CSTA_PARTY_DEVICE, .device = {.id = call->from}};
        const struct csta_party to = {.kind = CSTA_PARTY_DEVICE, .device = {.id = call->to}};
        const struct csta_snapshot_end ends[] = {
            {from, {.call_id = id, .device = from.device}, call->from_local},
            {to, {.call_id = id, .device = to.device}, call->to_local},
        };
        peer_send(peer, invoke_id,
                  &(struct csta_message){.type = CSTA_SNAPSHOT_CALL_DONE,
                                         .ends = ends,
                                         .end_count = 2,
                                         .has_ends = true,
                                         .calling = from,
                                         .called = to});
        return;
    }
    peer_send(peer, invoke_id,
              &(struct csta_message){.type = CSTA_ERROR,
                                     .error = CSTA_ERROR_OPERATION,
                                     .error_value = "invalidCallID"});
}

static void answer_monitor(struct scripted_peer *peer, unsigned invoke_id, const char *number)
{
    char monitor_id[80];
    monitor_id_of(number, monitor_id);
    peer_send(peer, invoke_id,
              &(struct csta_message){.type = CSTA_MONITOR_START_DONE, .monitor_id = monitor_id});
}

static void answer_make_call(struct scripted_peer *peer, unsigned invoke_id,
                             const struct csta_message *message)
{
    peer_send(peer, invoke_id,
              &(struct csta_message){
                  .type = CSTA_MAKE_CALL_DONE,
                  .connection = {.call_id = "C-new", .device = {.id = message->device.id}}});
}

static void send_refusal(struct scripted_peer *peer, unsigned invoke_id, const char *words)
{
    const char *dot = strchr(words, '.');
    size_t len = dot != NULL ? (size_t)(dot - words) : strlen(words);
    struct csta_message message = {.type = CSTA_ERROR, .error_value = dot != NULL ? dot + 1 : NULL};
    for (unsigned error = 1; error < CSTA_ERROR_COUNT; error++)
        if (strlen(csta_error_name((enum csta_error)error)) == len &&
            strncmp(csta_error_name((enum csta_error)error), words, len) == 0)
            message.error = (enum csta_error)error;
    peer_send(peer, invoke_id, &message);
}

/* Requests without a case need only an empty answer, which is the type behind them. */
static void answer(struct scripted_peer *peer, unsigned invoke_id,
                   const struct csta_message *message)
{
    static const struct {
        enum csta_type request, answer;
    } plain[] = {
        {CSTA_RESET_TIMER, CSTA_RESET_TIMER_DONE},
        {CSTA_STOP_SESSION, CSTA_STOP_SESSION_DONE},
        {CSTA_REQUEST_STATUS, CSTA_REQUEST_STATUS_DONE},
        {CSTA_MONITOR_STOP, CSTA_MONITOR_STOP_DONE},
        {CSTA_ANSWER_CALL, CSTA_ANSWER_CALL_DONE},
        {CSTA_CLEAR_CONNECTION, CSTA_CLEAR_CONNECTION_DONE},
    };
    if (message->type == CSTA_START_SESSION)
        answer_session(peer, invoke_id, message);
    else if (message->type == CSTA_GET_DEVICES)
        answer_devices(peer, invoke_id);
    else if (message->type == CSTA_MONITOR_START)
        answer_monitor(peer, invoke_id, message->device.id);
    else if (message->type == CSTA_SNAPSHOT_DEVICE)
        answer_snapshot_device(peer, invoke_id, message->device.id);
    else if (message->type == CSTA_SNAPSHOT_CALL)
        answer_snapshot_call(peer, invoke_id, message->connection.call_id);
    else if (message->type == CSTA_MAKE_CALL)
        answer_make_call(peer, invoke_id, message);
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (plain[i].request == message->type)
            peer_send(peer, invoke_id, &(struct csta_message){.type = plain[i].answer});
}

/* ---- input ------------------------------------------------------------------------------- */

static void note_bad(struct scripted_peer *peer, const char *why)
{
    if (peer->bad_messages++ == 0)
        (void)snprintf(peer->why_bad, sizeof(peer->why_bad), "%s", why);
}

static void take_pdu(struct scripted_peer *peer, const struct csta_pdu *pdu)
{
    struct diag diag = {0};
    struct csta_message message;
    if (csta_check(pdu->xml, pdu->len_bytes, &diag) < 0)
        note_bad(peer, diag.text);
    if (csta_read(pdu->xml, pdu->len_bytes, &message, &diag) < 0) {
        note_bad(peer, diag.text);
        return;
    }
    peer->seen[message.type]++;
    (void)snprintf(peer->last_name, sizeof(peer->last_name), "%s",
                   message.name != NULL ? message.name : "");
    bool done = peer->message != NULL && peer->message(peer->context, pdu->invoke, &message);
    if (!done && !peer->mute[message.type] && csta_class(message.type) == CSTA_CLASS_REQUEST) {
        if (peer->refuse[message.type] != NULL)
            send_refusal(peer, pdu->invoke, peer->refuse[message.type]);
        else
            answer(peer, pdu->invoke, &message);
    }
    csta_message_done(&message);
}

static void on_closed(uv_handle_t *handle)
{
    struct peer_connection *connection = handle->data;
    if (--connection->handles > 0)
        return;
    csta_frames_done(&connection->frames);
    buf_done(&connection->cut);
    free(connection);
}

static void close_connection(struct peer_connection *connection)
{
    if (connection->peer->connection == connection)
        connection->peer->connection = NULL;
    if (uv_is_closing((uv_handle_t *)&connection->tcp))
        return;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
    uv_close((uv_handle_t *)&connection->cutter, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_bytes)
{
    (void)suggested_bytes;
    struct peer_connection *connection = handle->data;
    *ret_bytes = uv_buf_init(connection->read, sizeof(connection->read));
}

static void on_read(uv_stream_t *stream, ssize_t len_bytes, const uv_buf_t *bytes)
{
    struct peer_connection *connection = stream->data;
    if (len_bytes < 0) {
        close_connection(connection);
        return;
    }
    if (csta_frames_add(&connection->frames, bytes->base, (size_t)len_bytes) < 0)
        abort();
    struct csta_pdu pdu;
    struct diag diag = {0};
    int r = 0;
    while (connection->peer->connection == connection &&
           (r = csta_frames_next(&connection->frames, &pdu, &diag)) > 0)
        take_pdu(connection->peer, &pdu);
    if (r < 0)
        note_bad(connection->peer, diag.text);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct scripted_peer *peer = listener->data;
    struct peer_connection *connection = calloc(1, sizeof(*connection));
    if (status < 0 || connection == NULL)
        abort();
    (void)uv_tcp_init(peer->loop, &connection->tcp);
    (void)uv_idle_init(peer->loop, &connection->cutter);
    connection->tcp.data = connection->cutter.data = connection;
    connection->handles = 2;
    connection->peer = peer;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) < 0)
        abort();
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    peer_drop(peer);
    peer->connection = connection;
    peer->connections++;
    (void)uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
    if (peer->hang_up)
        peer_drop(peer);
}

void peer_return(struct scripted_peer *peer)
{
    struct sockaddr_in address;
    int len = sizeof(address);
    peer->listener = calloc(1, sizeof(*peer->listener));
    if (peer->listener == NULL || uv_ip4_addr("127.0.0.1", peer->port, &address) < 0 ||
        uv_tcp_init(peer->loop, peer->listener) < 0 ||
        uv_tcp_bind(peer->listener, (const struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)peer->listener, 8, on_connection) < 0 ||
        uv_tcp_getsockname(peer->listener, (struct sockaddr *)&address, &len) < 0)
        abort();
    peer->listener->data = peer;
    peer->port = ntohs(address.sin_port);
}

void peer_open(struct scripted_peer *peer, uv_loop_t *loop)
{
    peer->loop = loop;
    peer_return(peer);
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle);
}

void peer_leave(struct scripted_peer *peer)
{
    peer_drop(peer);
    if (peer->listener != NULL)
        uv_close((uv_handle_t *)peer->listener, on_listener_closed);
    peer->listener = NULL;
}

void peer_close(struct scripted_peer *peer)
{
    peer_leave(peer);
}

void peer_drop(struct scripted_peer *peer)
{
    if (peer->connection != NULL)
        close_connection(peer->connection);
}

void peer_stop_reading(struct scripted_peer *peer)
{
    if (peer->connection != NULL)
        (void)uv_read_stop((uv_stream_t *)&peer->connection->tcp);
}
