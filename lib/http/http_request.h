/* http_request.h - what a handler sees: the request, the ways to answer it, and streams.
 *
 * Life of a request: the server creates it, the program's authorize() and then one handler get it.
 * The handler answers now or keeps the pointer and answers later from the loop; it must answer
 * EXACTLY ONCE with one of the http_answer_* functions or http_stream_open(), also when the client
 * has gone meanwhile (the answer is then dropped). After the answer the pointer must not be used.
 * A handler that waits for something may ask with http_request_on_gone() to be told that the client
 * has gone, in order to stop early; it still ends the request with an answer (any) or
 * http_request_drop().
 *
 * All texts from a request are UTF-8 without NUL, decoded, and live until the answer. */
#ifndef OG_HTTP_HTTP_REQUEST_H
#define OG_HTTP_HTTP_REQUEST_H

#include "lib/http/arena.h"
#include "lib/http/http.h"
#include "lib/http/repr.h"

#include <sys/socket.h>

struct http_request;
struct http_route;

/* --- reading ---------------------------------------------------------------------------------- */
enum http_method http_request_method(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* normal form, decoded */
/* A {name} of the route's path; never NULL for a name of the template, NULL otherwise. */
const char *http_request_param(const struct http_request *request, const char *name);
/* First query parameter of that name: NULL absent, "" for "?name" and "?name=". */
const char *http_request_query(const struct http_request *request, const char *name);
/* "?force", "?force=true": true; absent and "?force=false": false. */
bool http_request_flag(const struct http_request *request, const char *name);
/* A header by name, case does not matter; NULL absent. Repeated headers are joined by ", ",
 * repeated cookies by "; ". */
const char *http_request_header(const struct http_request *request, const char *name);
const char *http_request_cookie(const struct http_request *request, const char *name);
const char *http_request_body(const struct http_request *request, size_t *ret_len_bytes);
/* The struct that the route's request representation has read; NULL when the route has none, or
 * the body is optional and empty. */
const void *http_request_data(const struct http_request *request);
const struct http_route *http_request_route(const struct http_request *request);
uint64_t http_request_id(const struct http_request *request);      /* for logs; counts from 1 */
const char *http_request_peer(const struct http_request *request); /* "10.77.1.1", "::1" */
/* Both ends of the connection; zeroed once the client has gone. Either may be NULL. */
void http_request_addresses(const struct http_request *request, struct sockaddr_storage *ret_local,
                            struct sockaddr_storage *ret_remote);
bool http_request_is_tls(const struct http_request *request);
const char *http_request_host(const struct http_request *request); /* Host header or "" */
struct arena *http_request_arena(struct http_request *request);    /* freed with the request */
/* One pointer for the program, set by authorize() (identity, session); borrowed. */
void http_request_set_identity(struct http_request *request, void *identity);
void *http_request_identity(const struct http_request *request);
/* `context` of struct http_program. */
void *http_request_program(const struct http_request *request);

/* --- life ------------------------------------------------------------------------------------- */
/* The client went away before the answer: fn(context) is called once, from the loop. NULL fn
 * withdraws. Where set, a client that has only stopped sending counts as gone too. Not called from
 * within this function; when the client has gone already, from the next loop turn on it is. */
typedef void (*http_gone_fn)(void *context, struct http_request *request);
void http_request_on_gone(struct http_request *request, http_gone_fn fn, void *context);
/* True once the client has gone: an answer would be dropped. */
bool http_request_is_gone(const struct http_request *request);
/* Ends a request without answer: a client still there sees its connection closed. */
void http_request_drop(struct http_request *request);
/* authorize() says yes: the dispatcher goes on with body and handler. */
void http_request_resume(struct http_request *request);

/* --- answering -------------------------------------------------------------------------------- */
/* Adds a header to the coming answer; copied. Names and values with control bytes are refused with
 * -EINVAL; Content-Length, Transfer-Encoding, Connection and Date belong to the server, -EINVAL. */
int http_answer_header(struct http_request *request, const char *name, const char *value);
/* Status without body (204, 200, 201 …). */
void http_answer_empty(struct http_request *request, int status);
void http_answer_bytes(struct http_request *request, int status, const char *content_type,
                       const void *bytes, size_t len_bytes);
/* JSON text of the caller. */
void http_answer_json(struct http_request *request, int status, const char *json);
/* JSON written by a representation; 500 and a log line when data lacks a required member. */
void http_answer_repr(struct http_request *request, int status, const struct repr *repr,
                      const void *data);
void http_answer_repr_array(struct http_request *request, int status, const struct repr *repr,
                            const void *items, size_t count);
/* ErrorInfo. 503 also gets "Retry-After: 2" unless the program has set one. */
void http_answer_error(struct http_request *request, const struct http_error *error);
/* The common short form: status and one sentence; can_retry is true for 503 only. */
void http_answer_fail(struct http_request *request, int status, const char *help_format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- streams (event channels) ----------------------------------------------------------------- */
/* A chunked answer without known end. The stream, its request and the request's arena live until
 * `closed` has returned. */
struct http_stream;
struct http_stream_events {
    /* The queue fell to low_water_bytes or below after it had been above. May be NULL. */
    void (*writable)(void *context, struct http_stream *stream);
    /* The server is being drained: write the last events, then http_stream_end(). NULL: the server
     * ends the stream itself. */
    void (*drain)(void *context, struct http_stream *stream);
    /* Last call, once, always from the loop: the client went away, or everything after
     * http_stream_end() is out (error 0). Free your part here. */
    void (*closed)(void *context, struct http_stream *stream, int error);
    void *context;
    size_t low_water_bytes; /* 0: 16 KiB */
};
/* Sends status and headers. NULL when the client has gone (the request is ended then, `closed` is
 * not called). events is copied. */
struct http_stream *http_stream_open(struct http_request *request, int status,
                                     const char *content_type,
                                     const struct http_stream_events *events);
/* One chunk, sent at once; copied. 0, -EPIPE when the stream is ending or broken (closed will come
 * or has been called), -ENOMEM. Never calls back from within. */
int http_stream_write(struct http_stream *stream, const void *bytes, size_t len_bytes);
/* Bytes accepted by http_stream_write() that the kernel has not taken yet: the measure for slow
 * readers. The server itself closes a stream whose queue has not moved for its write time-out. */
size_t http_stream_queued_bytes(const struct http_stream *stream);
/* No more events: last chunk, then the connection serves its next request. closed will come. */
void http_stream_end(struct http_stream *stream);
/* Breaks the connection now; closed comes from the loop. */
void http_stream_abort(struct http_stream *stream);
struct http_request *http_stream_request(const struct http_stream *stream);

#endif
