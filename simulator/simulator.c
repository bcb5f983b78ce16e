/* simulator.c - life of the simulated PBX, and the way from an action to its events. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "simulator/numbering.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void simulator_options_init(struct simulator_options *options)
{
    *options = (struct simulator_options){
        .address = "127.0.0.1",
        .node = "1",
        .users = 20,
        .first_number = "1001",
        .no_answer_ms = 30000,
        .tone_ms = 20000,
        .session_s = 180,
        .list_devices = 100,
        .editions = SIMULATOR_EDITIONS_ALL,
    };
}

void sim__unref(struct simulator *simulator)
{
    if (--simulator->references > 0)
        return;
    exchange_free(simulator->exchange);
    map_free(simulator->watches, NULL);
    map_free(simulator->monitors, NULL);
    pdu_log_done(&simulator->log);
    free(simulator);
}

static void on_exchange_due(void *context)
{
    struct simulator *simulator = context;
    sim__begin(simulator);
    sim__settle(simulator);
}

void sim__begin(struct simulator *simulator)
{
    exchange_advance(simulator->exchange, common_boot_ms());
}

void sim__settle(struct simulator *simulator)
{
    struct exchange_event event;
    while (exchange_next_event(simulator->exchange, &event))
        sim__tell(simulator, &event);

    uint64_t deadline_ms = exchange_deadline_ms(simulator->exchange), now_ms = common_boot_ms();
    if (deadline_ms == UINT64_MAX)
        timer_stop(simulator->exchange_timer);
    else
        timer_start(simulator->exchange_timer, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

/* Larger than any identifier of an earlier run that made fewer than a million calls a second. */
static uint64_t first_call_id(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) << 20;
}

static int open_parts(struct simulator *simulator, struct diag *diag)
{
    const struct simulator_options *options = &simulator->options;
    const struct exchange_options exchange_options = {.no_answer_ms = options->no_answer_ms,
                                                      .tone_ms = options->tone_ms,
                                                      .first_id = first_call_id()};
    simulator->exchange = exchange_new(&exchange_options);
    simulator->exchange_timer = timer_new(simulator->loop, on_exchange_due, simulator);
    simulator->watches = map_new();
    simulator->monitors = map_new();
    if (simulator->exchange == NULL || simulator->exchange_timer == NULL ||
        simulator->watches == NULL || simulator->monitors == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    sim__begin(simulator);
    int r = numbering_fill(simulator->exchange, options->first_number, options->users, diag);
    if (r < 0)
        return r;
    r = sim__server_listen(simulator, diag);
    return r < 0 ? r : sim__control_open(simulator, diag);
}

int simulator_new(uv_loop_t *loop, const struct simulator_options *options,
                  struct simulator **ret_simulator, struct diag *diag)
{
    struct simulator *simulator = calloc(1, sizeof(*simulator));
    if (simulator == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    simulator->options = *options;
    simulator->loop = loop;
    simulator->references = 1;
    TAILQ_INIT(&simulator->links);
    int r = open_parts(simulator, diag);
    if (r < 0) {
        simulator_free(simulator);
        return r;
    }
    log_notice(SIM__LOG, "node %s: %zu phones from %s on, CSTA on %s port %u, control on port %u",
               options->node, exchange_phone_count(simulator->exchange), options->first_number,
               options->address, (unsigned)simulator->csta_port, (unsigned)simulator->control_port);
    *ret_simulator = simulator;
    return 0;
}

uint16_t simulator_csta_port(const struct simulator *simulator)
{
    return simulator->csta_port;
}

uint16_t simulator_control_port(const struct simulator *simulator)
{
    return simulator->control_port;
}

void simulator_free(struct simulator *simulator)
{
    if (simulator == NULL)
        return;
    sim__control_close(simulator);
    sim__server_close(simulator);
    timer_free(simulator->exchange_timer);
    simulator->exchange_timer = NULL;
    sim__unref(simulator);
}
