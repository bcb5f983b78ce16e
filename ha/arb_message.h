/* arb_message.h - struct arb_message as bytes: what the two nodes tell each other.
 *
 * Fixed layout, big-endian, ARB_MESSAGE_BYTES long:
 *    0  4  magic "OGAM"          4  1  layout, 1        5  1  node (1, 2)
 *    6  1  phase                 7  1  disk             8  1  link      9  1  mode of the right
 *   10  1  owner of the right   11  1  flags (bit 0 candidate, 1 leaving, 2 holds_vip,
 *                                       3 preferred, 4 fresh, 5 primary)
 *   12  4  version_low          16  4  version_high
 *   20  8  each: term, seq, last_active_term, run_seen, run_agreed, outdate_term, outdated_term,
 *                constants_digest, generation
 *   92  4  CRC-32 of everything before it (the transport authenticates; this finds our own bugs)
 * A later layout that N-1 must read keeps its first 96 bytes and may be longer: bytes beyond are
 * ignored. */
#ifndef OG_HA_ARB_MESSAGE_H
#define OG_HA_ARB_MESSAGE_H

#include "ha/arbiter.h"

enum { ARB_MESSAGE_BYTES = 96, ARB_MESSAGE_MAX_BYTES = 256 };

/* Returns the length, ARB_MESSAGE_BYTES. */
size_t arb_message_encode(const struct arb_message *message, uint8_t out[ARB_MESSAGE_MAX_BYTES]);

/* 0; -EBADMSG when the bytes are not such a message or a value is out of its range (then
 * ret_message is untouched). */
int arb_message_decode(const void *bytes, size_t len_bytes, struct arb_message *ret_message);

#endif
