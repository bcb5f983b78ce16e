/* buf.h - growing byte string. Appending never fails visibly: on lack of memory `failed` is set,
 * later appends do nothing, and the caller checks once at the end. */
#ifndef OG_COMMON_BUF_H
#define OG_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated when not NULL */
    size_t len_bytes, cap_bytes;
    bool failed;
};

void buf_done(struct buf *buf); /* frees; leaves {0} */
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t len_bytes);
void buf_adds(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_json_string(struct buf *buf, const char *text); /* quotes included */
char *buf_take(struct buf *buf); /* caller frees; NULL when failed; leaves {0} */

#endif
