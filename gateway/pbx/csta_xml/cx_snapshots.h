/* cx_snapshots.h - the calls of one device, gathered: first the list of its calls, then the parties
 * of each call by a request of its own. Pure.
 *
 * An event of the device that comes between the list and the last answer makes the whole worthless
 * (the PBX has told something newer): mark it overtaken and begin again.
 * Source: ECMA-269 snapshot services. */
#ifndef OG_GATEWAY_CX_SNAPSHOTS_H
#define OG_GATEWAY_CX_SNAPSHOTS_H

#include "gateway/pbx/pbx.h"
#include "lib/csta/csta.h"

enum { CX_SNAPSHOT_CALLS_MAX = 64 };

struct cx_snapshot;
struct cx_snapshot *cx_snapshot_new(void); /* NULL: no memory */
void cx_snapshot_free(struct cx_snapshot *snapshot);

/* The calls of an answer to SnapshotDevice, or of a segment. 0 or -ENOMEM. */
int cx_snapshot_add_calls(struct cx_snapshot *snapshot, const struct csta_message *list);
/* The connection to ask about next; false: nothing is left to ask. Borrowed. */
bool cx_snapshot_next(const struct cx_snapshot *snapshot, struct csta_connection *ret_connection);
/* Its answer; its memory is taken over. NULL: the PBX has none, the call goes without parties. */
void cx_snapshot_answer(struct cx_snapshot *snapshot, struct csta_message *answer);

void cx_snapshot_overtake(struct cx_snapshot *snapshot);
bool cx_snapshot_is_overtaken(const struct cx_snapshot *snapshot);

/* What there is, as pbx.h wants it; lives until the next call. -ENOMEM. */
int cx_snapshot_calls(struct cx_snapshot *snapshot, const char *number,
                      const struct pbx_snapshot_call **ret_calls, size_t *ret_count);

#endif
