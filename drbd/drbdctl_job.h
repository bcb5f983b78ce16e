/* drbdctl_job.h - one administration command being carried out: programs one after another, then
 * the read-back of its effect from the state. Room private; drbdctl_link.h is the way in. */
#ifndef OG_DRBD_DRBDCTL_JOB_H
#define OG_DRBD_DRBDCTL_JOB_H

#include "drbd/drbdctl_link.h"

enum { DRBDCTL_PATH_MAX = 256 };

struct drbdctl_job;

struct drbdctl_job_options { /* all borrowed; they outlive the job */
    uv_loop_t *loop;
    const struct drbdctl_ops *ops;
    const char *resource, *disk, *config_file;
    const struct drbdctl_state *state;
    enum drbdctl_command command;
    drbdctl_done_fn done;
    void *done_context;
    /* The job has its outcome; called from the loop. The owner reports and frees it. */
    void (*ended)(void *context, struct drbdctl_job *job);
    void *ended_context;
};

struct drbdctl_job *drbdctl__job_new(const struct drbdctl_job_options *options);
/* Begins; `ended` never comes before this has returned. */
void drbdctl__job_start(struct drbdctl_job *job);
/* The state changed: a job that waits for its effect looks at it. */
void drbdctl__job_state(struct drbdctl_job *job);
/* The outcome becomes CANCELLED. `ended` does not come any more. */
void drbdctl__job_cancel(struct drbdctl_job *job);
/* Calls done. */
void drbdctl__job_report(struct drbdctl_job *job);
void drbdctl__job_free(struct drbdctl_job *job);

/* Intrusive list. */
struct drbdctl_job *drbdctl__job_next(const struct drbdctl_job *job);
struct drbdctl_job **drbdctl__job_next_place(struct drbdctl_job *job);

#endif
