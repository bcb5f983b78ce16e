/* witness_answer.h - one row of witness.sql's functions as values. Pure. */
#ifndef OG_HA_WITNESS_ANSWER_H
#define OG_HA_WITNESS_ANSWER_H

#include "ha/arbiter.h"
#include "lib/common/pg.h"

#include <stdbool.h>
#include <stdint.h>

enum witness_status {
    WITNESS_OK,       /* read, or changed */
    WITNESS_CONFLICT, /* seq is another one; nothing changed */
    WITNESS_REFUSED,  /* against the register's rules; nothing changed */
    WITNESS_MISSING,  /* no row for the cluster */
    WITNESS_UNFIT,    /* in recovery, or not durable */
};

struct witness_reply {
    enum witness_status status;
    struct arb_right right; /* zeros with MISSING and UNFIT */
    uint64_t run;
    const char *explanation; /* for people; static; "" with OK, CONFLICT and REFUSED */
};

/* The names of the server run, all as the server printed them. */
struct witness_identity {
    const char *system_id, *timeline, *started, *in_recovery, *fsync, *synchronous_commit;
};
/* First 8 bytes of SHA-256 over the parts, each with its length; never 0. */
uint64_t witness_run_digest(const struct witness_identity *identity);

/* false when the result is not one sensible row. */
bool witness_reply_read(const struct pg_result *result, struct witness_reply *ret_reply);

#endif
