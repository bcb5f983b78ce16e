/* Plain questions about the facts; every rule is written in these words. */
#include "ha/arbiter_private.h"

uint32_t arb__peer_node(const struct arb_call *call)
{
    return call->config->node == ARB_NODE_PRIMARY ? ARB_NODE_SECONDARY : ARB_NODE_PRIMARY;
}

bool arb__right_equal(const struct arb_right *a, const struct arb_right *b)
{
    return a->mode == b->mode && a->owner == b->owner && a->term == b->term;
}

bool arb__is_solo_of(const struct arb_right *right, uint32_t node)
{
    return right->mode == ARB_MODE_SOLO && right->owner == node;
}

bool arb__own_solo(const struct arb_call *call)
{
    return arb__is_solo_of(&call->plan.next.durable.right, call->config->node);
}

bool arb__peer_solo(const struct arb_call *call)
{
    return arb__is_solo_of(&call->plan.next.durable.right, arb__peer_node(call));
}

bool arb__is_acting(enum arb_phase phase)
{
    return phase == ARB_TAKING || phase == ARB_ACTIVE || phase == ARB_RELEASING;
}

bool arb__peer_fresh(const struct arb_call *call)
{
    return call->facts->peer.heard && call->facts->peer.fresh &&
           call->facts->peer.last.node == arb__peer_node(call);
}

bool arb__peer_acting(const struct arb_call *call)
{
    return arb__peer_fresh(call) && arb__is_acting(call->facts->peer.last.phase);
}

bool arb__peer_serves(const struct arb_call *call)
{
    const enum arb_phase phase = call->facts->peer.last.phase;
    return arb__peer_fresh(call) && (phase == ARB_TAKING || phase == ARB_ACTIVE);
}

bool arb__link_up(const struct arb_call *call)
{
    return call->facts->drbd.known && call->facts->drbd.link == ARB_LINK_CONNECTED;
}

bool arb__link_broken(const struct arb_call *call)
{
    return call->facts->drbd.known && call->facts->drbd.link != ARB_LINK_CONNECTED;
}

bool arb__whole(const struct arb_call *call)
{
    return arb__link_up(call) && call->facts->drbd.disk == ARB_DISK_UPTODATE &&
           call->facts->drbd.peer_disk == ARB_DISK_UPTODATE;
}

bool arb__since(const struct arb_call *call, uint64_t at_ms, uint64_t limit_ms)
{
    const uint64_t now_ms = call->facts->now_ms;
    return at_ms == 0 || (now_ms > at_ms && now_ms - at_ms > limit_ms);
}

bool arb__contact_lost(const struct arb_call *call, uint64_t limit_ms)
{
    return arb__since(call, call->plan.next.contact_ms, limit_ms);
}

bool arb__broken(const struct arb_call *call)
{
    return arb__link_broken(call) || arb__contact_lost(call, call->k->claim_ms);
}

bool arb__exec_idle(const struct arb_call *call)
{
    return call->facts->exec == ARB_EXEC_IDLE || call->facts->exec == ARB_EXEC_PEER_LIVES;
}

bool arb__compatible(const struct arb_call *call)
{
    const struct arb_message *peer = &call->facts->peer.last;
    return !call->facts->peer.heard ||
           (peer->version_low <= ARB_VERSION && peer->version_high >= ARB_VERSION &&
            peer->constants_digest == arb_constants_digest(call->k));
}

bool arb__candidate(const struct arb_config *config, const struct arb_state *state,
                    const struct arb_facts *facts)
{
    (void)config;
    const bool phase_fits = state->phase == ARB_BOOT || state->phase == ARB_STANDBY ||
                            state->phase == ARB_SUSPECT || state->phase == ARB_WAIT;
    const bool released = facts->exec == ARB_EXEC_IDLE || facts->exec == ARB_EXEC_PEER_LIVES;
    return phase_fits && released && facts->durable_readable && !facts->save_failed &&
           facts->take_possible && !facts->stop_wanted && !state->stopping && facts->drbd.known &&
           facts->drbd.disk == ARB_DISK_UPTODATE && facts->now_ms >= state->not_before_ms;
}
