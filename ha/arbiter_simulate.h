/* arbiter_simulate.h - what the arbiter would do if something failed now. Pure, like the arbiter.
 *
 * arb_decide() and arb_gates() themselves are asked, on a copy of the present state and facts, in
 * virtual time; only this node is simulated. What surrounds it is assumed (ARB_SIM_ASSUMED, shown
 * with each answer): the register answers in 50 ms, a lost one never; the local disk takes each
 * record. */
#ifndef OG_HA_ARBITER_SIMULATE_H
#define OG_HA_ARBITER_SIMULATE_H

#include "ha/arbiter.h"

#define ARB_SIM_ASSUMED                                                                            \
    "the other node does nothing new, the witness answers unless it is the fault, and orders on "  \
    "this node succeed in the usual time"

#define ARB_FAULTS(X)                                                                              \
    X(PEER_DEAD, "peer-dead", "The other machine falls silent on every path.")                     \
    X(LINK_LOST, "link-lost", "The data link breaks; the other node is still heard.")              \
    X(WITNESS_LOST, "witness-lost", "The witness does not answer any more.")                       \
    X(ISOLATED, "isolated", "This node loses the other node and the witness at once.")             \
    X(MEMBERSHIP_LOST, "membership-lost",                                                          \
      "The other node leaves corosync's membership, but is heard and connected.")                  \
    X(DISK_FAILED, "disk-failed", "This node's copy of the disk fails and is detached.")           \
    X(RECORD_FAILED, "record-failed", "The local disk does not take the arbiter's record.")        \
    X(SWITCHOVER, "switchover", "The administrator orders a switchover.")                          \
    X(STOP, "stop", "The administrator stops this node.")
#define ARB_FAULT_ENUM(id, name, text) ARB_FAULT_##id,
enum arb_fault { ARB_FAULTS(ARB_FAULT_ENUM) ARB_FAULT_COUNT };

const char *arb_fault_name(enum arb_fault fault); /* "?" out of range, like the next */
const char *arb_fault_text(enum arb_fault fault);
bool arb_fault_named(const char *name, enum arb_fault *ret_fault);

/* One moment in which something was decided. */
struct arb_sim_step {
    uint64_t at_ms; /* since the fault */
    enum arb_phase phase;
    uint16_t row;
    const char *reason;
    bool alarm;
    uint32_t actions; /* ARB_DO_*; without the questions that change nothing */
    int answer;       /* with ARB_DO_ANSWER */
    bool address;     /* this node may answer for the virtual address from now on */
};

#define ARB_SIM_ENDS(X)                                                                            \
    X(QUIET, "nothing more is decided")                                                            \
    X(RESET, "this machine is reset")                                                              \
    X(STARVED, "the watchdog resets this machine")                                                 \
    X(STOPPED, "this node is stopped")                                                             \
    X(CUT, "there would be more steps than are shown")
#define ARB_SIM_END_ENUM(id, text) ARB_SIM_END_##id,
enum arb_sim_end { ARB_SIM_ENDS(ARB_SIM_END_ENUM) ARB_SIM_END_COUNT };
const char *arb_sim_end_text(enum arb_sim_end end);

enum { ARB_SIM_STEPS = 48, ARB_SIM_MS = 40000, ARB_SIM_TICK_MS = 50 };

struct arb_simulation {
    struct arb_sim_step steps[ARB_SIM_STEPS]; /* the first one is the present, before the fault */
    unsigned count;
    enum arb_sim_end end;
    uint64_t took_ms; /* until the last step */
};

void arb_simulate(const struct arb_config *config, const struct arb_state *state,
                  const struct arb_facts *facts, enum arb_fault fault,
                  struct arb_simulation *ret_simulation);

/* One action as a part of a sentence, "writes its record"; NULL: no such action. */
const char *arb_action_text(uint32_t action);

#endif
