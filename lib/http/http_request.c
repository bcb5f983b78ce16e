#include "lib/http/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_request *http__request_new(struct http__conn *conn)
{
    struct http_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    struct http_server *server = conn->server;
    arena_init(&request->arena, server->program.limits.request_bytes);
    request->server = server;
    request->conn = conn;
    request->id = ++server->next_request_id;
    request->started_ms = uv_now(server->loop);
    request->is_tls = tls_channel_is_tls(conn->channel);
    request->method = HTTP_OTHER;
    request->url.path = "";
    memcpy(request->peer, conn->peer, sizeof(request->peer));
    server->references++;
    server->stats.requests_active++;
    server->stats.requests_total++;
    return request;
}

void http__request_free(struct http_request *request)
{
    struct http_server *server = request->server;
    server->stats.requests_active--;
    server->stats.bodies_bytes -= request->body.len_bytes;
    timer_free(request->gone_timer);
    cJSON_Delete(request->json);
    buf_done(&request->body);
    buf_done(&request->answer_headers);
    arena_done(&request->arena);
    free(request);
    http__server_unref(server);
}

const struct http__header *http__request_find(const struct http_request *request, const char *name)
{
    for (const struct http__header *header = request->headers; header != NULL;
         header = header->next)
        if (header->name != NULL && strcasecmp(header->name, name) == 0)
            return header;
    return NULL;
}

enum http_method http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->url.path;
}

const char *http_request_param(const struct http_request *request, const char *name)
{
    size_t len = strlen(name);
    for (unsigned i = 0; i < request->match.param_count; i++) {
        const struct http_match_param *param = &request->match.params[i];
        if (param->name_bytes == len && memcmp(param->name, name, len) == 0)
            return request->url.segments[param->segment];
    }
    return NULL;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    for (unsigned i = 0; i < request->url.query_count; i++)
        if (strcmp(request->url.query[i].name, name) == 0)
            return request->url.query[i].value;
    return NULL;
}

bool http_request_flag(const struct http_request *request, const char *name)
{
    const char *value = http_request_query(request, name);
    return value != NULL && strcasecmp(value, "false") != 0;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    const struct http__header *header = http__request_find(request, name);
    return header != NULL ? header->value : NULL;
}

/* "a=1; b=2": finds b. The value is copied since the header goes on behind it. */
const char *http_request_cookie(const struct http_request *request, const char *name)
{
    const char *at = http_request_header(request, "cookie");
    size_t len = strlen(name);
    while (at != NULL && *at != '\0') {
        at += strspn(at, " \t;");
        size_t pair = strcspn(at, ";");
        if (pair > len && at[len] == '=' && memcmp(at, name, len) == 0) {
            const char *value = at + len + 1;
            size_t value_bytes = pair - len - 1;
            while (value_bytes > 0 && strchr(" \t", value[value_bytes - 1]) != NULL)
                value_bytes--;
            if (value_bytes >= 2 && value[0] == '"' && value[value_bytes - 1] == '"') {
                value++;
                value_bytes -= 2;
            }
            union {
                const struct arena *in;
                struct arena *out;
            } shared = {.in = &request->arena}; /* scratch memory: the request looks the same */
            return arena_strndup(shared.out, value, value_bytes);
        }
        at += pair;
    }
    return NULL;
}

const char *http_request_body(const struct http_request *request, size_t *ret_len_bytes)
{
    if (ret_len_bytes != NULL)
        *ret_len_bytes = request->body.len_bytes;
    return request->body.data != NULL ? request->body.data : "";
}

const void *http_request_data(const struct http_request *request)
{
    return request->data;
}

const struct http_route *http_request_route(const struct http_request *request)
{
    return request->match.route;
}

uint64_t http_request_id(const struct http_request *request)
{
    return request->id;
}

const char *http_request_peer(const struct http_request *request)
{
    return request->peer;
}

void http_request_addresses(const struct http_request *request, struct sockaddr_storage *ret_local,
                            struct sockaddr_storage *ret_remote)
{
    if (ret_local != NULL) {
        memset(ret_local, 0, sizeof(*ret_local));
        if (request->conn != NULL)
            (void)tls_channel_local(request->conn->channel, ret_local);
    }
    if (ret_remote != NULL) {
        memset(ret_remote, 0, sizeof(*ret_remote));
        if (request->conn != NULL)
            (void)tls_channel_peer(request->conn->channel, ret_remote);
    }
}

bool http_request_is_tls(const struct http_request *request)
{
    return request->is_tls;
}

const char *http_request_host(const struct http_request *request)
{
    const char *host = http_request_header(request, "host");
    return host != NULL ? host : "";
}

struct arena *http_request_arena(struct http_request *request)
{
    return &request->arena;
}

void http_request_set_identity(struct http_request *request, void *identity)
{
    request->identity = identity;
}

void *http_request_identity(const struct http_request *request)
{
    return request->identity;
}

void *http_request_program(const struct http_request *request)
{
    return request->server->program.context;
}

static void on_gone_timer(void *context)
{
    struct http_request *request = context;
    http_gone_fn gone = request->gone;
    request->gone = NULL;
    if (gone != NULL)
        gone(request->gone_context, request);
}

/* A client that has only stopped sending is closed now; `gone` then comes with the close. */
void http_request_on_gone(struct http_request *request, http_gone_fn fn, void *context)
{
    request->gone = fn;
    request->gone_context = context;
    if (fn != NULL && request->conn != NULL && request->conn->got_end)
        tls_channel_close(request->conn->channel);
    if (fn == NULL || request->conn != NULL)
        return;
    if (request->gone_timer == NULL)
        request->gone_timer = timer_new(request->server->loop, on_gone_timer, request);
    if (request->gone_timer != NULL)
        timer_start(request->gone_timer, 0, 0);
}

bool http_request_is_gone(const struct http_request *request)
{
    return request->conn == NULL;
}

void http_request_drop(struct http_request *request)
{
    struct http__conn *conn = request->conn;
    if (conn != NULL) {
        conn->request = NULL;
        conn->phase = HTTP__PHASE_CLOSING;
        tls_channel_close(conn->channel);
    }
    http__request_free(request);
}

void http_request_resume(struct http_request *request)
{
    request->held = false;
    request->gone = NULL;
    if (request->conn == NULL)
        http__request_free(request);
    else
        http__conn_authorized(request->conn);
}
