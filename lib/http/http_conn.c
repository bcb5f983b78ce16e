/* http_conn.c - one connection: bytes in, requests in order, the limits of time and size.
 *
 * run() is a loop of small steps over what has come in. A step that starts a handler may find the
 * request answered when it returns, or not; in the second case the loop stops (the phase says so)
 * and the answer starts it again. */
#include "lib/http/http_private.h"

#include "lib/common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One byte of body buys so many bytes of chunk framing and trailers; above is abuse. */
enum { FRAMING_FACTOR = 8, FRAMING_BYTES = 16 * 1024, BODY_BYTES_PER_MS = 16 };

static const struct http_limits *limits_of(const struct http__conn *conn)
{
    return &conn->server->program.limits;
}

static uint64_t now_ms(const struct http__conn *conn)
{
    return uv_now(conn->server->loop);
}

/* --- what the parser tells -------------------------------------------------------------------- */
/* A callback's refusal: the status is remembered, the parser stops. */
static int refuse_in_parser(struct http__conn *conn, int status)
{
    conn->refusal = status;
    return HPE_USER;
}

static int on_url(llhttp_t *parser, const char *at, size_t len_bytes)
{
    struct http__conn *conn = parser->data;
    struct http_request *request = conn->request;
    if (request->target_bytes + len_bytes > limits_of(conn)->url_bytes)
        return refuse_in_parser(conn, 414);
    char *target =
        arena_append(&request->arena, request->target, &request->target_bytes, at, len_bytes);
    if (target == NULL)
        return refuse_in_parser(conn, 503);
    request->target = target;
    return 0;
}

static struct http__header *add_header(struct http_request *request)
{
    struct http__header *header = arena_calloc(&request->arena, 1, sizeof(*header));
    if (header == NULL)
        return NULL;
    if (request->last_header != NULL)
        request->last_header->next = header;
    else
        request->headers = header;
    request->last_header = header;
    request->header_count++;
    return header;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len_bytes)
{
    struct http__conn *conn = parser->data;
    struct http_request *request = conn->request;
    if (conn->head_complete)
        return 0; /* a trailer: nobody reads it */
    struct http__header *header = request->last_header;
    if (header == NULL || request->in_value) {
        if (request->header_count == HTTP__HEADERS_MAX)
            return refuse_in_parser(conn, 431);
        header = add_header(request);
        request->in_value = false;
    }
    char *name = header != NULL ? arena_append(&request->arena, header->name, &header->name_bytes,
                                               at, len_bytes)
                                : NULL;
    if (name == NULL)
        return refuse_in_parser(conn, 503);
    header->name = name;
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len_bytes)
{
    struct http__conn *conn = parser->data;
    struct http_request *request = conn->request;
    if (conn->head_complete)
        return 0;
    struct http__header *header = request->last_header;
    request->in_value = true;
    char *value = arena_append(&request->arena, header->value, &header->value_bytes, at, len_bytes);
    if (value == NULL)
        return refuse_in_parser(conn, 503);
    header->value = value;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http__conn *conn = parser->data;
    struct http_request *request = conn->request;
    conn->head_complete = true;
    request->keep_alive = llhttp_should_keep_alive(parser) != 0;
    request->is_chunked = (parser->flags & F_CHUNKED) != 0;
    request->has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    request->content_bytes = request->has_length ? parser->content_length : 0;
    request->is_http_1_0 = parser->http_minor == 0;
    parser->upgrade = 0; /* we never change protocols: an offer of "h2c" is simply not taken */
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len_bytes)
{
    struct http__conn *conn = parser->data;
    struct http_request *request = conn->request;
    struct http_server *server = conn->server;
    conn->body_bytes += len_bytes;
    if (conn->body_bytes > limits_of(conn)->body_bytes)
        return refuse_in_parser(conn, 413);
    if (request == NULL || conn->phase == HTTP__PHASE_DISCARD)
        return 0;
    if (server->stats.bodies_bytes + len_bytes > limits_of(conn)->bodies_bytes)
        return refuse_in_parser(conn, 503);
    size_t before = request->body.len_bytes;
    buf_add(&request->body, at, len_bytes);
    server->stats.bodies_bytes += request->body.len_bytes - before;
    return request->body.failed ? refuse_in_parser(conn, 503) : 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct http__conn *conn = parser->data;
    conn->message_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t PARSER_SETTINGS = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- refusing --------------------------------------------------------------------------------- */
void http__conn_refuse(struct http__conn *conn, int status, const char *help)
{
    conn->server->stats.bad_requests++;
    conn->close_after = true;
    conn->message_complete = true; /* nothing after this is read as a request */
    if (conn->request == NULL)
        conn->request = http__request_new(conn);
    if (conn->request == NULL)
        tls_channel_close(conn->channel);
    else
        http_answer_fail(conn->request, status, "%s", help);
}

static const char *refusal_text(int status)
{
    switch (status) {
    case 413:
        return "the body is too large";
    case 414:
        return "the request target is too long";
    case 431:
        return "the request head is too large";
    case 503:
        return "the server is short of memory for this request";
    default:
        return "the request is malformed";
    }
}

static void refuse_parsed(struct http__conn *conn, llhttp_errno_t code)
{
    if (conn->refusal != 0) {
        http__conn_refuse(conn, conn->refusal, refusal_text(conn->refusal));
        return;
    }
    bool version = code == HPE_INVALID_VERSION || code == HPE_PAUSED_H2_UPGRADE;
    char help[128];
    const char *reason = llhttp_get_error_reason(&conn->parser);
    (void)snprintf(help, sizeof(help), "malformed request: %s",
                   reason != NULL && reason[0] != '\0' ? reason : llhttp_errno_name(code));
    http__conn_refuse(conn, version ? 505 : 400, help);
}

/* --- a complete head -------------------------------------------------------------------------- */
static enum http_method method_of(const llhttp_t *parser)
{
    const char *name = llhttp_method_name((llhttp_method_t)parser->method);
    for (unsigned method = 0; method < HTTP_OTHER; method++)
        if (strcmp(name, http_method_name((enum http_method)method)) == 0)
            return (enum http_method)method;
    return HTTP_OTHER;
}

/* Repeated headers become one: ", " between values, "; " between cookies. Those that decide where a
 * message ends or for whom it is must not be repeated. 0 or a status. */
static int join_headers(struct http_request *request, const char **ret_help)
{
    static const char *const single[] = {"host",         "content-length", "transfer-encoding",
                                         "content-type", "authorization",  "expect"};
    for (struct http__header *header = request->headers; header != NULL; header = header->next) {
        if (header->name == NULL)
            continue;
        if (header->value == NULL)
            header->value = arena_strdup(&request->arena, "");
        for (struct http__header *later = header->next; later != NULL; later = later->next) {
            if (later->name == NULL || strcasecmp(later->name, header->name) != 0)
                continue;
            for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
                if (strcasecmp(header->name, single[i]) == 0) {
                    *ret_help = "a header that must be unique is repeated";
                    return 400;
                }
            header->value =
                arena_printf(&request->arena, "%s%s%s", header->value != NULL ? header->value : "",
                             strcasecmp(header->name, "cookie") == 0 ? "; " : ", ",
                             later->value != NULL ? later->value : "");
            later->name = NULL;
        }
        if (header->value == NULL)
            return 503;
    }
    return 0;
}

static int check_framing(const struct http__conn *conn, const char **ret_help)
{
    struct http_request *request = conn->request;
    const char *coding = http_request_header(request, "transfer-encoding");
    if (coding != NULL && request->has_length) {
        *ret_help = "Content-Length and Transfer-Encoding exclude each other";
        return 400;
    }
    if (coding != NULL && (strcasecmp(coding, "chunked") != 0 || request->is_http_1_0)) {
        *ret_help = "the only transfer coding is chunked";
        return request->is_http_1_0 ? 400 : 501;
    }
    if (!request->is_http_1_0 && http_request_header(request, "host") == NULL) {
        *ret_help = "HTTP/1.1 needs a Host header";
        return 400;
    }
    const char *expect = http_request_header(request, "expect");
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0) {
        *ret_help = "the only expectation is 100-continue";
        return 417;
    }
    request->expects_continue = expect != NULL && !request->is_http_1_0;
    return 0;
}

static int check_head(struct http__conn *conn, struct diag *diag)
{
    struct http_request *request = conn->request;
    const char *help = "the server is short of memory for this request";
    int status = 0;
    if (conn->parser.http_major != 1 || conn->parser.http_minor > 1) {
        help = "the protocol is HTTP/1.1";
        status = 505;
    }
    if (status == 0)
        status = join_headers(request, &help);
    if (status == 0)
        status = check_framing(conn, &help);
    if (status != 0) {
        (void)diag_fail(diag, -EINVAL, "%s", help);
        return status;
    }
    int r = http_url_parse(request->target != NULL ? request->target : "", request->target_bytes,
                           &request->arena, &request->url, diag);
    if (r == -ENOMEM)
        (void)diag_fail(diag, r, "%s", help);
    return r == 0 ? 0 : r == -ENOMEM ? 503 : 400;
}

static void begin_request(struct http__conn *conn)
{
    struct diag diag = {0};
    conn->request->method = method_of(&conn->parser);
    int status = check_head(conn, &diag);
    if (status != 0) {
        http__conn_refuse(conn, status, diag.text);
        return;
    }
    conn->phase = HTTP__PHASE_ACCESS;
    conn->deadline_ms = 0;
    http__dispatch_head(conn->request);
}

static void begin_handler(struct http__conn *conn)
{
    conn->phase = HTTP__PHASE_HANDLER;
    conn->deadline_ms = 0;
    http__dispatch_body(conn->request);
}

void http__conn_authorized(struct http__conn *conn)
{
    struct http_request *request = conn->request;
    if (conn->message_complete) {
        begin_handler(conn);
    } else if (request->content_bytes > limits_of(conn)->body_bytes) {
        http__conn_refuse(conn, 413, refusal_text(413));
    } else {
        conn->phase = HTTP__PHASE_BODY;
        conn->deadline_ms = now_ms(conn) + limits_of(conn)->body_ms;
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (request->expects_continue)
            (void)tls_channel_write(conn->channel, go_on, sizeof(go_on) - 1);
    }
    http__conn_run(conn);
}

/* --- steps ------------------------------------------------------------------------------------ */
static void next_request(struct http__conn *conn)
{
    if (conn->close_after) {
        conn->phase = HTTP__PHASE_CLOSING;
        conn->deadline_ms = 0;
        tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
        return;
    }
    conn->phase = HTTP__PHASE_HEAD;
    conn->deadline_ms = now_ms(conn) + limits_of(conn)->idle_ms;
    conn->head_state = HTTP_HEAD_STATE_BEFORE;
    conn->head_bytes = conn->wire_bytes = conn->body_bytes = 0;
    conn->refusal = 0;
    conn->head_complete = conn->message_complete = false;
    tls_channel_set_low_water(conn->channel, 0);
    llhttp_init(&conn->parser, HTTP_REQUEST, &PARSER_SETTINGS);
    conn->parser.data = conn;
}

void http__conn_answered(struct http__conn *conn)
{
    http__request_free(conn->request);
    conn->request = NULL;
    if (conn->server->draining)
        conn->close_after = true; /* a stream began before the draining did */
    if (conn->message_complete || conn->close_after) {
        next_request(conn);
    } else {
        conn->phase = HTTP__PHASE_DISCARD;
        conn->deadline_ms = now_ms(conn) + limits_of(conn)->body_ms;
    }
    http__conn_run(conn);
}

/* Feeds the head's bytes to the parser; the scanner has said whether they end the head. */
static void parse_head(struct http__conn *conn, const char *bytes, size_t len_bytes, bool ends)
{
    if (conn->request == NULL) {
        conn->request = http__request_new(conn);
        if (conn->request == NULL) {
            tls_channel_close(conn->channel);
            conn->phase = HTTP__PHASE_CLOSING;
            return;
        }
    }
    llhttp_errno_t code = llhttp_execute(&conn->parser, bytes, len_bytes);
    if (code == HPE_PAUSED && conn->message_complete)
        llhttp_resume(&conn->parser);
    else if (code != HPE_OK) {
        refuse_parsed(conn, code);
        return;
    }
    if (conn->parser.method == HTTP_PRI && ends)
        http__conn_refuse(conn, 505, "the protocol is HTTP/1.1");
    else if (ends != conn->head_complete)
        http__conn_refuse(conn, 400, "malformed request: where the head ends is not clear");
    else if (ends)
        begin_request(conn);
}

static size_t step_head(struct http__conn *conn, const char *bytes, size_t len_bytes)
{
    size_t limit = limits_of(conn)->head_bytes;
    if (conn->head_bytes == 0)
        conn->deadline_ms = now_ms(conn) + limits_of(conn)->head_ms;
    if (len_bytes > limit - conn->head_bytes)
        len_bytes = limit - conn->head_bytes;
    size_t consumed = 0;
    enum http_head_result result = http_head_scan(&conn->head_state, bytes, len_bytes, &consumed);
    conn->head_bytes += consumed;
    switch (result) {
    case HTTP_HEAD_MORE:
    case HTTP_HEAD_END:
        parse_head(conn, bytes, consumed, result == HTTP_HEAD_END);
        break;
    case HTTP_HEAD_SKIP:
        break;
    case HTTP_HEAD_BARE_CR:
    case HTTP_HEAD_BARE_LF:
        http__conn_refuse(conn, 400, "malformed request: lines end with CR LF");
        break;
    case HTTP_HEAD_FOLDED:
        http__conn_refuse(conn, 400, "malformed request: folded header lines are refused");
        break;
    case HTTP_HEAD_SPACES:
        http__conn_refuse(conn, 400, "malformed request line");
        break;
    case HTTP_HEAD_NO_NAME:
        http__conn_refuse(conn, 400, "malformed request: a header without name");
        break;
    }
    if (conn->phase == HTTP__PHASE_HEAD && !conn->head_complete && conn->head_bytes >= limit)
        http__conn_refuse(conn, 431, refusal_text(431));
    return consumed;
}

static size_t step_body(struct http__conn *conn, const char *bytes, size_t len_bytes)
{
    conn->wire_bytes += len_bytes;
    conn->deadline_ms += len_bytes / BODY_BYTES_PER_MS;
    llhttp_errno_t code = llhttp_execute(&conn->parser, bytes, len_bytes);
    size_t consumed = len_bytes;
    if (code == HPE_PAUSED && conn->message_complete) {
        consumed = (size_t)(llhttp_get_error_pos(&conn->parser) - bytes);
        llhttp_resume(&conn->parser);
        if (conn->phase == HTTP__PHASE_DISCARD)
            next_request(conn);
        else
            begin_handler(conn);
        return consumed;
    }
    bool abuse = conn->wire_bytes > FRAMING_BYTES + FRAMING_FACTOR * conn->body_bytes;
    if (conn->phase == HTTP__PHASE_DISCARD && (code != HPE_OK || abuse)) {
        conn->close_after = true; /* its answer is out already */
        next_request(conn);
    } else if (code != HPE_OK) {
        refuse_parsed(conn, code);
    } else if (abuse) {
        http__conn_refuse(conn, 413, "too much chunk framing");
    }
    return consumed;
}

static size_t step(struct http__conn *conn, const char *bytes, size_t len_bytes)
{
    switch (conn->phase) {
    case HTTP__PHASE_HEAD:
        return step_head(conn, bytes, len_bytes);
    case HTTP__PHASE_BODY:
    case HTTP__PHASE_DISCARD:
        return step_body(conn, bytes, len_bytes);
    case HTTP__PHASE_ACCESS:
    case HTTP__PHASE_HANDLER:
    case HTTP__PHASE_STREAM:
    case HTTP__PHASE_CLOSING:
        break;
    }
    return 0;
}

static bool can_step(const struct http__conn *conn)
{
    return conn->phase == HTTP__PHASE_HEAD || conn->phase == HTTP__PHASE_BODY ||
           conn->phase == HTTP__PHASE_DISCARD;
}

/* Takes what it can; returns how many bytes are done with. */
static size_t run_bytes(struct http__conn *conn, const char *bytes, size_t len_bytes)
{
    size_t done = 0;
    conn->running = true;
    while (done < len_bytes && can_step(conn))
        done += step(conn, bytes + done, len_bytes - done);
    conn->running = false;
    return conn->phase == HTTP__PHASE_CLOSING ? len_bytes : done;
}

/* A busy connection reads ahead a little, in order to notice that the client goes away. */
static void control_reading(struct http__conn *conn)
{
    if (conn->phase == HTTP__PHASE_CLOSING)
        return;
    if (conn->pending.len_bytes > HTTP__PENDING_BYTES)
        tls_channel_pause(conn->channel);
    else
        tls_channel_resume(conn->channel);
    if (conn->got_end && can_step(conn)) /* what is left can never be completed */
        tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
}

static void keep_rest(struct http__conn *conn, const char *bytes, size_t len_bytes)
{
    buf_add(&conn->pending, bytes, len_bytes);
    if (conn->pending.failed)
        tls_channel_close(conn->channel);
}

void http__conn_run(struct http__conn *conn)
{
    if (conn->running)
        return;
    struct buf input = conn->pending;
    conn->pending = (struct buf){0};
    size_t done = run_bytes(conn, input.data, input.len_bytes);
    if (done == 0)
        conn->pending = input;
    else {
        if (done < input.len_bytes)
            keep_rest(conn, input.data + done, input.len_bytes - done);
        buf_done(&input);
    }
    control_reading(conn);
}

/* --- what the channel tells ------------------------------------------------------------------- */
static void on_ready(void *context)
{
    struct http__conn *conn = context;
    conn->deadline_ms = now_ms(conn) + limits_of(conn)->head_ms;
}

static void on_data(void *context, const char *bytes, size_t len_bytes)
{
    struct http__conn *conn = context;
    size_t done = 0;
    if (conn->phase == HTTP__PHASE_CLOSING)
        return;
    if (conn->pending.len_bytes == 0)
        done = run_bytes(conn, bytes, len_bytes);
    if (done < len_bytes)
        keep_rest(conn, bytes + done, len_bytes - done);
    control_reading(conn);
}

/* The client sends no more. One that still waits for an answer gets it, unless the handler wants to
 * know when its client is gone: the two cannot be told apart in time. */
static void on_end(void *context)
{
    struct http__conn *conn = context;
    conn->got_end = true;
    bool waits = conn->phase == HTTP__PHASE_ACCESS || conn->phase == HTTP__PHASE_HANDLER;
    if (conn->phase == HTTP__PHASE_STREAM || (waits && conn->request->gone != NULL))
        tls_channel_close(conn->channel);
    else if (!waits)
        tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
}

static void on_drained(void *context)
{
    struct http__conn *conn = context;
    if (conn->phase == HTTP__PHASE_STREAM)
        http__stream_drained(conn->request);
}

/* The present request outlives its connection while the program holds it. */
static void release_request(struct http__conn *conn, int error)
{
    struct http_request *request = conn->request;
    conn->request = NULL;
    request->conn = NULL;
    if (request->stream.open) {
        http__stream_broken(request, error);
        http__request_free(request);
    } else if (!request->held) {
        http__request_free(request);
    } else if (request->gone != NULL) {
        http_gone_fn gone = request->gone;
        request->gone = NULL;
        gone(request->gone_context, request);
    }
}

static void on_closed(void *context, int error, const char *why)
{
    struct http__conn *conn = context;
    struct http_server *server = conn->server;
    if (error != 0)
        log_debug(HTTP__LOG, "connection of %s closed: %s", conn->peer, why);
    if (conn->request != NULL)
        release_request(conn, error);
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    server->stats.connections--;
    if (conn->counted)
        http_addresses_remove(server->addresses, &conn->address);
    buf_done(&conn->pending);
    free(conn);
    http__server_check_drained(server);
    http__server_unref(server);
}

/* --- times ------------------------------------------------------------------------------------ */
static bool is_stalled(struct http__conn *conn, uint64_t now)
{
    uint64_t sent = tls_channel_sent_bytes(conn->channel);
    if (sent != conn->sent_bytes || tls_channel_queued_bytes(conn->channel) == 0) {
        conn->sent_bytes = sent;
        conn->sent_at_ms = now;
        return false;
    }
    return now - conn->sent_at_ms >= limits_of(conn)->write_ms;
}

void http__conn_sweep(struct http__conn *conn, uint64_t now)
{
    if (is_stalled(conn, now)) {
        conn->server->stats.timeouts++;
        log_info(HTTP__LOG, "connection of %s closed: it takes no more bytes", conn->peer);
        tls_channel_close(conn->channel);
        return;
    }
    if (conn->deadline_ms == 0 || now < conn->deadline_ms)
        return;
    conn->deadline_ms = 0;
    conn->server->stats.timeouts++;
    bool idle = conn->phase == HTTP__PHASE_HEAD && conn->head_bytes == 0;
    if (idle || conn->phase == HTTP__PHASE_DISCARD)
        tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
    else if (can_step(conn))
        http__conn_refuse(conn, 408, "the request did not come in time");
}

void http__conn_drain(struct http__conn *conn)
{
    if (conn->phase == HTTP__PHASE_STREAM)
        http__stream_drain(conn->request);
    else if (conn->phase == HTTP__PHASE_HEAD && conn->head_bytes == 0)
        tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
}

/* --- a new connection ------------------------------------------------------------------------- */
static bool is_trusted(const struct http_server *server, const char *peer)
{
    const char *const *names = server->program.trusted_addresses;
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(*names, peer) == 0)
            return true;
    return false;
}

static void log_refusal(struct http_server *server, const char *peer, const char *why)
{
    uint64_t skipped;
    server->stats.refused_connections++;
    if (log_limit_passes(&server->refusals_logged, uv_now(server->loop), &skipped))
        log_warning(HTTP__LOG, "connection of %s refused: %s (%llu more since the last such line)",
                    peer, why, (unsigned long long)skipped);
}

/* Plain clients get a reason, as far as refusals themselves stay few; TLS ones would cost a
 * handshake. */
static void refuse_connection(struct http__conn *conn, bool politely, const char *why)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=UTF-8\r\n"
        "Content-Length: 112\r\nRetry-After: 2\r\nConnection: close\r\n\r\n"
        "{\"httpStatus\":\"SERVICE_UNAVAILABLE\",\"code\":503,\"helpMessage\":\"too many "
        "connections, try later\",\"canRetry\":true}\n";
    log_refusal(conn->server, conn->peer, why);
    conn->phase = HTTP__PHASE_CLOSING;
    if (tls_channel_is_tls(conn->channel) || !politely) {
        tls_channel_close(conn->channel);
        return;
    }
    (void)tls_channel_write(conn->channel, answer, sizeof(answer) - 1);
    tls_channel_shutdown(conn->channel, HTTP__GRACE_MS);
}

static void admit(struct http__conn *conn)
{
    enum { POLITE_IN_ALL = 100, POLITE_PER_ADDRESS = 8 };
    struct http_server *server = conn->server;
    const struct http_limits *limits = limits_of(conn);
    struct sockaddr_storage peer = {0};
    (void)tls_channel_peer(conn->channel, &peer);
    http_address_format(&peer, conn->peer);
    conn->address = http_address_of(&peer);
    unsigned same = http_addresses_add(server->addresses, &conn->address);
    conn->counted = same > 0;
    bool trusted = is_trusted(server, conn->peer);
    bool politely = server->stats.connections <= limits->connections + POLITE_IN_ALL &&
                    (trusted || same <= limits->connections_per_address + POLITE_PER_ADDRESS);
    if (server->stats.connections > limits->connections)
        refuse_connection(conn, politely, "too many connections");
    else if (same > limits->connections_per_address && !trusted)
        refuse_connection(conn, politely, "too many connections of this address");
}

int http__conn_accept(struct http_server *server, struct http__listener *listener)
{
    struct http__conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return -ENOMEM;
    const struct tls_channel_events events = {
        .ready = on_ready,
        .data = on_data,
        .end = on_end,
        .drained = on_drained,
        .closed = on_closed,
        .context = conn,
        .handshake_ms = server->program.limits.handshake_ms,
    };
    conn->server = server;
    int r =
        tls_channel_accept((uv_stream_t *)&listener->tcp, listener->tls, &events, &conn->channel);
    if (r < 0) {
        free(conn);
        return r;
    }
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->previous = conn;
    server->conns = conn;
    server->references++;
    server->stats.connections++;
    conn->sent_at_ms = now_ms(conn);
    next_request(conn);
    conn->deadline_ms = listener->tls == NULL ? now_ms(conn) + limits_of(conn)->head_ms : 0;
    admit(conn);
    return 0;
}
