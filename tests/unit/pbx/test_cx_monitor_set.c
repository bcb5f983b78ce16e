#include "gateway/pbx/csta_xml/cx_monitor_set.h"

#include "gateway/pbx/csta_xml/cx_snapshots.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int begin(void **state)
{
    struct cx_monitor_set *set = cx_monitor_set_new();
    assert_non_null(set);
    assert_int_equal(cx_monitor_set_want(set, "1001"), 0);
    assert_int_equal(cx_monitor_set_want(set, "1002"), 0);
    assert_int_equal(cx_monitor_set_want(set, "1003"), 0);
    assert_int_equal(cx_monitor_set_want(set, "1002"), 0);
    *state = set;
    return 0;
}

static int end(void **state)
{
    cx_monitor_set_free(*state);
    return 0;
}

/* The next device must be this one, with this step. */
static struct cx_monitor *next(struct cx_monitor_set *set, const char *number, enum cx_step step)
{
    struct cx_monitor *monitor = cx_monitor_set_next(set);
    assert_non_null(monitor);
    assert_string_equal(monitor->number, number);
    assert_int_equal(monitor->step, step);
    assert_true(monitor->busy);
    return monitor;
}

static void start(struct cx_monitor_set *set, const char *number)
{
    struct cx_monitor *monitor = next(set, number, CX_STEP_START);
    assert_int_equal(cx_monitor_set_attach(set, monitor, number), 0);
    cx_monitor_set_done(set, monitor);
}

static struct cx_monitor *read_calls(struct cx_monitor_set *set, const char *number)
{
    struct cx_monitor *monitor = next(set, number, CX_STEP_SNAPSHOT);
    monitor->read = true;
    cx_monitor_set_done(set, monitor);
    return monitor;
}

static void a_device_goes_from_monitor_to_snapshot_before_the_next_one(void **state)
{
    struct cx_monitor_set *set = *state;
    assert_int_equal(cx_monitor_set_count(set), 3);
    start(set, "1001");
    (void)read_calls(set, "1001");
    start(set, "1002");
    (void)read_calls(set, "1002");
    start(set, "1003");
    (void)read_calls(set, "1003");
    assert_null(cx_monitor_set_next(set));
    assert_int_equal(cx_monitor_set_attached(set), 3);
}

static void hastened_devices_come_first(void **state)
{
    struct cx_monitor_set *set = *state;
    cx_monitor_set_hasten(set, "1003");
    cx_monitor_set_hasten(set, "9999"); /* nobody wants it: nothing */
    start(set, "1003");
    cx_monitor_set_hasten(set, "1002");
    (void)read_calls(set, "1003");
    start(set, "1002");
    (void)read_calls(set, "1002");
    start(set, "1001");
}

static void a_device_is_worked_on_once_at_a_time(void **state)
{
    struct cx_monitor_set *set = *state;
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_START);
    cx_monitor_set_hasten(set, "1001");
    cx_monitor_set_read_again(set, monitor);
    assert_int_equal(cx_monitor_set_want(set, "1001"), 0);
    (void)next(set, "1002", CX_STEP_START);
    (void)next(set, "1003", CX_STEP_START);
    assert_null(cx_monitor_set_next(set));
    assert_int_equal(cx_monitor_set_attach(set, monitor, "M"), 0);
    cx_monitor_set_done(set, monitor);
    (void)next(set, "1001", CX_STEP_SNAPSHOT);
}

static void refused_devices_wait_longer_each_time(void **state)
{
    struct cx_monitor_set *set = *state;
    const uint64_t delays_ms[] = {1000, 2000, 5000, 10000, 30000, 60000, 60000, 60000};
    cx_monitor_set_unwant(set, "1002");
    cx_monitor_set_unwant(set, "1003");
    uint64_t now_ms = 5000;
    for (unsigned i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
        cx_monitor_set_refused(set, next(set, "1001", CX_STEP_START), now_ms);
        cx_monitor_set_tick(set, now_ms + delays_ms[i] - 1);
        assert_null(cx_monitor_set_next(set));
        now_ms += delays_ms[i];
        cx_monitor_set_tick(set, now_ms);
    }
    start(set, "1001"); /* success forgets the past */
    cx_monitor_set_refused(set, next(set, "1001", CX_STEP_SNAPSHOT), now_ms);
    cx_monitor_set_tick(set, now_ms + 1000);
    (void)next(set, "1001", CX_STEP_SNAPSHOT);
}

static void somebody_who_waits_never_waits_longer_than_five_seconds(void **state)
{
    struct cx_monitor_set *set = *state;
    uint64_t now_ms = 0;
    cx_monitor_set_hasten(set, "1003");
    for (unsigned i = 0; i < 10; i++) {
        cx_monitor_set_refused(set, next(set, "1003", CX_STEP_START), now_ms);
        now_ms += 5000;
        cx_monitor_set_tick(set, now_ms);
    }
    (void)next(set, "1003", CX_STEP_START);
}

static void an_unwanted_device_is_stopped_and_forgotten(void **state)
{
    struct cx_monitor_set *set = *state;
    start(set, "1001");
    cx_monitor_set_unwant(set, "1001");
    cx_monitor_set_unwant(set, "1002"); /* never began: gone at once */
    assert_int_equal(cx_monitor_set_count(set), 2);
    (void)next(set, "1003", CX_STEP_START);
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_STOP);
    cx_monitor_set_detach(set, monitor);
    cx_monitor_set_done(set, monitor);
    assert_int_equal(cx_monitor_set_count(set), 1);
    assert_null(cx_monitor_set_find(set, "1001"));
}

static void wanted_again_while_it_stops_it_begins_anew(void **state)
{
    struct cx_monitor_set *set = *state;
    start(set, "1001");
    (void)read_calls(set, "1001");
    cx_monitor_set_unwant(set, "1001");
    (void)next(set, "1002", CX_STEP_START);
    (void)next(set, "1003", CX_STEP_START);
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_STOP);
    assert_int_equal(cx_monitor_set_want(set, "1001"), 0);
    cx_monitor_set_detach(set, monitor);
    cx_monitor_set_done(set, monitor);
    start(set, "1001");
    (void)next(set, "1001", CX_STEP_SNAPSHOT);
}

static void unwanted_while_it_begins_it_is_stopped(void **state)
{
    struct cx_monitor_set *set = *state;
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_START);
    cx_monitor_set_unwant(set, "1001");
    assert_int_equal(cx_monitor_set_attach(set, monitor, "M1"), 0);
    cx_monitor_set_done(set, monitor);
    (void)next(set, "1001", CX_STEP_STOP);
}

static void an_identifier_belongs_to_one_device(void **state)
{
    struct cx_monitor_set *set = *state;
    start(set, "1001");
    (void)read_calls(set, "1001");
    struct cx_monitor *second = next(set, "1002", CX_STEP_START);
    assert_int_equal(cx_monitor_set_attach(set, second, "1001"), -EEXIST);
    assert_null(second->monitor_id);
    assert_string_equal(cx_monitor_set_find(set, "1001")->number, "1001");
}

static void a_new_link_begins_everything_anew(void **state)
{
    struct cx_monitor_set *set = *state;
    start(set, "1001");
    (void)read_calls(set, "1001");
    cx_monitor_set_refused(set, next(set, "1002", CX_STEP_START), 0);
    struct cx_monitor *monitor = next(set, "1003", CX_STEP_START);
    cx_monitor_set_unwant(set, "1003");
    assert_true(monitor->busy);
    cx_monitor_set_restart(set);
    assert_int_equal(cx_monitor_set_count(set), 2);
    assert_int_equal(cx_monitor_set_attached(set), 0);
    (void)next(set, "1001", CX_STEP_START);
    (void)next(set, "1002", CX_STEP_START);
    assert_null(cx_monitor_set_next(set));
}

static void segments_that_do_not_come_count_as_a_refusal(void **state)
{
    struct cx_monitor_set *set = *state;
    start(set, "1001");
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_SNAPSHOT);
    assert_int_equal(cx_monitor_set_listen(set, monitor, "L", 5000), 0);
    struct cx_monitor *other = next(set, "1002", CX_STEP_START);
    assert_int_equal(cx_monitor_set_listen(set, other, "L", 5000), -EEXIST);
    assert_ptr_equal(cx_monitor_set_find_list(set, "L"), monitor);
    cx_monitor_set_hasten(set, "1001"); /* does not take it out of its place */
    (void)next(set, "1003", CX_STEP_START);
    assert_null(cx_monitor_set_next(set));
    cx_monitor_set_tick(set, 5000);
    assert_null(cx_monitor_set_find_list(set, "L"));
    cx_monitor_set_tick(set, 6000);
    (void)next(set, "1001", CX_STEP_SNAPSHOT);
}

static void reading_again_gives_up_an_old_snapshot(void **state)
{
    struct cx_monitor_set *set = *state;
    cx_monitor_set_unwant(set, "1002");
    cx_monitor_set_unwant(set, "1003");
    start(set, "1001");
    struct cx_monitor *monitor = next(set, "1001", CX_STEP_SNAPSHOT);
    monitor->snapshot = cx_snapshot_new();
    assert_non_null(monitor->snapshot);
    cx_monitor_set_done(set, monitor);
    cx_monitor_set_read_all_again(set);
    assert_null(monitor->snapshot);
    (void)next(set, "1001", CX_STEP_SNAPSHOT);

    monitor->snapshot = cx_snapshot_new(); /* under way: it is only marked */
    assert_non_null(monitor->snapshot);
    cx_monitor_set_read_again(set, monitor);
    assert_true(cx_snapshot_is_overtaken(monitor->snapshot));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_device_goes_from_monitor_to_snapshot_before_the_next_one),
        CASE(hastened_devices_come_first),
        CASE(a_device_is_worked_on_once_at_a_time),
        CASE(refused_devices_wait_longer_each_time),
        CASE(somebody_who_waits_never_waits_longer_than_five_seconds),
        CASE(an_unwanted_device_is_stopped_and_forgotten),
        CASE(wanted_again_while_it_stops_it_begins_anew),
        CASE(unwanted_while_it_begins_it_is_stopped),
        CASE(an_identifier_belongs_to_one_device),
        CASE(a_new_link_begins_everything_anew),
        CASE(segments_that_do_not_come_count_as_a_refusal),
        CASE(reading_again_gives_up_an_old_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
