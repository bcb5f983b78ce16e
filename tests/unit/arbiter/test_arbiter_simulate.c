/* What the arbiter would do: on states of the arbiter that the tests set up. */
#include "ha/arbiter_simulate.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arb_simulation run(const struct scene *scene, enum arb_fault fault)
{
    struct arb_simulation result;
    const struct scene before = *scene;
    arb_simulate(&scene->config, &scene->state, &scene->facts, fault, &result);
    assert_memory_equal(&before, scene, sizeof(before));
    return result;
}

static const struct arb_sim_step *last(const struct arb_simulation *simulation)
{
    assert_true(simulation->count > 0);
    return &simulation->steps[simulation->count - 1];
}

static uint32_t all_actions(const struct arb_simulation *simulation)
{
    uint32_t actions = 0;
    for (unsigned i = 0; i < simulation->count; i++)
        actions |= simulation->steps[i].actions;
    return actions;
}

static struct scene settled(struct scene scene)
{
    (void)scene_decide(&scene);
    return scene;
}

static void a_standby_whose_peer_dies_becomes_active_by_right(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_standby());
    const struct arb_simulation s = run(&scene, ARB_FAULT_PEER_DEAD);
    assert_int_equal(s.end, ARB_SIM_END_QUIET);
    assert_int_equal(last(&s)->phase, ARB_ACTIVE);
    assert_true(last(&s)->address);
    const uint32_t wanted = ARB_DO_ASK | ARB_DO_SAVE | ARB_DO_TAKE | ARB_DO_ANSWER;
    assert_int_equal(all_actions(&s) & wanted, wanted);
    /* never before the old holder's address is gone */
    for (unsigned i = 0; i < s.count; i++)
        assert_true(!s.steps[i].address ||
                    s.steps[i].at_ms + SCENE_NOW_MS >=
                        scene.facts.peer.last_heard_ms + scene.config.constants.vip_wait_ms);
}

static void a_standby_that_is_isolated_stays_away(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_standby());
    const struct arb_simulation s = run(&scene, ARB_FAULT_ISOLATED);
    assert_int_equal(all_actions(&s) & (ARB_DO_TAKE | ARB_DO_ANSWER), 0);
    assert_int_equal(last(&s)->phase, ARB_SUSPECT);
    assert_int_equal(last(&s)->row, 12);
    assert_true(s.count < 8); /* what is repeated is told once */
}

static void an_active_node_whose_peer_dies_goes_on_alone(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_active());
    const struct arb_simulation s = run(&scene, ARB_FAULT_PEER_DEAD);
    assert_int_equal(s.end, ARB_SIM_END_QUIET);
    assert_int_equal(last(&s)->phase, ARB_ACTIVE);
    assert_int_equal(last(&s)->row, 24);
    assert_int_equal(all_actions(&s) & ARB_DO_SELF_FENCE, 0);
}

static void an_active_node_that_is_isolated_resets_itself_in_time(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_active());
    const struct arb_simulation s = run(&scene, ARB_FAULT_ISOLATED);
    assert_true(s.end == ARB_SIM_END_RESET || s.end == ARB_SIM_END_STARVED);
    assert_true(s.took_ms <= scene.config.constants.watchdog_ms);
    assert_int_equal(all_actions(&s) & ARB_DO_ANSWER, 0);
}

static void a_lost_witness_alone_changes_nothing_but_the_alarm(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_active());
    const struct arb_simulation s = run(&scene, ARB_FAULT_WITNESS_LOST);
    assert_int_equal(last(&s)->phase, ARB_ACTIVE);
    assert_int_equal(last(&s)->row, 67);
    assert_true(last(&s)->alarm && last(&s)->address);
    assert_int_equal(all_actions(&s), 0);
}

static void a_lost_link_leaves_a_standby_in_peace(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_standby());
    const struct arb_simulation s = run(&scene, ARB_FAULT_LINK_LOST);
    assert_int_equal(last(&s)->phase, ARB_STANDBY);
    assert_int_equal(last(&s)->row, 8);
}

static void an_order_that_would_be_refused_is_not_carried_out_here_either(void **state)
{
    (void)state;
    struct scene scene = settled(scene_active());
    const struct arb_simulation good = run(&scene, ARB_FAULT_SWITCHOVER);
    assert_int_equal(all_actions(&good) & ARB_DO_RELEASE, ARB_DO_RELEASE);
    scene.facts.peer.last.candidate = false;
    const struct arb_simulation bad = run(&scene, ARB_FAULT_SWITCHOVER);
    assert_int_equal(all_actions(&bad) & ARB_DO_RELEASE, 0);
    assert_int_equal(last(&bad)->phase, ARB_ACTIVE);
}

static void the_record_that_cannot_be_written_lets_nobody_take_over(void **state)
{
    (void)state;
    const struct scene scene = settled(scene_standby());
    const struct arb_simulation s = run(&scene, ARB_FAULT_RECORD_FAILED);
    assert_int_equal(all_actions(&s) & (ARB_DO_TAKE | ARB_DO_ANSWER), 0);
}

/* Every fault from every phase ends, and the words for each action exist. */
static void every_fault_from_every_phase_comes_to_an_end(void **state)
{
    (void)state;
    for (int phase = 0; phase < ARB_PHASE_COUNT; phase++)
        for (int fault = 0; fault < ARB_FAULT_COUNT; fault++) {
            struct scene scene = scene_new((enum arb_phase)phase);
            struct arb_simulation s;
            arb_simulate(&scene.config, &scene.state, &scene.facts, (enum arb_fault)fault, &s);
            assert_true(s.count >= 1 && s.count <= ARB_SIM_STEPS);
            assert_int_not_equal(s.end, ARB_SIM_END_CUT);
        }
    for (unsigned bit = 0; bit < ARB_ACTIONS; bit++)
        assert_non_null(arb_action_text(1u << bit));
    assert_null(arb_action_text(1u << ARB_ACTIONS));
}

static void faults_are_found_by_their_names(void **state)
{
    (void)state;
    enum arb_fault fault;
    for (int i = 0; i < ARB_FAULT_COUNT; i++) {
        assert_true(arb_fault_named(arb_fault_name((enum arb_fault)i), &fault));
        assert_int_equal(fault, i);
        assert_true(strlen(arb_fault_text(fault)) > 0);
    }
    assert_false(arb_fault_named("weather", &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standby_whose_peer_dies_becomes_active_by_right),
        cmocka_unit_test(a_standby_that_is_isolated_stays_away),
        cmocka_unit_test(an_active_node_whose_peer_dies_goes_on_alone),
        cmocka_unit_test(an_active_node_that_is_isolated_resets_itself_in_time),
        cmocka_unit_test(a_lost_witness_alone_changes_nothing_but_the_alarm),
        cmocka_unit_test(a_lost_link_leaves_a_standby_in_peace),
        cmocka_unit_test(an_order_that_would_be_refused_is_not_carried_out_here_either),
        cmocka_unit_test(the_record_that_cannot_be_written_lets_nobody_take_over),
        cmocka_unit_test(every_fault_from_every_phase_comes_to_an_end),
        cmocka_unit_test(faults_are_found_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
