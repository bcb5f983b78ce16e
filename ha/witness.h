/* witness.h - the register in a third PostgreSQL (witness.sql): read it, compare and set it.
 *
 * One question at a time; a client timer of 1 s. After a time-out or a lost connection the outcome of
 * a compare-and-set is unknown: the statement may still be on its way. The module then opens a new
 * connection, first raises seq with unchanged content where seq is still the expected one (so that the
 * late statement can never succeed), then compares the register with what was wanted. Only then it
 * says GRANTED or DENIED. When that cannot be done within WITNESS_RESOLVE_MS the answer is
 * UNREACHABLE with `unresolved` set; the next question is not sent before the old one is resolved,
 * and its answer shows the register as the old one left it.
 *
 * A server that is in recovery, runs without fsync, or does not commit synchronously does not count:
 * UNREACHABLE with the reason. `run` names the server run that answered (system identifier, timeline,
 * start of the postmaster, durability settings): the first 8 bytes of their SHA-256, never 0. */
#ifndef OG_HA_WITNESS_H
#define OG_HA_WITNESS_H

#include "ha/arbiter.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    WITNESS_TIMEOUT_MS = 1000, /* client timer of one statement, connecting included */
    WITNESS_RESOLVE_MS = 2000, /* from the question to the last word about it */
    WITNESS_PORT = 5432,
};

struct witness;

struct witness_options { /* copied */
    const char *hostaddr; /* numeric address; no name lookup happens */
    const char *host;     /* name in the server's certificate; NULL: the address itself */
    uint16_t port;        /* 0: WITNESS_PORT */
    const char *database;
    const char *user;          /* this node's own role */
    const char *password_file; /* readable by its owner only, else refused; NULL: no password */
    const char *ca_file;       /* PEM; the connection is verify-full against it */
    const char *cluster;       /* key of the row */
    uint32_t node;             /* ARB_NODE_PRIMARY or ARB_NODE_SECONDARY */
};

/* Is this a third machine? pair_addresses: every address of either node, the VIP included (text).
 * -EINVAL with the reason for a missing value, a name instead of an address, a socket folder, a
 * loopback address, an address of the pair, or one that this machine carries now. */
int witness_check_options(const struct witness_options *options, const char *const *pair_addresses,
                          size_t pair_address_count, struct diag *diag);

/* Connects in the background and stays connected. */
int witness_open(uv_loop_t *loop, const struct witness_options *options,
                 struct witness **ret_witness, struct diag *diag);
void witness_close(struct witness *witness); /* no callback comes any more; NULL is fine */

struct witness_answer {
    enum arb_outcome outcome; /* READ, GRANTED, DENIED, UNREACHABLE */
    struct arb_right right;   /* register after the question; zeros with UNREACHABLE */
    uint64_t run;             /* 0 with UNREACHABLE */
    bool unresolved;          /* with UNREACHABLE: the compare-and-set may yet have happened */
    uint64_t took_ms;
    const char *message;      /* for people; "" when all is well; borrowed, valid in the call */
};
typedef void (*witness_fn)(void *context, const struct witness_answer *answer);

/* 0: fn comes exactly once, never before this returns. -EBUSY: a question is still open. */
int witness_read(struct witness *witness, witness_fn fn, void *context);
/* Sets mode, owner and term if the register still has expected_seq; seq becomes expected_seq + 1
 * (wanted->seq is not used). The server refuses (DENIED) another node as owner, a falling term, and a
 * change of SOLO that belongs to the other node. */
int witness_cas(struct witness *witness, uint64_t expected_seq, const struct arb_right *wanted,
                witness_fn fn, void *context);

bool witness_is_connected(const struct witness *witness);
const char *witness_last_error(const struct witness *witness); /* "" while all is well */

#endif
