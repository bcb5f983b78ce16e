#include "ha/arb_message.h"

#include <errno.h>
#include <string.h>

enum { LAYOUT = 1, CRC_AT = ARB_MESSAGE_BYTES - 4 };

enum {
    FLAG_CANDIDATE = 1,
    FLAG_LEAVING = 2,
    FLAG_HOLDS_VIP = 4,
    FLAG_PREFERRED = 8,
    FLAG_FRESH = 16,
    FLAG_PRIMARY = 32,
    FLAG_ALL = 63,
};

static uint32_t crc32_of(const uint8_t *bytes, size_t len_bytes)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len_bytes; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    return at + bytes;
}

static uint64_t get(const uint8_t **at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | (*at)[i];
    *at += bytes;
    return value;
}

size_t arb_message_encode(const struct arb_message *message, uint8_t out[ARB_MESSAGE_MAX_BYTES])
{
    const unsigned flags =
        (message->candidate ? FLAG_CANDIDATE : 0u) | (message->leaving ? FLAG_LEAVING : 0u) |
        (message->holds_vip ? FLAG_HOLDS_VIP : 0u) | (message->preferred ? FLAG_PREFERRED : 0u) |
        (message->fresh ? FLAG_FRESH : 0u) | (message->primary ? FLAG_PRIMARY : 0u);
    memcpy(out, "OGAM", 4);
    uint8_t *at = out + 4;
    at = put(at, LAYOUT, 1);
    at = put(at, message->node, 1);
    at = put(at, (uint64_t)message->phase, 1);
    at = put(at, (uint64_t)message->disk, 1);
    at = put(at, (uint64_t)message->link, 1);
    at = put(at, (uint64_t)message->right.mode, 1);
    at = put(at, message->right.owner, 1);
    at = put(at, flags, 1);
    at = put(at, message->version_low, 4);
    at = put(at, message->version_high, 4);
    at = put(at, message->right.term, 8);
    at = put(at, message->right.seq, 8);
    at = put(at, message->last_active_term, 8);
    at = put(at, message->run_seen, 8);
    at = put(at, message->run_agreed, 8);
    at = put(at, message->outdate_term, 8);
    at = put(at, message->outdated_term, 8);
    at = put(at, message->constants_digest, 8);
    at = put(at, message->generation, 8);
    (void)put(at, crc32_of(out, CRC_AT), 4);
    return ARB_MESSAGE_BYTES;
}

static bool is_node(uint32_t node)
{
    return node == ARB_NODE_PRIMARY || node == ARB_NODE_SECONDARY;
}

static bool is_right(uint32_t mode, uint32_t owner)
{
    if (mode == ARB_MODE_PAIR)
        return owner == ARB_NODE_NONE;
    return mode == ARB_MODE_SOLO && is_node(owner);
}

static bool is_sound(const uint8_t *bytes, size_t len_bytes)
{
    if (len_bytes < ARB_MESSAGE_BYTES || len_bytes > ARB_MESSAGE_MAX_BYTES ||
        memcmp(bytes, "OGAM", 4) != 0 || bytes[4] != LAYOUT)
        return false;
    const uint8_t *at = bytes + CRC_AT;
    return get(&at, 4) == crc32_of(bytes, CRC_AT);
}

int arb_message_decode(const void *bytes, size_t len_bytes, struct arb_message *ret_message)
{
    const uint8_t *start = bytes;
    if (!is_sound(start, len_bytes))
        return -EBADMSG;

    const uint8_t *at = start + 5;
    const uint32_t node = (uint32_t)get(&at, 1), phase = (uint32_t)get(&at, 1);
    const uint32_t disk = (uint32_t)get(&at, 1), link = (uint32_t)get(&at, 1);
    const uint32_t mode = (uint32_t)get(&at, 1), owner = (uint32_t)get(&at, 1);
    const uint32_t flags = (uint32_t)get(&at, 1);
    if (!is_node(node) || phase >= ARB_PHASE_COUNT || disk >= ARB_DISK_COUNT ||
        link >= ARB_LINK_COUNT || !is_right(mode, owner) || flags > FLAG_ALL)
        return -EBADMSG;

    struct arb_message message = {
        .node = node,
        .phase = (enum arb_phase)phase,
        .disk = (enum arb_disk)disk,
        .link = (enum arb_link)link,
        .candidate = (flags & FLAG_CANDIDATE) != 0,
        .leaving = (flags & FLAG_LEAVING) != 0,
        .holds_vip = (flags & FLAG_HOLDS_VIP) != 0,
        .preferred = (flags & FLAG_PREFERRED) != 0,
        .fresh = (flags & FLAG_FRESH) != 0,
        .primary = (flags & FLAG_PRIMARY) != 0,
        .right = {.mode = (enum arb_mode)mode, .owner = owner},
    };
    message.version_low = (uint32_t)get(&at, 4);
    message.version_high = (uint32_t)get(&at, 4);
    message.right.term = get(&at, 8);
    message.right.seq = get(&at, 8);
    message.last_active_term = get(&at, 8);
    message.run_seen = get(&at, 8);
    message.run_agreed = get(&at, 8);
    message.outdate_term = get(&at, 8);
    message.outdated_term = get(&at, 8);
    message.constants_digest = get(&at, 8);
    message.generation = get(&at, 8);
    if (message.version_low > message.version_high)
        return -EBADMSG;
    *ret_message = message;
    return 0;
}
