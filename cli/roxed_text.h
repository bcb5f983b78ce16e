/* roxed_text.h - pieces of text for a person's terminal.
 *
 * What came from the socket may carry words of the peer, of the kernel or of other programs: no
 * byte of it may move the cursor, start a new line or turn the direction of writing. */
#ifndef OG_CLI_ROXED_TEXT_H
#define OG_CLI_ROXED_TEXT_H

#include "lib/common/buf.h"

#include <stddef.h>
#include <stdint.h>

enum roxed_colour { ROXED_PLAIN, ROXED_GOOD, ROXED_WARN, ROXED_BAD, ROXED_BOLD };

/* Control and direction characters and bytes that are no UTF-8 become '?'. */
void roxed_add_safe(struct buf *out, const char *text);
/* The same, filled up with spaces to width characters. */
void roxed_add_padded(struct buf *out, const char *text, size_t width);
/* JSON that was found to be well-formed: such characters become \uXXXX, the value stays equal. */
void roxed_add_safe_json(struct buf *out, const char *json, size_t len_bytes);
/* "0.3 s", "42 s", "5 min 3 s", "2 h 5 min", "3 d 4 h" */
void roxed_add_duration(struct buf *out, uint64_t duration_ms);
/* "2026-11-24 01:02:03" in local time; at_s in seconds since 1970 */
void roxed_add_time(struct buf *out, int64_t at_s);

#endif
