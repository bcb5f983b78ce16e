/* Fuzz target: everything that drbd/ reads from the DRBD tools. */
#include "drbd/drbdctl_command.h"
#include "drbd/drbdctl_events.h"
#include "drbd/drbdctl_generation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* The state is the same however the stream was cut, and never leaves its tables. */
static void feed_events(const char *bytes, size_t len_bytes)
{
    static struct drbdctl_events whole, cut;
    drbdctl_events_init(&whole, "og");
    drbdctl_events_init(&cut, "og");
    (void)drbdctl_events_feed(&whole, bytes, len_bytes, 1);
    for (size_t at = 0, piece; at < len_bytes; at += piece) {
        piece = 1 + (unsigned char)bytes[at] % 7;
        if (piece > len_bytes - at)
            piece = len_bytes - at;
        (void)drbdctl_events_feed(&cut, bytes + at, piece, 1);
    }
    if (memcmp(&whole.state, &cut.state, sizeof(whole.state)) != 0)
        abort();
    const struct drbdctl_state *state = &whole.state;
    if (state->role >= DRBDCTL_ROLE_COUNT || state->disk >= DRBDCTL_DISK_COUNT ||
        state->peer_disk >= DRBDCTL_DISK_COUNT || state->connection >= DRBDCTL_CONNECTION_COUNT ||
        state->replication >= DRBDCTL_REPLICATION_COUNT || state->progress.done_permille > 1000)
        abort();
    char text[DRBDCTL_WORD_MAX];
    (void)drbdctl_suspended_text(state->suspended, text);
    drbdctl_events_restart(&whole);
    if (whole.state.valid)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    char *text = malloc(size_bytes + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size_bytes);
    text[size_bytes] = '\0';
    feed_events(text, size_bytes);
    struct drbdctl_generation generation;
    if (drbdctl_generation_parse(text, size_bytes, &generation, NULL) == 0 &&
        drbdctl_generation_compare(&generation, &generation) >= DRBDCTL_RELATION_COUNT)
        abort();
    if (drbdctl_result_of(1, text) == DRBDCTL_RESULT_OK)
        abort();
    free(text);
    return 0;
}
