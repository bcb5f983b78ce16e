/* child.h - runs other programs from the event loop: with a budget, a kill escalation, captured
 * output, and no inherited descriptors. Nothing here blocks the loop.
 *
 * Two kinds: a *command* ends by itself within its budget (drbdadm, mount, pg_ctl); a *service*
 * stays (postgres, gateway, corosync) and its exit is an event. A child that survives SIGKILL
 * (uninterruptible in a frozen file system) is reported as -ETIMEDOUT and abandoned: its later exit
 * is reaped silently. Secrets go by standard input or file, never by argument.
 *
 * Every child leads a session and process group of its own, with default signal handling and
 * without descriptors of ours but 0, 1, 2. When it had to be stopped, its whole group is killed
 * behind it; when it ended by itself, what it left behind (pg_ctl's postmaster) lives on. A child
 * whose descendants keep its output open counts as ended CHILD_DRAIN_MS after its own exit.
 * Starting waits until the program is loaded (uv_spawn): program files lie on the system disk. */
#ifndef OG_COMMON_CHILD_H
#define OG_COMMON_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum {
    CHILD_OUTPUT_BYTES = 64 << 10, /* what is kept; the rest is read and dropped */
    CHILD_DRAIN_MS = 200,
    CHILD_KILL_AFTER_MS = 1000,   /* from SIGTERM at the end of the budget to SIGKILL */
    CHILD_GIVE_UP_AFTER_MS = 1000 /* from SIGKILL to -ETIMEDOUT */
};

struct child; /* one run; owned by the module until its callback has returned */

struct child_result {
    int status;         /* exit code 0..255; 128+signal when killed by a signal;
                         * -ETIMEDOUT budget exceeded, or alive after SIGKILL; other -errno: could
                         * not start, and output says why */
    const char *output; /* stdout and stderr together, NUL-terminated, first 64 KiB;
                         * borrowed, valid during the callback */
    size_t output_bytes;
    uint64_t took_ms;
};

typedef void (*child_done_fn)(void *context, const struct child_result *result);

struct child_options {
    const char *const *argv; /* NULL-terminated; argv[0] is an absolute path or looked up in
                              * the fixed path /usr/local/sbin…/bin */
    const char *const *envp; /* NULL: PATH (the fixed path) and LANG=C.UTF-8. Either way
                              * GLIBC_TUNABLES and OPENSSL_ia32cap are handed down when set: on
                              * some virtual machines programs compute nonsense without them */
    const char *user;        /* NULL: as we are; else this user and its primary group only,
                              * supplementary groups are dropped */
    const char *folder;      /* NULL: "/" */
    const char *input;       /* NULL or bytes for standard input */
    uint64_t budget_ms; /* 0: a service without end; else SIGTERM at budget, SIGKILL 1 s later */
    bool log_output;    /* a service's lines go to our log at info, module = basename(argv[0]) */
    /* NULL, or each piece of stdout as it comes, any length; then not kept in the result and not
     * logged (stderr still is, with log_output). For services that stream. Comes before done; may
     * call child_abandon(). */
    void (*output)(void *context, const char *bytes, size_t len_bytes);
    child_done_fn done; /* NULL is fine. Called once from the loop, also when starting failed
                         * (then from the next loop turn) */
    void *context;
};

/* Starts the child. Returns the handle, or NULL with errno set when memory is short (done is then
 * not called). The handle dies by itself after done has returned. */
struct child *child_start(uv_loop_t *loop, const struct child_options *options);
/* Sends a signal to the child's whole process group; harmless when it has ended but done has not
 * returned yet. */
void child_signal(struct child *child, int signal);
/* SIGTERM now, SIGKILL after grace_ms; done still comes. */
void child_stop(struct child *child, uint64_t grace_ms);
/* The owner goes away: done is not called any more, the process is killed and reaped. */
void child_abandon(struct child *child);
pid_t child_pid(const struct child *child); /* 0 when it could not be started */

#endif
