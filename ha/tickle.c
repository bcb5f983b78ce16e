#include "ha/tickle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/common/common.h"
#include "lib/common/secrets.h"

enum { LINE_MAX_CHARS = 128, TCP_ACK = 0x10, WINDOW = 512 };

static const unsigned round_at_ms[TICKLE_ROUNDS] = {0, 100, 300};

/* --- the list ------------------------------------------------------------------------------ */

static bool read_port(const char *text, uint16_t *ret_port)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    unsigned long port = strtoul(text, &end, 10);
    if (*end != '\0' || port == 0 || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool read_line(char *line, struct tickle_connection *ret_connection)
{
    enum { FAMILY, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT, WORDS };
    char *words[WORDS] = {NULL}, *rest = line, *word;
    unsigned count = 0;
    while ((word = strsep(&rest, " ")) != NULL) {
        if (count == WORDS)
            return false;
        words[count++] = word;
    }
    if (count != WORDS || words[FAMILY][0] == '\0' || words[FAMILY][1] != '\0')
        return false;

    struct tickle_connection connection = {0};
    if (words[FAMILY][0] == '4')
        connection.family = AF_INET;
    else if (words[FAMILY][0] == '6')
        connection.family = AF_INET6;
    else
        return false;
    if (inet_pton(connection.family, words[LOCAL], connection.local) != 1 ||
        inet_pton(connection.family, words[REMOTE], connection.remote) != 1 ||
        !read_port(words[LOCAL_PORT], &connection.local_port) ||
        !read_port(words[REMOTE_PORT], &connection.remote_port))
        return false;
    *ret_connection = connection;
    return true;
}

static size_t count_lines(const char *text, size_t len_bytes)
{
    size_t lines = 1;
    for (size_t i = 0; i < len_bytes; i++)
        lines += text[i] == '\n';
    return lines < TICKLE_CONNECTIONS_MAX ? lines : TICKLE_CONNECTIONS_MAX;
}

int tickle_list_read(const char *text, size_t len_bytes, struct tickle_connection **ret_connections,
                     size_t *ret_count, size_t *ret_skipped)
{
    struct tickle_connection *connections =
        calloc(count_lines(text, len_bytes), sizeof(*connections));
    if (connections == NULL)
        return -ENOMEM;
    size_t count = 0, skipped = 0;
    for (size_t at = 0; at < len_bytes;) {
        const char *end = memchr(text + at, '\n', len_bytes - at);
        size_t chars = end != NULL ? (size_t)(end - (text + at)) : len_bytes - at;
        char line[LINE_MAX_CHARS];
        bool good = chars > 0 && chars < sizeof(line) && count < TICKLE_CONNECTIONS_MAX;
        if (good) {
            memcpy(line, text + at, chars);
            line[chars] = '\0';
            /* a NUL byte inside would hide the rest of the line */
            good = strlen(line) == chars && read_line(line, &connections[count]);
        }
        count += good;
        skipped += !good && chars > 0;
        at += chars + 1;
    }
    *ret_connections = connections;
    *ret_count = count;
    *ret_skipped = skipped;
    return 0;
}

void tickle_list_write(const struct tickle_connection *connections, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct tickle_connection *connection = &connections[i];
        char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
        if (inet_ntop(connection->family, connection->local, local, sizeof(local)) == NULL ||
            inet_ntop(connection->family, connection->remote, remote, sizeof(remote)) == NULL)
            continue;
        buf_addf(out, "%c %s %u %s %u\n", connection->family == AF_INET ? '4' : '6', local,
                 connection->local_port, remote, connection->remote_port);
    }
}

/* --- one segment --------------------------------------------------------------------------- */

static void put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void put32(uint8_t *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out + 2, value & 0xffff);
}

static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return sum;
}

void tickle_segment_build(const struct tickle_connection *connection, uint32_t sequence,
                          uint32_t acknowledgement, uint8_t out[TICKLE_SEGMENT_BYTES])
{
    memset(out, 0, TICKLE_SEGMENT_BYTES);
    put16(out, connection->local_port);
    put16(out + 2, connection->remote_port);
    put32(out + 4, sequence);
    put32(out + 8, acknowledgement);
    out[12] = TICKLE_SEGMENT_BYTES / 4 << 4;
    out[13] = TCP_ACK;
    put16(out + 14, WINDOW);

    /* pseudo header of RFC 9293 and RFC 8200: addresses, length, protocol */
    const size_t address_bytes = connection->family == AF_INET ? 4 : 16;
    uint32_t sum = TICKLE_SEGMENT_BYTES + IPPROTO_TCP;
    sum = sum_words(sum, connection->local, address_bytes);
    sum = sum_words(sum, connection->remote, address_bytes);
    sum = sum_words(sum, out, TICKLE_SEGMENT_BYTES);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(out + 16, ~sum & 0xffff);
}

/* --- sending, on the thread pool ----------------------------------------------------------- */

enum { VIPS_MAX = 2 };

struct run {
    uv_work_t work;
    char *path; /* NULL: the connections came with the options */
    struct tickle_connection *connections;
    size_t connection_count;
    struct rtnl_addr vips[VIPS_MAX];
    unsigned vip_count;
    int sockets[VIPS_MAX];
    tickle_fn done;
    void *context;
    struct tickle_result result;
};

static void run_free(struct run *run)
{
    for (unsigned i = 0; i < VIPS_MAX; i++)
        common_closep(&run->sockets[i]);
    free(run->path);
    free(run->connections);
    free(run);
}

static int fail_run(struct run *run, int code, const char *what)
{
    run->result.error = code;
    (void)snprintf(run->result.text, sizeof(run->result.text), "%s: %s", what, uv_strerror(code));
    return code;
}

static int read_whole(const char *path, char **ret_text, size_t *ret_bytes)
{
    AUTO(common_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    size_t want = st.st_size < TICKLE_FILE_MAX_BYTES ? (size_t)st.st_size : TICKLE_FILE_MAX_BYTES;
    char *text = malloc(want + 1);
    if (text == NULL)
        return -ENOMEM;
    size_t got = 0;
    while (got < want) {
        ssize_t n = read(fd, text + got, want - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int code = -errno;
            free(text);
            return code;
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *ret_text = text;
    *ret_bytes = got;
    return 0;
}

static int load_list(struct run *run)
{
    AUTO(common_freep) char *text = NULL;
    size_t bytes = 0;
    int code = read_whole(run->path, &text, &bytes);
    if (code < 0)
        return fail_run(run, code, "cannot read the list of open channels");
    code = tickle_list_read(text, bytes, &run->connections, &run->connection_count,
                            &run->result.skipped);
    return code < 0 ? fail_run(run, code, "cannot read the list of open channels") : 0;
}

/* Sends only: a raw TCP socket would otherwise be given a copy of every segment that arrives. */
static int refuse_input(int fd)
{
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    const struct sock_fprog program = {.len = COUNT_OF(nothing), .filter = nothing};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static socklen_t fill_address(struct sockaddr_storage *out, int family, const uint8_t *bytes)
{
    *out = (struct sockaddr_storage){0};
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        memcpy(&in->sin_addr, bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    memcpy(&in6->sin6_addr, bytes, 16);
    return sizeof(*in6);
}

static int open_raw(const struct rtnl_addr *vip)
{
    AUTO(common_closep) int fd = socket(vip->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    int code = refuse_input(fd);
    if (code < 0)
        return code;
    struct sockaddr_storage local;
    socklen_t local_bytes = fill_address(&local, vip->family, vip->bytes);
    if (bind(fd, (const struct sockaddr *)&local, local_bytes) < 0)
        return -errno;
    int result = fd;
    fd = -1;
    return result;
}

static int socket_for(const struct run *run, const struct tickle_connection *connection)
{
    const size_t bytes = connection->family == AF_INET ? 4 : 16;
    for (unsigned i = 0; i < run->vip_count; i++)
        if (run->vips[i].family == connection->family &&
            memcmp(run->vips[i].bytes, connection->local, bytes) == 0)
            return run->sockets[i];
    return -1;
}

static void send_one(struct run *run, int fd, const struct tickle_connection *connection)
{
    uint32_t numbers[2] = {0};
    (void)secrets_random(numbers, sizeof(numbers)); /* zeros would do as well */
    uint8_t segment[TICKLE_SEGMENT_BYTES];
    tickle_segment_build(connection, numbers[0], numbers[1], segment);
    struct sockaddr_storage to;
    socklen_t to_bytes = fill_address(&to, connection->family, connection->remote);
    if (sendto(fd, segment, sizeof(segment), MSG_NOSIGNAL, (const struct sockaddr *)&to, to_bytes) <
        0) {
        run->result.send_errors++;
        run->result.last_send_error = -errno;
    } else {
        run->result.sent++;
    }
}

static void send_round(struct run *run)
{
    for (size_t i = 0; i < run->connection_count; i++) {
        int fd = socket_for(run, &run->connections[i]);
        if (fd >= 0)
            send_one(run, fd, &run->connections[i]);
    }
}

static void on_work(uv_work_t *work)
{
    struct run *run = work->data;
    if (run->path != NULL && load_list(run) < 0)
        return;
    for (unsigned i = 0; i < run->vip_count; i++) {
        run->sockets[i] = open_raw(&run->vips[i]);
        if (run->sockets[i] < 0) {
            (void)fail_run(run, run->sockets[i], "cannot open a raw socket on the virtual address");
            return;
        }
    }
    for (size_t i = 0; i < run->connection_count; i++)
        run->result.connections += socket_for(run, &run->connections[i]) >= 0;
    for (unsigned round = 0; round < TICKLE_ROUNDS && run->result.connections > 0; round++) {
        unsigned wait_ms = round_at_ms[round] - (round > 0 ? round_at_ms[round - 1] : 0);
        const struct timespec pause = {.tv_nsec = wait_ms * 1000000L};
        (void)nanosleep(&pause, NULL);
        send_round(run);
    }
    (void)snprintf(run->result.text, sizeof(run->result.text),
                   "%zu connections told, %zu packets, %zu not sent", run->result.connections,
                   run->result.sent, run->result.send_errors);
}

static void on_work_done(uv_work_t *work, int status)
{
    struct run *run = work->data;
    if (status < 0)
        (void)fail_run(run, status, "tickling was cancelled");
    run->done(run->context, &run->result);
    run_free(run);
}

static int copy_options(struct run *run, const struct tickle_options *options)
{
    run->vip_count = options->vip_count;
    for (unsigned i = 0; i < options->vip_count; i++)
        run->vips[i] = options->vips[i];
    if (options->path != NULL) {
        run->path = strdup(options->path);
        return run->path != NULL ? 0 : -ENOMEM;
    }
    run->connection_count = options->connection_count;
    run->connections = calloc(options->connection_count + 1, sizeof(*run->connections));
    if (run->connections == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < options->connection_count; i++)
        run->connections[i] = options->connections[i];
    return 0;
}

int tickle_start(uv_loop_t *loop, const struct tickle_options *options, tickle_fn done,
                 void *context, struct diag *diag)
{
    if (options->vip_count == 0 || options->vip_count > VIPS_MAX ||
        options->connection_count > TICKLE_CONNECTIONS_MAX)
        return diag_fail(diag, -EINVAL,
                         "tickling needs one or two addresses and at most %d connections",
                         TICKLE_CONNECTIONS_MAX);
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for tickling");
    run->sockets[0] = run->sockets[1] = -1;
    run->work.data = run;
    run->done = done;
    run->context = context;
    int code = copy_options(run, options);
    if (code == 0)
        code = uv_queue_work(loop, &run->work, on_work, on_work_done);
    if (code < 0) {
        run_free(run);
        return diag_fail(diag, code, "cannot start tickling: %s", uv_strerror(code));
    }
    return 0;
}
