#include "lib/http/http_head.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Scans the text cut into pieces of piece_bytes; *ret_at says where the scanning stopped. */
static enum http_head_result scan(const char *text, size_t piece_bytes, size_t *ret_at)
{
    enum http_head_state state = HTTP_HEAD_STATE_BEFORE;
    enum http_head_result result = HTTP_HEAD_MORE;
    size_t len = strlen(text), at = 0;
    while (at < len) {
        size_t piece = len - at < piece_bytes ? len - at : piece_bytes, consumed = 0;
        result = http_head_scan(&state, text + at, piece, &consumed);
        at += consumed;
        if (result != HTTP_HEAD_MORE && result != HTTP_HEAD_SKIP)
            break;
        assert_true(consumed > 0);
    }
    *ret_at = at;
    return result;
}

static const struct {
    const char *text;
    enum http_head_result result;
    size_t head_bytes; /* where the head ends */
} rows[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_HEAD_END, 27},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\nBODY", HTTP_HEAD_END, 27},
    {"\r\n\r\nGET / HTTP/1.1\r\n\r\n", HTTP_HEAD_END, 22},
    {"GET / HTTP/1.1\r\nHost: a\r\n", HTTP_HEAD_MORE, 25},
    {"GET / HTTP/1.1\r\nHost: a\r", HTTP_HEAD_MORE, 24},
    {"\r\n", HTTP_HEAD_SKIP, 2},
    {"GET / HTTP/1.1\nHost: a\n\n", HTTP_HEAD_BARE_LF, 0},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", HTTP_HEAD_BARE_LF, 0},
    {"GET / HTTP/1.1\r\nHost: a\r\n\n", HTTP_HEAD_BARE_LF, 0},
    {"\nGET", HTTP_HEAD_BARE_LF, 0},
    {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", HTTP_HEAD_BARE_CR, 0},
    {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", HTTP_HEAD_BARE_CR, 0},
    {"GET / HTTP/1.1\r\n\rX", HTTP_HEAD_BARE_CR, 0},
    {"\rGET", HTTP_HEAD_BARE_CR, 0},
    {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", HTTP_HEAD_FOLDED, 0},
    {"GET / HTTP/1.1\r\nA: b\r\n: c\r\n\r\n", HTTP_HEAD_NO_NAME, 0},
    {"GET  / HTTP/1.1\r\n\r\n", HTTP_HEAD_SPACES, 0},
    {"GET / HTTP/1.1 \r\n\r\n", HTTP_HEAD_SPACES, 0},
    {"GET / HTTP/1.1\r\nA:  b  c \r\n\r\n", HTTP_HEAD_END, 29},
    {"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", HTTP_HEAD_FOLDED, 0},
};

static void heads_end_where_they_should_however_they_are_cut(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
            size_t at = 0;
            assert_int_equal(scan(rows[i].text, piece, &at), rows[i].result);
            if (rows[i].head_bytes > 0)
                assert_int_equal(at, rows[i].head_bytes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_end_where_they_should_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
