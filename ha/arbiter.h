/* arbiter.h - decides which node may be active. Pure: no clock, I/O, allocation or logging.
 *
 * What must hold (docs/architecture.md, invariants I1-I4), whatever messages, losses and pauses come:
 *  - A plan asks for `take` only after the witness register granted this node the right in this
 *    activation (compare-and-set, term raised) and that right was saved on the local disk.
 *  - Answer 7 or 4 is given to the kernel only after SOLO(me) was saved.
 *  - A node that owns SOLO, or that took over in the pair, is unique: the register is one row.
 *  - Time protects the virtual IP only (arb_gates, vip_from_ms), never the data.
 *  - Every situation without a rule refuses to become active and says why.
 *
 * Level-triggered: each call sees all facts, compares them with the state, and returns the next
 * state and what to do now. Calling again with the same facts repeats no action: an action is
 * repeated only when its result is missing after its own retry time. Rows R<n> are those of the
 * decision table in arbiter.c; `arb_row_text` tells the reason shown to people.
 *
 * All times are CLOCK_BOOTTIME milliseconds of this node, inside the facts. */
#ifndef OG_HA_ARBITER_H
#define OG_HA_ARBITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARB_NODE_NONE = 0, ARB_NODE_PRIMARY = 1, ARB_NODE_SECONDARY = 2 }; /* node ids */

#define ARB_PHASES(X)                                                                             \
    X(BOOT, "boot")           /* facts are being collected */                                     \
    X(STANDBY, "standby")     /* holds a copy, serves nothing */                                  \
    X(SUSPECT, "suspect")     /* the active node is silent; asking for the right */               \
    X(TAKING, "taking")       /* right in hand; promoting, mounting, starting */                  \
    X(ACTIVE, "active")       /* serves */                                                        \
    X(RELEASING, "releasing") /* stopping in order */                                             \
    X(WAIT, "wait")           /* may not become active by itself; the reason says why */          \
    X(STOPPED, "stopped")     /* the administrator stopped it */                                  \
    X(FENCED, "fenced")       /* reset ordered; nothing else is done any more */
#define ARB_PHASE_ENUM(id, text) ARB_##id,
enum arb_phase { ARB_PHASES(ARB_PHASE_ENUM) ARB_PHASE_COUNT };

#define ARB_MODES(X) X(PAIR, "pair") X(SOLO, "solo")
#define ARB_MODE_ENUM(id, text) ARB_MODE_##id,
enum arb_mode { ARB_MODES(ARB_MODE_ENUM) ARB_MODE_COUNT };

/* The right as the register holds it. PAIR: both copies are UpToDate and connected, and every
 * acknowledged write is on both. SOLO(owner): only the owner's copy counts. */
struct arb_right {
    enum arb_mode mode;
    uint32_t owner; /* node id with SOLO, ARB_NODE_NONE with PAIR */
    uint64_t term;  /* raised by every activation and every claim of SOLO */
    uint64_t seq;   /* raised by every change */
};

/* What survives a power cut; written by ha/durable.h. */
struct arb_durable {
    struct arb_right right;    /* as this node knows it */
    uint64_t witness_run;      /* server run whose votes count; 0: none agreed yet */
    uint64_t last_active_term; /* term of this node's last activation; 0: never */
    bool fresh;                /* just installed: the pair has never been formed, the disk is empty */
};

#define ARB_DISKS(X)                                                                              \
    X(UNKNOWN, "unknown") X(DISKLESS, "Diskless") X(INCONSISTENT, "Inconsistent")                 \
    X(OUTDATED, "Outdated") X(CONSISTENT, "Consistent") X(UPTODATE, "UpToDate")
#define ARB_DISK_ENUM(id, text) ARB_DISK_##id,
enum arb_disk { ARB_DISKS(ARB_DISK_ENUM) ARB_DISK_COUNT };

#define ARB_LINKS(X)                                                                              \
    X(UNKNOWN, "unknown") X(LOST, "lost") X(CONNECTED, "connected") X(STANDALONE, "standalone")
#define ARB_LINK_ENUM(id, text) ARB_LINK_##id,
enum arb_link { ARB_LINKS(ARB_LINK_ENUM) ARB_LINK_COUNT }; /* DRBD's connection */

struct arb_drbd {
    bool known;    /* resource is up and its events are being read */
    bool primary;  /* own role */
    bool peer_primary;
    bool suspended;       /* writes frozen until fencing is decided */
    bool fence_question;  /* the kernel's helper waits for an answer */
    enum arb_disk disk, peer_disk; /* peer_disk: OUTDATED also while disconnected, when known */
    enum arb_link link;
    uint64_t lost_at_ms;  /* when link last left CONNECTED; 0: never connected */
};

/* What each node tells the other, ten times a second and on each change (codec:
 * ha/arb_message.h). Plain values; nothing here is trusted beyond what the rules say. */
struct arb_message {
    uint32_t node;
    uint32_t version_low, version_high; /* protocol versions understood */
    enum arb_phase phase;
    bool candidate;      /* willing and able to become active now */
    bool leaving;        /* stopping; do not wait for it */
    bool holds_vip;      /* address may still be on its interface */
    bool preferred;      /* the primary by installation */
    bool fresh;          /* arb_durable.fresh */
    bool primary;        /* DRBD role */
    enum arb_disk disk;
    enum arb_link link;
    struct arb_right right;    /* as saved on that node's disk; SOLO of its own once wanted */
    uint64_t last_active_term;
    uint64_t run_seen;         /* witness run it reads now; 0: unreachable */
    uint64_t run_agreed;       /* its arb_durable.witness_run */
    uint64_t outdate_term;     /* asks the receiver to outdate its copy, as of this term; 0: no */
    uint64_t outdated_term;    /* has read back Outdated after a request of this term; 0: no */
    uint64_t constants_digest; /* arb_constants_digest of its profile */
    uint64_t generation;       /* configuration generation in force */
};

struct arb_peer {
    bool heard;            /* ever, since this start */
    bool fresh;            /* heartbeat within constants.silence_ms on some link */
    bool member;           /* corosync membership has it */
    uint64_t last_heard_ms;
    struct arb_message last;
};

#define ARB_ASKS(X) X(NONE, "none") X(READ, "read") X(CAS, "cas")
#define ARB_ASK_ENUM(id, text) ARB_ASK_##id,
enum arb_ask { ARB_ASKS(ARB_ASK_ENUM) ARB_ASK_COUNT };

#define ARB_OUTCOMES(X)                                                                           \
    X(NONE, "none")               /* no answer yet */                                             \
    X(GRANTED, "granted")         /* the compare-and-set is committed */                          \
    X(DENIED, "denied")           /* nothing changed; `right` is the register as it is */         \
    X(READ, "read")               /* `right` is the register as it is */                          \
    X(UNREACHABLE, "unreachable") /* nothing was changed, or nothing is known yet */
#define ARB_OUTCOME_ENUM(id, text) ARB_OUTCOME_##id,
enum arb_outcome { ARB_OUTCOMES(ARB_OUTCOME_ENUM) ARB_OUTCOME_COUNT };

struct arb_witness {
    enum arb_outcome outcome; /* of question number `serial`; NONE while it runs */
    uint32_t serial;          /* matches arb_state.ask_serial, else the answer is old and ignored */
    struct arb_right right;   /* register after the question */
    uint64_t run;             /* server run that answered; 0 with UNREACHABLE */
};

#define ARB_EXECS(X)                                                                              \
    X(IDLE, "idle")       /* released: no address, no services, unmounted, Secondary */           \
    X(CLEANING, "cleaning") /* boot clean-up is running (row 1) */                                \
    X(TAKING, "taking") X(TAKEN, "taken")                                                         \
    X(TAKE_FAILED, "take failed")       /* needs release */                                       \
    X(PEER_LIVES, "peer lives")         /* the kernel refused: the peer is Primary; released.     \
                                         * Rests there like IDLE until the next take */           \
    X(RELEASING, "releasing") X(RELEASE_FAILED, "release failed")
#define ARB_EXEC_ENUM(id, text) ARB_EXEC_##id,
enum arb_exec { ARB_EXECS(ARB_EXEC_ENUM) ARB_EXEC_COUNT }; /* where the executor is */

struct arb_facts {
    uint64_t now_ms;
    struct arb_drbd drbd;
    struct arb_peer peer;
    struct arb_witness witness;
    enum arb_exec exec;
    uint32_t saved_serial;  /* arb_state.save_serial of the last durable state on disk */
    bool save_failed;       /* the local disk does not take the durable state */
    bool durable_readable;  /* false: boot found no readable durable state: WAIT for ever */
    uint64_t contact_ms;    /* send time of the newest heartbeat that the peer acknowledged, or issue
                             * time of the newest small write that DRBD's peer acknowledged while
                             * connected, whichever is later; 0: none since start */
    uint64_t generation;    /* configuration generation in force here */
    bool switchover_wanted; /* administrator's wishes; cleared by the caller when the plan took */
    bool stop_wanted;
    bool take_possible;     /* the watchdog is armed and the configuration complete */
};

/* Every time and limit of a profile. All in ms. */
struct arb_constants {
    const char *name;
    uint32_t vip_lifetime_ms;   /* V: kernel lifetime of the address */
    uint32_t lease_ms;          /* L: the active may answer this long without contact */
    uint32_t skew_ms;           /* S: margin for the difference in seeing the break */
    uint32_t watchdog_ms;       /* WD */
    uint32_t vip_wait_ms;       /* T_vip */
    uint32_t silence_ms;        /* no heartbeat for so long: the peer counts as silent */
    uint32_t claim_ms;          /* the active claims SOLO after so long without contact */
    uint32_t kick_grace_ms;     /* the watchdog starves so long after the last contact */
    uint32_t fence_self_ms;     /* without contact and right: reset so long after the contact */
    uint32_t boot_wait_ms;      /* wait for the peer after boot */
    uint32_t solo_boot_wait_ms; /* row 4 */
    uint32_t witness_retry_ms, witness_beat_ms;
    uint32_t outdate_wait_ms;   /* row 16 */
    uint32_t handover_ms;       /* the peer has so long to take over after a release */
    uint32_t take_backoff_ms;   /* after a failed take */
    uint32_t connect_retry_ms;
};
const struct arb_constants *arb_constants_named(const char *name); /* "fast", "safe"; else NULL */
/* NULL when the constants are consistent, else the contradiction as a sentence. */
const char *arb_constants_check(const struct arb_constants *constants);
uint64_t arb_constants_digest(const struct arb_constants *constants);

struct arb_config {
    uint32_t node;  /* ARB_NODE_PRIMARY or ARB_NODE_SECONDARY */
    bool preferred;
    struct arb_constants constants;
};

enum { ARB_ACTIONS = 12 };

/* Why the register is to be changed. */
enum arb_purpose {
    ARB_FOR_NOTHING,
    ARB_FOR_ACTIVATION, /* PAIR, term raised: elected while the pair is whole */
    ARB_FOR_CLAIM,      /* SOLO(me), term raised */
    ARB_FOR_BEAT,       /* PAIR as it is; the term is raised where the register fell behind */
    ARB_FOR_HEALING,    /* SOLO(me) to PAIR */
    ARB_FOR_GIVING_BACK /* SOLO(me) to PAIR by a node that is not active */
};

struct arb_state {
    enum arb_phase phase;
    uint64_t since_ms;        /* of the phase */
    struct arb_durable durable; /* wanted on disk; in force once facts.saved_serial == save_serial */
    uint32_t save_serial;
    enum arb_ask ask;         /* question in flight or last asked */
    uint32_t ask_serial;
    uint64_t asked_at_ms;
    struct arb_right ask_expected, ask_wanted; /* with CAS; seq of ask_expected is compared */
    bool right_in_hand;       /* granted in this activation */
    uint64_t run_seen;        /* from the newest answer */
    struct arb_right register_seen; /* likewise */
    uint64_t register_seen_at_ms;   /* 0: never */
    uint64_t vip_from_ms;     /* TAKING: the address may be claimed from here on */
    uint64_t break_ms;        /* when the present break was first seen; 0: whole */
    uint64_t not_before_ms;   /* no candidate before this */
    uint64_t outdate_term;    /* request standing; 0: none */
    uint64_t outdated_term;   /* answer standing; 0: none */
    uint64_t reconnect_at_ms; /* last RECONNECT or CONNECT */
    bool stopping;            /* a release for the administrator's stop */
    uint16_t row;             /* rule that last changed something */
    const char *reason;       /* its sentence; never NULL */
    /* the rest is the arbiter's own memory */
    struct arb_durable saved; /* newest durable state known to be on the disk */
    uint64_t save_asked_ms;   /* when `durable` was last handed out for saving */
    uint64_t tried_term;      /* highest term this run has asked the register for */
    uint8_t ask_purpose;      /* enum arb_purpose, with CAS */
    uint32_t ask_failures;    /* questions in a row that got no answer */
    uint32_t lost_raises;     /* raises of seq that lost questions of ours may have made */
    uint64_t contact_ms;      /* the largest facts.contact_ms seen: contact that was is never unmade */
    uint64_t outrun_at_ms;    /* an activation was denied because the register had changed */
    bool run_foreign;         /* the newest answer came from a run that was not agreed on */
    bool answered;            /* the present fence question was answered */
    bool vip_waits;           /* vip_from_ms still moves with what is learnt of the break */
    uint64_t acted_ms[ARB_ACTIONS]; /* when each action was last issued in this phase; 0: not */
};

#define ARB_DO_SAVE (1u << 0)        /* write state.durable, then report saved_serial */
#define ARB_DO_ASK (1u << 1)         /* carry out state.ask with state.ask_serial */
#define ARB_DO_TAKE (1u << 2)        /* promote, mount, database, gateway; VIP from vip_from_ms on */
#define ARB_DO_RELEASE (1u << 3)     /* orderly release */
#define ARB_DO_OUTDATE (1u << 4)     /* drbdadm outdate; the disk state read back is the answer */
#define ARB_DO_CONNECT (1u << 5)     /* drbdadm connect (StandAlone) */
#define ARB_DO_RECONNECT (1u << 6)   /* drbdadm disconnect, connect: the kernel asks again */
#define ARB_DO_ANSWER (1u << 7)      /* answer the fence question with plan.answer */
#define ARB_DO_SELF_FENCE (1u << 8)  /* reset the machine now, without sync */
#define ARB_DO_DOWN (1u << 9)        /* drbdadm down, then the daemon may end */
#define ARB_DO_FORM (1u << 10)       /* first pairing: declare both empty disks equal */
#define ARB_DO_DROP_VIP (1u << 11)   /* remove the address now */

struct arb_plan {
    struct arb_state next;
    uint32_t actions;
    int answer;         /* 7, 4, 6 or 1 with ARB_DO_ANSWER */
    bool alarm;         /* a person should look; next.reason says at what */
};

void arb_state_init(struct arb_state *state, const struct arb_durable *durable, uint64_t now_ms);
struct arb_plan arb_decide(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts);
/* What this node tells its peer now. */
struct arb_message arb_message_build(const struct arb_config *config, const struct arb_state *state,
                                     const struct arb_facts *facts);

/* Until when the address may be renewed and the watchdog kicked (0: not at all). The active node's
 * right without contact lasts lease_ms; with SOLO(me) saved it lasts as long as the loop runs. */
struct arb_gates {
    uint64_t vip_until_ms, kick_until_ms;
};
struct arb_gates arb_gates(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts);

/* What a switchover needs. The sentences are constant texts. */
struct arb_check {
    const char *what;     /* must hold */
    bool ok;              /* it does; after a lost contact as last heard */
    const char *obstacle; /* the sentence of the refusal */
    const char *todo;     /* what a person does about it */
};
enum { ARB_SWITCHOVER_CHECKS = 9 };
void arb_switchover_checks(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts,
                           struct arb_check ret_checks[ARB_SWITCHOVER_CHECKS]);
/* Whether a switchover would be carried out now (NULL); else the obstacle of the first of these
 * checks that fails. The rule that carries a switchover out asks this function too. */
const char *arb_switchover_obstacle(const struct arb_config *config, const struct arb_state *state,
                                    const struct arb_facts *facts);

const char *arb_phase_name(enum arb_phase phase); /* "?" out of range, like the others */
const char *arb_mode_name(enum arb_mode mode);
const char *arb_disk_name(enum arb_disk disk);
const char *arb_link_name(enum arb_link link);
const char *arb_exec_name(enum arb_exec exec);
const char *arb_outcome_name(enum arb_outcome outcome);
/* The sentence of rule `row` (several rules may carry one number: the first); NULL: no such row. */
const char *arb_row_text(uint16_t row);

#endif
