/* snapshots.h - telephonic states told as events OnTelephonyState, on request.
 *
 * The events go to the subscriptions of the session that has asked, as far as they want them, and
 * to nobody else. All users at once are told a few at a time, and only as fast as the session's
 * listeners take them, so that the bounded queues lose nothing; users who go meanwhile are left
 * out, those who come are told too. A session has at most one such walk, asking again during it has
 * no effect. */
#ifndef OG_GATEWAY_SNAPSHOTS_H
#define OG_GATEWAY_SNAPSHOTS_H

#include "gateway/model/users.h"

struct gateway;
struct session;
struct snapshots;

enum {
    SNAPSHOTS_STEP_MS = 20,
    SNAPSHOTS_STEP_USERS = 200,    /* told at most in one step */
    SNAPSHOTS_PATIENCE_MS = 60000, /* without any progress, then the walk is given up */
};

struct snapshots *snapshots_new(struct gateway *gateway); /* NULL: no memory */
void snapshots_free(struct snapshots *snapshots);         /* NULL is fine */

/* One user, now. 0 or -ENOMEM. */
int snapshots_tell(struct snapshots *snapshots, const struct session *session,
                   const struct user *user);
/* All users, from the next step on. 0 or -ENOMEM. */
int snapshots_tell_everybody(struct snapshots *snapshots, const struct session *session);

#endif
