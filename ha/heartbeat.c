#include "ha/heartbeat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/secrets.h"
#include "lib/common/timer.h"

enum {
    DEFAULT_MISS_MS = 250,
    REOPEN_MS = 1000,
    DATAGRAMS_PER_TURN = 64,
    CHALLENGE_INTERVAL_MS = 50,
    WARNING_INTERVAL_MS = 60000,
    KEY_MAX_BYTES = 256,
};

static const char module[] = "heartbeat";

struct heartbeat;

/* Lives until uv has closed its poll handle; fd -1 is not allowed here. */
struct link_socket {
    struct heartbeat *owner; /* NULL once closed */
    unsigned link;
    int fd;
    uv_poll_t poll;
};

struct link {
    char device[32]; /* "" any */
    struct sockaddr_storage local, peer;
    socklen_t address_bytes;
    struct link_socket *socket; /* NULL while it cannot be opened */
    uint64_t open_again_ms;
    uint64_t peer_sent_ms; /* newest send time heard from the peer on this link (peer's clock) */
    uint64_t challenged_ms;
    struct heartbeat_link_status status;
};

struct heartbeat {
    uv_loop_t *loop;
    struct heartbeat_options options; /* key and texts not used after heartbeat_new() */
    uint8_t key[KEY_MAX_BYTES];
    size_t key_bytes;
    struct link links[HEARTBEAT_LINKS];
    struct timer *timer;
    struct peer_guard guard;
    uint64_t counter;
    uint8_t payload[PEER_MESSAGE_PAYLOAD_MAX_BYTES];
    uint16_t payload_bytes;
    uint8_t peer_version_low, peer_version_high;
    uint64_t warned_ms;
    uint64_t refused_since_warning;
};

/* --- sockets ------------------------------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_socket_closed(uv_handle_t *handle)
{
    struct link_socket *socket = handle->data;
    (void)close(socket->fd);
    free(socket);
}

static void close_socket(struct link *link)
{
    struct link_socket *socket = TAKE(link->socket);
    if (socket == NULL)
        return;
    socket->owner = NULL;
    (void)uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
}

/* The address need not be there yet (FREEBIND); the device must. */
static int open_descriptor(const struct link *link)
{
    AUTO(common_closep)
    int fd = socket(link->local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    const int one = 1, priority = 6; /* the highest that needs no privilege */
    const bool ipv4 = link->local.ss_family == AF_INET;
    if (setsockopt(fd, ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_FREEBIND : IPV6_FREEBIND, &one,
                   sizeof(one)) < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
    if (link->device[0] != '\0' &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->device, sizeof(link->device)) < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&link->local, link->address_bytes) < 0)
        return -errno;
    int result = fd;
    fd = -1;
    return result;
}

static int open_socket(struct heartbeat *heartbeat, unsigned index)
{
    struct link *link = &heartbeat->links[index];
    struct link_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL)
        return -ENOMEM;
    int code = socket->fd = open_descriptor(link);
    if (code >= 0) {
        code = uv_poll_init(heartbeat->loop, &socket->poll, socket->fd);
        if (code < 0)
            (void)close(socket->fd);
    }
    if (code < 0) {
        free(socket);
        return code;
    }
    socket->owner = heartbeat;
    socket->link = index;
    socket->poll.data = socket;
    link->socket = socket;
    code = uv_poll_start(&socket->poll, UV_READABLE, on_readable);
    if (code < 0)
        close_socket(link);
    return code;
}

/* --- sending ------------------------------------------------------------------------------- */

static void note_send_error(struct link *link, int code)
{
    link->status.send_errors++;
    link->status.last_send_error = code;
}

static void transmit(struct heartbeat *heartbeat, unsigned index, uint64_t echo_session,
                     const uint64_t echo_ms[PEER_MESSAGE_LINKS])
{
    struct link *link = &heartbeat->links[index];
    if (link->socket == NULL)
        return;
    struct peer_message message = {
        .version_low = PEER_MESSAGE_VERSION_LOW,
        .version_high = PEER_MESSAGE_VERSION_HIGH,
        .from_node = heartbeat->guard.own_node,
        .to_node = heartbeat->guard.peer_node,
        .link = (uint8_t)index,
        .session = heartbeat->guard.own_session,
        .counter = ++heartbeat->counter,
        .sent_ms = common_boot_ms(),
        .echo_session = echo_session,
        .echo_ms = {echo_ms[0], echo_ms[1]},
        .payload_bytes = heartbeat->payload_bytes,
    };
    memcpy(message.payload, heartbeat->payload, heartbeat->payload_bytes);
    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    size_t len_bytes = peer_message_write(&message, heartbeat->key, heartbeat->key_bytes, bytes);
    ssize_t sent = sendto(link->socket->fd, bytes, len_bytes, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&link->peer, link->address_bytes);
    link->status.sent++;
    if (sent < 0) {
        int code = -errno;
        note_send_error(link, code);
        /* The device is gone or was replaced: its socket is of no use any more. */
        if (code == -ENODEV || code == -ENXIO) {
            close_socket(link);
            link->open_again_ms = message.sent_ms + REOPEN_MS;
        }
    }
}

static void try_open(struct heartbeat *heartbeat, unsigned index, uint64_t now_ms)
{
    struct link *link = &heartbeat->links[index];
    int code = open_socket(heartbeat, index);
    if (code < 0) {
        note_send_error(link, code);
        link->open_again_ms = now_ms + REOPEN_MS;
    }
}

static void send_on(struct heartbeat *heartbeat, unsigned index)
{
    struct link *link = &heartbeat->links[index];
    const uint64_t now_ms = common_boot_ms();
    if (link->socket == NULL && now_ms >= link->open_again_ms)
        try_open(heartbeat, index, now_ms);
    const uint64_t echo_ms[PEER_MESSAGE_LINKS] = {heartbeat->links[0].peer_sent_ms,
                                                  heartbeat->links[1].peer_sent_ms};
    transmit(heartbeat, index, heartbeat->guard.peer_session, echo_ms);
}

void heartbeat_send_now(struct heartbeat *heartbeat)
{
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++)
        if (heartbeat->links[i].status.used)
            send_on(heartbeat, i);
}

static void tell_link(struct heartbeat *heartbeat, unsigned index, bool up)
{
    if (heartbeat->links[index].status.up == up)
        return;
    heartbeat->links[index].status.up = up;
    if (heartbeat->options.on_link != NULL)
        heartbeat->options.on_link(heartbeat->options.context, index, up);
}

static void on_timer(void *context)
{
    struct heartbeat *heartbeat = context;
    heartbeat_send_now(heartbeat);
    const uint64_t now_ms = common_boot_ms();
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++) {
        const struct heartbeat_link_status *status = &heartbeat->links[i].status;
        if (status->up && now_ms > status->last_heard_ms + heartbeat->options.miss_ms)
            tell_link(heartbeat, i, false);
    }
}

/* --- receiving ----------------------------------------------------------------------------- */

/* A flood of bad datagrams costs one log line a minute. */
static void warn_refused(struct heartbeat *heartbeat, unsigned index, const char *what)
{
    const uint64_t now_ms = common_boot_ms();
    heartbeat->refused_since_warning++;
    if (heartbeat->warned_ms != 0 && now_ms < heartbeat->warned_ms + WARNING_INTERVAL_MS)
        return;
    log_warning(module, "link %u: heartbeat refused: %s (%llu refused since the last such line)",
                index, what, (unsigned long long)heartbeat->refused_since_warning);
    heartbeat->warned_ms = now_ms;
    heartbeat->refused_since_warning = 0;
}

/* Answers a datagram that may be old with an echo of its session. The living peer will repeat ours.
 */
static void challenge(struct heartbeat *heartbeat, unsigned index,
                      const struct peer_message *message)
{
    struct link *link = &heartbeat->links[index];
    const uint64_t now_ms = common_boot_ms();
    if (link->challenged_ms != 0 && now_ms < link->challenged_ms + CHALLENGE_INTERVAL_MS)
        return;
    link->challenged_ms = now_ms;
    /* No times: nothing was accepted, so nothing may count as contact. */
    const uint64_t no_echo[PEER_MESSAGE_LINKS] = {0};
    transmit(heartbeat, index, message->session, no_echo);
}

static int renew_session(struct heartbeat *heartbeat)
{
    uint64_t session = 0;
    int code = 0;
    while (session == 0 && code == 0)
        code = secrets_random(&session, sizeof(session));
    if (code == 0)
        heartbeat->guard.own_session = session;
    return code;
}

static void note_echo(struct heartbeat *heartbeat, const struct peer_message *message,
                      uint64_t now_ms)
{
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++) {
        struct heartbeat_link_status *status = &heartbeat->links[i].status;
        const uint64_t echo_ms = message->echo_ms[i];
        /* our own clock coming back: never from the future */
        if (echo_ms > now_ms || echo_ms <= status->contact_ms)
            continue;
        status->contact_ms = echo_ms;
        status->round_trip_ms = (unsigned)(now_ms - echo_ms);
    }
}

static void accept_message(struct heartbeat *heartbeat, unsigned index,
                           const struct peer_message *message, bool new_session)
{
    const uint64_t now_ms = common_boot_ms();
    struct link *link = &heartbeat->links[index];
    if (new_session)
        heartbeat->links[0].peer_sent_ms = heartbeat->links[1].peer_sent_ms = 0;
    if (message->sent_ms > link->peer_sent_ms)
        link->peer_sent_ms = message->sent_ms;
    link->status.received++;
    link->status.last_heard_ms = now_ms;
    heartbeat->peer_version_low = message->version_low;
    heartbeat->peer_version_high = message->version_high;
    note_echo(heartbeat, message, now_ms);
    tell_link(heartbeat, index, true);
    heartbeat->options.on_message(heartbeat->options.context, index, message->payload,
                                  message->payload_bytes);
}

static void judge(struct heartbeat *heartbeat, unsigned index, const struct peer_message *message)
{
    struct heartbeat_link_status *status = &heartbeat->links[index].status;
    const uint64_t session_before = heartbeat->guard.peer_session;
    switch (peer_guard_judge(&heartbeat->guard, message, index)) {
    case PEER_ACCEPT:
        accept_message(heartbeat, index, message, heartbeat->guard.peer_session != session_before);
        break;
    case PEER_RENEW:
        if (renew_session(heartbeat) == 0)
            challenge(heartbeat, index, message);
        break;
    case PEER_CHALLENGE:
        challenge(heartbeat, index, message);
        break;
    case PEER_REPLAY:
        status->replayed++;
        break;
    case PEER_FOREIGN:
        status->foreign++;
        warn_refused(heartbeat, index, "it is for other nodes or another link");
        break;
    }
}

static void receive_one(struct heartbeat *heartbeat, unsigned index, const uint8_t *bytes,
                        size_t len_bytes)
{
    struct heartbeat_link_status *status = &heartbeat->links[index].status;
    struct peer_message message;
    int code = peer_message_read(bytes, len_bytes, heartbeat->key, heartbeat->key_bytes, &message);
    if (code == 0) {
        judge(heartbeat, index, &message);
    } else if (code == -EPROTONOSUPPORT) {
        status->unsupported++;
        warn_refused(heartbeat, index, "the peer speaks no version that we understand");
    } else {
        status->forged++;
        warn_refused(heartbeat, index,
                     code == -EACCES ? "its authentication is wrong (another cluster key?)"
                                     : "it is no heartbeat");
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct link_socket *socket = poll->data;
    for (int i = 0; i < DATAGRAMS_PER_TURN && socket->owner != NULL; i++) {
        uint8_t bytes[PEER_MESSAGE_MAX_BYTES + 1]; /* one more shows that it was longer */
        ssize_t got = recv(socket->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got >= 0) /* else an ICMP error of an earlier datagram: nothing to do about it */
            receive_one(socket->owner, socket->link, bytes, (size_t)got);
    }
}

/* --- life ---------------------------------------------------------------------------------- */

static int parse_address(const char *text, uint16_t port, struct sockaddr_storage *out,
                         socklen_t *ret_bytes, struct diag *diag)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr = ipv4;
        *ret_bytes = sizeof(*in);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &ipv6) == 1) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        in6->sin6_addr = ipv6;
        *ret_bytes = sizeof(*in6);
        return 0;
    }
    return diag_fail(diag, -EINVAL, "\"%s\" is no IP address", text);
}

static int init_link(struct link *link, const struct heartbeat_link_options *options, uint16_t port,
                     struct diag *diag)
{
    if (options->local == NULL || options->peer == NULL)
        return 0;
    if (options->device != NULL && strlen(options->device) >= 16)
        return diag_fail(diag, -EINVAL, "\"%s\" is no device name", options->device);
    (void)snprintf(link->device, sizeof(link->device), "%s",
                   options->device != NULL ? options->device : "");
    socklen_t peer_bytes = 0;
    int code = parse_address(options->local, port, &link->local, &link->address_bytes, diag);
    if (code == 0)
        code = parse_address(options->peer, port, &link->peer, &peer_bytes, diag);
    if (code == 0 && link->local.ss_family != link->peer.ss_family)
        code = diag_fail(diag, -EINVAL, "%s and %s are not of one family", options->local,
                         options->peer);
    link->status.used = code == 0;
    return code;
}

static int check_options(const struct heartbeat_options *options, struct diag *diag)
{
    if (options->key_bytes < PEER_MESSAGE_KEY_MIN_BYTES || options->key_bytes > KEY_MAX_BYTES)
        return diag_fail(diag, -EINVAL, "the heartbeat key must have %d to %d bytes",
                         PEER_MESSAGE_KEY_MIN_BYTES, KEY_MAX_BYTES);
    if (options->own_node == 0 || options->own_node > UINT8_MAX || options->peer_node == 0 ||
        options->peer_node > UINT8_MAX || options->own_node == options->peer_node)
        return diag_fail(diag, -EINVAL, "node numbers %u and %u make no pair", options->own_node,
                         options->peer_node);
    return options->on_message != NULL ? 0
                                       : diag_fail(diag, -EINVAL, "nobody listens to heartbeats");
}

static int init(struct heartbeat *heartbeat, struct diag *diag)
{
    const struct heartbeat_options *options = &heartbeat->options;
    const uint16_t port = options->port != 0 ? options->port : HEARTBEAT_PORT;
    bool any = false;
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++) {
        int code = init_link(&heartbeat->links[i], &options->links[i], port, diag);
        if (code < 0)
            return code;
        any |= heartbeat->links[i].status.used;
    }
    if (!any)
        return diag_fail(diag, -EINVAL, "no link has addresses for heartbeats");
    if (renew_session(heartbeat) < 0)
        return diag_fail(diag, -EIO, "no random numbers for the heartbeat session");
    heartbeat->timer = timer_new(heartbeat->loop, on_timer, heartbeat);
    if (heartbeat->timer == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for heartbeats");
    timer_start(heartbeat->timer, 0, HEARTBEAT_INTERVAL_MS);
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++)
        if (heartbeat->links[i].status.used)
            try_open(heartbeat, i, common_boot_ms());
    return 0;
}

int heartbeat_new(uv_loop_t *loop, const struct heartbeat_options *options,
                  struct heartbeat **ret_heartbeat, struct diag *diag)
{
    int code = check_options(options, diag);
    if (code < 0)
        return code;
    struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));
    if (heartbeat == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for heartbeats");
    heartbeat->loop = loop;
    heartbeat->options = *options;
    if (heartbeat->options.miss_ms == 0)
        heartbeat->options.miss_ms = DEFAULT_MISS_MS;
    memcpy(heartbeat->key, options->key, options->key_bytes);
    heartbeat->key_bytes = options->key_bytes;
    heartbeat->guard.own_node = (uint8_t)options->own_node;
    heartbeat->guard.peer_node = (uint8_t)options->peer_node;
    code = init(heartbeat, diag);
    if (code < 0) {
        heartbeat_free(heartbeat);
        return code;
    }
    heartbeat->options.key = NULL;
    *ret_heartbeat = heartbeat;
    return 0;
}

void heartbeat_free(struct heartbeat *heartbeat)
{
    if (heartbeat == NULL)
        return;
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++)
        close_socket(&heartbeat->links[i]);
    timer_free(heartbeat->timer);
    secrets_wipe(heartbeat->key, sizeof(heartbeat->key));
    free(heartbeat);
}

int heartbeat_set_payload(struct heartbeat *heartbeat, const void *bytes, size_t len_bytes)
{
    if (len_bytes > sizeof(heartbeat->payload))
        return -EMSGSIZE;
    memcpy(heartbeat->payload, bytes, len_bytes);
    heartbeat->payload_bytes = (uint16_t)len_bytes;
    return 0;
}

void heartbeat_get_status(const struct heartbeat *heartbeat, struct heartbeat_status *ret_status)
{
    *ret_status = (struct heartbeat_status){.peer_version_low = heartbeat->peer_version_low,
                                            .peer_version_high = heartbeat->peer_version_high};
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++) {
        const struct heartbeat_link_status *link = &heartbeat->links[i].status;
        ret_status->links[i] = *link;
        ret_status->links_up += link->up;
        if (link->last_heard_ms > ret_status->last_heard_ms)
            ret_status->last_heard_ms = link->last_heard_ms;
        if (link->contact_ms > ret_status->contact_ms)
            ret_status->contact_ms = link->contact_ms;
    }
}
