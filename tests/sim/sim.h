/* sim.h - two real arbiters in virtual time, everything else modelled.
 *
 * One struct world is one schedule: two machines (kernel with DRBD, daemon with arbiter and
 * executor), the paths between them, the witness, a client that writes. Everything happens in
 * events of one queue ordered by virtual time; all chance comes from the schedule's seed. No
 * allocation and no formatting happen unless a trace is wanted.
 *
 * What is modelled from measurements (DRBD 8.4, fencing resource-and-stonith): writes freeze when
 * the pair breaks; the kernel asks once per break; 7 and 4 are standing permissions kept in the
 * metadata; 1 leaves it frozen; a promotion finds a dead peer in about 0.6 s, and fails the first
 * time; two Primaries end StandAlone; after a boot a copy is Consistent unless its peer is known
 * Outdated; generations decide the direction of a resync and show a split brain.
 *
 * Files: sim_queue.c (time, chance), sim_drbd.c, sim_witness.c, sim_daemon.c (heartbeats, facts,
 * executor, gates), sim_faults.c (schedules), sim_check.c (invariants), sim_rows.c and
 * mutate.c (rows missing), walk.c (every sequence), table.c (docs/arbiter.md), main.c. */
#ifndef OG_SIM_H
#define OG_SIM_H

#include "ha/arbiter.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROWS = 128, NODES = 2, QUEUE_MAX = 1024, GENS = 6, TICK_MS = 100 };

enum event_kind {
    EV_TICK,       /* node: kernel and daemon rhythm */
    EV_HEARTBEAT,  /* to node: message slot arg */
    EV_BREAK_SEEN, /* node: its kernel looks whether connection arg still lives */
    EV_CONNECT,    /* node: its kernel tries to connect */
    EV_SYNC_DONE,  /* world: resync arg is finished */
    EV_HELPER_END, /* node: the fence helper arg gives up waiting */
    EV_EXEC,       /* node: the executor's step arg ends */
    EV_SAVED,      /* node: durable write arg is on disk */
    EV_CHORE,      /* node: a drbdadm command (action bit) ends */
    EV_REGISTER,   /* witness: request slot arg arrives */
    EV_REPLY,      /* node: reply slot arg arrives */
    EV_ASK_TIMER,  /* node: client timer of question arg */
    EV_BOOTED,     /* node: machine is up, the daemon starts */
    EV_RESTART,    /* node: systemd starts the daemon again */
    EV_FAULT,      /* world: fault arg begins */
    EV_FAULT_END,  /* world: fault arg ends */
    EV_DECIDE,     /* node: something changed */
};

struct event {
    uint64_t at_ms;
    uint32_t order; /* ties in order of creation */
    uint16_t kind;
    uint16_t node;
    uint32_t epoch; /* of the node's machine or daemon; stale events are dropped */
    uint32_t arg;
};

/* ---- DRBD of one machine ---- */

struct copy {
    bool up, primary, suspended, question;
    bool promotion_asks; /* the question comes from a `primary` command */
    int answer;          /* to the promotion's question; 0: none yet */
    uint32_t helper;     /* number of the question */
    enum arb_disk disk, peer_disk;
    enum arb_link link;
    uint32_t connection; /* number of the connection this side believes in; 0: none */
    bool sync_source, sync_target;
    uint64_t lost_at_ms; /* node's clock */
    /* metadata */
    bool meta_peer_outdated, meta_crashed_primary;
    enum arb_disk meta_disk; /* as it is found after a boot, before the peer is known */
    uint64_t current, bitmap, history[GENS];
    /* content: every acknowledged write up to this number is in it; -1: mixed, resync under way */
    int64_t content;
};

/* ---- heartbeat ---- */

struct beat {
    struct arb_message message;
    uint64_t sent_ms; /* sender's clock */
    uint64_t echo_ms; /* newest sent_ms heard from the receiver */
    uint32_t session, echo_session;
};

enum { BEATS = 256 };

/* ---- question to the witness ---- */

struct request {
    bool used, is_cas, is_resolve;
    uint16_t node;
    uint32_t serial, epoch;
    uint64_t expected_seq;
    struct arb_right wanted;
    /* reply */
    bool granted;
    struct arb_right right;
    uint64_t run;
};

enum { REQUESTS = 128 };

struct asker { /* the witness module of one daemon */
    bool busy, unresolved, resolving;
    bool wants_cas;      /* the arbiter's present question */
    uint32_t serial;     /* its number */
    uint32_t generation; /* replies to older requests are ignored */
    uint64_t expected_seq, open_expected_seq;
    struct arb_right wanted, open_wanted; /* open_*: the one whose outcome is unknown */
    uint64_t asked_at_ms;
    struct arb_witness answer;
};

/* ---- a machine ---- */

enum step {
    STEP_NONE,
    STEP_CLEAN,
    STEP_PRIMARY,
    STEP_PRIMARY_PROBE, /* finding out that the peer is gone */
    STEP_PRIMARY_ASK,   /* waiting for the fence answer */
    STEP_MOUNT,
    STEP_DATABASE,
    STEP_GATEWAY,
    STEP_VIP_WAIT,
    STEP_VIP_PROBE,
    STEP_RELEASE,
    STEP_RELEASE_END,
};

struct machine {
    bool on, paused, booting;
    bool crashed_while_saving;
    uint64_t clock_lag_ms; /* world time minus node's clock */
    uint64_t paused_at_ms, resume_at_ms;
    uint64_t taint_until_ms; /* world time: overlap after a pause is bounded, not forbidden */
    uint32_t epoch;          /* raised at every power cut */

    bool daemon;               /* process exists */
    uint64_t stopped_until_ms; /* SIGSTOP: world time; 0: runs */
    uint32_t daemon_epoch;
    bool down; /* administrator's stop is complete */
    bool unreadable; /* the durable state: never active again */
    bool unarmed;    /* no watchdog until the repair */
    bool stranger;   /* the peer's times are not its own until the repair */

    struct copy copy;
    bool database; /* accepts commits when the device does */
    bool vip;
    uint64_t vip_expire_ms; /* node's clock */
    uint64_t watchdog_ms;   /* node's clock: reset when reached; 0: not armed */

    struct arb_config config;
    struct arb_state state;
    struct arb_gates gates;
    struct arb_durable disk_state; /* durable state on the disk */
    struct arb_durable writing;
    bool writing_busy, write_again;
    uint32_t writing_serial, saved_serial;
    bool stop_wanted, switchover_wanted;
    bool start_due; /* after the stop is complete */
    bool decide_due;
    bool known; /* DRBD's events are read */

    enum arb_exec exec;
    enum step step;
    uint32_t step_number;
    uint64_t step_deadline_ms; /* node's clock, for waiting steps */
    bool chore_busy[ARB_ACTIONS];
    uint32_t take_failures; /* how many takes shall fail */

    /* heartbeats */
    uint32_t session, peer_session;
    bool heard;
    struct arb_message peer;
    uint64_t last_heard_ms, contact_ms, disk_contact_ms,
        peer_sent_ms; /* the last: newest sent_ms to echo */
    bool member;
    uint64_t member_changes_ms; /* world time since which reality differs; 0: equal */

    struct asker asker;
};

/* ---- faults ---- */

#define FAULTS(X)                                                                                  \
    X(POWER, "power cut")                                                                          \
    X(DATA_LINK, "data link cut")                                                                  \
    X(LAN, "client network cut")                                                                   \
    X(ALL_LINKS, "all links cut")                                                                  \
    X(ONE_WAY, "one-way loss")                                                                     \
    X(NODE_LAN, "node off the network")                                                            \
    X(PAUSE, "machine pause") X(STOP_DAEMON, "daemon stopped") X(CRASH, "daemon crash")            \
        X(WITNESS_DOWN, "witness away") X(WITNESS_RESTART, "witness restarted")                    \
            X(WITNESS_OLD, "witness restored") X(WITNESS_SLOW, "witness slow")                     \
                X(WITNESS_PATH, "witness cut from a node") X(SWITCHOVER, "switchover")             \
                    X(ADMIN_STOP, "stop and start") X(TAKE_FAILS, "take fails")                    \
                        X(SLOW_DISK, "slow local disk")
#define FAULT_ENUM(id, text) FAULT_##id,
enum fault_kind { FAULTS(FAULT_ENUM) FAULT_COUNT };

struct fault {
    enum fault_kind kind;
    uint16_t node;
    uint16_t detail;
    uint64_t at_ms, length_ms;
};

enum { FAULTS_MAX = 12 };

#define BREAKS(X)                                                                                  \
    X(NONE, "none")                                                                                \
    X(ANSWER_EARLY, "answer-early")                                                                \
    X(SKIP_VIP_WAIT, "skip-vip-wait")                                                              \
    X(IGNORE_DENIAL, "ignore-denial")                                                              \
    X(CLAIM_STALE, "claim-stale")                                                                  \
    X(NO_OUTDATE, "no-outdate")                                                                    \
    X(NO_SELF_FENCE, "no-self-fence") X(IGNORE_LEASE, "ignore-lease") X(HEAL_EARLY, "heal-early")  \
        X(IGNORE_RUN, "ignore-run")
#define BREAK_ENUM(id, text) BREAK_##id,
enum break_rule { BREAKS(BREAK_ENUM) BREAK_COUNT };

#define VIOLATIONS(X)                                                                              \
    X(NONE, "none")                                                                                \
    X(TWO_WRITABLE, "I1 two unfrozen Primaries")                                                   \
    X(LOST_WRITE, "I2/I4 active without an acknowledged write")                                    \
    X(TWO_ADDRESSES, "I3 two holders of the address")                                              \
    X(SPLIT_BRAIN, "I1 split brain")                                                               \
    X(STUCK, "I5 no single active node after repair")                                              \
    X(NEEDLESS, "the owner of the right reset itself")                                             \
    X(UNFIT, "a node became active that must not")                                                 \
    X(ANSWER, "an answer that is forbidden") X(OVERFLOW, "simulator: a table is full")
#define VIOLATION_ENUM(id, text) VIOLATION_##id,
enum violation { VIOLATIONS(VIOLATION_ENUM) VIOLATION_COUNT };

struct result {
    enum violation violation;
    uint64_t at_ms;
    bool waits; /* ended with a node missing and an allowed reason */
    uint32_t waits_row;
    uint64_t overlap_ms; /* longest double address after a pause */
    uint64_t acknowledged;
    uint32_t takeovers;
    uint64_t active_after_ms; /* after repair */
    uint32_t faults[FAULT_COUNT];
    uint32_t rows[ROWS]; /* how often each rule changed the reason shown */
    uint32_t fences;
};

struct world {
    uint64_t seed, random;
    bool trace;
    enum break_rule broken_rule;
    uint64_t now_ms;
    uint32_t order;
    struct event queue[QUEUE_MAX];
    unsigned queued;

    const struct arb_constants *k;
    uint32_t ping_ms, ping_timeout_ms, connect_ms, token_ms;
    uint32_t vip_late_ms;   /* the kernel removes an expired address so much later */
    bool member_is_process; /* membership sees the daemon, not the machine */

    struct machine machine[NODES];
    struct beat beats[BEATS];
    unsigned next_beat;

    /* paths: [link][from]; link 0 client network, 1 data link. Counters: several faults may overlap
     */
    int cut[2][NODES];
    int witness_cut[NODES];
    int witness_down, witness_slow, disk_slow[NODES];

    struct arb_right reg, reg_old[4];
    unsigned reg_olds;
    uint64_t run;
    struct request requests[REQUESTS];

    uint32_t connections; /* last number given */
    uint32_t sync_number;
    uint64_t generations;

    int64_t acknowledged;
    uint64_t both_vip_since_ms;

    struct fault faults[FAULTS_MAX];
    unsigned fault_count;
    uint64_t repair_ms;
    uint16_t missing; /* node that stays off after the repair + 1; 0: none */
    bool repaired;
    struct result result;
};

/* sim_queue.c */
uint32_t sim_chance(struct world *w, uint32_t below);
uint64_t sim_between(struct world *w, uint64_t low, uint64_t high);
void sim_post(struct world *w, uint64_t delay_ms, enum event_kind kind, unsigned node,
              uint32_t arg);
bool sim_next(struct world *w, struct event *ret_event);
void sim_shift(struct world *w, unsigned node, uint64_t by_ms);
uint64_t sim_clock(const struct world *w, unsigned node);
void sim_trace(struct world *w, int node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define TRACE(w, node, ...)                                                                        \
    do {                                                                                           \
        if ((w)->trace)                                                                            \
            sim_trace(w, node, __VA_ARGS__);                                                       \
    } while (0)
bool sim_runs(const struct world *w, unsigned node); /* machine on and not paused */
bool sim_daemon_runs(const struct world *w, unsigned node);
bool sim_path(const struct world *w, unsigned link, unsigned from); /* one direction */
bool sim_both_ways(const struct world *w, unsigned link);

/* sim_drbd.c */
void sim_drbd_boot(struct world *w, unsigned node);
void sim_drbd_up(struct world *w, unsigned node);
void sim_drbd_power_cut(struct world *w, unsigned node);
void sim_drbd_look_for_breaks(struct world *w);
void sim_drbd_break_seen(struct world *w, unsigned node, uint32_t connection);
void sim_drbd_try_connect(struct world *w, unsigned node);
void sim_drbd_sync_done(struct world *w, uint32_t number);
void sim_drbd_helper_end(struct world *w, unsigned node, uint32_t helper);
void sim_drbd_answer(struct world *w, unsigned node, int code);
void sim_drbd_chore(struct world *w, unsigned node, uint32_t action);
enum promotion { PROMOTED, PROMOTE_PROBES, PROMOTE_ASKS, PROMOTE_PEER_LIVES, PROMOTE_REFUSED };
enum promotion sim_drbd_primary(struct world *w, unsigned node);
void sim_drbd_lose(struct world *w, unsigned node);
void sim_drbd_disconnect(struct world *w, unsigned node);
bool sim_drbd_truly_connected(const struct world *w);
bool sim_drbd_writable(const struct world *w, unsigned node);

/* sim_witness.c */
void sim_ask(struct world *w, unsigned node);
void sim_register_arrives(struct world *w, uint32_t slot);
void sim_reply_arrives(struct world *w, unsigned node, uint32_t slot);
void sim_ask_timer(struct world *w, unsigned node, uint32_t generation);
void sim_witness_restart(struct world *w, bool old_copy);

/* sim_daemon.c */
void sim_power_cut(struct world *w, unsigned node);
void sim_power_on(struct world *w, unsigned node);
void sim_daemon_start(struct world *w, unsigned node);
void sim_daemon_crash(struct world *w, unsigned node);
void sim_tick(struct world *w, unsigned node);
void sim_decide(struct world *w, unsigned node);
void sim_heartbeat_arrives(struct world *w, unsigned node, uint32_t slot);
void sim_exec_step(struct world *w, unsigned node, uint32_t number);
void sim_saved(struct world *w, unsigned node, uint32_t serial);
const char *sim_switchover_obstacle(const struct world *w, unsigned node);
bool sim_serves(const struct world *w, unsigned node);
bool sim_holds_vip(const struct world *w, unsigned node);
void sim_wake(struct world *w, unsigned node);

/* sim_faults.c, sim_check.c */
void sim_plan(struct world *w);
void sim_plan_healthy(struct world *w); /* formed, no faults */
void sim_fault_begins(struct world *w, uint32_t index);
void sim_fault_ends(struct world *w, uint32_t index);
void sim_start_again(struct world *w, unsigned node);
void sim_repair(struct world *w);
void sim_check(struct world *w);
void sim_begin_healthy(struct world *w, uint64_t seed);
bool sim_step(struct world *w); /* one event; false: a violation, or nothing is left */
bool sim_settled(struct world *w);
void sim_violation(struct world *w, enum violation violation);
void sim_run(struct world *w, uint64_t seed, enum break_rule broken_rule, bool trace);
const char *sim_fault_name(enum fault_kind kind);
const char *sim_violation_name(enum violation violation);
const char *sim_break_name(enum break_rule rule);

#endif
