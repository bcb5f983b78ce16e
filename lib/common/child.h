/* child.h - runs other programs from the event loop: with a budget, a kill escalation, captured
 * output, and no inherited descriptors. Nothing here blocks the loop.
 *
 * Two kinds: a *command* ends by itself within its budget (drbdadm, mount, pg_ctl); a *service*
 * stays (postgres, gateway, corosync) and its exit is an event. A child that survives SIGKILL
 * (uninterruptible in a frozen file system) is reported as -ETIMEDOUT and abandoned: its later exit
 * is reaped silently. Secrets go by standard input or file, never by argument. */
#ifndef OG_COMMON_CHILD_H
#define OG_COMMON_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct child; /* one run; owned by the module until its callback has returned */

struct child_result {
    int status;          /* exit code 0..255; 128+signal when killed by a signal;
                          * -ETIMEDOUT budget exceeded; other -errno: could not start */
    const char *output;  /* stdout and stderr together, NUL-terminated, first 64 KiB;
                          * borrowed, valid during the callback */
    size_t output_bytes;
    uint64_t took_ms;
};

typedef void (*child_done_fn)(void *context, const struct child_result *result);

struct child_options {
    const char *const *argv;  /* NULL-terminated; argv[0] is an absolute path or looked up in
                               * the fixed path /usr/local/sbin…/bin */
    const char *const *envp;  /* NULL: a small clean environment */
    const char *user;         /* NULL: as we are; else run as this user, its groups, own session */
    const char *folder;       /* NULL: "/" */
    const char *input;        /* NULL or bytes for standard input */
    uint64_t budget_ms;       /* 0: a service without end; else SIGTERM at budget, SIGKILL 1 s later */
    /* NULL, or each piece of stdout as it comes, any length; then not kept in the result (stderr
     * still is, and goes to the log with log_output). For services that stream. */
    void (*output)(void *context, const char *bytes, size_t len_bytes);
    bool log_output;          /* a service's lines go to our log at info, module = basename(argv[0]) */
    child_done_fn done;       /* called once from the loop, also when starting failed (then from the
                               * next loop turn) */
    void *context;
};

/* Starts the child. Returns the handle, or NULL with errno set when memory is short (done is then
 * not called). The handle dies by itself after done has returned. */
struct child *child_start(uv_loop_t *loop, const struct child_options *options);
/* Sends a signal to the child's whole process group; harmless when it has ended. */
void child_signal(struct child *child, int signal);
/* SIGTERM now, SIGKILL after grace_ms; done still comes. */
void child_stop(struct child *child, uint64_t grace_ms);
/* The owner goes away: done is not called any more, the process is killed and reaped. */
void child_abandon(struct child *child);
pid_t child_pid(const struct child *child);

#endif
