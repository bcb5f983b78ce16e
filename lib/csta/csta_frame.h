/* csta_frame.h - CSTA messages on a TCP stream (ECMA-323, annex "CSTA XML without SOAP over TCP"):
 *
 *     00 00 | length, 16 bits, high byte first | invoke identifier, 4 ASCII digits | XML
 *
 * The length counts these eight bytes too, so a frame has 8 to 65535 bytes. A request carries a
 * number that its answer repeats; both sides number their own requests independently. 9999 marks
 * what needs no answer.
 *
 * The reader is fed bytes cut anywhere and gives whole frames. It has no idea of time or sockets.
 * After an error the stream cannot be understood any more: close the connection. */
#ifndef OG_CSTA_FRAME_H
#define OG_CSTA_FRAME_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <stddef.h>

enum {
    CSTA_HEAD_BYTES = 8,
    CSTA_FRAME_BYTES_MAX = 65535,
    CSTA_XML_BYTES_MAX = CSTA_FRAME_BYTES_MAX - CSTA_HEAD_BYTES,
    CSTA_INVOKE_EVENT = 9999,
    CSTA_INVOKE_MAX = 9998, /* of a request; after it comes 1 again */
};

struct csta_frames { /* start it as {0} */
    struct buf bytes;
    size_t taken_bytes; /* given out by csta_frames_next() */
};

struct csta_pdu {
    unsigned invoke;  /* 0 to 9999 */
    const char *xml;  /* not NUL-terminated; valid until the next call with these frames */
    size_t len_bytes; /* may be 0 */
};

/* Takes bytes as they came. -ENOMEM. */
int csta_frames_add(struct csta_frames *frames, const void *bytes, size_t len_bytes);
/* 1: *ret_pdu is the next whole frame; 0: more bytes are needed; -EPROTO: format indicator, length
 * or digits are wrong, also for every later call. Call it until it no longer returns 1. */
int csta_frames_next(struct csta_frames *frames, struct csta_pdu *ret_pdu, struct diag *diag);
void csta_frames_done(struct csta_frames *frames); /* leaves {0}: for the next connection */

/* Appends one frame. -EMSGSIZE when the XML has more than CSTA_XML_BYTES_MAX bytes, -EINVAL when
 * invoke is above 9999, -ENOMEM; nothing was appended then. */
int csta_frame_write(struct buf *out, unsigned invoke, const char *xml, size_t len_bytes);

#endif
