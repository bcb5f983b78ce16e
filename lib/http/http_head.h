/* http_head.h - finds the end of a message head and refuses line shapes that servers and proxies
 * are known to read in different ways (request smuggling): bare LF, bare CR, folded lines, lines
 * without name, stray spaces in the request line. Pure. The real parser gets exactly the head's
 * bytes after this. */
#ifndef OG_HTTP_HTTP_HEAD_H
#define OG_HTTP_HTTP_HEAD_H

#include <stddef.h>

enum http_head_result {
    HTTP_HEAD_MORE,    /* all bytes belong to the head, its end has not come */
    HTTP_HEAD_SKIP,    /* the consumed bytes are empty lines before the head: drop them */
    HTTP_HEAD_END,     /* the consumed bytes complete the head */
    HTTP_HEAD_BARE_CR, /* CR without LF */
    HTTP_HEAD_BARE_LF, /* LF without CR */
    HTTP_HEAD_FOLDED,  /* a header line that goes on in the next line */
    HTTP_HEAD_NO_NAME, /* a header line without name, ": value" */
    HTTP_HEAD_SPACES,  /* a request line whose parts are not parted by one space */
};
enum http_head_state {
    HTTP_HEAD_STATE_BEFORE, /* start value */
    HTTP_HEAD_STATE_BEFORE_CR,
    HTTP_HEAD_STATE_FIRST_LINE,
    HTTP_HEAD_STATE_FIRST_LINE_SPACE,
    HTTP_HEAD_STATE_LINE,
    HTTP_HEAD_STATE_LINE_CR,
    HTTP_HEAD_STATE_NEXT_LINE,
    HTTP_HEAD_STATE_END_CR,
};

/* Looks at the next bytes; *ret_consumed <= len_bytes. After END set the state to BEFORE for the
 * next message. */
enum http_head_result http_head_scan(enum http_head_state *state, const char *bytes,
                                     size_t len_bytes, size_t *ret_consumed);

#endif
