/* http_dispatch.c - the fixed order in which every request is checked:
 *   1 path (404)   2 method (405 with Allow)   3 access (the program's authorize)
 *   4 body (413, 415, 400: http_conn.c counts its bytes, here it is understood)
 *   5 access once more (confirm): the body may have taken long   6 handler */
#include "lib/http/http_private.h"

#include "lib/common/json.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static void dispatch_options(struct http_request *request)
{
    const struct http_program *program = &request->server->program;
    const struct http_match *match = &request->match;
    const char *allow = match->path_known ? match->allow : NULL;
    if (!request->url.is_asterisk && program->options != NULL &&
        program->options(program->context, request, allow))
        return;
    if (!match->path_known && !request->url.is_asterisk) {
        http_answer_fail(request, 404, "no such resource");
        return;
    }
    if (allow != NULL)
        (void)http_answer_header(request, "Allow", allow);
    http_answer_empty(request, 204);
}

void http__dispatch_head(struct http_request *request)
{
    const struct http_server *server = request->server;
    const struct http_program *program = &server->program;
    request->held = true;
    if (program->before != NULL)
        program->before(program->context, request);
    http_router_find(server->router, request->method, request->url.segments,
                     request->url.is_asterisk ? 0 : request->url.segment_count, &request->match);
    const struct http_match *match = &request->match;
    if (request->method == HTTP_OPTIONS && match->route == NULL) {
        dispatch_options(request);
    } else if (!match->path_known || request->url.is_asterisk) {
        http_answer_fail(request, 404, "no such resource");
    } else if (match->route == NULL) {
        (void)http_answer_header(request, "Allow", match->allow);
        http_answer_fail(request, 405, "this resource allows %s", match->allow);
    } else if (program->authorize != NULL) {
        program->authorize(program->context, request, match->route->access);
    } else {
        http_request_resume(request);
    }
}

/* Other media types are refused: a browser sends those to other sites without asking first, and
 * its cookies with them. */
static bool is_json(const struct http_request *request)
{
    static const char json[] = "application/json";
    const char *type = http_request_header(request, "content-type");
    if (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = type + sizeof(json) - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* 0, or the status of the refusal with its text in the diag. */
static int read_body(struct http_request *request, struct diag *diag)
{
    const struct http_route *route = request->match.route;
    if (request->body.len_bytes == 0) {
        if ((route->flags & HTTP_ROUTE_BODY_OPTIONAL) != 0)
            return 0;
        (void)diag_fail(diag, -EINVAL, "a JSON body is required");
        return 400;
    }
    if ((route->flags & HTTP_ROUTE_BODY_ANY_TYPE) == 0 && !is_json(request)) {
        (void)diag_fail(diag, -EINVAL, "the body needs Content-Type: application/json");
        return 415;
    }
    int r = json_parse(request->body.data, request->body.len_bytes, &request->json, diag);
    if (r == 0) {
        request->data = arena_calloc(&request->arena, 1, route->request->size_bytes);
        r = request->data == NULL
                ? -ENOMEM
                : repr_read(route->request, request->json, &request->arena, request->data, diag);
    }
    if (r == 0)
        return 0;
    if (r != -ENOMEM)
        return 400;
    (void)diag_fail(diag, r, "the body needs more memory than a request may take");
    return 413;
}

void http__dispatch_body(struct http_request *request)
{
    const struct http_program *program = &request->server->program;
    const struct http_route *route = request->match.route;
    request->held = true;
    if (route->request != NULL) {
        struct diag diag = {0};
        int status = read_body(request, &diag);
        if (status != 0) {
            http_answer_fail(request, status, "%s", diag.text);
            return;
        }
    }
    if (program->confirm == NULL || program->confirm(program->context, request, route->access))
        route->handler(request);
}
