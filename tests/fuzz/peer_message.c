/* Heartbeat datagrams: raw bytes, and the same bytes signed with the right key, so that the fuzzer
 * also reaches what lies behind the authentication. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ha/peer_message.h"
#include "lib/common/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* assert() is silent in a release build */
static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char key[] = "a key that the fuzzer knows too";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct peer_message message;
    (void)peer_message_read(data, size_bytes, key, sizeof(key), &message);

    uint8_t bytes[PEER_MESSAGE_MAX_BYTES];
    if (size_bytes > sizeof(bytes) - PEER_MESSAGE_MAC_BYTES)
        return 0;
    memcpy(bytes, data, size_bytes);
    secrets_hmac_sha256(key, sizeof(key), bytes, size_bytes, bytes + size_bytes);
    if (peer_message_read(bytes, size_bytes + PEER_MESSAGE_MAC_BYTES, key, sizeof(key), &message) <
        0)
        return 0;

    uint8_t again[PEER_MESSAGE_MAX_BYTES];
    size_t again_bytes = peer_message_write(&message, key, sizeof(key), again);
    must(again_bytes == size_bytes + PEER_MESSAGE_MAC_BYTES);
    bytes[9] = 0; /* the flags are not kept */
    must(memcmp(again, bytes, size_bytes) == 0);

    struct peer_guard guard = {.own_node = 1, .peer_node = 2, .own_session = 1};
    for (unsigned link = 0; link <= PEER_MESSAGE_LINKS; link++)
        if (peer_guard_judge(&guard, &message, link) == PEER_ACCEPT)
            must(peer_guard_judge(&guard, &message, link) == PEER_REPLAY);
    return 0;
}
