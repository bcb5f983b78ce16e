#include "gateway/api/telephony/handlers.h"

#include "gateway/api/scope.h"
#include "gateway/api/telephony/bodies.h"
#include "gateway/gateway.h"
#include "gateway/pbx/pbxs.h"

#include <stdio.h>
#include <string.h>

/* What waits for the PBX lives in the request's arena and knows neither user nor session: both may
 * go before the answer comes. */

/* NULL: answered. */
static struct pbx *find_pbx(struct http_request *request, const struct user *user)
{
    const struct gateway *gateway = http_request_program(request);
    struct pbx *pbx = pbxs_of(gateway->pbxs, user);
    if (pbx == NULL)
        telephony_answer_finding(request, FINDING_NO_LINK,
                                 "the user's node is not among the configured ones");
    return pbx;
}

static struct device *find_device(struct http_request *request, const char *device_id)
{
    struct device *device = NULL;
    switch (scope_find_device(request, device_id, &device)) {
    case SCOPE_FOUND:
        break;
    case SCOPE_FOREIGN:
        telephony_answer_finding(request, FINDING_FOREIGN_DEVICE, device_id);
        break;
    case SCOPE_UNKNOWN:
        telephony_answer_finding(request, FINDING_NO_DEVICE, device_id);
        break;
    }
    return device;
}

/* --- making a call ---------------------------------------------------------------------------- */

struct making {
    struct http_request *request;
    char node[sizeof(((struct pbx *)NULL)->node)];
    bool located; /* the answer says where the call is */
};

/* The base through which the client has come: those inside may not reach the public address. */
static const char *base_of(const struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const char *host = http_request_host(request);
    size_t len = strlen(host);
    const char *inside = strstr(gateway->private_base, "://");
    bool private =
        inside != NULL && len > 0 && strncmp(inside + 3, host, len) == 0 && inside[3 + len] == '/';
    return private ? gateway->private_base : gateway->public_base;
}

static void on_made(void *context, const struct pbx_error *error, const char *call_id)
{
    const struct making *making = context;
    struct http_request *request = making->request;
    if (error != NULL) {
        telephony_answer_pbx(request, error);
        return;
    }
    if (call_id == NULL) {
        telephony_answer_finding(request, FINDING_NONSENSE, "the new call has no identifier");
        return;
    }
    if (making->located) {
        char ref[CALL_REF_CHARS];
        call_ref_of(making->node, call_id, ref);
        const char *place = arena_printf(http_request_arena(request), "%s/telephony/calls/%s",
                                         base_of(request), ref);
        if (place != NULL)
            (void)http_answer_header(request, "Location", place);
    }
    http_answer_empty(request, 201);
}

/* Tells the PBX; the request is answered now or later. */
static void make_call(struct http_request *request, const struct device *device,
                      const struct pbx_make_call *call, bool located)
{
    struct pbx *pbx = find_pbx(request, device->user);
    if (pbx == NULL)
        return;
    struct making *making = arena_calloc(http_request_arena(request), 1, sizeof(*making));
    if (making == NULL) {
        telephony_answer_finding(request, FINDING_NO_MEMORY, NULL);
        return;
    }
    making->request = request;
    making->located = located;
    (void)snprintf(making->node, sizeof(making->node), "%s", pbx->node);
    int r = pbx_make_call(pbx, call, on_made, making);
    if (r < 0)
        telephony_answer_finding(request, telephony_finding_of(r), NULL);
}

static bool read_body(struct http_request *request, struct pbx_make_call *ret_call)
{
    struct body_problem problem = {0};
    if (make_call_of_body(http_request_data(request), http_request_arena(request), ret_call,
                          &problem))
        return true;
    telephony_answer_finding(request, problem.finding, problem.detail);
    return false;
}

void telephony_basic_call(struct http_request *request)
{
    struct pbx_make_call call;
    const struct make_call_body *body = http_request_data(request);
    const struct device *device = find_device(request, body->device_id);
    if (device != NULL && read_body(request, &call))
        make_call(request, device, &call, false);
}

/* An administrator names the user, whose device it must be. */
void telephony_make_call(struct http_request *request)
{
    struct pbx_make_call call;
    const struct make_call_body *body = http_request_data(request);
    const struct user *user = scope_user(request);
    if (user == NULL)
        return;
    const struct device *device = user_find_device(user, body->device_id);
    if (device == NULL)
        telephony_answer_finding(request, FINDING_FOREIGN_DEVICE, body->device_id);
    else if (read_body(request, &call))
        make_call(request, device, &call, true);
}

/* --- answering it ----------------------------------------------------------------------------- */

static void on_answered(void *context, const struct pbx_error *error, const char *call_id)
{
    struct http_request *request = context;
    (void)call_id;
    if (error != NULL)
        telephony_answer_pbx(request, error);
    else
        http_answer_empty(request, 204);
}

static void answer_leg(struct http_request *request, const struct call *call,
                       const struct call_leg *leg)
{
    struct pbx *pbx = find_pbx(request, call->user);
    if (pbx == NULL)
        return;
    int r = pbx_answer(pbx, call->pbx_call_id, leg->device->number, on_answered, request);
    if (r < 0)
        telephony_answer_finding(request, telephony_finding_of(r), NULL);
}

void telephony_basic_answer(struct http_request *request)
{
    const struct answer_body *body = http_request_data(request);
    const struct device *device = find_device(request, body->device_id);
    const struct call *call;
    if (device == NULL || !telephony_is_read(request, device->user))
        return;
    TAILQ_FOREACH(call, &device->user->calls, of_user)
    {
        const struct call_leg *leg = call_find_leg(call, device->number);
        if (leg != NULL && leg->state == MEDIA_RINGING_INCOMING) {
            answer_leg(request, call, leg);
            return;
        }
    }
    telephony_answer_finding(request, FINDING_NOT_RINGING, device->number);
}

void telephony_answer_call(struct http_request *request)
{
    const struct answer_body *body = http_request_data(request);
    const struct device *device = find_device(request, body->device_id);
    const struct call *call = device != NULL ? telephony_find_call(request, device->user) : NULL;
    if (call == NULL)
        return;
    const struct call_leg *leg = call_find_leg(call, device->number);
    if (leg == NULL)
        telephony_answer_finding(request, FINDING_NO_LEG, device->number);
    else if (leg->state != MEDIA_RINGING_INCOMING)
        telephony_answer_finding(request, FINDING_NOT_RINGING, media_state_names[leg->state - 1]);
    else
        answer_leg(request, call, leg);
}

/* --- leaving it ------------------------------------------------------------------------------- */

/* A call may have a leg at several of the user's devices: all of them ring. */
struct leaving {
    struct http_request *request;
    unsigned waiting;       /* answers to come, and one for the beginning */
    bool left;              /* one leg at least has been cleared */
    struct pbx_error error; /* the first refusal */
    bool refused;
};

static void end_leaving(struct leaving *leaving)
{
    if (--leaving->waiting > 0)
        return;
    if (leaving->left)
        http_answer_empty(leaving->request, 204);
    else
        telephony_answer_pbx(leaving->request, &leaving->error);
}

static void on_cleared(void *context, const struct pbx_error *error, const char *call_id)
{
    struct leaving *leaving = context;
    (void)call_id;
    if (error == NULL) {
        leaving->left = true;
    } else if (!leaving->refused) {
        const char *text = error->text != NULL ? error->text : "";
        leaving->error = *error;
        leaving->error.text = arena_strdup(http_request_arena(leaving->request), text);
        leaving->refused = true;
    }
    end_leaving(leaving);
}

static void leave(struct http_request *request, const struct call *call)
{
    struct pbx *pbx = find_pbx(request, call->user);
    if (pbx == NULL)
        return;
    struct leaving *leaving = arena_calloc(http_request_arena(request), 1, sizeof(*leaving));
    if (leaving == NULL) {
        telephony_answer_finding(request, FINDING_NO_MEMORY, NULL);
        return;
    }
    *leaving = (struct leaving){.request = request, .waiting = 1};
    int r = 0;
    for (unsigned i = 0; i < call->leg_count && r == 0; i++) {
        r = pbx_clear_connection(pbx, call->pbx_call_id, call->legs[i].device->number, on_cleared,
                                 leaving);
        if (r == 0)
            leaving->waiting++;
    }
    if (leaving->waiting > 1)
        end_leaving(leaving);
    else if (r < 0)
        telephony_answer_finding(request, telephony_finding_of(r), NULL);
    else
        telephony_answer_finding(request, FINDING_NOT_IN_CALL, NULL);
}

/* Which call dropme without a reference means: the one that the user is most in. */
static int weight_of(const struct call *call)
{
    static const int weights[MEDIA_STATE_COUNT] = {
        [MEDIA_ACTIVE] = 7,
        [MEDIA_RINGING_OUTGOING] = 6,
        [MEDIA_DIALING] = 5,
        [MEDIA_OFF_HOOK] = 4,
        [MEDIA_HELD] = 3,
        [MEDIA_RELEASING] = 2,
        [MEDIA_RINGING_INCOMING] = 1,
    };
    return weights[call->state];
}

void telephony_basic_drop_me(struct http_request *request)
{
    const struct user *user = scope_user(request);
    const struct call *call, *best = NULL;
    if (user == NULL || !telephony_is_read(request, user))
        return;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        if (best == NULL || weight_of(call) > weight_of(best))
            best = call;
    }
    if (best == NULL)
        telephony_answer_finding(request, FINDING_NOT_IN_CALL, NULL);
    else
        leave(request, best);
}

void telephony_release_call(struct http_request *request)
{
    const struct user *user = scope_user(request);
    const struct call *call = user != NULL ? telephony_find_call(request, user) : NULL;
    if (call != NULL)
        leave(request, call);
}
