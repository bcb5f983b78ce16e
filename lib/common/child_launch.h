/* child_launch.h - what uv_spawn() needs to know, put together from struct child_options: program
 * path, user, environment, standard descriptors. Used by child.c only. */
#ifndef OG_COMMON_CHILD_LAUNCH_H
#define OG_COMMON_CHILD_LAUNCH_H

#include "lib/common/child.h"
#include "lib/common/diag.h"

#include <uv.h>

struct child_launch {
    uv_process_options_t spawn; /* borrows from the options and from the fields below */
    uv_stdio_container_t stdio[3];
    char program[4096];
    char **environment;
    int input_fd;          /* child's standard input, or -1 */
    int text_fd, raw_fd;   /* our read ends, or -1 */
    int text_end, raw_end; /* the child's write ends, or -1 */
};

/* Hands a descriptor on and leaves -1. */
#define TAKE_FD(fd)                                                                                \
    (__extension__({                                                                               \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    }))

/* 0 or a negative errno with the reason in diag; child_launch_done() is due in both cases. */
int child_launch_prepare(struct child_launch *launch, const struct child_options *options,
                         struct diag *diag);
void child_launch_done(struct child_launch *launch); /* closes what was not taken */

#endif
