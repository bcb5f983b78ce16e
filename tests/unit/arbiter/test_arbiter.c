#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define CASE(name)            static void name(void **unused)
#define HAS(actions, bit)     assert_true(((actions) & (bit)) != 0)
#define HAS_NOT(actions, bit) assert_true(((actions) & (bit)) == 0)

/* ---- rows 1 to 6: after a start ---- */

CASE(nothing_is_asked_for_while_leftovers_are_removed_R1)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    s.facts.exec = ARB_EXEC_CLEANING;
    HAS_NOT(scene_decide(&s), ARB_DO_TAKE | ARB_DO_SAVE);
    assert_int_equal(s.state.phase, ARB_BOOT);
    assert_int_equal(s.state.row, 1);
}

CASE(of_two_equal_nodes_the_preferred_one_is_elected_R2)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_PAIR);
    assert_int_equal(s.state.ask_wanted.term, 6);
}

CASE(the_node_that_was_active_last_is_elected_before_the_preferred_one_R2)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    s.facts.peer.last.last_active_term = 5;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_STANDBY);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(the_elected_node_saves_its_right_and_only_then_takes_R2)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    (void)scene_decide(&s);
    scene_granted(&s);
    uint32_t actions = scene_decide(&s);
    HAS(actions, ARB_DO_SAVE);
    HAS_NOT(actions, ARB_DO_TAKE);
    assert_int_equal(s.state.phase, ARB_TAKING);
    scene_pass(&s, 100);
    HAS_NOT(scene_decide(&s), ARB_DO_TAKE);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_TAKE);
    assert_true(s.state.vip_from_ms <= s.facts.now_ms); /* the peer said that it has no address */
}

CASE(a_grant_of_another_server_run_is_no_grant)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    (void)scene_decide(&s);
    scene_granted(&s);
    s.facts.witness.run = SCENE_RUN + 1;
    (void)scene_decide(&s);
    assert_int_not_equal(s.state.phase, ARB_TAKING);
}

CASE(an_answer_to_an_older_question_is_ignored)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    (void)scene_decide(&s);
    scene_granted(&s);
    s.facts.witness.serial--;
    (void)scene_decide(&s);
    assert_int_not_equal(s.state.phase, ARB_TAKING);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(a_node_that_finds_its_peer_active_stands_by_R3)
{
    (void)unused;
    struct scene s = scene_standby();
    s.state.phase = ARB_BOOT;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_STANDBY);
    assert_int_equal(s.state.row, 3);
}

static struct scene owner_alone(void)
{
    struct scene s = scene_new(ARB_BOOT);
    scene_peer_silent(&s);
    s.facts.peer.heard = false;
    scene_link_lost(&s);
    s.facts.drbd.peer_disk = ARB_DISK_OUTDATED;
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    return s;
}

CASE(the_owner_of_the_right_takes_alone_when_the_register_agrees_R4)
{
    (void)unused;
    struct scene s = owner_alone();
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_SOLO);
    assert_int_equal(s.state.ask_wanted.term, 7);
}

CASE(the_owner_of_an_older_term_does_not_take_R4)
{
    (void)unused;
    struct scene s = owner_alone();
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 8);
    (void)scene_decide(&s);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(the_owner_waits_a_moment_for_its_peer_R4)
{
    (void)unused;
    struct scene s = owner_alone();
    s.state.since_ms = s.facts.now_ms - 1000;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_BOOT);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(alone_with_a_copy_that_may_be_stale_the_node_waits_R5)
{
    (void)unused;
    static const enum arb_disk disks[] = {ARB_DISK_CONSISTENT, ARB_DISK_UPTODATE};
    for (unsigned i = 0; i < 2; i++) {
        struct scene s = scene_new(ARB_BOOT);
        scene_peer_silent(&s);
        scene_link_lost(&s);
        s.facts.drbd.disk = disks[i];
        HAS_NOT(scene_decide(&s), ARB_DO_TAKE);
        assert_int_equal(s.state.phase, ARB_WAIT);
        assert_int_equal(s.state.row, 5);
        assert_true(s.plan.alarm);
    }
}

CASE(alone_with_a_bad_copy_the_node_waits_R6)
{
    (void)unused;
    static const enum arb_disk disks[] = {ARB_DISK_OUTDATED, ARB_DISK_INCONSISTENT,
                                          ARB_DISK_DISKLESS};
    for (unsigned i = 0; i < 3; i++) {
        struct scene s = scene_new(ARB_BOOT);
        scene_peer_silent(&s);
        scene_link_lost(&s);
        s.facts.drbd.disk = disks[i];
        (void)scene_decide(&s);
        assert_int_equal(s.state.phase, ARB_WAIT);
        assert_int_equal(s.state.row, 6);
    }
}

CASE(an_unreadable_durable_state_waits_for_ever_and_is_never_overwritten)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    s.facts.durable_readable = false;
    for (int i = 0; i < 50; i++) {
        HAS_NOT(scene_decide(&s), ARB_DO_TAKE | ARB_DO_SAVE);
        scene_pass(&s, 1000);
    }
    assert_int_equal(s.state.phase, ARB_WAIT);
    assert_int_equal(s.state.row, 59);
}

CASE(unequal_constants_mean_no_election)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    s.facts.peer.last.constants_digest++;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_WAIT);
    assert_int_equal(s.state.row, 57);
}

CASE(two_empty_copies_are_declared_equal_once_by_the_preferred_node)
{
    (void)unused;
    struct scene s = scene_new(ARB_STANDBY);
    s.state.durable.fresh = s.facts.peer.last.fresh = true;
    s.facts.drbd.disk = s.facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
    HAS(scene_decide(&s), ARB_DO_FORM);
    scene_pass(&s, 5000);
    HAS_NOT(scene_decide(&s), ARB_DO_FORM);
    scene_pass(&s, 6000);
    HAS(scene_decide(&s), ARB_DO_FORM);
}

/* ---- rows 7 to 11: the standby ---- */

CASE(a_silent_daemon_on_a_living_machine_is_no_reason_to_act_R7)
{
    (void)unused;
    struct scene s = scene_standby();
    s.facts.peer.fresh = false;
    HAS_NOT(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.phase, ARB_STANDBY);
    assert_int_equal(s.state.row, 7);
}

CASE(the_standby_obeys_a_request_to_outdate_its_copy_R8)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_link_lost(&s);
    s.facts.peer.last.outdate_term = 5;
    HAS(scene_decide(&s), ARB_DO_SAVE); /* its own record first */
    assert_int_equal(s.state.durable.right.owner, ARB_NODE_SECONDARY);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_OUTDATE);
    assert_int_equal(s.state.outdated_term, 0);
    s.facts.drbd.disk = ARB_DISK_OUTDATED; /* read back */
    (void)scene_decide(&s);
    assert_int_equal(s.state.outdated_term, 5);
}

CASE(a_request_of_an_older_term_is_refused_R8)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_link_lost(&s);
    s.facts.peer.last.outdate_term = 4;
    scene_peer_right(&s, ARB_MODE_PAIR, ARB_NODE_NONE, 4);
    HAS_NOT(scene_decide(&s), ARB_DO_OUTDATE | ARB_DO_SAVE);
}

CASE(the_owner_of_the_right_is_not_outdated_by_anybody_R8)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_link_lost(&s);
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    s.facts.peer.last.outdate_term = 9;
    HAS_NOT(scene_decide(&s), ARB_DO_OUTDATE);
    assert_int_equal(s.state.durable.right.owner, ARB_NODE_PRIMARY);
}

CASE(silence_on_every_path_makes_the_standby_ask_at_once_R9_R10)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.phase, ARB_SUSPECT);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_SOLO);
    assert_int_equal(s.state.ask_wanted.owner, ARB_NODE_PRIMARY);
}

CASE(a_granted_takeover_is_saved_then_taken_and_waits_for_the_address_R10)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_granted(&s);
    uint32_t actions = scene_decide(&s);
    HAS(actions, ARB_DO_SAVE);
    HAS_NOT(actions, ARB_DO_TAKE);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_TAKE);
    assert_int_equal(s.state.vip_from_ms,
                     s.facts.peer.last_heard_ms + s.config.constants.vip_wait_ms);
    assert_int_equal(arb_gates(&s.config, &s.state, &s.facts).vip_until_ms, 0);
    scene_pass(&s, 4000);
    assert_true(arb_gates(&s.config, &s.state, &s.facts).vip_until_ms > s.facts.now_ms);
}

CASE(a_late_loss_of_the_data_link_moves_the_claim_of_the_address_R10)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    (void)scene_decide(&s);
    scene_granted(&s);
    (void)scene_decide(&s);
    scene_pass(&s, 2000);
    scene_link_lost(&s); /* its last acknowledged write may be as young as this */
    (void)scene_decide(&s);
    assert_int_equal(s.state.vip_from_ms, s.facts.drbd.lost_at_ms + s.config.constants.vip_wait_ms -
                                              s.config.constants.skew_ms);
}

struct stale {
    const char *why;
    enum arb_mode mode;
    uint32_t owner;
    uint64_t term, seq;
};

CASE(a_standby_that_the_register_left_behind_never_claims)
{
    (void)unused;
    static const struct stale rows[] = {
        {"register names the peer", ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6, 11},
        {"register has a newer activation", ARB_MODE_PAIR, ARB_NODE_NONE, 6, 11},
        {"register moved on", ARB_MODE_PAIR, ARB_NODE_NONE, 5, 30},
        {"register has an unknown right of this node", ARB_MODE_SOLO, ARB_NODE_PRIMARY, 9, 11},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene s = scene_standby();
        scene_peer_silent(&s);
        scene_link_lost(&s);
        s.state.register_seen_at_ms = 0;
        HAS(scene_decide(&s), ARB_DO_ASK);
        assert_int_equal(s.state.ask, ARB_ASK_READ);
        scene_answer(&s, ARB_OUTCOME_READ,
                     (struct arb_right){rows[i].mode, rows[i].owner, rows[i].term, rows[i].seq});
        (void)scene_decide(&s);
        assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
        assert_int_equal(s.state.phase, ARB_WAIT);
    }
}

CASE(a_node_with_a_bad_copy_never_claims)
{
    (void)unused;
    for (int disk = 0; disk < ARB_DISK_COUNT; disk++) {
        struct scene s = scene_standby();
        scene_peer_silent(&s);
        scene_link_lost(&s);
        s.facts.drbd.disk = (enum arb_disk)disk;
        (void)scene_decide(&s);
        assert_true((s.state.ask == ARB_ASK_CAS) == (disk == ARB_DISK_UPTODATE));
    }
}

CASE(a_denied_claim_ends_with_an_outdated_copy_R11)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_DENIED,
                 (struct arb_right){ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6, 11});
    HAS(scene_decide(&s), ARB_DO_SAVE);
    assert_int_equal(s.state.phase, ARB_WAIT);
    assert_int_equal(s.state.durable.right.owner, ARB_NODE_SECONDARY);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_OUTDATE);
}

CASE(an_unreachable_witness_is_asked_again_and_nothing_is_taken_R12)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    for (int i = 0; i < 20; i++) {
        scene_answer(&s, ARB_OUTCOME_UNREACHABLE, (struct arb_right){0});
        HAS_NOT(scene_decide(&s), ARB_DO_TAKE | ARB_DO_SAVE);
        scene_pass(&s, 1100);
        HAS(scene_decide(&s), ARB_DO_ASK);
    }
    assert_int_equal(s.state.phase, ARB_SUSPECT);
}

CASE(a_peer_that_is_heard_again_ends_the_suspicion_R9)
{
    (void)unused;
    struct scene s = scene_standby();
    s.state.phase = ARB_SUSPECT;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_STANDBY);
}

/* ---- rows 16 to 19: the active node when the pair breaks ---- */

CASE(the_kernel_gets_no_answer_before_the_decision_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    uint32_t actions = scene_decide(&s);
    HAS(actions, ARB_DO_ASK);
    HAS_NOT(actions, ARB_DO_ANSWER);
    scene_granted(&s);
    actions = scene_decide(&s);
    HAS(actions, ARB_DO_SAVE);
    HAS_NOT(actions, ARB_DO_ANSWER);
}

CASE(seven_is_answered_once_when_the_right_is_saved_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_granted(&s);
    (void)scene_decide(&s);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_ANSWER);
    assert_int_equal(s.plan.answer, 7);
    scene_pass(&s, 100);
    HAS_NOT(scene_decide(&s), ARB_DO_ANSWER);
}

CASE(a_denied_active_node_resets_itself_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_DENIED,
                 (struct arb_right){ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6, 11});
    HAS(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.phase, ARB_FENCED);
    const struct arb_gates gates = arb_gates(&s.config, &s.state, &s.facts);
    assert_true(gates.vip_until_ms == 0 && gates.kick_until_ms == 0);
}

CASE(a_register_that_only_moved_on_is_asked_again_at_once_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_DENIED, (struct arb_right){ARB_MODE_PAIR, ARB_NODE_NONE, 5, 12});
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask_expected.seq, 12);
}

CASE(an_active_node_without_contact_and_right_resets_itself_in_time_R19)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_UNREACHABLE, (struct arb_right){0});
    scene_pass(&s, 1700);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE);
    scene_pass(&s, 100);
    HAS(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.row, 19);
}

/* The peer's daemon had hung, so only the disk proved contact, then its watchdog reset it. */
CASE(contact_by_the_disk_still_counts_when_the_data_link_breaks_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    (void)scene_decide(&s);
    scene_pass(&s, 5000);
    s.facts.contact_ms = s.facts.now_ms - 50; /* by the disk */
    (void)scene_decide(&s);
    scene_pass(&s, 100);
    s.facts.contact_ms = s.facts.now_ms - 5000; /* by heartbeats: the link is lost */
    scene_link_lost(&s);
    const uint32_t actions = scene_decide(&s);
    HAS_NOT(actions, ARB_DO_SELF_FENCE);
    HAS(actions, ARB_DO_ASK);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(a_loop_that_stood_still_looks_twice_before_it_resets_R19)
{
    (void)unused;
    struct scene s = scene_active();
    (void)scene_decide(&s);
    scene_pass(&s, 1950);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE);
    s.facts.contact_ms = s.facts.now_ms; /* the waiting heartbeats have been read */
    s.facts.peer.last_heard_ms = s.facts.now_ms;
    scene_pass(&s, 100);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.phase, ARB_ACTIVE);
}

CASE(a_reachable_standby_is_asked_to_outdate_its_copy_R16)
{
    (void)unused;
    struct scene s = scene_active();
    scene_link_lost(&s);
    (void)scene_decide(&s);
    assert_int_equal(s.state.outdate_term, 5);
    assert_int_equal(arb_message_build(&s.config, &s.state, &s.facts).outdate_term, 5);
}

CASE(an_old_confirmation_does_not_count_for_a_new_break_R16)
{
    (void)unused;
    struct scene s = scene_active();
    scene_link_lost(&s);
    s.facts.peer.last.outdated_term = 5; /* from the break before this one */
    (void)scene_decide(&s);
    assert_int_equal(s.state.outdate_term, 0);
}

static struct scene broken_without_witness(void)
{
    struct scene s = scene_active();
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_UNREACHABLE, (struct arb_right){0});
    (void)scene_decide(&s);
    return s;
}

CASE(without_the_witness_a_confirmed_outdated_peer_is_as_good_R16)
{
    (void)unused;
    struct scene s = broken_without_witness();
    s.facts.peer.last.outdated_term = 5;
    uint32_t actions = scene_decide(&s);
    HAS(actions, ARB_DO_SAVE);
    HAS_NOT(actions, ARB_DO_ANSWER);
    assert_int_equal(s.state.durable.right.owner, ARB_NODE_PRIMARY);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_ANSWER);
    assert_int_equal(s.plan.answer, 4);
}

CASE(a_confirmation_of_another_term_is_none_R16)
{
    (void)unused;
    struct scene s = broken_without_witness();
    s.facts.peer.last.outdated_term = 4;
    HAS_NOT(scene_decide(&s), ARB_DO_SAVE | ARB_DO_ANSWER);
}

CASE(a_peer_that_has_the_right_ends_this_active_node_R17)
{
    (void)unused;
    struct scene s = scene_active();
    scene_link_lost(&s);
    scene_peer_right(&s, ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6);
    HAS(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.row, 17);
}

/* A former active node that was paused: its kernel is still Primary when its daemon starts anew. */
CASE(a_frozen_former_primary_does_not_end_the_owner_of_the_right_R17)
{
    (void)unused;
    struct scene s = scene_active();
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_link_lost(&s);
    s.facts.drbd.suspended = s.facts.drbd.fence_question = false;
    s.facts.peer.last.phase = ARB_BOOT;
    s.facts.peer.last.primary = true;
    scene_peer_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6); /* it knows that we have the right */
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.phase, ARB_ACTIVE);
}

CASE(a_node_overtaken_before_it_is_primary_gives_way_without_a_reset_R36)
{
    (void)unused;
    struct scene s = scene_new(ARB_TAKING);
    s.state.right_in_hand = true;
    s.facts.peer.last.phase = ARB_TAKING;
    scene_peer_right(&s, ARB_MODE_PAIR, ARB_NODE_NONE, 6);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE | ARB_DO_TAKE);
    assert_int_equal(s.state.phase, ARB_STANDBY);
}

CASE(an_election_waits_until_the_peer_has_told_of_the_connection_R2)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    s.facts.peer.last.link = ARB_LINK_LOST;
    s.facts.peer.last.disk = ARB_DISK_CONSISTENT;
    s.facts.peer.last.candidate = false;
    (void)scene_decide(&s);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(a_node_that_was_outrun_at_the_register_waits_for_the_others_word_R2)
{
    (void)unused;
    struct scene s = scene_new(ARB_BOOT);
    (void)scene_decide(&s);
    scene_answer(&s, ARB_OUTCOME_DENIED, (struct arb_right){ARB_MODE_PAIR, ARB_NODE_NONE, 6, 11});
    (void)scene_decide(&s);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
    scene_pass(&s, 1100);
    (void)scene_decide(&s);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(a_record_that_does_not_reach_the_disk_ends_in_a_reset_R50)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_granted(&s);
    (void)scene_decide(&s);
    scene_pass(&s, 900);
    HAS_NOT(scene_decide(&s), ARB_DO_ANSWER | ARB_DO_SELF_FENCE);
    scene_pass(&s, 200);
    HAS(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.row, 50);
}

CASE(frozen_writes_with_a_late_right_are_thawed_by_asking_again_R18)
{
    (void)unused;
    struct scene s = scene_active();
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_link_lost(&s);
    s.facts.drbd.fence_question = false;
    HAS(scene_decide(&s), ARB_DO_RECONNECT);
    scene_pass(&s, 1000);
    HAS_NOT(scene_decide(&s), ARB_DO_RECONNECT);
    scene_pass(&s, 4500);
    HAS(scene_decide(&s), ARB_DO_RECONNECT);
}

/* ---- rows 21, 24, 25: serving ---- */

CASE(lost_heartbeats_with_a_working_data_link_are_an_alarm_only_R21)
{
    (void)unused;
    struct scene s = scene_active();
    scene_peer_silent(&s);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE | ARB_DO_RELEASE | ARB_DO_SAVE);
    assert_int_equal(s.state.phase, ARB_ACTIVE);
    assert_int_equal(s.state.row, 21);
    assert_true(s.plan.alarm);
}

CASE(alone_with_the_right_the_node_serves_and_its_gates_stay_open_R24)
{
    (void)unused;
    struct scene s = scene_active();
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_link_lost(&s);
    s.facts.drbd.suspended = s.facts.drbd.fence_question = false;
    scene_peer_silent(&s);
    scene_contact_lost(&s, 60000);
    HAS_NOT(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.row, 24);
    const struct arb_gates gates = arb_gates(&s.config, &s.state, &s.facts);
    assert_true(gates.vip_until_ms > s.facts.now_ms && gates.kick_until_ms > s.facts.now_ms);
}

static struct scene healed(void)
{
    struct scene s = scene_active();
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_register(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    scene_peer_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    return s;
}

CASE(healing_drops_the_own_record_first_then_the_peers_then_the_register_R25)
{
    (void)unused;
    struct scene s = healed();
    uint32_t actions = scene_decide(&s);
    HAS(actions, ARB_DO_SAVE);
    HAS_NOT(actions, ARB_DO_ASK);
    assert_int_equal(s.state.durable.right.mode, ARB_MODE_PAIR);
    scene_saved(&s);
    HAS_NOT(scene_decide(&s), ARB_DO_ASK); /* the peer has not recorded it yet */
    scene_peer_right(&s, ARB_MODE_PAIR, ARB_NODE_NONE, 6);
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_PAIR);
    assert_int_equal(s.state.ask_wanted.term, 6);
}

CASE(healing_waits_for_an_equal_configuration_R25)
{
    (void)unused;
    struct scene s = healed();
    s.facts.generation = 2;
    HAS_NOT(scene_decide(&s), ARB_DO_SAVE);
}

CASE(healing_waits_for_an_up_to_date_copy_R25)
{
    (void)unused;
    struct scene s = healed();
    s.facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
    HAS_NOT(scene_decide(&s), ARB_DO_SAVE);
    assert_int_equal(s.state.row, 24);
}

CASE(a_break_during_healing_needs_the_right_anew)
{
    (void)unused;
    struct scene s = healed();
    (void)scene_decide(&s);
    scene_saved(&s);
    (void)scene_decide(&s);
    scene_link_lost(&s);
    scene_peer_silent(&s);
    uint32_t actions = scene_decide(&s);
    HAS_NOT(actions, ARB_DO_ANSWER);
    HAS(actions, ARB_DO_ASK);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_SOLO);
    assert_int_equal(s.state.ask_wanted.term, 7);
}

CASE(the_active_node_keeps_the_register_moving_every_ten_seconds)
{
    (void)unused;
    struct scene s = scene_active();
    HAS_NOT(scene_decide(&s), ARB_DO_ASK);
    scene_pass(&s, 10100);
    s.facts.contact_ms = s.facts.peer.last_heard_ms = s.facts.now_ms;
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
    scene_granted(&s);
    HAS(scene_decide(&s), ARB_DO_SAVE);
    assert_int_equal(s.state.durable.right.seq, 11);
    assert_int_equal(s.state.durable.right.term, 5);
}

/* ---- rows 32, 33, 36 ---- */

CASE(a_switchover_releases_and_leaves_the_other_node_time_R32)
{
    (void)unused;
    struct scene s = scene_active();
    s.facts.switchover_wanted = true;
    HAS(scene_decide(&s), ARB_DO_RELEASE);
    assert_int_equal(s.state.phase, ARB_RELEASING);
    s.facts.switchover_wanted = false;
    s.facts.exec = ARB_EXEC_IDLE;
    s.facts.drbd.primary = false;
    (void)scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_STANDBY);
    assert_false(arb_message_build(&s.config, &s.state, &s.facts).candidate);
    assert_int_not_equal(s.state.ask, ARB_ASK_CAS);
}

CASE(a_switchover_that_would_fail_is_not_begun_R32)
{
    (void)unused;
    struct scene s = scene_active();
    s.facts.switchover_wanted = true;
    s.facts.peer.last.candidate = false;
    HAS_NOT(scene_decide(&s), ARB_DO_RELEASE);
    assert_non_null(arb_switchover_obstacle(&s.config, &s.state, &s.facts));
    s.facts.peer.last.candidate = true;
    assert_null(arb_switchover_obstacle(&s.config, &s.state, &s.facts));
}

static void spoil_phase(struct scene *s)
{
    s->state.phase = ARB_STANDBY;
}

static void spoil_peer(struct scene *s)
{
    s->facts.peer.last.phase = ARB_WAIT;
}

static void spoil_versions(struct scene *s)
{
    s->facts.peer.last.constants_digest++;
}

static void spoil_copies(struct scene *s)
{
    s->facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
}

static void spoil_record(struct scene *s)
{
    scene_peer_right(s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 5);
}

static void spoil_witness(struct scene *s)
{
    s->facts.peer.last.run_seen = 0;
}

static void spoil_register(struct scene *s)
{
    scene_register(s, ARB_MODE_PAIR, ARB_NODE_NONE, 4);
}

static void spoil_ability(struct scene *s)
{
    s->facts.peer.last.candidate = false;
}

static void spoil_configuration(struct scene *s)
{
    s->facts.peer.last.generation++;
}

CASE(each_precondition_of_a_switchover_is_told_and_decides_alike_R32)
{
    (void)unused;
    static void (*const spoil[ARB_SWITCHOVER_CHECKS])(struct scene * s) = {
        spoil_phase,   spoil_peer,     spoil_versions, spoil_copies,       spoil_record,
        spoil_witness, spoil_register, spoil_ability,  spoil_configuration};
    struct arb_check checks[ARB_SWITCHOVER_CHECKS];
    for (int wrong = 0; wrong < ARB_SWITCHOVER_CHECKS; wrong++) {
        struct scene s = scene_active();
        (void)scene_decide(&s); /* the contact is learnt */
        spoil[wrong](&s);
        arb_switchover_checks(&s.config, &s.state, &s.facts, checks);
        for (int i = 0; i < ARB_SWITCHOVER_CHECKS; i++)
            if (checks[i].ok != (i != wrong))
                fail_msg("spoiled %d, check %d", wrong, i);
        assert_ptr_equal(arb_switchover_obstacle(&s.config, &s.state, &s.facts),
                         checks[wrong].obstacle);
        assert_true(strlen(checks[wrong].todo) > 0 && strlen(checks[wrong].what) > 0);
        s.facts.switchover_wanted = true;
        HAS_NOT(scene_decide(&s), ARB_DO_RELEASE);
    }
}

CASE(a_stopped_standby_goes_down_at_once_R32)
{
    (void)unused;
    struct scene s = scene_standby();
    s.facts.stop_wanted = true;
    HAS(scene_decide(&s), ARB_DO_DOWN);
    assert_int_equal(s.state.phase, ARB_STOPPED);
}

CASE(a_stopped_active_node_waits_until_the_other_one_serves_R32)
{
    (void)unused;
    struct scene s = scene_active();
    s.facts.stop_wanted = true;
    HAS(scene_decide(&s), ARB_DO_RELEASE);
    s.facts.exec = ARB_EXEC_IDLE;
    s.facts.drbd.primary = false;
    HAS_NOT(scene_decide(&s), ARB_DO_DOWN);
    s.facts.peer.last.phase = ARB_ACTIVE;
    scene_pass(&s, 100);
    HAS(scene_decide(&s), ARB_DO_DOWN);
}

CASE(a_failed_release_resets_the_machine_R33)
{
    (void)unused;
    struct scene s = scene_active();
    s.state.phase = ARB_RELEASING;
    s.facts.exec = ARB_EXEC_RELEASE_FAILED;
    HAS(scene_decide(&s), ARB_DO_SELF_FENCE);
    assert_int_equal(s.state.row, 33);
}

CASE(a_newer_active_node_ends_this_one_R36)
{
    (void)unused;
    static const enum arb_phase phases[] = {ARB_TAKING, ARB_ACTIVE, ARB_RELEASING};
    for (unsigned i = 0; i < 3; i++) {
        struct scene s = scene_active();
        s.state.phase = phases[i];
        s.facts.peer.last.phase = ARB_ACTIVE;
        scene_peer_right(&s, ARB_MODE_PAIR, ARB_NODE_NONE, 6);
        uint32_t actions = scene_decide(&s);
        HAS(actions, ARB_DO_SELF_FENCE);
        HAS(actions, ARB_DO_DROP_VIP);
        assert_int_equal(s.state.row, 36);
    }
}

CASE(a_fenced_node_does_nothing_any_more)
{
    (void)unused;
    struct scene s = scene_active();
    s.state.phase = ARB_FENCED;
    s.facts.exec = ARB_EXEC_RELEASE_FAILED;
    assert_int_equal(scene_decide(&s), 0);
}

/* ---- taking ---- */

static struct scene taking_alone(void)
{
    struct scene s = scene_standby();
    scene_peer_silent(&s);
    scene_link_lost(&s);
    (void)scene_decide(&s);
    scene_granted(&s);
    (void)scene_decide(&s);
    scene_saved(&s);
    (void)scene_decide(&s);
    return s;
}

CASE(the_kernels_question_during_the_takeover_is_answered_from_the_record)
{
    (void)unused;
    struct scene s = taking_alone();
    s.facts.exec = ARB_EXEC_TAKING;
    s.facts.drbd.fence_question = true;
    HAS(scene_decide(&s), ARB_DO_ANSWER);
    assert_int_equal(s.plan.answer, 7);
}

CASE(a_peer_that_lives_makes_the_node_step_back_and_give_the_right_back)
{
    (void)unused;
    struct scene s = taking_alone();
    s.facts.exec = ARB_EXEC_PEER_LIVES;
    (void)scene_decide(&s);
    s.facts.peer.fresh = s.facts.peer.member = true;
    s.facts.drbd.link = ARB_LINK_CONNECTED;
    s.facts.drbd.peer_disk = ARB_DISK_UPTODATE;
    uint32_t actions = scene_decide(&s);
    assert_int_equal(s.state.phase, ARB_STANDBY);
    HAS(actions, ARB_DO_SAVE);
    assert_int_equal(s.state.durable.right.mode, ARB_MODE_PAIR);
    scene_saved(&s);
    HAS(scene_decide(&s), ARB_DO_ASK);
    assert_int_equal(s.state.ask_wanted.mode, ARB_MODE_PAIR);
}

CASE(a_failed_take_is_released_and_not_repeated_for_a_while)
{
    (void)unused;
    struct scene s = taking_alone();
    s.facts.exec = ARB_EXEC_TAKE_FAILED;
    HAS(scene_decide(&s), ARB_DO_RELEASE);
    s.facts.exec = ARB_EXEC_IDLE;
    (void)scene_decide(&s);
    scene_pass(&s, 20000);
    HAS_NOT(scene_decide(&s), ARB_DO_TAKE);
    assert_false(arb_message_build(&s.config, &s.state, &s.facts).candidate);
    scene_answer(&s, ARB_OUTCOME_READ, s.state.durable.right);
    (void)scene_decide(&s);
    scene_pass(&s, 11000);
    (void)scene_decide(&s);
    assert_int_equal(s.state.ask, ARB_ASK_CAS);
}

/* ---- the witness's run ---- */

CASE(a_new_run_of_the_witness_is_recorded_first_by_the_standby)
{
    (void)unused;
    struct scene s = scene_standby();
    s.state.run_seen = s.facts.peer.last.run_seen = SCENE_RUN + 1;
    HAS(scene_decide(&s), ARB_DO_SAVE);
    assert_int_equal(s.state.durable.witness_run, SCENE_RUN + 1);
}

CASE(a_new_run_is_recorded_by_the_active_node_after_the_standby)
{
    (void)unused;
    struct scene s = scene_active();
    s.state.run_seen = s.facts.peer.last.run_seen = SCENE_RUN + 1;
    HAS_NOT(scene_decide(&s), ARB_DO_SAVE);
    s.facts.peer.last.run_agreed = SCENE_RUN + 1;
    HAS(scene_decide(&s), ARB_DO_SAVE);
}

CASE(a_new_run_is_not_recorded_while_the_pair_is_broken)
{
    (void)unused;
    struct scene s = scene_standby();
    scene_link_lost(&s);
    s.state.run_seen = s.facts.peer.last.run_seen = SCENE_RUN + 1;
    HAS_NOT(scene_decide(&s), ARB_DO_SAVE);
}

/* ---- gates and constants ---- */

CASE(in_the_pair_the_gates_follow_the_last_contact)
{
    (void)unused;
    struct scene s = scene_active();
    (void)scene_decide(&s);
    const struct arb_gates gates = arb_gates(&s.config, &s.state, &s.facts);
    assert_int_equal(gates.vip_until_ms, s.facts.contact_ms + 600);
    assert_int_equal(gates.kick_until_ms, s.facts.contact_ms + 300);
}

CASE(an_unsaved_right_opens_no_gate)
{
    (void)unused;
    struct scene s = scene_active();
    scene_right(&s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    s.state.saved.right.mode = ARB_MODE_PAIR;
    s.state.save_serial++;
    scene_contact_lost(&s, 5000);
    s.state.contact_ms = s.facts.contact_ms;
    assert_true(arb_gates(&s.config, &s.state, &s.facts).vip_until_ms < s.facts.now_ms);
}

CASE(a_node_that_is_not_active_keeps_its_watchdog_and_no_address)
{
    (void)unused;
    struct scene s = scene_standby();
    const struct arb_gates gates = arb_gates(&s.config, &s.state, &s.facts);
    assert_int_equal(gates.vip_until_ms, 0);
    assert_true(gates.kick_until_ms > s.facts.now_ms);
}

CASE(both_profiles_are_consistent_and_tell_apart)
{
    (void)unused;
    const struct arb_constants *fast = arb_constants_named("fast");
    const struct arb_constants *safe = arb_constants_named("safe");
    assert_null(arb_constants_check(fast));
    assert_null(arb_constants_check(safe));
    assert_true(arb_constants_digest(fast) != arb_constants_digest(safe));
    assert_null(arb_constants_named("quick"));
    assert_null(arb_constants_named(NULL));
}

CASE(each_contradiction_of_the_constants_is_named)
{
    (void)unused;
    struct arb_constants k = *arb_constants_named("fast");
    k.vip_wait_ms = 3000;
    assert_non_null(arb_constants_check(&k));
    k = *arb_constants_named("fast");
    k.claim_ms = k.silence_ms;
    assert_non_null(arb_constants_check(&k));
    k = *arb_constants_named("fast");
    k.vip_lifetime_ms = 1500;
    assert_non_null(arb_constants_check(&k));
    k = *arb_constants_named("fast");
    k.outdate_wait_ms = 0;
    assert_non_null(arb_constants_check(&k));
    k = *arb_constants_named("fast");
    k.fence_self_ms = 2400;
    assert_non_null(arb_constants_check(&k));
}

CASE(every_rule_has_a_sentence)
{
    (void)unused;
    static const uint16_t rows[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 16,
                                    17, 18, 19, 21, 24, 25, 32, 33, 36, 50, 59};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = arb_row_text(rows[i]);
        assert_non_null(text);
        assert_true(text[strlen(text) - 1] == '.');
    }
    assert_null(arb_row_text(999));
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_is_asked_for_while_leftovers_are_removed_R1),
        T(of_two_equal_nodes_the_preferred_one_is_elected_R2),
        T(the_node_that_was_active_last_is_elected_before_the_preferred_one_R2),
        T(the_elected_node_saves_its_right_and_only_then_takes_R2),
        T(a_grant_of_another_server_run_is_no_grant),
        T(an_answer_to_an_older_question_is_ignored),
        T(a_node_that_finds_its_peer_active_stands_by_R3),
        T(the_owner_of_the_right_takes_alone_when_the_register_agrees_R4),
        T(the_owner_of_an_older_term_does_not_take_R4),
        T(the_owner_waits_a_moment_for_its_peer_R4),
        T(alone_with_a_copy_that_may_be_stale_the_node_waits_R5),
        T(alone_with_a_bad_copy_the_node_waits_R6),
        T(an_unreadable_durable_state_waits_for_ever_and_is_never_overwritten),
        T(unequal_constants_mean_no_election),
        T(two_empty_copies_are_declared_equal_once_by_the_preferred_node),
        T(a_silent_daemon_on_a_living_machine_is_no_reason_to_act_R7),
        T(the_standby_obeys_a_request_to_outdate_its_copy_R8),
        T(a_request_of_an_older_term_is_refused_R8),
        T(the_owner_of_the_right_is_not_outdated_by_anybody_R8),
        T(silence_on_every_path_makes_the_standby_ask_at_once_R9_R10),
        T(a_granted_takeover_is_saved_then_taken_and_waits_for_the_address_R10),
        T(a_late_loss_of_the_data_link_moves_the_claim_of_the_address_R10),
        T(a_standby_that_the_register_left_behind_never_claims),
        T(a_node_with_a_bad_copy_never_claims),
        T(a_denied_claim_ends_with_an_outdated_copy_R11),
        T(an_unreachable_witness_is_asked_again_and_nothing_is_taken_R12),
        T(a_peer_that_is_heard_again_ends_the_suspicion_R9),
        T(the_kernel_gets_no_answer_before_the_decision_R18),
        T(seven_is_answered_once_when_the_right_is_saved_R18),
        T(a_denied_active_node_resets_itself_R18),
        T(a_register_that_only_moved_on_is_asked_again_at_once_R18),
        T(an_active_node_without_contact_and_right_resets_itself_in_time_R19),
        T(contact_by_the_disk_still_counts_when_the_data_link_breaks_R18),
        T(a_loop_that_stood_still_looks_twice_before_it_resets_R19),
        T(a_reachable_standby_is_asked_to_outdate_its_copy_R16),
        T(an_old_confirmation_does_not_count_for_a_new_break_R16),
        T(without_the_witness_a_confirmed_outdated_peer_is_as_good_R16),
        T(a_confirmation_of_another_term_is_none_R16),
        T(a_peer_that_has_the_right_ends_this_active_node_R17),
        T(a_frozen_former_primary_does_not_end_the_owner_of_the_right_R17),
        T(a_node_overtaken_before_it_is_primary_gives_way_without_a_reset_R36),
        T(an_election_waits_until_the_peer_has_told_of_the_connection_R2),
        T(a_node_that_was_outrun_at_the_register_waits_for_the_others_word_R2),
        T(a_record_that_does_not_reach_the_disk_ends_in_a_reset_R50),
        T(frozen_writes_with_a_late_right_are_thawed_by_asking_again_R18),
        T(lost_heartbeats_with_a_working_data_link_are_an_alarm_only_R21),
        T(alone_with_the_right_the_node_serves_and_its_gates_stay_open_R24),
        T(healing_drops_the_own_record_first_then_the_peers_then_the_register_R25),
        T(healing_waits_for_an_equal_configuration_R25),
        T(healing_waits_for_an_up_to_date_copy_R25),
        T(a_break_during_healing_needs_the_right_anew),
        T(the_active_node_keeps_the_register_moving_every_ten_seconds),
        T(a_switchover_releases_and_leaves_the_other_node_time_R32),
        T(a_switchover_that_would_fail_is_not_begun_R32),
        T(each_precondition_of_a_switchover_is_told_and_decides_alike_R32),
        T(a_stopped_standby_goes_down_at_once_R32),
        T(a_stopped_active_node_waits_until_the_other_one_serves_R32),
        T(a_failed_release_resets_the_machine_R33),
        T(a_newer_active_node_ends_this_one_R36),
        T(a_fenced_node_does_nothing_any_more),
        T(the_kernels_question_during_the_takeover_is_answered_from_the_record),
        T(a_peer_that_lives_makes_the_node_step_back_and_give_the_right_back),
        T(a_failed_take_is_released_and_not_repeated_for_a_while),
        T(a_new_run_of_the_witness_is_recorded_first_by_the_standby),
        T(a_new_run_is_recorded_by_the_active_node_after_the_standby),
        T(a_new_run_is_not_recorded_while_the_pair_is_broken),
        T(in_the_pair_the_gates_follow_the_last_contact),
        T(an_unsaved_right_opens_no_gate),
        T(a_node_that_is_not_active_keeps_its_watchdog_and_no_address),
        T(both_profiles_are_consistent_and_tell_apart),
        T(each_contradiction_of_the_constants_is_named),
        T(every_rule_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
