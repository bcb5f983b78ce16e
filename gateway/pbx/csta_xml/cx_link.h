/* cx_link.h - the TCP connection to a PBX: opens it, opens it again when it is lost (the two
 * addresses in turn, waiting 0.5 s, doubled after each round up to 30 s, give or take a fifth), and
 * cuts the stream into frames (ECMA-323 annex on TCP). Addresses are numeric: no name is looked up.
 *
 * Output that waits is bounded: a PBX that does not read loses the connection. Everything is told
 * from the loop, never from inside a call of these functions but cx_link_drop(). */
#ifndef OG_GATEWAY_CX_LINK_H
#define OG_GATEWAY_CX_LINK_H

#include "gateway/pbx/pbx_settings.h"

enum {
    CX_LINK_BACKOFF_FIRST_MS = 500,
    CX_LINK_BACKOFF_MAX_MS = 30000,
    CX_LINK_CONNECT_MS = 5000,           /* for one attempt */
    CX_LINK_STEADY_MS = 10000,           /* a connection that lived so long forgets the back-off */
    CX_LINK_OUTPUT_MAX = 8 * 1024 * 1024 /* bytes that may wait */
};

struct cx_link_events {
    void (*connected)(void *context);
    /* Once for each connection that came up, and for each attempt that failed. */
    void (*lost)(void *context, bool was_connected, const char *why);
    /* A frame. xml is borrowed and not terminated. cx_link_drop() is allowed, free is not. */
    void (*frame)(void *context, unsigned invoke_id, const char *xml, size_t len_bytes);
    void *context;
};

struct cx_link;
int cx_link_new(uv_loop_t *loop, const struct pbx_settings *settings,
                const struct cx_link_events *events, struct cx_link **ret_link, struct diag *diag);
/* Hands what waits to the kernel as far as it takes it, then closes. Nothing is told. NULL: fine.
 */
void cx_link_free(struct cx_link *link);

/* 0; -EAGAIN: no connection; -ENOBUFS: too much waits, the connection is about to be lost;
 * -EMSGSIZE: longer than a frame can be; -ENOMEM. */
int cx_link_send(struct cx_link *link, unsigned invoke_id, const char *xml, size_t len_bytes);
/* Gives the connection up, tells it, and tries again after the back-off. */
void cx_link_drop(struct cx_link *link, const char *why);
/* "192.0.2.1:2555", "[2001:db8::1]:2555": of the present or last attempt. */
const char *cx_link_address(const struct cx_link *link);

/* The wait before attempt number `attempt` (0 is the first again) with `addresses` addresses;
 * random: any number, spreads the result by a fifth. Pure. */
uint64_t cx_link_backoff_ms(unsigned attempt, unsigned addresses, uint32_t random);

#endif
