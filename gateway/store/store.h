/* store.h - what the gateway keeps in PostgreSQL: credentials, sessions, subscriptions, and the
 * heartbeat row; users see store_users.h. Everything is asynchronous; `done` comes after COMMIT.
 *
 * Two connections. All changes of sessions and subscriptions go through one pipelined connection,
 * in order; it holds an advisory lock and ends what is left of its predecessors, so no statement of
 * an earlier connection can be carried out behind our back. Heartbeats have a connection of their
 * own. Subscriptions are committed in groups: while one group is under way the next one gathers.
 *
 * After each connect the writing connection migrates the schema and loads everything; the gateway
 * merges what it gets with what it has in memory, which settles statements of unknown outcome.
 *
 * Secrets stand in the database as SHA-256 digests only. */
#ifndef OG_GATEWAY_STORE_H
#define OG_GATEWAY_STORE_H

#include "gateway/digest_table.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct store;

struct store_session { /* borrowed during the call */
    struct digest credential;
    const char *login;
    bool administrator;
    int64_t remaining_s;
    const char *id; /* NULL: a credential without session */
    const char *application;
    const char *supervised; /* login of the user for whom an administrator acts; NULL: none */
    int64_t opened_at_ms;
};
struct store_subscription {
    struct digest id, credential;
    const char *filter; /* JSON */
    int64_t timeout_min;
};

struct store_user; /* store_users.h */

struct store_events {
    /* A load: begin, each user, session, subscription, end. Nothing else comes in between. */
    void (*load_begin)(void *context);
    void (*load_user)(void *context, const struct store_user *user);
    void (*load_session)(void *context, const struct store_session *session);
    void (*load_subscription)(void *context, const struct store_subscription *subscription);
    void (*load_end)(void *context); /* store_is_ready() is true from here on */
    void (*down)(void *context);     /* the database is away */
    void *context;
};

struct store_options {
    const char *host, *port, *database, *user; /* host: socket folder */
    struct store_events events;
};

int store_open(uv_loop_t *loop, const struct store_options *options, struct store **ret_store,
               struct diag *diag);
/* Open statements end with -EAGAIN before this returns. NULL is fine. */
void store_close(struct store *store);
/* Somebody knows that the database may be there: do not wait out the back-off. */
void store_hasten(struct store *store);
/* Loaded and connected. While it is not, every call below answers -EAGAIN. */
bool store_is_ready(const struct store *store);

/* error: 0 committed; -EAGAIN the database is away or refused it (or the outcome is unknown: the
 * next load tells); -ENOENT what it belongs to is gone. Comes from the loop, once; when the call
 * itself returned an error it does not come. */
typedef void (*store_done_fn)(void *context, int error);

int store_add_credential(struct store *store, const struct store_session *session,
                         store_done_fn done, void *context);
int store_open_session(struct store *store, const struct store_session *session, store_done_fn done,
                       void *context);
/* Credentials with their sessions and subscriptions. */
int store_remove_credentials(struct store *store, const struct digest *credentials, size_t count,
                             store_done_fn done, void *context);
int store_add_subscription(struct store *store, const struct store_subscription *subscription,
                           store_done_fn done, void *context);
int store_remove_subscriptions(struct store *store, const struct digest *ids, size_t count,
                               store_done_fn done, void *context);

struct store_remaining {
    struct digest credential;
    int64_t remaining_s;
};
int store_flush_remaining(struct store *store, const struct store_remaining *items, size_t count,
                          store_done_fn done, void *context);

/* counter: the row's new value. Works as soon as the schema is there. */
typedef void (*store_heartbeat_fn)(void *context, int error, int64_t counter);
int store_heartbeat(struct store *store, store_heartbeat_fn done, void *context);

#endif
