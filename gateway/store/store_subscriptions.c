/* Group commit of subscriptions: one INSERT carries all that gathered while the last one was under
 * way, so their number per second is not bound to the disks' time for one commit. */
#include "gateway/store/store_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void send_group(struct store *store);

static void pending_free(struct store_pending *pending)
{
    free(pending->row);
    free(pending);
}

static void end_list(struct store_pending_list *list, int error)
{
    struct store_pending_list ended = STAILQ_HEAD_INITIALIZER(ended);
    STAILQ_CONCAT(&ended, list);
    while (!STAILQ_EMPTY(&ended)) {
        struct store_pending *pending = STAILQ_FIRST(&ended);
        STAILQ_REMOVE_HEAD(&ended, next);
        pending->done(pending->context, error != 0 ? error : pending->stored ? 0 : -ENOENT);
        pending_free(pending);
    }
}

void store__fail_groups(struct store *store)
{
    end_list(&store->under_way, -EAGAIN);
    end_list(&store->gathering, -EAGAIN);
    store->gathering_count = 0;
}

/* The rows come back in the order in which they were given, but for those without session. */
static void mark_stored(struct store *store, const struct pg_result *result)
{
    struct store_pending *pending = STAILQ_FIRST(&store->under_way);
    for (int row = 0; row < result->rows && pending != NULL; row++) {
        struct digest id;
        if (!store__read_digest(pg_value(result, row, 0), &id))
            return;
        while (pending != NULL && memcmp(&pending->id, &id, sizeof(id)) != 0)
            pending = STAILQ_NEXT(pending, next);
        if (pending != NULL) {
            pending->stored = true;
            pending = STAILQ_NEXT(pending, next);
        }
    }
}

static void on_group(void *context, const struct pg_result *result)
{
    struct store *store = context;
    int error = store__judge(store, result);
    if (error == 0)
        mark_stored(store, result);
    else
        error = -EAGAIN;
    store->group_under_way = false;
    end_list(&store->under_way, error);
    send_group(store);
}

static void send_group(struct store *store)
{
    /* The join leaves out rows whose session went meanwhile instead of failing them all. */
    static const char sql[] =
        "INSERT INTO subscription (digest, credential, filter, timeout_min)"
        " SELECT decode(x.d, 'hex'), s.credential, x.f, x.t"
        " FROM ROWS FROM (json_to_recordset($1::json) AS (d text, c text, f json, t integer))"
        " WITH ORDINALITY AS x (d, c, f, t, n)"
        " JOIN session s ON s.credential = decode(x.c, 'hex') ORDER BY x.n"
        " RETURNING encode(digest, 'hex')";
    struct buf rows = {0};
    struct store_pending *pending;
    unsigned count = 0;

    if (store->group_under_way || STAILQ_EMPTY(&store->gathering))
        return;
    buf_adds(&rows, "[");
    while ((pending = STAILQ_FIRST(&store->gathering)) != NULL && count < STORE_GROUP_MAX) {
        STAILQ_REMOVE_HEAD(&store->gathering, next);
        STAILQ_INSERT_TAIL(&store->under_way, pending, next);
        buf_adds(&rows, count++ == 0 ? "" : ",");
        buf_adds(&rows, pending->row);
    }
    store->gathering_count -= count;
    buf_adds(&rows, "]");
    const char *const params[] = {rows.data};
    store->group_under_way = true;
    if (rows.failed || !store->ready ||
        pg_query(store->lanes[STORE_LANE_WRITES], sql, params, 1, STORE_TIMEOUT_MS, on_group,
                 store) < 0) {
        store->group_under_way = false;
        store__fail_groups(store);
    }
    buf_done(&rows);
}

int store_add_subscription(struct store *store, const struct store_subscription *subscription,
                           store_done_fn done, void *context)
{
    if (!store->ready || store->gathering_count >= PG_QUEUE_MAX)
        return -EAGAIN;
    struct store_pending *pending = calloc(1, sizeof(*pending));
    if (pending == NULL)
        return -ENOMEM;

    struct buf row = {0};
    buf_adds(&row, "{\"d\":\"");
    store__add_digest(&row, &subscription->id);
    buf_adds(&row, "\",\"c\":\"");
    store__add_digest(&row, &subscription->credential);
    buf_addf(&row, "\",\"t\":%" PRId64 ",\"f\":%s}", subscription->timeout_min,
             subscription->filter);
    *pending = (struct store_pending){
        .id = subscription->id, .row = buf_take(&row), .done = done, .context = context};
    if (pending->row == NULL) {
        pending_free(pending);
        return -ENOMEM;
    }
    STAILQ_INSERT_TAIL(&store->gathering, pending, next);
    store->gathering_count++;
    if (!store->group_under_way)
        send_group(store);
    return 0;
}
