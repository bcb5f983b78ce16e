/* housekeeping.h - what the gateway does by itself: merging what the store has loaded, ending
 * sessions and subscriptions whose time is over, and writing last use in batches. */
#ifndef OG_GATEWAY_HOUSEKEEPING_H
#define OG_GATEWAY_HOUSEKEEPING_H

#include "gateway/store/store.h"

struct gateway;
struct housekeeping;

enum {
    HOUSEKEEPING_SWEEP_MS = 2000, /* looks for what has ended */
    HOUSEKEEPING_USED_MS = 60000, /* flushes sessions used since */
    HOUSEKEEPING_ALL_MS = 600000, /* flushes all, so that idle ones get older in the table too */
};

struct housekeeping *housekeeping_new(struct gateway *gateway); /* NULL: no memory */
void housekeeping_free(struct housekeeping *housekeeping);      /* NULL is fine */
/* Writes last use since the last flush, before an orderly stop; done(context) comes once the
 * commits have been answered, perhaps from within this call. One at a time. */
void housekeeping_flush(struct housekeeping *housekeeping, void (*done)(void *context),
                        void *context);
/* Nobody waits any longer: that done comes now, if it has not come. */
void housekeeping_give_up(struct housekeeping *housekeeping);

/* The store's load, merged into memory: what is missing is added with at least the grant of a
 * takeover, what the database no longer has is dropped. context: struct gateway. */
void housekeeping_load_begin(void *context);
void housekeeping_load_session(void *context, const struct store_session *session);
void housekeeping_load_subscription(void *context, const struct store_subscription *subscription);
void housekeeping_load_end(struct gateway *gateway);

#endif
