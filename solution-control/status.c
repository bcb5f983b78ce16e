/* status.c - what `roxed status` shows, as JSON. Reads only; every value is measured, not intended. */
#include "solution-control/solution_control.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <stdio.h>
#include <string.h>

static void add_key(struct buf *out, const char *key)
{
    if (out->len_bytes > 0 && out->data[out->len_bytes - 1] != '{' &&
        out->data[out->len_bytes - 1] != '[')
        buf_adds(out, ",");
    buf_add_json_string(out, key);
    buf_adds(out, ":");
}

static void add_text(struct buf *out, const char *key, const char *value)
{
    add_key(out, key);
    buf_add_json_string(out, value);
}

static void add_number(struct buf *out, const char *key, uint64_t value)
{
    add_key(out, key);
    buf_addf(out, "%llu", (unsigned long long)value);
}

static void add_bool(struct buf *out, const char *key, bool value)
{
    add_key(out, key);
    buf_adds(out, value ? "true" : "false");
}

static void add_drbd(struct sol_daemon *daemon, struct buf *out)
{
    const struct drbdctl_state *state = drbdctl_state(daemon->drbd);
    char suspended[DRBDCTL_WORD_MAX];
    add_key(out, "drbd");
    buf_adds(out, "{");
    add_bool(out, "known", state->valid && state->up);
    add_text(out, "role", drbdctl_role_name(state->role));
    add_text(out, "disk", drbdctl_disk_name(state->disk));
    add_text(out, "connection", drbdctl_connection_name(state->connection));
    add_text(out, "peer_disk", drbdctl_disk_name(state->peer_disk));
    add_text(out, "suspended", drbdctl_suspended_text(state->suspended, suspended));
    if (state->progress.running) {
        add_key(out, "resync_percent");
        buf_addf(out, "%u.%u", state->progress.done_permille / 10,
                 state->progress.done_permille % 10);
        if (state->progress.left_s != UINT64_MAX)
            add_number(out, "resync_left_s", state->progress.left_s);
    }
    buf_adds(out, "}");
}

static void add_peer(struct sol_daemon *daemon, const struct arb_facts *facts, struct buf *out)
{
    struct heartbeat_status beats;
    heartbeat_get_status(daemon->heartbeat, &beats);
    add_key(out, "peer_state");
    buf_adds(out, "{");
    add_bool(out, "heard", facts->peer.heard);
    add_bool(out, "fresh", facts->peer.fresh);
    add_bool(out, "member", facts->peer.member);
    if (facts->peer.heard) {
        add_text(out, "phase", arb_phase_name(facts->peer.last.phase));
        add_number(out, "age_ms", facts->now_ms - facts->peer.last_heard_ms);
    }
    add_key(out, "links");
    buf_adds(out, "[");
    for (unsigned i = 0; i < HEARTBEAT_LINKS; i++) {
        const struct heartbeat_link_status *link = &beats.links[i];
        buf_adds(out, i > 0 ? ",{" : "{");
        add_text(out, "name", i == 0 ? "client LAN" : "interconnect");
        add_bool(out, "up", link->up);
        if (link->last_heard_ms != 0)
            add_number(out, "age_ms", facts->now_ms - link->last_heard_ms);
        buf_adds(out, "}");
    }
    buf_adds(out, "]}");
}

static void add_services(struct sol_daemon *daemon, const struct arb_facts *facts, struct buf *out)
{
    const struct service *services[] = {daemon->database, daemon->gateway, daemon->corosync};
    add_key(out, "services");
    buf_adds(out, "[");
    for (unsigned i = 0; i < COUNT_OF(services); i++) {
        buf_adds(out, i > 0 ? ",{" : "{");
        add_text(out, "name", service_name(services[i]));
        add_text(out, "state", service_state_name(service_state(services[i])));
        if (service_since_ms(services[i]) != 0)
            add_number(out, "since_ms", facts->now_ms - service_since_ms(services[i]));
        add_number(out, "restarts", service_restarts(services[i]));
        buf_adds(out, "}");
    }
    buf_adds(out, "]");
}

static void add_alarm(struct buf *out, const char *text)
{
    if (text[0] == '\0')
        return;
    if (out->data[out->len_bytes - 1] != '[')
        buf_adds(out, ",");
    buf_add_json_string(out, text);
}

static void add_alarms(struct sol_daemon *daemon, const struct arb_facts *facts, struct buf *out)
{
    char conflict[SOL_ALARM_CHARS] = "";
    struct heartbeat_status beats;
    heartbeat_get_status(daemon->heartbeat, &beats);
    if (claim_conflict(daemon->claim)[0] != '\0')
        (void)snprintf(conflict, sizeof(conflict), "%s also uses the virtual address",
                       claim_conflict(daemon->claim));
    add_key(out, "alarms");
    buf_adds(out, "[");
    if (daemon->alarm)
        add_alarm(out, daemon->state.reason);
    add_alarm(out, daemon->take_obstacle);
    add_alarm(out, daemon->drbd_text);
    add_alarm(out, daemon->witness_text);
    add_alarm(out, probes_trouble(daemon->probes));
    add_alarm(out, conflict);
    add_alarm(out, daemon->saver.failed
                       ? "the local disk does not take the arbiter's state: free space on /var"
                       : "");
    if (facts->peer.fresh && beats.links_up < HEARTBEAT_LINKS)
        add_alarm(out, beats.links[0].up ? "the interconnect carries no heartbeats"
                                         : "the client LAN carries no heartbeats");
    buf_adds(out, "]");
}

/* One sentence: what the person at the screen should do next. */
static const char *advice(struct sol_daemon *daemon, const struct arb_facts *facts)
{
    const struct drbdctl_state *drbd = drbdctl_state(daemon->drbd);
    if (daemon->take_obstacle[0] != '\0' || daemon->drbd_text[0] != '\0')
        return "Correct what the alarms name, then: roxed restart.";
    if (!facts->peer.fresh)
        return "Start the other node, or repair the network between the nodes.";
    if (drbd->connection == DRBDCTL_CONNECTION_STANDALONE)
        return "The copies are not connected. Look at `roxed history` on both nodes.";
    if (daemon->witness_text[0] != '\0')
        return "Bring the witness back: without it a failure of the active node is not survived.";
    if (drbd->progress.running)
        return "Wait until the copies are equal; until then there is no protection.";
    if (daemon->state.phase == ARB_WAIT)
        return "Read the reason above; start the other node.";
    return "";
}

static bool is_protected(struct sol_daemon *daemon, const struct arb_facts *facts)
{
    return drbdctl_state_is_whole(drbdctl_state(daemon->drbd)) && facts->peer.fresh &&
           daemon->state.durable.right.mode == ARB_MODE_PAIR;
}

void sol_status_json(struct sol_daemon *daemon, struct buf *out)
{
    struct arb_facts facts;
    sol_facts_collect(daemon, &facts);
    const struct arb_state *state = &daemon->state;
    const struct config *config = &daemon->config;
    struct watchdog_status watchdog = {0};
    watchdog_get_status(daemon->watchdog, &watchdog);

    buf_adds(out, "{");
    add_text(out, "node", config->host.name);
    add_number(out, "node_id", config_node(config));
    add_text(out, "peer", config->peer.name);
    add_text(out, "role", state->phase == ARB_ACTIVE ? "active" : arb_phase_name(state->phase));
    add_text(out, "phase", arb_phase_name(state->phase));
    add_text(out, "reason", state->reason);
    add_number(out, "since_ms", facts.now_ms - state->since_ms);
    add_number(out, "row", state->row);
    add_number(out, "term", state->durable.right.term);
    add_text(out, "right", arb_mode_name(state->durable.right.mode));
    add_number(out, "right_owner", state->durable.right.owner);
    add_bool(out, "protected", is_protected(daemon, &facts));
    add_text(out, "executor", arb_exec_name(facts.exec));
    if (executor_current(daemon->executor) != EXECUTOR_STEP_COUNT)
        add_text(out, "step", executor_step_text(executor_current(daemon->executor)));
    add_text(out, "failure", executor_failure(daemon->executor));
    add_key(out, "vip");
    buf_adds(out, "{");
    add_text(out, "address", config->vip.address);
    add_bool(out, "held", vip_is_held(daemon->vip));
    buf_adds(out, "}");
    add_drbd(daemon, out);
    add_peer(daemon, &facts, out);
    add_key(out, "witness");
    buf_adds(out, "{");
    add_bool(out, "reachable", state->run_seen != 0);
    if (state->register_seen_at_ms != 0)
        add_number(out, "age_ms", facts.now_ms - state->register_seen_at_ms);
    add_number(out, "seq", state->register_seen.seq);
    add_bool(out, "agreed", state->run_seen != 0 && state->run_seen == state->durable.witness_run);
    buf_adds(out, "}");
    add_services(daemon, &facts, out);
    add_alarms(daemon, &facts, out);
    add_text(out, "advice", advice(daemon, &facts));
    add_key(out, "watchdog");
    buf_adds(out, "{");
    add_text(out, "device", watchdog.device);
    add_bool(out, "armed", watchdog.device[0] != '\0');
    add_number(out, "worst_late_ms", watchdog.worst_late_ms);
    buf_adds(out, "}");
    add_key(out, "last_order_ms");
    buf_adds(out, "{");
    const struct executor_timing *timing = executor_timing(daemon->executor);
    for (unsigned step = 0; step < EXECUTOR_STEP_COUNT; step++)
        if (timing->step_ms[step] != 0)
            add_number(out, executor_step_text((enum executor_step)step), timing->step_ms[step]);
    buf_adds(out, "}");
    add_text(out, "profile", config->pair.profile);
    add_text(out, "version", OG_VERSION);
    buf_adds(out, "}");
}
