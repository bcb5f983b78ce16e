/* pg.h - asynchronous PostgreSQL connection on the event loop (libpq, never blocking).
 *
 * One `struct pg` is one connection with a queue of statements; statements are sent with the
 * extended protocol, parameters apart from the text. A statement's callback comes exactly once:
 * with its rows, with the server's error, or with -ECONNRESET / -ETIMEDOUT when the connection
 * ended first; in that case the outcome on the server is UNKNOWN and the result says so. The
 * connection is closed on any time-out, and re-opened with back-off (0.1 … 2 s) when `keep` is set.
 * libpq may change its descriptor while connecting; the poll handle follows it. */
#ifndef OG_COMMON_PG_H
#define OG_COMMON_PG_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct pg;

struct pg_options {
    const char *const *keywords; /* libpq keyword/value pairs, NULL-terminated; copied */
    const char *const *values;   /* host must be an address or a socket folder: no DNS on the loop */
    uint64_t connect_timeout_ms; /* own timer, since PQconnectPoll has none */
    bool keep;                   /* reconnect by itself */
    bool pipeline;               /* many statements in flight; else one at a time */
    const char *const *prelude;  /* NULL or NULL-terminated statements run after each connect */
    void (*state)(void *context, bool up, const struct diag *why); /* may be NULL */
    void *context;
};

struct pg_result {
    int error;             /* 0, or -ECONNRESET, -ETIMEDOUT, -ENOTCONN (never sent), -EPROTO (server error) */
    bool outcome_unknown;  /* the statement may or may not have been carried out */
    char sqlstate[6];      /* with -EPROTO */
    const char *message;   /* for people; borrowed */
    int rows, columns;
    int affected;          /* rows changed by an INSERT, UPDATE or DELETE */
    const void *handle;    /* PGresult */
};
const char *pg_value(const struct pg_result *result, int row, int column); /* NULL for SQL null */
int64_t pg_int64(const struct pg_result *result, int row, int column);     /* 0 for SQL null */

typedef void (*pg_done_fn)(void *context, const struct pg_result *result);

int pg_open(uv_loop_t *loop, const struct pg_options *options, struct pg **ret_pg,
            struct diag *diag);
bool pg_is_up(const struct pg *pg);
/* Queues a statement. params are text (NULL = SQL null), copied. timeout_ms counts from this call.
 * Returns 0, -ENOBUFS when more than 10 000 wait, or -ENOMEM; on an error done is not called. */
int pg_query(struct pg *pg, const char *sql, const char *const *params, int param_count,
             uint64_t timeout_ms, pg_done_fn done, void *context);
/* Drops the connection now (all waiting callbacks get -ECONNRESET) and starts a new one. */
void pg_reset(struct pg *pg);
/* Ends everything: waiting callbacks come with -ECONNRESET before this returns; memory goes in the
 * last close callback. NULL is fine. */
void pg_close(struct pg *pg);

#endif
