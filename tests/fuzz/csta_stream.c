/* csta_stream.c - any bytes from a PBX. The first byte cuts the rest into pieces; the pieces must
 * give the same frames as the whole. What reads as a message is written, and from then on reading
 * and writing must go round without a change. */
#include "lib/csta/csta.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool read_one(const char *xml, size_t len_bytes, struct csta_message *message)
{
    struct diag diag = {0};
    int r = csta_read(xml, len_bytes, message, &diag);
    require(r == 0 ? message->name[0] != '\0' : r == -EPROTO && diag.text[0] != '\0');
    return r == 0;
}

static void check_identifier(const char *id)
{
    struct csta_device_parts parts, again;
    if (id == NULL || csta_device_parse(id, &parts) < 0)
        return;
    struct buf text = {0};
    if (csta_device_format(&parts, &text) == 0) {
        require(csta_device_parse(text.data, &again) == 0);
        require(strcmp(parts.number, again.number) == 0 && strcmp(parts.name, again.name) == 0);
    }
    buf_done(&text);
}

/* Only an enormous message may be lost in writing: "&" and what is not ASCII take more room. */
static void check_message(const char *xml, size_t len_bytes)
{
    struct csta_message message = {0}, again = {0};
    if (!read_one(xml, len_bytes, &message))
        return;
    check_identifier(message.calling.device.id);
    check_identifier(message.connection.device.id);
    struct buf first = {0}, second = {0};
    struct diag diag = {0};
    int r =
        message.type == CSTA_UNKNOWN ? -EMSGSIZE : csta_write(&message, CSTA_ED6, &first, &diag);
    require(r == 0 || r == -EMSGSIZE);
    if (r == 0) {
        require(read_one(first.data, first.len_bytes, &again));
        require(again.type == message.type && again.local == message.local);
        require(csta_write(&again, CSTA_ED6, &second, &diag) == 0);
        require(first.len_bytes == second.len_bytes &&
                memcmp(first.data, second.data, first.len_bytes) == 0);
        csta_message_done(&again);
    }
    csta_message_done(&message);
    buf_done(&first);
    buf_done(&second);
}

/* Copies what comes out of the frames, one behind the other, each in a frame again. */
static int drain(struct csta_frames *frames, struct buf *out)
{
    struct csta_pdu pdu = {0};
    struct diag diag = {0};
    int r = 0;
    while ((r = csta_frames_next(frames, &pdu, &diag)) == 1)
        require(csta_frame_write(out, pdu.invoke, pdu.xml, pdu.len_bytes) == 0);
    require(r == 0 || (r == -EPROTO && diag.text[0] != '\0'));
    return r;
}

static void check_pieces(const uint8_t *data, size_t size_bytes, size_t piece_bytes,
                         const struct buf *whole)
{
    struct csta_frames frames = {0};
    struct buf pieces = {0};
    int r = 0;
    for (size_t at = 0; at < size_bytes && r == 0; at += piece_bytes) {
        size_t rest = size_bytes - at;
        require(csta_frames_add(&frames, data + at, rest < piece_bytes ? rest : piece_bytes) == 0);
        r = drain(&frames, &pieces);
    }
    require(pieces.len_bytes == whole->len_bytes &&
            (whole->len_bytes == 0 || memcmp(pieces.data, whole->data, whole->len_bytes) == 0));
    buf_done(&pieces);
    csta_frames_done(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    if (size_bytes < 1)
        return 0;
    struct csta_frames frames = {0};
    struct buf whole = {0};
    require(csta_frames_add(&frames, data + 1, size_bytes - 1) == 0);
    (void)drain(&frames, &whole);
    csta_frames_done(&frames);
    require(whole.len_bytes <= size_bytes - 1);
    check_pieces(data + 1, size_bytes - 1, 1 + (size_t)data[0], &whole);

    struct csta_pdu pdu = {0};
    require(whole.len_bytes == 0 || csta_frames_add(&frames, whole.data, whole.len_bytes) == 0);
    while (csta_frames_next(&frames, &pdu, NULL) == 1)
        check_message(pdu.xml, pdu.len_bytes);
    csta_frames_done(&frames);
    buf_done(&whole);
    return 0;
}
