/* The executor alone: ops of three short functions, steps ended by the test. */
#include "solution-control/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct world {
    uv_loop_t loop;
    struct executor *executor;
    enum executor_step begun[64];
    unsigned count, given_up;
};

static void begin(void *context, enum executor_step step)
{
    struct world *world = context;
    assert_true(world->count < 64);
    world->begun[world->count++] = step;
}

static void give_up(void *context, enum executor_step step)
{
    struct world *world = context;
    (void)step;
    world->given_up++;
}

static void changed(void *context)
{
    (void)context;
}

static int setup(void **state)
{
    static struct world world;
    world = (struct world){0};
    const struct executor_ops ops = {begin, give_up, changed, &world};
    assert_int_equal(uv_loop_init(&world.loop), 0);
    world.executor = executor_new(&world.loop, &ops);
    assert_non_null(world.executor);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    executor_free(world->executor);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    return 0;
}

static void end_current(struct world *world)
{
    executor_step_done(world->executor, executor_current(world->executor), EXECUTOR_OK, NULL);
}

static void end_all(struct world *world)
{
    while (executor_current(world->executor) != EXECUTOR_STEP_COUNT)
        end_current(world);
}

static unsigned position(const struct world *world, enum executor_step step)
{
    for (unsigned i = 0; i < world->count; i++)
        if (world->begun[i] == step)
            return i;
    fail_msg("step never begun: %s", executor_step_text(step));
    return 0;
}

static void taking_promotes_before_it_mounts_and_claims_the_address_after_the_gateway(void **state)
{
    struct world *world = *state;
    executor_take(world->executor);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_TAKING);
    end_all(world);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_TAKEN);
    assert_true(position(world, EXECUTOR_PROMOTE) < position(world, EXECUTOR_MOUNT));
    assert_true(position(world, EXECUTOR_MOUNT) < position(world, EXECUTOR_START_DATABASE));
    assert_true(position(world, EXECUTOR_START_DATABASE) < position(world, EXECUTOR_START_GATEWAY));
    assert_true(position(world, EXECUTOR_START_GATEWAY) < position(world, EXECUTOR_CLAIM_VIP));
}

static void releasing_drops_the_address_before_it_demotes(void **state)
{
    struct world *world = *state;
    executor_release(world->executor);
    end_all(world);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_IDLE);
    assert_true(position(world, EXECUTOR_STOP_GATEWAY) < position(world, EXECUTOR_DROP_VIP));
    assert_true(position(world, EXECUTOR_DROP_VIP) < position(world, EXECUTOR_STOP_DATABASE));
    assert_true(position(world, EXECUTOR_STOP_DATABASE) < position(world, EXECUTOR_UNMOUNT));
    assert_true(position(world, EXECUTOR_UNMOUNT) < position(world, EXECUTOR_DEMOTE));
}

static void a_failed_step_ends_the_take_with_its_reason(void **state)
{
    struct world *world = *state;
    executor_take(world->executor);
    end_current(world);
    enum executor_step failing = executor_current(world->executor);
    executor_step_done(world->executor, failing, EXECUTOR_FAILED, "no space");
    assert_int_equal(executor_state(world->executor), ARB_EXEC_TAKE_FAILED);
    assert_non_null(strstr(executor_failure(world->executor), "no space"));
    assert_int_equal(executor_current(world->executor), EXECUTOR_STEP_COUNT);
}

static void a_living_peer_is_told_apart_from_a_failure(void **state)
{
    struct world *world = *state;
    executor_take(world->executor);
    executor_step_done(world->executor, EXECUTOR_PROMOTE, EXECUTOR_PEER_LIVES, NULL);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_PEER_LIVES);
}

static void every_release_step_that_fails_makes_the_release_fail(void **state)
{
    struct world *world = *state;
    for (unsigned failing = 0; failing < 6; failing++) {
        executor_release(world->executor);
        for (unsigned i = 0; i < failing; i++)
            end_current(world);
        executor_step_done(world->executor, executor_current(world->executor), EXECUTOR_FAILED,
                           "busy");
        assert_int_equal(executor_state(world->executor), ARB_EXEC_RELEASE_FAILED);
    }
}

static void a_release_during_a_take_waits_for_the_running_step_only(void **state)
{
    struct world *world = *state;
    executor_take(world->executor);
    executor_release(world->executor);
    assert_int_equal(executor_current(world->executor), EXECUTOR_PROMOTE);
    end_current(world);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_RELEASING);
    assert_int_equal(executor_current(world->executor), EXECUTOR_CHECKPOINT);
}

static void a_take_never_overtakes_a_waiting_release(void **state)
{
    struct world *world = *state;
    executor_clean(world->executor);
    executor_release(world->executor);
    executor_take(world->executor);
    end_all(world);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_IDLE);
    assert_int_equal(position(world, EXECUTOR_CLEAN_VIP), 0);
    assert_int_equal(world->begun[world->count - 1], EXECUTOR_DEMOTE);
    for (unsigned i = 0; i < world->count; i++)
        assert_int_not_equal(world->begun[i], EXECUTOR_PROMOTE);
}

static void a_late_end_of_another_step_is_ignored(void **state)
{
    struct world *world = *state;
    executor_take(world->executor);
    executor_step_done(world->executor, EXECUTOR_MOUNT, EXECUTOR_FAILED, "old");
    assert_int_equal(executor_state(world->executor), ARB_EXEC_TAKING);
    assert_int_equal(executor_current(world->executor), EXECUTOR_PROMOTE);
}

static void a_step_beyond_its_budget_is_given_up_and_fails(void **state)
{
    struct world *world = *state;
    executor_release(world->executor); /* CHECKPOINT has the shortest budget: 2 s */
    while (executor_state(world->executor) == ARB_EXEC_RELEASING)
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    assert_int_equal(world->given_up, 1);
    assert_int_equal(executor_state(world->executor), ARB_EXEC_RELEASE_FAILED);
    assert_non_null(strstr(executor_failure(world->executor), "2000 ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(taking_promotes_before_it_mounts_and_claims_the_address_after_the_gateway),
        TEST(releasing_drops_the_address_before_it_demotes),
        TEST(a_failed_step_ends_the_take_with_its_reason),
        TEST(a_living_peer_is_told_apart_from_a_failure),
        TEST(every_release_step_that_fails_makes_the_release_fail),
        TEST(a_release_during_a_take_waits_for_the_running_step_only),
        TEST(a_take_never_overtakes_a_waiting_release),
        TEST(a_late_end_of_another_step_is_ignored),
        TEST(a_step_beyond_its_budget_is_given_up_and_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
