/* scripted_peer.h - a PBX for tests, on the test's own loop: answers everything properly unless the
 * test told it otherwise, and holds each message of the gateway against the schema (csta_check). */
#ifndef OG_TEST_SCRIPTED_PEER_H
#define OG_TEST_SCRIPTED_PEER_H

#include "lib/csta/csta.h"
#include "lib/csta/csta_frame.h"

#include <uv.h>

enum { PEER_CALLS_MAX = 16 };

struct peer_call { /* between two phones */
    const char *id;
    const char *from, *to;
    enum csta_local from_local, to_local;
};

struct scripted_peer {
    /* The script; change it at any time. */
    unsigned first_number, devices;      /* the list of stations */
    unsigned per_segment;                /* 0: all in one */
    bool numbered_segments;              /* as requests of the PBX instead of 9999 */
    bool early_segments;                 /* before the answer that names the list */
    bool mute[CSTA_TYPE_COUNT];          /* takes such a request and never answers */
    const char *refuse[CSTA_TYPE_COUNT]; /* "operation.invalidDeviceID": answers so */
    bool snapshot_segments;              /* lists of calls come in segments */
    enum csta_version version;           /* agreed on; NONE: the first one offered */
    const char *refuse_session;          /* a word of ECMA-354 */
    int64_t granted_s;
    struct peer_call calls[PEER_CALLS_MAX]; /* id NULL: none */
    size_t cut_bytes; /* output leaves in pieces of so many bytes; 0: as it comes */
    bool hang_up;     /* closes each new connection at once */
    /* Sees each message first; true: it was dealt with. */
    bool (*message)(void *context, unsigned invoke_id, const struct csta_message *message);
    void *context;

    /* What happened. */
    unsigned connections;           /* so far */
    unsigned seen[CSTA_TYPE_COUNT]; /* messages of each type */
    unsigned bad_messages;          /* that csta_check() refused; the first one's text: */
    char why_bad[512];
    char last_name[64]; /* of the last message */

    uv_loop_t *loop;
    uv_tcp_t *listener;                 /* NULL: away */
    struct peer_connection *connection; /* the latest */
    int port;
};

void peer_open(struct scripted_peer *peer, uv_loop_t *loop); /* on a free port of 127.0.0.1 */
void peer_leave(struct scripted_peer *peer);                 /* nobody listens any more */
void peer_return(struct scripted_peer *peer);                /* on the same port */
void peer_close(struct scripted_peer *peer); /* run the loop until nothing is left */
void peer_drop(struct scripted_peer *peer);  /* the present connection */
void peer_stop_reading(struct scripted_peer *peer);
void peer_send(struct scripted_peer *peer, unsigned invoke_id, const struct csta_message *message);
void peer_send_xml(struct scripted_peer *peer, unsigned invoke_id, const char *xml);
void peer_send_bytes(struct scripted_peer *peer, const void *bytes, size_t len_bytes);
/* An event of the device's monitor; the monitor's identifier is filled in. */
void peer_event(struct scripted_peer *peer, const char *number, const struct csta_message *event);

#endif
