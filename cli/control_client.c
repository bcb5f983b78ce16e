#include "cli/control_client.h"

#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct call {
    const struct control_client *client;
    int fd;
    uint64_t until_ms; /* CLOCK_BOOTTIME */
    struct diag *diag;
};

static int fail_late(const struct call *call)
{
    return diag_fail(call->diag, -ETIMEDOUT, "no answer within %u.%u s",
                     call->client->budget_ms / 1000, call->client->budget_ms % 1000 / 100);
}

/* Waits until the socket is ready for events; 0 or a negative errno. */
static int wait_for(const struct call *call, short events)
{
    for (;;) {
        uint64_t now_ms = common_boot_ms();
        if (now_ms >= call->until_ms)
            return fail_late(call);
        struct pollfd poll_fd = {.fd = call->fd, .events = events};
        int n = poll(&poll_fd, 1, (int)(call->until_ms - now_ms));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return diag_fail(call->diag, -errno, "waiting for the answer: %s", strerror(errno));
    }
}

static int open_socket(struct call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = call->client->socket;
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path))
        return diag_fail(call->diag, -ENAMETOOLONG, "the path of the socket is too long: %s", path);
    memcpy(address.sun_path, path, len + 1);

    call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (call->fd < 0)
        return diag_fail(call->diag, -errno, "no socket: %s", strerror(errno));
    while (connect(call->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        if (error == EINTR)
            continue;
        if (error == EAGAIN) { /* its queue is full: it does not accept any more */
            if (common_boot_ms() >= call->until_ms)
                return fail_late(call);
            (void)poll(NULL, 0, 20);
            continue;
        }
        return diag_fail(call->diag, -error, "cannot connect to %s: %s", path, strerror(error));
    }
    return 0;
}

/* A refused caller is answered and closed before it has asked: then writing fails, and the reason
 * waits to be read. So a broken pipe is no error here; nor is a reset, which the kernel reports
 * when the daemon closed with our question unread: what it sent before is still delivered. */
static int send_bytes(const struct call *call, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t n = send(call->fd, bytes, len_bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return 0;
        if (n < 0 && errno == EAGAIN) {
            int r = wait_for(call, POLLOUT);
            if (r < 0)
                return r;
            continue;
        }
        if (n < 0)
            return diag_fail(call->diag, -errno, "cannot ask: %s", strerror(errno));
        bytes += n;
        len_bytes -= (size_t)n;
    }
    return 0;
}

/* Reads into line until the end of the line, which is cut off. One that drips meets the budget in
 * wait_for(), one that floods meets the limit. */
static int receive_line(const struct call *call, struct buf *line)
{
    for (;;) {
        char chunk[16384];
        ssize_t n = recv(call->fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            int r = wait_for(call, POLLIN);
            if (r < 0)
                return r;
            continue;
        }
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return diag_fail(call->diag, -ECONNRESET,
                             "the connection was closed before the answer was complete");
        if (n < 0)
            return diag_fail(call->diag, -errno, "cannot read the answer: %s", strerror(errno));
        const char *end = memchr(chunk, '\n', (size_t)n);
        buf_add(line, chunk, end != NULL ? (size_t)(end - chunk) : (size_t)n);
        if (line->failed)
            return diag_fail(call->diag, -ENOMEM, "not enough memory for the answer");
        if (line->len_bytes > call->client->answer_max_bytes)
            return diag_fail(call->diag, -EMSGSIZE, "the answer is longer than %zu bytes",
                             call->client->answer_max_bytes);
        if (end != NULL)
            return 0;
    }
}

static int parse_answer(const struct buf *line, cJSON **ret_answer, struct diag *diag)
{
    AUTO(json_freep) cJSON *answer = NULL;
    int r = json_parse(line->data != NULL ? line->data : "", line->len_bytes, &answer, diag);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return diag_within(diag, -EPROTO, "the answer is no JSON");
    if (!cJSON_IsObject(answer))
        return diag_fail(diag, -EPROTO, "the answer is no JSON object");
    *ret_answer = TAKE(answer);
    return 0;
}

int control_client_ask(const struct control_client *client, const char *request, struct buf *line,
                       cJSON **ret_answer, struct diag *diag)
{
    struct call call = {
        .client = client, .fd = -1, .until_ms = common_boot_ms() + client->budget_ms, .diag = diag};
    buf_clear(line);
    int r = open_socket(&call);
    if (r == 0)
        r = send_bytes(&call, request, strlen(request));
    if (r == 0)
        r = send_bytes(&call, "\n", 1);
    if (r == 0)
        r = receive_line(&call, line);
    if (call.fd >= 0)
        (void)close(call.fd);
    return r < 0 ? r : parse_answer(line, ret_answer, diag);
}
