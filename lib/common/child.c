#include "lib/common/child.h"

#include "lib/common/buf.h"
#include "lib/common/child_launch.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 8192, LINE_BYTES = 1024, MODULE_CHARS = 32 };

enum phase {
    PHASE_FAILED,  /* never started; the timer brings the report in the next turn */
    PHASE_RUNNING, /* the timer, if armed, is the budget */
    PHASE_TERM,    /* SIGTERM sent; the timer brings SIGKILL */
    PHASE_KILL,    /* SIGKILL sent; the timer gives up */
    PHASE_DRAIN    /* exited; the timer ends waiting for the output's end */
};

struct child {
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t text; /* standard output and error together, or error alone beside `raw` */
    uv_pipe_t raw;  /* standard output for options.output */
    bool process_open, text_open, raw_open;
    int handles; /* initialised and not closed: the struct goes with the last */

    child_done_fn done;
    void (*output)(void *context, const char *bytes, size_t len_bytes);
    void *context;
    bool log_output;
    char module[MODULE_CHARS];

    enum phase phase;
    bool stopped; /* by us: its group dies with it */
    bool exited;
    bool timed_out;
    bool reported; /* done was called or is not wanted any more */
    int status;
    uint64_t started_ms;

    struct buf captured;
    size_t line_len;
    char line[LINE_BYTES];
    char piece[PIECE_BYTES];
};

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    if (--child->handles > 0)
        return;
    buf_done(&child->captured);
    free(child);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_pipes(struct child *child)
{
    if (child->text_open)
        close_handle(&child->text);
    if (child->raw_open)
        close_handle(&child->raw);
    child->text_open = child->raw_open = false;
}

static void kill_group(const struct child *child, int signal)
{
    if (child->process.pid > 0)
        (void)kill(-child->process.pid, signal);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct child *child, uint64_t delay_ms)
{
    uv_update_time(child->timer.loop);
    (void)uv_timer_start(&child->timer, on_timer, delay_ms, 0);
}

static void log_line(struct child *child)
{
    while (child->line_len > 0 && child->line[child->line_len - 1] == '\r')
        child->line_len--;
    if (child->line_len > 0)
        log_info(child->module, "%.*s", (int)child->line_len, child->line);
    child->line_len = 0;
}

/* An endless line is logged in pieces rather than kept. */
static void log_bytes(struct child *child, const char *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes[i] == '\n') {
            log_line(child);
            continue;
        }
        if (child->line_len == sizeof(child->line))
            log_line(child);
        child->line[child->line_len++] = bytes[i];
    }
}

/* Tells the owner, once, and lets everything go that can go. A process that SIGKILL did not end
 * keeps the struct alive until it is reaped, but not the loop. */
static void report(struct child *child)
{
    if (!child->reported) {
        child->reported = true;
        log_line(child);
        buf_add(&child->captured, "", 0);
        const struct child_result result = {
            .status = child->timed_out ? -ETIMEDOUT : child->status,
            .output = child->captured.data != NULL ? child->captured.data : "",
            .output_bytes = child->captured.len_bytes,
            .took_ms = common_boot_ms() - child->started_ms,
        };
        if (child->done != NULL)
            child->done(child->context, &result);
    }
    close_pipes(child);
    close_handle(&child->timer);
    if (!child->process_open)
        return;
    if (child->exited || child->phase == PHASE_FAILED)
        close_handle(&child->process);
    else
        uv_unref((uv_handle_t *)&child->process);
}

static void report_if_ended(struct child *child)
{
    if (child->exited && !child->text_open && !child->raw_open)
        report(child);
}

static void on_timer(uv_timer_t *timer)
{
    struct child *child = timer->data;
    switch (child->phase) {
    case PHASE_RUNNING:
        child->timed_out = true;
        child_stop(child, CHILD_KILL_AFTER_MS);
        break;
    case PHASE_TERM:
        child->phase = PHASE_KILL;
        kill_group(child, SIGKILL);
        arm(child, CHILD_GIVE_UP_AFTER_MS);
        break;
    case PHASE_KILL:
        child->timed_out = true;
        report(child);
        break;
    case PHASE_FAILED:
    case PHASE_DRAIN:
        report(child);
        break;
    }
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct child *child = process->data;
    child->exited = true;
    child->status = term_signal != 0 ? 128 + term_signal : (int)exit_status;
    if (child->stopped)
        kill_group(child, SIGKILL);
    if (uv_is_closing((uv_handle_t *)&child->timer)) {
        close_handle(process); /* it was given up before: only the reaping was left */
        return;
    }
    child->phase = PHASE_DRAIN;
    arm(child, CHILD_DRAIN_MS);
    report_if_ended(child);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf)
{
    struct child *child = handle->data;
    (void)suggested_bytes;
    *buf = uv_buf_init(child->piece, sizeof(child->piece));
}

static void on_text(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct child *child = stream->data;
    if (len < 0) {
        child->text_open = false;
        close_handle(stream);
        report_if_ended(child);
        return;
    }
    size_t room = CHILD_OUTPUT_BYTES - child->captured.len_bytes;
    buf_add(&child->captured, buf->base, (size_t)len < room ? (size_t)len : room);
    if (child->log_output)
        log_bytes(child, buf->base, (size_t)len);
}

static void on_raw(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct child *child = stream->data;
    if (len < 0) {
        child->raw_open = false;
        close_handle(stream);
        report_if_ended(child);
        return;
    }
    if (len > 0 && child->output != NULL)
        child->output(child->context, buf->base, (size_t)len);
}

static int open_pipe(struct child *child, uv_pipe_t *pipe, bool *open, int fd, uv_read_cb on_read)
{
    if (fd < 0)
        return 0;
    (void)uv_pipe_init(child->timer.loop, pipe, 0);
    pipe->data = child;
    child->handles++;
    *open = true;
    int r = uv_pipe_open(pipe, fd);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    return uv_read_start((uv_stream_t *)pipe, on_alloc, on_read);
}

static int start(struct child *child, const struct child_options *options)
{
    struct child_launch launch;
    struct diag diag = {0};
    int r = child_launch_prepare(&launch, options, &diag);
    if (r == 0)
        r = open_pipe(child, &child->text, &child->text_open, TAKE_FD(launch.text_fd), on_text);
    if (r == 0)
        r = open_pipe(child, &child->raw, &child->raw_open, TAKE_FD(launch.raw_fd), on_raw);
    if (r == 0) {
        launch.spawn.exit_cb = on_exit_status;
        r = uv_spawn(child->timer.loop, &child->process, &launch.spawn);
        child->process_open = true; /* a handle to be closed also when spawning failed */
        child->handles++;
        if (r < 0)
            child->process.pid = 0;
    }
    child_launch_done(&launch);
    if (r < 0 && diag.text[0] == '\0')
        (void)diag_fail(&diag, r, "%s could not be started: %s", options->argv[0], uv_strerror(r));
    buf_adds(&child->captured, diag.text);
    return r;
}

struct child *child_start(uv_loop_t *loop, const struct child_options *options)
{
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    child->process.data = child->timer.data = child;
    child->done = options->done;
    child->output = options->output;
    child->context = options->context;
    child->log_output = options->log_output;
    const char *slash = strrchr(options->argv[0], '/');
    (void)snprintf(child->module, sizeof(child->module), "%s",
                   slash != NULL ? slash + 1 : options->argv[0]);
    child->started_ms = common_boot_ms();
    (void)uv_timer_init(loop, &child->timer);
    child->handles = 1;

    child->phase = PHASE_RUNNING;
    child->status = start(child, options);
    if (child->status < 0) {
        child->phase = PHASE_FAILED;
        arm(child, 0);
    } else if (options->budget_ms > 0) {
        arm(child, options->budget_ms);
    }
    return child;
}

void child_signal(struct child *child, int signal)
{
    if (!child->exited)
        kill_group(child, signal);
}

void child_stop(struct child *child, uint64_t grace_ms)
{
    if (child->phase != PHASE_RUNNING)
        return;
    child->stopped = true;
    child->phase = PHASE_TERM;
    kill_group(child, SIGTERM);
    arm(child, grace_ms);
}

void child_abandon(struct child *child)
{
    if (child->reported)
        return;
    child->reported = true;
    child->done = NULL;
    child->output = NULL;
    close_pipes(child);
    if (child->phase == PHASE_FAILED || child->exited) {
        report(child);
        return;
    }
    child->stopped = true;
    child->phase = PHASE_KILL;
    kill_group(child, SIGKILL);
    arm(child, CHILD_GIVE_UP_AFTER_MS);
}

pid_t child_pid(const struct child *child)
{
    return child->process.pid;
}
