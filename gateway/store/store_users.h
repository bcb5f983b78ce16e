/* store_users.h - the users in PostgreSQL: what the PBXs' directories told, what people set
 * (password, language), and whom an administrator has left out.
 *
 * Every call carries any number of users in one statement. The rules of store.h hold: `done` comes
 * after COMMIT, -EAGAIN while the database is away. */
#ifndef OG_GATEWAY_STORE_USERS_H
#define OG_GATEWAY_STORE_USERS_H

#include "gateway/model/users.h"
#include "gateway/store/store.h"

struct store_user { /* borrowed during the call */
    const char *login;
    struct user_record record;
    struct user_account account;
    bool left_out; /* no user, although the PBX has the subscriber */
};

/* Adds users or replaces their names and devices. bring_back: those left out are users again. */
int store_save_users(struct store *store, const struct user_record *records, size_t count,
                     bool bring_back, store_done_fn done, void *context);
/* The users' rows, passwords, credentials and sessions, also those that supervise them. */
int store_remove_users(struct store *store, const char *const *logins, size_t count,
                       store_done_fn done, void *context);
/* The same, but the subscriber stays known as left out. */
int store_leave_out_user(struct store *store, const char *login, store_done_fn done, void *context);
/* The new hash; the user's other credentials end. spared: the one that stays, NULL for none.
 * Administrators who act for the user stay. */
int store_set_password(struct store *store, const char *login, const char *hash,
                       const struct digest *spared, store_done_fn done, void *context);
int store_set_language(struct store *store, const char *login, const char *gui_language,
                       store_done_fn done, void *context);

#endif
