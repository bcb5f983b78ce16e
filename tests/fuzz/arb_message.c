/* What comes from the peer: any bytes either are refused or survive a round trip unchanged. */
#include "ha/arb_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct arb_message message;
    if (arb_message_decode(data, size_bytes, &message) != 0)
        return 0;
    uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
    if (arb_message_encode(&message, bytes) != ARB_MESSAGE_BYTES ||
        memcmp(bytes, data, ARB_MESSAGE_BYTES) != 0)
        abort();
    return 0;
}
