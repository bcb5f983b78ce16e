/* roxed_preview.h - what would happen, as text for a person. Reads only the daemon's answer. */
#ifndef OG_CLI_ROXED_PREVIEW_H
#define OG_CLI_ROXED_PREVIEW_H

#include "cli/roxed_status.h"
#include "lib/common/buf.h"
#include "lib/common/json.h"

/* The preconditions of a switchover, each with ok or not ok and what to do, and the result.
 * ROXED_HEALTHY: possible; ROXED_DEGRADED: not; ROXED_SILENT: the answer is not of this form. */
enum roxed_exit roxed_preview_add_checks(struct buf *out, const cJSON *answer);

/* What would be decided after a fault, step by step. ROXED_HEALTHY, or ROXED_SILENT as above. */
enum roxed_exit roxed_preview_add_steps(struct buf *out, const cJSON *answer);

#endif
