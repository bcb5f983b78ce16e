#include "gateway/pbx/csta_xml/cx_link.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BYTES = 64 * 1024,
    KEEP_ALIVE_S = 15, /* the kernel's probes, for a peer that vanished without a word */
    ADDRESSES_MAX = 2,
    ADDRESS_TEXT_CHARS = PBX_ADDRESS_CHARS + 10
};

/* One attempt. It outlives its link: uv gives it back in the close callback. */
struct connection {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct cx_link *link; /* NULL: given up */
    struct csta_frames frames;
    struct buf writing; /* with the kernel now */
    bool write_under_way;
    char read[READ_BYTES];
};

enum phase { PHASE_WAITING, PHASE_CONNECTING, PHASE_CONNECTED };

struct cx_link {
    uv_timer_t timer;    /* next attempt, or the end of the present one */
    uv_prepare_t sender; /* runs before the loop sleeps: what was sent in one turn goes together */
    int handles;         /* of these two, not closed yet */
    uv_loop_t *loop;
    struct cx_link_events events;
    enum phase phase;
    struct connection *connection;
    struct buf waiting; /* frames not yet given to the kernel */
    bool overflow;

    struct sockaddr_storage addresses[ADDRESSES_MAX];
    char texts[ADDRESSES_MAX][ADDRESS_TEXT_CHARS];
    unsigned address_count, address_at;
    unsigned attempt; /* failures since the last steady connection */
    uint64_t connected_boot_ms;
};

uint64_t cx_link_backoff_ms(unsigned attempt, unsigned addresses, uint32_t random)
{
    unsigned round = attempt / (addresses > 0 ? addresses : 1);
    uint64_t delay_ms = CX_LINK_BACKOFF_MAX_MS;
    if (round < 6 && (uint64_t)CX_LINK_BACKOFF_FIRST_MS << round < delay_ms)
        delay_ms = (uint64_t)CX_LINK_BACKOFF_FIRST_MS << round;
    /* gateways that lost the same PBX must not come back in step */
    return delay_ms - delay_ms / 5 + random % (2 * (delay_ms / 5) + 1);
}

static void start_timer(struct cx_link *link, uint64_t delay_ms, uv_timer_cb fn)
{
    uv_update_time(link->loop);
    (void)uv_timer_start(&link->timer, fn, delay_ms, 0);
}

/* ---- the end of a connection ------------------------------------------------------------- */

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    csta_frames_done(&connection->frames);
    buf_done(&connection->writing);
    free(connection);
}

static void close_connection(struct cx_link *link)
{
    if (link->connection != NULL) {
        link->connection->link = NULL;
        uv_close((uv_handle_t *)&link->connection->tcp, on_connection_closed);
    }
    link->connection = NULL;
    link->overflow = false;
    buf_done(&link->waiting);
    (void)uv_prepare_stop(&link->sender);
    (void)uv_timer_stop(&link->timer);
}

static void on_attempt(uv_timer_t *timer);

void cx_link_drop(struct cx_link *link, const char *why)
{
    if (link->phase == PHASE_WAITING)
        return;
    bool was_connected = link->phase == PHASE_CONNECTED;
    if (was_connected && common_boot_ms() - link->connected_boot_ms >= CX_LINK_STEADY_MS)
        link->attempt = 0;
    uint32_t random = 0;
    (void)secrets_random(&random, sizeof(random)); /* without it: no spread, which does no harm */
    close_connection(link);
    link->phase = PHASE_WAITING;
    start_timer(link, cx_link_backoff_ms(link->attempt, link->address_count, random), on_attempt);
    link->attempt++;
    link->events.lost(link->events.context, was_connected, why);
}

static void drop_with_error(struct cx_link *link, const char *what, int error)
{
    struct diag why = {0};
    (void)diag_fail(&why, error, "%s: %s", what, uv_strerror(error));
    cx_link_drop(link, why.text);
}

/* ---- output ------------------------------------------------------------------------------ */

static void on_send(uv_prepare_t *sender);

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    struct cx_link *link = connection->link;
    connection->write_under_way = false;
    buf_clear(&connection->writing);
    if (link == NULL)
        return;
    if (status < 0)
        drop_with_error(link, "writing failed", status);
    else if (link->waiting.len_bytes > 0)
        (void)uv_prepare_start(&link->sender, on_send);
}

/* One write at a time; what comes in the meantime waits in `waiting`. */
static void on_send(uv_prepare_t *sender)
{
    struct cx_link *link = sender->data;
    struct connection *connection = link->connection;
    (void)uv_prepare_stop(sender);
    if (link->overflow) {
        cx_link_drop(link, "the PBX does not read what it is sent");
        return;
    }
    if (connection->write_under_way || link->waiting.len_bytes == 0)
        return;
    struct buf swapped = connection->writing;
    connection->writing = link->waiting;
    link->waiting = swapped;
    const uv_buf_t bytes =
        uv_buf_init(connection->writing.data, (unsigned)connection->writing.len_bytes);
    int r = uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written);
    connection->write_under_way = r == 0;
    if (r < 0)
        drop_with_error(link, "writing failed", r);
}

int cx_link_send(struct cx_link *link, unsigned invoke_id, const char *xml, size_t len_bytes)
{
    if (link->phase != PHASE_CONNECTED)
        return -EAGAIN;
    if (link->waiting.len_bytes + len_bytes > CX_LINK_OUTPUT_MAX)
        link->overflow = true;
    int r = link->overflow ? -ENOBUFS : csta_frame_write(&link->waiting, invoke_id, xml, len_bytes);
    if (!uv_is_active((uv_handle_t *)&link->sender))
        (void)uv_prepare_start(&link->sender, on_send);
    return r;
}

/* ---- input ------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_bytes)
{
    (void)suggested_bytes;
    struct connection *connection = handle->data;
    *ret_bytes = uv_buf_init(connection->read, sizeof(connection->read));
}

/* Any frame may make its reader give the connection up: it is looked at anew for each. */
static void take_frames(struct cx_link *link, struct connection *connection)
{
    struct diag diag = {0};
    struct csta_pdu pdu;
    int r = 1;
    while (r > 0 && link->connection == connection) {
        r = csta_frames_next(&connection->frames, &pdu, &diag);
        if (r > 0)
            link->events.frame(link->events.context, pdu.invoke, pdu.xml, pdu.len_bytes);
    }
    if (r < 0)
        cx_link_drop(link, diag.text);
}

static void on_read(uv_stream_t *stream, ssize_t len_bytes, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    struct cx_link *link = connection->link;
    if (len_bytes == 0)
        return;
    if (len_bytes == UV_EOF)
        cx_link_drop(link, "the PBX closed the connection");
    else if (len_bytes < 0)
        drop_with_error(link, "reading failed", (int)len_bytes);
    else if (csta_frames_add(&connection->frames, bytes->base, (size_t)len_bytes) < 0)
        drop_with_error(link, "reading failed", -ENOMEM);
    else
        take_frames(link, connection);
}

/* ---- connecting -------------------------------------------------------------------------- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct connection *connection = connect->data;
    struct cx_link *link = connection->link;
    if (link == NULL)
        return;
    if (status == 0) {
        (void)uv_tcp_nodelay(&connection->tcp, 1);
        (void)uv_tcp_keepalive(&connection->tcp, 1, KEEP_ALIVE_S);
        status = uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
    }
    if (status < 0) {
        drop_with_error(link, "no connection", status);
        return;
    }
    (void)uv_timer_stop(&link->timer);
    link->phase = PHASE_CONNECTED;
    link->connected_boot_ms = common_boot_ms();
    link->events.connected(link->events.context);
}

static void on_connect_late(uv_timer_t *timer)
{
    drop_with_error(timer->data, "no connection", -ETIMEDOUT);
}

static int connect_to(struct cx_link *link, const struct sockaddr_storage *address)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return -ENOMEM;
    int r = uv_tcp_init(link->loop, &connection->tcp);
    if (r < 0) {
        free(connection);
        return r;
    }
    connection->tcp.data = connection->connect.data = connection->write.data = connection;
    connection->link = link;
    link->connection = connection;
    return uv_tcp_connect(&connection->connect, &connection->tcp, (const struct sockaddr *)address,
                          on_connected);
}

static void on_attempt(uv_timer_t *timer)
{
    struct cx_link *link = timer->data;
    link->phase = PHASE_CONNECTING;
    link->address_at = link->attempt % link->address_count;
    start_timer(link, CX_LINK_CONNECT_MS, on_connect_late);
    int r = connect_to(link, &link->addresses[link->address_at]);
    if (r < 0)
        drop_with_error(link, "no connection", r);
}

/* ---- public ------------------------------------------------------------------------------ */

static int add_address(struct cx_link *link, const char *address, int64_t port, struct diag *diag)
{
    if (port < 1 || port > 65535)
        return diag_fail(diag, -EINVAL, "PBX: port %lld is not between 1 and 65535",
                         (long long)port);
    struct sockaddr_storage *to = &link->addresses[link->address_count];
    bool v6 = strchr(address, ':') != NULL;
    int r = v6 ? uv_ip6_addr(address, (int)port, (struct sockaddr_in6 *)to)
               : uv_ip4_addr(address, (int)port, (struct sockaddr_in *)to);
    if (r < 0)
        return diag_fail(diag, -EINVAL,
                         "PBX: \"%s\" is no numeric address: write it like 192.0.2.1", address);
    (void)snprintf(link->texts[link->address_count++], ADDRESS_TEXT_CHARS, v6 ? "[%s]:%d" : "%s:%d",
                   address, (int)port);
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct cx_link *link = handle->data;
    if (--link->handles == 0)
        free(link);
}

int cx_link_new(uv_loop_t *loop, const struct pbx_settings *settings,
                const struct cx_link_events *events, struct cx_link **ret_link, struct diag *diag)
{
    struct cx_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return diag_fail(diag, -ENOMEM, "PBX: not enough memory");
    int r = add_address(link, settings->address, settings->port, diag);
    if (r == 0 && settings->backup_address[0] != '\0')
        r = add_address(link, settings->backup_address, settings->backup_port, diag);
    if (r < 0) {
        free(link);
        return r;
    }
    link->loop = loop;
    link->events = *events;
    (void)uv_timer_init(loop, &link->timer); /* these two cannot fail */
    (void)uv_prepare_init(loop, &link->sender);
    link->timer.data = link->sender.data = link;
    link->handles = 2;
    start_timer(link, 0, on_attempt);
    *ret_link = link;
    return 0;
}

/* The last frames (the end of the session) go if the kernel takes them at once: a PBX that does
 * not read must not keep the process. */
static void send_last(struct cx_link *link)
{
    struct connection *connection = link->connection;
    if (link->phase != PHASE_CONNECTED || connection->write_under_way ||
        link->waiting.len_bytes == 0)
        return;
    const uv_buf_t bytes = uv_buf_init(link->waiting.data, (unsigned)link->waiting.len_bytes);
    (void)uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);
}

void cx_link_free(struct cx_link *link)
{
    if (link == NULL)
        return;
    send_last(link);
    close_connection(link);
    uv_close((uv_handle_t *)&link->timer, on_handle_closed);
    uv_close((uv_handle_t *)&link->sender, on_handle_closed);
}

const char *cx_link_address(const struct cx_link *link)
{
    return link->texts[link->address_at];
}
