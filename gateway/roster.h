/* roster.h - what follows when a user comes, changes or goes, after the commit: the model, the
 * monitors of his devices, his calls and sessions, and the events for those who watch.
 *
 * Source: contract of the users service, section Events. */
#ifndef OG_GATEWAY_ROSTER_H
#define OG_GATEWAY_ROSTER_H

#include "gateway/gateway.h"
#include "gateway/model/users.h"

/* NULL: he is there already, or cannot be taken (logged). OnUserCreated. */
struct user *roster_add(struct gateway *gateway, const struct user_record *record,
                        const struct user_account *account);
/* OnUserInfoChanged. */
void roster_change(struct gateway *gateway, struct user *user, const struct user_record *record);
/* His calls and sessions end, also those of administrators who act for him. OnUserDeleted. */
void roster_remove(struct gateway *gateway, struct user *user);

/* The sessions of a user but the one spared (NULL: all); administrators who act for him stay. */
void roster_end_sessions(struct gateway *gateway, const char *login, const struct digest *spared);

#endif
