/* sim_control.c - the HTTP interface beside the wire: presses keys, changes phones, breaks links.
 * Names of members and paths stand in the tables below; errors are sentences. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- bodies ----------------------------------------------------------------------------------- */
struct number_body {
    const char *number;
};
static const struct repr_member number_members[] = {
    REPR_STRING(struct number_body, number, "number", REPR_REQUIRED, 1, EXCHANGE_NUMBER_CHARS - 1),
};
static const struct repr number_repr = REPR("Number", struct number_body, number_members);

struct phone_body {
    const char *number, *name, *model, *main_number;
};
static const struct repr_member new_phone_members[] = {
    REPR_STRING(struct phone_body, number, "number", REPR_REQUIRED, 1, EXCHANGE_NUMBER_CHARS - 1),
    REPR_STRING(struct phone_body, name, "name", 0, 0, EXCHANGE_NAME_CHARS - 1),
    REPR_STRING(struct phone_body, model, "model", 0, 0, EXCHANGE_MODEL_CHARS - 1),
    REPR_STRING(struct phone_body, main_number, "main_number", 0, 1, EXCHANGE_NUMBER_CHARS - 1),
};
static const struct repr new_phone_repr = REPR("NewPhone", struct phone_body, new_phone_members);

static const struct repr_member name_members[] = {
    REPR_STRING(struct phone_body, name, "name", REPR_REQUIRED, 0, EXCHANGE_NAME_CHARS - 1),
};
static const struct repr name_repr = REPR("Name", struct phone_body, name_members);

struct service_body {
    bool in;
};
static const struct repr_member service_members[] = {
    REPR_BOOL(struct service_body, in, "in"),
};
static const struct repr service_repr = REPR("Service", struct service_body, service_members);

struct misbehave_body {
    struct repr_int split_bytes, delay_ms, duplicate_events, drop_events, drop_responses,
        swap_events;
    struct repr_bool silent, refuse_sessions;
};
enum { EVERY_MAX = 1000000 };
static const struct repr_member misbehave_members[] = {
    REPR_INT_OPTIONAL(struct misbehave_body, split_bytes, "split_bytes", 0, 0, 65535),
    REPR_INT_OPTIONAL(struct misbehave_body, delay_ms, "delay_ms", 0, 0, 600000),
    REPR_INT_OPTIONAL(struct misbehave_body, duplicate_events, "duplicate_events", 0, 0, EVERY_MAX),
    REPR_INT_OPTIONAL(struct misbehave_body, drop_events, "drop_events", 0, 0, EVERY_MAX),
    REPR_INT_OPTIONAL(struct misbehave_body, drop_responses, "drop_responses", 0, 0, EVERY_MAX),
    REPR_INT_OPTIONAL(struct misbehave_body, swap_events, "swap_events", 0, 0, EVERY_MAX),
    REPR_BOOL_OPTIONAL(struct misbehave_body, silent, "silent", 0),
    REPR_BOOL_OPTIONAL(struct misbehave_body, refuse_sessions, "refuse_sessions", 0),
};
static const struct repr misbehave_repr =
    REPR("Misbehave", struct misbehave_body, misbehave_members);

struct pdu_body {
    struct repr_int invoke;
    const char *xml;
};
static const struct repr_member pdu_members[] = {
    REPR_INT_OPTIONAL(struct pdu_body, invoke, "invoke", 0, 0, CSTA_INVOKE_EVENT),
    REPR_STRING(struct pdu_body, xml, "xml", REPR_REQUIRED, 0, CSTA_XML_BYTES_MAX),
};
static const struct repr pdu_repr = REPR("Pdu", struct pdu_body, pdu_members);

static const char *const garbage_names[] = {"xml", "frame", "unknown", "entities", "empty", NULL};
struct garbage_body {
    int kind;
};
static const struct repr_member garbage_members[] = {
    REPR_ENUM(struct garbage_body, kind, "kind", REPR_REQUIRED, garbage_names),
};
static const struct repr garbage_repr = REPR("Garbage", struct garbage_body, garbage_members);

/* --- answers ---------------------------------------------------------------------------------- */
static void answer_text(struct http_request *request, int status, struct buf *text)
{
    if (text->failed || text->data == NULL)
        http_answer_fail(request, 503, "not enough memory");
    else
        http_answer_json(request, status, text->data);
    buf_done(text);
}

static void answer_refusal(struct http_request *request, enum exchange_result result)
{
    static const int statuses[EXCHANGE_RESULT_COUNT] = {
        [EXCHANGE_NO_PHONE] = 404,
        [EXCHANGE_NO_NUMBER] = 400,
        [EXCHANGE_BAD_PHONE] = 400,
        [EXCHANGE_NO_MEMORY] = 503,
    };
    const char *number = http_request_param(request, "number");
    int status = statuses[result] != 0 ? statuses[result] : 409;
    http_answer_fail(request, status, "%s%s%s", number != NULL ? number : "",
                     number != NULL ? ": " : "", exchange_result_text(result));
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add_json_string(out, value);
}

static void add_connections(struct buf *out, const struct exchange_call *call)
{
    const struct exchange_connection *connection;
    buf_adds(out, ",\"connections\":[");
    TAILQ_FOREACH(connection, &call->connections, of_call)
    {
        if (connection != TAILQ_FIRST(&call->connections))
            buf_adds(out, ",");
        buf_adds(out, "{\"number\":");
        buf_add_json_string(out, connection->number);
        add_member(out, "state", exchange_state_name(connection->state));
        buf_adds(out, "}");
    }
    buf_adds(out, "]");
}

static void add_call(struct buf *out, const struct exchange_call *call)
{
    buf_adds(out, "{\"id\":");
    buf_add_json_string(out, call->id);
    add_member(out, "calling", call->calling);
    add_member(out, "called", call->called);
    if (call->correlator[0] != '\0')
        add_member(out, "correlator", call->correlator);
    add_connections(out, call);
    buf_adds(out, "}");
}

/* A prompted caller's phone rings too, though its own call waits for it. */
static const char *phone_state(const struct exchange_phone *phone)
{
    const struct exchange_connection *newest =
        TAILQ_LAST(&phone->connections, exchange_connections);
    if (!phone->in_service)
        return "outOfService";
    if (newest == NULL)
        return "idle";
    return newest->call->prompted ? "prompted" : exchange_state_name(newest->state);
}

static void add_phone(struct buf *out, const struct exchange_phone *phone)
{
    const struct exchange_connection *connection;
    buf_adds(out, "{\"number\":");
    buf_add_json_string(out, phone->number);
    add_member(out, "name", phone->name);
    add_member(out, "model", phone->model);
    add_member(out, "main_number", phone->main_number);
    buf_addf(out, ",\"in_service\":%s", phone->in_service ? "true" : "false");
    add_member(out, "state", phone_state(phone));
    buf_adds(out, ",\"calls\":[");
    TAILQ_FOREACH(connection, &phone->connections, of_phone)
    {
        if (connection != TAILQ_FIRST(&phone->connections))
            buf_adds(out, ",");
        add_call(out, connection->call);
    }
    buf_adds(out, "]}");
}

/* --- phones ----------------------------------------------------------------------------------- */
static void answer_phone(struct http_request *request, const char *number)
{
    const struct simulator *simulator = http_request_program(request);
    const struct exchange_phone *phone = exchange_phone_find(simulator->exchange, number);
    struct buf text = {0};
    if (phone == NULL) {
        answer_refusal(request, EXCHANGE_NO_PHONE);
        return;
    }
    add_phone(&text, phone);
    answer_text(request, 200, &text);
}

/* After an action on the request's phone: its events go out, then the phone is shown. */
static void finish(struct http_request *request, enum exchange_result result)
{
    sim__settle(http_request_program(request));
    if (result != EXCHANGE_DONE)
        answer_refusal(request, result);
    else
        answer_phone(request, http_request_param(request, "number"));
}

/* The exchange at the present time; the request's phone. */
static struct exchange *begin(struct http_request *request, const char **ret_number)
{
    struct simulator *simulator = http_request_program(request);
    *ret_number = http_request_param(request, "number");
    sim__begin(simulator);
    return simulator->exchange;
}

static void phones_get(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const struct exchange_phone *phone = NULL;
    struct buf text = {0};
    buf_adds(&text, "[");
    while ((phone = exchange_phone_next(simulator->exchange, phone)) != NULL) {
        if (text.len_bytes > 1)
            buf_adds(&text, ",\n");
        add_phone(&text, phone);
    }
    buf_adds(&text, "]");
    answer_text(request, 200, &text);
}

static void phone_get(struct http_request *request)
{
    answer_phone(request, http_request_param(request, "number"));
}

static void phones_post(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const struct phone_body *body = http_request_data(request);
    enum exchange_result result = exchange_phone_add(
        simulator->exchange, &(struct exchange_phone_options){.number = body->number,
                                                              .name = body->name,
                                                              .model = body->model,
                                                              .main_number = body->main_number});
    if (result != EXCHANGE_DONE) {
        answer_refusal(request, result);
        return;
    }
    struct buf text = {0};
    add_phone(&text, exchange_phone_find(simulator->exchange, body->number));
    answer_text(request, 201, &text);
}

static void phone_put(struct http_request *request)
{
    const struct phone_body *body = http_request_data(request);
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_phone_rename(exchange, number, body->name));
}

static void phone_delete(struct http_request *request)
{
    const char *number;
    struct exchange *exchange = begin(request, &number);
    enum exchange_result result = exchange_phone_remove(exchange, number);
    if (result != EXCHANGE_DONE) {
        finish(request, result);
        return;
    }
    sim__settle(http_request_program(request));
    sim__monitors_forget(http_request_program(request), number);
    http_answer_empty(request, 204);
}

static void service_put(struct http_request *request)
{
    const struct service_body *body = http_request_data(request);
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_phone_set_service(exchange, number, body->in));
}

/* --- keys ------------------------------------------------------------------------------------- */
static void offhook_post(struct http_request *request)
{
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_off_hook(exchange, number));
}

static void dial_post(struct http_request *request)
{
    const struct number_body *body = http_request_data(request);
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_dial(exchange, number, body->number));
}

/* Handset and number in one go; only from an idle phone, since a ringing one would answer. */
static void call_post(struct http_request *request)
{
    const struct number_body *body = http_request_data(request);
    const char *number;
    struct exchange *exchange = begin(request, &number);
    const struct exchange_phone *phone = exchange_phone_find(exchange, number);
    enum exchange_result result = phone != NULL && !TAILQ_EMPTY(&phone->connections)
                                      ? EXCHANGE_IN_USE
                                      : exchange_off_hook(exchange, number);
    if (result == EXCHANGE_DONE)
        result = exchange_dial(exchange, number, body->number);
    finish(request, result);
}

static void answer_post(struct http_request *request)
{
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_answer(exchange, number, NULL));
}

static void hangup_post(struct http_request *request)
{
    const char *number;
    struct exchange *exchange = begin(request, &number);
    finish(request, exchange_clear(exchange, number, NULL));
}

/* --- the whole -------------------------------------------------------------------------------- */
static void calls_get(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const struct exchange_call *call = NULL;
    struct buf text = {0};
    buf_adds(&text, "[");
    while ((call = exchange_call_next(simulator->exchange, call)) != NULL) {
        if (text.len_bytes > 1)
            buf_adds(&text, ",\n");
        add_call(&text, call);
    }
    buf_adds(&text, "]");
    answer_text(request, 200, &text);
}

static void add_link(struct buf *out, const struct sim_link *link)
{
    buf_addf(out, "{\"id\":%" PRIu64, link->id);
    add_member(out, "client", link->peer);
    add_member(out, "session", link->session_id);
    add_member(out, "edition", csta_version_name(link->version));
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
    answer_text(request, 200, &text);
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
    answer_text(request, 200, &text);
}

/* --- misbehaviour ----------------------------------------------------------------------------- */
/* The same places in both, so that nothing is forgotten in either direction. */
static const struct {
    size_t from, to;
} numbers[] = {
#define NUMBER(field)                                                                              \
    {                                                                                              \
        offsetof(struct misbehave_body, field), offsetof(struct misbehave_wishes, field)           \
    }
    NUMBER(split_bytes), NUMBER(delay_ms),       NUMBER(duplicate_events),
    NUMBER(drop_events), NUMBER(drop_responses), NUMBER(swap_events),
#undef NUMBER
};

static void misbehave_get(struct http_request *request)
{
    const struct simulator *simulator = http_request_program(request);
    const struct misbehave_wishes *wishes = &simulator->misbehave.wishes;
    struct misbehave_body body = {.silent = {true, wishes->silent},
                                  .refuse_sessions = {true, wishes->refuse_sessions}};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct repr_int value = {.set = true};
        memcpy(&value.value, (const char *)wishes + numbers[i].to, sizeof(value.value));
        memcpy((char *)&body + numbers[i].from, &value, sizeof(value));
    }
    http_answer_repr(request, 200, &misbehave_repr, &body);
}

/* What the body does not name is right again. */
static void misbehave_put(struct http_request *request)
{
    struct simulator *simulator = http_request_program(request);
    const struct misbehave_body *body = http_request_data(request);
    struct misbehave_wishes wishes = {.silent = body->silent.value,
                                      .refuse_sessions = body->refuse_sessions.value};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct repr_int value;
        memcpy(&value, (const char *)body + numbers[i].from, sizeof(value));
        memcpy((char *)&wishes + numbers[i].to, &value.value, sizeof(value.value));
    }
    misbehave_set(&simulator->misbehave, &wishes);
    misbehave_get(request);
}

/* Does something to every connection and says to how many. */
static void for_each_link(struct http_request *request,
                          void (*fn)(struct sim_link *link, const struct buf *bytes),
                          const struct buf *bytes)
{
    struct simulator *simulator = http_request_program(request);
    struct sim_link *link;
    unsigned count = 0;
    TAILQ_FOREACH(link, &simulator->links, next)
    {
        if (link->closing)
            continue;
        fn(link, bytes);
        count++;
    }
    struct buf text = {0};
    buf_addf(&text, "{\"links\":%u}", count);
    answer_text(request, 200, &text);
}

static void drop(struct sim_link *link, const struct buf *bytes)
{
    (void)bytes;
    sim__link_close(link, true, "dropped on request");
}

static void terminate(struct sim_link *link, const struct buf *bytes)
{
    (void)bytes;
    sim__session_terminate(link, "serverShutdown");
}

static void send_bytes(struct sim_link *link, const struct buf *bytes)
{
    sim__send_raw(link, bytes->data, bytes->len_bytes);
}

static void drop_post(struct http_request *request)
{
    for_each_link(request, drop, NULL);
}

static void terminate_post(struct http_request *request)
{
    for_each_link(request, terminate, NULL);
}

static void send_frame(struct http_request *request, unsigned invoke, const char *xml)
{
    AUTO(buf_done) struct buf frame = {0};
    int r = csta_frame_write(&frame, invoke, xml, strlen(xml));
    if (r < 0)
        http_answer_fail(request, r == -EMSGSIZE ? 400 : 503, "xml: %s",
                         r == -EMSGSIZE ? "larger than a PDU can be" : "not enough memory");
    else
        for_each_link(request, send_bytes, &frame);
}

static void send_post(struct http_request *request)
{
    const struct pdu_body *body = http_request_data(request);
    send_frame(request, body->invoke.set ? (unsigned)body->invoke.value : CSTA_INVOKE_EVENT,
               body->xml);
}

static void garbage_post(struct http_request *request)
{
    static const char broken_frame[] = "PI\0\024no PDU at all";
    static const char entities[] =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><DeliveredEvent>&c;&c;</DeliveredEvent>";
    static const char *const xml[] = {
        /* in the order of garbage_names; NULL: no frame either */
        [1] = "<DeliveredEvent><monitorCrossRefID>1</DeliveredEvent>",
        [3] = "<TelepathyEvent><monitorCrossRefID>1</monitorCrossRefID></TelepathyEvent>",
        [4] = entities,
        [5] = "",
    };
    const struct garbage_body *body = http_request_data(request);
    if (xml[body->kind] != NULL) {
        send_frame(request, CSTA_INVOKE_EVENT, xml[body->kind]);
        return;
    }
    AUTO(buf_done) struct buf bytes = {0};
    buf_add(&bytes, broken_frame, sizeof(broken_frame));
    for_each_link(request, send_bytes, &bytes);
}

/* --- table ------------------------------------------------------------------------------------ */
/* clang-format off */
#define ROW(method_, path_, request_, handler_, summary_) \
    { .method = HTTP_##method_, .path = (path_), .request = (request_), .handler = (handler_), .summary = (summary_) }
static const struct http_route routes[] = {
    ROW(GET,    "/",                         NULL,            root_get,       "ports, connections of clients"),
    ROW(GET,    "/phones",                   NULL,            phones_get,     "all phones"),
    ROW(POST,   "/phones",                   &new_phone_repr, phones_post,    "a new phone"),
    ROW(GET,    "/phones/{number}",          NULL,            phone_get,      "one phone and its calls"),
    ROW(PUT,    "/phones/{number}",          &name_repr,      phone_put,      "another name"),
    ROW(DELETE, "/phones/{number}",          NULL,            phone_delete,   "the phone is taken away"),
    ROW(PUT,    "/phones/{number}/service",  &service_repr,   service_put,    "in service or out of service"),
    ROW(POST,   "/phones/{number}/offhook",  NULL,            offhook_post,   "lifts the handset"),
    ROW(POST,   "/phones/{number}/dial",     &number_repr,    dial_post,      "dials after the handset was lifted"),
    ROW(POST,   "/phones/{number}/call",     &number_repr,    call_post,      "lifts the handset and dials"),
    ROW(POST,   "/phones/{number}/answer",   NULL,            answer_post,    "answers"),
    ROW(POST,   "/phones/{number}/hangup",   NULL,            hangup_post,    "hangs up, or declines while it rings"),
    ROW(GET,    "/calls",                    NULL,            calls_get,      "all calls"),
    ROW(GET,    "/misbehave",                NULL,            misbehave_get,  "what goes wrong on purpose"),
    ROW(PUT,    "/misbehave",                &misbehave_repr, misbehave_put,  "what shall go wrong from now on"),
    ROW(POST,   "/link/drop",                NULL,            drop_post,      "closes the clients' connections"),
    ROW(POST,   "/link/terminate",           NULL,            terminate_post, "ends the clients' sessions"),
    ROW(POST,   "/link/garbage",             &garbage_repr,   garbage_post,   "sends nonsense to the clients"),
    ROW(POST,   "/link/send",                &pdu_repr,       send_post,      "sends a PDU of your own to the clients"),
    ROW(GET,    "/log",                      NULL,            log_get,        "the last PDUs in and out"),
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
