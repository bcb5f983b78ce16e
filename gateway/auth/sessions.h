/* sessions.h - the credentials and sessions of this gateway, in memory. No I/O; the clock is a
 * parameter (CLOCK_BOOTTIME, so that setting the machine's time ends nothing).
 *
 * A credential comes from authentication; it may then open one session. Both are one object here,
 * since the credential's cookie is all that a request brings along. PostgreSQL holds the truth:
 * objects are added after the commit and removed after the commit; see store/.
 *
 * An idle session lives its announced time to live and a margin (a tenth and 30 s), because clients
 * send their keep-alive as late as at the announced time. Expiry is kept as remaining time: what a
 * node that takes over loads counts from its own start, and is at least TAKEOVER_GRANT_S. */
#ifndef OG_GATEWAY_SESSIONS_H
#define OG_GATEWAY_SESSIONS_H

#include "gateway/digest_table.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum { SESSION_TAKEOVER_GRANT_S = 120, SESSION_ID_CHARS = 24, SESSIONS_MAX = 60000 };

struct subscription;
TAILQ_HEAD(subscription_list, subscription);

struct account { /* all that share a login */
    struct digest_link by_login;
    TAILQ_HEAD(, session) sessions;
    char login[];
};

struct session {
    struct digest_link by_credential; /* key: SHA-256 of the credential */
    TAILQ_ENTRY(session) of_all;
    TAILQ_ENTRY(session) of_account;
    struct account *account;
    bool administrator; /* has an administrator's rights: not while it acts for a user */
    char *supervisor;   /* login of the administrator who acts for the account; NULL: nobody */
    bool opened;        /* else only a credential so far */
    bool opening;       /* its row is on the way */
    bool ending;        /* the deletion of its row is on the way */
    bool touched;       /* used since the last flush */
    bool confirmed;     /* used while a reload compares memory and database */
    uint64_t deadline_ms;
    char id[SESSION_ID_CHARS]; /* shown to other sessions of the account; no secret */
    char *application;         /* NULL until opened */
    int64_t opened_at_ms;      /* wall clock */
    struct subscription_list subscriptions;
    unsigned subscription_count, subscriptions_coming;
};

TAILQ_HEAD(session_list, session);
struct sessions {
    struct digest_table by_credential, accounts;
    struct session_list all;
    int64_t ttl_s;
};

void sessions_init(struct sessions *sessions, int64_t ttl_s);
void sessions_done(struct sessions *sessions); /* no session may have subscriptions any more */

struct session_birth {
    const struct digest *credential;
    const char *login;
    bool administrator;
    int64_t remaining_s; /* 0: the full time */
};
/* -EEXIST, -ENOSPC (SESSIONS_MAX), -ENOMEM. */
int sessions_add(struct sessions *sessions, const struct session_birth *birth, uint64_t now_ms,
                 struct session **ret_session);
/* The credential has opened a session. 0 or -ENOMEM. */
int session_open(struct session *session, const char *id, const char *application,
                 int64_t opened_at_ms);
/* An administrator's session becomes one of the user with this login. 0 or -ENOMEM. */
int session_supervise(struct sessions *sessions, struct session *session, const char *login);
/* All that share a login; NULL: there are none. Removing the last one removes the account. */
struct account *sessions_find_account(const struct sessions *sessions, const char *login);
/* The live object of a credential's digest; NULL when unknown, ending, or past its deadline. */
struct session *sessions_find(const struct sessions *sessions, const struct digest *credential,
                              uint64_t now_ms);
/* The same, also when it is ending or past its deadline. */
struct session *sessions_find_any(const struct sessions *sessions, const struct digest *credential);
void sessions_touch(const struct sessions *sessions, struct session *session, uint64_t now_ms);
/* Seconds left until the deadline, at least 1. */
int64_t session_remaining_s(const struct session *session, uint64_t now_ms);
/* The login that the session acts for: the supervised user's, else the owner's. Borrowed. */
const char *session_login(const struct session *session);
/* Frees it; its subscriptions must be gone. */
void sessions_remove(struct sessions *sessions, struct session *session);

#endif
