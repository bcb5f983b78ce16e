/* drbdctl_fence.h - the daemon's end of the fence-peer question.
 *
 * The kernel, having lost its peer, freezes writes (or holds a promotion) and starts
 * drbd-fence-peer, which connects here, sends `fence RESOURCE\n`, and waits for `answer CODE\n`.
 * One connection is one question. It is answered at most once, by drbdctl_fence_answer, with
 *   7  this node holds the right, durably; the peer is fenced by the register
 *   4  the peer has read back Outdated
 *   6  the peer is active, this Secondary must not take over
 *   1  not known
 * and nothing else: 0, 3 and 5 permit too much. Unanswered after the limit, it is closed and the
 * helper ends with 1. Only root may ask; anything but the one line ends the connection. */
#ifndef OG_DRBD_DRBDCTL_FENCE_H
#define OG_DRBD_DRBDCTL_FENCE_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    DRBDCTL_FENCE_LIMIT_MS = 8000,
    DRBDCTL_FENCE_OPEN_MAX = 8, /* questions at a time; the kernel asks one */
};

struct drbdctl_fence; /* the server */

/* Names one question. Never reused within a run of the server; 0 is none. */
typedef uint64_t drbdctl_fence_token;

struct drbdctl_fence_options {
    const char *path;     /* NULL: DRBDCTL_FENCE_SOCKET; its folder exists */
    const char *resource; /* questions about others are answered with 1 */
    uint64_t limit_ms;    /* 0: DRBDCTL_FENCE_LIMIT_MS */
    uid_t allowed_uid;    /* who may ask beside root; 0: only root */
    /* A question came. Answer now or later with its token. */
    void (*asked)(void *context, drbdctl_fence_token token);
    /* The question is no longer open without having been answered: the helper went away, or the
     * limit passed. May be NULL. */
    void (*gone)(void *context, drbdctl_fence_token token);
    void *context;
};

/* Creates the socket (mode 0600), replacing a stale one. -EADDRINUSE when another server lives
 * there, other -errno. */
int drbdctl_fence_open(uv_loop_t *loop, const struct drbdctl_fence_options *options,
                       struct drbdctl_fence **ret_fence, struct diag *diag);
/* code: 7, 4, 6 or 1, else -EINVAL. -ENOENT when the question is no longer open: the kernel has
 * not heard this answer. 0 when it was handed to the socket. */
int drbdctl_fence_answer(struct drbdctl_fence *fence, drbdctl_fence_token token, int code);
/* The oldest open question, or 0. */
drbdctl_fence_token drbdctl_fence_pending(const struct drbdctl_fence *fence);
/* Closes all connections unanswered and removes the socket; `gone` is not called. NULL is fine. */
void drbdctl_fence_close(struct drbdctl_fence *fence);

#endif
