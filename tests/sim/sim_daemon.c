/* A machine and the daemon on it: power, heartbeats, facts, the executor, the gates' thread. */
#include "sim.h"

#include <string.h>

/* ---- power ---- */

void sim_power_cut(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->on)
        return;
    TRACE(w, (int)node, "power cut");
    m->on = m->paused = m->daemon = m->vip = m->database = m->booting = false;
    m->watchdog_ms = 0;
    m->epoch++;
    m->daemon_epoch++;
    m->stopped_until_ms = 0;
    if (m->writing_busy && sim_chance(w, 2) == 0)
        m->disk_state = m->writing; /* it had just reached the disk */
    m->writing_busy = m->write_again = false;
    sim_drbd_power_cut(w, node);
    sim_drbd_look_for_breaks(w);
}

void sim_power_on(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->on)
        return;
    m->on = m->booting = true;
    m->down = false;
    m->clock_lag_ms = w->now_ms; /* a new clock */
    m->clock_lag_ms -= m->clock_lag_ms < 1000 ? 0 : 1000;
    sim_post(w, sim_between(w, 3000, 8000), EV_BOOTED, node, 0);
    TRACE(w, (int)node, "power on");
}

static void fence(struct world *w, unsigned node)
{
    TRACE(w, (int)node, "resets itself");
    sim_power_cut(w, node);
    sim_power_on(w, node);
}

static void start_step(struct world *w, unsigned node, enum step step, uint64_t delay_ms)
{
    struct machine *m = &w->machine[node];
    m->step = step;
    m->step_number++;
    sim_post(w, delay_ms, EV_EXEC, node, m->step_number);
}

void sim_daemon_start(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    m->booting = false;
    m->daemon = true;
    m->daemon_epoch++;
    m->stopped_until_ms = 0;
    m->down = false;
    m->stop_wanted = m->switchover_wanted = m->start_due = false;
    m->heard = false;
    m->session = (uint32_t)sim_between(w, 1, 1u << 30);
    m->peer_session = 0;
    m->last_heard_ms = m->contact_ms = m->disk_contact_ms = m->peer_sent_ms = 0;
    m->member = false;
    m->member_changes_ms = 0;
    memset(m->chore_busy, 0, sizeof(m->chore_busy));
    m->asker = (struct asker){.generation = m->asker.generation + 1};
    m->writing_busy = m->write_again = false;
    arb_state_init(&m->state, &m->disk_state, sim_clock(w, node));
    m->saved_serial = m->state.save_serial;
    m->known = m->copy.up;
    m->watchdog_ms = sim_clock(w, node) + m->config.constants.watchdog_ms;
    m->gates = (struct arb_gates){0, m->watchdog_ms};
    m->exec = ARB_EXEC_CLEANING;
    TRACE(w, (int)node, "daemon starts");
    start_step(w, node, STEP_CLEAN, sim_between(w, 200, 800));
    m->step_deadline_ms = sim_clock(w, node) + 5000;
    sim_post(w, sim_chance(w, TICK_MS), EV_TICK, node, 0);
}

void sim_daemon_crash(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->on || !m->daemon)
        return;
    TRACE(w, (int)node, "daemon crashes");
    m->daemon = false;
    m->daemon_epoch++;
    if (m->writing_busy && sim_chance(w, 2) == 0)
        m->disk_state = m->writing;
    m->writing_busy = false;
    sim_post(w, sim_between(w, 100, 1500), EV_RESTART, node, 0);
}

/* ---- facts ---- */

void sim_wake(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->on || !m->daemon || m->decide_due)
        return;
    m->decide_due = true;
    sim_post(w, sim_between(w, 0, 3), EV_DECIDE, node, 0);
}

static struct arb_facts facts_of(const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    const struct copy *copy = &m->copy;
    const uint64_t now_ms = sim_clock(w, node);
    struct arb_facts facts = {
        .now_ms = now_ms,
        .drbd = {.known = m->known && copy->up,
                 .primary = copy->primary,
                 .suspended = copy->suspended,
                 .fence_question = copy->question,
                 .disk = copy->disk,
                 .peer_disk = copy->peer_disk,
                 .link = copy->link,
                 .lost_at_ms = copy->lost_at_ms},
        .peer = {.heard = m->heard,
                 .fresh = m->heard && now_ms - m->last_heard_ms <= m->config.constants.silence_ms,
                 .member = m->member,
                 .last_heard_ms = m->last_heard_ms,
                 .last = m->peer},
        .witness = m->asker.answer,
        .exec = m->exec,
        .saved_serial = m->saved_serial,
        .durable_readable = !m->unreadable,
        .contact_ms = m->contact_ms,
        .generation = 1,
        .switchover_wanted = m->switchover_wanted,
        .stop_wanted = m->stop_wanted,
        .take_possible = w->repaired || !m->unarmed,
    };
    if (m->stranger && !w->repaired)
        facts.peer.last.constants_digest++;
    if (copy->link == ARB_LINK_CONNECTED && sim_drbd_truly_connected(w))
        facts.drbd.peer_primary = w->machine[1 - node].copy.primary;
    /* as the daemon does: the disk's contact counts while the link is connected only */
    if (copy->link == ARB_LINK_CONNECTED && m->disk_contact_ms > facts.contact_ms)
        facts.contact_ms = m->disk_contact_ms;
    return facts;
}

const char *sim_switchover_obstacle(const struct world *w, unsigned node)
{
    const struct arb_facts facts = facts_of(w, node);
    return arb_switchover_obstacle(&w->machine[node].config, &w->machine[node].state, &facts);
}

/* ---- deliberately broken rules: the simulator must find what they cause ---- */

static void break_facts(const struct world *w, unsigned node, struct arb_facts *facts)
{
    const struct machine *m = &w->machine[node];
    const uint32_t own = m->config.node;
    if (w->broken_rule == BREAK_IGNORE_DENIAL && facts->witness.outcome == ARB_OUTCOME_DENIED &&
        m->state.ask_purpose == ARB_FOR_CLAIM) {
        facts->witness.outcome = ARB_OUTCOME_GRANTED;
        facts->witness.right = m->state.ask_wanted;
    }
    if (w->broken_rule == BREAK_CLAIM_STALE && m->state.phase == ARB_BOOT &&
        facts->witness.outcome != ARB_OUTCOME_NONE &&
        facts->witness.outcome != ARB_OUTCOME_UNREACHABLE && !facts->peer.fresh) {
        if (facts->drbd.disk == ARB_DISK_CONSISTENT)
            facts->drbd.disk = ARB_DISK_UPTODATE;
        facts->witness.right.mode = ARB_MODE_SOLO;
        facts->witness.right.owner = own;
        facts->witness.right.term = m->state.durable.right.term;
        if (m->state.ask == ARB_ASK_CAS) {
            facts->witness.outcome = ARB_OUTCOME_GRANTED;
            facts->witness.right = m->state.ask_wanted;
        }
    }
    if (w->broken_rule == BREAK_IGNORE_RUN && facts->witness.run != 0)
        facts->witness.run = 1;
}

static void break_state(const struct world *w, struct machine *m, const struct arb_facts *facts)
{
    if (w->broken_rule == BREAK_CLAIM_STALE && m->state.phase == ARB_BOOT && !facts->peer.fresh)
        m->state.durable.right = (struct arb_right){.mode = ARB_MODE_SOLO,
                                                    .owner = m->config.node,
                                                    .term = m->state.durable.right.term,
                                                    .seq = m->state.durable.right.seq};
    if (w->broken_rule == BREAK_SKIP_VIP_WAIT && m->state.phase == ARB_TAKING) {
        m->state.vip_from_ms = facts->now_ms;
        m->state.vip_waits = false;
    }
    if (w->broken_rule == BREAK_HEAL_EARLY && m->state.phase == ARB_ACTIVE &&
        m->state.durable.right.mode == ARB_MODE_PAIR && m->state.ask_purpose == ARB_FOR_HEALING) {
        m->state.durable.right.mode = ARB_MODE_SOLO;
        m->state.durable.right.owner = m->config.node;
    }
}

static void break_plan(const struct world *w, struct machine *m, const struct arb_facts *facts,
                       struct arb_plan *plan)
{
    const enum arb_phase phase = plan->next.phase;
    if (w->broken_rule == BREAK_ANSWER_EARLY && facts->drbd.fence_question &&
        (phase == ARB_ACTIVE || phase == ARB_TAKING)) {
        plan->actions |= ARB_DO_ANSWER;
        plan->answer = 7;
    }
    if (w->broken_rule == BREAK_IGNORE_LEASE && plan->next.row == 19 &&
        (plan->actions & ARB_DO_SELF_FENCE) != 0) {
        plan->actions &= ~(ARB_DO_SELF_FENCE | ARB_DO_DROP_VIP);
        plan->next = m->state;
    }
    if (w->broken_rule == BREAK_NO_SELF_FENCE && (plan->actions & ARB_DO_SELF_FENCE) != 0) {
        plan->actions &= ~(ARB_DO_SELF_FENCE | ARB_DO_DROP_VIP);
        plan->next = m->state;
    }
    if (w->broken_rule == BREAK_NO_OUTDATE && facts->peer.fresh &&
        facts->peer.last.outdate_term != 0 && !facts->drbd.primary) {
        plan->actions &= ~(ARB_DO_OUTDATE | ARB_DO_SAVE);
        plan->next.durable = m->state.durable;
        plan->next.save_serial = m->state.save_serial;
        plan->next.outdated_term = facts->peer.last.outdate_term;
    }
}

/* ---- carrying out ---- */

static void start_save(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->writing_busy) {
        m->write_again = true;
        return;
    }
    m->writing = m->state.durable;
    m->writing_serial = m->state.save_serial;
    m->writing_busy = true;
    const uint64_t delay_ms =
        w->disk_slow[node] > 0 ? sim_between(w, 100, 1800) : sim_between(w, 1, 20);
    sim_post(w, delay_ms, EV_SAVED, node, m->writing_serial);
}

void sim_saved(struct world *w, unsigned node, uint32_t serial)
{
    struct machine *m = &w->machine[node];
    if (!m->writing_busy || m->writing_serial != serial)
        return;
    m->disk_state = m->writing;
    m->saved_serial = serial;
    m->writing_busy = false;
    if (m->write_again) {
        m->write_again = false;
        start_save(w, node);
    }
    sim_wake(w, node);
}

static void start_chore(struct world *w, unsigned node, unsigned bit)
{
    struct machine *m = &w->machine[node];
    if (m->chore_busy[bit])
        return;
    m->chore_busy[bit] = true;
    sim_post(w, sim_between(w, 50, 300), EV_CHORE, node, bit);
}

static void check_answer(struct world *w, unsigned node, int code)
{
    const struct machine *m = &w->machine[node];
    const bool permits = code == 7 || code == 4;
    if (code != 7 && code != 4 && code != 1)
        sim_violation(w, VIOLATION_ANSWER);
    if (permits && w->broken_rule == BREAK_NONE &&
        !(m->disk_state.right.mode == ARB_MODE_SOLO && m->disk_state.right.owner == m->config.node))
        sim_violation(w, VIOLATION_ANSWER);
}

static void start_take(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->exec != ARB_EXEC_IDLE && m->exec != ARB_EXEC_PEER_LIVES)
        return;
    m->exec = ARB_EXEC_TAKING;
    start_step(w, node, STEP_PRIMARY, sim_between(w, 60, 250));
}

static void start_release(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    m->exec = ARB_EXEC_RELEASING;
    m->vip = false;
    m->step_deadline_ms = sim_clock(w, node) + 5000;
    start_step(w, node, STEP_RELEASE, sim_between(w, 50, 500));
}

/* Rows 17, 18 and 36 say that the other node has the right; the register knows better. And nobody
 * gives up (row 19) who could have asked a register that answers, or whose peer has obeyed. */
static void check_reset(struct world *w, unsigned node, const struct arb_state *before,
                        const struct arb_facts *facts)
{
    const struct machine *m = &w->machine[node];
    const uint16_t row = m->state.row;
    const struct arb_durable *own = &before->durable;
    const uint64_t term =
        own->right.term > before->tried_term ? own->right.term : before->tried_term;
    const bool asked = before->ask != ARB_ASK_NONE || before->asked_at_ms >= before->break_ms;
    if (row == 19 && before->break_ms != 0 && !asked && before->run_seen == w->run &&
        own->witness_run == w->run && before->register_seen.term <= term &&
        before->save_asked_ms < before->break_ms && facts->saved_serial == before->save_serial)
        sim_violation(w, VIOLATION_NEEDLESS);
    if (row == 19 && before->ask == ARB_ASK_NONE && before->outdate_term != 0 &&
        facts->peer.fresh && facts->peer.last.outdated_term == before->outdate_term &&
        facts->saved_serial == before->save_serial && before->run_seen == 0)
        sim_violation(w, VIOLATION_NEEDLESS);
    if (w->reg.mode == ARB_MODE_SOLO && w->reg.owner == m->config.node &&
        m->state.durable.witness_run == w->run && (row == 17 || row == 18 || row == 36))
        sim_violation(w, VIOLATION_NEEDLESS);
}

/* What no rule may forget: who may not become active at all. */
static void check_take(struct world *w, unsigned node, const struct arb_facts *facts)
{
    const bool strangers = facts->peer.fresh && w->machine[node].stranger && !w->repaired;
    if (!facts->durable_readable || !facts->take_possible || strangers)
        sim_violation(w, VIOLATION_UNFIT);
}

static void carry_out(struct world *w, unsigned node, const struct arb_plan *plan)
{
    static const uint32_t chores =
        ARB_DO_OUTDATE | ARB_DO_CONNECT | ARB_DO_RECONNECT | ARB_DO_DOWN | ARB_DO_FORM;
    struct machine *m = &w->machine[node];
    if (plan->actions & ARB_DO_DROP_VIP)
        m->vip = false;
    if (plan->actions & ARB_DO_SELF_FENCE) {
        fence(w, node);
        return;
    }
    if (plan->actions & ARB_DO_SAVE)
        start_save(w, node);
    if (plan->actions & ARB_DO_ASK)
        sim_ask(w, node);
    if (plan->actions & ARB_DO_ANSWER) {
        check_answer(w, node, plan->answer);
        sim_drbd_answer(w, node, plan->answer);
    }
    if (plan->actions & ARB_DO_TAKE)
        start_take(w, node);
    if (plan->actions & ARB_DO_RELEASE) {
        m->switchover_wanted = false;
        start_release(w, node);
    }
    for (unsigned bit = 0; bit < ARB_ACTIONS; bit++)
        if (plan->actions & chores & (1u << bit))
            start_chore(w, node, bit);
}

void sim_decide(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->daemon || m->down)
        return;
    m->decide_due = false;
    struct arb_facts facts = facts_of(w, node);
    if (w->broken_rule != BREAK_NONE) {
        break_facts(w, node, &facts);
        break_state(w, m, &facts);
    }
    struct arb_plan plan = arb_decide(&m->config, &m->state, &facts);
    if (w->broken_rule != BREAK_NONE)
        break_plan(w, m, &facts, &plan);
    if (w->trace &&
        (plan.next.phase != m->state.phase || plan.next.row != m->state.row || plan.actions != 0))
        sim_trace(w, (int)node, "%s -> %s R%u %s%s%s%s%s%s%s", arb_phase_name(m->state.phase),
                  arb_phase_name(plan.next.phase), plan.next.row, plan.next.reason,
                  plan.actions & ARB_DO_SAVE ? " [save]" : "",
                  plan.actions & ARB_DO_ASK ? plan.next.ask == ARB_ASK_CAS ? " [cas]" : " [read]"
                                            : "",
                  plan.actions & ARB_DO_TAKE ? " [take]" : "",
                  plan.actions & ARB_DO_RELEASE ? " [release]" : "",
                  plan.actions & ARB_DO_OUTDATE ? " [outdate]" : "",
                  plan.actions & (ARB_DO_CONNECT | ARB_DO_RECONNECT) ? " [connect]" : "");
    if (plan.next.phase == ARB_TAKING && m->state.phase != ARB_TAKING)
        w->result.takeovers++;
    if (plan.next.row != m->state.row && plan.next.row < ROWS)
        w->result.rows[plan.next.row]++;
    if (plan.actions & ARB_DO_SELF_FENCE)
        w->result.fences++;
    const struct arb_state before = m->state;
    m->state = plan.next;
    if (plan.actions & ARB_DO_SELF_FENCE)
        check_reset(w, node, &before, &facts);
    if (plan.actions & ARB_DO_TAKE)
        check_take(w, node, &facts);
    carry_out(w, node, &plan);
    if (!m->on)
        return;
    facts = facts_of(w, node);
    m->gates = arb_gates(&m->config, &m->state, &facts);
    if (w->broken_rule == BREAK_IGNORE_LEASE && m->state.phase == ARB_ACTIVE)
        m->gates = (struct arb_gates){facts.now_ms + m->config.constants.lease_ms,
                                      facts.now_ms + m->config.constants.watchdog_ms};
}

/* ---- heartbeats and membership ---- */

static void send_heartbeat(struct world *w, unsigned node)
{
    const unsigned peer = 1 - node;
    struct machine *m = &w->machine[node];
    const bool lan = sim_path(w, 0, node), data = sim_path(w, 1, node);
    if (!lan && !data)
        return;
    const uint32_t slot = w->next_beat++ % BEATS;
    struct beat *beat = &w->beats[slot];
    const struct arb_facts facts = facts_of(w, node);
    *beat = (struct beat){
        .message = arb_message_build(&m->config, &m->state, &facts),
        .sent_ms = sim_clock(w, node),
        .echo_ms = m->peer_sent_ms,
        .session = m->session,
        .echo_session = m->peer_session,
    };
    beat->message.holds_vip = beat->message.holds_vip || sim_holds_vip(w, node);
    if (w->machine[peer].on && w->machine[peer].daemon)
        sim_post(w, sim_between(w, 1, 15), EV_HEARTBEAT, peer, slot);
}

void sim_heartbeat_arrives(struct world *w, unsigned node, uint32_t slot)
{
    struct machine *m = &w->machine[node];
    const struct beat *beat = &w->beats[slot];
    if (!m->daemon)
        return;
    if (beat->session != m->peer_session) {
        m->peer_session = beat->session;
        m->peer_sent_ms = 0;
    }
    if (beat->sent_ms > m->peer_sent_ms)
        m->peer_sent_ms = beat->sent_ms;
    else
        return; /* an older one, overtaken */
    if (beat->echo_session != m->session)
        return; /* may be a replay: it does not know our present session */
    const bool news = !m->heard || m->peer.phase != beat->message.phase ||
                      m->peer.right.seq != beat->message.right.seq ||
                      m->peer.right.mode != beat->message.right.mode ||
                      m->peer.outdate_term != beat->message.outdate_term ||
                      m->peer.outdated_term != beat->message.outdated_term ||
                      m->peer.candidate != beat->message.candidate;
    m->heard = true;
    m->peer = beat->message;
    m->last_heard_ms = sim_clock(w, node);
    if (beat->echo_ms > m->contact_ms)
        m->contact_ms = beat->echo_ms;
    if (news)
        sim_wake(w, node);
}

static void follow_membership(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    const unsigned peer = 1 - node;
    const bool path = sim_both_ways(w, 0) || sim_both_ways(w, 1);
    const bool alive = sim_runs(w, peer) && !w->machine[peer].booting &&
                       (!w->member_is_process || w->machine[peer].daemon);
    const bool reality = path && alive;
    if (reality == m->member) {
        m->member_changes_ms = 0;
        return;
    }
    if (m->member_changes_ms == 0)
        m->member_changes_ms = w->now_ms + (reality ? sim_between(w, 300, 2000)
                                                    : sim_between(w, w->token_ms, w->token_ms * 2));
    if (w->now_ms >= m->member_changes_ms) {
        m->member = reality;
        m->member_changes_ms = 0;
    }
}

/* a small write that the peer's disk has acknowledged proves contact as well */
static void write_disk_beat(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->copy.primary && m->copy.link == ARB_LINK_CONNECTED && sim_drbd_writable(w, node))
        m->disk_contact_ms = sim_clock(w, node);
}

/* ---- client ---- */

bool sim_serves(const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    return sim_runs(w, node) && m->database && sim_drbd_writable(w, node);
}

static void write_client(struct world *w, unsigned node)
{
    if (!sim_serves(w, node))
        return;
    struct copy *own = &w->machine[node].copy, *peer = &w->machine[1 - node].copy;
    if (own->content != w->acknowledged) {
        sim_violation(w, VIOLATION_LOST_WRITE);
        return;
    }
    w->acknowledged++;
    own->content = w->acknowledged;
    if (own->link == ARB_LINK_CONNECTED && peer->content >= 0)
        peer->content = w->acknowledged;
}

/* ---- the thread behind the gates ---- */

bool sim_holds_vip(const struct world *w, unsigned node)
{
    const struct machine *m = &w->machine[node];
    return m->on && m->vip && sim_clock(w, node) < m->vip_expire_ms;
}

static void run_gates(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    const uint64_t now_ms = sim_clock(w, node);
    if (m->vip && now_ms >= m->vip_expire_ms)
        m->vip = false;
    if (m->exec == ARB_EXEC_TAKEN && !m->vip && now_ms < m->gates.vip_until_ms) {
        m->vip = true; /* the right came back: the address is added again */
        m->vip_expire_ms = 0;
    }
    if (m->vip && now_ms < m->gates.vip_until_ms)
        m->vip_expire_ms = now_ms + m->config.constants.vip_lifetime_ms + w->vip_late_ms;
    if (now_ms < m->gates.kick_until_ms)
        m->watchdog_ms = now_ms + m->config.constants.watchdog_ms;
}

void sim_tick(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (!m->on)
        return;
    if (m->watchdog_ms != 0 && sim_clock(w, node) >= m->watchdog_ms) {
        TRACE(w, (int)node, "watchdog bites");
        sim_power_cut(w, node);
        sim_power_on(w, node);
        return;
    }
    sim_post(w, TICK_MS, EV_TICK, node, 0);
    if (sim_daemon_runs(w, node) && !m->down) {
        run_gates(w, node);
        write_disk_beat(w, node);
        follow_membership(w, node);
        sim_decide(w, node);
        if (!m->on)
            return;
        if (m->daemon && !m->down)
            send_heartbeat(w, node);
    }
    write_client(w, node);
}

/* ---- executor ---- */

static void take_failed(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    m->exec = ARB_EXEC_TAKE_FAILED;
    m->step = STEP_NONE;
    TRACE(w, (int)node, "take failed");
    sim_wake(w, node);
}

static void after_promotion(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    TRACE(w, (int)node, "Primary");
    if (m->copy.content != w->acknowledged && sim_drbd_writable(w, node))
        sim_violation(w, VIOLATION_LOST_WRITE);
    start_step(w, node, STEP_MOUNT, sim_between(w, 80, 220));
}

static void step_primary(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->take_failures > 0) {
        m->take_failures--;
        take_failed(w, node);
        return;
    }
    switch (sim_drbd_primary(w, node)) {
    case PROMOTED:
        after_promotion(w, node);
        break;
    case PROMOTE_PROBES:
        start_step(w, node, STEP_PRIMARY_PROBE, sim_between(w, 400, 800));
        break;
    case PROMOTE_ASKS:
        m->step_deadline_ms = sim_clock(w, node) + 9000;
        start_step(w, node, STEP_PRIMARY_ASK, 30);
        break;
    case PROMOTE_PEER_LIVES:
        m->exec = ARB_EXEC_PEER_LIVES;
        m->step = STEP_NONE;
        sim_wake(w, node);
        break;
    case PROMOTE_REFUSED:
        take_failed(w, node);
        break;
    }
}

static void step_ask(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->copy.question) {
        start_step(w, node, STEP_PRIMARY_ASK, 30);
        return;
    }
    if (m->copy.answer == 7 || m->copy.answer == 4)
        start_step(w, node, STEP_PRIMARY, sim_between(w, 20, 100));
    else
        take_failed(w, node);
}

static void step_device(struct world *w, unsigned node, enum step next, uint64_t low_ms,
                        uint64_t high_ms)
{
    struct machine *m = &w->machine[node];
    if (m->copy.suspended) { /* everything that touches the disk hangs */
        start_step(w, node, m->step, 100);
        return;
    }
    start_step(w, node, next, sim_between(w, low_ms, high_ms));
}

static void step_vip(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    const uint64_t now_ms = sim_clock(w, node);
    if (now_ms < m->state.vip_from_ms || m->gates.vip_until_ms <= now_ms) {
        start_step(w, node, STEP_VIP_WAIT, 50);
        return;
    }
    m->vip = true;
    m->vip_expire_ms = now_ms + m->config.constants.vip_lifetime_ms + w->vip_late_ms;
    m->exec = ARB_EXEC_TAKEN;
    m->step = STEP_NONE;
    TRACE(w, (int)node, "holds the address, everything started");
    sim_wake(w, node);
}

static void step_release_end(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    if (m->copy.suspended && m->copy.primary) {
        if (sim_clock(w, node) < m->step_deadline_ms) {
            start_step(w, node, m->step, 100);
            return;
        }
        m->exec = ARB_EXEC_RELEASE_FAILED;
        m->step = STEP_NONE;
        sim_wake(w, node);
        return;
    }
    m->copy.primary = false;
    m->copy.meta_crashed_primary = false;
    m->database = false;
    m->vip = false;
    m->exec = ARB_EXEC_IDLE;
    m->step = STEP_NONE;
    if (!m->copy.up)
        sim_drbd_up(w, node);
    m->known = true;
    TRACE(w, (int)node, "released");
    sim_wake(w, node);
}

void sim_exec_step(struct world *w, unsigned node, uint32_t number)
{
    struct machine *m = &w->machine[node];
    if (number != m->step_number)
        return;
    switch (m->step) {
    case STEP_NONE:
        break;
    case STEP_CLEAN:
    case STEP_RELEASE:
        m->vip = false;
        m->database = m->database && m->step == STEP_CLEAN && m->copy.suspended;
        start_step(w, node, STEP_RELEASE_END, sim_between(w, 50, 400));
        break;
    case STEP_RELEASE_END:
        step_release_end(w, node);
        break;
    case STEP_PRIMARY:
        step_primary(w, node);
        break;
    case STEP_PRIMARY_PROBE: /* the ping found nobody; asked, refused all the same, tried again */
        sim_drbd_lose(w, node);
        start_step(w, node, STEP_PRIMARY, 20);
        break;
    case STEP_PRIMARY_ASK:
        step_ask(w, node);
        break;
    case STEP_MOUNT:
        step_device(w, node, STEP_DATABASE, 200, 2000);
        break;
    case STEP_DATABASE:
        if (!m->copy.suspended)
            m->database = true;
        step_device(w, node, STEP_GATEWAY, 100, 400);
        break;
    case STEP_GATEWAY:
        start_step(w, node, STEP_VIP_PROBE, 450);
        break;
    case STEP_VIP_PROBE:
    case STEP_VIP_WAIT:
        step_vip(w, node);
        break;
    }
}
