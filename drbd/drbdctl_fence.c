#include "drbd/drbdctl_fence.h"

#include "drbd/drbd.h"
#include "lib/common/common.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { QUESTION_MAX = 96, BACKLOG = 8, RESOURCE_MAX = 64 };

/* One helper that waits. */
struct asker {
    struct drbdctl_fence *fence;
    uv_pipe_t pipe;
    uv_timer_t timer;
    unsigned open_handles;
    drbdctl_fence_token token; /* 0 until its question has been read */
    bool closing;
    char line[QUESTION_MAX];
    size_t line_bytes;
};

struct drbdctl_fence {
    uv_loop_t *loop;
    uv_pipe_t pipe;
    struct sockaddr_un address;
    char question[QUESTION_MAX]; /* the one line that is ours */
    uint64_t limit_ms;
    uid_t allowed_uid;
    void (*asked)(void *context, drbdctl_fence_token token);
    void (*gone)(void *context, drbdctl_fence_token token);
    void *context;
    drbdctl_fence_token last_token;
    struct asker *askers[DRBDCTL_FENCE_OPEN_MAX];
    unsigned references; /* the listening pipe and each asker */
    bool closing;
};

static void fence_release(struct drbdctl_fence *fence)
{
    if (--fence->references == 0)
        free(fence);
}

static void on_asker_closed(uv_handle_t *handle)
{
    struct asker *asker = handle->data;
    if (--asker->open_handles > 0)
        return;
    fence_release(asker->fence);
    free(asker);
}

/* Forgets the asker; `gone` tells the daemon when its question was open. */
static void asker_close(struct asker *asker, bool is_lost)
{
    struct drbdctl_fence *fence = asker->fence;
    if (asker->closing)
        return;
    asker->closing = true;
    for (size_t i = 0; i < COUNT_OF(fence->askers); i++)
        if (fence->askers[i] == asker)
            fence->askers[i] = NULL;
    uv_close((uv_handle_t *)&asker->pipe, on_asker_closed);
    uv_close((uv_handle_t *)&asker->timer, on_asker_closed);
    if (is_lost && asker->token != 0 && fence->gone != NULL)
        fence->gone(fence->context, asker->token);
}

static int asker_answer(struct asker *asker, int code)
{
    char line[16];
    int len = snprintf(line, sizeof(line), "answer %d\n", code);
    uv_buf_t piece = uv_buf_init(line, (unsigned)len);
    /* Ten bytes into an empty socket buffer: all or, when the helper is gone, nothing. */
    int written = uv_try_write((uv_stream_t *)&asker->pipe, &piece, 1);
    asker_close(asker, false);
    return written == len ? 0 : -ENOENT;
}

static void on_limit(uv_timer_t *timer)
{
    asker_close(timer->data, true);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct asker *asker = handle->data;
    *ret_buf = uv_buf_init(asker->line + asker->line_bytes,
                           (unsigned)(sizeof(asker->line) - asker->line_bytes));
}

static bool is_other_resource(const char *line, size_t len)
{
    static const char lead[] = "fence ";
    return len > sizeof(lead) && memcmp(line, lead, sizeof(lead) - 1) == 0 &&
           memchr(line, '\n', len) == line + len - 1;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    (void)buf;
    struct asker *asker = stream->data;
    struct drbdctl_fence *fence = asker->fence;
    if (got == 0)
        return;
    if (got < 0 || asker->token != 0) { /* gone, or it talks after its question */
        asker_close(asker, true);
        return;
    }
    asker->line_bytes += (size_t)got;
    size_t expected = strlen(fence->question);
    if (asker->line_bytes == expected && memcmp(asker->line, fence->question, expected) == 0) {
        asker->token = ++fence->last_token;
        fence->asked(fence->context, asker->token); /* may answer, and so close, right here */
        return;
    }
    if (is_other_resource(asker->line, asker->line_bytes))
        (void)asker_answer(asker, 1);
    else if (asker->line_bytes == sizeof(asker->line) ||
             memchr(asker->line, '\n', asker->line_bytes) != NULL)
        asker_close(asker, false);
}

static bool is_allowed(const struct drbdctl_fence *fence, const uv_pipe_t *pipe)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof(peer);
    uv_os_fd_t fd = -1;
    if (uv_fileno((const uv_handle_t *)pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    return peer.uid == 0 || (fence->allowed_uid != 0 && peer.uid == fence->allowed_uid);
}

static struct asker *asker_new(struct drbdctl_fence *fence)
{
    struct asker *asker = calloc(1, sizeof(*asker));
    if (asker == NULL)
        return NULL;
    asker->fence = fence;
    (void)uv_pipe_init(fence->loop, &asker->pipe, 0); /* cannot fail on Linux, nor the timer */
    (void)uv_timer_init(fence->loop, &asker->timer);
    asker->pipe.data = asker->timer.data = asker;
    asker->open_handles = 2;
    fence->references++;
    return asker;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct drbdctl_fence *fence = server->data;
    struct asker *asker = status == 0 ? asker_new(fence) : NULL;
    if (asker == NULL)
        return;
    size_t place = 0;
    while (place < COUNT_OF(fence->askers) && fence->askers[place] != NULL)
        place++;
    bool accepted = uv_accept(server, (uv_stream_t *)&asker->pipe) == 0;
    if (!accepted || place == COUNT_OF(fence->askers) || !is_allowed(fence, &asker->pipe) ||
        uv_read_start((uv_stream_t *)&asker->pipe, on_alloc, on_read) != 0) {
        asker_close(asker, false);
        return;
    }
    fence->askers[place] = asker;
    (void)uv_timer_start(&asker->timer, on_limit, fence->limit_ms, 0);
}

/* --- opening and closing --------------------------------------------------------------------- */

/* A socket file without a listener is left by a daemon that was killed: remove it. */
static int remove_stale(const struct sockaddr_un *address, struct diag *diag)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? 0
                               : diag_fail(diag, -errno, "cannot look at %s: %s", address->sun_path,
                                           strerrordesc_np(errno));
    if (!S_ISSOCK(st.st_mode))
        return diag_fail(diag, -EEXIST, "%s exists and is no socket", address->sun_path);
    AUTO(common_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return diag_fail(diag, -errno, "no socket: %s", strerrordesc_np(errno));
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno != ECONNREFUSED)
        return diag_fail(diag, -EADDRINUSE, "another program listens on %s", address->sun_path);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return diag_fail(diag, -errno, "cannot remove %s: %s", address->sun_path,
                         strerrordesc_np(errno));
    return 0;
}

static void on_server_closed(uv_handle_t *handle)
{
    fence_release(handle->data);
}

static int start_listening(struct drbdctl_fence *fence, struct diag *diag)
{
    const char *path = fence->address.sun_path;
    int r = remove_stale(&fence->address, diag);
    if (r < 0)
        return r;
    r = uv_pipe_bind(&fence->pipe, path);
    if (r < 0)
        return diag_fail(diag, r, "cannot create the socket %s: %s", path, uv_strerror(r));
    /* nobody can connect before listen(): no moment with a wider mode */
    if (chmod(path, S_IRUSR | S_IWUSR) != 0)
        return diag_fail(diag, -errno, "cannot protect the socket %s: %s", path,
                         strerrordesc_np(errno));
    r = uv_listen((uv_stream_t *)&fence->pipe, BACKLOG, on_connection);
    return r < 0 ? diag_fail(diag, r, "cannot listen on %s: %s", path, uv_strerror(r)) : 0;
}

int drbdctl_fence_open(uv_loop_t *loop, const struct drbdctl_fence_options *options,
                       struct drbdctl_fence **ret_fence, struct diag *diag)
{
    const char *path = options->path != NULL ? options->path : DRBDCTL_FENCE_SOCKET;
    const char *resource = options->resource != NULL ? options->resource : DRBDCTL_RESOURCE;
    if (options->asked == NULL || strlen(resource) >= RESOURCE_MAX)
        return diag_fail(diag, -EINVAL, "fence server: no callback, or the resource name too long");
    struct drbdctl_fence *fence = calloc(1, sizeof(*fence));
    if (fence == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the fence server");
    if (strlen(path) >= sizeof(fence->address.sun_path)) {
        free(fence);
        return diag_fail(diag, -ENAMETOOLONG, "the socket path %s is too long", path);
    }
    fence->loop = loop;
    fence->address.sun_family = AF_UNIX;
    (void)snprintf(fence->address.sun_path, sizeof(fence->address.sun_path), "%s", path);
    (void)snprintf(fence->question, sizeof(fence->question), "fence %s\n", resource);
    fence->limit_ms = options->limit_ms != 0 ? options->limit_ms : (uint64_t)DRBDCTL_FENCE_LIMIT_MS;
    fence->allowed_uid = options->allowed_uid;
    fence->asked = options->asked;
    fence->gone = options->gone;
    fence->context = options->context;
    fence->references = 1;
    (void)uv_pipe_init(loop, &fence->pipe, 0);
    fence->pipe.data = fence;

    int r = start_listening(fence, diag);
    if (r < 0) {
        uv_close((uv_handle_t *)&fence->pipe, on_server_closed);
        return r;
    }
    *ret_fence = fence;
    return 0;
}

int drbdctl_fence_answer(struct drbdctl_fence *fence, drbdctl_fence_token token, int code)
{
    if (code != 7 && code != 4 && code != 6 && code != 1)
        return -EINVAL;
    for (size_t i = 0; token != 0 && i < COUNT_OF(fence->askers); i++)
        if (fence->askers[i] != NULL && fence->askers[i]->token == token)
            return asker_answer(fence->askers[i], code);
    return -ENOENT;
}

drbdctl_fence_token drbdctl_fence_pending(const struct drbdctl_fence *fence)
{
    drbdctl_fence_token oldest = 0;
    for (size_t i = 0; i < COUNT_OF(fence->askers); i++) {
        drbdctl_fence_token token = fence->askers[i] != NULL ? fence->askers[i]->token : 0;
        if (token != 0 && (oldest == 0 || token < oldest))
            oldest = token;
    }
    return oldest;
}

void drbdctl_fence_close(struct drbdctl_fence *fence)
{
    if (fence == NULL || fence->closing)
        return;
    fence->closing = true;
    for (size_t i = 0; i < COUNT_OF(fence->askers); i++)
        if (fence->askers[i] != NULL)
            asker_close(fence->askers[i], false);
    /* libuv removes the file with the handle */
    uv_close((uv_handle_t *)&fence->pipe, on_server_closed);
}
