#include "gateway/model/calls_private.h"

#include <stdio.h>
#include <string.h>

/* --- what an event does to the connections ------------------------------------------------------
 *
 * An event speaks of its subject's connection: that of the monitored device itself or another one.
 * `from` are the states in which the event makes sense; in any other one it is odd, so that what
 * comes late or twice leads nowhere. */
enum whose { WHOSE_SELF, WHOSE_OTHER, WHOSE_COUNT };

#define WAS(id) (1U << PBX_LOCAL_##id)
/* A connection that lives; NONE is one that is not there (yet). */
#define WAS_ANY                                                                                    \
    (WAS(INITIATED) | WAS(ALERTING) | WAS(CONNECTED) | WAS(HOLD) | WAS(QUEUED) | WAS(FAIL))
#define WAS_LIVE (WAS_ANY & ~WAS(FAIL))

struct rule {
    unsigned own_from, subject_from; /* subject_from: of WHOSE_OTHER */
    enum pbx_local becomes;          /* the subject's connection */
    bool begins;                     /* may tell of a call that is not known yet */
    bool ends_when_alone;            /* the own connection fails when nobody is left */
    enum call_cause cause;           /* when the PBX gives none */
};

/* clang-format off */
static const struct rule rules[PBX_EVENT_COUNT][WHOSE_COUNT] = {
    /*                                     own was                                     subject was                              becomes    begins alone  cause */
    [PBX_EVENT_INITIATED][WHOSE_SELF] =    {WAS(NONE),                                 0,                                       PBX_LOCAL_INITIATED, true,  false, CAUSE_ABSENT},
    [PBX_EVENT_ORIGINATED][WHOSE_SELF] =   {WAS(NONE) | WAS(INITIATED),                0,                                       PBX_LOCAL_CONNECTED, true,  false, CAUSE_ABSENT},
    [PBX_EVENT_DELIVERED][WHOSE_SELF] =    {WAS(NONE),                                 0,                                       PBX_LOCAL_ALERTING,  true,  false, CAUSE_ABSENT},
    [PBX_EVENT_DELIVERED][WHOSE_OTHER] =   {WAS(NONE) | WAS_LIVE,                      WAS(NONE),                               PBX_LOCAL_ALERTING,  true,  false, CAUSE_ABSENT},
    [PBX_EVENT_ESTABLISHED][WHOSE_SELF] =  {WAS(NONE) | WAS(INITIATED) | WAS(ALERTING) | WAS(QUEUED), 0,                            PBX_LOCAL_CONNECTED, true,  false, CAUSE_ABSENT},
    [PBX_EVENT_ESTABLISHED][WHOSE_OTHER] = {WAS(NONE) | WAS_LIVE,                      WAS(NONE) | WAS(ALERTING) | WAS(QUEUED), PBX_LOCAL_CONNECTED, true,  false, CAUSE_ABSENT},
    [PBX_EVENT_HELD][WHOSE_SELF] =         {WAS(CONNECTED),                            0,                                       PBX_LOCAL_HOLD,      false, false, CAUSE_ABSENT},
    [PBX_EVENT_HELD][WHOSE_OTHER] =        {WAS_LIVE,                                  WAS(CONNECTED),                          PBX_LOCAL_HOLD,      false, false, CAUSE_ABSENT},
    [PBX_EVENT_RETRIEVED][WHOSE_SELF] =    {WAS(HOLD),                                 0,                                       PBX_LOCAL_CONNECTED, false, false, CAUSE_ABSENT},
    [PBX_EVENT_RETRIEVED][WHOSE_OTHER] =   {WAS_LIVE,                                  WAS(HOLD),                               PBX_LOCAL_CONNECTED, false, false, CAUSE_ABSENT},
    [PBX_EVENT_DIVERTED][WHOSE_SELF] =     {WAS_ANY,                                   0,                                       PBX_LOCAL_NONE,      false, false, CAUSE_REDIRECTED},
    [PBX_EVENT_DIVERTED][WHOSE_OTHER] =    {WAS_LIVE,                                  WAS_ANY,                                 PBX_LOCAL_NONE,      false, false, CAUSE_REDIRECTED},
    [PBX_EVENT_FAILED][WHOSE_SELF] =       {WAS_LIVE,                                  0,                                       PBX_LOCAL_FAIL,      false, false, CAUSE_UNKNOWN},
    [PBX_EVENT_FAILED][WHOSE_OTHER] =      {WAS_LIVE,                                  WAS(NONE) | WAS_ANY,                     PBX_LOCAL_NONE,      false, true,  CAUSE_UNKNOWN},
    [PBX_EVENT_CLEARED][WHOSE_SELF] =      {WAS_ANY,                                   0,                                       PBX_LOCAL_NONE,      false, false, CAUSE_CLEARED},
    [PBX_EVENT_CLEARED][WHOSE_OTHER] =     {WAS_ANY,                                   WAS_ANY,                                 PBX_LOCAL_NONE,      false, true,  CAUSE_CLEARED},
};
/* clang-format on */

/* One event on its way through the model. */
struct happening {
    struct calls *calls;
    const struct pbx_event *event;
    const struct rule *rule;
    struct device *device;
    enum whose whose;
    bool own_subject; /* WHOSE_OTHER, yet another device of the same user: no participant */
    struct call *call;
    bool is_new;
};

static bool allows(unsigned set, enum pbx_local local)
{
    return (set & 1U << local) != 0;
}

static struct user *user_of(const struct happening *now)
{
    return now->device->user;
}

/* --- the call -----------------------------------------------------------------------------------
 */

static bool is_incoming(const struct happening *now)
{
    const struct pbx_event *event = now->event;
    if (now->whose == WHOSE_SELF &&
        (event->type == PBX_EVENT_INITIATED || event->type == PBX_EVENT_ORIGINATED))
        return false;
    if (event->calling.number != NULL || event->calling.restricted)
        return !calls__is_device_of(user_of(now), &event->calling);
    return now->whose == WHOSE_SELF && event->type == PBX_EVENT_DELIVERED;
}

/* What the event tells of the call besides connections. No memory: it stays unknown. */
static void note_details(struct happening *now)
{
    const struct pbx_event *event = now->event;
    struct call *call = now->call;
    if (call->initial_called.number[0] == '\0' && !call->initial_called.anonymous)
        (void)calls__set_party(&call->initial_called, &event->called);
    if (event->redirecting.number != NULL || event->redirecting.restricted)
        (void)calls__set_party(&call->last_redirecting, &event->redirecting);
    if (event->correlator != NULL)
        (void)snprintf(call->correlator, sizeof(call->correlator), "%s", event->correlator);
}

static struct call_leg *find_or_add_leg(struct happening *now)
{
    struct call_leg *leg = calls__find_leg(now->call, now->device);
    return leg != NULL ? leg : calls__add_leg(now->call, now->device);
}

/* --- connections --------------------------------------------------------------------------------
 */

/* The caller comes into a call that came in; other parties come with their own events. */
static bool bring_caller(struct happening *now)
{
    struct call *call = now->call;
    if (!call->incoming || call->participant_count > 0 ||
        calls__is_device_of(call->user, &now->event->calling))
        return true;
    return calls__add_party(call, &now->event->calling, PBX_LOCAL_CONNECTED) != NULL;
}

static bool change_self(struct happening *now, struct call_leg *leg)
{
    leg->local = now->rule->becomes;
    if (leg->local == PBX_LOCAL_ALERTING || leg->local == PBX_LOCAL_CONNECTED)
        return bring_caller(now);
    return true;
}

static bool change_subject(struct happening *now)
{
    const struct pbx_party *subject = &now->event->subject;
    struct call_participant *party = calls__find_party(now->call, subject);
    if (now->own_subject)
        return true; /* that device's own monitor tells */
    if (now->rule->becomes == PBX_LOCAL_NONE) {
        if (party != NULL)
            calls__remove_party(now->calls, now->call, party);
        return true;
    }
    if (party == NULL)
        return calls__add_party(now->call, subject, now->rule->becomes) != NULL;
    party->local = now->rule->becomes;
    return true;
}

/* What another's event says of the own connection: it has begun, or has been answered meanwhile. */
static enum pbx_local own_after(const struct happening *now, enum pbx_local own)
{
    enum pbx_local told = now->event->local;
    if (own == PBX_LOCAL_NONE || own == PBX_LOCAL_INITIATED)
        return told == PBX_LOCAL_ALERTING ? told : PBX_LOCAL_CONNECTED;
    return own == PBX_LOCAL_ALERTING && told == PBX_LOCAL_CONNECTED ? told : own;
}

static bool change_other(struct happening *now, struct call_leg *leg)
{
    const struct rule *rule = now->rule;
    if (!change_subject(now))
        return false;
    if (rule->ends_when_alone) {
        if (calls__is_alone(now->call, leg, &now->event->subject))
            leg->local = PBX_LOCAL_FAIL;
    } else if (rule->becomes == PBX_LOCAL_ALERTING || rule->becomes == PBX_LOCAL_CONNECTED) {
        leg->local = own_after(now, leg->local);
    }
    return true;
}

/* --- causes -------------------------------------------------------------------------------------
 */

static bool is_plain(enum call_cause cause)
{
    return cause == CAUSE_ABSENT || cause == CAUSE_CLEARED;
}

/* Why a party's leaving ends the call: a caller who gives up before the answer abandons it. */
static enum call_cause cause_of_leaving(const struct happening *now)
{
    const struct call *call = now->call;
    bool caller_leaves = call->incoming == (now->whose == WHOSE_OTHER);
    return !call->answered && caller_leaves ? CAUSE_ABANDONED : CAUSE_CLEARED;
}

static enum call_cause cause_of(const struct happening *now)
{
    enum call_cause told = now->event->cause;
    if (now->event->type != PBX_EVENT_CLEARED)
        return told != CAUSE_ABSENT ? told : now->rule->cause;
    if (!is_plain(told))
        return told;
    if (now->call->release_cause != CAUSE_ABSENT)
        return now->call->release_cause;
    return cause_of_leaving(now);
}

/* --- telling ------------------------------------------------------------------------------------
 */

static bool tell_leg_gone(struct happening *now, struct call_leg *leg)
{
    enum call_cause cause = cause_of(now);
    if (now->event->type == PBX_EVENT_CLEARED)
        calls__remember_end(now->calls, now->call, now->device);
    calls__remove_leg(now->calls, now->call, leg);
    if (now->call->leg_count > 0) /* the call goes on at another device */
        return calls__tell(now->calls, now->call,
                           is_plain(now->event->cause) ? CAUSE_ABSENT : cause);
    calls__end(now->calls, now->call, cause, now->event->new_destination);
    now->call = NULL;
    return true;
}

static bool tell_change(struct happening *now, struct call_leg *leg)
{
    enum call_cause cause = cause_of(now);
    if (now->event->type == PBX_EVENT_CLEARED && leg->local != PBX_LOCAL_FAIL)
        cause = is_plain(now->event->cause) ? CAUSE_PARTICIPANT_LEFT : now->event->cause;
    else if (leg->local == PBX_LOCAL_FAIL && now->call->release_cause == CAUSE_ABSENT)
        now->call->release_cause = cause;
    if (now->is_new) {
        calls__tell_new(now->calls, now->call, cause);
        return true;
    }
    return calls__tell(now->calls, now->call, cause);
}

static bool tell(struct happening *now, struct call_leg *leg)
{
    if (leg->local == PBX_LOCAL_NONE)
        return tell_leg_gone(now, leg);
    bool told = tell_change(now, leg);
    if (now->event->type == PBX_EVENT_DELIVERED && now->whose == WHOSE_OTHER)
        told = calls__tell_ringing(now->calls, now->call, leg) || told;
    return told;
}

/* --- the event ----------------------------------------------------------------------------------
 */

/* Does it fit what is known? */
static bool fits(const struct happening *now)
{
    const struct rule *rule = now->rule;
    struct call_leg *leg = now->call == NULL ? NULL : calls__find_leg(now->call, now->device);
    const struct call_participant *party =
        now->call == NULL ? NULL : calls__find_party(now->call, &now->event->subject);
    if (!allows(rule->own_from, leg == NULL ? PBX_LOCAL_NONE : leg->local))
        return false;
    if (leg == NULL &&
        (!rule->begins || calls__has_ended(now->calls, now->device, now->event->call_id)))
        return false;
    return now->whose == WHOSE_SELF || now->own_subject ||
           allows(rule->subject_from, party == NULL ? PBX_LOCAL_NONE : party->local);
}

/* Says it only what is so already? */
static bool is_repetition(const struct happening *now)
{
    enum pbx_local local = PBX_LOCAL_NONE;
    const struct call_leg *leg = now->call == NULL ? NULL : calls__find_leg(now->call, now->device);
    const struct call_participant *party =
        leg == NULL ? NULL : calls__find_party(now->call, &now->event->subject);
    if (now->whose == WHOSE_SELF && leg != NULL)
        local = leg->local;
    else if (now->whose == WHOSE_OTHER && party != NULL)
        local = party->local;
    return local == now->rule->becomes || now->own_subject;
}

/* Without memory the event is lost: reading the device again brings the model up to date. */
static void give_up(struct happening *now, struct call_leg *leg)
{
    if (now->is_new)
        calls__drop(now->call);
    else if (leg != NULL && leg->mark == CALL_MARK_ADDED)
        calls__remove_leg(now->calls, now->call, leg);
}

static struct call *begin_call(struct happening *now)
{
    now->is_new = true;
    return calls__begin(user_of(now), now->event->call_id, is_incoming(now));
}

enum outcome {
    OUTCOME_TOLD,       /* fitted, changes were told */
    OUTCOME_NOTHING,    /* nothing new in it */
    OUTCOME_CONTRADICTS /* what is known of the device is wrong, or the event is */
};

static enum outcome apply(struct happening *now)
{
    struct user *user = user_of(now);
    now->call = calls__find_by_id(user, now->event->call_id);
    if (!fits(now))
        return is_repetition(now) ? OUTCOME_NOTHING : OUTCOME_CONTRADICTS;
    if (now->call == NULL)
        now->call = begin_call(now);
    if (now->call == NULL)
        return OUTCOME_CONTRADICTS;
    struct call_leg *leg = find_or_add_leg(now);
    note_details(now);
    if (leg == NULL ||
        !(now->whose == WHOSE_SELF ? change_self(now, leg) : change_other(now, leg))) {
        give_up(now, leg);
        return OUTCOME_CONTRADICTS;
    }
    bool told = tell(now, leg);
    calls__update_user(now->calls, user);
    return told || now->own_subject ? OUTCOME_TOLD : OUTCOME_NOTHING;
}

bool calls_event(struct calls *calls, const struct pbx *pbx, const struct pbx_event *event)
{
    struct happening now = {.calls = calls, .event = event};
    enum outcome outcome = OUTCOME_NOTHING;
    now.device = calls__device(calls, pbx, event->monitored);
    if (now.device != NULL) {
        bool self =
            event->subject.number != NULL && strcmp(event->subject.number, now.device->number) == 0;
        now.whose = self ? WHOSE_SELF : WHOSE_OTHER;
        now.own_subject = !self && calls__is_device_of(now.device->user, &event->subject);
        now.rule = &rules[event->type][now.whose];
        outcome = apply(&now);
    }
    if (outcome != OUTCOME_TOLD)
        calls->odd_events++;
    return outcome != OUTCOME_CONTRADICTS;
}
