/* store_private.h - shared by the files of store/ only. */
#ifndef OG_GATEWAY_STORE_PRIVATE_H
#define OG_GATEWAY_STORE_PRIVATE_H

#include "gateway/store/store.h"
#include "lib/common/buf.h"
#include "lib/common/pg.h"

#include <sys/queue.h>

enum { STORE_TIMEOUT_MS = 10000, STORE_GROUP_MAX = 500 };

enum store_lane { STORE_LANE_WRITES, STORE_LANE_HEARTBEAT, STORE_LANE_COUNT };

struct store_pending { /* one subscription that waits for its group's commit */
    STAILQ_ENTRY(store_pending) next;
    struct digest id;
    char *row; /* JSON object of the group's parameter */
    store_done_fn done;
    void *context;
    bool stored;
};
STAILQ_HEAD(store_pending_list, store_pending);

struct store {
    struct pg *lanes[STORE_LANE_COUNT];
    struct store_events events;
    size_t step;      /* of the migration under way */
    unsigned attempt; /* raised by each loss: answers of an older one are ignored */
    bool migrated;    /* once is enough for the heartbeat's table */
    bool ready;
    bool away_told; /* logged once per absence */
    struct store_pending_list gathering, under_way;
    unsigned gathering_count;
    bool group_under_way;
    bool failing; /* a failed statement was logged and none has succeeded since */
};

/* A statement on the writing lane whose result only means good or bad. */
int store__query(struct store *store, const char *sql, const char *const *params, int count,
                 store_done_fn done, void *context);
/* errno for `done`; logs the first failure of a row of them. */
int store__judge(struct store *store, const struct pg_result *result);
/* Reads everything; then events.load_end. */
void store__load(struct store *store);
/* One row of store__select_users to load_user(). */
extern const char store__select_users[];
void store__load_user(const struct store_events *events, const struct pg_result *result, int row);
/* All gathered subscriptions and those under way end with -EAGAIN. */
void store__fail_groups(struct store *store);
void store__add_digest(struct buf *out, const struct digest *digest); /* 64 hex digits */
bool store__read_digest(const char *hex, struct digest *ret_digest);

#endif
