/* pg_statement.h - one queued statement of pg.c, lists of them, and how a PGresult becomes a struct
 * pg_result. No connection, no loop. Used by pg.c only. */
#ifndef OG_COMMON_PG_STATEMENT_H
#define OG_COMMON_PG_STATEMENT_H

#include "lib/common/pg.h"

#include <libpq-fe.h>

struct pg_statement { /* one allocation: the texts follow the struct */
    struct pg_statement *next;
    pg_done_fn done;
    void *context;
    uint64_t deadline_boot_ms;
    int error; /* why it ends without an answer; 0 while that is open */
    bool outcome_unknown;
    int param_count;
    const char *sql;
    const char **params;
};

struct pg_statement_list {
    struct pg_statement *first, *last;
    int count;
};

struct pg_statement *pg_statement_new(const char *sql, const char *const *params, int param_count);
void pg_statement_push(struct pg_statement_list *list, struct pg_statement *statement);
struct pg_statement *pg_statement_pop(struct pg_statement_list *list); /* NULL when empty */

/* Reports the server's answer (answer NULL: none came, error and message say why) and frees the
 * statement. The answer stays the caller's. */
void pg_statement_finish(struct pg_statement *statement, const PGresult *answer,
                         const char *message);
bool pg_answer_is_error(const PGresult *answer);

#endif
