/* http_server.h - listeners, connections, limits, draining.
 *
 * Rules: a connection serves one request at a time, pipelined ones wait in order; a request is
 * checked in the order path (404), method (405), access (authorize), body (400, 413, 415), and only
 * then reaches its handler; the body of a request is not read before authorize() has agreed.
 * Answers to requests that could not be parsed carry ErrorInfo too and close the connection. */
#ifndef OG_HTTP_HTTP_SERVER_H
#define OG_HTTP_HTTP_SERVER_H

#include "lib/common/diag.h"
#include "lib/common/tls.h"
#include "lib/http/http_request.h"
#include "lib/http/http_router.h"

#include <uv.h>

struct http_server;

/* Zero members take the default in brackets. */
struct http_limits {
    size_t head_bytes;     /* request line and headers [16 KiB]; above: 431 */
    size_t url_bytes;      /* request target [8 KiB]; above: 414 */
    size_t body_bytes;     /* one body [1 MiB]; above: 413 */
    size_t bodies_bytes;   /* bodies of all requests together [64 MiB]; above: 503 */
    size_t request_bytes;  /* memory of one request, body included [8 MiB] */
    uint64_t head_ms;      /* from the first byte to the end of the head, also for the first
                            * request of a connection from its opening [10 s]; 408 */
    uint64_t body_ms;      /* for the body, plus 1 ms for each 16 bytes received [10 s]; 408 */
    uint64_t idle_ms;      /* between two requests [75 s]; closed */
    uint64_t write_ms;     /* the client has not taken one byte of the answer [30 s]; closed */
    uint64_t handshake_ms; /* TLS [10 s]; closed */
    unsigned connections;  /* [10 000]; above: 503 (plain) or closed, logged once a second */
    unsigned connections_per_address; /* [256] likewise; an IPv6 /64 counts as one address */
};

/* What the program brings along. */
struct http_program {
    void *context;
    /* Asked once per request after its row was found. Must lead, now or later from the loop, to
     * exactly one of: http_request_resume(), an answer, or http_request_drop(). NULL: everybody
     * may. */
    void (*authorize)(void *context, struct http_request *request, unsigned access);
    /* Asked again right before the handler, since a body may come long after authorize(): is what
     * was granted still so? Sets the identity anew; false: it has answered. NULL: always. */
    bool (*confirm)(void *context, struct http_request *request, unsigned access);
    /* Called first for every parsed request, found or not: may add headers (CORS, security) with
     * http_answer_header(). May be NULL. */
    void (*before)(void *context, struct http_request *request);
    /* OPTIONS on a path without OPTIONS row: answer it (preflight) and return true, or return false
     * for the server's 204 with Allow. allow: "GET, HEAD, POST"; NULL when the path is unknown. May
     * be NULL. */
    bool (*options)(void *context, struct http_request *request, const char *allow);
    /* Query and path parameters whose values the access log shortens; NULL-terminated; NULL:
     * subscriptionId, credential, token, password. Borrowed. */
    const char *const *secret_names;
    /* Addresses (text) without per-address limit: trusted proxies. NULL-terminated or NULL;
     * borrowed. */
    const char *const *trusted_addresses;
    struct http_limits limits;
};

/* program is copied, what it points at borrowed; the router is borrowed. */
int http_server_new(uv_loop_t *loop, const struct http_router *router,
                    const struct http_program *program, struct http_server **ret_server,
                    struct diag *diag);
/* Binds one numeric address ("0.0.0.0", "::", "10.77.1.100" even while no interface has it:
 * IP_FREEBIND); connections wait in the kernel until http_server_start(). port 0 picks a free one.
 * tls NULL: plain. Several calls are fine, also after the start. tls is borrowed until the
 * server is gone; reloading it (tls_context_reload) serves new connections with the new
 * certificate. */
int http_server_listen(struct http_server *server, const char *address, uint16_t port,
                       struct tls_context *tls, uint16_t *ret_port, struct diag *diag);
/* Starts to accept on everything that http_server_listen() has bound so far. 0 or negative errno.
 */
int http_server_start(struct http_server *server, struct diag *diag);

struct http_server_stats {
    unsigned connections, streams;
    unsigned requests_active; /* with a handler or authorize() */
    uint64_t requests_total, refused_connections, bad_requests, timeouts;
    size_t bodies_bytes;
};
void http_server_stats(const struct http_server *server, struct http_server_stats *ret_stats);

/* Stops listening, closes idle connections, lets requests in flight finish (their answers say
 * "Connection: close"), asks streams to end. done(context) comes from the loop when the last
 * connection is closed, at the latest shortly after budget_ms, when the rest is cut. */
void http_server_drain(struct http_server *server, uint64_t budget_ms, void (*done)(void *context),
                       void *context);
/* Cuts everything; no callback of the program is called any more except `gone` and `closed` for
 * what is open, from within this call or the loop's next turns. Memory goes with the last handle
 * and the last request still held by a handler. NULL is fine. */
void http_server_free(struct http_server *server);

#endif
