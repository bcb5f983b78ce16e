#include "ha/membership.h"

#include <assert.h>
#include <corosync/cpg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "ha/membership_link.h"
#include "lib/common/common.h"
#include "lib/common/timer.h"

enum {
    EMPTY_WAKEUPS_MAX = 100,
    RETRY_MS = 20,
    RETRIES_MAX = 250, /* 5 s of "try again": corosync is not well */
};

struct queued {
    struct queued *next;
    size_t len_bytes;
    uint8_t bytes[];
};

struct watch {
    struct membership *owner; /* NULL once closed */
    uv_poll_t poll;
};

struct membership {
    uv_loop_t *loop;
    struct membership_options options;
    struct membership_link *link;
    uv_async_t wake;
    struct timer *retry;

    bool up;
    cpg_handle_t handle;
    uint32_t node_id;
    struct watch *watch;
    unsigned empty_wakeups, retries;
    bool dispatched; /* a callback ran in the present dispatch */
    bool evicted;

    struct queued *first, **last;
    unsigned queued_count;
    bool closing;
};

const char *membership_reason_name(enum membership_reason reason)
{
#define REASON_TEXT(id, text) [MEMBERSHIP_##id] = text,
    static const char *const names[] = {MEMBERSHIP_REASONS(REASON_TEXT)};
    return (unsigned)reason < COUNT_OF(names) ? names[reason] : "?";
}

/* --- the queue ----------------------------------------------------------------------------- */

static void drop_first(struct membership *membership)
{
    struct queued *first = membership->first;
    membership->first = first->next;
    if (membership->first == NULL)
        membership->last = &membership->first;
    membership->queued_count--;
    free(first);
}

static void empty_queue(struct membership *membership)
{
    while (membership->first != NULL)
        drop_first(membership);
}

static void lose(struct membership *membership, const char *why);

/* Sends what waits; the timer goes on when corosync wants time. */
static void flush(struct membership *membership)
{
    while (membership->first != NULL && membership->up) {
        struct queued *first = membership->first;
        struct iovec vector = {.iov_base = first->bytes, .iov_len = first->len_bytes};
        cs_error_t code = cpg_mcast_joined(membership->handle, CPG_TYPE_AGREED, &vector, 1);
        if (code == CS_ERR_TRY_AGAIN) {
            if (++membership->retries > RETRIES_MAX)
                lose(membership, "corosync takes no messages");
            else
                timer_start(membership->retry, RETRY_MS, 0);
            return;
        }
        if (code != CS_OK) {
            lose(membership, cs_strerror(code));
            return;
        }
        membership->retries = 0;
        drop_first(membership);
    }
}

static void on_retry(void *context)
{
    flush(context);
}

int membership_send(struct membership *membership, const void *bytes, size_t len_bytes)
{
    if (!membership->up)
        return -ENOTCONN;
    if (len_bytes == 0 || len_bytes > MEMBERSHIP_MESSAGE_MAX_BYTES)
        return -EMSGSIZE;
    if (membership->queued_count >= MEMBERSHIP_QUEUE_MAX)
        return -ENOBUFS;
    struct queued *message = malloc(sizeof(*message) + len_bytes);
    if (message == NULL)
        return -ENOMEM;
    message->next = NULL;
    message->len_bytes = len_bytes;
    memcpy(message->bytes, bytes, len_bytes);
    *membership->last = message;
    membership->last = &message->next;
    membership->queued_count++;
    /* From the timer: a failure's on_down never comes before this returns. */
    if (membership->queued_count == 1)
        timer_start(membership->retry, 0, 0);
    return 0;
}

/* --- corosync's callbacks ------------------------------------------------------------------ */

static struct membership *owner_of(cpg_handle_t handle)
{
    void *context = NULL;
    (void)cpg_context_get(handle, &context);
    return context;
}

static enum membership_reason translate_reason(uint32_t reason)
{
    switch (reason) {
    case CPG_REASON_JOIN:
        return MEMBERSHIP_JOIN;
    case CPG_REASON_LEAVE:
        return MEMBERSHIP_LEAVE;
    case CPG_REASON_NODEDOWN:
        return MEMBERSHIP_NODE_DOWN;
    case CPG_REASON_NODEUP:
        return MEMBERSHIP_NODE_UP;
    case CPG_REASON_PROCDOWN:
        return MEMBERSHIP_PROCESS_DOWN;
    default:
        return MEMBERSHIP_UNKNOWN;
    }
}

static unsigned copy_members(const struct cpg_address *list, size_t count,
                             struct membership_member out[MEMBERSHIP_MEMBERS_MAX])
{
    unsigned copied = 0;
    for (size_t i = 0; i < count && copied < MEMBERSHIP_MEMBERS_MAX; i++, copied++)
        out[copied] = (struct membership_member){.node_id = list[i].nodeid,
                                                 .pid = list[i].pid,
                                                 .reason = translate_reason(list[i].reason)};
    return copied;
}

static bool contains_us(const struct membership *membership, const struct cpg_address *members,
                        size_t count)
{
    const uint32_t pid = (uint32_t)uv_os_getpid();
    for (size_t i = 0; i < count; i++)
        if (members[i].nodeid == membership->node_id && members[i].pid == pid)
            return true;
    return false;
}

static void on_confchg(cpg_handle_t handle, const struct cpg_name *group,
                       const struct cpg_address *members, size_t member_count,
                       const struct cpg_address *left, size_t left_count,
                       const struct cpg_address *joined, size_t joined_count)
{
    (void)group;
    struct membership *membership = owner_of(handle);
    if (membership == NULL || membership->closing || !membership->up)
        return;
    membership->dispatched = true;
    if (!contains_us(membership, members, member_count)) {
        membership->evicted = true;
        return;
    }
    if (membership->options.on_view == NULL)
        return;
    struct membership_view view = {0};
    view.member_count = copy_members(members, member_count, view.members);
    view.left_count = copy_members(left, left_count, view.left);
    view.joined_count = copy_members(joined, joined_count, view.joined);
    membership->options.on_view(membership->options.context, &view);
}

static void on_deliver(cpg_handle_t handle, const struct cpg_name *group, uint32_t node_id,
                       uint32_t pid, void *bytes, size_t len_bytes)
{
    (void)group;
    struct membership *membership = owner_of(handle);
    if (membership == NULL || membership->closing || !membership->up)
        return;
    membership->dispatched = true;
    if (membership->options.on_message != NULL && len_bytes <= MEMBERSHIP_MESSAGE_MAX_BYTES)
        membership->options.on_message(membership->options.context, node_id, pid, bytes, len_bytes);
}

/* --- the connection ------------------------------------------------------------------------ */

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_watch(struct membership *membership)
{
    struct watch *watch = TAKE(membership->watch);
    if (watch == NULL)
        return;
    watch->owner = NULL;
    (void)uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void give_back(struct membership *membership)
{
    close_watch(membership); /* before the thread closes the descriptor */
    timer_stop(membership->retry);
    empty_queue(membership);
    membership->up = false;
    membership_link_return(membership->link, membership->handle);
}

static void lose(struct membership *membership, const char *why)
{
    if (!membership->up)
        return;
    give_back(membership);
    if (membership->options.on_down != NULL)
        membership->options.on_down(membership->options.context, why);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct membership *membership = watch->owner;
    if (membership == NULL)
        return;
    membership->dispatched = false;
    cs_error_t code =
        status < 0 ? CS_ERR_LIBRARY : cpg_dispatch(membership->handle, CS_DISPATCH_ALL);
    if (watch->owner == NULL) /* a callback closed us; the memory lives until uv says closed */
        return;
    if (code != CS_OK && code != CS_ERR_TRY_AGAIN) {
        lose(membership, cs_strerror(code));
        return;
    }
    if (membership->evicted) {
        lose(membership, "corosync put this node out of the group");
        return;
    }
    /* libcpg turns a broken connection into CS_OK at times; the descriptor then stays readable. */
    membership->empty_wakeups = membership->dispatched ? 0 : membership->empty_wakeups + 1;
    if ((events & UV_DISCONNECT) != 0 || membership->empty_wakeups > EMPTY_WAKEUPS_MAX)
        lose(membership, "the connection to corosync broke");
}

static int open_watch(struct membership *membership)
{
    int fd = -1;
    if (cpg_fd_get(membership->handle, &fd) != CS_OK)
        return -EBADF;
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return -ENOMEM;
    int code = uv_poll_init(membership->loop, &watch->poll, fd);
    if (code < 0) {
        free(watch);
        return code;
    }
    watch->owner = membership;
    watch->poll.data = watch;
    membership->watch = watch;
    code = uv_poll_start(&watch->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    if (code < 0)
        close_watch(membership);
    return code;
}

static void on_wake(uv_async_t *async)
{
    struct membership *membership = async->data;
    if (membership->closing || membership->up ||
        !membership_link_take(membership->link, &membership->handle, &membership->node_id))
        return;
    membership->empty_wakeups = membership->retries = 0;
    membership->evicted = false;
    membership->up = true;
    if (open_watch(membership) < 0) {
        give_back(membership);
        return;
    }
    if (membership->options.on_up != NULL)
        membership->options.on_up(membership->options.context, membership->node_id);
}

/* From the helper thread. */
static void wake_loop(void *context)
{
    struct membership *membership = context;
    (void)uv_async_send(&membership->wake);
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_wake_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int membership_open(uv_loop_t *loop, const struct membership_options *options,
                    struct membership **ret_membership, struct diag *diag)
{
    if (options->group == NULL || options->group[0] == '\0' ||
        strlen(options->group) >= CPG_MAX_NAME_LENGTH)
        return diag_fail(diag, -EINVAL, "the process group needs a name of at most %d bytes",
                         CPG_MAX_NAME_LENGTH - 1);
    struct membership *membership = calloc(1, sizeof(*membership));
    if (membership == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the membership");
    membership->loop = loop;
    membership->options = *options;
    membership->options.group = NULL;
    membership->last = &membership->first;
    membership->wake.data = membership;
    int code = uv_async_init(loop, &membership->wake, on_wake);
    if (code < 0) {
        free(membership);
        return diag_fail(diag, code, "cannot set up the membership: %s", uv_strerror(code));
    }
    membership->retry = timer_new(loop, on_retry, membership);
    const struct membership_link_options link = {
        .group = options->group,
        .model = {.model = CPG_MODEL_V1,
                  .cpg_deliver_fn = on_deliver,
                  .cpg_confchg_fn = on_confchg},
        .cpg_context = membership,
        .wake = wake_loop,
        .context = membership,
    };
    code = membership->retry != NULL ? membership_link_new(&link, &membership->link, diag)
                                     : diag_fail(diag, -ENOMEM, "no memory for the membership");
    if (code < 0) {
        membership_close(membership);
        return code;
    }
    *ret_membership = membership;
    return 0;
}

void membership_close(struct membership *membership)
{
    if (membership == NULL)
        return;
    membership->closing = true;
    close_watch(membership);
    membership->up = false;
    empty_queue(membership);
    timer_free(membership->retry);
    if (membership->link != NULL)
        membership_link_leave(membership->link);
    uv_close((uv_handle_t *)&membership->wake, on_wake_closed);
}

bool membership_is_up(const struct membership *membership)
{
    return membership->up;
}

void membership_get_info(struct membership *membership, struct membership_info *ret_info)
{
    membership_link_get_info(membership->link, ret_info);
}
