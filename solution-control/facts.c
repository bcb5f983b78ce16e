/* facts.c - what the modules know, in the arbiter's words. Reads only. */
#include "solution-control/solution_control.h"

#include "lib/common/common.h"

static enum arb_disk disk_of(enum drbdctl_disk disk)
{
    switch (disk) {
    case DRBDCTL_DISK_UPTODATE:
        return ARB_DISK_UPTODATE;
    case DRBDCTL_DISK_CONSISTENT:
        return ARB_DISK_CONSISTENT;
    case DRBDCTL_DISK_OUTDATED:
        return ARB_DISK_OUTDATED;
    case DRBDCTL_DISK_INCONSISTENT:
        return ARB_DISK_INCONSISTENT;
    case DRBDCTL_DISK_DISKLESS:
    case DRBDCTL_DISK_FAILED:
    case DRBDCTL_DISK_DETACHING:
        return ARB_DISK_DISKLESS;
    case DRBDCTL_DISK_ATTACHING:
    case DRBDCTL_DISK_NEGOTIATING:
    case DRBDCTL_DISK_UNKNOWN:
    case DRBDCTL_DISK_COUNT:
        break;
    }
    return ARB_DISK_UNKNOWN;
}

static enum arb_link link_of(enum drbdctl_connection connection)
{
    switch (connection) {
    case DRBDCTL_CONNECTION_CONNECTED:
        return ARB_LINK_CONNECTED;
    case DRBDCTL_CONNECTION_STANDALONE:
        return ARB_LINK_STANDALONE;
    case DRBDCTL_CONNECTION_DISCONNECTING:
    case DRBDCTL_CONNECTION_UNCONNECTED:
    case DRBDCTL_CONNECTION_TIMEOUT:
    case DRBDCTL_CONNECTION_BROKEN_PIPE:
    case DRBDCTL_CONNECTION_NETWORK_FAILURE:
    case DRBDCTL_CONNECTION_PROTOCOL_ERROR:
    case DRBDCTL_CONNECTION_TEARDOWN:
    case DRBDCTL_CONNECTION_CONNECTING:
        return ARB_LINK_LOST;
    case DRBDCTL_CONNECTION_UNKNOWN:
    case DRBDCTL_CONNECTION_COUNT:
        break;
    }
    return ARB_LINK_UNKNOWN;
}

static struct arb_drbd drbd_facts(const struct sol_daemon *daemon)
{
    const struct drbdctl_state *state = drbdctl_state(daemon->drbd);
    if (!state->valid || !state->up)
        return (struct arb_drbd){.fence_question = drbdctl_fence_pending(daemon->fence) != 0};
    return (struct arb_drbd){
        .known = true,
        .primary = state->role == DRBDCTL_ROLE_PRIMARY,
        .peer_primary = state->peer_role == DRBDCTL_ROLE_PRIMARY,
        .suspended = (state->suspended & DRBDCTL_SUSPENDED_FENCING) != 0,
        .fence_question = drbdctl_fence_pending(daemon->fence) != 0,
        .disk = disk_of(state->disk),
        .peer_disk = disk_of(state->peer_disk),
        .link = link_of(state->connection),
        .lost_at_ms = state->lost_at_ms,
    };
}

void sol_facts_collect(struct sol_daemon *daemon, struct arb_facts *ret_facts)
{
    struct heartbeat_status beats;
    heartbeat_get_status(daemon->heartbeat, &beats);

    *ret_facts = (struct arb_facts){
        .now_ms = common_boot_ms(),
        .drbd = drbd_facts(daemon),
        .witness = daemon->witness_answer,
        .exec = executor_state(daemon->executor),
        .saved_serial = daemon->saver.saved_serial,
        .save_failed = daemon->saver.failed,
        .durable_readable = daemon->durable_readable,
        .contact_ms = beats.contact_ms,
        .generation = daemon->generation,
        .switchover_wanted = daemon->switchover_wanted,
        .stop_wanted = daemon->stop_wanted,
        .take_possible = daemon->take_obstacle[0] == '\0',
    };
    uint64_t silence_ms = daemon->arb.constants.silence_ms;
    ret_facts->peer = (struct arb_peer){
        .heard = daemon->peer_heard,
        .fresh = daemon->peer_heard && beats.last_heard_ms + silence_ms >= ret_facts->now_ms,
        .member = daemon->peer_is_member,
        .last_heard_ms = beats.last_heard_ms,
        .last = daemon->peer_message,
    };

    /* A write that the peer's kernel acknowledged proves contact at the time it was begun; only a
     * connected DRBD asks the peer for that acknowledgement. */
    uint64_t disk_ms = disk_beat_acknowledged_ms(daemon->beat);
    if (ret_facts->drbd.link == ARB_LINK_CONNECTED && disk_ms > ret_facts->contact_ms)
        ret_facts->contact_ms = disk_ms;
}
