/* sim_server.c - connections of CSTA clients: bytes in, PDUs out, and what goes wrong on the way.
 */
#include "simulator/sim_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BACKLOG = 64, HELD_MS = 2000 };

/* --- what leaves a connection ----------------------------------------------------------------- */
/* Nobody who sends expects the connection, and its monitors, to go meanwhile: it ends later. */
static void give_up(struct sim_link *link, const char *why)
{
    link->given_up = why;
    timer_start(link->waiting_timer, 0, 0);
}

static void write_out(struct sim_link *link, const char *bytes, size_t len_bytes)
{
    (void)tls_channel_write(link->channel, bytes, len_bytes);
    if (tls_channel_queued_bytes(link->channel) + link->waiting_bytes > SIM__QUEUED_BYTES_MAX)
        give_up(link, "the client does not read");
}

static struct sim_frame *frame_new(const char *bytes, size_t len_bytes)
{
    struct sim_frame *frame = malloc(sizeof(*frame) + len_bytes);
    if (frame == NULL)
        return NULL;
    *frame = (struct sim_frame){.len_bytes = len_bytes};
    memcpy(frame->bytes, bytes, len_bytes);
    return frame;
}

static void arm_waiting(struct sim_link *link)
{
    const struct sim_frame *first = TAILQ_FIRST(&link->waiting);
    uint64_t now_ms = common_boot_ms();
    if (first != NULL && link->given_up == NULL)
        timer_start(link->waiting_timer, first->due_ms > now_ms ? first->due_ms - now_ms : 0, 0);
}

/* One piece for each turn of the loop, so that each is a segment of its own. */
static void on_waiting_due(void *context)
{
    struct sim_link *link = context;
    struct sim_frame *frame = TAILQ_FIRST(&link->waiting);
    if (link->given_up != NULL)
        sim__link_close(link, true, link->given_up);
    if (frame == NULL || link->closing)
        return;
    size_t left_bytes = frame->len_bytes - frame->sent_bytes;
    int64_t split_bytes = link->simulator->misbehave.wishes.split_bytes;
    size_t piece_bytes =
        split_bytes > 0 && (uint64_t)split_bytes < left_bytes ? (size_t)split_bytes : left_bytes;
    const char *piece = frame->bytes + frame->sent_bytes;
    frame->sent_bytes += piece_bytes;
    link->waiting_bytes -= piece_bytes;
    write_out(link, piece, piece_bytes);
    if (frame->sent_bytes == frame->len_bytes) {
        TAILQ_REMOVE(&link->waiting, frame, next);
        free(frame);
    }
    arm_waiting(link);
}

/* Sends now, or puts behind what waits already. */
static void send_bytes(struct sim_link *link, const char *bytes, size_t len_bytes)
{
    const struct misbehave_wishes *wishes = &link->simulator->misbehave.wishes;
    if (link->closing || link->given_up != NULL)
        return;
    if (TAILQ_EMPTY(&link->waiting) && wishes->split_bytes <= 0 && wishes->delay_ms <= 0) {
        write_out(link, bytes, len_bytes);
        return;
    }
    struct sim_frame *frame = frame_new(bytes, len_bytes);
    if (frame == NULL) {
        give_up(link, "out of memory");
        return;
    }
    const struct sim_frame *last = TAILQ_LAST(&link->waiting, sim_frames);
    frame->due_ms = common_boot_ms() + (uint64_t)wishes->delay_ms;
    if (last != NULL && last->due_ms > frame->due_ms)
        frame->due_ms = last->due_ms;
    TAILQ_INSERT_TAIL(&link->waiting, frame, next);
    link->waiting_bytes += len_bytes;
    if (TAILQ_FIRST(&link->waiting) == frame)
        arm_waiting(link);
}

static void release_held(struct sim_link *link)
{
    AUTO(common_freep) struct sim_frame *held = TAKE(link->held);
    timer_stop(link->held_timer);
    if (held != NULL)
        send_bytes(link, held->bytes, held->len_bytes);
}

static void on_held_due(void *context)
{
    release_held(context);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum misbehave_kind kind_of(enum csta_type type)
{
    switch (csta_class(type)) {
    case CSTA_CLASS_REQUEST:
        return MISBEHAVE_REQUEST;
    case CSTA_CLASS_RESPONSE:
        return MISBEHAVE_RESPONSE;
    case CSTA_CLASS_EVENT:
    default:
        return MISBEHAVE_EVENT;
    }
}

/* One PDU, as the plan wants it. */
static void send_planned(struct sim_link *link, const struct buf *frame,
                         const struct misbehave_plan *plan, bool is_event)
{
    if (plan->hold && link->held == NULL) {
        link->held = frame_new(frame->data, frame->len_bytes);
        timer_start(link->held_timer, HELD_MS, 0);
        return;
    }
    for (unsigned i = 0; i < plan->copies; i++)
        send_bytes(link, frame->data, frame->len_bytes);
    if (is_event && plan->copies > 0)
        release_held(link);
}

void sim__send(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    AUTO(buf_done) struct buf frame = {0};
    struct diag diag = {0};
    if (link->closing)
        return;
    int r = csta_write_frame(message, link->version, invoke, &frame, &diag);
    if (r < 0) {
        log_error(SIM__LOG, "link %" PRIu64 ": %s cannot be written: %s", link->id,
                  csta_type_name(message->type), diag.text);
        return;
    }
    enum misbehave_kind kind = kind_of(message->type);
    struct misbehave_plan plan = misbehave_next(&link->simulator->misbehave, kind);
    const struct pdu_log_entry entry = {.at_ms = wall_ms(),
                                        .link = link->id,
                                        .is_out = true,
                                        .invoke = invoke,
                                        .copies = plan.copies};
    pdu_log_add(&link->simulator->log, &entry, frame.data + CSTA_HEAD_BYTES,
                frame.len_bytes - CSTA_HEAD_BYTES);
    send_planned(link, &frame, &plan, kind == MISBEHAVE_EVENT);
}

void sim__send_raw(struct sim_link *link, const char *bytes, size_t len_bytes)
{
    send_bytes(link, bytes, len_bytes);
}

/* --- what comes in ---------------------------------------------------------------------------- */
static void take_pdu(struct sim_link *link, const struct csta_pdu *pdu)
{
    const struct pdu_log_entry entry = {
        .at_ms = wall_ms(), .link = link->id, .invoke = pdu->invoke, .copies = 1};
    pdu_log_add(&link->simulator->log, &entry, pdu->xml, pdu->len_bytes);
    if (!link->simulator->misbehave.wishes.silent)
        sim__serve(link, pdu);
}

static void on_data(void *context, const char *bytes, size_t len_bytes)
{
    struct sim_link *link = context;
    struct csta_pdu pdu;
    struct diag diag = {0};
    if (link->closing)
        return;
    int r = csta_frames_add(&link->frames, bytes, len_bytes);
    while (r >= 0 && !link->closing && (r = csta_frames_next(&link->frames, &pdu, &diag)) == 1)
        take_pdu(link, &pdu);
    if (r < 0)
        sim__link_close(link, true, diag.text[0] != '\0' ? diag.text : "out of memory");
}

/* --- life of a connection --------------------------------------------------------------------- */
static void link_free(struct sim_link *link)
{
    struct sim_frame *frame;
    while ((frame = TAILQ_FIRST(&link->waiting)) != NULL) {
        TAILQ_REMOVE(&link->waiting, frame, next);
        free(frame);
    }
    free(link->held);
    sim__session_done(link);
    timer_free(link->waiting_timer);
    timer_free(link->held_timer);
    csta_frames_done(&link->frames);
    free(link);
}

/* The last words are not lost to a delay that was wished for. */
static void flush(struct sim_link *link)
{
    const struct sim_frame *frame;
    TAILQ_FOREACH(frame, &link->waiting, next)
    {
        write_out(link, frame->bytes + frame->sent_bytes, frame->len_bytes - frame->sent_bytes);
    }
}

void sim__link_close(struct sim_link *link, bool at_once, const char *why)
{
    if (link->closing)
        return;
    log_info(SIM__LOG, "link %" PRIu64 " from %s is closed: %s", link->id, link->peer, why);
    if (!at_once)
        flush(link);
    link->closing = true;
    sim__monitors_drop(link);
    sim__session_done(link);
    if (at_once)
        tls_channel_close(link->channel);
    else
        tls_channel_shutdown(link->channel, SIM__GOODBYE_MS);
}

static void on_end(void *context)
{
    sim__link_close(context, true, "the client has ended it");
}

static void on_closed(void *context, int error, const char *why)
{
    struct sim_link *link = context;
    struct simulator *simulator = link->simulator;
    if (!link->closing) {
        log_info(SIM__LOG, "link %" PRIu64 " from %s is gone: %s (%d)", link->id, link->peer, why,
                 error);
        link->closing = true;
        sim__monitors_drop(link);
    }
    TAILQ_REMOVE(&simulator->links, link, next);
    simulator->link_count--;
    link_free(link);
    sim__unref(simulator);
}

static struct sim_link *link_new(struct simulator *simulator)
{
    struct sim_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NULL;
    link->simulator = simulator;
    link->id = ++simulator->link_ids;
    TAILQ_INIT(&link->monitors);
    TAILQ_INIT(&link->waiting);
    link->waiting_timer = timer_new(simulator->loop, on_waiting_due, link);
    link->held_timer = timer_new(simulator->loop, on_held_due, link);
    if (link->waiting_timer == NULL || link->held_timer == NULL || sim__session_init(link) < 0) {
        link_free(link);
        return NULL;
    }
    return link;
}

static void name_peer(struct sim_link *link)
{
    struct sockaddr_storage address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (tls_channel_peer(link->channel, &address) < 0 ||
        getnameinfo((struct sockaddr *)&address, sizeof(address), host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    (void)snprintf(link->peer, sizeof(link->peer), "%.48s:%.8s", host, port);
}

/* A connection that gets no place must be taken to be refused. */
static void refuse_connection(uv_stream_t *listener)
{
    const struct tls_channel_events events = {0};
    struct tls_channel *channel;
    if (tls_channel_accept(listener, NULL, &events, &channel) == 0)
        tls_channel_close(channel);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct simulator *simulator = listener->data;
    if (status < 0) {
        log_warning(SIM__LOG, "accepting a CSTA connection: %s", uv_strerror(status));
        return;
    }
    struct sim_link *link = simulator->link_count < SIM__LINKS_MAX ? link_new(simulator) : NULL;
    if (link == NULL) {
        log_warning(SIM__LOG, "a CSTA connection is refused: %u are open", simulator->link_count);
        refuse_connection(listener);
        return;
    }
    const struct tls_channel_events events = {
        .data = on_data, .end = on_end, .closed = on_closed, .context = link};
    int r = tls_channel_accept(listener, NULL, &events, &link->channel);
    if (r < 0) {
        log_warning(SIM__LOG, "accepting a CSTA connection: %s", uv_strerror(r));
        link_free(link);
        return;
    }
    name_peer(link);
    TAILQ_INSERT_TAIL(&simulator->links, link, next);
    simulator->link_count++;
    simulator->references++;
    log_info(SIM__LOG, "link %" PRIu64 " from %s", link->id, link->peer);
}

/* --- listener --------------------------------------------------------------------------------- */
static void on_listener_closed(uv_handle_t *handle)
{
    sim__unref(handle->data);
}

static int parse_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address)
{
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)ret_address) == 0)
        return 0;
    return uv_ip6_addr(text, port, (struct sockaddr_in6 *)ret_address);
}

static uint16_t port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address = {0};
    int len = sizeof(address);
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

int sim__server_listen(struct simulator *simulator, struct diag *diag)
{
    const char *text = simulator->options.address;
    struct sockaddr_storage address = {0};
    if (parse_address(text, simulator->options.csta_port, &address) < 0)
        return diag_fail(diag, -EINVAL, "address '%s': a numeric IPv4 or IPv6 address is expected",
                         text);
    int r = uv_tcp_init(simulator->loop, &simulator->listener);
    if (r < 0)
        return diag_fail(diag, r, "CSTA listener: %s", uv_strerror(r));
    simulator->listener.data = simulator;
    simulator->references++;
    r = uv_tcp_bind(&simulator->listener, (struct sockaddr *)&address, 0);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&simulator->listener, BACKLOG, on_connection);
    if (r < 0)
        return diag_fail(diag, r, "CSTA on %s port %u: %s", text,
                         (unsigned)simulator->options.csta_port, uv_strerror(r));
    simulator->csta_port = port_of(&simulator->listener);
    return 0;
}

void sim__server_close(struct simulator *simulator)
{
    struct sim_link *link;
    TAILQ_FOREACH(link, &simulator->links, next)
    {
        sim__link_close(link, true, "the simulator ends");
    }
    if (simulator->listener.data != NULL)
        uv_close((uv_handle_t *)&simulator->listener, on_listener_closed);
}
