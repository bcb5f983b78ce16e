/* STANDBY and SUSPECT: following the active node, and taking over when it is gone. */
#include "ha/arbiter_private.h"

/* ---- both ---- */

static bool peer_silent(const struct arb_call *call)
{
    return call->facts->peer.heard && !arb__peer_fresh(call);
}

static void then_down(struct arb_call *call)
{
    arb__go(call, ARB_STOPPED);
    arb__act(call, ARB_DO_DOWN);
}

/* ---- STANDBY ---- */

static bool when_stopped_after_release(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    if (!state->stopping || !arb__exec_idle(call) || arb__claiming(call))
        return false;
    const bool peer_active = arb__peer_fresh(call) && call->facts->peer.last.phase == ARB_ACTIVE;
    return peer_active || arb__since(call, state->since_ms, call->k->handover_ms);
}

static bool when_stop(const struct arb_call *call)
{
    return call->facts->stop_wanted && !call->plan.next.stopping && arb__exec_idle(call) &&
           !arb__claiming(call);
}

static bool when_peer_gone(const struct arb_call *call)
{
    return peer_silent(call) && !call->plan.next.stopping &&
           (arb__link_broken(call) || !call->facts->peer.member);
}

static void then_suspect(struct arb_call *call)
{
    arb__go(call, ARB_SUSPECT);
}

/* After a failed take without any word from the peer: wait for it as after a start. */
static bool when_never_heard(const struct arb_call *call)
{
    return !call->facts->peer.heard && !call->plan.next.stopping;
}

static void then_boot(struct arb_call *call)
{
    arb__go(call, ARB_BOOT);
}

static bool when_forming(const struct arb_call *call)
{
    const struct arb_facts *facts = call->facts;
    return call->saved && call->config->preferred && call->plan.next.durable.fresh &&
           arb__peer_fresh(call) && facts->peer.last.fresh && !facts->peer.last.preferred &&
           arb__link_up(call) && facts->drbd.disk == ARB_DISK_INCONSISTENT &&
           facts->drbd.peer_disk == ARB_DISK_INCONSISTENT && !facts->drbd.primary &&
           !facts->drbd.peer_primary && arb__compatible(call) &&
           arb__may_act(call, ARB_DO_FORM, ARB_FORM_RETRY_MS);
}

static void then_form(struct arb_call *call)
{
    arb__act(call, ARB_DO_FORM);
}

static bool when_silent_but_connected(const struct arb_call *call)
{
    return peer_silent(call);
}

static bool when_member_lost(const struct arb_call *call)
{
    return arb__peer_serves(call) && !call->facts->peer.member;
}

static bool when_follows_outdated(const struct arb_call *call)
{
    return arb__peer_serves(call) && arb__link_broken(call);
}

static bool when_follows(const struct arb_call *call)
{
    return arb__peer_serves(call);
}

static bool when_incompatible(const struct arb_call *call)
{
    return !arb__compatible(call);
}

static bool when_witness_away(const struct arb_call *call)
{
    return call->plan.next.run_seen == 0 && call->plan.next.ask_failures >= 2;
}

static bool when_run_not_agreed(const struct arb_call *call)
{
    return call->plan.next.run_seen != 0 && !arb__run_agreed(call);
}

static bool when_not_whole(const struct arb_call *call)
{
    return !arb__whole(call);
}

static bool when_idle(const struct arb_call *call)
{
    (void)call;
    return true;
}

/* clang-format off */
const struct arb_row arb__rows_standby[] = {
    {ARB_RULE(32, when_stopped_after_release, then_down), "The administrator stopped this node; the other one had time to take over.", false, false},
    {ARB_RULE(32, when_stop, then_down), "The administrator stopped this node.", false, false},
    {ARB_RULE(9, when_peer_gone, then_suspect), "The other node is silent on every path.", true, false},
    {ARB_RULE(9, when_never_heard, then_boot), "The other node has not been heard yet.", false, false},
    {ARB_RULE(2, arb__when_elected, arb__then_elected), "This node is elected and asks the register.", false, false},
    {ARB_RULE(53, when_forming, then_form), "Both copies are empty: they are declared equal and the pair is formed.", false, false},
    {ARB_RULE(7, when_silent_but_connected, NULL),
     "The other node's daemon is silent, but its machine lives: this node stays in standby.", true, false},
    {ARB_RULE(57, when_incompatible, NULL),
     "The nodes run different protocol versions or different times; no node becomes active by itself.", true, false},
    {ARB_RULE(7, when_member_lost, NULL),
     "The other node left the cluster's membership but is heard and active: this node stays in standby.", true, false},
    {ARB_RULE(8, when_follows_outdated, NULL),
     "The data link is lost and the other node is active: this node stays in standby.", true, false},
    {ARB_RULE(3, when_follows, NULL), "The other node is active: this node stands by.", false, false},
    {ARB_RULE(12, when_witness_away, NULL),
     "No node is active, and the witness cannot be reached.", true, false},
    {ARB_RULE(58, when_run_not_agreed, NULL),
     "No node is active; both nodes have to agree on the witness first.", false, false},
    {ARB_RULE(2, when_not_whole, NULL), "No node is active; the copies are not equal and connected yet.", false, false},
    {ARB_RULE(2, when_idle, NULL), "No node is active; the election is under way.", false, false},
    ARB_ROWS_END,
};
/* clang-format on */

/* ---- SUSPECT ---- */

static bool when_heard_again(const struct arb_call *call)
{
    return arb__peer_fresh(call) && !arb__claiming(call);
}

static void then_standby(struct arb_call *call)
{
    arb__go(call, ARB_STANDBY);
}

static bool when_copy_not_good(const struct arb_call *call)
{
    return call->facts->drbd.known && call->facts->drbd.disk != ARB_DISK_UPTODATE &&
           !arb__claiming(call);
}

static bool when_banned(const struct arb_call *call)
{
    return arb__peer_solo(call) && !arb__claiming(call);
}

static void then_wait(struct arb_call *call)
{
    arb__go(call, ARB_WAIT);
}

static bool claim_possible(const struct arb_call *call)
{
    return call->saved && arb__compatible(call) && !arb__asking(call) &&
           arb__candidate(call->config, &call->plan.next, call->facts);
}

/* One lost answer in between does not change what is known of the witness. */
static bool foreign_run(const struct arb_call *call)
{
    return call->plan.next.run_foreign && call->plan.next.ask_failures < 2;
}

static bool when_claim(const struct arb_call *call)
{
    return claim_possible(call) && arb__may_ask(call) &&
           (!arb__register_known(call) || arb__claim_obstacle(call) == NULL) && !foreign_run(call);
}

/* what was read before the peer fell silent proves nothing about now */
static bool read_in_this_phase(const struct arb_call *call)
{
    return arb__register_known(call) &&
           call->plan.next.register_seen_at_ms >= call->plan.next.since_ms;
}

static bool when_denied(const struct arb_call *call)
{
    return read_in_this_phase(call) &&
           arb__is_solo_of(&call->plan.next.register_seen, arb__peer_node(call)) &&
           !arb__claiming(call);
}

static bool when_stale(const struct arb_call *call)
{
    return read_in_this_phase(call) && arb__claim_obstacle(call) != NULL && !arb__claiming(call);
}

static bool when_no_vote_counts(const struct arb_call *call)
{
    return arb__witness_away(call) && foreign_run(call);
}

static bool when_unreachable(const struct arb_call *call)
{
    return arb__witness_away(call) && call->plan.next.ask_failures >= 2;
}

static bool when_not_able(const struct arb_call *call)
{
    return !arb__candidate(call->config, &call->plan.next, call->facts);
}

/* clang-format off */
const struct arb_row arb__rows_suspect[] = {
    {ARB_RULE(32, when_stop, then_down), "The administrator stopped this node.", false, false},
    {ARB_RULE(9, when_heard_again, then_standby), "The other node is heard again.", false, false},
    {ARB_RULE(6, when_copy_not_good, then_wait),
     "The other node is silent and the copy of this node is not up to date: it waits for the other node.", true, false},
    {ARB_RULE(11, when_banned, then_wait),
     "The other node is silent, but only its copy counts: this node waits for it.", true, false},
    {ARB_RULE(11, when_denied, then_wait),
     "The register gives the right to the other node: this node waits for it.", true, false},
    {ARB_RULE(57, when_incompatible, then_wait),
     "The nodes run different protocol versions or different times; no node becomes active by itself.", true, false},
    {ARB_RULE(66, when_stale, then_wait),
     "The register has moved on without this node, so its copy may be stale: it waits for the other node.", true, false},
    {ARB_RULE(10, when_claim, arb__then_claim), "The other node is silent: the register is asked for the right.", true, false},
    {ARB_RULE(58, when_no_vote_counts, NULL),
     "The witness was restarted or restored since the nodes last agreed on it: its vote does not count.", true, false},
    {ARB_RULE(12, when_unreachable, NULL), "The other node is silent and the witness cannot be reached: it is asked again.", true, false},
    {ARB_RULE(52, when_not_able, NULL), "The other node is silent, but this node is not able to become active now.", true, false},
    ARB_ROWS_END,
};
/* clang-format on */
