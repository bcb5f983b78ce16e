/* cx_session.h - the application session (ECMA-354): begun when the connection is there, renewed at
 * half its time, ended on purpose; or none, where a PBX works without. Then, and in silence, the
 * state of the PBX is asked: no answer means that the link is dead.
 *
 * Sources: ECMA-354 sections 6 to 8; ECMA-269 system services. */
#ifndef OG_GATEWAY_CX_SESSION_H
#define OG_GATEWAY_CX_SESSION_H

#include "lib/csta/csta.h"

enum {
    CX_SILENCE_MS = 30000,   /* without a frame: ask for a sign of life */
    CX_READ_AGAIN_MS = 5000, /* between two readings of everything */
    CX_SESSION_MIN_S = 2, /* a PBX that grants less or more is renewed as if it had granted this */
    CX_SESSION_MAX_S = 86400
};

struct cx;
struct cx_session { /* {0} while there is none */
    char *id;
    uint64_t renew_at_ms;   /* 0: no renewal is due */
    bool asking;            /* for a sign of life */
    bool messages_lost;     /* by the PBX: everything is to be read, ... */
    uint64_t read_again_ms; /* ... not before this */
    bool refused;           /* kept over connections: offer one edition at a time, ... */
    unsigned offered;       /* ... this one, counted from the first connection on */
};

void cx_session_start(struct cx *cx); /* the connection is there */
void cx_session_heard(struct cx *cx); /* a message has come */
void cx_session_tick(struct cx *cx, uint64_t now_ms);
void cx_session_stop(struct cx *cx);  /* on purpose: tells the PBX */
void cx_session_clear(struct cx *cx); /* the connection is gone */
/* SystemStatus, RequestSystemStatus: always answered, with the same invoke identifier. */
void cx_session_status(struct cx *cx, unsigned invoke_id, const struct csta_message *message);

#endif
