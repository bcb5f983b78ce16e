#include "gateway/model/calls_private.h"

#include "lib/common/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct calls *calls_new(const struct users *users, const struct calls_sink *sink)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    if (calls == NULL)
        return NULL;
    calls->users = users;
    calls->sink = *sink;
    return calls;
}

uint64_t calls_odd_events(const struct calls *calls)
{
    return calls->odd_events;
}

/* --- references ---------------------------------------------------------------------------------
 */

void call_ref_of(const char *node, const char *pbx_call_id, char out[CALL_REF_CHARS])
{
    char text[USER_NODE_CHARS + PBX_CALL_ID_CHARS + 1];
    uint8_t digest[SECRETS_SHA256_BYTES];
    (void)snprintf(text, sizeof(text), "%s:%s", node, pbx_call_id);
    secrets_sha256(text, strlen(text), digest);
    secrets_hex(digest, (CALL_REF_CHARS - 1) / 2, out);
}

struct call *calls_find(const struct user *user, const char *ref)
{
    struct call *call;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        if (strcmp(call->ref, ref) == 0)
            return call;
    }
    return NULL;
}

struct call *calls__find_by_id(const struct user *user, const char *pbx_call_id)
{
    struct call *call;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        if (strcmp(call->pbx_call_id, pbx_call_id) == 0)
            return call;
    }
    return NULL;
}

/* --- legs ---------------------------------------------------------------------------------------
 */

const struct call_leg *call_find_leg(const struct call *call, const char *device_number)
{
    for (unsigned i = 0; i < call->leg_count; i++) {
        if (strcmp(call->legs[i].device->number, device_number) == 0)
            return &call->legs[i];
    }
    return NULL;
}

struct call_leg *calls__find_leg(struct call *call, const struct device *device)
{
    for (unsigned i = 0; i < call->leg_count; i++) {
        if (call->legs[i].device == device)
            return &call->legs[i];
    }
    return NULL;
}

struct call_leg *calls__add_leg(struct call *call, struct device *device)
{
    if (call->leg_count == CALL_LEGS_MAX)
        return NULL;
    struct call_leg *leg = &call->legs[call->leg_count++];
    *leg = (struct call_leg){.device = device, .mark = CALL_MARK_ADDED};
    return leg;
}

void calls__remove_leg(struct calls *calls, struct call *call, struct call_leg *leg)
{
    unsigned index = (unsigned)(leg - call->legs);
    leg->state = MEDIA_IDLE;
    leg->ringing_remote = false;
    if (leg->mark != CALL_MARK_ADDED && calls->removed_leg_count < CALL_LEGS_MAX)
        calls->removed_legs[calls->removed_leg_count++] = *leg;
    call->leg_count--;
    memmove(leg, leg + 1, (call->leg_count - index) * sizeof(*leg));
}

/* --- participants -------------------------------------------------------------------------------
 */

const char *call_participant_id(const struct call_participant *participant)
{
    if (participant->number[0] != '\0')
        return participant->number;
    return participant->anonymous ? "anonymous" : "unknown";
}

const struct call_participant *call_find_participant(const struct call *call, const char *id)
{
    for (unsigned i = 0; i < call->participant_count; i++) {
        if (strcmp(call_participant_id(&call->participants[i]), id) == 0)
            return &call->participants[i];
    }
    return NULL;
}

bool calls__set_party(struct call_participant *out, const struct pbx_party *party)
{
    char *name = NULL;
    if (party->name != NULL && !party->restricted) {
        name = strdup(party->name);
        if (name == NULL)
            return false;
    }
    free(out->name);
    out->name = name;
    out->anonymous = party->restricted;
    (void)snprintf(out->number, sizeof(out->number), "%s",
                   party->restricted || party->number == NULL ? "" : party->number);
    return true;
}

struct call_participant *calls__find_party(struct call *call, const struct pbx_party *party)
{
    const char *number = party->restricted || party->number == NULL ? "" : party->number;
    for (unsigned i = 0; i < call->participant_count; i++) {
        struct call_participant *one = &call->participants[i];
        if (strcmp(one->number, number) == 0 && one->anonymous == party->restricted)
            return one;
    }
    /* A call has one other party most of the time: one who hides or is not named is that one. */
    return number[0] == '\0' && call->participant_count == 1 ? call->participants : NULL;
}

struct call_participant *calls__add_party(struct call *call, const struct pbx_party *party,
                                          enum pbx_local local)
{
    size_t count = call->participant_count;
    struct call_participant *list = NULL;
    if (count < PBX_PARTIES_MAX)
        list = realloc(call->participants, (count + 1) * sizeof(*list));
    if (list == NULL)
        return NULL;
    call->participants = list;
    list[count] = (struct call_participant){.local = local, .mark = CALL_MARK_ADDED};
    if (!calls__set_party(&list[count], party))
        return NULL;
    call->participant_count++;
    return &list[count];
}

void calls__remove_party(struct calls *calls, struct call *call, struct call_participant *party)
{
    unsigned index = (unsigned)(party - call->participants);
    if (party->mark != CALL_MARK_ADDED && calls->removed_count < PBX_PARTIES_MAX) {
        char *number = calls->removed_numbers[calls->removed_count];
        (void)snprintf(number, PBX_NUMBER_CHARS, "%s", call_participant_id(party));
        calls->removed_ids[calls->removed_count++] = number;
    }
    free(party->name);
    call->participant_count--;
    memmove(party, party + 1, (call->participant_count - index) * sizeof(*party));
}

/* --- calls --------------------------------------------------------------------------------------
 */

static void call_free(struct call *call)
{
    for (unsigned i = 0; i < call->participant_count; i++)
        free(call->participants[i].name);
    free(call->participants);
    free(call->initial_called.name);
    free(call->last_redirecting.name);
    free(call);
}

struct call *calls__begin(struct user *user, const char *pbx_call_id, bool incoming)
{
    struct call *other;
    unsigned count = 0;
    TAILQ_FOREACH(other, &user->calls, of_user)
    count++;
    struct call *call = count < CALLS_OF_USER_MAX ? calloc(1, sizeof(*call)) : NULL;
    if (call == NULL)
        return NULL;
    call->user = user;
    call->incoming = incoming;
    (void)snprintf(call->pbx_call_id, sizeof(call->pbx_call_id), "%s", pbx_call_id);
    call_ref_of(user->node, pbx_call_id, call->ref);
    TAILQ_INSERT_TAIL(&user->calls, call, of_user);
    return call;
}

void calls__drop(struct call *call)
{
    TAILQ_REMOVE(&call->user->calls, call, of_user);
    call_free(call);
}

void calls__end(struct calls *calls, struct call *call, enum call_cause cause,
                const char *new_destination)
{
    TAILQ_REMOVE(&call->user->calls, call, of_user);
    calls->removed_leg_count = 0;
    calls->removed_count = 0;
    calls->sink.removed(calls->sink.context, call, cause, new_destination);
    call_free(call);
}

void calls_forget(struct user *user)
{
    while (!TAILQ_EMPTY(&user->calls))
        calls__drop(TAILQ_FIRST(&user->calls));
}

void calls_free(struct calls *calls)
{
    if (calls == NULL)
        return;
    for (struct user *user = users_first(calls->users); user != NULL;
         user = TAILQ_NEXT(user, of_all))
        calls_forget(user);
    free(calls);
}

static bool is_listed(const struct user *user, const struct device *device)
{
    for (unsigned i = 0; i < user->device_count; i++) {
        if (user->devices[i] == device)
            return true;
    }
    return false;
}

void calls_devices_changed(struct calls *calls, struct user *user)
{
    struct call *call, *next;
    for (call = TAILQ_FIRST(&user->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, of_user);
        for (unsigned i = call->leg_count; i-- > 0;) {
            if (!is_listed(user, call->legs[i].device))
                calls__remove_leg(calls, call, &call->legs[i]);
        }
        if (call->leg_count == 0)
            calls__end(calls, call, CAUSE_UNKNOWN, NULL);
        else
            (void)calls__tell(calls, call, CAUSE_ABSENT);
    }
    calls__update_user(calls, user);
}

/* --- connections that have ended ----------------------------------------------------------------
 */

void calls__remember_end(struct calls *calls, const struct call *call, const struct device *device)
{
    struct ended_connection *ended = &calls->ended[calls->ended_next];
    calls->ended_next = (calls->ended_next + 1) % CALLS_ENDED;
    memcpy(ended->number, device->number, sizeof(ended->number));
    (void)snprintf(ended->pbx_call_id, sizeof(ended->pbx_call_id), "%s", call->pbx_call_id);
}

bool calls__has_ended(const struct calls *calls, const struct device *device,
                      const char *pbx_call_id)
{
    for (size_t i = 0; i < CALLS_ENDED; i++) {
        if (strcmp(calls->ended[i].number, device->number) == 0 &&
            strcmp(calls->ended[i].pbx_call_id, pbx_call_id) == 0)
            return true;
    }
    return false;
}

/* --- users and devices --------------------------------------------------------------------------
 */

struct device *calls__device(const struct calls *calls, const struct pbx *pbx, const char *number)
{
    struct device *device = number == NULL ? NULL : users_find_device(calls->users, number);
    return device != NULL && strcmp(device->user->node, pbx->node) == 0 ? device : NULL;
}

bool calls__is_device_of(const struct user *user, const struct pbx_party *party)
{
    return party->number != NULL && user_find_device(user, party->number) != NULL;
}

/* A device out of service has no calls to read. */
static bool is_read(const struct user *user)
{
    for (unsigned i = 0; i < user->device_count; i++) {
        if (!user->devices[i]->read && user->devices[i]->state != DEVICE_OUT_OF_SERVICE)
            return false;
    }
    return true;
}

static bool is_engaged(const struct user *user)
{
    const struct call *call;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        if (call->engaged)
            return true;
    }
    return false;
}

static void set_user_state(struct calls *calls, struct user *user, enum user_state state)
{
    if (user->state == state)
        return;
    user->state = state;
    calls->sink.user_state(calls->sink.context, user);
}

void calls__update_user(struct calls *calls, struct user *user)
{
    bool read = is_read(user);
    user->known = user->known || read;
    set_user_state(calls, user,
                   !read              ? USER_STATE_UNKNOWN
                   : is_engaged(user) ? USER_STATE_BUSY
                                      : USER_STATE_FREE);
}

void calls_device_state(struct calls *calls, const char *number, enum operational_state state)
{
    struct device *device = users_find_device(calls->users, number);
    if (device == NULL) {
        calls->odd_events++;
        return;
    }
    if (device->state == state)
        return;
    device->state = state;
    calls->sink.device_state(calls->sink.context, device->user);
    calls__update_user(calls, device->user);
}

static void lose_user(struct calls *calls, struct user *user)
{
    bool changed = false;
    for (unsigned i = 0; i < user->device_count; i++) {
        struct device *device = user->devices[i];
        changed = changed || device->state != DEVICE_UNKNOWN;
        device->state = DEVICE_UNKNOWN;
        device->read = false;
    }
    if (changed)
        calls->sink.device_state(calls->sink.context, user);
    set_user_state(calls, user, USER_STATE_UNKNOWN);
}

/* The PBX may have started anew and count its calls from the beginning: forget which ended. */
void calls_link_down(struct calls *calls, const struct pbx *pbx)
{
    memset(calls->ended, 0, sizeof(calls->ended));
    for (struct user *user = users_first(calls->users); user != NULL;
         user = TAILQ_NEXT(user, of_all)) {
        if (strcmp(user->node, pbx->node) == 0)
            lose_user(calls, user);
    }
}
