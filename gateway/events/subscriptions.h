/* subscriptions.h - the subscriptions of this gateway, in memory. No I/O; the clock is a parameter.
 *
 * PostgreSQL holds the truth: objects are added after the commit and removed after the commit. A
 * subscription belongs to one session and goes with it. One with a time-out also goes when nobody
 * has listened on its channel for that many minutes; a node that takes over begins to count anew.
 */
#ifndef OG_GATEWAY_SUBSCRIPTIONS_H
#define OG_GATEWAY_SUBSCRIPTIONS_H

#include "gateway/auth/sessions.h"
#include "gateway/events/event_index.h"
#include "gateway/events/event_queue.h"
#include "gateway/events/filter.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct channel;

struct subscription {
    struct digest_link by_id; /* key: SHA-256 of the subscription's id */
    TAILQ_ENTRY(subscription) of_all;
    TAILQ_ENTRY(subscription) of_session;
    struct session *session;
    struct filter *filter;
    struct index_entry *indexed; /* its places in the index */
    int64_t timeout_min;         /* 0: as long as the session */
    uint64_t deadline_ms;        /* 0: none, or somebody listens */
    bool ending;                 /* the deletion of its row is on the way */
    bool confirmed;              /* used while a reload compares memory and database */
    struct event_queue queue;
    struct channel *channel; /* its listener, NULL for none */
};

struct subscriptions {
    struct digest_table by_id;
    struct subscription_list all;
    struct event_index index; /* who wants which event */
};

void subscriptions_init(struct subscriptions *subscriptions);
void subscriptions_done(struct subscriptions *subscriptions); /* all must be removed */

struct subscription_birth {
    const struct digest *id;
    struct session *session;
    int64_t timeout_min;
};
/* Takes filter on success. -EEXIST or -ENOMEM. */
int subscriptions_add(struct subscriptions *subscriptions, const struct subscription_birth *birth,
                      struct filter *filter, uint64_t now_ms);
/* By the digest of the id; NULL when unknown or ending. */
struct subscription *subscriptions_find(const struct subscriptions *subscriptions,
                                        const struct digest *id);
struct subscription *subscriptions_find_any(const struct subscriptions *subscriptions,
                                            const struct digest *id);
/* Nobody listens any more: the time-out begins. */
void subscription_rest(struct subscription *subscription, uint64_t now_ms);
/* Frees it; its channel must be detached. */
void subscriptions_remove(struct subscriptions *subscriptions, struct subscription *subscription);

#endif
