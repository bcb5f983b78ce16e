/* Reading everything after a connect. Users, sessions and subscriptions are read by a statement
 * each on the ordered connection; changes that were sent before are in them, later ones are not. */
#include "gateway/store/store_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "store";

enum { LOAD_TIMEOUT_MS = 30000 };

struct load {
    struct store *store;
    unsigned attempt;
};

void store__add_digest(struct buf *out, const struct digest *digest)
{
    char hex[2 * SECRETS_SHA256_BYTES + 1];
    secrets_hex(digest->bytes, sizeof(digest->bytes), hex);
    buf_add(out, hex, sizeof(hex) - 1);
}

bool store__read_digest(const char *hex, struct digest *ret_digest)
{
    return hex != NULL && secrets_unhex(hex, sizeof(ret_digest->bytes), ret_digest->bytes);
}

/* A load that failed begins anew with a new connection. */
static bool load_failed(const struct load *load, const struct pg_result *result)
{
    if (load->attempt != load->store->attempt)
        return true;
    if (result->error == 0)
        return false;
    log_error(module, "the database cannot be read: %s", result->message);
    pg_reset(load->store->lanes[STORE_LANE_WRITES]);
    return true;
}

static void on_users(void *context, const struct pg_result *result)
{
    struct load load = *(struct load *)context;
    const struct store_events *events = &load.store->events;
    free(context);
    if (load_failed(&load, result))
        return;
    events->load_begin(events->context);
    for (int row = 0; row < result->rows; row++)
        store__load_user(events, result, row);
}

static void on_sessions(void *context, const struct pg_result *result)
{
    struct load load = *(struct load *)context;
    const struct store_events *events = &load.store->events;
    free(context);
    if (load_failed(&load, result))
        return;
    for (int row = 0; row < result->rows; row++) {
        struct store_session session = {
            .login = pg_value(result, row, 1),
            .administrator = pg_value(result, row, 2)[0] == 't',
            .remaining_s = pg_value_int64(result, row, 3),
            .id = pg_value(result, row, 4),
            .application = pg_value(result, row, 5),
            .opened_at_ms = pg_value_int64(result, row, 6),
            .supervised = pg_value(result, row, 7),
        };
        if (store__read_digest(pg_value(result, row, 0), &session.credential))
            events->load_session(events->context, &session);
    }
}

static void on_subscriptions(void *context, const struct pg_result *result)
{
    struct load load = *(struct load *)context;
    const struct store_events *events = &load.store->events;
    free(context);
    if (load_failed(&load, result))
        return;
    for (int row = 0; row < result->rows; row++) {
        struct store_subscription subscription = {
            .filter = pg_value(result, row, 2),
            .timeout_min = pg_value_int64(result, row, 3),
        };
        if (store__read_digest(pg_value(result, row, 0), &subscription.id) &&
            store__read_digest(pg_value(result, row, 1), &subscription.credential))
            events->load_subscription(events->context, &subscription);
    }
    load.store->ready = true;
    load.store->away_told = false;
    load.store->failing = false;
    events->load_end(events->context);
}

static bool send_one(struct store *store, const char *sql, pg_done_fn done)
{
    struct load *load = malloc(sizeof(*load));
    if (load == NULL)
        return false;
    *load = (struct load){store, store->attempt};
    if (pg_query(store->lanes[STORE_LANE_WRITES], sql, NULL, 0, LOAD_TIMEOUT_MS, done, load) == 0)
        return true;
    free(load);
    return false;
}

void store__load(struct store *store)
{
    if (!send_one(store, store__select_users, on_users) ||
        !send_one(store,
                  "SELECT encode(c.digest, 'hex'), c.login, c.administrator, c.remaining_s, s.id,"
                  " s.application, (extract(epoch FROM s.opened_at) * 1000)::bigint, s.supervised"
                  " FROM credential c LEFT JOIN session s ON s.credential = c.digest",
                  on_sessions) ||
        !send_one(store,
                  "SELECT encode(digest, 'hex'), encode(credential, 'hex'), filter, timeout_min"
                  " FROM subscription",
                  on_subscriptions))
        pg_reset(store->lanes[STORE_LANE_WRITES]);
}
