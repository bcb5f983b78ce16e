/* pg.h - asynchronous PostgreSQL connection on the event loop (libpq, never blocking).
 *
 * One `struct pg` is one connection with a queue of statements; statements are sent with the
 * extended protocol, parameters apart from the text. A statement's callback comes exactly once,
 * from the loop: with its rows or the server's error, in both cases only after the server said
 * ReadyForQuery, so a success is a committed one; or without an answer:
 *
 *   -ENOTCONN    its time ran out before it was sent: surely not carried out
 *   -ETIMEDOUT   its time ran out after it was sent; the outcome on the server is UNKNOWN
 *   -ECONNRESET  the connection ended first; UNKNOWN when it had been sent, and the result says so
 *
 * When a sent statement times out the connection is closed. Statements queued while the connection
 * is down wait for the next one; those that a connection has seen never move to another connection
 * (they may belong to its transaction). With `keep` the connection is re-opened with back-off
 * (0.1 ... 2 s). libpq may change its descriptor while connecting; the poll handle follows it. */
#ifndef OG_COMMON_PG_H
#define OG_COMMON_PG_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { PG_QUEUE_MAX = 10000 };

struct pg;

struct pg_options {
    const char *const *keywords; /* libpq keyword/value pairs, NULL-terminated; copied */
    const char *const *values; /* host must be an address or a socket folder: no DNS on the loop */
    uint64_t connect_timeout_ms; /* own timer, since PQconnectPoll has none */
    bool keep;                   /* reconnect by itself */
    bool pipeline;               /* many statements in flight; else one at a time */
    const char *const *prelude;  /* NULL or NULL-terminated statements run after each connect */
    /* Each change; also each failed attempt (up false, why says it; why is NULL when up). NULL
     * fine. Not called by pg_close(). Callbacks may call anything of this header. */
    void (*state)(void *context, bool up, const struct diag *why);
    void *context;
};

struct pg_result {
    int error; /* 0, -ENOTCONN, -ETIMEDOUT, -ECONNRESET (see above), -EPROTO server error */
    bool outcome_unknown; /* the statement may or may not have been carried out */
    char sqlstate[6];     /* with -EPROTO */
    const char *message;  /* for people, "" without an error; borrowed */
    int rows, columns;
    int affected;       /* rows changed by an INSERT, UPDATE or DELETE */
    const void *handle; /* PGresult */
};
const char *pg_value(const struct pg_result *result, int row, int column);   /* NULL for SQL null */
int64_t pg_value_int64(const struct pg_result *result, int row, int column); /* 0 for SQL null */

typedef void (*pg_done_fn)(void *context, const struct pg_result *result);

/* Starts connecting. -EINVAL when the host would need DNS (give hostaddr beside a name), -ENOMEM.
 */
int pg_open(uv_loop_t *loop, const struct pg_options *options, struct pg **ret_pg,
            struct diag *diag);
bool pg_is_up(const struct pg *pg);
/* Queues one statement (no ';' lists, no COPY). sql and params (text; NULL = SQL null) are copied.
 * timeout_ms > 0 counts from this call. done NULL: the result is dropped. Returns 0, -ENOBUFS when
 * PG_QUEUE_MAX wait or are under way, -ENOTCONN when the connection has ended without `keep`, or
 * -ENOMEM; on an error done is not called. */
int pg_query(struct pg *pg, const char *sql, const char *const *params, int param_count,
             uint64_t timeout_ms, pg_done_fn done, void *context);
/* Ends the pause of the back-off: a connection that waits for its next attempt begins it now, and
 * the back-off starts anew. Does nothing while one is up or under way. */
void pg_hasten(struct pg *pg);
/* Drops the connection now (all waiting callbacks get -ECONNRESET) and starts a new one. */
void pg_reset(struct pg *pg);
/* Ends everything: waiting callbacks come with -ECONNRESET before this returns; memory goes in the
 * last close callback. NULL is fine. */
void pg_close(struct pg *pg);

#endif
