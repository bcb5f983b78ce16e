/* beat.h - the heartbeat row: proof that the database takes writes. Requests are committed in
 * groups: what comes in while a commit is under way waits for the next one, so a commit always
 * begins after the request it answers; commits begin at most every BEAT_SPACING_MS, so nobody can
 * wear the disk. The beat also commits by itself every BEAT_OWN_MS for the health socket. */
#ifndef OG_GATEWAY_BEAT_H
#define OG_GATEWAY_BEAT_H

#include "gateway/store/store.h"

enum {
    BEAT_SPACING_MS = 4,
    BEAT_OWN_MS = 2000,
    BEAT_RETRY_MS = 20, /* until the first commit, and while the database is away */
    BEAT_FRESH_MS = 6000,
    BEAT_WAITING_MAX = 2000,
};

struct beat;
struct beat *beat_new(uv_loop_t *loop, struct store *store); /* NULL: no memory */
/* Waiting requests end with -EAGAIN. Before the store is closed, beat_cut() does that; after that
 * it is freed. NULL is fine for both. */
void beat_cut(struct beat *beat);
void beat_free(struct beat *beat);
/* done: 0 and the row's counter after COMMIT, or -EAGAIN. -EBUSY when too many wait, -ENOMEM. */
int beat_request(struct beat *beat, store_heartbeat_fn done, void *context);
/* Time since the answer of the last commit; UINT64_MAX when there was none. */
uint64_t beat_age_ms(const struct beat *beat);
bool beat_is_fresh(const struct beat *beat); /* the last commit succeeded, not long ago */

#endif
