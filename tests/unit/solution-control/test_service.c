/* Services on real processes. */
#include "solution-control/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct world {
    uv_loop_t loop;
    struct service *service;
    int stopped; /* 0: not yet, 1: gone, 2: not gone */
};

static void changed(void *context)
{
    (void)context;
}

static void note_stopped(void *context, bool gone)
{
    struct world *world = context;
    world->stopped = gone ? 1 : 2;
}

static void open_service(struct world *world, const char *const *argv)
{
    const struct service_options options = {.name = "test",
                                            .argv = argv,
                                            .stop = {{SIGTERM, 300}},
                                            .changed = changed,
                                            .context = world};
    *world = (struct world){0};
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->service = service_new(&world->loop, &options);
    assert_non_null(world->service);
}

static void stop_and_close(struct world *world)
{
    service_stop(world->service, note_stopped, world);
    while (world->stopped == 0)
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    service_free(world->service);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

static void a_service_starts_is_confirmed_and_stops(void **unused)
{
    static const char *const argv[] = {"sleep", "60", NULL};
    struct world world;
    (void)unused;
    open_service(&world, argv);
    assert_int_equal(service_state(world.service), SERVICE_STOPPED);
    service_start(world.service);
    assert_int_equal(service_state(world.service), SERVICE_STARTING);
    service_confirm(world.service);
    assert_int_equal(service_state(world.service), SERVICE_STARTED);
    assert_true(service_pid(world.service) > 1);
    stop_and_close(&world);
    assert_int_equal(world.stopped, 1);
}

static void a_service_that_ends_by_itself_is_started_again(void **unused)
{
    static const char *const argv[] = {"true", NULL};
    struct world world;
    (void)unused;
    open_service(&world, argv);
    service_start(world.service);
    while (service_restarts(world.service) < 2)
        (void)uv_run(&world.loop, UV_RUN_ONCE);
    stop_and_close(&world);
    assert_int_equal(world.stopped, 1);
}

static void a_killed_service_comes_back_with_another_process(void **unused)
{
    static const char *const argv[] = {"sleep", "60", NULL};
    struct world world;
    (void)unused;
    open_service(&world, argv);
    service_start(world.service);
    pid_t first = service_pid(world.service);
    service_kill(world.service);
    while (service_pid(world.service) == first || service_pid(world.service) == 0)
        (void)uv_run(&world.loop, UV_RUN_ONCE);
    assert_int_equal(service_restarts(world.service), 1);
    stop_and_close(&world);
}

static void a_service_deaf_to_its_signal_is_killed(void **unused)
{
    static const char *const argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL};
    struct world world;
    (void)unused;
    open_service(&world, argv);
    service_start(world.service);
    uint64_t begin_ms = uv_hrtime() / 1000000;
    while (uv_hrtime() / 1000000 < begin_ms + 200) /* let it set its trap */
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
    stop_and_close(&world);
    assert_int_equal(world.stopped, 1);
}

static void stopping_what_does_not_run_is_done_at_once(void **unused)
{
    static const char *const argv[] = {"true", NULL};
    struct world world;
    (void)unused;
    open_service(&world, argv);
    stop_and_close(&world);
    assert_int_equal(world.stopped, 1);
}

static void every_state_has_the_manuals_word(void **unused)
{
    (void)unused;
    assert_string_equal(service_state_name(SERVICE_STARTED), "STARTED");
    assert_string_equal(service_state_name(SERVICE_STOPPED), "STOPPED");
    assert_string_equal(service_state_name(SERVICE_STATE_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_starts_is_confirmed_and_stops),
        cmocka_unit_test(a_service_that_ends_by_itself_is_started_again),
        cmocka_unit_test(a_killed_service_comes_back_with_another_process),
        cmocka_unit_test(a_service_deaf_to_its_signal_is_killed),
        cmocka_unit_test(stopping_what_does_not_run_is_done_at_once),
        cmocka_unit_test(every_state_has_the_manuals_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
