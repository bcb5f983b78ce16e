/* arbiter_private.h - shared by the arbiter's files only.
 *
 * One call of arb_decide() is one struct arb_call: what was, the facts, and the plan as it grows.
 * Rules are rows of tables, walked in order; the first row whose condition holds is carried out.
 * Reading order: arbiter.c, arbiter_walk.c, arbiter_boot.c, arbiter_standby.c, arbiter_active.c,
 * arbiter_witness.c (questions to the register), arbiter_switchover.c, arbiter_constants.c.
 *
 * Numbers of rows: 1 to 36 are those of the decision table in docs/architecture.md; 50 and above
 * were added while building. */
#ifndef OG_HA_ARBITER_PRIVATE_H
#define OG_HA_ARBITER_PRIVATE_H

#include "ha/arbiter.h"

enum {
    ARB_VERSION = 1,          /* protocol version spoken */
    ARB_SEQ_LAG = 6,          /* two beats, each up to three raises of seq when answers get lost */
    ARB_SAVE_LIMIT_MS = 1000, /* a durable write that something waits for */
    ARB_TAKE_LIMIT_MS = 5000, /* in TAKING without having been able to start */
    ARB_ASK_LIMIT_MS = 5000,  /* a question that was never answered is asked anew */
    ARB_FIRST_RETRY_MS = 250, /* the first repetition after "unreachable" */
    ARB_OUTDATE_RETRY_MS = 1000,
    ARB_ACT_RETRY_MS = 2000,  /* take, release, down: until the executor shows that it works */
    ARB_SECOND_LOOK_MS = 200, /* after the loop stood still: news may be waiting to be read */
    ARB_OUTRUN_MS = 1000,     /* the other node was faster at the register: let it tell so */
    ARB_WITNESS_PATIENCE_MS = 3000,
    ARB_FORM_RETRY_MS = 10000,
};

struct arb_call {
    const struct arb_config *config;
    const struct arb_constants *k;
    const struct arb_state *was;
    const struct arb_facts *facts;
    struct arb_plan plan;
    enum arb_outcome answer; /* to our own question, arrived with this call; else NONE */
    bool saved;              /* the wanted durable state is on disk */
};

struct arb_row {
    uint16_t row;
    bool (*when)(const struct arb_call *call);
    void (*then)(struct arb_call *call); /* NULL: only the reason changes */
    const char *when_name, *then_name;   /* a row is known by its table and its condition */
    const char *reason;
    bool alarm;
    bool quiet; /* does not replace the reason shown */
};

#define ARB_RULE(row, when, then) row, when, then, #when, #then
#define ARB_ROWS_END                                                                               \
    {                                                                                              \
        ARB_RULE(0, NULL, NULL), NULL, false, false                                                \
    }

/* Carries out the first row that applies; false when none did. It has a file of its own
 * (arbiter_walk.c) so that the simulator can put itself before it at link time. */
bool arb__walk(struct arb_call *call, const struct arb_row *rows);

extern const struct arb_row arb__rows_guard[], arb__rows_answer[], arb__rows_boot[],
    arb__rows_standby[], arb__rows_suspect[], arb__rows_taking[], arb__rows_active[],
    arb__rows_releasing[], arb__rows_upkeep[];

/* All of them by name, in the order in which a call walks them; ends with name NULL. */
struct arb_table {
    const char *name;
    const struct arb_row *rows;
};
extern const struct arb_table arb__tables[];

/* ---- what holds (arbiter_facts.c) ---- */
uint32_t arb__peer_node(const struct arb_call *call);
bool arb__right_equal(const struct arb_right *a, const struct arb_right *b); /* without seq */
bool arb__is_solo_of(const struct arb_right *right, uint32_t node);
bool arb__own_solo(const struct arb_call *call);  /* SOLO(me) wanted on disk */
bool arb__peer_solo(const struct arb_call *call); /* own durable right bans us */
bool arb__is_acting(enum arb_phase phase);        /* TAKING, ACTIVE, RELEASING */
bool arb__peer_fresh(const struct arb_call *call);
bool arb__peer_acting(const struct arb_call *call); /* fresh and acting */
bool arb__peer_serves(const struct arb_call *call); /* fresh, TAKING or ACTIVE */
bool arb__link_up(const struct arb_call *call);
bool arb__link_broken(const struct arb_call *call);
bool arb__whole(const struct arb_call *call); /* connected, both UpToDate */
bool arb__contact_lost(const struct arb_call *call, uint64_t limit_ms);
bool arb__broken(const struct arb_call *call);
bool arb__exec_idle(const struct arb_call *call);
bool arb__compatible(const struct arb_call *call); /* versions, constants */
bool arb__since(const struct arb_call *call, uint64_t at_ms, uint64_t limit_ms);
bool arb__candidate(const struct arb_config *config, const struct arb_state *state,
                    const struct arb_facts *facts);

/* ---- the election (arbiter_boot.c) ---- */
/* Who should become active now: a node or ARB_NODE_NONE with the obstacle as a sentence. */
uint32_t arb__elect(const struct arb_call *call, const char **ret_obstacle);
bool arb__when_elected(const struct arb_call *call);
void arb__then_elected(struct arb_call *call);

/* ---- effects ---- */
void arb__go(struct arb_call *call, enum arb_phase phase);
void arb__save(struct arb_call *call);
void arb__save_right(struct arb_call *call, enum arb_mode mode, uint32_t owner, uint64_t term);
void arb__act(struct arb_call *call, uint32_t action);
/* `action` was not issued within the last retry_ms (or never in this phase). */
bool arb__may_act(const struct arb_call *call, uint32_t action, uint64_t retry_ms);
void arb__self_fence(struct arb_call *call);

/* ---- the register (arbiter_witness.c) ---- */
void arb__absorb_answer(struct arb_call *call);
bool arb__asking(const struct arb_call *call);
bool arb__claiming(const struct arb_call *call); /* a CAS to SOLO(me) or an activation is out */
bool arb__may_ask(const struct arb_call *call);
bool arb__run_agreed(const struct arb_call *call);     /* the newest answer's run counts */
bool arb__register_known(const struct arb_call *call); /* seen, and from the agreed run */
bool arb__witness_away(
    const struct arb_call *call); /* the last question got no answer that counts */
void arb__ask_read(struct arb_call *call);
void arb__ask_cas(struct arb_call *call, enum arb_mode mode, uint32_t owner, uint64_t term);
uint64_t arb__next_term(const struct arb_call *call);
/* NULL when this node may claim SOLO from the register as seen, else why not. */
const char *arb__claim_obstacle(const struct arb_call *call);
void arb__then_claim(struct arb_call *call); /* READ when unknown, else CAS to SOLO(me) */

#endif
