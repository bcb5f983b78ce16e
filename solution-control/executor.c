#include "solution-control/executor.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "executor";

/* The order matters: see design of the switchover and decision table, rows 1, 10 and 32. */
static const enum executor_step clean_steps[] = {
    EXECUTOR_CLEAN_VIP, EXECUTOR_UNMOUNT, EXECUTOR_LOAD_DRBD, EXECUTOR_DEMOTE,
};
static const enum executor_step take_steps[] = {
    EXECUTOR_PROMOTE,          EXECUTOR_FORMAT,         EXECUTOR_MOUNT,
    EXECUTOR_PREPARE_DATABASE, EXECUTOR_START_DATABASE, EXECUTOR_CREATE_DATABASES,
    EXECUTOR_START_GATEWAY,    EXECUTOR_CLAIM_VIP,      EXECUTOR_TICKLE,
};
/* The gateway closes its channels while it still has the address, so that clients hear of it. */
static const enum executor_step release_steps[] = {
    EXECUTOR_CHECKPOINT,    EXECUTOR_STOP_GATEWAY, EXECUTOR_DROP_VIP,
    EXECUTOR_STOP_DATABASE, EXECUTOR_UNMOUNT,      EXECUTOR_DEMOTE,
};

enum order_kind { ORDER_NONE, ORDER_CLEAN, ORDER_TAKE, ORDER_RELEASE, ORDER_COUNT };

static const struct order {
    const char *name;
    const enum executor_step *steps;
    unsigned count;
    enum arb_exec running, done, failed;
} orders[ORDER_COUNT] = {
    [ORDER_CLEAN] = {"clean up", clean_steps, COUNT_OF(clean_steps), ARB_EXEC_CLEANING,
                     ARB_EXEC_IDLE, ARB_EXEC_RELEASE_FAILED},
    [ORDER_TAKE] = {"take", take_steps, COUNT_OF(take_steps), ARB_EXEC_TAKING, ARB_EXEC_TAKEN,
                    ARB_EXEC_TAKE_FAILED},
    [ORDER_RELEASE] = {"release", release_steps, COUNT_OF(release_steps), ARB_EXEC_RELEASING,
                       ARB_EXEC_IDLE, ARB_EXEC_RELEASE_FAILED},
};

struct executor {
    struct executor_ops ops;
    struct timer *budget;
    enum arb_exec state;
    enum order_kind order, waiting;
    unsigned index; /* of the running step in its order */
    bool step_runs;
    uint64_t step_began_ms;
    char failure[256];
    struct executor_timing timing;
};

static const char *const step_texts[EXECUTOR_STEP_COUNT] = {
#define STEP_TEXT(id, text, budget_ms) text,
    EXECUTOR_STEPS(STEP_TEXT)};
static const uint32_t step_budgets_ms[EXECUTOR_STEP_COUNT] = {
#define STEP_BUDGET(id, text, budget_ms) budget_ms,
    EXECUTOR_STEPS(STEP_BUDGET)};

const char *executor_step_text(enum executor_step step)
{
    return (unsigned)step < EXECUTOR_STEP_COUNT ? step_texts[step] : "?";
}

static void begin_step(struct executor *executor)
{
    enum executor_step step = orders[executor->order].steps[executor->index];
    executor->step_runs = true;
    executor->step_began_ms = common_boot_ms();
    timer_start(executor->budget, step_budgets_ms[step], 0);
    log_debug(module, "%s: %s", orders[executor->order].name, step_texts[step]);
    executor->ops.begin(executor->ops.context, step);
}

static void start_order(struct executor *executor, enum order_kind order)
{
    executor->order = order;
    executor->waiting = ORDER_NONE;
    executor->index = 0;
    executor->state = orders[order].running;
    executor->failure[0] = '\0';
    executor->timing = (struct executor_timing){.began_ms = common_boot_ms()};
    begin_step(executor);
    executor->ops.changed(executor->ops.context);
}

static void end_order(struct executor *executor, enum arb_exec state)
{
    const char *name = orders[executor->order].name;
    executor->order = ORDER_NONE;
    executor->state = state;
    executor->timing.ended_ms = common_boot_ms();
    log_info(module, "%s ended after %llu ms: %s%s%s", name,
             (unsigned long long)(executor->timing.ended_ms - executor->timing.began_ms),
             arb_exec_name(state), executor->failure[0] ? ": " : "", executor->failure);
    executor->ops.changed(executor->ops.context);
}

static void give_order(struct executor *executor, enum order_kind order)
{
    if (executor->order == order || executor->waiting == order)
        return;
    if (executor->order == ORDER_NONE) {
        start_order(executor, order);
        return;
    }
    if (executor->waiting != ORDER_RELEASE)
        executor->waiting = order;
}

static void step_ended(struct executor *executor, enum executor_result result, const char *why)
{
    enum executor_step step = orders[executor->order].steps[executor->index];
    uint64_t took_ms = common_boot_ms() - executor->step_began_ms;

    executor->step_runs = false;
    timer_stop(executor->budget);
    executor->timing.step_ms[step] = (uint32_t)(took_ms > 0 ? took_ms : 1);
    if (result != EXECUTOR_OK)
        (void)snprintf(executor->failure, sizeof(executor->failure), "%s: %s", step_texts[step],
                       why != NULL ? why : "failed");

    bool clean_or_release = executor->order != ORDER_TAKE;
    if (result == EXECUTOR_PEER_LIVES) {
        end_order(executor, ARB_EXEC_PEER_LIVES);
    } else if (result == EXECUTOR_FAILED) {
        end_order(executor, orders[executor->order].failed);
    } else if (executor->waiting != ORDER_NONE && !clean_or_release) {
        start_order(executor, executor->waiting);
    } else if (++executor->index < orders[executor->order].count) {
        begin_step(executor);
        executor->ops.changed(executor->ops.context);
    } else {
        enum order_kind next = executor->waiting;
        executor->waiting = ORDER_NONE;
        end_order(executor, orders[executor->order].done);
        if (next == ORDER_RELEASE && executor->order == ORDER_NONE)
            start_order(executor, next);
    }
}

static void on_budget_over(void *context)
{
    struct executor *executor = context;
    if (!executor->step_runs)
        return;
    enum executor_step step = orders[executor->order].steps[executor->index];
    executor->ops.give_up(executor->ops.context, step);
    char why[64];
    (void)snprintf(why, sizeof(why), "not done within %u ms", step_budgets_ms[step]);
    step_ended(executor, EXECUTOR_FAILED, why);
}

struct executor *executor_new(uv_loop_t *loop, const struct executor_ops *ops)
{
    struct executor *executor = calloc(1, sizeof(*executor));
    if (executor == NULL)
        return NULL;
    executor->ops = *ops;
    executor->state = ARB_EXEC_CLEANING;
    executor->budget = timer_new(loop, on_budget_over, executor);
    if (executor->budget == NULL) {
        free(executor);
        return NULL;
    }
    return executor;
}

void executor_free(struct executor *executor)
{
    if (executor == NULL)
        return;
    timer_free(executor->budget);
    free(executor);
}

void executor_clean(struct executor *executor)
{
    give_order(executor, ORDER_CLEAN);
}

void executor_take(struct executor *executor)
{
    give_order(executor, ORDER_TAKE);
}

void executor_release(struct executor *executor)
{
    give_order(executor, ORDER_RELEASE);
}

void executor_step_done(struct executor *executor, enum executor_step step,
                        enum executor_result result, const char *why)
{
    bool expected = executor->step_runs &&
                    orders[executor->order].steps[executor->index] == step;
    if (expected)
        step_ended(executor, result, why);
    else
        log_debug(module, "late end of a step is ignored: %s", executor_step_text(step));
}

enum arb_exec executor_state(const struct executor *executor)
{
    return executor->state;
}

enum executor_step executor_current(const struct executor *executor)
{
    return executor->step_runs ? orders[executor->order].steps[executor->index]
                               : EXECUTOR_STEP_COUNT;
}

const char *executor_failure(const struct executor *executor)
{
    return executor->failure;
}

const struct executor_timing *executor_timing(const struct executor *executor)
{
    return &executor->timing;
}
