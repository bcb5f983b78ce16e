/* calls.h - the calls of the users as the interface shows them, made from what the PBXs tell. Pure:
 * no I/O, no clock; what changes goes out through a sink, in the order in which clients must see it
 * (pbx events in, zero or more changes out, per event).
 *
 * A call belongs to one user: two users that talk have one call each, with the same reference, each
 * seen from its own monitor only. The reference is made of the PBX's node and call identifier
 * alone, so every node, before and after a takeover, gives the same call the same reference.
 *
 * What is kept are the connections (ECMA-269 6.1.5): one per device of the user, the legs, and one
 * per other party. Events and snapshots only change connections; all media states follow from them
 * in one place. So an event and a snapshot can never disagree on what a state means.
 *
 * Events that fit no known state (a call that is gone, an unknown device, out of order, told twice)
 * change nothing that they do not surely tell, never crash, and are counted in calls_odd_events().
 *
 * Files: calls.c (users' states, the call's parts), calls_states.c (media states, changes for the
 * sink), calls_events.c (table of events), calls_snapshot.c. */
#ifndef OG_GATEWAY_CALLS_H
#define OG_GATEWAY_CALLS_H

#include "gateway/model/users.h"

enum {
    CALL_REF_CHARS = 17,
    CALL_LEGS_MAX = USER_DEVICES_MAX,
    CALL_CORRELATOR_CHARS = 65,
    CALLS_OF_USER_MAX = 64, /* more are odd events */
};

/* Used inside, while a change is gathered. */
enum call_mark { CALL_MARK_NONE, CALL_MARK_ADDED, CALL_MARK_MODIFIED };

struct call_leg {
    struct device *device;
    enum media_state state; /* follows from `local` and the others' connections */
    bool ringing_remote;    /* the PBX has told that it rings there */
    enum pbx_local local;   /* its own connection */
    enum call_mark mark;
};

struct call_participant {
    char number[PBX_NUMBER_CHARS]; /* participantId; "" when restricted or unknown */
    char *name;                    /* as the PBX shows it; NULL: none */
    bool anonymous;
    enum media_state state; /* as seen from the user */
    enum pbx_local local;   /* its own connection */
    enum call_mark mark;
};

struct call {
    TAILQ_ENTRY(call) of_user;
    struct user *user;
    char ref[CALL_REF_CHARS]; /* 16 hexadecimal digits */
    char pbx_call_id[PBX_CALL_ID_CHARS];
    enum media_state state;
    bool incoming;                          /* the user was called */
    bool answered;                          /* was active once */
    bool engaged;                           /* makes the user busy: dialled or answered once */
    enum call_cause release_cause;          /* why it is releasing; CAUSE_ABSENT: it is not */
    struct call_participant initial_called; /* number "": not known */
    struct call_participant last_redirecting;
    char correlator[CALL_CORRELATOR_CHARS]; /* hexadecimal digits, "": none */
    struct call_leg legs[CALL_LEGS_MAX];
    unsigned leg_count;
    struct call_participant *participants;
    unsigned participant_count;
};

/* What an OnCallModified tells beside the call's new state. Pointers are into the call, or live
 * during the callback. */
struct call_change {
    enum call_cause cause; /* CAUSE_ABSENT: none */
    const struct call_leg *modified_legs, *added_legs, *removed_legs;
    unsigned modified_leg_count, added_leg_count, removed_leg_count;
    const struct call_participant *modified_participants, *added_participants;
    unsigned modified_participant_count, added_participant_count;
    const char *const *removed_participant_ids;
    unsigned removed_participant_count;
    bool device_capabilities; /* they may have changed: tell them */
};

struct calls_sink {
    void (*created)(void *context, const struct call *call, enum call_cause cause);
    void (*modified)(void *context, const struct call *call, const struct call_change *change);
    /* The call is not among the user's any more. new_destination: NULL for none. */
    void (*removed)(void *context, const struct call *call, enum call_cause cause,
                    const char *new_destination);
    void (*user_state)(void *context, const struct user *user);
    void (*device_state)(void *context, const struct user *user);
    void *context;
};

struct calls;
struct calls *calls_new(const struct users *users,
                        const struct calls_sink *sink); /* NULL: memory */
void calls_free(struct calls *calls); /* the users must still be there; no changes are told */

/* What a PBX tells; the arguments are those of struct pbx_events. False: the event contradicts what
 * is known of the device, whose calls should be read again (events were lost or came in disorder).
 */
bool calls_event(struct calls *calls, const struct pbx *pbx, const struct pbx_event *event);
void calls_snapshot(struct calls *calls, const struct pbx *pbx, const char *number,
                    const struct pbx_snapshot_call *list, size_t count);
void calls_device_state(struct calls *calls, const char *number, enum operational_state state);
/* The link is gone: calls stay as they were last seen; states of the node's users and devices
 * become UNKNOWN. */
void calls_link_down(struct calls *calls, const struct pbx *pbx);
/* The user is about to be removed: his calls end without events. */
void calls_forget(struct user *user);

/* Legs of devices that are not the user's any more end, with the events of a removal. */
void calls_devices_changed(struct calls *calls, struct user *user);

struct call *calls_find(const struct user *user, const char *ref); /* NULL: none of his */
const struct call_leg *call_find_leg(const struct call *call, const char *device_number);
/* participantId: the number, else "anonymous" or "unknown". */
const char *call_participant_id(const struct call_participant *participant);
const struct call_participant *call_find_participant(const struct call *call, const char *id);
/* The reference of a PBX's call. */
void call_ref_of(const char *node, const char *pbx_call_id, char out[CALL_REF_CHARS]);
uint64_t calls_odd_events(const struct calls *calls);

#endif
