/* peer_message.h - the heartbeat datagram: layout, authentication, replay protection. Pure: no clock,
 * no socket.
 *
 * Layout, all numbers big-endian:
 *    0  4  magic "OGHB"
 *    4  1  lowest version understood     5  1  highest version understood
 *    6  1  sender's node                 7  1  receiver's node
 *    8  1  link (0, 1)                   9  1  flags, 0
 *   10  2  payload length
 *   12  8  session: random, new at every start of the sender
 *   20  8  counter: increases with every datagram of the session
 *   28  8  sent_ms: sender's CLOCK_BOOTTIME
 *   36  8  echo session: the receiver's session, as far as known; else 0
 *   44 16  echo of sent_ms of the newest datagram heard from the receiver, link 0 and link 1; else 0
 *   60  n  payload (0 … 512 bytes)
 *   ..  32 HMAC-SHA256 over everything before it, key = cluster key
 *
 * Why replay does not work: a datagram counts only when it echoes our present session, which is
 * random, so it was made after we started; within a session the counter of each link only goes up;
 * a session of the peer that was followed by another one never comes back. Direction, nodes and
 * link are inside the authenticated part. */
#ifndef OG_HA_PEER_MESSAGE_H
#define OG_HA_PEER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_MESSAGE_LINKS = 2,
    PEER_MESSAGE_HEAD_BYTES = 60,
    PEER_MESSAGE_MAC_BYTES = 32,
    PEER_MESSAGE_PAYLOAD_MAX_BYTES = 512,
    PEER_MESSAGE_MAX_BYTES =
        PEER_MESSAGE_HEAD_BYTES + PEER_MESSAGE_PAYLOAD_MAX_BYTES + PEER_MESSAGE_MAC_BYTES,
    PEER_MESSAGE_VERSION_LOW = 1,
    PEER_MESSAGE_VERSION_HIGH = 1,
    PEER_MESSAGE_KEY_MIN_BYTES = 16,
    PEER_MESSAGE_RETIRED_MAX = 64,
};

struct peer_message {
    uint8_t version_low, version_high;
    uint8_t from_node, to_node, link;
    uint64_t session, counter, sent_ms;
    uint64_t echo_session, echo_ms[PEER_MESSAGE_LINKS];
    uint16_t payload_bytes;
    uint8_t payload[PEER_MESSAGE_PAYLOAD_MAX_BYTES];
};

/* Returns the datagram's length. payload_bytes is at most PEER_MESSAGE_PAYLOAD_MAX_BYTES. */
size_t peer_message_write(const struct peer_message *message, const void *key, size_t key_bytes,
                          uint8_t out[PEER_MESSAGE_MAX_BYTES]);
/* 0; -EBADMSG not this layout; -EACCES wrong authentication; -EPROTONOSUPPORT no common version.
 * On an error ret_message is untouched. */
int peer_message_read(const uint8_t *bytes, size_t len_bytes, const void *key, size_t key_bytes,
                      struct peer_message *ret_message);

/* What one side remembers about the other. Start with {0}, then set own_session. */
struct peer_guard {
    uint8_t own_node, peer_node;
    uint64_t own_session;
    uint64_t peer_session;                     /* 0: none yet */
    uint64_t last_counter[PEER_MESSAGE_LINKS]; /* highest accepted of peer_session */
    uint64_t retired[PEER_MESSAGE_RETIRED_MAX];
    unsigned retired_count;
};

enum peer_verdict {
    PEER_ACCEPT,    /* fresh; the guard has moved on */
    PEER_CHALLENGE, /* genuine but maybe old: answer once with an echo of its session */
    PEER_REPLAY,    /* not new: drop, count */
    PEER_FOREIGN,   /* other nodes or another link: drop, count */
    PEER_RENEW,     /* as PEER_CHALLENGE, and the caller must take a new own_session first: too many
                       sessions of the peer are remembered (the guard has cleared them) */
};
/* link: where it was received. */
enum peer_verdict peer_guard_judge(struct peer_guard *guard, const struct peer_message *message,
                                   unsigned link);

#endif
