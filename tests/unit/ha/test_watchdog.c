#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/watchdog_device.h"
#include "lib/common/common.h"

/* A kernel of our own: counts what the watchdog does to it. */
struct fake {
    struct watchdog_kernel kernel;
    char folder[64];
    atomic_uint kicks, resets, closes, magic_closes, timeouts_set, loads;
    unsigned timeout_s;
    unsigned timeout_granted_s; /* 0: as asked */
    int open_error, set_error, load_error;
    bool load_creates;
    char opened[WATCHDOG_TEXT_CHARS];
    const char *identity;
};

static int fake_open(void *context, const char *path)
{
    struct fake *fake = context;
    (void)snprintf(fake->opened, sizeof(fake->opened), "%s", path);
    return fake->open_error < 0 ? fake->open_error : 1000;
}

static int fake_identity(void *context, int fd, char *out, size_t cap_chars)
{
    const struct fake *fake = context;
    (void)fd;
    (void)snprintf(out, cap_chars, "%s", fake->identity);
    return 0;
}

static int fake_set_timeout(void *context, int fd, unsigned timeout_s)
{
    struct fake *fake = context;
    (void)fd;
    fake->timeouts_set++;
    fake->timeout_s = timeout_s;
    return fake->set_error;
}

static int fake_get_timeout(void *context, int fd, unsigned *ret_timeout_s)
{
    const struct fake *fake = context;
    (void)fd;
    *ret_timeout_s = fake->timeout_granted_s != 0 ? fake->timeout_granted_s : fake->timeout_s;
    return 0;
}

static int fake_kick(void *context, int fd)
{
    struct fake *fake = context;
    (void)fd;
    fake->kicks++;
    return 0;
}

static void fake_close(void *context, int fd, bool magic)
{
    struct fake *fake = context;
    (void)fd;
    fake->closes++;
    fake->magic_closes += magic;
}

static void add_device(const struct fake *fake, const char *name, const char *identity)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fake->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    if (identity == NULL)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s/identity", fake->folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(file, "%s\n", identity);
    (void)fclose(file);
}

static int fake_load(void *context, unsigned timeout_s)
{
    struct fake *fake = context;
    (void)timeout_s;
    fake->loads++;
    if (fake->load_creates)
        add_device(fake, "watchdog1", "Software Watchdog");
    return fake->load_error;
}

static void fake_reset(void *context)
{
    struct fake *fake = context;
    fake->resets++;
}

static int set_up(void **state)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    (void)snprintf(fake->folder, sizeof(fake->folder), "/tmp/watchdog-test-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    fake->identity = "Test Watchdog";
    fake->kernel = (struct watchdog_kernel){.open = fake_open,
                                            .get_identity = fake_identity,
                                            .set_timeout = fake_set_timeout,
                                            .get_timeout = fake_get_timeout,
                                            .kick = fake_kick,
                                            .close = fake_close,
                                            .load_softdog = fake_load,
                                            .reset = fake_reset,
                                            .class_folder = fake->folder,
                                            .context = fake};
    *state = fake;
    return 0;
}

static int tear_down(void **state)
{
    struct fake *fake = *state;
    static const char *const names[] = {"watchdog0", "watchdog1", "watchdog2", "watchdog10",
                                        "other"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s/%s/identity", fake->folder, names[i]);
        (void)unlink(path);
        (void)snprintf(path, sizeof(path), "%s/%s", fake->folder, names[i]);
        (void)rmdir(path);
    }
    assert_int_equal(rmdir(fake->folder), 0);
    free(fake);
    return 0;
}

static struct watchdog *start(struct fake *fake)
{
    const struct watchdog_options options = {
        .device = "/dev/test", .timeout_s = 2, .renew_period_ms = 250};
    struct watchdog *watchdog = NULL;
    struct diag diag = {0};
    assert_int_equal(watchdog_new_with(&fake->kernel, &options, &watchdog, &diag), 0);
    return watchdog;
}

static void sleep_ms(unsigned ms)
{
    (void)usleep(ms * 1000);
}

/* --- the thread ---------------------------------------------------------------------------- */

static void it_kicks_while_the_deadline_is_ahead(void **state)
{
    struct fake *fake = *state;
    struct watchdog *watchdog = start(fake);
    watchdog_allow_kick(watchdog, common_boot_ms() + 10000);
    sleep_ms(1000);
    assert_in_range(fake->kicks, 3, 12);
    watchdog_free(watchdog, true);
    assert_int_equal(fake->magic_closes, 1);
}

static void it_stops_kicking_when_the_deadline_passes_and_goes_on_with_a_new_one(void **state)
{
    struct fake *fake = *state;
    struct watchdog *watchdog = start(fake);
    watchdog_allow_kick(watchdog, common_boot_ms() + 200);
    sleep_ms(400);
    unsigned before = fake->kicks;
    sleep_ms(500);
    assert_int_equal(fake->kicks, before);
    watchdog_allow_kick(watchdog, common_boot_ms() + 10000);
    sleep_ms(500);
    assert_true(fake->kicks > before);
    watchdog_free(watchdog, true);
}

static void a_reset_comes_from_the_thread_at_once_and_ends_all_kicks(void **state)
{
    struct fake *fake = *state;
    struct watchdog *watchdog = start(fake);
    watchdog_allow_kick(watchdog, common_boot_ms() + 10000);
    sleep_ms(150);
    watchdog_reset_now(watchdog);
    for (int i = 0; i < 500 && fake->resets == 0; i++)
        sleep_ms(1);
    assert_int_equal(fake->resets, 1);
    assert_int_equal(fake->timeout_s, 1); /* the shortest, should the reset hang */
    unsigned before = fake->kicks;
    watchdog_allow_kick(watchdog, common_boot_ms() + 10000);
    sleep_ms(300);
    assert_int_equal(fake->kicks, before);
    assert_int_equal(fake->resets, 1);
    watchdog_free(watchdog, true);
    assert_int_equal(fake->magic_closes, 0); /* a machine told to reset is not let off */
    assert_int_equal(fake->closes, 1);
}

static void without_disarming_the_device_runs_on(void **state)
{
    struct fake *fake = *state;
    watchdog_free(start(fake), false);
    assert_int_equal(fake->closes, 1);
    assert_int_equal(fake->magic_closes, 0);
}

static void off_opens_no_device_and_still_resets(void **state)
{
    struct fake *fake = *state;
    const struct watchdog_options options = {.no_device = true, .renew_period_ms = 500};
    struct watchdog *watchdog = NULL;
    assert_int_equal(watchdog_new_with(&fake->kernel, &options, &watchdog, NULL), 0);
    watchdog_allow_kick(watchdog, common_boot_ms() + 10000);
    sleep_ms(250);
    assert_int_equal(fake->kicks, 0);
    struct watchdog_status status;
    watchdog_get_status(watchdog, &status);
    assert_string_equal(status.device, "");
    watchdog_reset_now(watchdog);
    for (int i = 0; i < 500 && fake->resets == 0; i++)
        sleep_ms(1);
    assert_int_equal(fake->resets, 1);
    watchdog_free(watchdog, true);
    assert_int_equal(fake->closes, 0);
}

static void the_status_tells_what_was_opened(void **state)
{
    struct fake *fake = *state;
    fake->identity = "Software Watchdog";
    struct watchdog *watchdog = start(fake);
    sleep_ms(150);
    struct watchdog_status status;
    watchdog_get_status(watchdog, &status);
    assert_string_equal(status.device, "/dev/test");
    assert_string_equal(status.identity, "Software Watchdog");
    assert_true(status.software);
    assert_int_equal(status.timeout_s, 2);
    assert_true(status.kicks > 0); /* armed devices are kicked from the start */
    assert_true(status.real_time == (status.real_time_refusal[0] == '\0'));
    watchdog_free(watchdog, true);
}

static void impossible_options_are_refused_with_a_reason(void **state)
{
    struct fake *fake = *state;
    struct watchdog *watchdog = NULL;
    struct diag diag = {0};
    const struct watchdog_options no_time = {.renew_period_ms = 500};
    assert_int_equal(watchdog_new_with(&fake->kernel, &no_time, &watchdog, &diag), -EINVAL);
    assert_non_null(strstr(diag.text, "60 s"));
    const struct watchdog_options no_period = {.timeout_s = 2};
    assert_int_equal(watchdog_new_with(&fake->kernel, &no_period, &watchdog, &diag), -EINVAL);
    assert_null(watchdog);
    assert_int_equal(fake->opened[0], '\0');
}

/* --- choosing a device --------------------------------------------------------------------- */

static void hardware_comes_before_softdog_and_lower_numbers_first(void **state)
{
    struct fake *fake = *state;
    add_device(fake, "watchdog0", "Software Watchdog");
    add_device(fake, "watchdog10", "iTCO_wdt");
    add_device(fake, "watchdog2", "i6300ESB timer");
    add_device(fake, "other", "iTCO_wdt");
    struct watchdog_candidate list[WATCHDOG_CANDIDATES_MAX];
    assert_int_equal(watchdog_candidates_list(fake->folder, list), 3);
    assert_string_equal(list[0].path, "/dev/watchdog2");
    assert_string_equal(list[1].path, "/dev/watchdog10");
    assert_string_equal(list[2].path, "/dev/watchdog0");
    assert_true(list[2].software && !list[0].software);
}

static void a_machine_without_watchdog_gets_softdog(void **state)
{
    struct fake *fake = *state;
    fake->load_creates = true;
    struct watchdog_device device;
    assert_int_equal(watchdog_device_open(&fake->kernel, NULL, 2, &device, NULL), 0);
    assert_int_equal(fake->loads, 1);
    assert_string_equal(device.path, "/dev/watchdog1");
}

static void without_softdog_there_is_no_watchdog_and_it_says_so(void **state)
{
    struct fake *fake = *state;
    fake->load_error = -ENOENT;
    struct watchdog_device device;
    struct diag diag = {0};
    assert_int_equal(watchdog_device_open(&fake->kernel, NULL, 2, &device, &diag), -ENODEV);
    assert_non_null(strstr(diag.text, "softdog"));
}

static void a_device_that_takes_only_longer_times_is_closed_and_refused(void **state)
{
    struct fake *fake = *state;
    fake->timeout_granted_s = 5;
    struct watchdog_device device;
    struct diag diag = {0};
    assert_int_equal(watchdog_device_open(&fake->kernel, "/dev/test", 2, &device, &diag), -ERANGE);
    assert_int_equal(fake->magic_closes, 1);
    fake->timeout_granted_s = 1; /* shorter is stricter */
    assert_int_equal(watchdog_device_open(&fake->kernel, "/dev/test", 2, &device, &diag), 0);
    assert_int_equal(device.timeout_s, 1);
}

static void a_configured_device_that_is_in_use_is_an_error_and_no_other_is_taken(void **state)
{
    struct fake *fake = *state;
    add_device(fake, "watchdog0", "Software Watchdog");
    fake->open_error = -EBUSY;
    struct watchdog_device device;
    struct diag diag = {0};
    assert_int_equal(watchdog_device_open(&fake->kernel, "/dev/mine", 2, &device, &diag), -EBUSY);
    assert_string_equal(fake->opened, "/dev/mine");
    assert_non_null(strstr(diag.text, "another program"));
    assert_int_equal(fake->loads, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_kicks_while_the_deadline_is_ahead),
        CASE(it_stops_kicking_when_the_deadline_passes_and_goes_on_with_a_new_one),
        CASE(a_reset_comes_from_the_thread_at_once_and_ends_all_kicks),
        CASE(without_disarming_the_device_runs_on),
        CASE(off_opens_no_device_and_still_resets),
        CASE(the_status_tells_what_was_opened),
        CASE(impossible_options_are_refused_with_a_reason),
        CASE(hardware_comes_before_softdog_and_lower_numbers_first),
        CASE(a_machine_without_watchdog_gets_softdog),
        CASE(without_softdog_there_is_no_watchdog_and_it_says_so),
        CASE(a_device_that_takes_only_longer_times_is_closed_and_refused),
        CASE(a_configured_device_that_is_in_use_is_an_error_and_no_other_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
