#include "drbd/drbdctl_link.h"

#include "drbd/drbd.h"
#include "drbd/drbdctl_job.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 2000,
    STREAM_STOP_MS = 500,
    MEASURE_EVERY_MS = 2000, /* 8.4 reports no progress by itself */
    MEASURE_BUDGET_MS = 4000,
    JOBS_MAX = 16,
};

struct drbdctl_link {
    uv_loop_t *loop;
    char resource[DRBDCTL_WORD_MAX];
    char disk[DRBDCTL_PATH_MAX], config_file[DRBDCTL_PATH_MAX];
    drbdctl_state_fn on_state;
    void *context;
    struct drbdctl_ops ops;

    struct drbdctl_events events;
    struct child *stream;
    struct timer *restart, *measure_timer;
    struct child *measure;
    uint64_t backoff_ms;
    uint64_t unreadable_seen;
    bool stream_complained; /* one log line per outage */
    bool stream_stopping;   /* its output is still read, its end will come */

    struct drbdctl_job *jobs;   /* oldest first; the first one runs */
    struct drbdctl_job *asides; /* jobs that run beside the others */
    unsigned job_count;

    unsigned depth; /* callbacks of ours on the stack: the struct must outlive them */
    bool closing;
};

/* --- effects --------------------------------------------------------------------------------- */

static struct child *real_start(void *context, uv_loop_t *loop, const struct child_options *options)
{
    (void)context;
    return child_start(loop, options);
}

static void real_stop(void *context, struct child *child, uint64_t grace_ms)
{
    (void)context;
    child_stop(child, grace_ms);
}

static void real_abandon(void *context, struct child *child)
{
    (void)context;
    child_abandon(child);
}

static bool real_module_loaded(void *context)
{
    (void)context;
    return access("/sys/module/drbd", F_OK) == 0; /* also with DRBD built into the kernel */
}

static const struct drbdctl_ops real_ops = {
    .start = real_start,
    .stop = real_stop,
    .abandon = real_abandon,
    .module_loaded = real_module_loaded,
};

/* --- life time ------------------------------------------------------------------------------- */

static void link_enter(struct drbdctl_link *link)
{
    link->depth++;
}

/* The last one out frees. True: the link is closing or gone, touch nothing more. */
static bool link_leave(struct drbdctl_link *link)
{
    link->depth--;
    if (!link->closing)
        return false;
    if (link->depth == 0)
        free(link);
    return true;
}

static void tell_state(struct drbdctl_link *link)
{
    for (struct drbdctl_job *job = link->jobs, *next; job != NULL && !link->closing; job = next) {
        next = drbdctl__job_next(job);
        drbdctl__job_state(job); /* may end the job that waits for this state */
    }
    if (!link->closing && link->on_state != NULL)
        link->on_state(link->context, &link->events.state);
}

/* --- progress of a resync -------------------------------------------------------------------- */

static void measure_done(void *context, const struct child_result *result)
{
    struct drbdctl_link *link = context;
    link->measure = NULL;
    if (result->status != 0)
        return;
    struct drbdctl_events now;
    drbdctl_events_init(&now, link->resource);
    (void)drbdctl_events_feed(&now, result->output, result->output_bytes, 0);
    link_enter(link);
    if (now.state.valid && now.state.replication == link->events.state.replication &&
        drbdctl_events_measure(&link->events, now.state.out_of_sync_kib, common_boot_ms()))
        tell_state(link);
    (void)link_leave(link);
}

static void measure_now(void *context)
{
    struct drbdctl_link *link = context;
    if (!link->events.state.progress.running || !link->events.state.valid || link->measure != NULL)
        return;
    static const char *const argv[] = {"drbdsetup",    "events2", "--now",
                                       "--statistics", "all",     NULL};
    const struct child_options options = {
        .argv = argv, .budget_ms = MEASURE_BUDGET_MS, .done = measure_done, .context = link};
    link->measure = link->ops.start(link->ops.context, link->loop, &options);
}

/* --- the event stream ------------------------------------------------------------------------ */

static void stream_start(void *context);

static void stream_retry(struct drbdctl_link *link)
{
    timer_start(link->restart, link->backoff_ms, 0);
    link->backoff_ms *= 2;
    if (link->backoff_ms > BACKOFF_MAX_MS)
        link->backoff_ms = BACKOFF_MAX_MS;
}

static void stream_output(void *context, const char *bytes, size_t len_bytes)
{
    struct drbdctl_link *link = context;
    link_enter(link);
    bool was_valid = link->events.state.valid;
    bool changed = drbdctl_events_feed(&link->events, bytes, len_bytes, common_boot_ms());
    if (link->events.state.valid && !link->stream_stopping) {
        link->backoff_ms = BACKOFF_MIN_MS;
        link->stream_complained = false;
    }
    if (link->events.state.unreadable != link->unreadable_seen && !link->stream_stopping) {
        /* what that line said is unknown: ask the kernel for the whole state again */
        link->unreadable_seen = link->events.state.unreadable;
        link->stream_stopping = true;
        log_warning("drbd", "a line of drbdsetup events2 cannot be read; reading the state anew");
        link->ops.stop(link->ops.context, link->stream, STREAM_STOP_MS);
    }
    if (changed && (was_valid || link->events.state.valid)) /* half a dump tells nothing */
        tell_state(link);
    (void)link_leave(link);
}

static void stream_done(void *context, const struct child_result *result)
{
    struct drbdctl_link *link = context;
    link_enter(link);
    link->stream = NULL;
    link->stream_stopping = false;
    link->unreadable_seen = link->events.state.unreadable;
    if (!link->stream_complained)
        log_warning("drbd", "drbdsetup events2 ended (%d), starting it again: %s", result->status,
                    result->output);
    link->stream_complained = true;
    bool was_valid = link->events.state.valid;
    drbdctl_events_restart(&link->events);
    stream_retry(link);
    if (was_valid)
        tell_state(link);
    (void)link_leave(link);
}

static void stream_start(void *context)
{
    struct drbdctl_link *link = context;
    /* "all": with a name the program ends whenever the resource is not up; other resources are
     * told apart by the parser */
    static const char *const argv[] = {"drbdsetup",    "events2", "--timestamps",
                                       "--statistics", "all",     NULL};
    const struct child_options options = {
        .argv = argv, .output = stream_output, .done = stream_done, .context = link};
    link->stream = link->ops.start(link->ops.context, link->loop, &options);
    if (link->stream == NULL)
        stream_retry(link);
}

/* --- commands -------------------------------------------------------------------------------- */

static bool runs_aside(enum drbdctl_command command)
{
    return command == DRBDCTL_COMMAND_GENERATION;
}

static struct drbdctl_job **job_place(struct drbdctl_link *link, const struct drbdctl_job *job)
{
    struct drbdctl_job **lists[] = {&link->jobs, &link->asides};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (struct drbdctl_job **place = lists[i]; *place != NULL;
             place = drbdctl__job_next_place(*place))
            if (*place == job)
                return place;
    return NULL;
}

/* A job ended: take it out, tell its owner, start the next one. */
static void job_ended(void *context, struct drbdctl_job *job)
{
    struct drbdctl_link *link = context;
    link_enter(link);
    struct drbdctl_job **place = job_place(link, job);
    bool was_first = place == &link->jobs;
    *place = drbdctl__job_next(job);
    link->job_count--;
    drbdctl__job_report(job);
    drbdctl__job_free(job);
    if (!link->closing && was_first && link->jobs != NULL)
        drbdctl__job_start(link->jobs);
    (void)link_leave(link);
}

int drbdctl_run(struct drbdctl_link *link, enum drbdctl_command command, drbdctl_done_fn done,
                void *context)
{
    if ((unsigned)command >= DRBDCTL_COMMAND_COUNT || done == NULL || link->closing)
        return -EINVAL;
    if (link->job_count >= JOBS_MAX)
        return -ENOBUFS;
    const struct drbdctl_job_options options = {
        .loop = link->loop,
        .ops = &link->ops,
        .resource = link->resource,
        .disk = link->disk,
        .config_file = link->config_file,
        .state = &link->events.state,
        .command = command,
        .done = done,
        .done_context = context,
        .ended = job_ended,
        .ended_context = link,
    };
    struct drbdctl_job *job = drbdctl__job_new(&options);
    if (job == NULL)
        return -ENOMEM;
    struct drbdctl_job **place = runs_aside(command) ? &link->asides : &link->jobs;
    bool is_first = *place == NULL;
    while (*place != NULL)
        place = drbdctl__job_next_place(*place);
    *place = job;
    link->job_count++;
    if (is_first || runs_aside(command))
        drbdctl__job_start(job);
    return 0;
}

bool drbdctl_is_busy(const struct drbdctl_link *link)
{
    return link->jobs != NULL;
}

const struct drbdctl_state *drbdctl_state(const struct drbdctl_link *link)
{
    return &link->events.state;
}

/* --- opening and closing --------------------------------------------------------------------- */

static int copy_text(char *to, size_t to_bytes, const char *from, const char *what,
                     struct diag *diag)
{
    int len = snprintf(to, to_bytes, "%s", from != NULL ? from : "");
    if (len < 0 || (size_t)len >= to_bytes)
        return diag_fail(diag, -EINVAL, "DRBD: the %s is too long", what);
    if (to[0] == '-')
        return diag_fail(diag, -EINVAL, "DRBD: the %s must not begin with '-'", what);
    return 0;
}

static int link_init(struct drbdctl_link *link, uv_loop_t *loop,
                     const struct drbdctl_options *options, struct diag *diag)
{
    link->loop = loop;
    link->on_state = options->on_state;
    link->context = options->context;
    link->ops = options->ops != NULL ? *options->ops : real_ops;
    link->backoff_ms = BACKOFF_MIN_MS;
    const char *resource = options->resource != NULL ? options->resource : DRBDCTL_RESOURCE;
    int r = copy_text(link->resource, sizeof(link->resource), resource, "resource name", diag);
    if (r == 0)
        r = copy_text(link->disk, sizeof(link->disk), options->disk, "backing disk", diag);
    if (r == 0)
        r = copy_text(link->config_file, sizeof(link->config_file), options->config_file,
                      "configuration file", diag);
    if (r < 0)
        return r;
    drbdctl_events_init(&link->events, link->resource);
    link->restart = timer_new(loop, stream_start, link);
    link->measure_timer = timer_new(loop, measure_now, link);
    if (link->restart == NULL || link->measure_timer == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the DRBD link");
    return 0;
}

int drbdctl_open(uv_loop_t *loop, const struct drbdctl_options *options,
                 struct drbdctl_link **ret_link, struct diag *diag)
{
    struct drbdctl_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the DRBD link");
    int r = link_init(link, loop, options, diag);
    if (r < 0) {
        timer_free(link->restart);
        timer_free(link->measure_timer);
        free(link);
        return r;
    }
    timer_start(link->measure_timer, MEASURE_EVERY_MS, MEASURE_EVERY_MS);
    stream_start(link);
    *ret_link = link;
    return 0;
}

static void drop_child(struct drbdctl_link *link, struct child **child)
{
    if (*child != NULL)
        link->ops.abandon(link->ops.context, *child);
    *child = NULL;
}

static void drop_jobs(struct drbdctl_job **list)
{
    while (*list != NULL) {
        struct drbdctl_job *job = *list;
        *list = drbdctl__job_next(job);
        drbdctl__job_cancel(job);
        drbdctl__job_report(job);
        drbdctl__job_free(job);
    }
}

void drbdctl_close(struct drbdctl_link *link)
{
    if (link == NULL || link->closing)
        return;
    link->closing = true;
    link->depth++;
    drop_child(link, &link->stream);
    drop_child(link, &link->measure);
    timer_free(link->restart);
    timer_free(link->measure_timer);
    drop_jobs(&link->jobs);
    drop_jobs(&link->asides);
    (void)link_leave(link);
}
