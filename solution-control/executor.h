/* executor.h - carries out the arbiter's orders step by step: clean up, take, release.
 *
 * Each order is a list of named steps with budgets. One step runs at a time; it is begun through
 * `ops` and ends when the caller reports executor_step_done(), or when its budget is over. The first
 * failed step of `take` ends the order as TAKE_FAILED (or PEER_LIVES); the caller then orders a
 * release. A release skips nothing: a step that fails or exceeds its budget ends it as
 * RELEASE_FAILED, after which only a reset of the machine is safe (decision table, row 33).
 *
 * An order given during a take begins after the running step. A clean-up or a release always runs to
 * its end; afterwards a release that was asked for meanwhile runs, a take is dropped (the arbiter asks
 * again). */
#ifndef OG_SOLUTION_EXECUTOR_H
#define OG_SOLUTION_EXECUTOR_H

#include "ha/arbiter.h"

#include <stdint.h>
#include <uv.h>

/* name, sentence part for people, budget in ms */
#define EXECUTOR_STEPS(X)                                                                         \
    X(CLEAN_VIP, "remove the virtual address", 2000)                                              \
    X(LOAD_DRBD, "bring up the replicated disk", 20000)                                           \
    X(PROMOTE, "promote the disk", 15000)                                                         \
    X(FORMAT, "make the file system", 60000)                                                      \
    X(MOUNT, "mount the file system", 30000)                                                      \
    X(PREPARE_DATABASE, "prepare the database", 60000)                                            \
    X(START_DATABASE, "start PostgreSQL", 120000)                                                 \
    X(CREATE_DATABASES, "create the databases", 30000)                                            \
    X(START_GATEWAY, "start the gateway", 30000)                                                  \
    X(CLAIM_VIP, "claim the virtual address", 60000)                                              \
    X(TICKLE, "wake the open channels", 2000)                                                     \
    X(CHECKPOINT, "checkpoint", 2000)                                                             \
    X(STOP_GATEWAY, "stop the gateway", 3000)                                                     \
    X(DROP_VIP, "release the virtual address", 2000)                                              \
    X(STOP_DATABASE, "stop PostgreSQL", 16000)                                                    \
    X(UNMOUNT, "unmount the file system", 10000)                                                  \
    X(DEMOTE, "demote the disk", 10000)
#define EXECUTOR_STEP_ENUM(id, text, budget_ms) EXECUTOR_##id,
enum executor_step { EXECUTOR_STEPS(EXECUTOR_STEP_ENUM) EXECUTOR_STEP_COUNT };
const char *executor_step_text(enum executor_step step);

enum executor_result {
    EXECUTOR_OK,
    EXECUTOR_FAILED,
    EXECUTOR_PEER_LIVES, /* PROMOTE only: the kernel refused because the peer is Primary */
};

struct executor_ops {
    /* Begins the step; executor_step_done() comes later, never from inside this call. */
    void (*begin)(void *context, enum executor_step step);
    /* The budget is over; stop trying. A late executor_step_done() is ignored. */
    void (*give_up)(void *context, enum executor_step step);
    /* state or step changed */
    void (*changed)(void *context);
    void *context;
};

struct executor_timing { /* how long each step of the last order took, for people */
    uint32_t step_ms[EXECUTOR_STEP_COUNT]; /* 0: did not run */
    uint64_t began_ms, ended_ms;
};

struct executor;

struct executor *executor_new(uv_loop_t *loop, const struct executor_ops *ops); /* NULL: no memory */
void executor_free(struct executor *executor);
void executor_clean(struct executor *executor);
void executor_take(struct executor *executor);
void executor_release(struct executor *executor);
void executor_step_done(struct executor *executor, enum executor_step step,
                        enum executor_result result, const char *why);
enum arb_exec executor_state(const struct executor *executor);
enum executor_step executor_current(const struct executor *executor); /* _COUNT: none runs */
const char *executor_failure(const struct executor *executor);        /* "" or why it failed */
const struct executor_timing *executor_timing(const struct executor *executor);

#endif
