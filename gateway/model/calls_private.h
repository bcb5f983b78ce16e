/* calls_private.h - shared by the files of the call model only. */
#ifndef OG_GATEWAY_CALLS_PRIVATE_H
#define OG_GATEWAY_CALLS_PRIVATE_H

#include "gateway/model/calls.h"

enum { CALLS_ENDED = 256 };

/* A connection that its PBX has cleared: what comes late for it must not raise the call again. */
struct ended_connection {
    char number[PBX_NUMBER_CHARS]; /* of the device, which may be gone; "": free entry */
    char pbx_call_id[PBX_CALL_ID_CHARS];
};

struct calls {
    const struct users *users;
    struct calls_sink sink;
    uint64_t odd_events;
    struct ended_connection ended[CALLS_ENDED]; /* ring */
    unsigned ended_next;
    /* What one change lists; valid while the sink is called. */
    struct call_leg modified_legs[CALL_LEGS_MAX], added_legs[CALL_LEGS_MAX],
        removed_legs[CALL_LEGS_MAX];
    unsigned removed_leg_count;
    struct call_participant modified[PBX_PARTIES_MAX], added[PBX_PARTIES_MAX];
    char removed_numbers[PBX_PARTIES_MAX][PBX_NUMBER_CHARS];
    const char *removed_ids[PBX_PARTIES_MAX];
    unsigned removed_count;
};

/* --- calls.c: a call's parts --------------------------------------------------------------------
 */
struct call *calls__find_by_id(const struct user *user, const char *pbx_call_id);
/* Not told yet: calls__tell() does. NULL: no memory, or the user has too many. */
struct call *calls__begin(struct user *user, const char *pbx_call_id, bool incoming);
void calls__drop(struct call *call); /* without a word */
/* Told by `removed`; frees the call. */
void calls__end(struct calls *calls, struct call *call, enum call_cause cause,
                const char *new_destination);

struct call_leg *calls__find_leg(struct call *call, const struct device *device);
struct call_leg *calls__add_leg(struct call *call, struct device *device); /* NULL: no room */
/* To be told as removed with the next change. */
void calls__remove_leg(struct calls *calls, struct call *call, struct call_leg *leg);

struct call_participant *calls__find_party(struct call *call, const struct pbx_party *party);
/* NULL: no memory or too many. */
struct call_participant *calls__add_party(struct call *call, const struct pbx_party *party,
                                          enum pbx_local local);
void calls__remove_party(struct calls *calls, struct call *call, struct call_participant *party);
bool calls__set_party(struct call_participant *out, const struct pbx_party *party);

/* The device when it is one of this PBX's users, else NULL. */
struct device *calls__device(const struct calls *calls, const struct pbx *pbx, const char *number);
bool calls__is_device_of(const struct user *user, const struct pbx_party *party);
/* Tells the user's state if it has changed. */
void calls__update_user(struct calls *calls, struct user *user);
void calls__remember_end(struct calls *calls, const struct call *call, const struct device *device);
bool calls__has_ended(const struct calls *calls, const struct device *device,
                      const char *pbx_call_id);

/* --- calls_states.c -----------------------------------------------------------------------------
 */
/* Brings all media states in line with the connections and marks what changes. */
void calls__settle(struct call *call);
/* Settles and tells what has changed since the last time; false: nothing has. */
bool calls__tell(struct calls *calls, struct call *call, enum call_cause cause);
/* Tells it as `created`. */
void calls__tell_new(struct calls *calls, struct call *call, enum call_cause cause);
void calls__set_ringing(struct call_leg *leg, bool ringing);
/* The remote device rings: told on its own, after RINGING_OUTGOING. */
bool calls__tell_ringing(struct calls *calls, struct call *call, struct call_leg *leg);
/* Is nobody left in the call for this leg to talk with? without: a party that leaves, counted out
 * when it is one of the user's own devices; others are removed before. */
bool calls__is_alone(const struct call *call, const struct call_leg *leg,
                     const struct pbx_party *without);

#endif
