/* heartbeat.h - authenticated UDP heartbeats to the peer on both links, every 100 ms.
 *
 * Tells two things apart:
 *   last_heard_ms  when we last received a fresh heartbeat (our clock);
 *   contact_ms     the time (our clock) at which we sent the newest heartbeat that the peer has told
 *                  us it received: at that time the peer could still hear us. One-way loss shows here.
 * Both per link and over all links. All times are CLOCK_BOOTTIME ms; 0 means never.
 *
 * The callbacks may do everything but free the heartbeat. The payload is opaque here (struct arb_message, see the arbiter's codec); it goes out with every
 * heartbeat. Missing addresses, devices or routes do not stop a link: it tries on. */
#ifndef OG_HA_HEARTBEAT_H
#define OG_HA_HEARTBEAT_H

#include "ha/peer_message.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { HEARTBEAT_PORT = 7791, HEARTBEAT_INTERVAL_MS = 100, HEARTBEAT_LINKS = PEER_MESSAGE_LINKS };

struct heartbeat;

struct heartbeat_link_options {
    const char *device; /* NULL: any; else only this interface */
    const char *local;  /* our address on the link, text; NULL: the link is not used */
    const char *peer;   /* the peer's address on the link, text */
};

struct heartbeat_options {
    struct heartbeat_link_options links[HEARTBEAT_LINKS]; /* copied */
    uint16_t port;           /* 0: HEARTBEAT_PORT */
    unsigned own_node, peer_node; /* 1, 2 */
    const void *key;         /* cluster key, copied, wiped at the end */
    size_t key_bytes;        /* at least PEER_MESSAGE_KEY_MIN_BYTES */
    unsigned miss_ms;        /* a link with nothing heard for so long is down; 0: 250 (two missing) */
    /* a fresh heartbeat arrived; bytes valid during the call */
    void (*on_message)(void *context, unsigned link, const void *bytes, size_t len_bytes);
    /* a link went down or came up; also the first heartbeat after start; may be NULL */
    void (*on_link)(void *context, unsigned link, bool up);
    void *context;
};

int heartbeat_new(uv_loop_t *loop, const struct heartbeat_options *options,
                  struct heartbeat **ret_heartbeat, struct diag *diag);
/* Callbacks end at once. NULL is fine. */
void heartbeat_free(struct heartbeat *heartbeat);

/* Copies the payload; sent with the next heartbeat, and on every one after. -EMSGSIZE. */
int heartbeat_set_payload(struct heartbeat *heartbeat, const void *bytes, size_t len_bytes);
/* Sends on both links now, besides the rhythm. For news that matters (releases, terms). */
void heartbeat_send_now(struct heartbeat *heartbeat);

struct heartbeat_link_status {
    bool used, up;
    uint64_t last_heard_ms, contact_ms;
    uint64_t sent, send_errors, received;
    int last_send_error; /* 0 or -errno */
    uint64_t forged;     /* wrong authentication or layout */
    uint64_t replayed, foreign, unsupported;
    unsigned round_trip_ms; /* of the newest echo, upper bound; 0 unknown */
};
struct heartbeat_status {
    struct heartbeat_link_status links[HEARTBEAT_LINKS];
    uint64_t last_heard_ms, contact_ms; /* best of both links */
    unsigned links_up;
    uint8_t peer_version_low, peer_version_high; /* 0 before the first heartbeat */
};
void heartbeat_get_status(const struct heartbeat *heartbeat, struct heartbeat_status *ret_status);

#endif
