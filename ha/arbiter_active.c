/* TAKING, ACTIVE and RELEASING: using the right, proving it when the pair breaks, giving it up. */
#include "ha/arbiter_private.h"

/* ---- when the pair breaks (rows 16 to 19), shared by the three phases ---- */

/* Before it is Primary and after it is released, the node has nothing that a break endangers. */
static bool exposed(const struct arb_call *call)
{
    return call->facts->drbd.primary || call->plan.next.phase == ARB_ACTIVE;
}

static bool pair_broken(const struct arb_call *call)
{
    return call->plan.next.durable.right.mode == ARB_MODE_PAIR && arb__broken(call);
}

/* The peer has read back from its kernel that its copy is outdated, after our request. */
static bool peer_outdated(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->outdate_term != 0 && arb__peer_fresh(call) &&
           call->facts->peer.last.outdated_term == state->outdate_term &&
           !arb__is_acting(call->facts->peer.last.phase);
}

/* Our kernel knows a disconnected peer as Outdated: it went away in order (or obeyed). */
static bool peer_known_outdated(const struct arb_call *call)
{
    return arb__link_broken(call) && call->facts->drbd.peer_disk == ARB_DISK_OUTDATED;
}

static bool when_go_on_without_witness(const struct arb_call *call)
{
    return pair_broken(call) && arb__link_broken(call) && call->saved && !arb__asking(call) &&
           arb__witness_away(call) && call->facts->drbd.disk == ARB_DISK_UPTODATE &&
           (peer_outdated(call) || peer_known_outdated(call));
}

static void then_record_solo(struct arb_call *call)
{
    const uint64_t term = arb__next_term(call);
    call->plan.next.durable.last_active_term = term;
    arb__save_right(call, ARB_MODE_SOLO, call->config->node, term);
}

static bool peer_yielded(const struct arb_call *call)
{
    return arb__peer_fresh(call) && !arb__is_acting(call->facts->peer.last.phase) &&
           arb__is_solo_of(&call->facts->peer.last.right, call->config->node);
}

static bool when_denied(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return pair_broken(call) && exposed(call) && arb__register_known(call) && call->saved &&
           !arb__asking(call) && state->register_seen_at_ms >= state->break_ms &&
           arb__is_solo_of(&state->register_seen, arb__peer_node(call)) && !peer_yielded(call);
}

static bool when_lost(const struct arb_call *call)
{
    return pair_broken(call) && exposed(call) && arb__contact_lost(call, call->k->fence_self_ms) &&
           !peer_known_outdated(call) && call->plan.next.break_ms != 0 &&
           arb__since(call, call->plan.next.break_ms, ARB_SECOND_LOOK_MS);
}

static bool when_claim(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    if (!pair_broken(call) || !call->saved || !arb__may_ask(call))
        return false;
    if (state->run_seen != 0 && !arb__run_agreed(call))
        return false; /* answers that do not count: only the upkeep's reading goes on */
    if (!arb__register_known(call))
        return true;
    /* known: claim; forbidden by what was seen before the break: read again */
    return arb__claim_obstacle(call) == NULL || state->register_seen_at_ms < state->break_ms;
}

static void then_claim(struct arb_call *call)
{
    if (arb__register_known(call) && arb__claim_obstacle(call) != NULL)
        arb__ask_read(call);
    else
        arb__then_claim(call);
}

static bool when_waiting_for_right(const struct arb_call *call)
{
    return pair_broken(call);
}

/* ---- TAKING ---- */

static bool take_issued(const struct arb_call *call)
{
    return !arb__may_act(call, ARB_DO_TAKE, UINT64_MAX);
}

static bool when_peer_lives(const struct arb_call *call)
{
    return take_issued(call) && call->facts->exec == ARB_EXEC_PEER_LIVES;
}

static void then_step_back(struct arb_call *call)
{
    arb__go(call, ARB_STANDBY);
    call->plan.next.not_before_ms = call->facts->now_ms + call->k->watchdog_ms;
}

static bool when_take_failed(const struct arb_call *call)
{
    return take_issued(call) && call->facts->exec == ARB_EXEC_TAKE_FAILED;
}

static void then_release(struct arb_call *call)
{
    arb__go(call, ARB_RELEASING);
    arb__act(call, ARB_DO_RELEASE);
}

/* Row 36 before anything is Primary here: no reset is needed. */
static bool when_overtaken(const struct arb_call *call)
{
    return arb__peer_acting(call) && !call->facts->drbd.primary &&
           call->facts->peer.last.right.term > call->plan.next.durable.right.term;
}

static void then_give_way(struct arb_call *call)
{
    if (take_issued(call))
        then_release(call);
    else
        then_step_back(call);
}

static void then_release_failed_take(struct arb_call *call)
{
    then_release(call);
    call->plan.next.not_before_ms = call->facts->now_ms + call->k->take_backoff_ms;
}

static bool when_taken(const struct arb_call *call)
{
    return take_issued(call) && call->facts->exec == ARB_EXEC_TAKEN && call->saved;
}

static void then_active(struct arb_call *call)
{
    arb__go(call, ARB_ACTIVE);
}

static bool when_take(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const bool safe =
        arb__own_solo(call) || (state->durable.right.mode == ARB_MODE_PAIR && arb__whole(call) &&
                                !arb__broken(call) && !arb__peer_acting(call));
    return safe && state->right_in_hand && call->saved && arb__exec_idle(call) &&
           call->facts->drbd.disk == ARB_DISK_UPTODATE && call->facts->take_possible &&
           !call->facts->stop_wanted && arb__may_act(call, ARB_DO_TAKE, ARB_ACT_RETRY_MS);
}

static void then_take(struct arb_call *call)
{
    arb__act(call, ARB_DO_TAKE);
}

/* Granted but not to be used: nothing has been started yet. */
static bool when_cannot_start(const struct arb_call *call)
{
    const struct arb_facts *facts = call->facts;
    if (take_issued(call) || !arb__exec_idle(call))
        return false;
    return facts->stop_wanted || !facts->take_possible ||
           (facts->drbd.known && facts->drbd.disk != ARB_DISK_UPTODATE) ||
           arb__since(call, call->plan.next.since_ms, ARB_TAKE_LIMIT_MS);
}

static void then_back_off(struct arb_call *call)
{
    arb__go(call, ARB_STANDBY);
    call->plan.next.not_before_ms = call->facts->now_ms + call->k->take_backoff_ms;
}

static bool when_stop_while_taking(const struct arb_call *call)
{
    return call->facts->stop_wanted && take_issued(call);
}

static void then_stop(struct arb_call *call)
{
    then_release(call);
    call->plan.next.stopping = true;
}

static bool when_taking(const struct arb_call *call)
{
    return take_issued(call);
}

/* clang-format off */
const struct arb_row arb__rows_taking[] = {
    {ARB_RULE(36, when_overtaken, then_give_way), "The other node becomes active with a newer right: this node gives way.", false, false},
    {ARB_RULE(54, when_peer_lives, then_step_back), "The kernel found the other node alive and Primary: this node steps back.", true, false},
    {ARB_RULE(51, when_take_failed, then_release_failed_take), "Becoming active failed: everything is released again.", true, false},
    {ARB_RULE(16, when_go_on_without_witness, then_record_solo),
     "The other node confirmed that its copy is outdated: this node goes on alone.", true, false},
    {ARB_RULE(18, when_denied, arb__self_fence), "The register gave the right to the other node: this machine is reset.", true, false},
    {ARB_RULE(19, when_lost, arb__self_fence),
     "No contact to the other node and no right to go on alone: this machine is reset.", true, false},
    {ARB_RULE(32, when_stop_while_taking, then_stop), "The administrator stopped this node: it is released.", false, false},
    {ARB_RULE(10, when_taken, then_active), "Everything is started: this node is active.", false, false},
    {ARB_RULE(51, when_cannot_start, then_back_off), "The right was granted but this node could not start: it steps back.", true, false},
    {ARB_RULE(18, when_claim, then_claim), "The pair broke while this node was becoming active: the register is asked.", true, false},
    {ARB_RULE(10, when_take, then_take), "The right is recorded: this node becomes active.", false, false},
    {ARB_RULE(10, when_taking, NULL), "This node is becoming active.", false, false},
    ARB_ROWS_END,
};
/* clang-format on */

/* ---- ACTIVE ---- */

static bool when_stop(const struct arb_call *call)
{
    return call->facts->stop_wanted;
}

static bool when_switchover(const struct arb_call *call)
{
    return call->facts->switchover_wanted &&
           arb_switchover_obstacle(call->config, &call->plan.next, call->facts) == NULL;
}

static bool when_still_frozen(const struct arb_call *call)
{
    const struct arb_drbd *drbd = &call->facts->drbd;
    return call->saved && arb__own_solo(call) && drbd->known && drbd->suspended &&
           !drbd->fence_question &&
           arb__since(call, call->plan.next.reconnect_at_ms, call->k->connect_retry_ms);
}

static void then_reconnect(struct arb_call *call)
{
    arb__act(call, ARB_DO_RECONNECT);
    call->plan.next.reconnect_at_ms = call->facts->now_ms;
}

static bool when_stand_alone(const struct arb_call *call)
{
    const struct arb_message *peer = &call->facts->peer.last;
    return call->facts->drbd.known && call->facts->drbd.link == ARB_LINK_STANDALONE &&
           arb__peer_fresh(call) && !peer->primary && !arb__is_acting(peer->phase) &&
           arb__since(call, call->plan.next.reconnect_at_ms, call->k->connect_retry_ms);
}

static void then_connect(struct arb_call *call)
{
    arb__act(call, ARB_DO_CONNECT);
    call->plan.next.reconnect_at_ms = call->facts->now_ms;
}

static bool when_solo_whole(const struct arb_call *call)
{
    return arb__own_solo(call) && arb__whole(call);
}

static bool when_solo_resync(const struct arb_call *call)
{
    return arb__own_solo(call) && arb__link_up(call);
}

static bool when_solo(const struct arb_call *call)
{
    return arb__own_solo(call);
}

static bool when_only_disk_contact(const struct arb_call *call)
{
    return !arb__peer_fresh(call) || !call->facts->peer.member;
}

static bool when_witness_away(const struct arb_call *call)
{
    return arb__witness_away(call);
}

static bool when_right_elsewhere(const struct arb_call *call)
{
    return arb__register_known(call) &&
           arb__is_solo_of(&call->plan.next.register_seen, arb__peer_node(call));
}

static bool when_resync(const struct arb_call *call)
{
    return !arb__whole(call);
}

static bool when_serving(const struct arb_call *call)
{
    (void)call;
    return true;
}

/* clang-format off */
const struct arb_row arb__rows_active[] = {
    {ARB_RULE(16, when_go_on_without_witness, then_record_solo),
     "The other node confirmed that its copy is outdated: this node goes on alone.", true, false},
    {ARB_RULE(18, when_denied, arb__self_fence), "The register gave the right to the other node: this machine is reset.", true, false},
    {ARB_RULE(19, when_lost, arb__self_fence),
     "No contact to the other node and no right to go on alone: this machine is reset.", true, false},
    {ARB_RULE(18, when_claim, then_claim), "The pair is broken: the register is asked for the right to go on alone.", true, false},
    {ARB_RULE(19, when_waiting_for_right, NULL), "The pair is broken and the right to go on alone is still awaited; writes wait.", true, false},
    {ARB_RULE(32, when_stop, then_stop), "The administrator stopped this node: it is released.", false, false},
    {ARB_RULE(32, when_switchover, then_release), "Switchover: this node is released and the other one takes over.", false, false},
    {ARB_RULE(18, when_still_frozen, then_reconnect), "The right is recorded but writes are still frozen: the data link is renewed so that the kernel asks again.", false, false},
    {ARB_RULE(56, when_stand_alone, then_connect), "The data link had been given up; it is connected again.", false, false},
    {ARB_RULE(25, when_solo_whole, NULL), "Both copies are equal again; the pair is being protected.", false, false},
    {ARB_RULE(24, when_solo_resync, NULL), "Active alone; the other node's copy is being brought up to date.", false, false},
    {ARB_RULE(24, when_solo, NULL), "Active alone: the other node's copy does not count until it is back.", true, false},
    {ARB_RULE(21, when_only_disk_contact, NULL),
     "The other node is heard only through the data link; this node goes on serving.", true, false},
    {ARB_RULE(55, when_right_elsewhere, NULL),
     "The register gives the right to the other node, which has no use for it; it will be given back.", true, false},
    {ARB_RULE(67, when_witness_away, NULL), "Active and connected, but the witness cannot be reached: a failure now would stop the service.", true, false},
    {ARB_RULE(24, when_resync, NULL), "Active; the copies are not equal yet.", false, false},
    {ARB_RULE(25, when_serving, NULL), "Active and protected by the other node.", false, false},
    ARB_ROWS_END,
};
/* clang-format on */

/* ---- RELEASING ---- */

static bool when_released(const struct arb_call *call)
{
    return arb__exec_idle(call) && !arb__claiming(call) && call->saved;
}

static void then_hand_over(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const uint64_t until_ms = call->facts->now_ms + call->k->handover_ms;
    arb__go(call, ARB_STANDBY);
    if (state->not_before_ms < until_ms)
        state->not_before_ms = until_ms;
}

static bool when_release_again(const struct arb_call *call)
{
    const enum arb_exec exec = call->facts->exec;
    return (exec == ARB_EXEC_TAKEN || exec == ARB_EXEC_TAKING || exec == ARB_EXEC_TAKE_FAILED) &&
           arb__may_act(call, ARB_DO_RELEASE, ARB_ACT_RETRY_MS);
}

static void then_release_again(struct arb_call *call)
{
    arb__act(call, ARB_DO_RELEASE);
}

/* clang-format off */
const struct arb_row arb__rows_releasing[] = {
    {ARB_RULE(32, when_released, then_hand_over), "Everything is released: the other node takes over.", false, false},
    {ARB_RULE(16, when_go_on_without_witness, then_record_solo),
     "The other node confirmed that its copy is outdated: this node releases in peace.", true, false},
    {ARB_RULE(18, when_denied, arb__self_fence), "The register gave the right to the other node: this machine is reset.", true, false},
    {ARB_RULE(19, when_lost, arb__self_fence),
     "No contact to the other node and no right to go on alone: this machine is reset.", true, false},
    {ARB_RULE(18, when_claim, then_claim), "The pair broke during the release: the register is asked.", true, false},
    {ARB_RULE(32, when_release_again, then_release_again), "The release is ordered again.", false, true},
    ARB_ROWS_END,
};
/* clang-format on */
