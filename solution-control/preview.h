/* preview.h - what would happen, told by the arbiter itself and changing nothing. */
#ifndef OG_SOLUTION_PREVIEW_H
#define OG_SOLUTION_PREVIEW_H

#include "ha/arbiter_simulate.h"
#include "lib/common/buf.h"

/* Appends {"ok":true,"checks":[{"what","ok","todo"}…]}, or with "ok":false and "error", the
 * sentence that the order itself would be refused with. `todo` stands where a check fails. */
void preview_switchover_json(const struct arb_config *config, const struct arb_state *state,
                             const struct arb_facts *facts, struct buf *out);

/* Appends {"ok":true,"fault","text","assumed","steps":[{"at_ms","phase","row","reason","alarm",
 * "address","actions":[…],"answer"}…],"end","took_ms"}; the first step is the present. */
void preview_fault_json(const struct arb_config *config, const struct arb_state *state,
                        const struct arb_facts *facts, enum arb_fault fault, struct buf *out);

#endif
