/* The register in a third machine: requests may be lost, slow, or carried out without a reply; the
 * server may restart or come back with an old copy. The asking side is modelled as ha/witness.h
 * says: after one second the outcome is unknown, the late statement is made void first, then the
 * register tells what happened. */
#include "sim.h"

#include <string.h>

enum { TIMER_MS = 1000, RESOLVE_MS = 2000 };

static bool reachable(const struct world *w, unsigned node)
{
    return w->witness_down == 0 && w->witness_cut[node] == 0;
}

static uint64_t way_ms(struct world *w)
{
    if (w->witness_slow > 0)
        return sim_between(w, 5, 1800);
    return sim_chance(w, 50) == 0 ? sim_between(w, 100, 1300) : sim_between(w, 1, 8);
}

static void send_request(struct world *w, unsigned node, bool resolve)
{
    struct asker *asker = &w->machine[node].asker;
    for (uint32_t slot = 0; slot < REQUESTS; slot++) {
        struct request *request = &w->requests[slot];
        if (request->used)
            continue;
        *request = (struct request){
            .used = true,
            .is_cas = asker->wants_cas && !resolve,
            .is_resolve = resolve,
            .node = (uint16_t)node,
            .serial = asker->generation,
            .epoch = w->machine[node].daemon_epoch,
            .expected_seq = resolve ? asker->open_expected_seq : asker->expected_seq,
            .wanted = asker->wanted,
        };
        sim_post(w, way_ms(w), EV_REGISTER, node, slot);
        return;
    }
    sim_violation(w, VIOLATION_OVERFLOW);
}

static void finish(struct world *w, unsigned node, enum arb_outcome outcome,
                   const struct request *request)
{
    struct machine *m = &w->machine[node];
    m->asker.busy = false;
    m->asker.resolving = false;
    m->asker.generation++;
    m->asker.answer = (struct arb_witness){.outcome = outcome, .serial = m->asker.serial};
    if (request != NULL) {
        m->asker.answer.right = request->right;
        m->asker.answer.run = request->run;
    }
    TRACE(w, (int)node, "witness: %s, register %s(%u) term %llu seq %llu",
          arb_outcome_name(outcome), arb_mode_name(m->asker.answer.right.mode),
          m->asker.answer.right.owner, (unsigned long long)m->asker.answer.right.term,
          (unsigned long long)m->asker.answer.right.seq);
    sim_wake(w, node);
}

void sim_ask(struct world *w, unsigned node)
{
    struct machine *m = &w->machine[node];
    struct asker *asker = &m->asker;
    asker->serial = m->state.ask_serial;
    asker->wants_cas = m->state.ask == ARB_ASK_CAS;
    asker->expected_seq = m->state.ask_expected.seq;
    asker->wanted = m->state.ask_wanted;
    asker->answer = (struct arb_witness){.serial = asker->serial};
    asker->asked_at_ms = w->now_ms;
    asker->busy = true;
    asker->generation++;
    asker->resolving = asker->unresolved;
    send_request(w, node, asker->unresolved);
    sim_post(w, asker->unresolved ? RESOLVE_MS : TIMER_MS, EV_ASK_TIMER, node, asker->generation);
}

static bool server_allows(const struct world *w, const struct request *request)
{
    const uint32_t node = w->machine[request->node].config.node;
    if (w->reg.seq != request->expected_seq || request->wanted.term < w->reg.term)
        return false;
    if (w->reg.mode == ARB_MODE_SOLO && w->reg.owner != node)
        return false;
    return request->wanted.mode == ARB_MODE_PAIR || request->wanted.owner == node;
}

static void remember_old(struct world *w)
{
    w->reg_old[w->reg_olds++ % 4] = w->reg;
}

void sim_register_arrives(struct world *w, uint32_t slot)
{
    struct request *request = &w->requests[slot];
    if (!reachable(w, request->node)) {
        request->used = false;
        return;
    }
    if (request->is_cas && server_allows(w, request)) {
        remember_old(w);
        const uint64_t seq = w->reg.seq + 1;
        w->reg = request->wanted;
        w->reg.seq = seq;
        request->granted = true;
    }
    if (request->is_resolve && w->reg.seq == request->expected_seq)
        w->reg.seq++;
    request->right = w->reg;
    request->run = w->run;
    if (sim_chance(w, w->witness_slow > 0 ? 4 : 100) == 0) {
        request->used = false; /* the reply is lost */
        return;
    }
    sim_post(w, way_ms(w), EV_REPLY, request->node, slot);
}

static void resolved(struct world *w, unsigned node, const struct request *request)
{
    struct asker *asker = &w->machine[node].asker;
    const bool was_ours = request->right.mode == asker->open_wanted.mode &&
                          request->right.owner == asker->open_wanted.owner &&
                          request->right.term == asker->open_wanted.term &&
                          request->right.seq == asker->open_expected_seq + 1;
    const bool same_question = asker->open_wanted.term == asker->wanted.term && asker->wants_cas &&
                               asker->open_expected_seq == asker->expected_seq;
    asker->unresolved = false;
    if (asker->wants_cas && same_question && was_ours) {
        finish(w, node, ARB_OUTCOME_GRANTED, request);
        return;
    }
    if (asker->wants_cas) {
        finish(w, node, ARB_OUTCOME_DENIED, request);
        return;
    }
    finish(w, node, ARB_OUTCOME_READ, request);
}

void sim_reply_arrives(struct world *w, unsigned node, uint32_t slot)
{
    struct request request = w->requests[slot];
    struct machine *m = &w->machine[node];
    w->requests[slot].used = false;
    if (!m->asker.busy || request.serial != m->asker.generation ||
        request.epoch != m->daemon_epoch || w->witness_cut[node] > 0)
        return;
    if (request.is_resolve) {
        resolved(w, node, &request);
        return;
    }
    const enum arb_outcome outcome = !request.is_cas   ? ARB_OUTCOME_READ
                                     : request.granted ? ARB_OUTCOME_GRANTED
                                                       : ARB_OUTCOME_DENIED;
    finish(w, node, outcome, &request);
}

void sim_ask_timer(struct world *w, unsigned node, uint32_t generation)
{
    struct asker *asker = &w->machine[node].asker;
    if (!asker->busy || asker->generation != generation)
        return;
    if (asker->resolving || !asker->wants_cas) {
        finish(w, node, ARB_OUTCOME_UNREACHABLE, NULL);
        return;
    }
    /* unknown outcome: a new connection, the late statement is made void, then the register is read
     */
    asker->unresolved = true;
    asker->open_expected_seq = asker->expected_seq;
    asker->open_wanted = asker->wanted;
    asker->resolving = true;
    asker->generation++;
    send_request(w, node, true);
    sim_post(w, RESOLVE_MS - TIMER_MS, EV_ASK_TIMER, node, asker->generation);
}

void sim_witness_restart(struct world *w, bool old_copy)
{
    w->run = w->run + 1000 + sim_chance(w, 1000);
    if (old_copy && w->reg_olds > 0)
        w->reg = w->reg_old[sim_chance(w, w->reg_olds < 4 ? w->reg_olds : 4)];
    for (uint32_t slot = 0; slot < REQUESTS; slot++) /* connections die, statements with them */
        w->requests[slot].expected_seq = UINT64_MAX;
    TRACE(w, -1, "witness restarted, register %s(%u) term %llu seq %llu",
          arb_mode_name(w->reg.mode), w->reg.owner, (unsigned long long)w->reg.term,
          (unsigned long long)w->reg.seq);
}
