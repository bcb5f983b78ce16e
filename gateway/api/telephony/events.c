#include "gateway/api/telephony/events.h"

#include "gateway/api/telephony/view.h"
#include "gateway/events/bus.h"

#include <errno.h>

/* 64 calls with as many parties each fit; most events need less than one block. */
enum { EVENT_ARENA_BYTES = 16 * 1024 * 1024 };

/* One event being written: its memory is given back as a whole. */
struct event {
    struct gateway *gateway;
    const struct user *user;
    struct arena arena;
};

static void find_listener(void *context, struct subscription *subscription)
{
    (void)subscription;
    *(bool *)context = true;
}

/* False: nobody listens, there is nothing to do or to end. */
static bool event_begin(struct event *event, struct gateway *gateway, const struct user *user)
{
    bool listened = false;
    event_index_walk(&gateway->subscriptions.index, EVENT_PACKAGE_TELEPHONY, user->login,
                     find_listener, &listened);
    if (!listened)
        return false;
    *event = (struct event){.gateway = gateway, .user = user};
    arena_init(&event->arena, EVENT_ARENA_BYTES);
    return true;
}

/* view NULL: there was no memory for it. */
static void event_publish(struct event *event, const struct repr *repr, const void *view)
{
    struct buf json = {0};
    if (view == NULL || repr_write(repr, view, &json) < 0)
        json.failed = true;
    (void)bus_publish(&event->gateway->subscriptions, EVENT_PACKAGE_TELEPHONY, event->user->login,
                      &json);
    arena_done(&event->arena);
}

/* --- calls --------------------------------------------------------------------------------------
 */

static const char *initiator_of(const struct call *call)
{
    return call->incoming && call->participant_count > 0
               ? call_participant_id(&call->participants[0])
               : NULL;
}

static bool fill_created(struct event *event, const struct call *call,
                         struct call_created_view *out)
{
    const struct users *users = event->gateway->users;
    const struct participant_list list = {call->participants, call->participant_count};
    out->call_data = view_call_data(&event->arena, users, call);
    return out->call_data != NULL &&
           view_leg_array(&event->arena, call->legs, call->leg_count, &out->legs) &&
           view_participant_array(&event->arena, users, list, &out->participants) &&
           view_device_capabilities(&event->arena, call->user, &out->device_capabilities);
}

static void tell_created(void *context, const struct call *call, enum call_cause cause)
{
    struct event event;
    if (!event_begin(&event, context, call->user))
        return;
    struct call_created_view view = {
        .event_name = "OnCallCreated",
        .login_name = call->user->login,
        .call_ref = call->ref,
        .cause = cause,
        .initiator = initiator_of(call),
    };
    event_publish(&event, &call_created_repr, fill_created(&event, call, &view) ? &view : NULL);
}

static bool fill_modified(struct event *event, const struct call *call,
                          const struct call_change *change, struct call_modified_view *out)
{
    const struct users *users = event->gateway->users;
    const struct participant_list modified = {change->modified_participants,
                                              change->modified_participant_count};
    const struct participant_list added = {change->added_participants,
                                           change->added_participant_count};
    struct arena *arena = &event->arena;
    out->call_data = view_call_data(arena, users, call);
    out->removed_participant_ids = (struct repr_array){
        change->removed_participant_ids, change->removed_participant_count, .set = true};
    return out->call_data != NULL &&
           view_leg_array(arena, change->modified_legs, change->modified_leg_count,
                          &out->modified_legs) &&
           view_leg_array(arena, change->added_legs, change->added_leg_count, &out->added_legs) &&
           view_leg_array(arena, change->removed_legs, change->removed_leg_count,
                          &out->removed_legs) &&
           view_participant_array(arena, users, modified, &out->modified_participants) &&
           view_participant_array(arena, users, added, &out->added_participants) &&
           (!change->device_capabilities ||
            view_device_capabilities(arena, call->user, &out->device_capabilities));
}

static void tell_modified(void *context, const struct call *call, const struct call_change *change)
{
    struct event event;
    if (!event_begin(&event, context, call->user))
        return;
    struct call_modified_view view = {
        .event_name = "OnCallModified",
        .login_name = call->user->login,
        .call_ref = call->ref,
        .cause = change->cause,
    };
    event_publish(&event, &call_modified_repr,
                  fill_modified(&event, call, change, &view) ? &view : NULL);
}

static void tell_removed(void *context, const struct call *call, enum call_cause cause,
                         const char *new_destination)
{
    struct event event;
    if (!event_begin(&event, context, call->user))
        return;
    struct call_removed_view view = {
        .event_name = "OnCallRemoved",
        .login_name = call->user->login,
        .call_ref = call->ref,
        .cause = cause,
        .new_destination = new_destination,
    };
    bool filled = view_device_capabilities(&event.arena, call->user, &view.device_capabilities);
    event_publish(&event, &call_removed_repr, filled ? &view : NULL);
}

/* --- states -------------------------------------------------------------------------------------
 */

static struct user_state_event_view user_state_view(const struct user *user)
{
    return (struct user_state_event_view){
        .event_name = "OnUserStateModified", .login_name = user->login, .state = user->state};
}

/* False: no memory. */
static bool fill_device_state(struct arena *arena, const struct user *user,
                              struct device_state_event_view *out)
{
    const struct device_states_view *states = view_device_states(arena, user);
    *out = (struct device_state_event_view){.event_name = "OnDeviceStateModified",
                                            .login_name = user->login};
    if (states != NULL)
        out->device_states = states->device_states;
    return states != NULL;
}

static void tell_user_state(void *context, const struct user *user)
{
    struct event event;
    if (!event_begin(&event, context, user))
        return;
    const struct user_state_event_view view = user_state_view(user);
    event_publish(&event, &user_state_event_repr, &view);
}

static void tell_device_state(void *context, const struct user *user)
{
    struct event event;
    struct device_state_event_view view;
    if (!event_begin(&event, context, user))
        return;
    bool filled = fill_device_state(&event.arena, user, &view);
    event_publish(&event, &device_state_event_repr, filled ? &view : NULL);
}

void telephony_events_sink(struct gateway *gateway, struct calls_sink *ret_sink)
{
    *ret_sink = (struct calls_sink){
        .created = tell_created,
        .modified = tell_modified,
        .removed = tell_removed,
        .user_state = tell_user_state,
        .device_state = tell_device_state,
        .context = gateway,
    };
}

int telephony_initial_states(const struct user *user, struct buf *out)
{
    const struct user_state_event_view state = user_state_view(user);
    struct device_state_event_view devices;
    struct arena arena;
    int r = -ENOMEM;
    arena_init(&arena, EVENT_ARENA_BYTES);
    if (fill_device_state(&arena, user, &devices))
        r = repr_write(&device_state_event_repr, &devices, out);
    arena_done(&arena);
    buf_adds(out, "\n");
    if (r == 0)
        r = repr_write(&user_state_event_repr, &state, out);
    buf_adds(out, "\n");
    return r == 0 && out->failed ? -ENOMEM : r;
}

int telephony_state_event(const struct users *users, const struct user *user, struct buf *out)
{
    struct telephony_state_event_view view = {.event_name = "OnTelephonyState",
                                              .login_name = user->login};
    struct arena arena;
    int r = -ENOMEM;
    arena_init(&arena, EVENT_ARENA_BYTES);
    view.state = view_telephonic_state(&arena, users, user);
    if (view.state != NULL)
        r = repr_write(&telephony_state_event_repr, &view, out);
    arena_done(&arena);
    return r;
}
