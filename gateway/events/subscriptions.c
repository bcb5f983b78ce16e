#include "gateway/events/subscriptions.h"

#include <assert.h>
#include <stdlib.h>

#include <errno.h>

void subscriptions_init(struct subscriptions *subscriptions)
{
    *subscriptions = (struct subscriptions){0};
    TAILQ_INIT(&subscriptions->all);
    event_index_init(&subscriptions->index);
}

void subscriptions_done(struct subscriptions *subscriptions)
{
    assert(TAILQ_EMPTY(&subscriptions->all));
    digest_table_done(&subscriptions->by_id);
    event_index_done(&subscriptions->index);
}

int subscriptions_add(struct subscriptions *subscriptions, const struct subscription_birth *birth,
                      struct filter *filter, uint64_t now_ms)
{
    struct subscription *subscription = calloc(1, sizeof(*subscription));
    if (subscription == NULL)
        return -ENOMEM;
    subscription->by_id.key = *birth->id;
    int r = digest_table_add(&subscriptions->by_id, &subscription->by_id);
    if (r == 0) {
        r = event_index_add(&subscriptions->index, subscription, filter, &subscription->indexed);
        if (r < 0)
            digest_table_remove(&subscriptions->by_id, &subscription->by_id);
    }
    if (r < 0) {
        free(subscription);
        return r;
    }
    subscription->session = birth->session;
    subscription->filter = filter;
    subscription->timeout_min = birth->timeout_min;
    subscription_rest(subscription, now_ms);
    TAILQ_INSERT_TAIL(&subscriptions->all, subscription, of_all);
    TAILQ_INSERT_TAIL(&birth->session->subscriptions, subscription, of_session);
    birth->session->subscription_count++;
    return 0;
}

struct subscription *subscriptions_find_any(const struct subscriptions *subscriptions,
                                            const struct digest *id)
{
    struct digest_link *link = digest_table_find(&subscriptions->by_id, id);
    return link == NULL ? NULL : DIGEST_OWNER(link, struct subscription, by_id);
}

struct subscription *subscriptions_find(const struct subscriptions *subscriptions,
                                        const struct digest *id)
{
    struct subscription *subscription = subscriptions_find_any(subscriptions, id);
    return subscription == NULL || subscription->ending ? NULL : subscription;
}

void subscription_rest(struct subscription *subscription, uint64_t now_ms)
{
    subscription->deadline_ms =
        subscription->timeout_min == 0 ? 0 : now_ms + (uint64_t)subscription->timeout_min * 60000;
}

void subscriptions_remove(struct subscriptions *subscriptions, struct subscription *subscription)
{
    assert(subscription->channel == NULL);
    struct session *session = subscription->session;
    TAILQ_REMOVE(&session->subscriptions, subscription, of_session);
    session->subscription_count--;
    TAILQ_REMOVE(&subscriptions->all, subscription, of_all);
    digest_table_remove(&subscriptions->by_id, &subscription->by_id);
    event_index_remove(&subscriptions->index, subscription->indexed);
    event_queue_done(&subscription->queue);
    filter_free(subscription->filter);
    free(subscription);
}
