#include "lib/http/http_head.h"

#include <stdbool.h>

/* Empty lines before a request line are allowed (RFC 9112, 2.2): some clients send one too many. */
static enum http_head_result scan_before(enum http_head_state *state, const char *bytes,
                                         size_t len_bytes, size_t *ret_consumed)
{
    size_t i = 0;
    for (; i < len_bytes; i++) {
        bool after_cr = *state == HTTP_HEAD_STATE_BEFORE_CR;
        if (bytes[i] == '\n') {
            if (!after_cr)
                return HTTP_HEAD_BARE_LF;
            *state = HTTP_HEAD_STATE_BEFORE;
        } else if (after_cr) {
            return HTTP_HEAD_BARE_CR;
        } else if (bytes[i] == '\r') {
            *state = HTTP_HEAD_STATE_BEFORE_CR;
        } else {
            *state = HTTP_HEAD_STATE_FIRST_LINE;
            break;
        }
    }
    *ret_consumed = i;
    return HTTP_HEAD_SKIP;
}

static enum http_head_result scan_byte(enum http_head_state *state, char byte)
{
    bool after_cr = *state == HTTP_HEAD_STATE_LINE_CR || *state == HTTP_HEAD_STATE_END_CR;
    if (after_cr && byte != '\n')
        return HTTP_HEAD_BARE_CR;
    if (!after_cr && byte == '\n')
        return HTTP_HEAD_BARE_LF;
    if (*state == HTTP_HEAD_STATE_END_CR)
        return HTTP_HEAD_END;
    bool at_start = *state == HTTP_HEAD_STATE_NEXT_LINE;
    bool after_space = *state == HTTP_HEAD_STATE_FIRST_LINE_SPACE;
    bool in_first = after_space || *state == HTTP_HEAD_STATE_FIRST_LINE;
    if (after_space && (byte == ' ' || byte == '\r'))
        return HTTP_HEAD_SPACES;
    if (after_cr)
        *state = HTTP_HEAD_STATE_NEXT_LINE;
    else if (byte == '\r')
        *state = at_start ? HTTP_HEAD_STATE_END_CR : HTTP_HEAD_STATE_LINE_CR;
    else if (at_start && (byte == ' ' || byte == '\t'))
        return HTTP_HEAD_FOLDED;
    else if (at_start && byte == ':')
        return HTTP_HEAD_NO_NAME;
    else if (in_first)
        *state = byte == ' ' ? HTTP_HEAD_STATE_FIRST_LINE_SPACE : HTTP_HEAD_STATE_FIRST_LINE;
    else
        *state = HTTP_HEAD_STATE_LINE;
    return HTTP_HEAD_MORE;
}

enum http_head_result http_head_scan(enum http_head_state *state, const char *bytes,
                                     size_t len_bytes, size_t *ret_consumed)
{
    *ret_consumed = 0;
    if (*state == HTTP_HEAD_STATE_BEFORE || *state == HTTP_HEAD_STATE_BEFORE_CR) {
        enum http_head_result result = scan_before(state, bytes, len_bytes, ret_consumed);
        if (result != HTTP_HEAD_SKIP || *ret_consumed > 0 || len_bytes == 0)
            return result;
    }
    for (size_t i = 0; i < len_bytes; i++) {
        enum http_head_result result = scan_byte(state, bytes[i]);
        if (result != HTTP_HEAD_MORE) {
            *ret_consumed = i + 1;
            return result;
        }
    }
    *ret_consumed = len_bytes;
    return HTTP_HEAD_MORE;
}
