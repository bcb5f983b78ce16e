/* The order of a decision, what the peer is told, and the gates of address and watchdog. */
#include "ha/arbiter_private.h"

#include <string.h>

/* ---- effects ---- */

static unsigned bit_index(uint32_t action)
{
    unsigned index = 0;
    while (index + 1 < ARB_ACTIONS && (action >> index & 1u) == 0)
        index++;
    return index;
}

void arb__go(struct arb_call *call, enum arb_phase phase)
{
    struct arb_state *state = &call->plan.next;
    state->phase = phase;
    state->since_ms = call->facts->now_ms;
    memset(state->acted_ms, 0, sizeof(state->acted_ms));
    if (!arb__is_acting(phase)) {
        state->right_in_hand = false;
        state->vip_waits = false;
        state->outdate_term = 0;
        state->break_ms = 0;
    }
}

void arb__save(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    state->save_serial++;
    state->save_asked_ms = call->facts->now_ms;
    call->plan.actions |= ARB_DO_SAVE;
    call->saved = false;
}

void arb__save_right(struct arb_call *call, enum arb_mode mode, uint32_t owner, uint64_t term)
{
    struct arb_right *right = &call->plan.next.durable.right;
    right->mode = mode;
    right->owner = owner;
    right->term = term;
    arb__save(call);
}

void arb__act(struct arb_call *call, uint32_t action)
{
    call->plan.actions |= action;
    call->plan.next.acted_ms[bit_index(action)] = call->facts->now_ms;
}

bool arb__may_act(const struct arb_call *call, uint32_t action, uint64_t retry_ms)
{
    const uint64_t at_ms = call->plan.next.acted_ms[bit_index(action)];
    return at_ms == 0 || (retry_ms != UINT64_MAX && arb__since(call, at_ms, retry_ms));
}

void arb__self_fence(struct arb_call *call)
{
    arb__go(call, ARB_FENCED);
    call->plan.actions |= ARB_DO_SELF_FENCE | ARB_DO_DROP_VIP;
}

/* ---- guard: rows that come before everything else ---- */

static bool when_release_failed(const struct arb_call *call)
{
    return call->facts->exec == ARB_EXEC_RELEASE_FAILED;
}

static bool when_overtaken(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return arb__is_acting(state->phase) && arb__peer_acting(call) &&
           (call->facts->drbd.primary || state->phase == ARB_ACTIVE) &&
           call->facts->peer.last.right.term > state->durable.right.term;
}

/* The other node owns the right or serves while our pair is broken: ours is the copy that lost. */
static bool when_peer_has_right(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    if (!arb__is_acting(state->phase) || !arb__link_broken(call) || !arb__peer_fresh(call) ||
        !call->facts->drbd.primary)
        return false;
    return (arb__is_solo_of(&peer->right, arb__peer_node(call)) &&
            peer->right.term >= state->durable.right.term) ||
           (peer->primary && peer->right.term > state->durable.right.term);
}

/* SOLO was granted (or may be taken without the witness) but the disk does not take the record. */
static bool when_record_stuck(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return arb__is_acting(state->phase) && call->facts->drbd.primary && !call->saved &&
           arb__broken(call) && arb__since(call, state->save_asked_ms, ARB_SAVE_LIMIT_MS);
}

/* clang-format off */
const struct arb_row arb__rows_guard[] = {
    {ARB_RULE(33, when_release_failed, arb__self_fence), "A step of the release failed: this machine is reset.", true, false},
    {ARB_RULE(36, when_overtaken, arb__self_fence), "The other node became active with a newer right: this machine is reset.", true, false},
    {ARB_RULE(17, when_peer_has_right, arb__self_fence), "The pair is broken and the other node has the right: this machine is reset.", true, false},
    {ARB_RULE(50, when_record_stuck, arb__self_fence),
     "The pair is broken and the local disk does not take the record of the right: this machine is reset.", true, false},
    ARB_ROWS_END,
};
/* clang-format on */

/* ---- the kernel's question ---- */

static bool unanswered(const struct arb_call *call)
{
    return call->facts->drbd.fence_question && !call->plan.next.answered;
}

/* A question that outlived its break is void in the kernel; permitting it could only hit the next.
 */
static bool may_permit(const struct arb_call *call)
{
    return unanswered(call) && !arb__link_up(call) && arb__is_acting(call->plan.next.phase) &&
           arb__own_solo(call) && call->saved;
}

static bool when_permit_outdated(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return may_permit(call) && state->outdate_term != 0 && arb__peer_fresh(call) &&
           call->facts->peer.last.outdated_term == state->outdate_term;
}

static bool when_undecided(const struct arb_call *call)
{
    return unanswered(call) && arb__is_acting(call->plan.next.phase) &&
           (call->facts->drbd.primary || arb__own_solo(call));
}

static bool when_refuse(const struct arb_call *call)
{
    return unanswered(call);
}

static void answer(struct arb_call *call, int code)
{
    call->plan.actions |= ARB_DO_ANSWER;
    call->plan.answer = code;
    call->plan.next.answered = true;
}

static void then_permit_outdated(struct arb_call *call)
{
    answer(call, 4);
}

static void then_permit(struct arb_call *call)
{
    answer(call, 7);
}

static void then_refuse(struct arb_call *call)
{
    answer(call, 1);
}

/* clang-format off */
const struct arb_row arb__rows_answer[] = {
    {ARB_RULE(16, when_permit_outdated, then_permit_outdated), "The kernel is told that the other copy is outdated.", false, true},
    {ARB_RULE(18, may_permit, then_permit), "The kernel is told that the other node is out.", false, true},
    {ARB_RULE(19, when_undecided, NULL), "The kernel waits for the decision.", false, true},
    {ARB_RULE(18, when_refuse, then_refuse), "The kernel is told that nothing is known.", false, true},
    ARB_ROWS_END,
};
/* clang-format on */

/* ---- what follows from the facts without a rule ---- */

static void learn_saved(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    /* nothing may be written over a record that could not be read */
    call->saved = call->facts->durable_readable && call->facts->saved_serial == state->save_serial;
    if (call->saved)
        state->saved = state->durable;
}

/* The caller may leave out the disk's contact once the link is lost; it still was one. */
static void follow_contact(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    if (call->facts->contact_ms > state->contact_ms)
        state->contact_ms = call->facts->contact_ms;
}

static void follow_vip_wait(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_peer *peer = &call->facts->peer;
    const struct arb_drbd *drbd = &call->facts->drbd;
    if (!state->vip_waits)
        return;
    if (arb__peer_fresh(call)) {
        if (!arb__is_acting(peer->last.phase) && !peer->last.holds_vip) {
            state->vip_waits = false; /* it says itself that it does not have the address */
            state->vip_from_ms = call->facts->now_ms;
            return;
        }
    }
    uint64_t from_ms = peer->last_heard_ms + call->k->vip_wait_ms;
    if (arb__link_broken(call) && drbd->lost_at_ms != 0) {
        const uint64_t by_disk_ms = drbd->lost_at_ms + call->k->vip_wait_ms - call->k->skew_ms;
        from_ms = by_disk_ms > from_ms ? by_disk_ms : from_ms;
    }
    state->vip_from_ms = from_ms;
}

static void follow_break(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const bool broken = arb__is_acting(state->phase) && arb__broken(call);
    if (!broken)
        state->break_ms = 0;
    else if (state->break_ms == 0)
        state->break_ms = call->facts->now_ms;
}

/* Row 16: ask the peer to outdate its copy. An answer that already stands with this term is from an
 * earlier break and would prove nothing, so the request waits until the peer has withdrawn it. */
static void follow_outdate_request(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    const bool wanted =
        arb__is_acting(state->phase) && call->facts->drbd.primary && arb__link_broken(call);
    if (!wanted) {
        state->outdate_term = 0;
        return;
    }
    const uint64_t term = state->saved.right.term;
    if (state->outdate_term == 0 && arb__peer_fresh(call) && peer->outdated_term != term &&
        term != 0)
        state->outdate_term = term;
}

static void follow_outdate_answer(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    const bool outdated = call->facts->drbd.known && call->facts->drbd.disk == ARB_DISK_OUTDATED &&
                          !arb__link_up(call) && call->saved && arb__peer_solo(call);
    if (!outdated || arb__is_acting(state->phase))
        state->outdated_term = 0;
    else if (arb__peer_fresh(call))
        state->outdated_term = peer->outdate_term;
}

/* ---- the walk ---- */

static const struct arb_row *rows_of(enum arb_phase phase)
{
    switch (phase) {
    case ARB_BOOT:
    case ARB_WAIT:
        return arb__rows_boot;
    case ARB_STANDBY:
        return arb__rows_standby;
    case ARB_SUSPECT:
        return arb__rows_suspect;
    case ARB_TAKING:
        return arb__rows_taking;
    case ARB_ACTIVE:
        return arb__rows_active;
    case ARB_RELEASING:
        return arb__rows_releasing;
    case ARB_STOPPED:
    case ARB_FENCED:
    case ARB_PHASE_COUNT:
        break;
    }
    return NULL;
}

static void walk_phase(struct arb_call *call)
{
    /* a new phase may have its first step at once; three suffice for every chain of rules */
    for (int step = 0; step < 3; step++) {
        const enum arb_phase before = call->plan.next.phase;
        const struct arb_row *rows = rows_of(before);
        if (rows == NULL)
            return;
        (void)arb__walk(call, rows);
        if (call->plan.next.phase == before)
            return;
    }
}

struct arb_plan arb_decide(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts)
{
    struct arb_call call = {
        .config = config,
        .k = &config->constants,
        .was = state,
        .facts = facts,
        .plan = {.next = *state},
        .answer = ARB_OUTCOME_NONE,
    };
    if (state->phase == ARB_FENCED)
        return call.plan;
    learn_saved(&call);
    if (!facts->drbd.fence_question)
        call.plan.next.answered = false;
    follow_contact(&call);
    arb__absorb_answer(&call);
    follow_vip_wait(&call);
    follow_break(&call);
    follow_outdate_request(&call);
    if (!arb__walk(&call, arb__rows_guard))
        walk_phase(&call);
    if (call.plan.next.phase == ARB_FENCED || call.plan.next.phase == ARB_STOPPED)
        return call.plan;
    (void)arb__walk(&call, arb__rows_answer);
    (void)arb__walk(&call, arb__rows_upkeep);
    follow_outdate_answer(&call);
    return call.plan;
}

void arb_state_init(struct arb_state *state, const struct arb_durable *durable, uint64_t now_ms)
{
    *state = (struct arb_state){
        .phase = ARB_BOOT,
        .since_ms = now_ms,
        .durable = *durable,
        .saved = *durable,
        .row = 1,
        .reason = "This node starts and collects facts.",
    };
}

/* ---- what the peer is told ---- */

/* What is saved; a right of this node alone already from when it is wanted. It only forbids, and
 * its writing cannot be called back: a peer that took the older PAIR over meanwhile, from a link
 * that came back, could claim beside it. */
static const struct arb_right *right_to_tell(const struct arb_config *config,
                                             const struct arb_state *state,
                                             const struct arb_durable *saved)
{
    return arb__is_solo_of(&state->durable.right, config->node) ? &state->durable.right
                                                                : &saved->right;
}

struct arb_message arb_message_build(const struct arb_config *config, const struct arb_state *state,
                                     const struct arb_facts *facts)
{
    const struct arb_durable *saved =
        facts->saved_serial == state->save_serial ? &state->durable : &state->saved;
    const bool idle = facts->exec == ARB_EXEC_IDLE || facts->exec == ARB_EXEC_PEER_LIVES;
    return (struct arb_message){
        .node = config->node,
        .version_low = ARB_VERSION,
        .version_high = ARB_VERSION,
        .phase = state->phase,
        .candidate = arb__candidate(config, state, facts),
        .leaving = state->stopping || facts->stop_wanted || state->phase == ARB_STOPPED,
        .holds_vip = !idle || state->phase == ARB_ACTIVE,
        .preferred = config->preferred,
        .fresh = saved->fresh,
        .primary = facts->drbd.primary,
        .disk = facts->drbd.known ? facts->drbd.disk : ARB_DISK_UNKNOWN,
        .link = facts->drbd.known ? facts->drbd.link : ARB_LINK_UNKNOWN,
        .right = *right_to_tell(config, state, saved),
        .last_active_term = saved->last_active_term,
        .run_seen = state->run_seen,
        .run_agreed = saved->witness_run,
        .outdate_term = state->outdate_term,
        .outdated_term = state->outdated_term,
        .constants_digest = arb_constants_digest(&config->constants),
        .generation = facts->generation,
    };
}

/* ---- gates ---- */

static bool solo_in_force(const struct arb_config *config, const struct arb_state *state,
                          const struct arb_facts *facts)
{
    const struct arb_durable *saved =
        facts->saved_serial == state->save_serial ? &state->durable : &state->saved;
    return arb__is_solo_of(&saved->right, config->node) &&
           arb__is_solo_of(&state->durable.right, config->node);
}

struct arb_gates arb_gates(const struct arb_config *config, const struct arb_state *state,
                           const struct arb_facts *facts)
{
    const struct arb_constants *k = &config->constants;
    const uint64_t now_ms = facts->now_ms;
    struct arb_gates gates = {.vip_until_ms = 0, .kick_until_ms = now_ms + k->watchdog_ms};
    if (state->phase == ARB_FENCED)
        return (struct arb_gates){0, 0};
    if (!arb__is_acting(state->phase))
        return gates;

    const bool solo = solo_in_force(config, state, facts);
    const bool address_allowed = state->phase != ARB_TAKING || now_ms >= state->vip_from_ms;
    if (solo) {
        gates.vip_until_ms = address_allowed ? now_ms + k->lease_ms : 0;
        return gates;
    }
    const bool contact = state->contact_ms != 0;
    if (address_allowed && contact)
        gates.vip_until_ms = state->contact_ms + k->lease_ms;
    if (facts->drbd.primary || state->phase == ARB_ACTIVE) {
        const uint64_t kick_ms = contact ? state->contact_ms + k->kick_grace_ms : 0;
        gates.kick_until_ms = kick_ms < gates.kick_until_ms ? kick_ms : gates.kick_until_ms;
    }
    return gates;
}

/* ---- names ---- */

#define NAME(id, text) text,
#define NAME_OF(list, value, count)                                                                \
    static const char *const names[] = {list(NAME)};                                               \
    return (unsigned)(value) < (unsigned)(count) ? names[value] : "?"

const char *arb_phase_name(enum arb_phase phase)
{
    NAME_OF(ARB_PHASES, phase, ARB_PHASE_COUNT);
}

const char *arb_mode_name(enum arb_mode mode)
{
    NAME_OF(ARB_MODES, mode, ARB_MODE_COUNT);
}

const char *arb_disk_name(enum arb_disk disk)
{
    NAME_OF(ARB_DISKS, disk, ARB_DISK_COUNT);
}

const char *arb_link_name(enum arb_link link)
{
    NAME_OF(ARB_LINKS, link, ARB_LINK_COUNT);
}

const char *arb_exec_name(enum arb_exec exec)
{
    NAME_OF(ARB_EXECS, exec, ARB_EXEC_COUNT);
}

const char *arb_outcome_name(enum arb_outcome outcome)
{
    NAME_OF(ARB_OUTCOMES, outcome, ARB_OUTCOME_COUNT);
}
