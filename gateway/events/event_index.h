/* event_index.h - finds the subscriptions that want an event, at a cost that grows with their
 * number and not with that of all subscriptions: a list for each id, and for each package a list
 * of those who want it for everybody. */
#ifndef OG_GATEWAY_EVENT_INDEX_H
#define OG_GATEWAY_EVENT_INDEX_H

#include "gateway/events/filter.h"

#include <sys/queue.h>

struct map;
struct subscription;
struct index_entry; /* one subscription in one list */
TAILQ_HEAD(index_list, index_entry);

struct event_index {   /* start with event_index_init() */
    struct map *by_id; /* NULL until the first id */
    struct index_list everybody[EVENT_PACKAGE_COUNT], listed[EVENT_PACKAGE_COUNT];
};

void event_index_init(struct event_index *index);
void event_index_done(struct event_index *index); /* all must be removed */

/* *ret_entries: what to give to event_index_remove(). The filter must live as long. 0 or -ENOMEM.
 */
int event_index_add(struct event_index *index, struct subscription *subscription,
                    const struct filter *filter, struct index_entry **ret_entries);
void event_index_remove(struct event_index *index, struct index_entry *entries);

/* Calls fn once for each subscription whose filter passes the event; fn must not add or remove. */
void event_index_walk(const struct event_index *index, enum event_package package, const char *id,
                      void (*fn)(void *context, struct subscription *subscription), void *context);

#endif
