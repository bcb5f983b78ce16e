/* control.c - the control socket: one JSON request a line, one JSON answer a line.
 *
 *   {"command":"status"}                        -> see status.c
 *   {"command":"switchover","by":"…"}           -> {"ok":true} or {"ok":false,"error":"…"}
 *   {"command":"switchover","dry_run":true}     -> the same with "checks", see preview.h
 *   {"command":"simulate","fault":"peer-dead"}  -> see preview.h
 *   {"command":"history","since_s":0,"limit":200} -> {"entries":[…]}
 *   {"command":"log_level","module":"…","level":"debug"}
 *
 * Callers are known by SO_PEERCRED: root may do everything; the gateway's user reads the status and
 * asks for a switchover; everybody else is refused. A request is 4 KiB at most and has 10 s. */
#include "solution-control/solution_control.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"
#include "solution-control/preview.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char module[] = "control";

enum { REQUEST_MAX_BYTES = 4096, CLIENTS_MAX = 32, CLIENT_MS = 10000, HISTORY_DEFAULT = 200 };

enum access { ACCESS_NOBODY, ACCESS_GATEWAY, ACCESS_ROOT };

struct control {
    struct sol_daemon *daemon;
    uv_pipe_t server;
    unsigned clients;
    uid_t gateway_uid;
};

struct client {
    uv_pipe_t pipe;
    uv_write_t write;
    uv_work_t work; /* reading the history */
    struct control *control;
    struct timer *limit;
    char request[REQUEST_MAX_BYTES];
    size_t request_bytes;
    struct buf answer;
    enum access access;
    int64_t since_s;
    unsigned history_limit;
    bool working, closing, closed;
};

static void client_destroy(struct client *client)
{
    if (client->working || !client->closed)
        return;
    client->control->clients--;
    timer_free(client->limit);
    buf_done(&client->answer);
    free(client);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client->closed = true;
    client_destroy(client);
}

static void client_close(struct client *client)
{
    if (client->closing)
        return;
    client->closing = true;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_limit(void *context)
{
    client_close(context);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    client_close(write->data);
}

static void client_answer(struct client *client)
{
    buf_adds(&client->answer, "\n");
    if (client->closing || client->answer.failed) {
        client_close(client);
        return;
    }
    uv_buf_t piece = uv_buf_init(client->answer.data, (unsigned)client->answer.len_bytes);
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &piece, 1, on_written) < 0)
        client_close(client);
}

static void client_refuse(struct client *client, const char *why)
{
    buf_adds(&client->answer, "{\"ok\":false,\"error\":");
    buf_add_json_string(&client->answer, why);
    buf_adds(&client->answer, "}");
    client_answer(client);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void command_status(struct client *client, const cJSON *request)
{
    (void)request;
    sol_status_json(client->control->daemon, &client->answer);
    client_answer(client);
}

static void order_switchover(struct sol_daemon *daemon, const char *by)
{
    char text[SOL_ALARM_CHARS];
    (void)snprintf(text, sizeof(text), "switchover asked by %s", by != NULL ? by : "root");
    journal_write(daemon->journal,
                  &(struct journal_entry){
                      .event = "order", .text = text, .term = daemon->state.durable.right.term});
    daemon->switchover_wanted = true;
    daemon->switchover_asked_ms = common_boot_ms();
    sol_daemon_kick(daemon);
}

static void command_switchover(struct client *client, const cJSON *request)
{
    struct sol_daemon *daemon = client->control->daemon;
    struct arb_facts facts;
    sol_facts_collect(daemon, &facts);
    if (json_bool(request, "dry_run", false)) {
        preview_switchover_json(&daemon->arb, &daemon->state, &facts, &client->answer);
        client_answer(client);
        return;
    }
    const char *obstacle = arb_switchover_obstacle(&daemon->arb, &daemon->state, &facts);
    if (obstacle != NULL) {
        client_refuse(client, obstacle);
        return;
    }
    order_switchover(daemon, json_string(request, "by"));
    buf_adds(&client->answer, "{\"ok\":true}");
    client_answer(client);
}

static void refuse_fault(struct client *client)
{
    struct buf text = {0};
    buf_adds(&text, "no such fault; known are ");
    for (int i = 0; i < ARB_FAULT_COUNT; i++)
        buf_addf(&text, "%s%s", i > 0 ? ", " : "", arb_fault_name((enum arb_fault)i));
    client_refuse(client, text.failed ? "no such fault" : text.data);
    buf_done(&text);
}

static void command_simulate(struct client *client, const cJSON *request)
{
    struct sol_daemon *daemon = client->control->daemon;
    const char *name = json_string(request, "fault");
    enum arb_fault fault;
    struct arb_facts facts;
    if (name == NULL || !arb_fault_named(name, &fault)) {
        refuse_fault(client);
        return;
    }
    sol_facts_collect(daemon, &facts);
    preview_fault_json(&daemon->arb, &daemon->state, &facts, fault, &client->answer);
    client_answer(client);
}

static void read_history(uv_work_t *work)
{
    struct client *client = work->data;
    struct diag diag = {0};
    buf_adds(&client->answer, "{\"ok\":true,\"entries\":");
    if (journal_read(SOL_JOURNAL_FILE, client->history_limit, client->since_s, &client->answer,
                     &diag) == 0) {
        buf_adds(&client->answer, "}");
        return;
    }
    buf_clear(&client->answer);
    buf_adds(&client->answer, "{\"ok\":false,\"error\":");
    buf_add_json_string(&client->answer, diag.text);
    buf_adds(&client->answer, "}");
}

static void on_history_read(uv_work_t *work, int status)
{
    struct client *client = work->data;
    (void)status;
    client->working = false;
    if (client->closed)
        client_destroy(client);
    else
        client_answer(client);
}

static void command_history(struct client *client, const cJSON *request)
{
    int64_t limit = HISTORY_DEFAULT;
    (void)json_int64(request, "limit", &limit);
    (void)json_int64(request, "since_s", &client->since_s);
    client->history_limit = limit < 1 || limit > 100000 ? HISTORY_DEFAULT : (unsigned)limit;
    client->work.data = client;
    client->working = true;
    (void)uv_queue_work(client->control->daemon->loop, &client->work, read_history,
                        on_history_read);
}

static void command_log_level(struct client *client, const cJSON *request)
{
    enum log_level level;
    const char *text = json_string(request, "level");
    if (text == NULL || !log_level_parse(text, &level)) {
        client_refuse(client, "level: error, warning, notice, info, debug or trace is expected");
        return;
    }
    log_set_level(json_string(request, "module"), level);
    buf_adds(&client->answer, "{\"ok\":true}");
    client_answer(client);
}

static const struct command {
    const char *name;
    enum access needs;
    void (*run)(struct client *client, const cJSON *request);
} commands[] = {
    {"status", ACCESS_GATEWAY, command_status},
    {"switchover", ACCESS_GATEWAY, command_switchover},
    {"simulate", ACCESS_ROOT, command_simulate},
    {"history", ACCESS_ROOT, command_history},
    {"log_level", ACCESS_ROOT, command_log_level},
};

static void run_request(struct client *client, size_t len_bytes)
{
    AUTO(json_freep) cJSON *request = NULL;
    struct diag diag = {0};
    if (json_parse(client->request, len_bytes, &request, &diag) < 0) {
        client_refuse(client, diag.text);
        return;
    }
    const char *name = json_string(request, "command");
    for (unsigned i = 0; name != NULL && i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (client->access < commands[i].needs)
            client_refuse(client, "not allowed for this user; use root");
        else
            commands[i].run(client, request);
        return;
    }
    client_refuse(client, "unknown command; known are status, switchover, simulate, history, "
                          "log_level");
}

/* --- connections -------------------------------------------------------------------------------
 */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct client *client = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(client->request + client->request_bytes,
                           (unsigned)(sizeof(client->request) - client->request_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct client *client = stream->data;
    (void)buf;
    if (got < 0) {
        client_close(client);
        return;
    }
    client->request_bytes += (size_t)got;
    char *end = memchr(client->request, '\n', client->request_bytes);
    if (end != NULL) {
        (void)uv_read_stop(stream);
        run_request(client, (size_t)(end - client->request));
    } else if (client->request_bytes == sizeof(client->request)) {
        (void)uv_read_stop(stream);
        client_refuse(client, "the request is longer than 4096 bytes");
    }
}

static enum access access_of(const struct control *control, uv_pipe_t *pipe)
{
    uv_os_fd_t fd;
    struct ucred who;
    socklen_t size = sizeof(who);
    if (uv_fileno((uv_handle_t *)pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return ACCESS_NOBODY;
    if (who.uid == 0)
        return ACCESS_ROOT;
    return who.uid == control->gateway_uid ? ACCESS_GATEWAY : ACCESS_NOBODY;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *control = server->data;
    struct client *client = status < 0 ? NULL : calloc(1, sizeof(*client));
    if (client == NULL)
        return;
    client->control = control;
    control->clients++;
    (void)uv_pipe_init(server->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->limit = timer_new(server->loop, on_limit, client);
    if (client->limit == NULL || uv_accept(server, (uv_stream_t *)&client->pipe) < 0 ||
        control->clients > CLIENTS_MAX) {
        client_close(client);
        return;
    }
    client->access = access_of(control, &client->pipe);
    timer_start(client->limit, CLIENT_MS, 0);
    if (client->access == ACCESS_NOBODY)
        client_refuse(client, "not allowed for this user; use root");
    else
        (void)uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
}

int control_open(struct sol_daemon *daemon, struct control **ret_control, struct diag *diag)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        return diag_fail(diag, -ENOMEM, "control socket: no memory");
    const struct passwd *gateway = getpwnam("roxe-gateway");
    control->daemon = daemon;
    control->gateway_uid = gateway != NULL ? gateway->pw_uid : 0;
    (void)unlink(SOL_CONTROL_SOCKET);
    (void)uv_pipe_init(daemon->loop, &control->server, 0);
    control->server.data = control;
    int r = uv_pipe_bind(&control->server, SOL_CONTROL_SOCKET);
    if (r == 0 && chmod(SOL_CONTROL_SOCKET, 0666) != 0) /* the caller's identity decides */
        r = -errno;
    if (r == 0)
        r = uv_listen((uv_stream_t *)&control->server, 16, on_connection);
    if (r < 0)
        return diag_fail(diag, r, "cannot listen on %s: %s", SOL_CONTROL_SOCKET, uv_strerror(r));
    log_debug(module, "listening on %s", SOL_CONTROL_SOCKET);
    *ret_control = control;
    return 0;
}
