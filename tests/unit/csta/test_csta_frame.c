#include "lib/csta/csta_frame.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

/* A frame around `xml_bytes` times 'x'. */
static void add_frame(struct buf *out, unsigned invoke, size_t xml_bytes)
{
    char *xml = malloc(xml_bytes + 1);
    assert_non_null(xml);
    memset(xml, 'x', xml_bytes);
    assert_int_equal(csta_frame_write(out, invoke, xml, xml_bytes), 0);
    free(xml);
}

static void assert_next(struct csta_frames *frames, unsigned invoke, size_t xml_bytes)
{
    struct csta_pdu pdu = {0};
    struct diag diag = {0};
    assert_int_equal(csta_frames_next(frames, &pdu, &diag), 1);
    assert_int_equal(pdu.invoke, invoke);
    assert_int_equal(pdu.len_bytes, xml_bytes);
    for (size_t i = 0; i < xml_bytes; i++)
        assert_int_equal(pdu.xml[i], 'x');
}

static void assert_none(struct csta_frames *frames)
{
    struct csta_pdu pdu = {.invoke = 4711};
    struct diag diag = {0};
    assert_int_equal(csta_frames_next(frames, &pdu, &diag), 0);
    assert_int_equal(pdu.invoke, 4711);
}

static void known_heads_are_written(void **state)
{
    (void)state;
    static const struct {
        unsigned invoke;
        size_t xml_bytes;
        unsigned char head[CSTA_HEAD_BYTES];
    } known[] = {
        /* a session's start of 423 bytes, a product's event of 1003 */
        {1, 415, {0x00, 0x00, 0x01, 0xa7, 0x30, 0x30, 0x30, 0x31}},
        {CSTA_INVOKE_EVENT, 995, {0x00, 0x00, 0x03, 0xeb, 0x39, 0x39, 0x39, 0x39}},
        {0, 0, {0x00, 0x00, 0x00, 0x08, 0x30, 0x30, 0x30, 0x30}},
        {42, CSTA_XML_BYTES_MAX, {0x00, 0x00, 0xff, 0xff, 0x30, 0x30, 0x34, 0x32}},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        AUTO(buf_done) struct buf out = {0};
        add_frame(&out, known[i].invoke, known[i].xml_bytes);
        assert_int_equal(out.len_bytes, CSTA_HEAD_BYTES + known[i].xml_bytes);
        assert_memory_equal(out.data, known[i].head, CSTA_HEAD_BYTES);

        struct csta_frames frames = {0};
        assert_int_equal(csta_frames_add(&frames, out.data, out.len_bytes), 0);
        assert_next(&frames, known[i].invoke, known[i].xml_bytes);
        assert_none(&frames);
        csta_frames_done(&frames);
    }
}

static void more_than_a_frame_takes_is_refused_and_nothing_is_appended(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = {0};
    static const char much[CSTA_XML_BYTES_MAX + 1];
    buf_adds(&out, "before");
    assert_int_equal(csta_frame_write(&out, 1, much, sizeof(much)), -EMSGSIZE);
    assert_int_equal(csta_frame_write(&out, 10000, "<a/>", 4), -EINVAL);
    assert_string_equal(out.data, "before");
}

static void frames_cut_at_every_byte_come_out_whole(void **state)
{
    (void)state;
    static const unsigned invokes[] = {1, CSTA_INVOKE_EVENT, 2};
    AUTO(buf_done) struct buf stream = {0};
    add_frame(&stream, 1, 5);
    add_frame(&stream, CSTA_INVOKE_EVENT, 0);
    add_frame(&stream, 2, 17);
    for (size_t cut = 0; cut <= stream.len_bytes; cut++) {
        struct csta_frames frames = {0};
        struct csta_pdu pdu = {0};
        size_t got = 0;
        const size_t ends[] = {0, cut, stream.len_bytes};
        for (unsigned part = 0; part < 2; part++) {
            assert_int_equal(
                csta_frames_add(&frames, stream.data + ends[part], ends[part + 1] - ends[part]), 0);
            for (; csta_frames_next(&frames, &pdu, NULL) == 1; got++)
                assert_int_equal(pdu.invoke, invokes[got]);
        }
        assert_int_equal(got, 3);
        csta_frames_done(&frames);
    }
}

static void bytes_one_by_one_give_frames_at_their_last_byte(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf stream = {0};
    add_frame(&stream, 7, 30);
    add_frame(&stream, 8, 30);
    struct csta_frames frames = {0};
    for (size_t i = 0; i < stream.len_bytes; i++) {
        assert_int_equal(csta_frames_add(&frames, stream.data + i, 1), 0);
        if (i == 37)
            assert_next(&frames, 7, 30);
        else if (i == 75)
            assert_next(&frames, 8, 30);
        assert_none(&frames);
    }
    csta_frames_done(&frames);
}

static void many_frames_in_one_piece_come_in_their_order(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf stream = {0};
    for (unsigned i = 0; i < 1000; i++)
        add_frame(&stream, i, i % 7);
    struct csta_frames frames = {0};
    assert_int_equal(csta_frames_add(&frames, stream.data, stream.len_bytes), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_next(&frames, i, i % 7);
    assert_none(&frames);
    csta_frames_done(&frames);
}

static void a_frame_of_64_kib_is_taken_in_pieces(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf stream = {0};
    add_frame(&stream, 3, CSTA_XML_BYTES_MAX);
    add_frame(&stream, 4, CSTA_XML_BYTES_MAX);
    struct csta_frames frames = {0};
    size_t fed_bytes = 0;
    for (unsigned invoke = 3; invoke <= 4; invoke++) {
        while (fed_bytes < (invoke - 2) * (size_t)CSTA_FRAME_BYTES_MAX) {
            assert_none(&frames);
            size_t piece =
                fed_bytes + 1000 < stream.len_bytes ? 1000 : stream.len_bytes - fed_bytes;
            assert_int_equal(csta_frames_add(&frames, stream.data + fed_bytes, piece), 0);
            fed_bytes += piece;
        }
        assert_next(&frames, invoke, CSTA_XML_BYTES_MAX);
    }
    csta_frames_done(&frames);
}

static void wrong_heads_end_the_stream_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len_bytes;
        const char *reason;
    } wrong[] = {
        {BYTES("\0\1\0\x0c"
               "0001"
               "<a/>"),
         "format indicator 00 01"},
        {BYTES("\1\0\0\x0c"
               "0001"
               "<a/>"),
         "format indicator 01 00"},
        {BYTES("<?xml version"), "format indicator 3c 3f"},
        {BYTES("\0\0\0\0"
               "0001"),
         "length 0"},
        {BYTES("\0\0\0\7"
               "0001"),
         "length 7"},
        {BYTES("\0\0\0\x0c"
               "00a1"
               "<a/>"),
         "invoke identifier 30 30 61 31"},
        {BYTES("\0\0\0\x0c"
               "-001"
               "<a/>"),
         "invoke identifier 2d"},
        {BYTES("\0\0\0\x0c"
               "  1 "
               "<a/>"),
         "invoke identifier 20"},
        {BYTES("\0\0\0\x0c"
               "\0\0\0\0"
               "<a/>"),
         "invoke identifier 00"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct csta_frames frames = {0};
        struct csta_pdu pdu = {0};
        struct diag diag = {0};
        assert_int_equal(csta_frames_add(&frames, wrong[i].bytes, wrong[i].len_bytes), 0);
        assert_int_equal(csta_frames_next(&frames, &pdu, &diag), -EPROTO);
        if (strstr(diag.text, wrong[i].reason) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", diag.text, wrong[i].reason);
        assert_int_equal(csta_frames_add(&frames, BYTES("\0\0\0\x0c"
                                                        "0001"
                                                        "<a/>")),
                         0);
        assert_int_equal(csta_frames_next(&frames, &pdu, &diag), -EPROTO); /* for good */
        csta_frames_done(&frames);
    }
}

static void what_came_before_a_wrong_head_is_still_given(void **state)
{
    (void)state;
    struct csta_frames frames = {0};
    struct csta_pdu pdu = {0};
    assert_int_equal(csta_frames_add(&frames, BYTES("\0\0\0\x09"
                                                    "0001"
                                                    "x"
                                                    "HTTP/1.1")),
                     0);
    assert_next(&frames, 1, 1);
    assert_int_equal(csta_frames_next(&frames, &pdu, NULL), -EPROTO);
    csta_frames_done(&frames);
}

static void a_reader_that_is_done_starts_afresh(void **state)
{
    (void)state;
    struct csta_frames frames = {0};
    assert_int_equal(csta_frames_add(&frames, BYTES("\0\0\0\x20"
                                                    "0001"
                                                    "half")),
                     0);
    csta_frames_done(&frames);
    assert_int_equal(csta_frames_add(&frames, BYTES("\0\0\0\x09"
                                                    "0002"
                                                    "x")),
                     0);
    assert_next(&frames, 2, 1);
    csta_frames_done(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_heads_are_written),
        cmocka_unit_test(more_than_a_frame_takes_is_refused_and_nothing_is_appended),
        cmocka_unit_test(frames_cut_at_every_byte_come_out_whole),
        cmocka_unit_test(bytes_one_by_one_give_frames_at_their_last_byte),
        cmocka_unit_test(many_frames_in_one_piece_come_in_their_order),
        cmocka_unit_test(a_frame_of_64_kib_is_taken_in_pieces),
        cmocka_unit_test(wrong_heads_end_the_stream_with_a_reason),
        cmocka_unit_test(what_came_before_a_wrong_head_is_still_given),
        cmocka_unit_test(a_reader_that_is_done_starts_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
