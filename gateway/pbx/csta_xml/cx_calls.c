/* Requests of people: one request to the PBX each, its answer told once.
 *
 * The PBX answers MakeCall before the first event of the new call. Who is told of the answer looks
 * for the call at once, so a call that was made is told when its first event has been, or after
 * CX_HEAR_MS without one. */
#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_events.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "lib/common/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CX_HEAR_MS = 300 };

struct wish {
    TAILQ_ENTRY(wish) of_making; /* MakeCall only */
    struct cx *cx;
    pbx_done_fn done;
    void *context;
    bool is_making;
    char device[PBX_NUMBER_CHARS];    /* the caller */
    char heard_id[PBX_CALL_ID_CHARS]; /* of his newest call that was told; "": none */
    char made_id[PBX_CALL_ID_CHARS];  /* of the answer; "": none yet */
    uint64_t due_ms;                  /* with made_id */
};

static void free_wish(struct wish *wish)
{
    if (wish->is_making)
        TAILQ_REMOVE(&wish->cx->making, wish, of_making);
    free(wish);
}
DEFINE_FREEP(free_wishp, struct wish *, free_wish)

/* ---- calls that were made and not heard of yet ------------------------------------------------
 */

static void tell_made(struct wish *wish_)
{
    AUTO(free_wishp) struct wish *wish = wish_;
    wish->done(wish->context, NULL, wish->made_id);
}

/* The answer came: now or later. */
static void hold(struct wish *wish, const char *call_id)
{
    (void)snprintf(wish->made_id, sizeof(wish->made_id), "%s", call_id);
    wish->due_ms = cx__now_ms() + CX_HEAR_MS;
    if (strcmp(wish->heard_id, wish->made_id) == 0)
        tell_made(wish);
}

void cx__calls_heard(struct cx *cx, const char *device, const char *call_id)
{
    struct wish *wish, *next;
    for (wish = TAILQ_FIRST(&cx->making); wish != NULL; wish = next) {
        next = TAILQ_NEXT(wish, of_making);
        if (strcmp(wish->device, device) != 0)
            continue;
        (void)snprintf(wish->heard_id, sizeof(wish->heard_id), "%s", call_id);
        if (strcmp(wish->made_id, call_id) == 0) {
            tell_made(wish); /* which may ask for anything: no step further along the list */
            return;
        }
    }
}

void cx__calls_tick(struct cx *cx, uint64_t now_ms)
{
    struct wish *wish, *next;
    for (wish = TAILQ_FIRST(&cx->making); wish != NULL; wish = next) {
        next = TAILQ_NEXT(wish, of_making);
        if (wish->made_id[0] != '\0' && wish->due_ms <= now_ms)
            tell_made(wish);
    }
}

void cx__calls_lost(struct cx *cx)
{
    struct wish *wish, *next;
    for (wish = TAILQ_FIRST(&cx->making); wish != NULL; wish = next) {
        next = TAILQ_NEXT(wish, of_making);
        if (wish->made_id[0] != '\0') /* the others' requests end by themselves */
            tell_made(wish);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

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
    AUTO(free_wishp) struct wish *wish = context;
    if (outcome == CX_LOST)
        wish->done(wish->context, &lost, NULL);
    else if (outcome == CX_TIMED_OUT)
        wish->done(wish->context, &late, NULL);
    else if (answer->type == CSTA_ERROR)
        tell_error(wish, answer);
    else if (answer->type != CSTA_MAKE_CALL_DONE)
        wish->done(wish->context, NULL, NULL);
    else if (cx_call_id_usable(answer->connection.call_id))
        hold(TAKE(wish), answer->connection.call_id);
    else
        wish->done(wish->context, &nameless, NULL);
}

static int ask(struct cx *cx, const struct csta_message *message, pbx_done_fn done, void *context)
{
    if (!cx->pbx.up)
        return -EAGAIN;
    AUTO(free_wishp) struct wish *wish = calloc(1, sizeof(*wish));
    if (wish == NULL)
        return -ENOMEM;
    wish->cx = cx;
    wish->done = done;
    wish->context = context;
    if (message->type == CSTA_MAKE_CALL) {
        (void)snprintf(wish->device, sizeof(wish->device), "%s", message->device.id);
        wish->is_making = true;
        TAILQ_INSERT_TAIL(&cx->making, wish, of_making);
    }
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
