/* sim_control.c - the HTTP interface beside the wire: its server, and what it tells of the whole.
 */
#include "simulator/sim_private.h"

#include "lib/common/common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

void sim__answer_json(struct http_request *request, int status, struct buf *text)
{
    if (text->failed || text->data == NULL)
        http_answer_fail(request, 503, "not enough memory");
    else
        http_answer_json(request, status, text->data);
    buf_done(text);
}

void sim__add_member(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add_json_string(out, value);
}

/* --- the whole -------------------------------------------------------------------------------- */
static void add_link(struct buf *out, const struct sim_link *link)
{
    buf_addf(out, "{\"id\":%" PRIu64, link->id);
    sim__add_member(out, "client", link->peer);
    sim__add_member(out, "session", link->session_id);
    sim__add_member(out, "edition", csta_version_name(link->version));
    buf_addf(out, ",\"monitors\":%zu}", link->monitor_count);
}

static void root_get(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const struct sim_link *link;
    struct buf text = {0};
    buf_adds(&text, "{\"node\":");
    buf_add_json_string(&text, simulator->options.node);
    buf_addf(&text,
             ",\"csta_port\":%u,\"control_port\":%u,\"phones\":%zu,\"calls\":%zu,\"links\":[",
             (unsigned)simulator->csta_port, (unsigned)simulator->control_port,
             exchange_phone_count(simulator->exchange), exchange_call_count(simulator->exchange));
    TAILQ_FOREACH(link, &simulator->links, next)
    {
        if (link != TAILQ_FIRST(&simulator->links))
            buf_adds(&text, ",");
        add_link(&text, link);
    }
    buf_adds(&text, "]}");
    sim__answer_json(request, 200, &text);
}

static void log_get(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const char *since = http_request_query(request, "since");
    char *end = NULL;
    uint64_t number = since != NULL ? strtoull(since, &end, 10) : 0;
    if (since != NULL && (*since < '0' || *since > '9' || *end != '\0')) {
        http_answer_fail(request, 400, "since: the number of a log entry is expected");
        return;
    }
    struct buf text = {0};
    pdu_log_write(&simulator->log, number, &text);
    sim__answer_json(request, 200, &text);
}

/* --- table ------------------------------------------------------------------------------------ */
/* clang-format off */
static const struct http_route routes[] = {
    SIM__ROUTE(GET,    "/",                         NULL,            root_get,       "ports, connections of clients"),
    SIM__ROUTE(GET,    "/log",                      NULL,            log_get,        "the last PDUs in and out"),
};
/* clang-format on */

int sim__control_open(struct simulator *simulator, struct diag *diag)
{
    const struct http_program program = {.context = simulator};
    simulator->router = http_router_new();
    if (simulator->router == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    int r = http_router_add(simulator->router, routes, COUNT_OF(routes), diag);
    if (r == 0)
        r = sim__phones_route(simulator->router, diag);
    if (r == 0)
        r = sim__trouble_route(simulator->router, diag);
    if (r == 0)
        r = http_server_new(simulator->loop, simulator->router, &program, &simulator->http, diag);
    if (r == 0)
        r = http_server_listen(simulator->http, simulator->options.address,
                               simulator->options.control_port, NULL, &simulator->control_port,
                               diag);
    return r < 0 ? r : http_server_start(simulator->http, diag);
}

void sim__control_close(struct simulator *simulator)
{
    http_server_free(TAKE(simulator->http));
    http_router_free(TAKE(simulator->router));
}
