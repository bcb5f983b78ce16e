/* One scene for each row whose loss would only be seen here: what is shown, ordered, entered. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TAKE_INDEX = 2 }; /* of ARB_DO_TAKE in acted_ms */

struct shown {
    enum arb_phase from, to;
    uint32_t actions;   /* at least these */
    const char *reason; /* its beginning; NULL: another row speaks last */
    void (*set_up)(struct scene *scene);
};

static void copies_unknown(struct scene *s)
{
    s->facts.drbd.known = false;
}

static void peer_active(struct scene *s)
{
    s->facts.peer.last.phase = ARB_ACTIVE;
    s->facts.peer.last.candidate = false;
}

static void peer_active_apart(struct scene *s)
{
    peer_active(s);
    scene_link_lost(s);
}

static void apart(struct scene *s)
{
    scene_link_lost(s);
    s->facts.drbd.lost_at_ms = 0;
}

static void peer_copy_outdated(struct scene *s)
{
    apart(s);
    s->facts.peer.last.candidate = false;
}

static void later(struct scene *s)
{
    s->state.not_before_ms = s->facts.now_ms + 1000;
}

static void apart_later(struct scene *s)
{
    apart(s);
    later(s);
}

static void owner_has_not_asked(struct scene *s)
{
    apart(s);
    scene_peer_silent(s);
    scene_right(s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
    s->state.register_seen_at_ms = 0;
}

static void no_witness(struct scene *s)
{
    s->state.run_seen = 0;
    s->state.ask_failures = 2;
    s->state.asked_at_ms = s->facts.now_ms;
}

static void apart_no_witness(struct scene *s)
{
    apart(s);
    no_witness(s);
}

static void apart_other_run(struct scene *s)
{
    apart(s);
    s->state.run_seen = SCENE_RUN + 1;
}

static void apart_not_able(struct scene *s)
{
    apart(s);
    s->facts.take_possible = false;
}

static void alone(struct scene *s)
{
    apart(s);
    scene_peer_silent(s);
}

static void never_heard(struct scene *s)
{
    s->facts.peer = (struct arb_peer){.heard = false};
}

static void other_times(struct scene *s)
{
    s->facts.peer.last.constants_digest++;
}

static void peer_no_member(struct scene *s)
{
    peer_active(s);
    s->facts.peer.member = false;
}

static void other_run_later(struct scene *s)
{
    s->state.run_seen = SCENE_RUN + 1;
    later(s);
}

static void resync_later(struct scene *s)
{
    s->facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
    later(s);
}

static void alone_stopped(struct scene *s)
{
    alone(s);
    s->facts.stop_wanted = true;
}

static void alone_outdated(struct scene *s)
{
    alone(s);
    s->facts.drbd.disk = ARB_DISK_OUTDATED;
}

static void alone_banned(struct scene *s)
{
    alone(s);
    scene_right(s, ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6);
    no_witness(s);
}

static void alone_other_times(struct scene *s)
{
    alone(s);
    other_times(s);
}

static void alone_no_witness(struct scene *s)
{
    alone(s);
    no_witness(s);
}

static void alone_not_able(struct scene *s)
{
    alone(s);
    s->facts.take_possible = false;
}

static void taking(struct scene *s)
{
    s->state.right_in_hand = true;
    s->state.acted_ms[TAKE_INDEX] = s->facts.now_ms;
    s->facts.exec = ARB_EXEC_TAKING;
}

static void taking_overtaken(struct scene *s)
{
    taking(s);
    peer_active(s);
    scene_peer_right(s, ARB_MODE_PAIR, ARB_NODE_NONE, 6);
}

static void taking_stopped(struct scene *s)
{
    taking(s);
    s->facts.stop_wanted = true;
}

static void not_able(struct scene *s)
{
    s->facts.take_possible = false;
}

static void primary_apart(struct scene *s)
{
    s->facts.exec = ARB_EXEC_TAKING;
    s->state.acted_ms[TAKE_INDEX] = s->facts.now_ms;
    s->facts.drbd.primary = true;
    scene_link_lost(s);
    scene_peer_silent(s);
}

static void primary_peer_outdated(struct scene *s)
{
    primary_apart(s);
    no_witness(s);
    s->facts.drbd.peer_disk = ARB_DISK_OUTDATED;
}

static void primary_denied(struct scene *s)
{
    primary_apart(s);
    scene_register(s, ARB_MODE_SOLO, ARB_NODE_SECONDARY, 6);
    s->state.register_seen_at_ms = s->facts.now_ms;
}

static void primary_lost(struct scene *s)
{
    primary_apart(s);
    scene_contact_lost(s, 60000);
    s->state.break_ms = s->facts.now_ms - 1000;
}

static void still_taken(struct scene *s)
{
    s->facts.exec = ARB_EXEC_TAKEN;
}

static void active_asking(struct scene *s)
{
    primary_apart(s);
    s->state.ask = ARB_ASK_CAS;
    s->state.ask_purpose = ARB_FOR_CLAIM;
    s->state.asked_at_ms = s->facts.now_ms;
}

static void active(struct scene *s)
{
    s->facts.exec = ARB_EXEC_TAKEN;
    s->facts.drbd.primary = true;
}

static void active_resync(struct scene *s)
{
    active(s);
    s->facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
}

static void active_solo(struct scene *s)
{
    active(s);
    scene_right(s, ARB_MODE_SOLO, ARB_NODE_PRIMARY, 6);
}

static void active_solo_resync(struct scene *s)
{
    active_solo(s);
    s->facts.drbd.peer_disk = ARB_DISK_INCONSISTENT;
}

static void active_right_elsewhere(struct scene *s)
{
    active(s);
    scene_register(s, ARB_MODE_SOLO, ARB_NODE_SECONDARY, 5);
}

static void active_no_witness(struct scene *s)
{
    active(s);
    no_witness(s);
}

static void asked_by_the_kernel(struct scene *s)
{
    s->facts.drbd.fence_question = true;
}

static void link_given_up(struct scene *s)
{
    apart(s);
    s->facts.drbd.link = ARB_LINK_STANDALONE;
}

static void still_fresh(struct scene *s)
{
    peer_active(s);
    s->state.durable.fresh = s->state.saved.fresh = true;
}

static const struct shown scenes[] = {
    {ARB_BOOT, ARB_BOOT, 0, "The state of the copies is being read", copies_unknown},
    {ARB_BOOT, ARB_STANDBY, 0, NULL, peer_active_apart},
    {ARB_BOOT, ARB_BOOT, ARB_DO_ASK, "This node is elected", peer_copy_outdated},
    {ARB_BOOT, ARB_BOOT, ARB_DO_ASK, NULL, owner_has_not_asked},
    {ARB_BOOT, ARB_WAIT, 0, "The witness cannot be reached", apart_no_witness},
    {ARB_BOOT, ARB_WAIT, 0, "The witness was restarted", apart_other_run},
    {ARB_BOOT, ARB_WAIT, 0, "The watchdog is not armed", apart_not_able},
    {ARB_BOOT, ARB_WAIT, 0, "Stale-data guard", alone},
    {ARB_BOOT, ARB_WAIT, 0, "The copies are not connected", apart_later},
    {ARB_STANDBY, ARB_BOOT, 0, "The other node has not been heard", never_heard},
    {ARB_STANDBY, ARB_STANDBY, 0, "The nodes run different", other_times},
    {ARB_STANDBY, ARB_STANDBY, 0, "The other node left the cluster's", peer_no_member},
    {ARB_STANDBY, ARB_STANDBY, 0, "The data link is lost and the other", peer_active_apart},
    {ARB_STANDBY, ARB_STANDBY, 0, "No node is active, and the witness", no_witness},
    {ARB_STANDBY, ARB_STANDBY, 0, "No node is active; both nodes have to agree", other_run_later},
    {ARB_STANDBY, ARB_STANDBY, 0, "No node is active; the copies are not", resync_later},
    {ARB_STANDBY, ARB_STANDBY, 0, "No node is active; the election", later},
    {ARB_SUSPECT, ARB_STOPPED, ARB_DO_DOWN, "The administrator stopped", alone_stopped},
    {ARB_SUSPECT, ARB_WAIT, 0, NULL, alone_outdated},
    {ARB_SUSPECT, ARB_WAIT, 0, NULL, alone_banned},
    {ARB_SUSPECT, ARB_WAIT, 0, NULL, alone_other_times},
    {ARB_SUSPECT, ARB_SUSPECT, 0, "The other node is silent and the witness", alone_no_witness},
    {ARB_SUSPECT, ARB_SUSPECT, 0, "The other node is silent, but this", alone_not_able},
    {ARB_TAKING, ARB_RELEASING, ARB_DO_RELEASE, "The other node becomes", taking_overtaken},
    {ARB_TAKING, ARB_TAKING, ARB_DO_SAVE, "The other node confirmed", primary_peer_outdated},
    {ARB_TAKING, ARB_FENCED, ARB_DO_SELF_FENCE, "The register gave", primary_denied},
    {ARB_TAKING, ARB_FENCED, ARB_DO_SELF_FENCE, "No contact to the other", primary_lost},
    {ARB_TAKING, ARB_RELEASING, ARB_DO_RELEASE, "The administrator", taking_stopped},
    {ARB_TAKING, ARB_STANDBY, 0, NULL, not_able},
    {ARB_TAKING, ARB_TAKING, 0, "This node is becoming active", taking},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "The pair is broken and the right to go on", active_asking},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "Both copies are equal again; the pair", active_solo},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "Active alone; the other node's copy", active_solo_resync},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "The register gives the right to", active_right_elsewhere},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "Active and connected, but", active_no_witness},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "Active; the copies are not equal", active_resync},
    {ARB_ACTIVE, ARB_ACTIVE, 0, "Active and protected", active},
    {ARB_RELEASING, ARB_RELEASING, ARB_DO_SAVE, "The other node confirmed", primary_peer_outdated},
    {ARB_RELEASING, ARB_FENCED, ARB_DO_SELF_FENCE, "The register gave", primary_denied},
    {ARB_RELEASING, ARB_FENCED, ARB_DO_SELF_FENCE, "No contact to the", primary_lost},
    {ARB_RELEASING, ARB_RELEASING, ARB_DO_RELEASE, NULL, still_taken},
    {ARB_STANDBY, ARB_STANDBY, ARB_DO_ANSWER, NULL, asked_by_the_kernel},
    {ARB_STANDBY, ARB_STANDBY, ARB_DO_CONNECT, NULL, link_given_up},
    {ARB_STANDBY, ARB_STANDBY, ARB_DO_SAVE, NULL, still_fresh},
};

static void each_scene_shows_and_does_what_its_row_says(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    for (unsigned i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        const struct shown *shown = &scenes[i];
        struct scene s = scene_new(shown->from);
        shown->set_up(&s);
        const uint32_t actions = scene_decide(&s);
        if (s.state.phase == shown->to && (actions & shown->actions) == shown->actions &&
            (shown->reason == NULL ||
             strncmp(s.state.reason, shown->reason, strlen(shown->reason)) == 0))
            continue;
        wrong++;
        print_message("scene %u (%s, \"%s\"): %s R%u %s, actions 0x%x\n", i,
                      arb_phase_name(shown->from), shown->reason != NULL ? shown->reason : "",
                      arb_phase_name(s.state.phase), s.state.row, s.state.reason, actions);
    }
    assert_int_equal(wrong, 0);
}

static void a_right_of_its_own_is_told_before_it_is_saved(void **unused)
{
    (void)unused;
    struct scene s = scene_new(ARB_TAKING);
    primary_peer_outdated(&s);
    (void)scene_decide(&s);
    const struct arb_message told = arb_message_build(&s.config, &s.state, &s.facts);
    assert_int_not_equal(s.facts.saved_serial, s.state.save_serial);
    assert_int_equal(told.right.mode, ARB_MODE_SOLO);
    assert_int_equal(told.right.owner, ARB_NODE_PRIMARY);
    assert_int_equal(told.right.term, 6);
}

static void a_node_without_a_readable_record_can_be_stopped(void **unused)
{
    (void)unused;
    struct scene s = scene_new(ARB_WAIT);
    s.facts.durable_readable = false;
    s.facts.stop_wanted = true;
    assert_true((scene_decide(&s) & ARB_DO_DOWN) != 0);
    assert_int_equal(s.state.phase, ARB_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scene_shows_and_does_what_its_row_says),
        cmocka_unit_test(a_right_of_its_own_is_told_before_it_is_saved),
        cmocka_unit_test(a_node_without_a_readable_record_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
