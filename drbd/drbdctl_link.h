/* drbdctl_link.h - DRBD on a uv loop: keeps the event stream running and carries out commands.
 * Effects; the texts are read by drbdctl_events.h and drbdctl_command.h.
 *
 * The stream is `drbdsetup events2` as a child. When it ends, the state turns invalid, the child
 * is started again after a back-off of 0.1 to 2 s, and the state is rebuilt from the new dump. A
 * line that cannot be read is treated likewise: what it said is not known, so it is asked for anew.
 *
 * Commands wait for one another in the order in which they were given (the kernel would make them
 * wait anyway); GENERATION runs beside them. Every command has a budget. A command that is stuck
 * in the kernel is given up with TIMEOUT; what it asked for may still happen later. */
#ifndef OG_DRBD_DRBDCTL_LINK_H
#define OG_DRBD_DRBDCTL_LINK_H

#include "drbd/drbdctl_command.h"
#include "drbd/drbdctl_events.h"
#include "drbd/drbdctl_generation.h"
#include "lib/common/child.h"
#include "lib/common/diag.h"

#include <uv.h>

struct drbdctl_link;

/* The effects, for tests. NULL in the options: the real ones. */
struct drbdctl_ops {
    /* Contract of child_start(). */
    struct child *(*start)(void *context, uv_loop_t *loop, const struct child_options *options);
    void (*stop)(void *context, struct child *child, uint64_t grace_ms);
    void (*abandon)(void *context, struct child *child);
    /* False: the kernel does not have the module yet. */
    bool (*module_loaded)(void *context);
    void *context;
};

typedef void (*drbdctl_state_fn)(void *context, const struct drbdctl_state *state);

struct drbdctl_options {
    const char *resource;      /* NULL: DRBDCTL_RESOURCE */
    const char *disk;          /* backing device, for CREATE_METADATA */
    const char *config_file;   /* NULL: the tools' own /etc/drbd.conf */
    drbdctl_state_fn on_state; /* from the loop on every change, also when it turns invalid */
    void *context;
    const struct drbdctl_ops *ops;
};

struct drbdctl_outcome {
    enum drbdctl_command command;
    enum drbdctl_result result;
    int exit_code;    /* of the last program; -errno when it gave none */
    struct diag diag; /* sentence for people; empty with OK */
    const char *text; /* what the tool printed; borrowed during the callback; never NULL */
    uint64_t took_ms;
    struct drbdctl_generation generation; /* with GENERATION and OK */
};
typedef void (*drbdctl_done_fn)(void *context, const struct drbdctl_outcome *outcome);

/* Starts reading. -EINVAL (no such names), -ENOMEM. The strings are copied. A missing module is no
 * error here: the state stays invalid until UP or LOAD_MODULE has brought it. */
int drbdctl_open(uv_loop_t *loop, const struct drbdctl_options *options,
                 struct drbdctl_link **ret_link, struct diag *diag);
/* Borrowed, changes with the loop. */
const struct drbdctl_state *drbdctl_state(const struct drbdctl_link *link);
/* Queues a command; done comes exactly once, from the loop or from drbdctl_close (CANCELLED).
 * -ENOBUFS: more than 16 wait; -ENOMEM, -EINVAL; done is then not called. */
int drbdctl_run(struct drbdctl_link *link, enum drbdctl_command command, drbdctl_done_fn done,
                void *context);
/* True while a command other than GENERATION runs or waits. */
bool drbdctl_is_busy(const struct drbdctl_link *link);
/* Ends reading, gives up commands. NULL is fine. Memory goes with the last close callback. */
void drbdctl_close(struct drbdctl_link *link);

#endif
