/* roxed_history.h - the list of decisions as text, and the times that --since understands. Pure. */
#ifndef OG_CLI_ROXED_HISTORY_H
#define OG_CLI_ROXED_HISTORY_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* One line an entry, oldest first, local time; a sentence when there is none. */
void roxed_history_add(struct buf *out, const cJSON *entries);

/* "90s", "10m", "2h", "3d" ago; "today", "yesterday", "HH:MM", "YYYY-MM-DD",
 * "YYYY-MM-DD HH:MM[:SS]" in local time ('T' is as good as the space). 0 or -EINVAL. */
int roxed_history_parse_when(const char *text, int64_t now_s, int64_t *ret_at_s, struct diag *diag);

#endif
