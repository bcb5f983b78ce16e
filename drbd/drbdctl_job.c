#include "drbd/drbdctl_job.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARGS_MAX = 10,
    STEPS_MAX = 8,
    READ_BACK_MS = 2000, /* events come within milliseconds; a restarted stream needs this long */
    READ_BACK_OUTDATE_MS = 1000, /* the peer waits for this answer, and no effect is likely */
    PROGRAM_MIN_MS = 100,
    HELD_TRIES = 6, /* udev and blkid look into a device for a moment after its last user left */
    HELD_PAUSE_MS = 100,
    TOOL_TEXT_MAX = 200, /* of the tool's words in our sentence */
    DISK_MIN_MIB = 64,
};

/* What a command consists of. A step either is done at once, or runs a program, or waits for the
 * event stream. */
enum step {
    STEP_END,
    STEP_MODULE,           /* modprobe, unless the module is there */
    STEP_UNLESS_NO_MODULE, /* nothing to do at all without it */
    STEP_DISK_SIZE,        /* the backing device exists and is large enough */
    STEP_NO_METADATA,      /* refuse where DRBD's are */
    STEP_NO_DATA,          /* refuse where anybody's are */
    STEP_WIPE,
    STEP_CREATE,
    STEP_CREATE_FORCED,
    STEP_METADATA, /* read back */
    STEP_ADJUST,
    STEP_PRIMARY,
    STEP_SECONDARY,
    STEP_CONNECT,
    STEP_DISCONNECT,
    STEP_OUTDATE,
    STEP_DOWN,
    STEP_FORM_ALLOWED,
    STEP_FORM_EMPTY, /* our own metadata never carried data */
    STEP_FORM,
    STEP_GENERATION,
    STEP_READ_BACK, /* wait until the state shows the effect */
};

/* clang-format off */
static const enum step plans[DRBDCTL_COMMAND_COUNT][STEPS_MAX] = {
    [DRBDCTL_COMMAND_LOAD_MODULE]     = { STEP_MODULE },
    [DRBDCTL_COMMAND_UP]              = { STEP_MODULE, STEP_ADJUST, STEP_READ_BACK },
    [DRBDCTL_COMMAND_PRIMARY]         = { STEP_PRIMARY, STEP_READ_BACK },
    [DRBDCTL_COMMAND_SECONDARY]       = { STEP_SECONDARY, STEP_READ_BACK },
    [DRBDCTL_COMMAND_CONNECT]         = { STEP_CONNECT },
    [DRBDCTL_COMMAND_DISCONNECT]      = { STEP_DISCONNECT, STEP_READ_BACK },
    [DRBDCTL_COMMAND_OUTDATE]         = { STEP_OUTDATE, STEP_READ_BACK },
    [DRBDCTL_COMMAND_DOWN]            = { STEP_UNLESS_NO_MODULE, STEP_DOWN, STEP_READ_BACK },
    [DRBDCTL_COMMAND_CREATE_METADATA] = { STEP_MODULE, STEP_DISK_SIZE, STEP_NO_METADATA, STEP_NO_DATA,
                                          STEP_CREATE, STEP_METADATA },
    [DRBDCTL_COMMAND_CREATE_METADATA_FORCED]
                                      = { STEP_MODULE, STEP_DISK_SIZE, STEP_WIPE, STEP_CREATE_FORCED,
                                          STEP_METADATA },
    [DRBDCTL_COMMAND_FORM]            = { STEP_FORM_ALLOWED, STEP_FORM_EMPTY, STEP_FORM, STEP_READ_BACK },
    [DRBDCTL_COMMAND_GENERATION]      = { STEP_GENERATION },
};
/* clang-format on */

struct drbdctl_job {
    struct drbdctl_job *next;
    struct drbdctl_job_options options;
    unsigned at; /* index into its plan */
    uint64_t begin_ms, deadline_ms;
    struct child *child;
    struct timer *timer; /* read-back limit, or the way back into the loop when finished */
    bool waiting, pausing, finished;
    unsigned held;   /* tries that found the device open */
    struct buf text; /* output of the last program */
    struct drbdctl_outcome outcome;
};

static enum step present_step(const struct drbdctl_job *job)
{
    return job->at < STEPS_MAX ? plans[job->options.command][job->at] : STEP_END;
}

/* --- outcome --------------------------------------------------------------------------------- */

static void finish(struct drbdctl_job *job, enum drbdctl_result result)
{
    job->finished = true;
    job->outcome.result = result;
    timer_start(job->timer, 0, 0);
}

/* One line of the tool's words, for a sentence of ours. */
static void tool_words(const struct drbdctl_job *job, char *ret_words, size_t words_bytes)
{
    size_t used = 0;
    for (const char *at = job->text.data; at != NULL && *at != '\0' && used + 1 < words_bytes;
         at++) {
        char c = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
        if (c == ' ' && (used == 0 || ret_words[used - 1] == ' '))
            continue;
        ret_words[used++] = c;
    }
    while (used > 0 && ret_words[used - 1] == ' ')
        used--;
    ret_words[used] = '\0';
}

static void fail(struct drbdctl_job *job, enum drbdctl_result result)
{
    char words[TOOL_TEXT_MAX] = "";
    if (result != DRBDCTL_RESULT_HAS_METADATA) /* there it would be the whole metadata */
        tool_words(job, words, sizeof(words));
    const char *about = job->options.disk[0] != '\0' ? job->options.disk : "the backing device";
    bool names_disk = result == DRBDCTL_RESULT_NO_DEVICE || result == DRBDCTL_RESULT_DEVICE_BUSY ||
                      result == DRBDCTL_RESULT_DEVICE_TOO_SMALL ||
                      result == DRBDCTL_RESULT_NO_METADATA ||
                      result == DRBDCTL_RESULT_HAS_METADATA || result == DRBDCTL_RESULT_HAS_DATA;
    (void)diag_fail(&job->outcome.diag, 0, "DRBD %s: %s%s%s%s%s%s",
                    drbdctl_command_name(job->options.command), drbdctl_result_name(result),
                    names_disk ? " (" : "", names_disk ? about : "", names_disk ? ")" : "",
                    words[0] != '\0' ? ": " : "", words);
    finish(job, result);
}

/* The same without the last program's words, which belong to another step. */
static void fail_with(struct drbdctl_job *job, enum drbdctl_result result, const char *why)
{
    (void)diag_fail(&job->outcome.diag, 0, "DRBD %s: %s",
                    drbdctl_command_name(job->options.command), why);
    finish(job, result);
}

/* --- effects read back ----------------------------------------------------------------------- */

static bool is_attached(const struct drbdctl_state *state)
{
    return state->up && state->disk >= DRBDCTL_DISK_INCONSISTENT;
}

/* Whether the state shows what the command is for. */
static bool has_effect(const struct drbdctl_job *job)
{
    const struct drbdctl_state *state = job->options.state;
    if (!state->valid)
        return false;
    switch (job->options.command) {
    case DRBDCTL_COMMAND_UP:
        return is_attached(state);
    case DRBDCTL_COMMAND_PRIMARY:
        return state->up && state->role == DRBDCTL_ROLE_PRIMARY;
    case DRBDCTL_COMMAND_SECONDARY:
        return state->up && state->role == DRBDCTL_ROLE_SECONDARY;
    case DRBDCTL_COMMAND_DISCONNECT:
        return !state->up || state->connection == DRBDCTL_CONNECTION_STANDALONE;
    case DRBDCTL_COMMAND_OUTDATE:
        return state->up && state->disk == DRBDCTL_DISK_OUTDATED;
    case DRBDCTL_COMMAND_DOWN:
        return !state->up;
    case DRBDCTL_COMMAND_FORM:
        return state->up && state->disk == DRBDCTL_DISK_UPTODATE &&
               state->peer_disk == DRBDCTL_DISK_UPTODATE;
    case DRBDCTL_COMMAND_LOAD_MODULE:
    case DRBDCTL_COMMAND_CONNECT:
    case DRBDCTL_COMMAND_CREATE_METADATA:
    case DRBDCTL_COMMAND_CREATE_METADATA_FORCED:
    case DRBDCTL_COMMAND_GENERATION:
    case DRBDCTL_COMMAND_COUNT:
        break;
    }
    return false;
}

static bool has_connection(const struct drbdctl_state *state)
{
    return state->valid && state->up && state->connection > DRBDCTL_CONNECTION_STANDALONE;
}

/* A refusal because it is so already is no failure: an orderly stop is repeatable. */
static bool is_done_already(const struct drbdctl_job *job, enum drbdctl_result result)
{
    switch (job->options.command) {
    case DRBDCTL_COMMAND_DISCONNECT:
        return result == DRBDCTL_RESULT_UNKNOWN_CONNECTION || has_effect(job);
    case DRBDCTL_COMMAND_CONNECT: /* "address already in use": by this very connection */
        return result != DRBDCTL_RESULT_TIMEOUT && has_connection(job->options.state);
    case DRBDCTL_COMMAND_SECONDARY:
    case DRBDCTL_COMMAND_OUTDATE:
    case DRBDCTL_COMMAND_DOWN:
        return result != DRBDCTL_RESULT_TIMEOUT && has_effect(job);
    case DRBDCTL_COMMAND_LOAD_MODULE:
    case DRBDCTL_COMMAND_UP:
    case DRBDCTL_COMMAND_PRIMARY:
    case DRBDCTL_COMMAND_CREATE_METADATA:
    case DRBDCTL_COMMAND_CREATE_METADATA_FORCED:
    case DRBDCTL_COMMAND_FORM:
    case DRBDCTL_COMMAND_GENERATION:
    case DRBDCTL_COMMAND_COUNT:
        break;
    }
    return false;
}

/* --- what a program's end means -------------------------------------------------------------- */

/* Each judge returns OK to go on with the next step, else what the command ends with. */
static enum drbdctl_result judge_module(struct drbdctl_job *job, int status)
{
    (void)job;
    return status == 0 ? DRBDCTL_RESULT_OK : DRBDCTL_RESULT_NO_MODULE;
}

static enum drbdctl_result judge_size(struct drbdctl_job *job, int status)
{
    const char *text = job->text.data != NULL ? job->text.data : "";
    if (status != 0)
        return status == -ETIMEDOUT ? DRBDCTL_RESULT_TIMEOUT
               : status < 0         ? DRBDCTL_RESULT_NO_TOOLS
                                    : DRBDCTL_RESULT_NO_DEVICE;
    char *end = NULL;
    unsigned long long size_bytes = strtoull(text, &end, 10);
    if (end == text)
        return DRBDCTL_RESULT_NO_DEVICE;
    return size_bytes >= (unsigned long long)DISK_MIN_MIB << 20 ? DRBDCTL_RESULT_OK
                                                                : DRBDCTL_RESULT_DEVICE_TOO_SMALL;
}

static enum drbdctl_result judge_no_metadata(struct drbdctl_job *job, int status)
{
    const char *text = job->text.data != NULL ? job->text.data : "";
    if (status == 0 || strstr(text, "Found meta data is") != NULL)
        return DRBDCTL_RESULT_HAS_METADATA;
    enum drbdctl_result result = drbdctl_result_of(status, text);
    return result == DRBDCTL_RESULT_NO_METADATA ? DRBDCTL_RESULT_OK : result;
}

/* blkid: 2 nothing known found, 0 found, 8 several things found. */
static enum drbdctl_result judge_no_data(struct drbdctl_job *job, int status)
{
    (void)job;
    switch (status) {
    case 2:
        return DRBDCTL_RESULT_OK;
    case 0:
    case 8:
        return DRBDCTL_RESULT_HAS_DATA;
    default:
        return status == -ETIMEDOUT ? DRBDCTL_RESULT_TIMEOUT
               : status < 0         ? DRBDCTL_RESULT_NO_TOOLS
                                    : DRBDCTL_RESULT_OTHER;
    }
}

static enum drbdctl_result judge_empty(struct drbdctl_job *job, int status)
{
    const char *text = job->text.data != NULL ? job->text.data : "";
    struct drbdctl_generation mine, fresh = {.current = 4};
    if (status != 0)
        return drbdctl_result_of(status, text);
    if (drbdctl_generation_parse(text, strlen(text), &mine, NULL) < 0)
        return DRBDCTL_RESULT_OTHER;
    return drbdctl_generation_compare(&mine, &fresh) == DRBDCTL_RELATION_EMPTY
               ? DRBDCTL_RESULT_OK
               : DRBDCTL_RESULT_REFUSED_STATE;
}

static enum drbdctl_result judge_generation(struct drbdctl_job *job, int status)
{
    const char *text = job->text.data != NULL ? job->text.data : "";
    if (status != 0)
        return drbdctl_result_of(status, text);
    return drbdctl_generation_parse(text, strlen(text), &job->outcome.generation, NULL) == 0
               ? DRBDCTL_RESULT_OK
               : DRBDCTL_RESULT_OTHER;
}

static enum drbdctl_result judge(struct drbdctl_job *job, int status)
{
    enum drbdctl_result result = drbdctl_result_of(status, job->text.data);
    return result != DRBDCTL_RESULT_OK && is_done_already(job, result) ? DRBDCTL_RESULT_OK : result;
}

/* --- the steps ------------------------------------------------------------------------------- */

/* The program of a step. %r resource, %v its volume, %d backing disk; drbdadm gets -c by itself. */
/* clang-format off */
static const struct program {
    enum step step;
    const char *argv[6];
    enum drbdctl_result (*judge)(struct drbdctl_job *job, int status);
} programs[] = {
    { STEP_MODULE,        { "modprobe", "drbd" },                                judge_module },
    { STEP_DISK_SIZE,     { "blockdev", "--getsize64", "%d" },                   judge_size },
    { STEP_NO_METADATA,   { "drbdadm", "dump-md", "%r" },                        judge_no_metadata },
    { STEP_NO_DATA,       { "blkid", "-p", "%d" },                               judge_no_data },
    { STEP_WIPE,          { "wipefs", "--all", "--force", "%d" },                judge },
    { STEP_CREATE,        { "drbdadm", "create-md", "%r" },                      judge },
    { STEP_CREATE_FORCED, { "drbdadm", "create-md", "--force", "%r" },           judge },
    { STEP_METADATA,      { "drbdadm", "dump-md", "%r" },                        judge },
    { STEP_ADJUST,        { "drbdadm", "adjust", "%r" },                         judge },
    { STEP_PRIMARY,       { "drbdadm", "primary", "%r" },                        judge },
    { STEP_SECONDARY,     { "drbdadm", "secondary", "%r" },                      judge },
    { STEP_CONNECT,       { "drbdadm", "connect", "%r" },                        judge },
    { STEP_DISCONNECT,    { "drbdadm", "disconnect", "%r" },                     judge },
    { STEP_OUTDATE,       { "drbdadm", "outdate", "%r" },                        judge },
    { STEP_DOWN,          { "drbdadm", "down", "%r" },                           judge },
    { STEP_FORM_EMPTY,    { "drbdadm", "get-gi", "%r" },                         judge_empty },
    { STEP_FORM,          { "drbdadm", "new-current-uuid", "--clear-bitmap", "%v" }, judge },
    { STEP_GENERATION,    { "drbdadm", "get-gi", "%r" },                         judge_generation },
};
/* clang-format on */

static const struct program *program_of(enum step step)
{
    for (size_t i = 0; i < COUNT_OF(programs); i++)
        if (programs[i].step == step)
            return &programs[i];
    return NULL;
}

static void run_steps(struct drbdctl_job *job);

/* drbdadm shows the whole command that failed, the shared secret among its arguments. What we keep
 * goes to logs and pages. */
static void keep_text(struct drbdctl_job *job, const char *output, size_t output_bytes)
{
    static const char option[] = "--shared-secret=";
    buf_clear(&job->text);
    for (size_t at = 0; at < output_bytes;) {
        size_t left = output_bytes - at;
        const char *found = memmem(output + at, left, option, sizeof(option) - 1);
        size_t plain = found != NULL ? (size_t)(found - output) - at + sizeof(option) - 1 : left;
        buf_add(&job->text, output + at, plain);
        at += plain;
        if (found == NULL)
            return;
        buf_adds(&job->text, "(hidden)");
        while (at < output_bytes && output[at] != ' ' && output[at] != '\n')
            at++;
    }
}

static void on_program_done(void *context, const struct child_result *result)
{
    struct drbdctl_job *job = context;
    job->child = NULL;
    job->outcome.exit_code = result->status;
    keep_text(job, result->output, result->output_bytes);
    enum drbdctl_result verdict = program_of(present_step(job))->judge(job, result->status);
    if (verdict == DRBDCTL_RESULT_HELD_OPEN && ++job->held < HELD_TRIES) {
        job->pausing = true;
        timer_start(job->timer, HELD_PAUSE_MS, 0);
        return;
    }
    if (verdict != DRBDCTL_RESULT_OK) {
        fail(job, verdict);
        return;
    }
    job->at++;
    run_steps(job);
}

static void run_program(struct drbdctl_job *job, const struct program *program)
{
    const struct drbdctl_job_options *options = &job->options;
    char volume[DRBDCTL_WORD_MAX + 4];
    (void)snprintf(volume, sizeof(volume), "%s/0", options->resource);
    const char *argv[ARGS_MAX] = {program->argv[0]};
    size_t count = 1;
    if (strcmp(argv[0], "drbdadm") == 0 && options->config_file[0] != '\0') {
        argv[count++] = "-c";
        argv[count++] = options->config_file;
    }
    for (size_t i = 1; i < COUNT_OF(program->argv) && program->argv[i] != NULL; i++) {
        const char *word = program->argv[i];
        argv[count++] = strcmp(word, "%r") == 0   ? options->resource
                        : strcmp(word, "%v") == 0 ? volume
                        : strcmp(word, "%d") == 0 ? options->disk
                                                  : word;
    }
    uint64_t now_ms = common_boot_ms();
    uint64_t left_ms = job->deadline_ms > now_ms + PROGRAM_MIN_MS ? job->deadline_ms - now_ms
                                                                  : (uint64_t)PROGRAM_MIN_MS;
    const struct child_options child = {
        .argv = argv, .budget_ms = left_ms, .done = on_program_done, .context = job};
    job->child = options->ops->start(options->ops->context, options->loop, &child);
    if (job->child == NULL)
        fail_with(job, DRBDCTL_RESULT_OTHER, "no memory to start a program");
}

/* Both copies must be known to be new here and, as far as one node can see, there. */
static const char *form_obstacle(const struct drbdctl_state *state)
{
    if (!state->valid || !state->up)
        return "the resource is not up";
    if (state->connection != DRBDCTL_CONNECTION_CONNECTED)
        return "the peer is not connected";
    if (state->role != DRBDCTL_ROLE_SECONDARY || state->peer_role != DRBDCTL_ROLE_SECONDARY)
        return "both nodes must be Secondary";
    if (state->disk != DRBDCTL_DISK_INCONSISTENT || state->peer_disk != DRBDCTL_DISK_INCONSISTENT)
        return "both copies must be new (Inconsistent)";
    if (state->replication != DRBDCTL_REPLICATION_ESTABLISHED)
        return "a resync is going on";
    return NULL;
}

static void begin_read_back(struct drbdctl_job *job)
{
    uint64_t now_ms = common_boot_ms();
    uint64_t left_ms = job->deadline_ms > now_ms ? job->deadline_ms - now_ms : 0;
    uint64_t wait_ms =
        job->options.command == DRBDCTL_COMMAND_OUTDATE ? READ_BACK_OUTDATE_MS : READ_BACK_MS;
    job->waiting = true;
    timer_start(job->timer, left_ms < wait_ms ? left_ms : wait_ms, 0);
}

/* True: the step is done. False: it runs, waits, or has finished the job. */
static bool begin_step(struct drbdctl_job *job, enum step step)
{
    const struct drbdctl_ops *ops = job->options.ops;
    const struct program *program = program_of(step);
    const char *obstacle = NULL;
    if (step == STEP_MODULE && ops->module_loaded(ops->context))
        return true;
    if (step == STEP_UNLESS_NO_MODULE) {
        if (!ops->module_loaded(ops->context))
            finish(job, DRBDCTL_RESULT_OK);
        return !job->finished;
    }
    if (step == STEP_FORM_ALLOWED) {
        obstacle = form_obstacle(job->options.state);
        if (obstacle != NULL)
            fail_with(job, DRBDCTL_RESULT_REFUSED_STATE, obstacle);
        return obstacle == NULL;
    }
    if (step == STEP_READ_BACK) {
        if (!has_effect(job))
            begin_read_back(job);
        return !job->waiting;
    }
    if (step == STEP_DISK_SIZE && job->options.disk[0] == '\0') {
        fail_with(job, DRBDCTL_RESULT_NO_DEVICE, "no backing device is configured");
        return false;
    }
    run_program(job, program);
    return false;
}

static void run_steps(struct drbdctl_job *job)
{
    while (!job->finished) {
        enum step step = present_step(job);
        if (step == STEP_END) {
            finish(job, DRBDCTL_RESULT_OK);
            return;
        }
        if (!begin_step(job, step))
            return;
        job->at++;
    }
}

static void on_timer(void *context)
{
    struct drbdctl_job *job = context;
    if (job->pausing) {
        job->pausing = false;
        run_steps(job);
        return;
    }
    if (job->waiting) {
        job->waiting = false;
        fail_with(job, DRBDCTL_RESULT_NO_EFFECT,
                  job->options.state->valid
                      ? "the command ended, but the state does not show its effect"
                      : "the command ended, but the state cannot be read");
        return;
    }
    job->options.ended(job->options.ended_context, job);
}

/* --- the owner's calls ----------------------------------------------------------------------- */

struct drbdctl_job *drbdctl__job_new(const struct drbdctl_job_options *options)
{
    struct drbdctl_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->options = *options;
    job->outcome.command = options->command;
    job->timer = timer_new(options->loop, on_timer, job);
    if (job->timer == NULL) {
        free(job);
        return NULL;
    }
    return job;
}

/* A command given from another one's callback is started at once, and again by the queue. */
void drbdctl__job_start(struct drbdctl_job *job)
{
    if (job->begin_ms != 0)
        return;
    job->begin_ms = common_boot_ms();
    job->deadline_ms = job->begin_ms + drbdctl_command_budget_ms(job->options.command);
    run_steps(job);
}

void drbdctl__job_state(struct drbdctl_job *job)
{
    if (!job->waiting || !has_effect(job))
        return;
    job->waiting = false;
    timer_stop(job->timer);
    job->at++;
    run_steps(job);
}

void drbdctl__job_cancel(struct drbdctl_job *job)
{
    if (job->child != NULL)
        job->options.ops->abandon(job->options.ops->context, job->child);
    job->child = NULL;
    timer_stop(job->timer);
    job->outcome.result = DRBDCTL_RESULT_CANCELLED;
    (void)diag_fail(&job->outcome.diag, 0, "DRBD %s: %s",
                    drbdctl_command_name(job->options.command),
                    drbdctl_result_name(DRBDCTL_RESULT_CANCELLED));
}

void drbdctl__job_report(struct drbdctl_job *job)
{
    job->outcome.text = job->text.data != NULL ? job->text.data : "";
    job->outcome.took_ms = job->begin_ms != 0 ? common_boot_ms() - job->begin_ms : 0;
    job->options.done(job->options.done_context, &job->outcome);
}

void drbdctl__job_free(struct drbdctl_job *job)
{
    if (job == NULL)
        return;
    timer_free(job->timer);
    buf_done(&job->text);
    free(job);
}

struct drbdctl_job *drbdctl__job_next(const struct drbdctl_job *job)
{
    return job->next;
}

struct drbdctl_job **drbdctl__job_next_place(struct drbdctl_job *job)
{
    return &job->next;
}
