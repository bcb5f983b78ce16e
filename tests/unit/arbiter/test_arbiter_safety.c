/* The promises of arbiter.h, held against every combination of phase and facts that matters. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct arb_right rights[] = {
    {ARB_MODE_PAIR, ARB_NODE_NONE, 5, 10},      {ARB_MODE_SOLO, ARB_NODE_PRIMARY, 5, 10},
    {ARB_MODE_SOLO, ARB_NODE_SECONDARY, 5, 10}, {ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6, 11},
    {ARB_MODE_PAIR, ARB_NODE_NONE, 6, 11},      {ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6, 11},
};

struct corner {
    unsigned phase, exec, disk, peer_disk, link, right, peer, outcome, reg, purpose;
    bool saved, question, in_hand, readable, known_run;
};

static const enum arb_exec execs[] = {ARB_EXEC_IDLE, ARB_EXEC_TAKEN, ARB_EXEC_TAKE_FAILED};
static const enum arb_disk disks[] = {ARB_DISK_UPTODATE, ARB_DISK_CONSISTENT, ARB_DISK_OUTDATED};
static const enum arb_disk peer_disks[] = {ARB_DISK_UPTODATE, ARB_DISK_OUTDATED};
static const enum arb_link links[] = {ARB_LINK_CONNECTED, ARB_LINK_LOST};
static const enum arb_purpose purposes[] = {ARB_FOR_ACTIVATION, ARB_FOR_CLAIM, ARB_FOR_BEAT};

static struct scene build(const struct corner *c)
{
    struct scene s = scene_new((enum arb_phase)c->phase);
    s.facts.exec = execs[c->exec];
    s.facts.drbd.primary = s.facts.exec == ARB_EXEC_TAKEN;
    s.facts.drbd.disk = disks[c->disk];
    s.facts.drbd.link = links[c->link];
    s.facts.drbd.peer_disk = peer_disks[c->peer_disk];
    s.facts.drbd.lost_at_ms = SCENE_NOW_MS - 5000;
    s.facts.drbd.fence_question = c->question;
    s.state.durable.right = rights[c->right];
    s.state.right_in_hand = c->in_hand;
    s.state.outdate_term = c->link == 1 ? 5 : 0;
    if (!c->saved)
        s.state.save_serial++;
    else
        s.state.saved = s.state.durable;
    s.facts.durable_readable = c->readable;

    /* peer: silent, idle with each right, active with each right, confirming that it is outdated */
    if (c->peer == 0)
        scene_peer_silent(&s);
    else
        s.facts.peer.last.right = rights[(c->peer - 1) % 3];
    if (c->peer >= 4) {
        s.facts.peer.last.phase = ARB_ACTIVE;
        s.facts.peer.last.outdate_term = 5;
    }
    if (c->peer == 3)
        s.facts.peer.last.outdated_term = 5;

    s.state.ask = ARB_ASK_CAS;
    s.state.ask_serial = 9;
    s.state.ask_purpose = (uint8_t)purposes[c->purpose];
    s.state.ask_expected = rights[0];
    s.facts.witness = (struct arb_witness){
        .outcome = (enum arb_outcome)c->outcome,
        .serial = 9,
        .right = rights[c->reg],
        .run = c->outcome == ARB_OUTCOME_UNREACHABLE ? 0
               : c->known_run                        ? SCENE_RUN
                                                     : SCENE_RUN + 1,
    };
    return s;
}

static bool own_solo(const struct arb_right *right)
{
    return right->mode == ARB_MODE_SOLO && right->owner == ARB_NODE_PRIMARY;
}

/* The text names the promise that does not hold; NULL: all hold. */
static const char *judge(const struct scene *s, const struct arb_plan *plan)
{
    const struct arb_facts *facts = &s->facts;
    const bool saved = facts->durable_readable && facts->saved_serial == s->state.save_serial;
    const bool granted = facts->witness.outcome == ARB_OUTCOME_GRANTED &&
                         facts->witness.run == s->state.durable.witness_run;
    const bool take = (plan->actions & ARB_DO_TAKE) != 0;
    if (take && (!saved || !s->state.right_in_hand || s->state.phase != ARB_TAKING))
        return "take without a right that is granted and saved";
    if (take && facts->drbd.disk != ARB_DISK_UPTODATE)
        return "take with a copy that is not up to date";
    if (take && !own_solo(&s->state.durable.right) &&
        (facts->drbd.link != ARB_LINK_CONNECTED || facts->drbd.peer_disk != ARB_DISK_UPTODATE))
        return "take in the pair without an equal, connected peer";
    if (take && plan->next.save_serial != s->state.save_serial)
        return "take together with a record that is not on the disk";
    if (plan->next.right_in_hand && !s->state.right_in_hand && !granted)
        return "a right in hand without a grant";
    if (plan->next.phase == ARB_ACTIVE && s->state.phase != ARB_ACTIVE)
        return "active without a take of this activation";
    if ((plan->actions & ARB_DO_ANSWER) != 0 && plan->answer != 1 &&
        !(saved && own_solo(&s->state.durable.right) && own_solo(&plan->next.durable.right)))
        return "the kernel was permitted without SOLO saved";
    if ((plan->actions & ARB_DO_ANSWER) != 0 && plan->answer != 1 && plan->answer != 4 &&
        plan->answer != 7)
        return "a forbidden answer";
    if (own_solo(&plan->next.durable.right) && !own_solo(&s->state.durable.right) && !granted &&
        facts->drbd.peer_disk != ARB_DISK_OUTDATED &&
        facts->peer.last.outdated_term != s->state.outdate_term)
        return "SOLO recorded without grant and without an outdated peer";
    if (!facts->durable_readable && (plan->actions & ARB_DO_SAVE) != 0)
        return "an unreadable record was overwritten";
    if ((plan->actions & ARB_DO_OUTDATE) != 0 && own_solo(&s->state.durable.right))
        return "the only copy that counts was outdated";
    if (plan->next.reason == NULL)
        return "no reason";
    if (plan->next.phase == ARB_FENCED && s->state.phase != ARB_FENCED &&
        (plan->actions & ARB_DO_SELF_FENCE) == 0)
        return "fenced without a reset";
    return NULL;
}

static unsigned long check_phase(unsigned phase)
{
    unsigned long count = 0;
    for (unsigned n = 0; n < 3u * 3 * 2 * 2 * 3 * 7 * 5 * 6 * 3 * 32; n++) {
        unsigned rest = n;
        struct corner c = {.phase = phase};
#define DIGIT(field, base)                                                                         \
    c.field = rest % (base);                                                                       \
    rest /= (base)
        DIGIT(exec, 3);
        DIGIT(disk, 3);
        DIGIT(peer_disk, 2);
        DIGIT(link, 2);
        DIGIT(right, 3);
        DIGIT(peer, 7);
        DIGIT(outcome, 5);
        DIGIT(reg, 6);
        DIGIT(purpose, 3);
        c.saved = rest & 1;
        c.question = rest & 2;
        c.in_hand = rest & 4;
        c.readable = (rest & 8) == 0;
        c.known_run = (rest & 16) == 0;
        if (c.outcome == ARB_OUTCOME_GRANTED && !own_solo(&rights[c.reg]) &&
            rights[c.reg].mode == ARB_MODE_SOLO)
            continue; /* the server grants nobody else's right */
        const struct scene s = build(&c);
        const struct arb_plan plan = arb_decide(&s.config, &s.state, &s.facts);
        const char *broken = judge(&s, &plan);
        if (broken != NULL)
            fail_msg("corner %u of phase %s: %s (row %u)", n, arb_phase_name(s.state.phase), broken,
                     plan.next.row);
        count++;
    }
    return count;
}

static void no_corner_of_the_state_space_breaks_a_promise(void **unused)
{
    (void)unused;
    unsigned long count = 0;
    for (unsigned phase = 0; phase < ARB_PHASE_COUNT; phase++)
        count += check_phase(phase);
    print_message("%lu corners\n", count);
    assert_true(count > 1000000);
}

static void the_same_facts_twice_repeat_no_action(void **unused)
{
    (void)unused;
    const uint32_t once = ARB_DO_SAVE | ARB_DO_ASK | ARB_DO_TAKE | ARB_DO_RELEASE | ARB_DO_OUTDATE |
                          ARB_DO_CONNECT | ARB_DO_RECONNECT | ARB_DO_ANSWER | ARB_DO_DOWN |
                          ARB_DO_FORM;
    for (unsigned phase = 0; phase < ARB_PHASE_COUNT; phase++)
        for (unsigned peer = 0; peer < 7; peer++)
            for (unsigned link = 0; link < 2; link++)
                for (unsigned right = 0; right < 3; right++) {
                    const struct corner c = {.phase = phase,
                                             .peer = peer,
                                             .link = link,
                                             .right = right,
                                             .saved = true,
                                             .question = true,
                                             .readable = true,
                                             .known_run = true};
                    struct scene s = build(&c);
                    /* three calls may follow one another; then the facts are used up */
                    for (int i = 0; i < 4; i++)
                        (void)scene_decide(&s);
                    assert_int_equal(scene_decide(&s) & once, 0);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_corner_of_the_state_space_breaks_a_promise),
        cmocka_unit_test(the_same_facts_twice_repeat_no_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
