#include "gateway/api/telephony/snapshots.h"

#include "gateway/api/telephony/events.h"
#include "gateway/events/bus.h"
#include "gateway/gateway.h"
#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    TAILQ_ENTRY(walk) of_all;
    struct digest credential; /* the session may go meanwhile */
    struct users_walk users;  /* those who were told */
    uint64_t progress_ms;     /* when somebody was told last */
};

struct snapshots {
    struct gateway *gateway;
    struct timer *timer; /* runs while there are walks */
    TAILQ_HEAD(, walk) walks;
};

static void end_walk(struct snapshots *snapshots, struct walk *walk)
{
    TAILQ_REMOVE(&snapshots->walks, walk, of_all);
    free(walk);
    if (TAILQ_EMPTY(&snapshots->walks))
        timer_stop(snapshots->timer);
}

int snapshots_tell(struct snapshots *snapshots, const struct session *session,
                   const struct user *user)
{
    struct subscription *subscription;
    struct event_line *line = NULL;
    struct buf text = {0};
    if (telephony_state_event(snapshots->gateway->users, user, &text) == 0)
        line = event_line_new(text.data, text.len_bytes);
    buf_done(&text);
    if (line == NULL)
        return -ENOMEM;
    TAILQ_FOREACH(subscription, &session->subscriptions, of_session)
    {
        if (!subscription->ending &&
            filter_passes(subscription->filter, EVENT_PACKAGE_TELEPHONY, user->login))
            bus_give(subscription, line);
    }
    event_line_unref(line);
    return 0;
}

static bool is_half_full(const struct event_queue *queue)
{
    return queue->count > EVENT_QUEUE_MAX / 2 || queue->bytes > EVENT_QUEUE_BYTES_MAX / 2;
}

/* Half of each queue that telephony goes to stays free for what happens meanwhile. */
static bool has_room(const struct session *session)
{
    const struct subscription *subscription;
    TAILQ_FOREACH(subscription, &session->subscriptions, of_session)
    {
        if (is_half_full(&subscription->queue) &&
            filter_passes(subscription->filter, EVENT_PACKAGE_TELEPHONY, NULL))
            return false;
    }
    return true;
}

/* False: the walk is over. */
static bool walk_on(struct snapshots *snapshots, struct walk *walk)
{
    const struct gateway *gateway = snapshots->gateway;
    const struct session *session = sessions_find_any(&gateway->sessions, &walk->credential);
    uint64_t now_ms = common_boot_ms();
    if (session == NULL || session->ending || TAILQ_EMPTY(&session->subscriptions))
        return false;
    for (unsigned i = 0; i < SNAPSHOTS_STEP_USERS && has_room(session); i++) {
        const struct user *user = users_walk_on(gateway->users, &walk->users);
        if (user == NULL || snapshots_tell(snapshots, session, user) < 0)
            return false;
        walk->progress_ms = now_ms;
    }
    return now_ms - walk->progress_ms < SNAPSHOTS_PATIENCE_MS;
}

static void on_step(void *context)
{
    struct snapshots *snapshots = context;
    struct walk *walk = TAILQ_FIRST(&snapshots->walks);
    while (walk != NULL) {
        struct walk *next = TAILQ_NEXT(walk, of_all);
        if (!walk_on(snapshots, walk))
            end_walk(snapshots, walk);
        walk = next;
    }
}

static bool is_walking(const struct snapshots *snapshots, const struct digest *credential)
{
    const struct walk *walk;
    TAILQ_FOREACH(walk, &snapshots->walks, of_all)
    {
        if (memcmp(&walk->credential, credential, sizeof(*credential)) == 0)
            return true;
    }
    return false;
}

int snapshots_tell_everybody(struct snapshots *snapshots, const struct session *session)
{
    if (TAILQ_EMPTY(&session->subscriptions) || is_walking(snapshots, &session->by_credential.key))
        return 0;
    struct walk *walk = calloc(1, sizeof(*walk));
    if (walk == NULL)
        return -ENOMEM;
    walk->credential = session->by_credential.key;
    walk->progress_ms = common_boot_ms();
    TAILQ_INSERT_TAIL(&snapshots->walks, walk, of_all);
    timer_start(snapshots->timer, SNAPSHOTS_STEP_MS, SNAPSHOTS_STEP_MS);
    return 0;
}

struct snapshots *snapshots_new(struct gateway *gateway)
{
    struct snapshots *snapshots = calloc(1, sizeof(*snapshots));
    if (snapshots == NULL)
        return NULL;
    snapshots->gateway = gateway;
    TAILQ_INIT(&snapshots->walks);
    snapshots->timer = timer_new(gateway->loop, on_step, snapshots);
    if (snapshots->timer == NULL) {
        free(snapshots);
        return NULL;
    }
    return snapshots;
}

void snapshots_free(struct snapshots *snapshots)
{
    if (snapshots == NULL)
        return;
    while (!TAILQ_EMPTY(&snapshots->walks))
        end_walk(snapshots, TAILQ_FIRST(&snapshots->walks));
    timer_free(snapshots->timer);
    free(snapshots);
}
