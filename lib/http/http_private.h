/* http_private.h - shared by the files of lib/http only. */
#ifndef OG_HTTP_HTTP_PRIVATE_H
#define OG_HTTP_HTTP_PRIVATE_H

#include "lib/common/buf.h"
#include "lib/common/log_limit.h"
#include "lib/common/timer.h"
#include "lib/http/http_address.h"
#include "lib/http/http_head.h"
#include "lib/http/http_server.h"
#include "lib/http/http_url.h"

#include <cjson/cJSON.h>
#include <time.h>

/* llhttp and we both name methods HTTP_GET: here its names get another beginning. */
#define HTTP_DELETE  LLHTTP_DELETE
#define HTTP_GET     LLHTTP_GET
#define HTTP_HEAD    LLHTTP_HEAD
#define HTTP_POST    LLHTTP_POST
#define HTTP_PUT     LLHTTP_PUT
#define HTTP_PATCH   LLHTTP_PATCH
#define HTTP_OPTIONS LLHTTP_OPTIONS
#include <llhttp.h>
#undef HTTP_DELETE
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_POST
#undef HTTP_PUT
#undef HTTP_PATCH
#undef HTTP_OPTIONS

#define HTTP__LOG "http"

enum {
    HTTP__GRACE_MS = 2000,           /* for the client's end after our goodbye */
    HTTP__PENDING_BYTES = 16 * 1024, /* read ahead of a busy connection */
    HTTP__HEADERS_MAX = 100,
};

/* Where a connection stands. ACCESS, HANDLER and STREAM wait for the program: what the client sends
 * meanwhile is kept in `pending`. */
enum http__phase {
    HTTP__PHASE_HEAD,
    HTTP__PHASE_ACCESS,
    HTTP__PHASE_BODY,
    HTTP__PHASE_HANDLER,
    HTTP__PHASE_STREAM,
    HTTP__PHASE_DISCARD, /* answered before the body was read: the rest is dropped */
    HTTP__PHASE_CLOSING,
};

struct http_stream {
    struct http_stream_events events;
    struct timer *end_timer; /* lets `closed` come from the loop */
    bool open, ending, above_low_water, head_only, closed;
};

struct http__header {
    struct http__header *next;
    char *name, *value;
    size_t name_bytes, value_bytes;
};

struct http_request {
    struct arena arena;
    struct http_server *server;
    struct http__conn *conn; /* NULL once the client has gone */
    uint64_t id, started_ms;
    char peer[HTTP_ADDRESS_CHARS];

    enum http_method method;
    bool is_tls, keep_alive, is_http_1_0, expects_continue, is_chunked, has_length;
    uint64_t content_bytes;
    char *target; /* as sent */
    size_t target_bytes;
    struct http_url url;
    struct http_match match;
    struct http__header *headers, *last_header;
    unsigned header_count;
    bool in_value; /* the parser is within a header's value */

    struct buf body;
    void *data;
    cJSON *json;

    bool held; /* authorize() or the handler has the pointer */
    bool answered, deciding;
    struct buf answer_headers;
    int status;
    uint64_t answer_bytes;

    http_gone_fn gone;
    void *gone_context;
    struct timer *gone_timer; /* tells a handler that asks after its client has gone */
    void *identity;
    struct http_stream stream;
};

struct http__conn {
    struct http_server *server;
    struct http__conn *previous, *next;
    struct tls_channel *channel;
    llhttp_t parser;
    enum http_head_state head_state;
    enum http__phase phase;
    struct http_request *request; /* the present one */
    struct buf pending;
    size_t head_bytes, wire_bytes, body_bytes;
    uint64_t deadline_ms; /* loop time; 0: none */
    uint64_t sent_bytes, sent_at_ms;
    int refusal; /* status that a parser callback asks for */
    bool running, got_end, close_after, head_complete, message_complete;
    bool counted; /* in the per-address table */
    struct http_address address;
    char peer[HTTP_ADDRESS_CHARS];
};

struct http__listener {
    struct http__listener *next;
    struct http_server *server;
    uv_tcp_t tcp;
    struct tls_context *tls;
    bool started;
};

struct http_server {
    uv_loop_t *loop;
    const struct http_router *router;
    struct http_program program;
    struct http__listener *listeners;
    struct http__conn *conns;
    struct http_addresses *addresses;
    struct timer *sweep_timer, *drain_timer;
    unsigned references; /* owner, listeners, connections, requests */
    uint64_t next_request_id;
    struct log_limit refusals_logged, failures_logged;
    struct http_server_stats stats;
    bool freed, draining;
    void (*drained)(void *context);
    void *drained_context;
    time_t date_s;
    char date[40];
};

/* http_server.c */
void http__server_unref(struct http_server *server);
const char *http__server_date(struct http_server *server);
void http__server_check_drained(struct http_server *server);

/* http_conn.c */
int http__conn_accept(struct http_server *server, struct http__listener *listener);
void http__conn_sweep(struct http__conn *conn, uint64_t now_ms);
void http__conn_drain(struct http__conn *conn);
/* The program has agreed: go on with the body or the handler. */
void http__conn_authorized(struct http__conn *conn);
/* The present request has its whole answer: go on with the next. Frees the request. */
void http__conn_answered(struct http__conn *conn);
/* Answers with ErrorInfo and closes afterwards. */
void http__conn_refuse(struct http__conn *conn, int status, const char *help);
void http__conn_run(struct http__conn *conn);

/* http_request.c */
struct http_request *http__request_new(struct http__conn *conn);
void http__request_free(struct http_request *request);
const struct http__header *http__request_find(const struct http_request *request, const char *name);

/* http_dispatch.c */
void http__dispatch_head(struct http_request *request);
void http__dispatch_body(struct http_request *request);

/* http_answer.c */
/* Status line and headers. len_bytes < 0: chunked. */
void http__answer_head(struct http_request *request, int status, const char *content_type,
                       int64_t len_bytes, struct buf *out);
bool http__answer_ends_connection(const struct http_request *request);

/* http_stream.c */
void http__stream_drained(struct http_request *request);
void http__stream_broken(struct http_request *request, int error);
void http__stream_drain(struct http_request *request);

/* http_log.c */
void http__log_access(const struct http_request *request, const char *what);

#endif
