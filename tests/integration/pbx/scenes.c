#include "tests/integration/pbx/scenes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    pid_t pid;
    int output_fd;
};

static struct scene begin_scene(const struct CMUnitTest *test)
{
    struct scene scene = {.pid = -1, .output_fd = memfd_create("scene", MFD_CLOEXEC)};
    if (scene.output_fd >= 0)
        scene.pid = fork();
    if (scene.pid != 0)
        return scene;
    if (dup2(scene.output_fd, STDOUT_FILENO) < 0 || dup2(scene.output_fd, STDERR_FILENO) < 0)
        _exit(1);
    exit(_cmocka_run_group_tests(test->name, test, 1, NULL, NULL) == 0 ? 0 : 1);
}

/* Of a scene that went well only its last line is of interest. */
static bool end_scene(const struct scene *scene, const char *name)
{
    int status = -1;
    bool good = scene->pid > 0 && waitpid(scene->pid, &status, 0) == scene->pid && status == 0;
    (void)printf("%s %s\n", good ? "passed" : "FAILED", name);
    char piece[4096];
    ssize_t got = 0;
    off_t at = 0;
    while (!good && (got = pread(scene->output_fd, piece, sizeof(piece), at)) > 0) {
        (void)fwrite(piece, 1, (size_t)got, stdout);
        at += got;
    }
    if (scene->output_fd >= 0)
        (void)close(scene->output_fd);
    return good;
}

int scenes_run(const struct CMUnitTest *scenes, size_t count)
{
    int failed = 0;
    struct scene *running = calloc(count, sizeof(*running));
    if (running == NULL || count == 0)
        return 1;
    (void)fflush(stdout); /* else each child would write it once more */
    for (size_t i = 0; i < count; i++)
        running[i] = begin_scene(&scenes[i]);
    for (size_t i = 0; i < count; i++)
        failed += !end_scene(&running[i], scenes[i].name);
    (void)printf("%zu scenes, %d failed\n", count, failed);
    free(running);
    return failed;
}
