#include "tests/integration/simulator/csta_client.h"

#include "lib/common/common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20000 };

void csta_client_connect(struct csta_client *client, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *client = (struct csta_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(client->fd >= 0);
    assert_int_equal(connect(client->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

void csta_client_close(struct csta_client *client)
{
    csta_frames_done(&client->frames);
    (void)close(client->fd);
    client->fd = -1;
}

void csta_client_send_bytes(struct csta_client *client, const void *bytes, size_t len_bytes)
{
    assert_int_equal(send(client->fd, bytes, len_bytes, MSG_NOSIGNAL), (ssize_t)len_bytes);
}

unsigned csta_client_send(struct csta_client *client, const struct csta_message *message)
{
    AUTO(buf_done) struct buf frame = {0};
    struct diag diag = {0};
    client->invoke = client->invoke % CSTA_INVOKE_MAX + 1;
    if (csta_write_frame(message, CSTA_ED6, client->invoke, &frame, &diag) < 0)
        fail_msg("%s: %s", csta_type_name(message->type), diag.text);
    csta_client_send_bytes(client, frame.data, frame.len_bytes);
    return client->invoke;
}

/* --- reading ---------------------------------------------------------------------------------- */
/* 1: a PDU; 0: the connection has ended; -1: nothing came in time. */
static int next_pdu(struct csta_client *client, unsigned wait_ms, struct csta_pdu *ret_pdu)
{
    char bytes[65536];
    struct diag diag = {0};
    struct pollfd waiting = {.fd = client->fd, .events = POLLIN};
    for (;;) {
        int r = csta_frames_next(&client->frames, ret_pdu, &diag);
        if (r < 0 && client->lenient)
            return 0;
        if (r < 0)
            fail_msg("no frame: %s", diag.text);
        if (r == 1)
            return 1;
        if (poll(&waiting, 1, (int)wait_ms) <= 0)
            return -1;
        ssize_t count = recv(client->fd, bytes, sizeof(bytes), 0);
        if (count <= 0)
            return 0;
        assert_int_equal(csta_frames_add(&client->frames, bytes, (size_t)count), 0);
    }
}

static void describe_number(const char *name, const struct csta_device *device, struct buf *line)
{
    struct csta_device_parts parts;
    if (device->id != NULL && csta_device_parse(device->id, &parts) == 0)
        buf_addf(line, "%s%s", name, parts.number);
}

static void describe_event(const struct csta_message *message, struct buf *line)
{
    if (message->monitor_id != NULL)
        buf_addf(line, "monitor %s ", message->monitor_id);
    buf_adds(line, csta_type_name(message->type));
    describe_number(" ", &message->subject.device, line);
    if (message->local != CSTA_LOCAL_ABSENT)
        buf_addf(line, " %s", csta_local_name(message->local));
    if (message->cause != NULL)
        buf_addf(line, " %s", message->cause);
    if (message->type == CSTA_SESSION_TERMINATED)
        buf_addf(line, " %s", message->reason);
    if (message->type == CSTA_DEVICES)
        buf_addf(line, " %d: %zu%s", (int)message->segment_id.value, message->device_count,
                 message->last_segment.value ? ", the last" : "");
}

static void describe_snapshots(const struct csta_message *message, struct buf *line)
{
    for (size_t i = 0; i < message->call_count; i++)
        for (size_t j = 0; j < message->calls[i].local_count; j++)
            buf_addf(line, "%s%s", j == 0 ? " " : "+",
                     csta_local_name(message->calls[i].locals[j]));
    for (size_t i = 0; i < message->end_count; i++) {
        describe_number(" ", &message->ends[i].device.device, line);
        buf_addf(line, " %s", csta_local_name(message->ends[i].local));
    }
    describe_number(" calling ", &message->calling.device, line);
    describe_number(" called ", &message->called.device, line);
}

static void describe_response(const struct csta_message *message, unsigned invoke, struct buf *line)
{
    buf_addf(line, "%u %s", invoke, csta_type_name(message->type));
    if (message->error != CSTA_ERROR_ABSENT)
        buf_addf(line, " %s %s", csta_error_name(message->error), message->error_value);
    if (message->monitor_id != NULL)
        buf_addf(line, " %s", message->monitor_id);
    if (message->reason != NULL)
        buf_addf(line, " %s", message->reason);
    if (message->system_status != NULL)
        buf_addf(line, " %s", message->system_status);
    if (message->session_s.set)
        buf_addf(line, " %d s", (int)message->session_s.value);
    describe_number(" ", &message->connection.device, line);
    describe_snapshots(message, line);
}

static void describe(struct csta_client *client, const struct csta_pdu *pdu, struct buf *lines)
{
    struct csta_message message;
    struct diag diag = {0};
    int r = csta_check(pdu->xml, pdu->len_bytes, &diag);
    if (r < 0 && client->lenient) {
        buf_adds(lines, "nonsense\n");
        return;
    }
    if (r < 0)
        fail_msg("%s: %.*s", diag.text, (int)pdu->len_bytes, pdu->xml);
    assert_int_equal(csta_read(pdu->xml, pdu->len_bytes, &message, &diag), 0);
    if (message.type == CSTA_START_SESSION_DONE)
        (void)snprintf(client->session_id, sizeof(client->session_id), "%s", message.session_id);
    if (pdu->invoke == CSTA_INVOKE_EVENT)
        describe_event(&message, lines);
    else
        describe_response(&message, pdu->invoke, lines);
    if (message.type == CSTA_START_SESSION_DONE)
        buf_addf(lines, " %s", csta_version_name(csta_version_parse(message.version)));
    buf_adds(lines, "\n");
    csta_message_done(&message);
}

bool csta_client_line(struct csta_client *client, unsigned wait_ms, struct buf *lines)
{
    struct csta_pdu pdu;
    if (next_pdu(client, wait_ms, &pdu) != 1)
        return false;
    describe(client, &pdu, lines);
    return true;
}

bool csta_client_ends(struct csta_client *client, struct buf *lines)
{
    struct csta_pdu pdu;
    int r;
    while ((r = next_pdu(client, WAIT_MS, &pdu)) == 1)
        describe(client, &pdu, lines);
    return r == 0;
}

/* --- comparing -------------------------------------------------------------------------------- */
char *csta_client_collect(struct csta_client *client)
{
    struct buf lines = {0};
    char last[32];
    unsigned invoke = csta_client_send(client, &(struct csta_message){.type = CSTA_REQUEST_STATUS});
    int chars = snprintf(last, sizeof(last), "%u RequestSys", invoke);
    size_t from;
    buf_adds(&lines, "");
    do {
        from = lines.len_bytes;
        if (!csta_client_line(client, WAIT_MS, &lines))
            fail_msg("no more PDUs after: %s", lines.data != NULL ? lines.data : "");
    } while (strncmp(lines.data + from, last, (size_t)chars) != 0);
    lines.data[from] = '\0';
    return buf_take(&lines);
}

void csta_client_expect(struct csta_client *client, const char *expected)
{
    char *lines = csta_client_collect(client);
    assert_string_equal(lines, expected);
    free(lines);
}

void csta_client_ask(struct csta_client *client, const struct csta_message *message,
                     const char *expected)
{
    AUTO(buf_done) struct buf text = {0};
    unsigned invoke = csta_client_send(client, message);
    for (const char *at = expected; *at != '\0'; at++) {
        if (*at == 'N' && (at == expected || at[-1] == '\n'))
            buf_addf(&text, "%u", invoke);
        else
            buf_add(&text, at, 1);
    }
    csta_client_expect(client, text.data != NULL ? text.data : "");
}

struct csta_message csta_client_monitor(const char *number)
{
    return (struct csta_message){.type = CSTA_MONITOR_START, .device = {.id = number}};
}

struct csta_message csta_client_make_call(const char *caller, const char *callee)
{
    return (struct csta_message){.type = CSTA_MAKE_CALL,
                                 .device = {.id = caller},
                                 .destination = {.id = callee},
                                 .originate = CSTA_ORIGINATE_DO_NOT_PROMPT};
}

void csta_client_start(struct csta_client *client, const char *expected)
{
    const char *uri = csta_version_uri(CSTA_ED6);
    csta_client_ask(client,
                    &(struct csta_message){.type = CSTA_START_SESSION,
                                           .application_id = "test",
                                           .versions = &uri,
                                           .version_count = 1},
                    expected);
}

void csta_client_open(struct csta_client *client, uint16_t port)
{
    csta_client_connect(client, port);
    csta_client_start(client, "N StartApplicationSessionPosResponse 180 s ed6\n");
}
