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
    bool read;                    /* kept by calls.c: its calls were read since the link is up */
    struct device *next_parted;   /* of the user's `parted` */
};

struct user {
    TAILQ_ENTRY(user) of_all;
    uint64_t serial; /* grows in the order of adding, from 1; never used again */
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
    bool confirmed;                           /* used while a reload compares memory and database */
    struct device *parted;                    /* former devices that legs may point at */
};
TAILQ_HEAD(user_list, user);

/* The same as plain values; texts are borrowed. */
struct device_record {
    const char *number;
    enum device_type type;
    const char *model; /* NULL: not known */
};
struct user_record { /* what the PBX's directory tells */
    const char *node;
    const char *first_name, *last_name;             /* never NULL */
    struct device_record devices[USER_DEVICES_MAX]; /* main device first */
    unsigned device_count;                          /* at least 1 */
};
struct user_account { /* what the database knows beside it; NULL: none */
    const char *external_login, *mail, *gui_language, *password_hash;
};

struct users;
struct users *users_new(void);        /* NULL: no memory */
void users_free(struct users *users); /* NULL is fine */
size_t users_count(const struct users *users);
struct user *users_first(const struct users *users); /* in the order of adding; then TAILQ_NEXT */

/* A walk over several turns of the loop; start it as {0}. Users may come and go between the steps:
 * nobody who stays is left out or met twice. */
struct users_walk {
    uint64_t serial; /* of the user met last */
    char login[USER_LOGIN_CHARS];
};
struct user *users_walk_on(const struct users *users, struct users_walk *walk); /* NULL: the end */

/* "oxe18002" or the bare number "18002"; also an external login. NULL: unknown. */
struct user *users_find(const struct users *users, const char *login_or_number);
struct user *users_find_login(const struct users *users, const char *login); /* exact O2G login */
/* By the number of any device. */
struct device *users_find_device(const struct users *users, const char *number);

/* --- changes: after the commit ------------------------------------------------------------------
 */

/* "oxe" + number; the number must fit. */
void user_login_of(const char *number, char out[USER_LOGIN_CHARS]);
/* Secondary devices that another user has are left out: he must give them up before. account NULL:
 * nothing. -EEXIST: the login, the external login or the main number is another user's; -EINVAL: a
 * number is too long or there is none; -ENOSPC: USERS_MAX; -ENOMEM. */
int users_add(struct users *users, const struct user_record *record,
              const struct user_account *account, struct user **ret_user);
/* Names and devices; node and main number stay, another user's devices are left out. Devices that
 * stay are the same objects; those that go while the user has calls are kept aside, since legs
 * point at them. -EINVAL or -ENOMEM: the user is as before. */
int users_change(struct users *users, struct user *user, const struct user_record *record);
/* Replaces all four; texts may be the user's own. -EEXIST: somebody else has the external login;
 * -ENOMEM; the user is as before then. */
int users_set_account(struct users *users, struct user *user, const struct user_account *account);
/* Frees it; his calls must be gone (calls_forget). */
void users_remove(struct users *users, struct user *user);

bool user_matches(const struct user *user, const struct user_record *record);
struct user_account user_account_of(const struct user *user); /* borrowed from the user */

const char *user_phone(const struct user *user); /* companyPhone: number of the main device */
struct device *user_find_device(const struct user *user, const char *number); /* NULL: not his */

#endif
