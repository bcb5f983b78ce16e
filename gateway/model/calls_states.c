#include "gateway/model/calls_private.h"

/* How many of each kind are on the other side of a leg: parties and the user's other devices. */
struct others {
    unsigned connected, holding, ringing;
};

static void count_connection(struct others *others, enum pbx_local local)
{
    others->connected += local == PBX_LOCAL_CONNECTED;
    others->holding += local == PBX_LOCAL_HOLD;
    others->ringing += local == PBX_LOCAL_ALERTING || local == PBX_LOCAL_QUEUED;
}

static struct others others_of(const struct call *call, const struct call_leg *leg)
{
    struct others others = {0};
    for (unsigned i = 0; i < call->participant_count; i++)
        count_connection(&others, call->participants[i].local);
    for (unsigned i = 0; i < call->leg_count; i++) {
        if (&call->legs[i] != leg)
            count_connection(&others, call->legs[i].local);
    }
    return others;
}

/* A connected leg with nobody on the other side dials; after an answer there is nothing to wait
 * for. Once nobody can come any more the events make it PBX_LOCAL_FAIL. */
static enum media_state state_when_connected(const struct call *call, struct others others)
{
    return others.connected > 0 ? MEDIA_ACTIVE
           : others.holding > 0 ? MEDIA_HELD
           : others.ringing > 0 ? MEDIA_RINGING_OUTGOING
           : call->answered     ? MEDIA_RELEASING
                                : MEDIA_DIALING;
}

static enum media_state leg_state(const struct call *call, const struct call_leg *leg)
{
    static const enum media_state states[PBX_LOCAL_COUNT] = {
        [PBX_LOCAL_NONE] = MEDIA_IDLE,
        [PBX_LOCAL_INITIATED] = MEDIA_OFF_HOOK,
        [PBX_LOCAL_ALERTING] = MEDIA_RINGING_INCOMING,
        [PBX_LOCAL_HOLD] = MEDIA_HELD,
        [PBX_LOCAL_QUEUED] = MEDIA_RINGING_OUTGOING,
        [PBX_LOCAL_FAIL] = MEDIA_RELEASING,
    };
    if (leg->local == PBX_LOCAL_CONNECTED)
        return state_when_connected(call, others_of(call, leg));
    return states[leg->local];
}

/* Of a call with several legs, the one that is furthest on. */
static enum media_state call_state(const struct call *call)
{
    static const unsigned rank[MEDIA_STATE_COUNT] = {
        [MEDIA_ACTIVE] = 8,    [MEDIA_HELD] = 7,     [MEDIA_RINGING_OUTGOING] = 6,
        [MEDIA_DIALING] = 5,   [MEDIA_OFF_HOOK] = 4, [MEDIA_RINGING_INCOMING] = 3,
        [MEDIA_RELEASING] = 2, [MEDIA_IDLE] = 1,
    };
    enum media_state state = MEDIA_UNKNOWN;
    for (unsigned i = 0; i < call->leg_count; i++) {
        if (rank[call->legs[i].state] > rank[state])
            state = call->legs[i].state;
    }
    return state;
}

static void mark(enum call_mark *mark)
{
    if (*mark == CALL_MARK_NONE)
        *mark = CALL_MARK_MODIFIED;
}

void calls__set_ringing(struct call_leg *leg, bool ringing)
{
    if (leg->ringing_remote == ringing)
        return;
    leg->ringing_remote = ringing;
    mark(&leg->mark);
}

static void settle_leg(struct call *call, struct call_leg *leg)
{
    enum media_state state = leg_state(call, leg);
    if (leg->state == state)
        return;
    leg->state = state;
    leg->ringing_remote = leg->ringing_remote && state == MEDIA_RINGING_OUTGOING;
    mark(&leg->mark);
}

/* A participant shares the state of the call, unless it rings or holds by itself. */
static void settle_participant(const struct call *call, struct call_participant *participant)
{
    struct others self = {0};
    count_connection(&self, participant->local);
    enum media_state state = self.ringing > 0   ? MEDIA_RINGING_OUTGOING
                             : self.holding > 0 ? MEDIA_HELD
                                                : call->state;
    if (participant->state == state)
        return;
    participant->state = state;
    mark(&participant->mark);
}

void calls__settle(struct call *call)
{
    static const bool engaging[MEDIA_STATE_COUNT] = {
        [MEDIA_DIALING] = true,
        [MEDIA_RINGING_OUTGOING] = true,
        [MEDIA_ACTIVE] = true,
        [MEDIA_HELD] = true,
    };
    for (unsigned i = 0; i < call->leg_count; i++)
        settle_leg(call, &call->legs[i]);
    call->state = call_state(call);
    call->answered = call->answered || call->state == MEDIA_ACTIVE;
    call->engaged = call->engaged || engaging[call->state];
    for (unsigned i = 0; i < call->participant_count; i++)
        settle_participant(call, &call->participants[i]);
}

bool calls__is_alone(const struct call *call, const struct call_leg *leg,
                     const struct pbx_party *without)
{
    for (unsigned i = 0; i < call->leg_count; i++) {
        const struct call_leg *other = &call->legs[i];
        bool talks = other->local == PBX_LOCAL_CONNECTED || other->local == PBX_LOCAL_HOLD;
        bool leaves = calls__is_device_of(call->user, without) &&
                      user_find_device(call->user, without->number) == other->device;
        if (other != leg && talks && !leaves)
            return false;
    }
    return call->participant_count == 0;
}

/* --- changes ------------------------------------------------------------------------------------
 */

static void gather_legs(struct calls *calls, struct call *call, struct call_change *change)
{
    for (unsigned i = 0; i < call->leg_count; i++) {
        struct call_leg *leg = &call->legs[i];
        if (leg->mark == CALL_MARK_ADDED)
            calls->added_legs[change->added_leg_count++] = *leg;
        else if (leg->mark == CALL_MARK_MODIFIED)
            calls->modified_legs[change->modified_leg_count++] = *leg;
        leg->mark = CALL_MARK_NONE;
    }
    change->added_legs = calls->added_legs;
    change->modified_legs = calls->modified_legs;
    change->removed_legs = calls->removed_legs;
    change->removed_leg_count = calls->removed_leg_count;
    calls->removed_leg_count = 0;
}

/* Copies share the names with the call. */
static void gather_participants(struct calls *calls, struct call *call, struct call_change *change)
{
    for (unsigned i = 0; i < call->participant_count; i++) {
        struct call_participant *one = &call->participants[i];
        if (one->mark == CALL_MARK_ADDED)
            calls->added[change->added_participant_count++] = *one;
        else if (one->mark == CALL_MARK_MODIFIED)
            calls->modified[change->modified_participant_count++] = *one;
        one->mark = CALL_MARK_NONE;
    }
    change->added_participants = calls->added;
    change->modified_participants = calls->modified;
    change->removed_participant_ids = calls->removed_ids;
    change->removed_participant_count = calls->removed_count;
    calls->removed_count = 0;
}

static struct call_change gather(struct calls *calls, struct call *call, enum call_cause cause)
{
    struct call_change change = {.cause = cause};
    calls__settle(call);
    gather_legs(calls, call, &change);
    gather_participants(calls, call, &change);
    change.device_capabilities =
        change.added_leg_count + change.modified_leg_count + change.removed_leg_count > 0;
    return change;
}

void calls__tell_new(struct calls *calls, struct call *call, enum call_cause cause)
{
    (void)gather(calls, call, cause);
    calls->sink.created(calls->sink.context, call, cause);
}

bool calls__tell(struct calls *calls, struct call *call, enum call_cause cause)
{
    const struct call_change change = gather(calls, call, cause);
    if (!change.device_capabilities && change.added_participant_count == 0 &&
        change.modified_participant_count == 0 && change.removed_participant_count == 0)
        return false;
    calls->sink.modified(calls->sink.context, call, &change);
    return true;
}

bool calls__tell_ringing(struct calls *calls, struct call *call, struct call_leg *leg)
{
    if (leg->state != MEDIA_RINGING_OUTGOING || leg->ringing_remote)
        return false;
    calls__set_ringing(leg, true);
    return calls__tell(calls, call, CAUSE_ABSENT);
}
