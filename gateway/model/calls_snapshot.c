#include "gateway/model/calls_private.h"

#include <string.h>

static const struct pbx_snapshot_call *find_listed(const struct pbx_snapshot_call *list,
                                                   size_t count, const char *call_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].call_id, call_id) == 0 && list[i].local != PBX_LOCAL_NONE)
            return &list[i];
    }
    return NULL;
}

/* What the model has at the device and the PBX has not: it ended while nobody listened, so nobody
 * knows why. */
static void end_missing(struct calls *calls, struct device *device,
                        const struct pbx_snapshot_call *list, size_t count)
{
    struct call *call, *next;
    for (call = TAILQ_FIRST(&device->user->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, of_user);
        struct call_leg *leg = calls__find_leg(call, device);
        if (leg == NULL || find_listed(list, count, call->pbx_call_id) != NULL)
            continue;
        enum call_cause cause =
            call->release_cause != CAUSE_ABSENT ? call->release_cause : CAUSE_UNKNOWN;
        calls__remove_leg(calls, call, leg);
        if (call->leg_count == 0)
            calls__end(calls, call, cause, NULL);
        else
            (void)calls__tell(calls, call, CAUSE_ABSENT);
    }
}

static bool is_incoming(const struct user *user, const struct pbx_snapshot_call *seen)
{
    if (seen->calling.number != NULL || seen->calling.restricted)
        return !calls__is_device_of(user, &seen->calling);
    return seen->local == PBX_LOCAL_ALERTING || calls__is_device_of(user, &seen->called);
}

/* --- the others in the call ---------------------------------------------------------------------
 */

static bool takes_part(enum pbx_local local)
{
    return local != PBX_LOCAL_NONE && local != PBX_LOCAL_FAIL;
}

static bool is_seen(struct call *call, const struct call_participant *participant,
                    const struct pbx_snapshot_call *seen)
{
    for (unsigned i = 0; i < seen->party_count; i++) {
        if (takes_part(seen->parties[i].local) &&
            calls__find_party(call, &seen->parties[i].party) == participant)
            return true;
    }
    return false;
}

static void remove_unseen(struct calls *calls, struct call *call,
                          const struct pbx_snapshot_call *seen)
{
    for (unsigned i = call->participant_count; i-- > 0;) {
        if (!is_seen(call, &call->participants[i], seen))
            calls__remove_party(calls, call, &call->participants[i]);
    }
}

/* The user's own devices are legs, told by their own snapshots. */
static void take_party(struct call *call, const struct pbx_party *party, enum pbx_local local)
{
    if (!takes_part(local) || calls__is_device_of(call->user, party))
        return;
    struct call_participant *known = calls__find_party(call, party);
    if (known != NULL)
        known->local = local;
    else
        (void)calls__add_party(call, party, local);
}

static void take_parties(struct calls *calls, struct call *call,
                         const struct pbx_snapshot_call *seen)
{
    if (seen->party_count == 0 && seen->local == PBX_LOCAL_ALERTING) {
        take_party(call, &seen->calling, PBX_LOCAL_CONNECTED); /* somebody calls */
        return;
    }
    remove_unseen(calls, call, seen);
    for (unsigned i = 0; i < seen->party_count; i++)
        take_party(call, &seen->parties[i].party, seen->parties[i].local);
}

/* --- one call -----------------------------------------------------------------------------------
 */

/* A connected device with nobody to talk to dials, if it may; else its call is over. */
static enum pbx_local own_local(const struct call *call, const struct call_leg *leg,
                                const struct pbx_snapshot_call *seen)
{
    static const struct pbx_party nobody = {0};
    bool failed = false;
    for (unsigned i = 0; i < seen->party_count; i++)
        failed = failed || seen->parties[i].local == PBX_LOCAL_FAIL;
    bool over = failed || call->answered || call->incoming || leg->local == PBX_LOCAL_FAIL;
    if (seen->local == PBX_LOCAL_CONNECTED && over && calls__is_alone(call, leg, &nobody))
        return PBX_LOCAL_FAIL;
    return seen->local;
}

static void take_details(struct call *call, const struct pbx_snapshot_call *seen)
{
    if (call->initial_called.number[0] == '\0' && !call->initial_called.anonymous)
        (void)calls__set_party(&call->initial_called, &seen->called);
}

/* Somebody has dialled or answered here, whatever became of the call since. */
static bool was_engaged(const struct call *call, enum pbx_local local)
{
    return local == PBX_LOCAL_CONNECTED || local == PBX_LOCAL_HOLD ||
           (local == PBX_LOCAL_FAIL && !call->incoming);
}

/* The remote device of a call that rings is known to ring: no second step as with events. */
static void take_leg(struct call *call, struct call_leg *leg, const struct pbx_snapshot_call *seen)
{
    leg->local = own_local(call, leg, seen);
    call->engaged = call->engaged || was_engaged(call, seen->local);
    calls__settle(call);
    calls__set_ringing(leg, leg->state == MEDIA_RINGING_OUTGOING);
}

static bool take_call(struct calls *calls, struct device *device,
                      const struct pbx_snapshot_call *seen)
{
    struct call *call = calls__find_by_id(device->user, seen->call_id);
    bool is_new = call == NULL;
    if (is_new)
        call = calls__begin(device->user, seen->call_id, is_incoming(device->user, seen));
    if (call == NULL)
        return false;
    struct call_leg *leg = calls__find_leg(call, device);
    if (leg == NULL)
        leg = calls__add_leg(call, device);
    if (leg == NULL)
        return false; /* as many legs as a user has devices: only when these have just changed */
    take_details(call, seen);
    take_parties(calls, call, seen);
    take_leg(call, leg, seen);
    if (is_new)
        calls__tell_new(calls, call, CAUSE_ABSENT);
    else
        (void)calls__tell(calls, call, CAUSE_ABSENT);
    return true;
}

void calls_snapshot(struct calls *calls, const struct pbx *pbx, const char *number,
                    const struct pbx_snapshot_call *list, size_t count)
{
    struct device *device = calls__device(calls, pbx, number);
    if (device == NULL) {
        calls->odd_events++;
        return;
    }
    end_missing(calls, device, list, count);
    for (size_t i = 0; i < count; i++) {
        if (list[i].local != PBX_LOCAL_NONE && !take_call(calls, device, &list[i]))
            calls->odd_events++;
    }
    device->read = true;
    calls__update_user(calls, device->user);
}
