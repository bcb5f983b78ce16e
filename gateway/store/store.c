#include "gateway/store/store.h"

#include "gateway/store/migrations.h"
#include "gateway/store/store_private.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "store";

enum { CONNECT_TIMEOUT_MS = 5000, LOAD_TIMEOUT_MS = 30000, HEARTBEAT_TIMEOUT_MS = 5000 };

/* The lock is waited for until the connections just ended have really gone. Its number is the
 * gateway's own, any other would do. */
static const char *const writes_prelude[] = {
    "SET synchronous_commit = on",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'roxe-gateway writes' AND usename = current_user"
    " AND datname = current_database() AND pid <> pg_backend_pid()",
    "SELECT pg_advisory_lock(7791001)",
    NULL,
};
static const char *const heartbeat_prelude[] = {"SET synchronous_commit = on", NULL};

bool store_is_ready(const struct store *store)
{
    return store->ready;
}

void store_hasten(struct store *store)
{
    for (int lane = 0; lane < STORE_LANE_COUNT; lane++)
        pg_hasten(store->lanes[lane]);
}

int store__judge(struct store *store, const struct pg_result *result)
{
    if (result->error == 0) {
        store->failing = false;
        return 0;
    }
    if (!store->failing)
        log_warning(module, "the database did not take a change: %s",
                    result->message[0] != '\0' ? result->message : strerror(-result->error));
    store->failing = true;
    /* a foreign key says that the session or credential went meanwhile */
    if (result->error == -EPROTO && strcmp(result->sqlstate, "23503") == 0)
        return -ENOENT;
    return -EAGAIN;
}

struct call {
    struct store *store;
    store_done_fn done;
    void *context;
};

static void on_called(void *context, const struct pg_result *result)
{
    struct call *call = context;
    call->done(call->context, store__judge(call->store, result));
    free(call);
}

int store__query(struct store *store, const char *sql, const char *const *params, int count,
                 store_done_fn done, void *context)
{
    if (!store->ready)
        return -EAGAIN;
    struct call *call = malloc(sizeof(*call));
    if (call == NULL)
        return -ENOMEM;
    *call = (struct call){store, done, context};
    int r = pg_query(store->lanes[STORE_LANE_WRITES], sql, params, count, STORE_TIMEOUT_MS,
                     on_called, call);
    if (r < 0)
        free(call);
    return r < 0 ? -EAGAIN : 0;
}

/* --- migration ---------------------------------------------------------------------------------
 */

struct step_call {
    struct store *store;
    unsigned attempt;
};

static void send_step(struct store *store);

static void on_step(void *context, const struct pg_result *result)
{
    struct step_call call = *(struct step_call *)context;
    free(context);
    if (call.attempt != call.store->attempt)
        return;
    if (result->error != 0) {
        log_error(module, "step %zu of the database's schema failed: %s", call.store->step,
                  result->message);
        pg_reset(call.store->lanes[STORE_LANE_WRITES]);
        return;
    }
    call.store->step++;
    send_step(call.store);
}

static void send_step(struct store *store)
{
    const char *sql = migration_step(store->step);
    if (sql == NULL) {
        store->migrated = true;
        store__load(store);
        return;
    }
    struct step_call *call = malloc(sizeof(*call));
    if (call != NULL)
        *call = (struct step_call){store, store->attempt};
    if (call == NULL || pg_query(store->lanes[STORE_LANE_WRITES], sql, NULL, 0, LOAD_TIMEOUT_MS,
                                 on_step, call) < 0) {
        free(call);
        pg_reset(store->lanes[STORE_LANE_WRITES]);
    }
}

/* --- connections -------------------------------------------------------------------------------
 */

static void on_writes_state(void *context, bool up, const struct diag *why)
{
    struct store *store = context;
    store->attempt++;
    if (up) {
        store->step = 0;
        send_step(store);
        return;
    }
    if (!store->away_told)
        log_warning(module, "the database is away: %s", why->text);
    else
        log_debug(module, "the database is still away: %s", why->text);
    store->away_told = true;
    store->ready = false;
    store->events.down(store->events.context);
}

static int open_lane(struct store *store, enum store_lane lane, uv_loop_t *loop,
                     const struct store_options *options, struct diag *diag)
{
    bool writes = lane == STORE_LANE_WRITES;
    const char *const keywords[] = {"host", "port", "dbname", "user", "application_name", NULL};
    const char *const values[] = {options->host,
                                  options->port,
                                  options->database,
                                  options->user,
                                  writes ? "roxe-gateway writes" : "roxe-gateway heartbeat",
                                  NULL};
    const struct pg_options lane_options = {
        .keywords = keywords,
        .values = values,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .keep = true,
        .pipeline = writes,
        .prelude = writes ? writes_prelude : heartbeat_prelude,
        .state = writes ? on_writes_state : NULL,
        .context = store,
    };
    return pg_open(loop, &lane_options, &store->lanes[lane], diag);
}

int store_open(uv_loop_t *loop, const struct store_options *options, struct store **ret_store,
               struct diag *diag)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory for the database");
    store->events = options->events;
    STAILQ_INIT(&store->gathering);
    STAILQ_INIT(&store->under_way);
    for (int lane = 0; lane < STORE_LANE_COUNT; lane++) {
        int r = open_lane(store, (enum store_lane)lane, loop, options, diag);
        if (r < 0) {
            store_close(store);
            return r;
        }
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store->ready = false;
    store->failing = true; /* what ends now is no news */
    store->attempt++;
    for (int lane = 0; lane < STORE_LANE_COUNT; lane++)
        pg_close(store->lanes[lane]);
    store__fail_groups(store);
    free(store);
}

/* --- heartbeat ---------------------------------------------------------------------------------
 */

struct heartbeat_call {
    struct store *store;
    store_heartbeat_fn done;
    void *context;
};

static void on_heartbeat(void *context, const struct pg_result *result)
{
    struct heartbeat_call call = *(struct heartbeat_call *)context;
    free(context);
    int error = store__judge(call.store, result);
    if (error == 0 && result->rows != 1)
        error = -EAGAIN;
    call.done(call.context, error, error == 0 ? pg_value_int64(result, 0, 0) : 0);
}

int store_heartbeat(struct store *store, store_heartbeat_fn done, void *context)
{
    static const char sql[] =
        "INSERT INTO heartbeat (id, counter, written_at) VALUES (1, 1, clock_timestamp())"
        " ON CONFLICT (id) DO UPDATE SET counter = heartbeat.counter + 1,"
        " written_at = excluded.written_at RETURNING counter";
    struct pg *lane = store->lanes[STORE_LANE_HEARTBEAT];
    if (!store->migrated || !pg_is_up(lane))
        return -EAGAIN;
    struct heartbeat_call *call = malloc(sizeof(*call));
    if (call == NULL)
        return -ENOMEM;
    *call = (struct heartbeat_call){store, done, context};
    int r = pg_query(lane, sql, NULL, 0, HEARTBEAT_TIMEOUT_MS, on_heartbeat, call);
    if (r < 0)
        free(call);
    return r < 0 ? -EAGAIN : 0;
}
