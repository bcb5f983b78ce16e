/* DRBD 8.4 of both machines, as measured. */
#include "sim.h"

#include <string.h>

static struct copy *copy_of(struct world *w, unsigned node)
{
    return &w->machine[node].copy;
}

/* both kernels believe in the same connection */
bool sim_drbd_truly_connected(const struct world *w)
{
    const struct copy *a = &w->machine[0].copy, *b = &w->machine[1].copy;
    return a->link == ARB_LINK_CONNECTED && b->link == ARB_LINK_CONNECTED &&
           a->connection == b->connection;
}

/* A write can be acknowledged now: not frozen, and not waiting for a peer that is gone. */
bool sim_drbd_writable(const struct world *w, unsigned node)
{
    const struct copy *copy = &w->machine[node].copy;
    if (!sim_runs(w, node) || !copy->primary || copy->suspended)
        return false;
    if (copy->link != ARB_LINK_CONNECTED)
        return true;
    return sim_drbd_truly_connected(w) && sim_both_ways(w, 1) && sim_runs(w, 1 - node);
}

static void new_generation(struct world *w, struct copy *copy)
{
    if (copy->bitmap != 0)
        return; /* already apart from the peer since an earlier generation */
    copy->bitmap = copy->current;
    copy->current = ++w->generations;
}

static void ask_helper(struct world *w, unsigned node, bool promotion)
{
    struct copy *copy = copy_of(w, node);
    copy->question = true;
    copy->promotion_asks = promotion;
    copy->answer = 0;
    copy->helper++;
    sim_post(w, 8000, EV_HELPER_END, node, copy->helper);
    sim_wake(w, node);
}

/* this side's kernel notices that the connection is gone */
void sim_drbd_lose(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    if (copy->link != ARB_LINK_CONNECTED)
        return;
    copy->link = ARB_LINK_LOST;
    copy->connection = 0;
    copy->lost_at_ms = sim_clock(w, node);
    copy->peer_disk = ARB_DISK_UNKNOWN;
    copy->sync_source = copy->sync_target = false;
    TRACE(w, (int)node, "kernel: connection lost%s", copy->primary ? ", writes freeze" : "");
    if (copy->primary) {
        copy->suspended = true;
        ask_helper(w, node, false);
    }
    sim_post(w, sim_between(w, 100, w->connect_ms), EV_CONNECT, node, 0);
    /* the other side gets a reset soon, when anything arrives there */
    struct copy *peer = copy_of(w, 1 - node);
    if (peer->link == ARB_LINK_CONNECTED && sim_path(w, 1, node))
        sim_post(w, sim_between(w, 1, 100), EV_BREAK_SEEN, 1 - node, peer->connection);
    sim_wake(w, node);
}

/* After any fault: each side will look after its own, different time. */
void sim_drbd_look_for_breaks(struct world *w)
{
    for (unsigned node = 0; node < NODES; node++) {
        const struct copy *copy = copy_of(w, node);
        if (copy->link != ARB_LINK_CONNECTED)
            continue;
        const uint32_t bound_ms = (copy->primary ? 1 : 2) * w->ping_ms + w->ping_timeout_ms;
        sim_post(w, sim_between(w, 50, bound_ms), EV_BREAK_SEEN, node, copy->connection);
    }
}

void sim_drbd_break_seen(struct world *w, unsigned node, uint32_t connection)
{
    const struct copy *copy = copy_of(w, node);
    if (copy->link != ARB_LINK_CONNECTED || copy->connection != connection)
        return;
    if (sim_both_ways(w, 1) && sim_runs(w, 1 - node) && sim_drbd_truly_connected(w))
        return; /* it came back in time */
    sim_drbd_lose(w, node);
}

/* ---- connecting ---- */

static void stand_alone(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    copy->link = ARB_LINK_STANDALONE;
    copy->connection = 0;
    TRACE(w, (int)node, "kernel: StandAlone");
    sim_wake(w, node);
}

static bool in_history(const struct copy *copy, uint64_t generation)
{
    for (unsigned i = 0; i < GENS; i++)
        if (copy->history[i] == generation && generation != 0)
            return true;
    return false;
}

/* 0 equal; 1 a is ahead; 2 b is ahead; 3 split brain; 4 unrelated */
static int compare(const struct copy *a, const struct copy *b)
{
    if (a->current == b->current) {
        if (a->meta_crashed_primary != b->meta_crashed_primary && !a->primary && !b->primary)
            return a->meta_crashed_primary ? 1 : 2;
        return 0;
    }
    if (a->bitmap == b->current)
        return 1;
    if (b->bitmap == a->current)
        return 2;
    if (a->bitmap != 0 && a->bitmap == b->bitmap)
        return 3;
    if (in_history(a, b->current))
        return 1;
    if (in_history(b, a->current))
        return 2;
    return 4;
}

static void resume(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    if (copy->suspended)
        TRACE(w, (int)node, "kernel: writes thaw");
    copy->suspended = false;
    if (!copy->promotion_asks)
        copy->question = false;
}

static void both_up_to_date(struct copy *a, struct copy *b)
{
    a->disk = b->disk = a->peer_disk = b->peer_disk = ARB_DISK_UPTODATE;
    a->meta_disk = b->meta_disk = ARB_DISK_CONSISTENT;
}

static void equalize(struct copy *a, struct copy *b)
{
    both_up_to_date(a, b);
    a->sync_source = a->sync_target = b->sync_source = b->sync_target = false;
    a->meta_crashed_primary = a->primary;
    b->meta_crashed_primary = b->primary;
}

static void start_sync(struct world *w, unsigned source)
{
    struct copy *from = copy_of(w, source), *to = copy_of(w, 1 - source);
    from->disk = ARB_DISK_UPTODATE;
    from->peer_disk = ARB_DISK_INCONSISTENT;
    from->sync_source = true;
    to->disk = to->meta_disk = ARB_DISK_INCONSISTENT;
    to->peer_disk = ARB_DISK_UPTODATE;
    to->sync_target = true;
    to->content = -1;
    TRACE(w, (int)source, "kernel: resync to the peer starts");
    sim_post(w, sim_between(w, 200, 5000), EV_SYNC_DONE, source, ++w->sync_number);
}

void sim_drbd_sync_done(struct world *w, uint32_t number)
{
    if (number != w->sync_number || !sim_drbd_truly_connected(w))
        return;
    for (unsigned source = 0; source < NODES; source++) {
        struct copy *from = copy_of(w, source), *to = copy_of(w, 1 - source);
        if (!from->sync_source || !to->sync_target)
            continue;
        if (!sim_both_ways(w, 1) || !sim_runs(w, 0) || !sim_runs(w, 1)) {
            sim_post(w, 500, EV_SYNC_DONE, source, number);
            return;
        }
        memmove(&from->history[1], &from->history[0], (GENS - 1) * sizeof(from->history[0]));
        from->history[0] = from->bitmap;
        from->bitmap = 0;
        to->current = from->current;
        to->bitmap = 0;
        memcpy(to->history, from->history, sizeof(to->history));
        to->content = from->content;
        equalize(from, to);
        TRACE(w, (int)source, "kernel: resync finished");
        sim_wake(w, 0);
        sim_wake(w, 1);
    }
}

static bool good_copy(const struct copy *copy)
{
    return copy->disk == ARB_DISK_UPTODATE || copy->disk == ARB_DISK_CONSISTENT ||
           copy->disk == ARB_DISK_OUTDATED;
}

static int direction(const struct copy *a, const struct copy *b)
{
    if (good_copy(a) && b->disk == ARB_DISK_INCONSISTENT)
        return 1;
    if (good_copy(b) && a->disk == ARB_DISK_INCONSISTENT)
        return 2;
    return compare(a, b);
}

static void handshake(struct world *w)
{
    struct copy *a = copy_of(w, 0), *b = copy_of(w, 1);
    const int way = direction(a, b);
    const bool both_empty = a->disk == ARB_DISK_INCONSISTENT && b->disk == ARB_DISK_INCONSISTENT;
    if (a->primary && b->primary) {
        stand_alone(w, 0);
        stand_alone(w, 1);
        return;
    }
    if (!both_empty && (way >= 3 || (way == 1 && b->primary) || (way == 2 && a->primary))) {
        TRACE(w, -1, "kernel: copies cannot be joined (%d)", way);
        stand_alone(w, 0);
        stand_alone(w, 1);
        if (way >= 3)
            sim_violation(w, VIOLATION_SPLIT_BRAIN);
        return;
    }
    const uint32_t connection = ++w->connections;
    for (unsigned node = 0; node < NODES; node++) {
        struct copy *copy = copy_of(w, node);
        copy->link = ARB_LINK_CONNECTED;
        copy->connection = connection;
        copy->meta_peer_outdated = false;
        sim_wake(w, node);
    }
    TRACE(w, -1, "kernel: connected");
    if (both_empty)
        a->peer_disk = b->peer_disk = ARB_DISK_INCONSISTENT;
    else if (way == 0)
        equalize(a, b);
    else
        start_sync(w, way == 1 ? 0 : 1);
    resume(w, 0);
    resume(w, 1);
    if (!both_empty && way == 0 && a->content != b->content) {
        /* the tail that was never acknowledged is sent again */
        const int64_t content = a->content > b->content ? a->content : b->content;
        a->content = b->content = content;
    }
}

void sim_drbd_try_connect(struct world *w, unsigned node)
{
    struct copy *own = copy_of(w, node), *peer = copy_of(w, 1 - node);
    if (!own->up || own->link != ARB_LINK_LOST)
        return;
    if (peer->up && peer->link == ARB_LINK_LOST && sim_both_ways(w, 1) && sim_runs(w, 1 - node)) {
        handshake(w);
        return;
    }
    sim_post(w, w->connect_ms + sim_chance(w, 200), EV_CONNECT, node, 0);
}

/* ---- machine ---- */

static void forget_runtime(struct copy *copy)
{
    copy->up = copy->primary = copy->suspended = copy->question = copy->promotion_asks = false;
    copy->link = ARB_LINK_LOST;
    copy->connection = 0;
    copy->sync_source = copy->sync_target = false;
    copy->peer_disk = ARB_DISK_UNKNOWN;
    copy->lost_at_ms = 0;
    copy->helper++;
}

void sim_drbd_power_cut(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    copy->meta_crashed_primary = copy->primary;
    if (copy->disk == ARB_DISK_OUTDATED)
        copy->meta_disk = ARB_DISK_OUTDATED;
    else if (copy->disk == ARB_DISK_UPTODATE || copy->disk == ARB_DISK_CONSISTENT)
        copy->meta_disk = ARB_DISK_CONSISTENT;
    forget_runtime(copy);
}

void sim_drbd_up(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    if (copy->up)
        return;
    copy->up = true;
    copy->disk = copy->meta_disk;
    if (copy->meta_disk == ARB_DISK_CONSISTENT && copy->meta_peer_outdated)
        copy->disk = ARB_DISK_UPTODATE;
    copy->peer_disk = copy->meta_peer_outdated ? ARB_DISK_OUTDATED : ARB_DISK_UNKNOWN;
    copy->link = ARB_LINK_LOST;
    sim_post(w, sim_between(w, 50, w->connect_ms), EV_CONNECT, node, 0);
}

/* ---- the fence helper ---- */

void sim_drbd_answer(struct world *w, unsigned node, int code)
{
    struct copy *copy = copy_of(w, node);
    if (!copy->question)
        return;
    TRACE(w, (int)node, "helper answers %d", code);
    copy->question = false;
    copy->answer = code;
    const bool permits = code == 7 || code == 4;
    if (permits && copy->link != ARB_LINK_CONNECTED) {
        copy->peer_disk = ARB_DISK_OUTDATED;
        copy->meta_peer_outdated = true;
        if (copy->primary) {
            new_generation(w, copy);
            resume(w, node);
        }
    }
    copy->promotion_asks = false;
    sim_wake(w, node);
}

void sim_drbd_helper_end(struct world *w, unsigned node, uint32_t helper)
{
    if (copy_of(w, node)->question && copy_of(w, node)->helper == helper)
        sim_drbd_answer(w, node, 1);
}

/* ---- commands ---- */

enum promotion sim_drbd_primary(struct world *w, unsigned node)
{
    struct copy *own = copy_of(w, node), *peer = copy_of(w, 1 - node);
    if (!own->up)
        return PROMOTE_REFUSED;
    if (own->primary)
        return PROMOTED;
    if (own->link == ARB_LINK_CONNECTED) {
        if (!sim_drbd_truly_connected(w) || !sim_both_ways(w, 1) || !sim_runs(w, 1 - node))
            return PROMOTE_PROBES;
        if (peer->primary)
            return PROMOTE_PEER_LIVES;
        if (own->disk != ARB_DISK_UPTODATE)
            return PROMOTE_REFUSED;
        own->primary = true;
        own->meta_crashed_primary = true;
        return PROMOTED;
    }
    if (own->disk != ARB_DISK_UPTODATE && own->disk != ARB_DISK_CONSISTENT)
        return PROMOTE_REFUSED;
    if (own->peer_disk == ARB_DISK_OUTDATED) {
        own->primary = true;
        own->disk = ARB_DISK_UPTODATE;
        own->meta_crashed_primary = true;
        new_generation(w, own);
        return PROMOTED;
    }
    ask_helper(w, node, true);
    return PROMOTE_ASKS;
}

/* `drbdadm disconnect` or `down`: in order, so that a Primary's peer ends Outdated without a freeze
 */
void sim_drbd_disconnect(struct world *w, unsigned node)
{
    struct copy *own = copy_of(w, node), *peer = copy_of(w, 1 - node);
    const bool in_order =
        sim_drbd_truly_connected(w) && sim_both_ways(w, 1) && sim_runs(w, 1 - node);
    if (own->link != ARB_LINK_CONNECTED) {
        own->link = ARB_LINK_STANDALONE;
        return;
    }
    if (!in_order) {
        sim_drbd_lose(w, node);
        own->link = ARB_LINK_STANDALONE;
        return;
    }
    struct copy *primary = own->primary ? own : peer->primary ? peer : NULL;
    struct copy *other = primary == own ? peer : own;
    for (unsigned i = 0; i < NODES; i++) {
        struct copy *copy = copy_of(w, i);
        copy->link = i == node ? ARB_LINK_STANDALONE : ARB_LINK_LOST;
        copy->connection = 0;
        copy->peer_disk = ARB_DISK_UNKNOWN;
        copy->sync_source = copy->sync_target = false;
        copy->lost_at_ms = sim_clock(w, i);
        sim_wake(w, i);
    }
    sim_post(w, sim_between(w, 100, w->connect_ms), EV_CONNECT, 1 - node, 0);
    if (primary == NULL)
        return;
    if (other->disk == ARB_DISK_UPTODATE)
        other->disk = other->meta_disk = ARB_DISK_OUTDATED;
    primary->peer_disk = other->disk;
    primary->meta_peer_outdated = other->disk == ARB_DISK_OUTDATED;
    new_generation(w, primary);
}

static void command_outdate(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    if (copy->primary || copy->link == ARB_LINK_CONNECTED || copy->promotion_asks)
        return;
    if (copy->disk == ARB_DISK_UPTODATE || copy->disk == ARB_DISK_CONSISTENT)
        copy->disk = copy->meta_disk = ARB_DISK_OUTDATED;
}

static void command_connect(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    if (copy->up && copy->link == ARB_LINK_STANDALONE) {
        copy->link = ARB_LINK_LOST;
        sim_post(w, sim_between(w, 10, 200), EV_CONNECT, node, 0);
    }
}

static void command_reconnect(struct world *w, unsigned node)
{
    struct copy *copy = copy_of(w, node);
    const bool asks = copy->suspended && copy->link != ARB_LINK_CONNECTED && !copy->question;
    if (copy->link == ARB_LINK_CONNECTED)
        return;
    copy->link = ARB_LINK_STANDALONE;
    command_connect(w, node);
    if (asks)
        ask_helper(w, node, false);
}

static void command_form(struct world *w)
{
    struct copy *a = copy_of(w, 0), *b = copy_of(w, 1);
    if (!sim_drbd_truly_connected(w) || a->disk != ARB_DISK_INCONSISTENT ||
        b->disk != ARB_DISK_INCONSISTENT)
        return;
    a->current = b->current = ++w->generations;
    a->bitmap = b->bitmap = 0;
    a->content = b->content = 0;
    equalize(a, b);
    TRACE(w, -1, "kernel: both empty copies declared equal");
}

void sim_drbd_chore(struct world *w, unsigned node, uint32_t action)
{
    switch (action) {
    case ARB_DO_OUTDATE:
        command_outdate(w, node);
        break;
    case ARB_DO_CONNECT:
        command_connect(w, node);
        break;
    case ARB_DO_RECONNECT:
        command_reconnect(w, node);
        break;
    case ARB_DO_FORM:
        command_form(w);
        break;
    case ARB_DO_DOWN:
        sim_drbd_disconnect(w, node);
        sim_drbd_power_cut(w, node); /* the same metadata as after a crash of a Secondary */
        break;
    default:
        break;
    }
    sim_wake(w, 0);
    sim_wake(w, 1);
}
