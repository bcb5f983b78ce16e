#include "ha/peer_message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/common/secrets.h"

_Static_assert((int)PEER_MESSAGE_MAC_BYTES == (int)SECRETS_SHA256_BYTES, "HMAC-SHA256");

static const uint8_t magic[4] = {'O', 'G', 'H', 'B'};

static void put64(uint8_t *out, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

static uint64_t get64(const uint8_t *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

size_t peer_message_write(const struct peer_message *message, const void *key, size_t key_bytes,
                          uint8_t out[PEER_MESSAGE_MAX_BYTES])
{
    assert(message->payload_bytes <= PEER_MESSAGE_PAYLOAD_MAX_BYTES);
    memcpy(out, magic, sizeof(magic));
    out[4] = message->version_low;
    out[5] = message->version_high;
    out[6] = message->from_node;
    out[7] = message->to_node;
    out[8] = message->link;
    out[9] = 0;
    out[10] = (uint8_t)(message->payload_bytes >> 8);
    out[11] = (uint8_t)message->payload_bytes;
    put64(out + 12, message->session);
    put64(out + 20, message->counter);
    put64(out + 28, message->sent_ms);
    put64(out + 36, message->echo_session);
    put64(out + 44, message->echo_ms[0]);
    put64(out + 52, message->echo_ms[1]);
    memcpy(out + PEER_MESSAGE_HEAD_BYTES, message->payload, message->payload_bytes);
    const size_t signed_bytes = PEER_MESSAGE_HEAD_BYTES + (size_t)message->payload_bytes;
    secrets_hmac_sha256(key, key_bytes, out, signed_bytes, out + signed_bytes);
    return signed_bytes + PEER_MESSAGE_MAC_BYTES;
}

int peer_message_read(const uint8_t *bytes, size_t len_bytes, const void *key, size_t key_bytes,
                      struct peer_message *ret_message)
{
    if (len_bytes < PEER_MESSAGE_HEAD_BYTES + PEER_MESSAGE_MAC_BYTES ||
        len_bytes > PEER_MESSAGE_MAX_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
        return -EBADMSG;
    const size_t payload_bytes = (size_t)bytes[10] << 8 | bytes[11];
    const size_t signed_bytes = len_bytes - PEER_MESSAGE_MAC_BYTES;
    if (signed_bytes != PEER_MESSAGE_HEAD_BYTES + payload_bytes)
        return -EBADMSG;

    uint8_t mac[PEER_MESSAGE_MAC_BYTES];
    secrets_hmac_sha256(key, key_bytes, bytes, signed_bytes, mac);
    if (!secrets_equal(mac, bytes + signed_bytes, sizeof(mac)))
        return -EACCES;
    /* From here on the bytes come from a holder of the key. */
    if (bytes[4] > PEER_MESSAGE_VERSION_HIGH || bytes[5] < PEER_MESSAGE_VERSION_LOW)
        return -EPROTONOSUPPORT;

    *ret_message = (struct peer_message){
        .version_low = bytes[4],
        .version_high = bytes[5],
        .from_node = bytes[6],
        .to_node = bytes[7],
        .link = bytes[8],
        .session = get64(bytes + 12),
        .counter = get64(bytes + 20),
        .sent_ms = get64(bytes + 28),
        .echo_session = get64(bytes + 36),
        .echo_ms = {get64(bytes + 44), get64(bytes + 52)},
        .payload_bytes = (uint16_t)payload_bytes,
    };
    memcpy(ret_message->payload, bytes + PEER_MESSAGE_HEAD_BYTES, payload_bytes);
    return 0;
}

/* --- the guard ----------------------------------------------------------------------------- */

static bool is_retired(const struct peer_guard *guard, uint64_t session)
{
    for (unsigned i = 0; i < guard->retired_count; i++)
        if (guard->retired[i] == session)
            return true;
    return false;
}

static enum peer_verdict judge_unproven(struct peer_guard *guard)
{
    if (guard->retired_count < PEER_MESSAGE_RETIRED_MAX)
        return PEER_CHALLENGE;
    /* The list is full. A new session of ours makes every old datagram void, so the list may go. */
    guard->retired_count = 0;
    guard->peer_session = 0;
    memset(guard->last_counter, 0, sizeof(guard->last_counter));
    return PEER_RENEW;
}

enum peer_verdict peer_guard_judge(struct peer_guard *guard, const struct peer_message *message,
                                   unsigned link)
{
    if (message->from_node != guard->peer_node || message->to_node != guard->own_node ||
        message->link != link || link >= PEER_MESSAGE_LINKS || message->session == 0)
        return PEER_FOREIGN;

    if (message->session == guard->peer_session) {
        if (message->counter <= guard->last_counter[link] ||
            message->echo_session != guard->own_session)
            return PEER_REPLAY;
        guard->last_counter[link] = message->counter;
        return PEER_ACCEPT;
    }
    if (is_retired(guard, message->session))
        return PEER_REPLAY;
    /* Another session: believed only when it repeats what only a living peer can know. */
    if (message->echo_session != guard->own_session)
        return judge_unproven(guard);
    if (guard->peer_session != 0) {
        if (guard->retired_count == PEER_MESSAGE_RETIRED_MAX)
            return judge_unproven(guard);
        guard->retired[guard->retired_count++] = guard->peer_session;
    }
    guard->peer_session = message->session;
    memset(guard->last_counter, 0, sizeof(guard->last_counter));
    guard->last_counter[link] = message->counter;
    return PEER_ACCEPT;
}
