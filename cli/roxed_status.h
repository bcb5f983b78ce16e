/* roxed_status.h - the status of a node as text for a person.
 *
 * Pure: JSON in, text out. The input is what solution-control answered; any member may be missing
 * or of another type, and is then shown as "unknown". The first line alone tells what matters: the
 * role, since when, protected or not. The last line says what to do next. */
#ifndef OG_CLI_ROXED_STATUS_H
#define OG_CLI_ROXED_STATUS_H

#include "lib/common/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit codes of roxed; scripts rely on them. */
enum roxed_exit {
    ROXED_HEALTHY = 0,  /* active or standby, protected, no alarm; or: done */
    ROXED_DEGRADED = 1, /* anything else that answers; or: refused, failed */
    ROXED_USAGE = 2,
    ROXED_STOPPED = 3, /* solution-control does not run */
    ROXED_SILENT = 4,  /* it runs but does not answer */
};

struct roxed_look {
    bool colours;
    int64_t now_s; /* the clock, for "since"; 0: only how long ago */
};

/* ROXED_HEALTHY or ROXED_DEGRADED. */
enum roxed_exit roxed_status_judge(const cJSON *status);
/* The whole screen, each line with its end. */
void roxed_status_add(struct buf *out, const struct roxed_look *look, const cJSON *status);
/* The screen without an answer: state is ROXED_STOPPED or ROXED_SILENT, why one sentence. */
void roxed_status_add_unreachable(struct buf *out, const struct roxed_look *look,
                                  enum roxed_exit state, const char *why);
/* One line about where an order is now: "releasing: stop PostgreSQL". */
void roxed_status_add_progress(struct buf *out, const cJSON *status);
/* The phase's word ("active"), "" when unknown. Borrowed from the status. */
const char *roxed_status_phase(const cJSON *status);

#endif
