/* http_router.h - route tables and their lookup. Pure.
 *
 * A program has several tables (one per service); the router holds pointers to their rows, so
 * tables must outlive it. A lookup walks one step per path segment (hash of node and segment), so
 * its cost does not grow with the number of rows. A literal segment wins over a {parameter}. */
#ifndef OG_HTTP_HTTP_ROUTER_H
#define OG_HTTP_HTTP_ROUTER_H

#include "lib/common/diag.h"
#include "lib/http/http.h"

struct http_request;
struct repr;

enum {
    HTTP_ROUTE_BODY_OPTIONAL = 1, /* an empty body is fine: http_request_data() is NULL then */
    HTTP_ROUTE_BODY_ANY_TYPE = 2, /* do not ask for Content-Type: application/json */
};

typedef void (*http_handler_fn)(struct http_request *request);

/* One row. Rows without request representation accept and ignore a body (its bytes are still there
 * for the handler). A HEAD request uses the GET row, its body is not sent. */
struct http_route {
    enum http_method method;
    const char *path;            /* "/api/rest/1.0/users/{login}": whole segments only */
    unsigned access;             /* what the caller needs; a word of the program's authorize() */
    const struct repr *request;  /* NULL: no body is read */
    const struct repr *response; /* of the success answer; NULL: none. For description and tests */
    http_handler_fn handler;
    unsigned flags;      /* HTTP_ROUTE_… */
    const char *summary; /* one line for the API description; may be NULL */
    const char *feature; /* licence feature that it needs, a word of the program's; NULL: none */
};

struct http_router;
struct http_router *http_router_new(void); /* NULL: no memory */
void http_router_free(struct http_router *router);
/* Adds rows. -EINVAL: malformed path, two rows with the same method and path, or two parameter
 * names at one place ("/users/{a}" and "/users/{b}/x"); -ENOMEM. */
int http_router_add(struct http_router *router, const struct http_route *rows, size_t count,
                    struct diag *diag);
/* Calls fn for each row in the order of adding. */
void http_router_walk(const struct http_router *router,
                      void (*fn)(void *context, const struct http_route *route), void *context);

enum { HTTP_SEGMENTS_MAX = 32, HTTP_ALLOW_CHARS = 80 };

struct http_match {
    const struct http_route *route; /* NULL: not found, or method not allowed */
    bool path_known;                /* rows exist for this path */
    char allow[HTTP_ALLOW_CHARS];   /* "GET, HEAD, POST" of the path's rows */
    struct http_match_param {
        const char *name; /* borrowed from the row's path; not NUL-terminated */
        size_t name_bytes;
        unsigned segment; /* index of the segment that stands for it */
    } params[HTTP_SEGMENTS_MAX];
    unsigned param_count;
};
/* segments: the path's decoded parts, none empty. */
void http_router_find(const struct http_router *router, enum http_method method,
                      const char *const *segments, unsigned segment_count,
                      struct http_match *ret_match);

#endif
