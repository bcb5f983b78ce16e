/* users.h - the users of the telephone systems and their devices, in memory. No I/O.
 *
 * A user is a subscriber of a PBX: login "oxe" + number of the main device. Users come from the
 * PBX's directory (users_compare) and lie in PostgreSQL, which holds the truth: an object is added,
 * changed and removed here after the commit. A node that takes over loads them from there and
 * answers before the PBX has been read again. Lookups are O(1).
 *
 * Source: contract of the users service; a main device comes first in a user's list. */
#ifndef OG_GATEWAY_USERS_H
#define OG_GATEWAY_USERS_H

#include "gateway/model/words.h"
#include "gateway/pbx/pbx.h"

#include <sys/queue.h>

enum {
    USER_LOGIN_CHARS = PBX_NUMBER_CHARS + 3,
    USER_NODE_CHARS = 16,
    USER_DEVICES_MAX = 8,
    USERS_MAX = 100000,
};

struct call; /* calls.h */

struct device {
    struct user *user;
    char number[PBX_NUMBER_CHARS]; /* deviceId of the interface */
    enum device_type type;
    char *model;                  /* subType; NULL: not known */
    enum operational_state state; /* UNKNOWN until the PBX has told */
};

struct user {
    TAILQ_ENTRY(user) of_all;
    char login[USER_LOGIN_CHARS];
    char node[USER_NODE_CHARS];
    char *first_name, *last_name;             /* never NULL */
    char *external_login, *mail;              /* NULL: none */
    char *gui_language;                       /* ISO 639-1, NULL: none chosen */
    char *password_hash;                      /* NULL: cannot log in */
    struct device *devices[USER_DEVICES_MAX]; /* main device first */
    unsigned device_count;                    /* at least 1 */
    enum user_state state;                    /* kept by calls.c */
    bool known;                               /* his calls have been read since the start */
    TAILQ_HEAD(call_list, call) calls;        /* kept by calls.c */
};
TAILQ_HEAD(user_list, user);

struct users;
struct users *users_new(void);        /* NULL: no memory */
void users_free(struct users *users); /* NULL is fine */
size_t users_count(const struct users *users);
struct user *users_first(const struct users *users); /* in the order of adding; then TAILQ_NEXT */

/* "oxe18002" or the bare number "18002"; also an external login. NULL: unknown. */
struct user *users_find(const struct users *users, const char *login_or_number);
struct user *users_find_login(const struct users *users, const char *login); /* exact O2G login */
/* By the number of any device. */
struct device *users_find_device(const struct users *users, const char *number);

const char *user_phone(const struct user *user); /* companyPhone: number of the main device */
struct device *user_find_device(const struct user *user, const char *number); /* NULL: not his */

#endif
