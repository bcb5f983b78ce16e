/* repr.h - what the telephony service and its events look like on the wire: plain structs and their
 * tables. view.h makes the structs from the model.
 *
 * Source: contract of the telephony service, Representations and Events. Members that this release
 * never sets are in the tables all the same, so that the description of the interface is whole. */
#ifndef OG_GATEWAY_TELEPHONY_REPR_H
#define OG_GATEWAY_TELEPHONY_REPR_H

#include "lib/http/repr.h"

/* field, name on the wire; only true ones are written */
/* clang-format off */
#define CALL_CAPABILITIES(X) \
    X(add_device, "addDevice") X(add_participant, "addParticipant") X(intruded, "intruded") \
    X(intrusion, "intrusion") X(transfer, "transfer") X(blind_transfer, "blindTransfer") \
    X(merge, "merge") X(redirect, "redirect") X(picked_up, "pickedUp") \
    X(redirect_to_voice_mail, "redirectToVoiceMail") X(redirect_to_dva, "redirectToDVA") \
    X(overflow_to_voice_mail, "overflowToVoiceMail") X(drop_me, "dropMe") \
    X(terminate, "terminate") X(reject, "reject") X(call_back, "callBack") X(park, "park") \
    X(start_record, "startRecord") X(stop_record, "stopRecord") X(pause_record, "pauseRecord") \
    X(resume_record, "resumeRecord") X(drop_participant, "dropParticipant") \
    X(mute_participant, "muteParticipant") X(hold_participant, "holdParticipant")
#define LEG_CAPABILITIES(X) \
    X(answer, "answer") X(drop, "drop") X(hold, "hold") X(retrieve, "retrieve") \
    X(reconnect, "reconnect") X(mute, "mute") X(un_mute, "unMute") X(send_dtmf, "sendDtmf") \
    X(switch_device, "switchDevice")
#define DEVICE_CAPABILITIES(X) \
    X(make_call, "makeCall") X(make_business_call, "makeBusinessCall") \
    X(make_private_call, "makePrivateCall") X(un_park_call, "unParkCall")
/* clang-format on */
#define CAPABILITY_FIELD(field, name) struct repr_bool field;

struct call_capabilities_view {
    struct repr_array add_medias; /* struct media_capability_view; seen empty only */
    CALL_CAPABILITIES(CAPABILITY_FIELD)
};
struct leg_capabilities_view {
    LEG_CAPABILITIES(CAPABILITY_FIELD)
};
struct device_capabilities_view {
    const char *device_id;
    DEVICE_CAPABILITIES(CAPABILITY_FIELD)
};

struct party_id_view {
    const char *login_name, *phone_number;
    struct repr_bool multi_line;
};
struct party_type_view {
    int main; /* enum party_type */
    const char *sub_type;
};
struct party_view { /* PartyInfo */
    struct party_id_view *id;
    const char *first_name, *last_name, *display_name;
    struct party_type_view *type;
};

struct tag_view {
    const char *name, *value;
    struct repr_array visibilities; /* const char * */
};
struct trunk_view {
    int64_t network_timeslot;
    struct repr_array trunk_neqt; /* int64_t */
};
struct call_data_view {
    struct party_view *initial_called, *last_redirecting;
    struct repr_bool device_call, anonymous;
    const char *call_uuid;
    int state; /* enum media_state */
    const char *record_state;
    struct repr_array tags; /* struct tag_view */
    struct call_capabilities_view *capabilities;
    const char *associated_data, *hexa_binary_associated_data, *account_info;
    const cJSON *acd_call_data; /* of the contact centre */
    struct trunk_view *trunk_identification;
};

struct leg_view {
    const char *device_id, *media;
    int state; /* enum media_state */
    struct repr_bool ringing_remote;
    struct leg_capabilities_view *capabilities;
};
struct media_capability_view {
    const char *type;
};
struct participant_view {
    const char *participant_id;
    struct party_view *identity;
    struct repr_bool anonymous, undroppable;
    int state;                            /* enum media_state */
    struct repr_array medias;             /* struct media_capability_view; seen empty only */
    struct repr_array media_capabilities; /* struct media_capability_view */
};
struct call_view {
    const char *call_ref;
    struct call_data_view *call_data;
    struct repr_array legs;         /* struct leg_view */
    struct repr_array participants; /* struct participant_view */
};

struct device_state_view {
    const char *device_id;
    int state; /* enum operational_state */
};
struct device_states_view {
    struct repr_array device_states; /* struct device_state_view */
};
struct telephonic_state_view {
    struct repr_array calls;               /* struct call_view */
    struct repr_array device_capabilities; /* struct device_capabilities_view */
    int user_state;                        /* enum user_state */
    struct device_states_view *device_states;
};

/* Answers that hold a list. */
struct calls_view {
    struct repr_array calls; /* struct call_view */
};
struct legs_view {
    struct repr_array legs; /* struct leg_view */
};
struct participants_view {
    struct repr_array participants; /* struct participant_view */
};

/* Events: name and login first, as clients search for them. */
struct call_created_view {
    const char *event_name, *login_name, *call_ref;
    int cause; /* enum call_cause */
    struct call_data_view *call_data;
    const char *initiator;
    struct repr_array legs, participants, device_capabilities;
};
struct call_modified_view {
    const char *event_name, *login_name, *call_ref;
    int cause; /* enum call_cause */
    const char *previous_call_ref, *replaced_by_call_ref;
    struct call_data_view *call_data;
    struct repr_array modified_legs, added_legs, removed_legs;   /* struct leg_view */
    struct repr_array modified_participants, added_participants; /* participant_view */
    struct repr_array removed_participant_ids;                   /* const char * */
    struct repr_array device_capabilities;
};
struct call_removed_view {
    const char *event_name, *login_name, *call_ref;
    int cause; /* enum call_cause */
    const char *new_destination;
    struct repr_array device_capabilities;
};
struct user_state_event_view {
    const char *event_name, *login_name;
    int state; /* enum user_state */
};
struct device_state_event_view {
    const char *event_name, *login_name;
    struct repr_array device_states; /* struct device_state_view */
};
struct telephony_state_event_view {
    const char *event_name, *login_name;
    struct telephonic_state_view *state;
};

extern const struct repr call_repr, calls_repr, leg_repr, legs_repr, participant_repr,
    participants_repr, device_state_repr, device_states_repr, telephonic_state_repr;
extern const struct repr call_created_repr, call_modified_repr, call_removed_repr,
    user_state_event_repr, device_state_event_repr, telephony_state_event_repr;

#endif
