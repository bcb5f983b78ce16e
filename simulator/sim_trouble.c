/* sim_trouble.c - the part of the control interface that makes trouble: wishes for misbehaviour,
 * connections that break, nonsense. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"

#include <errno.h>
#include <string.h>

/* --- bodies ----------------------------------------------------------------------------------- */
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
    sim__answer_json(request, 200, &text);
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
static const struct http_route routes[] = {
    SIM__ROUTE(GET,    "/misbehave",                NULL,            misbehave_get,  "what goes wrong on purpose"),
    SIM__ROUTE(PUT,    "/misbehave",                &misbehave_repr, misbehave_put,  "what shall go wrong from now on"),
    SIM__ROUTE(POST,   "/link/drop",                NULL,            drop_post,      "closes the clients' connections"),
    SIM__ROUTE(POST,   "/link/terminate",           NULL,            terminate_post, "ends the clients' sessions"),
    SIM__ROUTE(POST,   "/link/garbage",             &garbage_repr,   garbage_post,   "sends nonsense to the clients"),
    SIM__ROUTE(POST,   "/link/send",                &pdu_repr,       send_post,      "sends a PDU of your own to the clients"),
};
/* clang-format on */

int sim__trouble_route(struct http_router *router, struct diag *diag)
{
    return http_router_add(router, routes, COUNT_OF(routes), diag);
}
