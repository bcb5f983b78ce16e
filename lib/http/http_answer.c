#include "lib/http/http_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char JSON_TYPE[] = "application/json; charset=UTF-8";

static bool is_token(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || strchr(":(),/\"", *at))
            return false;
    return text[0] != '\0';
}

static bool is_value(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    return true;
}

int http_answer_header(struct http_request *request, const char *name, const char *value)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection", "Date"};
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return -EINVAL;
    if (!is_token(name) || !is_value(value))
        return -EINVAL;
    buf_addf(&request->answer_headers, "%s: %s\r\n", name, value);
    return request->answer_headers.failed ? -ENOMEM : 0;
}

static bool has_answer_header(const struct http_request *request, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = request->answer_headers.data; line != NULL && *line != '\0';) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return true;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}

/* After this answer the connection ends: the client or the draining asks for it, or the rest of
 * the request is not worth reading. */
bool http__answer_ends_connection(const struct http_request *request)
{
    const struct http__conn *conn = request->conn;
    if (conn->close_after || !request->keep_alive || request->server->draining)
        return true;
    if (conn->message_complete)
        return false;
    /* Nobody knows whether a client that waits for "100 Continue" will still send its body. */
    return request->expects_continue || request->is_chunked ||
           request->content_bytes > request->server->program.limits.body_bytes;
}

void http__answer_head(struct http_request *request, int status, const char *content_type,
                       int64_t len_bytes, struct buf *out)
{
    buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_status_reason(status),
             http__server_date(request->server));
    if (content_type != NULL && is_value(content_type) &&
        !has_answer_header(request, "Content-Type"))
        buf_addf(out, "Content-Type: %s\r\n", content_type);
    if (len_bytes >= 0 && status != 204 && status != 304)
        buf_addf(out, "Content-Length: %" PRId64 "\r\n", len_bytes);
    else if (len_bytes < 0 && !request->is_http_1_0)
        buf_adds(out, "Transfer-Encoding: chunked\r\n");
    if (!has_answer_header(request, "Cache-Control"))
        buf_adds(out, "Cache-Control: no-store\r\n"); /* answers carry credentials and call data */
    if (request->conn->close_after)
        buf_adds(out, "Connection: close\r\n");
    else if (request->is_http_1_0)
        buf_adds(out, "Connection: keep-alive\r\n");
    if (request->answer_headers.len_bytes > 0)
        buf_add(out, request->answer_headers.data, request->answer_headers.len_bytes);
    buf_adds(out, "\r\n");
}

/* The one way out for whole answers. */
static void send_answer(struct http_request *request, int status, const char *content_type,
                        const void *bytes, size_t len_bytes)
{
    assert(!request->answered);
    request->answered = true;
    request->held = false;
    request->status = status;
    struct http__conn *conn = request->conn;
    if (conn == NULL) {
        http__log_access(request, "client gone");
        http__request_free(request);
        return;
    }
    conn->close_after = http__answer_ends_connection(request);
    AUTO(buf_done) struct buf out = {0};
    http__answer_head(request, status, content_type, (int64_t)len_bytes, &out);
    if (request->method != HTTP_HEAD && status != 204 && status != 304)
        buf_add(&out, bytes, len_bytes);
    if (out.failed || request->answer_headers.failed)
        tls_channel_close(conn->channel);
    else
        (void)tls_channel_write(conn->channel, out.data, out.len_bytes);
    request->answer_bytes = out.len_bytes;
    http__log_access(request, "");
    http__conn_answered(conn);
}

void http_answer_empty(struct http_request *request, int status)
{
    send_answer(request, status, NULL, "", 0);
}

void http_answer_bytes(struct http_request *request, int status, const char *content_type,
                       const void *bytes, size_t len_bytes)
{
    send_answer(request, status, content_type, bytes, len_bytes);
}

void http_answer_json(struct http_request *request, int status, const char *json)
{
    send_answer(request, status, JSON_TYPE, json, strlen(json));
}

static void answer_written(struct http_request *request, int status, int r, const char *name,
                           const struct buf *out)
{
    if (r == 0) {
        send_answer(request, status, JSON_TYPE, out->data, out->len_bytes);
        return;
    }
    log_error(HTTP__LOG, "request %" PRIu64 ": the answer %s could not be written: %s", request->id,
              name, strerror(-r));
    http_answer_fail(request, 500, "the answer could not be written");
}

void http_answer_repr(struct http_request *request, int status, const struct repr *repr,
                      const void *data)
{
    AUTO(buf_done) struct buf out = {0};
    int r = repr_write(repr, data, &out);
    answer_written(request, status, r, repr->name, &out);
}

void http_answer_repr_array(struct http_request *request, int status, const struct repr *repr,
                            const void *items, size_t count)
{
    AUTO(buf_done) struct buf out = {0};
    int r = repr_write_array(repr, items, count, &out);
    answer_written(request, status, r, repr->name, &out);
}

static void add_text_member(struct buf *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_add_json_string(out, text);
}

void http_answer_error(struct http_request *request, const struct http_error *error)
{
    AUTO(buf_done) struct buf out = {0};
    buf_addf(&out, "{\"httpStatus\":\"%s\",\"code\":%d", http_status_name(error->status),
             error->status);
    add_text_member(&out, "helpMessage",
                    error->help_message != NULL ? error->help_message
                                                : http_status_reason(error->status));
    add_text_member(&out, "type", error->type);
    add_text_member(&out, "innerMessage", error->inner_message);
    buf_addf(&out, ",\"canRetry\":%s", error->can_retry ? "true" : "false");
    if (error->part_name != NULL) {
        AUTO(buf_done) struct buf part = {0};
        if (repr_write(error->part_repr, error->part, &part) == 0)
            buf_addf(&out, ",\"%s\":%s", error->part_name, part.data);
    }
    buf_adds(&out, "}");
    if (error->status == 503 && !has_answer_header(request, "Retry-After"))
        (void)http_answer_header(request, "Retry-After", "2");
    if (out.failed)
        send_answer(request, 503, NULL, "", 0);
    else
        send_answer(request, error->status, JSON_TYPE, out.data, out.len_bytes);
}

void http_answer_fail(struct http_request *request, int status, const char *help_format, ...)
{
    char help[512];
    va_list arguments;
    va_start(arguments, help_format);
    (void)vsnprintf(help, sizeof(help), help_format, arguments);
    va_end(arguments);
    const struct http_error error = {
        .status = status, .help_message = help, .can_retry = status == 503};
    http_answer_error(request, &error);
}
