/* membership.h - corosync's process group: who is there, and small agreed messages.
 *
 * libcpg's replies wait for ever when corosync is stopped (SIGSTOP), so connecting, joining,
 * finalizing and reading cmap happen in a helper thread; only the non-blocking dispatch and send run on
 * the loop. When the connection breaks, `on_down` comes and the helper reconnects by itself (0.2 … 2 s).
 * Losing corosync says nothing about the peer; the arbiter knows that.
 *
 * Agreed order holds within one view; an own message delivered back does not prove that the peer has
 * it. Messages are small (32 KiB at most). */
#ifndef OG_HA_MEMBERSHIP_H
#define OG_HA_MEMBERSHIP_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    MEMBERSHIP_MEMBERS_MAX = 8,
    MEMBERSHIP_MESSAGE_MAX_BYTES = 32 * 1024,
    MEMBERSHIP_QUEUE_MAX = 64, /* messages waiting while corosync says "try again" */
};

#define MEMBERSHIP_REASONS(X)                                                                     \
    X(UNKNOWN, "unknown") X(JOIN, "joined") X(LEAVE, "left") X(NODE_DOWN, "node down")            \
    X(NODE_UP, "node up") X(PROCESS_DOWN, "process died, node alive")
#define MEMBERSHIP_REASON_ENUM(id, text) MEMBERSHIP_##id,
enum membership_reason { MEMBERSHIP_REASONS(MEMBERSHIP_REASON_ENUM) MEMBERSHIP_REASON_COUNT };
const char *membership_reason_name(enum membership_reason reason); /* "?" out of range */

struct membership_member {
    uint32_t node_id, pid;
    enum membership_reason reason; /* in changes only */
};
struct membership_view {
    struct membership_member members[MEMBERSHIP_MEMBERS_MAX];
    unsigned member_count;
    struct membership_member left[MEMBERSHIP_MEMBERS_MAX], joined[MEMBERSHIP_MEMBERS_MAX];
    unsigned left_count, joined_count;
};

struct membership;

struct membership_options {
    const char *group; /* at most 127 bytes; copied */
    /* we are connected and joined as own_node_id; the first on_view follows */
    void (*on_up)(void *context, uint32_t own_node_id);
    void (*on_view)(void *context, const struct membership_view *view);
    void (*on_message)(void *context, uint32_t node_id, uint32_t pid, const void *bytes,
                       size_t len_bytes);
    /* corosync is gone, hangs on reconnect, or evicted us; waiting messages are dropped */
    void (*on_down)(void *context, const char *why);
    void *context; /* every function may be NULL */
};

int membership_open(uv_loop_t *loop, const struct membership_options *options,
                    struct membership **ret_membership, struct diag *diag);
/* Callbacks end at once; leaves the group. Never blocks: a helper that hangs in corosync is left
 * behind. NULL is fine. */
void membership_close(struct membership *membership);

bool membership_is_up(const struct membership *membership);
/* Queues to the group in agreed order. -ENOTCONN, -EMSGSIZE, -ENOBUFS (queue full). */
int membership_send(struct membership *membership, const void *bytes, size_t len_bytes);

/* What cmap and votequorum said when they were last read (every 2 s, by the helper). */
struct membership_info {
    uint64_t read_at_ms;     /* CLOCK_BOOTTIME; 0: never */
    uint32_t token_ms;       /* in force */
    bool quorate;            /* only shown; never an argument for anything */
    unsigned votes_expected, votes_total;
    bool peer_link_known[2], peer_link_connected[2]; /* knet links to the other node */
};
void membership_get_info(struct membership *membership, struct membership_info *ret_info);

#endif
