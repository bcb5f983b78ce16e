/* The invariants, checked after every event, and the run of one schedule. */
#include "sim.h"

#include <string.h>

enum { SETTLE_MS = 60000 };

static const char *const violation_names[] = {
#define NAME(id, text) text,
    VIOLATIONS(NAME)};
static const char *const break_names[] = {BREAKS(NAME)};

const char *sim_violation_name(enum violation violation)
{
    return (unsigned)violation < VIOLATION_COUNT ? violation_names[violation] : "?";
}

const char *sim_break_name(enum break_rule rule)
{
    return (unsigned)rule < BREAK_COUNT ? break_names[rule] : "?";
}

void sim_violation(struct world *w, enum violation violation)
{
    if (w->result.violation != VIOLATION_NONE)
        return;
    w->result.violation = violation;
    w->result.at_ms = w->now_ms;
    TRACE(w, -1, "VIOLATION: %s", sim_violation_name(violation));
}

static void check_address(struct world *w)
{
    const bool both =
        sim_holds_vip(w, 0) && sim_holds_vip(w, 1) && sim_runs(w, 0) && sim_runs(w, 1);
    if (!both) {
        w->both_vip_since_ms = 0;
        return;
    }
    if (w->both_vip_since_ms == 0)
        w->both_vip_since_ms = w->now_ms;
    const uint64_t overlap_ms = w->now_ms - w->both_vip_since_ms;
    if (overlap_ms > w->result.overlap_ms)
        w->result.overlap_ms = overlap_ms;
    const bool tainted =
        w->now_ms <= w->machine[0].taint_until_ms || w->now_ms <= w->machine[1].taint_until_ms;
    if (!tainted)
        sim_violation(w, VIOLATION_TWO_ADDRESSES);
}

void sim_check(struct world *w)
{
    if (sim_drbd_writable(w, 0) && sim_drbd_writable(w, 1))
        sim_violation(w, VIOLATION_TWO_WRITABLE);
    check_address(w);
}

static bool is_active(const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    return m->state.phase == ARB_ACTIVE && m->exec == ARB_EXEC_TAKEN && sim_serves(w, node) &&
           sim_holds_vip(w, node) && m->daemon;
}

/* What the administrator asked for is carried out too, where nothing is in the way. */
static bool wishes_pend(const struct world *w)
{
    for (unsigned node = 0; node < NODES; node++) {
        const struct machine *m = &w->machine[node];
        if (m->on && (m->stop_wanted || m->start_due))
            return true;
        if (m->on && m->switchover_wanted && w->missing == 0 && is_active(w, node) &&
            sim_switchover_obstacle(w, node) == NULL)
            return true;
    }
    return false;
}

bool sim_settled(struct world *w)
{
    if (!w->repaired || wishes_pend(w))
        return false;
    const bool a = is_active(w, 0), b = is_active(w, 1);
    if (a == b)
        return false;
    if (w->missing != 0)
        return true;
    if (w->machine[0].unreadable || w->machine[1].unreadable)
        return true; /* never protected again before a new installation */
    /* and the other one follows, protected by the register again */
    const struct machine *active = &w->machine[a ? 0 : 1], *other = &w->machine[a ? 1 : 0];
    return other->state.phase == ARB_STANDBY && active->state.durable.right.mode == ARB_MODE_PAIR &&
           w->reg.mode == ARB_MODE_PAIR && sim_drbd_truly_connected(w);
}

/* The node that has no other one to work with. */
static unsigned alone(const struct world *w)
{
    return w->missing != 0 ? w->missing == 1 : w->machine[0].unreadable;
}

static bool has_no_partner(const struct world *w)
{
    return w->missing != 0 || w->machine[0].unreadable || w->machine[1].unreadable;
}

/* Why a node that is left alone may wait for the other one: the only reasons there are. */
static bool may_wait(const struct world *w)
{
    static const uint16_t rows[] = {
        5,  /* stale-data guard: alone after a start */
        6,  /* its copy is outdated, or a resync was under way */
        11, /* the register, or its own record, names the other node */
        58, /* the witness was restarted or restored since they agreed */
        66, /* the register moved on without it */
        59, /* its durable state cannot be read */
    };
    const struct arb_state *state = &w->machine[alone(w)].state;
    /* heard, but for ever unfit: then the other one may also say so from STANDBY */
    const bool fits = state->phase == ARB_WAIT || state->phase == ARB_SUSPECT ||
                      (w->missing == 0 && state->phase == ARB_STANDBY);
    if (w->missing == 0 && state->phase == ARB_STANDBY && state->durable.witness_run != w->run)
        return true; /* as R58, also while an answer got lost */
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fits && state->row == rows[i])
            return true;
    return false;
}

static void dispatch(struct world *w, const struct event *event)
{
    const unsigned node = event->node;
    switch ((enum event_kind)event->kind) {
    case EV_TICK:
        sim_tick(w, node);
        break;
    case EV_HEARTBEAT:
        sim_heartbeat_arrives(w, node, event->arg);
        break;
    case EV_BREAK_SEEN:
        sim_drbd_break_seen(w, node, event->arg);
        break;
    case EV_CONNECT:
        sim_drbd_try_connect(w, node);
        break;
    case EV_SYNC_DONE:
        sim_drbd_sync_done(w, event->arg);
        break;
    case EV_HELPER_END:
        sim_drbd_helper_end(w, node, event->arg);
        break;
    case EV_EXEC:
        sim_exec_step(w, node, event->arg);
        break;
    case EV_SAVED:
        sim_saved(w, node, event->arg);
        break;
    case EV_CHORE:
        w->machine[node].chore_busy[event->arg] = false;
        sim_drbd_chore(w, node, 1u << event->arg);
        if (1u << event->arg == ARB_DO_DOWN) {
            w->machine[node].down = true;
            w->machine[node].watchdog_ms = 0;
            if (w->machine[node].start_due)
                sim_start_again(w, node);
        }
        break;
    case EV_REGISTER:
        sim_register_arrives(w, event->arg);
        break;
    case EV_REPLY:
        sim_reply_arrives(w, node, event->arg);
        break;
    case EV_ASK_TIMER:
        sim_ask_timer(w, node, event->arg);
        break;
    case EV_BOOTED:
    case EV_RESTART:
        if (!w->machine[node].daemon)
            sim_daemon_start(w, node);
        break;
    case EV_FAULT:
        sim_fault_begins(w, event->arg);
        break;
    case EV_FAULT_END:
        sim_fault_ends(w, event->arg);
        break;
    case EV_DECIDE:
        sim_decide(w, node);
        break;
    }
}

/* The daemon's decisions of one moment are due once; a crash forgets them. */
static void clear_due(struct world *w)
{
    for (unsigned node = 0; node < NODES; node++)
        if (!w->machine[node].daemon)
            w->machine[node].decide_due = false;
}

static void begin(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->seed = seed;
    w->random = seed * 0x2545f4914f6cdd1du + 0x9e3779b97f4a7c15u;
}

void sim_begin_healthy(struct world *w, uint64_t seed)
{
    begin(w, seed);
    sim_plan_healthy(w);
}

bool sim_step(struct world *w)
{
    struct event event;
    if (w->result.violation != VIOLATION_NONE || !sim_next(w, &event))
        return false;
    dispatch(w, &event);
    clear_due(w);
    sim_check(w);
    return true;
}

void sim_run(struct world *w, uint64_t seed, enum break_rule broken_rule, bool trace)
{
    begin(w, seed);
    w->broken_rule = broken_rule;
    w->trace = trace;
    sim_plan(w);

    while (sim_step(w)) {
        if (!w->repaired)
            continue;
        if (sim_settled(w))
            break;
        if (w->now_ms > w->repair_ms + SETTLE_MS) {
            if (has_no_partner(w) && may_wait(w)) {
                w->result.waits = true;
                w->result.waits_row = w->machine[alone(w)].state.row;
            } else {
                sim_violation(w, VIOLATION_STUCK);
            }
            break;
        }
    }
    w->result.active_after_ms = w->repaired ? w->now_ms - w->repair_ms : 0;
    w->result.acknowledged = (uint64_t)w->acknowledged;
    TRACE(w, -1, "end: %s",
          w->result.waits ? "waits for the missing node" : sim_violation_name(w->result.violation));
}
