/* Real mounts of a small file system, in a mount name space of the test's own. */
#include "solution-control/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/og-volume.XXXXXX";
static char file[64];

struct world {
    uv_loop_t loop;
    struct volume *volume;
    int ended, error;
};

static void on_done(void *context, int error)
{
    struct world *world = context;
    world->ended++;
    world->error = error;
}

static void open_world(struct world *world, const char *type)
{
    const struct volume_options options = {
        .device = "small", .folder = folder, .type = type, .flags = MS_NOATIME};
    *world = (struct world){0};
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->volume = volume_new(&world->loop, &options);
    assert_non_null(world->volume);
}

static void close_world(struct world *world)
{
    assert_false(volume_is_busy(world->volume));
    volume_free(world->volume);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

static int mount_error(struct world *world)
{
    int before = world->ended;
    assert_int_equal(volume_mount(world->volume, on_done, world), 0);
    assert_int_equal(world->ended, before); /* from the loop only */
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->ended, before + 1);
    return world->error;
}

static int unmount_error(struct world *world)
{
    int before = world->ended;
    assert_int_equal(volume_unmount(world->volume, on_done, world), 0);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->ended, before + 1);
    return world->error;
}

static void what_is_written_lies_on_the_mounted_volume_only(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "tmpfs");
    assert_int_equal(mount_error(&world), 0);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unmount_error(&world), 0);
    assert_int_equal(access(file, F_OK), -1);
    close_world(&world);
}

static void a_volume_in_use_stays_mounted_and_says_so(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "tmpfs");
    assert_int_equal(mount_error(&world), 0);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(unmount_error(&world), -EBUSY);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unmount_error(&world), 0);
    close_world(&world);
}

static void what_the_kernel_refuses_is_reported(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "no-such-type");
    assert_int_equal(mount_error(&world), -ENODEV);
    assert_int_equal(unmount_error(&world), -EINVAL);
    close_world(&world);
}

static void a_second_call_is_refused_while_one_is_under_way(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, "tmpfs");
    assert_int_equal(volume_mount(world.volume, on_done, &world), 0);
    assert_true(volume_is_busy(world.volume));
    assert_int_equal(volume_unmount(world.volume, on_done, &world), -EBUSY);
    assert_int_equal(volume_mount(world.volume, on_done, &world), -EBUSY);
    (void)uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(world.ended, 1);
    assert_int_equal(world.error, 0);
    assert_int_equal(unmount_error(&world), 0);
    close_world(&world);
}

static int make_place(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(file, sizeof(file), "%s/file", folder);
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_lies_on_the_mounted_volume_only),
        cmocka_unit_test(a_volume_in_use_stays_mounted_and_says_so),
        cmocka_unit_test(what_the_kernel_refuses_is_reported),
        cmocka_unit_test(a_second_call_is_refused_while_one_is_under_way),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
