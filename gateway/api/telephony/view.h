/* view.h - from the model to the wire: calls, legs, participants, states as their representations.
 * Pure. Everything made lies in the arena; texts may be borrowed from the model, so a view is
 * written before the model changes. NULL or false: no memory.
 *
 * A capability is announced only when this release has the operation behind it: a client draws its
 * buttons from them. The tables in view_capabilities.c say for each capability of which the states
 * are known which operation that is and in which states it is possible; a release that adds an
 * operation fills its cell. Capabilities without a row are never announced. */
#ifndef OG_GATEWAY_TELEPHONY_VIEW_H
#define OG_GATEWAY_TELEPHONY_VIEW_H

#include "gateway/api/telephony/repr.h"
#include "gateway/model/calls.h"
#include "lib/http/arena.h"

struct call_view *view_call(struct arena *arena, const struct users *users,
                            const struct call *call);
struct calls_view *view_calls(struct arena *arena, const struct users *users,
                              const struct user *user);
struct leg_view *view_leg(struct arena *arena, const struct call_leg *leg);
struct legs_view *view_legs(struct arena *arena, const struct call *call);
struct participant_view *view_participant(struct arena *arena, const struct users *users,
                                          const struct call_participant *participant);
struct participants_view *view_participants(struct arena *arena, const struct users *users,
                                            const struct call *call);
struct device_states_view *view_device_states(struct arena *arena, const struct user *user);
struct device_state_view *view_device_state(struct arena *arena, const struct device *device);
struct telephonic_state_view *view_telephonic_state(struct arena *arena, const struct users *users,
                                                    const struct user *user);

/* Parts, for events. */
struct call_data_view *view_call_data(struct arena *arena, const struct users *users,
                                      const struct call *call);
bool view_leg_array(struct arena *arena, const struct call_leg *legs, size_t count,
                    struct repr_array *out);
struct participant_list {
    const struct call_participant *items;
    size_t count;
};
bool view_participant_array(struct arena *arena, const struct users *users,
                            struct participant_list list, struct repr_array *out);
/* What each of the user's devices can do now. */
bool view_device_capabilities(struct arena *arena, const struct user *user, struct repr_array *out);

/* --- view_capabilities.c ------------------------------------------------------------------------
 */
void view_set_call_capabilities(enum media_state state, struct call_capabilities_view *out);
void view_set_leg_capabilities(enum media_state state, struct leg_capabilities_view *out);
/* state: of the device's leg that counts most; IDLE without any. */
void view_set_device_capabilities(enum media_state state, struct device_capabilities_view *out);

#endif
