#include "solution-control/solution_control.h"

#include "ha/arb_message.h"
#include "ha/durable.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/secrets.h"
#include "lib/config/cluster_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const char module[] = "daemon";

enum {
    BEAT_AFTER_MS = 200,        /* heartbeats unanswered for so long: ask through the disk too */
    FENCE_JOURNAL_LIMIT_MS = 150,
    SWITCHOVER_LIMIT_MS = 5000, /* an order is for now, not for some day */
};

/* --- the durable state ------------------------------------------------------------------------- */

static void start_saving(struct sol_daemon *daemon);

static void save_on_pool(uv_work_t *work)
{
    struct sol_saver *saver = work->data;
    struct diag diag = {0};
    saver->error = durable_write(SOL_DURABLE_FILE, &saver->writing, &diag);
    if (saver->error < 0)
        log_error(module, "%s", diag.text);
}

static void on_saved(uv_work_t *work, int status)
{
    (void)status;
    struct sol_saver *saver = work->data;
    struct sol_daemon *daemon =
        (struct sol_daemon *)((char *)saver - offsetof(struct sol_daemon, saver));
    saver->busy = false;
    saver->failed = saver->error < 0;
    if (!saver->failed)
        saver->saved_serial = saver->writing_serial;
    if (saver->again || saver->failed)
        start_saving(daemon);
    sol_daemon_kick(daemon);
}

static void start_saving(struct sol_daemon *daemon)
{
    struct sol_saver *saver = &daemon->saver;
    saver->again = false;
    saver->busy = true;
    saver->writing = saver->wanted;
    saver->writing_serial = saver->wanted_serial;
    saver->work.data = saver;
    (void)uv_queue_work(daemon->loop, &saver->work, save_on_pool, on_saved);
}

static void save(struct sol_daemon *daemon)
{
    struct sol_saver *saver = &daemon->saver;
    saver->wanted = daemon->state.durable;
    saver->wanted_serial = daemon->state.save_serial;
    if (saver->busy)
        saver->again = true;
    else
        start_saving(daemon);
}

/* --- the witness ------------------------------------------------------------------------------- */

static void on_witness_answer(void *context, const struct witness_answer *answer)
{
    struct sol_daemon *daemon = context;
    daemon->witness_answer.outcome = answer->outcome;
    daemon->witness_answer.right = answer->right;
    daemon->witness_answer.run = answer->run;
    (void)snprintf(daemon->witness_text, sizeof(daemon->witness_text), "%s", answer->message);
    sol_daemon_kick(daemon);
}

static void ask_witness(struct sol_daemon *daemon)
{
    const struct arb_state *state = &daemon->state;
    daemon->witness_answer =
        (struct arb_witness){.outcome = ARB_OUTCOME_NONE, .serial = state->ask_serial};
    int r = state->ask == ARB_ASK_CAS
                ? witness_cas(daemon->witness, state->ask_expected.seq, &state->ask_wanted,
                              on_witness_answer, daemon)
                : witness_read(daemon->witness, on_witness_answer, daemon);
    if (r < 0) {
        log_debug(module, "witness: %s", strerror(-r));
        daemon->witness_answer.outcome = ARB_OUTCOME_UNREACHABLE;
        sol_daemon_kick(daemon);
    }
}

/* --- carrying out a plan ----------------------------------------------------------------------- */

static void on_drbd_command_done(void *context, const struct drbdctl_outcome *outcome)
{
    struct sol_daemon *daemon = context;
    if (outcome->result != DRBDCTL_RESULT_OK)
        log_warning(module, "drbd %s: %s", drbdctl_command_name(outcome->command),
                    outcome->diag.text[0] ? outcome->diag.text
                                          : drbdctl_result_name(outcome->result));
    sol_daemon_kick(daemon);
}

static void on_down_done(void *context, const struct drbdctl_outcome *outcome)
{
    struct sol_daemon *daemon = context;
    on_drbd_command_done(context, outcome);
    daemon->stopped = true;
    if (daemon->ended != NULL)
        daemon->ended(daemon->context);
}

static void run_drbd(struct sol_daemon *daemon, enum drbdctl_command command, drbdctl_done_fn done)
{
    if (drbdctl_run(daemon->drbd, command, done, daemon) < 0)
        log_warning(module, "drbd %s: too many commands wait", drbdctl_command_name(command));
}

static void on_fence_journal_written(void *context)
{
    struct sol_daemon *daemon = context;
    watchdog_reset_now(daemon->watchdog);
}

/* The address goes first: it is the only part that a client could still see. */
static void self_fence(struct sol_daemon *daemon)
{
    if (daemon->fenced)
        return;
    daemon->fenced = true;
    log_error(module, "this machine resets itself now: %s", daemon->state.reason);
    (void)vip_drop(daemon->vip, NULL);
    journal_write(daemon->journal, &(struct journal_entry){.event = "fence",
                                                           .text = daemon->state.reason,
                                                           .row = daemon->state.row,
                                                           .term = daemon->state.durable.right.term});
    journal_flush(daemon->journal, FENCE_JOURNAL_LIMIT_MS, on_fence_journal_written, daemon);
}

static void answer_fence(struct sol_daemon *daemon, int answer)
{
    drbdctl_fence_token token = drbdctl_fence_pending(daemon->fence);
    if (token == 0)
        return;
    log_notice(module, "fence-peer question answered with %d: %s", answer, daemon->state.reason);
    char text[SOL_ALARM_CHARS];
    (void)snprintf(text, sizeof(text), "the kernel's question is answered with %d: %s", answer,
                   daemon->state.reason);
    journal_write(daemon->journal, &(struct journal_entry){.event = "answer",
                                                           .text = text,
                                                           .row = daemon->state.row,
                                                           .term = daemon->state.durable.right.term});
    (void)drbdctl_fence_answer(daemon->fence, token, answer);
}

static void carry_out(struct sol_daemon *daemon, const struct arb_plan *plan)
{
    uint32_t actions = plan->actions;
    if (actions & ARB_DO_DROP_VIP)
        (void)vip_drop(daemon->vip, NULL);
    if (actions & ARB_DO_SELF_FENCE)
        self_fence(daemon);
    if (actions & ARB_DO_SAVE)
        save(daemon);
    if (actions & ARB_DO_ASK)
        ask_witness(daemon);
    if (actions & ARB_DO_ANSWER)
        answer_fence(daemon, plan->answer);
    if (actions & ARB_DO_OUTDATE)
        run_drbd(daemon, DRBDCTL_COMMAND_OUTDATE, on_drbd_command_done);
    if (actions & ARB_DO_CONNECT)
        run_drbd(daemon, DRBDCTL_COMMAND_CONNECT, on_drbd_command_done);
    if (actions & ARB_DO_RECONNECT) {
        run_drbd(daemon, DRBDCTL_COMMAND_DISCONNECT, on_drbd_command_done);
        run_drbd(daemon, DRBDCTL_COMMAND_CONNECT, on_drbd_command_done);
    }
    if (actions & ARB_DO_FORM)
        run_drbd(daemon, DRBDCTL_COMMAND_FORM, on_drbd_command_done);
    if (actions & ARB_DO_TAKE) {
        daemon->promote_tries = 0;
        executor_take(daemon->executor);
    }
    if (actions & ARB_DO_RELEASE)
        executor_release(daemon->executor);
    if (actions & ARB_DO_DOWN)
        run_drbd(daemon, DRBDCTL_COMMAND_DOWN, on_down_done);
}

static void record_transition(struct sol_daemon *daemon, const struct arb_state *before)
{
    const struct arb_state *now = &daemon->state;
    if (now->phase == before->phase && now->row == daemon->logged_row)
        return;
    bool changed = now->phase != before->phase;
    daemon->logged_row = now->row;
    char row[16], term[24];
    (void)snprintf(row, sizeof(row), "%u", now->row);
    (void)snprintf(term, sizeof(term), "%llu", (unsigned long long)now->durable.right.term);
    const struct log_field fields[] = {{"from", arb_phase_name(before->phase)},
                                       {"to", arb_phase_name(now->phase)},
                                       {"row", row},
                                       {"term", term},
                                       {NULL, NULL}};
    log_write_fields("arbiter", changed ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO, fields, "%s",
                     now->reason);
    journal_write(daemon->journal,
                  &(struct journal_entry){.event = changed ? "transition" : "decision",
                                          .text = now->reason,
                                          .from = arb_phase_name(before->phase),
                                          .to = arb_phase_name(now->phase),
                                          .row = now->row,
                                          .term = now->durable.right.term});
}

static void publish(struct sol_daemon *daemon, const struct arb_facts *facts, bool urgent)
{
    struct arb_gates gates = arb_gates(&daemon->arb, &daemon->state, facts);
    if (!daemon->fenced) {
        watchdog_allow_kick(daemon->watchdog, gates.kick_until_ms);
        watchdog_allow_vip(daemon->watchdog, gates.vip_until_ms);
    }

    struct arb_message message = arb_message_build(&daemon->arb, &daemon->state, facts);
    message.holds_vip = message.holds_vip || vip_is_held(daemon->vip);
    uint8_t bytes[ARB_MESSAGE_MAX_BYTES];
    size_t len = arb_message_encode(&message, bytes);
    (void)heartbeat_set_payload(daemon->heartbeat, bytes, len);
    if (urgent)
        heartbeat_send_now(daemon->heartbeat);
}

/* Wishes are carried out once; the arbiter's state remembers the stop. A precondition that is lost
 * after the order was accepted may come back hours later: nobody expects a switchover then. */
static void clear_wishes(struct sol_daemon *daemon, const struct arb_facts *facts, uint32_t actions)
{
    bool late = facts->now_ms > daemon->switchover_asked_ms + SWITCHOVER_LIMIT_MS;
    if (!daemon->switchover_wanted || (!late && !(actions & ARB_DO_RELEASE)))
        return;
    daemon->switchover_wanted = false;
    if (actions & ARB_DO_RELEASE)
        return;
    const char *obstacle = arb_switchover_obstacle(&daemon->arb, &daemon->state, facts);
    char text[SOL_ALARM_CHARS];
    (void)snprintf(text, sizeof(text), "the switchover is given up: %s",
                   obstacle != NULL ? obstacle : "Its time is over.");
    log_warning(module, "%s", text);
    journal_write(daemon->journal,
                  &(struct journal_entry){
                      .event = "order", .text = text, .term = daemon->state.durable.right.term});
}

static void think_once(struct sol_daemon *daemon)
{
    struct arb_facts facts;
    sol_facts_collect(daemon, &facts);

    struct arb_state before = daemon->state;
    struct arb_plan plan = arb_decide(&daemon->arb, &before, &facts);
    daemon->state = plan.next;
    daemon->alarm = plan.alarm;
    record_transition(daemon, &before);
    carry_out(daemon, &plan);
    clear_wishes(daemon, &facts, plan.actions);
    bool urgent = plan.actions != 0 || before.phase != daemon->state.phase;
    publish(daemon, &facts, urgent);
    if (urgent)
        daemon->think_again = true;

    bool serving = facts.exec == ARB_EXEC_TAKEN || facts.exec == ARB_EXEC_TAKING;
    if (serving && facts.drbd.link == ARB_LINK_CONNECTED &&
        facts.now_ms > facts.contact_ms + BEAT_AFTER_MS)
        disk_beat_write(daemon->beat);
}

static void think(struct sol_daemon *daemon)
{
    enum { ROUNDS_MAX = 8 }; /* the rest waits for the next tick */
    if (daemon->thinking) {
        daemon->think_again = true;
        return;
    }
    daemon->thinking = true;
    unsigned rounds = 0;
    do {
        daemon->think_again = false;
        think_once(daemon);
    } while (daemon->think_again && ++rounds < ROUNDS_MAX && !daemon->fenced);
    daemon->thinking = false;
}

void sol_daemon_kick(struct sol_daemon *daemon)
{
    if (daemon->tick == NULL)
        return; /* still being built */
    if (daemon->thinking)
        daemon->think_again = true;
    else
        timer_start(daemon->tick, 0, SOL_TICK_MS);
}

/* Once the other node serves, the volume is made: nobody may format here any more. Before that a
 * crash in the middle of the first activation must leave both nodes able to begin anew. */
static void withdraw_format_permission(struct sol_daemon *daemon)
{
    if (daemon->may_format_checked || daemon->state.phase != ARB_STANDBY ||
        !daemon->peer_heard || daemon->peer_message.phase != ARB_ACTIVE)
        return;
    daemon->may_format_checked = true;
    if (unlink(SOL_MAY_FORMAT_FILE) != 0 && errno != ENOENT)
        log_warning(module, "cannot remove %s: %s", SOL_MAY_FORMAT_FILE, strerror(errno));
}

static void on_tick(void *context)
{
    struct sol_daemon *daemon = context;
    (void)sd_notify(0, "WATCHDOG=1");
    const struct drbdctl_state *drbd = drbdctl_state(daemon->drbd);
    if (daemon->up_retry_at_ms != 0 && common_boot_ms() >= daemon->up_retry_at_ms &&
        !(drbd->valid && drbd->up) && !drbdctl_is_busy(daemon->drbd))
        sol_drbd_up(daemon);
    if (!daemon->stopped)
        think(daemon);
    withdraw_format_permission(daemon);
}

/* --- what the modules report ------------------------------------------------------------------- */

static void on_drbd_state(void *context, const struct drbdctl_state *state)
{
    (void)state;
    sol_daemon_kick(context);
}

static void on_fence_asked(void *context, drbdctl_fence_token token)
{
    (void)token;
    log_notice(module, "the kernel asks whether the peer is fenced");
    sol_daemon_kick(context);
}

static void on_heartbeat_message(void *context, unsigned link, const void *bytes, size_t len_bytes)
{
    struct sol_daemon *daemon = context;
    struct arb_message message;
    (void)link;
    if (arb_message_decode(bytes, len_bytes, &message) < 0 ||
        message.node != config_peer_node(&daemon->config))
        return;
    bool news = !daemon->peer_heard || daemon->peer_message.phase != message.phase ||
                daemon->peer_message.right.seq != message.right.seq ||
                daemon->peer_message.outdate_term != message.outdate_term ||
                daemon->peer_message.outdated_term != message.outdated_term ||
                daemon->peer_message.candidate != message.candidate;
    daemon->peer_message = message;
    daemon->peer_heard = true;
    if (news)
        sol_daemon_kick(daemon);
}

static void on_heartbeat_link(void *context, unsigned link, bool up)
{
    struct sol_daemon *daemon = context;
    const char *name = link == 0 ? "client LAN" : "interconnect";
    if (up)
        log_notice(module, "the peer is heard on the %s", name);
    else
        log_warning(module, "the peer is not heard on the %s any more", name);
    sol_daemon_kick(daemon);
}

/* Losing corosync itself says nothing about the peer: the last view stays. */
static void on_view(void *context, const struct membership_view *view)
{
    struct sol_daemon *daemon = context;
    bool member = false;
    for (unsigned i = 0; i < view->member_count; i++)
        member |= view->members[i].node_id == config_peer_node(&daemon->config);
    if (member != daemon->peer_is_member)
        log_notice(module, "corosync: the peer %s", member ? "is a member" : "is no member");
    daemon->peer_is_member = member;
    sol_daemon_kick(daemon);
}

static void on_membership_up(void *context, uint32_t own_node_id)
{
    struct sol_daemon *daemon = context;
    (void)own_node_id;
    service_confirm(daemon->corosync);
}

static void on_membership_down(void *context, const char *why)
{
    (void)context;
    log_warning(module, "corosync: %s", why);
}

static void on_foreign_claim(void *context, int family, enum vip_claim claim,
                             const uint8_t mac[VIP_MAC_BYTES])
{
    struct sol_daemon *daemon = context;
    (void)family;
    (void)claim;
    if (daemon->claim != NULL)
        claim_foreign(daemon->claim, mac);
}

/* A lapsed address comes back by itself as soon as the right is sure again. */
static void on_vip_lost(void *context, int family)
{
    struct sol_daemon *daemon = context;
    (void)family;
    log_warning(module, "the virtual address is gone from the interface");
    if (executor_state(daemon->executor) == ARB_EXEC_TAKEN)
        claim_start(daemon->claim);
    sol_daemon_kick(daemon);
}

static void on_executor_changed(void *context)
{
    struct sol_daemon *daemon = context;
    enum arb_exec state = executor_state(daemon->executor);
    if (state != ARB_EXEC_TAKING && state != ARB_EXEC_TAKEN)
        probes_stop(daemon->probes);
    sol_daemon_kick(daemon);
}

/* --- start and stop ---------------------------------------------------------------------------- */

static int open_heartbeat(struct sol_daemon *daemon, struct diag *diag)
{
    const struct config *config = &daemon->config;
    uint8_t key[32];
    int r = cluster_key_derive(config->pair.key_file, config->pair.cluster,
                               CLUSTER_KEY_FOR_HEARTBEAT, key, sizeof(key), diag);
    if (r < 0)
        return r;
    const struct heartbeat_options options = {
        .links = {{config->host.interface, config->host.address, config->peer.address},
                  {config->interconnect.interface, config->interconnect.address,
                   config->interconnect.peer_address}},
        .own_node = config_node(config),
        .peer_node = config_peer_node(config),
        .key = key,
        .key_bytes = sizeof(key),
        .on_message = on_heartbeat_message,
        .on_link = on_heartbeat_link,
        .context = daemon,
    };
    r = heartbeat_new(daemon->loop, &options, &daemon->heartbeat, diag);
    secrets_wipe(key, sizeof(key));
    return r;
}

/* A node without watchdog stays up and says so, but never becomes active. */
static void open_watchdog(struct sol_daemon *daemon)
{
    const char *setting = daemon->config.pair.watchdog;
    const struct arb_constants *constants = &daemon->arb.constants;
    struct diag diag = {0};
    struct watchdog_options options = {
        .no_device = strcmp(setting, "off") == 0,
        .device = setting[0] == '/' ? setting : NULL,
        .timeout_s = constants->watchdog_ms / 1000,
        .renew_period_ms = constants->vip_lifetime_ms <= 1000 ? 250 : 500,
    };
    if (watchdog_new(&options, &daemon->watchdog, &diag) == 0)
        return;
    (void)snprintf(daemon->take_obstacle, sizeof(daemon->take_obstacle), "no watchdog: %.200s",
                   diag.text);
    log_error(module, "%s; this node never becomes active without one", daemon->take_obstacle);
    options.no_device = true;
    if (watchdog_new(&options, &daemon->watchdog, &diag) < 0)
        log_error(module, "watchdog thread: %s", diag.text);
}

static int open_vip(struct sol_daemon *daemon, struct diag *diag)
{
    const struct config *config = &daemon->config;
    struct vip_options options = {
        .device = config->vip.interface,
        .address_count = 1,
        .lifetime_s = daemon->arb.constants.vip_lifetime_ms / 1000,
        .watchdog = daemon->watchdog,
        .on_foreign = on_foreign_claim,
        .on_lost = on_vip_lost,
        .context = daemon,
    };
    int r = sol_vip_address(config, &options.addresses[0], diag);
    return r < 0 ? r : vip_new(daemon->loop, &options, &daemon->vip, diag);
}

static int open_witness(struct sol_daemon *daemon, struct diag *diag)
{
    const struct config *config = &daemon->config;
    const struct witness_options options = {
        .hostaddr = config->witness.address,
        .host = config->witness.name[0] ? config->witness.name : NULL,
        .port = (uint16_t)config->witness.port,
        .database = config->witness.database,
        .user = config->witness.user,
        .password_file = CONFIG_FOLDER "/witness.password",
        .ca_file = config->witness.ca_file,
        .cluster = config->pair.cluster,
        .node = config_node(config),
    };
    return witness_open(daemon->loop, &options, &daemon->witness, diag);
}

static int open_modules(struct sol_daemon *daemon, struct diag *diag)
{
    const struct drbdctl_options drbd = {
        .disk = daemon->config.drbd.device, .on_state = on_drbd_state, .context = daemon};
    const struct drbdctl_fence_options fence = {
        .resource = "og", .asked = on_fence_asked, .context = daemon};
    const struct membership_options membership = {.group = "open-gateway",
                                                  .on_up = on_membership_up,
                                                  .on_view = on_view,
                                                  .on_down = on_membership_down,
                                                  .context = daemon};
    const struct executor_ops ops = {.begin = sol_step_begin,
                                     .give_up = sol_step_give_up,
                                     .changed = on_executor_changed,
                                     .context = daemon};
    open_watchdog(daemon);
    int r = journal_open(daemon->loop, SOL_JOURNAL_FILE, &daemon->journal, diag);
    if (r == 0)
        r = disk_beat_new(&daemon->beat, diag);
    if (r == 0)
        r = open_vip(daemon, diag);
    if (r == 0)
        r = open_heartbeat(daemon, diag);
    if (r == 0)
        r = open_witness(daemon, diag);
    if (r == 0)
        r = drbdctl_fence_open(daemon->loop, &fence, &daemon->fence, diag);
    if (r == 0)
        r = drbdctl_open(daemon->loop, &drbd, &daemon->drbd, diag);
    if (r == 0)
        r = sol_steps_open(daemon, diag);
    if (r == 0)
        r = membership_open(daemon->loop, &membership, &daemon->membership, diag);
    if (r == 0)
        r = control_open(daemon, &daemon->control, diag);
    if (r < 0)
        return r;
    daemon->executor = executor_new(daemon->loop, &ops);
    daemon->claim = claim_new(daemon);
    daemon->probes = probes_new(daemon);
    daemon->tick = timer_new(daemon->loop, on_tick, daemon);
    if (daemon->executor == NULL || daemon->claim == NULL || daemon->probes == NULL ||
        daemon->tick == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    return 0;
}

static void read_durable(struct sol_daemon *daemon)
{
    struct arb_durable durable = {0};
    struct diag diag = {0};
    daemon->durable_readable = durable_read(SOL_DURABLE_FILE, &durable, &diag) == 0;
    if (!daemon->durable_readable)
        log_error(module, "%s; this node never becomes active by itself", diag.text);
    arb_state_init(&daemon->state, &durable, common_boot_ms());
    daemon->saver.saved_serial = daemon->state.save_serial;
}

int sol_daemon_start(uv_loop_t *loop, const struct config *config, struct sol_daemon **ret_daemon,
                     struct diag *diag)
{
    const struct arb_constants *constants = arb_constants_named(config->pair.profile);
    if (constants == NULL)
        return diag_fail(diag, -EINVAL, "unknown profile \"%s\"", config->pair.profile);
    const char *contradiction = arb_constants_check(constants);
    if (contradiction != NULL)
        return diag_fail(diag, -EINVAL, "profile %s: %s", constants->name, contradiction);

    struct sol_daemon *daemon = calloc(1, sizeof(*daemon));
    if (daemon == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    daemon->loop = loop;
    daemon->config = *config;
    daemon->generation = sol_config_generation(config);
    daemon->peer_is_member = true; /* no evidence of the contrary yet */
    daemon->arb = (struct arb_config){.node = config_node(config),
                                      .preferred = config->pair.role == CONFIG_ROLE_PRIMARY,
                                      .constants = *constants};
    read_durable(daemon);
    int r = open_modules(daemon, diag);
    if (r < 0)
        return r; /* the program ends; systemd tries again */

    journal_write(daemon->journal, &(struct journal_entry){.event = "start",
                                                           .text = "solution-control " OG_VERSION
                                                                   " starts",
                                                           .term = daemon->state.durable.right.term});
    service_start(daemon->corosync);
    executor_clean(daemon->executor);
    timer_start(daemon->tick, 0, SOL_TICK_MS);
    *ret_daemon = daemon;
    return 0;
}

void sol_daemon_stop(struct sol_daemon *daemon, void (*ended)(void *context), void *context)
{
    daemon->ended = ended;
    daemon->context = context;
    daemon->stop_wanted = true;
    sol_daemon_kick(daemon);
}

/* The process ends right after: only what outlives it matters. */
void sol_daemon_close(struct sol_daemon *daemon)
{
    heartbeat_free(daemon->heartbeat);
    drbdctl_fence_close(daemon->fence);
    drbdctl_close(daemon->drbd);
    service_free(daemon->gateway);
    service_free(daemon->database);
    membership_close(daemon->membership);
    service_free(daemon->corosync);
    vip_free(daemon->vip);
    disk_beat_free(daemon->beat);
    watchdog_free(daemon->watchdog, true);
}
