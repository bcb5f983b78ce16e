#include "tests/integration/ha/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/common/common.h"

extern char **environ;

static void die(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerrordesc_np(errno));
    abort();
}

int support_run(bool quiet, const char *program, ...)
{
    char *arguments[64] = {NULL};
    size_t count = 0;
    va_list list;
    va_start(list, program);
    for (const char *next = program; next != NULL && count < COUNT_OF(arguments) - 1;
         next = va_arg(list, const char *))
        arguments[count++] = strdup(next);
    va_end(list);

    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    if (quiet) {
        (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    }
    pid_t pid = -1;
    int code = posix_spawnp(&pid, program, &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < count; i++)
        free(arguments[i]);
    if (code != 0) {
        (void)fprintf(stderr, "cannot run %s: %s\n", program, strerrordesc_np(code));
        return 127;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void support_must_at(const char *file, int line, int exit_code)
{
    if (exit_code == 0)
        return;
    (void)fprintf(stderr, "%s:%d: a program that must succeed ended with %d\n", file, line,
                  exit_code);
    abort();
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* only wakes the loop */
}

static void on_tick_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

bool support_loop_until(uv_loop_t *loop, const bool *flag, uint64_t ms)
{
    const uint64_t end_ms = common_boot_ms() + ms;
    bool closed = false;
    uv_timer_t tick = {.data = &closed};
    (void)uv_timer_init(loop, &tick);
    (void)uv_timer_start(&tick, on_tick, 5, 5);
    while (!(flag != NULL && *flag) && common_boot_ms() < end_ms)
        (void)uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, on_tick_closed);
    while (!closed)
        (void)uv_run(loop, UV_RUN_NOWAIT);
    return flag != NULL && *flag;
}

void support_loop_for(uv_loop_t *loop, uint64_t ms)
{
    (void)support_loop_until(loop, NULL, ms);
}

void support_loop_done(uv_loop_t *loop)
{
    (void)uv_run(loop, UV_RUN_DEFAULT);
    if (uv_loop_close(loop) != 0) {
        (void)fprintf(stderr, "handles are still open\n");
        abort();
    }
}

void support_write_file(const char *path, const char *text, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t bytes = strlen(text);
    if (fd < 0 || write(fd, text, bytes) != (ssize_t)bytes || fchmod(fd, mode) < 0 || close(fd) < 0)
        die(path);
}

/* --- namespaces ---------------------------------------------------------------------------- */

static int open_namespace(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("/proc/self/ns/net");
    return fd;
}

void support_net_enter(const struct support_net *net, int which)
{
    if (setns(which < 0 ? net->home_fd : net->fds[which], CLONE_NEWNET) < 0)
        die("setns");
}

static void add_cable(const struct support_net *net, const char *name, const char *subnet,
                      const char *ipv6)
{
    char other[64], address[64];
    (void)snprintf(other, sizeof(other), "/proc/%d/fd/%d", (int)getpid(), net->fds[1]);
    support_net_enter(net, 0);
    support_must("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", other,
                 NULL);
    for (int side = 0; side < 2; side++) {
        support_net_enter(net, side);
        (void)snprintf(address, sizeof(address), "%s.%d/24", subnet, side + 1);
        support_must("ip", "addr", "add", address, "dev", name, NULL);
        (void)snprintf(address, sizeof(address), "%s::%d/64", ipv6, side + 1);
        support_must("ip", "addr", "add", address, "dev", name, "nodad", NULL);
        support_must("ip", "link", "set", name, "up", NULL);
        support_must("ip", "link", "set", "lo", "up", NULL);
    }
}

void support_net_init(struct support_net *net)
{
    net->home_fd = open_namespace();
    for (int i = 0; i < 2; i++) {
        if (unshare(CLONE_NEWNET) < 0)
            die("a network namespace (the test needs root)");
        net->fds[i] = open_namespace();
    }
    add_cable(net, "lan", "10.9.0", "fd09");
    add_cable(net, "ic", "10.9.1", "fd19");
    support_net_enter(net, 0);
}

void support_net_done(struct support_net *net)
{
    support_net_enter(net, -1);
    for (int i = 0; i < 2; i++)
        (void)close(net->fds[i]);
    (void)close(net->home_fd);
}
