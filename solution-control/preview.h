/* preview.h - what would happen, told by the arbiter itself and changing nothing. */
#ifndef OG_SOLUTION_PREVIEW_H
#define OG_SOLUTION_PREVIEW_H

#include "ha/arbiter.h"
#include "lib/common/buf.h"

/* Appends {"ok":true,"checks":[{"what","ok","todo"}…]}, or with "ok":false and "error", the
 * sentence that the order itself would be refused with. `todo` stands where a check fails. */
void preview_switchover_json(const struct arb_config *config, const struct arb_state *state,
                             const struct arb_facts *facts, struct buf *out);

#endif
