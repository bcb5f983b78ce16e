#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <string.h>

/* What was given out is dropped here and not in csta_frames_next(), since its reader still holds
 * it; moving the rest once for each arrival keeps the whole linear. */
int csta_frames_add(struct csta_frames *frames, const void *bytes, size_t len_bytes)
{
    struct buf *kept = &frames->bytes;
    if (frames->taken_bytes > 0) {
        kept->len_bytes -= frames->taken_bytes;
        memmove(kept->data, kept->data + frames->taken_bytes, kept->len_bytes);
        frames->taken_bytes = 0;
    }
    buf_add(kept, bytes, len_bytes);
    return kept->failed ? -ENOMEM : 0;
}

static int read_digits(const unsigned char *digits, unsigned *ret_invoke)
{
    unsigned invoke = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -EPROTO;
        invoke = invoke * 10 + (digits[i] - '0');
    }
    *ret_invoke = invoke;
    return 0;
}

int csta_frames_next(struct csta_frames *frames, struct csta_pdu *ret_pdu, struct diag *diag)
{
    size_t have_bytes = frames->bytes.len_bytes - frames->taken_bytes;
    if (have_bytes < CSTA_HEAD_BYTES)
        return 0;
    const char *frame = frames->bytes.data + frames->taken_bytes;
    unsigned char head[CSTA_HEAD_BYTES];
    memcpy(head, frame, sizeof(head));

    if (head[0] != 0 || head[1] != 0)
        return diag_fail(diag, -EPROTO,
                         "CSTA frame: format indicator %02x %02x instead of 00 00: not CSTA XML",
                         head[0], head[1]);
    size_t len_bytes = (size_t)head[2] << 8 | head[3];
    if (len_bytes < CSTA_HEAD_BYTES)
        return diag_fail(diag, -EPROTO,
                         "CSTA frame: length %zu, less than its own head of %d bytes", len_bytes,
                         CSTA_HEAD_BYTES);
    unsigned invoke = 0;
    if (read_digits(head + 4, &invoke) < 0)
        return diag_fail(diag, -EPROTO,
                         "CSTA frame: invoke identifier %02x %02x %02x %02x is not four digits",
                         head[4], head[5], head[6], head[7]);
    if (have_bytes < len_bytes)
        return 0;
    frames->taken_bytes += len_bytes;
    *ret_pdu = (struct csta_pdu){
        .invoke = invoke, .xml = frame + CSTA_HEAD_BYTES, .len_bytes = len_bytes - CSTA_HEAD_BYTES};
    return 1;
}

void csta_frames_done(struct csta_frames *frames)
{
    buf_done(&frames->bytes);
    *frames = (struct csta_frames){0};
}

int csta_frame_write(struct buf *out, unsigned invoke, const char *xml, size_t len_bytes)
{
    if (len_bytes > CSTA_XML_BYTES_MAX)
        return -EMSGSIZE;
    if (invoke > CSTA_INVOKE_EVENT)
        return -EINVAL;
    size_t frame_bytes = len_bytes + CSTA_HEAD_BYTES;
    const unsigned char start[] = {0, 0, (unsigned char)(frame_bytes >> 8),
                                   (unsigned char)(frame_bytes & 0xff)};
    size_t before_bytes = out->len_bytes;
    buf_add(out, start, sizeof(start));
    buf_addf(out, "%04u", invoke);
    buf_add(out, xml, len_bytes);
    if (!out->failed)
        return 0;
    out->len_bytes = before_bytes;
    return -ENOMEM;
}
