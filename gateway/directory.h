/* directory.h - keeps the users equal to the directories of the PBXs.
 *
 * A reading of a PBX's directory is compared with the users of its node (users_compare.h); the
 * difference goes to the database in groups of DIRECTORY_GROUP users, deletions first, and after
 * each commit to memory, monitors and events (roster.h). One reading at a time, over all nodes,
 * since two nodes may list the same number; a newer one of a node replaces one that waits. While
 * the database is away a reading waits and is compared anew. A drastic loss of users is believed
 * when a second reading says the same.
 *
 * Users whom an administrator has removed stay left out although the PBX has them, until he brings
 * them back. */
#ifndef OG_GATEWAY_DIRECTORY_H
#define OG_GATEWAY_DIRECTORY_H

#include "gateway/gateway.h"
#include "gateway/model/users.h"
#include "gateway/pbx/pbx.h"
#include "gateway/store/store_users.h"

enum { DIRECTORY_GROUP = 1000, DIRECTORY_RETRY_MS = 1000 };

struct directory;
struct directory *directory_new(struct gateway *gateway); /* NULL: no memory */
void directory_free(struct directory *directory);         /* after the store; NULL is fine */

/* What a PBX's directory says now; copied. */
void directory_apply(struct gateway *gateway, const char *node, const struct pbx_device *devices,
                     size_t count);

/* --- the store's load --------------------------------------------------------------------------
 * Merged into memory: what is missing is added, what the database has no more goes. The end comes
 * before sessions without user are looked for. */
void directory_load_begin(struct gateway *gateway);
void directory_load_user(void *context, const struct store_user *loaded); /* context: gateway */
void directory_load_end(struct gateway *gateway);

/* --- administrators ----------------------------------------------------------------------------
 */

/* Removes a user and leaves him out from now on. Errors and `done` as in store.h. */
int directory_leave_out(struct gateway *gateway, const char *login, store_done_fn done,
                        void *context);

struct directory_wish {
    const char *node;
    const char *const *numbers; /* NULL: everybody whom the directory has */
    size_t count;
    char *ret_unknown; /* numbers that the PBX does not have, "41, 42": as fit */
    size_t unknown_cap_bytes;
};
/* Makes subscribers users who are not. -EAGAIN: the node's directory has not been read since the
 * start, or the database is away; -ENOENT: some numbers are unknown, see ret_unknown; nothing is
 * changed then. logins: the users named, in that order and each once, also those who were users
 * already; for everybody those who became users. Borrowed during done. */
typedef void (*directory_done_fn)(void *context, int error, const char *const *logins,
                                  size_t count);
int directory_bring_back(struct gateway *gateway, const struct directory_wish *wish,
                         directory_done_fn done, void *context);

#endif
