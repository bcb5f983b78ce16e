/* Schedules: what goes wrong, when, for how long; and the repair at the end. */
#include "sim.h"

#include <string.h>

static const char *const fault_names[] = {
#define NAME(id, text) text,
    FAULTS(NAME)};

const char *sim_fault_name(enum fault_kind kind)
{
    return (unsigned)kind < FAULT_COUNT ? fault_names[kind] : "?";
}

static uint64_t length_of(struct world *w, enum fault_kind kind)
{
    const bool is_short = sim_chance(w, 2) == 0;
    switch (kind) {
    case FAULT_PAUSE:
    case FAULT_STOP_DAEMON:
        return is_short ? sim_between(w, 100, 3000) : sim_between(w, 1000, 20000);
    case FAULT_POWER:
    case FAULT_ADMIN_STOP:
        return sim_between(w, 500, 20000);
    case FAULT_DATA_LINK:
    case FAULT_LAN:
    case FAULT_ALL_LINKS:
    case FAULT_ONE_WAY:
    case FAULT_NODE_LAN:
    case FAULT_CRASH:
    case FAULT_WITNESS_DOWN:
    case FAULT_WITNESS_RESTART:
    case FAULT_WITNESS_OLD:
    case FAULT_WITNESS_SLOW:
    case FAULT_WITNESS_PATH:
    case FAULT_SWITCHOVER:
    case FAULT_TAKE_FAILS:
    case FAULT_SLOW_DISK:
    case FAULT_COUNT:
        break;
    }
    return is_short ? sim_between(w, 50, 2500) : sim_between(w, 1000, 20000);
}

/* Faults come in bursts: what matters happens while another fault is being dealt with. */
static void plan_faults(struct world *w)
{
    uint64_t at_ms = sim_between(w, 1000, 25000);
    w->fault_count = (unsigned)sim_between(w, 1, 7);
    uint64_t end_ms = 0;
    for (unsigned i = 0; i < w->fault_count; i++) {
        struct fault *fault = &w->faults[i];
        fault->kind = (enum fault_kind)sim_chance(w, FAULT_COUNT);
        fault->node = (uint16_t)sim_chance(w, NODES);
        fault->detail = (uint16_t)sim_chance(w, 4);
        fault->at_ms = at_ms;
        fault->length_ms = length_of(w, fault->kind);
        sim_post(w, at_ms, EV_FAULT, 0, i);
        if (at_ms + fault->length_ms > end_ms)
            end_ms = at_ms + fault->length_ms;
        w->result.faults[fault->kind]++;
        const uint32_t gap = sim_chance(w, 4);
        at_ms += gap == 0   ? sim_between(w, 0, 300)
                 : gap == 1 ? sim_between(w, 100, 2500)
                 : gap == 2 ? sim_between(w, 1000, 8000)
                            : sim_between(w, 3000, 20000);
    }
    w->repair_ms = end_ms + 10;
    w->missing = sim_chance(w, 8) == 0 ? (uint16_t)(1 + sim_chance(w, NODES)) : 0;
}

static void set_up_machine(struct world *w, unsigned node, bool formed)
{
    struct machine *m = &w->machine[node];
    m->config = (struct arb_config){
        .node = node == 0 ? ARB_NODE_PRIMARY : ARB_NODE_SECONDARY,
        .preferred = node == 0,
        .constants = *w->k,
    };
    m->disk_state = (struct arb_durable){.fresh = !formed, .witness_run = formed ? w->run : 0};
    m->copy.meta_disk = formed ? ARB_DISK_CONSISTENT : ARB_DISK_INCONSISTENT;
    m->copy.current = formed ? 1 : 0;
    m->copy.content = formed ? 0 : -1;
}

/* One schedule in sixteen has a pair that is not as it should be. Drawn apart, so that the faults
 * of a seed stay what they were. */
static void plan_conditions(struct world *w)
{
    const uint64_t faults_random = w->random;
    w->random = w->seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    if (sim_chance(w, 16) == 0) {
        struct machine *m = &w->machine[sim_chance(w, NODES)];
        const uint32_t kind = sim_chance(w, 3);
        m->unreadable = kind == 0;
        m->unarmed = kind == 1;
        m->stranger = kind == 2;
    }
    w->random = faults_random;
}

static void plan_times(struct world *w)
{
    const bool fast = sim_chance(w, 2) == 0;
    w->k = arb_constants_named(fast ? "fast" : "safe");
    w->ping_ms = fast ? 1000 : 2000;
    w->ping_timeout_ms = 500;
    w->connect_ms = fast ? 1000 : 3000;
    w->token_ms = fast ? 400 : 1000;
    w->vip_late_ms = sim_chance(w, 451);
    w->member_is_process = sim_chance(w, 2) == 0;
    w->run = 1;
    w->generations = 1;
}

static void set_up_machines(struct world *w, bool formed)
{
    for (unsigned node = 0; node < NODES; node++) {
        set_up_machine(w, node, formed);
        sim_power_on(w, node);
    }
}

void sim_plan(struct world *w)
{
    plan_times(w);
    set_up_machines(w, sim_chance(w, 10) != 0);
    plan_faults(w);
    plan_conditions(w);
}

void sim_plan_healthy(struct world *w)
{
    plan_times(w);
    set_up_machines(w, true);
}

static void cut(struct world *w, unsigned link, unsigned from, int by)
{
    w->cut[link][from] += by;
}

static void apply_paths(struct world *w, const struct fault *fault, int by)
{
    switch (fault->kind) {
    case FAULT_DATA_LINK:
        cut(w, 1, 0, by);
        cut(w, 1, 1, by);
        break;
    case FAULT_LAN:
        cut(w, 0, 0, by);
        cut(w, 0, 1, by);
        break;
    case FAULT_ALL_LINKS:
        for (unsigned link = 0; link < 2; link++)
            for (unsigned from = 0; from < NODES; from++)
                cut(w, link, from, by);
        break;
    case FAULT_ONE_WAY:
        if (fault->detail != 0)
            cut(w, 1, fault->node, by);
        if (fault->detail != 1)
            cut(w, 0, fault->node, by);
        break;
    case FAULT_NODE_LAN:
        cut(w, 0, 0, by);
        cut(w, 0, 1, by);
        w->witness_cut[fault->node] += by;
        if (fault->detail >= 2) {
            cut(w, 1, 0, by);
            cut(w, 1, 1, by);
        }
        break;
    case FAULT_WITNESS_DOWN:
        w->witness_down += by;
        break;
    case FAULT_WITNESS_SLOW:
        w->witness_slow += by;
        break;
    case FAULT_WITNESS_PATH:
        w->witness_cut[fault->node] += by;
        break;
    case FAULT_SLOW_DISK:
        w->disk_slow[fault->node] += by;
        break;
    case FAULT_POWER:
    case FAULT_PAUSE:
    case FAULT_STOP_DAEMON:
    case FAULT_CRASH:
    case FAULT_WITNESS_RESTART:
    case FAULT_WITNESS_OLD:
    case FAULT_SWITCHOVER:
    case FAULT_ADMIN_STOP:
    case FAULT_TAKE_FAILS:
    case FAULT_COUNT:
        break;
    }
}

static void pause_machine(struct world *w, const struct fault *fault)
{
    struct machine *m = &w->machine[fault->node];
    if (!m->on || m->paused)
        return;
    sim_shift(w, fault->node, fault->length_ms);
    m->paused = true;
    m->paused_at_ms = w->now_ms;
    m->resume_at_ms = w->now_ms + fault->length_ms;
}

static void resume_machine(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->paused || w->now_ms < m->resume_at_ms)
        return;
    m->paused = false;
    m->clock_lag_ms += w->now_ms - m->paused_at_ms;
    m->taint_until_ms = w->now_ms + m->config.constants.lease_ms +
                        m->config.constants.vip_lifetime_ms + w->vip_late_ms + TICK_MS;
    /* its kernel finds the connection dead as soon as it runs, when it is */
    if (m->copy.link == ARB_LINK_CONNECTED && !sim_drbd_truly_connected(w))
        sim_post(w, sim_between(w, 1, 150), EV_BREAK_SEEN, node, m->copy.connection);
}

static void begin_on_machine(struct world *w, const struct fault *fault)
{
    struct machine *m = &w->machine[fault->node];
    switch (fault->kind) {
    case FAULT_POWER:
        sim_power_cut(w, fault->node);
        if (fault->detail == 3)
            sim_power_cut(w, 1u - fault->node);
        break;
    case FAULT_PAUSE:
        pause_machine(w, fault);
        break;
    case FAULT_STOP_DAEMON:
        if (m->on && m->daemon)
            m->stopped_until_ms = w->now_ms + fault->length_ms;
        break;
    case FAULT_CRASH:
        sim_daemon_crash(w, fault->node);
        break;
    case FAULT_WITNESS_RESTART:
        sim_witness_restart(w, false);
        break;
    case FAULT_WITNESS_OLD:
        sim_witness_restart(w, true);
        break;
    case FAULT_SWITCHOVER:
        for (unsigned node = 0; node < NODES; node++)
            if (w->machine[node].state.phase == ARB_ACTIVE) {
                w->machine[node].switchover_wanted = true;
                sim_wake(w, node);
            }
        break;
    case FAULT_ADMIN_STOP:
        m->stop_wanted = m->daemon;
        sim_wake(w, fault->node);
        break;
    case FAULT_TAKE_FAILS:
        m->take_failures = 1;
        break;
    case FAULT_DATA_LINK:
    case FAULT_LAN:
    case FAULT_ALL_LINKS:
    case FAULT_ONE_WAY:
    case FAULT_NODE_LAN:
    case FAULT_WITNESS_DOWN:
    case FAULT_WITNESS_SLOW:
    case FAULT_WITNESS_PATH:
    case FAULT_SLOW_DISK:
    case FAULT_COUNT:
        break;
    }
}

void sim_fault_begins(struct world *w, uint32_t index)
{
    const struct fault *fault = &w->faults[index];
    if (w->repaired)
        return;
    TRACE(w, (int)fault->node, "FAULT %s (%u) for %llu ms", sim_fault_name(fault->kind),
          fault->detail, (unsigned long long)fault->length_ms);
    apply_paths(w, fault, 1);
    begin_on_machine(w, fault);
    sim_drbd_look_for_breaks(w);
    sim_post(w, fault->length_ms, EV_FAULT_END, 0, index);
}

void sim_start_again(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->on) {
        sim_power_on(w, node);
        return;
    }
    if (m->stop_wanted && !m->down) {
        m->start_due = true; /* the stop is carried out first */
        return;
    }
    m->stop_wanted = false;
    if (m->down || m->state.phase == ARB_STOPPED) {
        m->daemon = false;
        m->daemon_epoch++;
        m->down = false;
        m->epoch++; /* the tick of the former process ends */
        sim_drbd_power_cut(w, node);
        m->watchdog_ms = 0;
        sim_post(w, 300, EV_RESTART, node, 0);
    }
}

void sim_fault_ends(struct world *w, uint32_t index)
{
    const struct fault *fault = &w->faults[index];
    TRACE(w, (int)fault->node, "END   %s", sim_fault_name(fault->kind));
    apply_paths(w, fault, -1);
    switch (fault->kind) {
    case FAULT_POWER:
        if (!w->repaired) {
            sim_power_on(w, fault->node);
            if (fault->detail == 3 && fault->length_ms % 2 == 0)
                sim_power_on(w, 1u - fault->node);
        }
        break;
    case FAULT_PAUSE:
        resume_machine(w, fault->node);
        break;
    case FAULT_ADMIN_STOP:
        if (!w->repaired)
            sim_start_again(w, fault->node);
        break;
    case FAULT_DATA_LINK:
    case FAULT_LAN:
    case FAULT_ALL_LINKS:
    case FAULT_ONE_WAY:
    case FAULT_NODE_LAN:
    case FAULT_STOP_DAEMON:
    case FAULT_CRASH:
    case FAULT_WITNESS_DOWN:
    case FAULT_WITNESS_RESTART:
    case FAULT_WITNESS_OLD:
    case FAULT_WITNESS_SLOW:
    case FAULT_WITNESS_PATH:
    case FAULT_SWITCHOVER:
    case FAULT_TAKE_FAILS:
    case FAULT_SLOW_DISK:
    case FAULT_COUNT:
        break;
    }
    sim_wake(w, 0);
    sim_wake(w, 1);
    if (index + 1u <= w->fault_count && w->now_ms + 10 >= w->repair_ms && !w->repaired)
        sim_repair(w);
}

/* Everything is well again; from here on the pair has to help itself. */
void sim_repair(struct world *w)
{
    w->repaired = true;
    TRACE(w, -1, "everything is repaired%s", w->missing != 0 ? ", one node stays away" : "");
    for (unsigned node = 0; node < NODES; node++) {
        struct machine *m = &w->machine[node];
        m->take_failures = 0;
        if (w->missing == node + 1) {
            sim_power_cut(w, node);
            continue;
        }
        sim_start_again(w, node);
    }
    w->repair_ms = w->now_ms;
}
