#include "cli/roxed_unit.h"

#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts the program; its standard output goes to output_fd (-1: ours), and with that its errors
 * to nowhere. */
static int spawn_program(char *const argv[], int output_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return -error;
    if (output_fd >= 0) {
        error = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (error == 0)
            error =
                posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    if (error == 0)
        error = posix_spawn(ret_pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static int wait_for_end(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* posix_spawn() takes its words as char *const[]; copies keep the constants constant. */
enum { WORD_CHARS = 256 };
struct words {
    char text[4][WORD_CHARS];
    char *argv[5];
};

static bool words_set(struct words *words, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list[i]);
        if (len >= WORD_CHARS)
            return false;
        memcpy(words->text[i], list[i], len + 1);
        words->argv[i] = words->text[i];
    }
    words->argv[count] = NULL;
    return true;
}

int roxed_unit_run(const char *systemctl, const char *verb, struct diag *diag)
{
    struct words words;
    const char *const list[] = {systemctl, verb, ROXED_UNIT};
    pid_t pid = 0;
    int r = words_set(&words, list, COUNT_OF(list)) ? spawn_program(words.argv, -1, &pid)
                                                    : -ENAMETOOLONG;
    if (r < 0)
        return diag_fail(diag, r, "cannot run %s: %s", systemctl, strerror(-r));
    r = wait_for_end(pid);
    return r < 0 ? diag_fail(diag, r, "waiting for %s: %s", systemctl, strerror(-r)) : r;
}

static size_t read_word(int fd, char *text, size_t cap_bytes)
{
    size_t used = 0;
    while (used + 1 < cap_bytes) {
        ssize_t n = read(fd, text + used, cap_bytes - 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    text[used] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return used;
}

bool roxed_unit_is_up(const char *systemctl)
{
    struct words words;
    const char *const list[] = {systemctl, "is-active", ROXED_UNIT};
    int ends[2];
    pid_t pid = 0;
    if (!words_set(&words, list, COUNT_OF(list)) || pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int r = spawn_program(words.argv, ends[1], &pid);
    (void)close(ends[1]);
    char state[64] = "";
    if (r == 0) {
        (void)read_word(ends[0], state, sizeof(state));
        (void)wait_for_end(pid);
    }
    (void)close(ends[0]);
    static const char *const up[] = {"active", "activating", "deactivating", "reloading"};
    for (size_t i = 0; i < COUNT_OF(up); i++)
        if (strcmp(state, up[i]) == 0)
            return true;
    return false;
}
