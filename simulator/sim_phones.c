/* sim_phones.c - the part of the control interface that plays with phones: keys, new ones, service,
 * and what they show. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"

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

/* --- answers ---------------------------------------------------------------------------------- */
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
        sim__add_member(out, "state", exchange_state_name(connection->state));
        buf_adds(out, "}");
    }
    buf_adds(out, "]");
}

static void add_call(struct buf *out, const struct exchange_call *call)
{
    buf_adds(out, "{\"id\":");
    buf_add_json_string(out, call->id);
    sim__add_member(out, "calling", call->calling);
    sim__add_member(out, "called", call->called);
    if (call->correlator[0] != '\0')
        sim__add_member(out, "correlator", call->correlator);
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
    sim__add_member(out, "name", phone->name);
    sim__add_member(out, "model", phone->model);
    sim__add_member(out, "main_number", phone->main_number);
    buf_addf(out, ",\"in_service\":%s", phone->in_service ? "true" : "false");
    sim__add_member(out, "state", phone_state(phone));
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
    sim__answer_json(request, 200, &text);
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
    sim__answer_json(request, 200, &text);
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
    sim__answer_json(request, 201, &text);
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
    sim__answer_json(request, 200, &text);
}

/* --- table ------------------------------------------------------------------------------------ */
/* clang-format off */
static const struct http_route routes[] = {
    SIM__ROUTE(GET,    "/phones",                   NULL,            phones_get,     "all phones"),
    SIM__ROUTE(POST,   "/phones",                   &new_phone_repr, phones_post,    "a new phone"),
    SIM__ROUTE(GET,    "/phones/{number}",          NULL,            phone_get,      "one phone and its calls"),
    SIM__ROUTE(PUT,    "/phones/{number}",          &name_repr,      phone_put,      "another name"),
    SIM__ROUTE(DELETE, "/phones/{number}",          NULL,            phone_delete,   "the phone is taken away"),
    SIM__ROUTE(PUT,    "/phones/{number}/service",  &service_repr,   service_put,    "in service or out of service"),
    SIM__ROUTE(POST,   "/phones/{number}/offhook",  NULL,            offhook_post,   "lifts the handset"),
    SIM__ROUTE(POST,   "/phones/{number}/dial",     &number_repr,    dial_post,      "dials after the handset was lifted"),
    SIM__ROUTE(POST,   "/phones/{number}/call",     &number_repr,    call_post,      "lifts the handset and dials"),
    SIM__ROUTE(POST,   "/phones/{number}/answer",   NULL,            answer_post,    "answers"),
    SIM__ROUTE(POST,   "/phones/{number}/hangup",   NULL,            hangup_post,    "hangs up, or declines while it rings"),
    SIM__ROUTE(GET,    "/calls",                    NULL,            calls_get,      "all calls"),
};
/* clang-format on */

int sim__phones_route(struct http_router *router, struct diag *diag)
{
    return http_router_add(router, routes, COUNT_OF(routes), diag);
}
