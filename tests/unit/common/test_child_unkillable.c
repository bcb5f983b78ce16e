/* A process that SIGKILL does not end: it waits for a file system that has taken its request and
 * does not answer (here FUSE; in service DRBD with its input and output frozen). Needs root and
 * /dev/fuse; works in a mount namespace of its own. */
#include "lib/common/child.h"

#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char folder[32], file[48];
    int fuse;
    pthread_t thread;
    uv_loop_t loop;
    int calls, status;
    uint64_t took_ms;
};

/* Greets the kernel, then takes every request and answers none. */
static void *serve_nothing(void *context)
{
    const struct scene *scene = context;
    union {
        struct fuse_in_header header;
        char bytes[FUSE_MIN_READ_BUFFER + 4096];
    } request;
    while (read(scene->fuse, &request, sizeof(request)) > 0 || errno == EINTR) {
        if (request.header.opcode != FUSE_INIT)
            continue;
        struct {
            struct fuse_out_header header;
            struct fuse_init_out init;
        } answer = {
            .header = {.len = sizeof(answer), .unique = request.header.unique},
            .init = {.major = FUSE_KERNEL_VERSION,
                     .minor = FUSE_KERNEL_MINOR_VERSION,
                     .max_write = 4096},
        };
        if (write(scene->fuse, &answer, sizeof(answer)) < 0)
            return NULL;
    }
    return NULL;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    if (scene == NULL)
        return -1;
    *state = scene;
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/og-frozen-XXXXXX");
    scene->fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    char options[80];
    (void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
                   scene->fuse);
    if (scene->fuse < 0 || mkdtemp(scene->folder) == NULL || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("frozen", scene->folder, "fuse", 0, options) != 0) {
        perror("a frozen file system cannot be made (root and /dev/fuse are needed)");
        return -1;
    }
    (void)snprintf(scene->file, sizeof(scene->file), "%s/file", scene->folder);
    if (pthread_create(&scene->thread, NULL, serve_nothing, scene) != 0)
        return -1;
    return uv_loop_init(&scene->loop);
}

static void on_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

/* The file system goes, the processes with it, and their late exits must free what waited. */
static int tear_down(void **state)
{
    struct scene *scene = *state;
    uv_timer_t timer;
    (void)umount2(scene->folder, MNT_FORCE | MNT_DETACH);
    (void)pthread_join(scene->thread, NULL);
    (void)close(scene->fuse);
    (void)rmdir(scene->folder);

    (void)uv_timer_init(&scene->loop, &timer);
    (void)uv_timer_start(&timer, on_timer, 1000, 0);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&scene->loop);
    free(scene);
    return r;
}

static void on_done(void *context, const struct child_result *result)
{
    struct scene *scene = context;
    scene->calls++;
    scene->status = result->status;
    scene->took_ms = result->took_ms;
}

static struct child *start_stuck(struct scene *scene, uint64_t budget_ms)
{
    const char *argv[] = {"stat", scene->file, NULL};
    struct child_options options = {
        .argv = argv, .budget_ms = budget_ms, .done = on_done, .context = scene};
    struct child *child = child_start(&scene->loop, &options);
    assert_non_null(child);
    return child;
}

static void it_is_reported_in_time_and_left_behind(void **state)
{
    struct scene *scene = *state;
    struct child *child = start_stuck(scene, 300);
    pid_t pid = child_pid(child);
    uint64_t start = common_boot_ms();
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT); /* ends: the process does not hold the loop */
    assert_int_equal(scene->calls, 1);
    assert_int_equal(scene->status, -ETIMEDOUT);
    uint64_t least = 300 + CHILD_KILL_AFTER_MS + CHILD_GIVE_UP_AFTER_MS;
    assert_in_range(scene->took_ms, least - 10, least + 3000);
    assert_in_range(common_boot_ms() - start, least - 10, least + 3000);
    assert_int_equal(kill(pid, 0), 0); /* it did survive SIGKILL */
}

static void an_abandoned_one_does_not_hold_the_loop(void **state)
{
    struct scene *scene = *state;
    struct child *child = start_stuck(scene, 0);
    pid_t pid = child_pid(child);
    /* until it is stuck: abandoned earlier, it would simply die */
    uv_timer_t timer;
    (void)uv_timer_init(&scene->loop, &timer);
    (void)uv_timer_start(&timer, on_timer, 300, 0);
    while (!uv_is_closing((uv_handle_t *)&timer))
        (void)uv_run(&scene->loop, UV_RUN_ONCE);
    child_abandon(child);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(scene->calls, 0);
    assert_int_equal(kill(pid, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_reported_in_time_and_left_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abandoned_one_does_not_hold_the_loop, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
