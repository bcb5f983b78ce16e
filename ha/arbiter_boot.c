/* BOOT and WAIT: collecting facts, the election, and every reason not to become active. */
#include "ha/arbiter_private.h"

/* ---- the election ---- */

struct side {
    uint32_t node;
    bool candidate, preferred;
    enum arb_disk disk;
    uint64_t last_active_term;
    const struct arb_right *right;
};

static uint32_t rank(const struct side *me, const struct side *peer)
{
    if (me->last_active_term != peer->last_active_term)
        return me->last_active_term > peer->last_active_term ? me->node : peer->node;
    if (me->preferred != peer->preferred)
        return me->preferred ? me->node : peer->node;
    return me->node < peer->node ? me->node : peer->node;
}

static uint32_t solo_owner(const struct arb_right *right)
{
    return right->mode == ARB_MODE_SOLO ? right->owner : ARB_NODE_NONE;
}

static uint32_t only_if_candidate(uint32_t node, const struct side *me, const struct side *peer,
                                  const char **ret_obstacle)
{
    const bool candidate = node == me->node ? me->candidate : peer->candidate;
    if (candidate)
        return node;
    *ret_obstacle = node == me->node
                        ? "Only this node's copy counts, but it cannot become active now."
                        : "Only the other node's copy counts, and it cannot become active now.";
    return ARB_NODE_NONE;
}

static uint32_t best_candidate(const struct side *me, const struct side *peer,
                               const char **ret_obstacle)
{
    if (me->candidate && peer->candidate)
        return rank(me, peer);
    if (me->candidate)
        return me->node;
    if (peer->candidate)
        return peer->node;
    *ret_obstacle = "Neither node is able to become active now.";
    return ARB_NODE_NONE;
}

/* Connected and both UpToDate: the copies are identical, so nobody's data can be lost. The register
 * obeys only its owner, hence the owner goes first (or gives it back). */
static uint32_t elect_whole(const struct side *me, const struct side *peer, uint32_t register_owner,
                            const char **ret_obstacle)
{
    if (register_owner != ARB_NODE_NONE)
        return only_if_candidate(register_owner, me, peer, ret_obstacle);
    /* an owner by its own record goes first too: it drops that record when it is not able */
    if (solo_owner(me->right) == me->node)
        return only_if_candidate(me->node, me, peer, ret_obstacle);
    if (solo_owner(peer->right) == peer->node)
        return only_if_candidate(peer->node, me, peer, ret_obstacle);
    return best_candidate(me, peer, ret_obstacle);
}

static uint32_t elect_apart(const struct arb_call *call, const struct side *me,
                            const struct side *peer, uint32_t register_owner,
                            const char **ret_obstacle)
{
    const uint32_t mine = solo_owner(me->right), theirs = solo_owner(peer->right);
    if ((mine != ARB_NODE_NONE && theirs != ARB_NODE_NONE && mine != theirs)) {
        *ret_obstacle = "Both nodes have a record that only their own copy counts.";
        return ARB_NODE_NONE;
    }
    const uint32_t recorded = mine != ARB_NODE_NONE ? mine : theirs;
    if (recorded != ARB_NODE_NONE && register_owner != ARB_NODE_NONE &&
        recorded != register_owner) {
        *ret_obstacle = "The register and the nodes' records name different owners of the right.";
        return ARB_NODE_NONE;
    }
    const uint32_t owner = recorded != ARB_NODE_NONE ? recorded : register_owner;
    if (owner != ARB_NODE_NONE)
        return only_if_candidate(owner, me, peer, ret_obstacle);
    /* a link that just broke may come back at once; then the election is the ordinary one */
    if (!arb__link_up(call) &&
        !arb__since(call, call->facts->drbd.lost_at_ms, call->k->outdate_wait_ms)) {
        *ret_obstacle = "The data link was lost a moment ago.";
        return ARB_NODE_NONE;
    }
    return best_candidate(me, peer, ret_obstacle);
}

/* A node that cannot reach the register could not become active; at first it may just be asking. */
static bool witness_had_time(const struct arb_call *call)
{
    return arb__since(call, call->plan.next.since_ms, ARB_WITNESS_PATIENCE_MS);
}

uint32_t arb__elect(const struct arb_call *call, const char **ret_obstacle)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    *ret_obstacle = NULL;
    if (!arb__peer_fresh(call))
        *ret_obstacle = "The other node is silent.";
    else if (arb__is_acting(peer->phase) || peer->holds_vip)
        *ret_obstacle = "The other node is active or still releasing.";
    else if (!arb__compatible(call))
        *ret_obstacle = "The nodes run different protocol versions or different times; no node "
                        "becomes active by itself.";
    else if (!call->facts->drbd.known)
        *ret_obstacle = "The state of the copies is not known yet.";
    else if (arb__whole(call) &&
             (peer->link != ARB_LINK_CONNECTED || peer->disk != ARB_DISK_UPTODATE))
        *ret_obstacle = "The other node has not seen the connection yet.";
    if (*ret_obstacle != NULL)
        return ARB_NODE_NONE;

    const struct side me = {
        .node = call->config->node,
        .candidate = arb__candidate(call->config, state, call->facts),
        .preferred = call->config->preferred,
        .disk = call->facts->drbd.disk,
        .last_active_term = state->durable.last_active_term,
        .right = &state->durable.right,
    };
    const struct side other = {
        .node = arb__peer_node(call),
        .candidate = peer->candidate && (peer->run_seen != 0 || !witness_had_time(call)),
        .preferred = peer->preferred,
        .disk = peer->disk,
        .last_active_term = peer->last_active_term,
        .right = &peer->right,
    };
    const uint32_t register_owner =
        arb__register_known(call) ? solo_owner(&state->register_seen) : ARB_NODE_NONE;
    return arb__whole(call) ? elect_whole(&me, &other, register_owner, ret_obstacle)
                            : elect_apart(call, &me, &other, register_owner, ret_obstacle);
}

bool arb__when_elected(const struct arb_call *call)
{
    const char *obstacle = NULL;
    if (!call->saved || !arb__may_ask(call) || !arb__register_known(call) ||
        !arb__candidate(call->config, &call->plan.next, call->facts) ||
        !arb__since(call, call->plan.next.outrun_at_ms, ARB_OUTRUN_MS))
        return false;
    if (arb__elect(call, &obstacle) != call->config->node)
        return false;
    return arb__whole(call) || arb__claim_obstacle(call) == NULL;
}

/* ---- rows ---- */

static bool when_unreadable(const struct arb_call *call)
{
    return !call->facts->durable_readable;
}

static bool when_stop(const struct arb_call *call)
{
    return call->facts->stop_wanted && arb__exec_idle(call);
}

static void then_stop(struct arb_call *call)
{
    arb__go(call, ARB_STOPPED);
    arb__act(call, ARB_DO_DOWN);
}

static bool when_cleaning(const struct arb_call *call)
{
    return call->facts->exec == ARB_EXEC_CLEANING;
}

static bool when_data_unknown(const struct arb_call *call)
{
    return !call->facts->drbd.known;
}

static bool when_peer_serves(const struct arb_call *call)
{
    return arb__peer_serves(call);
}

static bool when_connected(const struct arb_call *call)
{
    return arb__peer_fresh(call) && arb__link_up(call) && arb__compatible(call);
}

static void then_standby(struct arb_call *call)
{
    arb__go(call, ARB_STANDBY);
}

/* row 4: nobody else may have become active since, for the register still names this node */
static bool owner_alone(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return call->saved && arb__own_solo(call) && !arb__peer_fresh(call) &&
           arb__since(call, state->since_ms, call->k->solo_boot_wait_ms) &&
           arb__candidate(call->config, state, call->facts) && arb__may_ask(call) &&
           arb__compatible(call);
}

static bool when_owner_alone(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_right *seen = &state->register_seen;
    if (!owner_alone(call) || !arb__register_known(call) ||
        !arb__is_solo_of(seen, call->config->node))
        return false;
    return seen->term == state->durable.right.term ||
           (seen->term > state->durable.right.term && seen->term <= state->tried_term);
}

static bool when_owner_asks(const struct arb_call *call)
{
    return owner_alone(call) && call->plan.next.register_seen_at_ms == 0;
}

static bool patience_is_over(const struct arb_call *call)
{
    return call->plan.next.phase == ARB_WAIT ||
           arb__since(call, call->plan.next.since_ms, call->k->boot_wait_ms);
}

static bool when_incompatible(const struct arb_call *call)
{
    return arb__peer_fresh(call) && !arb__compatible(call);
}

static bool when_alone_bad_disk(const struct arb_call *call)
{
    const enum arb_disk disk = call->facts->drbd.disk;
    return patience_is_over(call) && disk != ARB_DISK_UPTODATE && disk != ARB_DISK_CONSISTENT;
}

static bool when_witness_away(const struct arb_call *call)
{
    return patience_is_over(call) && call->plan.next.ask_failures >= 2;
}

static bool when_run_changed(const struct arb_call *call)
{
    return patience_is_over(call) && call->plan.next.run_seen != 0 && !arb__run_agreed(call);
}

static bool when_not_able(const struct arb_call *call)
{
    return patience_is_over(call) && !call->facts->take_possible;
}

static bool when_stale_guard(const struct arb_call *call)
{
    return patience_is_over(call) && !arb__peer_fresh(call);
}

static bool when_apart(const struct arb_call *call)
{
    return patience_is_over(call);
}

static void then_wait(struct arb_call *call)
{
    if (call->plan.next.phase != ARB_WAIT)
        arb__go(call, ARB_WAIT);
}

/* clang-format off */
const struct arb_row arb__rows_boot[] = {
    {ARB_RULE(32, when_stop, then_stop), "The administrator stopped this node.", false, false},
    {ARB_RULE(59, when_unreadable, then_wait),
     "The durable state of this node cannot be read: it does not become active until it is installed anew.", true, false},
    {ARB_RULE(1, when_cleaning, NULL), "Leftovers of the last run are being removed.", false, false},
    {ARB_RULE(1, when_data_unknown, NULL), "The state of the copies is being read.", false, false},
    {ARB_RULE(57, when_incompatible, then_wait),
     "The nodes run different protocol versions or different times; no node becomes active by itself.", true, false},
    {ARB_RULE(3, when_peer_serves, then_standby), "The other node is active: this node stands by.", false, false},
    {ARB_RULE(2, arb__when_elected, arb__then_elected), "This node is elected and asks the register.", false, false},
    {ARB_RULE(3, when_connected, then_standby), "Both nodes are connected.", false, false},
    {ARB_RULE(4, when_owner_alone, arb__then_claim),
     "Alone, but only this node's copy counts and the register still says so.", false, false},
    {ARB_RULE(4, when_owner_asks, arb__ask_read), "Alone, and by its own record only this node's copy counts: the register is asked.", false, true},
    {ARB_RULE(6, when_alone_bad_disk, then_wait),
     "The copy of this node is not up to date: it waits for the other node.", true, false},
    {ARB_RULE(12, when_witness_away, then_wait),
     "The witness cannot be reached: this node does not become active by itself.", true, false},
    {ARB_RULE(58, when_run_changed, then_wait),
     "The witness was restarted or restored since the nodes last agreed on it: this node waits for the other one.", true, false},
    {ARB_RULE(52, when_not_able, then_wait),
     "The watchdog is not armed or the configuration is incomplete: this node cannot become active.", true, false},
    {ARB_RULE(5, when_stale_guard, then_wait),
     "Stale-data guard: alone after a start, and the other node may hold newer data. This node waits for it.", true, false},
    {ARB_RULE(5, when_apart, then_wait),
     "The copies are not connected, so it is not known whose data is newer. This node waits.", true, false},
    ARB_ROWS_END,
};
/* clang-format on */
