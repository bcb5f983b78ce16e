#include "gateway/api/telephony/view.h"

#include "lib/common/secrets.h"
#include "lib/common/utf8.h"

#include <string.h>

static const char audio[] = "AUDIO"; /* the only media there is */
static const struct repr_bool yes = {.set = true, .value = true};

/* Room for count items of an array that is present even when empty; *ret_items NULL then. */
static bool make_array(struct arena *arena, size_t count, size_t size_bytes, void **ret_items,
                       struct repr_array *out)
{
    *ret_items = count == 0 ? NULL : arena_calloc(arena, count, size_bytes);
    *out = (struct repr_array){.items = *ret_items, .count = count, .set = true};
    return count == 0 || *ret_items != NULL;
}

static const char *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* --- who somebody is ----------------------------------------------------------------------------
 */

/* Everything that a party needs, in one piece. */
struct party_room {
    struct party_view party;
    struct party_id_view id;
    struct party_type_view type;
};

static void describe_user(const struct user *user, struct party_room *room)
{
    room->id.login_name = user->login;
    if (user->device_count > 1)
        room->id.multi_line = yes;
    room->party.first_name = text_or_null(user->first_name);
    room->party.last_name = text_or_null(user->last_name);
    room->type.main = PARTY_USER;
}

static enum party_type type_of_stranger(const struct call_participant *participant)
{
    return participant->number[0] == '\0' ? PARTY_UNKNOWN : PARTY_EXTERNAL;
}

/* An anonymous party has neither number nor name here, whatever the PBX has told. */
static struct party_view *view_party(struct arena *arena, const struct users *users,
                                     const struct call_participant *participant)
{
    struct party_room *room = arena_calloc(arena, 1, sizeof(*room));
    if (room == NULL)
        return NULL;
    room->party.id = &room->id;
    room->party.type = &room->type;
    room->type.main = PARTY_UNKNOWN;
    if (participant->anonymous)
        return &room->party;

    const struct device *device = users_find_device(users, participant->number);
    room->id.phone_number = text_or_null(participant->number);
    if (device != NULL)
        describe_user(device->user, room);
    else
        room->type.main = type_of_stranger(participant);
    if (room->party.first_name == NULL && room->party.last_name == NULL)
        room->party.display_name = text_or_null(participant->name);
    return &room->party;
}

static bool fill_participant(struct arena *arena, const struct users *users,
                             const struct call_participant *participant,
                             struct participant_view *out)
{
    static const struct media_capability_view media_capabilities[] = {{.type = audio}};
    out->participant_id = call_participant_id(participant);
    out->identity = view_party(arena, users, participant);
    if (participant->anonymous)
        out->anonymous = yes;
    out->state = participant->state;
    out->medias.set = true;
    out->media_capabilities =
        (struct repr_array){.items = media_capabilities, .count = 1, .set = true};
    return out->identity != NULL;
}

struct participant_view *view_participant(struct arena *arena, const struct users *users,
                                          const struct call_participant *participant)
{
    struct participant_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && fill_participant(arena, users, participant, view) ? view : NULL;
}

bool view_participant_array(struct arena *arena, const struct users *users,
                            struct participant_list list, struct repr_array *out)
{
    void *items = NULL;
    if (!make_array(arena, list.count, sizeof(struct participant_view), &items, out))
        return false;
    struct participant_view *views = items;
    for (size_t i = 0; i < list.count; i++) {
        if (!fill_participant(arena, users, &list.items[i], &views[i]))
            return false;
    }
    return true;
}

struct participants_view *view_participants(struct arena *arena, const struct users *users,
                                            const struct call *call)
{
    struct participants_view *view = arena_calloc(arena, 1, sizeof(*view));
    const struct participant_list list = {call->participants, call->participant_count};
    return view != NULL && view_participant_array(arena, users, list, &view->participants) ? view
                                                                                           : NULL;
}

/* --- legs ---------------------------------------------------------------------------------------
 */

static bool fill_leg(struct arena *arena, const struct call_leg *leg, struct leg_view *out)
{
    out->device_id = leg->device->number;
    out->media = audio;
    out->state = leg->state;
    if (leg->ringing_remote)
        out->ringing_remote = yes;
    out->capabilities = arena_calloc(arena, 1, sizeof(*out->capabilities));
    if (out->capabilities == NULL)
        return false;
    view_set_leg_capabilities(leg->state, out->capabilities);
    return true;
}

struct leg_view *view_leg(struct arena *arena, const struct call_leg *leg)
{
    struct leg_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && fill_leg(arena, leg, view) ? view : NULL;
}

bool view_leg_array(struct arena *arena, const struct call_leg *legs, size_t count,
                    struct repr_array *out)
{
    void *items = NULL;
    if (!make_array(arena, count, sizeof(struct leg_view), &items, out))
        return false;
    struct leg_view *views = items;
    for (size_t i = 0; i < count; i++) {
        if (!fill_leg(arena, &legs[i], &views[i]))
            return false;
    }
    return true;
}

struct legs_view *view_legs(struct arena *arena, const struct call *call)
{
    struct legs_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && view_leg_array(arena, call->legs, call->leg_count, &view->legs) ? view
                                                                                           : NULL;
}

/* --- calls --------------------------------------------------------------------------------------
 */

static bool is_text(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    }
    return utf8_valid(text, bytes);
}

/* The correlator as a text, when it is one: NULL for other bytes. *ret_memory false: no memory. */
static const char *text_of_correlator(struct arena *arena, const char *digits, bool *ret_memory)
{
    size_t bytes = strlen(digits) / 2;
    char *text = arena_calloc(arena, 1, bytes + 1);
    *ret_memory = text != NULL;
    bool shown =
        text != NULL && secrets_unhex(digits, bytes, (uint8_t *)text) && is_text(text, bytes);
    return shown ? text : NULL;
}

static bool is_named(const struct call_participant *party)
{
    return party->anonymous || party->number[0] != '\0';
}

static bool somebody_is_anonymous(const struct call *call)
{
    for (unsigned i = 0; i < call->participant_count; i++) {
        if (call->participants[i].anonymous)
            return true;
    }
    return false;
}

static bool fill_call_data(struct arena *arena, const struct users *users, const struct call *call,
                           struct call_data_view *out)
{
    bool memory = true;
    if (is_named(&call->initial_called))
        memory = (out->initial_called = view_party(arena, users, &call->initial_called)) != NULL;
    if (memory && is_named(&call->last_redirecting))
        memory =
            (out->last_redirecting = view_party(arena, users, &call->last_redirecting)) != NULL;
    if (memory && call->correlator[0] != '\0') {
        out->hexa_binary_associated_data = call->correlator;
        out->associated_data = text_of_correlator(arena, call->correlator, &memory);
    }
    out->capabilities = arena_calloc(arena, 1, sizeof(*out->capabilities));
    if (!memory || out->capabilities == NULL)
        return false;
    if (somebody_is_anonymous(call))
        out->anonymous = yes;
    out->state = call->state;
    view_set_call_capabilities(call->state, out->capabilities);
    return true;
}

struct call_data_view *view_call_data(struct arena *arena, const struct users *users,
                                      const struct call *call)
{
    struct call_data_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && fill_call_data(arena, users, call, view) ? view : NULL;
}

static bool fill_call(struct arena *arena, const struct users *users, const struct call *call,
                      struct call_view *out)
{
    const struct participant_list list = {call->participants, call->participant_count};
    out->call_ref = call->ref;
    out->call_data = view_call_data(arena, users, call);
    return out->call_data != NULL &&
           view_leg_array(arena, call->legs, call->leg_count, &out->legs) &&
           view_participant_array(arena, users, list, &out->participants);
}

struct call_view *view_call(struct arena *arena, const struct users *users, const struct call *call)
{
    struct call_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && fill_call(arena, users, call, view) ? view : NULL;
}

static bool fill_calls(struct arena *arena, const struct users *users, const struct user *user,
                       struct repr_array *out)
{
    const struct call *call;
    size_t count = 0;
    void *items = NULL;
    TAILQ_FOREACH(call, &user->calls, of_user)
    count++;
    if (!make_array(arena, count, sizeof(struct call_view), &items, out))
        return false;
    struct call_view *view = items;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        if (!fill_call(arena, users, call, view++))
            return false;
    }
    return true;
}

struct calls_view *view_calls(struct arena *arena, const struct users *users,
                              const struct user *user)
{
    struct calls_view *view = arena_calloc(arena, 1, sizeof(*view));
    return view != NULL && fill_calls(arena, users, user, &view->calls) ? view : NULL;
}

/* --- devices and states -------------------------------------------------------------------------
 */

/* Of several calls at a device, one that is not in a talk forbids most. */
static enum media_state device_media(const struct user *user, const struct device *device)
{
    enum media_state state = MEDIA_IDLE;
    const struct call *call;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        for (unsigned i = 0; i < call->leg_count; i++) {
            if (call->legs[i].device != device)
                continue;
            if (state == MEDIA_IDLE || state == MEDIA_ACTIVE || state == MEDIA_HELD)
                state = call->legs[i].state;
        }
    }
    return state;
}

bool view_device_capabilities(struct arena *arena, const struct user *user, struct repr_array *out)
{
    void *items = NULL;
    if (!make_array(arena, user->device_count, sizeof(struct device_capabilities_view), &items,
                    out))
        return false;
    struct device_capabilities_view *views = items;
    for (unsigned i = 0; i < user->device_count; i++) {
        const struct device *device = user->devices[i];
        views[i].device_id = device->number;
        if (device->state == DEVICE_IN_SERVICE)
            view_set_device_capabilities(device_media(user, device), &views[i]);
    }
    return true;
}

struct device_state_view *view_device_state(struct arena *arena, const struct device *device)
{
    struct device_state_view *view = arena_calloc(arena, 1, sizeof(*view));
    if (view != NULL)
        *view = (struct device_state_view){device->number, device->state};
    return view;
}

struct device_states_view *view_device_states(struct arena *arena, const struct user *user)
{
    struct device_states_view *view = arena_calloc(arena, 1, sizeof(*view));
    void *items = NULL;
    if (view == NULL || !make_array(arena, user->device_count, sizeof(struct device_state_view),
                                    &items, &view->device_states))
        return NULL;
    struct device_state_view *states = items;
    for (unsigned i = 0; i < user->device_count; i++)
        states[i] = (struct device_state_view){user->devices[i]->number, user->devices[i]->state};
    return view;
}

struct telephonic_state_view *view_telephonic_state(struct arena *arena, const struct users *users,
                                                    const struct user *user)
{
    struct telephonic_state_view *view = arena_calloc(arena, 1, sizeof(*view));
    if (view == NULL || !fill_calls(arena, users, user, &view->calls) ||
        !view_device_capabilities(arena, user, &view->device_capabilities))
        return NULL;
    view->user_state = user->state;
    view->device_states = view_device_states(arena, user);
    return view->device_states != NULL ? view : NULL;
}
