/* http_test_server.h - a real server for tests, on loopback, with its loop in a thread of its own,
 * so that the test may use plain blocking sockets.
 *
 * Resources: GET /plain {"ok":true}; GET /big 4 MiB of 'b'; GET /later answers after 50 ms; GET
 * /hold waits until its client has gone, /late-hold begins to care after 50 ms; POST /echo/{id} a Note in and out; POST /raw the number of
 * body bytes as text; GET /private asks authorize() (async yes), GET /forbidden (403); GET
 * /stream?lines=N N lines of 1 KiB as the reader takes them, then the end; GET /endless lines until
 * broken. */
#ifndef OG_TESTS_HTTP_TEST_SERVER_H
#define OG_TESTS_HTTP_TEST_SERVER_H

#include "lib/http/http_server.h"

#include <stdatomic.h>

struct http_test_server;

struct http_test_counts { /* written by the server's thread */
    atomic_uint gone, streams_closed, streams_broken, handled, drained;
    atomic_ulong stream_queue_max_bytes;
};

/* tls NULL: plain. Fails the test on any error. */
struct http_test_server *http_test_server_start(const struct http_limits *limits,
                                                struct tls_context *tls);
uint16_t http_test_server_port(const struct http_test_server *server);
struct http_test_counts *http_test_server_counts(struct http_test_server *server);
struct http_server_stats http_test_server_stats(struct http_test_server *server);
/* Runs fn on the server's thread and waits for it. */
void http_test_server_call(struct http_test_server *server, void (*fn)(void *context),
                           void *context);
void http_test_server_drain(struct http_test_server *server, uint64_t budget_ms);
void http_test_server_stop(struct http_test_server *server);

#endif
