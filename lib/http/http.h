/* http.h - HTTP/1.1 server room: words that its files and its users share.
 *
 * Purpose: one server on one libuv loop, plain and TLS, that turns connections into validated
 * requests for handlers in a route table, and their answers into bytes. It knows no user, session
 * or service: the program gives it a route table and a few callbacks (`struct http_program`).
 * It does not do: HTTP/2, ranges, compression, files, form uploads, proxying.
 *
 * Reading order:
 *   arena.h         memory of one request, freed in one call
 *   repr.h          representations: tables that read, check and write JSON objects
 *   http_url.h      targets: percent decoding, normal form, query (pure)
 *   http_router.h   route tables and their lookup (pure)
 *   http_request.h  what a handler sees: request, answer, stream
 *   http_server.h   listeners, limits, draining
 *   http_head.h     where a message head ends and which heads are refused (pure)
 *   http_conn.c     one connection; http_dispatch.c  the fixed order of checks
 *
 * Everything runs on the loop's thread. */
#ifndef OG_HTTP_HTTP_H
#define OG_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_METHODS(X)      X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(PATCH) X(OPTIONS) X(OTHER)
#define HTTP_METHOD_ENUM(id) HTTP_##id,
enum http_method { HTTP_METHODS(HTTP_METHOD_ENUM) HTTP_METHOD_COUNT };
const char *http_method_name(enum http_method method); /* "?" out of range */

/* "OK", "BAD_REQUEST", … as ErrorInfo's httpStatus spells it; "UNKNOWN" for other numbers. */
const char *http_status_name(int status);
/* "OK", "Bad Request", … as the status line spells it; "Status" for other numbers. */
const char *http_status_reason(int status);

/* The body of every error answer (ErrorInfo of the interface). Texts are borrowed; NULL members are
 * left out, except help_message, for which the status' reason stands in. */
struct repr;
struct http_error {
    int status;                /* 400..599 */
    const char *help_message;  /* one sentence for the developer of the client */
    const char *type;          /* error family, "TELEPHONY" */
    const char *inner_message; /* detail, may name the offending value */
    bool can_retry;            /* the same request may succeed later */
    const char *part_name;     /* extra member "telephony", "routing", …; NULL: none */
    const struct repr *part_repr;
    const void *part;
};

#endif
