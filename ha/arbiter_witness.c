/* Questions to the register: what may be asked, what the answers mean, and the quiet upkeep of both
 * durable states (runs, terms, beats). */
#include "ha/arbiter_private.h"

/* ---- asking ---- */

bool arb__asking(const struct arb_call *call)
{
    return call->plan.next.ask != ARB_ASK_NONE;
}

bool arb__claiming(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->ask == ARB_ASK_CAS &&
           (state->ask_purpose == ARB_FOR_CLAIM || state->ask_purpose == ARB_FOR_ACTIVATION);
}

bool arb__may_ask(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    if (arb__asking(call))
        return false;
    if (state->ask_failures == 0)
        return true;
    const uint64_t retry_ms =
        state->ask_failures == 1 ? ARB_FIRST_RETRY_MS : call->k->witness_retry_ms;
    return arb__since(call, state->asked_at_ms, retry_ms);
}

bool arb__run_agreed(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->run_seen != 0 && state->run_seen == state->durable.witness_run;
}

bool arb__register_known(const struct arb_call *call)
{
    return arb__run_agreed(call) && call->plan.next.register_seen_at_ms != 0;
}

bool arb__witness_away(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return !arb__run_agreed(call) && (state->ask_failures > 0 || state->run_seen != 0);
}

static void ask(struct arb_call *call, enum arb_ask kind, enum arb_purpose purpose)
{
    struct arb_state *state = &call->plan.next;
    state->ask = kind;
    state->ask_purpose = (uint8_t)purpose;
    state->ask_serial++;
    state->asked_at_ms = call->facts->now_ms;
    call->plan.actions |= ARB_DO_ASK;
}

void arb__ask_read(struct arb_call *call)
{
    ask(call, ARB_ASK_READ, ARB_FOR_NOTHING);
}

static void ask_cas_for(struct arb_call *call, enum arb_purpose purpose, enum arb_mode mode,
                        uint64_t term)
{
    struct arb_state *state = &call->plan.next;
    state->ask_expected = state->register_seen;
    state->ask_wanted = (struct arb_right){
        .mode = mode,
        .owner = mode == ARB_MODE_SOLO ? call->config->node : ARB_NODE_NONE,
        .term = term,
        .seq = state->register_seen.seq + 1,
    };
    if (term > state->tried_term)
        state->tried_term = term;
    ask(call, ARB_ASK_CAS, purpose);
}

static uint64_t largest_term(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    uint64_t term = state->durable.right.term;
    if (state->register_seen.term > term)
        term = state->register_seen.term;
    if (state->tried_term > term)
        term = state->tried_term;
    if (call->facts->peer.heard && call->facts->peer.last.right.term > term)
        term = call->facts->peer.last.right.term;
    return term;
}

uint64_t arb__next_term(const struct arb_call *call)
{
    return largest_term(call) + 1;
}

/* ---- may we claim? ---- */

static const char *claim_obstacle_acting(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_right *seen = &state->register_seen;
    if (arb__is_solo_of(seen, arb__peer_node(call)))
        return "The register gives the right to the other node.";
    const uint64_t known_term = state->durable.right.term > state->tried_term
                                    ? state->durable.right.term
                                    : state->tried_term;
    if (seen->term > known_term)
        return "The register shows an activation that this node does not know.";
    return NULL;
}

static const char *claim_obstacle_idle(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_right *seen = &state->register_seen;
    if (arb__peer_solo(call))
        return "This node's own record says that only the other node's copy counts.";
    if (arb__is_solo_of(seen, arb__peer_node(call)))
        return "The register gives the right to the other node.";
    const uint64_t known_term = state->durable.right.term > state->tried_term
                                    ? state->durable.right.term
                                    : state->tried_term;
    if (seen->term > known_term)
        return "The register is ahead of this node's own record: its copy may be stale.";
    if (seen->mode == ARB_MODE_PAIR && !arb__own_solo(call) &&
        seen->seq > state->durable.right.seq + ARB_SEQ_LAG + state->lost_raises)
        return "The register has moved on while this node did not listen: its copy may be stale.";
    return NULL;
}

const char *arb__claim_obstacle(const struct arb_call *call)
{
    return arb__is_acting(call->plan.next.phase) ? claim_obstacle_acting(call)
                                                 : claim_obstacle_idle(call);
}

void arb__then_claim(struct arb_call *call)
{
    if (arb__register_known(call))
        ask_cas_for(call, ARB_FOR_CLAIM, ARB_MODE_SOLO, arb__next_term(call));
    else
        arb__ask_read(call);
}

void arb__then_elected(struct arb_call *call)
{
    if (arb__whole(call))
        ask_cas_for(call, ARB_FOR_ACTIVATION, ARB_MODE_PAIR, arb__next_term(call));
    else
        ask_cas_for(call, ARB_FOR_CLAIM, ARB_MODE_SOLO, arb__next_term(call));
}

/* ---- answers ---- */

static void start_vip_wait(struct arb_call *call)
{
    const struct arb_peer *peer = &call->facts->peer;
    struct arb_state *state = &call->plan.next;
    state->vip_waits = peer->heard;
    state->vip_from_ms =
        peer->heard ? peer->last_heard_ms + call->k->vip_wait_ms : call->facts->now_ms;
}

/* The right to become active has been granted: record it; the disk must have it before TAKE. */
static void accept_activation(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_right *right = &call->facts->witness.right;
    state->durable.right = *right;
    state->lost_raises = 0;
    /* granted while the other node turned out to serve an unbroken pair: not needed any more */
    const bool needless = arb__peer_serves(call) && arb__link_up(call);
    if (!needless) {
        state->durable.last_active_term = right->term;
        state->durable.fresh = false;
        arb__go(call, ARB_TAKING);
        state->right_in_hand = true;
        start_vip_wait(call);
    }
    arb__save(call);
    state->row = needless ? 55 : arb__is_solo_of(right, call->config->node) ? 10 : 2;
    state->reason =
        needless ? "The right was granted, but the other node serves: it will be given back."
        : state->row == 10 ? "The register granted this node the right to go on alone."
                           : "This node was elected and the register granted the activation.";
}

static void accept_while_acting(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    state->durable.right = call->facts->witness.right;
    state->durable.last_active_term = state->durable.right.term;
    state->lost_raises = 0;
    arb__save(call);
    state->row = 18;
    state->reason = "The register granted this node the right to go on alone.";
}

/* A beat, a healed pair, a given-back right: adopt the register's numbers where the record agrees.
 */
static void accept_upkeep(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_right *right = &call->facts->witness.right;
    if (state->durable.right.mode != ARB_MODE_PAIR)
        return;
    const bool active = arb__is_acting(state->phase);
    if (!active && right->term != state->durable.right.term)
        return;
    state->durable.right = *right;
    if (active)
        state->durable.last_active_term = right->term;
    state->lost_raises = 0;
    arb__save(call);
    if (state->ask_purpose == ARB_FOR_HEALING) {
        state->row = 25;
        state->reason = "Both copies are equal again and the pair is protected.";
    }
}

static void accept_grant(struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const bool over =
        state->phase == ARB_STOPPED || state->phase == ARB_FENCED || !call->facts->durable_readable;
    switch ((enum arb_purpose)state->ask_purpose) {
    case ARB_FOR_ACTIVATION:
    case ARB_FOR_CLAIM:
        if (over)
            break;
        if (!arb__is_acting(state->phase))
            accept_activation(call);
        else if (state->ask_purpose == ARB_FOR_CLAIM)
            accept_while_acting(call);
        break;
    case ARB_FOR_BEAT:
    case ARB_FOR_HEALING:
    case ARB_FOR_GIVING_BACK:
        if (!over)
            accept_upkeep(call);
        break;
    case ARB_FOR_NOTHING:
        break;
    }
}

static void count_failure(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    state->ask_failures++;
    /* a lost compare-and-set may have raised seq once itself and once by being made void */
    const uint32_t raises = call->was->ask == ARB_ASK_CAS ? 2 : 1;
    if (state->lost_raises < 1000)
        state->lost_raises += raises;
}

void arb__absorb_answer(struct arb_call *call)
{
    struct arb_state *state = &call->plan.next;
    const struct arb_witness *witness = &call->facts->witness;
    if (!arb__asking(call))
        return;
    if (witness->serial != state->ask_serial || witness->outcome == ARB_OUTCOME_NONE) {
        if (arb__since(call, state->asked_at_ms, ARB_ASK_LIMIT_MS)) {
            state->ask = ARB_ASK_NONE;
            state->run_seen = 0;
            count_failure(call);
        }
        return;
    }

    call->answer = witness->outcome;
    state->ask = ARB_ASK_NONE;
    if (witness->outcome == ARB_OUTCOME_UNREACHABLE || witness->run == 0) {
        call->answer = ARB_OUTCOME_UNREACHABLE;
        state->run_seen = 0;
        count_failure(call);
        return;
    }
    state->run_seen = witness->run;
    state->run_foreign = !arb__run_agreed(call);
    state->register_seen = witness->right;
    state->register_seen_at_ms = call->facts->now_ms;
    /* refused although nobody else changed it: asking at once again would spin */
    const bool refused =
        witness->outcome == ARB_OUTCOME_DENIED && witness->right.seq == state->ask_expected.seq;
    if (witness->outcome == ARB_OUTCOME_DENIED && state->ask_purpose == ARB_FOR_ACTIVATION)
        state->outrun_at_ms = call->facts->now_ms;
    state->ask_failures = refused ? state->ask_failures + 1 : 0;
    if (witness->outcome == ARB_OUTCOME_GRANTED && call->was->ask == ARB_ASK_CAS &&
        arb__run_agreed(call))
        accept_grant(call);
}

/* ---- upkeep: one step per call, after the phase's own rule ---- */

static bool idle_and_saved(const struct arb_call *call)
{
    return call->saved && !arb__is_acting(call->plan.next.phase) && !arb__claiming(call);
}

/* rows 8, 11: our copy is not the one that counts; say so to the kernel and to the peer */
static bool must_yield(const struct arb_call *call)
{
    const struct arb_peer *peer = &call->facts->peer;
    const uint64_t own_term = call->plan.next.durable.right.term;
    if (arb__own_solo(call) || !arb__peer_acting(call))
        return false;
    return (peer->last.outdate_term != 0 && peer->last.outdate_term >= own_term) ||
           (arb__is_solo_of(&peer->last.right, arb__peer_node(call)) &&
            peer->last.right.term >= own_term);
}

static bool when_denied(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return !arb__own_solo(call) && !arb__peer_solo(call) && arb__register_known(call) &&
           arb__is_solo_of(&state->register_seen, arb__peer_node(call)) &&
           state->register_seen.term >= state->durable.right.term;
}

static bool when_record_yield(const struct arb_call *call)
{
    return idle_and_saved(call) && arb__link_broken(call) && !arb__peer_solo(call) &&
           must_yield(call);
}

static void then_record_yield(struct arb_call *call)
{
    const struct arb_message *peer = &call->facts->peer.last;
    const uint64_t term =
        peer->right.term > peer->outdate_term ? peer->right.term : peer->outdate_term;
    arb__save_right(call, ARB_MODE_SOLO, arb__peer_node(call), term);
}

static bool when_record_denial(const struct arb_call *call)
{
    return idle_and_saved(call) && arb__link_broken(call) && when_denied(call);
}

static void then_record_denial(struct arb_call *call)
{
    arb__save_right(call, ARB_MODE_SOLO, arb__peer_node(call), call->plan.next.register_seen.term);
}

static bool when_outdate(const struct arb_call *call)
{
    const enum arb_disk disk = call->facts->drbd.disk;
    return idle_and_saved(call) && arb__peer_solo(call) && arb__link_broken(call) &&
           arb__exec_idle(call) && (disk == ARB_DISK_UPTODATE || disk == ARB_DISK_CONSISTENT) &&
           arb__may_act(call, ARB_DO_OUTDATE, ARB_OUTDATE_RETRY_MS);
}

static void then_outdate(struct arb_call *call)
{
    arb__act(call, ARB_DO_OUTDATE);
}

/* A right of the peer's alone is taken over from it in any phase: it only forbids. */
static bool when_adopt_solo(const struct arb_call *call)
{
    const struct arb_right *theirs = &call->facts->peer.last.right;
    const struct arb_right *own = &call->plan.next.durable.right;
    return idle_and_saved(call) && arb__peer_fresh(call) && !arb__own_solo(call) &&
           arb__is_solo_of(theirs, arb__peer_node(call)) && theirs->term >= own->term &&
           !arb__right_equal(theirs, own);
}

/* PAIR permits, so it is taken over only from a serving peer and while our copy is as good. */
static bool when_adopt_pair(const struct arb_call *call)
{
    const struct arb_right *theirs = &call->facts->peer.last.right;
    const struct arb_right *own = &call->plan.next.durable.right;
    return idle_and_saved(call) && arb__peer_serves(call) && !arb__own_solo(call) &&
           arb__link_up(call) && call->facts->drbd.disk == ARB_DISK_UPTODATE &&
           theirs->mode == ARB_MODE_PAIR && theirs->term >= own->term &&
           (!arb__right_equal(theirs, own) || theirs->seq > own->seq);
}

static void then_adopt(struct arb_call *call)
{
    call->plan.next.durable.right = call->facts->peer.last.right;
    call->plan.next.lost_raises = 0;
    arb__save(call);
}

/* ---- the server run whose votes count ---- */

static bool runs_meet(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    return call->saved && !arb__claiming(call) && arb__whole(call) && arb__peer_fresh(call) &&
           arb__compatible(call) && state->run_seen != 0 && state->run_seen == peer->run_seen;
}

/* who records last: the serving node, else the one that will be elected */
static bool records_last(const struct arb_call *call)
{
    if (arb__is_acting(call->plan.next.phase))
        return true;
    if (arb__peer_acting(call))
        return false;
    const char *obstacle = NULL;
    const uint32_t elected = arb__elect(call, &obstacle);
    return elected == ARB_NODE_NONE ? call->config->node == ARB_NODE_PRIMARY
                                    : elected == call->config->node;
}

static bool when_record_run(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const struct arb_message *peer = &call->facts->peer.last;
    if (!runs_meet(call) || state->durable.witness_run == state->run_seen)
        return false;
    if (records_last(call))
        return peer->run_agreed == state->run_seen;
    /* next to a serving node our record must already forbid what its record forbids */
    return !arb__peer_acting(call) || peer->right.mode == ARB_MODE_PAIR || arb__peer_solo(call);
}

static void then_record_run(struct arb_call *call)
{
    call->plan.next.durable.witness_run = call->plan.next.run_seen;
    arb__save(call);
}

/* ---- giving a right back that is not used ---- */

static bool not_needed(const struct arb_call *call)
{
    return arb__whole(call) && arb__exec_idle(call) &&
           (arb__peer_serves(call) ||
            (arb__peer_fresh(call) && call->facts->peer.last.candidate &&
             !arb__candidate(call->config, &call->plan.next, call->facts)));
}

static bool when_drop_solo(const struct arb_call *call)
{
    return idle_and_saved(call) && arb__own_solo(call) && not_needed(call);
}

static void then_drop_solo(struct arb_call *call)
{
    arb__save_right(call, ARB_MODE_PAIR, ARB_NODE_NONE, call->plan.next.durable.right.term);
}

static bool when_give_back(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return idle_and_saved(call) && arb__may_ask(call) && state->run_seen != 0 &&
           arb__is_solo_of(&state->register_seen, call->config->node) && !arb__own_solo(call) &&
           (arb__peer_solo(call) || not_needed(call));
}

static void then_give_back(struct arb_call *call)
{
    ask_cas_for(call, ARB_FOR_GIVING_BACK, ARB_MODE_PAIR, call->plan.next.register_seen.term);
}

/* ---- the active node and the register ---- */

static bool serving_pair(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->phase == ARB_ACTIVE && call->saved &&
           state->durable.right.mode == ARB_MODE_PAIR && !arb__broken(call) && arb__whole(call) &&
           arb__register_known(call) && arb__may_ask(call);
}

/* Local SOLO (row 16 without the witness) is written to the register as soon as that answers. */
static bool when_catch_up(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->phase == ARB_ACTIVE && call->saved && arb__own_solo(call) &&
           arb__register_known(call) && arb__may_ask(call) &&
           !arb__right_equal(&state->register_seen, &state->durable.right) &&
           !arb__is_solo_of(&state->register_seen, arb__peer_node(call));
}

static void then_catch_up(struct arb_call *call)
{
    ask_cas_for(call, ARB_FOR_CLAIM, ARB_MODE_SOLO, arb__next_term(call));
}

static bool peer_is_good_standby(const struct arb_call *call)
{
    const struct arb_message *peer = &call->facts->peer.last;
    return arb__peer_fresh(call) && peer->phase == ARB_STANDBY && peer->disk == ARB_DISK_UPTODATE &&
           peer->generation == call->facts->generation && arb__compatible(call) &&
           peer->run_agreed == call->plan.next.durable.witness_run;
}

static bool when_heal_record(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return state->phase == ARB_ACTIVE && call->saved && arb__own_solo(call) &&
           arb__register_known(call) &&
           arb__right_equal(&state->register_seen, &state->durable.right) && arb__whole(call) &&
           !arb__broken(call) && !call->facts->drbd.fence_question && !arb__asking(call) &&
           peer_is_good_standby(call) &&
           arb__right_equal(&call->facts->peer.last.right, &state->durable.right);
}

/* The record goes first: from here on this node may not go on alone without asking again. */
static void then_heal_record(struct arb_call *call)
{
    arb__save_right(call, ARB_MODE_PAIR, ARB_NODE_NONE, call->plan.next.durable.right.term);
}

/* A claim whose answer was lost had been granted after all, and the pair came back meanwhile. The
 * peer may have recorded it as ours: raise our term to it, so that the peer takes PAIR over again.
 */
static bool when_meet_register(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return serving_pair(call) && arb__is_solo_of(&state->register_seen, call->config->node) &&
           largest_term(call) > state->durable.right.term;
}

static void then_meet_register(struct arb_call *call)
{
    arb__save_right(call, ARB_MODE_PAIR, ARB_NODE_NONE, largest_term(call));
}

/* The register follows once the peer has recorded PAIR too, so that it could take over at once. */
static bool when_heal(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    return serving_pair(call) && arb__is_solo_of(&state->register_seen, call->config->node) &&
           peer_is_good_standby(call) &&
           arb__right_equal(&call->facts->peer.last.right, &state->durable.right);
}

static void then_heal(struct arb_call *call)
{
    ask_cas_for(call, ARB_FOR_HEALING, ARB_MODE_PAIR, call->plan.next.durable.right.term);
}

static bool when_beat(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    if (!serving_pair(call) || state->register_seen.mode != ARB_MODE_PAIR)
        return false;
    return largest_term(call) > state->durable.right.term ||
           state->register_seen.term < state->durable.right.term ||
           arb__since(call, state->asked_at_ms, call->k->witness_beat_ms);
}

static void then_beat(struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    const bool behind = largest_term(call) > state->durable.right.term ||
                        state->register_seen.term < state->durable.right.term;
    ask_cas_for(call, ARB_FOR_BEAT, ARB_MODE_PAIR,
                behind ? arb__next_term(call) : state->durable.right.term);
}

/* ---- small things ---- */

/* StandAlone never ends by itself. */
static bool when_stand_alone(const struct arb_call *call)
{
    return !arb__is_acting(call->plan.next.phase) && call->facts->drbd.known &&
           call->facts->drbd.link == ARB_LINK_STANDALONE && arb__peer_fresh(call) &&
           !call->facts->drbd.primary && arb__exec_idle(call) &&
           arb__may_act(call, ARB_DO_CONNECT, call->k->connect_retry_ms);
}

static void then_connect(struct arb_call *call)
{
    arb__act(call, ARB_DO_CONNECT);
    call->plan.next.reconnect_at_ms = call->facts->now_ms;
}

static bool when_no_longer_fresh(const struct arb_call *call)
{
    return idle_and_saved(call) && call->plan.next.durable.fresh && arb__whole(call) &&
           arb__peer_serves(call) && !call->facts->peer.last.fresh;
}

static void then_no_longer_fresh(struct arb_call *call)
{
    call->plan.next.durable.fresh = false;
    arb__save(call);
}

static bool when_read(const struct arb_call *call)
{
    const struct arb_state *state = &call->plan.next;
    if (!arb__may_ask(call) || state->phase == ARB_STOPPED)
        return false;
    const bool settled = state->phase == ARB_STANDBY || arb__is_acting(state->phase);
    const uint32_t interval_ms =
        settled && arb__run_agreed(call) ? call->k->witness_beat_ms : call->k->witness_retry_ms;
    return arb__since(call, state->asked_at_ms, interval_ms);
}

/* clang-format off */
const struct arb_row arb__rows_upkeep[] = {
    {ARB_RULE(8, when_record_yield, then_record_yield),
     "The other node goes on alone: this node records that its own copy no longer counts.", false, false},
    {ARB_RULE(11, when_record_denial, then_record_denial),
     "The register gives the right to the other node: this node records that its own copy no longer counts.", false, false},
    {ARB_RULE(11, when_outdate, then_outdate),
     "The copy of this node is being marked outdated, because the other node goes on alone.", false, false},
    {ARB_RULE(56, when_stand_alone, then_connect), "The data link had been given up; it is connected again.", false, true},
    {ARB_RULE(60, when_record_run, then_record_run), "Both nodes see the same run of the witness: it is recorded.", false, true},
    {ARB_RULE(61, when_adopt_solo, then_adopt), "The other node's right is recorded.", false, true},
    {ARB_RULE(61, when_adopt_pair, then_adopt), "The other node's right is recorded.", false, true},
    {ARB_RULE(62, when_drop_solo, then_drop_solo), "The unused right is given back: own record first.", false, true},
    {ARB_RULE(62, when_give_back, then_give_back), "The unused right is given back: the register.", false, true},
    {ARB_RULE(16, when_catch_up, then_catch_up), "The right recorded here is written to the register.", false, true},
    {ARB_RULE(25, when_heal_record, then_heal_record),
     "Both copies are equal again: this node records that it may no longer go on alone.", false, false},
    {ARB_RULE(25, when_meet_register, then_meet_register), "A granted claim that is not needed any more is recorded.", false, true},
    {ARB_RULE(25, when_heal, then_heal), "Both copies are equal again: the register is set to the pair.", false, true},
    {ARB_RULE(63, when_beat, then_beat), "The register is kept moving.", false, true},
    {ARB_RULE(64, when_no_longer_fresh, then_no_longer_fresh), "The pair has been formed.", false, true},
    {ARB_RULE(65, when_read, arb__ask_read), "The register is read.", false, true},
    ARB_ROWS_END,
};
/* clang-format on */
