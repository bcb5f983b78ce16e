#include "gateway/api/telephony/handlers.h"

#include "gateway/api/scope.h"
#include "gateway/api/telephony/errors.h"
#include "gateway/api/telephony/repr.h"
#include "gateway/api/telephony/view.h"
#include "gateway/gateway.h"
#include "gateway/pbx/pbxs.h"

bool telephony_is_read(struct http_request *request, const struct user *user)
{
    const struct gateway *gateway = http_request_program(request);
    if (user->known)
        return true;
    struct pbx *pbx = pbxs_of(gateway->pbxs, user);
    for (unsigned i = 0; pbx != NULL && i < user->device_count; i++)
        pbx_hasten(pbx, user->devices[i]->number);
    telephony_answer_finding(request, FINDING_NOT_READ, user->login);
    return false;
}

struct call *telephony_find_call(struct http_request *request, const struct user *user)
{
    const char *ref = http_request_param(request, "callRef");
    if (!telephony_is_read(request, user))
        return NULL;
    struct call *call = calls_find(user, ref);
    if (call == NULL)
        telephony_answer_finding(request, FINDING_NO_CALL, ref);
    return call;
}

/* view NULL: there was no memory for it. */
static void answer(struct http_request *request, const struct repr *repr, const void *view)
{
    if (view == NULL)
        telephony_answer_finding(request, FINDING_NO_MEMORY, NULL);
    else
        http_answer_repr(request, 200, repr, view);
}

/* The user whose calls are known, or NULL: answered. */
static const struct user *find_user(struct http_request *request)
{
    const struct user *user = scope_user(request);
    return user != NULL && telephony_is_read(request, user) ? user : NULL;
}

static const struct call *find_call(struct http_request *request)
{
    const struct user *user = scope_user(request);
    return user != NULL ? telephony_find_call(request, user) : NULL;
}

static const struct users *users_of(const struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    return gateway->users;
}

void telephony_list_calls(struct http_request *request)
{
    const struct user *user = find_user(request);
    if (user != NULL)
        answer(request, &calls_repr,
               view_calls(http_request_arena(request), users_of(request), user));
}

void telephony_get_call(struct http_request *request)
{
    const struct call *call = find_call(request);
    if (call != NULL)
        answer(request, &call_repr,
               view_call(http_request_arena(request), users_of(request), call));
}

void telephony_list_legs(struct http_request *request)
{
    const struct call *call = find_call(request);
    if (call != NULL)
        answer(request, &legs_repr, view_legs(http_request_arena(request), call));
}

void telephony_get_leg(struct http_request *request)
{
    const char *id = http_request_param(request, "legId");
    const struct call *call = find_call(request);
    const struct call_leg *leg = call != NULL ? call_find_leg(call, id) : NULL;
    if (leg != NULL)
        answer(request, &leg_repr, view_leg(http_request_arena(request), leg));
    else if (call != NULL)
        telephony_answer_finding(request, FINDING_NO_LEG, id);
}

void telephony_list_participants(struct http_request *request)
{
    const struct call *call = find_call(request);
    if (call != NULL)
        answer(request, &participants_repr,
               view_participants(http_request_arena(request), users_of(request), call));
}

void telephony_get_participant(struct http_request *request)
{
    const char *id = http_request_param(request, "participantId");
    const struct call *call = find_call(request);
    const struct call_participant *found = call != NULL ? call_find_participant(call, id) : NULL;
    if (found != NULL)
        answer(request, &participant_repr,
               view_participant(http_request_arena(request), users_of(request), found));
    else if (call != NULL)
        telephony_answer_finding(request, FINDING_NO_PARTICIPANT, id);
}

/* Known at any time: a device whose state the PBX has not told is UNKNOWN. */
void telephony_list_devices(struct http_request *request)
{
    const struct user *user = scope_user(request);
    if (user != NULL)
        answer(request, &device_states_repr, view_device_states(http_request_arena(request), user));
}

void telephony_get_device(struct http_request *request)
{
    const char *id = http_request_param(request, "deviceId");
    const struct user *user = scope_user(request);
    if (user == NULL)
        return;
    const struct device *device = user_find_device(user, id);
    if (device == NULL)
        telephony_answer_finding(request, FINDING_NO_DEVICE, id);
    else
        answer(request, &device_state_repr, view_device_state(http_request_arena(request), device));
}

void telephony_get_state(struct http_request *request)
{
    const struct user *user = find_user(request);
    if (user != NULL)
        answer(request, &telephonic_state_repr,
               view_telephonic_state(http_request_arena(request), users_of(request), user));
}
