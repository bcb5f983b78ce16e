/* pbxs.h - the PBXs of this gateway: a driver for each one in the settings, and who is monitored.
 *
 * Every device of every user is monitored while the user exists; links are opened once the users
 * have been loaded, so that a node that takes over begins with monitors, not with a directory. */
#ifndef OG_GATEWAY_PBXS_H
#define OG_GATEWAY_PBXS_H

#include "gateway/model/users.h"
#include "gateway/pbx/pbx.h"
#include "gateway/pbx/pbx_settings.h"

struct pbxs;

/* What the drivers tell goes to events; copied. NULL: no memory. */
struct pbxs *pbxs_new(uv_loop_t *loop, const struct pbx_events *events);
void pbxs_free(struct pbxs *pbxs); /* closes the links; NULL is fine */

/* Opens the links and monitors the users that are there; once, later calls do nothing. A PBX whose
 * driver cannot be opened is logged and left out. */
void pbxs_open(struct pbxs *pbxs, const struct pbx_settings *settings, unsigned count,
               const struct users *users);

/* The PBX of a user's node; NULL: not in the settings any more. */
struct pbx *pbxs_of(const struct pbxs *pbxs, const struct user *user);

/* The user is there, perhaps with more devices than before: his devices are monitored. */
void pbxs_monitor_user(struct pbxs *pbxs, const struct user *user);
/* He is about to go. */
void pbxs_unmonitor_user(struct pbxs *pbxs, const struct user *user);
/* One device of a node goes. */
void pbxs_unmonitor(struct pbxs *pbxs, const char *node, const char *number);

#endif
