/* Requests of people: one request to the PBX each, its answer told once. */
#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_events.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "lib/common/common.h"

#include <errno.h>
#include <stdlib.h>

struct wish {
    pbx_done_fn done;
    void *context;
};

static void tell_error(const struct wish *wish, const struct csta_message *answer)
{
    char text[CX_ERROR_TEXT_CHARS];
    const struct pbx_error error = cx_error_of(answer, text);
    wish->done(wish->context, &error, NULL);
}

static void on_answer(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    static const struct pbx_error lost = {.type = TELEPHONY_SERVICE_UNAVAILABLE,
                                          .cause = TELEPHONY_CAUSE_UNKNOWN,
                                          .text = "the link to the PBX was lost"};
    static const struct pbx_error late = {.type = TELEPHONY_REQUEST_TIMEOUT,
                                          .cause = TELEPHONY_CAUSE_UNKNOWN,
                                          .text = "the PBX does not answer"};
    static const struct pbx_error nameless = {.type = TELEPHONY_CALL_SERVER_ERROR,
                                              .cause = TELEPHONY_CAUSE_UNKNOWN,
                                              .text = "the PBX does not say which call it began"};
    AUTO(common_freep) struct wish *wish = context;
    if (outcome == CX_LOST)
        wish->done(wish->context, &lost, NULL);
    else if (outcome == CX_TIMED_OUT)
        wish->done(wish->context, &late, NULL);
    else if (answer->type == CSTA_ERROR)
        tell_error(wish, answer);
    else if (answer->type != CSTA_MAKE_CALL_DONE)
        wish->done(wish->context, NULL, NULL);
    else if (cx_call_id_usable(answer->connection.call_id))
        wish->done(wish->context, NULL, answer->connection.call_id);
    else
        wish->done(wish->context, &nameless, NULL);
}

static int ask(struct cx *cx, const struct csta_message *message, pbx_done_fn done, void *context)
{
    if (!cx->pbx.up)
        return -EAGAIN;
    AUTO(common_freep) struct wish *wish = malloc(sizeof(*wish));
    if (wish == NULL)
        return -ENOMEM;
    *wish = (struct wish){.done = done, .context = context};
    const struct cx_request request = {
        .class = CX_CLASS_PEOPLE, .message = message, .answer = on_answer, .context = wish};
    int r = cx_requests_add(cx->requests, &request, cx__now_ms());
    if (r == 0)
        wish = NULL;                                      /* on_answer() frees it */
    return r == -EINVAL || r == -EMSGSIZE ? -ENOTSUP : r; /* the wire has no form for it */
}

int cx__make_call(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                  void *context)
{
    const struct csta_message message = {
        .type = CSTA_MAKE_CALL,
        .device = {.id = call->device},
        .destination = {.id = call->callee},
        .originate = call->auto_answer ? CSTA_ORIGINATE_DO_NOT_PROMPT : CSTA_ORIGINATE_PROMPT,
        .correlator = call->correlator,
    };
    return ask(cx_of(pbx), &message, done, context);
}

int cx__answer(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
               void *context)
{
    const struct csta_message message = {
        .type = CSTA_ANSWER_CALL, .connection = {.call_id = call_id, .device = {.id = device}}};
    return ask(cx_of(pbx), &message, done, context);
}

int cx__clear_connection(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                         void *context)
{
    const struct csta_message message = {
        .type = CSTA_CLEAR_CONNECTION,
        .connection = {.call_id = call_id, .device = {.id = device}}};
    return ask(cx_of(pbx), &message, done, context);
}
