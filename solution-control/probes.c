/* probes.c - do the services answer? Inner heartbeats find a hung one within seconds; the probe of
 * the manual (30 s by default) is the outer net and looks at everything together.
 *
 * Two strikes: a service that misses two heartbeats in a row is killed and started again in place.
 * While DRBD has frozen the writes the database cannot answer and is not at fault. */
#include "solution-control/solution_control.h"

#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "probes";

enum {
    FAST_MS = 50,       /* until the gateway has answered for the first time */
    INNER_MS = 5000,
    ANSWER_MS = 4000,   /* a heartbeat may take so long */
    STRIKES = 2,
    LINE_MAX_BYTES = 4096,
};

struct probe_target {
    unsigned strikes;
    bool waiting; /* an answer is due */
};

struct probes {
    struct sol_daemon *daemon;
    struct timer *inner, *outer, *limit;
    struct probe_target gateway, database;
    bool running;
    uv_pipe_t *pipe; /* to the gateway's health socket; heap, freed when closed */
    char line[LINE_MAX_BYTES];
    size_t line_bytes;
    char trouble[SOL_ALARM_CHARS];
};

struct gateway_call { /* one connection; outlives the probe that began it */
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct probes *probes; /* NULL: nobody waits for it any more */
};

static void clear_trouble(struct probes *probes)
{
    if (probes->gateway.strikes == 0 && probes->database.strikes == 0)
        probes->trouble[0] = '\0';
}

static void strike(struct probes *probes, struct probe_target *target, struct service *service,
                   const char *why)
{
    (void)snprintf(probes->trouble, sizeof(probes->trouble), "%s does not answer: %s",
                   service_name(service), why);
    if (service_state(service) != SERVICE_STARTED || ++target->strikes < STRIKES)
        return;
    log_error(module, "%s; it is killed and started again", probes->trouble);
    target->strikes = 0;
    service_kill(service);
}

/* --- the gateway's health socket --------------------------------------------------------------- */

static void on_pipe_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end_call(struct gateway_call *call)
{
    if (call->probes != NULL && call->probes->pipe == &call->pipe)
        call->probes->pipe = NULL;
    call->probes = NULL;
    if (!uv_is_closing((uv_handle_t *)&call->pipe))
        uv_close((uv_handle_t *)&call->pipe, on_pipe_closed);
}

static void gateway_answered(struct probes *probes, bool good, const char *why)
{
    struct sol_daemon *daemon = probes->daemon;
    probes->gateway.waiting = false;
    timer_stop(probes->limit);
    if (!good) {
        strike(probes, &probes->gateway, daemon->gateway, why);
        return;
    }
    probes->gateway.strikes = 0;
    clear_trouble(probes);
    service_confirm(daemon->gateway);
    timer_start(probes->inner, INNER_MS, INNER_MS);
    if (executor_current(daemon->executor) == EXECUTOR_START_GATEWAY)
        executor_step_done(daemon->executor, EXECUTOR_START_GATEWAY, EXECUTOR_OK, NULL);
}

/* The gateway is up once its loop answers and its database takes writes. */
static void read_answer(struct probes *probes)
{
    AUTO(json_freep) cJSON *json = NULL;
    struct diag diag = {0};
    if (json_parse(probes->line, probes->line_bytes, &json, &diag) < 0)
        gateway_answered(probes, false, diag.text);
    else if (!json_bool(json, "ok", false))
        gateway_answered(probes, false, "it says that it is not well");
    else if (!json_bool(json, "db", false) &&
             executor_current(probes->daemon->executor) == EXECUTOR_START_GATEWAY)
        probes->gateway.waiting = false; /* alive, still connecting to the database: ask again */
    else
        gateway_answered(probes, true, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct gateway_call *call = handle->data;
    struct probes *probes = call->probes;
    (void)suggested;
    *ret_buf = probes == NULL
                   ? uv_buf_init(NULL, 0)
                   : uv_buf_init(probes->line + probes->line_bytes,
                                 (unsigned)(sizeof(probes->line) - probes->line_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct gateway_call *call = stream->data;
    struct probes *probes = call->probes;
    (void)buf;
    if (probes == NULL || got == 0)
        return;
    if (got > 0)
        probes->line_bytes += (size_t)got;
    bool complete = got > 0 && memchr(probes->line, '\n', probes->line_bytes) != NULL;
    if (!complete && got > 0)
        return;
    end_call(call);
    if (complete)
        read_answer(probes);
    else
        gateway_answered(probes, false, uv_strerror((int)got));
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct gateway_call *call = connect->data;
    struct probes *probes = call->probes;
    if (probes == NULL)
        return;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&call->pipe, on_alloc, on_read);
    if (status == 0)
        return;
    end_call(call);
    if (service_state(probes->daemon->gateway) == SERVICE_STARTED)
        gateway_answered(probes, false, uv_strerror(status));
    else
        probes->gateway.waiting = false; /* still starting: its socket is not there yet */
}

static void ask_gateway(struct probes *probes)
{
    if (probes->gateway.waiting)
        return;
    struct gateway_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return;
    (void)uv_pipe_init(probes->daemon->loop, &call->pipe, 0);
    call->pipe.data = call;
    call->connect.data = call;
    call->probes = probes;
    probes->pipe = &call->pipe;
    probes->line_bytes = 0;
    probes->gateway.waiting = true;
    timer_start(probes->limit, ANSWER_MS, 0);
    uv_pipe_connect(&call->connect, &call->pipe, SOL_GATEWAY_HEALTH_SOCKET, on_connected);
}

static void on_limit(void *context)
{
    struct probes *probes = context;
    if (probes->pipe != NULL)
        end_call(probes->pipe->data);
    if (probes->gateway.waiting)
        gateway_answered(probes, false, "no answer in time");
}

/* --- the database ------------------------------------------------------------------------------ */

static void on_database_answer(void *context, const struct pg_result *result)
{
    struct probes *probes = context;
    struct sol_daemon *daemon = probes->daemon;
    probes->database.waiting = false;
    if (result->error == 0) {
        probes->database.strikes = 0;
        clear_trouble(probes);
    } else if (probes->running && drbdctl_state(daemon->drbd)->suspended == 0) {
        strike(probes, &probes->database, daemon->database, result->message);
    }
}

static void ask_database(struct probes *probes)
{
    struct pg *db = probes->daemon->db;
    if (probes->database.waiting || db == NULL)
        return;
    probes->database.waiting =
        pg_query(db, "UPDATE probe SET at = clock_timestamp() WHERE id = 1", NULL, 0, ANSWER_MS,
                 on_database_answer, probes) == 0;
}

static void on_inner(void *context)
{
    struct probes *probes = context;
    ask_gateway(probes);
    if (executor_state(probes->daemon->executor) == ARB_EXEC_TAKEN)
        ask_database(probes);
}

/* The manual's check: every service and the address together, in one line of the log. */
static void on_outer(void *context)
{
    struct probes *probes = context;
    struct sol_daemon *daemon = probes->daemon;
    bool vip = vip_is_held(daemon->vip);
    bool good = vip && probes->trouble[0] == '\0' &&
                service_state(daemon->database) == SERVICE_STARTED &&
                service_state(daemon->gateway) == SERVICE_STARTED;
    if (good) {
        log_debug(module, "address, PostgreSQL and gateway answer");
        return;
    }
    log_warning(module, "probe: address %s, PostgreSQL %s, gateway %s%s%s", vip ? "held" : "absent",
                service_state_name(service_state(daemon->database)),
                service_state_name(service_state(daemon->gateway)),
                probes->trouble[0] ? ": " : "", probes->trouble);
    if (!vip && executor_state(daemon->executor) == ARB_EXEC_TAKEN)
        claim_start(daemon->claim);
}

struct probes *probes_new(struct sol_daemon *daemon)
{
    struct probes *probes = calloc(1, sizeof(*probes));
    if (probes == NULL)
        return NULL;
    probes->daemon = daemon;
    probes->inner = timer_new(daemon->loop, on_inner, probes);
    probes->outer = timer_new(daemon->loop, on_outer, probes);
    probes->limit = timer_new(daemon->loop, on_limit, probes);
    if (probes->inner == NULL || probes->outer == NULL || probes->limit == NULL) {
        timer_free(probes->inner);
        timer_free(probes->outer);
        timer_free(probes->limit);
        free(probes);
        return NULL;
    }
    return probes;
}

void probes_start(struct probes *probes)
{
    uint64_t outer_ms = probes->daemon->config.pair.probe_interval_s * UINT64_C(1000);
    if (probes->running)
        return;
    probes->running = true;
    probes->gateway = (struct probe_target){0};
    probes->database.strikes = 0;
    timer_start(probes->inner, 0, FAST_MS);
    timer_start(probes->outer, outer_ms, outer_ms);
}

void probes_stop(struct probes *probes)
{
    if (!probes->running)
        return;
    probes->running = false;
    probes->trouble[0] = '\0';
    timer_stop(probes->inner);
    timer_stop(probes->outer);
    timer_stop(probes->limit);
    if (probes->pipe != NULL)
        end_call(probes->pipe->data);
    probes->gateway.waiting = false;
}

const char *probes_trouble(const struct probes *probes)
{
    return probes->trouble;
}
