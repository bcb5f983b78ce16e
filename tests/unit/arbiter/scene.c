#include "scene.h"

static const struct arb_right pair_of_term_5 = {ARB_MODE_PAIR, ARB_NODE_NONE, 5, 10};

struct scene scene_new(enum arb_phase phase)
{
    struct scene s = {
        .config = {.node = ARB_NODE_PRIMARY,
                   .preferred = true,
                   .constants = *arb_constants_named("fast")},
    };
    const struct arb_durable durable = {.right = pair_of_term_5, .witness_run = SCENE_RUN};
    arb_state_init(&s.state, &durable, SCENE_NOW_MS - 60000);
    s.state.phase = phase;
    s.state.run_seen = SCENE_RUN;
    s.state.register_seen = pair_of_term_5;
    s.state.register_seen_at_ms = s.state.asked_at_ms = SCENE_NOW_MS - 500;
    s.facts = (struct arb_facts){
        .now_ms = SCENE_NOW_MS,
        .drbd = {.known = true,
                 .disk = ARB_DISK_UPTODATE,
                 .peer_disk = ARB_DISK_UPTODATE,
                 .link = ARB_LINK_CONNECTED},
        .peer = {.heard = true,
                 .fresh = true,
                 .member = true,
                 .last_heard_ms = SCENE_NOW_MS - 50,
                 .last = {.node = ARB_NODE_SECONDARY,
                          .version_low = 1,
                          .version_high = 1,
                          .phase = ARB_STANDBY,
                          .candidate = true,
                          .disk = ARB_DISK_UPTODATE,
                          .link = ARB_LINK_CONNECTED,
                          .right = pair_of_term_5,
                          .run_seen = SCENE_RUN,
                          .run_agreed = SCENE_RUN,
                          .constants_digest = arb_constants_digest(&s.config.constants)}},
        .exec = ARB_EXEC_IDLE,
        .durable_readable = true,
        .contact_ms = SCENE_NOW_MS - 50,
        .take_possible = true,
    };
    return s;
}

struct scene scene_active(void)
{
    struct scene s = scene_new(ARB_ACTIVE);
    s.facts.exec = ARB_EXEC_TAKEN;
    s.facts.drbd.primary = true;
    s.state.durable.last_active_term = s.state.saved.last_active_term = 5;
    s.state.right_in_hand = true;
    return s;
}

struct scene scene_standby(void)
{
    struct scene s = scene_new(ARB_STANDBY);
    s.facts.peer.last.phase = ARB_ACTIVE;
    s.facts.peer.last.candidate = false;
    s.facts.peer.last.holds_vip = true;
    s.facts.peer.last.primary = true;
    s.facts.drbd.peer_primary = true;
    return s;
}

void scene_peer_silent(struct scene *s)
{
    s->facts.peer.fresh = s->facts.peer.member = false;
    s->facts.peer.last_heard_ms = s->facts.now_ms - 1000;
}

void scene_link_lost(struct scene *s)
{
    s->facts.drbd.link = ARB_LINK_LOST;
    s->facts.drbd.peer_disk = ARB_DISK_UNKNOWN;
    s->facts.drbd.lost_at_ms = s->facts.now_ms - 100;
    s->facts.drbd.peer_primary = false;
    if (s->facts.drbd.primary)
        s->facts.drbd.suspended = s->facts.drbd.fence_question = true;
}

void scene_contact_lost(struct scene *s, uint64_t for_ms)
{
    s->facts.contact_ms = s->facts.now_ms - for_ms;
}

void scene_right(struct scene *s, enum arb_mode mode, uint32_t owner, uint64_t term)
{
    s->state.durable.right = (struct arb_right){mode, owner, term, 10};
    s->state.saved = s->state.durable;
}

void scene_register(struct scene *s, enum arb_mode mode, uint32_t owner, uint64_t term)
{
    s->state.register_seen = (struct arb_right){mode, owner, term, 10};
}

void scene_peer_right(struct scene *s, enum arb_mode mode, uint32_t owner, uint64_t term)
{
    s->facts.peer.last.right = (struct arb_right){mode, owner, term, 10};
}

uint32_t scene_decide(struct scene *s)
{
    s->plan = arb_decide(&s->config, &s->state, &s->facts);
    s->state = s->plan.next;
    return s->plan.actions;
}

void scene_pass(struct scene *s, uint64_t ms)
{
    s->facts.now_ms += ms;
}

void scene_saved(struct scene *s)
{
    s->facts.saved_serial = s->state.save_serial;
}

void scene_answer(struct scene *s, enum arb_outcome outcome, struct arb_right right)
{
    s->facts.witness = (struct arb_witness){
        .outcome = outcome,
        .serial = s->state.ask_serial,
        .right = right,
        .run = outcome == ARB_OUTCOME_UNREACHABLE ? 0 : SCENE_RUN,
    };
}

void scene_granted(struct scene *s)
{
    scene_answer(s, ARB_OUTCOME_GRANTED, s->state.ask_wanted);
}
