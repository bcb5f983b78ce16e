#include "lib/common/child_launch.h"

#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIXED_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Handed down when set: they keep the libraries off instructions that the virtual machine breaks.
 */
static const char *const handed_down[] = {"GLIBC_TUNABLES", "OPENSSL_ia32cap"};

static int find_program(struct child_launch *launch, const char *name, struct diag *diag)
{
    size_t cap = sizeof(launch->program);
    if (strchr(name, '/') != NULL) {
        int len = snprintf(launch->program, cap, "%s", name);
        return len >= 0 && (size_t)len < cap
                   ? 0
                   : diag_fail(diag, -ENAMETOOLONG, "a program's path is too long");
    }
    for (const char *folder = FIXED_PATH; *folder != '\0';) {
        int len = (int)strcspn(folder, ":");
        (void)snprintf(launch->program, cap, "%.*s/%s", len, folder, name);
        if (access(launch->program, X_OK) == 0)
            return 0;
        folder += len + (folder[len] == ':');
    }
    return diag_fail(diag, -ENOENT, "%s: no such program in " FIXED_PATH, name);
}

static int set_user(uv_process_options_t *spawn, const char *user, struct diag *diag)
{
    struct passwd entry, *found = NULL;
    char memory[4096];
    int r = getpwnam_r(user, &entry, memory, sizeof(memory), &found);
    if (found == NULL)
        return diag_fail(diag, r != 0 ? -r : -ESRCH, "user %s does not exist", user);
    spawn->uid = entry.pw_uid;
    spawn->gid = entry.pw_gid;
    /* uv_spawn drops the supplementary groups before it changes user */
    spawn->flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
    return 0;
}

static bool names_variable(const char *entry, const char *name)
{
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static int add_variable(char **environment, size_t *count, const char *name, const char *value)
{
    for (size_t i = 0; i < *count; i++)
        if (names_variable(environment[i], name))
            return 0;
    if (asprintf(&environment[*count], "%s=%s", name, value) < 0) {
        environment[*count] = NULL;
        return -ENOMEM;
    }
    (*count)++;
    return 0;
}

static int build_environment(struct child_launch *launch, const char *const *envp)
{
    size_t given = 0, count = 0;
    while (envp != NULL && envp[given] != NULL)
        given++;
    launch->environment = calloc(given + COUNT_OF(handed_down) + 3, sizeof(char *));
    if (launch->environment == NULL)
        return -ENOMEM;

    for (; count < given; count++) {
        launch->environment[count] = strdup(envp[count]);
        if (launch->environment[count] == NULL)
            return -ENOMEM;
    }
    int r = 0;
    if (envp == NULL) {
        r = add_variable(launch->environment, &count, "PATH", FIXED_PATH);
        if (r == 0)
            r = add_variable(launch->environment, &count, "LANG", "C.UTF-8");
    }
    for (size_t i = 0; i < COUNT_OF(handed_down) && r == 0; i++) {
        const char *value = getenv(handed_down[i]); /* NOLINT(concurrency-mt-unsafe) */
        if (value != NULL)
            r = add_variable(launch->environment, &count, handed_down[i], value);
    }
    return r;
}

/* A file in memory rather than a pipe: it takes any length at once, and a child that does not read
 * it costs no SIGPIPE. */
static int fill_input(struct child_launch *launch, const char *input)
{
    launch->input_fd = memfd_create("input", MFD_CLOEXEC);
    if (launch->input_fd < 0)
        return -errno;
    for (size_t left = strlen(input); left > 0;) {
        ssize_t done = write(launch->input_fd, input, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        input += done;
        left -= (size_t)done;
    }
    return lseek(launch->input_fd, 0, SEEK_SET) == 0 ? 0 : -errno;
}

static int open_output(int *ret_ours, int *ret_childs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    *ret_ours = ends[0];
    *ret_childs = ends[1];
    return 0;
}

static void inherit(uv_stdio_container_t *stdio, int fd)
{
    stdio->flags = fd >= 0 ? UV_INHERIT_FD : UV_IGNORE; /* UV_IGNORE means /dev/null */
    stdio->data.fd = fd;
}

static int set_descriptors(struct child_launch *launch, const struct child_options *options)
{
    int r = options->input != NULL ? fill_input(launch, options->input) : 0;
    if (r == 0)
        r = open_output(&launch->text_fd, &launch->text_end);
    if (r == 0 && options->output != NULL)
        r = open_output(&launch->raw_fd, &launch->raw_end);
    if (r < 0)
        return r;
    inherit(&launch->stdio[0], launch->input_fd);
    inherit(&launch->stdio[1], options->output != NULL ? launch->raw_end : launch->text_end);
    inherit(&launch->stdio[2], launch->text_end);
    launch->spawn.stdio = launch->stdio;
    launch->spawn.stdio_count = COUNT_OF(launch->stdio);

    /* Every descriptor of ours is opened close-on-exec; this covers the libraries that forget it.
     * It needs Linux 5.11, and older kernels lose only this second net. */
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

int child_launch_prepare(struct child_launch *launch, const struct child_options *options,
                         struct diag *diag)
{
    *launch = (struct child_launch){
        .input_fd = -1, .text_fd = -1, .raw_fd = -1, .text_end = -1, .raw_end = -1};
    int r = find_program(launch, options->argv[0], diag);
    if (r == 0 && options->user != NULL)
        r = set_user(&launch->spawn, options->user, diag);
    if (r < 0)
        return r;

    r = build_environment(launch, options->envp);
    if (r == 0)
        r = set_descriptors(launch, options);
    if (r < 0)
        return diag_fail(diag, r, "%s could not be prepared: %s", options->argv[0],
                         strerrordesc_np(-r));

    launch->spawn.file = launch->program;
    /* uv's type lacks the const that execve() promises */
    launch->spawn.args = (char **)(uintptr_t)options->argv; /* NOLINT(performance-no-int-to-ptr) */
    launch->spawn.env = launch->environment;
    launch->spawn.cwd = options->folder != NULL ? options->folder : "/";
    launch->spawn.flags |= UV_PROCESS_DETACHED; /* setsid(): signals reach the whole group */
    return 0;
}

void child_launch_done(struct child_launch *launch)
{
    common_closep(&launch->input_fd);
    common_closep(&launch->text_fd);
    common_closep(&launch->raw_fd);
    common_closep(&launch->text_end);
    common_closep(&launch->raw_end);
    for (char **entry = launch->environment; entry != NULL && *entry != NULL; entry++)
        free(*entry);
    free(launch->environment);
    launch->environment = NULL;
}
